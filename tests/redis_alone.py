"""Fixtures: a Redis server of a module's own, of which each test begins with nothing in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.redis_wire import Wire
from tests.servers import RedisServer


@pytest.fixture(scope="module")
def server(redis_place: object) -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def admin(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis(*server.address) as client:
        client.flushall()
        yield client


@pytest.fixture
def wire(server: RedisServer) -> Iterator[Wire]:
    with redis.Redis(*server.address) as admin, admin.monitor() as monitor:
        admin.flushall()
        yield Wire(admin, monitor)
