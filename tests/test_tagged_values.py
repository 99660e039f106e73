"""Values beyond JSON: stored as documented, exact, compared exactly; malformed tags are refused."""

from __future__ import annotations

import itertools
import json
import math
import sys
import uuid
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistry._runtime.codec import decode, encode
from persistry._runtime.record import NewRecord
from persistry._runtime.same import same
from persistry._runtime.tagging import tagged
from persistry._runtime.tags import UnregisteredTypeError
from persistry.errors import StateConflictError, StateNotSerializableError
from persistry.state import State

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def exact(value: Any) -> Any:
    """What tells a value apart from every other one, found without our own code."""
    if isinstance(value, dict):
        return [(key, exact(it)) for key, it in value.items()]
    if isinstance(value, list | tuple):
        return [type(value).__name__, [exact(it) for it in value]]
    if isinstance(value, set | frozenset):
        return [type(value).__name__, sorted(repr(exact(it)) for it in value)]
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    if isinstance(value, datetime | time):
        return repr(value), value.tzinfo and (type(value.tzinfo), value.tzname())
    return type(value).__name__, repr(value)


def back(value: Any) -> Any:
    encoded = encode({"value": value})
    return decode(encoded.data, encoded.codec)["value"]


# -------------------------------------------------------------------------------------- round trips

texts = st.text(st.characters(exclude_categories=()), max_size=4) | st.sampled_from(
    ["__persistry__", "\ud83d\ude00"]
)
offsets = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59))
fixed_zones = st.builds(timezone, offsets) | st.builds(
    timezone, offsets, st.sampled_from(["", "X", "UTC+01:00"])
)
named_zones = st.sampled_from(["Europe/Berlin", "UTC", "America/St_Johns", "Pacific/Apia"])
zones = st.none() | st.just(UTC) | fixed_zones | named_zones.map(zoneinfo.ZoneInfo)
folds = st.integers(0, 1)
moments = st.builds(lambda it, zone, fold: it.replace(tzinfo=zone, fold=fold), st.datetimes(),
                    zones, folds)  # fmt: skip
times = st.builds(lambda it, zone, fold: it.replace(tzinfo=zone, fold=fold), st.times(),
                  zones, folds)  # fmt: skip
decimals = st.decimals() | st.builds(
    Decimal,
    st.tuples(st.integers(0, 1), st.lists(st.integers(0, 9)).map(tuple), st.integers(-500, 500)),
)
decimals |= st.sampled_from(["sNaN", "-sNaN12", "NaN0", "-NaN7", "-0", "0E-9", "0E+9"]).map(Decimal)
hashable_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.integers()
    | st.builds(lambda: 10**4400)
    | st.floats()
    | texts
    | st.binary(max_size=4)
    | moments
    | times
    | st.dates()
    | st.timedeltas()
    | decimals.filter(lambda it: not it.is_snan())
    | st.uuids()
)
hashables = st.recursive(
    hashable_scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)
