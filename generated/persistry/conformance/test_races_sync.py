# Code generated from templates/conformance/behaviours/races.py.jinja by `make generate`. DO NOT EDIT.
"""Many threads or tasks at once, sync: one winner, nothing lost, nobody stuck."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import StateConflictError
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


def one_winner(outcomes: list[Any]) -> int:
    """The place of the one call that succeeded; all others were refused."""
    refused = [type(outcome) for outcome in outcomes if outcome is not None]
    assert refused == [StateConflictError] * (len(outcomes) - 1)
    return outcomes.index(None)


@pytest.mark.promise(5, 9)
@pytest.mark.parametrize("size", [1, 100_000])
def test_one_of_racing_writers_wins(persister: Any, size: int) -> None:
    """Of 8 writers of different states under one key, one wins and the others are told."""
    for n in range(20):
        states = [{"writer": writer, "text": f"{writer}" * size} for writer in range(8)]
        saves = [partial(persister.save, "p", "a", n, "x", State(s), "completed") for s in states]
        winner = one_winner(together(*saves))
        expect.state(persister.load("p", "a", n), states[winner])


@pytest.mark.promise(5, 9)
def test_one_of_racing_persisters_wins(persister: Any, store: Store, keep: Opened) -> None:
    """Writers with a persister each race as fairly: one wins, and all see its state."""
    writers = [keep(store.open()) for _ in range(8)]
    for n in range(10):
        key = ("p", "a", n, "x")
        saves = [partial(w.save, *key, State({"w": i}), "completed") for i, w in enumerate(writers)]
        winner = one_winner(together(*saves))
        for reader in (persister, *writers):
            expect.state(reader.load("p", "a", n), {"w": winner})


@pytest.mark.promise(5, 9)
def test_one_of_racing_statuses_wins(persister: Any) -> None:
    """A status is part of the race: equal states with two statuses are two records."""
    outcomes = together(
        partial(persister.save, "p", "a", 1, "x", State({}), "completed"),
        partial(persister.save, "p", "a", 1, "x", State({}), "failed"),
    )
    winner = ("completed", "failed")[one_winner(outcomes)]
    expect.record(persister.load("p", "a"), status=winner)


@pytest.mark.promise(5, 9)
def test_identical_racing_saves_all_succeed(persister: Any) -> None:
    """8 writers of the identical record all succeed, and it has one place in the order."""
    save = partial(persister.save, "p", "a", 1, "x", State({"n": 1}), "completed")
    assert together(*[save] * 8) == [None] * 8
    persister.save("p", "b", 1, "x", State({}), "completed")
    assert together(*[save] * 8) == [None] * 8
    assert persister.list_app_ids("p") == ["b", "a"]
    expect.state(persister.load("p", "a"), {"n": 1})


@pytest.mark.promise(3, 5, 9)
def test_racing_positions_are_all_kept(persister: Any) -> None:
    """8 positions of one sequence, saved at once, are 8 records with a state each."""
    positions = [f"x{n}" for n in range(8)]
    saves = [partial(persister.save, "p", "a", 1, x, State({"of": x}), "done") for x in positions]
    assert together(*saves) == [None] * 8
    assert together(*saves) == [None] * 8
    found = persister.load("p", "a", 1)
    expect.record(found, state={"of": found["position"]})
    assert persister.load("p", "a") == found
