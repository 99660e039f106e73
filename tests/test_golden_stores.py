"""What each generation left in a store is opened, read and gone on with; PostgreSQL's elsewhere."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis

import persistry
from tests import golden_stores as golden
from tests.bad_input import Calls, Run, runner
from tests.servers import RedisServer
from tests.stores.mariadb import MariaDBPlace
from tests.stores.mongodb import MongoPlace
from tests.stores.sqlcipher import encrypted

run = pytest.fixture(runner)
DB = "persistry_test_golden"
LOCKS = Path(__file__).parents[1] / "spec" / "locks"


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


@pytest.fixture
def mariadb(mariadb_place: MariaDBPlace) -> Iterator[Any]:
    """A connection in a database of its own."""
    name = f"persistry_golden_{secrets.token_hex(4)}"
    with closing(mariadb_place.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit(True)
        cursor.execute(f"CREATE DATABASE {name}")
        connection.select_db(name)
        yield connection
        cursor.execute(f"DROP DATABASE {name}")


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
    is_current = golden.generation_of(path) == golden.GENERATIONS["mongodb"]
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


KEYS = "partition_key, app_id, sequence_id, position, status, state, created_at"


@of("mariadb")
def test_mariadb(
    path: Path, colour: str, mariadb: Any, mariadb_place: MariaDBPlace, run: Run
) -> None:
    golden.restore_mariadb(path, mariadb)

    def asked(sql: str) -> list[Any]:
        with mariadb.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    rows = f"SELECT write_number, {KEYS} FROM {golden.NAME} ORDER BY write_number"
    before = asked(rows)
    ((database,),) = asked("SELECT database()")
    cls = getattr(persistry, f"{colour}MariaDBPersister")
    words = mariadb_place.for_aiomysql if colour else mariadb_place.parts
    words = {**words, "db_name": database, "table_name": golden.NAME}
    goes_on(Calls(run(cls.from_values(**words)), run), "mariadb", path)
    assert asked(rows)[: len(before)] == before


@of("sqlcipher")
def test_sqlcipher(path: Path, tmp_path: Path, run: Run) -> None:
    file = shutil.copy(path, tmp_path / "golden.db")

    def rows() -> list[Any]:
        with closing(encrypted(file, golden.PASSPHRASE)) as connection:
            return connection.execute(f"SELECT rowid, {KEYS} FROM {golden.NAME}").fetchall()

    before = rows()
    opening = persistry.SQLCipherPersister.from_values(str(file), golden.PASSPHRASE, golden.NAME)
    goes_on(Calls(opening, run), "sqlcipher", path)
    assert rows()[: len(before)] == before


def goes_on(persister: Calls, backend: str, path: Path) -> None:
    """`initialize()` has something to do where it is an earlier generation, and not again."""
    is_current = golden.generation_of(path) == golden.GENERATIONS[backend]
    assert persister.is_initialized() is is_current
    assert bool(persister.pending_migrations()) is not is_current
    persister.initialize()
    assert persister.is_initialized() and persister.pending_migrations() == []
    golden.check(persister, golden.records_of(path))
    persister.cleanup()


@of("sqlite")
def test_sqlite(path: Path, colour: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "golden.db"
    golden.restore_sqlite(path, file)

    def rows() -> list[Any]:
        with closing(sqlite3.connect(file)) as connection:
            return connection.execute(f"SELECT rowid, {KEYS} FROM {golden.NAME}").fetchall()

    before = rows()
    cls = getattr(persistry, f"{colour}SQLitePersister")
    goes_on(Calls(run(cls.from_values(str(file), golden.NAME)), run), "sqlite", path)
    assert rows()[: len(before)] == before


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
    locks = {it.name.partition(".")[0]: it.read_text() for it in LOCKS.glob("*.lock.yaml")}
    # In a layout of another library, that library itself writes what the tests go on with.
    own = {backend for backend, lock in locks.items() if "made_by:" not in lock}
    assert own == {*golden.GENERATIONS, "postgresql"}
    for backend, last in golden.GENERATIONS.items():
        first = 0 if backend in ("mongodb", "sqlite") else 1  # that of another library
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


def test_what_is_recorded_of_tables_is_what_is_stored(mariadb: Any, tmp_path: Path) -> None:
    golden.restore_mariadb(golden.paths("mariadb")[-1], mariadb)
    recorded = [TIME.sub("", it) for it in golden.mariadb_lines(mariadb)]
    with mariadb.cursor() as cursor:
        cursor.execute(f"DROP TABLE {golden.NAME}")
    golden.filled(persistry.MariaDBPersister(mariadb, golden.NAME))
    assert [TIME.sub("", it) for it in golden.mariadb_lines(mariadb)] == recorded
    file = golden.paths("sqlcipher")[-1]
    persister = persistry.SQLCipherPersister.from_values(
        new := str(tmp_path / "new.db"), golden.PASSPHRASE, golden.NAME
    )
    golden.filled(persister).cleanup()
    assert content(new) == content(shutil.copy(file, tmp_path))


TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d{6}")


def content(file: str | Path) -> list[Any]:
    """What is in an encrypted file, but for the times."""
    with closing(encrypted(file, golden.PASSPHRASE)) as connection:
        schema = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        rows = connection.execute(f"SELECT * FROM {golden.NAME}").fetchall()
    return [*schema, *([TIME.sub("", str(it)) for it in row] for row in rows)]


def without_times(lines: Any) -> list[Any]:
    found = [json.loads(line) for line in lines]
    for line in found:
        for name in ("created_at", "write_number"):
            line.get("document", {}).pop(name, None)
    return sorted(found, key=json.dumps)
