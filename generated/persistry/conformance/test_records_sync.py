# Code generated from spec/conformance/records.yaml by `make generate`. DO NOT EDIT.
"""Records: the scenarios of spec/conformance/records.yaml, sync."""

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


@pytest.mark.promise(7)
def test_record_has_every_field(persister: Any) -> None:
    """The latest of an application comes with its whole key, its state and its status."""
    persister.save("tenant", "order-17", 42, "pay", State({"n": 1}), "completed")
    expect.record(
        persister.load("tenant", "order-17"),
        partition_key="tenant",
        app_id="order-17",
        sequence_id=42,
        position="pay",
        state={"n": 1},
        status="completed",
    )


@pytest.mark.promise(7)
def test_record_at_a_sequence_has_every_field(persister: Any) -> None:
    """A record asked for by its sequence has the same shape."""
    persister.save("tenant", "order-17", 42, "pay", State({"n": 1}), "failed")
    expect.record(
        persister.load("tenant", "order-17", 42),
        partition_key="tenant",
        app_id="order-17",
        sequence_id=42,
        position="pay",
        state={"n": 1},
        status="failed",
    )


@pytest.mark.promise(7)
def test_record_of_a_partition_has_every_field(persister: Any) -> None:
    """The latest of a partition has the same shape and names its application."""
    persister.save("tenant", "order-17", 42, "pay", State({"n": 1}), "completed")
    expect.record(
        persister.load("tenant", None),
        partition_key="tenant",
        app_id="order-17",
        sequence_id=42,
        position="pay",
        state={"n": 1},
        status="completed",
    )


@pytest.mark.promise(7)
def test_record_of_the_default_partition_names_it_as_text(persister: Any) -> None:
    """The default partition is the empty text in a record, never None."""
    persister.save(None, "a", 0, "x", State({}), "completed")
    expect.record(
        persister.load(None, None),
        partition_key="",
        app_id="a",
        sequence_id=0,
        position="x",
        state={},
        status="completed",
    )


@pytest.mark.promise(7)
def test_record_keeps_a_status_of_its_own(persister: Any) -> None:
    """Any text is a status and comes back as it was."""
    persister.save("p", "a", 1, "x", State({}), "waiting for a person \u2013 50%")
    expect.record(persister.load("p", "a"), status="waiting for a person \u2013 50%")


@pytest.mark.promise(7)
def test_record_keeps_an_empty_status(persister: Any) -> None:
    """The empty text is a status."""
    persister.save("p", "a", 1, "x", State({}), "")
    expect.record(persister.load("p", "a"), status="")


@pytest.mark.promise(7)
def test_record_keeps_the_case_of_a_status(persister: Any) -> None:
    """A status keeps its capitals and its spaces."""
    persister.save("p", "a", 1, "x", State({}), " Completed ")
    expect.record(persister.load("p", "a"), status=" Completed ")


@pytest.mark.promise(7)
def test_record_keeps_the_number_of_a_sequence(persister: Any) -> None:
    """A sequence_id comes back as the integer it was, above every float."""
    persister.save("p", "a", 9007199254740993, "x", State({}), "completed")
    expect.record(persister.load("p", None), sequence_id=9007199254740993)
