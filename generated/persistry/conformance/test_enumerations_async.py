# Code generated from templates/conformance/behaviours/enumerations.py.jinja by `make generate`. DO NOT EDIT.
"""Enumerated arguments, async: stored as their values."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
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


TEXTS = ["partition_key", "app_id", "position", "status"]


class Action(enum.StrEnum):
    """Names of actions, as applications keep them."""

    ASK = "ask"


class Step(int, enum.Enum):
    """Numbers of steps."""

    FIRST = 1


@pytest.mark.promise(2, 7)
async def test_enumerated_arguments_are_their_values(persister: Any) -> None:
    """A member of a str or int enumeration is stored as its value, and loaded as that."""
    given = dict.fromkeys(TEXTS, Action.ASK) | {"sequence_id": Step.FIRST}
    await persister.save(**given, state=State({}))
    for load in (("ask", "ask"), ("ask", "ask", 1), ("ask", None), (Action.ASK, Action.ASK)):
        found = await persister.load(*load)
        expect.record(found, **dict.fromkeys(TEXTS, "ask"), sequence_id=1)
        assert {type(found[name]) for name in TEXTS} == {str}
        assert type(found["sequence_id"]) is int
    found = await persister.list_app_ids(Action.ASK)
    assert found == ["ask"] and type(found[0]) is str
