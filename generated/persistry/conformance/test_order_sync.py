# Code generated from templates/conformance/behaviours/order.py.jinja by `make generate`. DO NOT EDIT.
"""The order of saving, sync: the store's own, for any number of records and writers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

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


def save(persister: Any, app_id: str, sequence_id: int) -> None:
    """Save a step of an application."""
    state = State({"n": sequence_id})
    persister.save("p", app_id, sequence_id, "x", state, "completed")


@pytest.mark.promise(4)
def test_rapid_saves_are_listed_in_order(persister: Any) -> None:
    """A thousand saves, as fast as they go, are listed in their order, under every limit."""
    apps = [f"app-{n * 7919 % 1000}" for n in range(1000)]
    for n, app in enumerate(apps):
        save(persister, app, 1000 - n)
    newest_first = apps[::-1]
    assert persister.list_app_ids("p") == newest_first
    for limit in (1, 2, 10, 100, 500, 999, 1000, 1001):
        found = persister.list_app_ids("p", limit=limit)
        assert found == newest_first[:limit]
    expect.record(persister.load("p", None), app_id=apps[-1], sequence_id=1)


@pytest.mark.promise(4)
def test_one_busy_application_hides_no_other(persister: Any) -> None:
    """Applications behind a thousand newer records of one are still listed, in their order.

    Those of another partition are not.
    """
    apps = [f"app-{n}" for n in range(20)]
    for app in apps:
        save(persister, app, 0)
    elsewhere = State({})
    for app in ("app", "a", "zoo"):
        persister.save("q", app, 0, "x", elsewhere, "completed")
    for n in range(1001):
        save(persister, "busy", n)
    newest_first = ["busy", *apps[::-1]]
    assert persister.list_app_ids("p") == newest_first
    assert persister.list_app_ids("p", limit=3) == newest_first[:3]
    expect.record(persister.load("p", "busy"), sequence_id=1000)


@pytest.mark.promise(3, 4)
def test_order_is_one_for_all_persisters(persister: Any, store: Store, keep: Opened) -> None:
    """Saves of several persisters in turn stand in the one order of the store."""
    writers = [persister, *[keep(store.open()) for _ in range(3)]]
    for n in range(40):
        save(writers[n % 4], f"app-{n}", 0)
        for reader in writers:
            expect.record(reader.load("p", None), app_id=f"app-{n}")
    newest_first = [f"app-{n}" for n in reversed(range(40))]
    for reader in writers:
        assert reader.list_app_ids("p") == newest_first


@pytest.mark.promise(3, 4)
def test_order_outlives_its_persister(persister: Any, store: Store, keep: Opened) -> None:
    """A new persister goes on where the closed one stopped."""
    for n in range(5):
        save(persister, f"app-{n}", 9)
    other = keep(store.open())
    persister.cleanup()
    save(other, "app-2", 1)
    assert other.list_app_ids("p") == ["app-2", "app-4", "app-3", "app-1", "app-0"]
    expect.record(other.load("p", "app-2"), sequence_id=9)
