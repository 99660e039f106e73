"""The persisters that Burr has, by the library that each of them uses."""

from __future__ import annotations

from typing import Any

from burr.core.persistence import SQLitePersister
from burr.integrations.persisters.b_aiosqlite import AsyncSQLitePersister
from burr.integrations.persisters.b_asyncpg import AsyncPostgreSQLPersister
from burr.integrations.persisters.b_psycopg2 import PostgreSQLPersister
from burr.integrations.persisters.b_pymongo import MongoDBBasePersister
from burr.integrations.persisters.b_redis import AsyncRedisBasePersister, RedisBasePersister

CLASSES: dict[str, Any] = {
    "sqlite3": SQLitePersister,
    "aiosqlite": AsyncSQLitePersister,
    "psycopg2": PostgreSQLPersister,
    "asyncpg": AsyncPostgreSQLPersister,
    "redis": RedisBasePersister,
    "redis.asyncio": AsyncRedisBasePersister,
    "pymongo": MongoDBBasePersister,
}
