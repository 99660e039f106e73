"""The general asynchronous session: turns, limits, lost connections, cancelling, loops, forks.

On real servers, with drivers that differ where the standard says nothing.
"""

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
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from persistry import errors
from persistry._runtime.drivers.awaited_calls import (
    close,
    is_closed,
    set_autocommit,
    settled,
)
from persistry._runtime.drivers.awaited_session import AwaitedSession
from persistry._runtime.drivers.pep249_driver import autocommit_of
from persistry._runtime.limits import Limits
from persistry._runtime.steps import Step
from persistry.conformance.support.proxy import FaultProxy
from tests.async_sessions import (
    DRIVERS as ALL_DRIVERS,
)
from tests.async_sessions import (
    LIMITS,
    SHORT,
    CancellingOfAll,
    ClosingOfAll,
    LimitsOfAll,
    Open,
    TurnsOfAll,
    VerbsOfAll,
    all_taken,
    in_the_middle,
    load,
    pause,
    save,
    together,
    unavailable,
    until,
    works,
)
from tests.awaited_drivers import Admin
from tests.servers import LOOPBACK, Server, ServerMissing
from tests.timing import within

SELECT = "SELECT k, v FROM t WHERE k = %s"
DRIVERS = {name: on for name, on in ALL_DRIVERS.items() if name != "asyncpg"}  # it has its own
OPENED, HANDED_IN = "opened", "handed-in"
opened_only = pytest.mark.parametrize("kind", [OPENED], indirect=True)
handed_in_only = pytest.mark.parametrize("kind", [HANDED_IN], indirect=True)


async def saving(session: AwaitedSession, number: int = 0) -> Callable[[], Any]:
    """Have tasks save until the session is closed; how much they did, when they have ended."""
    saved = []

    async def work(task: int) -> None:
        with contextlib.suppress(errors.PersisterClosedError):
            for step in itertools.count():
                await save(session, f"{number}-{task}-{step}")
                saved.append(step)

    async def all_saved() -> int:
        await asyncio.gather(*tasks)
        return len(saved)

    tasks = [asyncio.create_task(work(task)) for task in range(30)]
    await asyncio.sleep(0.1)
    return all_saved


def values(on: Any, server: Any, **others: Any) -> dict[str, Any]:
    told = {"db_name": on.database, "user": on.user, "password": "", "host": LOOPBACK}
    return told | {"port": server.port, "max_connections": 10} | others


def opening(on: Any, server: Any, limits: Limits = LIMITS, **others: Any) -> AwaitedSession:
    return AwaitedSession.opening(on.failures, limits, on.facts, **values(on, server, **others))


async def connect(on: Any, server: Any, **kwargs: Any) -> Any:
    return await on.facts.connect(**on.place(server), **kwargs)


@pytest.fixture(scope="module", params=DRIVERS)
def on(request: pytest.FixtureRequest) -> Any:
    return DRIVERS[request.param]


_running: dict[type[Server], Server] = {}


@pytest.fixture(scope="module", autouse=True)
def _servers() -> Iterator[None]:
    yield
    while _running:
        _running.popitem()[1].close()


@pytest.fixture(scope="module")
def shared_server(on: Any, request: pytest.FixtureRequest) -> Server:
    if on.server not in _running:
        try:
            server = on.server()
        except ServerMissing as error:
            from tests.stores.served import missing  # not in each process that a test starts

            missing(error, skip=request.config.getoption("skip_missing"))
        _running[on.server] = server
        server.start()
    return _running[on.server]


@pytest.fixture
def server(on: Any, shared_server: Server) -> Iterator[Server]:
    """The module's server, running, with the table, and with nobody else's connections."""
    shared_server.start()
    shared_server.resume()
    admin = Admin(on, shared_server)
    admin.end_others()
    admin.run("DROP TABLE IF EXISTS t")
    admin.run(on.create)
    admin.close()
    yield shared_server
    shared_server.start()
    shared_server.resume()


@pytest.fixture
def admin(on: Any, server: Server) -> Iterator[Admin]:
    admin = Admin(on, server)
    yield admin
    with contextlib.suppress(Exception):  # Its server may have been killed.
        admin.close()


@pytest.fixture
def onlooker(admin: Admin) -> Admin:
    return admin


