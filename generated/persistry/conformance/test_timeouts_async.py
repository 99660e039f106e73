# Code generated from templates/conformance/behaviours/timeouts.py.jinja by `make generate`. DO NOT EDIT.
"""A store that does not answer, async: no call waits for ever, and the error says why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterUnavailableError
from ..state import State
from .support import expect
from .support.column import Store
from .support.proxy import FaultProxy
from .support.together_async import Opened, attempt, fixture, marks, together

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


@pytest.fixture
def proxy(store: Store) -> Iterator[FaultProxy]:
    """A network to the store that can fail."""
    assert store.address is not None
    with FaultProxy(*store.address) as proxy:
        yield proxy


@fixture
async def far(proxy: FaultProxy, persister: Any, store: Store, keep: Opened) -> Any:
    """A persister on the other side of the proxy; it has saved one step of the application a."""
    limits = {"connect_timeout": 2.0, "operation_timeout": 5.0}
    far = await keep(store.open_through(proxy.port, **limits))
    await far.save("p", "a", 0, "x", State({"n": 0}), "completed")
    return far


def step(n: int, size: int = 0) -> dict[str, Any]:
    """The state of step n, with a text of that size."""
    return {"n": n, "text": "x" * size} if size else {"n": n}


def saving(persister: Any, n: int, size: int = 0) -> partial[Any]:
    """The save of step n of the application a."""
    return partial(persister.save, "p", "a", n, "x", State(step(n, size)), "completed")


@fixture
async def hasty(proxy: FaultProxy, far: Any, store: Store, keep: Opened) -> Any:
    """A persister beyond the proxy that waits half a second for an answer."""
    hasty = await keep(store.open_through(proxy.port, operation_timeout=0.5))
    expect.state(await hasty.load("p", "a"), {"n": 0})
    return hasty


def timed_out(outcome: Any, limit: str) -> PersisterUnavailableError:
    """The outcome is an error that names the limit which was reached."""
    assert isinstance(outcome, PersisterUnavailableError)
    expect.mentioned(outcome, limit)
    return outcome


@pytest.mark.promise(8, 12)
@pytest.mark.needs("network")
async def test_unanswered_save_ends(proxy: FaultProxy, hasty: Any) -> None:
    """A save without an answer ends, names its limit, and says that it may have saved."""
    proxy.stall()
    error = timed_out(await attempt(saving(hasty, 1)), "operation_timeout")
    assert error.may_have_saved
    expect.mentioned(error, "0.5", "'a'")


@pytest.mark.promise(9, 12)
@pytest.mark.needs("network")
async def test_unanswered_save_may_be_repeated(proxy: FaultProxy, hasty: Any) -> None:
    """After a save without an answer the same persister works, and may save the same again."""
    proxy.stall()
    timed_out(await attempt(saving(hasty, 1)), "operation_timeout")
    proxy.restore()
    await saving(hasty, 1)()
    await saving(hasty, 2)()
    expect.state(await hasty.load("p", "a", 1), {"n": 1})
    assert await hasty.list_app_ids("p") == ["a"]


@pytest.mark.promise(8, 12)
@pytest.mark.needs("network")
async def test_unanswered_reads_end(proxy: FaultProxy, hasty: Any) -> None:
    """Loads and lists without an answer end too, saved nothing, and work again later."""
    proxy.stall()
    for call in (partial(hasty.load, "p", "a"), partial(hasty.list_app_ids, "p")):
        outcome = await attempt(call)
        assert not timed_out(outcome, "_timeout").may_have_saved
    proxy.restore()
    expect.state(await hasty.load("p", "a"), {"n": 0})
    assert await hasty.list_app_ids("p") == ["a"]


@pytest.mark.promise(12)
@pytest.mark.needs("network")
async def test_connection_that_is_not_answered_ends(
    proxy: FaultProxy, far: Any, store: Store, keep: Opened
) -> None:
    """A server that takes a connection and says nothing does not hold up a new persister."""

    async def open_and_load() -> None:
        limits = {"connect_timeout": 0.5, "operation_timeout": 0.5}
        persister = await keep(store.open_through(proxy.port, **limits))
        await persister.load("p", "a")

    proxy.stall()
    timed_out(await attempt(open_and_load), "_timeout")
    proxy.restore()
    assert await attempt(open_and_load) is None


@pytest.mark.promise(9, 12)
@pytest.mark.needs("network")
async def test_many_unanswered_saves_end(proxy: FaultProxy, hasty: Any) -> None:
    """Many callers that wait at once all get their error, and later all their answer."""
    saves = [saving(hasty, n) for n in range(1, 17)]
    proxy.stall()
    for outcome in await together(*saves):
        timed_out(outcome, "_timeout")
    proxy.restore()
    assert await together(*saves) == [None] * 16
    expect.record(await hasty.load("p", "a"), sequence_id=16)


@pytest.mark.promise(9, 12)
@pytest.mark.needs("network")
async def test_frozen_server_is_left_and_found_again(store: Store, keep: Opened) -> None:
    """Calls to a server that hangs end by their limit; once it goes on, so does the persister."""
    server = store.server()
    persister = await keep(server.open(operation_timeout=0.5))
    await persister.initialize()
    await saving(persister, 0)()
    server.pause()
    timed_out(await attempt(saving(persister, 1)), "_timeout")
    server.resume()
    await saving(persister, 1)()
    expect.state(await persister.load("p", "a"), {"n": 1})
