# Code generated from templates/conformance/behaviours/argument_limits.py.jinja by `make generate`. DO NOT EDIT.
"""Arguments that a scenario cannot write down, async: at the limits, and of any type."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

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


TEXTS = ["partition_key", "app_id", "position", "status"]
LONG = {  # 512 bytes of UTF-8
    "ascii": "x" * 512,
    "two bytes each": "\u00e9" * 256,
    "three and one": "\u20ac" * 170 + "xy",
    "four bytes each": "\U0001f600" * 128,
    "colons": ":" * 512,
    "per cent signs": "%" * 512,
    "controls": "\x01" * 512,
    "quotes": "\"'" * 256,
}


def kind(value: object) -> str:
    """A name for a test: unlike its repr, the same in every process."""
    return type(value).__name__


def arguments(**others: object) -> dict[str, Any]:
    """The arguments of a save, some of them given."""
    usual = {"partition_key": "p", "app_id": "a", "sequence_id": 1, "position": "x"}
    return usual | {"state": State({"n": 1}), "status": "completed"} | others


@pytest.mark.promise(2)
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
async def test_texts_of_512_bytes_are_taken(persister: Any, text: str) -> None:
    """512 bytes of UTF-8 fit into every text at once, and come back in a record and a list."""
    await persister.save(**arguments(**dict.fromkeys(TEXTS, text)))
    expected = dict.fromkeys(TEXTS, text)
    expect.record(await persister.load(text, text), **expected)
    expect.record(await persister.load(text, text, 1), **expected)
    expect.record(await persister.load(text, None), **expected)
    assert await persister.list_app_ids(text) == [text]


@pytest.mark.promise(2)
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
@pytest.mark.parametrize("name", TEXTS)
async def test_text_of_513_bytes_is_refused(persister: Any, name: str, text: str) -> None:
    """One byte more is refused by the name of its parameter, and nothing is stored."""
    with expect.raises(ValueError, name, "512"):
        await persister.save(**arguments(**{name: text + "x"}))
    assert await persister.list_app_ids("p") == []


@pytest.mark.promise(2)
async def test_texts_of_512_bytes_are_told_apart(persister: Any) -> None:
    """Texts of full length that differ in their last letter are different keys."""
    for last in "ab":
        app_id = "x" * 511 + last
        await persister.save(**arguments(app_id=app_id, state=State({"of": last})))
    expect.state(await persister.load("p", "x" * 511 + "a"), {"of": "a"})
    expect.state(await persister.load("p", "x" * 511 + "b"), {"of": "b"})


@pytest.mark.promise(2)
@pytest.mark.parametrize(
    "text", ["x" * 513, "\u20ac" * 100_000, "\0" * 600, "\udc00" * 600], ids=len
)
async def test_load_takes_any_text(persister: Any, text: str) -> None:
    """A text that no record can have is not found; it is no error."""
    await persister.save(**arguments())
    assert await persister.load("p", text) is None
    assert await persister.load("p", text, 1) is None
    assert await persister.load(text, "a") is None
    assert await persister.load(text, None) is None
    assert await persister.list_app_ids(text) == []
    expect.state(await persister.load("p", "a"), {"n": 1})


@pytest.mark.promise(2)
@pytest.mark.parametrize("value", [b"x", bytearray(b"x"), object(), ("x",), {"x"}, str], ids=kind)
@pytest.mark.parametrize("name", [*TEXTS, "sequence_id"])
async def test_argument_of_another_type_is_refused(
    persister: Any, name: str, value: object
) -> None:
    """Bytes, tuples and any object are refused by the name of their parameter."""
    with expect.raises(TypeError, name):
        await persister.save(**arguments(**{name: value}))
    assert await persister.list_app_ids("p") == []


@pytest.mark.promise(2)
@pytest.mark.parametrize("value", [b"a", object(), ("a",), 1j], ids=kind)
async def test_reads_refuse_another_type(persister: Any, value: object) -> None:
    """Loads and lists refuse what is no text or number, by the name of the parameter."""
    with expect.raises(TypeError, "partition_key"):
        await persister.load(value, "a")
    with expect.raises(TypeError, "app_id"):
        await persister.load("p", value)
    with expect.raises(TypeError, "sequence_id"):
        await persister.load("p", "a", value)
    with expect.raises(TypeError, "partition_key"):
        await persister.list_app_ids(value)
    with expect.raises(TypeError, "limit"):
        await persister.list_app_ids("p", limit=value)
