"""What stands in a layout in which nothing names the partitions: all keys are looked through.

In another library's layout a key does not say whose it is, and other programs may have keys of the
same form. A sorted set is taken for a partition of this namespace if one of its entries has a
record that says so. The operations are generators, carried out as `key_requests` says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from ..errors import StoreVersionError
from .arguments import is_storable, shown
from .failures import at
from .hashed import KEY, names
from .key_requests import AT_ONCE, Commands, Scan, Steps, literally, text
from .partitions import AT_LEAST

# How many entries that lead nowhere a message names.
_NAMED = 3


class Entry(NamedTuple):
    """An application in a sorted set, and the sequence at which it is said to be."""

    partition_key: str
    app_id: str
    sequence_id: int | None
    """None where the score is no number of a sequence."""


def _is_record(found: list[bytes | None] | None, entry: Entry) -> bool:
    """Whether these fields of a hash name just that record."""
    if not found or None in found:
        return False
    return names(dict(zip(KEY, found, strict=True)), *entry)  # type: ignore[arg-type]


class Chunk(NamedTuple):
    """Some entries of a sorted set, by what stands where their records should be."""

    whole: list[Entry]
    missing: list[Entry]
    """Those of other namespaces are in neither."""
    is_last: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """The keys of one namespace."""

    partition: Callable[[str], str]
    """The sorted set of a partition."""
    record: Callable[[str, str, int], str]
    """The hash of a partition, an application and a sequence."""

    @property
    def pattern(self) -> str:
        """What every key of the namespace fits; without one, every key."""
        return f"{literally(self.partition(''))}*"

    def partitions(self) -> Steps[list[str]]:
        """What would be the partitions if all sorted sets were."""
        found = yield Scan(self.pattern, "zset")
        begin = len(self.partition("").encode())
        parts = (text(key[begin:]) for key in dict.fromkeys(found))
        return [part for part in parts if part is not None]

    def entries(self, partition: str, first: int, most: int) -> Steps[Chunk]:
        """At most so many entries, from the one with this number on."""
        key = self.partition(partition)
        asked = Commands([("ZRANGE", key, first, first + most - 1)], is_lenient=True)
        members = (yield asked)[0] or []
        scores = yield Commands([("ZSCORE", key, it) for it in members], is_lenient=True)
        named = [
            Entry(partition, member.decode(errors="replace"), _sequence(score))
            for member, score in zip(members, scores, strict=True)
        ]
        keys = [self.record(partition, it.app_id, it.sequence_id or 0) for it in named]
        there = yield Commands([("HMGET", it, *KEY) for it in keys], is_lenient=True)
        whole, missing = [], []
        for entry, found in zip(named, there, strict=True):
            if entry.sequence_id is None or found is None or None in found:
                missing.append(entry)
            elif _is_record(found, entry):
                whole.append(entry)
        return Chunk(whole, missing, len(members) < most)

    def listing(self, limit: int | None) -> Steps[list[str]]:
        """The partitions that have a record, by name."""
        found = []
        for partition in [] if limit == 0 else (yield from self.partitions()):
            if is_storable(partition) and (yield from self.entries(partition, 0, AT_LEAST)).whole:
                found.append(partition)
        return sorted(found)[:limit]

    def finding(
        self, partition: str, app_id: str | None, sequence_id: int | None
    ) -> Steps[str | None]:
        """The key of a record of a partition, application and sequence, as far as they are given.

        Where an application has no such record, a sorted set need not be one of this layout.
        """
        if app_id is None:
            entries = (yield from self.entries(partition, 0, AT_LEAST)).whole
        else:
            if sequence_id is None:
                asked = [("ZSCORE", self.partition(partition), app_id)]
                sequence_id = _sequence((yield Commands(asked, is_lenient=True))[0])
            if sequence_id is None:
                return None
            key = self.record(partition, app_id, sequence_id)
            (found,) = yield Commands([("HMGET", key, *KEY)], is_lenient=True)
            entry = Entry(partition, app_id, sequence_id)
            entries = [entry] if _is_record(found, entry) else []
        return self.record(*entries[0]) if entries else None  # type: ignore[arg-type]

    def without_record(self, partition: str, is_ours: bool = False) -> Steps[list[Entry]]:
        """The entries of a partition whose record is missing.

        What is in a namespace is ours. Without one, other programs have sorted sets, too: ours is
        one of whose applications a record is there, at its last sequence or the one before.
        """
        found: list[Entry] = []
        is_ours = is_ours or bool(self.partition(""))
        for first in count(step=AT_ONCE):
            chunk = yield from self.entries(partition, first, AT_ONCE)
            found += chunk.missing
            is_ours = is_ours or bool(chunk.whole) or (yield from self._has_steps(chunk.missing))
            if chunk.is_last or not is_ours:
                return found if is_ours else []
        raise AssertionError  # the numbers do not end

    def _has_steps(self, entries: list[Entry]) -> Steps[bool]:
        """Whether the step before is there, of any of them."""
        before = [it._replace(sequence_id=it.sequence_id - 1) for it in entries if it.sequence_id]
        asked = [("HMGET", self.record(*it), *KEY) for it in before]  # type: ignore[arg-type]
        there = yield Commands(asked, is_lenient=True)
        return any(_is_record(found, it) for it, found in zip(before, there, strict=True))

    def checking(self, place: str) -> Steps[None]:
        """Refuse a store with entries that lead nowhere."""
        found: list[Entry] = []
        for partition in (yield from self.partitions()):
            found += yield from self.without_record(partition)
        if found:
            named = "; ".join(map(self.described, found[:_NAMED]))
            more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
            raise StoreVersionError(
                f"initialize: sorted sets name records that are not there: {named}{more}. Nothing"
                " was changed. Bring the records back, or remove the entries (ZREM), and call"
                " initialize() again; until then everything else can be loaded, listed and saved"
                f"{at(place)}"
            )

    def described(self, entry: Entry) -> str:
        """An entry for a message: where it stands, and what it says."""
        return (
            f"the key {shown(self.partition(entry.partition_key))} has the app"
            f" {shown(entry.app_id)} at sequence {entry.sequence_id}"
        )


def _sequence(score: Any) -> int | None:
    try:
        sequence = int(score)
    except (TypeError, ValueError, OverflowError):  # it was removed meanwhile; NaN, infinity
        return None
    return sequence if sequence == score and sequence >= 0 else None
