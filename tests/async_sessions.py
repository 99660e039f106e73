"""What all asynchronous sessions do alike, whatever their driver: helpers, and cases to inherit.

A module has the fixtures `server`, `open_session` and `onlooker`, who sees it from outside.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from persistry import errors
from persistry._runtime.drivers.awaited_calls import settled
from persistry._runtime.limits import Limits
from persistry._runtime.steps import Step
from tests.awaited_drivers import Admin, OnAsyncpg, OnMariaDB, OnMariaDBOtherwise, OnPostgreSQL
from tests.servers import Server
from tests.timing import within

LIMITS = Limits(5, 5)
SHORT = Limits(0.3, 0.3)
DRIVERS: dict[str, Any] = {
    "psycopg": OnPostgreSQL,
    "aiomysql": OnMariaDB,
    "asyncmy": OnMariaDBOtherwise,
    "asyncpg": OnAsyncpg,
}

Open = Callable[..., Any]


def on_of(session: Any) -> Any:
    """What the session's driver is tested with."""
    return next(on for on in DRIVERS.values() if session.failures.base == on.failures.base)


async def save(session: Any, key: str, value: str = "v") -> int:
    async with session.operation("save", key) as operation:
        changed: int = await operation.execute(on_of(session).insert, (key, value))
        return changed


async def load(session: Any, key: str) -> str | None:
    async with session.operation("load", key) as operation:
        row = await operation.fetch_one(on_of(session).select, (key,))
        return None if row is None else row[1]


async def together(session: Any, *steps: str) -> None:
    async with session.operation("initialize", "key") as operation:
        await operation.run_together(on_of(session).begin, [Step(step) for step in steps])


async def slowly(session: Any) -> int:
    async with session.operation("save", "slow") as operation:
        changed: int = await operation.execute(on_of(session).insert_slowly)
        return changed


async def in_the_middle(session: Any, onlooker: Admin) -> asyncio.Task[int]:
    """A save that the server is at."""
    saving = asyncio.create_task(slowly(session))
    await until(lambda: not onlooker.is_quiet())
    return saving


async def works(session: Any) -> bool:
    key = str(random.random())
    with contextlib.suppress(errors.PersisterUnavailableError):
        await save(session, key)
        return await load(session, key) == "v"
    return False


@contextlib.contextmanager
def unavailable(
    seconds: float, *, may_have_saved: bool, match: str = "of key"
) -> Iterator[pytest.ExceptionInfo[errors.PersisterUnavailableError]]:
    unavailable = pytest.raises(errors.PersisterUnavailableError, match=match)
    with within(seconds), unavailable as caught:
        yield caught
    assert caught.value.may_have_saved is may_have_saved


async def pause(server: Server) -> None:
    server.pause()
    await asyncio.sleep(0.05)  # Until the last one of its threads stands still.


