"""Redis in Apache Burr's layout: what its own persister stored goes on, in turns with it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
from burr.core import State as BurrState

from persistry import AsyncBurrRedisPersister, BurrRedisPersister, State, connect
from persistry.errors import (
    CorruptStateError,
    PersisterError,
    StateConflictError,
    StoreVersionError,
)
from tests.bad_input import Calls, Run, refused, runner, works
from tests.burr.classes import CLASSES
from tests.redis_alone import admin as admin  # fixtures
from tests.redis_alone import server as server
from tests.redis_wire import Wire, counted, names
from tests.servers import LOOPBACK, RedisServer
from tests.test_redis_cluster import cluster as cluster  # a fixture

run = pytest.fixture(runner)
Make = Callable[..., Calls]
FIELDS = {"partition_key", "app_id", "sequence_id", "position", "state", "status", "created_at"}


@pytest.fixture
def wire(admin: redis.Redis) -> Iterator[Wire]:
    with admin.monitor() as monitor:
        yield Wire(admin, monitor)


@pytest.fixture(params=["sync", "async"])
def make(
    request: pytest.FixtureRequest, server: RedisServer, admin: redis.Redis, run: Run
) -> Iterator[Make]:
    """Makes persisters of ours over one client, which is connected."""
    with counted(request.param, server, run) as client:
        cls: Any = BurrRedisPersister if request.param == "sync" else AsyncBurrRedisPersister
        warm = Calls(cls(client, namespace="warm"), run)
        warm.put("app", 0)
        warm.put("app", 0)
        warm.get(None), warm.get(), warm.get("app", 0), warm.list_app_ids("p")

        def made(**options: Any) -> Calls:
            return Calls(cls(client, **options), run)

        yield made


@pytest.fixture(params=["sync", "async"], ids=["burr", "aburr"])
def burr(request: pytest.FixtureRequest, server: RedisServer, run: Run) -> Iterator[Make]:
    """Makes persisters of Burr's."""
    client: Any = redis.Redis if request.param == "sync" else redis.asyncio.Redis
    cls = CLASSES["redis" if request.param == "sync" else "redis.asyncio"]
    opened = client(host=server.address[0], port=server.address[1])
    yield lambda **options: Calls(cls(opened, **options), run)
    run(opened.close() if request.param == "sync" else opened.aclose())


def stored(admin: redis.Redis) -> dict[bytes, Any]:
    return {key: admin.dump(key) for key in admin.scan_iter() if not key.startswith(b"warm:")}


def by_burr(
    burr: Calls, app_id: str, sequence_id: int, /, partition: str = "p", **values: Any
) -> None:
    burr.save(partition, app_id, sequence_id, "step", BurrState(values), "completed")


# In turns with Burr


@pytest.mark.parametrize("namespace", [None, "shop", "a:b"])
def test_what_burr_wrote_is_read(make: Make, burr: Make, namespace: str | None) -> None:
    theirs, ours = burr(namespace=namespace), make(namespace=namespace)
    values = {"n": 1, "list": [1.5, None, "é"], "nan": float("inf"), "__persistry__": ["x"]}
    by_burr(theirs, "app", 0)
    theirs.save("p", "app", 1, "think", BurrState(values), "failed")
    for record in (ours.load("p", "app"), ours.load("p", "app", 1), ours.load("p", None)):
        created_at = theirs.load("p", "app", 1)["created_at"]
        assert record == {
            "partition_key": "p",
            "app_id": "app",
            "sequence_id": 1,
            "position": "think",
            "state": State(values),
            "created_at": created_at,
            "status": "failed",
        }
    assert ours.get("app", 0) == {}
    assert ours.get("app", 2) is ours.get("other") is None
    assert ours.list_app_ids("p") == ["app"] and ours.list_partition_keys() == ["p"]


