"""Tags: how values that JSON has no form for stand in JSON, and how they are read.

Such a value travels as a *tag*, an object with one member named ``__persistry__``:

    {"__persistry__": [type, payload]}

===========  ========================================  ============================================
type         payload                                   stands for
===========  ========================================  ============================================
"tuple"      the members in order                      a tuple
"set"        the members, sorted by their JSON text    a set
"frozenset"  the same                                  a frozenset
"dict"       [[key, value], ...], keys in order, a     a dict that looks like a tag itself, or one
             key being a string or a "str" tag         with a key that no JSON text can hold
with a dot   what the type's ``encode`` returned       a value of the class that an application has
                                                       registered under that name
any other    see ``scalars``                           a value of a type named there
===========  ========================================  ============================================

The tags are part of the stored format: types may be added, none may change. Whether a text has
tags is not to be seen in it. The number stored beside it says so (see ``codec``), so that a dict
that merely looks like a tag stays what it is. A name in a tag is looked up among the types that
are known here, nothing else: it never leads to an import.

Nothing here recurses: the depth of a state is limited by memory alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .. import registry
from .scalars import BIG_INT, SCALARS, SPLIT_STR

TAG = "__persistry__"
_MOST_HASHED = 1000


class RefusedError(ValueError):
    """A text is whole, but what this process reads it with refuses it; the message says all."""


class UnregisteredTypeError(RefusedError):
    """A stored value is of a type that this process has not registered."""


@dataclass(frozen=True, eq=False, slots=True)
class Written:
    """What stands in the store for a value of a registered type.

    Like the value, it can be a member of a set, whatever the payload is.
    """

    name: str
    payload: Any


def untag(value: Any, registered: bool = True) -> Any:
    """Return a decoded JSON value with the values that its tags stand for in place of the tags.

    The lists and dicts of the value are changed in place. Where `registered` is False, a `Written`
    takes the place of each value of a registered type, and nobody's `decode` is called.

    Raises:
        UnregisteredTypeError: A tag is of a type that nobody has registered.
        ValueError: A tag is malformed, or of a type that this version does not know.
    """
    top = [value]
    containers: list[Any] = [top]
    for container in containers:  # grows while it is read, parents before children
        inner = container.values() if type(container) is dict else container
        containers.extend(child for child in inner if type(child) is dict or type(child) is list)
    # Children first: a tag's payload is complete when the tag is read, and is not looked at again.
    for container in reversed(containers):
        members = container.items() if type(container) is dict else enumerate(container)
        for place, child in members:
            if type(child) is dict and len(child) == 1 and TAG in child:
                container[place] = _from_tag(child[TAG], registered)
    return top[0]


def _from_tag(content: Any, registered: bool) -> Any:
    match content:
        case [str(name), payload]:
            pass
        case _:
            raise ValueError(f"a {TAG} tag is malformed: [type, payload] was expected in it")
    if "." in name:
        return _decoded(name, payload) if registered else Written(name, payload)
    read = _READERS.get(name)
    if read is None:
        raise ValueError(
            f"a {TAG} tag has the unknown type {name!r}: a newer version of persistry wrote it"
        )
    try:
        return read(payload)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"a {TAG} tag of type {name!r} is malformed: {error}") from error


def _decoded(name: str, payload: Any) -> Any:
    registered = registry.by_name.get(name)
    if registered is None:
        raise UnregisteredTypeError(
            f"a value of the type {name!r} is in it, and this process has registered no class "
            f"under that name: call persistry.register_type(<the class>, {name!r}, encode=..., "
            "decode=...) before loading"
        )
    try:
        return registered.decode(payload)
    except Exception as error:
        raise ValueError(
            f"the decode of the registered type {name!r} failed with {type(error).__name__}: "
            f"{error}"
        ) from error


def _read_tuple(payload: Any) -> tuple[Any, ...]:
    return tuple(_members(payload))


def check_hashing(members: Iterable[Any]) -> None:
    """Raise ValueError for members of a set that Python could not hash in a thread's small stack.

    The hash of a tuple recurses without looking at the stack, and would end the process.
    """
    level = [it for it in members if type(it) is tuple]
    for _ in range(_MOST_HASHED + 1):
        if not level:
            return
        level = [it for around in level for it in around if type(it) is tuple]
    raise ValueError(f"tuples are nested in it over more than {_MOST_HASHED} levels")


def _read_set(payload: Any) -> set[Any]:
    check_hashing(_members(payload))
    members = set(payload)
    if len(members) != len(payload):
        raise ValueError("two of its members are equal")
    return members


def _read_frozenset(payload: Any) -> frozenset[Any]:
    return frozenset(_read_set(payload))


def _read_dict(payload: Any) -> dict[str, Any]:
    values = {}
    for pair in _members(payload):
        match pair:
            case [str(key), value] if type(pair) is list:
                values[key] = value
            case _:
                raise ValueError("a [key, value] pair was expected")
    return values


def _members(payload: Any) -> list[Any]:
    if type(payload) is not list:
        raise ValueError("a list was expected")
    return payload


_READERS: dict[str, Callable[[Any], Any]] = {
    "tuple": _read_tuple,
    "set": _read_set,
    "frozenset": _read_frozenset,
    "dict": _read_dict,
    **{it.name: it.read for it in (BIG_INT, SPLIT_STR, *SCALARS.values())},
}
