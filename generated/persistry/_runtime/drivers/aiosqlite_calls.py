"""What aiosqlite does not do itself: opening safely, and rows that are tuples."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import traceback
from collections.abc import Iterable, Sequence
from typing import Any, cast

import aiosqlite

from ..limits import Limits
from .sqlite_values import SqliteValues, open_connection

# How long an abandoned connection may take to close, in seconds; its thread may be gone.
_CLOSING = 5.0


# A connection, the one inside it, and how long it waits for locks, in milliseconds.
Opened = tuple[aiosqlite.Connection, sqlite3.Connection, int]


async def connect(values: SqliteValues, limits: Limits) -> Opened:
    """A new connection.

    It is opened in a thread of ours, which may fail, be given up or outlive the event loop without
    a trace. That thread is a daemon, and so is the one that aiosqlite makes in it for the
    connection: it lets the interpreter exit.
    """
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[Opened] = loop.create_future()

    def deliver(result: Opened) -> None:
        if opened.done():
            close_aside(result[0])
        else:
            opened.set_result(result)

    def fail(exc: Exception) -> None:
        if not opened.done():
            opened.set_exception(exc)

    def work() -> None:
        # A loop that is closed by now refuses: nobody waits any more.
        try:
            result = asyncio.run(_opened(values, limits))
        except Exception as exc:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(fail, exc)
            return
        try:
            loop.call_soon_threadsafe(deliver, result)
        except RuntimeError:
            close_aside(result[0])

    threading.Thread(target=work, daemon=True).start()
    return await opened


async def _opened(values: SqliteValues, limits: Limits) -> Opened:
    inner, wait = open_connection(values, limits)
    return await aiosqlite.Connection(lambda: inner, iter_chunk_size=64), inner, wait


def close_aside(connection: aiosqlite.Connection) -> None:
    """Close a connection that nobody uses any more, without waiting for it."""

    async def close() -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(connection.close(), _CLOSING)

    threading.Thread(target=lambda: asyncio.run(close()), daemon=True).start()


async def rows(
    connection: aiosqlite.Connection, sql: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows, as tuples whatever the connection's row_factory is."""
    found: Iterable[Any]
    if connection.row_factory is None:
        try:
            found = await connection.execute_fetchall(sql, parameters)
        except sqlite3.Error as exc:
            # The cursor of an unfinished query keeps a read lock, and the frame that the exception
            # came from keeps the cursor.
            traceback.clear_frames(exc.__traceback__)
            raise
    else:
        cursor = await connection.execute(sql, parameters)
        cursor.row_factory = None
        try:
            found = await cursor.fetchall()
        finally:
            await cursor.close()
    return cast("list[tuple[Any, ...]]", found)
