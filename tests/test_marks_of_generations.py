"""The mark of a store's generation, on every store that has one: huge numbers, and no numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest

from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column, Store
from persistry.errors import CorruptStateError, StoreVersionError
from tests.bad_input import ALL, Calls, Run, runner, works
from tests.stores.sqlcipher import encrypted

run = pytest.fixture(runner)
MakeStore = Callable[[Column], AbstractContextManager[Store]]
NEWER = ["2", "17", "99999999999", "9" * 18, "1" + "0" * 30, "9" * 1000]
NO_GENERATIONS = [
    "0",
    "00",
    "01",
    "-1",
    "+2",
    "1.5",
    "2e1",
    "",
    "x",
    "2x",
    "2 ",
    " 2",
    "\u00b2",
    "\u0662",
]


# How somebody else would write it: what is marked, and the text.


def in_a_view(connection: Any, table: str, mark: str) -> None:
    connection.execute(f"DROP VIEW {table}_generation")
    connection.execute(f'CREATE VIEW {table}_generation AS SELECT 1 AS "generation_{mark}"')
    connection.commit()


def in_sqlite(store: Any, table: str, mark: str) -> None:
    with closing(sqlite3.connect(store.path)) as connection:
        in_a_view(connection, table, mark)


def in_sqlcipher(store: Any, table: str, mark: str) -> None:
    with closing(encrypted(store.path)) as connection:
        in_a_view(connection, table, mark)


def in_postgresql(store: Any, table: str, mark: str) -> None:
    with closing(store.place.connect()) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON INDEX {table}_order IS 'persistry generation {mark}'")


def in_mariadb(store: Any, table: str, mark: str) -> None:
    with closing(store.place.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} COMMENT = 'persistry generation {mark}'")


def in_mongodb(store: Any, collection: str, mark: str) -> None:
    there = store.place.client[store.names["db_name"]][collection]
    for name in list(there.index_information()):
        if name.startswith("ps_generation"):
            there.drop_index(name)
    there.create_index("a_mark", name=f"ps_generation_{mark}", sparse=True)


def in_redis(store: Any, namespace: str, mark: str) -> None:
    with store.place.client() as client:
        client.set(f"{{{namespace}:}}:g", mark)


MARKS: dict[str, Callable[[Any, str, str], None]] = {
    "mariadb": in_mariadb,
    "mongodb": in_mongodb,
    "postgresql": in_postgresql,
    "redis": in_redis,
    "sqlcipher": in_sqlcipher,
    "sqlite": in_sqlite,
}
# Nothing is kept in memory; another library's layout has no key of ours.
WITHOUT = {"memory", "redis_burr"}
MARKED = [it for it in COLUMNS if it.backend not in WITHOUT]
every_store = pytest.mark.parametrize("column", MARKED, ids=lambda it: it.name)


class Marked:
    """A store with a record, whose mark is written by others."""

    def __init__(self, store: Any, run: Run) -> None:
        self.store, self.run = store, run
        persister = self.open()
        persister.initialize()
        persister.put("app", 0, n=0)
        self.name = getattr(store, "name", "burr_state")  # a table of a test's own file
        persister.cleanup()

    def open(self) -> Calls:
        return Calls(self.run(self.store.open()), self.run)

    def mark(self, text: str) -> Calls:
        """A persister of somebody who comes later."""
        MARKS[self.store.column.backend](self.store, self.name, text)
        return self.open()


@every_store
def test_a_newer_generation_is_refused_whatever_its_number(
    column: Column, make_store: MakeStore, run: Run
) -> None:
    with make_store(column) as store:
        marked = Marked(store, run)
        for text in NEWER:
            persister = marked.mark(text)
            for operation in ALL.values():
                with pytest.raises(StoreVersionError, match=r"generation \d+,.*upgrade persistry"):
                    operation(persister)
            persister.cleanup()
        persister = marked.mark("1")
        assert persister.get() == {"n": 0}
        persister.cleanup()


@every_store
def test_what_is_no_number_from_1_is_no_mark(
    column: Column, make_store: MakeStore, run: Run
) -> None:
    """The generation is then 1, as without a mark; a key of our own that holds it is damaged."""
    with make_store(column) as store:
        marked = Marked(store, run)
        for number, text in enumerate(NO_GENERATIONS):
            persister = marked.mark(text)
            if column.backend == "redis":
                for operation in ALL.values():
                    with pytest.raises(CorruptStateError, match="is no generation"):
                        operation(persister)
            else:
                assert persister.is_initialized(), text
                assert persister.pending_migrations() == [], text
                persister.initialize()
                persister.put("app", number + 1)
                assert persister.get("app", 0) == {"n": 0}, text
                works(persister)
            persister.cleanup()


def test_every_backend_that_keeps_data_has_a_mark() -> None:
    assert {it.backend for it in MARKED} == MARKS.keys()
