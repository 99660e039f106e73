"""Both Redis sessions: attempts, time limits, replies and errors, on a real server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import pickle
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
import redis.asyncio.cluster
from redis.utils import HIREDIS_AVAILABLE

from persistry import AsyncRedisBasePersister, RedisBasePersister, State, errors
from persistry._runtime.drivers.redis_session import AsyncRedisSession, RedisSession, Script
from persistry._runtime.failures import Failures
from persistry._runtime.limits import Limits
from tests.servers import LOOPBACK, RedisServer
from tests.sessions import failures_of, give_back_the_log
from tests.timing import within

FAILURES = failures_of("redis")
LIMITS = Limits(5, 5)
SHORT = Limits(0.3, 0.3)

PUT = Script(
    "put",
    """
    if KEYS[3] then redis.call('RENAME', KEYS[3], KEYS[1]) redis.call('PERSIST', KEYS[1])
    else redis.call('SET', KEYS[1], ARGV[2]) end
    redis.call('ZADD', KEYS[2], redis.call('ZCARD', KEYS[2]) + 1, ARGV[1])
    return {ARGV[1], redis.call('STRLEN', KEYS[1]), false}
    """,
)

SESSIONS: dict[str, Any] = {"redis": RedisSession, "redis.asyncio": AsyncRedisSession}


def do(session: Any, name: str, *steps: tuple[Any, ...]) -> Any:
    """Run the verbs in one operation, for an asynchronous session in an event loop of their own."""

    async def run() -> Any:
        try:
            async with session.operation(name, "key") as operation:
                return [await getattr(operation, verb)(*arguments) for verb, *arguments in steps][
                    -1
                ]
        finally:
            if not session.opened_here:
                await session.connection.aclose()  # its connections belong to this event loop

    if isinstance(session, AsyncRedisSession):
        return asyncio.run(run())
    with session.operation(name, "key") as operation:
        return [getattr(operation, verb)(*arguments) for verb, *arguments in steps][-1]


def put(session: Any, value: bytes = b"value", app: str = "app") -> Any:
    return do(session, "save", ("script", PUT, ["{t}k", "{t}z"], [app], value, "{t}t"))


def get(session: Any) -> Any:
    return do(session, "load", ("get", "{t}k"))


def close(session: Any) -> None:
    closing = session.close()
    if closing is not None:
        asyncio.run(closing)


@contextlib.contextmanager
def unavailable(
    seconds: float, *, may_have_saved: bool, match: str = " of key: "
) -> Iterator[pytest.ExceptionInfo[errors.PersisterUnavailableError]]:
    unavailable = pytest.raises(errors.PersisterUnavailableError, match=match)
    with within(seconds), unavailable as caught:
        yield caught
    assert caught.value.may_have_saved is may_have_saved


@pytest.fixture(scope="module")
def shared_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def server(shared_server: RedisServer) -> Iterator[RedisServer]:
    """The module's server, running and empty, with the settings it began with."""
    shared_server.start()
    shared_server.resume()
    with redis.Redis(port=shared_server.port) as admin:
        admin.flushall()
        admin.script_flush()
        admin.config_set("proto-max-bulk-len", 536870912)
        admin.config_set("maxmemory-policy", "noeviction")
        admin.config_set("maxmemory", 0)
    yield shared_server
    shared_server.start()
    shared_server.resume()


