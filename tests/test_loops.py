"""An asynchronous persister outlives event loops: each call of `asyncio.run` has one of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import redis.asyncio

from persistry import (
    AsyncInMemoryPersister,
    AsyncMongoDBBasePersister,
    AsyncPostgreSQLPersister,
    AsyncRedisBasePersister,
    AsyncSQLitePersister,
    State,
    b_psycopg,
)
from persistry.errors import PersisterError
from tests.redis_alone import server as server  # fixtures
from tests.servers import PostgreSQLServer
from tests.stores.mongodb import MongoPlace

# Where each loop can have a connection of its own, and where there is only the one.
APART = [
    "memory",
    "sqlite",
    "redis",
    "postgresql",
    "postgresql-pool",
    "postgresql-psycopg",
    "mongodb",
]
SHARED = ["sqlite-memory", "redis-client"]


@pytest.fixture(scope="module")
def postgresql(postgresql_place: object) -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


@pytest.fixture(params=APART + SHARED)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def persister(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A persister that was opened and initialized in a loop that is closed."""
    clients = []

    async def opened() -> Any:
        if kind == "memory":
            made: Any = await AsyncInMemoryPersister.from_values()
        elif kind == "mongodb":
            place: MongoPlace = request.getfixturevalue("mongodb_place")
            names = ("persistry_test_loops", secrets.token_hex(8))
            request.addfinalizer(lambda: place.client[names[0]].drop_collection(names[1]))
            made = await AsyncMongoDBBasePersister.from_values(place.url, *names)
        elif kind.startswith("redis"):
            host, port = request.getfixturevalue("server").address
            if kind == "redis-client":
                clients.append(redis.asyncio.Redis(host=host, port=port))
                made = AsyncRedisBasePersister(clients[0], namespace=str(tmp_path))
            else:
                made = await AsyncRedisBasePersister.from_values(
                    host, port, 0, namespace=str(tmp_path)
                )
        elif kind.startswith("postgresql"):
            host, port = request.getfixturevalue("postgresql").address
            where = ("postgres", "postgres", None, host, port, f"t {tmp_path.name}")
            if kind.endswith("psycopg"):
                made = await b_psycopg.AsyncPostgreSQLPersister.from_values(*where)
            else:
                made = await AsyncPostgreSQLPersister.from_values(
                    *where, use_pool=kind.endswith("pool")
                )
        else:
            path = str(tmp_path / "steps.db") if kind == "sqlite" else ":memory:"
            made = await AsyncSQLitePersister.from_values(path)
        await made.initialize()
        return made

    made = asyncio.run(opened())
    yield made

    asyncio.run(made.cleanup())
    for client in clients:
        client.connection_pool.reset()  # redis-py cannot close what a closed loop opened


async def steps(persister: Any, app_id: str, *numbers: int) -> None:
    """Save, load and list, several tasks at once."""

    async def step(number: int) -> None:
        await persister.save("p", app_id, number, "s", State({"n": number}), "completed")

    async with asyncio.TaskGroup() as tasks:
        for number in numbers:
            tasks.create_task(step(number))
    for number in numbers:
        assert (await persister.load("p", app_id, number))["state"]["n"] == number
    assert (await persister.load("p", app_id))["sequence_id"] == max(numbers)
    assert app_id in await persister.list_app_ids("p")


def test_one_loop_after_another(persister: Any) -> None:
    for number in range(0, 20, 4):
        asyncio.run(steps(persister, "app", number, number + 1, number + 2, number + 3))


def test_a_loop_after_one_that_failed(persister: Any) -> None:
    async def broken() -> None:
        await steps(persister, "app", 1)
        raise KeyError("somebody else's")

    async def left_behind() -> None:
        for number in range(2, 10):  # asyncio.run cancels them wherever they are
            state = State({"n": number})
            tasks.append(asyncio.ensure_future(persister.save("p", "app", number, "s", state, "x")))
        await asyncio.sleep(0)

    tasks: list[Any] = []
    with pytest.raises(KeyError):
        asyncio.run(broken())
    asyncio.run(left_behind())
    assert all(task.done() for task in tasks)
    asyncio.run(steps(persister, "app", 10, 11))


def test_a_copy_in_another_loop(persister: Any) -> None:
    asyncio.run(steps(persister, "app", 1))
    twin = persister.copy()
    asyncio.run(steps(twin, "twin", 1))
    asyncio.run(steps(persister, "app", 2))

    async def list_both() -> tuple[list[str], list[str]]:
        return await persister.list_app_ids("p"), await twin.list_app_ids("p")

    assert asyncio.run(list_both()) == (["app", "twin"], ["app", "twin"])
    asyncio.run(twin.cleanup())
    asyncio.run(steps(persister, "app", 3))


@pytest.mark.parametrize("kind", APART, indirect=True)
def test_two_threads_with_a_copy_each(persister: Any) -> None:
    start = Barrier(2, timeout=10)

    def work(app_id: str) -> None:
        twin = persister.copy()
        start.wait()
        for number in range(0, 20, 2):
            asyncio.run(steps(twin, app_id, number, number + 1))
        asyncio.run(twin.cleanup())

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work, app_id) for app_id in ("a", "b")]:
            done.result(timeout=30)
    asyncio.run(steps(persister, "c", 1))
    assert set(asyncio.run(persister.list_app_ids("p"))) == {"a", "b", "c"}


@pytest.mark.parametrize("kind", SHARED, indirect=True)
def test_the_one_connection_is_refused_to_another_loop(persister: Any) -> None:
    async def load() -> Any:
        return await persister.copy().load("p", "app")

    async def main() -> None:
        await steps(persister, "app", 1)
        with pytest.raises(PersisterError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, load())
        await steps(persister, "app", 2)

    asyncio.run(main())
    asyncio.run(steps(persister, "app", 3))
