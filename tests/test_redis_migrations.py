"""Keys of a Redis store that are carried over to a newer generation: a template, a field, an index.

The older version is the one of today; the newer ones are generated from copies of its backend file.
"""

from __future__ import annotations

import importlib
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio

from persistry import (
    AsyncRedisBasePersister,
    Migration,
    PersisterUnavailableError,
    RedisBasePersister,
    State,
)
from persistry._runtime.drivers import redis_async_operation, redis_operation
from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterError,
    StoreVersionError,
)
from tests.bad_input import ALL, OPERATIONS, Calls, Run, refused, runner, works
from tests.later_redis import made
from tests.redis_alone import admin as admin  # fixtures
from tests.redis_alone import server as server
from tests.redis_cluster import started_cluster
from tests.redis_wire import Wire, names
from tests.servers import LOOPBACK, RedisServer

run = pytest.fixture(runner)
MARK = "{:}:g"
PARTITIONS = ["", "p", "a:b", "{x}", "%7B ü", "x" * 512]
Open = Callable[..., Calls]
# What a reader of a store is told, by the arguments of the call.
Told = dict[tuple[Any, ...], Any]


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Any, Any]]:
    with made(tmp_path_factory.mktemp("later")) as packages:
        yield packages


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_(server: RedisServer, later: dict[Any, Any], colour: str, run: Run) -> Iterator[Open]:
    """Opens the store with the library of a generation."""
    opened: list[Calls] = []

    def open_(generation: Any, **options: Any) -> Calls:
        cls = persister_class(later, generation, colour)
        opened.append(Calls(run(cls.from_values(*server.address, 0, **options)), run))
        return opened[-1]

    yield open_
    for it in opened:
        it.cleanup()


def persister_class(later: dict[Any, Any], generation: Any, colour: str) -> Any:
    if generation == 1:
        return RedisBasePersister if colour == "sync" else AsyncRedisBasePersister
    prefix = "" if colour == "sync" else "Async"
    return getattr(later[generation], f"{prefix}LaterRedisBasePersister")


def filled(older: Calls, apps: int = 3) -> None:
    """Records in every partition: not in order, several at one sequence, a large one."""
    for partition in PARTITIONS:
        for n in range(apps):
            for sequence, position in ((0, "a"), (7, "a"), (7, 'b:"\n'), (2, "ü"), (2**62, "z")):
                state = State({"of": [partition, n, sequence, position]})
                older.save(partition, f"app:{n}", sequence, position, state, "completed")
        older.save(partition, "app:0", 5, "large", State({"text": "x" * 100_000}), "failed")


def told_by(persister: Calls, sequences: tuple[int, ...] = (0, 1, 2, 5, 7, 2**62)) -> Told:
    """Everything that a store says of its records."""
    partitions = persister.list_partition_keys()
    told: Told = {(): partitions, ("some",): persister.list_partition_keys(limit=2)}
    for partition in partitions:
        apps = told["list", partition] = persister.list_app_ids(partition)
        told["some", partition] = persister.list_app_ids(partition, limit=2)
        told["load", partition] = persister.load(partition, None)
        for app in apps:
            told["load", partition, app] = persister.load(partition, app)
            for sequence in sequences:
                told["load", partition, app, sequence] = persister.load(partition, app, sequence)
    return told


def stored(admin: redis.Redis) -> dict[bytes, Any]:
    keys = list(admin.scan_iter(count=1000))
    with admin.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.dump(key)
        return dict(zip(keys, pipeline.execute(), strict=True))


def restored(admin: redis.Redis, keys: dict[bytes, Any]) -> None:
    admin.flushall()
    with admin.pipeline(transaction=False) as pipeline:
        for key, value in keys.items():
            pipeline.restore(key, 0, value)
        pipeline.execute()


