"""YAML that cannot be read is explained in plain words, at the place where the mistake is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.problems import Report, render
from codegen.source import parse


def refused(text: str) -> tuple[str, str, str]:
    """Place with code, message and help of the only problem."""
    report = Report()
    assert parse(text, "a.yaml", report) is None
    (problem,) = report.problems
    assert problem.span is not None
    place = f"{problem.span.line}:{problem.span.column} {problem.code.name}"
    return place, problem.message, problem.help


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        # what people get wrong most often
        ("a:\n\tb: 1\n", "2:1", "a tab where only spaces may be"),
        ("a: 1\n  b: 2\n", "2:3", "this key is indented below line 1, which already has a value"),
        ("a:\n    b: 1\n  c: 2\n", "3:3", "this line is indented like no line that it could ..."),
        ("a: |\n  x\n y\n", "3:2", "this line is indented like no line that it could ..."),
        ("a: b: c\n", "1:5", "a second ': ' in one line"),
        ("a: {x}y\n", "1:7", "text behind a mapping that starts with '{'"),
        ("a: [x]y\n", "1:7", "text behind a list that starts with '['"),
        ("a: ? b\n", "1:4", "a value cannot start with '?'"),
        ("a: [b, c?]\n", "1:9", "'?' in a list that is written in []"),
        ("a: {b?: c}\n", "1:6", "'?' in a mapping that is written in {}"),
        ("a: @b\n", "1:4", "a value cannot start with '@'"),
        ("a: `b`\n", "1:4", "a value cannot start with '`'"),
        ("a: %b\n", "1:4", "a value cannot start with '%'"),
        ("a: *\n", "1:4", "a value cannot start with '*'"),
        ("a: , b\n", "1:4", "a value cannot start with ','"),
        ('a: "abc\nb: 1\n', "1:4", "this quote is never closed"),
        ("a: 'abc\nb: 1\n", "1:4", "this quote is never closed"),
        ("a: 'it's'\n", "1:8", "text behind a closing quote"),
        ("a:b\nc: 1\n", "1:2", "no space after the colon of 'a'"),
        ("c: 1\na:b\nd: 2\n", "2:2", "no space after the colon of 'a'"),
        ("c: 1\nab\nd: 2\n", "2:1", "this line is not 'key: value'"),
        ("a: [1, 2\nb: 1\n", "1:4", "no ']' closes this '['"),
        ("a: {x: 1\nb: 1\n", "1:4", "no '}' closes this '{'"),
        ('a: "\\d"\n', "1:5", "an unknown or incomplete escape, '\\d', in double quotes"),
        ('a: "\\u12x"\n', "1:5", "an unknown or incomplete escape, '\\u', in double quotes"),
        ('a: "\\U00110000"\n', "1:5", "no character has this number"),
        ('b: 1\na: "\\Uffffffff"\n', "2:5", "no character has this number"),
        (" a: 1\nb: 2\n", "2:1", "this does not belong to what the file begins with"),
        ("a: [1, {b: \n", "2:1", "a value is missing here"),
        ("a: !<\n", "1:4", "a value cannot start with '!'"),
        ("a: - b\n", "1:4", "a list item on the line of its key"),
        ("a:\n  - x\n  b: 1\n", "3:3", "a key among list items"),
        ("a:\n  b: 1\n  - x\n", "3:3", "a list item among the keys of a mapping"),
        ("a: | x\n", "1:6", "text on the line of '|'"),
        ("a: >x\n", "1:5", "text on the line of '>'"),
        ("a: \x01\n", "1:4", "the character U+0001 is not allowed in YAML"),
        ("a: x\u2028y\n", "1:5", "the character U+2028 cannot be seen and is not allowed"),
        ("[" * 3000, "1:1", "nested too deeply"),
        # rare ones keep PyYAML's words
        ("%YAML 3.0\n---\na: 1\n", "1:1", "not YAML: found incompatible YAML document ..."),
        ('"a\nb": 1\n', "2:3", "a ':' where no key can end"),
    ],
)
def test_malformed_yaml(source: str, place: str, message: str) -> None:
    found_place, found_message, found_help = refused(source)
    assert found_place == f"{place} YAML01"
    assert found_message.startswith(message.removesuffix("..."))
    assert found_help


@given(st.text("\t\n :-{}[]'\"|>?@`%*&!#,\\\\ab1~<=\x00\ud800é", max_size=30))
def test_whatever_is_written_is_read_or_explained(text: str) -> None:
    report = Report()
    node = parse(text, "a.yaml", report)
    assert (node is None) <= bool(report)
    lines = text.split("\n")
    for problem in report.problems:
        assert problem.span is not None
        assert 1 <= problem.span.column <= len(lines[problem.span.line - 1]) + 1
    render(report, {"a.yaml": text})


def test_help_says_which_indentation_fits() -> None:
    assert refused("a:\n    b: 1\n  c: 2\n")[2] == "indent it by 4 like line 2 or by 0 like line 1"
