"""YAML text -> nodes that know their line and column. Scalars stay text: the schema types them."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer

from .nodes import ListNode, MappingNode, Node, ScalarNode, Text
from .problems import Code, Report, Span
from .yaml_errors import explain

__all__ = ["ListNode", "MappingNode", "Node", "ScalarNode", "Text", "load", "parse"]

_OWN_TAG = re.compile("![a-z]+")
# Line breaks for YAML 1.1, but not for editors: with them no line number would be right.
_ODD_CHARACTER = re.compile("[\r\x85\u2028\u2029\ufeff]")

# What PyYAML's parser in C takes and the one in Python refuses: tabs, "?" in `[]`, "#" beside `|`.
_NOT_IN_C = re.compile(r'\t|(?<!: ")\?|[|>][-+0-9]*#')


def load(root: Path, relative: str, report: Report) -> tuple[Node | None, str]:
    """The nodes of a file (None if it has none that can be used) and its text."""
    try:
        raw = (root / relative).read_bytes()
    except OSError as error:
        report.add(
            Code.YAML04,
            f"the file cannot be read: {error.strerror}",
            Span(relative, 1, 1),
            help="check its name and permissions",
        )
        return None, ""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = raw.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
        good = bytes(error.object[: error.start]).decode("utf-8-sig").replace("\r\n", "\n")
        span = _span_at(relative, text, len(good))
        report.add(Code.YAML04, "the file is not UTF-8", span, help="save it as UTF-8")
        return None, text
    text = text.replace("\r\n", "\n")
    return parse(text, relative, report), text


def parse(text: str, path: str, report: Report) -> Node | None:
    """The nodes of a text whose lines end in a line feed."""
    odd = _ODD_CHARACTER.search(text)
    if odd is not None:
        report.add(
            Code.YAML01,
            f"the character U+{ord(odd[0]):04X} cannot be seen and is not allowed",
            _span_at(path, text, odd.start()),
            help="remove it, or write it as an escape in double quotes",
        )
        return None
    try:
        loader, root = _composed(text, path, report)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        where = explain(error, text)
        span = Span(path, where.line, where.column, where.length)
        report.add(where.code, where.message, span, help=where.help)
        return None
    except RecursionError:
        report.add(Code.YAML01, "nested too deeply", Span(path, 1, 1), help="nest less")
        return None
    if root is None:
        help = "write it, or delete it"
        report.add(Code.YAML04, "the file is empty", Span(path, 1, 1), help=help)
        return None
    convert = _Convert(text, path, report)
    node = convert.node(root)
    # A refused alias stands for something unknown: what is said of it would be noise.
    return None if loader.refused or convert.refused else node


def _composed(text: str, path: str, report: Report) -> tuple[_Refusing, yaml.Node | None]:
    """The nodes of a text, and what composed them.

    By PyYAML's parser in C, if it is there: it takes a quarter of the time. What that finds fault
    with is left to the one in Python, whose words and places `explain` knows.
    """
    if _CLoader is not None and not _NOT_IN_C.search(text):
        without_fault = Report()
        with contextlib.suppress(yaml.YAMLError, ValueError, OverflowError):
            fast: Any = _CLoader(text, path, without_fault)
            root = fast.get_single_node()
            if not without_fault:
                return fast, root
    loader: Any = _Loader(text, path, report)
    return loader, loader.get_single_node()


class _Refusing(Composer):
    """Composes nodes and refuses what makes YAML more than text: anchors, aliases, YAML's tags.

    A tag of our own, such as !tuple, stays with its node: whoever reads the node knows it or not.
    """

    peek_event: Any
    get_event: Any

    def told(self, path: str, report: Report) -> None:
        """Where it reads, and to whom it tells what it refuses."""
        self.refused = False
        self._path = path
        self._report = report

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()
        start, end = event.start_mark, event.end_mark
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"an alias, '*{event.anchor}'", "write the value out here")
            self.get_event()
            return yaml.ScalarNode("", "", start, end)
        if event.anchor is not None:
            help = "write the value out wherever it is needed"
            self._refuse(event, f"an anchor, '&{event.anchor}'", help)
            event.anchor = None
        if event.tag is not None and not _OWN_TAG.fullmatch(event.tag):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"a tag, '{tag}'", "remove it: the schema knows the type")
            event.tag = None
        return super().compose_node(parent, index)

    def _refuse(self, event: Any, what: str, help: str) -> None:
        self.refused = True
        span = Span(self._path, event.start_mark.line + 1, event.start_mark.column + 1)
        self._report.add(
            Code.YAML02,
            f"{what}, is not used in specs",
            span,
            help=f"{help}; if it belongs to the text, put the text in quotes",
        )


class _Loader(_Refusing, yaml.SafeLoader):
    def __init__(self, text: str, path: str, report: Report) -> None:
        yaml.SafeLoader.__init__(self, text)
        self.told(path, report)


_CLoader: Any = None
if hasattr(yaml, "CSafeLoader"):

    class _InC(_Refusing, yaml.CSafeLoader):
        def __init__(self, text: str, path: str, report: Report) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)  # what is in C composes its own way
            self.told(path, report)

    _CLoader = _InC


class _Convert:
    """PyYAML's nodes to ours."""

    def __init__(self, text: str, path: str, report: Report) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._path = path
        self._report = report
        self.refused = False

    def node(self, node: Any) -> Node:
        if isinstance(node, yaml.ScalarNode):
            return ScalarNode(self._scalar(node), bool(node.style), _tag(node))
        flow, tag = bool(node.flow_style), _tag(node)
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self.node(item) for item in node.value)
            return ListNode(items, self._collection(node), flow, tag)
        pairs: dict[Text, Node] = {}
        for key_node, value_node in node.value:
            key, value = self._key(key_node), self.node(value_node)
            if key is not None and self._is_new(key, pairs):
                pairs[key] = value
        return MappingNode(tuple(pairs.items()), self._collection(node, pairs), flow, tag)

    def _key(self, node: Any) -> Text | None:
        scalar = isinstance(node, yaml.ScalarNode) and not _tag(node)
        if scalar and (node.style or node.value != "<<"):
            return self._scalar(node)
        merge = scalar
        self.refused = True
        self._report.add(
            Code.YAML02,
            "a merge key, '<<', is not used in specs" if merge else "a key must be a plain word",
            self._span(node),
            help="write the merged keys out here" if merge else "put the key in quotes",
        )
        return None

    def _is_new(self, key: Text, pairs: dict[Text, Node]) -> bool:
        if key not in pairs:
            return True
        first = next(known for known in pairs if known == key)
        self._report.add(
            Code.YAML03,
            f"duplicate key {key!r}, first at line {first.span.line}",
            key.span,
            help="YAML would silently keep only the last; remove or rename one of them",
        )
        return False

    def _scalar(self, node: Any) -> Text:
        value: str = node.value
        start, span = node.start_mark, self._span(node)
        if node.style == "|":
            return Text(value, span, self._block_rows(value, start.line + 1))
        written = self._text[start.index : node.end_mark.index]
        if not node.style and written == value:
            return Text(value, span, ((span.line, span.column),))
        inner = ((span.line, span.column + 1),)
        if node.style == '"' and written[1:-1] == value:
            return Text(value, span, inner)
        if node.style == "'" and written[1:-1] == value.replace("'", "''"):
            return Text(value, span, inner, apostrophes=True)
        return Text(value, span)  # folded, or with escapes: its characters stand elsewhere

    def _block_rows(self, value: str, first: int) -> tuple[tuple[int, int], ...]:
        """Where each row of a `|` block begins: they stand in the file as they are, indented."""
        rows = list(zip(value.split("\n"), self._lines[first:], strict=False))
        indent = next((len(line) - len(row) for row, line in rows if row), 0)
        return tuple(
            (first + 1 + number, min(indent, len(line)) + 1)
            for number, (_, line) in enumerate(rows)
        )

    def _collection(self, node: Any, pairs: dict[Text, Node] | None = None) -> Span:
        """All of `[a, b]` and `{a: b}`; of a block its first key, or its first dash."""
        first = next(iter(pairs), None) if pairs and not node.flow_style else None
        return self._span(node) if first is None else first.span

    def _span(self, node: Any) -> Span:
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        return Span(self._path, start.line + 1, start.column + 1, max(1, length))


def _tag(node: Any) -> str:
    return node.tag[1:] if _OWN_TAG.fullmatch(node.tag) else ""


def _span_at(path: str, text: str, offset: int) -> Span:
    line = text.count("\n", 0, offset) + 1
    return Span(path, line, offset - (text.rfind("\n", 0, offset) + 1) + 1)
