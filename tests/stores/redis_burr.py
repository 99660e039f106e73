"""Redis in the layout of Apache Burr: a namespace for each test, on the server of the others."""

from __future__ import annotations

from .redis import AsyncRedisStore, RedisStore

STORES = {
    "BurrRedisPersister": RedisStore,
    "AsyncBurrRedisPersister": AsyncRedisStore,
}
