# Code generated from templates/conformance/behaviours/record_shape.py.jinja by `make generate`. DO NOT EDIT.
"""The shape and the time of a record, sync."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ..errors import StateConflictError
from ..state import State
from .support import expect
from .support.column import Store
from .support.process import process, result
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


def time_of(found: Any) -> datetime:
    """The time of a record, which has the one form."""
    form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
    assert re.fullmatch(form, found["created_at"], re.ASCII)
    return datetime.fromisoformat(found["created_at"])


@pytest.mark.promise(7)
def test_record_is_a_dict_of_plain_types(persister: Any) -> None:
    """A record is a dict with 7 keys, whose values are texts, a number and a State."""
    persister.save(None, "a", 1, "x", State({"n": 1}), "completed")
    for load in ((None, "a"), (None, "a", 1), (None, None)):
        found = persister.load(*load)
        expect.record(found, partition_key="", app_id="a", sequence_id=1, position="x")
        assert type(found["state"]) is State
        assert found["state"] == State({"n": 1})


@pytest.mark.promise(7)
def test_all_loads_give_the_same_record(persister: Any) -> None:
    """The three kinds of load agree on every field."""
    persister.save("p", "a", 1, "x", State({"n": 1}), "failed")
    found = persister.load("p", "a")
    assert persister.load("p", "a", 1) == found
    assert persister.load("p", None) == found


@pytest.mark.promise(7)
def test_loads_give_a_new_record_each_time(persister: Any) -> None:
    """Two loads share no dict and no list."""
    persister.save("p", "a", 1, "x", State({"l": [1]}), "completed")
    first = persister.load("p", "a")
    second = persister.load("p", "a")
    assert first is not second
    assert first["state"]["l"] is not second["state"]["l"]


@pytest.mark.promise(7)
def test_created_at_is_the_time_of_the_save(persister: Any) -> None:
    """created_at is a time in UTC with microseconds, between the call and its return."""
    before = datetime.now(UTC)
    persister.save("p", "a", 1, "x", State({}), "completed")
    after = datetime.now(UTC)
    created_at = time_of(persister.load("p", "a"))
    assert before <= created_at <= after
    assert created_at.utcoffset() == timedelta(0)


@pytest.mark.promise(7)
def test_created_at_is_not_that_of_a_load(persister: Any) -> None:
    """A load before a save does not set its time, and neither does one after it."""
    assert persister.load("p", "a") is None
    before = datetime.now(UTC)
    persister.save("p", "a", 1, "x", State({}), "completed")
    first = persister.load("p", "a")
    persister.save("p", "a", 2, "x", State({}), "completed")
    assert before <= time_of(first)
    assert persister.load("p", "a", 1) == first


@pytest.mark.promise(5, 7)
def test_created_at_stays_when_saved_again(persister: Any) -> None:
    """Neither the same record saved again nor a refused one changes the time."""
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    first = persister.load("p", "a")
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        persister.save("p", "a", 1, "x", State({"n": 2}), "completed")
    assert persister.load("p", "a") == first


@pytest.mark.promise(4, 7)
@pytest.mark.needs("durable")
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "<+14>-14"])
def test_created_at_knows_no_time_zone(persister: Any, store: Store, zone: str) -> None:
    """A writer in another time zone writes the same time, and the order is that of saving."""
    before = datetime.now(UTC)
    with process(store, "save_one", persister, "far", TZ=zone) as other:
        result(other)
    persister.save("p", "near", 0, "x", State({}), "completed")
    assert before <= time_of(persister.load("p", "far")) <= datetime.now(UTC)
    assert persister.list_app_ids("p") == ["near", "far"]