def check_second(admin: redis.Redis) -> None:
    """All keys are those of the second generation, and are made from the records there are."""
    keys = [key.decode() for key in admin.scan_iter(count=1000)]
    assert admin.get(MARK) == b"2"
    assert [it for it in keys if it.endswith(":h1")] == []
    sequences: dict[str, set[bytes]] = {}
    for app, _, sequence in (it.rpartition(":") for it in keys):
        if "}:r:" in app and sequence.isdecimal():
            sequences.setdefault(app.replace("}:r:", "}:s:"), set()).add(sequence.encode())
    assert {it: set(admin.hkeys(it)) for it in keys if "}:s:" in it} == sequences
    for key in (it for it in keys if it.endswith(":heads")):
        assert {len(head) for head in admin.hvals(key)} == {39}
        assert admin.type(key.removesuffix("eads")) in (b"string", b"none")


# What is to be done, and when


def test_an_older_store_has_to_be_migrated(open_: Open, admin: redis.Redis) -> None:
    filled(open_(1))
    before = stored(admin)
    newer = open_(2)
    assert newer.is_initialized() is False
    for name, operation in OPERATIONS.items():
        for _ in range(2):
            with refused(NotInitializedError, name, "generation 1", "works with 2", "initialize()"):
                operation(newer)
    (pending,) = newer.pending_migrations()
    assert type(pending) is Migration
    assert pending.generation == 2 and pending.doc.endswith("No record is changed.")
    heads, records = pending.statements
    assert heads.startswith("-- for every key {:*}:h, until it returns 0\nlocal key, heads, left =")
    assert "{:*}:r:*:*" in records and "HSETNX" in records
    assert [it.generation for it in open_(3).pending_migrations()] == [2, 3]
    assert stored(admin) == before


def test_it_is_carried_over(open_: Open, admin: redis.Redis) -> None:
    older = open_(1)
    filled(older)
    before, records = told_by(older), stored(admin)
    newer = open_(2)
    newer.initialize()
    assert newer.is_initialized() is True and newer.pending_migrations() == []
    assert told_by(newer) == before
    check_second(admin)
    assert {key: it for key, it in stored(admin).items() if b"}:r:" in key} == {
        key: it for key, it in records.items() if b"}:r:" in key
    }
    assert admin.hgetall("{:p}:s:app%3A0") == {
        b"%019d" % n: position.encode()
        for n, position in {0: "a", 7: 'b:"\n', 2: "ü", 2**62: "z", 5: "large"}.items()
    }
    works(newer)
    works(open_(2))


def test_an_older_library_is_refused_after_it(open_: Open, admin: redis.Redis) -> None:
    filled(open_(1))
    open_(2).initialize()
    before = stored(admin)
    for call in ALL.values():
        with refused(StoreVersionError, "generation 2", "knows 1", "upgrade persistry"):
            call(open_(1))
    assert stored(admin) == before


def test_one_that_is_open_changes_nothing(open_: Open, admin: redis.Redis) -> None:
    """Partitions that were there have a key at which it fails; new ones it cannot begin."""
    older = open_(1)
    filled(older)
    open_(2).initialize()
    before = stored(admin)
    for call in (lambda: older.put("app:1", 9), lambda: older.put("new", 0), older.get):
        with refused(CorruptStateError, "holds something else", cause=redis.ResponseError):
            call()
    with refused(StoreVersionError, "generation 2"):
        older.save("new", "app", 0, "s", State({}), "completed")
    assert stored(admin) == before


def test_a_migrated_store_is_not_looked_through_again(open_: Open, admin: redis.Redis) -> None:
    filled(open_(1))
    newer = open_(2)
    newer.initialize()
    with admin.monitor() as monitor:
        wire = Wire(admin, monitor)
        assert names(wire.of(newer.initialize)) == ["GET", "EXISTS"]


def test_generation_after_generation(open_: Open, admin: redis.Redis) -> None:
    older = open_(1)
    filled(older)
    before = told_by(older)
    open_(3).initialize()
    assert admin.get(MARK) == b"3"
    assert told_by(open_(3)) == before
    with refused(StoreVersionError, "generation 3", "knows 2"):
        open_(2).get()
    works(open_(3))


