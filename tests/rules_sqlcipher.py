"""What every failure of SQLCipher becomes: its own rules, and as it says them those of SQLite."""

from __future__ import annotations

import sqlcipher3

from persistry.errors import PersisterAccessError, PersisterUnavailableError
from tests.rules import Row


def failed(text: str, code: str, kind: type[Exception] = sqlcipher3.OperationalError) -> Exception:
    """An exception as the driver builds it; those that it raises by itself have no code."""
    exc = kind(text)
    if code:
        exc.sqlite_errorname = code  # type: ignore[attr-defined]
    return exc


def like(row: Row) -> Row:
    """The row of an exception of Python's SQLite, with that of the same name and words."""
    kind = getattr(sqlcipher3, type(row.exc).__name__)
    code = getattr(row.exc, "sqlite_errorname", "")
    return row._replace(exc=failed(str(row.exc), code, kind))


OWN = [
    Row(
        failed("file is not a database", "SQLITE_NOTADB", sqlcipher3.DatabaseError),
        PersisterAccessError,
        "passphrase",
    ),
    Row(
        failed("PRAGMA key requires a key of one or more characters.", "SQLITE_ERROR"),
        PersisterAccessError,
        "passphrase",
    ),
    Row(
        failed("interrupted", "SQLITE_INTERRUPT"),
        PersisterUnavailableError,
        "somebody interrupted it",
    ),
]
OWN_WORDS = {str(it.exc) for it in OWN}
STRANGER = failed('near "SELEC": syntax error', "SQLITE_ERROR")
