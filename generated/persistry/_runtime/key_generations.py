"""Which generation the keys of a namespace are of, and how they are carried over to the next.

One key holds the number. While `initialize()` carries over, it holds two: `2 from 1` says that some
is of 2 already, so that an older version of persistry refuses it, and that not all is, so that this
one does not use it yet. Every step may be done again, and by several processes at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import CorruptStateError, NotInitializedError
from .drivers.lua import Script
from .failures import about, at
from .key_requests import Call, Commands, Run, RunEach, ScanOn, Steps, literally, text
from .migrations import Migration, check_current, check_known, marked
from .packed import unescaped

# Stands for any partition while a pattern is made; none is called so.
ANY = "\0"
_FROM = " from "
# What begins a partition, in a store that is of this generation or has none yet.
_NAMES = Script(
    "name a partition",
    """\
local mark, register = KEYS[1], KEYS[2]
local generation, partition = ARGV[1], ARGV[2]
local found = redis.call('GET', mark)
if found and found ~= generation then return found end
redis.call('ZADD', register, 0, partition)
if not found then redis.call('SET', mark, generation) end
return 1
""",
)
# What sets the mark, unless somebody else has set it since.
_REPLACES = Script(
    "replace a mark",
    """\
local mark = KEYS[1]
local before, after = ARGV[1], ARGV[2]
if (redis.call('GET', mark) or '') ~= before then return 0 end
redis.call('SET', mark, after)
return 1
""",
)


class Found(NamedTuple):
    """What the mark says."""

    text: str
    """Empty where there is none."""
    generation: int
    """That of the oldest that is there."""


@dataclass(frozen=True, slots=True)
class KeyStep:
    """A script that is run for every key of one kind, again and again until it answers 0."""

    script: Script
    glob: str
    """What the keys look like behind the slot, as a pattern of the server."""
    form: str
    """And exactly, with the values as groups."""
    keys: tuple[str, ...]
    """The other keys that the script is given, with {value} parts; all stand in the same slot."""
    arguments: tuple[str, ...]
    """The values that the script is given."""

    def pattern(self, slot: str) -> str:
        before, _, behind = slot.partition(ANY)
        return f"{literally(before)}*{literally(behind)}:{self.glob}"

    def calls(self, slot: str, found: Iterable[bytes]) -> list[Call]:
        """What the script is given for each of these keys; other programs' may look like ours."""
        before, _, behind = map(re.escape, slot.partition(ANY))
        whole = re.compile(rf"(?P<slot>{before}(?P<partition_key>[^:{{}}]*){behind}):{self.form}")
        matches = (whole.fullmatch(it) for it in map(text, dict.fromkeys(found)) if it is not None)
        return [self._call(it) for it in matches if it is not None]

    def _call(self, key: re.Match[str]) -> Call:
        # What separates the parts of a key cannot stand in a value, so these go on as they are.
        parts = key.groupdict()
        others = (f"{parts['slot']}:{it.format_map(parts)}" for it in self.keys)
        values = (unescaped(parts[name]) for name in self.arguments)
        return Call((key[0], *others), tuple(values))


@dataclass(frozen=True, slots=True)
class KeyMigration:
    """What carries the keys of one generation over to the next."""

    generation: int
    """The one that it leads to."""
    doc: str
    steps: tuple[KeyStep, ...]

    def carrying(self, slot: str) -> Steps[None]:
        """Go through all keys, until once none of them was left to carry over.

        What a program of the older generation that is still open wrote meanwhile comes along.
        """
        is_left = True
        while is_left:
            is_left = False
            for step in self.steps:
                is_left = (yield from self._passing(step, slot)) or is_left

    def _passing(self, step: KeyStep, slot: str) -> Steps[bool]:
        """Whether anything was carried over."""
        is_carried = False
        on = ScanOn(step.pattern(slot))
        while on.cursors is None or on.cursors:
            keys, cursors = yield on
            on = ScanOn(on.pattern, cursors)
            calls = step.calls(slot, keys)
            while calls:
                answers = yield RunEach(step.script, calls)
                calls = [it for it, answer in zip(calls, answers, strict=True) if answer]
                is_carried = is_carried or bool(calls)
        return is_carried

    def pending(self, slot: str) -> Migration:
        """For who wants to know before."""
        told = (
            f"-- for every key {it.pattern(slot)}, until it returns 0\n{it.script.text}"
            for it in self.steps
        )
        return Migration(self.generation, self.doc, tuple(told))