@pytest.fixture(params=[OPENED, HANDED_IN])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def open_session(kind: str, on: Any, server: Server) -> AsyncIterator[Open]:
    opened: list[AwaitedSession] = []
    handed_in: list[Any] = []

    async def open_(limits: Limits = LIMITS, server: Any = server, **others: Any) -> Any:
        if kind == OPENED:
            opened.append(opening(on, server, limits, **others))
        else:
            handed_in.append(await connect(on, server))
            opened.append(AwaitedSession.over(handed_in[-1], on.failures, limits, on.facts))
        return opened[-1]

    yield open_
    for session in opened:
        with contextlib.suppress(errors.PersisterUnavailableError):
            await session.close()
    for it in handed_in:
        with contextlib.suppress(Exception):
            await settled(it.close())


class TestVerbs(VerbsOfAll):
    async def test_rows(self, open_session: Open) -> None:
        session = await open_session()
        assert [await save(session, key) for key in "aab"] == [1, 0, 1]
        async with session.operation("load", "key") as operation:
            rows = await operation.fetch_all("SELECT k, v FROM t ORDER BY k")
            assert rows == [("a", "v"), ("b", "v")]
            assert {type(row) for row in rows} == {tuple}
            assert await operation.fetch_all(SELECT, ("none",)) == []
            assert await operation.fetch_one(SELECT, ("none",)) is None
            assert await operation.execute("UPDATE t SET v = 'w'") == 2

    async def test_rows_that_are_mappings(self, on: Any, server: Server) -> None:
        connection = await connect(on, server, **on.dict_rows)
        session = AwaitedSession.over(connection, on.failures, LIMITS, on.facts)
        await save(session, "a")
        async with session.operation("load", "key") as operation:
            assert await operation.fetch_one(SELECT, ("a",)) == ("a", "v")
        await settled(connection.close())

    async def test_percent_signs(self, open_session: Open, on: Any) -> None:
        """Only beside values are they the driver's."""
        session = await open_session()
        async with session.operation("initialize") as operation:
            assert await operation.fetch_one("SELECT '%s%'") == ("%s%",)
            assert await operation.fetch_one("SELECT '%%', %s", ("%s",)) == ("%", "%s")
            assert await operation.answers("SELECT '%' = '%'")
            assert await operation.execute("INSERT INTO t VALUES ('5 %', 'v')") == 1
            step = Step("INSERT INTO t VALUES ('%s', 'v')", "SELECT '%' = '%'")
            await operation.run_together(on.begin, [step])
        assert await load(session, "5 %") == await load(session, "%s") == "v"

    async def test_steps_that_are_not_wanted(self, open_session: Open, on: Any) -> None:
        session = await open_session()
        wanted = Step("INSERT INTO t VALUES ('once', 'v')", "SELECT count(*) = 0 FROM t")
        never = [Step("DROP TABLE t", "SELECT false"), Step("DROP TABLE t", "SELECT 1 WHERE false")]
        async with session.operation("initialize") as operation:
            for _ in range(2):
                await operation.run_together(on.begin, [wanted, *never])
        assert await load(session, "once") == "v"


