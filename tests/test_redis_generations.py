"""Generations in Redis: the key that holds it, when it is asked for, who is refused."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio

from persistry import (
    AsyncInMemoryPersister,
    AsyncRedisBasePersister,
    InMemoryPersister,
    RedisBasePersister,
    State,
)
from persistry.errors import (
    CorruptStateError,
    PersisterAccessError,
    PersisterClosedError,
    StoreVersionError,
)
from tests.bad_input import ALL, OPERATIONS, PASSWORD, Calls, Run, refused, runner, works
from tests.redis_alone import server as server  # fixtures
from tests.redis_alone import wire as wire
from tests.redis_wire import Wire, counted, names
from tests.servers import RedisServer

run = pytest.fixture(runner)
MARK = "{:}:g"
CALLS: dict[str, Callable[[Calls], Any]] = {
    **ALL,
    "load of the partition": lambda persister: persister.get(None),
    "load at a sequence": lambda persister: persister.get("app", 0),
}
Make = Callable[..., Calls]


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest, server: RedisServer, run: Run) -> Iterator[Make]:
    """Makes persisters over one client, which is connected."""
    with counted(request.param, server, run) as client:
        cls: Any = RedisBasePersister if request.param == "sync" else AsyncRedisBasePersister
        warm = Calls(cls(client, namespace="warm"), run)
        for call in CALLS.values():
            call(warm)  # the server knows the scripts

        def made(**options: Any) -> Calls:
            persister = cls(client, **options)
            run(persister.connection.ping())  # it is connected
            return Calls(persister, run)

        yield made


def stored(admin: redis.Redis) -> dict[bytes, Any]:
    return {key: admin.dump(key) for key in admin.scan_iter() if b"{warm:" not in key}


# When it is asked for


@pytest.mark.parametrize("first", [*OPERATIONS, "is_initialized"])
def test_a_persister_looks_once(make: Make, wire: Wire, first: str) -> None:
    make().put("known", 0)
    persister = make()
    sent = wire.of(CALLS[first], persister)
    assert sent[0] == f"GET {MARK}"
    expected = {"save": 2, "load": 2, "list_app_ids": 2, "list_partition_keys": 3}
    assert wire.trips == expected.get(first, 1)
    for name in (*OPERATIONS, "is_initialized"):
        assert f"GET {MARK}" not in wire.of(CALLS[name], persister), name


def test_the_first_save_of_all(make: Make, wire: Wire) -> None:
    """One more trip than the first save of a partition has; the mark goes along with the name."""
    sent = wire.of(make().put, "app", 0)
    assert names(sent) == ["GET", "EVALSHA", "EVALSHA", "EVALSHA"]
    assert wire.trips == 4
    assert wire.admin.get(MARK) == b"1" and wire.admin.ttl(MARK) == -1


def test_copies_need_not_look(make: Make, wire: Wire, run: Run) -> None:
    persister = make()
    persister.put("app", 0)
    twin = Calls(persister.copy(), run)
    assert names(wire.of(twin.put, "app", 1)) == ["EVALSHA"]
    assert names(wire.of(twin.get, "app")) == ["EVALSHA"]


def test_initialize_and_pending_migrations_look_every_time(make: Make, wire: Wire) -> None:
    persister = make()
    for _ in range(2):
        assert wire.of(persister.initialize)[:2] == [f"GET {MARK}", "EXISTS {:}:p"]
        assert wire.of(persister.pending_migrations) == [f"GET {MARK}"]
    assert persister.pending_migrations() == []
    assert stored(wire.admin) == {}  # where nothing is there is nothing to mark


# What a newer version stored


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("mark", ["2", "17", "17 from 1"])
def test_a_newer_store_is_refused(make: Make, wire: Wire, operation: str, mark: str) -> None:
    """By every operation, before anything is written; and only as long as it is there. So is one
    that is on its way to a newer generation."""
    make().put("app", 0)
    wire.admin.set(MARK, mark)
    number = mark.split()[0]
    before = stored(wire.admin)
    persister = make()
    for _ in range(2):  # what was refused is not remembered

        def call() -> None:
            words = (f"generation {number}", "knows 1", "upgrade persistry")
            with refused(StoreVersionError, *words):
                CALLS[operation](persister)

        assert wire.of(call) == [f"GET {MARK}"]
    assert stored(wire.admin) == before
    wire.admin.set(MARK, 1)
    works(persister)


@pytest.mark.parametrize("mark", ["2", "2 from 1"])
def test_a_persister_that_looked_before_begins_no_partition(
    make: Make, wire: Wire, mark: str
) -> None:
    """Where it begins one it sees the mark once more: nobody would look for it there."""
    persister = make()
    assert persister.get() is None
    wire.admin.set(MARK, mark)
    before = stored(wire.admin)
    for _ in range(2):
        with refused(StoreVersionError, "save of", "generation 2", "knows 1"):
            persister.put("app", 0)
    assert stored(wire.admin) == before
    wire.admin.delete(MARK)
    works(persister)
    assert wire.admin.get(MARK) == b"1"


def test_namespaces_have_generations_of_their_own(make: Make, wire: Wire) -> None:
    wire.admin.set("{new:}:g", 2)
    works(make(namespace="old"))
    works(make())
    with refused(StoreVersionError, "generation 2"):
        make(namespace="new").get()


def test_a_store_without_a_mark_is_of_generation_1(make: Make, wire: Wire) -> None:
    """The next partition's name takes it along, or the names that are made anew."""
    make().put("app", 0, n=0)
    for mark in (
        lambda: make().save("other", "app", 0, "s", State({}), "completed"),
        lambda: (wire.admin.delete("{:}:p"), make().initialize()),
    ):
        wire.admin.delete(MARK)
        persister = make()
        assert persister.is_initialized() and persister.pending_migrations() == []
        assert persister.get("app") == {"n": 0}
        persister.put("app", 0, n=0)
        assert wire.admin.get(MARK) is None
        mark()
        assert wire.admin.get(MARK) == b"1"


