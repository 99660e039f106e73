"""What every failure of PostgreSQL's drivers becomes: rows for `test_rules`."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

import asyncpg
import psycopg
import psycopg.errors
import psycopg2
import psycopg2.errors

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

UNAVAILABLE, ACCESS, VERSION = PersisterUnavailableError, PersisterAccessError, StoreVersionError
SAVED, REPEAT = {"may_have_saved": True, "repeat": True}, {"repeat": True}
OTHER_COLUMNS, OTHER_THING = "other columns or keys", "has the name of the table"
STRANGE = "that persistry did not make"
NOBODY, LOST = "no server answers there", "the connection was lost"
TLS, WORDS = "TLS was not agreed on", "correct connect_kwargs"
REFUSES = "for the reason it gives"
FATAL = 'connection to server at "::1", port 5432 failed: FATAL:  '
FAILED = 'connection to server at "::1", port 5432 failed: '

# What the server says, by its code: the same for both drivers.
CODES: list[tuple[str, str, type[PersisterError], str, dict[str, bool]]] = [
    ("42P01", 'relation "burr_state" does not exist', NotInitializedError, "call initialize()", {}),
    ("3F000", 'schema "elsewhere" does not exist', NotInitializedError, "create it", {}),
    ("42703", 'column "codec" does not exist', VERSION, OTHER_COLUMNS, {}),
    ("42P10", "there is no unique constraint matching", VERSION, OTHER_COLUMNS, {}),
    ("42804", 'column "state" is of type jsonb', VERSION, OTHER_COLUMNS, {}),
    ("42883", "operator does not exist: integer = text", VERSION, OTHER_COLUMNS, {}),
    ("42846", "cannot cast type bytea to text", VERSION, OTHER_COLUMNS, {}),
    ("0A000", "cannot alter type of a column used by a view or rule", VERSION, "drop that", {}),
    ("42809", '"burr_state" is an index', VERSION, OTHER_THING, {}),
    ("42710", 'type "burr_state" already exists', VERSION, OTHER_THING, {}),
    ("42P07", 'relation "burr_state" already exists', VERSION, OTHER_THING, {}),
    ("55000", 'cannot insert into view "burr_state"', VERSION, OTHER_THING, {}),
    ("23502", 'null value in column "owner"', VERSION, STRANGE, {}),
    ("23503", "violates foreign key constraint", VERSION, STRANGE, {}),
    ("23505", "duplicate key value violates unique constraint", VERSION, STRANGE, {}),
    ("23514", "violates check constraint", VERSION, STRANGE, {}),
    ("23P01", "conflicting key value violates exclusion constraint", VERSION, STRANGE, {}),
    ("428C9", 'cannot insert a non-DEFAULT value into column "codec"', VERSION, STRANGE, {}),
    ("22001", "value too long for type character varying(9)", VERSION, STRANGE, {}),
    ("42501", "permission denied for table burr_state", ACCESS, "GRANT SELECT and INSERT", {}),
    ("28P01", "empty password returned by client", ACCESS, "user or password", {}),
    ("28000", 'role "u" does not exist', ACCESS, "user or password", {}),
    ("25006", "cannot execute INSERT in a read-only transaction", ACCESS, "the primary", {}),
    ("3D000", 'database "d" does not exist', UNAVAILABLE, "give another db_name", {}),
    ("55000", 'database "d" is not currently accepting connections', UNAVAILABLE, "db_name", {}),
    ("53300", "more connections than max_wal_senders", UNAVAILABLE, "max_connections", {}),
    ("57P03", "cannot connect now", UNAVAILABLE, "starting up", {}),
    ("57P01", "terminating connection due to administrator", UNAVAILABLE, "ended", SAVED),
    ("57P02", "terminating connection because of crash", UNAVAILABLE, "ended", SAVED),
    ("57P05", "terminating connection due to idle-session", UNAVAILABLE, "ended", SAVED),
    ("08000", "connection exception", UNAVAILABLE, "ended", SAVED),
    ("08003", "connection does not exist", UNAVAILABLE, "ended", SAVED),
    ("08006", "connection failure", UNAVAILABLE, "ended", SAVED),
    ("08P01", "server conn crashed?", UNAVAILABLE, "ended", SAVED),
    ("08001", "could not connect", UNAVAILABLE, "refuses the connection", {}),
    ("08004", "server rejected the connection", UNAVAILABLE, "refuses the connection", {}),
    ("40003", "result is ambiguous", UNAVAILABLE, "does not know", SAVED),
    ("40001", "could not serialize access", UNAVAILABLE, "precedence", REPEAT),
    ("40P01", "deadlock detected", UNAVAILABLE, "precedence", REPEAT),
    ("55P03", "canceling statement due to lock timeout", UNAVAILABLE, "lock_timeout", {}),
    ("57014", "canceling statement due to user request", UNAVAILABLE, "cancelled", {}),
    ("25P03", "idle-in-transaction timeout", UNAVAILABLE, "cancelled", {}),
    ("25P04", "transaction timeout", UNAVAILABLE, "cancelled", {}),
    ("53100", "could not extend file: No space left on device", UNAVAILABLE, "make room", {}),
    ("53200", "out of memory", UNAVAILABLE, "make room", {}),
    ("58030", "could not write to file", UNAVAILABLE, "make room", {}),
    ("54000", "index row size 2712 exceeds maximum", StateTooLargeError, "of this size", {}),
    ("22021", "invalid byte sequence for encoding", PersisterError, "encoding is UTF8", {}),
    ("22P05", "character has no equivalent", PersisterError, "encoding is UTF8", {}),
    ("XX001", "invalid page in block 0", CorruptStateError, "damaged", {}),
    ("XX002", "index is corrupted", CorruptStateError, "damaged", {}),
]


def of_psycopg2(code: str, text: str) -> psycopg2.Error:
    """An exception as psycopg2 builds it from what the server says."""
    exc: psycopg2.Error = psycopg2.errors.lookup(code)(text)
    exc.__setstate__({"pgerror": text, "pgcode": code})
    return exc


def of_psycopg(code: str, text: str) -> psycopg.Error:
    exc: psycopg.Error = psycopg.errors.lookup(code)(text)
    return exc


def of_asyncpg(code: str, text: str) -> asyncpg.PostgresError:
    exc: asyncpg.PostgresError = asyncpg.PostgresError.new({"C": code, "M": text})
    return exc


def of_libpq(driver: Any) -> list[Row]:
    """What the drivers over libpq pass on of its words."""
    return [
        *(
            Row(driver.OperationalError(text), ACCESS, "user or password")
            for text in (
                f'{FATAL}password authentication failed for user "u"',
                f"{FAILED}fe_sendauth: no password supplied",
                f'{FATAL}no pg_hba.conf entry for host "::1"',
                f'{FATAL}role "u" does not exist',
                f'{FATAL}permission denied for database "d"',
            )
        ),
        Row(
            driver.OperationalError(f'{FATAL}database "d" does not exist'),
            UNAVAILABLE,
            "give another db_name",
        ),
        *(
            Row(driver.OperationalError(FATAL + text), UNAVAILABLE, "max_connections")
            for text in (
                "sorry, too many clients already",
                'too many connections for role "u"',
                "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            )
        ),
        Row(
            driver.OperationalError(f"{FATAL}the database system is starting up"),
            UNAVAILABLE,
            "starting up",
        ),
        Row(
            driver.OperationalError(f"{FAILED}timeout expired"),
            UNAVAILABLE,
            "longer than connect_timeout (2 s)",
        ),
        *(
            Row(driver.OperationalError(FAILED + text), UNAVAILABLE, TLS)
            for text in (
                "server does not support SSL, but SSL was required",
                "SSL error: certificate verify failed",
                'root certificate file "/ca.pem" does not exist',
                'server certificate for "one" does not match host name "other"',
                'private key file "/key.pem" has group or world access',
                "received invalid response to SSL negotiation: H",
                "SSL error: sslv3 alert handshake failure",
                "SSL error: tlsv1 alert unknown ca",
            )
        ),
        *(
            Row(exc, UNAVAILABLE, WORDS)
            for exc in (
                driver.ProgrammingError('invalid dsn: invalid connection option "a"'),
                driver.ProgrammingError('invalid connection option "a"'),
                driver.OperationalError('invalid sslmode value: "a"'),
                driver.OperationalError('invalid integer value "a" for connection option "port"'),
                driver.OperationalError('definition of service "a" not found'),
                driver.OperationalError('service file "/a" not found'),
            )
        ),
        *(
            Row(driver.OperationalError(text), UNAVAILABLE, REFUSES)
            for text in (
                f'{FATAL}unrecognized configuration parameter "a"',
                f"{FAILED}server is not in hot standby mode",
                f"{FAILED}server is in hot standby mode",
                f"{FAILED}session is read-only",
                f"{FAILED}session is not read-only",
            )
        ),
        Row(driver.OperationalError(f"{FAILED}Connection refused"), UNAVAILABLE, NOBODY),
        Row(
            driver.OperationalError('could not translate host name "a" to address'),
            UNAVAILABLE,
            NOBODY,
        ),
        *(
            Row(exc, UNAVAILABLE, LOST, **SAVED)
            for exc in (
                driver.OperationalError("server closed the connection unexpectedly"),
                driver.OperationalError(
                    "could not receive data from server: Connection reset by peer"
                ),
                driver.OperationalError("could not send data to server: Broken pipe"),
                driver.OperationalError("SSL SYSCALL error: EOF detected"),
                driver.OperationalError("SSL connection has been closed unexpectedly"),
                driver.OperationalError("SSL error: unexpected eof while reading"),
                driver.OperationalError("no connection to the server"),
                driver.OperationalError("connection not open"),
                driver.DatabaseError('lost synchronization with server: got message type "H"'),
                driver.DatabaseError(
                    "error with status PGRES_TUPLES_OK and no message from the libpq"
                ),
            )
        ),
    ]


def of_codes(build: Callable[[str, str], Exception]) -> list[Row]:
    return [
        Row(build(code, text), error, words, **flags) for code, text, error, words, flags in CODES
    ]


PSYCOPG2 = [
    *of_codes(of_psycopg2),
    *of_libpq(psycopg2),
    Row(
        psycopg2.InterfaceError("connection already closed"),
        PersisterClosedError,
        "has been closed",
    ),
]

PSYCOPG = [
    *of_codes(of_psycopg),
    *of_libpq(psycopg),
    Row(of_psycopg("26000", 'prepared statement "s1" does not exist'), UNAVAILABLE, "a pooler"),
    Row(of_psycopg("42P05", 'prepared statement "s1" already exists'), UNAVAILABLE, "a pooler"),
    Row(psycopg.OperationalError("failed to resolve host 'a': [Errno -2]"), UNAVAILABLE, NOBODY),
    Row(UnicodeError("encoding with 'idna' codec failed"), UNAVAILABLE, NOBODY),
    Row(UnicodeEncodeError("idna", "a..b", 2, 3, "label empty"), UNAVAILABLE, NOBODY),
    # What the end of a connection looks like that somebody closes while it is used.
    Row(psycopg.OperationalError("connection socket closed"), UNAVAILABLE, LOST, **SAVED),
    Row(
        psycopg.OperationalError("consuming input failed: connection pointer is NULL"),
        UNAVAILABLE,
        LOST,
        **SAVED,
    ),
    Row(psycopg.OperationalError("the connection is closed"), UNAVAILABLE, LOST, **SAVED),
    Row(psycopg.OperationalError("the connection is lost"), UNAVAILABLE, LOST, **SAVED),
    *(
        Row(psycopg.DataError(f"timestamp too {text}"), CorruptStateError, "another program")
        for text in ("large (after year 10K): '12345-01-01'", "small (before year 1): '1 BC'")
    ),
    Row(
        UnicodeEncodeError("latin-1", "a", 0, 1, "ordinal not in range(256)"),
        PersisterError,
        "client_encoding='UTF8'",
    ),
]

ASYNCPG = [
    *of_codes(of_asyncpg),
    *(
        Row(asyncpg.InterfaceError(text), PersisterClosedError, "has been closed")
        for text in (
            "connection is closed",
            "pool is closed",
            "pool is closing",
            "cannot call Connection.execute(): connection has been released back to the pool",
        )
    ),
    *(
        Row(asyncpg.InterfaceError(text), PersisterError, "await it first")
        for text in ("pool is not initialized", "pool is being initialized, but not yet ready")
    ),
    Row(
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        UNAVAILABLE,
        "somebody else is using",
    ),
    Row(of_asyncpg("26000", 'prepared statement "s1" does not exist'), UNAVAILABLE, "a pooler"),
    Row(of_asyncpg("42P05", 'prepared statement "s1" already exists'), UNAVAILABLE, "a pooler"),
    Row(
        asyncpg.DataError("invalid input for query argument $7: 0 (a boolean is required)"),
        VERSION,
        "other columns",
    ),
    Row(
        asyncpg.exceptions.ClientConfigurationError("sslmode is none of these"),
        UNAVAILABLE,
        WORDS,
    ),
    Row(
        asyncpg.exceptions.TargetServerAttributeNotMatched("None of the hosts match the target"),
        UNAVAILABLE,
        REFUSES,
    ),
    Row(
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in"),
        UNAVAILABLE,
        "the server ended the connection",
        **REPEAT,
    ),
    Row(
        asyncpg.InternalClientError("got result for unknown protocol state"),
        UNAVAILABLE,
        "does not speak PostgreSQL",
        may_have_saved=True,
    ),
    Row(TimeoutError("connecting"), UNAVAILABLE, "longer than connect_timeout (2 s)"),
    Row(TimeoutError(110, "Connect call failed ('::1', 5432)"), UNAVAILABLE, NOBODY),
    Row(TimeoutError(), UNAVAILABLE, "command_timeout", may_have_saved=True),
    Row(ssl.SSLError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]"), UNAVAILABLE, TLS),
    *(
        Row(ConnectionError(text), UNAVAILABLE, TLS)
        for text in (
            'PostgreSQL server at "::1:5432" rejected SSL upgrade',
            "the server ended the TLS handshake",
            "unexpected data during the SSL exchange",
        )
    ),
    *(
        Row(ConnectionError(text), UNAVAILABLE, "ended the connection at once")
        for text in ("connecting failed", "unexpected connection_lost() call")
    ),
    Row(FileNotFoundError(2, "No such file", "/ca.pem"), UNAVAILABLE, "a file is missing"),
    Row(ConnectionRefusedError(111, "Connect call failed ('::1', 1)"), UNAVAILABLE, NOBODY),
    Row(UnicodeError("encoding with 'idna' codec failed"), UNAVAILABLE, NOBODY),
]

# A driver's exception that no rule fits.
STRANGERS = {
    "psycopg2": of_psycopg2("42601", 'syntax error at or near "SELEC"'),
    "psycopg": of_psycopg("42601", 'syntax error at or near "SELEC"'),
    "asyncpg": of_asyncpg("42601", 'syntax error at or near "SELEC"'),
}
