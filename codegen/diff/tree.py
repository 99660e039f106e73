"""A decoded spec as a plain tree whose parts know their places: what is compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from ..nodes import UNREAD, ListNode, MappingNode, Node, ScalarNode, Text
from ..nodes import plain as plain_node
from ..problems import Span
from ..schema import keys_of, others_of
from ..value import Value


@dataclass(frozen=True, slots=True)
class Leaf:
    value: Any
    span: Span
    same: Any = None
    """What is compared, where that is not the value itself."""

    @property
    def compared(self) -> Any:
        return self.value if self.same is None else self.same


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping whose keys the model knows."""

    children: dict[str, Tree]
    span: Span
    unread: dict[str, Leaf | None] = field(default_factory=dict)
    """Keys that another generator understood: what they say; None where one is required by now."""


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping whose keys are names."""

    children: dict[str, Tree]
    span: Span
    unread: dict[str, Leaf | None] = field(default_factory=dict)
    """Names whose values another generator understood."""


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Tree, ...]
    span: Span


Tree: TypeAlias = Leaf | Fields | Named | Items


def grow(value: Any, node: Node | None, span: Span) -> Tree | None:
    """The tree of a decoded value. What a file leaves out has the place of what holds it."""
    if node is not None:
        span = node.span
    if value is None:
        return None
    if isinstance(value, Value):
        return Leaf(literal(value.value), value.span)
    if dataclasses.is_dataclass(value):
        unread = _unread(node) | dict.fromkeys(_unsaid(type(value), node))
        return Fields(dict(_fields(value, _pairs(node), span)), span, unread)
    if isinstance(value, dict):
        pairs = _pairs(node)
        items = ((str(key), _item(it, pairs.get(str(key)), key.span)) for key, it in value.items())
        return Named(dict(items), span, _unread(node))
    if isinstance(value, tuple):
        nodes = _nodes(node)
        listed = (
            _item(it, (None, nodes[number]) if number < len(nodes) else None, span)
            for number, it in enumerate(value)
        )
        return Items(tuple(listed), span)
    return Leaf(value, getattr(value, "span", span))


def literal(value: Any) -> str:
    """A value as Python writes it; the members of a set by their text, since they have no order."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {literal(it)}' for key, it in value.items())}}}"
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({', '.join(sorted(map(literal, value)))})"
    if isinstance(value, list | tuple):
        left, right = "[]" if isinstance(value, list) else ("(", ",)")
        return f"{left}{', '.join(map(literal, value))}{right}"
    return repr(value)


# A node, and the key that it stands behind.
_Pair: TypeAlias = tuple[Text | None, Node]


def _item(value: Any, pair: _Pair | None, span: Span) -> Tree:
    """An item of a mapping or list; a null that is written there is one."""
    found = _child(value, pair, span)
    return Leaf(None, span if pair is None else pair[1].span, "null") if found is None else found


def _child(value: Any, pair: _Pair | None, span: Span) -> Tree | None:
    """What stands behind a key: a single value at its own place, all else at that of the key."""
    key, node = pair or (None, None)
    found = grow(value, node, span)
    if key is None or found is None or isinstance(found, Leaf):
        return found
    return dataclasses.replace(found, span=key.span)


def _pairs(node: Node | None) -> dict[str, _Pair]:
    pairs = node.pairs if isinstance(node, MappingNode) else ()
    return {str(key): (key, child) for key, child in pairs}


def _nodes(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; one item may stand without its brackets."""
    if isinstance(node, ScalarNode):
        return (node,)
    return node.items if isinstance(node, ListNode) else ()


def _fields(value: Any, pairs: dict[str, _Pair], span: Span) -> Iterator[tuple[str, Tree]]:
    cls: Any = type(value)
    for key in (*keys_of(cls).values(), *filter(None, [others_of(cls)])):
        child = _child(getattr(value, key.field), pairs.get(key.name), span)
        if child is not None:
            yield key.name, child


def _unread(node: Node | None) -> dict[str, Leaf | None]:
    """What the decoder could not read there, as it is written."""
    pairs = node.pairs if isinstance(node, MappingNode) else ()
    return {str(key): Leaf(_text(child), key.span) for key, child in pairs if child.tag == UNREAD}


def _unsaid(cls: type, node: Node | None) -> Iterator[str]:
    """Keys that must be written by now, and are not."""
    if isinstance(node, MappingNode):
        written = {key for key, _ in node.pairs}
        yield from (
            it.name for it in keys_of(cls).values() if it.required and it.name not in written
        )


def _text(node: Node) -> str:
    return str(node.text) if isinstance(node, ScalarNode) else _yaml(plain_node(node))


def is_read(tree: Tree) -> bool:
    """Whether this generator has understood all of it."""
    if isinstance(tree, Leaf):
        return True
    if isinstance(tree, Items):
        return all(map(is_read, tree.items))
    return not tree.unread and all(map(is_read, tree.children.values()))


def plain(tree: Tree) -> Any:
    """The tree as YAML would write it."""
    if isinstance(tree, Leaf):
        value = tree.value
        return " ".join(value.split()) if isinstance(value, str) else value
    if isinstance(tree, Items):
        return [plain(it) for it in tree.items]
    said = {name: it for name, it in tree.unread.items() if it is not None}
    found = {name: plain(it) for name, it in (tree.children | said).items()}
    # What is empty or false is mostly what was never said.
    return {name: it for name, it in found.items() if it is not False and it not in ({}, [])}


def shown(tree: Tree | None) -> str | None:
    """What a reader sees of it: a text as it is written, all else as YAML."""
    if tree is None:
        return None
    if isinstance(tree, Leaf):
        if tree.value is None or isinstance(tree.value, bool):
            return {None: "null", True: "true", False: "false"}[tree.value]
        return str(tree.value).strip("\n")
    return _yaml(_scalars(plain(tree)))


def _yaml(content: Any) -> str:
    text: str = yaml.safe_dump(
        content,
        default_flow_style=None,
        sort_keys=False,
        width=100,
        allow_unicode=True,
    )
    return text.strip("\n")


def _scalars(value: Any) -> Any:
    """Without the types of ours that PyYAML does not know."""
    if isinstance(value, dict):
        return {str(key): _scalars(it) for key, it in value.items()}
    if isinstance(value, list):
        return [_scalars(it) for it in value]
    if isinstance(value, bool) or value is None:
        return value
    return int(value) if isinstance(value, int) else str(value)
