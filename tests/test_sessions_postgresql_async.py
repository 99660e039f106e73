"""The asyncpg session: turns, limits, lost connections, cancelling, loops; on a real server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import os
import pickle
import random
import socket
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import asyncpg
import psycopg2
import pytest

from persistry import errors
from persistry._formats.postgresql import FORMAT
from persistry._runtime.drivers.asyncpg_session import AsyncpgSession
from persistry._runtime.failures import Failures
from persistry._runtime.limits import Limits
from persistry._runtime.steps import Step
from persistry.conformance.support.proxy import FaultProxy
from tests.async_sessions import (
    LIMITS,
    SHORT,
    CancellingOfAll,
    ClosingOfAll,
    LimitsOfAll,
    Open,
    TurnsOfAll,
    VerbsOfAll,
    in_the_middle,
    load,
    save,
    together,
    unavailable,
    until,
    works,
)
from tests.awaited_drivers import Admin, OnAsyncpg
from tests.servers import LOOPBACK, PostgreSQLServer
from tests.timing import within

FAILURES, INSERT, SELECT = OnAsyncpg.failures, OnAsyncpg.insert, OnAsyncpg.select
BEGIN = FORMAT.begin

CREATE = "CREATE TABLE t (k text PRIMARY KEY, v text)"

OPENED = ["connection", "pool"]
HANDED_IN = ["handed-in connection", "handed-in pool"]


@pytest.fixture(scope="module")
def shared_server(postgresql_place: object) -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


@pytest.fixture
async def server(shared_server: PostgreSQLServer) -> AsyncIterator[PostgreSQLServer]:
    """The module's server, running, with the table, and with nobody else's connections."""
    shared_server.start()
    shared_server.resume()
    connection = await connect(shared_server)
    await connection.execute(f"DROP TABLE IF EXISTS t; {CREATE}")
    await connection.close()
    yield shared_server
    shared_server.start()
    shared_server.resume()


@pytest.fixture
async def admin(server: PostgreSQLServer) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(server)
    yield connection
    connection.terminate()


@pytest.fixture
def onlooker(server: PostgreSQLServer) -> Iterator[Admin]:
    """The same, for the cases that all drivers share."""
    admin = Admin(OnAsyncpg, server)
    yield admin
    admin.close()


async def connect(server: PostgreSQLServer, **kwargs: Any) -> asyncpg.Connection:
    return await asyncpg.connect(**place(server, **kwargs))


def place(server: Any, **kwargs: Any) -> dict[str, Any]:
    return {"host": LOOPBACK, "port": server.port, "user": "postgres", "database": "postgres"} | (
        kwargs
    )


def values(server: Any, kind: str = "connection", **others: Any) -> dict[str, Any]:
    told = {"db_name": "postgres", "user": "postgres", "password": None, "host": LOOPBACK}
    return told | {"port": server.port, "use_pool": kind == "pool"} | others


@pytest.fixture(params=OPENED + HANDED_IN)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def open_session(kind: str, server: PostgreSQLServer) -> AsyncIterator[Open]:
    opened: list[AsyncpgSession] = []
    handed_in: list[Any] = []

    async def open_(
        limits: Limits = LIMITS, server: Any = server, failures: Failures = FAILURES, **others: Any
    ) -> AsyncpgSession:
        if kind in OPENED:
            opened.append(
                AsyncpgSession.opening(failures, limits, **values(server, kind, **others))
            )
        else:
            if kind == "handed-in pool":
                # With a least number, asyncpg would replace lost connections by itself meanwhile.
                handed_in.append(await asyncpg.create_pool(min_size=0, **place(server)))
            else:
                handed_in.append(await connect(server))
            opened.append(AsyncpgSession.over(handed_in[-1], failures, limits))
        return opened[-1]

    yield open_
    for session in opened:
        with contextlib.suppress(errors.PersisterUnavailableError):
            await session.close()
    for it in handed_in:
        it.terminate()


async def others_connected(admin: asyncpg.Connection) -> list[str]:
    """What the server's other connections are doing."""
    query = (
        "SELECT state FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return [state for (state,) in await admin.fetch(query)]


async def nobody_is_left(admin: asyncpg.Connection) -> bool:
    return not await others_connected(admin)


async def end_connections(admin: asyncpg.Connection) -> None:
    """What an administrator does, or a server in front of the server."""
    await admin.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )


