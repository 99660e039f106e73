"""What MariaDB stores, and by which ways it finds it: tables, indexes, rows read, statements."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest

from persistry import MariaDBPersister, State, b_aiomysql, b_pymysql
from tests.stores.mariadb import MariaDBPlace

ROWS = 100_000
COLUMNS = [
    ("write_number", "bigint(20) unsigned", "NO", "auto_increment"),
    ("partition_key", "varbinary(512)", "NO", ""),
    ("app_id", "varbinary(512)", "NO", ""),
    ("sequence_id", "bigint(20)", "NO", ""),
    ("position", "varbinary(512)", "NO", ""),
    ("status", "varbinary(512)", "NO", ""),
    ("state", "longblob", "NO", ""),
    ("created_at", "datetime(6)", "NO", ""),
    ("codec", "tinyint(4)", "YES", ""),
]
INDEXES = {
    ("PRIMARY", 0): ["write_number"],
    ("partition_key", 0): ["partition_key", "app_id", "sequence_id", "position"],
    ("ps_order", 1): ["partition_key", "write_number"],
    ("ps_apps", 1): ["partition_key", "app_id", "write_number"],
}


@pytest.fixture(scope="module")
def connection(mariadb_place: MariaDBPlace) -> Iterator[Any]:
    """A connection in a database that nobody else uses."""
    name = f"persistry_format_{secrets.token_hex(4)}"
    with closing(mariadb_place.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit(True)
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"USE {name}")
        try:
            yield connection
        finally:
            cursor.execute(f"DROP DATABASE {name}")


def asked(connection: Any, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())


def counted(connection: Any, name: str) -> int:
    """What the server has counted for this session, by the beginning of the counter's name."""
    found = asked(connection, "SHOW SESSION STATUS LIKE %s", f"{name}%")
    return sum(int(value) for _, value in found)


def test_the_table(connection: Any) -> None:
    MariaDBPersister(connection).initialize()
    here = "table_schema = database() AND table_name = 'burr_state'"
    columns = "SELECT column_name, column_type, is_nullable, extra FROM information_schema.columns"
    assert asked(connection, f"{columns} WHERE {here} ORDER BY ordinal_position") == COLUMNS
    indexes: dict[tuple[str, int], list[str]] = {}
    for name, other, column in asked(
        connection,
        "SELECT index_name, non_unique, column_name FROM information_schema.statistics"
        f" WHERE {here} ORDER BY index_name, seq_in_index",
    ):
        indexes.setdefault((name, other), []).append(column)
    assert indexes == INDEXES
    table = asked(connection, f"SELECT engine FROM information_schema.tables WHERE {here}")
    assert table == [("InnoDB",)]


def test_a_row(connection: Any) -> None:
    persister = MariaDBPersister(connection, table_name="one")
    persister.initialize()
    persister.save(None, "ä", 2**63 - 1, "☃", State({"text": "ü\0𝄞"}), "")
    found = asked(connection, "SELECT * FROM one, (SELECT utc_timestamp(6)) AS t")
    ((number, partition, app, step, position, status, state, saved, codec, now),) = found
    assert (number, step, codec) == (1, 2**63 - 1, 0)
    assert (partition, app, position, status) == (b"", "ä".encode(), "☃".encode(), b"")
    assert state == '{"text":"ü\\u0000𝄞"}'.encode()
    assert 0 <= (now - saved).total_seconds() < 60


def test_a_save_is_one_statement(connection: Any) -> None:
    persister = MariaDBPersister(connection, table_name="statements")
    persister.initialize()
    persister.save("p", "app", 0, "step", State({"n": 0}), "completed")
    before = counted(connection, "Questions")
    persister.save("p", "app", 1, "step", State({"n": 1}), "completed")
    # One asks for the number. A connection that was handed in is committed first, as its owner may
    # have begun something; one that was opened here is not.
    assert counted(connection, "Questions") - before <= 3
    assert counted(connection, "Com_insert") >= 2


