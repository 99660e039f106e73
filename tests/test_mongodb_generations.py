"""Generations of a MongoDB collection: which is there, what leads to the next, who is refused."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pymongo
import pytest

from persistry import (
    AsyncMongoDBBasePersister,
    Migration,
    MongoDBBasePersister,
    NotInitializedError,
    State,
    StoreVersionError,
)
from tests.bad_input import ALL, Calls, Run, refused, runner, works
from tests.servers import MongoServer
from tests.stores.mongodb import MongoPlace, document_of_burr
from tests.test_mongodb_format import INDEXES, Commands, names

run = pytest.fixture(runner)
DB = "persistry_test_generations"
CALLS: dict[str, Callable[[Calls], Any]] = {
    **ALL,
    "load of the partition": lambda persister: persister.get(None),
}
Make = Callable[..., Calls]


@pytest.fixture
def collection(mongodb_place: MongoPlace) -> Iterator[Any]:
    yield mongodb_place.client[DB]["steps"]
    mongodb_place.client.drop_database(DB)


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture(params=[MongoDBBasePersister, AsyncMongoDBBasePersister], ids=["sync", "async"])
def make(
    request: pytest.FixtureRequest,
    collection: Any,
    commands: Commands,
    mongodb_place: MongoPlace,
    run: Run,
) -> Iterator[Make]:
    made = []

    def make_() -> Calls:
        listened = {"mongo_client_kwargs": {"event_listeners": [commands]}}
        opening = request.param.from_values(mongodb_place.url, DB, collection.name, **listened)
        made.append(Calls(run(opening), run))
        return made[-1]

    yield make_
    for persister in made:
        persister.cleanup()


@pytest.fixture
def burr(collection: Any) -> list[Any]:
    """The documents of a collection that another library began."""
    collection.insert_many(map(document_of_burr, range(20)))
    return list(collection.find())


def indexes(collection: Any) -> dict[str, Any]:
    return {it["name"]: it for it in collection.list_indexes() if it["name"] != "_id_"}


# When it is asked


@pytest.mark.parametrize("first", ["load", "list_app_ids", "list_partition_keys", "is_initialized"])
def test_a_persister_looks_once(make: Make, commands: Commands, first: str) -> None:
    make().initialize()
    persister = make()
    commands.taken()
    CALLS[first](persister)
    asked = names(commands.taken())
    assert asked[0] == "listIndexes" and len(asked) == (1 if first == "is_initialized" else 2)
    for name in ("load", "list_app_ids", "list_partition_keys"):
        CALLS[name](persister)
        assert len(names(commands.taken())) == 1, name
    persister.put("app", 1)
    assert names(commands.taken()) == ["find", "insert"]
    persister.put("app", 2)
    assert persister.is_initialized()
    assert names(commands.taken()) == ["insert"]


def test_copies_need_not_look(make: Make, commands: Commands, run: Run) -> None:
    persister = make()
    persister.put("app", 1)
    twin = Calls(persister.copy(), run)
    commands.taken()
    assert twin.get("app") == {}
    twin.put("app", 2)
    assert names(commands.taken()) == ["find", "insert"]
    twin.cleanup()


# What a newer version made


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("number", [2, 17])
def test_a_newer_collection_is_refused(
    make: Make, collection: Any, commands: Commands, operation: str, number: int
) -> None:
    """By every operation, before anything is written; and only as long as it is there."""
    make().put("app", 0)
    mark = f"ps_generation_{number}"
    collection.create_index(mark, name=mark, sparse=True)
    before = list(collection.find()), indexes(collection)
    persister = make()
    commands.taken()
    for _ in range(2):  # what was refused is not remembered
        words = (f"generation {number}", "knows 1", "upgrade persistry", f"{DB}.{collection.name}")
        with refused(StoreVersionError, *words):
            CALLS[operation](persister)
    assert names(commands.taken()) == ["listIndexes"] * 2
    assert (list(collection.find()), indexes(collection)) == before
    collection.drop_index(mark)
    works(persister)


def test_a_newer_collection_without_our_indexes_is_refused(make: Make, collection: Any) -> None:
    """A newer version may need none of them."""
    collection.create_index("ps_generation_3", name="ps_generation_3", sparse=True)
    for call in CALLS.values():
        with refused(StoreVersionError, "generation 3"):
            call(make())
    assert list(indexes(collection)) == ["ps_generation_3"] and not list(collection.find())


# What has no mark


def test_a_collection_without_a_mark_is_of_generation_1(
    make: Make, collection: Any, commands: Commands
) -> None:
    make().put("app", 0, n=0)
    collection.drop_index("ps_generation_1")
    persister = make()
    assert persister.is_initialized() and persister.pending_migrations() == []
    assert persister.get("app") == {"n": 0}
    persister.put("app", 1)
    persister.initialize()
    assert not {"createIndexes"} & set(names(commands.taken())[5:])
    assert indexes(collection).keys() == INDEXES.keys() - {"ps_generation_1"}


def test_an_index_that_only_looks_like_a_mark(make: Make, collection: Any) -> None:
    for name in ("ps_generation_", "ps_generation_x", "my_ps_generation_2", "ps_generation_2_"):
        collection.create_index(name, name=name)
    works(make())


# What another library began


def test_what_would_be_done_to_a_collection_of_another_library(
    make: Make, collection: Any, burr: list[Any], commands: Commands
) -> None:
    persister = make()
    (migration,) = persister.pending_migrations()
    assert type(migration) is Migration and migration.generation == 1
    assert "stay as they are" in migration.doc
    made = [re.search(r'"name": "(\w+)"', it) for it in migration.statements]
    assert [it[1] for it in made if it] == list(INDEXES)
    assert indexes(collection) == {} and list(collection.find()) == burr
    assert persister.is_initialized() is False
    persister.initialize()
    assert persister.pending_migrations() == [] and persister.is_initialized()
    assert indexes(collection).keys() == INDEXES.keys() and list(collection.find()) == burr


def test_its_statements_are_what_is_done(make: Make, collection: Any, burr: list[Any]) -> None:
    """As the server's shell takes them: whoever has the rights may run them, and nobody else."""
    persister = make()
    (migration,) = persister.pending_migrations()
    persister.initialize()
    by_us = indexes(collection)
    collection.drop_indexes()
    for statement in migration.statements:
        told = re.fullmatch(r'db\.getCollection\("steps"\)\.createIndex\((.*)\)', statement)
        assert told is not None
        keys, options = json.loads(f"[{told[1]}]")
        collection.create_index(list(keys.items()), **options)
    assert indexes(collection) == by_us
    another = make()
    assert another.is_initialized() and another.pending_migrations() == []


