"""What stands in a SQLite file, as the sqlite3 module alone reads it, and what it costs."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from persistry import AsyncSQLitePersister, SQLitePersister, State
from persistry.errors import StateConflictError
from tests.bad_input import Calls, Run, runner
from tests.sqlite import CLASSES, Make, colours, initialized, makers, paths

COLUMNS = "partition_key, app_id, sequence_id, position, status, state, created_at, codec"
run = pytest.fixture(runner)
colour = pytest.fixture(params=CLASSES)(colours)
path = pytest.fixture(paths)
make = pytest.fixture(makers)
persister = pytest.fixture(initialized)


def sql(path: Path, *statements: str) -> list[Any]:
    """What another program does to the file; the rows of the last statement."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def ask(calls: Calls, statement: str, run: Run) -> Any:
    """The one value that a query answers on the persister's own connection."""

    async def asked() -> Any:
        connection = calls.persister.connection
        if isinstance(connection, sqlite3.Connection):
            return connection.execute(statement).fetchone()
        async with connection.execute(statement) as cursor:
            return await cursor.fetchone()

    return run(asked())[0]


@pytest.fixture
def handed_in(colour: str, path: Path, run: Run) -> Iterator[tuple[Calls, Any]]:
    """A persister over a connection in autocommit mode, and that connection."""
    if colour == "sync":
        connection: Any = sqlite3.connect(path, isolation_level=None)
        yield Calls(SQLitePersister(str(path), connection=connection), run), connection
    else:
        connection = run(aiosqlite.connect(path, isolation_level=None))
        yield Calls(AsyncSQLitePersister(connection), run), connection
    run(connection.close())


def row(app_id: str, sequence_id: int, partition_key: str = "p") -> str:
    return (
        f"INSERT INTO burr_state ({COLUMNS}) VALUES ('{partition_key}', '{app_id}', {sequence_id},"
        " 'step', 'completed', '{\"n\":1}', '2026-01-02 03:04:05.000006', 0)"
    )


# Durability


