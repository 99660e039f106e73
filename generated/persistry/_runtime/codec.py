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
``json`` where that is able to, because it is faster. Values that JSON has no form for are written
as tags, see ``tags``. The numbers are part of the stored format and never change their meaning.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import orjson

from . import deep_json, refusals, tagging, tags

PLAIN, PLAIN_TAGGED, DEEP, DEEP_TAGGED = range(4)
# What a query answers, where another library's text was kept as JSONB alone; never stored.
JSONB = -1

# Without these orjson writes dataclasses, dates and subclasses of str, dict ... as if they were
# JSON values. Tuples, UUIDs and enumerations it writes whatever one says.
_REFUSE_MORE = (
    orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)
_SCALARS = frozenset((str, int, bool, type(None)))

# json.loads recurses in C. Up to this recursion limit it raises RecursionError in time; above, a
# deep text could overflow the stack of the thread, which ends the process.
_SAFE_RECURSION_LIMIT = 3000

# Reads each NaN as another object: a set can hold several.
_json = json.JSONDecoder(parse_constant=float)


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
        values: What `State.serialize` returned: a dict with str keys, of JSON values, values that
            ``tags`` describes, and values of registered types, nested to any depth.

    Raises:
        StateNotSerializableError: The state holds something else, or contains itself. The message
            names the place in the state and says what to do.
    """
    plain = encode_plain(values)
    if plain is not None:
        return plain
    try:
        if type(values) is not dict:
            raise refusals.no_dict(values)
        tree, has_tags, has_nonfinite = tagging.tagged(values)
        if has_tags and not has_nonfinite:
            try:
                return EncodedState(orjson.dumps(tree, option=_REFUSE_MORE), PLAIN_TAGGED)
            except TypeError:  # a large integer, a surrogate, a deep state
                pass
        text = deep_json.encode(tree)
    except RecursionError:  # the caller's own calls have used up the stack
        raise
    except RuntimeError as error:
        raise refusals.changed(error) from error
    return EncodedState(text.encode("ascii"), DEEP_TAGGED if has_tags else DEEP)


def encode_plain(values: dict[str, Any]) -> EncodedState | None:
    """Encode a state if it is plain JSON, as almost every one is; None if it is not."""
    try:
        data = orjson.dumps(values, option=_REFUSE_MORE)
    except TypeError:  # a type that orjson refuses, a large integer, a surrogate, a deep state
        return None
    try:
        is_plain = type(values) is dict and _is_plain(values)
    except RecursionError:
        raise
    except RuntimeError as error:
        raise refusals.changed(error) from error
    return EncodedState(data, PLAIN) if is_plain else None


def decode(text: str | bytes, codec: int | None, registered: bool = True) -> dict[str, Any]:
    """Decode the text of a state.

    Args:
        text: The text as the store returned it; bytes are UTF-8.
        codec: The number stored beside it, None where another library wrote the text.
        registered: False to leave the values of registered types as they are written, to be
            compared (see ``tags.Written``).

    Raises:
        UnregisteredTypeError: A value is of a type that nobody has registered.
        ValueError: The text is malformed or is not that of a dict, or the number is unknown.
    """
    values: Any
    if codec == PLAIN:
        values = orjson.loads(text)
    elif codec == PLAIN_TAGGED:
        values = tags.untag(orjson.loads(text), registered)
    elif codec == DEEP_TAGGED:
        values = tags.untag(_loads(text), registered)
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
            return _json.decode(text)
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
