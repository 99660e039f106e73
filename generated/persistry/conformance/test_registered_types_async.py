# Code generated from templates/conformance/behaviours/registered_types.py.jinja by `make generate`. DO NOT EDIT.
"""Values of an application's own classes, async: stored once they are registered, exactly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

import pytest

from .. import register_type, registry
from ..errors import CorruptStateError, StateConflictError, StateNotSerializableError
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


class Colour(Enum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Order:
    """A dataclass whose fields hold values of other registered types."""

    items: tuple[str, ...]
    colour: Colour
    before: Order | None = None


class Fragile:
    """A class whose functions fail when they are told to."""

    fails = False

    @classmethod
    def passed(cls, value: Any) -> Any:
        """Return what belongs there, or fail."""
        if cls.fails:
            raise KeyError("told to")
        return "payload" if isinstance(value, Fragile) else Fragile()


FIELDS = ("items", "colour", "before")
register_type(Colour, f"{COLOUR}.Colour", lambda it: it.value, Colour)
register_type(
    Order,
    f"{COLOUR}.Order",
    lambda it: {name: getattr(it, name) for name in FIELDS},
    lambda it: Order(**it),
)
register_type(Fragile, f"{COLOUR}.Fragile", Fragile.passed, Fragile.passed)

ORDER = Order(("tea", "milk"), Colour.RED, Order((), Colour.BLUE))
VALUES = {
    "c": Colour.BLUE,
    "o": [ORDER, (ORDER,)],
    "s": {Colour.RED, ORDER, (ORDER, 1)},
    "n": float("nan"),
}


async def save(persister: Any, values: dict[str, Any]) -> None:
    """Save the values under the one key."""
    await persister.save("p", "a", 1, "x", State(values), "completed")


@pytest.mark.promise(6)
async def test_values_of_registered_types_come_back(persister: Any) -> None:
    """They come back from every kind of load, in lists, tuples, sets and one another."""
    await save(persister, VALUES)
    for load in (("p", "a"), ("p", "a", 1), ("p", None)):
        expect.state(await persister.load(*load), VALUES)


@pytest.mark.promise(5)
async def test_values_of_registered_types_are_compared(persister: Any) -> None:
    """The same again is accepted; another value, and what is written for one, are other states."""
    await save(persister, {"o": ORDER})
    await save(persister, {"o": Order(("tea", "milk"), Colour.RED, Order((), Colour.BLUE))})
    others = [
        asdict(ORDER),
        Order(("tea", "milk"), Colour.BLUE),
        {"__persistry__": [f"{COLOUR}.Order", {}]},
    ]
    for other in others:
        with pytest.raises(StateConflictError):
            await save(persister, {"o": other})
    expect.state(await persister.load("p", "a"), {"o": ORDER})


@pytest.mark.promise(6)
async def test_type_that_is_not_registered_here(
    persister: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a type is not registered, a load says so, and a save of the same does no harm."""
    await save(persister, {"c": [Colour.RED]})
    with monkeypatch.context() as patch:
        patch.delitem(registry.by_name, f"{COLOUR}.Colour")
        with expect.raises(CorruptStateError, "register_type(", f"'{COLOUR}.Colour'", "'a'"):
            await persister.load("p", "a")
        await save(persister, {"c": [Colour.RED]})
        await persister.save("p", "b", 1, "x", State({}), "completed")
    expect.state(await persister.load("p", "a"), {"c": [Colour.RED]})


@pytest.mark.promise(8, 9)
async def test_functions_that_fail(persister: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the registered functions names the place or the type, and does no harm."""
    await save(persister, {"f": [Fragile()]})
    monkeypatch.setattr(Fragile, "fails", True)
    with expect.raises(
        StateNotSerializableError, "state['f'][0]", f"{COLOUR}.Fragile", "told to"
    ) as refused:
        await persister.save("p", "b", 1, "x", State({"f": [Fragile()]}), "completed")
    assert isinstance(refused.value.__cause__, KeyError)
    with expect.raises(CorruptStateError, f"{COLOUR}.Fragile", "told to", "'a'"):
        await persister.load("p", "a")
    assert await persister.list_app_ids("p") == ["a"]
    monkeypatch.setattr(Fragile, "fails", False)
    found = await persister.load("p", "a")
    assert type(found["state"]["f"][0]) is Fragile