@pytest.fixture
def admin(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis(port=server.port) as client:
        yield client


@pytest.fixture(params=SESSIONS)
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_session(driver: str, server: RedisServer) -> Iterator[Callable[..., Any]]:
    opened = []

    def open_(limits: Limits = LIMITS, failures: Failures = FAILURES, **values: Any) -> Any:
        values = {"host": LOOPBACK, "port": server.port, "db": 0, **values}
        opened.append(SESSIONS[driver].opening(failures, limits, **values))
        return opened[-1]

    yield open_
    for session in opened:
        close(session)


@pytest.fixture
def hand_in(driver: str, server: RedisServer) -> Iterator[Callable[..., Any]]:
    """A session over a client of its owner."""
    clients: list[Any] = []

    def hand_in_(limits: Limits = LIMITS, client: Any = None, **kwargs: Any) -> Any:
        make: Any = redis.asyncio.Redis if driver == "redis.asyncio" else redis.Redis
        clients.append(client or make(host=LOOPBACK, port=server.port, **kwargs))
        return SESSIONS[driver].over(clients[-1], FAILURES, limits)

    yield hand_in_
    for client in clients:
        if driver == "redis":
            client.close()


class TestScripts:
    @pytest.mark.parametrize("size", [0, 65_535, 65_536, 3_000_000])
    def test_values_of_all_sizes(self, open_session: Any, admin: redis.Redis, size: int) -> None:
        session = open_session()
        for _ in range(2):
            assert put(session, b"\xff" * size) == [b"app", size, None]
            assert get(session) == b"\xff" * size
            assert admin.ttl("{t}k") == -1
            assert not admin.exists("{t}t")
            admin.script_flush()

    def test_no_value(self, open_session: Any) -> None:
        script = Script("echo", "return {KEYS[1], ARGV[1], #ARGV}")
        session = open_session()
        reply = do(session, "load", ("script", script, ["kéy"], ["a\udc80"]))
        assert reply == ["kéy".encode(), b"a\xed\xb2\x80", 1]

    def test_a_script_that_fails(self, open_session: Any, admin: redis.Redis) -> None:
        admin.set("{t}z", "no sorted set")
        session = open_session()
        for value in (b"small", b"large" * 20_000):
            with pytest.raises(errors.CorruptStateError, match=r"save of key: .*\(\w+: ") as failed:
                put(session, value)
            assert "large" not in str(failed.value)

    @pytest.mark.parametrize(
        "kwargs",
        [
            {"decode_responses": True},
            {"decode_responses": True, "protocol": 3},
            {"decode_responses": True, "encoding": "latin-1"},
            {"single_connection_client": True},
        ],
    )
    def test_clients_of_all_kinds(self, hand_in: Any, kwargs: Any) -> None:
        session = hand_in(**kwargs)
        for value in (b"small", b"large" * 20_000):
            assert put(session, value, "äpp") == ["äpp".encode(), len(value), None]
            assert get(session) == value
        assert do(session, "list", ("newest", "{t}z", None)) == ["äpp"]

    def test_what_is_no_text(self, hand_in: Any, admin: redis.Redis) -> None:
        admin.set("{t}k", b"\xff")
        admin.zadd("{t}z", {b"\xff": 1})
        session = hand_in(decode_responses=True)
        for verb in (("get", "{t}k"), ("newest", "{t}z", None)):
            with pytest.raises(errors.CorruptStateError, match="load of key"):
                do(session, "load", verb)
        assert get(hand_in()) == b"\xff"

    def test_newest(self, open_session: Any) -> None:
        session = open_session()
        for app in "abc":
            put(session, app=app)
        listed = [do(session, "list", ("newest", "{t}z", limit)) for limit in (None, 2, 0, 9)]
        assert listed == [["c", "b", "a"], ["c", "b"], [], ["c", "b", "a"]]
        assert get(open_session()) == b"value"
        assert do(session, "load", ("get", "{t}nothing")) is None

    def test_more_than_the_server_takes(self, open_session: Any, admin: redis.Redis) -> None:
        admin.config_set("proto-max-bulk-len", 2_000_000)
        session = open_session()
        put(session, b"x" * 2_000_000)
        with pytest.raises(errors.StateTooLargeError, match=r"2000001 bytes.*at most 2000000"):
            put(session, b"x" * 2_000_001)


class TestLimits:
    @pytest.mark.parametrize("handed_in", [False, True])
    def test_a_server_that_does_not_answer(
        self, open_session: Any, hand_in: Any, server: RedisServer, handed_in: bool
    ) -> None:
        session = hand_in(SHORT) if handed_in else open_session(SHORT)
        put(session)
        server.pause()
        with unavailable(0.3, may_have_saved=True, match=r"operation_timeout \(0.3 s\)"):
            put(session)
        with unavailable(0.3, may_have_saved=True, match=r"operation_timeout \(0.3 s\)"):
            put(session, b"x" * 100_000)
        with unavailable(0.3, may_have_saved=False, match="load of key"):
            get(session)
        server.resume()
        assert get(session) is not None
        assert put(session)

    def test_what_an_asynchronous_client_gets_it_loses_again(self, server: RedisServer) -> None:
        client = redis.asyncio.Redis(port=server.port)
        settings = client.connection_pool.connection_kwargs
        before = settings["retry"]
        session = AsyncRedisSession.over(client, FAILURES, LIMITS)
        put(session)
        assert settings["retry"] is not before
        close(session)
        assert settings["retry"] is before

    def test_what_a_handed_in_client_gets_it_loses_again(self, server: RedisServer) -> None:
        client = redis.Redis(port=server.port, socket_timeout=None, socket_connect_timeout=9)
        settings = client.connection_pool.connection_kwargs
        before = dict(settings)
        session = RedisSession.over(client, FAILURES, LIMITS)
        copy = session.copy()
        put(session)
        put(copy)
        assert (settings["socket_timeout"], settings["socket_connect_timeout"]) == (5, 5)
        session.close()
        assert settings["socket_timeout"] == 5
        copy.close()
        assert settings == before
        assert client.get("{t}k") == b"value"
        client.close()

    def test_more_tasks_than_connections(self, server: RedisServer) -> None:
        async def main(session: AsyncRedisSession) -> None:
            async def save(number: int) -> None:
                async with session.operation("save", number) as operation:
                    await operation.script(PUT, ["k", "z"], [str(number)], b"v")

            await asyncio.gather(*map(save, range(400)))
            async with session.operation("list") as operation:
                assert len(await operation.newest("z", None)) == 400
            await session.close()
            if session.connection is not None:
                await session.connection.aclose()

        opened = AsyncRedisSession.opening(FAILURES, LIMITS, host=LOOPBACK, port=server.port, db=0)
        asyncio.run(main(opened))
        client = redis.asyncio.Redis(port=server.port, max_connections=7)
        asyncio.run(main(AsyncRedisSession.over(client, FAILURES, LIMITS)))

    def test_more_threads_than_connections(self, server: RedisServer) -> None:
        client = redis.Redis(port=server.port, max_connections=3)
        session = RedisSession.over(client, FAILURES, LIMITS)
        failed: list[BaseException] = []

        def save() -> None:
            try:
                for _ in range(20):
                    put(session)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=save) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        client.close()

    def test_a_server_that_drips(self, driver: str) -> None:
        """The limit is one for the whole call, not for each piece of an answer."""
        with contextlib.ExitStack() as stack:
            listening = stack.enter_context(socket.create_server((LOOPBACK, 0)))

            def answer() -> None:
                with contextlib.suppress(OSError), listening.accept()[0] as peer:
                    while (asked := peer.recv(65536)) and b"GET" not in asked:
                        peer.sendall(b"+OK\r\n" * asked.count(b"*"))
                    peer.sendall(b"$1000\r\n")
                    for _ in range(50):
                        time.sleep(0.1)
                        peer.sendall(b"x")

            threading.Thread(target=answer, daemon=True).start()
            session: Any = SESSIONS[driver].opening(
                FAILURES,
                Limits(5, 0.3),
                host=LOOPBACK,
                port=listening.getsockname()[1],
                db=0,
                redis_client_kwargs={"protocol": 2},
            )
            with unavailable(0.3, may_have_saved=False, match=r"operation_timeout \(0.3 s\)"):
                get(session)
            close(session)

    @pytest.mark.parametrize("kwargs", [{}, {"single_connection_client": True}])
    def test_waiting_for_a_turn_counts(self, server: RedisServer, kwargs: Any) -> None:
        client = redis.Redis(port=server.port, max_connections=1, **kwargs)
        session = RedisSession.over(client, FAILURES, SHORT)
        put(session)
        late: list[errors.PersisterUnavailableError] = []

        def save() -> None:
            with unavailable(0.3, may_have_saved=False, match="its turn did not come") as caught:
                put(session)
            late.append(caught.value)

        with session.operation("load") as operation:  # it has the only connection
            operation.get("{t}k")
            threads = [threading.Thread(target=save) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(late) == 2
        put(session)
        client.close()


class TestInterruptions:
    @pytest.mark.skipif(HIREDIS_AVAILABLE, reason="a signal handler that raises crashes hiredis")
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # in a __del__
    @pytest.mark.parametrize("handed_in", [False, True])
    def test_at_any_moment(self, server: RedisServer, handed_in: bool) -> None:
        """What a signal handler raises leaves no lock, no lost slot and no answer behind."""

        class Interruption(BaseException):
            pass

        armed = False

        def interrupt(*_: object) -> None:
            nonlocal armed
            if armed:
                armed = False
                raise Interruption

        client = redis.Redis(port=server.port, max_connections=2)
        values = {"host": LOOPBACK, "port": server.port, "db": 0}
        session = RedisSession.opening(FAILURES, LIMITS, **values)
        if handed_in:
            session = RedisSession.over(client, FAILURES, LIMITS)
        put(session)
        caught = 0
        chance = random.Random(1)
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            for number in range(1500):
                try:
                    armed = True
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00002, 0.0006))
                    app = f"app {number}"
                    assert put(session, app=app) == [app.encode(), 5, None]
                    assert get(session) == b"value"
                    armed = False
                except Interruption:
                    caught += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            give_back_the_log()
        assert caught > 50
        assert put(session, app="last") == [b"last", 5, None]
        gc.collect()  # a traceback may have kept one
        assert session.link.slots.qsize() == (2 if handed_in else 100)
        session.close()
        client.close()

    def test_between_sending_and_receiving(self, server: RedisServer) -> None:
        """The connection is shut: its next answer would be that of another command."""

        class Interrupted(redis.Redis):
            now = False

            def parse_response(self, connection: Any, name: Any, **options: Any) -> Any:
                if self.now:
                    self.now = False
                    raise KeyboardInterrupt
                return super().parse_response(connection, name, **options)

        client = Interrupted(port=server.port, max_connections=1)
        session = RedisSession.over(client, FAILURES, LIMITS)
        put(session)
        server.pause()
        client.now = True
        with pytest.raises(KeyboardInterrupt):
            put(session, app="interrupted")
        threading.Timer(0.1, server.resume).start()
        assert get(session) == b"value"
        session.close()
        client.close()

    def test_a_slot_that_was_dropped(self, server: RedisServer) -> None:
        client = redis.Redis(port=server.port, max_connections=1)
        session = RedisSession.over(client, FAILURES, SHORT)
        session.link.slots.get()  # as if an exception came before it had a name
        put(session)
        client.close()


