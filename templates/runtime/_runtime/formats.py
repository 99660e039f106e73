"""What a persister knows of its table's format, and how `initialize()` brings that about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import StoreVersionError
from .failures import about, at
from .migrations import Migration, check_current, check_known
from .steps import Step

# As a store writes a generation down where it keeps texts.
_MARK = re.compile(r"persistry generation ([1-9][0-9]*)")
# So many digits tell that it is a newer one.
_DIGITS = 18


class Found(NamedTuple):
    """What the opening query says of a table: its columns, as many of them as it answers."""

    generation: int | None = None
    """None where there is no table."""
    difference: str | None = None
    """What no table of ours is like, as a sentence about this one goes on; None if it is ours."""
    layout: str | None = None
    """Which layout it has; None is the one that is created here."""
    largest_sequence_id: int | None = None
    """The last one that it has room for; None where it takes all."""

    @classmethod
    def of(cls, row: Sequence[Any] | None) -> Found:
        if row is None:
            return cls()
        generation, *others = row
        return cls(_number(generation), *others)


def _number(generation: int | str | bytes | None) -> int | None:
    """A text is what is written down; where that is no generation, it is the first."""
    if isinstance(generation, bytes):
        generation = generation.decode(errors="replace")
    if not isinstance(generation, str):
        return generation
    mark = _MARK.fullmatch(generation)
    return 1 if mark is None else int(mark[1][:_DIGITS])


class Change(NamedTuple):
    """The way from one generation to the next."""

    to: int
    doc: str
    steps: tuple[Step, ...]


class Format(NamedTuple):
    """A table as this version writes it, and the statements that make it so."""

    store: str
    """Whose it is, for people."""
    generation: int
    opening: str
    """Which generation stands there."""
    is_initialized: str
    """A query that fails, or answers false, where something is missing."""
    begin: str
    table: Step
    """What makes a table, where none is found. Found is more than it looks for: a name without a
    schema may mean one that stands elsewhere."""
    create: tuple[Step, ...]
    """What makes all that belongs to the table; nothing where it is there."""
    record: tuple[Step, ...]
    """What writes the generation down."""
    lock: tuple[Step, ...] = ()
    """Run first, so that one process creates."""
    changes: tuple[Change, ...] = ()
    stale: str = ""
    """Whether what only repeats the records has to be made anew; empty where nothing does."""
    rebuild: tuple[Step, ...] = ()
    """What makes that anew."""
    widen: tuple[Step, ...] = ()
    """What gives an adopted table room for every sequence id."""
    on_initialize: tuple[str, ...] = ()
    """Run behind all that, on a connection that was opened here."""

    def check_ours(self, operation: str, key: object, found: Found, place: str) -> None:
        """Refuse what a newer version made, and what is none of persistry's."""
        check_known(operation, key, found.generation or 0, self.generation, place)
        if found.difference is not None:
            raise StoreVersionError(
                f"{about(operation, key)}: the table {found.difference}; give another table_name,"
                f" or open it with the library that made it{at(place)}"
            )

    def check_current(self, operation: str, key: object, found: Found, place: str) -> None:
        """Refuse also what `initialize()` has to migrate first."""
        self.check_ours(operation, key, found, place)
        if found.generation is not None:
            check_current(operation, key, found.generation, self.generation, place)

    def is_older(self, found: Found) -> bool:
        """Whether what is there has to be migrated."""
        return found.generation is not None and found.generation < self.generation

    def steps(self, key: object, found: Found, names: Mapping[str, str], place: str) -> list[Step]:
        """What `initialize()` runs in one transaction, for a table in which that was found."""

        def check(row: Sequence[Any] | None) -> None:
            # A newer version may have been here since.
            self.check_ours("initialize", key, Found.of(row), place)

        opening = Step(self.opening, check=check)
        return [step.format_map(names) for step in (*self.lock, opening, *self.made(found))]

    def made(self, found: Found) -> list[Step]:
        """The statements that lead from what was found to a table of this generation."""
        table = [self.table] if found.generation is None else []
        changed = [step for it in self._changes(found) for step in it.steps]
        return [*changed, *table, *self.create, *self.rebuild, *self.record]

    def pending(self, found: Found, names: Mapping[str, str]) -> list[Migration]:
        """What `initialize()` would do to the records that are there."""
        return [
            Migration(it.to, it.doc, tuple(step.sql.format_map(names).strip() for step in it.steps))
            for it in self._changes(found)
        ]

    def _changes(self, found: Found) -> list[Change]:
        there = self.generation if found.generation is None else found.generation
        return [it for it in self.changes if it.to > there]


class Opened:
    """What a persister and its copies have seen of their table. A pickle holds nothing of it."""

    __slots__ = ("is_initialized", "is_shared", "largest_sequence_id", "sql")

    def __init__(self) -> None:
        self.is_initialized = False
        self.is_shared: bool | None = None
        """Whether another library made it, which may go on with it."""
        self.largest_sequence_id: int | None = None
        self.sql: Mapping[str, str] | None = None
        """The statements for this table."""

    def __reduce__(self) -> tuple[type[Opened], tuple[()]]:
        return Opened, ()
