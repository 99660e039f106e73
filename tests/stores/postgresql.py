"""PostgreSQL: a table for each test."""

from __future__ import annotations

import functools
from contextlib import closing, suppress
from typing import Any, Self

import asyncpg
import psycopg
import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, parse_dsn

from tests import burr_postgresql as burr
from tests.servers import PostgreSQLServer

from .served import Place, ServedStore, login

CLOSE_SECONDS = 5.0


class PostgreSQLPlace(Place):
    """A libpq URL, which both drivers take, and its parts in the words of `from_values`."""

    variable = "PERSISTRY_TEST_POSTGRESQL_URL"
    server = PostgreSQLServer

    @classmethod
    def on(cls, server: PostgreSQLServer) -> Self:
        host, port = server.address
        user = login(server.superuser, server.password) or f"{server.superuser}@"
        return cls(f"postgresql://{user}{host}:{port}/{server.database}")

    @functools.cached_property
    def parts(self) -> dict[str, Any]:
        given = parse_dsn(self.url)
        user = given.pop("user", "postgres")
        return {
            "db_name": given.pop("dbname", user),
            "user": user,
            "password": given.pop("password", ""),
            "host": given.pop("host", "localhost"),
            "port": int(given.pop("port", 5432)),
            "connect_kwargs": given or None,
        }

    @property
    def address(self) -> tuple[str, int]:
        return self.parts["host"], self.parts["port"]

    def connect(self) -> Any:
        return psycopg2.connect(self.url)

    def connect_to_tidy_up(self) -> Any:
        connection = self.connect()
        connection.autocommit = True  # one table at a time: all together are too many locks
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10s'")
        return connection

    @functools.cached_property
    def connection(self) -> Any:
        """One to tidy up with that stays open."""
        return self.connect_to_tidy_up()

    def close(self) -> None:
        if "connection" in vars(self):
            self.connection.close()

    def problem(self) -> str | None:
        try:
            self.connect().close()
        except psycopg2.Error as error:
            return str(error).strip()
        return None

    def remove(self, run: str) -> None:
        with closing(self.connect_to_tidy_up()) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables"
                " WHERE starts_with(tablename, %s)",
                (run,),
            )
            for (table,) in cursor.fetchall():
                cursor.execute(f"DROP TABLE IF EXISTS {table}")


class PostgreSQLStore(ServedStore[PostgreSQLPlace]):
    place_type = PostgreSQLPlace
    can_be_emptied = True

    def empty(self) -> None:
        with self.place.connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.name}")

    def open_at(self, host: str, port: int, **options: Any) -> Any:
        where = {**self.place.parts, "host": host, "port": port, "table_name": self.name}
        return self.persister.from_values(**{**where, **options})

    def connect(self) -> Any:
        return self.place.connect()

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(connection, **{"table_name": self.name, **options})

    def is_usable(self, connection: Any) -> Any:
        was_idle = connection.info.transaction_status == TRANSACTION_STATUS_IDLE
        with suppress(psycopg2.Error):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                answers = cursor.fetchone() == (1,)
            if was_idle:
                connection.rollback()  # psycopg2 has begun a transaction for the question
            return answers
        return False

    def disconnect(self, connection: Any) -> Any:
        connection.close()


class Adopted(PostgreSQLStore):
    """A table as Apache Burr makes it, still empty: `initialize()` adopts it."""

    can_be_emptied = False

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        with closing(self.place.connect()) as connection, connection, connection.cursor() as cursor:
            cursor.execute(burr.TABLE.format(table=self.name))


class PsycopgStore(PostgreSQLStore):
    def connect(self) -> Any:
        return psycopg.connect(self.place.url)

    def is_usable(self, connection: Any) -> Any:
        was_idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with suppress(psycopg.Error):
            answers = connection.execute("SELECT 1").fetchone() == (1,)
            if was_idle:
                connection.rollback()
            return answers
        return False


class AsyncPostgreSQLStore(PostgreSQLStore):
    async def connect(self) -> Any:
        return await asyncpg.connect(self.place.url)

    async def is_usable(self, connection: Any) -> Any:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return await connection.fetchval("SELECT 1") == 1
        return False

    async def disconnect(self, connection: Any) -> Any:
        with suppress(TimeoutError, OSError):  # it is gone anyway
            await connection.close(timeout=CLOSE_SECONDS)


class AsyncPsycopgStore(PostgreSQLStore):
    async def connect(self) -> Any:
        return await psycopg.AsyncConnection.connect(self.place.url)

    async def is_usable(self, connection: Any) -> Any:
        was_idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with suppress(psycopg.Error):
            cursor = await connection.execute("SELECT 1")
            answers = await cursor.fetchone() == (1,)
            if was_idle:
                await connection.rollback()
            return answers
        return False

    async def disconnect(self, connection: Any) -> Any:
        await connection.close()


class AdoptedStore(Adopted, PostgreSQLStore): ...


class AsyncAdoptedStore(Adopted, AsyncPostgreSQLStore): ...


STORES = {
    "PostgreSQLPersister": PostgreSQLStore,
    "PostgreSQLPersister-adopted": AdoptedStore,
    "AsyncPostgreSQLPersister": AsyncPostgreSQLStore,
    "AsyncPostgreSQLPersister-adopted": AsyncAdoptedStore,
    "b_psycopg.PostgreSQLPersister": PsycopgStore,
    "b_psycopg.AsyncPostgreSQLPersister": AsyncPsycopgStore,
}
