"""Generations of stored data: which one stands in a store, and the way to the one written here."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import NotInitializedError, StoreVersionError
from .failures import about, at

# A longer number is newer, too, but may be more than can be read; the SQL stores read as much.
_DIGITS = 18


class Migration(NamedTuple):
    """What `initialize()` does to data that is there already, to bring it to a newer generation."""

    generation: int
    """The generation that it leads to."""
    doc: str
    """What changes, and what does not."""
    statements: tuple[str, ...]
    """What is run, in this order, with the store's names in it."""


def marked(text: str) -> int | None:
    """The generation that a mark says; None where it is no number from 1."""
    return int(text[:_DIGITS]) if re.fullmatch("[1-9][0-9]*", text) else None


def check_known(operation: str, key: object, found: int, known: int, place: str = "") -> None:
    """Refuse a store that a newer version of persistry made; nothing is written there."""
    if found > known:
        raise StoreVersionError(
            f"{about(operation, key)}: the stored format is of generation {found}, and this version"
            f" of persistry knows {known}; upgrade persistry{at(place)}"
        )


def check_current(operation: str, key: object, found: int, known: int, place: str = "") -> None:
    """Refuse a store that has to be migrated before it is used, and one of a newer version."""
    check_known(operation, key, found, known, place)
    if found < known:
        raise NotInitializedError(
            f"{about(operation, key)}: the stored format is of generation {found}, and this version"
            f" of persistry works with {known}; call initialize() once, which does what"
            f" pending_migrations() says{at(place)}"
        )
