# Code generated from templates/conformance/behaviours/interface.py.jinja by `make generate`. DO NOT EDIT.
"""The interface itself, async: names, order and defaults of every parameter."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ..persistence import AsyncBaseStatePersister
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


# Parameters with their defaults; those after the star are given by keyword only.
SIGNATURES = {
    "initialize": "(self)",
    "is_initialized": "(self)",
    "is_async": "(self)",
    "save": "(self, partition_key, app_id, sequence_id, position, state, status, **kwargs)",
    "load": "(self, partition_key, app_id, sequence_id=None, **kwargs)",
    "list_app_ids": "(self, partition_key=None, *, limit=None, **kwargs)",
    "set_serde_kwargs": "(self, serde_kwargs)",
    "copy": "(self)",
    "cleanup": "(self)",
    "close": "(self)",
}
PLAIN = {"is_async", "set_serde_kwargs", "copy"}


def bare(signature: inspect.Signature) -> str:
    """A signature without its types."""
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(parameters))


seen: list[dict[str, Any]] = []


class Recording(State):
    """A state that notes the keyword arguments of its serialize()."""

    def serialize(self, **serde_kwargs: Any) -> dict[str, Any]:
        """Note the keyword arguments."""
        seen.append(serde_kwargs)
        return super().serialize(**serde_kwargs)


@pytest.mark.promise(7)
@pytest.mark.parametrize("name", SIGNATURES)
async def test_signature(persister: Any, name: str) -> None:
    """Every class has the same operations with the same parameters."""
    method = getattr(type(persister), name)
    assert bare(inspect.signature(method)) == SIGNATURES[name]
    is_coroutine = persister.is_async() and name not in PLAIN
    assert inspect.iscoroutinefunction(method) is is_coroutine


@pytest.mark.promise(6, 12)
async def test_options_are_keyword_only(persister: Any) -> None:
    """Every constructor has the same options, by keyword only, with the same defaults."""
    for build in (type(persister), type(persister).from_values):
        parameters = inspect.signature(build).parameters
        options = {"connect_timeout": 10.0, "operation_timeout": 30.0, "max_state_bytes": None}
        assert {name: parameters[name].default for name in options} == options
        assert {parameters[name].kind for name in options} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.promise(8)
async def test_from_config_names_an_unknown_key(persister: Any) -> None:
    """A configuration with a key that is no parameter is refused by its name."""
    with expect.raises(ValueError, "no_such_key"):
        await type(persister).from_config({"no_such_key": 1})


@pytest.mark.promise(7)
async def test_is_async_is_plain(persister: Any) -> None:
    """is_async() is no coroutine in either colour."""
    assert persister.is_async() is inspect.iscoroutinefunction(persister.save)


@pytest.mark.promise(7)
async def test_persister_is_one_of_the_base(persister: Any) -> None:
    """Every class is a AsyncBaseStatePersister, so that applications take it."""
    assert isinstance(persister, AsyncBaseStatePersister)


@pytest.mark.promise(7)
async def test_keywords_in_any_order(persister: Any) -> None:
    """All parameters may be given by keyword."""
    await persister.save(
        status="failed",
        state=State({"n": 1}),
        position="x",
        sequence_id=1,
        app_id="a",
        partition_key="p",
    )
    found = await persister.load(sequence_id=1, app_id="a", partition_key="p")
    expect.record(found, position="x", status="failed", state={"n": 1})
    assert await persister.list_app_ids(limit=1, partition_key="p") == ["a"]


@pytest.mark.promise(10)
async def test_set_serde_kwargs_replaces(persister: Any, keep: Opened) -> None:
    """The state gets the keyword arguments that were set last, in a copy too."""
    seen.clear()
    persister.set_serde_kwargs({"first": 1})
    persister.set_serde_kwargs({"second": 2})
    copy = await keep(persister.copy())
    await persister.save("p", "a", 1, "x", Recording({"n": 1}), "completed")
    await copy.save("p", "a", 2, "x", Recording({"n": 2}), "completed")
    assert seen == [{"second": 2}, {"second": 2}]
    expect.state(await persister.load("p", "a", 1), {"n": 1})
