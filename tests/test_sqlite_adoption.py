"""Tables that Apache Burr made in SQLite: adopted as they are, and used by both; both colours."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import os
import re
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from persistry import AsyncSQLitePersister, Migration, SQLitePersister, State
from persistry.errors import NotInitializedError, StateConflictError, StoreVersionError
from tests.bad_input import Calls, Run, refused, runner, works
from tests.burr_sqlite import Burr
from tests.sqlite import CLASSES, Make, colours, makers, paths

run = pytest.fixture(runner)
colour = pytest.fixture(params=CLASSES)(colours)
path = pytest.fixture(paths)
make = pytest.fixture(makers)
OPERATIONS: dict[str, Callable[[Calls], Any]] = {
    "save": lambda persister: persister.put("app", 1, n=1),
    "load": lambda persister: persister.load("p", "old"),
    "list_app_ids": lambda persister: persister.list_app_ids("p"),
    "list_partition_keys": lambda persister: persister.list_partition_keys(),
}
WRITTEN = "SELECT rowid, partition_key, app_id, sequence_id, position, status, state, created_at"


def filled(burr: Burr) -> Burr:
    """Its table, with an application of two steps and, saved later, one of a single step."""
    burr.initialize()
    burr.save("old", 0, {"b": 1, "a": [1, 2.5, None]})
    burr.save("old", 1, {"n": 2}, status="failed")
    burr.save("newer", 0, {"n": "ü"})
    return burr


@pytest.fixture
def burr(path: Path) -> Burr:
    return filled(Burr(path))


@pytest.fixture
def persister(burr: Burr, make: Make) -> Calls:
    persister = make()
    persister.initialize()
    return persister


def schema(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"
        ).fetchall()


# Adopting


@pytest.mark.parametrize("operation", OPERATIONS)
def test_it_is_not_used_before(burr: Burr, make: Make, path: Path, operation: str) -> None:
    before = path.read_bytes()
    persister = make()
    assert persister.is_initialized() is False
    for _ in range(2):  # a failure is not remembered
        with pytest.raises(
            NotInitializedError, match=rf"^{operation}.* call initialize\(\)"
        ) as told:
            OPERATIONS[operation](persister)
        assert str(path) in str(told.value)
    assert path.read_bytes() == before
    persister.initialize()
    OPERATIONS[operation](persister)
    assert persister.is_initialized() is True


def test_it_is_adopted_by_initialize(burr: Burr, make: Make, path: Path) -> None:
    before, rows = schema(path), burr.sql(f"{WRITTEN} FROM {{table}}")
    persister = make()
    (pending,) = persister.pending_migrations()
    assert isinstance(pending, Migration)
    assert pending.generation == 1
    assert "No row is rewritten" in pending.doc
    assert pending.statements == ('ALTER TABLE "burr_state" ADD COLUMN codec INTEGER',)
    assert schema(path) == before
    persister.initialize()
    assert persister.pending_migrations() == make().pending_migrations() == []
    assert burr.sql(f"{WRITTEN} FROM {{table}}") == rows
    after = schema(path)
    there = [(kind, name) for kind, name, *_ in after]
    assert set(there) - {(kind, name) for kind, name, *_ in before} == {
        ("index", "burr_state_heads_order"),
        ("table", "burr_state_heads"),
        ("trigger", "burr_state_deleted"),
        ("trigger", "burr_state_saved"),
        ("view", "burr_state_generation"),
    }
    columns = [name for _, name, *_ in burr.sql("PRAGMA table_info({table})")]
    assert columns == [*WRITTEN.replace(",", "").split()[2:], "codec"]
    for _ in range(2):
        make().initialize()
    assert schema(path) == after


def test_its_records_are_read(persister: Calls) -> None:
    loaded = persister.load("p", "old")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000\+00:00", loaded.pop("created_at"))
    assert loaded == {
        "partition_key": "p",
        "app_id": "old",
        "sequence_id": 1,
        "position": "step",
        "state": State({"n": 2}),
        "status": "failed",
    }
    assert persister.get("old", 0) == {"b": 1, "a": [1, 2.5, None]}
    assert persister.load("p", None)["app_id"] == "newer"
    assert persister.list_app_ids("p") == ["newer", "old"]
    assert persister.list_partition_keys() == ["p"]


def test_what_only_its_json_writes(burr: Burr, make: Make) -> None:
    state = {"nan": math.nan, "inf": -math.inf, "large": 2**70, "lone": "\ud83d", "zero": -0.0}
    burr.save("odd", 0, state)
    persister = make()
    persister.initialize()
    loaded = persister.get("odd")
    assert math.isnan(loaded.pop("nan"))
    assert loaded == {"inf": -math.inf, "large": 2**70, "lone": "\ud83d", "zero": 0.0}
    assert math.copysign(1, loaded["zero"]) == -1
    persister.put("odd", 0, **state)  # the same record once more


def test_both_go_on(burr: Burr, persister: Calls) -> None:
    persister.put("ours", 0, n=1, tagged=(1, "ü"))
    burr.save("old", 2, {"n": 3})
    assert persister.list_app_ids("p") == ["old", "ours", "newer"]
    assert persister.load("p", None)["sequence_id"] == 2
    persister.put("old", 3, n=4)
    assert burr.load("old") == persister.get("old") == {"n": 4}
    assert burr.load("ours")["n"] == 1
    assert persister.get("ours") == {"n": 1, "tagged": (1, "ü")}
    assert sorted(burr.list_app_ids()) == ["newer", "old", "ours"]
    assert persister.list_app_ids("p", limit=1) == ["old"]
    burr.save("third", 0, {}, partition_key=None)
    assert persister.list_app_ids() == ["third"]
    assert persister.list_partition_keys() == ["", "p"]
    burr.sql("DELETE FROM {table} WHERE app_id = 'old' AND sequence_id > 1")
    assert persister.list_app_ids("p") == ["ours", "newer", "old"]
    # Its own times and ours sort together, and the standard library reads both.
    times = [at for (at,) in burr.sql("SELECT created_at FROM {table} ORDER BY created_at")]
    assert all(re.fullmatch(r"[-\d]{10} [:\d]{8}(\.\d{6})?", at) for at in times)


def test_its_key_is_taken_for_both(burr: Burr, persister: Calls) -> None:
    persister.put("old", 0, a=[1, 2.5, None], b=1)  # the order of its keys does not count
    with pytest.raises(StateConflictError):
        persister.put("old", 0, n=1)
    persister.put("ours", 0, n=1)
    with pytest.raises(sqlite3.IntegrityError):
        burr.save("ours", 0, {"n": 1})
    assert burr.sql("SELECT count(*) FROM {table}") == [(4,)]


def test_a_partition_that_is_null(burr: Burr, make: Make) -> None:
    """Plain SQL can write it, Burr does not and never finds it. The lists know it as ''."""
    for app_id in ("before", "after"):
        burr.sql(
            "INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state)"
            " VALUES (NULL, ?, 1, 'step', 'completed', '{{}}')",
            app_id,
        )
        persister = make()
        persister.initialize()
    assert persister.list_app_ids() == ["after", "before"]
    assert persister.load(None, None)["app_id"] == "after"
    assert persister.list_partition_keys() == ["", "p"]
    works(persister)


@pytest.mark.parametrize("table", ["Mixed", "two words", 'quo"te', "apo'strophe", "ü%s{x}:y"])
def test_tables_of_any_name(path: Path, make: Make, table: str) -> None:
    """Burr could not make all of them, but they may have been renamed."""
    burr = filled(Burr(path))
    escaped = table.replace('"', '""').replace("{", "{{").replace("}", "}}")
    burr.sql(f'ALTER TABLE burr_state RENAME TO "{escaped}"')
    burr.table = f'"{escaped}"'.format()
    persister = make(table_name=table)
    (pending,) = persister.pending_migrations()
    quoted = '"' + table.replace('"', '""') + '"'
    assert pending.statements == (f"ALTER TABLE {quoted} ADD COLUMN codec INTEGER",)
    persister.initialize()
    burr.save("later", 0, {})
    assert persister.list_app_ids("p") == ["later", "newer", "old"]
    works(persister)


def test_tables_of_an_attached_database(path: Path, tmp_path: Path, colour: str, run: Run) -> None:
    """One of its tables there, beside one of ours that has the same name here."""
    other = filled(Burr(tmp_path / "other.db"))
    if colour == "sync":
        connection: Any = sqlite3.connect(path)
        here: Any = SQLitePersister(str(path), connection=connection)
        there: Any = SQLitePersister(str(path), "Other.burr_state", connection=connection)
    else:
        connection = run(aiosqlite.connect(path))
        here = AsyncSQLitePersister(connection)
        there = AsyncSQLitePersister(connection, "Other.burr_state")
    here, there = Calls(here, run), Calls(there, run)
    run(connection.execute("ATTACH ? AS other", (str(tmp_path / "other.db"),)))
    here.initialize()
    assert there.is_initialized() is False
    assert len(there.pending_migrations()) == 1
    assert here.pending_migrations() == []
    there.initialize()
    assert there.is_initialized() is True
    assert there.list_app_ids("p") == ["newer", "old"]
    assert here.list_app_ids("p") == []
    run(connection.close())
    other.save("later", 0, {})
    assert other.sql("SELECT app_id FROM burr_state_heads ORDER BY last_write DESC LIMIT 1") == [
        ("later",)
    ]


def test_a_table_beside_one_of_ours(burr: Burr, make: Make) -> None:
    ours = make(table_name="steps")
    ours.initialize()
    assert make().is_initialized() is False
    works(ours)
    make().initialize()
    works(make())


def test_it_makes_the_table_anew(burr: Burr, make: Make) -> None:
    """What stands beside a table does not say what the next table of the name is."""
    make().initialize()
    burr.sql("DROP TABLE {table}")
    filled(burr)
    persister = make()
    assert persister.is_initialized() is False
    persister.initialize()
    assert persister.list_app_ids("p") == ["newer", "old"]


def test_a_dump_is_restored(burr: Burr, persister: Calls, path: Path, tmp_path: Path) -> None:
    """That gives the rows new numbers, which `initialize()` notices."""
    persister.put("first", 0, n=1)
    burr.sql("DELETE FROM {table} WHERE app_id = 'old'")
    persister.cleanup()
    restored = tmp_path / "restored.db"
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(restored)) as new:
        new.executescript("\n".join(old.iterdump()))
    with SQLitePersister(str(restored)) as again:
        assert again.is_initialized()
        assert again.pending_migrations() == []
        again.initialize()
        assert again.list_app_ids("p") == ["first", "newer"]
        again.save("p", "newer", 1, "step", State({}), "completed")
        assert again.list_app_ids("p") == ["newer", "first"]


# What is not quite its table

DIFFERENT = {
    "another column": ("app_id TEXT", "note TEXT, app_id TEXT", "a column 'note'"),
    "another type": ("state TEXT", "state BLOB", "the column 'state'"),
    "no time": ("created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,", "", "the column 'created_at'"),
    "another key": ("sequence_id, position))", "sequence_id))", "the column 'codec'"),
    "no key": (", PRIMARY KEY (partition_key, app_id, sequence_id, position))", ")", "'codec'"),
    "no rowid": ("position))", "position)) WITHOUT ROWID", "no rowid"),
    "a constraint": ("status TEXT NOT NULL", "status TEXT NOT NULL CHECK (status <> 'x')", None),
}


@pytest.mark.parametrize("difference", DIFFERENT)
def test_a_table_that_differs(make: Make, path: Path, difference: str) -> None:
    old, new, mentions = DIFFERENT[difference]
    burr = filled(Burr(path))
    (made,) = burr.sql("SELECT sql FROM sqlite_schema WHERE name = '{table}'")
    burr.sql("DROP TABLE {table}")
    text = " ".join(made[0].split())
    assert old in text
    burr.sql(text.replace(old, new))
    persister, before = make(), path.read_bytes()
    if mentions is None:  # It is nobody's business but its owner's.
        persister.initialize()
        works(persister)
        return
    for name in ("initialize", "is_initialized", "pending_migrations", *OPERATIONS):
        call = OPERATIONS.get(name, lambda calls, it=name: getattr(calls, it)())
        for _ in range(2):
            with refused(StoreVersionError, name, mentions, "table_name", str(path)):
                call(persister)
    persister.cleanup()
    assert path.read_bytes() == before


# At once, and interrupted


def adopt(path: Path, colour: str, start: Any) -> None:
    """In a process of its own."""

    async def with_coroutines() -> None:
        async with AsyncSQLitePersister.from_values(str(path)) as persister:
            await persister.initialize()
            await persister.save("p", "ours", os.getpid(), "step", State({}), "completed")

    start.wait()
    if colour == "async":
        asyncio.run(with_coroutines())
    else:
        with SQLitePersister(str(path)) as persister:
            persister.initialize()
            persister.save("p", "ours", os.getpid(), "step", State({}), "completed")


def test_eight_processes_at_once(burr: Burr, path: Path, colour: str, make: Make) -> None:
    many = [{"n": n} for n in range(300)]
    for n, state in enumerate(many):
        burr.save(f"app-{n % 50}", n, state)
    fork = multiprocessing.get_context("fork")
    start = fork.Barrier(8)
    children = [fork.Process(target=adopt, args=(path, colour, start)) for _ in range(8)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 8
    persister = make()
    assert persister.is_initialized()
    assert burr.sql("SELECT count(*), count(codec) FROM {table}") == [(311, 8)]
    heads = [f"app-{n}" for n in reversed(range(50))]
    assert persister.list_app_ids("p") == ["ours", *heads, "newer", "old"]


class Mortal(sqlite3.Connection):
    """Ends its process, as kill -9 does, when so many statements have begun."""

    left = 0
    seen = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.set_trace_callback(self.count)

    def count(self, statement: str) -> None:
        Mortal.seen += 1
        if Mortal.seen == Mortal.left:
            os.kill(os.getpid(), signal.SIGKILL)


def initialize(path: Path, colour: str, left: int) -> None:
    """In a process of its own, which ends at that statement."""

    async def with_coroutines() -> None:
        kwargs = {"factory": Mortal}
        async with AsyncSQLitePersister.from_values(str(path), connect_kwargs=kwargs) as persister:
            await persister.initialize()

    Mortal.left = left
    if colour == "async":
        asyncio.run(with_coroutines())
    else:
        with SQLitePersister(str(path), connect_kwargs={"factory": Mortal}) as persister:
            persister.initialize()


@pytest.mark.parametrize("there", ["burr's", "nothing"])
def test_killed_at_every_statement(tmp_path: Path, colour: str, there: str) -> None:
    """The table is then as it was or done, and the next `initialize()` ends what was begun."""
    fork = multiprocessing.get_context("fork")
    found = set()
    for left in range(1, 1000):
        path = tmp_path / f"{left}.db"
        burr = Burr(path)
        if there == "burr's":
            filled(burr)
        child = fork.Process(target=initialize, args=(path, colour, left))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        with SQLitePersister(str(path)) as persister:
            found.add(persister.is_initialized())
            persister.initialize()
            assert persister.is_initialized()
            assert persister.pending_migrations() == []
            assert persister.list_app_ids("p") == ["newer", "old"] * (there == "burr's")
            burr.save("later", 0, {})
            assert persister.list_app_ids("p", limit=1) == ["later"]
    assert left > 20
    assert found == {False, True}
