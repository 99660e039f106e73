"""What the tests of MariaDB share: a database of their own, its users, and who opens it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import aiomysql
import pymysql

from persistry import AsyncMariaDBPersister, MariaDBPersister
from tests.bad_input import PASSWORD, Run
from tests.servers import MariaDBServer
from tests.sql_servers import SqlAdmin, Store, numbers

CLASSES: dict[str, Any] = {"sync": MariaDBPersister, "async": AsyncMariaDBPersister}
DRIVER = (pymysql.Error,)


class Admin(SqlAdmin):
    def words(self, database: str = "", **options: Any) -> dict[str, Any]:
        """What PyMySQL is called with; aiomysql says `db` for `database`."""
        host, port = self.server.address
        login = {"user": self.server.superuser, "password": self.server.password}
        where = {"host": host, "port": port, "database": database or self.database}
        return {**where, **login, **options}

    def connect(self, database: str = "", **options: Any) -> Any:
        # The server has no TLS, for which PyMySQL would get ready 30 ms long at each connection.
        own = {"autocommit": True, "ssl_disabled": True}
        return pymysql.connect(**self.words(database, **{**own, **options}))

    def user(self, rights: str = "", *, options: str = "") -> dict[str, Any]:
        """A new user with these rights in the database. What the persister needs to be it."""
        name = f"user_{next(numbers)}"
        self.run(f"CREATE USER {name}@'%' IDENTIFIED BY '{PASSWORD}' {options}")
        # Of no use to it but to come in: a right to a table that nobody has.
        self.run(f"GRANT CREATE, SELECT ON {self.database}.no_such_table TO {name}@'%'")
        if rights:
            self.run(f"GRANT {rights} TO {name}@'%'")
        return {"user": name}

    def user_of_table(self, rights: str = "") -> dict[str, Any]:
        return self.user(rights and f"{rights} ON {self.database}.burr_state")

    def content(self) -> list[Any]:
        found = self.run(
            "SELECT table_name, table_type, column_name, column_type"
            " FROM information_schema.tables LEFT JOIN information_schema.columns"
            f" USING (table_schema, table_name) WHERE table_schema = '{self.database}'"
            " ORDER BY table_name, ordinal_position"
        )
        if any(name == "burr_state" and kind != "SEQUENCE" for name, kind, *_ in found):
            found += self.run("SELECT * FROM burr_state")
        return found

    def end_all(self) -> None:
        self.kill()

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


STORE = Store(MariaDBServer, Admin, CLASSES, DRIVER)


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
