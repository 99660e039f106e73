"""Nodes -> frozen dataclasses, by the types of their fields; `codegen.schema` reads those."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

from .nodes import Items, ListNode, MappingNode, Node, Number, ScalarNode, Section, Text
from .problems import Code, Report, Span, closest, suggest
from .schema import (
    Key,
    alternatives,
    is_optional,
    keys_of,
    others_of,
    span_field,
    words_for,
)
from .value import Value, value_of

__all__ = ["Value", "decode", "peek"]

T = TypeVar("T")

_TODO = re.compile(r"TODO\b")
# Stands for what could not be decoded. None cannot: it is what `null` means.
_FAILED: Any = object()


def decode(
    node: Node, type_: type[T], report: Report, what: str | None = None, lenient: bool = False
) -> T | None:
    """The value that the node writes down, or None if any part of it has a problem.

    `lenient` is for what another generator understood: the problems are told as well, and there is
    a value all the same. A part that has one is empty in it, and so is a key that is missing.

    Types: a dataclass, `Text`, `str`, `bool`, `int`, `Literal` of words, `X | None`, a union whose
    members are of different kinds, `tuple[X, ...]`, `dict[Text, X]` and `Value`.
    """
    if what is None:
        what = words_for(type_) if dataclasses.is_dataclass(type_) else "this value"
    decoded = _Decoder(report, lenient).decode(node, type_, _Place(what))
    return None if decoded is _FAILED else cast(T, decoded)


def peek(node: Node, type_: type[T], report: Report, lenient: bool = False) -> T | None:
    """As `decode`, for a first look: keys that the dataclass does not have are passed over."""
    if isinstance(node, MappingNode):
        known = keys_of(cast(type, type_))
        pairs = tuple((key, child) for key, child in node.pairs if key in known)
        node = dataclasses.replace(node, pairs=pairs)
    return decode(node, type_, report, lenient=lenient)


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """What messages call the node that is being decoded, and the doc of its key."""

    words: str
    doc: str = ""


class _Decoder:
    def __init__(self, report: Report, lenient: bool = False) -> None:
        self._report = report
        self._lenient = lenient

    def decode(self, node: Node, hint: Any, place: _Place) -> Any:
        value = self._decode(node, hint, place)
        return self._empty(hint, node.span) if value is _FAILED and self._lenient else value

    def _empty(self, hint: Any, span: Span) -> Any:
        """Stands for what another generator understood, so that what is around it can be used."""
        if is_optional(hint):
            return None
        hint = alternatives(hint)[0]
        if dataclasses.is_dataclass(hint):
            if hint is Value:
                return Value(None, span)
            nothing = MappingNode((), span)
            return _Decoder(Report(), lenient=True)._dataclass(nothing, cast(type, hint))
        if get_origin(hint) in (tuple, dict):
            return () if get_origin(hint) is tuple else {}
        if hint is bool:
            return False
        return Number(0, span) if hint is int else Text("", span)

    def _decode(self, node: Node, hint: Any, place: _Place) -> Any:
        if _is_left_to_do(node) and Value not in alternatives(hint):
            return self._refuse_todo(place.words, cast(ScalarNode, node).text, place.doc)
        # In `Value | None` a null that is written down is a value, and None means no key.
        if is_optional(hint) and _is_null(node) and Value not in alternatives(hint):
            return None
        written: Any = type(node)  # mypy takes it for a class whose instances have no hash
        hint = _alternative(hint, written)
        if hint is Value:
            return value_of(node, self._report) or _FAILED
        if node.tag:
            message = f"a tag, '!{node.tag}', is not used in {place.words}"
            help = "remove it: the schema knows the type; only values of scenarios have tags"
            return self._refuse(Code.YAML02, node, message, help, place)
        kind = _kind(hint)
        if not isinstance(node, kind):
            message = f"{place.words} must be {_KIND_NAMES[kind]}, not {_name_of(node)}"
            return self._refuse(Code.SCH03, node, message, _kind_help(node, kind), place)
        if isinstance(node, ScalarNode):
            return self._scalar(node, hint, place)
        if isinstance(node, ListNode):
            return self._list(node, get_args(hint)[0], place)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(node, cast(type, hint))
        return self._dict(node, hint, place)

    def _dataclass(self, node: MappingNode, cls: type) -> Any:
        keys, what = keys_of(cls), words_for(cls)
        pairs, others = self._others(node, cls)
        present = {str(name) for name, _ in pairs}
        misspelt = set()
        values: dict[str, Any] = others
        for name, child in pairs:
            if name in keys:
                values[keys[name].field] = self._field(name, child, keys[name], what)
            else:
                misspelt.add(closest(name, keys.keys() - present))
                self._unknown_key(name, keys, what)
        missing = [key for key in keys.values() if key.required and key.name not in present]
        for key in missing:
            if key.name not in misspelt:  # one mistake, one problem
                message = f"missing key {key.name!r} in {what}"
                help = f"add '{key.name}: ...'{', ' if key.doc else ''}{key.doc}"
                self._report.add(Code.SCH02, message, node.span, help=help)
        if self._lenient:
            values |= {it.field: self._empty(it.type, node.span) for it in missing}
        elif missing or present - keys.keys() or _FAILED in values.values():
            return _FAILED
        for key in keys.values():
            if key.field not in values and not key.default:
                values[key.field] = None
        span = span_field(cls)
        return cls(**values, **({span: node.span} if span else {}))

    def _others(
        self, node: MappingNode, cls: type
    ) -> tuple[list[tuple[Text, Node]], dict[str, Any]]:
        """The pairs of the keys that the dataclass names, and the field that takes the others."""
        keys, rest = keys_of(cls), others_of(cls)
        if rest is None:
            return list(node.pairs), {}
        value_hint = get_args(rest.type)[1]
        named: list[tuple[Text, Node]] = []
        found: dict[Text, Any] = {}
        for name, child in node.pairs:
            is_misspelt = not isinstance(child, _kind(value_hint)) and closest(name, keys)
            if name in keys or is_misspelt:
                named.append((name, child))
                continue
            place = _Place(f"{str(name)!r} in {words_for(cls)}", rest.doc)
            value = self.decode(child, value_hint, place)
            found[name] = Section(value, name.span) if isinstance(value, dict) else value
        return named, {rest.field: _FAILED if _FAILED in found.values() else found}

    def _field(self, name: Text, node: Node, key: Key, what: str) -> Any:
        place = _Place(f"{key.name!r} in {what}", key.doc)
        if key.one and isinstance(node, ScalarNode) and not _is_null(node):
            node = ListNode((node,), node.span)
        value = self.decode(node, key.type, place)
        if isinstance(value, dict):
            return Section(value, name.span)
        return Items(value, name.span) if isinstance(value, tuple) else value

    def _list(self, node: ListNode, hint: Any, place: _Place) -> Any:
        values = tuple(
            self.decode(item, hint, _Place(f"item {number} of {place.words}", place.doc))
            for number, item in enumerate(node.items, start=1)
        )
        return _FAILED if _FAILED in values else values

    def _dict(self, node: MappingNode, hint: Any, place: _Place) -> Any:
        key_hint, value_hint = get_args(hint)
        values: dict[str, Any] = {}
        failed = False
        for name, child in node.pairs:
            if get_origin(key_hint) is Literal and name not in get_args(key_hint):
                self._unknown_key(name, get_args(key_hint), place.words)
                failed = True
            if _TODO.match(name):
                self._refuse_todo(f"a key of {place.words}", name, place.doc)
                failed = True
            inside = _Place(f"{str(name)!r} in {place.words}", place.doc)
            value = self.decode(child, value_hint, inside)
            failed = failed or value is _FAILED
            values[name] = value
        return _FAILED if failed and not self._lenient else values

    def _scalar(self, node: ScalarNode, hint: Any, place: _Place) -> Any:
        text = node.text
        if not node.quoted and text in {"", "null", "~"}:
            message = f"{place.words} has no value"
            help = f"write the value; if {str(text)!r} is meant, write it in quotes"
            return self._refuse(Code.SCH04, node, message, help, place)
        if hint is Text:
            return text
        if hint is str:
            return str(text)
        if hint is bool and not node.quoted and text in {"true", "false"}:
            return text == "true"
        if hint is int and not node.quoted and _is_integer(text):
            return Number(int(text), text.span)
        if get_origin(hint) is Literal and text in get_args(hint):
            return text
        written = f"the text {str(text)!r}" if node.quoted else repr(str(text))
        return self._refuse(
            Code.SCH04, node, f"{place.words} cannot be {written}", _scalar_help(text, hint), place
        )

    def _unknown_key(self, name: Text, known: Any, what: str) -> None:
        message = f"unknown key {str(name)!r} in {what}"
        self._report.add(Code.SCH01, message, name.span, help=suggest(name, known))

    def _refuse_todo(self, what: str, text: Text, doc: str) -> Any:
        """What is written behind the word says what is wanted; else the doc of the key does."""
        wanted = " ".join(text.removeprefix("TODO").lstrip(":, ").split())
        help = wanted or doc or "write it"
        self._report.add(Code.TODO01, f"{what} is still to be written", text.at(0, 4), help=help)
        return _FAILED

    def _refuse(self, code: Code, node: Node, message: str, help: str, place: _Place) -> Any:
        notes = (place.doc,) if place.doc else ()
        self._report.add(code, message, node.span, help=help, notes=notes)
        return _FAILED


_KIND_NAMES: dict[type, str] = {
    ScalarNode: "a single value",
    ListNode: "a list",
    MappingNode: "a mapping",
}


@functools.cache
def _kind(hint: Any) -> Any:
    """The kind of node that a type is written as."""
    if get_origin(hint) is tuple:
        return ListNode
    if get_origin(hint) is dict or dataclasses.is_dataclass(hint):
        return MappingNode
    if hint in {Text, str, bool, int} or get_origin(hint) is Literal:
        return ScalarNode
    raise TypeError(f"no field of a spec can be of the type {hint}")


@functools.cache
def _alternative(hint: Any, written: type[Node]) -> Any:
    """The member of a union that is written as this kind of node; the first, if none is."""
    members = [member for member in alternatives(hint) if member is not type(None)]
    fitting = (
        member for member in members if member is Value or issubclass(written, _kind(member))
    )
    return next(fitting, members[0])


def _is_left_to_do(node: Node) -> bool:
    return isinstance(node, ScalarNode) and _TODO.match(node.text) is not None


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and not node.quoted and node.text == "null"


def _is_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 20


def _name_of(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return "empty" if not node.text and not node.quoted else f"the text {_short(node.text)}"
    return _KIND_NAMES[type(node)]


def _short(text: str) -> str:
    first = text.split("\n")[0]
    return repr(first if first == text and len(text) <= 40 else f"{first[:40]}...")


def _kind_help(node: Node, kind: Any) -> str:
    """What to write instead; first the mistakes that YAML silently reads as something else."""
    plain = node.text if isinstance(node, ScalarNode) and not node.quoted else ""
    if kind is ScalarNode and not isinstance(node, ScalarNode) and node.flow:
        sign = "{" if isinstance(node, MappingNode) else "["
        return f"a text that starts with {sign!r} must be in quotes"
    if kind is ListNode and plain.startswith("-"):
        return "write a space after each '-'"
    if kind is MappingNode and ":" in plain:
        return "write a space after the colon"
    return {
        ScalarNode: "write the value behind the colon, or a text block with '|'",
        ListNode: "write [a, b], or each item on a line of its own after '- '",
        MappingNode: "write 'key: value' lines, indented below the key",
    }[kind]


def _scalar_help(text: Text, hint: Any) -> str:
    if hint is bool:
        return "write true or false, without quotes"
    if hint is int:
        return "write an integer like 42, without quotes"
    return suggest(text, get_args(hint), "allowed here")
