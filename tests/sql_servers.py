"""What the tests of SQL servers share: what others do there, and who opens what is there."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from persistry.errors import CorruptStateError, StateConflictError
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, works

ALL = [*OPERATIONS, "initialize"]
Make = Callable[..., Calls]
numbers = itertools.count()


def call(operation: str, persister: Calls) -> Any:
    return OPERATIONS.get(operation, lambda persister: persister.initialize())(persister)


def first(operation: str, colour: str) -> str:
    """What a message names: an asynchronous persister connects as soon as it is opened."""
    return operation if colour.startswith("sync") else "connect"


class SqlAdmin(ABC):
    """What others do to the server, in a database of this test."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.database = f"database_{next(numbers)}"
        self.create(self.database)

    def create(self, database: str, how: str = "") -> None:
        """A new database; `how` is the rest of the statement."""
        self.run(f"CREATE DATABASE {database} {how}", database=self.server.database)

    @abstractmethod
    def connect(self, database: str = "", **options: Any) -> Any:
        """A connection of the server's owner, which commits each statement."""

    def run(self, *statements: str, database: str = "") -> list[Any]:
        """The rows of the last of them, if it has any."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    @abstractmethod
    def user_of_table(self, rights: str = "") -> dict[str, Any]:
        """A new user who has these rights to the table. What the persister needs to be it."""

    @abstractmethod
    def content(self) -> list[Any]:
        """All that users made in the database, and the records."""

    @abstractmethod
    def end_all(self) -> None:
        """End the connections of the persisters."""


@dataclass(frozen=True)
class Store:
    """A kind of server, and the persisters for it."""

    server: Any
    admin: Callable[[Any], SqlAdmin]
    classes: dict[str, Any]
    """Each class, by its colour; behind that the library, if it is not the one that is chosen."""
    driver: Any
    """What the drivers raise."""


# The bodies of fixtures; a module says what its `store` and its `colour` are.


def servers(store: Store) -> Iterator[Any]:
    """One that needs a password."""
    with store.server(PASSWORD) as server:
        yield server


def admins(store: Store, server: Any) -> SqlAdmin:
    """On a server that runs."""
    server.resume()
    server.start()
    return store.admin(server)


def makers(store: Store, colour: str, admin: SqlAdmin, server: Any, run: Run) -> Iterator[Make]:
    """Makes persisters on the test's database, or elsewhere, and closes them."""
    made = []

    def make(**options: Any) -> Calls:
        host, port = server.address
        where = {"db_name": admin.database, "user": server.superuser, "password": PASSWORD}
        given = {**where, "host": host, "port": port, **options}
        made.append(Calls(run(store.classes[colour].from_values(**given)), run))
        return made[-1]

    yield make
    server.resume()
    server.start()
    for persister in made:
        persister.cleanup()


def initialized(make: Make) -> Calls:
    persister = make()
    persister.initialize()
    return persister


def damaged(persister: Calls, admin: SqlAdmin, *statements: str, key: bool = True) -> None:
    """The record of `bad` is named and kept as it is, and the others can be read.

    Args:
        statements: What damages it; the last one ends with what is changed.
        key: Whether its key and its time are what they were, so that a save finds it.
    """
    for app in ("good", "bad"):
        persister.put(app, n=1)
    admin.run(*statements[:-1], f"UPDATE burr_state SET {statements[-1]} WHERE app_id = 'bad'")
    before = admin.content()
    for wanted in (("bad",), ("bad", 0), (None,)):
        with pytest.raises(CorruptStateError, match=r"^load of .*'p'"):
            persister.get(*wanted)
    if key:
        with pytest.raises(StateConflictError, match=r"save of .*'bad', sequence 0"):
            persister.put("bad", n=1)
    assert admin.content() == before
    assert persister.get("good") == {"n": 1}
    assert persister.list_app_ids("p") == ["bad", "good"]
    works(persister)
