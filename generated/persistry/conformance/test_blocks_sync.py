# Code generated from templates/conformance/behaviours/blocks.py.jinja by `make generate`. DO NOT EDIT.
"""Blocks, sync: a persister is good inside its block, which closes it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterClosedError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, attempt, fixture, marks

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


def save(persister: Any, app_id: str) -> None:
    """Save a record that names its application."""
    persister.save("p", app_id, 0, "x", State({"of": app_id}), "completed")


def expect_closed(persister: Any) -> None:
    """Every operation says that the persister was closed."""
    calls = [
        partial(save, persister, "late"),
        partial(persister.load, "p", "a"),
        partial(persister.load, "p", None),
        partial(persister.list_app_ids, "p"),
        persister.is_initialized,
        persister.initialize,
    ]
    for call in calls:
        with pytest.raises(PersisterClosedError):
            call()


@pytest.mark.promise(10)
def test_block_closes(persister: Any, store: Store) -> None:
    """A persister is good inside its block, which closes it."""
    with store.open() as inside:
        save(inside, "a")
    expect_closed(inside)
    expect.state(persister.load("p", "a"), {"of": "a"})


@pytest.mark.promise(10)
def test_block_of_an_opened_persister(persister: Any, store: Store, keep: Opened) -> None:
    """A persister that is open already can be entered; the block is given the same object."""
    opened = keep(store.open())
    with opened as inside:
        assert inside is opened
        save(inside, "a")
    expect_closed(opened)


@pytest.mark.promise(10)
def test_block_passes_an_error_on(persister: Any, store: Store) -> None:
    """An error inside the block comes out of it, and what was saved before it stays."""
    opened = []

    def fail_inside() -> None:
        with store.open() as inside:
            opened.append(inside)
            save(inside, "a")
            raise ZeroDivisionError

    assert isinstance(attempt(fail_inside), ZeroDivisionError)
    expect_closed(opened[0])
    expect.state(persister.load("p", "a"), {"of": "a"})