def test_from_the_generation_before_alone(open_: Open, admin: redis.Redis) -> None:
    filled(open_(2))
    before = told_by(open_(2))
    assert [it.generation for it in open_(3).pending_migrations()] == [3]
    admin.set(MARK, "3 from 2")
    with refused(StoreVersionError, "generation 3", "knows 2"):
        open_(2).get()
    with refused(NotInitializedError, "from generation 2", "initialize(), which goes on"):
        open_(3).get()
    open_(3).initialize()
    assert told_by(open_(3)) == before


def test_the_example_of_the_page(open_: Open, admin: redis.Redis) -> None:
    older = open_(1)
    filled(older)
    before, first = told_by(older), stored(admin)
    newer = open_("page")
    newer.initialize()
    assert told_by(newer) == before
    renamed = {key.replace(b"}:h", b"}:heads"): it for key, it in first.items()}
    left = {key: it for key, it in stored(admin).items() if not key.endswith(b"}:h")}
    assert left == renamed | {MARK.encode(): admin.dump(MARK)}
    for call in (lambda: older.put("app:1", 9), older.get):
        with refused(CorruptStateError, cause=redis.ResponseError):
            call()
    works(newer)


def test_what_is_large_is_carried_over_in_portions(open_: Open, admin: redis.Redis) -> None:
    """The keys are gone through twice, however many portions there are."""
    open_(1).put("app", 0)
    apps = {f"app{n}": f"{n:019}{n:019}" for n in range(2000)}
    admin.hset("{:p}:h", mapping=apps)
    newer = open_(2)
    assert newer.pending_migrations()  # it is connected
    with admin.monitor() as monitor:
        sent = names(Wire(admin, monitor).of(newer.initialize))
    assert sent.count("SCAN") == 2 * 2
    assert 10 < sent.count("EVALSHA") < 100
    assert admin.hlen("{:p}:heads") == len(apps) + 1
    check_second(admin)


