# Code generated from templates/conformance/behaviours/timeouts.py.jinja by `make generate`. DO NOT EDIT.
"""A store that does not answer, sync: no call waits for ever, and the error says why."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterUnavailableError
from ..state import State
from .support import expect
from .support.column import Store
from .support.proxy import FaultProxy
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


@pytest.fixture
def proxy(store: Store) -> Iterator[FaultProxy]:
    """A network to the store that can fail."""
    assert store.address is not None
    with FaultProxy(*store.address) as proxy:
        yield proxy


@fixture
def far(proxy: FaultProxy, persister: Any, store: Store, keep: Opened) -> Any:
    """A persister on the other side of the proxy; it has saved one step of the application a."""
    limits = {"connect_timeout": 2.0, "operation_timeout": 5.0}
    far = keep(store.open_through(proxy.port, **limits))
    far.save("p", "a", 0, "x", State({"n": 0}), "completed")
    return far


def step(n: int, size: int = 0) -> dict[str, Any]:
    """The state of step n, with a text of that size."""
    return {"n": n, "text": "x" * size} if size else {"n": n}


def saving(persister: Any, n: int, size: int = 0) -> partial[Any]:
    """The save of step n of the application a."""
    return partial(persister.save, "p", "a", n, "x", State(step(n, size)), "completed")


@fixture
def hasty(proxy: FaultProxy, far: Any, store: Store, keep: Opened) -> Any:
    """A persister beyond the proxy that waits half a second for an answer."""
    hasty = keep(store.open_through(proxy.port, operation_timeout=0.5))
    expect.state(hasty.load("p", "a"), {"n": 0})
    return hasty


def timed_out(outcome: Any, limit: str) -> PersisterUnavailableError:
    """The outcome is an error that names the limit which was reached."""
    assert isinstance(outcome, PersisterUnavailableError)
    expect.mentioned(outcome, limit)
    return outcome


@pytest.mark.promise(8, 12)
@pytest.mark.needs("network")
def test_unanswered_save_ends(proxy: FaultProxy, hasty: Any) -> None:
    """A save without an answer ends, names its limit, and says that it may have saved."""
    proxy.stall()
    error = timed_out(attempt(saving(hasty, 1)), "operation_timeout")
    assert error.may_have_saved
    expect.mentioned(error, "0.5", "'a'")


@pytest.mark.promise(9, 12)
@pytest.mark.needs("network")
def test_unanswered_save_may_be_repeated(proxy: FaultProxy, hasty: Any) -> None:
    """After a save without an answer the same persister works, and may save the same again."""
    proxy.stall()
    timed_out(attempt(saving(hasty, 1)), "operation_timeout")
    proxy.restore()
    saving(hasty, 1)()
    saving(hasty, 2)()
    expect.state(hasty.load("p", "a", 1), {"n": 1})
    assert hasty.list_app_ids("p") == ["a"]


@pytest.mark.promise(8, 12)
@pytest.mark.needs("network")
def test_unanswered_reads_end(proxy: FaultProxy, hasty: Any) -> None:
    """Loads and lists without an answer end too, saved nothing, and work again later."""
    proxy.stall()
    for call in (partial(hasty.load, "p", "a"), partial(hasty.list_app_ids, "p")):
        outcome = attempt(call)
        assert not timed_out(outcome, "_timeout").may_have_saved
    proxy.restore()
    expect.state(hasty.load("p", "a"), {"n": 0})
    assert hasty.list_app_ids("p") == ["a"]


@pytest.mark.promise(12)
@pytest.mark.needs("network")
def test_connection_that_is_not_answered_ends(
    proxy: FaultProxy, far: Any, store: Store, keep: Opened
) -> None:
    """A server that takes a connection and says nothing does not hold up a new persister."""

    def open_and_load() -> None:
        limits = {"connect_timeout": 0.5, "operation_timeout": 0.5}
        persister = keep(store.open_through(proxy.port, **limits))
        persister.load("p", "a")

    proxy.stall()
    timed_out(attempt(open_and_load), "_timeout")
    proxy.restore()
    assert attempt(open_and_load) is None


@pytest.mark.promise(9, 12)
@pytest.mark.needs("network")
def test_many_unanswered_saves_end(proxy: FaultProxy, hasty: Any) -> None:
    """Many callers that wait at once all get their error, and later all their answer."""
    saves = [saving(hasty, n) for n in range(1, 17)]
    proxy.stall()
    for outcome in together(*saves):
        timed_out(outcome, "_timeout")
    proxy.restore()
    assert together(*saves) == [None] * 16
    expect.record(hasty.load("p", "a"), sequence_id=16)


@pytest.mark.promise(9, 12)
@pytest.mark.needs("network")
def test_frozen_server_is_left_and_found_again(store: Store, keep: Opened) -> None:
    """Calls to a server that hangs end by their limit; once it goes on, so does the persister."""
    server = store.server()
    persister = keep(server.open(operation_timeout=0.5))
    persister.initialize()
    saving(persister, 0)()
    server.pause()
    timed_out(attempt(saving(persister, 1)), "_timeout")
    server.resume()
    saving(persister, 1)()
    expect.state(persister.load("p", "a"), {"n": 1})