@dataclass(frozen=True, slots=True)
class Mark:
    """The key in which the generation of all that a namespace holds stands.

    It is written with the name of the first partition; where it is missing, the generation is 1.
    """

    key: str
    generation: int
    """The one that this version of the library knows."""
    register: str = ""
    """The key in the same slot that is there where anything is stored."""
    slot: str = ""
    """What all keys of the partition `ANY` begin with."""
    migrations: tuple[KeyMigration, ...] = ()

    def finding(self, operation: str, asked: object, place: str) -> Steps[Found]:
        """What stands there, unless it is of a newer generation."""
        (value,) = yield Commands([("GET", self.key)])
        if value is not None:
            return self._read(value, operation, asked, place)
        if not self.migrations:
            return Found("", 1)
        (is_there,) = yield Commands([("EXISTS", self.register)])
        return Found("", 1 if is_there else self.generation)

    @property
    def command(self) -> tuple[str | int, ...]:
        """Writes it where it is not there."""
        return ("SET", self.key, self.generation, "NX")

    def checking(self, operation: str, asked: object, place: str) -> Steps[None]:
        """Refuse what is of another generation."""
        self._refuse_older(
            (yield from self.finding(operation, asked, place)), operation, asked, place
        )

    def _refuse_older(self, found: Found, operation: str, asked: object, place: str) -> None:
        if _FROM in found.text:
            raise NotInitializedError(
                f"{about(operation, asked)}: what is stored is being brought from generation"
                f" {found.generation} to the next, or that was interrupted; call initialize(),"
                " which goes on, and give it a longer operation_timeout if that was over"
                f"{at(place)}"
            )
        check_current(operation, asked, found.generation, self.generation, place)

    def naming(self, register: str, partition_key: str, asked: object, place: str) -> Steps[None]:
        """Write a partition's name into the register of a store that is still of this generation.

        Who looked long ago begins no partition in a newer one, where nobody would find it.
        """
        answer = yield Run(_NAMES, (self.key, register), (self.generation, partition_key))
        if answer != 1:
            found = self._read(answer, "save", asked, place)
            self._refuse_older(found, "save", asked, place)

    def migrating(self, operation: str, asked: object, place: str) -> Steps[None]:
        """Carry over what is of an older generation."""
        found = yield from self.finding(operation, asked, place)
        is_new = not found.text and found.generation == self.generation
        if is_new and (yield from self._is_unmarked()):
            found = Found("", 1)
        while found.generation < self.generation:
            migration = next(it for it in self.migrations if it.generation > found.generation)
            under_way = f"{migration.generation}{_FROM}{found.generation}"
            if found.text == under_way or (yield self._replacing(found.text, under_way)):
                yield from migration.carrying(self.slot)
                yield self._replacing(under_way, str(migration.generation))
            # Another process may have been faster, and of a newer version.
            found = yield from self.finding(operation, asked, place)

    def _replacing(self, before: str, after: str) -> Run:
        return Run(_REPLACES, (self.key,), (before, after))

    def _is_unmarked(self) -> Steps[bool]:
        """Whether keys of the first generation are there whose mark is gone."""
        for step in self.migrations[0].steps if self.migrations else ():
            on = ScanOn(step.pattern(self.slot))
            while on.cursors is None or on.cursors:
                keys, cursors = yield on
                if step.calls(self.slot, keys):
                    return True
                on = ScanOn(on.pattern, cursors)
        return False

    def pending(self, operation: str, asked: object, place: str) -> Steps[list[Migration]]:
        """What `initialize()` would do to keys that are there."""
        found = yield from self.finding(operation, asked, place)
        return [it.pending(self.slot) for it in self.migrations if it.generation > found.generation]

    def _read(self, value: bytes, operation: str, asked: object, place: str) -> Found:
        found = value.decode("latin-1")
        to, under_way, since = found.partition(_FROM)
        generation = marked(to)
        oldest = marked(since) if under_way else generation
        if generation is None or oldest is None or oldest > generation:
            raise CorruptStateError(
                f"{about(operation, asked)}: what the key {self.key} holds is no generation;"
                " another program wrote it, or use another namespace"
            )
        check_known(operation, asked, generation, self.generation, place)
        return Found(found, oldest)
