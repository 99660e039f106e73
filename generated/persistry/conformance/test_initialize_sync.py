# Code generated from templates/conformance/behaviours/initialize.py.jinja by `make generate`. DO NOT EDIT.
"""The first use of a store, sync: by one, by many, with and without initialize()."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import NotInitializedError
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


def saving(persister: Any, app_id: str) -> partial[Any]:
    """The save of a record that names its application."""
    return partial(persister.save, "p", app_id, 0, "x", State({"of": app_id}), "completed")


@pytest.mark.promise(8)
def test_first_save_works_or_says_what_to_do(fresh: Any, store: Store) -> None:
    """Without initialize(), a first save works where there is nothing to create."""
    outcome = attempt(saving(fresh, "a"))
    if "initialize" in store.column.traits:
        assert isinstance(outcome, NotInitializedError)
        expect.mentioned(outcome, "initialize()")
        fresh.initialize()
        saving(fresh, "a")()
    else:
        assert outcome is None
    assert fresh.is_initialized() is True
    expect.state(fresh.load("p", "a"), {"of": "a"})


@pytest.mark.promise(8)
def test_first_load_works_or_says_what_to_do(fresh: Any, store: Store) -> None:
    """Without initialize(), a first load finds nothing where there is nothing to create."""
    load, listing = partial(fresh.load, "p", "a"), partial(fresh.list_app_ids, "p")
    if "initialize" in store.column.traits:
        assert isinstance(attempt(load), NotInitializedError)
        assert isinstance(attempt(listing), NotInitializedError)
    else:
        assert load() is None
        assert listing() == []


@pytest.mark.promise(8)
def test_new_persister_finds_the_store_initialized(
    persister: Any, store: Store, keep: Opened
) -> None:
    """A new persister on an initialised store knows, and works without initialize()."""
    other = keep(store.open())
    assert other.is_initialized() is True
    saving(other, "a")()
    expect.state(persister.load("p", "a"), {"of": "a"})


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_no_is_asked_again(fresh: Any, store: Store, keep: Opened) -> None:
    """A persister that said no says yes once another one has initialised the store."""
    other = keep(store.open())
    assert fresh.is_initialized() is False
    assert isinstance(attempt(saving(fresh, "a")), NotInitializedError)
    other.initialize()
    assert fresh.is_initialized() is True
    saving(fresh, "a")()


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_missing_initialize_locks_nobody_out(fresh: Any, store: Store, keep: Opened) -> None:
    """Errors for want of initialize() keep nobody else from calling it."""
    for call in (saving(fresh, "a"), partial(fresh.load, "p", "a"), fresh.list_app_ids):
        assert isinstance(attempt(call), NotInitializedError)
    other = keep(store.open(operation_timeout=5.0))
    other.initialize()
    saving(other, "a")()
    expect.state(fresh.load("p", "a"), {"of": "a"})


@pytest.mark.promise(5)
def test_many_persisters_initialize(store: Store, keep: Opened) -> None:
    """8 persisters that initialise a fresh store at once all succeed, and all can save."""
    many = [keep(store.open()) for _ in range(8)]
    assert together(*[each.initialize for each in many]) == [None] * 8
    saves = [saving(each, f"app-{n}") for n, each in enumerate(many)]
    assert together(*saves) == [None] * 8
    assert sorted(many[0].list_app_ids("p")) == [f"app-{n}" for n in range(8)]


@pytest.mark.promise(5)
def test_many_calls_initialize_one_persister(fresh: Any) -> None:
    """8 calls of initialize() on one persister at once all succeed."""
    assert together(*[fresh.initialize] * 8) == [None] * 8
    saving(fresh, "a")()


@pytest.mark.promise(5)
def test_initialize_amid_saves(persister: Any, store: Store, keep: Opened) -> None:
    """initialize() on a store in use disturbs nobody and changes nothing."""
    other = keep(store.open())
    for n in range(10):
        saves = [saving(persister, f"{n}.{m}") for m in range(4)]
        assert together(*saves, other.initialize, *saves) == [None] * 9
    assert len(persister.list_app_ids("p")) == 40
