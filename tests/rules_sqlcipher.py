"""What every failure of SQLCipher becomes: a row for each rule, code and text of its spec."""

from __future__ import annotations

import sqlcipher3

from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterAccessError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
    StateTooLargeError,
    StoreVersionError,
)
from tests.rules import Row

UNAVAILABLE, ACCESS = PersisterUnavailableError, PersisterAccessError
VERSION, CORRUPT = StoreVersionError, CorruptStateError


def failed(code: str, text: str, kind: type[Exception] = sqlcipher3.OperationalError) -> Exception:
    """An exception as the driver builds it; those that it raises by itself have no code."""
    exc = kind(text)
    if code:
        exc.sqlite_errorname = code  # type: ignore[attr-defined]
    return exc


def said(text: str) -> Exception:
    return failed("SQLITE_ERROR", text)


DATABASE, PROGRAMMING = sqlcipher3.DatabaseError, sqlcipher3.ProgrammingError
OTHERS = "is not persistry's"
LOCKED = "locked for longer than operation_timeout (1.5 s)"
ROWS = [
    Row(failed("SQLITE_NOTADB", "file is not a database", DATABASE), ACCESS, "passphrase"),
    Row(said("PRAGMA key requires a key of one or more characters."), ACCESS, "passphrase"),
    Row(said("no such table: burr_state"), NotInitializedError, "call initialize()"),
    Row(said("no such index: burr_state_apps"), NotInitializedError, "call initialize()"),
    Row(said("no such column: codec"), VERSION, OTHERS),
    Row(said("table burr_state has no column named codec"), VERSION, OTHERS),
    Row(said("ON CONFLICT clause does not match any UNIQUE constraint"), VERSION, OTHERS),
    Row(said("cannot modify burr_state because it is a view"), VERSION, OTHERS),
    Row(said("views may not be indexed"), VERSION, OTHERS),
    Row(said("there is already an index named burr_state"), VERSION, OTHERS),
    Row(said("index burr_state_apps already exists"), VERSION, OTHERS),
    Row(
        failed("SQLITE_CONSTRAINT_TRIGGER", "shut", sqlcipher3.IntegrityError),
        VERSION,
        OTHERS,
    ),
    Row(said("unknown database other"), UNAVAILABLE, "attach it"),
    Row(said("object name reserved for internal use: sqlite_x"), PersisterError, "sqlite_"),
    Row(failed("SQLITE_READONLY", "attempt to write a readonly database"), ACCESS, "read-only"),
    Row(failed("SQLITE_PERM", "access permission denied"), ACCESS, "read-only"),
    Row(failed("SQLITE_AUTH", "not authorized", DATABASE), ACCESS, "read-only"),
    Row(failed("SQLITE_BUSY", "database is locked"), UNAVAILABLE, LOCKED),
    Row(failed("SQLITE_LOCKED", "database table is locked"), UNAVAILABLE, LOCKED),
    Row(failed("SQLITE_CANTOPEN", "unable to open database file"), UNAVAILABLE, "its folder"),
    Row(failed("SQLITE_FULL", "database or disk is full"), UNAVAILABLE, "the disk is full"),
    Row(failed("SQLITE_IOERR_WRITE", "disk I/O error"), UNAVAILABLE, "check the disk", True),
    Row(failed("SQLITE_INTERRUPT", "interrupted"), UNAVAILABLE, "somebody interrupted it"),
    Row(failed("SQLITE_CORRUPT", "malformed", DATABASE), CORRUPT, "cipher_integrity_check"),
    Row(failed("", "Could not decode to UTF-8 column 'state'"), CORRUPT, "somebody else"),
    Row(failed("SQLITE_TOOBIG", "too long", sqlcipher3.DataError), StateTooLargeError, "row"),
    Row(failed("", "string or blob too big", sqlcipher3.DataError), StateTooLargeError, "row"),
    Row(
        failed("", "Cannot operate on a closed database.", PROGRAMMING),
        PersisterClosedError,
        "has been closed",
    ),
    Row(
        failed("", "objects created in a thread can only be used in that same thread", PROGRAMMING),
        PersisterError,
        "check_same_thread=False",
    ),
]
STRANGER = said('near "SELEC": syntax error')
