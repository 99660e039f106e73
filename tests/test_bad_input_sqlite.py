"""SQLite for who does it wrong or whose file is broken: both colours, on real files."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from persistry import AsyncSQLitePersister, SQLitePersister
from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterAccessError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
    StateConflictError,
    StateTooLargeError,
    StoreVersionError,
)
from tests.bad_input import OPERATIONS, Calls, Run, named_by, refused, runner, works
from tests.sqlite import CLASSES, Make, colours, damaged, initialized, makers, paths

COLUMNS = "partition_key, app_id, sequence_id, position, status, state, created_at, codec"
run = pytest.fixture(runner)
colour = pytest.fixture(params=CLASSES)(colours)
path = pytest.fixture(paths)
make = pytest.fixture(makers)
persister = pytest.fixture(initialized)


@pytest.fixture
def hand_in(colour: str, path: Path, run: Run) -> Iterator[Callable[..., tuple[Calls, Any]]]:
    """A persister over a connection of its owner, and that connection."""
    opened: list[Any] = []

    def hand_in_(prepare: Callable[[sqlite3.Connection], Any] = id, **options: Any) -> Any:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(path, **({"check_same_thread": False} | options))
            prepare(connection)
            return connection

        if colour == "sync":
            opened.append(connect())
            return Calls(SQLitePersister(str(path), connection=opened[-1]), run), opened[-1]
        opened.append(run(aiosqlite.Connection(connect, 64)))
        return Calls(AsyncSQLitePersister(opened[-1]), run), opened[-1]

    yield hand_in_
    for connection in opened:
        run(connection.close())


def sql(path: Path, text: str) -> None:
    """What another program does to the file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(text)


