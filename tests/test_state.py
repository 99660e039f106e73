"""The state: immutable, of any depth, and with the operations that applications know."""

from __future__ import annotations

import copy
import datetime
import decimal
import enum
import math
import pickle
import uuid
import zoneinfo
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistry.state import State

DEPTH = 20_000  # twenty times as deep as Python recurses


def deep_value() -> Any:
    value: Any = "bottom"
    for level in range(DEPTH):
        value = {"down": value} if level % 2 else [value, level]
    return value


# ----------------------------------------------------------------------------------------- reading


def test_reading() -> None:
    state = State({"b": 1, "a": [2]})
    assert state["b"] == 1
    assert state.get("a") == [2]
    assert state.get("c") is None
    assert state.get("c", 5) == 5
    assert list(state) == list(state.keys()) == ["b", "a"]
    assert list(state.values()) == [1, [2]]
    assert list(state.items()) == [("b", 1), ("a", [2])]
    assert len(state) == 2
    assert "a" in state
    assert "c" not in state
    assert dict(state) == {**state} == {"b": 1, "a": [2]}
    with pytest.raises(KeyError, match="c"):
        state["c"]


def test_values_are_copied_in_and_out() -> None:
    values: dict[str, Any] = {"a": 1}
    state = State(values)
    values["a"] = 2
    state.get_all()["a"] = 3
    state.serialize()["a"] = 4
    assert state["a"] == 1


def test_sources_of_values() -> None:
    assert State() == State(None) == State({})
    assert State(State({"a": 1})) == State(MappingProxyType({"a": 1})) == State({"a": 1})


@pytest.mark.parametrize("values", [[("a", 1)], "ab", 1, {"a"}, False])
def test_values_that_are_no_mapping(values: Any) -> None:
    with pytest.raises(TypeError, match=r"given as a dict.*write State\("):
        State(values)
    with pytest.raises(TypeError, match="given as a dict"):
        State.deserialize(values)


@pytest.mark.parametrize("key", [1, None, b"a", ("a",)])
def test_keys_that_are_no_str(key: Any) -> None:
    with pytest.raises(TypeError, match=r"keys of a State are str.*convert it"):
        State({"a": 1, key: 2})


def test_it_does_not_change() -> None:
    state = State({"a": 1})
    with pytest.raises(TypeError):
        state["a"] = 2  # type: ignore[index]
    with pytest.raises(TypeError):
        del state["a"]  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"state = state\.update\(b=\.\.\.\)"):
        state.b = 1
    with pytest.raises(AttributeError, match="does not change"):
        state._values = {}
    with pytest.raises(AttributeError, match="wipe"):
        del state._values
    with pytest.raises(TypeError, match="unhashable"):
        hash(state)
    assert not hasattr(state, "__dict__")


# -------------------------------------------------------------------------------------- operations


def test_update() -> None:
    state = State({"a": 1, "b": 2})
    assert state.update(a=3, c=4, self=5).get_all() == {"a": 3, "b": 2, "c": 4, "self": 5}
    assert state.get_all() == {"a": 1, "b": 2}
    assert list(state.update(a=3)) == ["a", "b"]


def test_append() -> None:
    old = [1]
    state = State({"a": old})
    assert state.append(a=2, b=[3], self=4).get_all() == {"a": [1, 2], "b": [[3]], "self": [4]}
    assert old == [1]
    with pytest.raises(ValueError, match=r"state\['a'\] is of type int, not a list"):
        State({"a": 1}).append(a=1)
    with pytest.raises(ValueError, match=r"state\['b'\]"):
        State({"a": [], "b": "text"}).append(a=1, b="more")


def test_extend() -> None:
    old = [1]
    state = State({"a": old})
    assert state.extend(a=[2, 3], b=(4,), self=iter([5])).get_all() == {
        "a": [1, 2, 3],
        "b": [4],
        "self": [5],
    }
    assert old == [1]
    with pytest.raises(ValueError, match=r"state\['a'\] is of type NoneType, not a list"):
        State({"a": None}).extend(a=[1])
    for elements in (5, "text", b"bytes"):
        with pytest.raises(TypeError, match=r"extend\(a=\.\.\.\) takes a list"):
            state.extend(a=elements)  # type: ignore[arg-type]