class TestEventLoops:
    def test_a_handed_in_client_in_one_loop_after_another(self, server: RedisServer) -> None:
        session = AsyncRedisSession.over(redis.asyncio.Redis(port=server.port), FAILURES, LIMITS)

        async def save() -> None:
            async with session.operation("save") as operation:
                await operation.script(PUT, ["k", "z"], ["app"], b"v", "t")

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # its owner did not close it
            for _ in range(3):
                asyncio.run(save())
            gc.collect()

    def test_a_handed_in_client_in_two_loops(self, server: RedisServer) -> None:
        async def main() -> None:
            client = redis.asyncio.Redis(port=server.port)
            session = AsyncRedisSession.over(client, FAILURES, LIMITS)

            async def load() -> Any:
                async with session.operation("load", "key") as operation:
                    return await operation.get("k")

            assert await load() is None
            with pytest.raises(errors.PersisterError, match=r"load of key: .* client of its own"):
                await asyncio.to_thread(asyncio.run, load())
            assert await load() is None
            await client.aclose()

        asyncio.run(main())

    def test_the_connection_is_that_of_the_running_loop(self, server: RedisServer) -> None:
        values = {"host": LOOPBACK, "port": server.port, "db": 0}

        async def main() -> None:
            session = AsyncRedisSession.opening(FAILURES, LIMITS, **values)
            await session.open()
            mine = session.connection

            async def other() -> None:
                assert session.connection is None
                await session.open()
                assert session.connection is not mine

            await asyncio.to_thread(asyncio.run, other())
            assert session.connection is mine
            await session.close()

        asyncio.run(main())


