"""What the cases need that is written differently for asynchronous persisters."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import pytest
import pytest_asyncio

fixture = pytest_asyncio.fixture
marks: list[pytest.MarkDecorator] = [pytest.mark.asyncio]


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a program's main function."""
    return asyncio.run(main())


async def attempt(call: Callable[[], Any]) -> Any:
    """What a call returns, or the exception that it raises."""
    try:
        return await call()
    except Exception as error:
        return error


async def together(*calls: Callable[[], Any]) -> list[Any]:
    """Start all calls at once, in a task each: their results or exceptions, in their order."""
    return await asyncio.gather(*map(attempt, calls))


class Opened:
    """Keeps what a test opens and cleans it up afterwards, the last one first."""

    def __init__(self) -> None:
        self._stack = contextlib.AsyncExitStack()

    async def __call__(self, persister: Any) -> Any:
        """Keep a persister, or what is awaited or entered to get it, and give it back."""
        opened = await persister if inspect.isawaitable(persister) else persister
        if not hasattr(opened, "save"):
            return await self._stack.enter_async_context(opened)
        if hasattr(opened, "cleanup"):
            self._stack.push_async_callback(opened.cleanup)
        return opened

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
