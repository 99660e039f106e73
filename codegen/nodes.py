"""The nodes of a YAML file, which know where they stand in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from .problems import Span


class Text(str):
    """A scalar's text, which knows where it and each of its characters stand in the file."""

    __slots__ = ("_apostrophes", "_rows", "span")

    span: Span
    _rows: tuple[tuple[int, int], ...]
    _apostrophes: bool

    def __new__(
        cls,
        value: str,
        span: Span,
        rows: tuple[tuple[int, int], ...] = (),
        apostrophes: bool = False,
    ) -> Self:
        """`rows`: line and column of each row's first character; none if they are not known.
        `apostrophes`: the file writes each apostrophe of the text twice."""
        text = super().__new__(cls, value)
        text.span = span
        text._rows = rows
        text._apostrophes = apostrophes
        return text

    def __getnewargs__(self) -> tuple[Any, ...]:  # for copy and pickle
        return str(self), self.span, self._rows, self._apostrophes

    def at(self, offset: int, length: int = 1) -> Span:
        """The place of `length` characters inside the text; the scalar's own if not known."""
        row = self.count("\n", 0, offset)
        if row >= len(self._rows):
            return self.span
        start = self.rfind("\n", 0, offset) + 1
        end = self.find("\n", offset)
        length = max(1, min(length, (len(self) if end < 0 else end) - offset))
        line, column = self._rows[row]
        column += offset - start
        if self._apostrophes:
            column += self.count("'", start, offset)
            length += self.count("'", offset, offset + length)
        return Span(self.span.path, line, column, length)


class Woven(Text):
    """A text made of pieces of others, each of whose characters stands where it is written."""

    __slots__ = ("_pieces",)

    _pieces: tuple[tuple[Text, int, int], ...]

    def __new__(cls, span: Span, pieces: Iterable[tuple[Text, int, int]]) -> Self:
        """`span`: of the whole; `pieces`: of each text the characters between two offsets."""
        kept = tuple(pieces)
        woven = super().__new__(cls, "".join(it[start:end] for it, start, end in kept), span)
        woven._pieces = kept
        return woven

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.span, self._pieces

    def at(self, offset: int, length: int = 1) -> Span:
        for text, start, end in self._pieces:
            if offset < end - start:
                return text.at(start + offset, length)
            offset -= end - start
        return self.span


class Number(int):
    """An integer that knows where it stands."""

    span: Span

    def __new__(cls, value: int, span: Span) -> Number:
        number = super().__new__(cls, value)
        number.span = span
        return number


class Section(dict[Any, Any]):
    """A mapping under a key, which knows where that key stands."""

    __slots__ = ("span",)

    def __init__(self, values: dict[Any, Any], span: Span) -> None:
        super().__init__(values)
        self.span = span


class Items(tuple[Any, ...]):
    """A list under a key, which knows where that key stands."""

    span: Span

    def __new__(cls, values: Iterable[Any], span: Span) -> Items:
        items = super().__new__(cls, values)
        items.span = span
        return items


def place_of(value: object, otherwise: object) -> Span:
    """Where a number, or the key of a mapping or list, stands; if that is not known, the other."""
    for it in (value, otherwise):
        span = it if isinstance(it, Span) else getattr(it, "span", None)
        if isinstance(span, Span):
            return span
    raise TypeError(f"no place is known for {value!r}")


# The tag of what a generator could not read, which no file can have.
UNREAD = "?"


@dataclass(frozen=True, slots=True)
class ScalarNode:
    text: Text
    quoted: bool  # or a block: never null, true or a number
    tag: str = ""  # the word behind the exclamation mark

    @property
    def span(self) -> Span:
        return self.text.span


@dataclass(frozen=True, slots=True)
class ListNode:
    items: tuple[Node, ...]
    span: Span
    flow: bool = False  # written [a, b]
    tag: str = ""


@dataclass(frozen=True, slots=True)
class MappingNode:
    pairs: tuple[tuple[Text, Node], ...]
    span: Span
    flow: bool = False  # written {a: b}
    tag: str = ""


Node: TypeAlias = ScalarNode | ListNode | MappingNode


def is_null(node: Node) -> bool:
    """Whether it is written as what leaves something out."""
    return isinstance(node, ScalarNode) and not node.quoted and node.text == "null"


def plain(node: Node) -> Any:
    """The node as mappings, lists and texts."""
    if isinstance(node, MappingNode):
        return {str(key): plain(child) for key, child in node.pairs}
    if isinstance(node, ListNode):
        return [plain(it) for it in node.items]
    return str(node.text)
