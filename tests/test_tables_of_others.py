"""A table or view of the name that is not persistry's: every operation of every SQL store."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from codegen.ir import SqlParts
from codegen.model import SqlBackendModel
from codegen.pipeline import Run as Generator
from persistry.__main__ import BACKENDS
from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column
from persistry.errors import StoreVersionError
from tests import burr_postgresql, burr_sqlite
from tests.bad_input import ALL, Calls, Run, refused, runner, works
from tests.stores.served import ServedStore
from tests.stores.sqlcipher import encrypted

run = pytest.fixture(runner)
ROOT = Path(__file__).parents[1]
TABLES = [it for it in COLUMNS if it.backend in BACKENDS]
# As Apache Burr makes it, or would.
BURRS = {
    "mariadb": """CREATE TABLE {table} (partition_key VARCHAR(99) DEFAULT '', app_id VARCHAR(99),
        sequence_id INTEGER, position VARCHAR(99), status VARCHAR(99), state TEXT,
        created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (partition_key, app_id, sequence_id, position))""",
    "postgresql": burr_postgresql.TABLE,
    "sqlcipher": burr_sqlite.TABLE,
    "sqlite": burr_sqlite.TABLE,
}
A_ROW = (
    "INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state{more}"
    " VALUES ('p', 'app', 1, 'step', 'completed', '{{}}'{values}"
)


class Others:
    """What somebody else does where a persister's table is to be, and persisters for it."""

    def __init__(self, store: Any, run: Run) -> None:
        self.store, self.run = store, run
        self.backend: str = store.column.backend
        self.table = store.name if isinstance(store, ServedStore) else "burr_state"
        self.made: list[Calls] = []

    def open(self) -> Calls:
        self.made.append(Calls(self.run(self.store.open()), self.run))
        return self.made[-1]

    def connect(self) -> Any:
        if isinstance(self.store, ServedStore):
            return self.store.place.connect()
        if self.backend == "sqlcipher":
            return encrypted(self.store.path)
        return sqlite3.connect(self.store.path)

    def sql(self, *statements: str) -> list[Any]:
        """The rows of the last one, if it has any."""
        with closing(self.connect()) as connection, closing(connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement.format(table=self.table))
            rows = list(cursor.fetchall()) if cursor.description else []
            connection.commit()
            return rows

    def clear(self) -> None:
        """Of what the storage began with."""
        self.sql("DROP TABLE IF EXISTS {table}")

    def initialized(self) -> None:
        """One of ours, with a record."""
        persister = self.open()
        persister.initialize()
        persister.put("app", 0, n=0)
        persister.cleanup()


@pytest.fixture(params=TABLES, ids=lambda column: column.name)
def others(
    request: pytest.FixtureRequest,
    make_store: Callable[[Column], AbstractContextManager[Any]],
    run: Run,
) -> Iterator[Others]:
    with make_store(request.param) as store:
        others = Others(store, run)
        yield others
        for persister in others.made:
            persister.cleanup()


def other_columns(others: Others) -> str:
    others.clear()
    others.sql("CREATE TABLE {table} (note TEXT)", "INSERT INTO {table} VALUES ('mine')")
    return "lacks "


def a_foreign_column(others: Others) -> str:
    """A column that none of our saves could fill."""
    others.clear()
    burrs = BURRS[others.backend]
    others.sql(burrs.replace("app_id", "owner INTEGER NOT NULL, app_id", 1))
    row = A_ROW.format(table="{table}", more=", owner)", values=", 1)")
    others.sql(row.replace("'{}'", "'{{}}'"))
    return "'owner'" if others.backend != "mariadb" else "lacks "


def a_view(others: Others) -> str:
    others.clear()
    others.sql("CREATE VIEW {table} AS SELECT 1 AS note")
    return ""


def a_view_of_ours(others: Others) -> str:
    """It has every column, but no key that would refuse a record twice."""
    others.initialized()
    others.sql("ALTER TABLE {table} RENAME TO {table}_kept")
    others.sql("CREATE VIEW {table} AS SELECT * FROM {table}_kept")
    return ""


def lacking(column: str) -> Callable[[Others], str]:
    def shape(others: Others) -> str:
        others.initialized()
        if others.store.column.layout:
            others.sql("DROP INDEX IF EXISTS {table}_created_at_index")  # Burr's
        others.sql(
            f"ALTER TABLE {{table}} DROP COLUMN {column}",
            "ALTER TABLE {table} ADD COLUMN note INTEGER",  # or it may just be Burr's again
        )
        return "lacks "

    return shape


def retyped(column: str, type: str) -> Callable[[Others], str]:
    def shape(others: Others) -> str:
        others.initialized()
        if others.store.column.layout:
            others.sql("DROP INDEX IF EXISTS {table}_created_at_index")  # Burr's
        others.sql(
            f"ALTER TABLE {{table}} DROP COLUMN {column}",
            f"ALTER TABLE {{table}} ADD COLUMN {column} {type}",
        )
        return "with another type"

    return shape


SHAPES: dict[str, Callable[[Others], str]] = {
    "other columns": other_columns,
    "a foreign column": a_foreign_column,
    "a view": a_view,
    "a view of ours": a_view_of_ours,
    **{f"no {name}": lacking(name) for name in ("status", "state", "created_at", "codec")},
    "status is a number": retyped("status", "INTEGER"),
    "state is a number": retyped("state", "INTEGER"),
    "created_at is a number": retyped("created_at", "INTEGER"),
    "codec is a text": retyped("codec", "VARCHAR(9)"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_operation_refuses_it(others: Others, shape: str) -> None:
    words = SHAPES[shape](others)
    there = others.sql("SELECT * FROM {table}")
    for name, operation in ALL.items():
        persister = others.open()
        for _ in range(2):
            with refused(StoreVersionError, words, "give another table_name") as told:
                operation(persister)
            assert re.match(rf"{name}\b", str(told.value))
    assert others.sql("SELECT * FROM {table}") == there


@pytest.mark.parametrize("shape", ["other columns", "a view"])
def test_it_is_looked_at_again(others: Others, shape: str) -> None:
    """A refusal is not remembered: where the other one is gone, the same persister works."""
    SHAPES[shape](others)
    persister = others.open()
    for operation in ALL.values():
        with pytest.raises(StoreVersionError):
            operation(persister)
    others.sql("DROP VIEW {table}" if shape == "a view" else "DROP TABLE {table}")
    assert persister.is_initialized() is False
    assert persister.pending_migrations() == []
    others.initialized()
    works(persister)
    assert persister.is_initialized() is True


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_opening_query_looks_for_every_column(backend: str) -> None:
    """By its name; where its type is another one there, a new table of ours would be refused."""
    run = Generator(ROOT)
    project = run.project()
    assert project is not None and run.written is not None
    (model,) = (it for it in run.written.backends if it.backend == backend)
    (parts, *_) = (one.parts for it in project.backends if it.name == backend for one in it.classes)
    assert isinstance(model, SqlBackendModel) and isinstance(parts, SqlParts)
    names = set(re.findall(r"'(\w+)", parts.format.opening))
    assert model.stored.columns.keys() <= names


def test_a_column_more_in_a_table_of_ours(others: Others) -> None:
    """It is its owner's business, as long as our saves need not fill it."""
    others.initialized()
    others.sql("ALTER TABLE {table} ADD COLUMN note INTEGER")
    persister = others.open()
    assert persister.is_initialized() is True
    persister.initialize()
    works(persister)
