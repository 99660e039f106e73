"""The text of a state, as it stands in every store, and the number that says how to read it.

=====  ==================================================================  ========================
codec  the text                                                            read by
=====  ==================================================================  ========================
None   another library's JSON                                              ``json`` rules, no tags
0      plain JSON                                                          orjson
1      plain JSON with tags                                                orjson, then the tags
2      JSON with NaN, infinities, integers over 64 bits, lone surrogates,  ``deep_json``
       or nested deeper than 254 levels
3      the same with tags                                                  ``deep_json``, the tags
=====  ==================================================================  ========================

Almost every state is plain JSON. It is written by orjson and looked through once, because orjson
turns NaN into null and a tuple into a list without a word. What ``deep_json`` wrote is read by
``json`` where that is able to, because it is faster. The numbers are part of the stored format and
never change their meaning; ``deep_json`` describes the tags.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import orjson

from ..errors import StateNotSerializableError
from . import deep_json

PLAIN, PLAIN_TAGGED, DEEP, DEEP_TAGGED = range(4)

# Without these orjson writes dataclasses, dates and subclasses of str, dict ... as if they were
# JSON values. Tuples, UUIDs and enumerations it writes whatever one says.
_REFUSE_MORE = (
    orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)
_SCALARS = frozenset((str, int, bool, type(None)))
_ALL_SCALARS = _SCALARS | {float}

# json.loads recurses in C. Up to this recursion limit it raises RecursionError in time; above, a
# deep text could overflow the stack of the thread, which ends the process.
_SAFE_RECURSION_LIMIT = 3000

# How much of a place messages show: the steps at each end, and the characters of a key.
_STEPS_SHOWN = 10
_KEY_SHOWN = 80


@dataclass(frozen=True, slots=True)
class EncodedState:
    """A state as it is stored: its text in UTF-8, and the number that says how to read it."""

    data: bytes
    codec: int

    @property
    def text(self) -> str:
        """The same text as a str, for the stores that take one."""
        return self.data.decode()


def encode(values: dict[str, Any]) -> EncodedState:
    """Encode a state, exactly.

    Args:
        values: What `State.serialize` returned: a dict of str, int, float, bool, None, and lists
            and dicts of these, exactly these types, nested to any depth.

    Raises:
        StateNotSerializableError: The state holds something else, or contains itself. The message
            names the place in the state and says what to do.
    """
    try:
        data = orjson.dumps(values, option=_REFUSE_MORE)
    except TypeError:  # a type that orjson refuses, a large integer, a surrogate, a deep state
        data = b""
    try:
        if data and type(values) is dict and _is_plain(values):
            return EncodedState(data, PLAIN)
        _check(values)
        text, tagged = deep_json.encode(values)
    except RecursionError:  # the caller's own calls have used up the stack
        raise
    except RuntimeError as error:
        raise StateNotSerializableError(
            f"the state was changed while it was being saved ({error}): save a copy of it"
        ) from error
    return EncodedState(text.encode("ascii"), DEEP_TAGGED if tagged else DEEP)


def decode(text: str | bytes, codec: int | None) -> dict[str, Any]:
    """Decode the text of a state.

    Args:
        text: The text as the store returned it; bytes are UTF-8.
        codec: The number stored beside it, None where another library wrote the text.

    Raises:
        ValueError: The text is malformed or is not that of a dict, or the number is unknown.
    """
    values: Any
    if codec == PLAIN:
        values = orjson.loads(text)
    elif codec == PLAIN_TAGGED:
        values = deep_json.untag(orjson.loads(text))
    elif codec == DEEP_TAGGED:
        values = deep_json.untag(_loads(text))
    elif codec == DEEP or codec is None:
        values = _loads(text)
    else:
        raise ValueError(
            f"its codec is {codec!r} and this version of persistry reads the codecs 0 to 3: "
            "a newer version wrote it, or the number was changed"
        )
    if type(values) is not dict:
        raise ValueError(f"its text is that of a {type(values).__name__}, not of a dict")
    return values


def _loads(text: str | bytes) -> Any:
    if isinstance(text, bytes):
        text = text.decode()
    if sys.getrecursionlimit() <= _SAFE_RECURSION_LIMIT:
        try:
            return json.loads(text)
        except (RecursionError, ValueError):
            pass  # too deep, too many digits, or malformed: deep_json can tell which
    return deep_json.decode(text)


def _is_plain(values: dict[str, Any]) -> bool:
    """Say whether orjson wrote every value as what it is.

    The keys need no look, orjson refuses all but str. Nor can this go round in circles: what
    orjson has encoded does not contain itself.
    """
    containers: list[Any] = [values]
    for container in containers:  # grows while it is read
        for value in container.values() if type(container) is dict else container:
            kind = type(value)
            if kind in _SCALARS:
                continue
            if kind is float:
                if value - value != 0.0:  # true for NaN and the infinities alone
                    return False
            elif kind is dict or kind is list:
                containers.append(value)
            else:
                return False
    return True


# --------------------------------------------------------------------------- what is refused, where


def _check(state: Any) -> None:
    """Raise StateNotSerializableError unless the state can be encoded exactly."""
    path: list[Any] = []  # the keys and indexes that lead to the container being looked at
    if type(state) is not dict:
        raise StateNotSerializableError(
            f"the state to save is of type {_name(type(state))}: "
            "it must be a dict (and no subclass of it), convert it with dict(...)"
        )
    open_members = [_members(path, state)]
    open_containers = {id(state): None}  # in the order in which they were opened
    while open_members:
        for key, value in open_members[-1]:
            kind = type(value)
            if kind in _ALL_SCALARS:
                continue
            path.append(key)
            if kind is not dict and kind is not list:
                raise _refused(path, value)
            if id(value) in open_containers:
                raise StateNotSerializableError(
                    f"{_place(path)} is a {kind.__name__} that contains itself, "
                    "which no text can hold: put a copy of the part that is needed there"
                )
            open_members.append(_members(path, value))
            open_containers[id(value)] = None
            break
        else:
            open_members.pop()
            open_containers.popitem()
            if path:
                path.pop()


def _members(path: list[Any], container: Any) -> Iterator[tuple[Any, Any]]:
    if type(container) is list:
        return enumerate(container)
    for key in container:
        if type(key) is not str:
            raise StateNotSerializableError(
                f"{_place(path)} has the key {_shown(key)} of type {_name(type(key))}: "
                "keys are saved as str, convert it to one (str and no subclass of it)"
            )
    return iter(container.items())


def _refused(path: list[Any], value: Any) -> StateNotSerializableError:
    if isinstance(value, Enum):
        advice = "save its .value"
    elif isinstance(value, tuple | set | frozenset):
        advice = "convert it with list(...)"
    else:
        bases = (base for base in (str, int, float, list, dict) if isinstance(value, base))
        base = next(bases, None)
        advice = (
            f"convert it with {base.__name__}(...)"
            if base
            else "convert it to one of these, for example a date with .isoformat()"
        )
    return StateNotSerializableError(
        f"{_place(path)} is of type {_name(type(value))}, which would not come back as it is: "
        "saved are str, int, float, bool, None, list and dict (and no subclasses of them); "
        f"{advice}"
    )


def _place(path: list[Any]) -> str:
    """The place as Python would write it, `state['a'][3]`, a deep one without its middle."""
    left_out = len(path) - 2 * _STEPS_SHOWN
    if left_out <= 0:
        return "state" + "".join(f"[{_shown(step)}]" for step in path)
    first, last = _place(path[:_STEPS_SHOWN]), _place(path[-_STEPS_SHOWN:])
    return f"{first}...{left_out} levels...{last.removeprefix('state')}"


def _shown(key: Any) -> str:
    try:
        text = repr(key)
    except Exception:  # an unusual object must not hide what is wrong with it
        text = f"<{type(key).__qualname__}>"
    return text if len(text) <= _KEY_SHOWN else f"{text[:_KEY_SHOWN]}..."


def _name(kind: type) -> str:
    prefix = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return prefix + kind.__qualname__