@pytest.mark.parametrize("namespace", [None, "shop"])
def test_burr_reads_what_is_saved(
    make: Make, burr: Make, admin: redis.Redis, namespace: str | None
) -> None:
    theirs, ours = burr(namespace=namespace), make(namespace=namespace)
    values = {"n": 1, "nan": [float("-inf"), 10**30, "é\ud800"], "deep": {"er": [None]}}
    ours.save("p", "app", 7, "think", State(values), "failed")
    for record in (theirs.load("p", "app"), theirs.load("p", "app", 7)):
        assert record["state"].get_all() == values
        assert (record["position"], record["status"]) == ("think", "failed")
    assert theirs.list_app_ids("p") == ["app"]
    by_burr(theirs, "app", 8, n=8)
    assert ours.get("app") == {"n": 8}
    assert admin.keys("*app*") and all(admin.ttl(key) == -1 for key in admin.keys("*app*"))


def test_a_record_is_what_burr_would_have_written(
    make: Make, burr: Make, admin: redis.Redis
) -> None:
    """The same keys, the same fields in the same order; and one more field, which it ignores."""
    values = {"n": 1, "text": "x"}
    by_burr(burr(namespace="burr"), "app", 3, **values)
    make(namespace="ours").put("app", 3, **values)
    theirs, ours = admin.hgetall("burr:p:app:3"), admin.hgetall("ours:p:app:3")
    assert [*ours] == [*theirs, b"codec"] and {it.decode() for it in theirs} == FIELDS
    for name in FIELDS - {"created_at", "state"}:
        assert ours[name.encode()] == theirs[name.encode()], name
    assert json.loads(ours[b"state"]) == json.loads(theirs[b"state"])
    assert len(ours[b"created_at"]) == len(theirs[b"created_at"])
    assert admin.zrange("burr:p", 0, -1, withscores=True) == [(b"app", 3.0)]
    assert admin.zrange("ours:p", 0, -1, withscores=True) == [(b"app", 3.0)]
    assert len(stored(admin)) == 4


@pytest.mark.parametrize("seed", range(5))
def test_any_program_in_turns(make: Make, burr: Make, admin: redis.Redis, seed: int) -> None:
    """Whoever saved last, both load the same; in applications that count their steps up."""
    chance = random.Random(seed)
    theirs, ours = burr(namespace="turns"), make(namespace="turns")
    steps: dict[tuple[str, str], int] = {}
    order: dict[str, list[str]] = {}
    for n in range(60):
        key = chance.choice(["", "p", "q"]), chance.choice(["a", "b", "%", "é"])
        step = steps[key] = steps.get(key, -1) + chance.choice([1, 1, 3])
        arguments = (*key, step, chance.choice("xy"))
        if chance.random() < 0.5:
            theirs.save(*arguments, BurrState({"n": n}), "completed")
        else:
            ours.save(*arguments, State({"n": n}), "completed")
        listed = order.setdefault(key[0], [])
        order[key[0]] = [key[1], *(it for it in listed if it != key[1])]
        for at in (None, step):
            mine, his = ours.load(*key, at), theirs.load(*key, at)
            assert dict(mine["state"]) == his["state"].get_all() == {"n": n}
            same = ("sequence_id", "position", "status", "created_at", "app_id")
            assert [mine[it] for it in same] == [his[it] for it in same]
        assert ours.load(key[0], None) == ours.load(*key)
        assert ours.list_app_ids(key[0]) == order[key[0]]
        assert set(theirs.list_app_ids(key[0])) == set(order[key[0]])
    assert ours.list_partition_keys() == sorted(order)


def test_a_save_and_a_load_are_one_trip(make: Make, wire: Wire) -> None:
    ours = make()
    ours.get("app")  # it is connected
    for call in (
        lambda: ours.put("app", 1, text="x" * 100_000),
        lambda: ours.put("app", 1, text="x" * 100_000),
        lambda: ours.get("app"),
        lambda: ours.get("app", 1),
        lambda: ours.get(None),
        lambda: ours.list_app_ids("p"),
    ):
        assert names(wire.of(call)) == ["EVALSHA"] and wire.trips == 1
    assert names(wire.of(ours.is_initialized)) == names(wire.of(ours.pending_migrations)) == []