class TestTurns(TurnsOfAll):
    @opened_only
    async def test_as_many_connections_as_it_may(
        self, open_session: Open, on: Any, admin: Admin
    ) -> None:
        session = await open_session(max_connections=3)

        working, most = 0, 0

        async def wait() -> None:
            nonlocal working, most
            async with session.operation("load") as operation:
                working += 1
                most = max(most, working)
                await operation.fetch_one(on.sleep)
                working -= 1

        await load(session, "k")
        await until(lambda: len(admin.others()) == 1)  # that of the test before has gone
        await asyncio.gather(*(wait() for _ in range(6)))
        assert most == len(admin.others()) == 3

    @handed_in_only
    async def test_two_sessions_over_the_same(self, open_session: Open, on: Any) -> None:
        first = await open_session()
        second = AwaitedSession.over(first.connection, on.failures, LIMITS, on.facts)
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
        self, on: Any, server: Server, admin: Admin
    ) -> None:
        connection = await connect(on, server)
        session = AwaitedSession.over(connection, on.failures, LIMITS, on.facts)

        async def of_the_owner(sql: str) -> None:
            cursor = await settled(connection.cursor())
            await cursor.execute(sql)
            await cursor.close()

        for key in "ab":  # The owner may do it again.
            if key == "b":
                await of_the_owner("BEGIN")
            await of_the_owner(f"INSERT INTO t VALUES ('owner {key}', 'v')")
            assert admin.value(f"owner {key}") is None
            await save(session, key)
            assert admin.value(f"owner {key}") == "v"
            assert admin.value(key) == "v"
        await of_the_owner("BEGIN")
        with pytest.raises(on.failures.base):
            await of_the_owner("SELECT nonsense")
        assert await save(session, "c") == 1
        assert admin.value("c") == "v"
        assert admin.is_quiet()
        assert autocommit_of(connection) is True
        await session.close()
        assert autocommit_of(connection) is False  # as its owner had it
        assert not is_closed(connection)
        await settled(connection.close())

    async def test_the_owners_mode_comes_back_with_the_last_session(
        self, on: Any, server: Server
    ) -> None:
        connection = await connect(on, server)
        first = AwaitedSession.over(connection, on.failures, LIMITS, on.facts)
        second = first.copy()
        await save(first, "a")
        await first.close()
        await first.close()
        assert autocommit_of(connection) is True
        await save(second, "b")
        await second.close()
        assert autocommit_of(connection) is False
        third = AwaitedSession.over(connection, on.failures, LIMITS, on.facts)
        await save(third, "c")
        await set_autocommit(connection, False)  # The owner goes on with it.
        assert await save(third, "d") == 1
        await third.close()
        await settled(connection.close())

    @handed_in_only
    async def test_the_owner_closes_it(self, open_session: Open) -> None:
        session = await open_session()
        await save(session, "a")
        await close(session.connection)
        for _ in range(2):
            with pytest.raises(errors.PersisterClosedError, match=r"save of b: .*handed in"):
                await save(session, "b")
        await session.close()

    @handed_in_only
    async def test_the_owner_closes_it_in_the_middle(
        self, open_session: Open, admin: Admin
    ) -> None:
        """Whatever its driver raises then; what is said not to be saved is not there."""
        for number in range(60):
            session = await open_session()
            connection = session.connection

            async def work(task: int, session: Any = session, number: int = number) -> str | None:
                for step in itertools.count():
                    key = f"{number}-{task}-{step}"
                    try:
                        await save(session, key)
                    except errors.PersisterClosedError:
                        return key
                    except errors.PersisterUnavailableError as exc:
                        return None if exc.may_have_saved else key
                return None

            tasks = [asyncio.create_task(work(task)) for task in range(3)]
            for _ in range(random.randrange(60)):
                await asyncio.sleep(random.choice((0, 0, 0, 0.0002)))
            await settled(connection.close())
            for key in await asyncio.gather(*tasks):
                assert key is None or admin.value(key) is None
            await session.close()


class Plain(psycopg.AsyncConnection[Any]):
    """A driver's connection that cannot be told to commit by itself."""

    autocommit = None  # type: ignore[assignment]


@pytest.mark.parametrize("on", ["psycopg"], indirect=True)
class TestWithoutAutocommit:
    async def test_each_statement_is_committed(
        self, on: Any, server: Server, admin: Admin, kind: str
    ) -> None:
        facts = replace(on.facts, connect=Plain.connect)
        connection = await Plain.connect(**on.place(server))
        if kind == OPENED:
            session = AwaitedSession.opening(on.failures, LIMITS, facts, **values(on, server))
        else:
            session = AwaitedSession.over(connection, on.failures, LIMITS, facts)
        assert [await save(session, key) for key in "aab"] == [1, 0, 1]
        assert await load(session, "a") == admin.value("a") == "v"
        with pytest.raises(errors.NotInitializedError):
            async with session.operation("load", "key") as operation:
                await operation.fetch_one("SELECT k FROM nothing")
        assert admin.is_quiet()
        with pytest.raises(errors.PersisterError):
            await together(session, "INSERT INTO t VALUES ('c', 'v')", "SELECT nonsense")
        await together(session, "INSERT INTO t VALUES ('d', 'v')")
        assert [admin.value(key) for key in "abcd"] == ["v", "v", None, "v"]
        assert admin.is_quiet()
        await session.close()
        await connection.close()