async def until(condition: Callable[[], Any], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not await settled(condition()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def all_taken(session: Any) -> AsyncIterator[None]:
    """All the session's connections are in use."""
    await load(session, "before")
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(1 if session.connection else 10):
            await stack.enter_async_context(session.operation("load"))
        yield


class VerbsOfAll:
    async def test_answers(self, open_session: Open) -> None:
        session = await open_session()
        async with session.operation("is_initialized", "key") as operation:
            assert not await operation.answers("SELECT k FROM nothing")
            assert not await operation.answers("SELECT count(*) = 1 FROM t")
            assert await operation.answers("SELECT count(*) = 0 FROM t")
            assert await operation.answers("SELECT k FROM t")
        error, words = on_of(session).missing_column
        with pytest.raises(error, match=f"is_initialized of key: .*{words}"):
            async with session.operation("is_initialized", "key") as operation:
                await operation.answers("SELECT other FROM t")

    async def test_all_steps_or_none(self, open_session: Open, onlooker: Admin) -> None:
        session = await open_session()
        await together(
            session, "CREATE TEMPORARY TABLE x (a int)", "INSERT INTO t VALUES ('a', 'v')"
        )
        with pytest.raises(errors.NotInitializedError, match="initialize of key"):
            await together(
                session, "INSERT INTO t VALUES ('b', 'v')", "INSERT INTO nothing VALUES (1)"
            )
        with pytest.raises(errors.PersisterError):
            await together(session, "INSERT INTO t VALUES ('c', 'v')", "SELECT nonsense")
        assert [await load(session, key) for key in "abc"] == ["v", None, None]
        assert onlooker.is_quiet()

    async def test_modes_are_set_on_what_was_opened_here(self, open_session: Open) -> None:
        session = await open_session()
        async with session.operation("initialize") as operation:
            await operation.configure(["INSERT INTO t VALUES ('mode', 'set')"])
        assert await load(session, "mode") == ("set" if session.opened_here else None)


class TurnsOfAll:
    async def test_many_tasks(self, open_session: Open, onlooker: Admin) -> None:
        session = await open_session()

        async def work(number: int) -> None:
            assert await save(session, f"k{number}", str(number)) == 1
            assert await load(session, f"k{number}") == str(number)

        await asyncio.gather(*map(work, range(100)))
        assert onlooker.count() == 100
        await until(lambda: len(onlooker.others()) <= 10)  # that of the test before has gone

    async def test_in_order_of_arrival(self, open_session: Open) -> None:
        session = await open_session()
        await asyncio.gather(*(load(session, "k") for _ in range(10)))  # all are connected
        turns = itertools.count()
        overtaken: list[int] = []

        async def work() -> None:
            for _ in range(3):
                came = next(turns)
                async with session.operation("load") as operation:
                    overtaken.append(next(turns) - came)
                    await operation.fetch_one(on_of(session).select, ("k",))

        await asyncio.gather(*(work() for _ in range(30)))
        # Each of those before it comes and is served, and so do those who come while it waits.
        assert max(overtaken) <= 2 * 30


class LimitsOfAll:
    async def test_waiting_for_a_turn_counts(self, open_session: Open) -> None:
        session = await open_session()
        async with all_taken(session):
            session.limits = SHORT
            with unavailable(0.3, may_have_saved=False, match="its turn did not come"):
                await save(session, "key")
        assert await load(session, "key") is None

    async def test_closing_while_the_server_does_not_answer(
        self, open_session: Open, server: Server
    ) -> None:
        session = await open_session(SHORT)
        await save(session, "before")
        await pause(server)
        with unavailable(0.3, may_have_saved=True):
            await save(session, "key")
        with within(1), contextlib.suppress(errors.PersisterUnavailableError):
            await session.close()


class CancellingOfAll:
    async def test_what_was_not_sent_is_not_saved(
        self, open_session: Open, onlooker: Admin
    ) -> None:
        session = await open_session()
        async with all_taken(session):
            task = asyncio.create_task(save(session, "waiting"))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])
        assert await save(session, "other") == 1
        assert onlooker.value("waiting") is None

    async def test_in_a_transaction(self, open_session: Open, onlooker: Admin) -> None:
        session = await open_session()
        steps = [f"INSERT INTO t VALUES ('{key}', 'v')" for key in "abc"]
        for number in range(60):
            task = asyncio.create_task(together(session, *steps))
            if number % 2:
                for _ in range(number // 2):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(number * 20e-6)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await until(onlooker.is_quiet)
            await load(session, "a")  # Whatever went on has ended.
            assert onlooker.count() in (0, 3)
            onlooker.run("DELETE FROM t")
        await together(session, *steps)
        assert await load(session, "c") == "v"


class ClosingOfAll:
    async def test_after_closing(self, open_session: Open) -> None:
        session = await open_session()
        await save(session, "k")
        copy = session.copy()
        await asyncio.gather(session.close(), session.close())
        await session.close()
        with pytest.raises(errors.PersisterClosedError, match=r"load of k: .*cleanup\(\)"):
            await load(session, "k")
        with pytest.raises(errors.PersisterClosedError, match=r"copy: .*cleanup\(\)"):
            session.copy()
        assert await load(copy, "k") == "v"
        await copy.close()
        if not session.opened_here:
            assert not on_of(session).is_closed(session)
