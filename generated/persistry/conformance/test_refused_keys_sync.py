# Code generated from templates/conformance/behaviours/refused_keys.py.jinja by `make generate`. DO NOT EDIT.
"""Keys that are no texts, sync: refused, with the place, and no trace."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest

from ..errors import StateNotSerializableError
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


class Text(str):
    """A text that is more than a text."""


Words = StrEnum("Words", ["ONE"])

KEYS = [1, 1.0, None, True, (1, 2), b"x", Words.ONE, Text("x")]


def expect_refused(persister: Any, values: dict[str, Any], *mentions: str) -> None:
    """The state is refused with these words, nothing is stored, and the persister works on."""
    with expect.raises(StateNotSerializableError, *mentions) as caught:
        persister.save("p", "a", 1, "x", State(values), "completed")
    assert isinstance(caught.value, TypeError)
    assert persister.list_app_ids("p") == []
    assert persister.load("p", "a", 1) is None
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    expect.state(persister.load("p", "a"), {"n": 1})


@pytest.mark.promise(6)
@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_key_that_is_no_text_is_refused(persister: Any, key: object) -> None:
    """A key that would come back as a text is refused, with the place of its object."""
    expect_refused(persister, {"a": [{key: 1}]}, "state['a'][0]")


@pytest.mark.promise(6)
@pytest.mark.parametrize("key", KEYS, ids=ascii)
def test_key_that_is_no_text_is_refused_inside_a_tuple(persister: Any, key: object) -> None:
    """Such a key is refused where the state has to be written the long way too."""
    expect_refused(persister, {"t": ({"k": {key: 1}},)}, "state['t'][0]['k']")