class TestFailures:
    def test_a_server_with_too_many_clients(self, driver: str) -> None:
        with contextlib.ExitStack() as stack:
            listening = stack.enter_context(socket.create_server((LOOPBACK, 0)))

            def answer() -> None:  # a real one closes at once, and its words may get lost
                with contextlib.suppress(OSError), listening.accept()[0] as peer:
                    while peer.recv(65536):
                        peer.sendall(b"-ERR max number of clients reached\r\n")

            threading.Thread(target=answer, daemon=True).start()
            values = {"host": LOOPBACK, "port": listening.getsockname()[1], "db": 0}
            session: Any = SESSIONS[driver].opening(FAILURES, LIMITS, **values)
            with unavailable(0, may_have_saved=False, match="maxclients"):
                put(session)
            close(session)

    @pytest.mark.parametrize(
        "told",
        [
            "Error 1 connecting to there:1. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify"
            " failed: self-signed certificate (_ssl.c:1006).",
            "Error 1 connecting to there:1. [SSL: WRONG_VERSION_NUMBER] wrong version number.",
            "Error while reading from there:1 : (1, '[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]')",
        ],
    )
    def test_tls(self, told: str) -> None:
        failed = FAILURES.translate(
            redis.ConnectionError(told), operation="save", key="key", limits=LIMITS
        )
        assert isinstance(failed, errors.PersisterUnavailableError)
        assert not failed.may_have_saved
        assert "TLS was not agreed on" in str(failed)

    def test_a_client_that_repeats_by_itself(self, driver: str) -> None:
        """What a cluster client says last does not tell what its first attempt did."""
        cluster: Any = redis.RedisCluster if driver == "redis" else redis.asyncio.RedisCluster

        class Gone(cluster):  # type: ignore[misc]
            def __init__(self) -> None:
                pass

            def __del__(self, *_: object) -> None:
                pass

            def execute_command(self, *args: Any, **options: Any) -> Any:
                raise redis.ConnectionError("Error 111 connecting to there. Refused.")

            async def aclose(self) -> None:
                pass

        session: Any = SESSIONS[driver].over(Gone(), FAILURES, LIMITS)
        with unavailable(0, may_have_saved=True, match="no server answers there"):
            put(session)
        with unavailable(0, may_have_saved=False, match="no server answers there"):
            get(session)

    def test_a_server_that_comes_back(self, open_session: Any, server: RedisServer) -> None:
        session = open_session()
        put(session)
        server.restart()
        assert put(session)
        server.kill()
        for _ in range(2):
            with pytest.raises(errors.PersisterUnavailableError):
                put(session)
        with unavailable(0, may_have_saved=False, match="no server answers there"):
            put(session.copy())
        server.start()
        assert put(session)
        assert get(session) == b"value"

    @pytest.mark.parametrize("lost", [1, 2])
    def test_a_lost_reply(self, driver: str, server: RedisServer, lost: int) -> None:
        """The save is made again, once; it may have been stored if that fails, too."""
        client = losing(driver)(port=server.port)
        session: Any = SESSIONS[driver].over(client, FAILURES, LIMITS)
        client.lost, client.refused = lost, False
        if lost == 1:
            put(session)
        else:
            with unavailable(0, may_have_saved=True, match="connection was lost"):
                put(session)
        assert client.sent == 3  # EVALSHA, what was repeated, EVAL because it was no script yet
        client.sent, client.lost = 0, lost
        with contextlib.nullcontext() if lost == 1 else unavailable(0, may_have_saved=False):
            get(session)
        assert client.sent == 2

    def test_a_lost_reply_and_then_no_server(self, driver: str, server: RedisServer) -> None:
        client = losing(driver)(port=server.port)
        session: Any = SESSIONS[driver].over(client, FAILURES, LIMITS)
        put(session)
        client.lost, client.refused = 1, True
        with unavailable(0, may_have_saved=True, match="no server answers there"):
            put(session)

    @pytest.mark.parametrize("handed_in", [False, True])
    def test_wrong_passwords(self, driver: str, handed_in: bool) -> None:
        with RedisServer(password="right secret") as server:
            for password, match in (("wrong secret", "user or password"), (None, "password")):
                values = {"host": LOOPBACK, "port": server.port, "db": 0, "password": password}
                session: Any = SESSIONS[driver].opening(FAILURES, LIMITS, **values)
                if handed_in:
                    make: Any = redis.asyncio.Redis if driver == "redis.asyncio" else redis.Redis
                    session = SESSIONS[driver].over(make(**values), FAILURES, LIMITS)
                with pytest.raises(errors.PersisterAccessError, match=match) as caught:
                    get(session)
                for text in (str(caught.value), session.describe(), repr(session)):
                    assert "secret" not in text
                close(session)

    def test_eviction(
        self, open_session: Any, admin: redis.Redis, recwarn: pytest.WarningsRecorder
    ) -> None:
        session = open_session()
        for policy, memory in (("allkeys-lru", 0), ("volatile-lru", 2**30), ("noeviction", 2**30)):
            admin.config_set("maxmemory", memory)
            admin.config_set("maxmemory-policy", policy)
            do(session, "initialize", ("warn_if_evicting",))
        assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]
        admin.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.warns(RuntimeWarning, match="allkeys-lru"):
            do(session, "initialize", ("warn_if_evicting",))
        admin.acl_setuser("plain", enabled=True, nopass=True, commands=["+@all", "-config"])
        kwargs = {"redis_client_kwargs": {"username": "plain"}, "password": "any"}
        do(open_session(**kwargs), "initialize", ("warn_if_evicting",))
        admin.acl_setuser("plain", enabled=True, keys=["*"])
        assert put(open_session(**kwargs), b"x" * 2_000_000)