def test_the_url(make: Make, burr: Make, server: RedisServer, admin: redis.Redis) -> None:
    by_burr(burr(namespace="shop"), "app", 0, n=1)
    with connect(f"burr-redis://localhost:{server.port}/0?namespace=shop") as persister:
        assert type(persister) is BurrRedisPersister
        found = persister.load("p", "app")
        assert found is not None and found["state"] == State({"n": 1})


# What Burr left behind


def test_a_save_of_burrs_that_died_half_way(make: Make, admin: redis.Redis, burr: Make) -> None:
    """Behind the record, before the sorted set; saved again, it is found by every load."""
    theirs, ours = burr(), make()
    for step in (0, 1):
        by_burr(theirs, "app", step, n=step)
        (admin.zrem("p", "app") if step == 0 else admin.zadd("p", {"app": 0}))
        assert ours.get("app") == (None if step == 0 else {"n": 0})
        before = admin.hgetall(f"p:app:{step}")
        ours.put("app", step, n=step)
        assert ours.get("app") == ours.get(None) == {"n": step}
        assert theirs.load("p", "app")["sequence_id"] == step
        assert admin.hgetall(f"p:app:{step}") == before
    with refused(StateConflictError, "another state"):
        ours.put("app", 1, n=7)


def test_burrs_score_is_the_last_sequence(make: Make, burr: Make, admin: redis.Redis) -> None:
    """It may be lower than one before; ours is the highest."""
    theirs, ours = burr(), make()
    for step in (5, 3):
        by_burr(theirs, "app", step, n=step)
    assert ours.get("app") == {"n": 3}
    for step in (4, 2):
        ours.put("app", step, n=step)
        assert ours.get("app") == {"n": 4} and ours.get("app", step) == {"n": step}
    assert theirs.load("p", "app")["sequence_id"] == 4


@pytest.mark.parametrize("break_it", ["no field", "no utf8", "no json", "no codec", "no time"])
def test_a_damaged_record(make: Make, burr: Make, admin: redis.Redis, break_it: str) -> None:
    by_burr(burr(), "app", 0, n=0)
    changes: dict[str, Any] = {
        "no utf8": {"position": b"\xff"},
        "no json": {"state": "{"},
        "no codec": {"codec": "x"},
        "no time": {"created_at": "yesterday"},
    }
    if break_it == "no field":
        admin.hdel("p:app:0", "status")
    else:
        admin.hset("p:app:0", mapping=changes[break_it])
    ours = make()
    for call in (lambda: ours.get("app"), lambda: ours.get("app", 0), lambda: ours.get(None)):
        with pytest.raises(CorruptStateError, match="'app'"):
            call()
    before = stored(admin)
    if break_it != "no time":  # which is no part of what is compared
        with pytest.raises(StateConflictError):
            ours.put("app", 0, n=1)
    assert stored(admin) == before
    assert ours.list_app_ids("p") == ["app"]
    works(ours)


@pytest.mark.parametrize("score", ["inf", "-inf", "-1", "1.5", "1e300"])
def test_a_score_that_is_no_sequence(make: Make, admin: redis.Redis, score: str) -> None:
    ours = make(namespace="n")
    ours.put("app", 0)
    admin.execute_command("ZADD", "n:p", score, "bad")
    with pytest.raises(CorruptStateError, match="'bad'"):
        ours.get("bad")
    with refused(StoreVersionError, "'bad'"):
        ours.initialize()
    assert set(ours.list_app_ids("p")) == {"app", "bad"} and ours.get(None) == {}


def test_the_only_entry_of_a_sorted_set(make: Make, burr: Make, admin: redis.Redis) -> None:
    """Without a namespace: that it is Burr's is seen by the step before."""
    for step in range(3):
        by_burr(burr(), "app", step)
    admin.zadd("scores of others", {"app": 2, "b": 1})
    ours = make()
    ours.initialize()
    admin.unlink("p:app:2")
    with refused(StoreVersionError, "'p'", "'app'", "sequence 2", "Nothing was changed"):
        ours.initialize()
    assert ours.get("app", 1) == {} and ours.list_app_ids("p") == ["app"]
    admin.zadd("p", {"app": 1})
    ours.initialize()


