"""The way back to Burr alone, as the page has it: what was added is gone, and nothing else."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pymongo
import pytest

from persistry import StoreVersionError
from tests.burr.apps import PARTITION, Apps
from tests.burr.conftest import MakeStore, class_for
from tests.burr.originals import EMPTY, initialized, original
from tests.burr.test_stores_of_burr import rounds

PAGE = Path(__file__).parents[2] / "docs" / "burr.md"
COLUMNS = {it.name: it for it in EMPTY}


def told(language: str, word: str) -> str:
    """The block of the page that has this word."""
    found = re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = (it for it in found if word in it)
    return str(block)


class InSQLite:
    def __init__(self, store: Any) -> None:
        self._path = store.path

    def run(self, *statements: str) -> None:
        with sqlite3.connect(self._path, isolation_level=None) as connection:
            for it in statements:
                connection.execute(it)
        connection.close()

    def remove(self) -> None:
        self.run(*told("sql", "TRIGGER").split(";"))

    def shape(self) -> Any:
        with sqlite3.connect(self._path) as connection:
            found = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY 1").fetchall()
            mode = connection.execute("PRAGMA journal_mode").fetchone()
        connection.close()
        return {name: " ".join((sql or "").split()) for name, sql in found}, mode


class InPostgreSQL:
    def __init__(self, store: Any) -> None:
        parts = dict(store.place.parts)
        self._values = {
            "dbname": parts["db_name"],
            **{it: parts[it] for it in ("user", "password", "host", "port")},
        }
        self._name = store.name

    def run(self, *statements: str) -> Any:
        connection = psycopg2.connect(**self._values)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for it in statements:
                cursor.execute(it.replace("burr_state", self._name))
            found = cursor.fetchall() if cursor.description else None
        connection.close()
        return found

    def remove(self) -> None:
        self.run(told("sql", "exact"))

    def shape(self) -> Any:
        columns = (
            "SELECT column_name, data_type, column_default, is_nullable"
            " FROM information_schema.columns WHERE table_name = 'burr_state' ORDER BY 1"
        )
        indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = 'burr_state' ORDER BY 1"
        return self.run(columns), self.run(indexes)


class InMongoDB:
    def __init__(self, store: Any) -> None:
        self._store = store

    def _collection(self, client: Any) -> Any:
        names = self._store.names
        return client[names["db_name"]][names["collection_name"]]

    def remove(self) -> None:
        names = re.findall(r'"(\w+)"', told("js", "dropIndexes"))
        with pymongo.MongoClient[Any](self._store.place.url) as client:
            for it in names:
                self._collection(client).drop_index(it)

    def shape(self) -> Any:
        with pymongo.MongoClient[Any](self._store.place.url) as client:
            return self._collection(client).index_information()


CASES: dict[str, Callable[[Any], Any]] = {
    "SQLitePersister": InSQLite,
    "PostgreSQLPersister": InPostgreSQL,
    "MongoDBBasePersister": InMongoDB,
}


@pytest.fixture(params=CASES)
def store(request: pytest.FixtureRequest, make_store: MakeStore) -> Iterator[Any]:
    column = COLUMNS[request.param]
    with make_store(column) as made:
        made.persister = class_for(column)
        yield made


async def test_what_was_added_is_removed(store: Any, apps: Apps, opened: Any) -> None:
    place = CASES[store.column.name](store)
    async with original(store) as burr:
        assert await rounds(apps, await initialized(burr), 1) == [1]
    before = place.shape()
    ours = await initialized(await opened(store.open()))
    assert await rounds(apps, ours, 1) == [1, 2]
    assert place.shape() != before
    ours.cleanup()
    place.remove()
    assert place.shape() == before
    async with original(store) as burr:
        assert await rounds(apps, burr, 1) == [1, 2, 3]
    again = await opened(store.open())
    assert len(again.pending_migrations()) == 1
    assert await rounds(apps, await initialized(again), 1) == [1, 2, 3, 4]
    assert again.list_app_ids(PARTITION) == ["app"]


@pytest.mark.parametrize("store", ["SQLitePersister", "PostgreSQLPersister"], indirect=True)
async def test_a_foreign_column_is_taken_out_and_put_back(
    store: Any, apps: Apps, opened: Any
) -> None:
    place = CASES[store.column.name](store)
    async with original(store) as burr:
        assert await rounds(apps, await initialized(burr), 1) == [1]
    place.run("ALTER TABLE burr_state ADD COLUMN note TEXT")
    with pytest.raises(StoreVersionError, match="a column 'note'"):
        (await opened(store.open())).initialize()
    place.run("ALTER TABLE burr_state DROP COLUMN note")
    ours = await initialized(await opened(store.open()))
    place.run("ALTER TABLE burr_state ADD COLUMN note TEXT")
    assert await rounds(apps, ours, 1) == [1, 2]
    assert await rounds(apps, await initialized(await opened(store.open())), 1) == [1, 2, 3]
    async with original(store) as burr:
        assert await rounds(apps, burr, 1) == [1, 2, 3, 4]