class TestVerbs(VerbsOfAll):
    async def test_rows(self, open_session: Open) -> None:
        session = await open_session()
        assert [await save(session, key) for key in "aab"] == [1, 0, 1]
        async with session.operation("load", "key") as operation:
            rows = await operation.fetch_all("SELECT k, v FROM t ORDER BY k")
            assert [(key, value) for key, value in rows] == [("a", "v"), ("b", "v")]
            assert await operation.fetch_all(SELECT, ("none",)) == []
            assert await operation.fetch_one(SELECT, ("none",)) is None
            assert await operation.execute("UPDATE t SET v = 'w'") == 2
            assert await operation.execute("CREATE INDEX ON t (v)") == 0

    async def test_a_save_is_one_statement(self, server: PostgreSQLServer) -> None:
        session = AsyncpgSession.opening(FAILURES, LIMITS, **values(server))
        await save(session, "first")
        asked: list[str] = []
        session.connection.add_query_logger(lambda query: asked.append(query.query))
        await save(session, "second")
        await load(session, "second")
        await asyncio.sleep(0)
        assert asked == [INSERT, SELECT]
        await session.close()

    async def test_a_pools_connections_are_not_reset(self, server: PostgreSQLServer) -> None:
        asked: list[str] = []

        async def watch(connection: asyncpg.Connection) -> None:
            connection.add_query_logger(lambda query: asked.append(query.query))

        told = values(server, "pool", pool_kwargs={"init": watch, "max_size": 1})
        session = AsyncpgSession.opening(FAILURES, LIMITS, **told)
        for number in range(3):
            await save(session, str(number))
        await asyncio.sleep(0)
        assert asked == [INSERT] * 3
        await session.close()

    async def test_steps_that_are_not_wanted(self, open_session: Open) -> None:
        session = await open_session()
        exists = "SELECT to_regclass('y') IS NULL"
        async with session.operation("initialize") as operation:
            for _ in range(2):
                await operation.run_together(
                    BEGIN,
                    [
                        Step("CREATE TEMP TABLE y (a int)", exists),
                        Step("DROP TABLE t", "SELECT false"),
                        Step("DROP TABLE t", "SELECT true WHERE false"),
                    ],
                )
        assert await load(session, "k") is None


class TestTurns(TurnsOfAll):
    async def test_a_pool_works_at_once(self, server: PostgreSQLServer) -> None:
        told = values(server, "pool", pool_kwargs={"max_size": 5})
        session = AsyncpgSession.opening(FAILURES, LIMITS, **told)
        at_once = asyncio.Barrier(5)

        async def meet() -> None:
            async with session.operation("load") as operation:
                await operation.fetch_one("SELECT 1")
                await at_once.wait()

        await asyncio.gather(*(meet() for _ in range(5)))
        assert session.pool.get_size() == 5
        await session.close()

    async def test_a_pool_is_of_one_session_alone(self, server: PostgreSQLServer) -> None:
        first = AsyncpgSession.opening(FAILURES, LIMITS, **values(server, "pool"))
        second = AsyncpgSession.opening(
            FAILURES, LIMITS, **values(server, "pool", db_name="template1")
        )
        third = first.copy()
        await asyncio.gather(first.open(), first.open(), second.open(), third.open())
        assert len({id(session.pool) for session in (first, second, third)}) == 3
        await save(first, "k")
        await first.close()
        with pytest.raises(errors.NotInitializedError):
            await load(second, "k")
        assert await load(third, "k") == "v"
        await second.close()
        await third.close()

    @pytest.mark.parametrize("kind", HANDED_IN, indirect=True)
    async def test_two_sessions_over_the_same(self, open_session: Open, kind: str) -> None:
        first = await open_session()
        second = AsyncpgSession.over(first.connection or first.pool, FAILURES, LIMITS)
        third = second.copy()
        saves = (
            save(session, f"{number}-{name}")
            for number in range(20)
            for name, session in enumerate((first, second, third))
        )
        assert await asyncio.gather(*saves) == [1] * 60
        await second.close()
        assert await load(first, "0-1") == "v"

    async def test_what_the_owner_left_open_is_committed(
        self, server: PostgreSQLServer, admin: asyncpg.Connection
    ) -> None:
        connection = await connect(server)
        session = AsyncpgSession.over(connection, FAILURES, LIMITS)
        for key in "ab":  # the owner may do it again
            await connection.execute("BEGIN")
            await connection.execute(INSERT, f"owner's {key}", "v")
            await save(session, key)
            assert await admin.fetchval(SELECT, f"owner's {key}") is not None
            assert await admin.fetchval(SELECT, key) is not None
        await connection.execute("BEGIN")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await connection.execute("SELECT 1 / 0")
        assert await save(session, "c") == 1
        assert not connection.is_in_transaction()
        await connection.close()

    async def test_a_connection_of_its_owners_pool(self, server: PostgreSQLServer) -> None:
        async with asyncpg.create_pool(min_size=1, max_size=1, **place(server)) as pool:
            async with pool.acquire() as connection:
                session = AsyncpgSession.over(connection, FAILURES, LIMITS)
                await asyncio.gather(*(save(session, str(number)) for number in range(5)))
                await together(session, "SELECT 1")
            with pytest.raises(errors.PersisterClosedError, match="handed in has been closed"):
                await load(session, "1")

    async def test_an_owner_who_uses_it_at_the_same_time(self, server: PostgreSQLServer) -> None:
        connection = await connect(server)
        session = AsyncpgSession.over(connection, FAILURES, LIMITS)
        sleeping = asyncio.create_task(connection.fetch("SELECT pg_sleep(0.2)"))
        await asyncio.sleep(0.05)
        with unavailable(0, may_have_saved=False, match="somebody else is using"):
            await save(session, "key")
        await sleeping
        assert await save(session, "key") == 1
        await connection.close()