@pytest.mark.parametrize("by", ["initialize", "save"])
def test_it_is_adopted(make: Make, collection: Any, burr: list[Any], by: str) -> None:
    """Read before, as it is; by initialize() or by the first save."""
    persister = make()
    assert persister.list_partition_keys() == []  # its partition is no text
    CALLS[by](persister)
    assert indexes(collection).keys() == INDEXES.keys()
    assert [it for it in collection.find() if it in burr] == burr
    assert persister.pending_migrations() == []


def test_nothing_is_pending_where_nothing_is(make: Make, collection: Any) -> None:
    persister = make()
    assert persister.pending_migrations() == []
    collection.database.create_collection(collection.name)
    assert persister.pending_migrations() == []
    assert indexes(collection) == {} and persister.is_initialized() is False


def test_an_index_that_somebody_dropped(make: Make, collection: Any) -> None:
    make().put("app", 0)
    collection.drop_index("ps_apps")
    persister = make()
    (migration,) = persister.pending_migrations()
    assert len(migration.statements) == 1 and "ps_apps" in migration.statements[0]
    assert persister.is_initialized() is False
    persister.initialize()
    assert indexes(collection).keys() == INDEXES.keys() and persister.pending_migrations() == []


def test_keys_that_stand_twice_stay_pending(make: Make, collection: Any) -> None:
    """Nothing of it is done: no index, and no mark."""
    collection.insert_many(document_of_burr(n) | {"sequence_id": 1, "app_id": "a"} for n in (1, 2))
    before = list(collection.find())
    persister = make()
    for name in ("initialize", "save"):
        with pytest.raises(StoreVersionError, match="2 documents"):
            CALLS[name](persister)
    assert len(persister.pending_migrations()) == 1
    assert indexes(collection) == {} and list(collection.find()) == before


def test_many_keys_that_stand_twice_are_named_in_order_and_counted(
    make: Make, collection: Any
) -> None:
    """Whoever deletes what is named sees what is left, and how much."""
    keys = [{"sequence_id": n, "app_id": "a"} for n in range(23)]
    collection.insert_many(document_of_burr(n) | key for key in reversed(keys) for n in (1, 2))
    with pytest.raises(StoreVersionError) as caught:
        make().initialize()
    named = re.findall(r"sequence_id (\d+)", str(caught.value))
    assert named == [str(n) for n in range(20)]
    assert "(2 documents); and 3 more. Nothing was changed." in str(caught.value)
    collection.delete_many({"sequence_id": {"$lt": 20}})
    with pytest.raises(StoreVersionError) as caught:
        make().initialize()
    assert str(caught.value).count("2 documents") == 3 and " more." not in str(caught.value)


