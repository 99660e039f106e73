"""Burr's own persisters, on the stores of the matrix, set up as Burr documents it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis
import redis.asyncio

from persistry.conformance.columns import COLUMNS
from tests.burr.apps import settled
from tests.burr.classes import CLASSES

BACKENDS = ("sqlite", "postgresql", "mongodb", "redis_burr")
COLUMNS_OF_BURR = tuple(it for it in COLUMNS if it.backend in BACKENDS)
# Where nothing is yet: what Burr begins, persistry goes on with.
EMPTY = tuple(it for it in COLUMNS_OF_BURR if not it.layout)
# What Burr has begun, or is taken to have.
SHARED = tuple(it for it in COLUMNS_OF_BURR if it.layout or it.backend == "redis_burr")
# What persistry begins in a layout of its own.
OWN = tuple(it for it in COLUMNS_OF_BURR if it not in SHARED)


@asynccontextmanager
async def original(store: Any) -> AsyncIterator[Any]:
    """Burr's persister of the store's colour, on its data; in MongoDB Burr has a plain one only."""
    is_async = store.column.colour == "async"
    if store.column.backend == "mongodb":
        persister = CLASSES["pymongo"].from_values(store.place.url, **store.names)
        try:
            yield persister
        finally:
            persister.client.close()  # its cleanup() fails
        return
    if store.column.backend == "redis_burr":
        async with in_redis(store, is_async) as persister:
            yield persister
        return
    if store.column.backend == "sqlite":
        # Its __del__ closes the connection in whichever thread the garbage is collected.
        options = {} if is_async else {"connect_kwargs": {"check_same_thread": False}}
        kind = CLASSES["aiosqlite" if is_async else "sqlite3"]
        made = kind.from_values(store.path, **options)
    else:
        where = {name: it for name, it in store.place.parts.items() if name != "connect_kwargs"}
        kind = CLASSES["asyncpg" if is_async else "psycopg2"]
        made = kind.from_values(**where, table_name=store.name)
    persister = await settled(made)
    try:
        yield persister
    finally:
        await settled(persister.cleanup())


@asynccontextmanager
async def in_redis(store: Any, is_async: bool, **options: Any) -> AsyncIterator[Any]:
    """Burr's persister on Redis, in the namespace of a store unless another one is given."""
    names = {"namespace": store.name, **options}
    if is_async:
        async with redis.asyncio.Redis(**store.place.parts) as client:
            yield CLASSES["redis.asyncio"](client, **names)
    else:
        with redis.Redis(**store.place.parts) as plain:
            yield CLASSES["redis"](plain, **names)


async def initialized(persister: Any) -> Any:
    await settled(persister.initialize())
    return persister
