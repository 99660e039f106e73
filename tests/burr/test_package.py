"""`persistry.burr` as Burr and its users meet it: names, classes, colours, what it imports."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import burr.core.persistence as burrs
import pytest
from burr.common.types import BaseCopyable
from burr.core import ApplicationBuilder, State

import persistry
import persistry.burr
from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column
from tests.burr.apps import PARTITION, Apps, count, settled
from tests.burr.classes import CLASSES
from tests.burr.conftest import MakeStore, class_for

PLAIN = [it for it in COLUMNS if not it.layout]
BASES = {"sync": burrs.BaseStatePersister, "async": burrs.AsyncBaseStatePersister}
DRIVERS = {"aiosqlite", "asyncpg", "psycopg", "psycopg2", "pymongo", "redis", "aiomysql", "pymysql"}


def run(code: str, *arguments: str) -> Any:
    return subprocess.run(
        [sys.executable, *arguments, "-c", code], text=True, capture_output=True, check=False
    )


def test_the_names_are_those_of_persistry() -> None:
    ours = {name for name in persistry.__all__ if name.endswith("Persister")}
    bases = {it for it in ours if "BaseState" in it}
    assert set(persistry.burr.__all__) == ours - bases
    with pytest.raises(AttributeError, match="NoPersister"):
        persistry.burr.NoPersister  # noqa: B018
    with pytest.raises(ImportError, match="SQLCipher has no async driver"):
        persistry.burr.AsyncSQLCipherPersister  # noqa: B018


@pytest.mark.parametrize("column", PLAIN, ids=lambda it: it.name)
def test_each_class_is_one_of_both(column: Column) -> None:
    kind = class_for(column)
    module = import_module(kind.__module__.replace(".burr.", "."))
    assert issubclass(kind, getattr(module, kind.__name__))
    assert issubclass(kind, BASES[column.colour])
    assert issubclass(kind, BaseCopyable)
    assert not issubclass(kind, BASES["async" if column.colour == "sync" else "sync"])


def test_the_other_names_of_modules() -> None:
    aliases = {"postgresql": "PostgreSQLPersister", "b_mongodb": "MongoDBBasePersister"}
    for alias, name in aliases.items():
        module = import_module(f"persistry.burr.{alias}")
        assert getattr(module, name) is getattr(persistry.burr, name)
    with pytest.raises(ImportError, match="use "):
        import_module("persistry.burr.b_redis").RedisPersister  # noqa: B018


@pytest.mark.parametrize("burr", CLASSES.values(), ids=CLASSES)
def test_what_is_called_as_burrs_are_is_taken_so(burr: Any) -> None:
    """By position or by name, with what Burr's methods assume of what is left out."""
    ours = getattr(persistry.burr, burr.__name__)
    for name, method in inspect.getmembers(burr, callable):
        if name.startswith("_") and name != "__init__":
            continue
        theirs = [it for it in parameters(method) if it.kind is not it.VAR_KEYWORD]
        taken = parameters(getattr(ours, name))[: len(theirs)]
        assert [it.name for it in taken] == [it.name for it in theirs], name
        for own, it in zip(taken, theirs, strict=True):
            assert own.kind is it.kind
            assert it.default is it.empty or own.default == it.default


async def test_a_pool_is_opened_as_burrs_is(make_store: MakeStore) -> None:
    (column,) = (it for it in PLAIN if it.name == "AsyncPostgreSQLPersister")
    kind = class_for(column)
    with make_store(column) as store:
        parts = store.place.parts
        where = {it: parts[it] for it in ("user", "password", "host", "port")}
        async with await kind.create_pool(**where, database=parts["db_name"], max_size=2) as pool:
            persister = kind(pool=pool, table_name=store.name)
            await persister.initialize()
            await persister.save(PARTITION, "app", 0, "step", State({"a": 1}), "completed")
            assert (await persister.load(PARTITION, "app"))["state"] == State({"a": 1})


def parameters(method: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(method).parameters.values())


def test_importing_it_imports_burr_and_no_driver() -> None:
    told = run("import sys, persistry.burr; print(*sys.modules)")
    modules = set(told.stdout.split())
    assert "burr.core.persistence" in modules
    assert not modules & DRIVERS
    assert "burr" not in run("import sys, persistry; print(*sys.modules)").stdout.split()


def test_no_other_module_imports_burr() -> None:
    package = Path(persistry.__file__).parent
    importing = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if line.strip().startswith(("import burr", "from burr"))
    }
    assert importing == {"burr"}


def test_without_burr_it_says_what_to_install(tmp_path: Path) -> None:
    hidden = f"import sys; sys.modules['burr'] = None; sys.path.insert(0, {str(tmp_path)!r}); "
    for module in ("persistry.burr", "persistry.burr.b_sqlite3"):
        told = run(f"{hidden}import {module}")
        assert "ImportError: persistry.burr needs Apache Burr" in told.stderr
        assert "pip install 'persistry[burr]'" in told.stderr
    assert run(f"{hidden}import persistry; persistry.SQLitePersister").returncode == 0


def test_without_a_driver_it_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['redis'] = None; import persistry.burr; "
    told = run(f"{hidden}persistry.burr.RedisBasePersister")
    assert "RedisBasePersister needs a driver that is not installed" in told.stderr
    assert "pip install 'persistry[redis]'" in told.stderr


async def test_an_application_refuses_the_other_colour(persister: Any, apps: Apps) -> None:
    def builder() -> Any:
        builder: Any = ApplicationBuilder().with_actions(count=count).with_state(counter=0)
        return builder.with_entrypoint("count").with_state_persister(persister)

    with pytest.raises(ValueError, match="async" if apps.is_async else "sync"):
        if apps.is_async:
            builder().build()
        else:
            await builder().abuild()
    other = Apps(is_async=not apps.is_async)
    with pytest.raises(ValueError, match="async" if apps.is_async else "sync"):
        await other.counter(persister, "app")  # here it is what the application starts from


async def test_an_application_refuses_a_store_that_is_not_prepared(
    store: Any, apps: Apps, opened: Any
) -> None:
    """Where the first save prepares what is missing, as in MongoDB, no user of Burr had to."""
    persister = await opened(store.open())
    if "initialize" in store.column.traits:
        with pytest.raises(RuntimeError, match=r"initialize\(\)"):
            await apps.counter(persister, "app")
    else:
        app = await apps.counter(persister, "app")
        assert (await apps.run(app, halt_after=["note"]))["seen"] == [1]


async def test_only_burrs_states_are_taken(persister: Any) -> None:
    for other in (persistry.State({"a": 1}), {"a": 1}, None):
        with pytest.raises(TypeError, match=r"state must be a State of Burr's"):
            await settled(persister.save(PARTITION, "app", 0, "step", other, "completed"))
    await settled(persister.save(PARTITION, "app", 0, "step", State({"a": 1}), "in_progress"))
    record = await settled(persister.load(PARTITION, "app"))
    assert type(record["state"]) is State
    assert record["status"] == "in_progress"
