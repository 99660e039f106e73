# Code generated from templates/conformance/behaviours/states.py.jinja by `make generate`. DO NOT EDIT.
"""States and their limits, async: cycles, sizes, and objects that stay one's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import pytest

from ..errors import StateConflictError, StateNotSerializableError, StateTooLargeError
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


@pytest.mark.promise(6)
async def test_state_that_contains_itself_is_refused(persister: Any) -> None:
    """A list or an object that contains itself has no text and is refused, with its place."""
    endless_list: list[Any] = []
    endless_list.append(endless_list)
    endless_dict: dict[str, Any] = {"text": "x"}
    endless_dict["inner"] = [endless_dict]
    for endless in (endless_list, endless_dict):
        with expect.raises(StateNotSerializableError, "state['a']"):
            state = State({"n": float("nan"), "a": endless})
            await persister.save("p", "a", 1, "x", state, "completed")
    assert await persister.list_app_ids("p") == []


@pytest.mark.promise(6)
async def test_state_that_repeats_a_part_is_saved(persister: Any) -> None:
    """One object in several places is no circle; it comes back in each of them."""
    part = {"l": [1]}
    values = {"a": part, "b": [part, part], "c": {"d": part}}
    await persister.save("p", "a", 1, "x", State(values), "completed")
    expect.state(await persister.load("p", "a"), values)


@pytest.mark.promise(2)
@pytest.mark.parametrize("state", [{"n": 1}, None, "{}", b"{}", [], 1, State], ids=ascii)
async def test_state_that_is_no_state_is_refused(persister: Any, state: object) -> None:
    """Only a State is a state; a dict is named as a wrong argument."""
    with expect.raises(TypeError, "state"):
        await persister.save("p", "a", 1, "x", state, "completed")
    assert await persister.list_app_ids("p") == []


@pytest.mark.promise(6)
@pytest.mark.parametrize(
    "text", ["x" * 200, "\u00e9" * 100, "\U0001f600" * 50], ids=["1", "2", "4"]
)
async def test_too_large_state_is_refused(
    persister: Any, store: Store, keep: Opened, text: str
) -> None:
    """A state over the limit is refused with its size and the limit; one of that size is not."""
    exact = await keep(store.open(max_state_bytes=208))  # {"t":"..."}
    small = await keep(store.open(max_state_bytes=207))
    with expect.raises(StateTooLargeError, "207", "208") as caught:
        await small.save("p", "a", 1, "x", State({"t": text}), "completed")
    assert isinstance(caught.value, ValueError)
    assert await persister.list_app_ids("p") == []
    await exact.save("p", "a", 1, "x", State({"t": text}), "completed")
    expect.state(await small.load("p", "a"), {"t": text})
    await small.save("p", "a", 2, "x", State({"t": "small"}), "completed")


@pytest.mark.promise(5, 6)
@pytest.mark.parametrize("size", [60_000, 65_500, 65_536, 70_000, 2_000_000])
async def test_large_state_comes_back(persister: Any, size: int) -> None:
    """A large state comes back from every kind of load, and is repeated and refused like any."""
    text = "x\u00e9\0" * (size // 3)
    values = {"first": text, "l": [text[::-1]]}
    await persister.save("p", "a", 1, "x", State(values), "completed")
    await persister.save("p", "a", 1, "x", State(values), "completed")
    with pytest.raises(StateConflictError):
        other = State({"first": text, "l": [text[::-1] + "x"]})
        await persister.save("p", "a", 1, "x", other, "completed")
    await persister.save("p", "a", 1, "y", State(values), "completed")
    for load in (("p", "a"), ("p", "a", 1), ("p", None)):
        expect.record(await persister.load(*load), position="y", state=values)


@pytest.mark.promise(6)
async def test_save_leaves_the_state_alone(persister: Any) -> None:
    """Saving changes nothing in the state that was given."""
    values = {"l": [1, {"n": float("inf")}], "lone": "\ud800", "__persistry__": {"big": 10**5000}}
    state = State(deepcopy(values))
    await persister.save("p", "a", 1, "x", state, "completed")
    expect.returns(state.get_all(), values)


@pytest.mark.promise(6)
async def test_what_is_saved_does_not_change_later(persister: Any) -> None:
    """Changing a list after it was saved, or after it was loaded, changes nothing stored."""
    inner = {"l": [1]}
    await persister.save("p", "a", 1, "x", State({"o": inner}), "completed")
    inner["l"].append(2)
    found = await persister.load("p", "a")
    found["state"]["o"]["l"].append(3)
    found["status"] = "changed"
    expect.record(await persister.load("p", "a"), status="completed", state={"o": {"l": [1]}})


class Failing(State):
    """A state whose own code fails."""

    def serialize(self, **serde_kwargs: Any) -> dict[str, Any]:
        """Fail."""
        raise ZeroDivisionError


@pytest.mark.promise(9)
async def test_state_that_fails_does_no_harm(persister: Any) -> None:
    """An error in a state's own code comes out as it is; the persister works on."""
    with pytest.raises(ZeroDivisionError):
        await persister.save("p", "a", 1, "x", Failing({"n": 1}), "completed")
    assert await persister.load("p", "a") is None
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
