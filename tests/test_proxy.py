"""The fault proxy in front of a real Redis: each mode, seen by blocking and asyncio clients."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
import redis.asyncio

from persistry.conformance.support.proxy import FaultProxy
from tests.servers import RedisServer

pytestmark = pytest.mark.usefixtures("redis_place")  # skips, or fails, where there is no Redis

CUT = (redis.ConnectionError, ConnectionError)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def direct(server: RedisServer) -> Iterator[redis.Redis]:
    """A client that does not go through the proxy, to see what the server really did."""
    with redis.Redis(port=server.port) as client:
        client.flushall()
        yield client


@pytest.fixture
def proxy(server: RedisServer, direct: redis.Redis) -> Iterator[FaultProxy]:
    with FaultProxy(*server.address) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[redis.Redis]:
    """A connected client that retries nothing and waits for half a second."""
    with redis.Redis(port=proxy.port, retry=None, socket_timeout=0.5) as client:
        client.ping()
        yield client


@pytest.fixture
def patient(proxy: FaultProxy) -> Iterator[redis.Redis]:
    """One that waits for as long as a busy machine may take to carry out a large request."""
    with redis.Redis(port=proxy.port, retry=None, socket_timeout=20) as client:
        client.ping()
        yield client


@pytest.fixture
async def async_client(proxy: FaultProxy) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis(port=proxy.port, retry=None, socket_timeout=0.5) as client:
        await client.ping()
        yield client


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def test_forwards_large_values_both_ways(client: redis.Redis, direct: redis.Redis) -> None:
    value = bytes(range(256)) * 40_000
    client.set("large", value)
    assert direct.get("large") == value
    assert client.get("large") == value


def test_forwards_many_connections_at_once(proxy: FaultProxy, direct: redis.Redis) -> None:
    def count(_: int) -> None:
        with redis.Redis(port=proxy.port) as client:
            for _ in range(25):
                client.incr("count")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(8)))
    assert direct.get("count") == b"200"
    assert proxy.connections >= 8


def test_a_slow_reader_does_not_hold_up_the_others(proxy: FaultProxy, direct: redis.Redis) -> None:
    direct.set("large", b"x" * 20_000_000)
    with socket.create_connection(proxy.address) as slow, redis.Redis(port=proxy.port) as client:
        slow.sendall(b"GET large\r\n")
        assert client.ping()
        received = 0
        while received < 20_000_000:
            received += len(slow.recv(1 << 20))


def test_the_end_is_passed_on(proxy: FaultProxy, direct: redis.Redis) -> None:
    with socket.create_connection(proxy.address) as sock:
        sock.sendall(b"SET key value\r\n")
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(100) == b"+OK\r\n"
        assert sock.recv(100) == b""
    assert eventually(lambda: len(direct.client_list()) == 1)


def test_lose_next_reply(proxy: FaultProxy, client: redis.Redis, direct: redis.Redis) -> None:
    proxy.lose_next_reply()
    with pytest.raises(CUT):
        client.incr("count")
    assert direct.get("count") == b"1"
    assert proxy.lost == 1
    assert client.incr("count") == 2
    assert proxy.lost == 1


async def test_lose_next_reply_async(
    proxy: FaultProxy, async_client: redis.asyncio.Redis, direct: redis.Redis
) -> None:
    proxy.lose_next_reply()
    with pytest.raises(CUT):
        await async_client.incr("count")
    assert direct.get("count") == b"1"
    assert await async_client.incr("count") == 2


def test_one_of_many_loses_its_reply(proxy: FaultProxy, direct: redis.Redis) -> None:
    """All requests are carried out, and exactly one client does not know it."""
    clients = [redis.Redis(port=proxy.port, retry=None) for _ in range(8)]

    def count(client: redis.Redis) -> bool:
        with contextlib.suppress(*CUT):
            return bool(client.incr("count"))
        return False

    with ThreadPoolExecutor(8) as pool:
        for client in clients:
            client.ping()
        proxy.lose_next_reply()
        answered = list(pool.map(count, clients))
    assert answered.count(False) == 1
    assert direct.get("count") == b"8"
    for client in clients:
        client.close()


def test_lose_replies(proxy: FaultProxy, client: redis.Redis, direct: redis.Redis) -> None:
    proxy.lose_replies()
    with pytest.raises(CUT):
        client.incr("count")
    assert direct.get("count") == b"1"
    with pytest.raises(CUT):
        client.incr("count")  # a new connection loses the reply to its greeting already
    assert direct.get("count") == b"1"
    proxy.restore()
    assert client.incr("count") == 2


async def test_lose_replies_async(
    proxy: FaultProxy, async_client: redis.asyncio.Redis, direct: redis.Redis
) -> None:
    proxy.lose_replies()
    with pytest.raises(CUT):
        await async_client.incr("count")
    assert direct.get("count") == b"1"
    proxy.restore()
    assert await async_client.incr("count") == 2


def test_a_request_of_many_packets_and_replies_is_carried_out_in_full(
    proxy: FaultProxy, patient: redis.Redis, direct: redis.Redis
) -> None:
    """The first reply does not mean that the server has read the last command."""
    for _ in range(10):
        direct.delete("a", "b", "count")
        patient.ping()
        proxy.lose_next_reply()
        with pytest.raises(CUT), patient.pipeline(transaction=True) as pipeline:
            pipeline.set("a", b"x" * 3_000_000)
            pipeline.set("b", b"x" * 3_000_000)
            pipeline.incr("count")
            pipeline.execute()
        assert direct.mget("count") == [b"1"]
        assert direct.strlen("b") == 3_000_000


def test_a_slow_request_is_carried_out_before_the_cut(
    proxy: FaultProxy, patient: redis.Redis, direct: redis.Redis
) -> None:
    slowly = "local ends = os.clock() + 0.15 while os.clock() < ends do end"
    proxy.lose_next_reply()
    with pytest.raises(CUT), patient.pipeline(transaction=False) as pipeline:
        pipeline.set("first", b"x" * 1_000_000)  # has its reply before the rest has come
        pipeline.eval(slowly, 0)  # longer than `settle`
        pipeline.set("last", b"x" * 1_000_000)
        pipeline.execute()
    assert direct.strlen("first") == direct.strlen("last") == 1_000_000


def test_a_request_under_way_keeps_its_reply(
    proxy: FaultProxy, client: redis.Redis, direct: redis.Redis
) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.blpop, ["queue"], 5)
        assert eventually(lambda: direct.info("clients")["blocked_clients"] == 1)
        proxy.lose_replies()
        direct.rpush("queue", "job")
        assert answer.result() == (b"queue", b"job")


def test_refuse(proxy: FaultProxy, client: redis.Redis, direct: redis.Redis) -> None:
    proxy.refuse()
    with pytest.raises(CUT):
        client.incr("count")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(proxy.address)
    proxy.refuse()
    assert direct.get("count") is None
    proxy.restore()
    assert client.incr("count") == 1


async def test_refuse_async(proxy: FaultProxy, async_client: redis.asyncio.Redis) -> None:
    proxy.refuse()
    with pytest.raises(CUT):
        await async_client.incr("count")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*proxy.address)
    proxy.restore()
    assert await async_client.incr("count") == 1


def test_stall(proxy: FaultProxy, client: redis.Redis, direct: redis.Redis) -> None:
    proxy.stall()
    with pytest.raises(redis.TimeoutError):
        client.incr("count")
    with socket.create_connection(proxy.address, timeout=0.1) as new:
        new.sendall(b"PING\r\n")
        with pytest.raises(TimeoutError):
            new.recv(100)
        assert direct.get("count") is None
        proxy.restore()
        assert new.recv(100) == b"+PONG\r\n"
    # What had been sent arrives in the end, although its sender has given up.
    assert eventually(lambda: direct.get("count") == b"1")
    assert client.incr("count") == 2


async def test_stall_async(proxy: FaultProxy, async_client: redis.asyncio.Redis) -> None:
    proxy.stall()
    with pytest.raises(redis.TimeoutError):
        await async_client.get("key")
    proxy.restore()
    assert await async_client.get("key") is None


def test_cut(proxy: FaultProxy, client: redis.Redis, direct: redis.Redis) -> None:
    with socket.create_connection(proxy.address) as idle:
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            idle.recv(1)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.blpop, ["queue"], 5)
        assert eventually(lambda: direct.info("clients")["blocked_clients"] == 1)
        proxy.cut()
        with pytest.raises(CUT):
            answer.result()
    assert client.incr("count") == 1


async def test_cut_async(proxy: FaultProxy, async_client: redis.asyncio.Redis) -> None:
    reader, writer = await asyncio.open_connection(*proxy.address)
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    writer.close()
    with contextlib.suppress(*CUT):  # redis-py's asyncio pool may hand out the dead connection
        await async_client.ping()
    assert await async_client.incr("count") == 1


def test_a_dead_server_is_seen_through_the_proxy(server: RedisServer) -> None:
    with (
        FaultProxy(*server.address) as proxy,
        redis.Redis(port=proxy.port, retry=None) as client,
    ):
        client.ping()
        server.kill()
        for _ in range(2):
            with pytest.raises(CUT):
                client.ping()
        server.restart()
        assert client.ping()


def test_a_new_mode_ends_the_one_before(
    proxy: FaultProxy, client: redis.Redis, direct: redis.Redis
) -> None:
    proxy.lose_next_reply()
    proxy.restore()
    proxy.stall()
    proxy.lose_replies()
    with pytest.raises(CUT):
        client.incr("count")
    assert direct.get("count") == b"1"
    assert proxy.lost == 1


def test_it_ends_with_its_block(server: RedisServer) -> None:
    with FaultProxy(*server.address) as proxy:
        client = redis.Redis(port=proxy.port, retry=None)
        client.ping()
        proxy.stall()
    with pytest.raises(CUT):
        client.ping()
    client.close()
    with pytest.raises((RuntimeError, OSError)):
        proxy.cut()
