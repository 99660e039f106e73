# Code generated from templates/conformance/behaviours/shared_connections.py.jinja by `make generate`. DO NOT EDIT.
"""A handed-in connection in many hands, sync: turns are taken, copies share it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterClosedError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, attempt, fixture, marks, together

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


@pytest.mark.promise(9, 10)
@pytest.mark.needs("connection")
def test_many_share_a_handed_in_connection(over: Any) -> None:
    """Calls from several threads or tasks take turns on the one connection."""
    saves = [partial(save, over, f"app-{n}") for n in range(16)]
    loads = [partial(over.load, "p", "a")] * 16
    outcomes = together(*saves, *loads)
    assert outcomes[:16] == [None] * 16
    for found in outcomes[16:]:
        expect.state(found, {"of": "a"})
    assert len(over.list_app_ids("p")) == 17


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
def test_copy_shares_a_handed_in_connection(
    store: Store, connection: Any, over: Any, keep: Opened
) -> None:
    """A copy works on the same connection, and its cleanup leaves it to the original."""
    copy = keep(over.copy())
    save(copy, "b")
    copy.cleanup()
    assert store.is_usable(connection)
    assert over.list_app_ids("p") == ["b", "a"]


@pytest.mark.promise(9, 10)
@pytest.mark.needs("connection")
def test_copies_take_turns_on_a_handed_in_connection(over: Any, keep: Opened) -> None:
    """Copies that share one connection may be used at once, beside their original."""
    copies = [keep(over.copy()) for _ in range(7)]
    saves = [partial(save, each, f"app-{n}") for n, each in enumerate([over, *copies])]
    assert together(*saves * 2) == [None] * 16
    assert len(over.list_app_ids("p")) == 9


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
def test_copy_of_a_handed_in_connection_outlives_its_original(over: Any, keep: Opened) -> None:
    """A copy works on after the original was closed, for the connection is open."""
    copy = keep(over.copy())
    over.cleanup()
    expect.state(copy.load("p", "a"), {"of": "a"})


@pytest.mark.promise(10)
@pytest.mark.needs("connection")
def test_handed_in_connection_is_not_pickled(over: Any) -> None:
    """A connection cannot travel in a pickle; the error says what to build instead."""
    with expect.raises(TypeError, "from_values"):
        pickle.dumps(over)
    expect.state(over.load("p", "a"), {"of": "a"})


@pytest.mark.promise(8, 10)
@pytest.mark.needs("connection")
def test_connection_that_its_owner_closed(store: Store, connection: Any, over: Any) -> None:
    """On a connection that its owner closed, a call opens it again or says that it is closed."""
    store.disconnect(connection)
    outcome = attempt(partial(over.load, "p", "a"))
    if not isinstance(outcome, PersisterClosedError):
        expect.state(outcome, {"of": "a"})