def losing(driver: str) -> Any:
    """A client class that loses the next replies; its other calls find no server if `refused`."""
    if driver == "redis":

        class Losing(redis.Redis):
            lost, sent, refused = 0, 0, False

            def execute_command(self, *args: Any, **options: Any) -> Any:
                self.sent += 1
                if self.refused and not self.lost:
                    raise redis.ConnectionError("Error 111 connecting to there. Refused.")
                reply = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
                if self.lost:
                    self.lost -= 1
                    raise redis.ConnectionError("Connection closed by server.")
                return reply

        return Losing

    class AsyncLosing(redis.asyncio.Redis):
        lost, sent, refused = 0, 0, False

        async def execute_command(self, *args: Any, **options: Any) -> Any:
            self.sent += 1
            if self.refused and not self.lost:
                raise redis.ConnectionError("Error 111 connecting to there. Refused.")
            reply = await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
            if self.lost:
                self.lost -= 1
                raise redis.ConnectionError("Connection closed by server.")
            return reply

    return AsyncLosing


class TestCancelling:
    def test_at_every_moment(self, server: RedisServer) -> None:
        async def main() -> None:
            session = AsyncRedisSession.opening(
                FAILURES, LIMITS, host=LOOPBACK, port=server.port, db=0
            )

            async def save(app: str) -> Any:
                async with session.operation("save", app) as operation:
                    return await operation.script(PUT, ["k", "z"], [app], b"v", "t")

            for number in range(100):
                task = asyncio.create_task(save(f"cancelled {number}"))
                for _ in range(number % 12):
                    await asyncio.sleep(0)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
                reply = await save(str(number))
                assert reply == [str(number).encode(), 1, None]
            await session.close()

        asyncio.run(main())


