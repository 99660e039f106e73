# Code generated from templates/conformance/behaviours/lifecycle.py.jinja by `make generate`. DO NOT EDIT.
"""Closing, async: once, twice, by many, amid work, and what is said afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterClosedError
from ..state import State
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


async def expect_closed(persister: Any) -> None:
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
            await call()


@pytest.mark.promise(10)
async def test_closed_persister_says_so(persister: Any) -> None:
    """After cleanup() every operation is refused as closed."""
    await save(persister, "a")
    await persister.cleanup()
    await expect_closed(persister)


@pytest.mark.promise(10)
async def test_unused_persister_is_closed_too(store: Store, keep: Opened) -> None:
    """A persister that was never used can be closed, and then says so."""
    persister = await keep(store.open())
    await persister.cleanup()
    await expect_closed(persister)


@pytest.mark.promise(10)
async def test_cleanup_twice_is_fine(persister: Any) -> None:
    """cleanup() and its other name close() may be called again and in any order."""
    await persister.cleanup()
    await persister.close()
    await persister.cleanup()


@pytest.mark.promise(10)
async def test_cleanup_by_many_is_fine(persister: Any) -> None:
    """cleanup() may be called by several threads or tasks at once."""
    assert await together(*[persister.cleanup] * 4) == [None] * 4
    await expect_closed(persister)


@pytest.mark.promise(10)
async def test_close_is_cleanup(persister: Any) -> None:
    """close() is cleanup() under its other name."""
    await persister.close()
    await expect_closed(persister)


@pytest.mark.promise(5, 10)
async def test_cleanup_amid_saves(persister: Any, store: Store, keep: Opened) -> None:
    """A save that meets cleanup() is stored or refused as closed, and tells which."""
    for n in range(10):
        closing = await keep(store.open())
        apps = [f"{n}.{m}" for m in range(8)]
        saves = [partial(save, closing, app) for app in apps]
        outcomes = await together(*saves[:4], closing.cleanup, *saves[4:])
        assert outcomes.pop(4) is None
        stored = await persister.list_app_ids("p")
        for app, outcome in zip(apps, outcomes, strict=True):
            assert type(outcome) is (type(None) if app in stored else PersisterClosedError)


@pytest.mark.promise(10)
async def test_closed_persister_says_so_for_what_cannot_be_found(persister: Any) -> None:
    """After cleanup() a key that no record can have is refused as any other."""
    await persister.cleanup()
    for call in (
        partial(persister.load, "p", "a\0"),
        partial(persister.load, "x" * 513, None),
        partial(persister.list_app_ids, "\0"),
    ):
        with pytest.raises(PersisterClosedError):
            await call()
