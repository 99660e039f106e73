"""Scenario values: JSON's words and numbers mean what they mean in JSON; the rest is text."""

from __future__ import annotations

import datetime as datetime_module
import math
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from codegen.problems import Code, Report, Span
from codegen.resolve.scenarios import literal as literal_of
from codegen.source import MappingNode, parse
from codegen.value import TAGS, Value, value_of


def read(written: str) -> tuple[Value | None, Report]:
    report = Report()
    node = parse(f"x: {written}\n", "a.yaml", report)
    assert isinstance(node, MappingNode)
    return value_of(node.pairs[0][1], report), report


def literal(written: str) -> Any:
    value, report = read(written)
    assert report.problems == []
    assert value is not None
    return value.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("null", None), ("true", True), ("false", False), ("'null'", "null"), ('"true"', "true"),
        ("0", 0), ("-7", -7), ("1.50", 1.5), ("-0.0", -0.0), ("1e3", 1000.0), ("2E-1", 0.2),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("Infinity", math.inf), ("-Infinity", -math.inf), (".inf", math.inf), ("-.inf", -math.inf),
        ("'1'", "1"), ("yes", "yes"), ("No", "No"), ("True", "True"), ("010", "010"), ("+1", "+1"),
        ("0x10", "0x10"), ("1_000", "1_000"), ("1.", "1."), (".5", ".5"), ("12:30", "12:30"),
        ("2001-01-01", "2001-01-01"), ("inf", "inf"), ("''", ""), ('"\\ud800\\0"', "\ud800\0"),
        ("|\n    text\n", "text\n"), (">-\n    1\n", "1"), ("[]", []), ("{}", {}),
        ("{b: [1, x, {}], a: null, 1: 2, null: 3}",
         {"b": [1, "x", {}], "a": None, "1": 2, "null": 3}),
    ],
)  # fmt: skip
def test_literals(written: str, value: Any) -> None:
    found = literal(written)
    assert repr(found) == repr(value)
    assert type(found) is type(value)


@pytest.mark.parametrize("written", ["NaN", ".nan"])
def test_literals_that_are_no_number(written: str) -> None:
    assert math.isnan(literal(written))


@pytest.mark.parametrize(
    ("written", "place"),
    [("", "1:3"), ("~", "1:4"), ("[1, {a: ~}]", "1:12"), ("1e999", "1:4"), ("9" * 4301, "1:4")],
)
def test_literals_that_nobody_can_mean(written: str, place: str) -> None:
    value, report = read(written)
    assert value is None
    assert [(problem.code, str(problem.span)) for problem in report.problems] == [
        (Code.SCH04, f"a.yaml:{place}")
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("!tuple []", ()),
        ("!tuple [1, !tuple [x], [2]]", (1, ("x",), [2])),
        ("!set []", set()),
        ("!set [1, '1', null]", {1, "1", None}),
        ("!frozenset [!frozenset [1]]", frozenset({frozenset({1})})),
        ('!bytes "caf\\xe9\\0"', b"caf\xe9\0"),
        ("!bytes 12", b"12"),
        ("!datetime 2024-07-01T12:30:00", datetime(2024, 7, 1, 12, 30)),
        ("!datetime 2024-07-01T12:30:00+00:00", datetime(2024, 7, 1, 12, 30, tzinfo=UTC)),
        ('!datetime "2024-07-01T12:30:00[Europe/Berlin]"',
         datetime(2024, 7, 1, 12, 30, tzinfo=ZoneInfo("Europe/Berlin"))),
        ("!date 2024-07-01", date(2024, 7, 1)),
        ("!time 12:30:00", time(12, 30)),
        ("!timedelta {days: 1, microseconds: 2}", timedelta(days=1, microseconds=2)),
        ("!decimal 1.50", Decimal("1.50")),
        ("!decimal sNaN", Decimal("sNaN")),
        ("!uuid 01234567-89ab-cdef-0123-456789abcdef",
         UUID("01234567-89ab-cdef-0123-456789abcdef")),
        ("{a: !tuple [{b: !date 2024-07-01}]}", {"a": ({"b": date(2024, 7, 1)},)}),
    ],
)  # fmt: skip
def test_values_behind_tags(written: str, value: Any) -> None:
    found = literal(written)
    assert type(found) is type(value)
    assert repr(found) == repr(value) or found == value
    names = {"datetime": datetime_module, "zoneinfo": zoneinfo, "Decimal": Decimal, "UUID": UUID}
    printed = eval(literal_of(found), names)
    assert type(printed) is type(value)
    assert repr(printed) == repr(value) or printed == value


def test_a_set_is_printed_in_one_order() -> None:
    assert literal_of({"b", "a", 1}) == "{'a', 'b', 1}"
    assert literal_of(frozenset({(2,), (1,)})) == "frozenset({(1,), (2,)})"


@pytest.mark.parametrize("tag", TAGS)
def test_the_example_of_each_tag_can_be_read(tag: str) -> None:
    literal(f"!{tag} {TAGS[tag].example}")


@pytest.mark.parametrize("content", ["[]", "{}", "x", "''", "[[]]", "[1, 1]", "[1, true]"])
@pytest.mark.parametrize("tag", sorted(TAGS.keys() - {"tuple", "bytes"}))
def test_what_does_not_fit_its_tag(tag: str, content: str) -> None:
    if (tag, content) in {("set", "[]"), ("frozenset", "[]"), ("timedelta", "{}")}:
        content = "1"
    value, report = read(f"!{tag} {content}")
    assert value is None
    (problem,) = report.problems
    assert (problem.code, problem.message) == (Code.SCH04, f"this is no {tag}")
    assert problem.help == f"write it like !{tag} {TAGS[tag].example}"


def test_an_unknown_tag() -> None:
    value, report = read("[!tupel [1]]")
    assert value is None
    (problem,) = report.problems
    assert problem.message == "unknown tag '!tupel'"
    assert "'tuple'" in problem.help


def test_a_mistake_behind_a_tag_is_told_once() -> None:
    value, report = read("!tuple [~]")
    assert value is None
    assert [problem.message for problem in report.problems] == ["a value is missing here"]


def test_a_literal_knows_its_place() -> None:
    assert read("{a: 1}")[0] == Value({"a": 1}, Span("a.yaml", 1, 4, 6))