class TestOpening:
    @pytest.mark.parametrize(
        ("values", "error", "named"),
        [
            ({"host": 1}, TypeError, "host"),
            ({"port": "6379"}, TypeError, "port"),
            ({"port": True}, TypeError, "port"),
            ({"port": 65_536}, ValueError, "port"),
            ({"db": -1}, ValueError, "db"),
            ({"password": b"x"}, TypeError, "password"),
            ({"redis_client_kwargs": []}, TypeError, "redis_client_kwargs"),
            ({"redis_client_kwargs": {"retry": None}}, ValueError, "redis_client_kwargs: no retry"),
        ],
    )
    def test_wrong_values(self, driver: str, values: Any, error: Any, named: str) -> None:
        values = {"host": "localhost", "port": 6379, "db": 0, **values}
        with pytest.raises(error, match=named):
            SESSIONS[driver].opening(FAILURES, LIMITS, **values)

    def test_wrong_clients(self, driver: str) -> None:
        other = redis.Redis() if driver == "redis.asyncio" else redis.asyncio.Redis()
        for client in (None, "redis://:secret@there", 1, redis.Redis, other):
            with pytest.raises(TypeError, match=rf"connection must be a {driver}.Redis") as caught:
                SESSIONS[driver].over(client, FAILURES, LIMITS)
            assert "secret" not in str(caught.value)

    def test_a_session_is_taken_as_it_is(self, driver: str, open_session: Any) -> None:
        session = open_session()
        assert SESSIONS[driver].over(session, FAILURES, LIMITS) is session

    def test_client_kwargs_come_first(self, open_session: Any) -> None:
        session = open_session(redis_client_kwargs={"decode_responses": True, "socket_timeout": 3})
        put(session)
        assert get(session) == b"value"
        settings = session.connection.connection_pool.connection_kwargs
        assert (settings["socket_timeout"], settings["socket_connect_timeout"]) == (3, 5)

    def test_opening_does_not_connect(self) -> None:
        async def main() -> None:
            session = AsyncRedisSession.opening(FAILURES, LIMITS, host=LOOPBACK, port=1, db=0)
            assert session.connection is None
            await session.open()
            assert isinstance(session.connection, redis.asyncio.Redis)
            await session.close()

        asyncio.run(main())
        session = RedisSession.opening(FAILURES, LIMITS, host=LOOPBACK, port=1, db=0)
        assert isinstance(session.connection, redis.Redis)
        session.close()
        with pytest.raises(errors.PersisterClosedError):
            _ = session.connection


