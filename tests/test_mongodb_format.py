"""What stands in a MongoDB collection, and which index answers what: the promise to its data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pymongo
import pytest
from bson.int64 import Int64
from bson.timestamp import Timestamp
from pymongo.monitoring import CommandListener, CommandStartedEvent

from persistry import AsyncMongoDBBasePersister, MongoDBBasePersister, State
from persistry.errors import CorruptStateError, StateConflictError, StoreVersionError
from tests.stores.mongodb import MongoPlace

KEY = ("partition_key", "app_id", "sequence_id", "position")
INDEXES = {
    "ps_key": {"partition_key": 1, "app_id": 1, "sequence_id": -1, "position": 1},
    "ps_latest": {"partition_key": 1, "app_id": 1, "sequence_id": -1, "write_number": -1},
    "ps_order": {"partition": 1, "write_number": -1, "app_id": 1},
    "ps_apps": {"partition": 1, "app_id": 1, "write_number": -1},
    "ps_foreign": {"partition_key": 1, "created_at": -1, "app_id": 1},
    "ps_generation_1": {"ps_generation_1": 1},
}


class Commands(CommandListener):
    """What a client has sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(dict(event.command))

    def succeeded(self, event: object) -> None: ...

    def failed(self, event: object) -> None: ...

    def taken(self) -> list[dict[str, Any]]:
        """Those since the last time."""
        sent, self.sent = self.sent, []
        return sent


@pytest.fixture
def collection(mongodb_place: MongoPlace) -> Iterator[Any]:
    database = mongodb_place.client["persistry_test_format"]
    yield database["steps"]
    mongodb_place.client.drop_database(database.name)


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def persister(collection: Any, commands: Commands, mongodb_place: MongoPlace) -> Iterator[Any]:
    persister = MongoDBBasePersister.from_values(
        mongodb_place.url,
        collection.database.name,
        collection.name,
        mongo_client_kwargs={"event_listeners": [commands]},
    )
    with persister:
        yield persister


def of(collection: Any) -> tuple[str, str]:
    return collection.database.name, collection.name


def put(persister: Any, app_id: str, sequence_id: int = 0, /, partition: Any = "p") -> None:
    persister.save(partition, app_id, sequence_id, "step", State({"n": sequence_id}), "completed")


def older(
    collection: Any, app_id: str, sequence_id: int, /, partition: Any = "p", **changes: Any
) -> None:
    """A document in the shape of an older library: null for no partition, its own clock."""
    created = datetime.now(UTC) + timedelta(microseconds=1)
    document = {
        "partition_key": partition,
        "app_id": app_id,
        "sequence_id": sequence_id,
        "position": "step",
        "state": json.dumps({"n": sequence_id, "text": "\u00e9"}),
        "status": "completed",
        "created_at": created.isoformat(),
    }
    collection.insert_one({**document, **changes})


# What is stored


def test_a_document(persister: Any, collection: Any) -> None:
    state = State({"text": "a\0\u00e9", "n": 1.5})
    persister.save("p", "app", 7, "draft", state, "failed")
    (document,) = collection.find()
    number, created = document.pop("write_number"), document.pop("created_at")
    assert type(number) is Timestamp and number.time > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", created)
    assert document == {
        "_id": sha256(b"p\0app\0007\0draft").digest()[:16],
        "partition_key": "p",
        "partition": "p",
        "app_id": "app",
        "sequence_id": 7,
        "position": "draft",
        "status": "failed",
        "state": '{"text":"a\\u0000\u00e9","n":1.5}',
        "codec": 0,
    }


@pytest.mark.parametrize("partition", [None, ""])
def test_the_default_partition_is_null(persister: Any, collection: Any, partition: Any) -> None:
    put(persister, "app", partition=partition)
    (document,) = collection.find()
    assert document["partition_key"] is None
    assert document["partition"] == ""


def test_the_order_is_the_servers(persister: Any, collection: Any) -> None:
    """Numbers go up from save to save, also those of several clients."""
    with persister.copy() as twin:
        for n in range(20):
            put(persister if n % 2 else twin, "app", 20 - n)
    numbers = [it["write_number"] for it in collection.find(sort=[("sequence_id", -1)])]
    assert numbers == sorted(set(numbers))


