"""What the `from_values` of an asynchronous persister gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar


class _Closable(Protocol):
    async def cleanup(self) -> None: ...


T = TypeVar("T", bound=_Closable)


class Opening(Generic[T]):
    """A persister about to be opened: await it, or enter it with `async with`; once.

    Nothing has begun before that, so one that is never used leaves nothing behind.
    """

    def __init__(self, open: Callable[[], Awaitable[T]]) -> None:
        self._open: Callable[[], Awaitable[T]] | None = open
        self._persister: T | None = None

    def __await__(self) -> Generator[Any, Any, T]:
        return self._begin().__await__()

    async def __aenter__(self) -> T:
        self._persister = await self._begin()
        return self._persister

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._persister is not None:
            await self._persister.cleanup()

    def _begin(self) -> Awaitable[T]:
        if self._open is None:
            raise RuntimeError(
                "this was awaited or entered before: call from_values() again for another persister"
            )
        begin, self._open = self._open, None
        return begin()
