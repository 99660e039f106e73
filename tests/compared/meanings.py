"""What the errors of Burr's persisters mean, in the words of our taxonomy.

Burr lets the errors of each driver through. They are translated in its favour, so that a refusal
counts as one, whatever it is called. The text stays what it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import psycopg2
import psycopg2.errors
import pymongo.errors
import redis.exceptions

from persistry.errors import (
    NotInitializedError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
    StateConflictError,
    StateNotSerializableError,
    StateTooLargeError,
)

# An error, a text in its message, and what it means; the first that fits counts.
MEANINGS: list[tuple[type[Exception], str, type[PersisterError]]] = [
    (sqlite3.IntegrityError, "UNIQUE constraint failed", StateConflictError),
    (psycopg2.errors.UniqueViolation, "", StateConflictError),
    (asyncpg.UniqueViolationError, "", StateConflictError),
    (ValueError, "already exists", StateConflictError),
    (RuntimeError, "Uninitialized persister", NotInitializedError),
    (sqlite3.OperationalError, "no such table", NotInitializedError),
    (psycopg2.errors.UndefinedTable, "", NotInitializedError),
    (asyncpg.UndefinedTableError, "", NotInitializedError),
    (sqlite3.ProgrammingError, "closed database", PersisterClosedError),
    (ValueError, "no active connection", PersisterClosedError),
    (ValueError, "Connection closed", PersisterClosedError),
    (ValueError, "No connection or pool available", PersisterClosedError),
    (psycopg2.InterfaceError, "already closed", PersisterClosedError),
    (asyncpg.InterfaceError, "is clos", PersisterClosedError),
    (pymongo.errors.InvalidOperation, "after close", PersisterClosedError),
    (pymongo.errors.DocumentTooLarge, "", StateTooLargeError),
    (TypeError, "not JSON serializable", StateNotSerializableError),
    (sqlite3.OperationalError, "database is locked", PersisterUnavailableError),
    (psycopg2.OperationalError, "", PersisterUnavailableError),
    (asyncpg.PostgresConnectionError, "", PersisterUnavailableError),
    (asyncpg.OperatorInterventionError, "", PersisterUnavailableError),
    (pymongo.errors.ConnectionFailure, "", PersisterUnavailableError),
    (redis.exceptions.ConnectionError, "", PersisterUnavailableError),
    (redis.exceptions.TimeoutError, "", PersisterUnavailableError),
    (OSError, "", PersisterUnavailableError),
]


@contextmanager
def translated(*, saving: bool = False, builtin: bool = False) -> Iterator[None]:
    """Raise what an error in the block means, with its own text, caused by it.

    With `builtin`, only where it is the builtin that our error is, too: what has no driver's name
    and can be caught alike on every store.
    """
    try:
        yield
    except Exception as error:
        for kind, text, meaning in MEANINGS:
            if isinstance(error, kind) and text in str(error):
                if builtin and not isinstance(error, meaning.__bases__[1]):
                    raise
                if meaning is PersisterUnavailableError:
                    # Burr does not say it, so a save may have been one.
                    raise PersisterUnavailableError(str(error), saving) from error
                raise meaning(str(error)) from error
        raise