def test_the_largest_sequence_id_is_found(persister: Any, collection: Any) -> None:
    put(persister, "app", 2**63 - 1)
    put(persister, "app", 2**53 + 1)
    assert type(collection.find_one({"sequence_id": 2**63 - 1})["sequence_id"]) is Int64
    found = persister.load("p", "app")["sequence_id"]
    assert (found, type(found)) == (2**63 - 1, int)


def test_the_indexes(persister: Any, collection: Any) -> None:
    assert not persister.is_initialized()
    put(persister, "app")
    assert persister.is_initialized()
    found = {it["name"]: it for it in collection.list_indexes()}
    assert {name: dict(it["key"]) for name, it in found.items() if name != "_id_"} == INDEXES
    assert [name for name, it in found.items() if it.get("unique")] == ["ps_key"]
    partial = {name: it.get("partialFilterExpression") for name, it in found.items()}
    assert partial.pop("ps_foreign") == {"write_number": None}
    assert set(partial.values()) == {None}
    # It says the generation, and holds nothing.
    assert [name for name, it in found.items() if it.get("sparse")] == ["ps_generation_1"]


def test_a_collection_that_is_dropped_in_the_middle(persister: Any, collection: Any) -> None:
    """Its indexes go with it, but not the rule that one record has one key."""
    for partition in ("p", None):
        put(persister, "app", 1, partition)
        collection.drop()
        with persister.copy() as twin, ThreadPoolExecutor(8) as threads:
            saves = [
                threads.submit(save_n, [persister, twin][n % 2], partition, n) for n in range(16)
            ]
        refused = [it for it in saves if isinstance(it.exception(), StateConflictError)]
        assert len(refused) == 15 and collection.count_documents({}) == 1
        state = dict(persister.load(partition, "app")["state"])
        save_n(persister, partition, state["n"])
        assert collection.count_documents({}) == 1
        persister.initialize()
        assert len(list(collection.list_indexes())) == 1 + len(INDEXES)
        collection.drop()


def save_n(persister: Any, partition: Any, n: int) -> None:
    """All under one key."""
    persister.save(partition, "app", 1, "step", State({"n": n}), "completed")


# What is asked, and what it costs


def names(commands: list[dict[str, Any]]) -> list[str]:
    """What was asked; a client says hello and goodbye besides, when it finds or leaves a server."""
    found = [next(iter(command)) for command in commands]
    return [name for name in found if name not in ("ping", "endSessions")]


def test_one_round_trip_a_save(persister: Any, commands: Commands) -> None:
    put(persister, "app", 0)
    first = ["listIndexes", "find", "createIndexes", "insert"]
    assert names(commands.taken()) == first
    for n in (1, 2, 3):
        put(persister, "app", n)
    put(persister, "app", 4)
    saved = commands.taken()
    assert [next(iter(it)) for it in saved] == ["insert"] * 4
    assert all(it["writeConcern"] == {"w": "majority", "j": True} for it in saved)
    put(persister, "app", 4)
    assert names(commands.taken()) == ["insert", "find"]


def test_what_is_prepared_is_not_prepared_again(
    persister: Any, commands: Commands, mongodb_place: MongoPlace
) -> None:
    persister.initialize()
    commands.taken()
    persister.initialize()
    assert "createIndexes" not in names(commands.taken())
    where = persister.collection.database.name, persister.collection.name
    more = {"mongo_client_kwargs": {"event_listeners": [commands]}}
    with MongoDBBasePersister.from_values(mongodb_place.url, *where, **more) as another:
        put(another, "app")
        first = names(commands.taken())
    assert first == ["listIndexes", "find", "insert"]
    with persister.copy() as twin:
        put(twin, "app", 1)
        assert names(commands.taken()) == ["insert"]


def test_one_round_trip_a_load_or_list(persister: Any, commands: Commands) -> None:
    put(persister, "app", 1)
    commands.taken()
    for call in CALLS.values():
        call(persister, "p")
        assert len(commands.taken()) == 1