def test_what_comes_behind_the_last_page_is_carried_over(
    open_: Open, admin: redis.Redis, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older program that fails at nothing: the keys are gone through until none was left."""
    older = open_(1)
    filled(older)
    value = admin.get("{:p}:r:app%3A0:" + "2".zfill(19))
    assert value is not None
    late = [f"{{:p}}:r:late{n}:{n:019}" for n in range(3)]
    module = redis_operation if colour == "sync" else redis_async_operation
    page = module.Operation._scan_on

    def write(step: Any, cursors: Any) -> None:
        if "r:" in step.pattern and not cursors and late:
            admin.set(late.pop(), value)

    def sync(self: Any, step: Any) -> Any:
        keys, cursors = page(self, step)
        write(step, cursors)
        return keys, cursors

    async def awaited(self: Any, step: Any) -> Any:
        keys, cursors = await page(self, step)
        write(step, cursors)
        return keys, cursors

    monkeypatch.setattr(module.Operation, "_scan_on", sync if colour == "sync" else awaited)
    open_(2).initialize()
    assert late == []
    check_second(admin)


# Where nothing is, or no mark


def test_a_new_store_needs_no_initialize(open_: Open, admin: redis.Redis) -> None:
    newer = open_(2)
    assert newer.is_initialized() and newer.pending_migrations() == []
    newer.initialize()
    assert stored(admin) == {}
    works(open_(2))
    assert admin.get(MARK) == b"2"
    check_second(admin)


def test_a_store_without_a_mark_is_of_generation_1(open_: Open, admin: redis.Redis) -> None:
    older = open_(1)
    filled(older)
    before = told_by(older)
    admin.delete(MARK)
    newer = open_(2)
    with refused(NotInitializedError, "generation 1"):
        newer.get()
    newer.initialize()
    assert told_by(newer) == before


def test_a_store_without_a_mark_and_without_the_names(open_: Open, admin: redis.Redis) -> None:
    """Nothing that is asked at once says that it is not new; initialize() looks through it."""
    older = open_(1)
    filled(older)
    before = told_by(older)
    admin.delete(MARK, "{:}:p")
    newer = open_(2)
    newer.initialize()
    assert told_by(newer) == before
    check_second(admin)


def test_what_is_not_ours_stays(open_: Open, admin: redis.Redis) -> None:
    open_(1, namespace="other").put("app", 0)
    other = f"{{:p}}:r:app:{1:019}:t"  # on its way
    for key in (
        other,
        b"{:\xff}:h",
        "{:}:h:h",
        "x{:p}:h",
        "{:a:b}:h",
        "{:}}:h",
        "{a:p}:h",
        "{:p}:r:a:1",
    ):
        admin.hset(key, "app", "1")
    before = stored(admin)
    older = open_(1)
    filled(older)
    open_(2).initialize()
    assert {key: it for key, it in stored(admin).items() if key in before} == before
    works(open_(1, namespace="other"))


@pytest.mark.parametrize("colour", ["sync"], indirect=True)
def test_a_client_that_decodes(
    server: RedisServer, later: dict[Any, Any], open_: Open, admin: redis.Redis
) -> None:
    older = open_(1)
    filled(older)
    before = told_by(older)
    with redis.Redis(*server.address, decode_responses=True) as client:
        persister_class(later, 2, "sync")(client).initialize()
    assert told_by(open_(2)) == before


# Interrupted


class Ended(Exception):
    """The process ends here."""


@pytest.mark.parametrize("behind", [False, True], ids=["in front", "behind"])
def test_interrupted_at_every_step(
    open_: Open, admin: redis.Redis, colour: str, behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store says that it is on its way, nobody uses it, and the next one ends it."""
    older = open_(1)
    filled(older)
    before, first = told_by(older), stored(admin)
    marks, trips = set(), 0
    while interrupted(open_(3), colour, trips, behind, monkeypatch):
        marks.add(admin.get(MARK))
        if admin.get(MARK) != b"1":
            with refused(StoreVersionError, "knows 1"):
                open_(1).get()
        if admin.get(MARK) != b"3":
            with refused(NotInitializedError, "initialize()"):
                open_(3).get()
        open_(3).initialize()
        assert told_by(open_(3)) == before
        restored(admin, first)
        trips += 1
    assert trips >= 10
    assert marks == {b"1", b"2 from 1", b"2", b"3 from 2", b"3"}


def interrupted(
    persister: Calls, colour: str, trips: int, behind: bool, patch: pytest.MonkeyPatch
) -> bool:
    """Whether so many trips to the server are not all that initialize() needs."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if done > trips:
            raise Ended

    module = redis_operation if colour == "sync" else redis_async_operation
    trip = module.Operation._trip

    def sync(self: Any, send: Any) -> Any:
        if not behind:
            count()
        answer = trip(self, send)
        if behind:
            count()
        return answer

    async def awaited(self: Any, send: Any) -> Any:
        if not behind:
            count()
        answer = await trip(self, send)
        if behind:
            count()
        return answer

    with patch.context() as here:
        here.setattr(module.Operation, "_trip", sync if colour == "sync" else awaited)
        try:
            persister.initialize()
        except Ended:
            return True
        return False


def test_an_answer_that_is_lost(
    open_: Open, admin: redis.Redis, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was carried over then counts as carried over: the keys are gone through once more."""
    older = open_(1)
    filled(older)
    before = told_by(older)
    module = redis_operation if colour == "sync" else redis_async_operation
    pipelined = module.Operation._pipelined
    lost: list[Any] = []

    def lose(answers: list[Any]) -> list[Any]:
        if not lost and not isinstance(answers[0], Exception):  # the server knows the script
            lost.extend(answers)
            raise redis.ConnectionError("Connection closed by server.")
        return answers

    def sync(*asked: Any) -> Any:
        return lose(pipelined(*asked))

    async def awaited(*asked: Any) -> Any:
        return lose(await pipelined(*asked))

    newer = open_("page")
    with pytest.raises(NotInitializedError):
        newer.get()  # it is connected
    admin.script_load(script_of(newer))
    monkeypatch.setattr(module.Operation, "_pipelined", sync if colour == "sync" else awaited)
    with admin.monitor() as monitor:
        sent = names(Wire(admin, monitor).of(newer.initialize))
    assert lost == [1] * len(PARTITIONS)
    assert sent.count("SCAN") == 2
    assert told_by(newer) == before


def script_of(persister: Calls) -> str:
    """The script of the only step that is pending."""
    (migration,) = persister.pending_migrations()
    (statement,) = migration.statements
    return str(statement.partition("\n")[2])


def test_a_key_that_cannot_be_carried_over(open_: Open, admin: redis.Redis) -> None:
    """It is named; what could be carried over stays so, and mended the rest follows."""
    older = open_(1)
    filled(older)
    before = told_by(older)
    broken = "{:p}:r:app%3A1:" + "2".zfill(19)
    value = admin.get(broken)
    assert value is not None
    admin.set(broken, b"P1")
    with pytest.raises(PersisterError, match=r"^initialize of the key \{:p\}:r:app%3A1:0+2\b"):
        open_(2).initialize()
    assert admin.get(MARK) == b"2 from 1"
    admin.set(broken, value)
    open_(2).initialize()
    assert told_by(open_(2)) == before


# Many at once


def initialize(address: tuple[str, int], ready: Any) -> None:
    package: Any = importlib.import_module("generation_3_of_redis")
    with package.LaterRedisBasePersister.from_values(*address, 0) as persister:
        ready.wait(60)
        persister.initialize()
        assert persister.is_initialized() and persister.pending_migrations() == []


def spawned(count: int, address: tuple[str, int]) -> list[Any]:
    """Processes that are there by now, and initialize from here on."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(count + 1)
    started = [context.Process(target=initialize, args=(address, ready)) for _ in range(count)]
    for process in started:
        process.start()
    ready.wait(60)
    return started


@pytest.fixture
def many(admin: redis.Redis, server: RedisServer) -> Told:
    """As much as takes some pages, and some time."""
    with RedisBasePersister.from_values(*server.address, 0) as older:
        for n in range(3000):
            older.save(f"p{n % 40}", f"app{n}", n, "step", State({"n": n}), "completed")
        return told_by(Calls(older, lambda value: value), ())


def check_third(later: dict[Any, Any], server: RedisServer, many: Told) -> None:
    cls = persister_class(later, 3, "sync")
    with cls.from_values(*server.address, 0) as persister:
        assert told_by(Calls(persister, lambda value: value), ()) == many


def test_six_processes_at_once(many: Told, later: dict[Any, Any], server: RedisServer) -> None:
    processes = spawned(6, server.address)
    for process in processes:
        process.join(60)
    assert [it.exitcode for it in processes] == [0] * 6
    check_third(later, server, many)


def test_processes_that_are_killed(
    many: Told, later: dict[Any, Any], server: RedisServer, admin: redis.Redis
) -> None:
    """At any moment, one after the other: the next one goes on."""
    first, marks = stored(admin), set()
    for delay in (0.0, 0.02, 0.05, 0.1):
        (process,) = spawned(1, server.address)
        deadline = time.monotonic() + 30
        while admin.get(MARK) == b"1" and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(delay)
        process.kill()
        process.join()
        marks.add(admin.get(MARK))
        (process,) = spawned(1, server.address)
        process.join(60)
        assert process.exitcode == 0
        check_third(later, server, many)
        restored(admin, first)
    assert marks & {b"2 from 1", b"3 from 2"}


def test_an_older_program_that_saves_meanwhile(
    open_: Open, admin: redis.Redis, server: RedisServer
) -> None:
    """What was acknowledged is found; what was not has failed."""
    saved: list[tuple[str, int]] = []
    failed: list[PersisterError] = []
    ready, ended = threading.Event(), threading.Event()

    def save() -> None:
        with RedisBasePersister.from_values(*server.address, 0) as older:
            for n in range(100_000):
                if ended.is_set():
                    return
                app = f"app{n}"
                try:
                    older.save(f"p{n % 50}", app, n, "step", State({"n": n}), "completed")
                    saved.append((app, n))
                except (CorruptStateError, StoreVersionError) as error:
                    failed.append(error)
                if n == 1500:
                    ready.set()

    newer = open_(2)
    thread = threading.Thread(target=save)
    thread.start()
    try:
        ready.wait(60)
        newer.initialize()
        time.sleep(0.1)
    finally:
        ended.set()
        thread.join()
    assert failed and len(saved) > 1500
    for app, n in saved:
        assert newer.load(f"p{n % 50}", app)["state"] == State({"n": n})
    assert sum(len(newer.list_app_ids(it)) for it in newer.list_partition_keys()) == len(saved)
    check_second(admin)


def test_the_time_that_it_may_take(open_: Open, admin: redis.Redis) -> None:
    """Nobody uses the store until there was enough of it."""
    older = open_(1)
    filled(older)
    before = told_by(older)
    hasty = open_(2, operation_timeout=0.2)
    admin.set(MARK, "2 from 1")
    for name, call in (("initialize", ALL["initialize"]), ("load", ALL["load"])):
        admin.execute_command("CLIENT", "PAUSE", 400, "ALL")
        with pytest.raises(
            PersisterUnavailableError, match=rf"^{name}\b.*operation_timeout \(0\.2 s\)"
        ):
            call(hasty)
        admin.ping()  # it goes on
    for call in OPERATIONS.values():
        with refused(NotInitializedError, "from generation 1", "goes on", "operation_timeout"):
            call(hasty)
    hasty.initialize()
    assert told_by(open_(2)) == before


# In a cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[int]:
    with started_cluster() as port:
        yield port


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (redis_operation, redis_async_operation):
        monkeypatch.setattr(module, "AT_ONCE", 5)


def test_in_a_cluster(cluster: int, later: dict[Any, Any], small_pages: None) -> None:
    with redis.RedisCluster(LOOPBACK, cluster) as client:
        older = RedisBasePersister(client, namespace="sync")
        calls = Calls(older, lambda value: value)
        filled(calls)
        before = told_by(calls)
        newer = persister_class(later, 3, "sync")(client, namespace="sync")
        with pytest.raises(NotInitializedError):
            newer.load("p", "app:0")
        newer.initialize()
        assert told_by(Calls(newer, lambda value: value)) == before
        assert client.get("{sync:}:g") == b"3"
        listed = list(client.scan_iter("{sync:*}:s:*", count=1000))
        assert len(listed) == 3 * len(PARTITIONS)
        with pytest.raises(StoreVersionError):
            RedisBasePersister(client, namespace="sync").load("p", "app:0")


def test_in_a_cluster_async(
    cluster: int, later: dict[Any, Any], run: Run, small_pages: None
) -> None:
    async def client() -> Any:
        return await redis.asyncio.RedisCluster(LOOPBACK, cluster)

    async def keys() -> list[Any]:
        return [it async for it in connected.scan_iter("{async:*}:s:*", count=1000)]

    connected = run(client())
    try:
        older = Calls(AsyncRedisBasePersister(connected, namespace="async"), run)
        filled(older)
        before = told_by(older)
        newer = Calls(persister_class(later, 3, "async")(connected, namespace="async"), run)
        with refused(NotInitializedError, "initialize()"):
            newer.load("p", "app:0")
        newer.initialize()
        assert told_by(newer) == before
        assert run(connected.get("{async:}:g")) == b"3"
        assert len(run(keys())) == 3 * len(PARTITIONS)
    finally:
        run(connected.aclose())
