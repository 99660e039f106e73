"""MariaDB or MySQL: a table for each test."""

from __future__ import annotations

import functools
from contextlib import closing, suppress
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import aiomysql
import pymysql

from tests.servers import MariaDBServer

from .served import Place, ServedStore, login


class MariaDBPlace(Place):
    """A URL, and its parts in the words of `from_values`."""

    variable = "PERSISTRY_TEST_MARIADB_URL"
    server = MariaDBServer

    @classmethod
    def on(cls, server: MariaDBServer) -> Self:
        host, port = server.address
        user = login(server.superuser, server.password) or f"{server.superuser}@"
        # It has no TLS, for which PyMySQL would get ready 30 ms long at each connection.
        return cls(f"mariadb://{user}{host}:{port}/{server.database}?ssl_disabled=true")

    @functools.cached_property
    def parts(self) -> dict[str, Any]:
        given = urlsplit(self.url)
        return {
            "db_name": unquote(given.path.removeprefix("/")),
            "user": unquote(given.username or "root"),
            "password": unquote(given.password or ""),
            "host": given.hostname or "localhost",
            "port": given.port or 3306,
            "connect_kwargs": dict(parse_qsl(given.query)) or None,
        }

    @property
    def address(self) -> tuple[str, int]:
        return self.parts["host"], self.parts["port"]

    @property
    def for_aiomysql(self) -> dict[str, Any]:
        """The parts without those that only PyMySQL understands."""
        return {**self.parts, "connect_kwargs": None}

    def connect(self) -> Any:
        words = dict(self.parts)
        more = words.pop("connect_kwargs") or {}
        return pymysql.connect(database=words.pop("db_name"), **words, **more)

    def problem(self) -> str | None:
        try:
            self.connect().close()
        except pymysql.Error as error:
            return str(error)
        return None

    def remove(self, run: str) -> None:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES LIKE %s", (run.replace("_", r"\_") + "%",))
            for (table,) in cursor.fetchall():
                cursor.execute(f"DROP TABLE `{table}`")


class MariaDBStore(ServedStore[MariaDBPlace]):
    place_type = MariaDBPlace

    @property
    def parts(self) -> dict[str, Any]:
        return self.place.parts

    def open_at(self, host: str, port: int, **options: Any) -> Any:
        where = {**self.parts, "host": host, "port": port, "table_name": self.name}
        return self.persister.from_values(**{**where, **options})

    def connect(self) -> Any:
        return self.place.connect()

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(connection, **{"table_name": self.name, **options})

    def is_usable(self, connection: Any) -> Any:
        with suppress(pymysql.Error), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return cursor.fetchone() == (1,)
        return False

    def disconnect(self, connection: Any) -> Any:
        with suppress(pymysql.Error):  # it is closed already
            connection.close()


class AsyncMariaDBStore(MariaDBStore):
    @property
    def parts(self) -> dict[str, Any]:
        return self.place.for_aiomysql

    async def connect(self) -> Any:
        words = self.parts
        del words["connect_kwargs"]
        return await aiomysql.connect(db=words.pop("db_name"), **words)

    async def is_usable(self, connection: Any) -> Any:
        with suppress(pymysql.Error):
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT 1")
                return await cursor.fetchone() == (1,)
        return False

    async def disconnect(self, connection: Any) -> Any:
        connection.close()


STORES = {
    "MariaDBPersister": MariaDBStore,
    "AsyncMariaDBPersister": AsyncMariaDBStore,
}
