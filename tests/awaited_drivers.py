"""The drivers that the general asynchronous session is tested with, and their servers."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar

import aiomysql
import asyncmy
import asyncmy.connection
import asyncmy.errors
import psycopg
import psycopg.rows
import psycopg2
import pymysql

from persistry import b_psycopg, errors
from persistry._formats.postgresql import FORMAT
from persistry._runtime.drivers.awaited_calls import is_closed
from persistry._runtime.drivers.pep249_facts import Facts
from persistry._runtime.failures import Failures, Rule, Sign
from tests.servers import LOOPBACK, MariaDBServer, PostgreSQLServer, Server
from tests.sessions import failures_of

LOST, REFUSED = "the connection was lost and could not be had again", "no server answers there"
MISSING = "the table is missing; call initialize()"


def failures_of_mariadb(base: tuple[type[Exception], ...], strange: type[Exception]) -> Failures:
    """The least that a spec has to say; what is `strange` comes of a connection that is lost."""
    lost: Any = (
        errors.PersisterUnavailableError,
        LOST,
        {"may_have_saved": True, "repeat": True},
    )
    codes = ("0", "1053", "1927", "2006", "2013", "2014")
    return Failures(
        "MariaDB",
        base,
        (
            Rule(errors.PersisterUnavailableError, base, REFUSED, codes=("2003",)),
            Rule(errors.NotInitializedError, base, MISSING, codes=("1146",)),
            Rule(lost[0], base, lost[1], codes, **lost[2]),
            Rule(lost[0], (*base[1:], strange), lost[1], **lost[2]),
        ),
        "args",
        Sign(base, codes=("1062",)),
    )


class OnPostgreSQL:
    """psycopg 3, whose connection has an attribute `autocommit`, and asks when it is cancelled."""

    facts = b_psycopg._ASYNC_DRIVER
    failures = b_psycopg._FAILURES
    server: ClassVar[type[Server]] = PostgreSQLServer
    database, user = "postgres", "postgres"
    begin = FORMAT.begin
    create = "CREATE TABLE t (k text PRIMARY KEY, v text)"
    insert = "INSERT INTO t (k, v) VALUES (%s, %s) ON CONFLICT (k) DO NOTHING"
    select = "SELECT k, v FROM t WHERE k = %s"
    missing_column: Any = (errors.StoreVersionError, "columns")
    sleep = "SELECT pg_sleep(0.3)"
    insert_slowly = "INSERT INTO t SELECT 'slow', 'v' FROM pg_sleep(0.6) ON CONFLICT DO NOTHING"
    dict_rows: ClassVar[dict[str, Any]] = {"row_factory": psycopg.rows.dict_row}
    gives_up = True
    """Whether the server can be asked to give a statement up."""
    others = (
        "SELECT state, pid FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    end = "SELECT pg_terminate_backend(%s, 5000)"

    @staticmethod
    def admin(server: Any) -> Any:
        connection = psycopg2.connect(
            host=LOOPBACK, port=server.port, user="postgres", dbname="postgres"
        )
        connection.autocommit = True
        return connection

    @classmethod
    def place(cls, server: Any) -> dict[str, Any]:
        return {"host": LOOPBACK, "port": server.port, "user": "postgres", "dbname": "postgres"}

    @staticmethod
    def is_busy(state: str | None) -> bool:
        return state != "idle"

    @staticmethod
    def is_closed(session: Any) -> bool:
        return is_closed(session.connection)


class OnAsyncpg(OnPostgreSQL):
    """asyncpg, which has a session of its own."""

    failures = failures_of("postgresql", "asyncpg")
    insert = "INSERT INTO t (k, v) VALUES ($1, $2) ON CONFLICT (k) DO NOTHING"
    select = "SELECT k, v FROM t WHERE k = $1"

    @staticmethod
    def is_closed(session: Any) -> bool:
        pool = session.pool
        return bool(session.connection.is_closed() if pool is None else pool.is_closing())


class OnMariaDB:
    """aiomysql, whose connection has a method `autocommit()`, and is closed when cancelled."""

    facts = Facts(
        connect=aiomysql.connect,
        connection_type=aiomysql.Connection,
        arguments={
            "db_name": "db",
            "user": "user",
            "password": "password",
            "host": "host",
            "port": "port",
        },
        fixed={"autocommit": True, "charset": "utf8mb4"},
        timeouts={"connect_timeout": "connect_timeout"},
        on_open=("SET SESSION innodb_lock_wait_timeout = 2",),
    )
    failures = failures_of_mariadb((pymysql.Error, OSError), pymysql.InternalError)
    server: ClassVar[type[Server]] = MariaDBServer
    database, user = "test", "root"
    begin = "START TRANSACTION"
    create = "CREATE TABLE t (k VARCHAR(99) PRIMARY KEY, v VARCHAR(99)) ENGINE=InnoDB"
    insert = "INSERT INTO t (k, v) VALUES (%s, %s)"
    select = "SELECT k, v FROM t WHERE k = %s"
    missing_column: Any = (errors.PersisterError, "")
    sleep = "SELECT SLEEP(0.3)"
    insert_slowly = "INSERT INTO t SELECT 'slow', 'v' FROM (SELECT SLEEP(0.6)) AS s"
    dict_rows: ClassVar[dict[str, Any]] = {"cursorclass": aiomysql.DictCursor}
    gives_up = False
    others = (
        "SELECT command, id FROM information_schema.processlist"
        " WHERE id <> CONNECTION_ID() AND user = 'root'"
    )
    end = "KILL %s"

    @staticmethod
    def admin(server: Any) -> Any:
        where = {"host": LOOPBACK, "port": server.port, "user": "root", "database": "test"}
        # The server has no TLS, for which PyMySQL would get ready 30 ms long.
        return pymysql.connect(**where, autocommit=True, ssl_disabled=True)

    @classmethod
    def place(cls, server: Any) -> dict[str, Any]:
        return {"host": LOOPBACK, "port": server.port, "user": "root", "db": "test"}

    @staticmethod
    def is_busy(state: str | None) -> bool:
        return state != "Sleep"

    @staticmethod
    def is_closed(session: Any) -> bool:
        return is_closed(session.connection)


class OnMariaDBOtherwise(OnMariaDB):
    """asyncmy, whose methods are compiled."""

    facts = Facts(
        connect=asyncmy.connect,
        connection_type=asyncmy.connection.Connection,
        arguments=OnMariaDB.facts.arguments,
        fixed=OnMariaDB.facts.fixed,
        timeouts=OnMariaDB.facts.timeouts,
        on_open=OnMariaDB.facts.on_open,
    )
    failures = failures_of_mariadb(
        (asyncmy.errors.MySQLError, OSError, EOFError),
        asyncmy.errors.InternalError,
    )
    dict_rows: ClassVar[dict[str, Any]] = {"cursor_cls": asyncmy.cursors.DictCursor}


class Admin:
    """Looks on from a connection of its own, which waits for nothing."""

    def __init__(self, on: type[OnPostgreSQL | OnMariaDB], server: Any) -> None:
        self.on = on
        self.connection = on.admin(server)

    def run(self, sql: str, *parameters: Any) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, key: str) -> str | None:
        found = self.run("SELECT v FROM t WHERE k = %s", key)
        return found[0][0] if found else None

    def count(self) -> int:
        ((number,),) = self.run("SELECT count(*) FROM t")
        return int(number)

    def others(self) -> list[str]:
        """What the server's other connections are doing."""
        return [state for state, _ in self.run(self.on.others)]

    def is_quiet(self) -> bool:
        return not any(self.on.is_busy(state) for state in self.others())

    def end_others(self) -> None:
        """What an administrator does, or a server in front of the server."""
        for _, number in self.run(self.on.others):
            with contextlib.suppress(pymysql.OperationalError):
                self.run(self.on.end, number)

    def close(self) -> None:
        self.connection.close()