values = st.recursive(
    hashables | decimals | st.sets(hashables, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts, inner, max_size=3)
        | st.builds(lambda it: {"__persistry__": it}, inner)
        | st.builds(
            lambda name, it: {"__persistry__": [name, it]},
            st.sampled_from(["tuple", "set", "datetime", "a.b"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(values)
def test_every_value_comes_back_exactly(value: Any) -> None:
    found = back(value)
    assert exact(found) == exact(value)
    assert same(found, value)
    assert same(value, found)


@given(values)
def test_a_value_has_one_text(value: Any) -> None:
    encoded = encode({"value": value})
    again = encode(decode(encoded.data, encoded.codec))
    assert again == encoded


@given(values, values)
def test_same_is_what_is_written_alike(left: Any, right: Any) -> None:
    """Equivalence follows: equal texts are. The order of keys is the one thing it passes over."""
    as_text = [json.dumps(tagged([it]).value, sort_keys=True) for it in (left, right)]
    assert same(left, right) == same(right, left)
    if as_text[0] == as_text[1]:
        assert same(left, right)
    elif '"dict"' not in as_text[0] + as_text[1]:
        assert not same(left, right)
    assert same(left, left)
    assert same([left], [back(left)])


near = st.sampled_from(
    [1, 1.0, True, Decimal(1), Decimal("1.0"), (1,), [1], {1}, {True}, frozenset({1}), b"1", "1",
     0.0, -0.0, {0.0}, {-0.0}, math.nan, (math.nan,), {math.nan}, Decimal("nan"), (1.0,), (True,),
     datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), date(2024, 1, 1), time(0),
     timedelta(0), datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), {"a": 1, "b": 2},
     datetime(2024, 1, 1, 1, tzinfo=BERLIN), datetime(2024, 1, 1, 1, fold=1, tzinfo=BERLIN),
     {"b": 2, "a": 1}, {"__persistry__": ["tuple", [1]]}, uuid.UUID(int=1), str(uuid.UUID(int=1)),
     {"__persistry__": [1]}, {(1, 2), 3}, {3, (1, 2)}, {(1, 2.0), 3}, frozenset({(1, 2), 3})]
)  # fmt: skip


@given(near, near, near)
def test_same_is_an_equivalence_relation(one: Any, two: Any, three: Any) -> None:
    assert same(one, back(one))
    assert same(one, two) == same(two, one) == same(back(one), two)
    if same(one, two) and same(two, three):
        assert same(one, three)


def test_same_tells_all_near_values_apart() -> None:
    pool = [1, 1.0, True, Decimal(1), Decimal("1.0"), (1,), [1], {1}, {True}, frozenset({1}), b"1",
            (1.0,), {(1, 2)}, {(1, 2.0)}, datetime(2024, 1, 1), date(2024, 1, 1),
            datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=BERLIN),
            datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC")), datetime(2024, 1, 1, fold=1),
            datetime(2024, 1, 1, tzinfo=timezone(timedelta(0), "Z")),
            datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), {0.0}, {-0.0}, "1",
            Decimal("nan"), Decimal("snan"), Decimal("nan1"), math.nan, time(0),
            timedelta(0)]  # fmt: skip
    for left, right in itertools.permutations(pool, 2):
        assert not same(left, right), (left, right)
        assert not same({"a": [left]}, {"a": [right]})
    for left in pool:
        assert same(left, back(left))


def test_moments_that_hypothesis_seldom_finds() -> None:
    twice = datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN)
    skipped = datetime(2024, 3, 31, 2, 30, tzinfo=BERLIN)
    for moment in (twice, skipped, datetime.min.replace(tzinfo=BERLIN),
                   datetime(1890, 1, 1, tzinfo=BERLIN)):  # fmt: skip
        for it in (moment, moment.replace(fold=1)):
            found = back(it)
            assert exact(found) == exact(it)
            assert found.utcoffset() == it.utcoffset()
            assert found.tzinfo is BERLIN
    for seconds in (1e-6, -1e-6, 0.5, -0.5, 1.000001, -1.000001, 86399.999999, -86399.999999):
        zone = timezone(timedelta(seconds=seconds))
        found = back((time(1, tzinfo=zone), datetime(2024, 1, 1, 1, 2, 3, 4, tzinfo=zone)))
        assert [it.utcoffset() for it in found] == [zone.utcoffset(None)] * 2


def test_decimals_do_not_depend_on_the_context() -> None:
    numbers = [Decimal("1.23456789E+30"), Decimal("-0E-400"), Decimal("NaN"), Decimal("1" * 9000)]
    usual = encode({"n": numbers})
    with localcontext() as context:
        context.prec = 2
        context.Emax = 5
        context.capitals = 0
        context.traps = dict.fromkeys(context.traps, False)
        unusual = encode({"n": numbers})
        assert exact(decode(usual.data, 1)["n"]) == exact(numbers)
        with pytest.raises(ValueError, match="a decimal number was expected"):
            decode('{"a":{"__persistry__":["decimal","one"]}}', 1)
    assert exact(decode(unusual.data, 1)["n"]) == exact(numbers)


