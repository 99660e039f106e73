# Code generated from templates/conformance/behaviours/network.py.jinja by `make generate`. DO NOT EDIT.
"""A network that fails, sync: told apart, told in time, and over when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterUnavailableError, StateConflictError
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


SIZES = [0, 100_000]  # of the text in a state; stores may send a large one in another way


def told_the_truth(outcome: Any, found: Any) -> None:
    """What a save returned or raised agrees with what is stored now."""
    if outcome is None:
        assert found is not None
    else:
        assert isinstance(outcome, PersisterUnavailableError)
        assert outcome.may_have_saved or found is None


@pytest.mark.promise(8, 9, 12)
@pytest.mark.needs("network")
@pytest.mark.parametrize("size", SIZES)
def test_lost_reply_saves_once(proxy: FaultProxy, far: Any, persister: Any, size: int) -> None:
    """A save whose reply is lost succeeds or says that it may have; saving again is accepted."""
    proxy.lose_next_reply()
    outcome = attempt(saving(far, 1, size))
    assert outcome is None or outcome.may_have_saved
    persister.save("p", "b", 0, "x", State({}), "completed")
    saving(far, 1, size)()
    assert persister.list_app_ids("p") == ["b", "a"]
    expect.record(persister.load("p", "a"), sequence_id=1, state=step(1, size))


@pytest.mark.promise(8, 12)
@pytest.mark.needs("network")
@pytest.mark.parametrize("size", SIZES)
def test_lost_replies_say_that_it_may_be_saved(proxy: FaultProxy, far: Any, size: int) -> None:
    """A save that never gets a reply says so, names its key, and may be saved again later."""
    proxy.lose_replies()
    with expect.raises(PersisterUnavailableError, "'a'") as caught:
        saving(far, 1, size)()
    assert caught.value.may_have_saved
    assert caught.value.__cause__ is not None
    # It is repeated once at the most; a driver may ask more often how the server is.
    assert proxy.lost and (not size or proxy.lost_bytes < 2.5 * size)
    proxy.restore()
    saving(far, 1, size)()
    expect.record(far.load("p", "a"), sequence_id=1, state=step(1, size))


@pytest.mark.promise(5, 12)
@pytest.mark.needs("network")
def test_lost_reply_hides_no_conflict(proxy: FaultProxy, far: Any) -> None:
    """Another state under a key is not taken for the own one whose reply was lost."""
    proxy.lose_next_reply()
    outcome = attempt(partial(far.save, "p", "a", 0, "x", State({"n": "other"}), "completed"))
    assert isinstance(outcome, StateConflictError | PersisterUnavailableError)
    expect.state(far.load("p", "a", 0), {"n": 0})


@pytest.mark.promise(8, 9)
@pytest.mark.needs("network")
def test_lost_reply_to_a_load(proxy: FaultProxy, far: Any) -> None:
    """A load whose reply is lost gives the record or says that it cannot; then all is well."""
    proxy.lose_next_reply()
    outcome = attempt(partial(far.load, "p", "a"))
    if isinstance(outcome, Exception):
        assert isinstance(outcome, PersisterUnavailableError)
        assert not outcome.may_have_saved
    else:
        expect.state(outcome, {"n": 0})
    expect.state(far.load("p", "a"), {"n": 0})


@pytest.mark.promise(9)
@pytest.mark.needs("network")
def test_idle_connection_that_was_cut(proxy: FaultProxy, far: Any) -> None:
    """A connection that is lost between two calls is not noticed by the next call of any kind."""
    proxy.cut()
    saving(far, 1)()
    proxy.cut()
    expect.state(far.load("p", "a"), {"n": 1})
    proxy.cut()
    assert far.list_app_ids("p") == ["a"]


@pytest.mark.promise(5, 9)
@pytest.mark.needs("network")
def test_cuts_lose_no_acknowledged_save(proxy: FaultProxy, far: Any) -> None:
    """While connections are cut, what was acknowledged is kept, and all may be saved again."""
    for n in range(1, 81, 8):
        proxy.lose_next_reply()
        outcomes = together(*[saving(far, n + m) for m in range(8)])
        for m, outcome in enumerate(outcomes):
            told_the_truth(outcome, far.load("p", "a", n + m))
            saving(far, n + m)()
    for n in range(81):
        expect.state(far.load("p", "a", n), {"n": n})
