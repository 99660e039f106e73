"""What the matrix runs on: a server that was given, and what one case leaves to the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from persistry.conformance.columns import COLUMNS
from persistry.state import State
from tests.servers import ServerMissing
from tests.stores import STORES, served_by
from tests.stores.mariadb import MariaDBPlace
from tests.stores.mongodb import MongoPlace
from tests.stores.postgresql import PostgreSQLPlace
from tests.stores.redis import RedisPlace
from tests.stores.served import Place, missing

RUN = "persistry_test_1234abcd"
PASSWORD = "p@ss/word?"


class InRedis:
    place = RedisPlace

    @staticmethod
    def store(place: RedisPlace, name: str) -> None:
        place.client().set(f"persistry:{{{name}}}:key", "value")

    @staticmethod
    def stored(place: RedisPlace) -> set[str]:
        return {key.decode().split("{")[1].split("}")[0] for key in place.client().scan_iter()}


class InPostgreSQL:
    place = PostgreSQLPlace

    @staticmethod
    def run(place: PostgreSQLPlace, sql: str) -> Any:
        with closing(place.connect()) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    @classmethod
    def store(cls, place: PostgreSQLPlace, name: str) -> None:
        cls.run(place, f'CREATE TABLE "{name}" (id int primary key)')

    @classmethod
    def stored(cls, place: PostgreSQLPlace) -> set[str]:
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        return {name for (name,) in cls.run(place, tables)}


class InMongoDB:
    place = MongoPlace

    @staticmethod
    def store(place: MongoPlace, name: str) -> None:
        run, _, _ = name.rpartition("_")
        place.client[run if run == RUN else "mine"][name].insert_one({})

    @staticmethod
    def stored(place: MongoPlace) -> set[str]:
        databases = set(place.client.list_database_names()) - {"admin", "config", "local"}
        return {name for base in databases for name in place.client[base].list_collection_names()}


class InMariaDB:
    place = MariaDBPlace

    @staticmethod
    def run(place: MariaDBPlace, sql: str) -> Any:
        with closing(place.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    @classmethod
    def store(cls, place: MariaDBPlace, name: str) -> None:
        cls.run(place, f"CREATE TABLE `{name}` (id int primary key)")

    @classmethod
    def stored(cls, place: MariaDBPlace) -> set[str]:
        return {name for (name,) in cls.run(place, "SHOW TABLES")}


@pytest.fixture(
    params=[InRedis, InPostgreSQL, InMongoDB, InMariaDB], ids=lambda at: at.place.server.name
)
def at(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def place(at: Any, request: pytest.FixtureRequest) -> Iterator[Place]:
    """A server as somebody gives it: by a URL, with a password."""
    try:
        server = at.place.server(PASSWORD)
    except ServerMissing as error:
        missing(error, skip=request.config.getoption("skip_missing"))
    with server, closing(at.place(at.place.on(server).url)) as place:
        yield place


def test_only_what_the_run_stored_is_removed(at: Any, place: Any) -> None:
    for name in (f"{RUN}_00000001", f"{RUN}_00000002", "persistry_test_99999999_1", "burr_state"):
        at.store(place, name)
    place.remove(RUN)
    assert at.stored(place) == {"persistry_test_99999999_1", "burr_state"}


def test_a_place_where_nobody_answers(at: Any, place: Any) -> None:
    assert place.problem() is None
    _, port = place.address
    nowhere = at.place(place.url.replace(str(port), "1"))
    assert nowhere.problem()
    assert PASSWORD not in nowhere.problem()
    nowhere.close()


@pytest.mark.parametrize("column", ["PostgreSQLPersister", "MongoDBBasePersister"])
def test_the_next_case_gets_what_a_passed_one_left_empty(
    column: str, request: pytest.FixtureRequest
) -> None:
    (described,) = (it for it in COLUMNS if it.name == column)
    place = request.getfixturevalue(f"{described.backend}_place")
    assert type(place) is served_by(described)
    spares: list[str] = []
    for passes, left in ((True, 1), (True, 1), (False, 0)):
        with STORES[column](described, place, RUN, False) as store:  # type: ignore[call-arg]
            taken = list(spares)
            store.reuse(spares, lambda passes=passes: passes)
            assert taken in ([], [store.name])
            with store.open() as persister:
                assert persister.is_initialized() is bool(taken)
                persister.initialize()
                assert persister.list_app_ids("p") == []
                persister.save("p", "a", 1, "x", State({}), "completed")
        assert spares == [store.name] * left
    with STORES[column](described, place, RUN, False) as store:  # type: ignore[call-arg]
        store.reuse(spares, lambda: False)
        with store.open() as persister:
            assert persister.is_initialized() is False
    place.remove(RUN)
