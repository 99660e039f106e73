# Code generated from spec/conformance/life.yaml by `make generate`. DO NOT EDIT.
"""Life: the scenarios of spec/conformance/life.yaml, sync."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..errors import NotInitializedError
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


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_save_before_initialize_says_what_to_do(fresh: Any) -> None:
    """A save to a store that was never initialised says what to call."""
    persister = fresh
    with expect.raises(NotInitializedError, "initialize()"):
        persister.save("p", "a", 1, "x", State({}), "completed")


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_load_before_initialize_says_what_to_do(fresh: Any) -> None:
    """A load from a store that was never initialised says what to call."""
    persister = fresh
    with expect.raises(NotInitializedError, "initialize()"):
        persister.load("p", "a")


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_load_of_a_sequence_before_initialize_says_what_to_do(fresh: Any) -> None:
    """A load at a sequence from a store that was never initialised says what to call."""
    persister = fresh
    with expect.raises(NotInitializedError, "initialize()"):
        persister.load("p", "a", 1)


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_load_of_a_partition_before_initialize_says_what_to_do(fresh: Any) -> None:
    """A load of a partition from a store that was never initialised says what to call."""
    persister = fresh
    with expect.raises(NotInitializedError, "initialize()"):
        persister.load("p", None)


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_list_before_initialize_says_what_to_do(fresh: Any) -> None:
    """Listing a store that was never initialised says what to call."""
    persister = fresh
    with expect.raises(NotInitializedError, "initialize()"):
        persister.list_app_ids("p")


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_not_initialized_is_a_runtime_error(fresh: Any) -> None:
    """A missing initialize() is caught as a RuntimeError too."""
    persister = fresh
    with expect.raises(RuntimeError, "initialize()"):
        persister.save("p", "a", 1, "x", State({}), "completed")


@pytest.mark.promise(2)
def test_arguments_are_checked_before_initialize_is_missed(fresh: Any) -> None:
    """A wrong argument is named although the store was never initialised."""
    persister = fresh
    with expect.raises(ValueError, "sequence_id"):
        persister.save("p", "a", -1, "x", State({}), "completed")


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_fresh_store_is_not_initialized(fresh: Any) -> None:
    """A store that was never initialised says so."""
    persister = fresh
    expect.returns(persister.is_initialized(), False)


@pytest.mark.promise(8)
@pytest.mark.needs("initialize")
def test_not_initialized_is_not_remembered(fresh: Any) -> None:
    """Having said no, a persister says yes once the store is initialised."""
    persister = fresh
    with pytest.raises(NotInitializedError):
        persister.save("p", "a", 1, "x", State({}), "completed")
    persister.initialize()
    expect.returns(persister.is_initialized(), True)


@pytest.mark.promise(9)
@pytest.mark.needs("initialize")
def test_work_goes_on_after_a_late_initialize(fresh: Any) -> None:
    """After an error for want of initialize(), the same persister works once it is called."""
    persister = fresh
    with pytest.raises(NotInitializedError):
        persister.save("p", "a", 1, "x", State({}), "completed")
    with pytest.raises(NotInitializedError):
        persister.load("p", "a")
    with pytest.raises(NotInitializedError):
        persister.list_app_ids()
    persister.initialize()
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    expect.record(persister.load("p", "a"), state={"n": 1})


@pytest.mark.promise(8)
def test_initialized_store_says_so(fresh: Any) -> None:
    """After initialize() a persister says that it is initialised."""
    persister = fresh
    persister.initialize()
    expect.returns(persister.is_initialized(), True)


@pytest.mark.promise(8)
def test_store_is_initialized_after_a_save(persister: Any) -> None:
    """Once something was saved, a persister says that it is initialised."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(persister.is_initialized(), True)


@pytest.mark.promise(5)
def test_initialize_again_keeps_the_records(persister: Any) -> None:
    """Calling initialize() again loses nothing."""
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    persister.initialize()
    persister.initialize()
    expect.record(persister.load("p", "a"), state={"n": 1})


@pytest.mark.promise(4)
def test_initialize_again_keeps_the_order(persister: Any) -> None:
    """Calling initialize() again leaves the order of the list alone."""
    persister.save("p", "b", 1, "x", State({}), "completed")
    persister.save("p", "a", 1, "x", State({}), "completed")
    persister.save("p", "c", 1, "x", State({}), "completed")
    persister.initialize()
    expect.returns(persister.list_app_ids("p"), ["c", "a", "b"])