def test_entries_without_a_record(make: Make, burr: Make, admin: redis.Redis) -> None:
    """initialize() names them and changes nothing; all else works, and they can be mended."""
    theirs, ours = burr(namespace="n"), make(namespace="n")
    for app in range(6):
        by_burr(theirs, f"app-{app}", 1, n=app)
    ours.initialize()
    admin.unlink(*(f"n:p:app-{app}:1" for app in range(4)))
    before = stored(admin)
    words = ("'n:p'", "'app-2'", "sequence 1", "and 1 more", "Nothing was changed", "ZREM")
    for _ in range(2):
        with refused(StoreVersionError, *words):
            ours.initialize()
    assert stored(admin) == before
    assert ours.is_initialized() and ours.get("app-5") == ours.get(None) == {"n": 5}
    assert ours.list_app_ids("p")[:2] == ["app-5", "app-4"] and len(ours.list_app_ids("p")) == 6
    with refused(CorruptStateError, "'app-0'", "missing"):
        ours.get("app-0")
    ours.put("app-0", 2, n=2)  # it goes on
    assert ours.get("app-0") == {"n": 2}
    admin.zrem("n:p", *(f"app-{app}" for app in range(1, 4)))
    ours.initialize()


def test_what_other_programs_have_is_none_of_ours(
    make: Make, burr: Make, admin: redis.Redis
) -> None:
    """Without a namespace every sorted set of the database could be a partition."""
    by_burr(burr(), "app", 0)
    by_burr(burr(namespace="other"), "app", 0)
    admin.zadd("scores", {f"player {n}": n for n in range(2000)})
    admin.zadd(b"\xff", {b"\xff": 1})
    admin.set("scores:player 1999:1999", "not a hash")
    for _ in range(2):
        ours = make()
        ours.initialize()
        assert ours.list_partition_keys() == ["p"]
        assert make(namespace="other").list_partition_keys() == ["p"]
        admin.hset("scores:player 1998:1998", "a", "hash")


# Names that the layout does not tell apart


def test_two_applications_with_one_key(make: Make, burr: Make, admin: redis.Redis) -> None:
    theirs, ours = burr(), make()
    by_burr(theirs, "c", 1, partition="a:b", of="a:b")
    assert theirs.load("a", "b:c", 1)["state"]["of"] == "a:b"  # to Burr it is the other's
    assert ours.load("a", "b:c", 1) is ours.load("a", "b:c") is ours.load("a", None) is None
    before = stored(admin)
    for state in ({}, {"of": "a:b"}):
        with refused(StateConflictError, "'b:c'", "'a:b'", "nothing was changed"):
            ours.save("a", "b:c", 1, "step", State(state), "completed")
    assert stored(admin) == before
    ours.save("a", "b:c", 2, "step", State({"of": "a"}), "completed")
    with refused(StateConflictError):
        ours.save("a:b", "c", 2, "step", State({"of": "a"}), "completed")
    assert dict(ours.load("a:b", "c")["state"]) == {"of": "a:b"}
    assert dict(ours.load("a", "b:c")["state"]) == {"of": "a"}
    assert ours.load("a", "b:c", 1) is None
    assert ours.list_partition_keys() == ["a", "a:b"]


