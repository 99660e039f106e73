"""What is opened, and the programs that open it, where they are asynchronous.

Without pytest: it would take most of the time that another process needs to begin its work.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a program's main function."""
    return asyncio.run(main())


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