class Careless(sqlite3.Connection):
    """As where SQLite was compiled with another default."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute("PRAGMA synchronous = OFF")


def test_an_opened_connection_is_durable(make: Make, path: Path, run: Run) -> None:
    persister = make(connect_kwargs={"factory": Careless})
    persister.initialize()
    assert ask(persister, "PRAGMA synchronous", run) == 2
    assert ask(persister, "PRAGMA journal_mode", run) == "wal"
    assert sql(path, "PRAGMA journal_mode") == [("wal",)]
    again = make(connect_kwargs={"factory": Careless})
    assert again.is_initialized()
    assert ask(again, "PRAGMA synchronous", run) == 2


def test_a_handed_in_connection_keeps_its_modes(
    handed_in: tuple[Calls, Any], path: Path, run: Run
) -> None:
    persister, connection = handed_in
    run(connection.execute("PRAGMA synchronous = NORMAL"))
    persister.initialize()
    persister.put("app", 1, n=1)
    assert ask(persister, "PRAGMA synchronous", run) == 1
    assert ask(persister, "PRAGMA journal_mode", run) == "delete"
    persister.cleanup()
    assert ask(persister, "PRAGMA synchronous", run) == 1
    assert sql(path, "PRAGMA journal_mode") == [("delete",)]


# The stored format


def test_columns_and_keys(persister: Calls, path: Path) -> None:
    assert sql(path, "SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 2") == [
        ("table", "burr_state"),
        ("trigger", "burr_state_deleted"),
        ("view", "burr_state_generation"),
        ("table", "burr_state_heads"),
        ("index", "burr_state_heads_order"),
        ("trigger", "burr_state_saved"),
    ]
    shape = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info'
    assert sql(path, f"{shape}('burr_state')") == [
        ("write_number", "INTEGER", 0, None, 1),
        ("partition_key", "TEXT", 1, "''", 0),
        ("app_id", "TEXT", 1, None, 0),
        ("sequence_id", "INTEGER", 1, None, 0),
        ("position", "TEXT", 1, None, 0),
        ("status", "TEXT", 1, None, 0),
        ("state", "TEXT", 1, None, 0),
        ("created_at", "TIMESTAMP", 0, "CURRENT_TIMESTAMP", 0),
        ("codec", "INTEGER", 0, None, 0),
    ]
    assert sql(path, f"{shape}('burr_state_heads')") == [
        ("partition_key", "TEXT", 1, None, 1),
        ("app_id", "TEXT", 1, None, 2),
        ("last_write", "INTEGER", 1, None, 0),
    ]
    ((unique,),) = sql(path, "SELECT name FROM pragma_index_list('burr_state') WHERE origin = 'u'")
    assert sql(path, f"SELECT name FROM pragma_index_info('{unique}')") == [
        ("partition_key",),
        ("app_id",),
        ("sequence_id",),
        ("position",),
    ]
    assert sql(path, "SELECT name FROM pragma_index_info('burr_state_heads_order')")[:2] == [
        ("partition_key",),
        ("last_write",),
    ]


@pytest.mark.parametrize(
    ("values", "text", "codec"),
    [
        ({"n": 1, "ü": [True, None, 1.5]}, '{"n":1,"ü":[true,null,1.5]}', 0),
        ({"n": float("nan")}, '{"n":NaN}', 2),
        ({"n": [float("inf"), -0.0, 2**64]}, '{"n":[Infinity,-0.0,18446744073709551616]}', 2),
        ({"n": "\ud83d"}, '{"n":"\\ud83d"}', 2),
        ({"n": "\ud83d\ude00"}, '{"n":{"__persistry__":["str","7aC97biA"]}}', 1),
        ({"é": (1,)}, '{"é":{"__persistry__":["tuple",[1]]}}', 1),
        (
            {"n": {"__persistry__": ["int", "0x1"]}, "x": float("nan")},
            '{"n":{"__persistry__":["dict",[["__persistry__",["int","0x1"]]]]},"x":NaN}',
            3,
        ),
    ],
)
def test_states_as_they_are_stored(
    persister: Calls, path: Path, values: Any, text: str, codec: int
) -> None:
    persister.save("p", "a", 7, "s", State(values), "completed")
    assert sql(
        path,
        "SELECT write_number, partition_key, app_id, sequence_id, position, status, state, codec"
        " FROM burr_state",
    ) == [(1, "p", "a", 7, "s", "completed", text, codec)]


def test_times_are_texts_that_sort(persister: Calls, path: Path) -> None:
    for number in range(20):
        persister.put("app", number, n=number)
    times = [time for (time,) in sql(path, "SELECT created_at FROM burr_state ORDER BY rowid")]
    assert times == sorted(times)
    for time in times:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", time)
    first = persister.load("p", "app", 0)["created_at"]
    assert first == times[0].replace(" ", "T") + "+00:00"
    # Beside what SQLite itself writes, in UTC.
    assert sql(
        path, "SELECT abs(julianday('now') - julianday(max(created_at))) < 0.01 FROM burr_state"
    )


def test_a_time_that_sqlite_wrote(persister: Calls, path: Path) -> None:
    sql(path, row("a", 1), "UPDATE burr_state SET created_at = '2026-01-02 03:04:05'")
    assert persister.load("p", "a")["created_at"] == "2026-01-02T03:04:05.000000+00:00"


# The heads are what the records say, whoever changes those


def test_heads_fall_back_when_rows_are_deleted(persister: Calls, path: Path) -> None:
    for app_id, number in (("a", 0), ("b", 0), ("c", 0), ("a", 1)):
        persister.put(app_id, number, n=number)
    assert persister.list_app_ids("p") == ["a", "c", "b"]
    sql(path, "DELETE FROM burr_state WHERE app_id = 'a' AND sequence_id = 1")
    assert persister.list_app_ids("p") == ["c", "b", "a"]
    assert persister.load("p", None)["app_id"] == "c"
    assert persister.get("a") == {"n": 0}
    sql(path, "DELETE FROM burr_state WHERE app_id = 'c'")
    assert persister.list_app_ids("p") == ["b", "a"]
    assert persister.load("p", None)["app_id"] == "b"
    assert persister.get("c") is None
    sql(path, "DELETE FROM burr_state")
    assert persister.list_app_ids("p") == []
    assert persister.load("p", None) is None
    assert sql(path, "SELECT * FROM burr_state_heads") == []
    persister.put("c", 0, n=5)
    assert persister.list_app_ids("p") == ["c"]


def test_deleting_an_old_row_changes_no_order(persister: Calls, path: Path) -> None:
    for app_id, number in (("a", 0), ("b", 0), ("a", 1)):
        persister.put(app_id, number, n=number)
    sql(path, "DELETE FROM burr_state WHERE app_id = 'a' AND sequence_id = 0")
    assert persister.list_app_ids("p") == ["a", "b"]
    assert persister.load("p", None)["sequence_id"] == 1


def test_deleting_in_one_partition_spares_the_others(persister: Calls, path: Path) -> None:
    for partition_key in ("p", "q"):
        persister.save(partition_key, "a", 0, "s", State({}), "completed")
    sql(path, "DELETE FROM burr_state WHERE partition_key = 'q'")
    assert (persister.list_app_ids("p"), persister.list_app_ids("q")) == (["a"], [])


def test_partitions_without_a_row_are_not_listed(persister: Calls, path: Path) -> None:
    for partition_key in ("p", "q", None):
        persister.save(partition_key, "a", 0, "s", State({}), "completed")
    sql(path, "DELETE FROM burr_state WHERE partition_key = 'q'", row("a", 9, "r"))
    assert persister.list_partition_keys() == ["", "p", "r"]


def test_rows_of_others_are_listed(persister: Calls, path: Path) -> None:
    persister.put("a", 0, n=0)
    sql(path, row("b", 3), row("a", 1), row("a", 9, "q"))
    assert persister.list_app_ids("p") == ["a", "b"]
    assert persister.list_app_ids("q") == ["a"]
    assert persister.load("p", None)["sequence_id"] == 1


def test_initialize_rebuilds_missing_heads(make: Make, path: Path) -> None:
    make().initialize()
    sql(
        path,
        "DROP TRIGGER burr_state_saved",
        *(row(app_id, number) for app_id, number in (("a", 5), ("b", 0), ("c", 0), ("a", 1))),
        row("c", 0, "q"),
        "DROP TABLE burr_state_heads",
    )
    persister = make()
    persister.initialize()
    assert persister.list_app_ids("p") == ["a", "c", "b"]
    assert persister.list_app_ids("q") == ["c"]
    assert persister.load("p", None)["sequence_id"] == 1
    assert persister.load("p", "a")["sequence_id"] == 5
    persister.put("b", 1, n=1)  # the triggers are there again
    assert persister.list_app_ids("p") == ["b", "a", "c"]
    sql(path, "DELETE FROM burr_state WHERE app_id = 'b'")
    assert persister.list_app_ids("p") == ["a", "c"]


# What it costs


@pytest.fixture
def traced(handed_in: tuple[Calls, Any], run: Run) -> tuple[Calls, list[str]]:
    """A persister over a handed-in connection, and what SQLite runs there."""
    persister, connection = handed_in
    persister.initialize()
    seen: list[str] = []
    run(connection.set_trace_callback(seen.append))
    return persister, seen


def kinds(seen: list[str]) -> list[str]:
    """The first words of the statements; a trigger shows as the same statement once more, and what
    SQLite asks itself as a comment."""
    statements = [text for text, _ in itertools.groupby(seen) if not text.startswith("--")]
    seen.clear()
    return [statement.split()[0] for statement in statements]


def test_statements_of_each_operation(traced: tuple[Calls, list[str]], run: Run) -> None:
    persister, seen = traced
    persister.put("app", 0, n=0)
    assert kinds(seen) == ["WITH", "INSERT"]  # once, of which generation the table is
    Calls(persister.copy(), run).put("app", 1, n=1)
    assert kinds(seen) == ["INSERT"]
    persister.put("app", 1, n=1)
    assert kinds(seen) == ["INSERT", "SELECT"]
    with pytest.raises(StateConflictError):
        persister.put("app", 1, n=2)
    assert kinds(seen) == ["INSERT", "SELECT"]
    for app_id, sequence_id in (("app", None), ("app", 1), (None, None)):
        assert persister.get(app_id, sequence_id) == {"n": 1}
        assert kinds(seen) == ["SELECT"]
    assert persister.list_app_ids("p") == ["app"]
    assert kinds(seen) == ["SELECT"]
    assert persister.list_partition_keys() == ["p"]
    assert kinds(seen) == ["WITH"]


def test_initialize_changes_nothing_that_is_there(traced: tuple[Calls, list[str]]) -> None:
    persister, seen = traced
    persister.put("app", 1, n=1)
    seen.clear()
    persister.initialize()
    assert kinds(seen) == ["WITH", "SELECT", "SELECT"]
    assert persister.is_initialized()
    assert seen == []  # a yes is remembered


def test_initialize_issues_no_ddl_on_an_opened_connection(make: Make, run: Run) -> None:
    make().initialize()
    persister = make()
    seen: list[str] = []
    persister.is_initialized()
    run(persister.persister.connection.set_trace_callback(seen.append))
    persister.initialize()
    assert set(kinds(seen)) == {"WITH", "SELECT", "PRAGMA"}
