"""The seven persisters that Burr 0.43 has, each with a factory for `persistry.conformance`.

Their set-up is the one that Burr's documentation shows. asyncpg has two: a single connection, and
the pool that is recommended where several tasks share the persister.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import SkipTest

import asyncpg

from persistry.conformance.support.column import Column
from tests.burr.classes import CLASSES
from tests.stores.mongodb import MongoStore
from tests.stores.postgresql import AsyncPostgreSQLStore, PostgreSQLStore
from tests.stores.redis import AsyncRedisStore, RedisStore
from tests.stores.served import Place, ServedStore
from tests.stores.sqlite import AsyncSQLiteStore, SQLiteStore

from .adapter import Async, Sync
from .offered import NOT_OFFERED
from .parcel import Parcel

ENDED = "ended its process: "


def case_of(test: str) -> str:
    """The case of a test, by the name that pytest gives it."""
    found = re.search(r"::test_(\w+)", test)
    return found[1] if found else ""


class SQLitePersister(Sync):
    burr = CLASSES["sqlite3"]

    @staticmethod
    def closed(inner: Any) -> Any:
        inner.connection.close()


class AsyncSQLitePersister(Async):
    burr = CLASSES["aiosqlite"]

    @staticmethod
    async def closed(inner: Any) -> Any:
        await inner.connection.close()


class PostgreSQLPersister(Sync):
    burr = CLASSES["psycopg2"]

    @staticmethod
    def closed(inner: Any) -> Any:
        inner.connection.close()


class AsyncPostgreSQLPersister(Async):
    burr = CLASSES["asyncpg"]

    @staticmethod
    async def closed(inner: Any) -> Any:
        (inner.pool or inner.connection).terminate()


class RedisBasePersister(Sync):
    burr = CLASSES["redis"]

    @staticmethod
    def closed(inner: Any) -> Any:
        inner.connection.close()


class AsyncRedisBasePersister(Async):
    burr = CLASSES["redis.asyncio"]

    @staticmethod
    async def closed(inner: Any) -> Any:
        await inner.connection.aclose()


class MongoDBBasePersister(Sync):
    burr = CLASSES["pymongo"]

    @staticmethod
    def closed(inner: Any) -> Any:
        inner.client.close()


class Opens:
    """Stands where the stores of our own tests have one of our classes."""

    def __init__(self, kind: Any) -> None:
        self.from_values, self.kind = kind.from_values, kind

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.kind.over(*args, **options)


class OnBurr:
    """A store of our own tests that opens Burr's persisters, here and in other processes."""

    kind: Any

    def __init__(self, column: Column, *place: Any) -> None:
        super().__init__(column, *place)
        self.persister: Any = Opens(self.kind)

    def parcel(self, persister: Any) -> Parcel:
        """What another process gets: not all of Burr's persisters can be pickled."""
        mine, self.persister = self.persister, Notes()
        try:
            arguments, options = self.open()  # type: ignore[attr-defined]
        finally:
            self.persister = mine
        burr = self.kind.burr
        colour = issubclass(self.kind, Async)
        return Parcel(burr.__module__, burr.__name__, colour, arguments, options)


class Notes:
    """In place of a class: gives back what `from_values` is called with."""

    def from_values(self, *args: Any, burr: Any = None, **options: Any) -> Any:
        return args, options


class SQLite(OnBurr, SQLiteStore):
    kind = SQLitePersister

    def open(self, **options: Any) -> Any:
        # As Burr documents it for several threads.
        return super().open(connect_kwargs={"check_same_thread": False}, **options)


class AsyncSQLite(OnBurr, AsyncSQLiteStore):
    kind = AsyncSQLitePersister


class Psycopg2(OnBurr, PostgreSQLStore):
    kind = PostgreSQLPersister


class Asyncpg(OnBurr, AsyncPostgreSQLStore):
    kind = AsyncPostgreSQLPersister


def bare(kind: type[Any]) -> Any:
    """An object of this class, before it is given what a pickle holds of it."""
    return kind.__new__(kind)


