"""SQLite: a file in the test's own directory."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite

from persistry.conformance.support.column import Column
from tests.burr_sqlite import Burr

from .storage import FileStorage


class SQLiteStore(FileStorage):
    def connect(self) -> Any:
        # As it must be for a connection that several threads share through a persister.
        return sqlite3.connect(self.path, check_same_thread=False)

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(self.path, connection=connection, **options)

    def is_usable(self, connection: Any) -> Any:
        try:
            return connection.execute("SELECT 1").fetchone() == (1,)
        except sqlite3.ProgrammingError:
            return False


class AsyncSQLiteStore(SQLiteStore):
    def connect(self) -> Any:
        return aiosqlite.connect(self.path)

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(connection, **options)

    async def is_usable(self, connection: Any) -> Any:
        try:
            async with connection.execute("SELECT 1") as cursor:
                return await cursor.fetchone() == (1,)
        except (ValueError, sqlite3.ProgrammingError):  # how aiosqlite says that it is closed
            return False

    async def disconnect(self, connection: Any) -> Any:
        await connection.close()


class Adopted(FileStorage):
    """A file with a table as Apache Burr makes it, still empty: `initialize()` adopts it."""

    def __init__(self, column: Column, directory: Path) -> None:
        super().__init__(column, directory)
        Burr(self.path).initialize()


class AdoptedStore(Adopted, SQLiteStore): ...


class AsyncAdoptedStore(Adopted, AsyncSQLiteStore): ...


STORES = {
    "SQLitePersister": SQLiteStore,
    "SQLitePersister-adopted": AdoptedStore,
    "AsyncSQLitePersister": AsyncSQLiteStore,
    "AsyncSQLitePersister-adopted": AsyncAdoptedStore,
}
