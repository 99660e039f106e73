# Code generated from templates/conformance/behaviours/copies.py.jinja by `make generate`. DO NOT EDIT.
"""Copies and pickles, async: persisters of their own over the same data."""

from __future__ import annotations

import pickle
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterClosedError, StateTooLargeError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_async import Opened, fixture, marks, together

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


async def save(persister: Any, app_id: str) -> None:
    """Save a record that names its application."""
    await persister.save("p", app_id, 0, "x", State({"of": app_id}), "completed")


@pytest.mark.promise(10)
async def test_copy_shares_the_data(persister: Any, keep: Opened) -> None:
    """A copy is another object of the same class over the same data."""
    await save(persister, "a")
    copy = await keep(persister.copy())
    assert copy is not persister
    assert type(copy) is type(persister)
    await save(copy, "b")
    for each in (persister, copy):
        assert await each.list_app_ids("p") == ["b", "a"]
        assert await each.is_initialized() is True


@pytest.mark.promise(10)
async def test_copy_outlives_its_original(persister: Any, keep: Opened) -> None:
    """A copy works after its original was closed."""
    await save(persister, "a")
    copy = await keep(persister.copy())
    await persister.cleanup()
    expect.state(await copy.load("p", "a"), {"of": "a"})
    await save(copy, "b")


@pytest.mark.promise(10)
async def test_original_outlives_its_copy(persister: Any, keep: Opened) -> None:
    """The original works after its copy was closed."""
    copy = await keep(persister.copy())
    await save(copy, "a")
    await copy.cleanup()
    with pytest.raises(PersisterClosedError):
        await copy.load("p", "a")
    expect.state(await persister.load("p", "a"), {"of": "a"})


@pytest.mark.promise(9, 10)
async def test_copies_work_at_once(persister: Any, keep: Opened) -> None:
    """Copies made here work in a thread or task each, as parallel sub-applications use them."""
    copies = [await keep(persister.copy()) for _ in range(8)]
    saves = [partial(save, copy, f"app-{n}") for n, copy in enumerate(copies)]
    assert await together(*saves) == [None] * 8
    assert sorted(await persister.list_app_ids("p")) == [f"app-{n}" for n in range(8)]


@pytest.mark.promise(10)
async def test_copy_keeps_the_options(store: Store, keep: Opened) -> None:
    """A copy has the limits of its original."""
    original = await keep(store.open(max_state_bytes=10))
    await original.initialize()
    copy = await keep(original.copy())
    with pytest.raises(StateTooLargeError):
        await copy.save("p", "a", 0, "x", State({"t": "x" * 100}), "completed")


@pytest.mark.promise(10)
async def test_pickle_gives_a_working_persister(persister: Any, keep: Opened) -> None:
    """A persister comes back from a pickle, connects anew and shares the data."""
    await save(persister, "a")
    other = await keep(pickle.loads(pickle.dumps(persister)))
    assert type(other) is type(persister)
    expect.state(await other.load("p", "a"), {"of": "a"})
    await save(other, "b")
    assert await persister.list_app_ids("p") == ["b", "a"]


@pytest.mark.promise(10)
async def test_pickle_outlives_its_original(persister: Any, keep: Opened) -> None:
    """A pickle made before or after cleanup() gives a persister that is open."""
    await save(persister, "a")
    before = pickle.dumps(persister)
    await persister.cleanup()
    for data in (before, pickle.dumps(persister)):
        other = await keep(pickle.loads(data))
        expect.state(await other.load("p", "a"), {"of": "a"})


@pytest.mark.promise(10)
async def test_pickle_keeps_the_options(store: Store, keep: Opened) -> None:
    """A persister that comes back from a pickle has its limits, also the second time."""
    original = await keep(store.open(max_state_bytes=10))
    await original.initialize()
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(original))))
    other = await keep(again)
    with pytest.raises(StateTooLargeError):
        await other.save("p", "a", 0, "x", State({"t": "x" * 100}), "completed")