def test_a_mark_that_is_none(make: Make, wire: Wire) -> None:
    for value in (
        "",
        "x",
        "-1",
        "0",
        "1.5",
        b"\xff",
        "2 from",
        "2 from 0",
        "1 from 2",
        "2 from 1 from 1",
    ):
        wire.admin.set(MARK, value)
        with refused(CorruptStateError, MARK, "another program"):
            make().put()
    wire.admin.delete(MARK)
    wire.admin.rpush(MARK, "a list")
    with refused(CorruptStateError, "namespace", cause=redis.ResponseError):
        make().put()
    assert len(stored(wire.admin)) == 1


# Users with few rights

SCRIPTS = "+evalsha +eval"


def persister_of(server: RedisServer, admin: redis.Redis, rights: str) -> RedisBasePersister:
    words = ["reset", "on", f">{PASSWORD}", *rights.split()]
    admin.execute_command("ACL", "SETUSER", "bob", *words)
    user = {"username": "bob"}
    return RedisBasePersister.from_values(*server.address, 0, PASSWORD, redis_client_kwargs=user)


def test_a_user_who_may_only_read(make: Make, wire: Wire, server: RedisServer) -> None:
    make().put("app", 0, n=1)
    for without_mark in (False, True):
        if without_mark:
            wire.admin.delete(MARK)
        with persister_of(server, wire.admin, f"~* +@read {SCRIPTS}") as reader:
            assert reader.is_initialized() and reader.pending_migrations() == []
            found = reader.load("p", "app")
            assert found is not None and found["state"] == State({"n": 1})
            assert reader.list_app_ids("p") == ["app"] and reader.list_partition_keys() == ["p"]
            reader.initialize()
            with pytest.raises(PersisterAccessError):
                reader.save("p", "app", 1, "s", State({}), "completed")


def test_a_user_of_one_partition_needs_the_key_of_the_generation(
    make: Make, wire: Wire, server: RedisServer
) -> None:
    make().put("app", 0, n=1)
    with (
        persister_of(server, wire.admin, f"~{{:p}}:* +@all {SCRIPTS}") as persister,
        pytest.raises(PersisterAccessError, match="no right"),
    ):
        persister.load("p", "app")
    # As much as it needs: to read this key.
    with persister_of(server, wire.admin, f"~{{:p}}:* %R~{MARK} +@all {SCRIPTS}") as persister:
        assert persister.load("p", "app") is not None
        persister.save("p", "app", 1, "s", State({}), "completed")


# Many at once, and interrupted


def first_save(address: tuple[str, int], number: int, ready: Any) -> None:
    with RedisBasePersister.from_values(*address, 0) as persister:
        ready.wait(60)
        if number % 2:
            persister.initialize()
        persister.save(f"p{number}", "app", 0, "s", State({}), "completed")
        persister.initialize()


def test_eight_processes_at_once(wire: Wire, server: RedisServer) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(8)
    processes = [
        context.Process(target=first_save, args=(server.address, n, ready)) for n in range(8)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [it.exitcode for it in processes] == [0] * 8
    assert wire.admin.get(MARK) == b"1"
    with RedisBasePersister.from_values(*server.address, 0) as persister:
        assert persister.list_partition_keys() == [f"p{n}" for n in range(8)]


def test_a_save_that_died_half_way(make: Make, wire: Wire) -> None:
    """Behind the mark, or behind the name: the next one ends it."""
    for left in ({}, {"p": 0}):
        wire.admin.flushall()
        wire.admin.set(MARK, 1)
        if left:
            wire.admin.zadd("{:}:p", left)
        persister = make()
        persister.initialize()
        assert persister.list_partition_keys() == []
        works(persister)
        assert persister.list_partition_keys() == ["p"]


# In memory nothing is older than the process


def test_in_memory(run: Run) -> None:
    for made in (InMemoryPersister(), AsyncInMemoryPersister()):
        persister = Calls(made, run)
        persister.put("app", 0)
        assert persister.pending_migrations() == []
        persister.cleanup()
        with refused(PersisterClosedError):
            persister.pending_migrations()
