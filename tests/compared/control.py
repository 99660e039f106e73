"""Persistry's own persisters for Burr behind the same adapter: what it does must cost no case."""

from __future__ import annotations

from typing import Any

from persistry.burr import AsyncSQLitePersister as OwnAsync
from persistry.burr import SQLitePersister as OwnSync

from .adapter import Async, Sync
from .persisters import FILE, AsyncSQLite, Compared, SQLite


class SyncBehind(Sync):
    burr = OwnSync

    @staticmethod
    def closed(inner: Any) -> Any:
        inner.cleanup()


class AsyncBehind(Async):
    burr = OwnAsync

    @staticmethod
    async def closed(inner: Any) -> Any:
        await inner.cleanup()


class SyncStore(SQLite):
    kind = SyncBehind


class AsyncStore(AsyncSQLite):
    kind = AsyncBehind


sync = Compared("sync", "SQLite", SyncStore, FILE, __name__)
aio = Compared("aio", "aiosqlite", AsyncStore, FILE, __name__)
