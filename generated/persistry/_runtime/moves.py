"""Moving all records of another library's layout to a persister, step by step for both colours.

`Move.steps` is a generator: it yields what to ask of the source or of the target, is sent the
answer (or thrown the error), and returns the report. Carrying it out is `persistry.moving`'s part.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from ..errors import CorruptStateError, StateConflictError, StateTooLargeError
from ..state import State
from . import codec, deep_json, hashed
from .arguments import shown
from .clock import iso, sortable
from .partitions import AT_ONCE, Commands, Scan, Steps
from .record import NewRecord
from .surveys import Survey, text
from .tagging import tagged

# What a save or a load says of one record alone; whatever else goes wrong ends the move.
_OF_ONE = (StateConflictError, StateTooLargeError, CorruptStateError, TypeError, ValueError)


class Refused(NamedTuple):
    """A key of the source that was not moved."""

    key: str
    why: str


@dataclass(slots=True)
class MoveReport:
    """What `move` did, or in a dry run would do."""

    dry_run: bool
    found: int = 0
    """Records in the source's namespace."""
    moved: int = 0
    """Those that it saved and loaded again."""
    already_there: int = 0
    """Those that were in the target, as after a move that was interrupted."""
    elsewhere: int = 0
    """Records of other namespaces that were met and left alone."""
    refused: list[Refused] = field(default_factory=list)
    """What was not moved, and why: records, and entries whose record is missing."""
    unclear: list[str] = field(default_factory=list)
    """Sorted sets of which nobody can say: partitions all of whose records are gone, or another
    program's. They are in no way counted."""
    source_digest: str = ""
    """Of what was read in the source and is in the target; whatever the order."""
    target_digest: str = ""
    """Of the same records as the target gives them; none in a dry run, which loads nothing."""

    @property
    def is_complete(self) -> bool:
        """Whether every record of the source is in the target."""
        return (
            not self.dry_run and not self.refused and self.moved + self.already_there == self.found
        )


class Ask(NamedTuple):
    """Something to ask of the source's server."""

    steps: Steps[Any]


class Call(NamedTuple):
    """An operation of the target."""

    operation: str
    arguments: tuple[Any, ...]
    saved_at: str | None = None
    """When a record was saved first, as it is stored."""


class AsWritten:
    """States of no library: values of registered types stay as they are written."""

    type = State
    described = "a State"

    def encode(self, state: State, serde_kwargs: Mapping[str, Any]) -> codec.EncodedState:
        return codec.encode(state.serialize())

    def decode(
        self, text: str | bytes, number: int | None, serde_kwargs: Mapping[str, Any]
    ) -> State:
        return State(codec.decode(text, number, registered=False))


class Place(NamedTuple):
    """A record of the source: when it was saved, its key, and what its key is made of."""

    created_at: str
    sequence_id: int
    partition_key: str
    app_id: str
    key: str


class _Digest:
    """A sum of the digests of records, which is the same in whatever order they come."""

    def __init__(self) -> None:
        self._sum = 0

    def add(self, digest: bytes) -> None:
        self._sum = (self._sum + int.from_bytes(digest)) % 2**256

    def __str__(self) -> str:
        return f"{self._sum:064x}"


