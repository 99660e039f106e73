# Code generated from templates/conformance/behaviours/connections.py.jinja by `make generate`. DO NOT EDIT.
"""A connection that was handed in, async: used, shared, and never closed."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ..errors import PersisterClosedError, StateConflictError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_async import Opened, fixture, marks

COLOUR = "async"
pytestmark = marks


@fixture
async def keep(store: Store) -> AsyncIterator[Opened]:
    """Closes after the test what was opened in it."""
    async with Opened() as opened:
        yield opened


@fixture
async def fresh(store: Store, keep: Opened) -> Any:
    """A persister on a store that was never initialised."""
    return await keep(store.open())


@fixture
async def persister(fresh: Any) -> Any:
    """A persister on an empty store."""
    await fresh.initialize()
    return fresh


@fixture
async def connection(store: Store) -> AsyncIterator[Any]:
    """An open connection or client of the driver's own."""
    connection = await store.connect()
    yield connection
    await store.disconnect(connection)


@fixture
async def over(store: Store, connection: Any, keep: Opened) -> Any:
    """A persister on that connection, with one record of the application a."""
    over = await keep(store.over(connection))
    await over.initialize()
    await save(over, "a")
    return over


async def save(persister: Any, app_id: str) -> None:
    """Save a record that names its application."""
    await persister.save("p", app_id, 0, "x", State({"of": app_id}), "completed")


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
async def test_handed_in_connection_survives_cleanup(
    store: Store, connection: Any, over: Any
) -> None:
    """cleanup() leaves the connection open, and the persister says that it is closed."""
    await over.cleanup()
    assert await store.is_usable(connection)
    with pytest.raises(PersisterClosedError):
        await over.load("p", "a")


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
async def test_handed_in_connection_survives_a_block(
    store: Store, connection: Any, over: Any
) -> None:
    """The end of a block leaves the connection open."""
    async with over:
        await save(over, "b")
    assert await store.is_usable(connection)


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
async def test_handed_in_connection_survives_collection(store: Store, connection: Any) -> None:
    """A persister that is thrown away leaves the connection open."""
    thrown_away = store.over(connection)
    await thrown_away.initialize()
    del thrown_away
    gc.collect()
    assert await store.is_usable(connection)


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
async def test_handed_in_connection_serves_the_next_persister(
    store: Store, connection: Any, over: Any, keep: Opened
) -> None:
    """After cleanup() another persister can be made on the same connection."""
    await over.cleanup()
    following = await keep(store.over(connection))
    await save(following, "b")
    assert await following.list_app_ids("p") == ["b", "a"]


@pytest.mark.promise(5, 10)
@pytest.mark.needs("connection")
async def test_handed_in_connection_commits(over: Any, store: Store, keep: Opened) -> None:
    """What is saved through a handed-in connection is there for all others at once."""
    other = await keep(store.open(operation_timeout=5.0))
    expect.state(await other.load("p", "a"), {"of": "a"})
    await save(other, "b")
    assert await over.list_app_ids("p") == ["b", "a"]


@pytest.mark.promise(9)
@pytest.mark.needs("connection")
async def test_handed_in_connection_holds_no_lock(over: Any, store: Store, keep: Opened) -> None:
    """After a conflict nobody has to wait, and the persister works on."""
    with pytest.raises(StateConflictError):
        await over.save("p", "a", 0, "x", State({"of": "b"}), "completed")
    other = await keep(store.open(operation_timeout=5.0))
    await save(other, "b")
    await save(over, "c")
    assert await other.list_app_ids("p") == ["c", "b", "a"]