def test_two_namespaces_with_one_sorted_set(make: Make, burr: Make, admin: redis.Redis) -> None:
    """`n` and `p:q`, and `n:p` and `q`: each sees its own."""
    one, other = make(namespace="n"), make(namespace="n:p")
    by_burr(burr(namespace="n"), "a", 0, partition="p:q", of="n")
    by_burr(burr(namespace="n:p"), "b", 0, partition="q", of="n:p")
    assert one.list_app_ids("p:q") == ["a"] and other.list_app_ids("q") == ["b"]
    assert one.list_partition_keys() == ["p:q"] and other.list_partition_keys() == ["q"]
    assert dict(one.load("p:q", None)["state"]) == {"of": "n"}
    assert dict(other.load("q", None)["state"]) == {"of": "n:p"}
    with refused(CorruptStateError, "'p:q'", "'q'"):
        one.load("p:q", "b")
    assert one.load("p:q", "b", 0) is None
    with refused(StateConflictError, "'q'"):
        one.save("p:q", "b", 0, "step", State({"of": "n:p"}), "completed")
    one.initialize(), other.initialize()


def test_a_partition_named_like_a_record(make: Make, burr: Make, admin: redis.Redis) -> None:
    ours = make()
    by_burr(burr(), "a", 1, n=1)
    before = stored(admin)
    for call in (
        lambda: ours.save("p:a:1", "b", 0, "step", State({}), "completed"),
        lambda: ours.load("p:a:1", "b"),
        lambda: ours.load("p:a:1", None),
        lambda: ours.list_app_ids("p:a:1"),
    ):
        with refused(CorruptStateError, "p:a:1", cause=redis.ResponseError):
            call()
    assert stored(admin) == before
    ours.save("q:a:1", "b", 0, "step", State({}), "completed")
    with refused(CorruptStateError, cause=redis.ResponseError):
        ours.save("q", "a", 1, "step", State({}), "completed")
    assert ours.list_app_ids("q") == [] and ours.get("a") == {"n": 1}


def test_a_sequence_that_a_score_cannot_be(make: Make, burr: Make, wire: Wire) -> None:
    ours, step = make(), 2**53 + 1

    def save() -> None:
        with pytest.raises(ValueError, match="sequence_id must not be over 9007199254740992"):
            ours.put("app", step)

    assert wire.of(save) == []
    ours.put("app", 2**53, n=1)
    assert ours.get("app") == {"n": 1}
    by_burr(burr(), "big", step, n=2)
    assert ours.get("big", step) == {"n": 2}
    with refused(CorruptStateError, "9007199254740992"):  # Burr does not find it
        ours.get("big")


def test_an_integer_as_partition(make: Make, burr: Make) -> None:
    """Burr takes one, and it is a text from then on."""
    theirs = burr()
    theirs.save(42, "app", 0, "step", BurrState({"n": 1}), "completed")
    assert dict(make().load("42", "app")["state"]) == {"n": 1}


# The client


def test_a_client_that_decodes(server: RedisServer, admin: redis.Redis, burr: Make) -> None:
    for step in (0, 1):
        by_burr(burr(), "app", step, n=step)
    for protocol in (2, 3):
        client = redis.Redis(*server.address, decode_responses=True, protocol=protocol)
        with client, BurrRedisPersister(client) as ours:
            assert ours.load("p", "app") == ours.load("p", None) != ours.load("p", "app", 0)
            ours.save("p", "app", protocol, "step", State({"é": "\0"}), "completed")
            ours.save("p", "app", protocol, "step", State({"é": "\0"}), "completed")
            assert ours.list_app_ids("p") == ["app"] and ours.list_partition_keys() == ["p"]
            ours.initialize()
            with pytest.raises(StateConflictError):
                ours.save("p", "app", protocol, "step", State({}), "completed")


def test_a_cluster_cannot_save_atomically(cluster: int) -> None:
    async def asked() -> None:
        async with redis.asyncio.RedisCluster(LOOPBACK, cluster) as client:
            ours = AsyncBurrRedisPersister(client)
            with refused(PersisterError, "move", cause=Exception):
                await ours.save("p", "app", 0, "step", State({}), "completed")

    with redis.RedisCluster(LOOPBACK, cluster) as client:
        ours = Calls(BurrRedisPersister(client), lambda value: value)
        for n in range(8):
            with refused(PersisterError, "move", cause=Exception):
                ours.save("p", f"app {n}", 0, "step", State({}), "completed")
        assert ours.get("app 1") is None and not client.keys("*")
    asyncio.run(asked())
