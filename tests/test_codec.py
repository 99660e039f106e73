"""What is decoded is what was encoded, exactly; what cannot be is refused with its place."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import json
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persistry._runtime import codec, deep_json
from persistry._runtime.codec import EncodedState, decode, encode
from persistry._runtime.same import same
from persistry._runtime.tagging import tagged
from persistry._runtime.tags import untag
from persistry.errors import PersisterError, StateNotSerializableError
from persistry.state import State

DEPTH = 30_000


def exactly(left: Any, right: Any) -> bool:
    """Equal types, values and key order, judged by the text that Python shows for them."""
    return repr(State({"value": left})) == repr(State({"value": right}))


def deep_value(depth: int = DEPTH) -> Any:
    value: Any = "bottom"
    for level in range(depth):
        value = {"down": value, "level": level} if level % 2 else [value, level]
    return value


@pytest.fixture
def digits_limit() -> Iterator[Any]:
    before = sys.get_int_max_str_digits()
    yield sys.set_int_max_str_digits
    sys.set_int_max_str_digits(before)


# -------------------------------------------------------------------------------------- strategies

characters = st.characters(exclude_categories=()) | st.sampled_from('\ud83d\ude00😀\x00é"\\/\u2028')
strings = st.text(characters, max_size=8) | st.just("__persistry__")
integers = (
    st.integers()
    | st.integers(-(2**65), 2**65)
    | st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1])
    | st.builds(lambda sign, power, rest: sign * (10**power + rest), st.sampled_from([1, -1]),
                st.integers(4290, 4400), st.integers(0, 1000))
)  # fmt: skip
floats = st.floats() | st.sampled_from([-0.0, 1e308, 5e-324, 1e22, 1e16, -math.inf, math.nan])
scalars = st.none() | st.booleans() | integers | floats | strings


def nested(leaves: st.SearchStrategy[Any], keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    def one_level_more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        lookalikes = st.builds(lambda value: {"__persistry__": value}, inner)
        tags = st.builds(lambda name, value: {"__persistry__": [name, value]},
                         st.sampled_from(["int", "str", "dict", "set", "a.b"]), inner)  # fmt: skip
        several = st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
        return several | lookalikes | tags

    return st.recursive(leaves, one_level_more, max_leaves=12)


states = st.dictionaries(strings, nested(scalars, strings), max_size=4)
plain_text = st.text(max_size=8)
plain_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain_text
)
plain_states = st.dictionaries(plain_text, nested(plain_scalars, plain_text), max_size=4)


# ------------------------------------------------------------------------------------- round trips


@given(states)
def test_every_state_comes_back_exactly(values: dict[str, Any]) -> None:
    encoded = encode(values)
    for text in (encoded.data, encoded.text):
        decoded = decode(text, encoded.codec)
        assert exactly(decoded, values)
        assert same(decoded, values)


def encoded_slowly(values: dict[str, Any]) -> tuple[str, Any]:
    """The text that is written where orjson cannot, and what is read from it without json."""
    tree, has_tags, _ = tagged(values)
    text = deep_json.encode(tree)
    decoded = deep_json.decode(text)
    return text, untag(decoded) if has_tags else decoded


@given(plain_states)
def test_the_fast_and_the_slow_way_agree(values: dict[str, Any]) -> None:
    fast = encode(values)
    assert fast.codec == 0
    assert fast.data == orjson.dumps(values)
    _, slowly_decoded = encoded_slowly(values)
    assert exactly(decode(fast.data, 0), slowly_decoded)
    assert exactly(slowly_decoded, values)


@given(states)
def test_both_ways_to_read_the_slow_text_agree(values: dict[str, Any]) -> None:
    text, slowly_decoded = encoded_slowly(values)
    assert exactly(slowly_decoded, values)
    number = 3 if tagged(values).has_tags else 2
    assert exactly(decode(text, number), values)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (-0.0, 0),
        (1e308, 0),
        (5e-324, 0),
        (2**64 - 1, 0),
        (-(2**63), 0),
        ("\x00", 0),
        ("😀", 0),
        ([], 0),
        ({}, 0),
        ({"": {"b": 1, "a": [[], {}]}}, 0),
        ({"__persistry__": ["int", "0x1"]}, 0),
        (math.nan, 2),
        (-math.inf, 2),
        (2**64, 2),
        (-(2**63) - 1, 2),
        pytest.param(10**4299, 2, id="4300 digits"),
        ("\ud83d", 2),
        ("\ude00\ud83d", 2),
        ("\ud83d😀", 2),
        ({"\ud83d": 1}, 2),
        ([math.nan, {"__persistry__": 1, "b": 2}, {"a": {}, "b": []}], 2),
        pytest.param(10**4300, 1, id="4301 digits"),
        pytest.param(-(10**10_000), 1, id="10001 digits"),
        ("\ud83d\ude00", 1),
        ({"a": 1, "\ud83d\ude00": [{"\ud83d\ude00": "\ud83d\ude00"}]}, 1),
        ((), 1),
        ([(1, "é"), {"__persistry__": ["tuple", []]}], 1),
        ((math.nan,), 3),
        ((2**64,), 3),
        (("\ud83d",), 3),
        pytest.param(deep_value(126), 0, id="126 levels"),
        pytest.param((deep_value(253),), 3, id="a tuple around 253 levels"),
        ([math.nan, {"__persistry__": 1}], 3),
        ([math.nan, {"__persistry__": ["int", "0x1"]}], 3),
        ([math.nan, {"__persistry__": {"__persistry__": ["dict", [["__persistry__", 1]]]}}], 3),
    ],
)
def test_codec_of_a_value(value: Any, number: int) -> None:
    encoded = encode({"value": value})
    assert encoded.codec == number
    decoded = decode(encoded.data, encoded.codec)
    assert exactly(decoded, {"value": value})


def test_a_state_that_looks_like_a_tag() -> None:
    for values in ({"__persistry__": ["int", "0x1"]}, {"__persistry__": math.inf}):
        encoded = encode(values)
        assert exactly(decode(encoded.data, encoded.codec), values)


def test_the_stored_text() -> None:
    """The stored format: these texts are in databases."""
    assert encode({"b": "é", "a": [1, 1.0, True, None]}) == EncodedState(
        '{"b":"é","a":[1,1.0,true,null]}'.encode(), 0
    )
    assert encode({"b": "é", "a": [math.nan, math.inf, -math.inf, 2**64, "\ud83d"]}) == (
        EncodedState(
            rb'{"b":"\u00e9","a":[NaN,Infinity,-Infinity,18446744073709551616,"\ud83d"]}', 2
        )
    )
    assert encode({"a": "\ud83d\ude00", "b": {"\ud83d\ude00": 1, "c": []}}) == EncodedState(
        b'{"a":{"__persistry__":["str","7aC97biA"]},'
        b'"b":{"__persistry__":["dict",[[{"__persistry__":["str","7aC97biA"]},1],["c",[]]]]}}',
        1,
    )
    assert encode({"a": -(16**4000)}).text == (
        '{"a":{"__persistry__":["int","-0x1' + "0" * 4000 + '"]}}'
    )


def test_tags_are_read_from_orjson_text_too() -> None:
    text = '{"a":[{"__persistry__":["str","7aC97biA"]}],"b":{"__persistry__":["int","0x10"]}}'
    assert decode(text, 1) == {"a": ["\ud83d\ude00"], "b": 16}


@pytest.mark.parametrize("number", [0, 2, None])
def test_without_tags_a_lookalike_stays_what_it_is(number: int | None) -> None:
    assert decode('{"a":{"__persistry__":["int","0x1"]}}', number) == {
        "a": {"__persistry__": ["int", "0x1"]}
    }


def test_integers_when_the_process_allows_fewer_digits(digits_limit: Any) -> None:
    values = {"a": 10**1000, "b": -(10**4000)}
    usual = encode(values)
    digits_limit(640)
    unusual = encode(values)
    assert (usual.codec, unusual.codec) == (2, 1)
    assert same(decode(usual.data, 2), values)
    assert same(decode(unusual.data, 1), values)


def test_foreign_text_is_read_exactly() -> None:
    text = (
        ' {"i": 18446744073709551616, "n": [NaN, -Infinity], "s": "\\ud800", "e": "\\u00e9é",\n'
        '  "d": 1, "d": 2, "x": 1E5, "\\u0000": -0, "z": -0.0 } '
    )
    expected = {
        "i": 2**64, "n": [math.nan, -math.inf], "s": "\ud800", "e": "éé",
        "d": 2, "x": 1e5, "\x00": 0, "z": -0.0,
    }  # fmt: skip
    for source in (text, text.encode()):
        assert exactly(decode(source, None), expected)
    assert exactly(deep_json.decode(text), expected)


def test_foreign_integers_of_many_digits() -> None:
    for digits in (640, 641, 1280, 5000):
        text = "1" * digits
        value = (10**digits - 1) // 9
        assert decode(f'{{"a": {text}, "b": -{text}}}', None) == {"a": value, "b": -value}


def test_one_part_twice_is_no_cycle() -> None:
    part = [1]
    values = {"a": part, "b": [part, part], "c": math.nan}
    assert exactly(decode(encode(values).data, 2), values)


# ------------------------------------------------------------------------------------------- depth


def test_any_depth() -> None:
    values = {"deep": deep_value()}
    started = time.perf_counter()
    encoded = encode(values)
    assert encoded.codec == 2
    decoded = decode(encoded.data, encoded.codec)
    assert same(decoded, values)
    assert (State(decoded) == State(values)) is True
    assert time.perf_counter() - started < 10


def test_any_depth_with_tags() -> None:
    value: Any = 10**5000
    for level in range(DEPTH):
        value = {"__persistry__": value} if level % 2 else [value]
    values = {"deep": value}
    encoded = encode(values)
    assert encoded.codec == 3
    assert same(decode(encoded.data, encoded.codec), values)


def test_any_depth_of_tuples() -> None:
    value: Any = ()
    for level in range(DEPTH):
        value = (value, level) if level % 2 else [value]
    values = {"deep": value}
    encoded = encode(values)
    assert encoded.codec == 3
    decoded = decode(encoded.data, encoded.codec)
    assert same(decoded, values)
    assert (State(decoded) == State(values)) is True


@pytest.mark.parametrize("depth", [250, 253, 254, 255, 256, 900, 1100, 5000])
def test_depth_around_the_limits_of_the_libraries(depth: int) -> None:
    values = {"deep": deep_value(depth)}
    encoded = encode(values)
    assert encoded.codec == (0 if depth < 254 else 2)
    assert same(decode(encoded.data, encoded.codec), values)


def test_depth_under_a_raised_recursion_limit() -> None:
    values = {"deep": deep_value()}
    encoded = encode(values)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    try:
        assert same(decode(encoded.data, encoded.codec), values)
    finally:
        sys.setrecursionlimit(before)


def test_a_deep_place_is_shortened() -> None:
    value: Any = object()
    for _ in range(DEPTH):
        value = {"a": value}
    with pytest.raises(StateNotSerializableError) as caught:
        encode(value)
    message = str(caught.value)
    assert message.startswith("state['a']['a']")
    assert f"...{DEPTH - 20} levels..." in message
    assert len(message) < 500


# --------------------------------------------------------------------------------- what is refused


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Text(str):
    pass


class Whole(int):
    pass


class Real(float):
    pass


class Pile(list):  # type: ignore[type-arg]
    pass


class Heap(set):  # type: ignore[type-arg]
    pass


@dataclasses.dataclass
class Point:
    x: int = 0


Pair = collections.namedtuple("Pair", "left right")
Triple = collections.namedtuple("Triple", "a b c")


class Zone(datetime.tzinfo):
    def utcoffset(self, moment: datetime.datetime | None) -> datetime.timedelta:
        return datetime.timedelta(0)


class Moment(datetime.datetime):
    pass


class Amount(decimal.Decimal):
    pass


REGISTER = "register its class with persistry.register_type"
REFUSED = [
    (Pair(1, 2), ".Pair,", "convert it with tuple(...), or register the class with"),
    (Triple(1, 2, 3), ".Triple,", "tuple(...)"),
    (bytearray(b"x"), "of type bytearray,", "bytes(...)"),
    (memoryview(b"x"), "of type memoryview,", "bytes(...)"),
    (Moment(2024, 1, 1), ".Moment,", REGISTER),
    (Amount(1), ".Amount,", REGISTER),
    (Colour.RED, ".Colour,", "save its .value, or register the class with persistry.register_type"),
    (Level.LOW, ".Level,", ".value"),
    (Word.YES, ".Word,", ".value"),
    (Text("x"), ".Text,", "str(...)"),
    (Whole(1), ".Whole,", "int(...)"),
    (Real(1), ".Real,", "float(...)"),
    (Pile([1]), ".Pile,", "list(...)"),
    (Heap([1]), ".Heap,", "set(...)"),
    (collections.OrderedDict(a=1), "collections.OrderedDict,", "dict(...)"),
    (collections.defaultdict(int), "collections.defaultdict,", "dict(...)"),
    (collections.deque(), "collections.deque,", "list(...)"),
    (range(3), "of type range,", "list(...)"),
    ({}.keys(), "of type dict_keys,", "list(...)"),
    (Point(), ".Point,", REGISTER),
    (orjson.Fragment(b"1"), "Fragment,", REGISTER),
    (complex(1), "of type complex,", REGISTER),
    (object(), "of type object,", REGISTER),
    (int, "of type type,", REGISTER),
    (State(), "persistry.state.State,", "dict(...)"),
]


@pytest.mark.parametrize(("value", "kind", "advice"), REFUSED)
@pytest.mark.parametrize("beside", [1, math.nan])  # refused by the first look, and by the second
def test_other_types_are_refused(value: Any, kind: str, advice: str, beside: Any) -> None:
    with pytest.raises(StateNotSerializableError) as caught:
        encode({"first": {"b": [beside]}, "a": [0, [1], {}, value]})
    message = str(caught.value)
    assert message.startswith("state['a'][3] is of type ")
    assert kind in message
    assert advice in message
    assert isinstance(caught.value, PersisterError)
    assert isinstance(caught.value, TypeError)


class Unspeakable:
    def __repr__(self) -> str:
        raise AttributeError("no")

    def __hash__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (1, "1 of type int"),
        (1.5, "1.5 of type float"),
        (True, "True of type bool"),
        (None, "None of type NoneType"),
        ((1, 2), "(1, 2) of type tuple"),
        (b"x", "b'x' of type bytes"),
        (Text("x"), f"'x' of type {__name__}.Text"),
        (Word.YES, f"<Word.YES: 'yes'> of type {__name__}.Word"),
        pytest.param(10**5000, "<int> of type int", id="5001 digits"),
        (Unspeakable(), f"<Unspeakable> of type {__name__}.Unspeakable"),
    ],
)
def test_other_keys_are_refused(key: Any, shown: str) -> None:
    with pytest.raises(StateNotSerializableError) as caught:
        encode({"a": [0, {"fine": {key: 1}}]})
    assert str(caught.value).startswith(f"state['a'][1]['fine'] has the key {shown}: ")
    with pytest.raises(StateNotSerializableError) as caught:
        encode({key: 1})
    assert str(caught.value).startswith(f"state has the key {shown}: ")


def test_a_long_key_is_shortened_in_the_place() -> None:
    with pytest.raises(StateNotSerializableError) as caught:
        encode({"k" * 10_000: {object()}})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("values", [[], collections.OrderedDict(), None, "x", State(), (), 1])
def test_a_state_that_is_no_dict_is_refused(values: Any) -> None:
    with pytest.raises(StateNotSerializableError, match="it must be a dict"):
        encode(values)


def test_cycles_are_refused() -> None:
    around: dict[str, Any] = {"a": [1, {}]}
    around["a"][1]["b"] = around
    with pytest.raises(
        StateNotSerializableError, match=r"^state\['a'\]\[1\]\['b'\] is a dict that"
    ):
        encode(around)
    inner: list[Any] = [0]
    inner.append(inner)
    with pytest.raises(
        StateNotSerializableError, match=r"^state\['x'\]\[1\] is a list that contai"
    ):
        encode({"x": inner})


def test_a_state_changed_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(values: Any) -> bool:
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(codec, "_is_plain", change)
    with pytest.raises(StateNotSerializableError, match="changed while it was being saved"):
        encode({"a": 1})
    with pytest.raises(RuntimeError, match="of type set appeared"):
        deep_json.encode({"a": {1}})


def test_encoded_states_do_not_change() -> None:
    encoded = encode({"a": "é"})
    assert encoded.text == '{"a":"é"}'
    with pytest.raises(dataclasses.FrozenInstanceError):
        encoded.codec = 1  # type: ignore[misc]


# --------------------------------------------------------------------------------- malformed texts

MALFORMED = [
    "", " ", "{", "}", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', "{,}", "{1:2}", "{'a':1}",
    '{"a" 1}', '{"a":1 "b":2}', '{"a":1]', '{"a":[}', '{"a":[1,]}', '{"a":[,1]}', '{"a":[1 2]}',
    '{"a":[1', '{"a":[', '{"a":"', '{"a":"\\x"}', '{"a":"\\u12"}', '{"a":"\n"}', '{"a":01}',
    '{"a":1.}', '{"a":.5}', '{"a":+1}', '{"a":-}', '{"a":1e}', '{"a":0x1}', '{"a":nul}',
    '{"a":True}', '{"a":--1}', '{"a":1}}', '{"a":1} x', '{"a":1}{"b":2}', "\ufeff{}", '{"a":\x0b1}',
    '{"a":\u0661}', '{"a":- 1}', '{"a"::1}', '{:1}', '{"a":1,,"b":2}', '{"a":-NaN}', "[" * DEPTH,
    '{"a":' * DEPTH, '{"a":' + "[" * DEPTH + "]" * (DEPTH - 1) + "}",
]  # fmt: skip


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("number", [0, 1, 2, 3, None])
def test_malformed_text(text: str, number: int | None) -> None:
    for source in (text, text.encode()):
        with pytest.raises(ValueError):
            decode(source, number)
    with pytest.raises(ValueError):
        deep_json.decode(text)


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "true", "1.5", " [] "])
@pytest.mark.parametrize("number", [0, 1, 2, 3, None])
def test_text_of_something_else_than_a_dict(text: str, number: int | None) -> None:
    with pytest.raises(ValueError, match="not of a dict"):
        decode(text, number)


def test_where_the_text_is_malformed() -> None:
    with pytest.raises(ValueError, match="',' or '}' was expected at character 7, not 'x'"):
        decode('{"a":1 x}', 2)
    with pytest.raises(ValueError, match="a value was expected at character 5, not the end"):
        decode('{"a":', None)


@pytest.mark.parametrize("number", [0, 1, 2, 3, None])
def test_bytes_that_are_not_utf8(number: int | None) -> None:
    with pytest.raises(ValueError):
        decode(b'{"a":"\xff"}', number)


@pytest.mark.parametrize("number", [-1, 4, 99, "0"])
def test_unknown_codec(number: Any) -> None:
    with pytest.raises(ValueError, match=f"codec is {number!r}"):
        decode("{}", number)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("1", "malformed"),
        ("[]", "malformed"),
        ('["int"]', "malformed"),
        ('["int","0x1",2]', "malformed"),
        ('[1,"0x1"]', "malformed"),
        ('["ship",1]', "unknown type 'ship'"),
        ('["int",1]', "type 'int' is malformed"),
        ('["int","12"]', "type 'int' is malformed"),
        ('["int","0x_1"]', "type 'int' is malformed"),
        ('["str",1]', "type 'str' is malformed"),
        ('["str","a"]', "type 'str' is malformed"),
        ('["str","/w=="]', "type 'str' is malformed"),
        ('["dict",1]', "type 'dict' is malformed"),
        ('["dict",["ab"]]', "type 'dict' is malformed"),
        ('["dict",[[1,2]]]', "type 'dict' is malformed"),
        ('["dict",[["a"]]]', "type 'dict' is malformed"),
    ],
)
def test_malformed_tags(tag: str, message: str, number: int) -> None:
    with pytest.raises(ValueError, match=message):
        decode(f'{{"a":[{{"__persistry__":{tag}}}]}}', number)


@settings(max_examples=300)
@given(states, st.data())
def test_damaged_text_is_judged_as_the_standard_library_does(
    values: dict[str, Any], data: st.DataObject
) -> None:
    text = deep_json.encode(tagged(values).value)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    damaged = text[:start] + data.draw(st.text('{}[],:"\\0123e.-+ntNI \n', max_size=3)) + text[end:]
    try:
        expected = json.loads(damaged)
    except ValueError:
        with pytest.raises(ValueError):
            deep_json.decode(damaged)
    else:
        assert exactly(deep_json.decode(damaged), expected)


# ---------------------------------------------------------------------------------------- sameness


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        (0.0, -0.0),
        (None, False),
        ("1", 1),
        ([], {}),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"b": 1}),
        ({"a": [0.0]}, {"a": [-0.0]}),
        (math.nan, 1.0),
        (math.inf, -math.inf),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_not_the_same(left: Any, right: Any) -> None:
    assert not same(left, right)
    assert not same(right, left)
    assert not same([left], [right])
    assert same(left, left)
    assert same([right], [right])


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        ([math.nan], [-float("nan")]),
        (-0.0, -0.0),
        pytest.param(10**5000, 10**5000, id="5001 digits"),
        ({"a": {}}, {"a": {}}),
    ],
)
def test_the_same(left: Any, right: Any) -> None:
    assert same(left, right)


def test_sameness_at_any_depth() -> None:
    assert same(deep_value(), deep_value())
    other = deep_value()
    value = other
    while value != "bottom":
        parent = value
        value = value["down"] if isinstance(value, dict) else value[0]
    parent[0] = "other bottom"
    assert not same(deep_value(), other)
