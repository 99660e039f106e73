# Code generated from templates/conformance/behaviours/outages.py.jinja by `make generate`. DO NOT EDIT.
"""A store that is gone for a while, async: the right error, and the next call works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterClosedError, PersisterUnavailableError
from ..state import State
from .support import expect
from .support.column import Store
from .support.proxy import FaultProxy
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


@pytest.mark.promise(8)
@pytest.mark.needs("network")
async def test_every_call_to_a_dead_server_says_so(proxy: FaultProxy, far: Any) -> None:
    """With nobody listening, every operation fails as a ConnectionError, with its cause."""
    proxy.refuse()
    calls = [
        saving(far, 1),
        partial(far.load, "p", "a"),
        partial(far.load, "p", None),
        partial(far.list_app_ids, "p"),
        far.initialize,
    ]
    for call in calls:
        with expect.raises(PersisterUnavailableError) as caught:
            await call()
        assert isinstance(caught.value, ConnectionError)
        assert caught.value.__cause__ is not None


@pytest.mark.promise(8, 9)
@pytest.mark.needs("network")
async def test_refused_connection_saved_nothing(proxy: FaultProxy, far: Any) -> None:
    """A save that could not even connect says that nothing was saved, and so it is."""
    proxy.refuse()
    first = await attempt(partial(far.load, "p", "a"))
    assert isinstance(first, PersisterUnavailableError)
    with expect.raises(PersisterUnavailableError, "'a'") as caught:
        await saving(far, 1)()
    assert caught.value.may_have_saved is False
    proxy.restore()
    assert await far.load("p", "a", 1) is None
    await saving(far, 1)()
    expect.state(await far.load("p", "a"), {"n": 1})


@pytest.mark.promise(2)
@pytest.mark.needs("network")
async def test_arguments_are_checked_before_the_server_is_asked(
    proxy: FaultProxy, far: Any
) -> None:
    """A wrong argument is named although the server is gone."""
    proxy.refuse()
    with expect.raises(ValueError, "sequence_id"):
        await far.save("p", "a", -1, "x", State({}), "completed")
    with expect.raises(TypeError, "app_id"):
        await far.load("p", 42)
    with expect.raises(ValueError, "limit"):
        await far.list_app_ids("p", limit=-1)
    with expect.raises(TypeError, "state['n']"):
        await far.save("p", "a", 1, "x", State({"n": object()}), "completed")


@pytest.mark.promise(10)
@pytest.mark.needs("network")
async def test_cleanup_needs_no_server(proxy: FaultProxy, far: Any) -> None:
    """A persister is cleaned up quietly although its server is gone."""
    proxy.refuse()
    await far.cleanup()
    with pytest.raises(PersisterClosedError):
        await far.load("p", "a")


@pytest.mark.promise(9)
@pytest.mark.needs("network")
@pytest.mark.parametrize("size", [0, 100_000])
async def test_next_call_works_after_a_restart(store: Store, keep: Opened, size: int) -> None:
    """A server that was killed and is back is not noticed by the next call."""
    server = store.server()
    persister = await keep(server.open())
    await persister.initialize()
    await saving(persister, 0)()
    for n in range(1, 4):
        server.kill()
        server.restart()
        await saving(persister, n, size)()
        expect.state(await persister.load("p", "a"), step(n, size))
    assert await persister.list_app_ids("p") == ["a"]


@pytest.mark.promise(8, 9)
@pytest.mark.needs("network")
async def test_next_call_works_after_failed_ones(store: Store, keep: Opened) -> None:
    """Calls to a killed server fail as they should, and the first one after its return works."""
    server = store.server()
    # Some drivers wait for a server that is gone until the time for connecting is over.
    persister = await keep(server.open(connect_timeout=2.0))
    await persister.initialize()
    await saving(persister, 0)()
    server.kill()
    for call in (saving(persister, 1), partial(persister.load, "p", "a")) * 3:
        assert isinstance(await attempt(call), PersisterUnavailableError)
    server.restart()
    expect.state(await persister.load("p", "a", 0), {"n": 0})
    await saving(persister, 1)()
    expect.record(await persister.load("p", "a"), sequence_id=1, state={"n": 1})
