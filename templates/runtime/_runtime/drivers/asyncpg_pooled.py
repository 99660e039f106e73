"""A pool of asyncpg connections, many of which are used at once."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import Any

import asyncpg

from ..limits import Limits
from .asyncpg_link import AsyncpgLink, connecting
from .asyncpg_values import AsyncpgValues
from .awaited_link import LAST_MOMENT

_handed_in: weakref.WeakValueDictionary[int, Pooled] = weakref.WeakValueDictionary()


class Pooled(AsyncpgLink):
    """A pool of this session alone, made when it is first needed; or one that was handed in."""

    def __init__(self, values: AsyncpgValues | None, pool: Any = None) -> None:
        super().__init__(values, pool, values.at_once if values else pool.get_max_size())
        self.pool = pool

    @classmethod
    def over(cls, pool: Any) -> Pooled:
        """The one link over a pool that was handed in."""
        return _handed_in.setdefault(id(pool), cls(None, pool))

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._opening = asyncio.Lock()

    async def take(self, limits: Limits) -> Any:
        if self.values is None:
            return await self.pool.acquire()
        with connecting():
            pool = self.pool
            if pool is None or pool.is_closing():
                pool = await self._opened(self.values, limits)
            return await pool.acquire()

    async def give_back(
        self, connection: Any, slots: asyncio.Semaphore, *, unknown: bool, transaction: bool
    ) -> None:
        try:
            if unknown or transaction:
                self.drop(connection)
            else:
                # A connection that cannot be reset in time is cut by asyncpg.
                with contextlib.suppress(Exception):
                    await self.pool.release(connection, timeout=LAST_MOMENT)
        finally:
            slots.release()

    async def replace(self, connection: Any) -> bool:
        """What ended this connection has perhaps ended all of them."""
        self.drop(connection)
        await self.pool.expire_connections()
        return True

    async def stop_preparing(self, connection: Any) -> bool:
        self.cached = False
        if self.values is None:
            return False
        self.pool.set_connect_args(**self.values.each(self._limits, cached=False))
        return await self.replace(connection)

    async def close(self) -> None:
        pool, self.pool = self.pool, None
        if pool is not None:
            with contextlib.suppress(TimeoutError, asyncpg.InterfaceError):  # It is cut then.
                async with asyncio.timeout(LAST_MOMENT):
                    await pool.close()

    def cut(self) -> None:
        if self.values and self.pool is not None:
            pool, self.pool = self.pool, None
            with contextlib.suppress(RuntimeError, asyncpg.InterfaceError):
                pool.terminate()  # Fails in an event loop that is closed.

    async def _opened(self, values: AsyncpgValues, limits: Limits) -> Any:
        async with self._opening:
            if self.pool is None or self.pool.is_closing():
                self.pool, self._limits = None, limits
                pool = asyncpg.create_pool(**values.arguments(limits, cached=self.cached))
                try:
                    await pool
                except BaseException:
                    with contextlib.suppress(asyncpg.InterfaceError):
                        pool.terminate()
                    raise
                self.pool = pool
            return self.pool
