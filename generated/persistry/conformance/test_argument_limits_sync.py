# Code generated from templates/conformance/behaviours/argument_limits.py.jinja by `make generate`. DO NOT EDIT.
"""Arguments that a scenario cannot write down, sync: at the limits, and of any type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, fixture, marks

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
def test_texts_of_512_bytes_are_taken(persister: Any, text: str) -> None:
    """512 bytes of UTF-8 fit into every text at once, and come back in a record and a list."""
    persister.save(**arguments(**dict.fromkeys(TEXTS, text)))
    expected = dict.fromkeys(TEXTS, text)
    expect.record(persister.load(text, text), **expected)
    expect.record(persister.load(text, text, 1), **expected)
    expect.record(persister.load(text, None), **expected)
    assert persister.list_app_ids(text) == [text]


@pytest.mark.promise(2)
@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
@pytest.mark.parametrize("name", TEXTS)
def test_text_of_513_bytes_is_refused(persister: Any, name: str, text: str) -> None:
    """One byte more is refused by the name of its parameter, and nothing is stored."""
    with expect.raises(ValueError, name, "512"):
        persister.save(**arguments(**{name: text + "x"}))
    assert persister.list_app_ids("p") == []


@pytest.mark.promise(2)
def test_texts_of_512_bytes_are_told_apart(persister: Any) -> None:
    """Texts of full length that differ in their last letter are different keys."""
    for last in "ab":
        app_id = "x" * 511 + last
        persister.save(**arguments(app_id=app_id, state=State({"of": last})))
    expect.state(persister.load("p", "x" * 511 + "a"), {"of": "a"})
    expect.state(persister.load("p", "x" * 511 + "b"), {"of": "b"})


@pytest.mark.promise(2)
@pytest.mark.parametrize(
    "text", ["x" * 513, "\u20ac" * 100_000, "\0" * 600, "\udc00" * 600], ids=len
)
def test_load_takes_any_text(persister: Any, text: str) -> None:
    """A text that no record can have is not found; it is no error."""
    persister.save(**arguments())
    assert persister.load("p", text) is None
    assert persister.load("p", text, 1) is None
    assert persister.load(text, "a") is None
    assert persister.load(text, None) is None
    assert persister.list_app_ids(text) == []
    expect.state(persister.load("p", "a"), {"n": 1})


@pytest.mark.promise(2)
@pytest.mark.parametrize("value", [b"x", bytearray(b"x"), object(), ("x",), {"x"}, str], ids=kind)
@pytest.mark.parametrize("name", [*TEXTS, "sequence_id"])
def test_argument_of_another_type_is_refused(persister: Any, name: str, value: object) -> None:
    """Bytes, tuples and any object are refused by the name of their parameter."""
    with expect.raises(TypeError, name):
        persister.save(**arguments(**{name: value}))
    assert persister.list_app_ids("p") == []


@pytest.mark.promise(2)
@pytest.mark.parametrize("value", [b"a", object(), ("a",), 1j], ids=kind)
def test_reads_refuse_another_type(persister: Any, value: object) -> None:
    """Loads and lists refuse what is no text or number, by the name of the parameter."""
    with expect.raises(TypeError, "partition_key"):
        persister.load(value, "a")
    with expect.raises(TypeError, "app_id"):
        persister.load("p", value)
    with expect.raises(TypeError, "sequence_id"):
        persister.load("p", "a", value)
    with expect.raises(TypeError, "partition_key"):
        persister.list_app_ids(value)
    with expect.raises(TypeError, "limit"):
        persister.list_app_ids("p", limit=value)
