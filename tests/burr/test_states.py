"""How Burr's states stand in a text: Burr reads from ours what it reads from its own."""

from __future__ import annotations

import json
import math
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any

import pydantic
import pytest
from burr.core import State, serde
from burr.core.state import FIELD_SERIALIZATION, register_field_serde
from hypothesis import given
from hypothesis import strategies as st

import persistry
from persistry import StateNotSerializableError
from persistry._runtime import codec
from persistry._runtime.codec import EncodedState
from persistry._runtime.states import Forms
from persistry._runtime.tags import UnregisteredTypeError
from persistry.burr._states import MARKER, OURS, STATES

pytestmark = pytest.mark.filterwarnings("ignore::burr.integrations.serde.pydantic.SecurityWarning")


class Model(pydantic.BaseModel):
    number: int
    pair: tuple[int, str] = (0, "")
    others: list[Model] = []


@dataclass(frozen=True)
class Money:
    """Its serde is registered with Burr; it needs an argument."""

    amount: int


@serde.serialize.register(Money)
def _write_money(value: Money, unit: str = "", **_: Any) -> dict[str, Any]:
    return {MARKER: "tests.money", "amount": value.amount, "unit": unit, "of": {MARKER: "x"}}


def _read_money(value: dict[str, Any], unit: str = "", **_: Any) -> Money:
    assert (value["unit"], value["of"]) == (unit, {MARKER: "x"})
    return Money(value["amount"])


serde.deserializer.register("tests.money")(_read_money)
KWARGS = {"unit": "EUR"}


@pytest.fixture(scope="module", autouse=True)
def field() -> Iterator[None]:
    """A field that has a serde of its own."""

    def write(value: Any, unit: str, **_: Any) -> dict[str, Any]:
        return {"hidden": json.dumps(repr(value)), "unit": unit, "marked": {MARKER: "y"}}

    def read(value: dict[str, Any], unit: str, **_: Any) -> str:
        assert (value["unit"], value["marked"]) == (unit, {MARKER: "y"})
        return str(json.loads(value["hidden"]))

    register_field_serde("own field", write, read)
    yield
    del FIELD_SERIALIZATION["own field"]


numbers = st.integers() | st.floats() | st.sampled_from([2**64, -(10**400), 1e308, -0.0])
texts = st.text() | st.sampled_from(["\x00", "\ud800", "\U0001f600", MARKER, OURS])
keys = st.text() | st.just("own field")
models = st.builds(Model, number=st.integers(), pair=st.tuples(st.integers(), st.text()))
registered = (
    models
    | st.builds(Money, st.integers())
    | st.builds(Model, others=st.lists(models), number=st.just(1))
)
unmarked = st.text().filter(lambda it: it != MARKER)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts | registered,
    lambda inner: st.lists(inner) | st.dictionaries(unmarked, inner) | st.just({MARKER: None}),
    max_leaves=6,
)
json_states = st.dictionaries(keys, json_values, max_size=4).map(State)
foreign = (
    st.binary() | st.dates() | st.tuples(st.integers(), texts) | st.sets(st.integers(), max_size=1)
)
any_values = st.recursive(
    json_values | foreign,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner) | st.tuples(inner, inner),
    max_leaves=6,
)
any_states = st.dictionaries(unmarked, any_values, max_size=4).map(State)


def encoded(values: dict[str, Any]) -> EncodedState | Forms:
    return STATES.encode(State(values), KWARGS)


def own(values: dict[str, Any]) -> EncodedState:
    found = encoded(values)
    return found.chosen(is_shared=False) if isinstance(found, Forms) else found


def shared(values: dict[str, Any]) -> EncodedState:
    found = encoded(values)
    return found.chosen(is_shared=True) if isinstance(found, Forms) else found


def decoded(text: str | bytes, number: int | None) -> dict[str, Any]:
    return STATES.decode(text, number, KWARGS).get_all()


def burrs_text(state: State[Any]) -> str:
    return json.dumps(state.serialize(**KWARGS))


def read_by_burr(text: str | bytes) -> dict[str, Any]:
    return State.deserialize(json.loads(text), **KWARGS).get_all()


@given(json_states)
def test_burr_reads_from_our_text_what_it_reads_from_its_own(state: State[Any]) -> None:
    ours = STATES.encode(state, KWARGS)
    assert isinstance(ours, EncodedState), "there is one text, whosever the store is"
    assert repr(read_by_burr(ours.data)) == repr(read_by_burr(burrs_text(state)))


@given(json_states)
def test_we_read_burrs_text_as_burr_does(state: State[Any]) -> None:
    text = burrs_text(state)
    assert repr(decoded(text, None)) == repr(read_by_burr(text))


@given(any_states)
def test_what_is_ours_comes_back_exactly(state: State[Any]) -> None:
    values = {name: it for name, it in state.get_all().items() if name != "own field"}
    ours = own(values)
    assert repr(decoded(ours.data, ours.codec)) == repr(values)


@given(any_states)
def test_in_burrs_store_burr_finds_what_it_would_have_written(state: State[Any]) -> None:
    """But for dicts with its marker, which it cannot read from its own text."""
    ours = shared(state.get_all())
    assert ours.codec in (codec.PLAIN, codec.DEEP)
    try:
        expected = read_by_burr(burrs_text(state))
    except ValueError:
        assert MARKER in burrs_text(state)
    else:
        assert repr(read_by_burr(ours.data)) == repr(expected)
        assert repr(decoded(ours.data, ours.codec)) == repr(expected)


def test_a_plain_state_is_the_plain_text() -> None:
    values = {"a": [1, {"b": None}], "__PRIOR_STEP": "x"}
    assert encoded(values) == EncodedState(b'{"a":[1,{"b":null}],"__PRIOR_STEP":"x"}', codec.PLAIN)


