# Code generated from templates/conformance/behaviours/sharing.py.jinja by `make generate`. DO NOT EDIT.
"""One persister for many threads or tasks, sync: nothing lost, no error passed on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import StateConflictError, StateNotSerializableError
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


def save_steps(persister: Any, app_id: str, steps: range) -> None:
    """Save the steps of an application, each with a state of its own."""
    for n in steps:
        state = State({"app": app_id, "n": n})
        persister.save("p", app_id, n, "x", state, "completed")


@pytest.mark.promise(9)
def test_many_share_one_persister(persister: Any) -> None:
    """8 writers with an application each lose nothing, and the list is complete."""
    apps = [f"app-{n}" for n in range(8)]
    works = [partial(save_steps, persister, app, range(25)) for app in apps]
    assert together(*works) == [None] * 8
    assert sorted(persister.list_app_ids("p")) == apps
    for app in apps:
        for n in range(25):
            found = persister.load("p", app, n)
            expect.record(found, app_id=app, state={"app": app, "n": n})


@pytest.mark.promise(3, 9)
def test_many_write_one_application(persister: Any) -> None:
    """Writers of one application at once leave its highest sequence as the latest."""
    works = [partial(save_steps, persister, "a", range(n, 80, 8)) for n in range(8)]
    assert together(*works) == [None] * 8
    expect.record(persister.load("p", "a"), sequence_id=79)
    for n in range(80):
        expect.state(persister.load("p", "a", n), {"app": "a", "n": n})
    assert persister.list_app_ids("p") == ["a"]


@pytest.mark.promise(5, 9)
def test_readers_never_go_back(persister: Any) -> None:
    """While a writer saves, whoever reads sees whole records, and never an older latest."""

    def read_on() -> None:
        seen = 0
        for _ in range(100):
            found = persister.load("p", "a")
            expect.state(found, {"app": "a", "n": found["sequence_id"]})
            assert found["sequence_id"] >= seen
            seen = found["sequence_id"]
            assert persister.list_app_ids("p") == ["a"]

    save_steps(persister, "a", range(1))
    work = partial(save_steps, persister, "a", range(1, 50))
    assert together(work, read_on, read_on) == [None] * 3


@pytest.mark.promise(5, 9)
def test_bad_records_do_not_fail_their_neighbours(persister: Any) -> None:
    """Saves that are refused leave those beside them alone."""
    persister.save("p", "taken", 1, "x", State({"n": 0}), "completed")
    bad = [partial(persister.save, "p", "taken", 1, "x", State({"n": 1}), "completed")] * 4
    worse = [partial(persister.save, "p", "worse", 1, "x", State({"n": object()}), "completed")] * 4
    for n in range(10):
        good = [
            partial(persister.save, "p", f"{n}.{m}", 1, "x", State({"n": m}), "completed")
            for m in range(8)
        ]
        outcomes = together(*bad, *good, *worse)
        assert [type(outcome) for outcome in outcomes[:4]] == [StateConflictError] * 4
        assert outcomes[4:12] == [None] * 8
        assert [type(outcome) for outcome in outcomes[12:]] == [StateNotSerializableError] * 4
    assert len(persister.list_app_ids("p")) == 81
    expect.state(persister.load("p", "taken"), {"n": 0})
    assert persister.load("p", "worse") is None


@pytest.mark.promise(9)
def test_conflicts_cost_no_connection_and_no_lock(
    persister: Any, store: Store, keep: Opened
) -> None:
    """After 100 conflicts the persister works, and so does another one beside it."""
    persister.save("p", "a", 1, "x", State({"n": 0}), "completed")
    again = partial(persister.save, "p", "a", 1, "x", State({"n": 1}), "completed")
    for _ in range(100):
        assert type(attempt(again)) is StateConflictError
    other = keep(store.open(operation_timeout=5.0))
    other.save("p", "b", 1, "x", State({}), "completed")
    persister.save("p", "c", 1, "x", State({}), "completed")
    assert other.list_app_ids("p") == ["c", "b", "a"]
