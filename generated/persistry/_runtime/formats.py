"""What a persister knows of its table's format, and how `initialize()` brings that about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import StoreVersionError
from .failures import about, at
from .migrations import Migration, check_current, check_known
from .steps import Step


class Found(NamedTuple):
    """What the opening query says of a table: its columns, as many of them as it answers."""

    generation: int | None = None
    """None where there is no table, or one of which only other statements can tell."""
    foreign_column: str | None = None
    """One that no generation has; the table is not ours, then."""
    layout: str | None = None
    """Which layout it has; None is the one that is created here."""
    largest_sequence_id: int | None = None
    """The last one that it has room for; None where it takes all."""

    @classmethod
    def of(cls, row: Sequence[Any] | None) -> Found:
        return cls() if row is None else cls(*row)


class Change(NamedTuple):
    """The way from one generation to the next."""

    to: int
    doc: str
    steps: tuple[Step, ...]


class Format(NamedTuple):
    """A table as this version writes it, and the statements that make it so."""

    generation: int
    opening: str
    """Which generation stands there."""
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
    doubles_percent: bool = False
    """Whether the statements are written for a driver that reads a percent sign as its own."""

    def check_known(self, operation: str, key: object, found: Found, place: str) -> None:
        """Refuse what a newer version made."""
        check_known(operation, key, found.generation or 0, self.generation, place)

    def check_ours(self, operation: str, key: object, found: Found, place: str) -> None:
        """Refuse also what is none of persistry's."""
        self.check_known(operation, key, found, place)
        if found.foreign_column is not None:
            raise StoreVersionError(
                f"{about(operation, key)}: the table has a column {found.foreign_column!r}, which"
                " is none of persistry's; give another table_name, or open it with the library"
                f" that made it{at(place)}"
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
        return [*changed, *table, *self.create, *self.record]

    def pending(self, found: Found, names: Mapping[str, str]) -> list[Migration]:
        """What `initialize()` would do to the records that are there."""
        return [
            Migration(it.to, it.doc, tuple(self.shown(step.sql, names) for step in it.steps))
            for it in self._changes(found)
        ]

    def _changes(self, found: Found) -> list[Change]:
        there = self.generation if found.generation is None else found.generation
        return [it for it in self.changes if it.to > there]

    def shown(self, text: str, names: Mapping[str, str]) -> str:
        """A statement as the store gets it, with the names of a table."""
        text = text.format_map(names).strip()
        return text.replace("%%", "%") if self.doubles_percent else text


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
