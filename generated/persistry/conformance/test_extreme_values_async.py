# Code generated from templates/conformance/behaviours/extreme_values.py.jinja by `make generate`. DO NOT EDIT.
"""Values that a scenario cannot write down, async: very deep, very large, all at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from math import inf, nan, nextafter
from typing import Any

import pytest

from ..errors import StateConflictError
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


async def expect_kept(persister: Any, values: dict[str, Any]) -> None:
    """The values come back from every kind of load, and may be saved again."""
    save = partial(persister.save, "p", "a", 1, "x", State(values), "completed")
    await save()
    for load in (("p", "a"), ("p", "a", 1), ("p", None)):
        expect.state(await persister.load(*load), values)
    await save()


def nested(levels: int, core: Any) -> Any:
    """A value inside that many lists and dicts, in turn."""
    for level in range(levels):
        core = [core, level] if level % 2 else {"level": level, "core": core}
    return core


@pytest.mark.promise(6)
@pytest.mark.parametrize("levels", [100, 253, 254, 255, 1000, 10_000])
async def test_deep_state_comes_back(persister: Any, levels: int) -> None:
    """A state may be nested as deep as memory allows."""
    await expect_kept(persister, {"deep": nested(levels, "core")})


@pytest.mark.promise(6)
async def test_deep_state_with_everything_in_it(persister: Any) -> None:
    """Numbers and texts that JSON cannot write come back from the depth too."""
    core = [nan, inf, -inf, -0.0, 10**5000, "\ud83d" + "\ude00", {"__persistry__": "x"}, "\0"]
    await expect_kept(persister, {"deep": nested(2000, core)})


@pytest.mark.promise(5, 6)
async def test_deep_states_are_compared_to_the_end(persister: Any) -> None:
    """Two states that differ only at a depth of 2,000 conflict."""
    await expect_kept(persister, {"deep": nested(2_000, 1)})
    for core in (1.0, True, [1]):
        other = State({"deep": nested(2_000, core)})
        with pytest.raises(StateConflictError):
            await persister.save("p", "a", 1, "x", other, "completed")


@pytest.mark.promise(6)
@pytest.mark.parametrize("digits", [4300, 4301, 5000])
async def test_integer_of_thousands_of_digits_comes_back(persister: Any, digits: int) -> None:
    """An integer of more digits than Python writes comes back, at the top and inside."""
    number = 7 * 10 ** (digits - 1) + 1
    await expect_kept(persister, {"n": number, "l": [{"n": -number}, number + 1]})


@pytest.mark.promise(5, 6)
async def test_integers_of_thousands_of_digits_are_compared(persister: Any) -> None:
    """Two such integers that differ in the last digit conflict."""
    await expect_kept(persister, {"n": 10**5000})
    with pytest.raises(StateConflictError):
        other = State({"n": 10**5000 + 1})
        await persister.save("p", "a", 1, "x", other, "completed")


@pytest.mark.promise(6)
async def test_every_character_comes_back(persister: Any) -> None:
    """Every code point there is comes back, the surrogates among them."""
    text = "".join(map(chr, range(0x110000)))
    planes = [text[start : start + 0x10000] for start in range(0, len(text), 0x10000)]
    await expect_kept(persister, {"planes": planes, text[:0x300]: text[0xD700:0xE100]})


@pytest.mark.promise(6)
async def test_floats_of_every_size_come_back(persister: Any) -> None:
    """Floats of every exponent come back to the last bit, and so do their neighbours."""
    powers = [2.0**exponent for exponent in range(-1074, 1024)]
    above = [nextafter(power, inf) for power in powers]
    below = [-nextafter(power, -inf) for power in powers]
    await expect_kept(persister, {"powers": powers, "above": above, "below": below})


@pytest.mark.promise(6)
async def test_integers_of_every_size_come_back(persister: Any) -> None:
    """Integers around every power of two come back exactly."""
    numbers = [sign * 2**n + more for n in range(200) for more in (-1, 0, 1) for sign in (-1, 1)]
    await expect_kept(persister, {"numbers": numbers})


@pytest.mark.promise(6)
async def test_many_keys_stay_in_order(persister: Any) -> None:
    """Ten thousand keys come back in their order."""
    keys = [f"{n * 7919 % 10_000}" for n in range(10_000)]
    await expect_kept(persister, dict.fromkeys(keys, 0) | {"inner": dict.fromkeys(keys)})


@pytest.mark.promise(5, 6)
async def test_value_differs_from_what_is_written_for_it(persister: Any) -> None:
    """A dict that looks like what the store writes for a huge integer is not that integer."""
    tag = {"__persistry__": ["int", hex(10**5000)]}
    await expect_kept(persister, {"n": 10**5000})
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": tag}), "completed")
