"""Both MongoDB sessions: life, closing, forks, event loops and interrupts, on a real server."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import FrameType
from typing import Any

import pymongo
import pytest

from persistry import AsyncMongoDBBasePersister, MongoDBBasePersister, State, errors
from persistry._runtime.documents import Call, Query
from persistry._runtime.drivers.pymongo_async_session import AsyncPymongoSession
from persistry._runtime.drivers.pymongo_session import PymongoSession
from persistry._runtime.limits import Limits
from tests.sessions import failures_of
from tests.stores.mongodb import MongoPlace
from tests.timing import within

PASSWORD = "hunter2"
FAILURES = failures_of("mongodb")
LIMITS = Limits(5, 5)
SHORT = Limits(5, 0.4)
DB = "persistry_test_sessions"
ANY = Query(("n",))


@pytest.fixture
def place(mongodb_place: MongoPlace) -> Iterator[MongoPlace]:
    yield mongodb_place
    mongodb_place.client.drop_database(DB)


@pytest.fixture
def url(place: MongoPlace) -> str:
    return place.url


def sync_session(url: str, limits: Limits = LIMITS, **kwargs: Any) -> PymongoSession:
    session = PymongoSession.opening(FAILURES, limits, uri=url, mongo_client_kwargs=kwargs or None)
    session.use(DB, "c")
    return session


def async_session(url: str, limits: Limits = LIMITS, **kwargs: Any) -> AsyncPymongoSession:
    session = AsyncPymongoSession.opening(
        FAILURES, limits, uri=url, mongo_client_kwargs=kwargs or None
    )
    session.use(DB, "c")
    return session


def slow(seconds: float) -> Any:
    """A filter that keeps the server busy; it needs a document to look at."""
    return {
        "$expr": {
            "$function": {
                "body": f"function() {{ sleep({seconds * 1000}); return true }}",
                "args": [],
                "lang": "js",
            }
        }
    }


def put(persister: Any, n: int = 0) -> None:
    persister.save("p", "app", n, "step", State({"n": n}), "completed")


# What a client is opened with


def test_what_a_client_is_opened_with(url: str) -> None:
    session = sync_session("mongodb://localhost", Limits(2, 5))
    client = session.client
    assert client.write_concern.document == {"w": "majority", "j": True}
    assert client.options.pool_options.connect_timeout == 2
    session.close()


@pytest.mark.parametrize("options", ["w=1", "journal=false", "w=1&journal=true", "W=2"])
def test_what_the_user_says_wins(options: str) -> None:
    plain = pymongo.MongoClient(f"mongodb://localhost/?{options}", connect=False)
    session = sync_session(f"mongodb://localhost/?{options}")
    assert session.client.write_concern == plain.write_concern
    session.close()
    pairs = [pair.split("=") for pair in options.lower().split("&")]
    kwargs = {k: int(v) if v.isdigit() else v == "true" for k, v in pairs}
    session = sync_session("mongodb://localhost", **kwargs)
    assert session.client.write_concern == plain.write_concern
    session.close()
    plain.close()


def test_a_limit_for_acknowledging_lowers_nothing(url: str) -> None:
    session = sync_session("mongodb://localhost/?wtimeoutMS=5000")
    assert session.client.write_concern.document == {"w": "majority", "j": True, "wtimeout": 5000}
    session.close()


def test_no_password_is_shown(url: str) -> None:
    secret = "mongodb://me:hunter2@nowhere.invalid:27017/?authSource=admin"
    for make in (sync_session, async_session):
        session: Any = make(secret, SHORT, password=PASSWORD)
        shown = [session.describe(), repr(session.link.values), repr(session.failures.place)]
        assert not [text for text in shown if PASSWORD in text]
        assert "nowhere.invalid:27017" in session.describe()


def test_a_session_is_taken_as_it_is(url: str) -> None:
    session = sync_session(url)
    assert PymongoSession.over(session, FAILURES, LIMITS) is session
    other = async_session(url)
    assert AsyncPymongoSession.over(other, FAILURES, LIMITS) is other


# Copies, pickles, closing


def test_a_pickle_connects_anew(url: str) -> None:
    with MongoDBBasePersister.from_values(url, DB, "c", max_state_bytes=100) as persister:
        put(persister)
        read = pickle.loads(pickle.dumps(persister))
        with read:
            assert read.load("p", "app")["state"]["n"] == 0
            assert read.client is not persister.client
            with pytest.raises(errors.StateTooLargeError):
                read.save("p", "app", 1, "s", State({"x": "x" * 200}), "completed")
    with pymongo.MongoClient(url) as client:
        handed_in = MongoDBBasePersister(client, DB, "c")
        with pytest.raises(TypeError, match="from_values"):
            pickle.dumps(handed_in)


def test_closing_waits_for_what_is_under_way(url: str) -> None:
    session = sync_session(url)
    with session.operation("save") as do:
        do._answer(Call("insert_one", ({"n": 1},)))
    started = threading.Event()
    found: list[Any] = []

    def work() -> None:
        with session.operation("load") as do:
            started.set()
            found.append(do.find(ANY, slow(0.5)))

    thread = threading.Thread(target=work)
    thread.start()
    started.wait(5)
    session.close()
    thread.join(0.1)
    assert found == [(1,)]
    session.close()
    with pytest.raises(errors.PersisterClosedError), session.operation("load"):
        pass
    with pytest.raises(errors.PersisterClosedError):
        _ = session.client
    with pytest.raises(errors.PersisterClosedError):
        session.copy()


async def test_closing_waits_for_tasks(url: str) -> None:
    session = async_session(url)
    async with session.operation("save") as do:
        await do._answer(Call("insert_one", ({"n": 1},)))

    async def work() -> Any:
        async with session.operation("load") as do:
            return await do.find(ANY, slow(0.5))

    task = asyncio.create_task(work())
    await asyncio.sleep(0.1)
    await session.close()
    assert task.done() and task.result() == (1,)
    await session.close()
    with pytest.raises(errors.PersisterClosedError):
        await work()


def test_closing_that_takes_too_long_may_be_tried_again(url: str) -> None:
    session = sync_session(url, SHORT)
    late = pytest.raises(errors.PersisterUnavailableError, match="did not end")
    with session.operation("load"), late:
        session.close()
    session.close()


def test_a_client_that_is_never_closed_keeps_nobody_waiting(url: str) -> None:
    script = f"""
