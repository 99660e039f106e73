# Code generated from templates/conformance/behaviours/tables.py.jinja by `make generate`. DO NOT EDIT.
"""Names of tables, sync: whatever they say, they are only names."""

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


NAMES = {
    "a statement": "steps; DELETE FROM other",
    "a statement behind a quote": 'steps"; DROP TABLE other; --',
    "a query": "(SELECT * FROM other)",
    "a list": "steps, other",
    "a placeholder": "%s ? :name {table}",
    "a word of the language": "select",
    "a hyphen and a space": "my-table no 1",
    "another script": "\u0448\u0430\u0433\u0438",
}


def opened(store: Store, keep: Opened, name: str) -> Any:
    """A persister over a table of that name, with one record."""
    persister = keep(store.open(table_name=name))
    persister.initialize()
    persister.save("p", name, 1, "x", State({"of": name}), "completed")
    return persister


@pytest.mark.promise(2)
@pytest.mark.needs("table")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_table_name_is_only_a_name(store: Store, keep: Opened, name: str) -> None:
    """A table with a name that reads like something else is a table of its own, and no more."""
    other = opened(store, keep, "other")
    named = opened(store, keep, name)
    again = keep(store.open(table_name=name))
    assert again.is_initialized() is True
    for persister in (named, again):
        assert persister.list_app_ids("p") == [name]
        expect.state(persister.load("p", name), {"of": name})
    assert other.list_app_ids("p") == ["other"]


@pytest.mark.promise(2)
@pytest.mark.needs("table")
def test_table_names_keep_their_capitals(store: Store, keep: Opened) -> None:
    """A table with capitals in its name is found again by that name."""
    opened(store, keep, "MySteps")
    again = keep(store.open(table_name="MySteps"))
    assert again.is_initialized() is True
    expect.state(again.load("p", "MySteps"), {"of": "MySteps"})
