"""Any YAML as a Python literal: the arguments and expectations of scenarios.

JSON's values are written as JSON writes them, others behind a tag: `!tuple [1, 2]`. `TAGS` has an
example of each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from .nodes import ListNode, MappingNode, Node, ScalarNode
from .problems import Code, Report, Span, suggest

# Every other plain scalar is a string, whatever YAML 1.1 would make of it.
_WORDS: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "NaN": math.nan,
    ".nan": math.nan,
    "Infinity": math.inf,
    ".inf": math.inf,
    "-Infinity": -math.inf,
    "-.inf": -math.inf,
}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(?P<broken>(\.[0-9]+)?([eE][+-]?[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Value:
    """A literal and its place."""

    value: Any
    span: Span


def value_of(node: Node, report: Report) -> Value | None:
    reader = _Reader(report)
    value = reader.read(node)
    return None if reader.failed else Value(value, node.span)


class _Reader:
    def __init__(self, report: Report) -> None:
        self.failed = False
        self._report = report

    def read(self, node: Node) -> Any:
        return self._tagged(node) if node.tag else self._untagged(node)

    def _untagged(self, node: Node) -> Any:
        if isinstance(node, MappingNode):
            return {str(key): self.read(child) for key, child in node.pairs}
        if isinstance(node, ListNode):
            return [self.read(item) for item in node.items]
        return str(node.text) if node.quoted else self._plain(node)

    def _tagged(self, node: Node) -> Any:
        tag = TAGS.get(node.tag)
        if tag is None:
            return self._refuse(node, f"unknown tag '!{node.tag}'", suggest(node.tag, TAGS))
        content = str(node.text) if isinstance(node, ScalarNode) else self._untagged(node)
        if self.failed:
            return None
        try:
            return tag.read(content)
        except (TypeError, ValueError, ArithmeticError, LookupError):
            return self._refuse(
                node, f"this is no {node.tag}", f"write it like !{node.tag} {tag.example}"
            )

    def _plain(self, node: ScalarNode) -> Any:
        text = str(node.text)
        if text in {"", "~"}:
            return self._refuse(node, "a value is missing here", "write null, '' or the value")
        if text in _WORDS:
            return _WORDS[text]
        number = _NUMBER.fullmatch(text)
        if number is None:
            return text
        try:
            value = float(text) if number["broken"] else int(text)
        except ValueError:  # Python reads no integer of more digits
            return self._refuse(
                node,
                "an integer of more than 4300 digits",
                "hold such numbers to the promise in a test in templates/conformance/",
            )
        if math.isinf(value):
            return self._refuse(node, "no float is as large as this", "write Infinity")
        return value

    def _refuse(self, node: Node, message: str, help: str) -> None:
        self.failed = True
        self._report.add(Code.SCH04, message, node.span, help=help)


class _Tag(NamedTuple):
    example: str
    read: Callable[[Any], Any]
    """Makes the value of what stands behind the tag: a str, a list or a dict."""


def _tuple(content: Any) -> tuple[Any, ...]:
    return tuple(_of(list, content))


def _frozenset(content: Any) -> frozenset[Any]:
    members = frozenset(_of(list, content))
    if len(members) != len(content):
        raise ValueError("equal members")
    return members


def _set(content: Any) -> set[Any]:
    return set(_frozenset(content))


def _bytes(content: Any) -> bytes:
    return bytes(_of(str, content).encode("latin-1"))


def _datetime(content: Any) -> datetime:
    text, bracket, zone = _of(str, content).partition("[")
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=ZoneInfo(zone.removesuffix("]"))) if bracket else moment


def _date(content: Any) -> date:
    return date.fromisoformat(_of(str, content))


def _time(content: Any) -> time:
    return time.fromisoformat(_of(str, content))


def _timedelta(content: Any) -> timedelta:
    return timedelta(**_of(dict, content))


def _decimal(content: Any) -> Decimal:
    return Decimal(_of(str, content))


def _uuid(content: Any) -> UUID:
    return UUID(_of(str, content))


def _of(kind: type, content: Any) -> Any:
    if type(content) is not kind:
        raise TypeError(kind.__name__)
    return content


TAGS = {
    "tuple": _Tag("[1, a]", _tuple),
    "set": _Tag("[1, a]", _set),
    "frozenset": _Tag("[1, a]", _frozenset),
    "bytes": _Tag('"caf\\xe9\\0"', _bytes),
    "datetime": _Tag('"2024-07-01T12:30:00[Europe/Berlin]"', _datetime),
    "date": _Tag("2024-07-01", _date),
    "time": _Tag("12:30:00", _time),
    "timedelta": _Tag("{days: 1, seconds: 2, microseconds: 3}", _timedelta),
    "decimal": _Tag("1.50", _decimal),
    "uuid": _Tag("01234567-89ab-cdef-0123-456789abcdef", _uuid),
}
