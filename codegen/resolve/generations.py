"""The migrations of a backend lead, one by one, to the generation that its file says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from ..model import MigrationModel, MongoMigrationModel
from ..nodes import place_of
from ..problems import Code, Report, Span
from .names import sensible

# What to do where a family can bring nothing that is stored to another generation.
KEEP = (
    "keep what is stored, since this family has no migrations yet; a format that has to change is a"
    " backend of its own, with other keys"
)


def check_steps(
    generation: int,
    migrations: Sequence[MigrationModel | MongoMigrationModel],
    stored: Span,
    report: Report,
) -> None:
    """Each generation has one, in order; the first needs none where nothing older is adopted."""
    if generation < 1:
        return  # said elsewhere
    for it in migrations:
        sensible(it.doc, "what the migration does", report)
    first = 1 if migrations and migrations[0].to == 1 else 2
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