def test_the_text_of_a_model_is_what_burr_writes() -> None:
    values = {"models": [Model(number=1, pair=(2, "x"), others=[Model(number=3)])]}
    assert json.loads(own(values).data) == json.loads(burrs_text(State(values)))
    assert own(values).codec == codec.PLAIN


def test_what_a_serde_made_may_hold_what_json_does_not() -> None:
    """Burr's own text cannot be written then."""

    class Day(pydantic.BaseModel):
        day: date
        tags: set[str]

    made = Day(day=date(2026, 1, 2), tags={"x"})
    text = own({"day": made})
    assert text.codec == codec.PLAIN_TAGGED
    assert codec.decode(text.data, text.codec)["day"]["day"] == date(2026, 1, 2)
    with pytest.raises(TypeError):
        burrs_text(State({"day": made}))


def test_burr_fails_loudly_at_a_dict_with_its_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process without persistry.burr; with it, it reads the dict as it was."""
    marked = {MARKER: "pickle", "value": "x", "in": [{MARKER: "z"}]}
    text = own({"answer": marked})
    assert text.codec == codec.PLAIN
    assert read_by_burr(text.data) == {"answer": marked} == decoded(text.data, text.codec)
    monkeypatch.delitem(serde.deserializer.func_map, OURS)
    with pytest.raises(ValueError, match=r"persistry\.dict"):
        read_by_burr(text.data)
    assert decoded(text.data, text.codec) == {"answer": marked}


def test_subclasses_of_json_values_are_what_json_makes_of_them() -> None:
    class Level(IntEnum):
        HIGH = 3

    class Text(str): ...

    values = {
        "a": OrderedDict(x=Level.HIGH),
        "b": defaultdict(list, y=[Text("t")]),
        "c": type("Float", (float,), {})(0.5),
    }
    found = own(values)
    assert found.data == b'{"a":{"x":3},"b":{"y":["t"]},"c":0.5}'


def test_a_type_of_persistrys_stays_one() -> None:
    class Mine(str): ...

    persistry.register_type(Mine, "tests.burr.Mine", encode=str, decode=Mine)
    for text in (own({"it": [Mine("x")]}), shared({"it": [Mine("x")]})):
        (found,) = decoded(text.data, text.codec)["it"]
        assert type(found) is Mine


def test_deep_states_come_back() -> None:
    value: Any = Model(number=1)
    for level in range(3_000):
        value = [value] if level % 2 else {"in": (value,) if level == 700 else value}
    found = own({"deep": value})
    value = decoded(found.data, found.codec)["deep"]
    for level in reversed(range(3_000)):
        value = value[0] if level % 2 else value["in"]
        value = value[0] if level == 700 else value
    assert value == Model(number=1)


def endless() -> list[Any]:
    inside: list[Any] = [(1,)]
    inside.append({"again": inside})
    return inside


class Unwritable:
    """Burr's way to make a text of it fails."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Failing(pydantic.BaseModel):
    @pydantic.model_serializer
    def fail(self) -> dict[str, Any]:
        raise RuntimeError("no dump")


REFUSED: dict[str, tuple[Any, str]] = {
    "endless": (endless(), r"state\['a'\]\[1\]\['again'\] is a list that contains itself"),
    "its serde fails": ([Failing()], r"state\['a'\]\[0\] is a Failing, for which Burr's serde f"),
    "no text": ([Unwritable()], r"state\['a'\]\[0\] is of type .*Unwritable, which would not"),
    "a model in a set": ({Money(1)}, r"state\['a'\] .*unhashable"),
}


@pytest.mark.parametrize("name", [it for it in REFUSED if it != "a model in a set"])
def test_what_cannot_be_stored_anywhere_is_refused(name: str) -> None:
    value, message = REFUSED[name]
    with pytest.raises(StateNotSerializableError, match=message):
        encoded({"a": value})


def test_what_cannot_be_stored_here_is_refused_here() -> None:
    for value, message in ((REFUSED["a model in a set"]), (object(), "which would not come back")):
        with pytest.raises(StateNotSerializableError, match=message):
            own({"a": value})
        assert type(decoded(shared({"a": value}).data, 0)["a"]) is str


def test_a_field_serde_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(value: Any, **_: Any) -> Any:
        raise KeyError("x")

    def no_dict(value: Any, **_: Any) -> Any:
        return "text"

    for function, message in ((fail, "failed: KeyError"), (no_dict, "must return a dict")):
        monkeypatch.setitem(FIELD_SERIALIZATION, "f", (function, fail))
        with pytest.raises(StateNotSerializableError, match=rf"state\['f'\].*{message}"):
            encoded({"f": 1})
    with pytest.raises(ValueError, match=r"state\['f'\] is read by .*, which refuses: KeyError"):
        decoded('{"f": 1}', 0)


def test_a_text_that_nobody_reads_says_what_is_missing() -> None:
    with pytest.raises(UnregisteredTypeError, match=r"made by the serde 'theirs'"):
        decoded('{"a": [{"__burr_serde__": "theirs"}]}', None)
    with pytest.raises(ValueError, match=r"state\['a'\]\[0\] is read by Burr's serde \[1\], which"):
        decoded('{"a": [{"__burr_serde__": [1]}]}', None)


def test_values_that_json_has_no_text_for_are_as_burr_has_them() -> None:
    found = encoded({"a": [math.nan, math.inf]})
    assert isinstance(found, EncodedState)
    assert found.codec == codec.DEEP
    assert json.loads(found.data)["a"][1] == math.inf