class TestLimits(LimitsOfAll):
    async def test_a_server_that_stalls_a_moment(
        self, open_session: Open, server: Server, admin: Admin
    ) -> None:
        session = await open_session(Limits(0.6, 0.6))
        await save(session, "before")
        await pause(server)
        with unavailable(0.6, may_have_saved=True, match=r"operation_timeout \(0.6 s\)"):
            await save(session, "key")
        server.resume()
        await until(lambda: works(session))
        assert admin.value("before") == "v"

    @opened_only
    async def test_a_server_that_does_not_answer(self, open_session: Open, server: Server) -> None:
        session = await open_session(SHORT)
        await save(session, "before")
        await pause(server)
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

    async def test_a_server_that_says_nothing(self, on: Any) -> None:
        with socket.create_server((LOOPBACK, 0)) as listening:
            there = SimpleNamespace(port=listening.getsockname()[1])
            session = opening(on, there, Limits(0.3, 5))
            for _ in range(2):
                with unavailable(0.3, may_have_saved=False, match=r"connect_timeout \(0.3 s\)"):
                    await save(session, "key")
            await session.close()
            session = opening(on, there, Limits(5, 0.3))
            with unavailable(0.3, may_have_saved=False, match=r"operation_timeout \(0.3 s\)"):
                await save(session, "key")
            await session.close()

    async def test_a_stalled_network(self, on: Any, server: Server, admin: Admin) -> None:
        with FaultProxy(*server.address) as proxy:
            session = opening(on, proxy, Limits(5, 0.5))
            await asyncio.gather(*(save(session, str(number)) for number in range(20)))
            proxy.stall()
            with unavailable(0.5, may_have_saved=True):
                await save(session, "key")
            many = (load(session, str(number)) for number in range(20))
            done = await asyncio.gather(*many, return_exceptions=True)
            assert {type(it) for it in done} == {errors.PersisterUnavailableError}
            proxy.restore()
            session.limits = LIMITS
            assert await works(session)
            assert await load(session, "1") == "v"
            await session.close()

    async def test_a_save_that_waits_for_a_lock(
        self, open_session: Open, admin: Admin, on: Any, kind: str
    ) -> None:
        session = await open_session(Limits(1, 1))
        await load(session, "before")
        admin.run("BEGIN")
        admin.run(on.insert, "key", "other's")
        with unavailable(1, may_have_saved=not on.gives_up):
            await save(session, "key")
        if on.gives_up:
            assert admin.is_quiet()
        admin.run("ROLLBACK")
        if on.gives_up:  # so it is not saved later
            assert await load(session, "key") is None
        if kind == OPENED or on.gives_up:
            await until(lambda: works(session))
            await save(session, "key")
            assert await load(session, "key") == "v"

    async def test_steps_that_wait_for_a_lock(
        self, open_session: Open, admin: Admin, on: Any, kind: str
    ) -> None:
        session = await open_session(SHORT)
        admin.run("BEGIN")
        admin.run(on.insert, "locked", "other's")
        with unavailable(0.3, may_have_saved=False):
            await together(
                session,
                "INSERT INTO t VALUES ('mine', 'v')",
                "INSERT INTO t VALUES ('locked', 'v')",
            )
        admin.run("ROLLBACK")
        await until(admin.is_quiet)
        assert admin.value("mine") is None
        if kind == OPENED or on.gives_up:
            await until(lambda: works(session))
            await together(session, "INSERT INTO t VALUES ('mine', 'v')")
            assert await load(session, "mine") == "v"


class TestCancelling(CancellingOfAll):
    async def test_at_every_moment(self, open_session: Open, admin: Admin) -> None:
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
        await until(lambda: admin.is_quiet() and len(admin.others()) <= 10)
        # No slot was lost, and none was given twice.
        async with all_taken(session):
            session.limits = SHORT
            with unavailable(0.3, may_have_saved=False, match="its turn did not come"):
                await save(session, "key")

    async def test_when_opening(self, on: Any, server: Server, admin: Admin) -> None:
        for moment in range(40):
            session = opening(on, server)
            task = asyncio.create_task(session.open())
            await asyncio.sleep(moment * 0.0005)
            task.cancel()
            await asyncio.wait([task])
            if not moment % 10:
                assert await works(session)
            await session.close()
        await until(lambda: not admin.others())

    async def test_a_storm(self, open_session: Open, admin: Admin) -> None:
        """A hundred tasks, half of which are cancelled at some moment: nothing is half done."""
        session = await open_session()
        known: dict[str, str] = {}

        async def work(number: int) -> None:
            for step in range(5):
                key = f"{number}-{step}"
                assert await save(session, key, key) in (0, 1)
                known[key] = key

        tasks = [asyncio.create_task(work(number)) for number in range(100)]
        for task in tasks[::2]:
            await asyncio.sleep(random.random() * 0.004)
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(it is None for it in done[1::2])
        assert {type(it) for it in done[::2]} <= {type(None), asyncio.CancelledError}
        assert all(admin.value(key) == value for key, value in known.items())
        assert admin.run("SELECT count(*) FROM t WHERE k <> v")[0][0] == 0
        await until(lambda: admin.is_quiet() and len(admin.others()) <= 10)