class TestLimits(LimitsOfAll):
    async def test_a_server_that_does_not_answer(
        self, open_session: Open, server: PostgreSQLServer, kind: str
    ) -> None:
        session = await open_session(SHORT)
        await save(session, "before")
        await load(session, "before")
        server.pause()
        with unavailable(0.3, may_have_saved=True, match=r"operation_timeout \(0.3 s\)"):
            await save(session, "key")
        with unavailable(0.3, may_have_saved=False, match=r" \(0.3 s\)"):
            await load(session, "key")
        many = (save(session, f"key {number}") for number in range(20))
        with within(0.3):
            done = await asyncio.gather(*many, return_exceptions=True)
        assert {type(it) for it in done} == {errors.PersisterUnavailableError}
        server.resume()
        await until(lambda: works(session))
        if session.connection is not None:
            assert not session.connection.is_closed()

    async def test_a_server_that_says_nothing(self, kind: str) -> None:
        if kind not in OPENED:
            return
        with socket.create_server((LOOPBACK, 0)) as listening:
            there = SimpleNamespace(port=listening.getsockname()[1])
            session = AsyncpgSession.opening(FAILURES, Limits(0.3, 5), **values(there, kind))
            for _ in range(2):
                with unavailable(0.3, may_have_saved=False, match=r"connect_timeout \(0.3 s\)"):
                    await save(session, "key")
            await session.close()
            session = AsyncpgSession.opening(FAILURES, Limits(5, 0.3), **values(there, kind))
            with unavailable(0.3, may_have_saved=False, match=r"operation_timeout \(0.3 s\)"):
                await save(session, "key")
            await session.close()

    async def test_a_save_that_waits_for_a_lock(
        self, open_session: Open, server: PostgreSQLServer, admin: asyncpg.Connection
    ) -> None:
        """It is given up on the server, too: it must not be saved later."""
        session = await open_session(SHORT)
        await load(session, "before")
        other = await connect(server)
        await other.execute("BEGIN")
        await other.execute(INSERT, "key", "other's")
        with unavailable(0.3, may_have_saved=True):
            await save(session, "key")

        async def nobody_waits() -> bool:
            return "active" not in await others_connected(admin)

        await until(nobody_waits)
        await other.execute("ROLLBACK")
        await other.close()
        assert await load(session, "key") is None
        assert await save(session, "key") == 1

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_a_transaction_is_not_kept_by_a_broken_network(
        self, open_session: Open, server: PostgreSQLServer, admin: asyncpg.Connection
    ) -> None:
        """Neither we nor the system tells the server: it ends the transaction itself."""
        with FaultProxy(*server.address) as proxy:
            session = await open_session(Limits(5, 1), proxy)

            class Stalling(Step):
                @property
                def when(self) -> str:
                    proxy.stall()
                    return "SELECT true"

            steps = [Step("LOCK TABLE t"), Stalling("SELECT 1")]
            with unavailable(1, may_have_saved=False, match="operation_timeout"):
                async with session.operation("initialize", "key") as operation:
                    await operation.run_together(BEGIN, steps)
            await admin.execute("SET lock_timeout = '3s'")
            await admin.execute("INSERT INTO t VALUES ('elsewhere', 'v')")
            proxy.restore()

    async def test_steps_that_wait_for_a_lock(
        self, open_session: Open, server: PostgreSQLServer, admin: asyncpg.Connection
    ) -> None:
        session = await open_session(SHORT)
        other = await connect(server)
        await other.execute("BEGIN")
        await other.execute(INSERT, "locked", "other's")
        with unavailable(0.3, may_have_saved=False):
            await together(
                session, "INSERT INTO t VALUES ('mine', 'v')", "INSERT INTO t VALUES ('locked')"
            )

        async def nothing_is_open() -> bool:
            doing = await others_connected(admin)
            return doing.count("idle in transaction") == 1 and "active" not in doing

        await until(nothing_is_open)
        await other.execute("ROLLBACK")
        await other.close()
        assert await load(session, "mine") is None
        await together(session, "INSERT INTO t VALUES ('mine', 'v')")
        assert await load(session, "mine") == "v"