def content(path: Path) -> list[str]:
    """Schema, records and journal mode of the file."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        if any(name == "burr_state" and kind != "index" for kind, name, *_ in found):
            found += connection.execute("SELECT * FROM burr_state").fetchall()
        found += connection.execute("PRAGMA journal_mode").fetchall()
    return [str(line) for line in found]


# The file


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_table_is_cured_by_initialize(make: Make, path: Path, operation: str) -> None:
    persister = make()
    with refused(
        NotInitializedError,
        operation,
        named_by(operation),
        "initialize()",
        path.name,
        cause=sqlite3.OperationalError,
    ):
        OPERATIONS[operation](persister)
    assert persister.is_initialized() is False
    persister.initialize()
    works(persister)


def test_an_empty_file_is_a_new_database(make: Make, path: Path) -> None:
    path.touch()
    persister = make()
    persister.initialize()
    works(persister)


def test_a_file_that_is_no_database(make: Make, path: Path) -> None:
    path.write_text("Dear diary, " * 100)
    for call in ("initialize", "is_initialized", "list_app_ids"):
        with refused(
            CorruptStateError, path.name, "no SQLite database", cause=sqlite3.DatabaseError
        ):
            getattr(make(), call)()
    assert path.read_text() == "Dear diary, " * 100


def test_a_truncated_database(make: Make, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(50000))")
    os.truncate(path, 20_000)
    for call in ("initialize", "list_app_ids"):
        with refused(CorruptStateError, path.name, "damaged", cause=sqlite3.DatabaseError):
            getattr(make(), call)()


def test_an_overwritten_page_spares_the_other_records(make: Make, path: Path) -> None:
    persister = make()
    persister.initialize()
    for n in range(40):
        persister.put(f"app-{n}", text=f"{n:04}" * 800)
    persister.cleanup()
    data = bytearray(path.read_bytes())
    page = data.index(b"0007" * 100) // 4096 * 4096
    data[page : page + 4096] = b"\xde" * 4096
    path.write_bytes(data)
    persister = make()
    with refused(CorruptStateError, "'app-7'", path.name, cause=sqlite3.DatabaseError):
        persister.get("app-7")
    assert persister.get("app-39") == {"text": "0039" * 800}
    assert len(persister.list_app_ids("p")) == 40


def test_a_folder_that_is_missing(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "not" / "there.db"
    with refused(PersisterUnavailableError, str(path), "folder", cause=sqlite3.OperationalError):
        make(path).initialize()
    path.parent.mkdir()
    persister = make(path)
    persister.initialize()
    works(persister)


def test_a_persister_outlives_a_missing_folder(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "not" / "there.db"
    persister = Calls(SQLitePersister(str(path)), run)
    with refused(PersisterUnavailableError, str(path), cause=sqlite3.OperationalError):
        persister.put()
    path.parent.mkdir()
    persister.initialize()
    works(persister)
    persister.cleanup()


def test_a_path_that_is_a_folder(make: Make, tmp_path: Path) -> None:
    with refused(PersisterUnavailableError, str(tmp_path), cause=sqlite3.OperationalError):
        make(tmp_path).initialize()


def test_a_read_only_file(make: Make, persister: Calls, path: Path) -> None:
    persister.put(n=1)
    reader = make(f"file:{path}?mode=ro", connect_kwargs={"uri": True})
    reader.initialize()
    with refused(
        PersisterAccessError, "save", "'app'", "read-only", cause=sqlite3.OperationalError
    ):
        reader.put("app", 1, n=2)
    assert reader.get() == {"n": 1}
    other = make(f"file:{path}?mode=ro", table_name="other", connect_kwargs={"uri": True})
    with refused(PersisterAccessError, "'other'", cause=sqlite3.OperationalError):
        other.initialize()


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_removed_while_open(make: Make, persister: Calls, path: Path, how: str) -> None:
    """SQLite itself would go on saving to the file that has lost its name; nobody finds that."""
    persister.put(n=1)
    other = path.with_name("other.db")
    sql(other, "CREATE TABLE mine (v)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.unlink() if how == "removed" else os.replace(other, path)
    missing = sqlite3.OperationalError
    with refused(NotInitializedError, "save", "initialize()", path.name, cause=missing):
        persister.put(n=2)
    persister.initialize()
    persister.put(n=2)
    assert make().get() == {"n": 2}
    assert make().list_app_ids("p") == ["app"]


def test_a_lock_that_is_held_too_long(make: Make, persister: Calls, path: Path) -> None:
    hurried = make(operation_timeout=5)  # a tenth is left to SQLite to say so
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with refused(
            PersisterUnavailableError, "save", "(5 s)", path.name, cause=sqlite3.OperationalError
        ) as caught:
            hurried.put()
        assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
        assert hurried.get() is None
        other.execute("ROLLBACK")
    works(hurried)


def test_a_full_disk(persister: Calls, run: Run) -> None:
    persister.put(n=1)
    connection = persister.persister.connection
    run(connection.execute("PRAGMA max_page_count = 10"))
    with refused(
        PersisterUnavailableError, "save", "sequence 1", "full", cause=sqlite3.OperationalError
    ):
        persister.put("app", 1, text="x" * 100_000)
    assert persister.get() == {"n": 1}
    run(connection.execute("PRAGMA max_page_count = 1000000"))
    persister.put("app", 1, text="x" * 100_000)
    assert persister.get() == {"text": "x" * 100_000}


# Tables of others

BURR = """
CREATE TABLE burr_state (
  partition_key TEXT DEFAULT '', app_id TEXT NOT NULL, sequence_id INTEGER NOT NULL,
  position TEXT NOT NULL, status TEXT NOT NULL, state TEXT NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (partition_key, app_id, sequence_id, position));