import asyncio, gc
from persistry import AsyncMongoDBBasePersister, MongoDBBasePersister, State
state = State({{}})
kept = MongoDBBasePersister.from_values({url!r}, {DB!r}, "c")
kept.save("p", "a", 0, "s", state, "x")
async def main():
    global other
    other = await AsyncMongoDBBasePersister.from_values({url!r}, {DB!r}, "c")
    await other.save("p", "a", 1, "s", state, "x")
asyncio.run(main())
dropped = MongoDBBasePersister.from_values({url!r}, {DB!r}, "c")
dropped.save("p", "a", 2, "s", state, "x")
del dropped
gc.collect()
print("done")
"""
    start = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "done\n", "")
    assert time.monotonic() - start < 10


# Limits


def test_an_operation_ends_in_time(url: str) -> None:
    session = sync_session(url, SHORT)
    with session.operation("save") as do:
        do._answer(Call("insert_one", ({"n": 1},)))
    late = pytest.raises(errors.PersisterUnavailableError, match=r"\(0\.4 s\)")
    with within(0.4), late as caught, session.operation("load") as do:
        do.find(ANY, slow(20))
    assert caught.value.may_have_saved is False
    with session.operation("load") as do:
        assert do.find(ANY, {}) == (1,)
    session.close()


async def test_an_asynchronous_operation_ends_in_time(url: str) -> None:
    session = async_session(url, SHORT)
    async with session.operation("save") as do:
        await do._answer(Call("insert_one", ({"n": 1},)))
    late = pytest.raises(errors.PersisterUnavailableError, match=r"\(0\.4 s\)")
    with within(0.4), late:
        async with session.operation("load") as do:
            await do.find(ANY, slow(20))
    async with session.operation("load") as do:
        assert await do.find(ANY, {}) == (1,)
    await session.close()


@pytest.mark.parametrize("wait", [0.0, 0.002, 0.01, 0.1])
async def test_a_task_that_is_cancelled_keeps_nothing(url: str, wait: float) -> None:
    async with AsyncMongoDBBasePersister.from_values(url, DB, "c") as persister:
        for n in range(5):
            task = asyncio.create_task(
                persister.save("p", "app", n, "s", State({"n": n}), "completed")
            )
            await asyncio.sleep(wait)
            task.cancel()
            await asyncio.wait([task])
        for n in range(5):
            await persister.save("p", "app", n, "s", State({"n": n}), "completed")
        assert (await persister.load("p", "app"))["sequence_id"] == 4


INTERRUPTED = (
    "/_csot.py",
    "/network_layer.py",
    "/pymongo_link.py",
    "/pymongo_session.py",
    "/slots.py",
)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver's own
def test_an_interrupt_keeps_nothing(url: str) -> None:
    """A signal handler that raises in the midst of a save, at every line of what is ours in it.

    And where the driver keeps the time and waits for the server. Not at any other place in it: an
    exception that comes between the instructions of its locks leaves them locked for ever.
    """
    left: list[int] = []
    with MongoDBBasePersister.from_values(url, DB, "c") as persister:
        persister.initialize()
        put(persister, 0)
        for n in itertools.count():
            before = dict(copy_context())
            lines = itertools.count()

            def trace(
                frame: FrameType, event: str, _: object, n: int = n, lines: Iterator[int] = lines
            ) -> Any:
                if not frame.f_code.co_filename.endswith(INTERRUPTED):
                    return None
                if event == "line" and next(lines) == n:
                    raise KeyboardInterrupt
                return trace

            sys.settrace(trace)
            try:
                put(persister, 1 + n)
                break
            except KeyboardInterrupt:
                pass
            finally:
                sys.settrace(None)
            if dict(copy_context()) != before:
                left.append(n)
            put(persister, 1 + n)
        assert n > 100
        assert not left, "a time limit for whatever the thread does later"
        assert persister.load("p", "app")["sequence_id"] == 1 + n
        with ThreadPoolExecutor(20) as threads:
            list(threads.map(lambda n: put(persister, n), range(1000, 1100)))


# Processes and event loops


def in_a_fork(work: Any) -> str:
    """What the child says; warnings are errors there."""
    reader, writer = multiprocessing.Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        try:
            warnings.simplefilter("error")
            answer = str(work())
        except BaseException as exc:
            answer = f"{type(exc).__name__}: {exc}"
        writer.send(answer)
        os._exit(0)
    writer.close()
    answer = str(reader.recv()) if reader.poll(15) else "nothing"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return answer


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forks(url: str) -> None:
    with MongoDBBasePersister.from_values(url, DB, "c") as persister:
        put(persister, 0)

        def work() -> Any:
            put(persister, 1)
            found = persister.load("p", "app")["sequence_id"]
            persister.cleanup()
            return found

        assert in_a_fork(work) == "1"
        put(persister, 2)
        assert persister.load("p", "app")["sequence_id"] == 2
    with pymongo.MongoClient(url) as client:
        handed_in = MongoDBBasePersister(client, DB, "c")
        put(handed_in, 3)
        assert "before this process was forked" in in_a_fork(lambda: put(handed_in, 4))
        put(handed_in, 5)


def test_a_client_that_was_handed_in_has_one_event_loop(url: str) -> None:
    async def first() -> Any:
        client = pymongo.AsyncMongoClient(url)
        persister = AsyncMongoDBBasePersister(client, DB, "c")
        await persister.save("p", "app", 0, "s", State({}), "completed")
        return persister

    async def second(persister: Any) -> None:
        for other in (persister, persister.copy()):
            with pytest.raises(errors.PersisterError, match="another event loop"):
                await other.load("p", "app")

    persister = asyncio.run(first())
    asyncio.run(second(persister))


def test_threads_share_a_persister(url: str) -> None:
    with MongoDBBasePersister.from_values(url, DB, "c") as persister:
        with ThreadPoolExecutor(40) as threads:
            list(threads.map(lambda n: put(persister, n), range(400)))
        assert persister.collection.count_documents({}) == 400
        assert len(list(persister.collection.list_indexes())) == 7
