"""What stands in Redis after a save: keys, their types, and that nothing of it expires."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
import redis

from persistry import RedisBasePersister, State
from tests.servers import RedisServer


@pytest.fixture
def client(redis_place: object) -> Iterator[redis.Redis]:
    with RedisServer() as server, redis.Redis(*server.address) as client:
        yield client


@pytest.mark.parametrize("size", [10, 100_000])
def test_keys_and_values(client: redis.Redis, size: int) -> None:
    persister = RedisBasePersister(client, namespace="n")
    for position in ("x", "y"):
        state = State({"text": "t" * size})
        persister.save("p", "a:b", 7, position, state, "completed")
    record = "{n:p}:r:a%3Ab:0000000000000000007"
    moved = f"{record}:{hashlib.sha1(b'x').hexdigest()}"
    assert persister.create_key("a:b", "p", 7) == record
    every = (record, moved, "{n:p}:a", "{n:p}:h", "{n:}:p", "{n:}:g")
    assert sorted(client.keys()) == sorted(map(str.encode, every))
    assert [client.ttl(key) for key in every] == [-1] * len(every)
    for key, position in ((record, b"y"), (moved, b"x")):
        value = client.get(key)
        assert isinstance(value, bytes)
        assert value.startswith(b"P1") and len(value) > size
        line = b'["' + position + b'","completed",0]\n'
        assert value[28:] == line + b'{"text":"' + b"t" * size + b'"}'
    assert client.zrange("{n:p}:a", 0, -1, withscores=True) == [(b"a:b", 2.0)]
    assert client.zrange("{n:}:p", 0, -1, withscores=True) == [(b"p", 0.0)]
    assert client.get("{n:}:g") == b"1"
    assert client.hgetall("{n:p}:h") == {b"a:b": b"0000000000000000007" * 2}
