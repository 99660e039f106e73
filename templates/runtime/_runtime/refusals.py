"""What is said of a value that cannot be stored: its place in the state, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Literal, NamedTuple

from ..errors import StateNotSerializableError

# How much of a place messages show: the steps at each end, and the characters of a key.
_STEPS_SHOWN = 10
_KEY_SHOWN = 80

_STORED = (
    "str, int, float, bool, None, list, dict, tuple, set, frozenset, bytes, datetime, date, time, "
    "timedelta, Decimal and UUID (and no subclasses of them)"
)


class Step(NamedTuple):
    """One step on the way to a value."""

    to: Any
    """A key or an index; the member of a set itself; the name of a registered type."""
    brackets: Literal["[]", "{}", "<>"]

    def __str__(self) -> str:
        text = self.to if self.brackets == "<>" else shown(self.to)
        return f"{self.brackets[0]}{text}{self.brackets[1]}"


Path = list[Step]


def no_dict(state: Any) -> StateNotSerializableError:
    return StateNotSerializableError(
        f"the state to save is of type {name_of(type(state))}: "
        "it must be a dict (and no subclass of it), convert it with dict(...)"
    )


def changed(error: RuntimeError) -> StateNotSerializableError:
    return StateNotSerializableError(
        f"the state was changed while it was being saved ({error}): save a copy of it"
    )


def unknown_type(path: Path, value: Any) -> StateNotSerializableError:
    convert = _conversion(value)
    advice = f"{convert}, or register the class" if convert else "register its class"
    return StateNotSerializableError(
        f"{place(path)} is of type {name_of(type(value))}, which would not come back as it is: "
        f"{advice} with persistry.register_type. Stored without that are {_STORED}"
    )


def inexact(path: Path, value: Any, why: ValueError) -> StateNotSerializableError:
    kind = name_of(type(value))
    return StateNotSerializableError(f"{place(path)} is a {kind} that cannot be stored: {why}")


def foreign_key(path: Path, key: Any) -> StateNotSerializableError:
    return StateNotSerializableError(
        f"{place(path)} has the key {shown(key)} of type {name_of(type(key))}: "
        "keys are saved as str, convert it to one (str and no subclass of it)"
    )


def endless(path: Path, value: Any) -> StateNotSerializableError:
    return StateNotSerializableError(
        f"{place(path)} is a {type(value).__name__} that contains itself, "
        "which no text can hold: put a copy of the part that is needed there"
    )


def failed_encode(path: Path, name: str, error: Exception) -> StateNotSerializableError:
    return StateNotSerializableError(
        f"{place(path)} is of the registered type {name!r}, whose encode failed with "
        f"{type(error).__name__}: {error}"
    )


def endless_encode(path: Path, name: str) -> StateNotSerializableError:
    return StateNotSerializableError(
        f"{place(path)} is of the registered type {name!r}, whose encode seems never to come to "
        "an end: it must return something simpler than what it was given"
    )


def _conversion(value: Any) -> str:
    if isinstance(value, Enum):
        return "save its .value"
    bases = (str, int, float, list, dict, tuple, set, frozenset, bytes)
    base = next((base.__name__ for base in bases if isinstance(value, base)), "")
    if not base and not isinstance(value, type):
        if isinstance(value, bytearray | memoryview):
            base = "bytes"
        elif isinstance(value, Mapping):
            base = "dict"
        elif isinstance(value, Iterable):
            base = "list"
    return f"convert it with {base}(...)" if base else ""


def place(path: Path) -> str:
    """The place as Python would write it, `state['a'][3]`, a deep one without its middle.

    A step to the member of a set shows that in braces, one into what a registered type was
    encoded as shows the name of the type: `state['a']{(1, 2)}[0]`, `state['a']<shop.Order>['x']`.
    """
    left_out = len(path) - 2 * _STEPS_SHOWN
    if left_out <= 0:
        return "state" + "".join(map(str, path))
    first, last = place(path[:_STEPS_SHOWN]), place(path[-_STEPS_SHOWN:])
    return f"{first}...{left_out} levels...{last.removeprefix('state')}"


def shown(key: Any) -> str:
    try:
        text = repr(key)
    except Exception:  # an unusual object must not hide what is wrong with it
        text = f"<{type(key).__qualname__}>"
    return text if len(text) <= _KEY_SHOWN else f"{text[:_KEY_SHOWN]}..."


def name_of(kind: type) -> str:
    prefix = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return prefix + kind.__qualname__