def test_increment() -> None:
    state = State({"a": 1, "b": 0.5})
    assert state.increment(a=2, b=1, c=-3, self=1).get_all() == {
        "a": 3,
        "b": 1.5,
        "c": -3,
        "self": 1,
    }
    assert state["a"] == 1
    with pytest.raises(ValueError, match=r"state\['a'\] is of type str, not a number"):
        State({"a": "1"}).increment(a=1)
    with pytest.raises(ValueError, match=r"increment\(a=\.\.\.\) is of type str, not a number"):
        State({"a": 1}).increment(a="1")  # type: ignore[arg-type]


def test_wipe() -> None:
    state = State({"a": 1, "b": 2, "c": 3})
    assert state.wipe() == State()
    assert state.wipe(delete=["b", "x"]).get_all() == {"a": 1, "c": 3}
    assert state.wipe(delete=[]) == state
    assert state.wipe(keep=["c", "a", "x"]).get_all() == {"a": 1, "c": 3}
    assert list(state.wipe(keep=["c", "a"])) == ["a", "c"]
    assert state.wipe(keep=[]) == State()
    assert len(state) == 3
    with pytest.raises(ValueError, match="either delete or keep"):
        state.wipe(delete=[], keep=[])
    with pytest.raises(TypeError, match="lists of keys"):
        state.wipe(delete="ab")  # type: ignore[arg-type]


def test_merge() -> None:
    left, right = State({"a": 1, "b": 2}), State({"b": 3, "c": 4})
    assert left.merge(right).get_all() == {"a": 1, "b": 3, "c": 4}
    assert (left["b"], right["b"]) == (2, 3)
    with pytest.raises(TypeError, match=r"state\.merge\(State\(values\)\)"):
        left.merge({"a": 1})  # type: ignore[arg-type]


def test_subset() -> None:
    state = State({"a": 1, "b": 2, "c": 3})
    assert list(state.subset("c", "a", "x").items()) == [("c", 3), ("a", 1)]
    assert state.subset() == State()
    with pytest.raises(KeyError, match="x"):
        state.subset("a", "x", ignore_missing=False)


def test_serialize() -> None:
    inner = [1]
    state = State({"a": inner})
    values = state.serialize(anything="goes")
    assert type(values) is dict
    assert values["a"] is inner
    assert State.deserialize(values, anything="goes") == state


class Special(State):
    __slots__ = ()


def test_a_subclass_stays_one() -> None:
    state = Special({"a": [1]})
    made = [
        state.update(b=1), state.append(a=1), state.extend(a=[1]), state.increment(n=1),
        state.wipe(), state.merge(State()), state.subset("a"), Special.deserialize({}),
        copy.copy(state), copy.deepcopy(state), pickle.loads(pickle.dumps(state)),
    ]  # fmt: skip
    assert {type(one) for one in made} == {Special}
    assert repr(state) == "Special({'a': [1]})"


# ------------------------------------------------------------------ comparing, printing, copying


def test_equality() -> None:
    assert State({"a": 1, "b": [2]}) == State({"b": [2], "a": 1.0})
    assert State({"a": 1}) != State({"a": 2})
    assert State({"a": 1}) != State({"b": 1})
    assert State({"a": [1]}) != State({"a": [1, 2]})
    assert State({"a": {}}) != State({"a": []})
    assert State({"a": 1}) != {"a": 1}
    assert State({"a": math.nan}) == State({"a": math.nan})  # one object, as in Python's lists
    assert State({"a": float("nan")}) != State({"a": float("nan")})
    assert State({"a": {1, 2}}) == State({"a": {2, 1}})


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, -0.0, 1.0, "", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
        | st.lists(inner, max_size=3).map(tuple)
        | st.sets(st.integers(-2, 2) | st.tuples(st.booleans()), max_size=3)
    ),
    max_leaves=6,
)


@given(values, values)
def test_equality_is_pythons(left: Any, right: Any) -> None:
    assert (State({"x": left}) == State({"x": right})) == (left == right)
    assert (State({"x": left}) != State({"x": right})) == (left != right)


@given(values)
def test_repr_and_copies_are_pythons(value: Any) -> None:
    state = State({"x": value})
    assert repr(state) == f"State({ {'x': value}!r})"
    assert copy.deepcopy(state) == state
    assert repr(copy.deepcopy(state)) == repr(state)
    assert repr(pickle.loads(pickle.dumps(state))) == repr(state)


def test_any_depth() -> None:
    state = State({"deep": deep_value()})
    assert (state == State({"deep": deep_value()})) is True
    assert (state == State({"deep": [deep_value()]})) is False
    copied = copy.deepcopy(state)
    assert copied["deep"] is not state["deep"]
    assert (copied == state) is True
    text = repr(state)
    assert text.count("{'down': ") == DEPTH // 2
    assert text.startswith("State({'deep': {'down': [{'down': [")
    assert text.endswith(f", {DEPTH - 2}]}}}})")


