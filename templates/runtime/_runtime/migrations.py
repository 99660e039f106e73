"""Generations of stored data: which one stands in a store, and the way to the one written here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import NotInitializedError, StoreVersionError
from .failures import about


class Migration(NamedTuple):
    """What `initialize()` does to data that is there already, to bring it to a newer generation."""

    generation: int
    """The generation that it leads to."""
    doc: str
    """What changes, and what does not."""
    statements: tuple[str, ...]
    """What is run, in this order, with the store's names in it."""


def pending(found: int, known: int, migrations: Iterable[Migration]) -> list[Migration]:
    """The migrations that lead from the generation found to the one that is known here."""
    return [it for it in migrations if found < it.generation <= known]


def check_known(operation: str, key: object, found: int, known: int) -> None:
    """Refuse a store that a newer version of persistry made; nothing is written there."""
    if found > known:
        raise StoreVersionError(
            f"{about(operation, key)}: what is stored there is of generation {found}, and this"
            f" version of persistry knows {known} at the most; upgrade persistry"
        )


def check_current(operation: str, key: object, found: int, known: int) -> None:
    """Refuse a store that has to be migrated before it is used, and one of a newer version."""
    check_known(operation, key, found, known)
    if found < known:
        raise NotInitializedError(
            f"{about(operation, key)}: what is stored there is of generation {found}, and this"
            f" version of persistry works on {known}; call initialize() once, which adopts it as"
            " it is and rewrites no record (pending_migrations() shows what it will run)"
        )