def test_several_nans_in_sets() -> None:
    nans = {float("nan"), float("nan"), (float("nan"),), (float("nan"),), Decimal("nan")}
    assert len(nans) == 5
    encoded = encode({"a": nans, "b": frozenset({frozenset({float("nan")}), math.nan})})
    found = decode(encoded.data, encoded.codec)
    assert len(found["a"]) == 5
    assert same(found["a"], nans)
    assert not same(found["a"], nans - {next(it for it in nans if type(it) is tuple)})
    deep = decode(encoded.data, encoded.codec)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(5000)  # read by the decoder that needs no stack
    try:
        assert same(deep, decode(encoded.data, encoded.codec))
        assert len(decode(encoded.data, encoded.codec)["a"]) == 5
    finally:
        sys.setrecursionlimit(before)


def test_a_text_of_another_number_is_the_same_state() -> None:
    """Which number a state gets may depend on the process, and on the version."""
    values = {"a": "\ud83d\ude00", "b": 10**1000, "t": (1,)}
    record = NewRecord.checked("p", "a", 1, "x", State(values), "completed", {}, 10**6)
    assert record.codec == 3
    text = '{"b":{"__persistry__":["int","%#x"]},"t":{"__persistry__":["tuple",[1]]},"a":%s}'
    stored = text % (10**1000, '{"__persistry__":["str","7aC97biA"]}')
    record.accept(("completed", stored, 1))
    with pytest.raises(StateConflictError):
        record.accept(("completed", stored, 0))
    with pytest.raises(StateConflictError):
        record.accept(("completed", stored, None))


# ------------------------------------------------------------------------------------ stored format

STORED = [
    ((), '{"__persistry__":["tuple",[]]}'),
    ((1, ("a",)), '{"__persistry__":["tuple",[1,{"__persistry__":["tuple",["a"]]}]]}'),
    ({"b", "a", 10, 9}, '{"__persistry__":["set",["a","b",10,9]]}'),
    (frozenset({2, 1}), '{"__persistry__":["frozenset",[1,2]]}'),
    (b"\x00\xff\xfe", '{"__persistry__":["bytes","AP/+"]}'),
    (datetime(2024, 7, 1, 12, 30), '{"__persistry__":["datetime","2024-07-01T12:30:00"]}'),
    (datetime(2024, 7, 1, 12, 30, 0, 5, tzinfo=UTC),
     '{"__persistry__":["datetime","2024-07-01T12:30:00.000005+00:00"]}'),
    (datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=BERLIN),
     '{"__persistry__":["datetime",["2024-10-27T02:30:00+01:00",'
     '{"zone":"Europe/Berlin","fold":1}]]}'),
    (datetime(2024, 7, 1, tzinfo=timezone(timedelta(hours=-3, minutes=-30), "NST")),
     '{"__persistry__":["datetime",["2024-07-01T00:00:00-03:30",{"name":"NST"}]]}'),
    (date(2024, 7, 1), '{"__persistry__":["date","2024-07-01"]}'),
    (time(12, 30, tzinfo=BERLIN),
     '{"__persistry__":["time",["12:30:00",{"zone":"Europe/Berlin"}]]}'),
    (timedelta(days=-1, seconds=3, microseconds=5), '{"__persistry__":["timedelta",[-1,3,5]]}'),
    (Decimal("-1.50E+400"), '{"__persistry__":["decimal","-1.50E+400"]}'),
    (Decimal("sNaN1"), '{"__persistry__":["decimal","sNaN1"]}'),
    (uuid.UUID(int=1), '{"__persistry__":["uuid","00000000-0000-0000-0000-000000000001"]}'),
    ([{"__persistry__": ["a", 1]}, ()],
     '[{"__persistry__":["dict",[["__persistry__",["a",1]]]]},{"__persistry__":["tuple",[]]}]'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), STORED, ids=[text for _, text in STORED])
def test_the_stored_text(value: Any, text: str) -> None:
    """The stored format: these texts are in databases."""
    encoded = encode({"é": value})
    assert encoded.text == f'{{"é":{text}}}'
    assert encoded.codec == 1
    assert exact(decode(encoded.data, 1)) == exact({"é": value})


def test_the_stored_text_beside_what_orjson_cannot_write() -> None:
    encoded = encode({"é": (math.nan, {2**64})})
    assert encoded.codec == 3
    assert encoded.text == (
        r'{"\u00e9":{"__persistry__":["tuple",[NaN,'
        r'{"__persistry__":["set",[18446744073709551616]]}]]}}'
    )