def test_any_depth_of_tuples() -> None:
    def deep() -> Any:
        value: Any = []
        for level in range(DEPTH):
            value = (value, level) if level % 2 else (value,)
        return value

    state = State({"deep": deep()})
    assert (state == State({"deep": deep()})) is True
    assert (state == State({"deep": (deep(),)})) is False
    copied = copy.deepcopy(state)
    assert copied["deep"] is not state["deep"]  # there is a list at the bottom
    assert (copied == state) is True
    text = repr(state)
    assert text.startswith("State({'deep': (((((")
    assert text.endswith(f",), {DEPTH - 3}),), {DEPTH - 1})}})")


def test_values_that_contain_themselves() -> None:
    def around() -> State:
        inner: list[Any] = [1]
        inner.append({"again": inner})
        return State({"a": inner})

    state = around()
    assert repr(state) == "State({'a': [1, {'again': [...]}]})"
    assert state == around()
    copied = copy.deepcopy(state)
    assert copied["a"] is not state["a"]
    assert copied["a"][1]["again"] is copied["a"]


def test_a_tuple_that_contains_itself() -> None:
    inner: list[Any] = []
    around = (inner, 1)
    inner.append(around)
    state = State({"a": around, "b": inner})
    assert repr(state) == "State({'a': ([(...)], 1), 'b': [([...], 1)]})"
    copied = copy.deepcopy(state)
    assert copied["a"] is not around
    assert copied["a"] is copied["b"][0]
    assert copied["a"][0] is copied["b"]


def test_what_cannot_change_is_not_copied() -> None:
    state = State({"a": ((1, "x"), b"y"), "b": ([1],)})
    copied = copy.deepcopy(state)
    assert copied["a"] is state["a"]
    assert copied["b"] is not state["b"]


def test_a_state_that_contains_itself_is_copied() -> None:
    inner: list[Any] = []
    state = State({"a": inner})
    inner.append(state)
    copied = copy.deepcopy(state)
    assert copied["a"][0] is copied


def test_one_part_many_times_is_compared_and_copied_once() -> None:
    def doubled() -> Any:
        value: Any = [1]
        for _ in range(200):
            value = [value, value]
        return value

    assert State({"a": doubled()}) == State({"a": doubled()})
    copied = copy.deepcopy(State({"a": doubled()}))["a"]
    assert copied[0] is copied[1]


def test_integers_of_any_size_are_printed() -> None:
    state = State({"a": 16**4000, "b": {-(16**4000): 1}, "c": 10**4000})
    assert repr(state) == (
        f"State({{'a': 0x1{'0' * 4000}, 'b': {{-0x1{'0' * 4000}: 1}}, 'c': 1{'0' * 4000}}})"
    )


def test_what_cannot_be_printed_says_so_itself() -> None:
    class Unspeakable:
        def __repr__(self) -> str:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        repr(State({"a": Unspeakable()}))


class Colour(enum.Enum):
    RED = "red"


def test_values_beyond_json() -> None:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    values: dict[str, Any] = {
        "tuple": (1, ("a",), ()),
        "sets": [{1}, frozenset({(1, 2)}), set()],
        "bytes": b"\0\xff",
        "times": [
            datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=berlin),
            datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
            datetime.date(2024, 1, 1),
            datetime.time(1, 2),
            datetime.timedelta(days=-1, microseconds=1),
        ],
        "decimal": decimal.Decimal("-0.00"),
        "uuid": uuid.UUID(int=1),
        "enum": Colour.RED,
    }
    state = State(values)
    assert repr(state) == f"State({values!r})"
    assert state == State(dict(reversed(values.items())))
    assert state != State(values | {"decimal": decimal.Decimal(1)})
    for twin in (copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert twin == state
        assert repr(twin) == repr(state)
        assert twin["times"] is not state["times"]
        assert twin["sets"][0] is not state["sets"][0]


def test_copies() -> None:
    state = State({"a": [1]})
    assert copy.copy(state) is state
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(state, protocol))
        assert again == state
        assert again["a"] is not state["a"]
    assert pickle.loads(pickle.dumps(State())) == State()
    deep = copy.deepcopy({"s": state, "list": state["a"]})
    assert deep["s"]["a"] is deep["list"]