@dataclass(frozen=True, slots=True)
class Move:
    """One move; `progress` is told of the report after every record."""

    survey: Survey
    dry_run: bool
    largest: int
    """The largest state that the target takes, in bytes."""
    progress: Callable[[MoveReport], object] | None

    def steps(self) -> Generator[Ask | Call, Any, MoveReport]:
        report = MoveReport(self.dry_run)
        places = yield from self._places(report)
        yield from self._entries({it.partition_key for it in places}, report)
        read, there = _Digest(), _Digest()
        for place in sorted(places):
            try:
                digest, loaded = yield from self._one(place, report)
            except _OF_ONE as error:
                report.refused.append(Refused(place.key, str(error)))
            else:
                read.add(digest)
                there.add(loaded)
            report.source_digest = str(read)
            report.target_digest = "" if self.dry_run else str(there)
            if self.progress is not None:
                self.progress(report)
        return report

    def _places(self, report: MoveReport) -> Generator[Ask, Any, list[Place]]:
        """Where the records of this namespace are; what cannot be one of its is reported."""
        keys = [*dict.fromkeys((yield Ask(_scanned(self.survey.pattern))))]
        places = []
        for start in range(0, len(keys), AT_ONCE):
            chunk = keys[start : start + AT_ONCE]
            asked = [("HMGET", key, *hashed.KEY, "created_at") for key in chunk]
            for key, found in zip(chunk, (yield Ask(_answered(asked))), strict=True):
                # Other programs have hashes, too; one that names no record is none of this layout.
                if found is None or sum(it is not None for it in found[: len(hashed.KEY)]) < 2:
                    continue
                try:
                    place = self._place(key, found)
                except ValueError as error:
                    report.refused.append(Refused(key.decode(errors="replace"), str(error)))
                    report.found += 1
                    continue
                if place is None:
                    report.elsewhere += 1
                else:
                    report.found += 1
                    places.append(place)
        return places

    def _place(self, key: bytes, found: list[bytes | None]) -> Place | None:
        """A record's place; None for that of another namespace, ValueError where it is unclear."""
        names = (*hashed.KEY, "created_at")
        parts = [text(it) if it is not None else None for it in found]
        missing = [name for name, part in zip(names, parts, strict=True) if part is None]
        if missing:
            raise ValueError(f"the hash has no field {missing[0]!r} that is a text")
        partition, app, number, created_at = map(str, parts)
        if not (number.isdecimal() and str(int(number)) == number):
            raise ValueError(f"its sequence_id is {shown(number)}, not a number")
        if key != self.survey.record(partition, app, int(number)).encode():
            end = f"{partition}:{app}:{number}".encode()
            if key == end or key.endswith(b":" + end):
                return None
            raise ValueError(
                f"its fields name partition {shown(partition)}, app {shown(app)}, sequence"
                f" {number}, and its key another record: nobody can say which of them is right"
            )
        return Place(iso(created_at), int(number), partition, app, key.decode())

    def _entries(self, known: set[str], report: MoveReport) -> Generator[Ask, Any, None]:
        """Report what sorted sets name and is not there; some are known to be partitions."""
        for partition in (yield Ask(self.survey.partitions())):
            key = self.survey.partition(partition)
            missing = yield Ask(self.survey.without_record(partition, partition in known))
            for entry in missing:
                why = f"it names the app {shown(entry.app_id)} at sequence {entry.sequence_id}"
                report.refused.append(Refused(key, f"{why}, and no such record is there"))
            if not missing and (yield Ask(self.survey.entries(partition, 0, 1))).missing:
                report.unclear.append(key)

    def _one(
        self, place: Place, report: MoveReport
    ) -> Generator[Ask | Call, Any, tuple[bytes, bytes]]:
        """Have one record in the target; its digests in the source and in the target."""
        ((found),) = yield Ask(_answered([("HMGET", place.key, *hashed.FIELDS)]))
        if found is None or found[0] is None:
            raise ValueError("it has been removed meanwhile")
        pairs = zip(hashed.FIELDS, found, strict=True)
        position, status, data, _, number = hashed.read({k: v for k, v in pairs if v is not None})
        state = State(codec.decode(data, number, registered=False))
        at = (place.partition_key, place.app_id, place.sequence_id)
        record = (*at, position, state, status)
        digest = _digest(*at, position, status, state)
        there = yield Call("load", at)
        if there is not None:
            self._check(there, position, digest)
            report.already_there += 1
            return digest, digest
        if self.dry_run:
            NewRecord.checked(*record, {}, self.largest, AsWritten())
            report.moved += 1
            return digest, digest
        yield Call("save", record, sortable(place.created_at))
        there = yield Call("load", at)
        if there is None:
            raise ValueError("it was saved in the target, which does not find it again")
        loaded = self._check(there, position, digest)
        report.moved += 1
        return digest, loaded

    def _check(self, there: Mapping[str, Any], position: str, digest: bytes) -> bytes:
        if there["position"] != position:
            raise ValueError(
                f"the target has the position {shown(there['position'])} at this sequence, not"
                f" {shown(position)}: somebody has gone on there meanwhile"
            )
        key = ("partition_key", "app_id", "sequence_id", "position", "status", "state")
        loaded = _digest(*(there[name] for name in key))
        if loaded != digest:
            raise ValueError("the target has another state or status for this record")
        return loaded


def _scanned(pattern: str) -> Steps[list[bytes]]:
    found: list[bytes] = yield Scan(pattern, "hash")
    return found


def _answered(commands: list[tuple[Any, ...]]) -> Steps[list[Any]]:
    found: list[Any] = yield Commands(commands, is_lenient=True)
    return found


def _digest(
    partition_key: str, app_id: str, sequence_id: int, position: str, status: str, state: State
) -> bytes:
    """Of a record: two that are the same have the same, in whatever order their keys are."""
    key = json.dumps([partition_key, app_id, sequence_id, position, status])
    values = deep_json.encode(tagged(state.serialize()).value, by_key=True)
    return sha256(f"{key}\n{values}".encode()).digest()
