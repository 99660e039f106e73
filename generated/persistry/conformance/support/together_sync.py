"""What the cases need that is written differently for blocking persisters."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from .opened_sync import Opened

__all__ = ["Opened", "attempt", "fixture", "marks", "together"]

fixture = pytest.fixture
marks: list[pytest.MarkDecorator] = []


def attempt(call: Callable[[], Any]) -> Any:
    """What a call returns, or the exception that it raises."""
    try:
        return call()
    except Exception as error:
        return error


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls at once, in a thread each: their results or exceptions, in their order."""
    outcomes: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def make(place: int, call: Callable[[], Any]) -> None:
        start.wait()
        outcomes[place] = attempt(call)

    threads = [
        threading.Thread(target=make, args=numbered, daemon=True) for numbered in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