class TestLostConnections:
    async def test_ended_by_an_administrator(
        self, open_session: Open, admin: Admin, kind: str
    ) -> None:
        session = await open_session()
        for key in "abc":
            await asyncio.gather(*(load(session, "k") for _ in range(10)))
            admin.end_others()
            if kind == HANDED_IN:
                with pytest.raises((errors.PersisterClosedError, errors.PersisterUnavailableError)):
                    await save(session, key)
                with pytest.raises(errors.PersisterClosedError, match="has been closed"):
                    await save(session, key)
                break
            assert await save(session, key) == 1

    async def test_ended_in_the_middle(self, open_session: Open, admin: Admin, kind: str) -> None:
        session = await open_session()
        await load(session, "k")
        task = await in_the_middle(session, admin)
        admin.end_others()
        if kind == HANDED_IN:
            with unavailable(0.3, may_have_saved=True, match="was lost|ended the connection"):
                await task
        else:
            assert await task == 1
            assert await works(session)

    @pytest.mark.parametrize("how", ["kill", "stop"])
    async def test_a_server_that_comes_back(
        self, open_session: Open, server: Server, kind: str, how: str
    ) -> None:
        session = await open_session()
        await asyncio.gather(*(load(session, "k") for _ in range(10)))
        getattr(server, how)()
        server.start()
        if kind == OPENED:
            assert await works(session)
        getattr(server, how)()
        for _ in range(2):
            with pytest.raises((errors.PersisterUnavailableError, errors.PersisterClosedError)):
                await save(session, "key")
        if kind == OPENED:
            with unavailable(0, may_have_saved=False, match="no server answers there"):
                await save(session.copy(), "key")
        server.start()
        if kind == OPENED:
            assert await works(session)

    async def test_a_lost_reply(self, on: Any, server: Server, admin: Admin) -> None:
        """The save is made again, once; it may have been stored if that fails, too."""
        with FaultProxy(*server.address) as proxy:
            session = opening(on, proxy)
            await save(session, "before")
            proxy.lose_next_reply()
            assert await save(session, "key") == 0
            assert admin.value("key") == "v"
            proxy.lose_replies()
            with unavailable(5, may_have_saved=True):
                await save(session, "key again")
            with unavailable(5, may_have_saved=False):
                await load(session, "key")
            proxy.restore()
            assert await works(session)
            proxy.refuse()
            with unavailable(5, may_have_saved=False, match="load of key: "):
                await load(session, "key")
            proxy.restore()
            assert await works(session)
            await session.close()

    async def test_a_lost_reply_and_then_no_server(
        self, open_session: Open, server: Server, admin: Admin, kind: str
    ) -> None:
        session = await open_session()
        await save(session, "before")
        task = await in_the_middle(session, admin)
        server.kill()
        said = "connection was lost|ended the conn" if kind == HANDED_IN else "no server answers"
        with unavailable(5, may_have_saved=True, match=f"save of slow: .*({said})"):
            await task


