# Code generated from templates/conformance/behaviours/refused_states.py.jinja by `make generate`. DO NOT EDIT.
"""States that cannot be stored exactly, async: refused, with the place, and no trace."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any

import pytest

from ..errors import StateNotSerializableError
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


class Text(str):
    """A text that is more than a text."""


class Whole(int):
    """An integer that is more than an integer."""


class Part(float):
    """A float that is more than a float."""


class Items(list[Any]):
    """A list that is more than a list."""


@dataclass
class Point:
    """Something with fields."""

    x: int = 1


Pair = namedtuple("Pair", ["left", "right"])
Numbers = IntEnum("Numbers", ["ONE"])
Words = StrEnum("Words", ["ONE"])
Zone = type("Zone", (tzinfo,), {"utcoffset": lambda zone, moment: timedelta(0)})
Things = Enum("Things", ["ONE"])

REFUSED = {
    "named tuple": Pair(1, 2),
    "bytearray": bytearray(b"x"),
    "datetime of another time zone": datetime(2024, 1, 1, tzinfo=Zone()),
    "time of another time zone": time(1, tzinfo=Zone()),
    "complex": 1j,
    "range": range(3),
    "object": object(),
    "class": dict,
    "function": len,
    "exception": ValueError("x"),
    "dataclass": Point(),
    "Enum": Things.ONE,
    "IntEnum": Numbers.ONE,
    "StrEnum": Words.ONE,
    "str subclass": Text("x"),
    "int subclass": Whole(1),
    "float subclass": Part(1.0),
    "list subclass": Items([1]),
    "dict subclass": OrderedDict(x=1),
    "tuple subclass": type("Row", (tuple,), {})([1]),
    "set subclass": type("Bag", (set,), {})([1]),
    "bytes subclass": type("Blob", (bytes,), {})(b"x"),
    "datetime subclass": type("Moment", (datetime,), {})(2024, 1, 1),
    "Decimal subclass": type("Amount", (Decimal,), {})(1),
    "State": State({"x": 1}),
}


async def expect_refused(persister: Any, values: dict[str, Any], *mentions: str) -> None:
    """The state is refused with these words, nothing is stored, and the persister works on."""
    with expect.raises(StateNotSerializableError, *mentions) as caught:
        await persister.save("p", "a", 1, "x", State(values), "completed")
    assert isinstance(caught.value, TypeError)
    assert await persister.list_app_ids("p") == []
    assert await persister.load("p", "a", 1) is None
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    expect.state(await persister.load("p", "a"), {"n": 1})


@pytest.mark.promise(6)
@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
async def test_value_of_another_type_is_refused(persister: Any, value: object) -> None:
    """What would come back as something else is refused, with its place."""
    await expect_refused(persister, {"ok": 1, "a": [0, 1.5, {}, value]}, "state['a'][3]")


@pytest.mark.promise(6)
@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
async def test_value_is_refused_beside_what_needs_tags(persister: Any, value: object) -> None:
    """It is refused too where the state has to be written the long way."""
    values = {"nan": float("nan"), "big": 10**5000, "lone": "\ud800", "o": {"k": value}}
    await expect_refused(persister, values, "state['o']['k']")


@pytest.mark.promise(6)
@pytest.mark.parametrize("value", [1j, Things.ONE, Pair(1, 2), len], ids=ascii)
async def test_value_is_refused_inside_a_tuple(persister: Any, value: object) -> None:
    """It is refused in a tuple too, with its place."""
    values = {"a": [(0, {"k": (value,)})]}
    await expect_refused(persister, values, "state['a'][0][1]['k'][0]")


@pytest.mark.promise(6)
@pytest.mark.parametrize("value", [1j, Things.ONE, Pair(1, 2), len], ids=ascii)
async def test_value_is_refused_inside_a_set(persister: Any, value: object) -> None:
    """It is refused in a set too, with the place of the set and the member."""
    member = (1, value)
    await expect_refused(persister, {"a": {member, 2}}, "state['a']", repr(member))