def test_one_round_trip_a_long_list(persister: Any, commands: Commands) -> None:
    for n in range(150):
        put(persister, f"a{n}")
    commands.taken()
    assert len(persister.list_app_ids("p")) == len(persister.list_app_ids("p", limit=150)) == 150
    assert names(commands.taken()) == ["aggregate"] * 2


CALLS = {
    "at a sequence": lambda persister, partition: persister.load(partition, "a3", 5),
    "latest": lambda persister, partition: persister.load(partition, "a3"),
    "latest of partition": lambda persister, partition: persister.load(partition, None),
    "first": lambda persister, partition: persister.list_app_ids(partition, limit=3),
    "all": lambda persister, partition: persister.list_app_ids(partition),
    "partitions": lambda persister, partition: persister.list_partition_keys(),
    "first partitions": lambda persister, partition: persister.list_partition_keys(limit=1),
    "conflicting": lambda persister, partition: put(persister, "a3", 5, partition),
}


EXPLAINED = (
    *("find", "aggregate", "filter", "pipeline", "sort", "projection", "limit", "cursor"),
    *("singleBatch", "collation"),
)


def explained(collection: Any, command: dict[str, Any]) -> tuple[list[str], int, int]:
    """The stages of a plan with their indexes, how many keys and how many documents it read."""
    asked = {key: it for key, it in command.items() if key in EXPLAINED}
    plan = collection.database.command("explain", asked, verbosity="executionStats")
    stages: list[str] = []
    counts = {"totalKeysExamined": 0, "totalDocsExamined": 0}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "stage" in node:
                stages.append(" ".join([node["stage"], node.get("indexName", "")]).strip())
            for key, value in node.items():
                if key in counts:
                    counts[key] += value
                if key not in ("rejectedPlans", "executionStages"):
                    walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(plan)
    return stages, counts["totalKeysExamined"], counts["totalDocsExamined"]


@pytest.fixture
def filled(persister: Any, collection: Any, commands: Commands) -> Any:
    """Five applications of six steps in each of two partitions, and some of another library."""
    for partition in (None, "p"):
        for n in range(6):
            for app in range(5):
                put(persister, f"a{app}", n, partition)
    for app in range(3):
        older(collection, f"old{app}", 0, "elsewhere")
    commands.taken()
    return persister


@pytest.mark.parametrize("partition", [None, "p"])
@pytest.mark.parametrize("call", CALLS)
def test_every_question_is_answered_from_an_index(
    filled: Any, collection: Any, commands: Commands, partition: Any, call: str
) -> None:
    CALLS[call](filled, partition)
    (*asked,) = (it for it in commands.taken() if next(iter(it)) in ("find", "aggregate"))
    assert len(asked) == 1
    stages, keys, documents = explained(collection, asked[0])
    used = {stage.partition(" ")[2] for stage in stages} - {""}
    expected = {
        "at a sequence": {"ps_latest"},
        "latest": {"ps_latest"},
        "latest of partition": {"ps_order", "ps_foreign"},
        "first": {"ps_order", "ps_foreign"},
        "all": {"ps_apps", "ps_foreign"},
        "partitions": {"ps_key"},
        "first partitions": {"ps_key"},
        "conflicting": {"ps_key"},
    }
    assert used == expected[call]
    assert not {stage.partition(" ")[0] for stage in stages} & {"COLLSCAN", "SORT"}
    if "partitions" in call:  # of both libraries, one key each
        assert stages == ["PROJECTION_COVERED", "DISTINCT_SCAN ps_key"] and keys <= 4
    elif call == "all":
        assert "DISTINCT_SCAN ps_apps" in stages and "PROJECTION_COVERED" in stages
    elif call == "first":
        assert "PROJECTION_COVERED" in stages and documents == 0
    else:
        assert documents <= 1 and keys <= 4


def test_no_value_changes_the_meaning_of_a_filter(persister: Any) -> None:
    """Only texts and integers come into a filter."""
    put(persister, "app")
    for wrong in ({"$ne": None}, {"$gt": ""}, ["app"], re.compile("."), 1):
        for partition, app_id in ((wrong, "app"), ("p", wrong)):
            with pytest.raises(TypeError):
                persister.load(partition, app_id)
            with pytest.raises(TypeError):
                put(persister, app_id, partition=partition)
        with pytest.raises(TypeError):
            persister.list_app_ids(wrong)
    assert persister.load("p", "$ne") is None
    assert persister.list_app_ids("$where") == []