class TestCancelling(CancellingOfAll):
    async def test_at_every_moment(self, open_session: Open, admin: asyncpg.Connection) -> None:
        session = await open_session()
        for number in range(150):
            task = asyncio.create_task(save(session, f"cancelled {number}"))
            if number % 3:
                for _ in range(number % 20):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(number * 10e-6)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            if not number % 5:
                assert await save(session, str(number)) == 1
        assert await save(session, "last") == 1
        for _ in range(2):
            many = [asyncio.create_task(save(session, f"m{n}")) for n in range(40)]
            await asyncio.sleep(0.002)
            for task in many[::2]:
                task.cancel()
            done = await asyncio.gather(*many, return_exceptions=True)
            assert all(it in (0, 1) for it in done[1::2])

        async def all_is_quiet() -> bool:
            doing = await others_connected(admin)
            return set(doing) <= {"idle"} and len(doing) <= 10

        await until(all_is_quiet)

    async def test_when_opening(self, server: PostgreSQLServer, admin: asyncpg.Connection) -> None:
        for kind in OPENED:
            for moment in range(40):
                told = values(server, kind)
                if kind == "pool":
                    told["pool_kwargs"] = {"min_size": 3}
                session = AsyncpgSession.opening(FAILURES, LIMITS, **told)
                task = asyncio.create_task(session.open())
                await asyncio.sleep(moment * 0.0005)
                task.cancel()
                await asyncio.wait([task])
                if not moment % 10:
                    assert await works(session)
                await session.close()
        await until(lambda: nobody_is_left(admin))


class TestLostConnections:
    async def test_ended_by_an_administrator(
        self, open_session: Open, admin: asyncpg.Connection, kind: str
    ) -> None:
        session = await open_session()
        for key in "abc":
            await asyncio.gather(*(load(session, "k") for _ in range(10)))
            await end_connections(admin)
            if kind == "handed-in connection":
                # The loop may not have read the server's last words yet; then a save hears of them.
                await until(session.connection.is_closed)
                for _ in range(2):
                    with pytest.raises(errors.PersisterClosedError, match="has been closed"):
                        await save(session, key)
                break
            assert await save(session, key) == 1

    @pytest.mark.parametrize("steps", range(6))
    async def test_ended_a_moment_ago(
        self, open_session: Open, server: PostgreSQLServer, kind: str, steps: int
    ) -> None:
        """The server's last word has been read or not, and the end of the connection not yet."""
        session = await open_session()
        await save(session, "a")
        # Whatever comes waits in the socket meanwhile: this does not let the event loop run.
        with (
            contextlib.closing(psycopg2.connect(**place(server))) as admin,
            admin.cursor() as cursor,
        ):
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
        for _ in range(steps):
            await asyncio.sleep(0)
        if kind == "handed-in connection":
            with pytest.raises((errors.PersisterClosedError, errors.PersisterUnavailableError)):
                await save(session, "b")
        else:
            assert await save(session, "b") == 1

    async def test_ended_in_the_middle(
        self, open_session: Open, onlooker: Admin, kind: str
    ) -> None:
        session = await open_session()
        await load(session, "k")
        task = await in_the_middle(session, onlooker)
        onlooker.end_others()
        if kind == "handed-in connection":
            with unavailable(0.3, may_have_saved=True, match="ended the connection"):
                await task
        else:
            assert await task == 1
            assert await works(session)

    @pytest.mark.parametrize("how", ["kill", "stop"])
    async def test_a_server_that_comes_back(
        self, open_session: Open, server: PostgreSQLServer, kind: str, how: str
    ) -> None:
        session = await open_session()
        await asyncio.gather(*(load(session, "k") for _ in range(10)))
        getattr(server, how)()
        server.start()
        if kind != "handed-in connection":
            assert await works(session)
        getattr(server, how)()
        for _ in range(2):
            with pytest.raises((errors.PersisterUnavailableError, errors.PersisterClosedError)):
                await save(session, "key")
        if kind in OPENED:
            with unavailable(0, may_have_saved=False, match="no server answers there"):
                await save(session.copy(), "key")
        server.start()
        if kind != "handed-in connection":
            assert await works(session)

    @pytest.mark.parametrize("kind", [*OPENED, "handed-in pool"], indirect=True)
    async def test_a_lost_reply(
        self, open_session: Open, server: PostgreSQLServer, admin: asyncpg.Connection
    ) -> None:
        """The save is made again, once; it may have been stored if that fails, too."""
        with FaultProxy(*server.address) as proxy:
            session = await open_session(server=proxy)
            await save(session, "before")
            proxy.lose_next_reply()
            assert await save(session, "key") == 0
            assert await admin.fetchval(SELECT, "key") == "key"
            proxy.lose_replies()
            with unavailable(5, may_have_saved=True):
                await save(session, "key again")
            with unavailable(5, may_have_saved=False):
                await load(session, "key")
            proxy.restore()
            assert await works(session)
            proxy.refuse()
            with unavailable(5, may_have_saved=False, match="load of key: no server answers"):
                await load(session, "key")
            proxy.restore()
            assert await works(session)

    async def test_a_lost_reply_and_then_no_server(
        self, open_session: Open, server: PostgreSQLServer, onlooker: Admin, kind: str
    ) -> None:
        session = await open_session()
        await save(session, "before")
        task = await in_the_middle(session, onlooker)
        server.kill()
        said = "ended the connection" if kind == "handed-in connection" else "no server answers"
        with unavailable(5, may_have_saved=True, match=f"save of slow: .*{said}"):
            await task


