# Code generated from templates/conformance/behaviours/migrations.py.jinja by `make generate`. DO NOT EDIT.
"""What initialize() would do to data that is there, sync."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from .._runtime.migrations import Migration
from ..errors import PersisterClosedError
from ..state import State
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


@pytest.mark.promise(7)
@pytest.mark.needs("pending_migrations")
def test_pending_migrations_take_nothing(persister: Any) -> None:
    """The operation has no parameter, and the colour of the others."""
    method = type(persister).pending_migrations
    assert list(inspect.signature(method).parameters) == ["self"]
    assert inspect.iscoroutinefunction(method) is persister.is_async()


@pytest.mark.promise(11)
@pytest.mark.needs("pending_migrations")
def test_nothing_is_pending_after_initialize(persister: Any, store: Store, keep: Opened) -> None:
    """After initialize() nothing is pending: with records or without, here and elsewhere."""
    assert persister.pending_migrations() == []
    persister.save("p", "a", 0, "x", State({"n": 0}), "completed")
    assert persister.pending_migrations() == []
    other = keep(store.open())
    assert other.pending_migrations() == []


@pytest.mark.promise(11)
@pytest.mark.needs("pending_migrations")
def test_pending_migrations_change_nothing(fresh: Any, store: Store) -> None:
    """What is pending is told and not done; nothing is where there is no data of another form."""
    was_initialized = fresh.is_initialized()
    pending = fresh.pending_migrations()
    assert bool(pending) is bool(store.column.layout)
    for it in pending:
        assert type(it) is Migration
        assert it.generation > 0 and it.doc and it.statements
    assert fresh.pending_migrations() == pending
    assert fresh.is_initialized() is was_initialized


@pytest.mark.promise(10, 11)
@pytest.mark.needs("pending_migrations")
def test_closed_persister_tells_no_migrations(persister: Any) -> None:
    """After cleanup() what is pending is refused as any other operation is."""
    persister.cleanup()
    with pytest.raises(PersisterClosedError):
        persister.pending_migrations()
