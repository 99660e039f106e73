"""Stores as they were left by each generation: `tests/golden/stores/`, and what they hold.

`python -m tests.golden_stores mongodb` (or mariadb, redis, sqlcipher, sqlite) records the store of
this generation, if there is none yet; what is recorded is never written anew: somebody has data
that looks like it. `tests/test_postgresql_golden.py` says how PostgreSQL's was recorded.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
import redis
from bson import json_util
from bson.timestamp import Timestamp

from persistry import (
    MariaDBPersister,
    MongoDBBasePersister,
    RedisBasePersister,
    SQLCipherPersister,
    SQLitePersister,
    State,
    StateConflictError,
    b_pymongo,
    b_redis,
)
from persistry._formats import mariadb, sqlcipher, sqlite
from tests.servers import MariaDBServer, MongoServer, RedisServer
from tests.stores.mariadb import MariaDBPlace

FOLDER = Path(__file__).parent / "golden" / "stores"
# Of the namespace, the collection or the table.
NAME = "golden"
# Of SQLCipher's file; a key is derived from it, as from what users think of.
PASSPHRASE = "a passphrase"
# The generation that each backend has now.
GENERATIONS = {
    "mariadb": mariadb.FORMAT.generation,
    "mongodb": b_pymongo._FORMAT.generation,
    "redis": b_redis._GENERATION,
    "sqlcipher": sqlcipher.FORMAT.generation,
    "sqlite": sqlite.FORMAT.generation,
}


class Record(NamedTuple):
    partition_key: str | None
    app_id: str
    sequence_id: int
    position: str
    state: dict[str, Any]
    status: str

    def save(self, persister: Any, **state: Any) -> Any:
        """As it is, or with a state that differs."""
        return persister.save(*self[:4], State({**self.state, **state}), self.status)


# What another library can hold as well, saved in this order; and what a store of ours holds.
PLAIN = [
    Record(
        "alice", "chat-1", 0, "ask", {"text": "caf\u00e9", "n": [1, 2.5, None, True]}, "completed"
    ),
    Record("alice", "chat-1", 2, "think", {"text": "why?"}, "failed"),
    Record("alice", "a:b{%}", 7, "step", {"empty": {}, "list": []}, "completed"),
    Record(None, "chat-1", 1, "ask", {"of": "the default partition"}, "completed"),
    Record("alice", "chat-1", 1, "ask", {"text": "late"}, "completed"),
]
RECORDS = [
    *PLAIN,
    Record("bob", "chat-2", 2**53 + 1, "end", {"text": "\0 \ud83d", "x": float("inf")}, "odd"),
    Record("alice", "chat-1", 2, "write", {"at": datetime(2026, 11, 22, tzinfo=UTC)}, "completed"),
]


def paths(backend: str) -> list[Path]:
    return sorted((FOLDER / backend).iterdir())


def generation_of(path: Path) -> int:
    return int(path.stem.removeprefix("generation_"))


def records_of(path: Path) -> list[Record]:
    """Generation 0 is another library's."""
    return RECORDS if generation_of(path) else PLAIN


def check(persister: Any, records: list[Record]) -> None:
    """All is found as it was saved, saving it again changes nothing, and the store goes on."""
    partitions = {it.partition_key or "" for it in records}
    assert persister.list_partition_keys() == sorted(partitions)
    for partition in partitions:
        of_it = [it for it in records if (it.partition_key or "") == partition]
        apps = list(dict.fromkeys(it.app_id for it in reversed(of_it)))
        assert persister.list_app_ids(partition) == apps
        check_is(persister.load(partition, None), of_it[-1])
        for app in apps:
            steps = {it.sequence_id: it for it in of_it if it.app_id == app}  # the last of each
            check_is(persister.load(partition, app), steps[max(steps)])
            for number, record in steps.items():
                check_is(persister.load(partition, app, number), record)
    for record in records:
        record.save(persister)
        with pytest.raises(StateConflictError):
            record.save(persister, another="state")
    assert persister.list_app_ids("alice") == ["chat-1", "a:b{%}"]
    Record("alice", "a:b{%}", 8, "step", {"new": 1}, "completed").save(persister)
    assert persister.load("alice", None)["state"] == State({"new": 1})
    assert persister.list_app_ids("alice") == ["a:b{%}", "chat-1"]


def check_is(found: Any, record: Record) -> None:
    assert found is not None
    names = ("app_id", "sequence_id", "position", "state", "status")
    assert tuple(found[it] for it in names) == (*record[1:4], State(record.state), record.status)


# A file is JSON lines: of MongoDB, {"index": ...} and {"document": ...}, extended JSON; of Redis,
# commands. Of SQLite and MariaDB it is a dump, and generation 0 is what Apache Burr's statements
# made. Of SQLCipher it is the encrypted file itself.


def sqlite_lines(path: str | Path) -> Iterator[str]:
    with closing(sqlite3.connect(path)) as connection:
        yield from connection.iterdump()


def restore_sqlite(path: Path, to: Path) -> None:
    with closing(sqlite3.connect(to)) as connection:
        connection.executescript(path.read_text())


