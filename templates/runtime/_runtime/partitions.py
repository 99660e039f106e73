"""The set that names the partitions, for a store in which every partition has a slot of its own.

It stands in another slot than a save, which therefore names its partition first: the set may name
a partition without a record, never lack one that has some. A key that a partition has as long as it
has a record tells them apart.

The operations are generators, for both colours: each yields what to ask of the server, is sent the
answer, and returns what the operation gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import CorruptStateError
from .drivers.lua import Script
from .failures import about
from .migrations import check_known, marked
from .packed import unescaped

# How many partitions are asked for at once.
AT_ONCE = 1000
AT_LEAST = 100

# What the script of a save answers to the first record of a partition, unless told that the set
# names it.
UNNAMED = 2

# Stands for any name while a pattern is made; no partition is called so.
_ANY = "\0"


@dataclass(frozen=True, slots=True)
class Run:
    """A script to run."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[str | int]
    value: bytes
    temporary: str


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands to send together, each with an answer."""

    commands: Sequence[Sequence[str | bytes | int]]
    is_lenient: bool = False
    """Whether one that the server refuses, as for a key of another type, is answered by None."""


@dataclass(frozen=True, slots=True)
class Scan:
    """All keys that a pattern fits."""

    pattern: str
    type: str = ""
    """Only those of this type, if it is said."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The key in which the generation of all that a namespace holds stands.

    It is written with the name of the first partition; where it is missing, the generation is 1.
    """

    key: str
    generation: int
    """The one that this version of the library knows."""

    @property
    def command(self) -> tuple[str | int, ...]:
        """Writes it where it is not there."""
        return ("SET", self.key, self.generation, "NX")

    def checking(self, operation: str, asked: object, place: str) -> Steps[None]:
        """Refuse what is of a newer generation."""
        (found,) = yield Commands([("GET", self.key)])
        generation = 1 if found is None else marked(found.decode("latin-1"))
        if generation is None:
            raise CorruptStateError(
                f"{about(operation, asked)}: what the key {self.key} holds is no generation;"
                " another program wrote it, or use another namespace"
            )
        check_known(operation, asked, generation, self.generation, place)


T = TypeVar("T")
Steps = Generator[Run | Commands | Scan, Any, T]


@dataclass(frozen=True, slots=True)
class Register:
    """The set and the keys of the partitions that it names."""

    key: str
    """A sorted set whose scores are all 0: its members are in the order of their bytes."""
    having: Callable[[str], str]
    """The key that a partition has as long as it has a record."""
    mark: Mark
    """It stands in the same slot."""

    def saving(
        self,
        partition_key: str,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[str | int],
        value: bytes,
        temporary: str = "",
    ) -> Steps[Any]:
        """Run the script of a save, which saves no first record before its partition is named."""
        reply = yield Run(script, keys, (*arguments, "0"), value, temporary)
        if reply == UNNAMED:
            yield Commands([self.mark.command, ("ZADD", self.key, 0, partition_key)])
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
            before, _, behind = self.having(_ANY).partition(_ANY)
            keys = yield Scan(f"{literally(before)}*{literally(behind)}")
            parts = [key.decode()[len(before) : -len(behind)] for key in keys]
            for start in range(0, len(parts), AT_ONCE):
                names = map(unescaped, parts[start : start + AT_ONCE])
                pairs = (it for name in names for it in (0, name))
                yield Commands([self.mark.command, ("ZADD", self.key, *pairs)])


def literally(text: str) -> str:
    """The text as a pattern that only it fits."""
    return re.sub(r"([*?[\\])", r"\\\1", text)
