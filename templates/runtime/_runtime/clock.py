"""When a record was saved: written as a text that sorts, returned as ISO 8601."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

# 26 characters, UTC without a suffix: it sorts among the texts that SQLite itself and other
# libraries write, and the sqlite3 module's own converter reads it. A "T" would do neither.
_STORED = "%Y-%m-%d %H:%M:%S.%f"


# The time at which what this thread or task saves was saved first, elsewhere.
_as_of: ContextVar[str | None] = ContextVar("as_of", default=None)


def now() -> str:
    return _as_of.get() or datetime.now(UTC).strftime(_STORED)


@contextmanager
def as_of(stored: str | None) -> Iterator[None]:
    """Save as of another time, where the store does not take its own; None is now."""
    token = _as_of.set(stored)
    try:
        yield
    finally:
        _as_of.reset(token)


def sortable(moment: str) -> str:
    """A time in ISO 8601 as it is stored."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime(_STORED)


def iso(stored: object) -> str:
    """A stored time as `2026-11-22T01:23:45.678900+00:00`; ValueError if it is no time."""
    if not isinstance(stored, (str, datetime)):
        raise ValueError(f"created_at is {type(stored).__name__}, not a text or a time")
    moment = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
