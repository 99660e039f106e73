"""What the tests of MariaDB share: a database of their own, its users, and who opens it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import aiomysql
import pymysql

from persistry import AsyncMariaDBPersister, MariaDBPersister
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run
from tests.servers import MariaDBServer

CLASSES: dict[str, Any] = {"sync": MariaDBPersister, "async": AsyncMariaDBPersister}
DRIVER = pymysql.Error
ALL = [*OPERATIONS, "initialize"]
Make = Callable[..., Calls]
numbers = itertools.count()


def call(operation: str, persister: Calls) -> Any:
    return OPERATIONS.get(operation, lambda persister: persister.initialize())(persister)


def servers() -> Iterator[MariaDBServer]:
    """A fixture's body: one that needs a password."""
    with MariaDBServer(PASSWORD) as server:
        yield server


class Admin:
    """What others do to the server, in a database of this test."""

    def __init__(self, server: MariaDBServer) -> None:
        self.server = server
        self.database = f"database_{next(numbers)}"
        self.run(f"CREATE DATABASE {self.database}", database=server.database)

    def words(self, database: str = "", **options: Any) -> dict[str, Any]:
        """What PyMySQL is called with; aiomysql says `db` for `database`."""
        host, port = self.server.address
        login = {"user": self.server.superuser, "password": self.server.password}
        where = {"host": host, "port": port, "database": database or self.database}
        return {**where, **login, **options}

    def connect(self, database: str = "", **options: Any) -> Any:
        return pymysql.connect(**self.words(database, **{"autocommit": True, **options}))

    def run(self, *statements: str, database: str = "") -> list[Any]:
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return list(cursor.fetchall())

    def user(self, rights: str = "", *, options: str = "") -> dict[str, Any]:
        """A new user with these rights in the database. What the persister needs to be it."""
        name = f"user_{next(numbers)}"
        self.run(f"CREATE USER {name}@'%' IDENTIFIED BY '{PASSWORD}' {options}")
        # Of no use to it but to come in: a right to a table that nobody has.
        self.run(f"GRANT CREATE, SELECT ON {self.database}.no_such_table TO {name}@'%'")
        if rights:
            self.run(f"GRANT {rights} TO {name}@'%'")
        return {"user": name}

    def content(self) -> list[Any]:
        """All that users made in the database, and the records."""
        found = self.run(
            "SELECT table_name, table_type, column_name, column_type"
            " FROM information_schema.tables LEFT JOIN information_schema.columns"
            f" USING (table_schema, table_name) WHERE table_schema = '{self.database}'"
            " ORDER BY table_name, ordinal_position"
        )
        if any(name == "burr_state" and kind != "SEQUENCE" for name, kind, *_ in found):
            found += self.run("SELECT * FROM burr_state")
        return found

    def kill(self, what: str = "", where: str = "true") -> int:
        """End the connections of the persisters, or what they are doing; how many."""
        found = self.run(
            "SELECT id FROM information_schema.processlist"
            f" WHERE id <> connection_id() AND user <> 'system user' AND {where}"
        )
        for (number,) in found:
            with closing(self.connect()) as connection, connection.cursor() as cursor:
                try:
                    cursor.execute(f"KILL {what} {number}")
                except pymysql.Error as error:
                    assert error.args[0] == 1094, error  # it has gone meanwhile
        return len(found)


def admins(server: MariaDBServer) -> Admin:
    """A fixture's body: on a server that runs."""
    server.start()
    return Admin(server)


def makers(colour: str, admin: Admin, server: MariaDBServer, run: Run) -> Iterator[Make]:
    """A fixture's body: makes persisters on the test's database, or elsewhere, and closes them."""
    made = []

    def make_(**options: Any) -> Calls:
        host, port = server.address
        where = {"db_name": admin.database, "user": server.superuser, "password": PASSWORD}
        given = {**where, "host": host, "port": port, **options}
        made.append(Calls(run(CLASSES[colour].from_values(**given)), run))
        return made[-1]

    yield make_
    server.start()
    server.resume()
    for persister in made:
        persister.cleanup()


def initialized(make: Make) -> Calls:
    """A fixture's body."""
    persister = make()
    persister.initialize()
    return persister


def openers(colour: str, admin: Admin, run: Run) -> Iterator[Callable[..., Any]]:
    """A fixture's body: connections of somebody else's, as he opens them."""
    opened: list[Any] = []

    def hand_in(**options: Any) -> Any:
        words = admin.words(**options)
        if colour == "sync":
            opened.append(pymysql.connect(**words))
        else:
            opened.append(run(aiomysql.connect(db=words.pop("database"), **words)))
        return opened[-1]

    yield hand_in
    for connection in opened:
        if connection.open if colour == "sync" else not connection.closed:
            connection.close()