class TestStatements:
    @pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
    async def test_a_connection_of_another_encoding(
        self, open_session: Open, kind: str, encoding: str
    ) -> None:
        session = await open_session(
            **{"connect_kwargs": {"server_settings": {"client_encoding": encoding}}}
            if kind in OPENED
            else {}
        )
        async with session.operation("load", "key") as operation:
            await operation._connection.execute(f"SET client_encoding = '{encoding}'")
        assert await save(session, "ä ☃ 𝄞") == 1
        async with session.operation("load", "key") as operation:
            assert await operation.fetch_all("SELECT k FROM t") == [("ä ☃ 𝄞",)]

    async def test_prepared_statements_that_are_gone(self, open_session: Open, kind: str) -> None:
        """What a pooler does that hands the server's connections round."""
        session = await open_session()
        await save(session, "a")
        async with session.operation("load", "key") as operation:
            await operation._connection.execute("DEALLOCATE ALL")
            assert await operation.execute(INSERT, ("b", "v")) == 1
        assert await works(session)
        names = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT%'"
        async with session.operation("load", "key") as operation:
            (kept,) = await operation.fetch_one(names) or (None,)
        assert kept == (0 if kind in OPENED else 1)

    @pytest.mark.parametrize("many", [1, 9])
    async def test_a_name_that_is_taken(
        self, open_session: Open, kind: str, admin: Any, many: int
    ) -> None:
        session = await open_session()
        await save(session, "a")
        last = await admin.fetchval("SELECT name FROM pg_prepared_statements")
        number = int(last.split("_")[4], 16)  # asyncpg counts them in the process
        async with session.operation("load", "key") as operation:
            for following in range(number + 1, number + 1 + many):
                taken = f"PREPARE __asyncpg_stmt_{following:x}__ AS SELECT 1"
                await operation._connection.execute(taken)
            if kind in OPENED or many == 1:
                assert await operation.fetch_one("SELECT 7 AS seven") == (7,)
            else:
                with pytest.raises(asyncpg.DuplicatePreparedStatementError):
                    await operation.fetch_one("SELECT 7 AS seven")
        if kind in OPENED:
            assert await works(session)

    @pytest.mark.parametrize("recreated", ["v varchar(9)", "v jsonb", "v bytea", "v int"])
    async def test_a_table_made_anew(
        self, open_session: Open, admin: asyncpg.Connection, recreated: str
    ) -> None:
        session = await open_session()
        await asyncio.gather(*(save(session, key, "1") for key in "abcd"))
        assert await load(session, "a") == "1"
        await admin.execute(f"DROP TABLE t; CREATE TABLE t (k text PRIMARY KEY, {recreated})")
        if recreated == "v int":
            with pytest.raises(errors.PersisterError):
                await save(session, "a", "1")
        elif recreated != "v bytea":
            assert await save(session, "a", "1") == 1
            assert await load(session, "a") == "1"
        await admin.execute(f"DROP TABLE t; {CREATE}")
        assert await works(session)

    async def test_a_table_made_anew_during_steps(
        self, open_session: Open, admin: asyncpg.Connection
    ) -> None:
        session = await open_session()
        wanted = [
            Step("INSERT INTO t VALUES ('a', '1')", "SELECT count(*) = 0 FROM (SELECT * FROM t) s")
        ]
        async with session.operation("initialize") as operation:
            await operation.run_together(BEGIN, wanted)
        await admin.execute("DROP TABLE t; CREATE TABLE t (k text PRIMARY KEY, v varchar, w int)")
        async with session.operation("initialize") as operation:
            await operation.run_together(BEGIN, wanted)
        assert await load(session, "a") == "1"