@pytest.mark.parametrize("partition", [None, "p"])
def test_a_collection_that_takes_no_heed_of_case(
    persister: Any, collection: Any, commands: Commands, partition: Any
) -> None:
    """What its owner wants of texts is not for keys: other letters, another application."""
    collection.database.create_collection(
        collection.name, collation={"locale": "en", "strength": 2}
    )
    for app in ("app", "APP"):
        put(persister, app, 1, partition)
        persister.save(partition, app, 1, "STEP", State({"app": app}), "completed")
    for app in ("app", "APP"):
        assert persister.load(partition, app, 1)["state"]["app"] == app
        assert persister.load(partition, app)["state"]["app"] == app
    assert persister.load(partition, "App") is None
    for limit in (None, 2):
        assert persister.list_app_ids(partition, limit=limit) == ["APP", "app"]
    assert persister.list_app_ids("P") == [] and persister.load("P", None) is None
    with MongoDBBasePersister(collection.database.client, *of(collection)) as another:
        assert another.is_initialized()


# Collections that another library began


def test_a_collection_of_another_library_is_continued(persister: Any, collection: Any) -> None:
    older(collection, "app", 0)
    older(collection, "app", 1)
    older(collection, "app", 0, None)
    before = list(collection.find(sort=[("_id", 1)]))
    put(persister, "app", 2)
    assert persister.load("p", "app")["sequence_id"] == 2
    record = persister.load("p", "app", 1)
    assert dict(record["state"]) == {"n": 1, "text": "\u00e9"}
    assert record["created_at"].endswith("+00:00") and record["status"] == "completed"
    for default in (None, ""):
        assert persister.load(default, "app")["partition_key"] == ""
        assert persister.list_app_ids(default) == ["app"]
    assert list(collection.find({"write_number": None}, sort=[("_id", 1)])) == before
    # And the other library goes on, with what it always asks.
    older(collection, "app", 3)
    last = collection.find_one({"partition_key": "p", "app_id": "app"}, sort=[("sequence_id", -1)])
    assert last["sequence_id"] == 3
    assert persister.load("p", "app")["sequence_id"] == 3


@pytest.mark.parametrize("partition", [None, "p"])
def test_saving_over_a_document_of_another_library(
    persister: Any, collection: Any, partition: Any
) -> None:
    older(collection, "app", 0, partition)
    before = list(collection.find())
    same = State({"text": "\u00e9", "n": 0})
    persister.save(partition, "app", 0, "step", same, "completed")
    with pytest.raises(StateConflictError):
        put(persister, "app", 0, partition)
    with pytest.raises(StateConflictError):
        persister.save(partition, "app", 0, "step", same, "failed")
    assert list(collection.find()) == before


@pytest.mark.parametrize("partition", [None, "p"])
def test_the_newest_of_a_continued_collection(
    persister: Any, collection: Any, commands: Commands, partition: Any
) -> None:
    """What the other library has left there, however much, is not read again for every list."""
    for n in range(50):
        older(collection, f"old{n}", 0, partition)
    for app in ("a", "b", "c"):
        put(persister, app, 0, partition)
    commands.taken()
    assert persister.list_app_ids(partition, limit=2) == ["c", "b"]
    asked = commands.taken()
    assert names(asked) == ["aggregate", "find"]
    for command in asked:
        stages, keys, documents = explained(collection, command)
        assert keys + documents < 15 and not {"COLLSCAN", "SORT"} & set(stages)
    assert persister.list_app_ids(partition, limit=4) == ["c", "b", "a", "old49"]


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 10])
@pytest.mark.parametrize("partition", [None, "p"])
def test_both_libraries_write_in_turn(
    persister: Any, collection: Any, partition: Any, limit: int | None
) -> None:
    saved: list[str] = []
    for n, app in enumerate(["a", "b", "c", "a", "d", "b", "e", "c"]):
        if n % 2:
            put(persister, app, n, partition)
        else:
            older(collection, app, n, partition)
        saved.append(app)
        newest = list(dict.fromkeys(reversed(saved)))
        assert persister.list_app_ids(partition, limit=limit) == newest[:limit]
        record = persister.load(partition, None)
        assert (record["app_id"], record["sequence_id"]) == (app, n)


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 10])
async def test_a_continued_collection_in_coroutines(
    persister: Any, collection: Any, mongodb_place: MongoPlace, limit: int | None
) -> None:
    """Each of the ways to list it: with the last saved of either library at the beginning."""
    values = (mongodb_place.url, collection.database.name, collection.name)
    async with AsyncMongoDBBasePersister.from_values(*values) as same:
        for n, save in enumerate([older, put, older, put, put]):
            save(collection if save is older else persister, f"a{n}", n)
            newest = [f"a{it}" for it in range(n, -1, -1)]
            assert await same.list_app_ids("p", limit=limit) == newest[:limit]
            assert (await same.load("p", None))["app_id"] == newest[0]


