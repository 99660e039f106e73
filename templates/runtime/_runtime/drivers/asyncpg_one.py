"""One asyncpg connection, which tasks use in turn."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import Any

import asyncpg

from ..limits import Limits
from .asyncpg_link import AsyncpgLink, connecting, is_closed
from .asyncpg_values import AsyncpgValues
from .awaited_link import LAST_MOMENT

# The links over connections that were handed in: two persisters over one have to take turns.
_handed_in: weakref.WeakValueDictionary[int, One] = weakref.WeakValueDictionary()


class One(AsyncpgLink):
    """A connection that is opened when it is first needed, or that was handed in."""

    def __init__(self, values: AsyncpgValues | None, connection: Any = None) -> None:
        super().__init__(values, connection, 1)
        self.connection = connection
        self.transaction = False
        """Whether a transaction of ours may have been left open."""

    @classmethod
    def over(cls, connection: Any) -> One:
        """The one link over a connection that was handed in."""
        return _handed_in.setdefault(id(connection), cls(None, connection))

    async def take(self, limits: Limits) -> Any:
        if self.values and (self.connection is None or is_closed(self.connection)):
            self.connection = None
            with connecting():
                arguments = self.values.arguments(limits, cached=self.cached)
                self.connection = await asyncpg.connect(**arguments)
        connection = self.connection
        if is_closed(connection):
            raise asyncpg.InterfaceError("connection is closed")
        if self.transaction:
            await self._roll_back()
        elif connection.is_in_transaction():
            await connection.execute("COMMIT")
        return connection

    async def give_back(
        self, connection: Any, slots: asyncio.Semaphore, *, unknown: bool, transaction: bool
    ) -> None:
        if self.values and (unknown or transaction):
            self._give_up(connection)
        elif transaction:
            self.transaction = True
            self.start(self._tidy(slots))
            return
        slots.release()

    async def replace(self, connection: Any) -> bool:
        if self.values:
            self._give_up(connection)
        return self.values is not None

    async def stop_preparing(self, connection: Any) -> bool:
        self.cached = False
        return await self.replace(connection)

    def _give_up(self, connection: Any) -> None:
        if connection is self.connection:
            self.connection = None
        self.drop(connection)

    async def close(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with contextlib.suppress(TimeoutError):  # It is cut then.
                await connection.close(timeout=LAST_MOMENT)

    def cut(self) -> None:
        if self.values and self.connection is not None:
            connection, self.connection = self.connection, None
            with contextlib.suppress(RuntimeError):  # The event loop is closed.
                connection.terminate()

    async def _tidy(self, slots: asyncio.Semaphore) -> None:
        """Roll back what was left half done, as soon as the server lets us."""
        try:
            with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._roll_back()
        finally:
            slots.release()

    async def _roll_back(self) -> None:
        await self.connection.execute("ROLLBACK")
        self.transaction = False
