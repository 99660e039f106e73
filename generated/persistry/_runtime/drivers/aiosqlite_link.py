"""An aiosqlite connection, opened when it is first needed, and whose turn it is to use it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, TypeVar, cast

import aiosqlite

from ...errors import PersisterError
from ..limits import Limits
from .sqlite_values import LOCK_SHARE, SqliteValues, naming

T = TypeVar("T")

# What aiosqlite says, as a ValueError, of a connection that is closed or was never opened.
_NOT_OPEN = ("no active connection", "Connection closed")

# Connections that a forked process got from its parent: closing them could disturb the parent's
# files, so they are kept.
_of_the_parent: list[Link] = []


class Link:
    """One connection for one session, or for the copies that have to share it.

    Whoever has the turn may call `ready`, `run` and `leave`, and gives the turn back by `done`.

    A statement that was sent to the connection's thread runs to its end there, whatever becomes of
    the task that waits for it. So a cancelled task does not give the turn back itself: a tidying
    task does it, once the thread has got to a rollback.
    """

    def __init__(
        self, values: SqliteValues | None, connection: aiosqlite.Connection | None
    ) -> None:
        self.values = values
        self.connection = connection
        self.wait = 0
        self._prepared = False
        self._always_in_transaction = False
        self._running = False
        self._turn = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tidying: set[asyncio.Task[None]] = set()
        self._sharers = 1
        self._counting = threading.Lock()
        self._pid = os.getpid()

    @property
    def shared(self) -> bool:
        """Whether copies of a session use this very connection."""
        return self.values is None or self.values.alone

    def joined(self) -> Link:
        """The link for a copy of a session."""
        if not self.shared:
            return Link(self.values, None)
        with self._counting:
            self._sharers += 1
        return self

    async def leave(self) -> None:
        """One session less; the last one closes what was opened here."""
        with self._counting:
            self._sharers -= 1
            last = self._sharers == 0
        if last and self.values and self.connection:
            connection, self.connection, self._prepared = self.connection, None, False
            await connection.close()

    @property
    def inherited(self) -> bool:
        """Whether this is a forked process: its parent's connection must not be used here."""
        return self._pid != os.getpid()

    def anew(self) -> Link:
        """The link to use in a forked process."""
        if self.shared:
            raise PersisterError(
                "this persister's connection belongs to the process that opened it;"
                " build another persister in this one"
            )
        _of_the_parent.append(self)
        return Link(self.values, None)

    def turn(self) -> asyncio.Lock:
        """The lock to take first. An asyncio.Lock belongs to one event loop; we may outlive it."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._running and not self.shared and self.connection:
                # The loop ended in the middle of a statement, and a thread that cannot deliver its
                # answer ends, too: take another connection.
                _stop(self.connection)
                self.connection, self._prepared, self._running = None, False, False
            self._loop, self._turn = loop, asyncio.Lock()
        return self._turn

    async def ready(self, limits: Limits) -> aiosqlite.Connection:
        """The connection, with no transaction open."""
        connection = self.connection
        if connection is None:
            connection = await self._open(limits)
        elif not self._prepared:
            await self._take_over(connection, limits)
        elif self._running:
            # Another event loop ended in the middle of an operation.
            with contextlib.suppress(sqlite3.OperationalError):
                await self.run(connection.execute("ROLLBACK"))
        elif self._in_transaction(connection):
            await self.run(connection.execute("COMMIT"))
        return connection

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

    async def done(self, turn: asyncio.Lock, failed: bool) -> bool:
        """Give the turn on, with no transaction left but the one that the owner's mode asks for.

        Says whether a statement was still running: then this does not wait for it.
        """
        running, connection = self._running, self.connection
        if connection is None or not (
            running or self._always_in_transaction or (failed and self._in_transaction(connection))
        ):
            turn.release()
            return False
        tidying = asyncio.get_running_loop().create_task(self._tidy(connection, turn))
        self._tidying.add(tidying)
        tidying.add_done_callback(self._tidying.discard)
        if not running:
            await asyncio.shield(tidying)
        return running

    async def _tidy(self, connection: aiosqlite.Connection, turn: asyncio.Lock) -> None:
        try:
            # It fails if nothing is open; either way the thread has ended what came before.
            with contextlib.suppress(sqlite3.Error, ValueError):
                await connection.execute("ROLLBACK")
            if self._always_in_transaction:
                with contextlib.suppress(sqlite3.Error, ValueError):
                    await connection.execute("BEGIN")
            self._running = False
        finally:
            turn.release()

    async def _open(self, limits: Limits) -> aiosqlite.Connection:
        assert self.values is not None
        connector = _connector(self.values, limits)
        with naming(self.values.db_path, sqlite3.OperationalError):
            connection = await connector
        try:
            for statement in self.values.on_open:
                await connection.execute(statement)
            ((self.wait,),) = await rows(connection, "PRAGMA busy_timeout")
        except BaseException:
            _stop(connection)
            raise
        self.connection, self._prepared = connection, True
        return connection

    async def _take_over(self, connection: aiosqlite.Connection, limits: Limits) -> None:
        """Prepare a connection that was handed in: it is ours alone as long as we live."""
        self.wait = int(LOCK_SHARE * limits.operation * 1000)
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
    def _in_transaction(connection: aiosqlite.Connection) -> bool:
        try:
            return connection.in_transaction
        except (ValueError, sqlite3.Error):
            return False


def _connector(values: SqliteValues, limits: Limits) -> aiosqlite.Connection:
    """A connection that is not open yet, and whose thread lets the interpreter exit.

    A thread is a daemon if the one that made it is, and aiosqlite makes its own here.
    """
    made: list[aiosqlite.Connection] = []

    def make() -> None:
        made.append(aiosqlite.connect(values.db_path, **values.arguments(limits)))

    maker = threading.Thread(target=make, daemon=True)
    maker.start()
    maker.join()
    return made[0]


def _stop(connection: aiosqlite.Connection) -> None:
    """Close it without waiting. aiosqlite 0.20 cannot; there the garbage collector does it."""
    stop = getattr(connection, "stop", None)
    if stop is not None:
        stop()


async def rows(
    connection: aiosqlite.Connection, sql: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows, as tuples whatever the connection's row_factory is."""
    found: Iterable[Any]
    if connection.row_factory is None:
        found = await connection.execute_fetchall(sql, parameters)
    else:
        cursor = await connection.execute(sql, parameters)
        cursor.row_factory = None
        found = await cursor.fetchall()
    return cast("list[tuple[Any, ...]]", found)