def still_connected(server: RedisServer, name: str) -> bool:
    """Whether clients of that name are left after a while: the server sees them go a bit later."""
    deadline = time.monotonic() + 5
    with redis.Redis(port=server.port) as admin:
        while any(client["name"] == name for client in admin.client_list()):
            if time.monotonic() > deadline:
                return True
            time.sleep(0.01)
    return False


class TestClosing:
    def test_after_closing(self, open_session: Any) -> None:
        session = open_session()
        put(session)
        copy = session.copy()
        close(session)
        close(session)
        with pytest.raises(errors.PersisterClosedError, match="cleanup"):
            get(session)
        with pytest.raises(errors.PersisterClosedError, match=r"copy: .* cleanup"):
            session.copy()
        assert get(copy) == b"value"
        close(copy)

    def test_a_handed_in_client_stays_open(self, hand_in: Any) -> None:
        session = hand_in()
        copy = session.copy()
        assert copy.connection is session.connection
        close(session)
        with pytest.raises(errors.PersisterClosedError):
            get(session)
        put(copy)
        close(copy)
        assert session.connection is not None

    @pytest.mark.parametrize("handed_in", [False, True])
    def test_closing_that_took_too_long(self, server: RedisServer, handed_in: bool) -> None:
        """It can be done again, and then does what was left to do."""
        client = redis.Redis(port=server.port, socket_timeout=77)
        pool = client.connection_pool
        values = {"host": LOOPBACK, "port": server.port, "db": 0}
        session = RedisSession.over(client, FAILURES, SHORT)
        if not handed_in:
            named = {"client_name": "closing"}
            session = RedisSession.opening(FAILURES, SHORT, redis_client_kwargs=named, **values)
            pool = session.connection.connection_pool
        with session.operation("save") as operation:
            assert operation.get("k") is None
            for _ in range(2):
                with unavailable(0.3, may_have_saved=False, match="cleanup: other operations"):
                    session.close()
            with pytest.raises(errors.PersisterClosedError), session.operation("load"):
                pass
        session.close()
        if handed_in:
            assert pool.connection_kwargs["socket_timeout"] == 77
            assert pool.connection_class is redis.Connection
        assert not still_connected(server, "closing")
        session.close()
        client.close()

    def test_closing_that_was_cancelled(self, server: RedisServer) -> None:
        opened = []

        async def main() -> None:
            values = {"host": LOOPBACK, "port": server.port, "db": 0}
            named = {"client_name": "cancelled"}
            for steps in range(1, 13):
                session = AsyncRedisSession.opening(
                    FAILURES, LIMITS, redis_client_kwargs=named, **values
                )
                async with session.operation("load") as operation:
                    await operation.get("k")
                opened.append(session)
                closing = asyncio.create_task(session.close())
                for _ in range(steps):
                    await asyncio.sleep(0)
                closing.cancel()
                await asyncio.wait([closing])
                with pytest.raises(errors.PersisterClosedError):
                    await session.open()
                await asyncio.gather(session.close(), session.close())

        asyncio.run(main())
        assert not still_connected(server, "cancelled")

    def test_closing_waits_for_what_is_under_way(self, server: RedisServer) -> None:
        values = {"host": LOOPBACK, "port": server.port, "db": 0}
        session = RedisSession.opening(FAILURES, LIMITS, **values)
        with session.operation("save") as operation:
            thread = threading.Thread(target=session.close)
            thread.start()
            time.sleep(0.05)
            assert operation.get("k") is None
            assert thread.is_alive()
        thread.join()

        async def main() -> None:
            session = AsyncRedisSession.opening(FAILURES, LIMITS, **values)
            async with session.operation("save") as operation:
                closing = asyncio.create_task(session.close())
                await asyncio.sleep(0.05)
                assert await operation.get("k") is None
                assert not closing.done()
            await closing

        asyncio.run(main())

    def test_pickles(self, open_session: Any, hand_in: Any) -> None:
        session = open_session(redis_client_kwargs={"client_name": "pickled"})
        put(session)
        other = pickle.loads(pickle.dumps(session))
        assert get(other) == b"value"
        assert other.connection.connection_pool.connection_kwargs["client_name"] == "pickled"
        close(other)
        with pytest.raises(TypeError, match=r"from_values\(\)"):
            pickle.dumps(hand_in())

    def test_a_forked_process(self, open_session: Any) -> None:
        session = open_session()
        put(session, b"before")
        holding = session.operation("load") if isinstance(session, RedisSession) else None

        def child() -> None:
            assert get(session) == b"before"
            put(session, b"child")
            close(session)

        with holding or contextlib.nullcontext():
            process = multiprocessing.get_context("fork").Process(target=child)
            process.start()
            process.join(10)
        assert process.exitcode == 0
        assert get(session) == b"child"

    def test_an_unclosed_one_lets_the_interpreter_exit(
        self, driver: str, server: RedisServer
    ) -> None:
        code = (
            f"from tests.test_sessions_redis import *\n"
            f"values = dict(host=LOOPBACK, port={server.port}, db=0)\n"
            f"s = SESSIONS[{driver!r}].opening(FAILURES, LIMITS, **values)\n"
            f"print(put(s)[1])"
        )
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert (run.stdout, run.returncode) == ("5\n", 0), run.stderr