class TestEventLoops:
    """Each test has loops of its own: it is no coroutine."""

    @pytest.fixture
    def here(self, shared_server: PostgreSQLServer) -> PostgreSQLServer:
        async def fresh() -> None:
            connection = await connect(shared_server)
            await connection.execute(f"DROP TABLE IF EXISTS t; {CREATE}")
            await connection.close()

        asyncio.run(fresh())
        return shared_server

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    def test_one_loop_after_another(self, here: PostgreSQLServer, kind: str) -> None:
        """The connections of a loop that has ended are gone, without a word."""
        session = AsyncpgSession.opening(FAILURES, LIMITS, **values(here, kind))

        async def work(number: int) -> None:
            saves = (save(session, f"{number} {task}") for task in range(20))
            assert await asyncio.gather(*saves) == [1] * 20

        async def left_behind() -> None:
            for number in range(20):
                tasks.append(asyncio.ensure_future(save(session, f"left {number}")))
            await asyncio.sleep(random.random() * 0.01)

        async def nobody_is_left() -> None:
            admin = await connect(here)

            async def none() -> bool:
                return not await others_connected(admin)

            await until(none)
            await admin.close()

        tasks: list[Any] = []
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            gc.collect()
            warned.clear()  # what tests before have left
            gc.disable()  # it would close them
            for number in range(9):
                asyncio.run(work(number))
                asyncio.run(nobody_is_left())
                asyncio.run(left_behind())
                asyncio.run(nobody_is_left())
            gc.enable()
            asyncio.run(work(9))
            asyncio.run(session.close())
            gc.collect()
        assert [str(it.message) for it in warned] == []

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    def test_two_loops_at_once(self, here: PostgreSQLServer, kind: str) -> None:
        session = AsyncpgSession.opening(FAILURES, LIMITS, **values(here, kind))

        async def main() -> None:
            await save(session, "a")
            with pytest.raises(errors.PersisterError, match=r"load of a: .*give each loop a copy"):
                await asyncio.to_thread(asyncio.run, load(session, "a"))

            async def elsewhere() -> None:
                copy = session.copy()
                assert await load(copy, "a") == "v"
                await copy.close()

            await asyncio.to_thread(asyncio.run, elsewhere())
            assert await load(session, "a") == "v"
            await session.close()

        asyncio.run(main())

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    def test_loops_that_pause(self, here: PostgreSQLServer, kind: str) -> None:
        """A loop that ends while another one has the session leaves that one's connections."""
        session = AsyncpgSession.opening(FAILURES, LIMITS, **values(here, kind))
        one, other = asyncio.new_event_loop(), asyncio.new_event_loop()
        for number in range(3):
            assert one.run_until_complete(save(session, f"one {number}")) == 1
            assert other.run_until_complete(save(session, f"other {number}")) == 1
        used = session.connection or session.pool
        one.run_until_complete(one.shutdown_asyncgens())
        one.close()
        assert other.run_until_complete(load(session, "one 0")) == "v"
        assert used in (session.connection, session.pool)
        other.run_until_complete(session.close())
        other.close()

    @pytest.mark.parametrize("kind", HANDED_IN, indirect=True)
    def test_what_was_handed_in_does_not_move(self, here: PostgreSQLServer, kind: str) -> None:
        async def main() -> AsyncpgSession:
            it = await (asyncpg.create_pool if "pool" in kind else asyncpg.connect)(**place(here))
            session = AsyncpgSession.over(it, FAILURES, LIMITS)
            await save(session, "a")
            with pytest.raises(errors.PersisterError, match=r"load of a: .* another event loop"):
                await asyncio.to_thread(asyncio.run, load(session, "a"))
            assert await load(session, "a") == "v"
            it.terminate()
            return session

        session = asyncio.run(main())
        with pytest.raises(errors.PersisterError, match="another event loop"):
            asyncio.run(load(session, "a"))
        asyncio.run(session.close())

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    def test_closing_in_another_loop(self, here: PostgreSQLServer, kind: str) -> None:
        session = AsyncpgSession.opening(FAILURES, LIMITS, **values(here, kind))
        loop = asyncio.new_event_loop()
        loop.run_until_complete(save(session, "a"))
        asyncio.run(session.close())
        with pytest.raises(errors.PersisterClosedError):
            loop.run_until_complete(load(session, "a"))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

        async def main() -> None:
            session = AsyncpgSession.opening(FAILURES, LIMITS, **values(here, kind))
            await save(session, "b")
            await asyncio.to_thread(asyncio.run, session.close())
            with pytest.raises(errors.PersisterClosedError):
                await load(session, "b")

        asyncio.run(main())

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    def test_closing_in_another_loop_while_tasks_work(
        self, here: PostgreSQLServer, kind: str
    ) -> None:
        """What is under way comes to its end."""

        async def work(session: AsyncpgSession, number: int) -> None:
            for step in itertools.count():
                try:
                    await save(session, f"{number}-{step}")
                except errors.PersisterClosedError:
                    return

        async def main() -> None:
            for _ in range(9):
                session = AsyncpgSession.opening(FAILURES, LIMITS, **values(here, kind))
                tasks = [asyncio.create_task(work(session, number)) for number in range(9)]
                await asyncio.sleep(0.1)
                await asyncio.to_thread(asyncio.run, session.close())
                await asyncio.gather(*tasks)

        asyncio.run(main())


