"""What users of the field know by heart: constructors, module names, the documents' examples.

The signatures stand here as the documents write them; what persistry adds comes after, by keyword.
"""

from __future__ import annotations

import importlib
import inspect
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import persistry
from persistry import State
from tests.stores.mongodb import MongoPlace
from tests.stores.postgresql import PostgreSQLPlace
from tests.stores.redis import RedisPlace

CONSTRUCTORS = {
    "SQLitePersister": "db_path, table_name='burr_state', serde_kwargs=None, connect_kwargs=None, "
    "connection=None",
    "AsyncSQLitePersister": "connection, table_name='burr_state', serde_kwargs=None",
    "PostgreSQLPersister": "connection, table_name='burr_state', serde_kwargs=None",
    "AsyncPostgreSQLPersister": "connection=None, pool=None, table_name='burr_state', "
    "serde_kwargs=None",
    "RedisBasePersister": "connection, serde_kwargs=None, namespace=None",
    "AsyncRedisBasePersister": "connection, serde_kwargs=None, namespace=None",
    "MongoDBBasePersister": "client, db_name='mydatabase', collection_name='mystates', "
    "serde_kwargs=None",
    "AsyncMongoDBBasePersister": "client, db_name='mydatabase', collection_name='mystates', "
    "serde_kwargs=None",
}
_REDIS_VALUES = (
    "host, port, db, password=None, serde_kwargs=None, redis_client_kwargs=None, namespace=None"
)
_MONGODB_VALUES = (
    "uri='mongodb://localhost:27017', db_name='mydatabase', collection_name='mystates', "
    "serde_kwargs=None, mongo_client_kwargs=None"
)
FROM_VALUES = {
    "SQLitePersister": "db_path, table_name='burr_state', serde_kwargs=None, connect_kwargs=None",
    "AsyncSQLitePersister": "db_path, table_name='burr_state', serde_kwargs=None, "
    "connect_kwargs=None",
    "PostgreSQLPersister": "db_name, user, password, host, port, table_name='burr_state'",
    "AsyncPostgreSQLPersister": "db_name, user, password, host, port, table_name='burr_state', "
    "use_pool=False",
    "RedisBasePersister": _REDIS_VALUES,
    "AsyncRedisBasePersister": _REDIS_VALUES,
    "MongoDBBasePersister": _MONGODB_VALUES,
    "AsyncMongoDBBasePersister": _MONGODB_VALUES,
}
# Modules as people import them -> the classes they find there.
MODULES = {
    "persistence": "BaseStateLoader BaseStateSaver BaseStatePersister AsyncBaseStateLoader "
    "AsyncBaseStateSaver AsyncBaseStatePersister PersistedStateData SQLitePersister "
    "InMemoryPersister AsyncInMemoryPersister",
    "state": "State",
    "b_sqlite3": "SQLitePersister",
    "b_aiosqlite": "AsyncSQLitePersister",
    "postgresql": "PostgreSQLPersister",
    "b_psycopg2": "PostgreSQLPersister",
    "b_asyncpg": "AsyncPostgreSQLPersister",
    "b_redis": "RedisBasePersister AsyncRedisBasePersister",
    "b_mongodb": "MongoDBBasePersister",
    "b_pymongo": "MongoDBBasePersister AsyncMongoDBBasePersister",
}
# Classes of older releases: importing one says which to use.
RENAMED = [
    ("persistence", "SQLLitePersister", "SQLitePersister, which has the same parameters"),
    ("b_redis", "RedisPersister", "RedisBasePersister.from_values"),
    ("b_mongodb", "MongoDBPersister", "MongoDBBasePersister.from_values"),
    ("b_pymongo", "MongoDBPersister", "MongoDBBasePersister.from_values"),
]
# What every class has beside the operations; the matrix holds them to their meaning.
MEMBERS = (
    "initialize is_initialized save load list_app_ids is_async from_values from_config "
    "set_serde_kwargs copy cleanup close"
)
OWN_MEMBERS = {
    "SQLitePersister": "create_table_if_not_exists connection",
    "AsyncSQLitePersister": "create_table_if_not_exists connection",
    "PostgreSQLPersister": "create_table connection",
    "AsyncPostgreSQLPersister": "create_table create_pool connection pool",
    "RedisBasePersister": "create_key connection",
    "AsyncRedisBasePersister": "create_key connection",
    "MongoDBBasePersister": "client collection",
    "AsyncMongoDBBasePersister": "client collection",
}
ALL = sorted(CONSTRUCTORS)


