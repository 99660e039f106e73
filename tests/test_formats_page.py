"""docs/formats.md is true: its commands run on what the persisters wrote, and answer as shown."""

from __future__ import annotations

import json
import math
import re
import secrets
import shlex
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3

import persistry
from persistry import State
from tests.burr_postgresql import Burr
from tests.stores.mariadb import MariaDBPlace
from tests.stores.mongodb import MongoPlace
from tests.stores.postgresql import PostgreSQLPlace
from tests.stores.redis import RedisPlace

PAGE = (Path(__file__).parent.parent / "docs" / "formats.md").read_text(encoding="utf-8")


def commands(language: str, section: str) -> Iterator[tuple[str, list[str]]]:
    """The commands of one section's blocks, each with the lines that it answers."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    blocks = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks, section
    for block in blocks:
        command: list[str] = []
        answer: list[str] = []
        for line in block.splitlines():
            if line.startswith(("# ", "-- ")):
                answer.append(line.partition(" ")[2])
                continue
            if answer:
                yield "\n".join(command), answer
                command, answer = [], []
            command.append(line)
        yield "\n".join(command), answer


def fill(persister: Any) -> None:
    """The records that the page looks at."""
    persister.initialize()
    asked = State({"question": "why?"})
    persister.save("alice", "chat-1", 0, "ask", asked, "completed")
    persister.save("alice", "chat-1", 1, "think", asked, "failed")
    persister.save("alice", "chat-1", 2, "think", asked.update(answer="because"), "completed")
    persister.save("alice", "chat-2", 0, "ask", asked, "completed")
    persister.save("bob", "chat-3", 0, "ask", asked, "completed")


def check_sql(section: str, cursor: Any) -> None:
    for command, answer in commands("sql", section):
        rows: Iterable[Any] = ()
        for statement in command.split(";\n"):
            cursor.execute(statement.removesuffix(";"))
            rows = cursor.fetchall() if cursor.description else ()
        assert ["|".join(map(str, row)) for row in rows] == answer, command


def test_sqlite(tmp_path: Path) -> None:
    path = str(tmp_path / "steps.db")
    with persistry.SQLitePersister(path) as persister:
        fill(persister)
    connection = sqlite3.connect(path, isolation_level=None)
    check_sql("SQLite", connection.cursor())
    connection.close()
    with persistry.SQLitePersister(path) as persister:
        found = persister.load("alice", "chat-1")
        assert found is not None and found["sequence_id"] == 2
        assert persister.load("alice", "chat-1", 0) is None
        assert persister.list_app_ids("alice") == ["chat-2", "chat-1"]


def test_sqlcipher(tmp_path: Path) -> None:
    path = tmp_path / "steps.db"
    with persistry.connect(f"sqlcipher://:secret@/{path}") as persister:
        fill(persister)
    connection = sqlcipher3.connect(str(path), isolation_level=None)
    check_sql("SQLCipher", connection.cursor())
    connection.close()
    with persistry.connect(f"sqlcipher://:another@/{path}") as persister:
        assert persister.load("alice", "chat-1", 0) is None
        assert persister.list_app_ids("alice") == ["chat-2", "chat-1"]


@pytest.fixture
def name() -> str:
    """For a schema, namespace or database that nobody else uses."""
    return f"persistry_formats_{secrets.token_hex(4)}"


def test_postgresql(postgresql_place: PostgreSQLPlace, name: str) -> None:
    connection = postgresql_place.connect()
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"CREATE SCHEMA {name}")
    cursor.execute(f"SET search_path TO {name}")
    try:
        with persistry.PostgreSQLPersister.from_values(
            **postgresql_place.parts, table_name=f"{name}.burr_state"
        ) as persister:
            fill(persister)
            check_sql("PostgreSQL", cursor)
            assert persister.load("alice", "chat-1", 0) is None
            assert persister.list_app_ids("alice") == ["chat-2", "chat-1"]
    finally:
        cursor.execute(f"DROP SCHEMA {name} CASCADE")
        connection.close()


def test_a_table_of_another_library(postgresql_place: PostgreSQLPlace, name: str) -> None:
    connection = postgresql_place.connect()
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute(f"CREATE SCHEMA {name}")
    cursor.execute(f"SET search_path TO {name}")
    try:
        burr = Burr(connection)
        burr.initialize()
        burr.save("chat-1", 0, {"n": 0})
        with persistry.PostgreSQLPersister.from_values(
            **postgresql_place.parts, table_name=f"{name}.burr_state"
        ) as persister:
            persister.initialize()
            persister.save("p", "chat-1", 1, "step", State({"n": -0.0}), "completed")
            persister.save("p", "chat-1", 2, "step", State({"n": math.nan}), "completed")
        check_sql("A table of Apache Burr in PostgreSQL", cursor)
    finally:
        cursor.execute(f"DROP SCHEMA {name} CASCADE")
        connection.close()


def test_mariadb(mariadb_place: MariaDBPlace, name: str) -> None:
    with closing(mariadb_place.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"USE {name}")
        where = {**mariadb_place.parts, "db_name": name}
        try:
            with persistry.MariaDBPersister.from_values(**where) as persister:
                fill(persister)
                check_sql("MariaDB", cursor)
                connection.commit()
                assert persister.load("alice", "chat-1", 0) is None
                assert persister.list_app_ids("alice") == ["chat-2", "chat-1"]
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def test_redis(redis_place: RedisPlace, name: str) -> None:
    with redis_place.client() as client:
        fill(persistry.RedisBasePersister(client, namespace=name))
        for command, answer in commands("redis", "Redis"):
            words = shlex.split(command.replace("{:", f"{{{name}:"))
            reply = client.execute_command(*words)
            lines = reply if isinstance(reply, list) else [reply]
            shown = [line for it in lines for line in it.decode().splitlines()]
            assert shown == answer, command
        client.delete(*client.keys(f"*{name}*"))


def steps_of(database: Any, command: dict[str, Any]) -> set[tuple[str, str]]:
    """By which ways through which indexes the server answers."""
    stages = database.command("explain", command)["stages"]
    chosen = stages[0]["$cursor"]["queryPlanner"]["winningPlan"]
    found = set()
    while chosen:
        if "indexName" in chosen:
            found.add((chosen["stage"], chosen["indexName"]))
        chosen = chosen.get("inputStage") or chosen.get("queryPlan")
    return found


def test_mongodb(mongodb_place: MongoPlace, name: str) -> None:
    database = mongodb_place.client[name]
    with persistry.MongoDBBasePersister.from_values(mongodb_place.url, name) as persister:
        fill(persister)
    try:
        for command, answer in commands("mongodb", "MongoDB"):
            shown = database.command(json.loads(command))["cursor"]["firstBatch"]
            if '"aggregate"' in command:
                assert steps_of(database, json.loads(command)) == {("DISTINCT_SCAN", "ps_apps")}
            if '"listIndexes"' in command:
                shown = [it["name"] for it in shown]
            else:
                shown = [json.dumps(it) for it in shown]
            assert shown == answer, command
    finally:
        mongodb_place.client.drop_database(name)
