"""The migrations of a backend lead, one by one, to the generation that its file says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from ..model import MigrationModel, MongoMigrationModel, RedisMigrationModel
from ..nodes import place_of
from ..problems import Code, Report, Span
from .names import sensible

# What to do where nothing that is stored can be brought to another generation.
KEEP = (
    "keep what is stored, since another library made this layout and goes on with it; a format that"
    " has to change is a backend of its own, with other keys"
)


def migrates(stored: object) -> bool:
    """Whether what is stored can be brought to another generation."""
    return getattr(stored, "made_by", None) is None


def check_steps(
    generation: int,
    migrations: Sequence[MigrationModel | MongoMigrationModel | RedisMigrationModel],
    stored: Span,
    report: Report,
    first: int = 1,
) -> None:
    """Each generation has one, in order; the first needs none where nothing older is adopted, and
    can have none where `first` is 2."""
    if generation < 1:
        return  # said elsewhere
    for it in migrations:
        sensible(it.doc, "what the migration does", report)
    first = first if migrations and migrations[0].to == 1 else 2
    wanted = range(first, generation + 1)
    for migration, to in zip_longest(migrations, wanted):
        if migration is None:
            message = f"no migration leads to generation {to}"
            help = f"add one with 'to: {to}', or write the generation that they lead to"
            report.add(Code.SPEC09, message, place_of(generation, stored), help=help)
        elif migration.to != to:
            message = f"the migration leads to {migration.to}"
            help = "remove it, or raise the generation" if to is None else f"write to: {to}"
            report.add(Code.SPEC09, message, place_of(migration.to, migration.span), help=help)
        else:
            continue
        return