def test_nothing_is_created_where_everything_is_there(connection: Any) -> None:
    MariaDBPersister(connection, table_name="there").initialize()
    before = counted(connection, "Com_create_table"), counted(connection, "Com_alter_table")
    MariaDBPersister(connection, table_name="there").initialize()
    assert before == (counted(connection, "Com_create_table"), counted(connection, "Com_alter"))


# Three partitions of ROWS records each: few applications of many steps, some, and one a record.
PARTITIONS = {"few": 10, "some": 1000}


@pytest.fixture(scope="module")
def full(connection: Any) -> Any:
    with connection.cursor() as cursor:
        MariaDBPersister(connection, table_name="full").initialize()
        for partition, apps in PARTITIONS.items():
            cursor.execute(
                "INSERT INTO full (partition_key, app_id, sequence_id, position, status, state,"
                " codec) SELECT %s, CONCAT('app-', seq MOD %s), seq DIV %s, 'step', 'completed',"
                f" '{{}}', 0 FROM seq_0_to_{ROWS - 1}",
                (partition, apps, apps),
            )
        cursor.execute("ANALYZE TABLE full")
        cursor.fetchall()
    return connection


def rows_read(connection: Any, sql: str, *values: Any) -> tuple[list[Any], int]:
    before = counted(connection, "Handler_read")
    found = asked(connection, sql.format_map({"table": "full"}), *values)
    return found, counted(connection, "Handler_read") - before


@pytest.mark.parametrize("partition", PARTITIONS)
def test_loads_read_a_handful_of_rows(full: Any, partition: str) -> None:
    persister = MariaDBPersister(full, table_name="full")
    apps = PARTITIONS[partition]
    last = ROWS // apps - 1
    overhead = rows_read(full, "SELECT 1")[1]
    for sql, values, step in (
        (b_pymysql._LOAD_LATEST, (partition, "app-7") * 2, last),
        (b_pymysql._LOAD_AT_SEQUENCE, (partition, "app-7", 3), 3),
        (b_pymysql._LOAD_LATEST_OF_PARTITION, (partition,), last),
        (b_pymysql._LOAD_LATEST, (partition, "app-x") * 2, None),
        (b_pymysql._LOAD_LATEST_OF_PARTITION, ("nobody",), None),
    ):
        found, read = rows_read(full, sql, *values)
        assert [row[1] for row in found] == ([] if step is None else [step])
        assert read - overhead <= 12, sql
    record = persister.load(partition, "app-7")
    assert record is not None and record["sequence_id"] == last
    found, read = rows_read(full, b_pymysql._SAVE_CONFLICTING, partition, "app-7", 3, "step")
    assert len(found) == 1 and read - overhead <= 4


@pytest.mark.parametrize("partition", PARTITIONS)
def test_lists_skip_from_application_to_application(full: Any, partition: str) -> None:
    apps = PARTITIONS[partition]
    overhead = rows_read(full, "SELECT 1")[1]
    for limit, expected in ((2**63 - 1, apps), (3, 3), (0, 0)):
        found, read = rows_read(full, b_pymysql._LIST_APP_IDS_NEWEST, partition, limit)
        assert len(found) == expected
        assert read - overhead <= 6 * apps + 12
        # Each step was saved in the order of the applications, so the last one is the newest.
        assert found[:3] == [(f"app-{apps - n}".encode(),) for n in (1, 2, 3)][:expected]


def test_both_colours_say_the_same() -> None:
    assert b_pymysql._STATEMENTS == b_aiomysql._STATEMENTS
    assert b_pymysql.FORMAT is b_aiomysql.FORMAT


def test_a_name_of_an_index_is_part_of_the_format(connection: Any) -> None:
    """`initialize()` knows a table of ours by them; MySQL names a unique key after its column."""
    MariaDBPersister(connection, table_name="known").initialize()
    with pytest.raises(pymysql.Error):
        asked(connection, "SELECT 1 FROM known USE INDEX (no_such_index)")
    names = ", ".join(name for name, _ in INDEXES)
    assert asked(connection, f"SELECT 1 FROM known USE INDEX ({names}) LIMIT 0") == []