CREATE INDEX burr_state_created_at_index ON burr_state (created_at);
INSERT INTO burr_state
VALUES ('p', 'app', 1, 'step', 'completed', '{"n": 1}', '2024-01-01 00:00:00');
"""
TABLES = {
    "other columns": "CREATE TABLE burr_state (a, b); INSERT INTO burr_state VALUES (1, 2)",
    "no keys": f"CREATE TABLE burr_state ({COLUMNS})",
    "no rowid": f"CREATE TABLE burr_state ({COLUMNS}, PRIMARY KEY"
    " (partition_key, app_id, sequence_id, position)) WITHOUT ROWID",
    "view": "CREATE VIEW burr_state AS SELECT 1 AS codec",
    "full view": f"CREATE TABLE t ({COLUMNS}); CREATE VIEW burr_state AS SELECT * FROM t",
}
BESIDE = {
    "index": "CREATE TABLE t (v); CREATE INDEX burr_state ON t (v)",
    "heads": "CREATE TABLE burr_state_heads (v); INSERT INTO burr_state_heads VALUES (1)",
    "heads without keys": "CREATE TABLE burr_state_heads (partition_key, app_id, last_write)",
    "heads order": "CREATE TABLE burr_state_heads_order (v)",
    "generation": "CREATE TABLE burr_state_generation (v)",
    "generation view": "CREATE VIEW burr_state_generation AS SELECT 1 AS v",
}


@pytest.mark.parametrize("foreign", TABLES)
@pytest.mark.parametrize("operation", ["initialize", "is_initialized", *OPERATIONS])
def test_a_table_of_others_is_left_as_it_is(
    make: Make, path: Path, foreign: str, operation: str
) -> None:
    sql(path, TABLES[foreign])
    before, data = content(path), path.read_bytes()
    persister = make()
    call = OPERATIONS.get(operation, lambda calls: getattr(calls, operation)())
    for _ in range(2):
        with refused(StoreVersionError, operation, "the table ", "table_name", path.name):
            call(persister)
    persister.cleanup()
    assert (content(path), path.read_bytes()) == (before, data)


@pytest.mark.parametrize("foreign", BESIDE)
def test_what_others_made_is_left_as_it_is(make: Make, path: Path, foreign: str) -> None:
    sql(path, BESIDE[foreign])
    before, data = content(path), path.read_bytes()
    persister = make()
    assert persister.is_initialized() is False
    for _ in range(2):
        with refused(
            StoreVersionError, "'burr_state'", "table_name", path.name, cause=sqlite3.Error
        ):
            persister.initialize()
    persister.cleanup()
    assert (content(path), path.read_bytes()) == (before, data)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_table_of_burr_is_not_used(make: Make, path: Path, operation: str) -> None:
    sql(path, BURR)
    before = content(path)
    with refused(NotInitializedError, operation, "generation 0", "call initialize()"):
        OPERATIONS[operation](make())
    assert content(path) == before


def test_another_table_beside_that_of_others(make: Make, path: Path) -> None:
    sql(path, BURR)
    persister = make(table_name="steps")
    persister.initialize()
    works(persister)


def test_a_foreign_constraint(persister: Calls, path: Path) -> None:
    persister.put(n=1)
    sql(
        path,
        "CREATE TRIGGER no BEFORE INSERT ON burr_state BEGIN SELECT RAISE(ABORT, 'closed'); END",
    )
    with refused(StoreVersionError, "save", "closed", cause=sqlite3.IntegrityError):
        persister.put("app", 1, n=2)
    sql(path, "DROP TRIGGER no")
    works(persister)


@pytest.mark.parametrize(
    "damage",
    [
        "DROP TABLE burr_state_heads",
        "DELETE FROM burr_state_heads",
        "UPDATE burr_state_heads SET last_write = 1",
        "DROP TRIGGER burr_state_saved; INSERT INTO burr_state SELECT 9, 'p', 'c', 0, 'step',"
        " 'completed', '{}', created_at, 0 FROM burr_state LIMIT 1",
    ],
)
def test_initialize_rebuilds_the_heads(persister: Calls, path: Path, damage: str) -> None:
    for app in "ab":
        persister.put(app, of=app)
    sql(path, damage)
    persister.initialize()
    apps = ["c"] * ("INSERT" in damage) + ["b", "a"]
    assert persister.list_app_ids("p") == apps
    assert persister.load("p", None)["app_id"] == apps[0]


def test_a_renamed_table_takes_nothing_along(persister: Calls, path: Path) -> None:
    persister.put("old", n=1)
    sql(path, "ALTER TABLE burr_state RENAME TO backup")
    with refused(NotInitializedError, "initialize()", cause=sqlite3.OperationalError):
        persister.get("old")
    persister.initialize()
    assert persister.list_app_ids("p") == []
    works(persister)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT app_id FROM backup").fetchall() == [("old",)]


# Damaged records

DAMAGE = {
    "broken JSON": """state = '{"a":'""",
    "no object": "state = '[1]'",
    "empty": "state = ''",
    "unknown codec": "codec = 9",
    "text codec": "codec = 'new'",
    "blob": "state = x'ff00'",
    "no UTF-8": "state = CAST(x'7b22ff227d' AS TEXT)",
    "no created_at": "created_at = NULL",
    "nonsense created_at": "created_at = 'yesterday'",
    "blob created_at": "created_at = x'ff'",
    "early created_at": "created_at = '0001-01-01T00:00:00+14:00'",
    "negative sequence": "sequence_id = -5",
    "real sequence": "sequence_id = 1.5",
    "text sequence": "sequence_id = 'abc'",
    "blob position": "position = x'00ff'",
    "blob status": "status = x'00'",
    "blob status, no UTF-8": "status = x'ff'",
    "blob of its own status": "status = CAST(status AS BLOB)",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_spares_the_others(
    persister: Calls, path: Path, damage: str
) -> None:
    damaged(persister, partial(sql, path), DAMAGE[damage])


@pytest.mark.parametrize(
    "damage", ["broken JSON", "no object", "unknown codec", "blob", "blob of its own status"]
)
def test_a_damaged_record_is_not_overwritten(persister: Calls, path: Path, damage: str) -> None:
    persister.put(n=1)
    sql(path, f"UPDATE burr_state SET {DAMAGE[damage]}")
    before = content(path)
    with refused(StateConflictError, "save", "'app'", "sequence 0", "nothing was changed"):
        persister.put(n=1)
    assert content(path) == before
    works(persister)


@pytest.mark.parametrize("blob", ["x'00'", "CAST('app' AS BLOB)", "x'ff'"])
def test_names_that_are_no_texts(persister: Calls, path: Path, blob: str) -> None:
    persister.put(n=1)
    sql(path, f"UPDATE burr_state_heads SET partition_key = {blob}")
    with refused(CorruptStateError, "list_partition_keys", "a partition_key", cause=ValueError):
        persister.list_partition_keys()
    sql(path, f"UPDATE burr_state_heads SET partition_key = 'p', app_id = {blob}")
    with refused(CorruptStateError, "list_app_ids", "'p'", "an app_id", cause=ValueError):
        persister.list_app_ids("p")
    sql(path, f"UPDATE burr_state SET app_id = {blob}")
    with refused(CorruptStateError, "load", "'p'", "is no text", cause=ValueError):
        persister.get(None)


def test_an_undecodable_record_is_not_overwritten(persister: Calls, path: Path) -> None:
    """Here the driver cannot even hand out what is stored."""
    persister.put(n=1)
    sql(path, f"UPDATE burr_state SET {DAMAGE['no UTF-8']}")
    with refused(CorruptStateError, "save", "'app'", cause=sqlite3.OperationalError):
        persister.put(n=1)
    works(persister)


# Connections that are handed in


@pytest.mark.parametrize(
    "options",
    [
        {"detect_types": sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES},
        {"isolation_level": "DEFERRED"},
        {"isolation_level": "EXCLUSIVE"},
        {"isolation_level": None},
    ],
    ids=str,
)
def test_connections_with_options(hand_in: Any, make: Make, options: dict[str, Any]) -> None:
    persister, _ = hand_in(**options)
    persister.initialize()
    works(persister)
    assert make().get("works") == {"n": 1}
    works(make())


def test_a_connection_with_a_row_factory(hand_in: Any) -> None:
    persister, _ = hand_in(lambda connection: setattr(connection, "row_factory", sqlite3.Row))
    persister.initialize()
    works(persister)


def test_a_connection_with_a_text_factory(hand_in: Any) -> None:
    with pytest.raises(ValueError, match="text_factory"):
        hand_in(lambda connection: setattr(connection, "text_factory", bytes))


def test_a_connection_that_takes_short_texts_only(hand_in: Any) -> None:
    limit = sqlite3.SQLITE_LIMIT_LENGTH
    persister, _ = hand_in(lambda connection: connection.setlimit(limit, 10_000))
    persister.initialize()
    with refused(StateTooLargeError, "save", "'app'", "SQLITE_LIMIT_LENGTH", cause=sqlite3.Error):
        persister.put(text="x" * 20_000)
    assert persister.get() is None
    works(persister)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_that_its_owner_closed(hand_in: Any, run: Run, operation: str) -> None:
    persister, connection = hand_in()
    persister.initialize()
    run(connection.close())
    with refused(PersisterClosedError, operation, "handed in", cause=sqlite3.ProgrammingError):
        OPERATIONS[operation](persister)


def test_a_connection_of_another_thread(path: Path, run: Run) -> None:
    made: list[sqlite3.Connection] = []
    maker = threading.Thread(target=lambda: made.append(sqlite3.connect(path)))
    maker.start()
    maker.join()
    persister = Calls(SQLitePersister(str(path), connection=made[0]), run)
    with refused(PersisterError, "check_same_thread=False", cause=sqlite3.ProgrammingError):
        persister.initialize()


def test_connections_of_the_other_colour(path: Path, run: Run) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for wrong in (connection, str(path), None):
            with pytest.raises(TypeError, match=r"connection must be an aiosqlite\.Connection"):
                AsyncSQLitePersister(wrong)  # type: ignore[arg-type]
    unopened: Any = aiosqlite.connect(path)
    for wrong in (unopened, str(path)):
        with pytest.raises(TypeError, match=r"connection must be a sqlite3\.Connection"):
            SQLitePersister(str(path), connection=wrong)
    with pytest.raises(ValueError, match="await it"):
        AsyncSQLitePersister(unopened)


# Names


@pytest.mark.parametrize(
    "name",
    [
        'quo"te',
        "semi;colon",
        "x; DROP TABLE keep; --",
        "a b",
        "MixedCase",
        "select",
        "täble 🎉",
        "main.t",
        "temp.t",
        "it's",
        "{table}",
        "%s",
        "x" * 512,
    ],
)
def test_table_names_are_only_names(make: Make, path: Path, name: str) -> None:
    sql(path, "CREATE TABLE keep (v)")
    persister = make(table_name=name)
    persister.initialize()
    works(persister)
    assert any("CREATE TABLE keep" in line for line in content(path))


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a.b.c", "a\0b", "x" * 600, "\ud800"])
def test_table_names_that_cannot_be(colour: str, path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="table_name"):
        CLASSES[colour].from_values(str(path), table_name=name)
    assert not path.exists()


def test_a_table_name_that_sqlite_keeps_for_itself(make: Make) -> None:
    with refused(PersisterError, "sqlite_steps", "table_name", cause=sqlite3.OperationalError):
        make(table_name="sqlite_steps").initialize()


@pytest.mark.parametrize(
    "name", ["main.sqlite_master", "sqlite_schema", "SQLite_Master", "sqlite_sequence", "json_each"]
)
@pytest.mark.parametrize("operation", ["initialize", "is_initialized", *OPERATIONS])
def test_a_table_of_sqlite_itself(make: Make, path: Path, name: str, operation: str) -> None:
    sql(path, "CREATE TABLE t (n INTEGER PRIMARY KEY AUTOINCREMENT)")
    before = content(path)
    call = OPERATIONS.get(operation, lambda calls: getattr(calls, operation)())
    with refused(StoreVersionError, operation, "lacks the column", "table_name"):
        call(make(table_name=name))
    assert content(path) == before


@pytest.mark.parametrize(
    "name", ["Mixed", "two words", 'quo"te', "apo'strophe", "ü%s{x}:y", "main.t", "Main.t"]
)
def test_a_table_of_others_with_any_name(make: Make, path: Path, name: str) -> None:
    escaped = name.rpartition(".")[2].replace('"', '""')
    sql(path, f'CREATE TABLE "{escaped}" (note)')
    persister = make(table_name=name)
    for operation in ("initialize", "is_initialized", *OPERATIONS):
        call = OPERATIONS.get(operation, lambda calls, it=operation: getattr(calls, it)())
        with refused(StoreVersionError, operation, "lacks the column", "table_name"):
            call(persister)
    sql(path, f'DROP TABLE "{escaped}"')
    persister.initialize()
    works(persister)
    works(make(table_name=name))


def test_two_tables_of_one_file_are_apart(make: Make) -> None:
    one, two = make(table_name="one"), make(table_name="two")
    for persister in (one, two):
        persister.initialize()
    one.put(of="one")
    assert (two.get(), two.list_app_ids("p"), two.load("p", None)) == (None, [], None)
    two.put(of="two")
    assert (one.get(), two.get()) == ({"of": "one"}, {"of": "two"})


def test_the_heads_of_one_table_are_no_table_for_another(make: Make) -> None:
    one = make(table_name="one")
    one.initialize()
    with refused(StoreVersionError, "'one_heads'", "table_name"):
        make(table_name="one_heads").initialize()
    works(one)


def test_an_attached_schema(colour: str, hand_in: Any, run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    persister, connection = hand_in(lambda it: it.execute("ATTACH ? AS o", (str(other),)))
    persister.initialize()
    first = "db_path" if colour == "sync" else "connection"
    more = {first: connection} if colour == "async" else {first: "", "connection": connection}
    attached = Calls(CLASSES[colour](**more, table_name="o.burr_state"), run)
    attached.initialize()
    works(attached)
    assert persister.list_app_ids("p") == []
    with refused(PersisterUnavailableError, "attach", cause=sqlite3.OperationalError):
        Calls(CLASSES[colour](**more, table_name="unknown.t"), run).initialize()


# Parameters

WRONG: list[tuple[str, Any, type[Exception]]] = [
    *(("db_path", value, TypeError) for value in (None, 5, b"x.db")),
    *(("table_name", value, TypeError) for value in (None, 5, b"t", ["t"])),
    *(("serde_kwargs", value, TypeError) for value in (5, "x", ["a"], {1: 2})),
    *(("connect_kwargs", value, TypeError) for value in (5, "x", ["a"])),
    *(
        (name, value, error)
        for name in ("connect_timeout", "operation_timeout")
        for value, error in (
            (0, ValueError),
            (-1, ValueError),
            (float("nan"), ValueError),
            (float("inf"), ValueError),
            ("1", TypeError),
            (True, TypeError),
            (None, TypeError),
        )
    ),
    *(("max_state_bytes", value, TypeError) for value in ("1", 1.5, True)),
    *(("max_state_bytes", value, ValueError) for value in (0, -1)),
]


@pytest.mark.parametrize(("name", "value", "error"), WRONG)
def test_wrong_parameters_are_named(
    colour: str, path: Path, name: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name):
        CLASSES[colour].from_values(**{"db_path": str(path), name: value})
    with pytest.raises(error, match=name):
        CLASSES[colour].from_config({"db_path": str(path), name: value})
    assert not path.exists()


def test_wrong_configurations(colour: str, path: Path) -> None:
    from_config = CLASSES[colour].from_config
    with pytest.raises(ValueError, match=r"unknown key 'tabel_name'.*table_name"):
        from_config({"db_path": str(path), "tabel_name": "t"})
    with pytest.raises(ValueError, match="lacks the key 'db_path'"):
        from_config({"table_name": "t"})
    for config in (None, [("db_path", "x")], "db_path"):
        with pytest.raises(TypeError, match="config must be a dict"):
            from_config(config)


def test_a_wrong_connect_keyword(make: Make) -> None:
    with pytest.raises(TypeError, match="tiemout"):
        make(connect_kwargs={"tiemout": 1}).initialize()
