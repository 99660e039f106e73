"""What each generation left in MongoDB, Redis and SQLite is opened, read and gone on with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

import persistry
from persistry._formats.sqlite import FORMAT as sqlite_format
from persistry.b_pymongo import _FORMAT
from persistry.b_redis import _GENERATION
from tests import golden_stores as golden
from tests.bad_input import Calls, Run, runner
from tests.servers import RedisServer
from tests.stores.mongodb import MongoPlace

run = pytest.fixture(runner)
DB = "persistry_test_golden"


def of(backend: str) -> Any:
    return pytest.mark.parametrize("path", golden.paths(backend), ids=lambda path: path.stem)


@pytest.fixture
def collection(mongodb_place: MongoPlace) -> Iterator[Any]:
    yield mongodb_place.client[DB][golden.NAME]
    mongodb_place.client.drop_database(DB)


@pytest.fixture
def client(redis_place: object) -> Iterator[redis.Redis]:
    with RedisServer() as server, redis.Redis(*server.address) as client:
        yield client


@pytest.fixture(params=["", "Async"], ids=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@of("mongodb")
@pytest.mark.parametrize("by", ["initialize", "the first save"])
def test_mongodb(
    path: Path, by: str, colour: str, collection: Any, mongodb_place: MongoPlace, run: Run
) -> None:
    golden.restore_mongodb(path, collection)
    before = list(collection.find())
    cls = getattr(persistry, f"{colour}MongoDBBasePersister")
    persister = Calls(run(cls.from_values(mongodb_place.url, DB, golden.NAME)), run)
    is_current = golden.generation_of(path) == _FORMAT.generation
    assert persister.is_initialized() is is_current
    assert bool(persister.pending_migrations()) is not is_current
    if by == "initialize":
        persister.initialize()
        assert persister.is_initialized() and persister.pending_migrations() == []
    golden.check(persister, golden.records_of(path))
    assert persister.is_initialized() and persister.pending_migrations() == []
    assert [it for it in collection.find() if it in before] == before
    persister.cleanup()


@of("redis")
def test_redis(path: Path, colour: str, client: redis.Redis, run: Run) -> None:
    golden.restore_redis(path, client)
    before = {key: client.dump(key) for key in client.scan_iter(match="*:r:*")}
    cls = getattr(persistry, f"{colour}RedisBasePersister")
    where = client.connection_pool.connection_kwargs
    opening = cls.from_values(where["host"], where["port"], 0, namespace=golden.NAME)
    persister = Calls(run(opening), run)
    assert persister.pending_migrations() == []
    golden.check(persister, golden.records_of(path))
    assert {key: client.dump(key) for key in before} == before
    persister.cleanup()


ROWS = "SELECT rowid, partition_key, app_id, sequence_id, position, status, state, created_at"


@of("sqlite")
def test_sqlite(path: Path, colour: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "golden.db"
    golden.restore_sqlite(path, file)

    def rows() -> list[Any]:
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute(f"{ROWS} FROM {golden.NAME}").fetchall()

    before = rows()
    cls = getattr(persistry, f"{colour}SQLitePersister")
    persister = Calls(run(cls.from_values(str(file), golden.NAME)), run)
    is_current = golden.generation_of(path) == sqlite_format.generation
    assert persister.is_initialized() is is_current
    assert bool(persister.pending_migrations()) is not is_current
    persister.initialize()
    assert persister.is_initialized() and persister.pending_migrations() == []
    golden.check(persister, golden.records_of(path))
    assert rows()[: len(before)] == before
    persister.cleanup()


def test_a_table_of_generation_1_that_does_not_say_so(
    colour: str, tmp_path: Path, run: Run
) -> None:
    """As they were made before generations were written down."""
    file = tmp_path / "golden.db"
    golden.restore_sqlite(golden.FOLDER / "sqlite" / "generation_1.sql", file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"DROP VIEW {golden.NAME}_generation")
    cls = getattr(persistry, f"{colour}SQLitePersister")
    persister = Calls(run(cls.from_values(str(file), golden.NAME)), run)
    assert persister.is_initialized() and persister.pending_migrations() == []
    golden.check(persister, golden.RECORDS)
    persister.cleanup()


def test_each_generation_is_recorded() -> None:
    """Before a new one is released: `python -m tests.golden_stores <backend>`."""
    for backend, first, last in (
        ("mongodb", 0, _FORMAT.generation),
        ("redis", 1, _GENERATION),
        ("sqlite", 0, sqlite_format.generation),
    ):
        found = [golden.generation_of(path) for path in golden.paths(backend)]
        assert found == list(range(first, last + 1)), backend


def test_what_is_recorded_is_what_is_stored(client: redis.Redis, collection: Any) -> None:
    """The last recording and this version's store differ in times alone, or it is not the last."""
    persister: Any = persistry.RedisBasePersister(client, namespace=golden.NAME)
    for record in golden.RECORDS:
        record.save(persister)
    stored = [json.loads(line) for line in golden.redis_lines(client)]
    recorded = [json.loads(line) for line in golden.paths("redis")[-1].read_text().splitlines()]
    assert [words[:2] for words in stored] == [words[:2] for words in recorded]
    for words, before in zip(stored, recorded, strict=True):
        if ":r:" in words[1]:  # a record, with its time behind the first two letters
            words[2], before[2] = words[2][28:], before[2][28:]
        assert sorted(words[2:]) == sorted(before[2:])
    persister = persistry.MongoDBBasePersister(collection.database.client, DB, golden.NAME)
    for record in golden.RECORDS:
        record.save(persister)
    lines = golden.paths("mongodb")[-1].read_text().splitlines()
    assert without_times(golden.mongodb_lines(collection)) == without_times(lines)


def without_times(lines: Any) -> list[Any]:
    found = [json.loads(line) for line in lines]
    for line in found:
        for name in ("created_at", "write_number"):
            line.get("document", {}).pop(name, None)
    return sorted(found, key=json.dumps)
