"""Burr's own persisters, on the stores of the matrix, set up as Burr documents it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from burr.core.persistence import SQLitePersister
from burr.integrations.persisters.b_aiosqlite import AsyncSQLitePersister
from burr.integrations.persisters.b_asyncpg import AsyncPostgreSQLPersister
from burr.integrations.persisters.b_psycopg2 import PostgreSQLPersister
from burr.integrations.persisters.b_pymongo import MongoDBBasePersister

from persistry.conformance.columns import COLUMNS
from tests.burr.apps import settled

BACKENDS = ("sqlite", "postgresql", "mongodb")
COLUMNS_OF_BURR = tuple(it for it in COLUMNS if it.backend in BACKENDS)
NATIVE = tuple(it for it in COLUMNS_OF_BURR if not it.layout)
ADOPTED = tuple(it for it in COLUMNS_OF_BURR if it.layout)


@asynccontextmanager
async def original(store: Any) -> AsyncIterator[Any]:
    """Burr's persister of the store's colour, on its data; in MongoDB Burr has a plain one only."""
    is_async = store.column.colour == "async"
    if store.column.backend == "mongodb":
        persister = MongoDBBasePersister.from_values(store.place.url, **store.names)
        try:
            yield persister
        finally:
            persister.client.close()  # its cleanup() fails
        return
    if store.column.backend == "sqlite":
        made = (AsyncSQLitePersister if is_async else SQLitePersister).from_values(store.path)
    else:
        where = {name: it for name, it in store.place.parts.items() if name != "connect_kwargs"}
        kind = AsyncPostgreSQLPersister if is_async else PostgreSQLPersister
        made = kind.from_values(**where, table_name=store.name)
    persister = await settled(made)
    try:
        yield persister
    finally:
        await settled(persister.cleanup())


async def initialized(persister: Any) -> Any:
    await settled(persister.initialize())
    return persister
