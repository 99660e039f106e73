"""SQLCipher for who does it wrong or whose file is broken, on real files."""

from __future__ import annotations

import os
import pickle
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3

import persistry
from persistry import SQLCipherPersister, SQLitePersister
from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterAccessError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
    StoreVersionError,
)
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, refused, runner, works
from tests.burr_sqlite import INDEX, TABLE
from tests.sqlite import Make, damaged, initialized, paths
from tests.stores.sqlcipher import encrypted
from tests.timing import SLACK, within

COLUMNS = "partition_key, app_id, sequence_id, position, status, state, created_at, codec"
DATABASE, OPERATIONAL = sqlcipher3.DatabaseError, sqlcipher3.OperationalError
run = pytest.fixture(runner)
path = pytest.fixture(paths)
persister = pytest.fixture(initialized)


@pytest.fixture
def make(path: Path, run: Run) -> Iterator[Make]:
    """Makes persisters on the file; they are closed in the end."""
    made = []

    def make_(db_path: Any = path, passphrase: Any = PASSWORD, **options: Any) -> Calls:
        opened = SQLCipherPersister.from_values(str(db_path), passphrase, **options)
        made.append(Calls(opened, run))
        return made[-1]

    yield make_
    for persister in made:
        persister.cleanup()


def sql(path: Path, *statements: str) -> list[Any]:
    """What another program with the passphrase does to the file."""
    with closing(encrypted(path, PASSWORD, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


# The passphrase


@pytest.mark.parametrize("operation", ["initialize", "is_initialized", *OPERATIONS])
def test_a_wrong_passphrase(persister: Calls, make: Make, path: Path, operation: str) -> None:
    persister.put(n=1)
    stranger = make(passphrase="open sesame")
    call = OPERATIONS.get(operation, lambda calls: getattr(calls, operation)())
    for _ in range(2):
        with refused(PersisterAccessError, operation, "passphrase", path.name, cause=DATABASE) as e:
            call(stranger)
        assert "sesame" not in str(e.value) and "sesame" not in str(e.value.__cause__)
    assert make().get() == {"n": 1}
    works(persister)


def test_an_empty_passphrase_encrypts_nothing(make: Make, path: Path) -> None:
    with refused(PersisterAccessError, "passphrase", cause=OPERATIONAL):
        make(passphrase="").initialize()
    assert not path.exists() or path.read_bytes() == b""


@pytest.mark.parametrize("passphrase", [None, 5, b"bytes"])
def test_a_passphrase_that_is_no_text(make: Make, passphrase: Any) -> None:
    with pytest.raises(TypeError, match="passphrase"):
        make(passphrase=passphrase)


@pytest.mark.parametrize(
    "passphrase",
    ["it's", '"', "'; DROP TABLE burr_state; --", "\\", "%s", "{x}", ":p", "ü 🎉", " ", "x" * 5000],
)
def test_a_passphrase_is_only_a_passphrase(make: Make, path: Path, passphrase: str) -> None:
    persister = make(passphrase=passphrase)
    persister.initialize()
    works(persister)
    with closing(encrypted(path, passphrase)) as connection:
        assert connection.execute("SELECT app_id FROM burr_state").fetchall() == [("works",)]
    with refused(PersisterAccessError, "passphrase", cause=DATABASE):
        make(passphrase=passphrase + "x").list_app_ids("p")


def test_a_passphrase_that_sql_would_cut(make: Make, path: Path) -> None:
    with pytest.raises(ValueError, match="passphrase"):
        make(passphrase="secret\0 and more").initialize()
    assert not path.exists()


def test_a_key_itself(make: Make, path: Path) -> None:
    """64 hexadecimal digits in SQLCipher's own notation: nothing is derived from them."""
    persister = make(passphrase=f"x'{'2f' * 32}'")
    persister.initialize()
    works(persister)
    with closing(sqlcipher3.connect(str(path))) as connection:
        connection.execute(f"PRAGMA key = \"x'{'2f' * 32}'\"")
        assert connection.execute("SELECT app_id FROM burr_state").fetchall() == [("works",)]


def test_nothing_shows_the_passphrase(make: Make, path: Path) -> None:
    persister = make()
    assert path.name in repr(persister.persister)
    for text in (repr(persister.persister), str(persister.persister.__dict__)):
        assert PASSWORD not in text
    with refused(NotInitializedError, path.name, cause=OPERATIONAL) as caught:
        persister.get()
    chain: list[BaseException] = [caught.value]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    assert not [exc for exc in chain if PASSWORD in f"{exc!r} {exc.args}"]


def test_urls(path: Path) -> None:
    with persistry.connect(f"sqlcipher://:p%40ss%2Fword@/{path}?operation_timeout=5") as persister:
        persister.initialize()
        assert isinstance(persister, SQLCipherPersister)
    with closing(encrypted(path, "p@ss/word")) as connection:
        assert connection.execute("SELECT count(*) FROM burr_state").fetchone() == (0,)
    for url, words in {
        f"sqlcipher:///{path}": "lacks the passphrase",
        "sqlcipher://:hunter2@": "lacks the db_path",
        "sqlcipher://:hunter2@host/steps.db": "host",
        "sqlcipher://:hunter2@/steps.db?tabel=t": "tabel",
    }.items():
        with pytest.raises(ValueError, match=words) as caught:
            persistry.connect(url)
        assert "hunter2" not in str(caught.value)


# One colour


def test_there_is_no_async_class() -> None:
    advice = r"no async driver: use SQLCipherPersister, from coroutines with asyncio\.to_thread\(\)"
    with pytest.raises(ValueError, match=f"sqlcipher://.*{advice}") as caught:
        persistry.aconnect("sqlcipher://:hunter2@/steps.db")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ImportError, match=f"SQLCipher has {advice}"):
        getattr(persistry, "AsyncSQLCipherPersister")  # noqa: B009
    with pytest.raises(ImportError, match=advice):
        exec("from persistry import AsyncSQLCipherPersister")
    assert "AsyncSQLCipherPersister" not in dir(persistry)


# The file


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_table_is_cured_by_initialize(make: Make, path: Path, operation: str) -> None:
    persister = make()
    with refused(NotInitializedError, operation, "initialize()", path.name, cause=OPERATIONAL):
        OPERATIONS[operation](persister)
    assert persister.is_initialized() is False
    persister.initialize()
    works(persister)


def test_a_plain_sqlite_file(make: Make, path: Path) -> None:
    with SQLitePersister(str(path)) as plain:
        plain.initialize()
    before = path.read_bytes()
    for call in ("initialize", "is_initialized", "list_app_ids"):
        with refused(PersisterAccessError, path.name, "a plain SQLite database", cause=DATABASE):
            getattr(make(), call)()
    assert path.read_bytes() == before


def test_an_encrypted_file_is_no_plain_one(persister: Calls, path: Path) -> None:
    persister.put(n=1)
    with (
        SQLitePersister(str(path)) as plain,
        refused(CorruptStateError, "no SQLite database", cause=sqlite3.DatabaseError),
    ):
        plain.initialize()
    works(persister)


def test_a_file_that_is_no_database(make: Make, path: Path) -> None:
    path.write_text("Dear diary, " * 1000)
    for call in ("initialize", "list_app_ids"):
        with refused(PersisterAccessError, path.name, "damaged", cause=DATABASE):
            getattr(make(), call)()
    assert path.read_text() == "Dear diary, " * 1000


def test_an_overwritten_page_spares_the_other_records(make: Make, path: Path) -> None:
    persister = make()
    persister.initialize()
    for n in range(40):
        persister.put(f"app-{n}", text=f"{n:04}" * 800)
    persister.cleanup()
    page, size = path.stat().st_size // 4096 - 3, 4096
    with path.open("r+b") as file:
        file.seek(page * size)
        file.write(b"\xde" * size)
    persister = make()
    lost = 0
    for n in range(40):
        try:
            assert persister.get(f"app-{n}") == {"text": f"{n:04}" * 800}
        except CorruptStateError as error:
            lost += 1
            assert f"'app-{n}'" in str(error) and "damaged" in str(error)
    assert 1 <= lost <= 3


def test_a_truncated_database(make: Make, persister: Calls, path: Path) -> None:
    for n in range(40):
        persister.put(f"app-{n}", text=f"{n:04}" * 800)
    persister.cleanup()
    os.truncate(path, 20_000)
    with refused(CorruptStateError, path.name, "damaged", cause=DATABASE):
        make().list_app_ids("p")


DAMAGE = {
    "no object": "state = '[1]'",
    "blob": "state = x'ff00'",
    "text sequence": "sequence_id = 'abc'",
    "blob position": "position = x'00'",
    "blob status": "status = x'00'",
    "blob status, no UTF-8": "status = x'ff'",
    "blob of its own status": "status = CAST(status AS BLOB)",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_spares_the_others(
    persister: Calls, path: Path, damage: str
) -> None:
    spoil = partial(sql, path)
    damaged(persister, spoil, DAMAGE[damage], cause=ValueError, named=True)


def test_an_application_whose_name_is_no_text(persister: Calls, path: Path) -> None:
    persister.put(n=1)
    for table in ("burr_state", "burr_state_heads"):
        sql(path, f"UPDATE {table} SET app_id = CAST(app_id AS BLOB)")
    with refused(CorruptStateError, "list_app_ids", "'p'", "an app_id", cause=ValueError):
        persister.list_app_ids("p")
    assert persister.get() is None


def test_a_folder_that_is_missing(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "not" / "there.db"
    persister = make(path)
    for _ in range(2):
        with refused(PersisterUnavailableError, str(path), "folder", cause=OPERATIONAL) as caught:
            persister.put()
        assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
    path.parent.mkdir()
    persister.initialize()
    works(persister)


def test_a_path_that_is_a_folder(make: Make, tmp_path: Path) -> None:
    with refused(PersisterUnavailableError, str(tmp_path), cause=OPERATIONAL):
        make(tmp_path).initialize()


def test_a_relative_path(make: Make, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    persister = make(path.name)
    persister.initialize()
    works(persister)
    assert path.is_file()


def test_a_read_only_file(make: Make, persister: Calls, path: Path) -> None:
    persister.put(n=1)
    reader = make(f"file:{path}?mode=ro", connect_kwargs={"uri": True})
    reader.initialize()
    with refused(PersisterAccessError, "save", "'app'", "read-only", cause=OPERATIONAL):
        reader.put("app", 1, n=2)
    assert reader.get() == {"n": 1}
    other = make(f"file:{path}?mode=ro", table_name="other", connect_kwargs={"uri": True})
    with refused(PersisterAccessError, "'other'", cause=OPERATIONAL):
        other.initialize()


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_removed_while_open(make: Make, persister: Calls, path: Path, how: str) -> None:
    """SQLCipher itself would go on saving to the file that has lost its name."""
    persister.put(n=1)
    other = path.with_name("other.db")
    sql(other, "CREATE TABLE mine (v)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.unlink() if how == "removed" else os.replace(other, path)
    with refused(NotInitializedError, "save", "initialize()", path.name, cause=OPERATIONAL):
        persister.put(n=2)
    persister.initialize()
    persister.put(n=2)
    assert make().get() == {"n": 2}
    assert make().list_app_ids("p") == ["app"]


def test_a_lock_that_is_held_too_long(make: Make, persister: Calls, path: Path) -> None:
    hurried = make(operation_timeout=1.5)
    assert hurried.get() is None
    with closing(encrypted(path, PASSWORD, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with refused(
            PersisterUnavailableError, "save", "locked", "(1.5 s)", path.name, cause=OPERATIONAL
        ) as caught:
            hurried.put()
        assert 1 < time.monotonic() - began < 1.5 + SLACK
        assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
        assert hurried.get() is None
        other.execute("ROLLBACK")
    works(hurried)


def test_a_handed_in_connection_that_waits_longer(persister: Calls, path: Path, run: Run) -> None:
    """Its owner lets it wait for locks; a call on it takes no longer than it may all the same."""
    with (
        closing(encrypted(path, PASSWORD, isolation_level=None)) as other,
        closing(encrypted(path, PASSWORD, timeout=15)) as connection,
    ):
        own = SQLCipherPersister(connection, operation_timeout=0.5)
        other.execute("BEGIN IMMEDIATE")
        late = pytest.raises(PersisterUnavailableError, match=r"save.*\(0.5 s\)")
        with within(0.5), late as caught:
            Calls(own, run).put()
        assert caught.value.may_have_saved is True
        other.execute("ROLLBACK")
        later = Calls(SQLCipherPersister(own._session), run)
        time.sleep(0.5)
        works(later)


def test_a_full_disk(persister: Calls) -> None:
    persister.put(n=1)
    sql_on(persister, "PRAGMA max_page_count = 14")
    with refused(PersisterUnavailableError, "save", "sequence 1", "full", cause=OPERATIONAL):
        persister.put("app", 1, text="x" * 100_000)
    assert persister.get() == {"n": 1}
    sql_on(persister, "PRAGMA max_page_count = 1000000")
    persister.put("app", 1, text="x" * 100_000)
    assert persister.get() == {"text": "x" * 100_000}


def sql_on(persister: Calls, statement: str) -> Any:
    """A statement on the persister's own connection."""
    with persister.persister._session.operation("test") as operation:
        return operation.fetch_all(statement)


def test_a_memory_database_is_one_of_its_persister(make: Make) -> None:
    one, other = make(":memory:"), make(":memory:")
    threads = [threading.Thread(target=one.initialize) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    works(one)
    assert one.list_app_ids("p") == ["works"]
    with refused(NotInitializedError, "initialize()", cause=OPERATIONAL):
        other.get()


# Tables of others

TABLES = {
    "other columns": ["CREATE TABLE burr_state (a, b)", "INSERT INTO burr_state VALUES (1, 2)"],
    "no keys": [f"CREATE TABLE burr_state (write_number INTEGER PRIMARY KEY, {COLUMNS})"],
    "view": ["CREATE VIEW burr_state AS SELECT 1 AS codec"],
    "full view": [
        f"CREATE TABLE t (write_number, {COLUMNS})",
        "CREATE VIEW burr_state AS SELECT * FROM t",
    ],
}
BESIDE = {
    "index": ["CREATE TABLE t (v)", "CREATE INDEX burr_state ON t (v)"],
    "heads": ["CREATE TABLE burr_state_heads (v)", "INSERT INTO burr_state_heads VALUES (1)"],
    "heads order": ["CREATE TABLE burr_state_heads_order (v)"],
    "generation": ["CREATE TABLE burr_state_generation (v)"],
    "generation view": ["CREATE VIEW burr_state_generation AS SELECT 1 AS v"],
}


@pytest.mark.parametrize("foreign", TABLES)
@pytest.mark.parametrize("operation", ["initialize", "is_initialized", *OPERATIONS])
def test_a_table_of_others_is_left_as_it_is(
    make: Make, path: Path, foreign: str, operation: str
) -> None:
    sql(path, *TABLES[foreign])
    before = path.read_bytes()
    persister = make()
    call = OPERATIONS.get(operation, lambda calls: getattr(calls, operation)())
    for _ in range(2):
        with refused(StoreVersionError, operation, "the table lacks", "table_name", path.name):
            call(persister)
    persister.cleanup()
    assert path.read_bytes() == before


@pytest.mark.parametrize("foreign", BESIDE)
def test_what_others_made_is_left_as_it_is(make: Make, path: Path, foreign: str) -> None:
    sql(path, *BESIDE[foreign])
    before = path.read_bytes()
    persister = make()
    for _ in range(2):
        with refused(StoreVersionError, "'burr_state'", "table_name", path.name, cause=DATABASE):
            persister.initialize()
    persister.cleanup()
    assert path.read_bytes() == before


def test_a_foreign_constraint(persister: Calls, path: Path) -> None:
    persister.put(n=1)
    trigger = "CREATE TRIGGER no BEFORE INSERT ON burr_state BEGIN SELECT RAISE(ABORT, 'shut'); END"
    sql(path, trigger)
    with refused(StoreVersionError, "save", "shut", cause=sqlcipher3.IntegrityError):
        persister.put("app", 1, n=2)
    sql(path, "DROP TRIGGER no")
    works(persister)


@pytest.mark.parametrize("damage", ["DROP TABLE burr_state_heads", "DELETE FROM burr_state_heads"])
def test_initialize_rebuilds_the_heads(
    make: Make, persister: Calls, path: Path, damage: str
) -> None:
    for app in "ab":
        persister.put(app, of=app)
    sql(path, damage)
    other = make()
    other.initialize()
    assert other.is_initialized() is True
    assert other.list_app_ids("p") == ["b", "a"]
    works(other)


def test_an_encrypted_table_of_burr_is_adopted(make: Make, path: Path) -> None:
    """As `sqlcipher_export` copies it; what another program writes there is found as well."""
    values = "'p', 'app', {0}, 'step', 'completed', '{{\"n\": {0}}}', '2024-01-01'"
    row = f"INSERT INTO burr_state VALUES ({values})"
    sql(path, *(it.format(table="burr_state") for it in (TABLE, INDEX)), row.format(1))
    with refused(NotInitializedError, "generation 0", "call initialize()"):
        make().get()
    persister = make()
    assert [it.generation for it in persister.pending_migrations()] == [1]
    persister.initialize()
    assert persister.get() == {"n": 1}
    persister.put("app", 2, n=2)
    sql(path, row.format(3).replace("burr_state V", f"burr_state ({COLUMNS[:-7]}) V"))
    assert make().get() == {"n": 3}
    works(persister)


# Connections that are handed in


@pytest.mark.parametrize("isolation", ["", "DEFERRED", "IMMEDIATE", None], ids=repr)
def test_connections_with_options(path: Path, run: Run, make: Make, isolation: Any) -> None:
    with closing(encrypted(path, PASSWORD, isolation_level=isolation)) as connection:
        persister = Calls(SQLCipherPersister(connection), run)
        persister.initialize()
        works(persister)
        assert make().get("works") == {"n": 1}
        works(make())


def test_a_connection_with_a_row_factory(path: Path, run: Run) -> None:
    with closing(encrypted(path, PASSWORD)) as connection:
        connection.row_factory = sqlcipher3.Row
        persister = Calls(SQLCipherPersister(connection), run)
        persister.initialize()
        works(persister)


def test_a_connection_without_a_key(persister: Calls, path: Path, run: Run) -> None:
    with closing(sqlcipher3.connect(str(path), check_same_thread=False)) as connection:
        with refused(PersisterAccessError, "passphrase", cause=DATABASE):
            Calls(SQLCipherPersister(connection), run).get()
        connection.execute(f"PRAGMA key = '{PASSWORD}'")
        assert Calls(SQLCipherPersister(connection), run).get() is None


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_connection_that_its_owner_closed(path: Path, run: Run, operation: str) -> None:
    connection = encrypted(path, PASSWORD)
    persister = Calls(SQLCipherPersister(connection), run)
    persister.initialize()
    connection.close()
    closed = sqlcipher3.ProgrammingError
    with refused(PersisterClosedError, operation, "handed in", cause=closed):
        OPERATIONS[operation](persister)


def test_a_connection_of_another_thread(path: Path, run: Run) -> None:
    with closing(sqlcipher3.connect(str(path))) as connection:
        persister = Calls(SQLCipherPersister(connection), run)
        caught: list[Any] = []

        def call() -> None:
            with refused(
                PersisterError, "check_same_thread=False", cause=sqlcipher3.ProgrammingError
            ) as it:
                persister.initialize()
            caught.append(it)

        in_thread = threading.Thread(target=call)
        in_thread.start()
        in_thread.join()
        assert caught


@pytest.mark.parametrize("wrong", ["steps.db", None, sqlite3])
def test_what_is_no_connection(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"connection must be a sqlcipher3\S*Connection"):
        SQLCipherPersister(wrong)
    with (
        closing(sqlite3.connect(":memory:")) as plain,
        pytest.raises(TypeError, match=r"sqlcipher3\S*Connection"),
    ):
        SQLCipherPersister(plain)  # type: ignore[arg-type]


# Names and parameters


@pytest.mark.parametrize(
    "name",
    ['quo"te', "x; DROP TABLE keep; --", "a b", "MixedCase", "select", "täble ü", "main.t", "it's"],
)
def test_table_names_are_only_names(make: Make, path: Path, name: str) -> None:
    sql(path, "CREATE TABLE keep (v)")
    persister = make(table_name=name)
    persister.initialize()
    works(persister)
    assert sql(path, "SELECT count(*) FROM keep") == [(0,)]


def test_a_pickle_connects_anew(persister: Calls, run: Run) -> None:
    persister.put(n=1)
    again = Calls(pickle.loads(pickle.dumps(persister.persister)), run)
    assert again.get() == {"n": 1}
    again.cleanup()


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("table_name", 5, TypeError),
        ("connect_kwargs", 5, TypeError),
        ("operation_timeout", 0, ValueError),
        ("max_connections", 2, TypeError),
    ],
)
def test_wrong_parameters_are_named(
    path: Path, name: str, value: Any, error: type[Exception]
) -> None:
    values = {"db_path": str(path), "passphrase": PASSWORD, name: value}
    with pytest.raises(error, match=name) as caught:
        SQLCipherPersister.from_values(**values)
    assert PASSWORD not in str(caught.value)
    assert not path.exists()


@pytest.mark.parametrize("wrong", [None, 5, b"steps.db\0"])
def test_what_is_no_path(make: Make, run: Run, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Calls(SQLCipherPersister.from_values(wrong, PASSWORD), run).initialize()
    assert PASSWORD not in str(caught.value)


def test_a_wrong_connect_keyword(make: Make) -> None:
    with pytest.raises(TypeError, match="tiemout"):
        make(connect_kwargs={"tiemout": 1}).initialize()