class TestDeleting:
    """Between the lookup of a large record and its own trip."""

    def test_all_of_it(self, server: RedisServer, admin: redis.Redis) -> None:
        class Deleting(redis.Redis):
            def get(self, name: Any) -> Any:
                admin.flushall()
                return super().get(name)

        large = State({"large": "x" * 100_000})
        with Deleting(port=server.port) as client:
            persister = RedisBasePersister(client)
            persister.save("p", "a", 1, "x", large, "completed")
            assert persister.load("p", "a") is None

    def test_all_of_it_async(self, server: RedisServer, admin: redis.Redis) -> None:
        class Deleting(redis.asyncio.Redis):
            def get(self, name: Any) -> Any:
                admin.flushall()
                return super().get(name)

        async def main() -> None:
            async with Deleting(port=server.port) as client:
                persister = AsyncRedisBasePersister(client)
                large = State({"large": "x" * 100_000})
                await persister.save("p", "a", 1, "x", large, "completed")
                assert await persister.load("p", "a") is None

        asyncio.run(main())

    @pytest.mark.parametrize("head", ["9" * 19 + "0" * 19, "0" * 19 + "9223372036854775808"])
    def test_a_head_that_no_save_can_have_written(
        self, server: RedisServer, admin: redis.Redis, head: str
    ) -> None:
        with redis.Redis(port=server.port) as client:
            persister = RedisBasePersister(client)
            highest = 2**63 - 1
            for _ in range(2):
                persister.save("p", "a", highest, "x", State({}), "completed")
            (heads,) = (key for key in admin.scan_iter() if key.endswith(b":h"))
            assert admin.hget(heads, "a") == b"9223372036854775807" * 2
            admin.hset(heads, "a", head)
            with pytest.raises(errors.CorruptStateError, match="hash of heads"):
                persister.save("p", "a", 1, "x", State({}), "completed")


def test_clusters(driver: str) -> None:
    class ClusterServer(RedisServer):
        def command(self) -> list[str]:
            return [*super().command(), "--cluster-enabled", "yes"]

    with ClusterServer() as server, redis.Redis(port=server.port) as admin:
        admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        while b"cluster_state:ok" not in admin.execute_command("CLUSTER", "INFO"):
            time.sleep(0.01)
        for value in (b"small", b"large" * 20_000, b"x" * 2_000_000):
            if driver == "redis":
                client: Any = redis.RedisCluster(host=LOOPBACK, port=server.port)
            else:
                client = redis.asyncio.cluster.RedisCluster(host=LOOPBACK, port=server.port)
            session: Any = SESSIONS[driver].over(client, FAILURES, LIMITS)
            steps: list[Any] = [
                ("script", PUT, ["{t}k", "{t}z"], ["app"], value, "{t}t"),
                ("warn_if_evicting",),
                ("newest", "{t}z", None),
                ("get", "{t}k"),
            ]
            assert do(session, "save", *steps) == value
            assert "Cluster" in session.describe()
            admin.script_flush()
            if driver == "redis":
                client.close()