def test_a_key_that_stands_twice_since_the_adoption(make: Make, collection: Any) -> None:
    """As null and as an empty text, which the unique index takes for two keys."""
    of_a = {"sequence_id": 1, "app_id": "a"}
    collection.insert_one(document_of_burr(1) | of_a | {"partition_key": None})
    make().initialize()
    collection.insert_one(document_of_burr(2) | of_a | {"partition_key": ""})
    before = list(collection.find())
    with refused(StoreVersionError, "'a'", "2 documents", "Nothing was changed"):
        make().initialize()
    assert make().load(None, "a")["sequence_id"] == 1
    assert make().list_app_ids(None) == ["a"]
    assert list(collection.find()) == before
    collection.delete_one({"partition_key": ""})
    make().initialize()
    works(make())


# Many at once, and interrupted


def initialize(url: str, ready: Any) -> None:
    with MongoDBBasePersister.from_values(url, DB, "steps") as persister:
        ready.wait(60)
        persister.initialize()
        assert persister.is_initialized() and persister.pending_migrations() == []


def spawned(count: int, url: str) -> list[Any]:
    """Processes that are there by now, and initialize from here on."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(count + 1)
    started = [context.Process(target=initialize, args=(url, ready)) for _ in range(count)]
    for process in started:
        process.start()
    ready.wait(60)
    return started


def ended(processes: list[Any]) -> list[int]:
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def check_current(collection: Any, burr: list[Any]) -> None:
    assert indexes(collection).keys() == INDEXES.keys()
    assert list(collection.find(sort=[("_id", 1)])) == burr


@pytest.fixture
def many(collection: Any) -> list[Any]:
    """As many documents as keep the server busy for a moment."""
    filled(collection)
    return list(collection.find(sort=[("_id", 1)]))


def filled(collection: Any) -> None:
    text = json.dumps({"text": "x" * 500})
    documents = (document_of_burr(0) | {"sequence_id": n, "state": text} for n in range(15_000))
    collection.insert_many(documents)


def test_eight_processes_at_once(
    collection: Any, many: list[Any], mongodb_place: MongoPlace
) -> None:
    assert ended(spawned(8, mongodb_place.url)) == [0] * 8
    check_current(collection, many)


def test_processes_that_are_killed(
    collection: Any, many: list[Any], mongodb_place: MongoPlace
) -> None:
    """At any moment, again and again: the next one ends it."""
    for delay in (0.0, 0.05, 0.15):
        collection.drop_indexes()
        (process,) = spawned(1, mongodb_place.url)
        deadline = time.monotonic() + 30
        while not is_building(collection) and process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(delay)
        process.kill()
        process.join()
        assert ended(spawned(1, mongodb_place.url)) == [0]
        check_current(collection, many)


def is_building(collection: Any) -> bool:
    running = collection.database.client.admin.aggregate([{"$currentOp": {}}])
    return any("createIndexes" in it.get("command", {}) for it in running) or bool(
        indexes(collection)
    )


@pytest.mark.parametrize("replica_set", [False, True], ids=["standalone", "replica set"])
def test_a_server_that_is_killed_meanwhile(replica_set: bool) -> None:
    with MongoServer(replica_set=replica_set) as server:
        url = f"mongodb://{server.address[0]}:{server.port}/?directConnection=true"
        with pymongo.MongoClient(url) as client:
            collection = client[DB]["steps"]
            filled(collection)
            before = list(collection.find(sort=[("_id", 1)]))
            (process,) = spawned(1, url)
            deadline = time.monotonic() + 30
            while not is_building(collection) and time.monotonic() < deadline:
                time.sleep(0.005)
            server.kill()
            process.kill()
            process.join()
            server.start()
            assert ended(spawned(1, url)) == [0]
            check_current(collection, before)


def test_a_pickle_looks_anew(collection: Any, mongodb_place: MongoPlace) -> None:
    """It may be read much later, where a newer version has been."""
    with MongoDBBasePersister.from_values(mongodb_place.url, DB, "steps") as persister:
        persister.save("p", "app", 0, "step", State({}), "completed")
        read = pickle.loads(pickle.dumps(persister))
    collection.create_index("ps_generation_2", name="ps_generation_2", sparse=True)
    with read, pytest.raises(StoreVersionError):
        read.load("p", "app")
    assert not issubclass(StoreVersionError, NotInitializedError)
