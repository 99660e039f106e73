# Code generated from templates/conformance/behaviours/copies.py.jinja by `make generate`. DO NOT EDIT.
"""Copies and pickles, sync: persisters of their own over the same data."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterClosedError, StateTooLargeError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, fixture, marks, together

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


@pytest.mark.promise(10)
def test_copy_shares_the_data(persister: Any, keep: Opened) -> None:
    """A copy is another object of the same class over the same data."""
    save(persister, "a")
    copy = keep(persister.copy())
    assert copy is not persister
    assert type(copy) is type(persister)
    save(copy, "b")
    for each in (persister, copy):
        assert each.list_app_ids("p") == ["b", "a"]
        assert each.is_initialized() is True


@pytest.mark.promise(10)
def test_copy_outlives_its_original(persister: Any, keep: Opened) -> None:
    """A copy works after its original was closed."""
    save(persister, "a")
    copy = keep(persister.copy())
    persister.cleanup()
    expect.state(copy.load("p", "a"), {"of": "a"})
    save(copy, "b")


@pytest.mark.promise(10)
def test_original_outlives_its_copy(persister: Any, keep: Opened) -> None:
    """The original works after its copy was closed."""
    copy = keep(persister.copy())
    save(copy, "a")
    copy.cleanup()
    with pytest.raises(PersisterClosedError):
        copy.load("p", "a")
    expect.state(persister.load("p", "a"), {"of": "a"})


@pytest.mark.promise(9, 10)
def test_copies_work_at_once(persister: Any, keep: Opened) -> None:
    """Copies made here work in a thread or task each, as parallel sub-applications use them."""
    copies = [keep(persister.copy()) for _ in range(8)]
    saves = [partial(save, copy, f"app-{n}") for n, copy in enumerate(copies)]
    assert together(*saves) == [None] * 8
    assert sorted(persister.list_app_ids("p")) == [f"app-{n}" for n in range(8)]


@pytest.mark.promise(10)
def test_copy_keeps_the_options(store: Store, keep: Opened) -> None:
    """A copy has the limits of its original."""
    original = keep(store.open(max_state_bytes=10))
    original.initialize()
    copy = keep(original.copy())
    with pytest.raises(StateTooLargeError):
        copy.save("p", "a", 0, "x", State({"t": "x" * 100}), "completed")


@pytest.mark.promise(10)
def test_pickle_gives_a_working_persister(persister: Any, keep: Opened) -> None:
    """A persister comes back from a pickle, connects anew and shares the data."""
    save(persister, "a")
    other = keep(pickle.loads(pickle.dumps(persister)))
    assert type(other) is type(persister)
    expect.state(other.load("p", "a"), {"of": "a"})
    save(other, "b")
    assert persister.list_app_ids("p") == ["b", "a"]


@pytest.mark.promise(10)
def test_pickle_outlives_its_original(persister: Any, keep: Opened) -> None:
    """A pickle made before or after cleanup() gives a persister that is open."""
    save(persister, "a")
    before = pickle.dumps(persister)
    persister.cleanup()
    for data in (before, pickle.dumps(persister)):
        other = keep(pickle.loads(data))
        expect.state(other.load("p", "a"), {"of": "a"})


@pytest.mark.promise(10)
def test_pickle_keeps_the_options(store: Store, keep: Opened) -> None:
    """A persister that comes back from a pickle has its limits, also the second time."""
    original = keep(store.open(max_state_bytes=10))
    original.initialize()
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(original))))
    other = keep(again)
    with pytest.raises(StateTooLargeError):
        other.save("p", "a", 0, "x", State({"t": "x" * 100}), "completed")