def test_partitions_of_both_libraries(persister: Any, collection: Any) -> None:
    for number, partition in enumerate(["z", None, "", "b", "b"]):
        older(collection, "app", number, partition)
    collection.insert_one({"partition_key": 7, "app_id": "app", "sequence_id": 0, "position": "x"})
    for partition in ("a", "b", None):
        put(persister, "app", 9, partition)
    assert persister.list_partition_keys() == ["", "a", "b", "z"]
    for limit in (1, 2):
        assert persister.list_partition_keys(limit=limit) == ["", "a", "b", "z"][:limit]


@pytest.mark.parametrize("limit", [None, 1, 3])
def test_what_is_no_record_has_no_application(persister: Any, collection: Any, limit: Any) -> None:
    """Documents of a program that keeps something else there: a list is one of texts."""
    others = [{"hello": 1}, {"app_id": 7, "created_at": "2999"}, {"app_id": {"a": 1}}]
    collection.insert_many([{"partition_key": "p", **it} for it in others])
    older(collection, "app 0", 0, "p")
    persister.save("p", "ours", 0, "step", State({}), "completed")
    assert persister.list_app_ids("p", limit=limit) == ["ours", "app 0"][:limit]


OTHERS: dict[str, dict[str, Any]] = {
    "nothing of ours": {"hello": 1, "created_at": datetime(2999, 1, 1, tzinfo=UTC)},
    "a text for its time": {"created_at": "2999-01-01T00:00:00.000000+00:00", "n": 1},
    "a number for its app": {"app_id": 7, "created_at": "2999"},
    "in another partition": {"partition_key": "p", "created_at": datetime(2999, 1, 1, tzinfo=UTC)},
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("first", [None, "ours", "older"])
def test_what_is_no_record_is_no_latest(
    persister: Any, collection: Any, other: str, first: str | None
) -> None:
    """Whatever it says about its time: `initialize()` takes the collection, and loads work."""
    document = OTHERS[other]
    partition = document.get("partition_key", "")
    collection.insert_one(dict(document))
    persister.initialize()
    assert persister.load(partition, None) is None
    assert persister.list_app_ids(partition) == []
    if first == "ours":
        persister.save(partition, "app", 3, "step", State({}), "completed")
    elif first == "older":
        older(collection, "app", 3, partition or None)
    if first is not None:
        assert persister.load(partition, None)["sequence_id"] == 3
        assert persister.list_app_ids(partition) == ["app"]
    assert collection.count_documents(document) == 1


def test_several_documents_that_are_no_records(persister: Any, collection: Any) -> None:
    """They would all have the same key; the message does not send their owner to delete them."""
    collection.insert_many([{"n": 1}, {"n": 2}])
    with pytest.raises(StoreVersionError, match="another program's, give another collection_name"):
        persister.initialize()
    assert persister.load(None, None) is None
    assert collection.count_documents({}) == 2


def test_an_empty_text_for_the_partition(persister: Any, collection: Any) -> None:
    """Another library may have stored the default partition so; then it is one with null."""
    older(collection, "app", 0, "")
    put(persister, "app", 1, None)
    assert persister.list_app_ids(None) == ["app"]
    assert persister.load(None, "app", 0)["partition_key"] == ""
    persister.save(None, "app", 0, "step", State({"n": 0, "text": "\u00e9"}), "completed")
    with pytest.raises(StateConflictError):
        put(persister, "app", 0, None)
    assert collection.count_documents({}) == 2


@pytest.mark.parametrize("twins", [("p", "p"), (None, None), (None, ""), ("", None)])
@pytest.mark.parametrize("colour", ["sync", "async"])
async def test_two_documents_of_one_key(
    collection: Any, mongodb_place: MongoPlace, twins: tuple[Any, Any], colour: str
) -> None:
    """Nothing is deleted and nothing saved; what is there can be read."""
    for partition in twins:
        older(collection, "app", 4, partition)
    older(collection, "other", 4, "p")
    before = list(collection.find())
    values = (mongodb_place.url, collection.database.name, collection.name)
    if colour == "sync":
        persister: Any = MongoDBBasePersister.from_values(*values)
        calls = [persister.initialize, lambda: put(persister, "app", 5)]
        for call in calls:
            with pytest.raises(StoreVersionError) as caught:
                call()
        assert not persister.is_initialized()
        assert persister.load(twins[0], "app")["sequence_id"] == 4
        assert "app" in persister.list_app_ids(twins[0])
        persister.cleanup()
    else:
        async with AsyncMongoDBBasePersister.from_values(*values) as persister:
            with pytest.raises(StoreVersionError) as caught:
                await persister.initialize()
            assert not await persister.is_initialized()
            assert (await persister.load(twins[0], "app"))["sequence_id"] == 4
            assert "app" in await persister.list_app_ids(twins[0])
    for word in ("app_id 'app'", "sequence_id 4", "position 'step'", "2 documents", "delete"):
        assert word in str(caught.value)
    assert list(collection.find()) == before
    collection.delete_one({"app_id": "app"})
    with MongoDBBasePersister.from_values(*values) as persister:
        persister.initialize()
        put(persister, "app", 5)
        assert persister.is_initialized()


DAMAGE: dict[str, dict[str, Any]] = {
    "no json": {"state": "{"},
    "a document": {"state": {"n": 1}},
    "no object": {"state": "[1]"},
    "no state": {"state": None},
    "no time": {"created_at": None},
    "another time": {"created_at": "yesterday"},
    "no status": {"status": None},
    "bytes for a status": {"status": b"\0"},
    "a number for a position": {"position": 5},
    "bytes for a position": {"position": b"step"},
    "a fraction": {"sequence_id": 1.5},
    "negative": {"sequence_id": -1},
    "another codec": {"codec": 99},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_document_is_named_and_kept(persister: Any, collection: Any, damage: str) -> None:
    older(collection, "app", 1, **DAMAGE[damage])
    before = list(collection.find())
    with pytest.raises(CorruptStateError, match="'app'"):
        persister.load("p", "app")
    assert persister.list_app_ids("p") == ["app"]
    assert list(collection.find()) == before


def test_an_index_of_the_users_own_is_taken(persister: Any, collection: Any) -> None:
    """The same index under another name does the same."""
    keys = list(INDEXES["ps_key"].items())
    collection.create_index(keys, name="mine", unique=True)
    put(persister, "app")
    with pytest.raises(StateConflictError):
        persister.save("p", "app", 0, "step", State({"n": "other"}), "completed")
    assert "ps_key" not in {it["name"] for it in collection.list_indexes()}
    assert persister.is_initialized()


def test_an_index_that_stands_in_the_way(persister: Any, collection: Any) -> None:
    collection.create_index(list(INDEXES["ps_key"].items()), name="ps_key")
    with pytest.raises(StoreVersionError, match="drop it"):
        put(persister, "app")
    assert collection.count_documents({}) == 0


def test_a_unique_index_of_somebody_else(persister: Any, collection: Any) -> None:
    """It is no conflict of states."""
    collection.create_index([("status", pymongo.ASCENDING)], unique=True)
    put(persister, "app", 0)
    with pytest.raises(Exception, match="refused") as caught:
        put(persister, "app", 1)
    assert not isinstance(caught.value, StateConflictError)
    assert persister.load("p", "app")["sequence_id"] == 0
