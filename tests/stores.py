"""Where the matrix runs in this repository: fresh storage for each test, on real servers.

A pytest plugin. Redis is started once for the run; with PERSISTRY_TEST_REDIS_URL the given server
is used instead, each test in a namespace of its own. The keys of these namespaces are removed in
the end; nothing else on that server is touched.
"""

from __future__ import annotations

import functools
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiosqlite
import pytest
import redis
import redis.asyncio
from redis.connection import parse_url

import persistry
from persistry._runtime.awaitable import Opening
from persistry.conformance.support.column import Column, Store
from tests.servers import LOOPBACK, RedisServer, ServerFailed, ServerMissing


class Storage:
    """What all stores have; a context manager that removes what the test started."""

    address: tuple[str, int] | None = None

    def __init__(self, column: Column) -> None:
        self.column = column
        self.persister = getattr(persistry, column.name)
        self.started = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.started.close()


# In memory


class MemoryStore(Storage):
    """Persisters that share one memory, as copies do; unlike copies, each has its own options."""

    memory: Any = None

    def open(self, **options: Any) -> Any:
        persister = self.persister(**options)
        if self.memory is None:
            self.memory = persister._memory
        persister._memory = self.memory
        return persister


class AsyncMemoryStore(MemoryStore):
    def open(self, **options: Any) -> Any:
        async def opened() -> Any:
            return MemoryStore.open(self, **options)

        return Opening(opened)


# SQLite


class SQLiteStore(Storage):
    def __init__(self, column: Column, directory: Path) -> None:
        super().__init__(column)
        self.path = str(directory / "persistry.db")

    def open(self, **options: Any) -> Any:
        return self.persister.from_values(self.path, **options)

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

    def disconnect(self, connection: Any) -> Any:
        connection.close()


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


# Redis


@dataclass(frozen=True)
class RedisPlace:
    """Where a Redis server is, in the words of redis-py and of `from_values`."""

    host: str
    port: int
    db: int = 0
    username: str | None = None
    password: str | None = None

    @classmethod
    def from_url(cls, url: str) -> RedisPlace:
        parts: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
        return cls(**{"host": "localhost", "port": 6379, **parts})

    def client(self) -> redis.Redis:
        return redis.Redis(**vars(self))


class RedisClient(redis.Redis):
    """A client that knows whether it was closed: redis-py itself connects anew when used again."""

    was_closed = False

    def close(self) -> None:
        self.was_closed = True
        super().close()


class AsyncRedisClient(redis.asyncio.Redis):
    was_closed = False

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        self.was_closed = True
        await super().aclose(close_connection_pool)


class RedisStore(Storage):
    def __init__(self, column: Column, place: RedisPlace, namespace: str, skip: bool) -> None:
        super().__init__(column)
        self.place = place
        self.address = (place.host, place.port)
        self.namespace = namespace
        self.skip = skip

    def open(self, **options: Any) -> Any:
        return self._open(self.place.host, self.place.port, options)

    def open_through(self, port: int, **options: Any) -> Any:
        return self._open(LOOPBACK, port, options)

    def _open(self, host: str, port: int, options: dict[str, Any]) -> Any:
        options = {"password": self.place.password, "namespace": self.namespace, **options}
        if self.place.username is not None:
            more = options.get("redis_client_kwargs") or {}
            options["redis_client_kwargs"] = {"username": self.place.username, **more}
        return self.persister.from_values(host, port, self.place.db, **options)

    def connect(self) -> Any:
        return RedisClient(**vars(self.place))

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(connection, **{"namespace": self.namespace, **options})

    def is_usable(self, connection: Any) -> Any:
        with suppress(redis.RedisError):
            return not connection.was_closed and connection.ping()
        return False

    def disconnect(self, connection: Any) -> Any:
        connection.close()

    @functools.cache  # noqa: B019 - a store lives as long as its test
    def server(self) -> PrivateRedis:
        try:
            server = self.started.enter_context(RedisServer())
        except ServerMissing as error:  # the matrix may run on a server that was given
            if self.skip:
                pytest.skip(str(error))
            pytest.fail(str(error), pytrace=False)
        return PrivateRedis(server, type(self)(self.column, RedisPlace(*server.address), "", True))


