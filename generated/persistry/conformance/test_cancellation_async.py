# Code generated from templates/conformance/behaviours_async/cancellation.py.jinja by `make generate`. DO NOT EDIT.
"""Cancelled calls: a save that is cancelled happened or did not, and nobody else notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

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


def saving(persister: Any, app_id: str, n: int) -> Any:
    """The save of step n of an application."""
    return persister.save("p", app_id, n, "x", State({"n": n}), "completed")


async def cancel_after(rounds: int, call: Any) -> bool:
    """Cancel a call after some rounds of the event loop; whether it was cancelled."""
    task = asyncio.ensure_future(call)
    for _ in range(rounds):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


@pytest.mark.promise(5, 9)
async def test_cancelled_save_is_stored_or_not(persister: Any) -> None:
    """Wherever a save is cancelled, its record is whole or not there, and may be saved again."""
    for n in range(40):
        cancelled = await cancel_after(n, saving(persister, "a", n))
        found = await persister.load("p", "a", n)
        assert cancelled or found is not None
        if found is not None:
            expect.state(found, {"n": n})
        await saving(persister, "a", n)
        expect.record(await persister.load("p", "a"), sequence_id=n, state={"n": n})


@pytest.mark.promise(9)
async def test_cancelled_save_holds_no_lock(persister: Any, store: Store, keep: Opened) -> None:
    """Wherever a save is cancelled, another persister saves without waiting for it."""
    other = await keep(store.open(operation_timeout=5.0))
    for n in range(40):
        await cancel_after(n, saving(persister, "a", n))
        await saving(other, "b", n)
    expect.record(await persister.load("p", "b"), sequence_id=39)


@pytest.mark.promise(9)
async def test_cancelled_saves_leave_their_neighbours(persister: Any) -> None:
    """Of many saves at once every second is cancelled; all others are stored."""
    for rounds in range(12):
        apps = [f"{rounds}.{n}" for n in range(16)]
        tasks = [asyncio.ensure_future(saving(persister, app, 0)) for app in apps]
        for _ in range(rounds):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert outcomes[1::2] == [None] * 8
        for app in apps[1::2]:
            expect.state(await persister.load("p", app), {"n": 0})
        assert await asyncio.gather(*[saving(persister, app, 0) for app in apps]) == [None] * 16


@pytest.mark.promise(9)
async def test_cancelled_reads_do_no_harm(persister: Any) -> None:
    """Loads and lists may be cancelled anywhere; the next ones get their own answers."""
    for n in range(2):
        await saving(persister, "a", n)
    calls = [partial(persister.load, "p", "a"), partial(persister.list_app_ids, "p")]
    for rounds in range(20):
        for call in calls:
            await cancel_after(rounds, call())
            expect.state(await persister.load("p", "a", 0), {"n": 0})
            assert await persister.list_app_ids("p") == ["a"]
            expect.state(await persister.load("p", "a"), {"n": 1})


@pytest.mark.promise(9)
async def test_cancelled_initialize_can_be_called_again(store: Store, keep: Opened) -> None:
    """initialize() may be cancelled anywhere; called again it does its work."""
    fresh = await keep(store.open())
    for rounds in range(20):
        await cancel_after(rounds, fresh.initialize())
    await fresh.initialize()
    await saving(fresh, "a", 0)
    expect.state(await fresh.load("p", "a"), {"n": 0})


@pytest.mark.promise(9, 10)
async def test_copy_works_in_a_loop_of_another_thread(persister: Any) -> None:
    """A copy that was made here works in the event loop of another thread."""

    async def use(copy: Any) -> None:
        async with copy:
            await saving(copy, "a", 0)

    await asyncio.to_thread(asyncio.run, use(persister.copy()))
    expect.state(await persister.load("p", "a"), {"n": 0})
