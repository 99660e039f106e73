"""A record as a hash, a field for each of its parts, in a layout that another library made.

Values stand in the keys of such a layout as they are, so that two records may have one key: a hash
is the record that its own fields name, and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import StateConflictError
from .arguments import Row, Wanted, WantedApps, read_utf8, shown
from .record import NewRecord

# What names a record, and all that it has. `codec` is missing where the other library wrote it.
KEY = ("partition_key", "app_id", "sequence_id")
NEEDED = (*KEY, "position", "status", "state", "created_at")
FIELDS = (*NEEDED, "codec")

Fields = Mapping[str, bytes]


def pack(record: NewRecord) -> bytes:
    """The field that may be large; a script is given the others one by one."""
    return record.encoded.data


def check_room(record: NewRecord, largest_sequence_id: int) -> None:
    """Refuse a record whose number the layout would not keep exactly."""
    if record.is_over(largest_sequence_id):
        raise ValueError(
            f"sequence_id must not be over {largest_sequence_id} in this layout, as another library"
            f" made it, but is {record.sequence_id}; a persister of persistry's own layout takes it"
        )


def fields(flat: Sequence[bytes]) -> Fields:
    """Names and values in turn, as a script answers them."""
    names = (name.decode(errors="replace") for name in flat[::2])
    return dict(zip(names, flat[1::2], strict=True))


def names(found: Fields, partition_key: str, app_id: str, sequence_id: int) -> bool:
    """Whether this is the record of that key."""
    key = (partition_key, app_id, str(sequence_id))
    return all(found.get(name) == part.encode() for name, part in zip(KEY, key, strict=True))


def named(found: Fields) -> str:
    """Which key it names, for a message."""
    values = ((name, found.get(name, b"").decode(errors="replace")) for name in KEY)
    return ", ".join(f"{name} {shown(value)}" for name, value in values)


def read(found: Fields) -> tuple[str, str, bytes, str, int | None]:
    """Position, status, state, created_at and codec; ValueError if it is no such record."""
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise ValueError(f"the hash has no field {missing[0]!r}")
    position, status, created_at = (
        found[name].decode() for name in ("position", "status", "created_at")
    )
    codec = found.get("codec")
    return position, status, found["state"], created_at, None if codec is None else int(codec)


def by_time(wanted: WantedApps, reply: Sequence[bytes]) -> list[str]:
    """The applications, youngest first, from names and times in turn."""
    pairs = sorted(zip(reply[1::2], reply[::2], strict=True), reverse=True)
    return wanted.names([(app,) for _, app in pairs[: wanted.limit]], read_utf8)


@dataclass(frozen=True, slots=True)
class Found:
    """What a lookup found: application, sequence, and the hash that should be their record."""

    wanted: Wanted
    app_id: str = ""
    sequence_id: int = 0
    fields: Fields | None = None
    """None where nothing is listed; empty where the hash is missing."""

    @classmethod
    def of(cls, wanted: Wanted, reply: Any) -> Found:
        """From a script: nothing; or application, sequence, and names and values in turn."""
        if reply is None:
            return cls(wanted)
        app, sequence, *flat = reply
        app_id = app.decode(errors="replace")
        try:
            return cls(wanted, app_id, int(sequence), fields(flat))
        except ValueError as error:
            why = f"the sorted set has no number of a sequence for it ({error})"
            raise wanted.corrupt(app_id, why) from error

    @property
    def row(self) -> Row | None:
        """app_id, sequence_id, position, status, state, created_at, codec; None if not found."""
        found, wanted = self.fields, self.wanted
        is_listed = not wanted.asks_for_sequence
        if found is None or not (found or is_listed):
            return None
        app_id, sequence_id = self.app_id, self.sequence_id
        if not found:
            why = "the sorted set names this sequence, but its record is missing; was it evicted?"
            raise wanted.corrupt(app_id, why, sequence_id)
        if not names(found, wanted.partition_key, app_id, sequence_id):
            if is_listed or not found.keys() >= set(KEY):
                why = f"its place holds the record of {named(found)}"
                raise wanted.corrupt(app_id, why, sequence_id)
            return None  # another application's, of the same key
        try:
            position, status, state, created_at, codec = read(found)
        except ValueError as error:
            why = f"what is stored there is not a record, or damaged ({error})"
            raise wanted.corrupt(app_id, why, sequence_id) from error
        return app_id, sequence_id, position, status, state, created_at, codec

    @staticmethod
    def conflicting(record: NewRecord, reply: Sequence[bytes]) -> Row:
        """Status, state and codec of the record that a save met."""
        found = fields(reply)
        if not names(found, record.partition_key, record.app_id, record.sequence_id):
            raise StateConflictError(
                f"save of {record}: in this layout its place is that of {named(found)}, whose"
                " record is there; nothing was changed. Use names without ':', or a persister of"
                " persistry's own layout"
            )
        try:
            position, status, state, _, codec = read(found)
        except ValueError as error:
            raise StateConflictError(
                f"save of {record}: what is stored under this key is not a record, or damaged"
                f" ({error}); nothing was changed. Save under a new sequence_id"
            ) from error
        if position != record.position:
            raise StateConflictError(
                f"save of {record}: this layout has one record for a sequence, and that of the"
                f" position {shown(position)} is there; nothing was changed. Save under a new"
                " sequence_id, or use a persister of persistry's own layout"
            )
        return status, state, codec