def test_a_zone_is_read_by_its_key() -> None:
    """When the rules of a zone change, the time on its clocks stays; the offset was for readers."""
    payload = '["2024-07-01T12:30:00+09:00",{"zone":"Europe/Berlin"}]'
    found = decode(f'{{"a":{{"__persistry__":["datetime",{payload}]}}}}', 1)["a"]
    assert exact(found) == exact(datetime(2024, 7, 1, 12, 30, tzinfo=BERLIN))


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ('["tuple",1]', "a list was expected"),
        ('["tuple","ab"]', "a list was expected"),
        ('["tuple",{"__persistry__":["tuple",[]]}]', "a list was expected"),
        ('["set",{}]', "a list was expected"),
        ('["set",[1,1]]', "two of its members are equal"),
        ('["set",[1,true]]', "two of its members are equal"),
        ('["set",[[]]]', "unhashable"),
        ('["frozenset",[{}]]', "unhashable"),
        ('["frozenset",null]', "a list was expected"),
        ('["bytes",1]', "a text was expected"),
        ('["bytes","a"]', "base64"),
        ('["bytes","é==="]', "ASCII"),
        ('["bytes","a b="]', "base64"),
        ('["datetime",1]', "ISO 8601"),
        ('["datetime","now"]', "isoformat"),
        ('["datetime","2024-13-01T00:00:00"]', "month"),
        ('["datetime",["2024-01-01T00:00:00",{}]]', "ISO 8601"),
        ('["datetime",["2024-01-01T00:00:00",{"zones":1}]]', "ISO 8601"),
        ('["datetime",["2024-01-01T00:00:00",{"zone":1}]]', "a text was expected"),
        ('["datetime",["2024-01-01T00:00:00",{"zone":"../x"}]]', "zone|normalized|refer"),
        ('["datetime",["2024-01-01T00:00:00",{"zone":"Moon/Sea"}]]', "tzdata"),
        ('["datetime",["2024-01-01T00:00:00",{"name":"X"}]]', "without an offset"),
        ('["datetime",["2024-01-01T00:00:00+00:00",{"name":1}]]', "a text was expected"),
        ('["datetime",["2024-01-01T00:00:00",{"fold":2}]]', "fold"),
        ('["datetime",["2024-01-01T00:00:00",{"fold":true}]]', "fold"),
        ('["datetime","2024-01-01T00:00:00+99:00"]', "offset|timedelta"),
        ('["time","25:00"]', "hour"),
        ('["time",null]', "ISO 8601"),
        ('["date","2024-02-30"]', "day"),
        ('["date",20240701]', "a text was expected"),
        ('["timedelta",[1,2]]', "days"),
        ('["timedelta",[1,2,3.5]]', "days"),
        ('["timedelta",[1000000000,0,0]]', "days"),
        ('["decimal",1]', "a text was expected"),
        ('["decimal","1,5"]', "a decimal number"),
        ('["decimal","1_000"]', "a decimal number"),
        ('["decimal"," 1"]', "a decimal number"),
        ('["decimal","1\\n"]', "a decimal number"),
        ('["decimal","\u0661"]', "a decimal number"),
        ('["uuid",1]', "a text was expected"),
        ('["uuid","0"]', "badly formed"),
        ('["uuid","{00000000-0000-0000-0000-000000000001}"]', "four hyphens"),
    ],
)
@pytest.mark.parametrize("number", [1, 3])
def test_malformed_tags(tag: str, why: str, number: int) -> None:
    kind = json.loads(tag)[0]
    with pytest.raises(ValueError, match=f"(?s)type '{kind}' is malformed: .*({why})"):
        decode(f'{{"a":[{{"__persistry__":{tag}}}]}}', number)


def test_an_extreme_duration_is_malformed_too() -> None:
    with pytest.raises(ValueError, match="type 'timedelta' is malformed"):
        decode('{"a":{"__persistry__":["timedelta",[1e400,0,0]]}}', 3)
    with pytest.raises(ValueError, match="type 'timedelta' is malformed"):
        decode(f'{{"a":{{"__persistry__":["timedelta",[{10**30},0,0]]}}}}', 3)


@pytest.mark.parametrize("number", [2, None])
@given(values)
def test_without_its_number_a_text_has_no_tags(number: int | None, value: Any) -> None:
    """Another library's text, or one of plain JSON, holds nothing but JSON."""
    text = encode({"value": value}).text
    assert exact(decode(text, number)) == exact(json.loads(text))


