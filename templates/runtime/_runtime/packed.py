"""A record as one string, for stores that keep a value under a key; and the keys' escaping.

`P1`, created_at (26 characters), one JSON line `[position, status, codec]`, a newline, the state.
From byte 28 on, two attempts of one save are equal.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import orjson

from ..errors import StateConflictError
from .arguments import Row, Wanted, stored_text
from .record import NewRecord

MAGIC = b"P1"
_HEAD = len(MAGIC) + 26
# Above this many bytes, a script leaves a value out of its answer and it is fetched by its key:
# that is three times as fast as the way through Lua. As text, since scripts get texts.
LARGE = "65536"

_ESCAPES = str.maketrans({"%": "%25", ":": "%3A", "{": "%7B", "}": "%7D"})


def segment(value: str) -> str:
    """A value as part of a key: what separates parts or marks the slot cannot occur in it."""
    return value.translate(_ESCAPES)


def prefixed(namespace: str) -> str:
    """A namespace in front of a key, in a layout where none leaves nothing there."""
    return f"{namespace}:" if namespace else ""


def unescaped(part: str) -> str:
    """The value of a part of a key."""
    for char, escape in reversed(_ESCAPES.items()):
        part = part.replace(str(escape), chr(char))
    return part


def digest(value: str) -> str:
    return hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()


def checked_namespace(namespace: object) -> str:
    return "" if namespace is None else stored_text("namespace", namespace)


def pack(record: NewRecord) -> bytes:
    line = orjson.dumps([record.position, record.status, record.codec])
    return b"".join((MAGIC, record.created_at.encode(), line, b"\n", record.encoded.data))


def unpack(value: bytes) -> tuple[str, str, int, str, bytes]:
    """Position, status, codec, created_at and state; ValueError if it is no such record."""
    line, newline, state = value[_HEAD:].partition(b"\n")
    if not value.startswith(MAGIC) or not newline:
        raise ValueError("the value does not begin like a record")
    parts = orjson.loads(line)
    if type(parts) is not list or len(parts) != 3:
        raise ValueError("the value does not begin like a record")
    position, status, codec = parts
    return position, status, codec, value[len(MAGIC) : _HEAD].decode(), state


@dataclass(frozen=True, slots=True)
class Found:
    """What a lookup found: application and sequence, and the record's value if it came along."""

    wanted: Wanted
    app_id: str
    sequence_id: int
    value: bytes | None
    is_large: bool = False
    """The value was left out; fetch it by its key."""
    is_indexed: bool = False
    """An index names the record, so a missing value is damage."""

    @classmethod
    def of(cls, wanted: Wanted, reply: Any) -> Found:
        """From a script's reply: nothing, or application, sequence and perhaps the value."""
        if reply is None:
            return cls(wanted, "", 0, None)
        app_id, *rest = reply
        if not rest:
            raise wanted.corrupt(
                app_id.decode(errors="replace"),
                "it is listed but its head is missing; was it evicted? Load it by a sequence_id; "
                "the next save makes the head anew",
            )
        sequence, *value = rest
        try:
            found = cls(wanted, app_id.decode(), int(sequence), None, is_indexed=True)
        except ValueError as error:
            raise wanted.corrupt(
                app_id.decode(errors="replace"), f"its head is damaged ({error})"
            ) from error
        return found.with_value(value[0]) if value else replace(found, is_large=True)

    def with_value(self, value: bytes | None) -> Found:
        return replace(self, value=value, is_large=False)

    @property
    def row(self) -> Row | None:
        """app_id, sequence_id, position, status, state, created_at, codec; None if not found."""
        if self.value is None:
            if self.is_indexed:
                why = "the record is listed but missing; was it evicted?"
                raise self.wanted.corrupt(self.app_id, why, self.sequence_id)
            return None
        try:
            position, status, codec, created_at, state = unpack(self.value)
        except ValueError as error:
            why = f"what is stored there is not a record that persistry wrote, or damaged ({error})"
            raise self.wanted.corrupt(self.app_id, why, self.sequence_id) from error
        return self.app_id, self.sequence_id, position, status, state, created_at, codec

    @staticmethod
    def conflicting(record: NewRecord, value: bytes) -> Row:
        """Status, state and codec of the record that a save met."""
        try:
            _, status, codec, _, state = unpack(value)
        except ValueError as error:
            raise StateConflictError(
                f"save of {record}: what is stored under this key is not a record that persistry "
                f"wrote, or damaged ({error}); nothing was changed. Save under a new sequence_id"
            ) from error
        return status, state, codec