def as_burrs(persister: Any) -> Any:
    """Pickle it as if Burr's own class had made it."""
    return bare, (CLASSES["asyncpg"],), persister.__dict__


class AsyncpgPool(Asyncpg):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.classes: dict[tuple[str, int], Any] = {}

    def open_at(self, host: str, port: int, **options: Any) -> Any:
        # Burr keeps one pool for its class, whatever is asked for: that of the first test would
        # serve all others. With a class for each test and server, each has the pool it asked for.
        if (host, port) not in self.classes:
            self.classes[host, port] = type(
                "OfOneServer", (CLASSES["asyncpg"],), {"__reduce__": as_burrs}
            )
        burr = self.classes[host, port]
        return super().open_at(host, port, burr=burr, use_pool=True, **options)

    async def connect(self) -> Any:
        return await asyncpg.create_pool(self.place.url)

    def over(self, connection: Any, **options: Any) -> Any:
        return self.kind.over(pool=connection, table_name=self.name, **options)

    async def disconnect(self, connection: Any) -> Any:
        connection.terminate()


class Redis(OnBurr, RedisStore):
    kind = RedisBasePersister


class AsyncRedis(OnBurr, AsyncRedisStore):
    kind = AsyncRedisBasePersister


class MongoDB(OnBurr, MongoStore):
    kind = MongoDBBasePersister


def note_case() -> None:
    """Write down which case begins; one that ended the process before is left out."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "")
    journal = os.environ.get("COMPARED_JOURNAL", "")
    if journal and test.endswith("(setup)"):
        with open(journal, "r+", encoding="utf-8") as file:
            ended = {line.removeprefix(ENDED).strip() for line in file if line.startswith(ENDED)}
            case = case_of(test)
            if case in ended:
                raise SkipTest(ENDED)
            file.write(f"{case}\n")


@functools.cache
def place_of(kind: type[Place]) -> Place:
    url = os.environ.get(kind.variable)
    if url is None:
        raise RuntimeError(f"{kind.variable} is not set; python -m tests.compared sets it")
    return kind(url)


@dataclass(frozen=True)
class Compared:
    """A factory: the storage of one case, with a persister of Burr's on it."""

    name: str
    title: str
    store: Any
    traits: frozenset[str]
    module: str = __name__

    @property
    def gaps(self) -> Mapping[str, str]:
        """What Burr's interface does not have."""
        return NOT_OFFERED

    @property
    def address(self) -> str:
        return f"{self.module}:{self.name}"

    def __call__(self, directory: Path) -> Any:
        note_case()
        # The stores of our tests look up a class of ours; `OnBurr` puts Burr's in its place.
        column = Column("InMemoryPersister", "sync", self.name)
        if issubclass(self.store, ServedStore):
            made = self.store(column, place_of(self.store.place_type), "compared", False)
            made.name = "t_" + hashlib.sha256(str(directory).encode()).hexdigest()[:16]
        else:
            made = self.store(column, directory)
        return made


FILE = frozenset({"durable", "initialize", "connection", "table"})
SQL = FILE | {"network"}
OTHERS = frozenset({"durable", "connection", "network"})

sqlite = Compared("sqlite", "SQLite", SQLite, FILE)
aiosqlite = Compared("aiosqlite", "aiosqlite", AsyncSQLite, FILE)
psycopg2 = Compared("psycopg2", "psycopg2", Psycopg2, SQL)
asyncpg_connection = Compared("asyncpg_connection", "asyncpg", Asyncpg, SQL)
asyncpg_pool = Compared("asyncpg_pool", "asyncpg, pool", AsyncpgPool, SQL)
redis = Compared("redis", "Redis", Redis, OTHERS)
aredis = Compared("aredis", "Redis, async", AsyncRedis, OTHERS)
mongodb = Compared("mongodb", "MongoDB", MongoDB, OTHERS)

ALL = [sqlite, aiosqlite, psycopg2, asyncpg_connection, asyncpg_pool, redis, aredis, mongodb]
