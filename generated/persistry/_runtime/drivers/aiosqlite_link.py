"""An aiosqlite connection, opened when it is first needed, and whose turn it is to use it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable
from typing import TypeVar

import aiosqlite

from ...errors import PersisterError
from ..limits import Limits
from . import sqlite_forks
from .aiosqlite_calls import close_aside, connect, rows
from .sqlite_shared import SharedLink, of_the_parent
from .sqlite_values import SqliteValues, lock_wait

T = TypeVar("T")

# What aiosqlite says, as a ValueError, of a connection that is closed or was never opened.
_NOT_OPEN = ("no active connection", "Connection closed")

# How long a cancelled task, or an event loop that closes, waits for the connection's thread, in
# seconds. The thread would end if it could not deliver its answer.
_LAST_MOMENT = 1.0


class Link(SharedLink[aiosqlite.Connection]):
    """One connection for one session, or for the copies that have to share it.

    Whoever has the turn may call `ready`, `run` and `leave`, and gives the turn back by `done`.

    A statement that was sent to the connection's thread runs to its end there, whatever becomes of
    the task that waits for it. So a cancelled task does not give the turn back itself: a tidying
    task does it, once the thread has got to a rollback.
    """

    def __init__(
        self, values: SqliteValues | None, connection: aiosqlite.Connection | None
    ) -> None:
        super().__init__(values, connection)
        self._running = False
        self._turn = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tidying: set[asyncio.Task[None]] = set()
        self._inner: sqlite3.Connection | None = None
        self._left: list[aiosqlite.Connection] = []
        sqlite_forks.watch(self)

    async def leave(self) -> None:
        """One session less; the last one closes what was opened here, or gives it back."""
        last = self.left_by_all()
        connection, prepared = self.connection, self._prepared
        if not last or connection is None or not prepared:
            return
        self._prepared = False
        if self.values:
            self.connection = None
            await connection.close()
        else:
            with contextlib.suppress(sqlite3.Error, ValueError):  # Its owner may have closed it.
                await connection.execute(f"PRAGMA busy_timeout = {self._wait_before}")

    @property
    def is_here(self) -> bool:
        """Whether the running event loop is the one that has it."""
        return self._loop is not None and self._loop is asyncio._get_running_loop()

    def turn(self) -> asyncio.Lock:
        """The lock to take first. An asyncio.Lock belongs to one event loop; we may outlive it."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._come_to(loop)
        return self._turn

    def _come_to(self, loop: asyncio.AbstractEventLoop) -> None:
        with sqlite_forks.whole:
            if self._loop is not None and self._loop.is_running():
                raise PersisterError(
                    "this persister is being used in another event loop, which is still running; "
                    + ("build another one here" if self.shared else "give each loop a copy()")
                )
            if self._running and not self.shared and self.connection:
                # The loop ended in the middle of a statement, and a thread that cannot deliver its
                # answer ends, too: take another connection.
                close_aside(self.connection)
                self.connection, self._prepared, self._running = None, False, False
            self._loop, self._turn = loop, asyncio.Lock()

    def before_fork(self, seconds: float) -> None:
        """There is no waiting for a turn here: it may be this thread's loop that has to give it."""
        if self.inherited:
            return
        connection, inner = self.connection, self._inner
        self._midway = self._running or self._turn.locked()
        if self._midway or self.shared or connection is None or inner is None:
            return
        # A loop in another thread takes the turn first and looks for the connection then.
        self.connection, self._prepared = None, False
        if self._turn.locked():
            self._midway = True
            if self.connection is None:
                self.connection, self._prepared = connection, True
        else:
            self._inner = None
            self._left.append(connection)
            with contextlib.suppress(sqlite3.Error):
                inner.close()

    def after_fork(self) -> None:
        if self.inherited:
            if self.connection or self._left:
                of_the_parent.append(self)
            return
        while self._left:
            close_aside(self._left.pop())

    async def ready(self, limits: Limits) -> aiosqlite.Connection:
        """The connection, with no transaction open."""
        await self._leave_lost_file()
        connection = self.connection
        if connection is None:
            assert self.values is not None
            connection, self._inner, self.wait = await connect(self.values, limits)
            self.connection, self._prepared = connection, True
            self._file = self.values.file()
        elif not self._prepared:
            await self._take_over(connection, limits)
        elif self._running:
            # Another event loop ended in the middle of an operation.
            with contextlib.suppress(sqlite3.OperationalError):
                await self.run(connection.execute("ROLLBACK"))
        elif self.in_transaction(connection):
            await self.run(connection.execute("COMMIT"))
        return connection

    async def _leave_lost_file(self) -> None:
        """Close a connection whose file was deleted or replaced: SQLite would save on to it."""
        connection, values = self.connection, self.values
        if connection and values and self._file and self._file != values.file():
            self.connection, self._prepared = None, False
            await connection.close()

    async def run(self, statement: Awaitable[T]) -> T:
        """Wait for the connection's thread to run something."""
        self._running = True
        try:
            result = await statement
        except asyncio.CancelledError:
            raise  # It is still running.
        except BaseException as exc:
            self._running = False
            if isinstance(exc, ValueError) and str(exc) in _NOT_OPEN:
                raise sqlite3.ProgrammingError("Cannot operate on a closed database.") from exc
            raise
        self._running = False
        return result

    async def done(self, turn: asyncio.Lock, *, failed: bool, hurry: bool) -> bool:
        """Give the turn on, with no transaction left but the one that the owner's mode asks for.

        Says whether a statement was running that nobody waits for any more. Its end is waited for
        a moment, unless there is a hurry.
        """
        running, connection = self._running, self.connection
        if connection is None or not (
            running or self._always_in_transaction or (failed and self.in_transaction(connection))
        ):
            turn.release()
            return False
        tidying = asyncio.get_running_loop().create_task(self._tidy(connection, turn))
        self._tidying.add(tidying)
        tidying.add_done_callback(self._tidying.discard)
        if not hurry:
            await asyncio.wait([tidying], timeout=_LAST_MOMENT)
        return running

    async def _tidy(self, connection: aiosqlite.Connection, turn: asyncio.Lock) -> None:
        try:
            await self._roll_back(connection)
        except asyncio.CancelledError:
            # The event loop is about to close.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_MOMENT):
                    await self._roll_back(connection)
        finally:
            turn.release()

    async def _roll_back(self, connection: aiosqlite.Connection) -> None:
        # It fails if nothing is open; either way the thread has ended what came before.
        with contextlib.suppress(sqlite3.Error, ValueError):
            await connection.execute("ROLLBACK")
        if self._always_in_transaction:
            with contextlib.suppress(sqlite3.Error, ValueError):
                await connection.execute("BEGIN")
        self._running = False

    async def _take_over(self, connection: aiosqlite.Connection, limits: Limits) -> None:
        """Prepare a connection that was handed in: it is ours alone as long as we live."""
        self.wait = lock_wait(limits)
        ((self._wait_before,),) = await self.run(rows(connection, "PRAGMA busy_timeout"))
        await self.run(connection.execute(f"PRAGMA busy_timeout = {self.wait}"))
        if connection.in_transaction:
            await self.run(connection.execute("COMMIT"))
            try:
                await self.run(connection.commit())
            except sqlite3.OperationalError:
                # Only `autocommit=False` (Python 3.12) misses its transaction here. It gets one
                # back after each operation; during one it would keep others waiting.
                self._always_in_transaction = True
        self._prepared = True

    @staticmethod
    def in_transaction(connection: aiosqlite.Connection) -> bool:
        """Whether a transaction is open; in a connection that was closed there is none."""
        try:
            return connection.in_transaction
        except (ValueError, sqlite3.Error):
            return False
