# Code generated from spec/backends/ by `make generate`. DO NOT EDIT.
"""Persisters for applications of Apache Burr: what Burr's own are, with what persistry promises.

Each is the class of persistry's that has its name, takes and gives Burr's own `State`, and is one of
Burr's persisters, too. Importing this imports Burr, and no driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._burr import check_installed

check_installed()

if TYPE_CHECKING:
    from .b_aiomysql import AsyncMariaDBPersister
    from .b_aiosqlite import AsyncSQLitePersister
    from .b_asyncpg import AsyncPostgreSQLPersister
    from .b_psycopg2 import PostgreSQLPersister
    from .b_pymongo import AsyncMongoDBBasePersister, MongoDBBasePersister
    from .b_pymysql import MariaDBPersister
    from .b_redis import AsyncRedisBasePersister, RedisBasePersister
    from .b_redis_burr import AsyncBurrRedisPersister, BurrRedisPersister
    from .b_sqlcipher3 import SQLCipherPersister
    from .b_sqlite3 import SQLitePersister
    from .in_memory import AsyncInMemoryPersister, InMemoryPersister

__all__ = (
    "AsyncBurrRedisPersister",
    "AsyncInMemoryPersister",
    "AsyncMariaDBPersister",
    "AsyncMongoDBBasePersister",
    "AsyncPostgreSQLPersister",
    "AsyncRedisBasePersister",
    "AsyncSQLitePersister",
    "BurrRedisPersister",
    "InMemoryPersister",
    "MariaDBPersister",
    "MongoDBBasePersister",
    "PostgreSQLPersister",
    "RedisBasePersister",
    "SQLCipherPersister",
    "SQLitePersister",
)

# Where what is loaded when it is asked for stands, and what brings a persister's driver.
_LAZY: dict[str, tuple[str, str | None]] = {
    "AsyncBurrRedisPersister": ("b_redis_burr", "redis"),
    "AsyncInMemoryPersister": ("in_memory", None),
    "AsyncMariaDBPersister": ("b_aiomysql", "aiomysql"),
    "AsyncMongoDBBasePersister": ("b_pymongo", "pymongo"),
    "AsyncPostgreSQLPersister": ("b_asyncpg", "asyncpg"),
    "AsyncRedisBasePersister": ("b_redis", "redis"),
    "AsyncSQLitePersister": ("b_aiosqlite", "aiosqlite"),
    "BurrRedisPersister": ("b_redis_burr", "redis"),
    "InMemoryPersister": ("in_memory", None),
    "MariaDBPersister": ("b_pymysql", "pymysql"),
    "MongoDBBasePersister": ("b_pymongo", "pymongo"),
    "PostgreSQLPersister": ("b_psycopg2", "psycopg2"),
    "RedisBasePersister": ("b_redis", "redis"),
    "SQLCipherPersister": ("b_sqlcipher3", "sqlcipher3"),
    "SQLitePersister": ("b_sqlite3", None),
}
# What a store has no driver for: its title, the colour, and what to use instead.
_ABSENT: dict[str, tuple[str, str, str, str]] = {
    "AsyncSQLCipherPersister": ("SQLCipher", "async", "sync", "SQLCipherPersister"),
}


def __getattr__(name: str) -> Any:
    from .._runtime.lazy import load_class, no_class

    if name in _ABSENT:
        raise ImportError(no_class(*_ABSENT[name]))
    instead = {
        "MongoDBPersister": "use MongoDBBasePersister.from_values(uri, db_name, collection_name, ...), which has the same parameters",
        "RedisPersister": "use RedisBasePersister.from_values(host, port, db, password, ...), which has the same parameters",
        "SQLLitePersister": "use SQLitePersister, which has the same parameters",
    }
    if name in instead:
        raise ImportError(f"{__name__} has no {name}; {instead[name]}")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _LAZY[name]
    return load_class(module, name, extra, __name__)


def __dir__() -> list[str]:
    return sorted(__all__)