class TestOpening:
    @pytest.mark.parametrize(
        ("wrong", "error", "named"),
        [
            ({"db_name": None}, TypeError, "db_name"),
            ({"user": 1}, TypeError, "user"),
            ({"host": b"x"}, TypeError, "host"),
            ({"port": "5432"}, TypeError, "port"),
            ({"port": True}, TypeError, "port"),
            ({"port": 65_536}, ValueError, "port"),
            ({"password": b"secret"}, TypeError, "password"),
            ({"use_pool": 1}, TypeError, "use_pool"),
            ({"connect_kwargs": [("secret", 1)]}, TypeError, "connect_kwargs"),
            ({"connect_kwargs": {"sslmod": "secret"}}, TypeError, "connect_kwargs.* 'sslmod'"),
            ({"connect_kwargs": {"password": "secret"}}, ValueError, "connect_kwargs: password"),
            ({"connect_kwargs": {"timeout": 1}}, ValueError, "give connect_timeout"),
            ({"connect_kwargs": {"dsn": "secret"}}, ValueError, "connect_kwargs: dsn"),
            (
                {"pool_kwargs": {"min_size": 1, "max_size": 2}},
                ValueError,
                "min_size .*use_pool=True",
            ),
            ({"use_pool": True, "pool_kwargs": {"maxsize": 1}}, TypeError, "'maxsize'"),
            ({"use_pool": True, "pool_kwargs": {"host": "secret"}}, ValueError, "host"),
            ({"use_pool": True, "pool_kwargs": {"max_size": 0}}, ValueError, "max_size"),
            ({"use_pool": True, "pool_kwargs": {"max_size": "5"}}, TypeError, "max_size"),
        ],
    )
    def test_wrong_values(self, wrong: Any, error: Any, named: str) -> None:
        told = {"db_name": "d", "user": "u", "password": None, "host": "h", "port": 1, **wrong}
        with pytest.raises(error, match=named) as caught:
            AsyncpgSession.opening(FAILURES, LIMITS, **told)
        assert "secret" not in str(caught.value)

    def test_wrong_things_handed_in(self) -> None:
        for it in (None, "postgresql://u:secret@h/d", asyncpg.Connection, AsyncpgSession):
            with pytest.raises(TypeError, match=r"must be an asyncpg\.Connection") as caught:
                AsyncpgSession.over(it, FAILURES, LIMITS)
            assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_a_session_is_taken_as_it_is(self, open_session: Open) -> None:
        session = await open_session()
        assert AsyncpgSession.over(session, FAILURES, LIMITS) is session

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_arguments_of_both_kinds(self, open_session: Open) -> None:
        kwargs = {
            "application_name": "it's ours & all",
            "options": "-c work_mem=1234kB",
            "sslmode": "disable",
            "server_settings": {"search_path": "other, public"},
        }
        session = await open_session(connect_kwargs=kwargs)
        async with session.operation("load") as operation:
            shown = [
                await operation.fetch_one(f"SHOW {name}")
                for name in ("application_name", "work_mem", "search_path")
            ]
        assert [row and row[0] for row in shown] == ["it's ours & all", "1234kB", "other, public"]

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_arguments_that_do_not_fit(self, open_session: Open) -> None:
        for kwargs, match in [
            ({"sslmode": "secret"}, "correct connect_kwargs"),
            ({"sslmode": "require"}, "TLS was not agreed on"),
            ({"sslmode": "verify-full", "sslrootcert": "/nowhere"}, "certificate"),
            ({"options": "-c nonsense=1"}, "nonsense"),
        ]:
            session = await open_session(connect_kwargs=kwargs)
            with pytest.raises(errors.PersisterError, match=match):
                await session.open()

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_opening_connects(self, open_session: Open) -> None:
        session = await open_session()
        assert (session.connection, session.pool) == (None, None)
        await session.open()
        assert (session.connection is None) is (session.pool is not None)
        assert await load(session, "k") is None

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_a_password_is_never_shown(self, kind: str) -> None:
        with PostgreSQLServer("right secret") as server:
            for password in ("wrong secret", None):
                session = AsyncpgSession.opening(
                    FAILURES, LIMITS, **values(server, kind, password=password)
                )
                with pytest.raises(errors.PersisterAccessError, match="user or password") as caught:
                    await session.open()
                shown = [str(caught.value), repr(caught.value.__cause__), session.describe()]
                assert not any("secret" in text for text in [*shown, repr(session)])
                await session.close()
            session = AsyncpgSession.opening(
                FAILURES, LIMITS, **values(server, kind, password="right secret")
            )
            await session.open()
            with pytest.raises(errors.NotInitializedError) as missing:
                await load(session, "k")
            assert "secret" not in str(missing.value)
            await session.close()

    async def test_a_pool_to_hand_in(self, server: PostgreSQLServer) -> None:
        told = {name: it for name, it in values(server).items() if name != "use_pool"}
        sizes = {"max_size": 2, "timeout": 3}
        pool = await AsyncpgSession.create_pool(**told, pool_kwargs=sizes)
        assert pool.get_min_size() == pool.get_size() == 0
        session = AsyncpgSession.over(pool, FAILURES, LIMITS)
        assert await asyncio.gather(*(save(session, str(n)) for n in range(9))) == [1] * 9
        assert session.pool is pool
        assert pool.get_max_size() == 2
        await session.close()
        assert not pool.is_closing()
        await pool.close()
        with pytest.raises(errors.PersisterClosedError, match="has been closed"):
            await load(AsyncpgSession.over(pool, FAILURES, LIMITS), "k")
        with pytest.raises(TypeError, match="maxsize"):
            await AsyncpgSession.create_pool(**told, pool_kwargs={"maxsize": 1})
        unopened = asyncpg.create_pool(**place(server))
        with pytest.raises(errors.PersisterError, match="await it first"):
            await load(AsyncpgSession.over(unopened, FAILURES, LIMITS), "k")


