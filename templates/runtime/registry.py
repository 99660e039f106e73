"""The types that an application stores in its states beyond those that every state may hold."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from ._runtime.scalars import SCALARS

__all__ = ("register_type",)

T = TypeVar("T")

# No built-in tag has a dot in its name, now or later.
_namespaced = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+").fullmatch
_STORED_ALREADY = {str, int, float, bool, type(None), list, dict, tuple, set, frozenset, *SCALARS}


class RegisteredType(NamedTuple):
    """How the values of one class are stored."""

    cls: type[Any]
    name: str
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


# Each is read by one look-up, without the lock.
by_class: dict[type[Any], RegisteredType] = {}
by_name: dict[str, RegisteredType] = {}
_lock = threading.Lock()


def register_type(
    cls: type[T], name: str, encode: Callable[[T], Any], decode: Callable[[Any], T]
) -> None:
    """Have values of a class stored in states, in this process and from now on.

        register_type(Colour, "shop.Colour", encode=lambda it: it.value, decode=Colour)

    Stored are the name and what `encode` returned, never code nor the class's own name. Every
    process that loads such a state must have registered a class under that name. Call it beside
    the definition of the class; a second call for the same class and name replaces the functions.

    Args:
        cls: The class. Values of its subclasses are not meant; register those too.
        name: What stands in the store for the class: a name of your own with a dot in it, such as
            "shop.Colour". It must stay the same when the class is moved or renamed.
        encode: Takes a value and returns what to store for it: anything that a state may hold,
            values of other registered classes included.
        decode: Takes what `encode` returned, as it came back, and returns the value.

    Raises:
        TypeError: `cls` is no class, `name` no str, or a function cannot be called.
        ValueError: The name has no dot or other characters than letters, digits, `_` and `-`; it
            is taken by another class, or the class has another name; or every state may hold
            values of this class already.
    """
    if not isinstance(cls, type):
        raise TypeError(f"cls must be a class, not {cls!r}")
    if type(name) is not str:
        raise TypeError(f"name must be a str, not {type(name).__name__}: {name!r}")
    for what, function in (("encode", encode), ("decode", decode)):
        if not callable(function):
            raise TypeError(f"{what} must be a function, not {function!r}")
    if cls in _STORED_ALREADY:
        raise ValueError(f"{cls.__name__} needs no registration: every state may hold its values")
    if not _namespaced(name):
        raise ValueError(
            f"name must be words of letters, digits, '_' and '-' joined by dots, such as "
            f"'my_app.{cls.__name__}', not {name!r}"
        )
    with _lock:
        holder = by_name.get(name)
        if holder is not None and not _is_same_class(holder.cls, cls):
            raise ValueError(
                f"the name {name!r} is taken by {_path(holder.cls)}: give {_path(cls)} another, "
                "what is stored under a name must be of one class"
            )
        known = by_class.get(cls)
        if known is not None and known.name != name:
            raise ValueError(
                f"{_path(cls)} is registered already, under the name {known.name!r}: keep that "
                "name, states that are stored may hold it"
            )
        registered = RegisteredType(cls, name, encode, decode)
        by_name[name] = registered
        by_class[cls] = registered
        if holder is not None and holder.cls is not cls:
            del by_class[holder.cls]


def _is_same_class(known: type[Any], cls: type[Any]) -> bool:
    """A class that was defined anew, by a reload or in a notebook, replaces the one before."""
    return known is cls or _path(known) == _path(cls)


def _path(cls: type[Any]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
