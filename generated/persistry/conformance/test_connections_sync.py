# Code generated from templates/conformance/behaviours/connections.py.jinja by `make generate`. DO NOT EDIT.
"""A connection that was handed in, sync: used, shared, and never closed."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from ..errors import PersisterClosedError, StateConflictError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, fixture, marks

COLOUR = "sync"
pytestmark = marks


@fixture
def keep(store: Store) -> Iterator[Opened]:
    """Closes after the test what was opened in it."""
    with Opened() as opened:
        yield opened


@fixture
def fresh(store: Store, keep: Opened) -> Any:
    """A persister on a store that was never initialised."""
    return keep(store.open())


@fixture
def persister(fresh: Any) -> Any:
    """A persister on an empty store."""
    fresh.initialize()
    return fresh


@fixture
def connection(store: Store) -> Iterator[Any]:
    """An open connection or client of the driver's own."""
    connection = store.connect()
    yield connection
    store.disconnect(connection)


@fixture
def over(store: Store, connection: Any, keep: Opened) -> Any:
    """A persister on that connection, with one record of the application a."""
    over = keep(store.over(connection))
    over.initialize()
    save(over, "a")
    return over


def save(persister: Any, app_id: str) -> None:
    """Save a record that names its application."""
    persister.save("p", app_id, 0, "x", State({"of": app_id}), "completed")


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
def test_handed_in_connection_survives_cleanup(store: Store, connection: Any, over: Any) -> None:
    """cleanup() leaves the connection open, and the persister says that it is closed."""
    over.cleanup()
    assert store.is_usable(connection)
    with pytest.raises(PersisterClosedError):
        over.load("p", "a")


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
def test_handed_in_connection_survives_a_block(store: Store, connection: Any, over: Any) -> None:
    """The end of a block leaves the connection open."""
    with over:
        save(over, "b")
    assert store.is_usable(connection)


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
def test_handed_in_connection_survives_collection(store: Store, connection: Any) -> None:
    """A persister that is thrown away leaves the connection open."""
    thrown_away = store.over(connection)
    thrown_away.initialize()
    del thrown_away
    gc.collect()
    assert store.is_usable(connection)


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
def test_handed_in_connection_serves_the_next_persister(
    store: Store, connection: Any, over: Any, keep: Opened
) -> None:
    """After cleanup() another persister can be made on the same connection."""
    over.cleanup()
    following = keep(store.over(connection))
    save(following, "b")
    assert following.list_app_ids("p") == ["b", "a"]


@pytest.mark.promise(5, 10)
@pytest.mark.needs("connection")
def test_handed_in_connection_commits(over: Any, store: Store, keep: Opened) -> None:
    """What is saved through a handed-in connection is there for all others at once."""
    other = keep(store.open(operation_timeout=5.0))
    expect.state(other.load("p", "a"), {"of": "a"})
    save(other, "b")
    assert over.list_app_ids("p") == ["b", "a"]


@pytest.mark.promise(9)
@pytest.mark.needs("connection")
def test_handed_in_connection_holds_no_lock(over: Any, store: Store, keep: Opened) -> None:
    """After a conflict nobody has to wait, and the persister works on."""
    with pytest.raises(StateConflictError):
        over.save("p", "a", 0, "x", State({"of": "b"}), "completed")
    other = keep(store.open(operation_timeout=5.0))
    save(other, "b")
    save(over, "c")
    assert other.list_app_ids("p") == ["c", "b", "a"]