class TestEventLoops:
    """Each test has loops of its own: it is no coroutine."""

    def test_one_loop_after_another(self, on: Any, server: Server, admin: Admin) -> None:
        """The connections of a loop that has ended are gone, without a word."""
        session = opening(on, server)

        async def work(number: int) -> None:
            saves = (save(session, f"{number} {task}") for task in range(20))
            assert await asyncio.gather(*saves) == [1] * 20

        async def left_behind() -> None:
            for number in range(20):
                tasks.append(asyncio.ensure_future(save(session, f"left {number}")))
            await asyncio.sleep(random.random() * 0.01)

        async def nobody_is_left() -> None:
            await until(lambda: not admin.others())

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

    def test_two_loops_at_once(self, on: Any, server: Server) -> None:
        session = opening(on, server)

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

    def test_loops_that_pause(self, on: Any, server: Server) -> None:
        """A loop that ends while another one has the session leaves that one's connections."""
        session = opening(on, server)
        one, other = asyncio.new_event_loop(), asyncio.new_event_loop()
        for number in range(3):
            assert one.run_until_complete(save(session, f"one {number}")) == 1
            assert other.run_until_complete(save(session, f"other {number}")) == 1
        one.run_until_complete(one.shutdown_asyncgens())
        one.close()
        assert other.run_until_complete(load(session, "one 0")) == "v"
        other.run_until_complete(session.close())
        other.run_until_complete(other.shutdown_asyncgens())
        other.close()

    def test_loops_that_pause_in_the_middle(self, on: Any, server: Server, admin: Admin) -> None:
        """An operation that goes on takes none of the other loop's connections."""
        session = opening(on, server)
        one, other = asyncio.new_event_loop(), asyncio.new_event_loop()
        for number in range(3):
            key, operation = f"key {number}", session.operation("load")
            one.run_until_complete(operation.__aenter__())
            assert other.run_until_complete(save(session, key)) == 1
            assert one.run_until_complete(operation.fetch_one(SELECT, (key,))) == (key, "v")
            assert other.run_until_complete(load(session, key)) == "v"
            one.run_until_complete(operation.__aexit__(None, None, None))
        other.run_until_complete(session.close())
        for loop in (one, other):
            loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.run(until(lambda: not admin.others()))
        one.close()
        other.close()

    def test_what_was_handed_in_and_another_loop(self, on: Any, server: Server) -> None:
        async def main() -> AwaitedSession:
            connection = await connect(on, server)
            session = AwaitedSession.over(connection, on.failures, LIMITS, on.facts)
            await save(session, "a")
            with pytest.raises(errors.PersisterError, match=r"load of a: .*another event loop"):
                await asyncio.to_thread(asyncio.run, load(session, "a"))
            assert await load(session, "a") == "v"
            return session

        session = asyncio.run(main())
        if hasattr(session.connection, "loop") or hasattr(session.connection, "_loop"):
            with pytest.raises(errors.PersisterError, match="another event loop"):
                asyncio.run(load(session, "a"))
        else:
            assert asyncio.run(load(session, "a")) == "v"
        asyncio.run(session.close())
        with contextlib.suppress(RuntimeError):  # Its loop is closed.
            closing = session.connection.close()
            if asyncio.iscoroutine(closing):
                asyncio.run(closing)

    def test_closing_in_another_loop(self, on: Any, server: Server) -> None:
        session = opening(on, server)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(save(session, "a"))
        asyncio.run(session.close())
        with pytest.raises(errors.PersisterClosedError):
            loop.run_until_complete(load(session, "a"))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

        async def main() -> None:
            session = opening(on, server)
            await save(session, "b")
            await asyncio.to_thread(asyncio.run, session.close())
            with pytest.raises(errors.PersisterClosedError):
                await load(session, "b")

        asyncio.run(main())


class TestOpening:
    @pytest.mark.parametrize(
        ("wrong", "error", "named"),
        [
            ({"db_name": None}, TypeError, "db_name"),
            ({"port": "5432"}, TypeError, "port"),
            ({"password": b"secret"}, TypeError, "password"),
            ({"connect_kwargs": [("secret", 1)]}, TypeError, "connect_kwargs"),
            ({"connect_kwargs": {"password": "secret"}}, ValueError, "connect_kwargs: password"),
            ({"connect_kwargs": {"connect_timeout": 1}}, ValueError, "give connect_timeout"),
            ({"max_connections": 0}, ValueError, "max_connections"),
            ({"max_connections": "5"}, TypeError, "max_connections"),
        ],
    )
    def test_wrong_values(self, on: Any, wrong: Any, error: Any, named: str) -> None:
        with pytest.raises(error, match=named) as caught:
            opening(on, SimpleNamespace(port=1), **wrong)
        assert "secret" not in str(caught.value)

    def test_wrong_things_handed_in(self, on: Any) -> None:
        for it in (None, "mysql://u:secret@h/d", on.facts.connection_type, AwaitedSession):
            with pytest.raises(TypeError, match="connection must be") as caught:
                AwaitedSession.over(it, on.failures, LIMITS, on.facts)
            assert "secret" not in str(caught.value)

    @opened_only
    async def test_a_session_is_taken_as_it_is(self, open_session: Open, on: Any) -> None:
        session = await open_session()
        assert AwaitedSession.over(session, on.failures, LIMITS, on.facts) is session

    @opened_only
    async def test_opening_connects(self, open_session: Open, admin: Admin) -> None:
        session = await open_session()
        await until(lambda: not admin.others())  # those of the test before
        await session.open()
        assert len(admin.others()) == 1
        assert session.connection is None
        assert await load(session, "k") is None
        assert len(admin.others()) == 1


