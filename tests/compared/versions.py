"""What was compared, and on what."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version

from tests.stores.mongodb import MongoPlace
from tests.stores.postgresql import PostgreSQLPlace
from tests.stores.redis import RedisPlace

from .persisters import place_of

PACKAGES = ["aiosqlite", "psycopg2-binary", "asyncpg", "redis", "pymongo"]


def versions() -> Iterator[str]:
    """Names and versions of all that took part."""
    yield f"apache-burr {version('apache-burr')}"
    yield f"Python {platform.python_version()}"
    yield f"SQLite {sqlite3.sqlite_version}"
    with closing(place_of(PostgreSQLPlace).connect()) as connection:
        number = connection.server_version
        yield f"PostgreSQL {number // 10000}.{number % 10000}"
    with place_of(RedisPlace).client() as client:
        told = client.info("server")
        kind = "valkey" if "valkey_version" in told else "redis"
        yield f"{kind.title()} {told[f'{kind}_version']}"
    place = place_of(MongoPlace)
    yield f"MongoDB {place.client.server_info()['version']}"
    yield from (f"{name} {version(name)}" for name in PACKAGES)
