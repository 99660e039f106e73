"""Nodes become dataclasses; every mistake has its place, and half a value is never seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest

from codegen.decode import Value, decode, peek
from codegen.problems import Report, Span
from codegen.source import Text, parse


@dataclass(frozen=True)
class Driver:
    """A driver of a backend: how it binds."""

    style: Literal["qmark", "format", "dollar"]
    """How it marks values."""
    strict: bool = False
    port: int | None = None


@dataclass(frozen=True)
class Backend:
    what: ClassVar[str] = "a backend"

    span: Span
    backend: Text
    family: str
    """which templates render it"""
    drivers: dict[Text, Driver] = field(default_factory=dict)
    takes: tuple[Text, ...] = ()
    imports: tuple[str, ...] = field(default=(), metadata={"one": True})
    raise_: str | None = None
    title: str | None = field(default=None, metadata={"key": "long-title"})
    limit: Text | Driver | None = None
    main: Driver | None = None
    modes: dict[Literal["fast", "safe"], int] = field(default_factory=dict)
    given: dict[Text, Value] = field(default_factory=dict)
    returns: Value | None = None


@dataclass(frozen=True)
class Plain:
    must: int | None
    what: str = "a word that is no name"


BASE = "backend: sqlite\nfamily: sql\n"


def decoded(text: str) -> Backend:
    report = Report()
    node = parse(text, "a.yaml", report)
    assert node is not None
    backend = decode(node, Backend, report)
    assert report.problems == []
    assert backend is not None
    return backend


def problems(text: str, type_: type[Any] = Backend) -> list[str]:
    report = Report()
    node = parse(text, "a.yaml", report)
    assert node is not None
    assert report.problems == []
    assert decode(node, type_, report) is None
    return [
        f"{problem.span.line}:{problem.span.column} {problem.code.name} {problem.message}"
        for problem in report.problems
        if problem.span is not None
    ]


def helps(text: str) -> list[str]:
    report = Report()
    node = parse(text, "a.yaml", report)
    assert node is not None
    decode(node, Backend, report)
    return [problem.help for problem in report.problems]


def test_a_mapping_becomes_a_dataclass() -> None:
    backend = decoded(
        BASE + "drivers:\n  b: {style: qmark, strict: true, port: -5}\n"
        "  a: {style: dollar, port: null}\n"
        "takes: [no, 1.10]\nimports: one\nraise: E\nlong-title: 'null'\nmodes: {safe: 1}\n"
    )
    assert backend.span == Span("a.yaml", 1, 1, 7)
    assert backend.backend.span == Span("a.yaml", 1, 10, 6)
    assert type(backend.family) is str
    assert list(backend.drivers) == ["b", "a"]
    assert next(iter(backend.drivers)).span == Span("a.yaml", 4, 3)
    assert backend.drivers[Text("b", backend.span)] == Driver("qmark", strict=True, port=-5)
    assert backend.drivers[Text("a", backend.span)] == Driver("dollar")
    assert backend.takes == ("no", "1.10")
    assert backend.imports == ("one",)
    assert (backend.raise_, backend.title, backend.modes) == ("E", "null", {"safe": 1})


def test_absent_and_null_are_none() -> None:
    report = Report()
    for text in ("must: null\n", "what: x\n"):
        node = parse(text, "a.yaml", report)
        assert node is not None
        plain = decode(node, Plain, report)
        assert plain is not None
        assert plain.must is None
    assert decoded(BASE + "main: null\nlimit: null\n").main is None


def test_a_null_is_a_value_where_values_belong() -> None:
    assert decoded(BASE).returns is None
    assert decoded(BASE + "returns: null\n").returns == Value(None, Span("a.yaml", 3, 10, 4))


def test_a_first_look_passes_over_other_keys() -> None:
    report = Report()
    for text, plain in [
        ("must: 1\nother: [x]\n", Plain(1)),
        ("z: 1\n", Plain(None)),
        ("[]\n", None),
    ]:
        node = parse(text, "a.yaml", report)
        assert node is not None
        assert peek(node, Plain, report) == plain
    assert [problem.code.name for problem in report.problems] == ["SCH03"]


def test_a_union_takes_the_member_of_the_nodes_kind() -> None:
    assert decoded(BASE + "limit: '1'\n").limit == "1"
    assert decoded(BASE + "limit: {style: qmark}\n").limit == Driver("qmark")
    assert problems(BASE + "limit: [1]\n") == [
        "3:8 SCH03 'limit' in a backend must be a single value, not a list"
    ]


def test_other_types_than_dataclasses_can_be_decoded() -> None:
    report = Report()
    node = parse("a: 1\n", "a.yaml", report)
    assert node is not None
    assert decode(node, dict[Text, int], report) == {"a": 1}
    assert decode(node, tuple[int, ...], report, "the list of drivers") is None
    assert report.problems[0].message == "the list of drivers must be a list, not a mapping"


def test_unknown_keys_come_with_a_suggestion() -> None:
    assert problems(BASE + "driver: {}\nzzz: 1\n") == [
        "3:1 SCH01 unknown key 'driver' in a backend",
        "4:1 SCH01 unknown key 'zzz' in a backend",
    ]
    known = (
        "backend, drivers, family, given, imports, limit, long-title, main, modes, raise, returns, "
        "takes"
    )
    assert helps(BASE + "driver: {}\nzzz: 1\n") == [
        f"did you mean 'drivers'?  known here: {known}",
        f"known here: {known}",
    ]


def test_missing_keys_come_with_their_doc() -> None:
    text = "takes: []\ndrivers:\n  a: {}\n"
    assert problems(text) == [
        "1:1 SCH02 missing key 'backend' in a backend",
        "1:1 SCH02 missing key 'family' in a backend",
        "3:6 SCH02 missing key 'style' in a driver of a backend",
    ]
    assert helps(text)[0] == "add 'backend: ...'"
    assert helps(text)[1] == "add 'family: ...', which templates render it"


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    assert problems("backend: a\nfamly: sql\n") == ["2:1 SCH01 unknown key 'famly' in a backend"]
    assert problems(BASE + "famly: sql\n") == ["3:1 SCH01 unknown key 'famly' in a backend"]


@pytest.mark.parametrize(
    ("text", "problem", "help"),
    [
        ("drivers: [a]", "10 SCH03 'drivers' in a backend must be a mapping, not a list",
         "write 'key: value' lines"),
        ("drivers: a:b", "10 SCH03 'drivers' in a backend must be a mapping, not the text 'a:b'",
         "write a space after the colon"),
        ("takes: x", "8 SCH03 'takes' in a backend must be a list, not the text 'x'", "write [a"),
        ("takes: -x", "8 SCH03 'takes' in a backend must be a list, not the text '-x'",
         "write a space after each '-'"),
        ("takes:", "7 SCH03 'takes' in a backend must be a list, not empty", "write [a, b]"),
        ("takes: [[x]]",
         "9 SCH03 item 1 of 'takes' in a backend must be a single value, not a list",
         "a text that starts with '[' must be in quotes"),
        ("raise: {table}", "8 SCH03 'raise' in a backend must be a single value, not a mapping",
         "a text that starts with '{' must be in quotes"),
        ("main: {style: qmrk}", "15 SCH04 'style' in a driver of a backend cannot be 'qmrk'",
         "did you mean 'qmark'?  allowed here: dollar, format, qmark"),
        ("main: {style: qmark, strict: yes}",
         "30 SCH04 'strict' in a driver of a backend cannot be 'yes'",
         "write true or false, without quotes"),
        ("main: {style: qmark, strict: 'true'}",
         "30 SCH04 'strict' in a driver of a backend cannot be the text 'true'", "write true or"),
        ("main: {style: qmark, port: 1_0}",
         "28 SCH04 'port' in a driver of a backend cannot be '1_0'", "write an integer like 42"),
        ("main: {style: qmark, port: '1'}",
         "28 SCH04 'port' in a driver of a backend cannot be the text '1'", "write an integer"),
        ("modes: {quick: 1}", "9 SCH01 unknown key 'quick' in 'modes' in a backend",
         "known here: fast, safe"),
        ("modes: {fast: x}", "15 SCH04 'fast' in 'modes' in a backend cannot be 'x'", "write an"),
        ("takes: [~]", "9 SCH04 item 1 of 'takes' in a backend has no value", "write the value"),
        ("takes: [null]", "9 SCH04 item 1 of 'takes' in a backend has no value", "write the value"),
        ("raise:", "7 SCH04 'raise' in a backend has no value", "write the value"),
    ],
)  # fmt: skip
def test_wrong_values(text: str, problem: str, help: str) -> None:
    assert problems(f"{BASE}{text}\n") == [f"3:{problem}"]
    assert helps(f"{BASE}{text}\n")[0].startswith(help)


def test_the_doc_of_the_key_is_a_note() -> None:
    report = Report()
    node = parse("style: x\n", "a.yaml", report)
    assert node is not None
    decode(node, Driver, report)
    assert report.problems[0].notes == ("How it marks values.",)


def test_decoding_goes_on_after_a_problem() -> None:
    text = "family: [x]\ndrivers:\n  a: {style: x, port: y}\n  b: []\ntakes: [a, [b]]\nzzz: 1\n"
    assert [problem.split()[1] for problem in problems(text)] == [
        "SCH02", "SCH03", "SCH04", "SCH04", "SCH03", "SCH03", "SCH01",
    ]  # fmt: skip


def test_a_scalar_where_a_document_belongs() -> None:
    assert problems("text\n") == ["1:1 SCH03 a backend must be a mapping, not the text 'text'"]
    assert problems("|\n  two\n  rows\n") == [
        "1:1 SCH03 a backend must be a mapping, not the text 'two...'"
    ]


def test_words_without_a_name_come_from_the_class() -> None:
    assert problems("[]\n", Plain) == ["1:1 SCH03 a plain must be a mapping, not a list"]


def test_a_field_of_an_unknown_type_is_our_mistake() -> None:
    @dataclass(frozen=True)
    class Wrong:
        ratio: float

    report = Report()
    node = parse("ratio: 1\n", "a.yaml", report)
    assert node is not None
    with pytest.raises(TypeError, match="float"):
        decode(node, Wrong, report)