class AsyncRedisStore(RedisStore):
    async def connect(self) -> Any:
        return AsyncRedisClient(**vars(self.place))

    async def is_usable(self, connection: Any) -> Any:
        with suppress(redis.RedisError):
            return not connection.was_closed and await connection.ping()
        return False

    async def disconnect(self, connection: Any) -> Any:
        await connection.aclose()


class PrivateRedis:
    """A server that one test may break, with the store that stands on it."""

    def __init__(self, server: RedisServer, store: RedisStore) -> None:
        self.address = server.address
        self.kill, self.restart = server.kill, server.restart
        self.pause, self.resume = server.pause, server.resume
        self.open, self.connect = store.open, store.connect


# What lives as long as the run


class Services:
    """The servers of one run, each started by the first column that needs it."""

    def __init__(self) -> None:
        self.running = ExitStack()
        self.namespace = f"persistry-test-{secrets.token_hex(6)}"

    @functools.cached_property
    def redis(self) -> RedisPlace:
        url = os.environ.get("PERSISTRY_TEST_REDIS_URL")
        if not url:
            return RedisPlace(*self.running.enter_context(RedisServer()).address)
        place = RedisPlace.from_url(url)
        try:
            with place.client() as client:
                client.ping()
        except redis.RedisError as error:
            raise ServerFailed(f"the server of PERSISTRY_TEST_REDIS_URL: {error}") from error
        self.running.callback(self._remove_keys, place)
        return place

    def _remove_keys(self, place: RedisPlace) -> None:
        with place.client() as client:
            for key in client.scan_iter(match=f"*{self.namespace}*", count=1000):
                client.unlink(key)

    def new_namespace(self) -> str:
        return f"{self.namespace}-{secrets.token_hex(6)}"


_services = pytest.StashKey[Services]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_services] = Services()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_services].running.close()


# Which server a column needs before its first test; the others need none.
NEEDS: dict[str, Callable[[Services], object]] = {
    "RedisBasePersister": lambda services: services.redis,
    "AsyncRedisBasePersister": lambda services: services.redis,
}


def pytest_persistry_prepare(config: pytest.Config, column: Column) -> str | None:
    try:
        if column.name in NEEDS:
            NEEDS[column.name](config.stash[_services])
    except ServerMissing as error:
        return str(error)
    except ServerFailed as error:  # it is there, so it is no reason to skip anything
        raise pytest.UsageError(str(error)) from error
    return None


@pytest.fixture
def make_store(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[Column], AbstractContextManager[Store]]:
    """Fresh storage for a column: a context manager."""
    services = request.config.stash[_services]
    skip = request.config.getoption("skip_missing")

    def new_directory() -> Path:
        return Path(tempfile.mkdtemp(dir=tmp_path))

    def on_redis(kind: type[RedisStore], column: Column) -> RedisStore:
        return kind(column, services.redis, services.new_namespace(), skip)

    kinds: dict[str, Callable[[Column], Any]] = {
        "InMemoryPersister": MemoryStore,
        "AsyncInMemoryPersister": AsyncMemoryStore,
        "SQLitePersister": lambda column: SQLiteStore(column, new_directory()),
        "AsyncSQLitePersister": lambda column: AsyncSQLiteStore(column, new_directory()),
        "RedisBasePersister": functools.partial(on_redis, RedisStore),
        "AsyncRedisBasePersister": functools.partial(on_redis, AsyncRedisStore),
    }
    return lambda column: kinds[column.name](column)


@pytest.fixture(scope="session")
def redis_place(request: pytest.FixtureRequest) -> RedisPlace:
    """The run's Redis server, for tests of its own beside the matrix."""
    try:
        return request.config.stash[_services].redis
    except ServerMissing as error:
        if request.config.getoption("skip_missing"):
            pytest.skip(str(error))
        pytest.fail(str(error), pytrace=False)
