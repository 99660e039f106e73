# Code generated from templates/conformance/behaviours/processes.py.jinja by `make generate`. DO NOT EDIT.
"""Other processes, async: seen by them, raced by them, killed in the middle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from itertools import islice
from typing import Any

import pytest

from ..state import State
from .support import expect
from .support.column import Store
from .support.process import interpreter, lines, process, result
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


@pytest.mark.promise(5, 10)
@pytest.mark.needs("durable")
async def test_another_process_sees_what_was_saved(persister: Any, store: Store) -> None:
    """What was saved here is seen by another process, and what it saves is seen here."""
    await persister.save("p", "here", 0, "x", State({}), "completed")
    with process(store, "save_one", persister, "there") as other:
        assert result(other) == ["there here"]
    expect.record(await persister.load("p", None), app_id="there", state={"of": "there"})
    assert await persister.list_app_ids("p") == ["there", "here"]


@pytest.mark.promise(5)
@pytest.mark.needs("durable")
@pytest.mark.parametrize("acknowledged", [1, 10, 40])
async def test_killed_process_loses_nothing(
    persister: Any, store: Store, acknowledged: int
) -> None:
    """What a process was told is saved is there after its kill, and every load finds it."""
    with process(store, "save_on", persister, "a") as victim:
        printed = list(islice(lines(victim), acknowledged))
        victim.kill()
        printed += lines(victim)
    last = int(printed[-1])
    latest = await persister.load("p", "a")
    assert latest["sequence_id"] in (last, last + 1)
    for n in range(latest["sequence_id"] + 1):
        found = await persister.load("p", "a", n)
        expect.state(found, {"n": n, "text": "whole" * 400, "end": n})
    assert await persister.load("p", "a", last + 2) is None


@pytest.mark.promise(5)
@pytest.mark.needs("durable")
async def test_killed_process_leaves_loads_that_agree(persister: Any, store: Store) -> None:
    """After a kill every kind of load gives the same record, and the list has its application."""
    await persister.save("p", "b", 0, "x", State({}), "completed")
    with process(store, "save_on", persister, "a") as victim:
        assert len(list(islice(lines(victim), 5))) == 5
        victim.kill()
    latest: Any = {}
    while latest != (latest := await persister.load("p", "a")):  # a server may still save
        same = await persister.load("p", "a", latest["sequence_id"])
        newest = await persister.load("p", None)
    assert same == newest == latest
    assert await persister.list_app_ids("p") == ["a", "b"]


@pytest.mark.promise(5, 9)
@pytest.mark.needs("durable")
async def test_killed_process_leaves_no_lock(persister: Any, store: Store) -> None:
    """After a kill its last step may be saved again, and a later one after it."""
    with process(store, "save_on", persister, "a") as victim:
        assert len(list(islice(lines(victim), 5))) == 5
        victim.kill()
    latest = await persister.load("p", "a")
    n = latest["sequence_id"]
    await persister.save("p", "a", n, "x", latest["state"], "completed")
    # A server may still save what it was last asked for, which is the step after n.
    await persister.save("p", "a", n + 2, "x", State({"next": True}), "completed")
    expect.record(await persister.load("p", "a"), sequence_id=n + 2, state={"next": True})


@pytest.mark.promise(5)
@pytest.mark.needs("durable")
async def test_one_of_racing_processes_wins(persister: Any, store: Store) -> None:
    """Of 3 processes that race for 50 keys, each key has one winner, whose state is stored."""
    with ExitStack() as stack:
        racers = [
            stack.enter_context(process(store, "race", persister, name)) for name in ("1", "2", "3")
        ]
        won = [(int(key), str(n)) for n, racer in enumerate(racers, 1) for key in result(racer)]
    assert sorted(key for key, _ in won) == list(range(50))
    for key, writer in won:
        expect.state(await persister.load("p", "a", key), {"writer": writer})


@pytest.mark.promise(5)
@pytest.mark.needs("durable")
async def test_many_processes_initialize(fresh: Any, store: Store) -> None:
    """4 processes that initialise a fresh store at once all succeed, and all can save."""
    names = ["a", "b", "c", "d"]
    with ExitStack() as stack:
        works = [stack.enter_context(process(store, "initialize", fresh, n)) for n in names]
        for work in works:
            assert result(work)
    assert sorted(await fresh.list_app_ids("p")) == names


@pytest.mark.promise(10)
@pytest.mark.needs("durable")
async def test_unclosed_persister_lets_its_process_end(persister: Any, store: Store) -> None:
    """A process that never closes its persister ends by itself, and its record is there."""
    with process(store, "leave_open", persister, "a", start=interpreter) as other:
        assert result(other) == ["['a']"]
    expect.state(await persister.load("p", "a"), {"of": "a"})
