"""Puts tags in place of what JSON has no form for; ``tags`` describes them.

Nothing here recurses: the depth of a state is limited by memory alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

from .. import registry
from . import deep_json, refusals
from .refusals import Path, Step
from .scalars import BIG_INT, SCALARS, SPLIT_STR
from .tags import TAG, Written, check_hashing

_PLAIN = frozenset((bool, type(None)))
_CHECKED = frozenset((str, int, float))

# What one registered type's encode returns may hold values of others. No real state gets so far.
_MOST_ENCODED = 100_000

# Python converts at most 4300 decimal digits by default, and every setting allows 640.
_DECIMAL_BITS = (10**4300).bit_length() - 1
_ALWAYS_DECIMAL = 10**640
_split_pair = re.compile("[\ud800-\udbff][\udc00-\udfff]").search


class Tagged(NamedTuple):
    """A value with tags in it, as JSON values."""

    value: Any
    has_tags: bool
    has_nonfinite: bool
    """Whether there is a NaN or an infinity in it."""


def tagged(state: dict[str, Any] | list[Any]) -> Tagged:
    """Return a state, or a list, as JSON values, with tags in place of what JSON cannot hold.

    Raises:
        StateNotSerializableError: It holds something that would not come back as it is, or it
            contains itself. The message names the place and says what to do.
    """
    return _Tagger().run(state)


def in_order(members: Collection[Any]) -> list[Any]:
    """The members of a set in an order that depends on nothing but their values."""
    return sorted(members, key=lambda it: _sort_key(tagged([it]).value))


def _sort_key(node: Any) -> str:
    return deep_json.encode(node, by_key=True)


class _Open:
    """A value whose members are being tagged."""

    __slots__ = ("brackets", "close", "members", "nodes", "source", "step")

    def __init__(
        self,
        source: Any,
        members: Iterator[tuple[Any, Any]],
        close: Callable[[list[Any]], Any],
        brackets: Literal["[]", "{}", "<>"],
    ) -> None:
        self.source = source  # kept, so that no other object gets its id meanwhile
        self.members = members  # each with the step that leads to it
        self.close = close  # makes of the members' nodes that of the value
        self.brackets = brackets
        self.nodes: list[Any] = []
        self.step: Any = None  # to the member that is open


class _Tagger:
    def __init__(self) -> None:
        self._stack: list[_Open] = []
        self._open_ids: set[int] = set()
        self._open_encoded = 0
        self._has_tags = False
        self._has_nonfinite = False

    def run(self, root: Any) -> Tagged:
        self._open(root)
        while True:
            top = self._stack[-1]
            add = top.nodes.append
            for step, value in top.members:
                kind = type(value)
                if kind in _PLAIN:
                    add(value)
                elif kind in _CHECKED:
                    add(self._checked(value, kind))
                else:
                    top.step = step
                    if kind in SCALARS:
                        add(self._scalar(value, kind))
                    elif _is_leaf(value, kind):
                        add(value)
                    else:
                        self._open(value)
                        break
            else:
                node = top.close(top.nodes)
                self._stack.pop()
                self._open_ids.remove(id(top.source))
                if not self._stack:
                    return Tagged(node, self._has_tags, self._has_nonfinite)
                self._stack[-1].nodes.append(node)

    def _tag(self, name: str, payload: Any) -> dict[str, list[Any]]:
        self._has_tags = True
        return {TAG: [name, payload]}

    def _checked(self, value: Any, kind: type) -> Any:
        """The node of a value that JSON can hold, if it is not an extreme one."""
        if kind is str:
            split = not value.isascii() and _split_pair(value)
            return self._tag(SPLIT_STR.name, SPLIT_STR.write(value)) if split else value
        if kind is float:
            if value - value != 0.0:  # true for NaN and the infinities alone
                self._has_nonfinite = True
            return value
        return value if _is_decimal(value) else self._tag(BIG_INT.name, BIG_INT.write(value))

    def _scalar(self, value: Any, kind: type) -> Any:
        try:
            return self._tag(SCALARS[kind].name, SCALARS[kind].write(value))
        except ValueError as error:
            raise refusals.inexact(self._path(), value, error) from error

    def _open(self, value: Any) -> None:
        """Go on with the members of a value."""
        if id(value) in self._open_ids:
            raise refusals.endless(self._path(), value)
        kind = type(value)
        if kind is dict:
            opened = self._dict(value)
        elif kind is list:
            opened = _Open(value, enumerate(value), _itself, "[]")
        elif kind is tuple:
            opened = _Open(value, enumerate(value), partial(self._tag, "tuple"), "[]")
        elif kind is set or kind is frozenset:
            opened = self._set(value, kind.__name__)
        else:
            opened = self._registered(value, kind)
        self._stack.append(opened)
        self._open_ids.add(id(value))

    def _dict(self, value: dict[str, Any]) -> _Open:
        apart = len(value) == 1 and TAG in value
        keys = list(value)
        for key in keys:
            if type(key) is not str:
                raise refusals.foreign_key(self._path(), key)
            apart = apart or (not key.isascii() and _split_pair(key) is not None)
        close = partial(self._pairs if apart else _object, keys)
        return _Open(value, iter(value.items()), close, "[]")

    def _pairs(self, keys: list[str], nodes: list[Any]) -> Any:
        """As a list of lists, the keys are values, which can be tagged like any other."""
        checked = [self._checked(key, str) for key in keys]
        return self._tag("dict", list(map(list, zip(checked, nodes, strict=True))))

    def _set(self, value: Collection[Any], name: str) -> _Open:
        members = list(value)
        try:
            check_hashing(members)
        except ValueError as error:
            raise refusals.inexact(self._path(), value, error) from error
        steps = zip(members, members, strict=True)
        return _Open(value, steps, partial(self._sorted, name), "{}")

    def _sorted(self, name: str, nodes: list[Any]) -> Any:
        return self._tag(name, sorted(nodes, key=_sort_key) if len(nodes) > 1 else nodes)

    def _registered(self, value: Any, kind: type) -> _Open:
        if kind is Written:
            name, payload = value.name, value.payload
        else:
            registered = registry.by_class.get(kind)
            if registered is None:
                raise refusals.unknown_type(self._path(), value)
            name = registered.name
            try:
                payload = registered.encode(value)
            except Exception as error:
                raise refusals.failed_encode(self._path(), name, error) from error
        self._open_encoded += 1
        if self._open_encoded > _MOST_ENCODED:
            raise refusals.endless_encode(self._path(), name)
        return _Open(value, iter([(name, payload)]), partial(self._encoded, name), "<>")

    def _encoded(self, name: str, nodes: list[Any]) -> Any:
        self._open_encoded -= 1
        return self._tag(name, nodes[0])

    def _path(self) -> Path:
        return [Step(it.step, it.brackets) for it in self._stack]


def _is_leaf(value: Any, kind: type) -> bool:
    """Whether it is a list or dict in which nothing needs a tag and nothing lies deeper.

    Most lists and dicts are, such as the messages of a chat, and can stay as they are.
    """
    if kind is dict:
        for key in value:
            if type(key) is not str or not key.isascii() or key == TAG:
                return False
        members = value.values()
    elif kind is list:
        members = value
    else:
        return False
    for member in members:
        kind = type(member)
        if kind is str:
            if not member.isascii() and _split_pair(member):
                return False
        elif kind is float:
            if member - member != 0.0:
                return False
        elif kind is int:
            if not -_ALWAYS_DECIMAL < member < _ALWAYS_DECIMAL:
                return False
        elif kind not in _PLAIN:
            return False
    return True


def _itself(nodes: list[Any]) -> list[Any]:
    return nodes


def _object(keys: list[str], nodes: list[Any]) -> dict[str, Any]:
    return dict(zip(keys, nodes, strict=True))


def _is_decimal(value: int) -> bool:
    """Whether Python writes the number in decimal."""
    if -_ALWAYS_DECIMAL < value < _ALWAYS_DECIMAL:
        return True
    try:
        return value.bit_length() <= _DECIMAL_BITS and bool(str(value))
    except ValueError:  # this process has lowered Python's limit (sys.set_int_max_str_digits)
        return False