class TestClosing(ClosingOfAll):
    @opened_only
    async def test_it_waits_for_what_is_under_way(
        self, open_session: Open, admin: Admin, on: Any
    ) -> None:
        session = await open_session()
        async with session.operation("save") as operation:
            closing = asyncio.create_task(session.close())
            waiting = asyncio.create_task(save(session, "waiting"))
            await asyncio.sleep(0.05)
            assert await operation.execute(on.insert, ("k", "v")) == 1
            assert not closing.done()
        await closing
        with pytest.raises(errors.PersisterClosedError):
            await waiting
        await until(lambda: not admin.others())

    @opened_only
    async def test_while_tasks_work(self, open_session: Open, admin: Admin) -> None:
        session = await open_session()
        saved = await saving(session)
        await session.close()
        assert 0 < await saved() == admin.count()
        await until(lambda: not admin.others())

    @opened_only
    async def test_from_another_loop_while_tasks_work(
        self, open_session: Open, admin: Admin
    ) -> None:
        """What is under way there comes to its end, and no connection stays."""
        for number in range(9):
            session = await open_session()
            saved = await saving(session, number)
            await asyncio.to_thread(asyncio.run, session.close())
            assert await saved() > 0
            await until(lambda: not admin.others())

    @opened_only
    async def test_it_took_too_long(self, open_session: Open, admin: Admin) -> None:
        session = await open_session()
        async with session.operation("save"):
            session.limits = SHORT
            for _ in range(2):
                with unavailable(0.3, may_have_saved=False, match="cleanup: other operations"):
                    await session.close()
            with pytest.raises(errors.PersisterClosedError):
                await load(session, "k")
        await session.close()
        await until(lambda: not admin.others())

    @opened_only
    async def test_it_was_cancelled(self, open_session: Open, admin: Admin) -> None:
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
        await until(lambda: not admin.others())

    async def test_pickles(self, open_session: Open, kind: str) -> None:
        session = await open_session()
        await save(session, "k")
        if kind == HANDED_IN:
            with pytest.raises(TypeError, match=r"from_values\(\)"):
                pickle.dumps(session)
            return
        other = pickle.loads(pickle.dumps(session))
        assert await load(other, "k") == "v"
        await other.close()

    async def test_a_forked_process(self, server: Server, on: Any, kind: str) -> None:
        """It uses connections of its own, and as it ends, the parent's stay as they are."""
        code = f"""
from tests.test_sessions_awaited import *
from tests.awaited_drivers import {on.__name__} as on

async def opened():
    there = SimpleNamespace(port={server.port})
    if {kind!r} == OPENED:
        session = opening(on, there)
    else:
        session = AwaitedSession.over(await connect(on, there), on.failures, LIMITS, on.facts)
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
    lines = {{line.connection for line in session._link._lines}}
    assert not any(map(is_closed, lines))
    print(await save(session, "parent"), await load(session, "child"), flush=True)
    assert lines == {{line.connection for line in session._link._lines}}
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
        if kind == OPENED:
            assert run == ("saved\n1 v\n", 0)
        else:
            assert "belongs to the process that opened it" in run[0]
            assert run[0].endswith("\n1 None\n")

    @pytest.mark.parametrize("end", ["", "raise SystemExit(0)", "gc.collect()"])
    async def test_an_unclosed_one_lets_the_interpreter_exit(
        self, server: Server, on: Any, end: str
    ) -> None:
        code = (
            "from tests.test_sessions_awaited import *\n"
            f"from tests.awaited_drivers import {on.__name__} as on\n"
            "async def main():\n"
            "    global s\n"
            f"    s = opening(on, SimpleNamespace(port={server.port}))\n"
            "    print(await save(s, 'unclosed'), flush=True)\n"
            f"    {end or 'pass'}\n"
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
