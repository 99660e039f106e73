"""What the errors of Burr's persisters mean, in the words of our taxonomy.

Burr lets the errors of each driver through. They are translated in its favour, so that a refusal
counts as one, whatever it is called. The text stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from persistry.errors import (
    NotInitializedError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
    StateConflictError,
    StateNotSerializableError,
    StateTooLargeError,
)

# An error, a text in its message, and what it means; the first that fits counts. By their names:
# a process that has one driver is not to import the others.
MEANINGS: list[tuple[str, str, type[PersisterError]]] = [
    ("sqlite3.IntegrityError", "UNIQUE constraint failed", StateConflictError),
    ("psycopg2.errors.UniqueViolation", "", StateConflictError),
    ("asyncpg.exceptions.UniqueViolationError", "", StateConflictError),
    ("builtins.ValueError", "already exists", StateConflictError),
    ("builtins.RuntimeError", "Uninitialized persister", NotInitializedError),
    ("sqlite3.OperationalError", "no such table", NotInitializedError),
    ("psycopg2.errors.UndefinedTable", "", NotInitializedError),
    ("asyncpg.exceptions.UndefinedTableError", "", NotInitializedError),
    ("sqlite3.ProgrammingError", "closed database", PersisterClosedError),
    ("builtins.ValueError", "no active connection", PersisterClosedError),
    ("builtins.ValueError", "Connection closed", PersisterClosedError),
    ("builtins.ValueError", "No connection or pool available", PersisterClosedError),
    ("psycopg2.InterfaceError", "already closed", PersisterClosedError),
    ("asyncpg.exceptions._base.InterfaceError", "is clos", PersisterClosedError),
    ("pymongo.errors.InvalidOperation", "after close", PersisterClosedError),
    ("pymongo.errors.DocumentTooLarge", "", StateTooLargeError),
    ("builtins.TypeError", "not JSON serializable", StateNotSerializableError),
    ("sqlite3.OperationalError", "database is locked", PersisterUnavailableError),
    ("psycopg2.OperationalError", "", PersisterUnavailableError),
    ("asyncpg.exceptions.PostgresConnectionError", "", PersisterUnavailableError),
    ("asyncpg.exceptions.OperatorInterventionError", "", PersisterUnavailableError),
    ("pymongo.errors.ConnectionFailure", "", PersisterUnavailableError),
    ("redis.exceptions.ConnectionError", "", PersisterUnavailableError),
    ("redis.exceptions.TimeoutError", "", PersisterUnavailableError),
    ("builtins.OSError", "", PersisterUnavailableError),
]


def meaning_of(error: Exception) -> type[PersisterError] | None:
    """What the error means, if it is one of those above."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    fitting = (it for name, text, it in MEANINGS if name in names and text in str(error))
    return next(fitting, None)


@contextmanager
def translated(*, saving: bool = False, builtin: bool = False) -> Iterator[None]:
    """Raise what an error in the block means, with its own text, caused by it.

    With `builtin`, only where it is the builtin that our error is, too: what has no driver's name
    and can be caught alike on every store.
    """
    try:
        yield
    except Exception as error:
        meaning = meaning_of(error)
        if meaning is None or (builtin and not isinstance(error, meaning.__bases__[1])):
            raise
        if meaning is PersisterUnavailableError:
            # Burr does not say it, so a save may have been one.
            raise PersisterUnavailableError(str(error), saving) from error
        raise meaning(str(error)) from error
