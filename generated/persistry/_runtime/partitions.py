"""The set that names the partitions, for a store in which every partition has a slot of its own.

It stands in another slot than a save, which therefore names its partition first: the set may name
a partition without a record, never lack one that has some. A key that a partition has as long as it
has a record tells them apart.

The operations are generators, carried out as `key_requests` says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .drivers.lua import Script
from .key_generations import ANY, Mark
from .key_requests import AT_ONCE, Commands, Run, Scan, Steps, literally
from .packed import unescaped
from .record import NewRecord

# How many partitions are asked for at once, at the least.
AT_LEAST = 100

# What the script of a save answers to the first record of a partition, unless told that the set
# names it.
UNNAMED = 2


@dataclass(frozen=True, slots=True)
class Register:
    """The set and the keys of the partitions that it names."""

    key: str
    """A sorted set whose scores are all 0: its members are in the order of their bytes."""
    having: Callable[[str], str]
    """The key that a partition has as long as it has a record."""
    mark: Callable[[], Mark]
    """It stands in the same slot."""
    place: str
    """Where the store is, for messages."""

    def saving(
        self,
        record: NewRecord,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[str | int],
        value: bytes,
        temporary: str = "",
    ) -> Steps[Any]:
        """Run the script of a save, which saves no first record before its partition is named."""
        reply = yield Run(script, keys, (*arguments, "0"), value, temporary)
        if reply == UNNAMED:
            yield from self.mark().naming(self.key, record.partition_key, record, self.place)
            reply = yield Run(script, keys, (*arguments, "1"), value, temporary)
        return reply

    def listing(self, limit: int | None) -> Steps[list[str]]:
        """The partitions that have a record, by name."""
        found: list[str] = []
        after = b"-"
        while limit is None or len(found) < limit:
            # As many as are wanted, and some for those that have no record.
            most = AT_ONCE if limit is None else min(AT_ONCE, max(AT_LEAST, limit - len(found)))
            (members,) = yield Commands([("ZRANGEBYLEX", self.key, after, "+", "LIMIT", 0, most)])
            names = [member.decode() for member in members]
            if names:
                there = yield Commands([("EXISTS", self.having(name)) for name in names])
                found += [name for name, is_there in zip(names, there, strict=True) if is_there]
            if len(names) < most:
                break
            after = b"(" + members[-1]
        return found[:limit]

    def restoring(self) -> Steps[None]:
        """Name all partitions that have a record, if the set that names them is gone."""
        (is_there,) = yield Commands([("EXISTS", self.key)])
        if not is_there:
            before, _, behind = self.having(ANY).partition(ANY)
            keys = yield Scan(f"{literally(before)}*{literally(behind)}")
            parts = [key.decode()[len(before) : -len(behind)] for key in keys]
            for start in range(0, len(parts), AT_ONCE):
                names = map(unescaped, parts[start : start + AT_ONCE])
                pairs = (it for name in names for it in (0, name))
                yield Commands([self.mark().command, ("ZADD", self.key, *pairs)])
