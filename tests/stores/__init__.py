"""Where the matrix runs in this repository: fresh storage for each test, on real servers.

A pytest plugin. A server is started once for the run, by the first column that needs it; one whose
URL is given is used instead (docs/testing.md). What the tests stored there is removed in the end,
known by the run's name in its own; nothing else on that server is touched.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column, Store
from persistry.conformance.support.plugin import Dispensable
from tests.servers import ServerFailed, ServerMissing

from .mariadb import AsyncMariaDBStore, MariaDBPlace, MariaDBStore
from .memory import AsyncMemoryStore, MemoryStore
from .mongodb import AsyncMongoStore, MongoPlace, MongoStore
from .postgresql import (
    AsyncPostgreSQLStore,
    AsyncPsycopgStore,
    PostgreSQLPlace,
    PostgreSQLStore,
    PsycopgStore,
)
from .redis import AsyncRedisStore, RedisPlace, RedisStore
from .served import AnyPlace, Place, ServedStore, missing
from .sqlite import AsyncSQLiteStore, SQLiteStore

# The store of each column.
IN_MEMORY = {"InMemoryPersister": MemoryStore, "AsyncInMemoryPersister": AsyncMemoryStore}
IN_A_FILE = {"SQLitePersister": SQLiteStore, "AsyncSQLitePersister": AsyncSQLiteStore}
SERVED: dict[str, tuple[type[ServedStore[Any]], type[Place]]] = {
    "RedisBasePersister": (RedisStore, RedisPlace),
    "AsyncRedisBasePersister": (AsyncRedisStore, RedisPlace),
    "PostgreSQLPersister": (PostgreSQLStore, PostgreSQLPlace),
    "AsyncPostgreSQLPersister": (AsyncPostgreSQLStore, PostgreSQLPlace),
    "MariaDBPersister": (MariaDBStore, MariaDBPlace),
    "AsyncMariaDBPersister": (AsyncMariaDBStore, MariaDBPlace),
    "b_psycopg.PostgreSQLPersister": (PsycopgStore, PostgreSQLPlace),
    "b_psycopg.AsyncPostgreSQLPersister": (AsyncPsycopgStore, PostgreSQLPlace),
    "MongoDBBasePersister": (MongoStore, MongoPlace),
    "AsyncMongoDBBasePersister": (AsyncMongoStore, MongoPlace),
}


class Services:
    """The servers of one run."""

    def __init__(self) -> None:
        self.running = ExitStack()
        self.name = f"persistry_test_{secrets.token_hex(4)}"
        self.places: dict[type[Place], Place] = {}

    def place(self, kind: type[AnyPlace]) -> AnyPlace:
        """The server that was given or has been started; else it is started now."""
        if kind not in self.places:
            self.places[kind] = self._found(kind)
        return self.places[kind]  # type: ignore[return-value]

    def _found(self, kind: type[Place]) -> Place:
        url = os.environ.get(kind.variable)
        if url:
            place = kind(url)
            if problem := place.problem():
                raise ServerFailed(f"the server of {kind.variable}: {problem}")
            self.running.callback(place.close)
            self.running.callback(place.remove, self.name)
        else:
            place = kind.on(self.running.enter_context(kind.server()))
            self.running.callback(place.close)
        return place


_services = pytest.StashKey[Services]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_services] = Services()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_services].running.close()


def pytest_persistry_prepare(config: pytest.Config, column: Column) -> str | None:
    try:
        if column.name in SERVED:
            config.stash[_services].place(SERVED[column.name][1])
    except ServerMissing as error:
        return Dispensable(error) if error.dispensable else str(error)
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

    def make(column: Column) -> Any:
        if column.name in IN_MEMORY:
            return IN_MEMORY[column.name](column)
        if column.name in IN_A_FILE:
            return IN_A_FILE[column.name](column, Path(tempfile.mkdtemp(dir=tmp_path)))
        kind, place = SERVED[column.name]
        return kind(column, services.place(place), services.name, skip)

    return make


@pytest.fixture(scope="session")
def at_hand() -> list[Column]:
    """The columns, but for those whose server is not here and need not be."""
    return [it for it in COLUMNS if it.name not in SERVED or not SERVED[it.name][1].is_lacking()]


def _place(request: pytest.FixtureRequest, kind: type[AnyPlace]) -> AnyPlace:
    try:
        return request.config.stash[_services].place(kind)
    except ServerMissing as error:
        return missing(error, skip=request.config.getoption("skip_missing"))


# The run's servers, for tests of their own beside the matrix.


@pytest.fixture(scope="session")
def redis_place(request: pytest.FixtureRequest) -> RedisPlace:
    return _place(request, RedisPlace)


@pytest.fixture(scope="session")
def postgresql_place(request: pytest.FixtureRequest) -> PostgreSQLPlace:
    return _place(request, PostgreSQLPlace)


@pytest.fixture(scope="session")
def mongodb_place(request: pytest.FixtureRequest) -> MongoPlace:
    return _place(request, MongoPlace)


@pytest.fixture(scope="session")
def mariadb_place(request: pytest.FixtureRequest) -> MariaDBPlace:
    return _place(request, MariaDBPlace)