def positional(signature: inspect.Signature) -> str:
    """The parameters that may be given by position, without their types."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD,)
    parameters = [it for it in signature.parameters.values() if it.kind in kinds]
    return ", ".join(str(it.replace(annotation=it.empty)) for it in parameters)


# What whoever implements a base is held to; the matrix holds our own classes to the same.
OPERATIONS = {
    "load": "self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, "
    "**kwargs: Any",
    "save": "self, partition_key: str | None, app_id: str, sequence_id: int, position: str, "
    "state: State, status: str, **kwargs: Any",
    "list_app_ids": "self, partition_key: str | None = None, *, limit: int | None = None, "
    "**kwargs: Any",
}


@pytest.mark.parametrize("colour", ["", "Async"])
def test_bases_have_the_documented_operations(colour: str) -> None:
    kinds = ("Loader", "Saver", "Persister")
    loader, saver, persister = (getattr(persistry, f"{colour}BaseState{it}") for it in kinds)
    assert persister.__bases__ == (loader, saver)
    assert loader.__abstractmethods__ | saver.__abstractmethods__ == OPERATIONS.keys()
    for name, parameters in OPERATIONS.items():
        signature = inspect.signature(getattr(persister, name))
        spelt = str(signature.replace(return_annotation=signature.empty)).replace("'", "")
        assert spelt == f"({parameters})"
        assert inspect.iscoroutinefunction(getattr(persister, name)) is bool(colour)


def test_a_record_has_the_documented_fields() -> None:
    fields = "partition_key app_id sequence_id position state created_at status"
    assert list(persistry.PersistedStateData.__annotations__) == fields.split()


@pytest.mark.parametrize("name", ALL)
def test_constructors_have_the_documented_order_and_defaults(name: str) -> None:
    cls = getattr(persistry, name)
    assert positional(inspect.signature(cls)) == CONSTRUCTORS[name]
    assert positional(inspect.signature(cls.from_values)) == FROM_VALUES[name]


@pytest.mark.parametrize("name", ALL)
def test_classes_have_the_documented_members(name: str) -> None:
    cls = getattr(persistry, name)
    wanted = [*MEMBERS.split(), *OWN_MEMBERS[name].split()]
    assert [member for member in wanted if not hasattr(cls, member)] == []
    assert cls.PARTITION_KEY_DEFAULT == ""


@pytest.mark.parametrize("colour", ["", "Async"])
def test_a_key_of_redis_is_named_as_documented(colour: str) -> None:
    create_key = getattr(persistry, f"{colour}RedisBasePersister").create_key
    assert positional(inspect.signature(create_key)) == "self, app_id, partition_key, sequence_id"
    assert not inspect.iscoroutinefunction(create_key)


@pytest.mark.parametrize("name", MODULES)
def test_modules_have_the_documented_classes(name: str) -> None:
    module = importlib.import_module(f"persistry.{name}")
    found = {it: getattr(module, it, None) for it in MODULES[name].split()}
    assert found == {it: getattr(persistry, it) for it in found}


@pytest.mark.parametrize(("module", "name", "instead"), RENAMED)
def test_old_names_say_what_to_use(module: str, name: str, instead: str) -> None:
    for place in (f"persistry.{module}", "persistry", "persistry.burr"):
        with pytest.raises(ImportError, match=rf"use {instead}"):
            getattr(importlib.import_module(place), name)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """For a table, collection or namespace that nobody else uses."""
    return f"persistry_documents_{secrets.token_hex(4)}"


@pytest.fixture
def table(name: str, postgresql_place: PostgreSQLPlace) -> Iterator[str]:
    """A table that is removed after the test."""
    yield name
    with postgresql_place.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")


def save_and_load(persister: Any) -> None:
    persister.save("user", "app", 0, "ask", State({"n": 0}), "completed")
    found = persister.load("user", "app")
    assert found is not None and found["state"] == State({"n": 0})


VALUES = ("db_name", "user", "password", "host", "port")


def test_postgresql_from_five_values_and_a_table(
    postgresql_place: PostgreSQLPlace, table: str
) -> None:
    values = [postgresql_place.parts[it] for it in VALUES]
    with persistry.PostgreSQLPersister.from_values(*values, table) as persister:
        persister.initialize()
        save_and_load(persister)


def test_mongodb_by_keywords_and_without_initialize(mongodb_place: MongoPlace, name: str) -> None:
    persister = persistry.MongoDBBasePersister.from_values(
        uri=mongodb_place.url, db_name=name, collection_name="mystates"
    )
    persister.save(
        partition_key="example_partition",
        app_id="example_app",
        sequence_id=1,
        position="example_position",
        state=State({"key": "value"}),
        status="completed",
    )
    found = persister.load(partition_key="example_partition", app_id="example_app", sequence_id=1)
    persister.client.drop_database(name)
    persister.cleanup()
    assert found is not None and found["state"]["key"] == "value"


def test_configurations_have_the_keys_of_from_values(
    tmp_path: Path,
    name: str,
    postgresql_place: PostgreSQLPlace,
    table: str,
    redis_place: RedisPlace,
    mongodb_place: MongoPlace,
) -> None:
    configurations: dict[str, dict[str, Any]] = {
        "SQLitePersister": {"db_path": str(tmp_path / "steps.db"), "table_name": "steps"},
        "PostgreSQLPersister": postgresql_place.parts | {"table_name": table},
        "RedisBasePersister": {it: redis_place.parts[it] for it in ("host", "port", "db")}
        | {"password": redis_place.parts.get("password"), "namespace": name},
        "MongoDBBasePersister": {"uri": mongodb_place.url, "db_name": name},
    }
    for cls, config in configurations.items():
        with getattr(persistry, cls).from_config(config) as persister:
            persister.initialize()
            save_and_load(persister)
            assert persister.list_app_ids("user") == ["app"]
    mongodb_place.client.drop_database(name)
    with redis_place.client() as client:
        client.delete(*client.keys(f"*{name}*"))


async def test_tables_are_made_by_their_names(
    tmp_path: Path, postgresql_place: PostgreSQLPlace, table: str
) -> None:
    path, values = str(tmp_path / "steps.db"), [postgresql_place.parts[it] for it in VALUES]
    for sync, create in [
        (persistry.SQLitePersister(path), "create_table_if_not_exists"),
        (persistry.PostgreSQLPersister.from_values(*values), "create_table"),
    ]:
        with sync:
            getattr(sync, create)(table)
            getattr(sync, create)(table)
    for opening, create in [
        (persistry.AsyncSQLitePersister.from_values(path, table), "create_table_if_not_exists"),
        (persistry.AsyncPostgreSQLPersister.from_values(*values, table), "create_table"),
    ]:
        async with opening as persister:
            assert await persister.is_initialized()
            await getattr(persister, create)(table)
            await persister.save("user", "app", 0, "ask", State({"n": 0}), "completed")


def test_sqlite_shared_by_two_threads(tmp_path: Path) -> None:
    persister = persistry.SQLitePersister(
        str(tmp_path / "steps.db"), connect_kwargs={"check_same_thread": False}
    )
    persister.initialize()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(save_and_load, [persister, persister]))
    assert persister.list_app_ids("user") == ["app"]
    persister.cleanup()


async def test_async_sqlite_is_awaited_and_closed(tmp_path: Path) -> None:
    persister = await persistry.AsyncSQLitePersister.from_values(str(tmp_path / "steps.db"))
    await persister.initialize()
    await persister.save("user", "app", 0, "ask", State({"n": 0}), "completed")
    found = await persister.load("user", "app")
    assert found is not None and found["state"] == State({"n": 0})
    await persister.close()


def test_redis_namespaces_do_not_see_each_other(redis_place: RedisPlace, name: str) -> None:
    with redis_place.client() as client:
        one = persistry.RedisBasePersister(client, namespace=name)
        other = persistry.RedisBasePersister(client, namespace=f"{name}_other")
        save_and_load(one)
        assert other.load("user", "app") is None
        assert one.list_app_ids("user") == ["app"] and other.list_app_ids("user") == []
        client.delete(*client.keys(f"*{name}*"))


async def test_async_postgresql_with_a_pool(postgresql_place: PostgreSQLPlace, table: str) -> None:
    values = [postgresql_place.parts[it] for it in VALUES]
    own = persistry.AsyncPostgreSQLPersister.from_values(
        *values, table, use_pool=True, min_size=1, max_size=4
    )
    pool = await persistry.AsyncPostgreSQLPersister.create_pool(*values, min_size=1, max_size=4)
    handed_in = persistry.AsyncPostgreSQLPersister(pool=pool, table_name=table)
    async with own as persister:
        await persister.initialize()
        await persister.save("user", "app", 0, "ask", State({"n": 0}), "completed")
        found = await handed_in.load("user", "app")
        assert found is not None and found["state"] == State({"n": 0})
    await handed_in.cleanup()
    assert await pool.fetchval("SELECT 1") == 1  # it belongs to whoever made it
    await pool.close()


def test_a_loader_needs_no_saver() -> None:
    class Tracker(persistry.BaseStateLoader):
        def load(
            self,
            partition_key: str | None,
            app_id: str | None,
            sequence_id: int | None = None,
            **kwargs: Any,
        ) -> persistry.PersistedStateData | None:
            return None

        def list_app_ids(
            self, partition_key: str | None = None, *, limit: int | None = None, **kwargs: Any
        ) -> list[str]:
            return []

    assert isinstance(Tracker(), persistry.BaseStateLoader)
    assert not hasattr(Tracker(), "save")
