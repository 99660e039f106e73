# Code generated from templates/conformance/behaviours/huge_states.py.jinja by `make generate`. DO NOT EDIT.
"""States beyond what some stores take, async: whole, or refused in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from ..errors import StateTooLargeError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_async import Opened, attempt, fixture, marks

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


@pytest.mark.promise(6, 9)
async def test_huge_state_comes_back_or_is_refused(persister: Any) -> None:
    """A state of 17 MB comes back, or is refused as too large; the persister works on."""
    values = {"text": "x" * 17_000_000}
    save = partial(persister.save, "p", "a", 1, "x", State(values), "completed")
    outcome = await attempt(save)
    if outcome is None:
        expect.state(await persister.load("p", "a"), values)
    else:
        assert isinstance(outcome, StateTooLargeError)
        assert await persister.load("p", "a") is None
    await persister.save("p", "b", 1, "x", State({}), "completed")
    listed = await persister.list_app_ids("p")
    assert listed == (["b", "a"] if outcome is None else ["b"])