class TestClosing(ClosingOfAll):
    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_it_waits_for_what_is_under_way(
        self, open_session: Open, admin: asyncpg.Connection
    ) -> None:
        session = await open_session()
        async with session.operation("save") as operation:
            closing = asyncio.create_task(session.close())
            waiting = asyncio.create_task(save(session, "waiting"))
            await asyncio.sleep(0.05)
            assert await operation.execute(INSERT, ("k", "v")) == 1
            assert not closing.done()
        await closing
        with pytest.raises(errors.PersisterClosedError):
            await waiting
        await until(lambda: nobody_is_left(admin))

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_it_took_too_long(self, open_session: Open, admin: asyncpg.Connection) -> None:
        session = await open_session()
        async with session.operation("save"):
            session.limits = SHORT
            for _ in range(2):
                with unavailable(0.3, may_have_saved=False, match="cleanup: other operations"):
                    await session.close()
            with pytest.raises(errors.PersisterClosedError):
                await load(session, "k")
        await session.close()
        await until(lambda: nobody_is_left(admin))

    @pytest.mark.parametrize("kind", OPENED, indirect=True)
    async def test_it_was_cancelled(self, open_session: Open, admin: asyncpg.Connection) -> None:
        for steps in range(1, 17):
            session = await open_session()
            await asyncio.gather(*(load(session, "k") for _ in range(4)))
            closing = asyncio.create_task(session.close())
            for _ in range(steps):
                await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait([closing])
            with pytest.raises(errors.PersisterClosedError):
                await session.open()
            await asyncio.gather(session.close(), session.close())
        await until(lambda: nobody_is_left(admin))

    async def test_pickles(self, open_session: Open, kind: str) -> None:
        session = await open_session()
        await save(session, "k")
        if kind in HANDED_IN:
            with pytest.raises(TypeError, match=r"from_values\(\)"):
                pickle.dumps(session)
            return
        other = pickle.loads(pickle.dumps(session))
        assert (other.connection, other.pool) == (None, None)
        assert await load(other, "k") == "v"
        await other.close()

    async def test_a_forked_process(self, server: PostgreSQLServer, kind: str) -> None:
        """It uses connections of its own, and as it ends, the parent's stay as they are."""
        code = f"""
from tests.test_sessions_postgresql_async import *

async def opened():
    there, kind = SimpleNamespace(port={server.port}), {kind!r}
    if kind in OPENED:
        session = AsyncpgSession.opening(FAILURES, LIMITS, **values(there, kind))
    elif kind == "handed-in pool":
        pool = await asyncpg.create_pool(min_size=3, **place(there))
        session = AsyncpgSession.over(pool, FAILURES, LIMITS)
    else:
        session = AsyncpgSession.over(await connect(there), FAILURES, LIMITS)
    await asyncio.gather(*(save(session, "before") for _ in range(10)))
    return session

async def of_the_child():
    try:
        assert await load(session, "before") == "v"
        await save(session, "child")
        print("saved", flush=True)
    except errors.PersisterError as exc:
        print(exc, flush=True)
    await session.close()

async def of_the_parent():
    used = session.connection or session.pool
    size = session.pool and used.get_size()
    assert session.pool or not used.is_closed()
    print(await save(session, "parent"), await load(session, "child"), flush=True)
    assert used in (session.connection, session.pool)
    assert not session.pool or used.get_size() == size
    await session.close()

loop = asyncio.new_event_loop()
session = loop.run_until_complete(opened())
child = os.fork()
if not child:
    asyncio.run(of_the_child())
    del session
    gc.collect()
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
loop.run_until_complete(of_the_parent())
os._exit(0)
"""
        run = await in_another_process(code)
        if kind in OPENED:
            assert run == ("saved\n1 v\n", 0)
        else:
            assert "belongs to the process that opened it" in run[0]
            assert run[0].endswith("\n1 None\n")

    @pytest.mark.parametrize("end", ["", "raise SystemExit(0)", "gc.collect()"])
    @pytest.mark.parametrize("kind", OPENED)
    async def test_an_unclosed_one_lets_the_interpreter_exit(
        self, server: PostgreSQLServer, kind: str, end: str
    ) -> None:
        code = (
            "from tests.test_sessions_postgresql_async import *\n"
            "async def main():\n"
            "    global s\n"
            f"    s = AsyncpgSession.opening(FAILURES, LIMITS, **values(there, {kind!r}))\n"
            "    print(await save(s, 'unclosed'), flush=True)\n"
            f"    {end or 'pass'}\n"
            f"there = SimpleNamespace(port={server.port})\n"
            "asyncio.run(main())\n"
        )
        assert await in_another_process(code) == ("1\n", 0)


async def in_another_process(code: str) -> tuple[str, int]:
    """What it wrote, and how it ended."""
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "always", "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=20,
    )
    return run.stdout, run.returncode
