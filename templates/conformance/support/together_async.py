"""What the cases need that is written differently for asynchronous persisters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from .opened_async import Opened

__all__ = ["Opened", "attempt", "fixture", "marks", "together"]

fixture = pytest_asyncio.fixture
marks: list[pytest.MarkDecorator] = [pytest.mark.asyncio]


async def attempt(call: Callable[[], Any]) -> Any:
    """What a call returns, or the exception that it raises."""
    try:
        return await call()
    except Exception as error:
        return error


async def together(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls at once, in a task each: their results or exceptions, in their order."""
    return await asyncio.gather(*map(attempt, calls))
