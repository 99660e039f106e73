"""What the cases need that is written differently for blocking persisters."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import pytest

fixture = pytest.fixture
marks: list[pytest.MarkDecorator] = []


def run(main: Callable[[], Any]) -> Any:
    """Run a program's main function."""
    return main()


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


class Opened:
    """Keeps what a test opens and cleans it up afterwards, the last one first."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __call__(self, persister: Any) -> Any:
        """Keep a persister, or what is entered to get it, and give it back."""
        if not hasattr(persister, "save"):
            return self._stack.enter_context(persister)
        if hasattr(persister, "cleanup"):
            self._stack.callback(persister.cleanup)
        return persister

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
