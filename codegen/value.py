"""Any YAML as a Python literal: the arguments and expectations of scenarios."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from codegen.nodes import ListNode, MappingNode, Node, ScalarNode
from codegen.problems import Code, Report, Span

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
    """A literal (None, bool, int, float, str, list, dict) and its place."""

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
        if isinstance(node, MappingNode):
            return {str(key): self.read(child) for key, child in node.pairs}
        if isinstance(node, ListNode):
            return [self.read(item) for item in node.items]
        return str(node.text) if node.quoted else self._plain(node)

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
