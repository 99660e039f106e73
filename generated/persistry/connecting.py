# Code generated from spec/backends/ by `make generate`. DO NOT EDIT.
"""From a URL to a persister: the registry of all stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._runtime.urls import Scheme, open_url

if TYPE_CHECKING:
    from ._runtime.awaitable import Opening
    from .persistence import AsyncBaseStatePersister, BaseStatePersister

__all__ = ("SCHEMES", "aconnect", "connect")

_PACKAGE = __name__.rpartition(".")[0]

SCHEMES: dict[str, Scheme] = {
    "mariadb": Scheme(
        example="mariadb://user:password@localhost:3306/database",
        classes={
            "sync": ("b_pymysql", "MariaDBPersister", "pymysql"),
            "async": ("b_aiomysql", "AsyncMariaDBPersister", "aiomysql"),
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db_name",
            "username": "user",
            "password": "password",
        },
        defaults={
            "host": "localhost",
            "port": "3306",
        },
        presets={},
        rest="connect_kwargs",
    ),
    "mysql": Scheme(
        example="mysql://user:password@localhost:3306/database",
        classes={
            "sync": ("b_pymysql", "MariaDBPersister", "pymysql"),
            "async": ("b_aiomysql", "AsyncMariaDBPersister", "aiomysql"),
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db_name",
            "username": "user",
            "password": "password",
        },
        defaults={
            "host": "localhost",
            "port": "3306",
        },
        presets={},
        rest="connect_kwargs",
    ),
    "memory": Scheme(
        example="memory://",
        classes={
            "sync": ("in_memory", "InMemoryPersister", None),
            "async": ("in_memory", "AsyncInMemoryPersister", None),
        },
        parts={},
        defaults={},
        presets={},
    ),
    "mongodb": Scheme(
        example="mongodb://localhost:27017/mydatabase",
        whole="uri",
        classes={
            "sync": ("b_pymongo", "MongoDBBasePersister", "pymongo"),
            "async": ("b_pymongo", "AsyncMongoDBBasePersister", "pymongo"),
        },
        parts={
            "path": "db_name",
        },
        defaults={},
        presets={},
    ),
    "mongodb+srv": Scheme(
        example="mongodb+srv://localhost:27017/mydatabase",
        whole="uri",
        classes={
            "sync": ("b_pymongo", "MongoDBBasePersister", "pymongo"),
            "async": ("b_pymongo", "AsyncMongoDBBasePersister", "pymongo"),
        },
        parts={
            "path": "db_name",
        },
        defaults={},
        presets={},
    ),
    "postgresql": Scheme(
        example="postgresql://user:password@localhost:5432/database",
        classes={
            "sync": ("b_psycopg2", "PostgreSQLPersister", "psycopg2"),
            "async": ("b_asyncpg", "AsyncPostgreSQLPersister", "asyncpg"),
        },
        libraries={
            "psycopg2": {
                "sync": ("b_psycopg2", "PostgreSQLPersister", "psycopg2"),
            },
            "asyncpg": {
                "async": ("b_asyncpg", "AsyncPostgreSQLPersister", "asyncpg"),
            },
            "psycopg": {
                "sync": ("b_psycopg", "PostgreSQLPersister", "psycopg"),
                "async": ("b_psycopg", "AsyncPostgreSQLPersister", "psycopg"),
            },
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db_name",
            "username": "user",
            "password": "password",
        },
        defaults={
            "host": "localhost",
            "port": "5432",
        },
        presets={},
        rest="connect_kwargs",
    ),
    "postgres": Scheme(
        example="postgres://user:password@localhost:5432/database",
        classes={
            "sync": ("b_psycopg2", "PostgreSQLPersister", "psycopg2"),
            "async": ("b_asyncpg", "AsyncPostgreSQLPersister", "asyncpg"),
        },
        libraries={
            "psycopg2": {
                "sync": ("b_psycopg2", "PostgreSQLPersister", "psycopg2"),
            },
            "asyncpg": {
                "async": ("b_asyncpg", "AsyncPostgreSQLPersister", "asyncpg"),
            },
            "psycopg": {
                "sync": ("b_psycopg", "PostgreSQLPersister", "psycopg"),
                "async": ("b_psycopg", "AsyncPostgreSQLPersister", "psycopg"),
            },
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db_name",
            "username": "user",
            "password": "password",
        },
        defaults={
            "host": "localhost",
            "port": "5432",
        },
        presets={},
        rest="connect_kwargs",
    ),
    "redis": Scheme(
        example="redis://localhost:6379/0",
        classes={
            "sync": ("b_redis", "RedisBasePersister", "redis"),
            "async": ("b_redis", "AsyncRedisBasePersister", "redis"),
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db",
            "password": "password",
            "username": "redis_client_kwargs.username",
        },
        defaults={
            "host": "localhost",
            "port": "6379",
            "path": "0",
        },
        presets={},
        rest="redis_client_kwargs",
    ),
    "rediss": Scheme(
        example="rediss://localhost:6379/0",
        classes={
            "sync": ("b_redis", "RedisBasePersister", "redis"),
            "async": ("b_redis", "AsyncRedisBasePersister", "redis"),
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db",
            "password": "password",
            "username": "redis_client_kwargs.username",
        },
        defaults={
            "host": "localhost",
            "port": "6379",
            "path": "0",
        },
        presets={
            "redis_client_kwargs.ssl": "true",
        },
        rest="redis_client_kwargs",
    ),
    "burr-redis": Scheme(
        example="burr-redis://localhost:6379/0",
        classes={
            "sync": ("b_redis_burr", "BurrRedisPersister", "redis"),
            "async": ("b_redis_burr", "AsyncBurrRedisPersister", "redis"),
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db",
            "password": "password",
            "username": "redis_client_kwargs.username",
        },
        defaults={
            "host": "localhost",
            "port": "6379",
            "path": "0",
        },
        presets={},
        rest="redis_client_kwargs",
    ),
    "burr-rediss": Scheme(
        example="burr-rediss://localhost:6379/0",
        classes={
            "sync": ("b_redis_burr", "BurrRedisPersister", "redis"),
            "async": ("b_redis_burr", "AsyncBurrRedisPersister", "redis"),
        },
        parts={
            "host": "host",
            "port": "port",
            "path": "db",
            "password": "password",
            "username": "redis_client_kwargs.username",
        },
        defaults={
            "host": "localhost",
            "port": "6379",
            "path": "0",
        },
        presets={
            "redis_client_kwargs.ssl": "true",
        },
        rest="redis_client_kwargs",
    ),
    "sqlcipher": Scheme(
        example="sqlcipher://:passphrase@/steps.db",
        classes={
            "sync": ("b_sqlcipher3", "SQLCipherPersister", "sqlcipher3"),
        },
        parts={
            "password": "passphrase",
            "path": "db_path",
        },
        defaults={},
        presets={},
    ),
    "sqlite": Scheme(
        example="sqlite:///steps.db",
        classes={
            "sync": ("b_sqlite3", "SQLitePersister", None),
            "async": ("b_aiosqlite", "AsyncSQLitePersister", "aiosqlite"),
        },
        parts={
            "path": "db_path",
        },
        defaults={},
        presets={},
    ),
}


def connect(url: str, **options: Any) -> BaseStatePersister:
    """Build the persister that a URL names.

    The URL's query and the keyword options go to the class's `from_values`; what the options say
    wins. Nothing is opened yet. The message of an error never shows the URL's password.

    Args:
        url: mariadb://user:password@localhost:3306/database, memory://, mongodb://localhost:27017/mydatabase, postgresql://user:password@localhost:5432/database, redis://localhost:6379/0, burr-redis://localhost:6379/0, sqlcipher://:passphrase@/steps.db, sqlite:///steps.db.
        options: Parameters of the class, such as `operation_timeout=5`.

    Raises:
        ValueError: The scheme, a part of the URL or an option is unknown, or the store has no driver
            of this colour.
        ImportError: The driver is not installed; the message says how to install it.
    """
    persister: BaseStatePersister = open_url(SCHEMES, url, "sync", options, _PACKAGE)
    return persister


def aconnect(url: str, **options: Any) -> Opening[AsyncBaseStatePersister]:
    """As `connect`, for the async class: await the result, or enter it with `async with`."""
    opening: Opening[AsyncBaseStatePersister] = open_url(SCHEMES, url, "async", options, _PACKAGE)
    return opening