def mariadb_lines(connection: Any) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW CREATE TABLE {NAME}")
        # A server has its own character set and collation, which no column has.
        made = re.sub(r" DEFAULT CHARSET=\w+( COLLATE=\w+)?", "", cursor.fetchone()[1])
        made = re.sub(r"DEFAULT (utc_timestamp\(6\))", r"DEFAULT (\1)", made)  # as MySQL wants it
        yield f"{made};"
        cursor.execute(f"SELECT * FROM {NAME} ORDER BY write_number")
        for row in cursor.fetchall():
            texts = (it.decode() if isinstance(it, bytes) else it for it in row)
            yield f"INSERT INTO {NAME} VALUES ({', '.join(map(connection.escape, texts))});"


def restore_mariadb(path: Path, connection: Any) -> None:
    with connection.cursor() as cursor:
        for statement in path.read_text().rstrip(";\n").split(";\n"):
            cursor.execute(statement)
    connection.commit()


def mongodb_lines(collection: Any) -> Iterator[str]:
    for index in collection.list_indexes():
        if index["name"] != "_id_":
            index = {key: it for key, it in index.items() if key != "v"}
            yield json_util.dumps({"index": index}, json_options=json_util.CANONICAL_JSON_OPTIONS)
    for document in collection.find(sort=[("$natural", 1)]):
        # Long ago, so that no clock of a machine that runs the tests is behind.
        document["created_at"] = f"2020{document['created_at'][4:]}"
        if "write_number" in document:
            document["write_number"] = Timestamp(1_600_000_000, document["write_number"].inc)
        line = {"document": document}
        yield json_util.dumps(line, json_options=json_util.CANONICAL_JSON_OPTIONS)


def restore_mongodb(path: Path, collection: Any) -> None:
    lines = [json_util.loads(line) for line in path.read_text().splitlines()]
    collection.insert_many([it["document"] for it in lines if "document" in it])
    indexes = [it["index"] for it in lines if "index" in it]
    if indexes:
        collection.database.command("createIndexes", collection.name, indexes=indexes)


def redis_lines(client: redis.Redis) -> Iterator[str]:
    commands: list[list[Any]] = []
    for key in sorted(client.scan_iter(match=f"{{{NAME}:*")):
        match client.type(key):
            case b"string":
                commands.append(["SET", key, client.get(key)])
            case b"hash":
                every: Any = client.hgetall(key)
                commands.append(["HSET", key, *(it for pair in every.items() for it in pair)])
            case b"zset":
                scored: Any = client.zrange(key, 0, -1, withscores=True)
                commands.append(["ZADD", key, *(it for at, n in scored for it in (f"{n:.0f}", at))])
    for words in commands:
        yield json.dumps([it if isinstance(it, str) else it.decode() for it in words])


def restore_redis(path: Path, client: redis.Redis) -> None:
    for line in path.read_text().splitlines():
        client.execute_command(*json.loads(line))


def filled(persister: Any) -> Any:
    """The persister, after it has saved all records."""
    persister.initialize()
    for it in RECORDS:
        it.save(persister)
    return persister


def record_mariadb(to: Path) -> None:
    with MariaDBServer() as server, closing(MariaDBPlace.on(server).connect()) as connection:
        filled(MariaDBPersister(connection, NAME))
        write(to, mariadb_lines(connection))


def record_mongodb(to: Path) -> None:
    with MongoServer() as server, server.client() as client:
        write(to, mongodb_lines(filled(MongoDBBasePersister(client, NAME, NAME)).collection))


def record_redis(to: Path) -> None:
    with RedisServer() as server, redis.Redis(*server.address) as client:
        filled(RedisBasePersister(client, namespace=NAME))
        write(to, redis_lines(client))


def record_sqlcipher(to: Path) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "golden.db")
        with SQLCipherPersister.from_values(str(path), PASSPHRASE, NAME) as persister:
            filled(persister)
        shutil.copy(path, to)


def record_sqlite(to: Path) -> None:
    with TemporaryDirectory() as folder:
        path = str(Path(folder, "golden.db"))
        with SQLitePersister(path, NAME) as persister:
            filled(persister)
        write(to, sqlite_lines(path))


def write(to: Path, lines: Iterable[str]) -> None:
    to.write_text("".join(f"{line}\n" for line in lines))


# Who records a backend's store, and the kind of file.
RECORDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "mariadb": (record_mariadb, "sql"),
    "mongodb": (record_mongodb, "jsonl"),
    "redis": (record_redis, "jsonl"),
    "sqlcipher": (record_sqlcipher, "db"),
    "sqlite": (record_sqlite, "sql"),
}


def main(backend: str) -> None:
    if backend not in RECORDERS:
        raise SystemExit(f"what is recorded here is {', '.join(RECORDERS)}, not {backend!r}")
    recorder, kind = RECORDERS[backend]
    path = FOLDER / backend / f"generation_{GENERATIONS[backend]}.{kind}"
    if path.exists():
        raise SystemExit(f"{path} is recorded already")
    path.parent.mkdir(exist_ok=True)
    recorder(path)


if __name__ == "__main__":
    main(sys.argv[1])
