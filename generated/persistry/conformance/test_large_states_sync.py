# Code generated from templates/conformance/behaviours/large_states.py.jinja by `make generate`. DO NOT EDIT.
"""Large states, sync: a store may keep them in another way, but finds them in the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..errors import StateConflictError
from ..state import State
from .support import expect
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


def large(n: int) -> dict[str, Any]:
    """The state of step n: more than a store sends along with an index."""
    return {"n": n, "text": f"step {n}, " * 20_000}


@pytest.mark.promise(3, 6)
def test_large_states_are_told_apart(persister: Any) -> None:
    """Among large states each kind of load finds its own, also where an older step was saved last."""
    for n in (5, 7, 6):
        persister.save("p", "a", n, "x", State(large(n)), "completed")
    expect.record(persister.load("p", "a"), sequence_id=7, state=large(7))
    expect.record(persister.load("p", None), sequence_id=6, state=large(6))
    for n in (5, 6, 7):
        expect.record(persister.load("p", "a", n), sequence_id=n, state=large(n))


@pytest.mark.promise(1, 5)
def test_large_states_of_two_positions(persister: Any) -> None:
    """Each of two large states at one sequence is known again, and no other takes its place."""
    for position in "xyx":
        state = State(large(0) | {"of": position})
        persister.save("p", "a", 0, position, state, "completed")
    with pytest.raises(StateConflictError):
        persister.save("p", "a", 0, "x", State(large(0)), "completed")
    expect.record(persister.load("p", "a", 0), position="y", state=large(0) | {"of": "y"})