@pytest.mark.parametrize("name", ["antigravity.fly", "this.s", "os.system", "builtins.eval"])
def test_a_name_in_a_tag_never_leads_to_an_import(name: str) -> None:
    module = name.partition(".")[0]
    was_loaded = module in sys.modules
    with pytest.raises(UnregisteredTypeError, match=r"register_type\(<the class>, '" + name):
        decode(f'{{"a":{{"__persistry__":["{name}","true"]}}}}', 1)
    assert (module in sys.modules) == was_loaded


# --------------------------------------------------------------------------------- what is refused


class Lunar(date):
    pass


class Zone(tzinfo):
    pass


class NamedZone(zoneinfo.ZoneInfo):
    pass


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2024, 1, 1, tzinfo=Zone()), "its tzinfo is"),
        (time(1, tzinfo=NamedZone("UTC")), "its tzinfo is of type"),
        (datetime(2024, 1, 1, tzinfo=timezone(timedelta(0), "\ud800")), "surrogates not allowed"),
        (Lunar(2024, 1, 1), "register its class"),
        ({(1, 2j)}, r"\[1\] is of type complex"),
    ],
)
def test_what_would_not_come_back_is_refused(value: Any, words: str) -> None:
    with pytest.raises(StateNotSerializableError, match=words) as caught:
        encode({"a": (value,)})
    assert str(caught.value).startswith("state['a'][0]")


def test_a_zone_that_nobody_else_would_find_is_refused() -> None:
    path = next(it for folder in zoneinfo.TZPATH if (it := Path(folder, "UTC")).exists())
    for key in (None, "My/Zone", "../x"):
        with path.open("rb") as file:
            zone = zoneinfo.ZoneInfo.from_file(file, key=key)
        with pytest.raises(StateNotSerializableError, match="cannot be found again by its key"):
            encode({"a": datetime(2024, 1, 1, tzinfo=zone)})


def test_places_inside_of_tuples_and_sets() -> None:
    for value, place in [
        ((0, [object]), "['a'][1][0] is"),
        (
            {frozenset({(0, int)})},
            "['a']{frozenset({(0, <class 'int'>)})}{(0, <class 'int'>)}[1] is",
        ),
        (({1: 2},), "['a'][0] has the key 1 of type int"),
        (({"k": {"a", len}},), "['a'][0]['k']{<built-in function len>} is"),
    ]:
        with pytest.raises(StateNotSerializableError) as caught:
            encode({"a": value})
        assert str(caught.value).startswith(f"state{place}")


def test_a_tuple_that_contains_itself_is_refused() -> None:
    inner: list[Any] = []
    around = (inner,)
    inner.append(around)
    with pytest.raises(StateNotSerializableError, match=r"\['a'\]\[0\]\[0\] is a tuple that conta"):
        encode({"a": around})


@pytest.mark.parametrize(("levels", "fine"), [(1000, True), (1001, False), (100_000, False)])
def test_tuples_in_a_set_are_not_nested_without_limit(levels: int, fine: bool) -> None:
    """The hash of a tuple recurses on the stack of the thread, and overflows it without a word."""
    member: Any = ()
    text = '{"__persistry__":["tuple",[]]}'
    for _ in range(levels - 1):
        member = (member,)
    text = '{"__persistry__":["tuple",[' * (levels - 1) + text + "]]}" * (levels - 1)
    text = f'{{"a":{{"__persistry__":["set",[1,{text}]]}}}}'
    if fine:
        assert same(decode(text, 3), {"a": {1, member}})
        assert encode({"a": {1, member}}).codec == 3
        return
    with pytest.raises(ValueError, match="nested in it over more than 1000 levels"):
        decode(text, 3)
    if levels < 10_000:
        with pytest.raises(
            StateNotSerializableError, match=r"^state\['a'\] is a set that cannot be"
        ):
            encode({"a": {1, member}})


def test_one_part_many_times_is_no_circle() -> None:
    part = (1, frozenset({2}))
    found = back([part, (part, part), {part}])
    assert exact(found) == exact([part, (part, part), {part}])
