"""What the tests of PostgreSQL share: a database of their own, and a user of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import asyncpg
import psycopg
import psycopg2
from psycopg2 import sql

from persistry import AsyncPostgreSQLPersister, PostgreSQLPersister, b_psycopg
from tests.bad_input import PASSWORD, Calls, Run
from tests.servers import PostgreSQLServer
from tests.servers.postgresql import kept
from tests.sql_servers import Make, SqlAdmin, Store, numbers

# Each class, by its colour; behind that the library, if it is not the one that is chosen.
CLASSES: dict[str, Any] = {
    "sync": PostgreSQLPersister,
    "async": AsyncPostgreSQLPersister,
    "sync psycopg": b_psycopg.PostgreSQLPersister,
    "async psycopg": b_psycopg.AsyncPostgreSQLPersister,
}
ASYNCPG = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
# What the driver of each class raises, and what any of them does.
DRIVERS: dict[str, Any] = {
    "sync": psycopg2.Error,
    "async": ASYNCPG,
    "sync psycopg": psycopg.Error,
    "async psycopg": psycopg.Error,
}
DRIVER: Any = (psycopg2.Error, psycopg.Error, *ASYNCPG)


class Admin(SqlAdmin):
    def connect(self, database: str = "", **options: Any) -> Any:
        host, port = self.server.address
        login = {"user": self.server.superuser, "password": self.server.password}
        where = {"host": host, "port": port, "dbname": database or self.database}
        connection = psycopg2.connect(**{**where, **login, **options})
        connection.autocommit = True
        return connection

    def create(self, database: str, how: str = "") -> None:
        with closing(self.connect(self.server.database)) as connection:
            made = f'CREATE DATABASE "{database}" TEMPLATE template0 {copied(connection)} {how}'
            connection.cursor().execute(made)

    def role(self, rights: str = "", *, options: str = "") -> dict[str, Any]:
        """A new user with these rights; `{}` is its name. What the persister needs to be it."""
        name = f"user_{next(numbers)}"
        self.run(f"CREATE ROLE {name} LOGIN PASSWORD '{kept(PASSWORD)}' {options}")
        if rights:
            self.run(rights.replace("{}", name))
        return {"user": name}

    def user_of_table(self, rights: str = "") -> dict[str, Any]:
        return self.role(rights and f"GRANT {rights} ON burr_state TO {{}}")

    def content(self) -> list[Any]:
        found = self.run(
            "SELECT relname, relkind::text, attname, atttypid::regtype::text FROM pg_class"
            " JOIN pg_attribute ON attrelid = pg_class.oid"
            " WHERE relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY 1, 3"
        )
        if any(name == "burr_state" and kind in "rv" for name, kind, *_ in found):
            found += self.run("SELECT burr_state::text FROM burr_state")
        return found

    def end_all(self) -> None:
        self.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


STORE = Store(PostgreSQLServer, Admin, CLASSES, DRIVER)


class Database(NamedTuple):
    """A database of a test's own, which its user owns nothing of."""

    server: PostgreSQLServer
    name: str

    @property
    def user(self) -> str:
        return f"user of {self.name}"

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the owner of the server does; the rows, if there are any."""
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def connected(self, **options: Any) -> Iterator[Any]:
        """A connection of the owner of the server, which commits each statement."""
        where = {"host": self.server.address[0], "port": self.server.port, "user": "postgres"}
        where |= {"password": self.server.password, "dbname": self.name}
        with closing(psycopg2.connect(**{**where, **options})) as connection:
            connection.autocommit = True
            yield connection

    def open(self, colour: str, run: Run, **options: Any) -> Calls:
        values = {"db_name": self.name, "user": "postgres", "password": self.server.password}
        values |= {"host": self.server.address[0], "port": self.server.port}
        return Calls(run(CLASSES[colour].from_values(**{**values, **options})), run)


@contextmanager
def database(
    server: PostgreSQLServer, name: str = "steps of a test", options: str = ""
) -> Iterator[Database]:
    """A new database, and a role that may only connect to it; both are removed."""
    own, whole = Database(server, name), Database(server, server.database)
    names = {"database": sql.Identifier(own.name), "role": sql.Identifier(own.user)}

    def do(*statements: str) -> None:
        with whole.connected() as connection, connection.cursor() as cursor:
            for text in statements:
                made = sql.SQL(text).format(**names, copied=sql.SQL(copied(connection)))
                cursor.execute(made, (kept(PASSWORD),) if "%s" in text else None)

    do(
        "CREATE DATABASE {database} TEMPLATE template0 {copied} " + options,
        "CREATE ROLE {role} LOGIN PASSWORD %s",
    )
    try:
        yield own
    finally:
        do("DROP DATABASE {database} WITH (FORCE)", "DROP ROLE {role}")


def copied(connection: Any) -> str:
    """How a database is made: by copying files, which takes a third of writing them as WAL."""
    return "STRATEGY file_copy" if connection.server_version >= 150_000 else ""


# The bodies of fixtures.


def databases(server: PostgreSQLServer) -> Iterator[Database]:
    with database(server) as own:
        yield own


def causes(colour: str) -> Any:
    """What the driver of this colour raises."""
    return DRIVERS[colour]


def makers(colour: str, own: Database, run: Run) -> Iterator[Make]:
    """Makes persisters on the database; they are closed in the end."""
    made = []

    def make(**options: Any) -> Calls:
        made.append(own.open(colour, run, **options))
        return made[-1]

    yield make
    for persister in made:
        persister.cleanup()
