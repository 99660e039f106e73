# Code generated from templates/conformance/behaviours/initialize.py.jinja by `make generate`. DO NOT EDIT.
"""The first use of a store, async: by one, by many, with and without initialize()."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from ..errors import NotInitializedError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_async import Opened, attempt, fixture, marks, together

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


def saving(persister: Any, app_id: str) -> partial[Any]:
    """The save of a record that names its application."""
    return partial(persister.save, "p", app_id, 0, "x", State({"of": app_id}), "completed")


@pytest.mark.promise(8)
async def test_first_save_works_or_says_what_to_do(fresh: Any, store: Store) -> None:
    """Without initialize(), a first save works where there is nothing to create."""
    outcome = await attempt(saving(fresh, "a"))
    if "initialize" in store.column.traits:
        assert isinstance(outcome, NotInitializedError)
        expect.mentioned(outcome, "initialize()")
        await fresh.initialize()
        await saving(fresh, "a")()
    else:
        assert outcome is None
    assert await fresh.is_initialized() is True
    expect.state(await fresh.load("p", "a"), {"of": "a"})


@pytest.mark.promise(8)
async def test_first_load_works_or_says_what_to_do(fresh: Any, store: Store) -> None:
    """Without initialize(), a first load finds nothing where there is nothing to create."""
    load, listing = partial(fresh.load, "p", "a"), partial(fresh.list_app_ids, "p")
    if "initialize" in store.column.traits:
        assert isinstance(await attempt(load), NotInitializedError)
        assert isinstance(await attempt(listing), NotInitializedError)
    else:
        assert await load() is None
        assert await listing() == []


@pytest.mark.promise(8)
async def test_new_persister_finds_the_store_initialized(
    persister: Any, store: Store, keep: Opened
) -> None:
    """A new persister on an initialised store knows, and works without initialize()."""
    other = await keep(store.open())
    assert await other.is_initialized() is True
    await saving(other, "a")()
    expect.state(await persister.load("p", "a"), {"of": "a"})


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
async def test_no_is_asked_again(fresh: Any, store: Store, keep: Opened) -> None:
    """A persister that said no says yes once another one has initialised the store."""
    other = await keep(store.open())
    assert await fresh.is_initialized() is False
    assert isinstance(await attempt(saving(fresh, "a")), NotInitializedError)
    await other.initialize()
    assert await fresh.is_initialized() is True
    await saving(fresh, "a")()


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
async def test_missing_initialize_locks_nobody_out(fresh: Any, store: Store, keep: Opened) -> None:
    """Errors for want of initialize() keep nobody else from calling it."""
    for call in (saving(fresh, "a"), partial(fresh.load, "p", "a"), fresh.list_app_ids):
        assert isinstance(await attempt(call), NotInitializedError)
    other = await keep(store.open(operation_timeout=5.0))
    await other.initialize()
    await saving(other, "a")()
    expect.state(await fresh.load("p", "a"), {"of": "a"})


@pytest.mark.promise(5)
async def test_many_persisters_initialize(store: Store, keep: Opened) -> None:
    """8 persisters that initialise a fresh store at once all succeed, and all can save."""
    many = [await keep(store.open()) for _ in range(8)]
    assert await together(*[each.initialize for each in many]) == [None] * 8
    saves = [saving(each, f"app-{n}") for n, each in enumerate(many)]
    assert await together(*saves) == [None] * 8
    assert sorted(await many[0].list_app_ids("p")) == [f"app-{n}" for n in range(8)]


@pytest.mark.promise(5)
async def test_many_calls_initialize_one_persister(fresh: Any) -> None:
    """8 calls of initialize() on one persister at once all succeed."""
    assert await together(*[fresh.initialize] * 8) == [None] * 8
    await saving(fresh, "a")()


@pytest.mark.promise(5)
async def test_initialize_amid_saves(persister: Any, store: Store, keep: Opened) -> None:
    """initialize() on a store in use disturbs nobody and changes nothing."""
    other = await keep(store.open())
    for n in range(10):
        saves = [saving(persister, f"{n}.{m}") for m in range(4)]
        assert await together(*saves, other.initialize, *saves) == [None] * 9
    assert len(await persister.list_app_ids("p")) == 40
