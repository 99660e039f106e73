# Code generated from templates/conformance/behaviours/large_states.py.jinja by `make generate`. DO NOT EDIT.
"""Large states, async: a store may keep them in another way, but finds them in the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ..errors import StateConflictError
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


def large(n: int) -> dict[str, Any]:
    """The state of step n: more than a store sends along with an index."""
    return {"n": n, "text": f"step {n}, " * 20_000}


@pytest.mark.promise(3, 6)
async def test_large_states_are_told_apart(persister: Any) -> None:
    """Among large states each kind of load finds its own, also where an older step was saved last."""
    for n in (5, 7, 6):
        await persister.save("p", "a", n, "x", State(large(n)), "completed")
    expect.record(await persister.load("p", "a"), sequence_id=7, state=large(7))
    expect.record(await persister.load("p", None), sequence_id=6, state=large(6))
    for n in (5, 6, 7):
        expect.record(await persister.load("p", "a", n), sequence_id=n, state=large(n))


@pytest.mark.promise(1, 5)
async def test_large_states_of_two_positions(persister: Any) -> None:
    """Each of two large states at one sequence is known again, and no other takes its place."""
    for position in "xyx":
        state = State(large(0) | {"of": position})
        await persister.save("p", "a", 0, position, state, "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 0, "x", State(large(0)), "completed")
    expect.record(await persister.load("p", "a", 0), position="y", state=large(0) | {"of": "y"})
