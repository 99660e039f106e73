"""Redis in Apache Burr's layout: a namespace for each test, on the server of the other Redis tests."""

from __future__ import annotations

from .redis import AsyncRedisStore, RedisStore

STORES = {
    "BurrRedisPersister": RedisStore,
    "AsyncBurrRedisPersister": AsyncRedisStore,
}
