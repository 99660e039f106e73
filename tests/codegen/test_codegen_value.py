"""Scenario values: JSON's words and numbers mean what they mean in JSON; the rest is text."""

from __future__ import annotations

import math
from typing import Any

import pytest

from codegen.problems import Code, Report, Span
from codegen.source import MappingNode, parse
from codegen.value import Value, value_of


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


def test_a_literal_knows_its_place() -> None:
    assert read("{a: 1}")[0] == Value({"a": 1}, Span("a.yaml", 1, 4, 6))
