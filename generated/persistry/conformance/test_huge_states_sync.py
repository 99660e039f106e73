# Code generated from templates/conformance/behaviours/huge_states.py.jinja by `make generate`. DO NOT EDIT.
"""States beyond what some stores take, sync: whole, or refused in time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import StateTooLargeError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, attempt, fixture, marks

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


@pytest.mark.promise(6, 9)
def test_huge_state_comes_back_or_is_refused(persister: Any) -> None:
    """A state of 17 MB comes back, or is refused as too large; the persister works on."""
    values = {"text": "x" * 17_000_000}
    save = partial(persister.save, "p", "a", 1, "x", State(values), "completed")
    outcome = attempt(save)
    if outcome is None:
        expect.state(persister.load("p", "a"), values)
    else:
        assert isinstance(outcome, StateTooLargeError)
        assert persister.load("p", "a") is None
    persister.save("p", "b", 1, "x", State({}), "completed")
    listed = persister.list_app_ids("p")
    assert listed == (["b", "a"] if outcome is None else ["b"])
