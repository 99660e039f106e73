"""What every failure of a driver becomes: a row for each rule, code and text of the specs."""

from __future__ import annotations

import dataclasses
import importlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pymongo.errors
import pytest
import redis
from bson.errors import InvalidBSON
from redis._parsers import _RESP2Parser
from redis.exceptions import (
    AuthenticationWrongNumberOfArgsError,
    ClusterDownError,
    InvalidResponse,
    MaxConnectionsError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    TryAgainError,
)

from codegen.model import RuntimeBackendModel
from codegen.pipeline import Run
from persistry import (
    b_aiomysql,
    b_aiosqlite,
    b_asyncpg,
    b_psycopg,
    b_psycopg2,
    b_pymongo,
    b_pymysql,
    b_redis,
    b_redis_burr,
    b_sqlcipher3,
    b_sqlite3,
)
from persistry._runtime.failures import Failures, Rule
from persistry._runtime.limits import Limits
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
from tests import rules_mariadb as mariadb
from tests import rules_postgresql as postgresql
from tests import rules_sqlcipher as sqlcipher
from tests.rules import Row

ROOT = Path(__file__).parents[1]
LIMITS = Limits(2, 1.5)


def sqlite(kind: type[sqlite3.Error], code: str, text: str) -> sqlite3.Error:
    """An exception as the driver builds it; those that Python itself raises have no code."""
    exc = kind(text)
    if code:
        exc.sqlite_errorname = code
        exc.sqlite_errorcode = getattr(sqlite3, code)
    return exc


def operational(code: str, text: str) -> sqlite3.Error:
    return sqlite(sqlite3.OperationalError, code, text)


DATABASE = sqlite3.DatabaseError
PROGRAMMING, INTEGRITY = sqlite3.ProgrammingError, sqlite3.IntegrityError
UNAVAILABLE, ACCESS = PersisterUnavailableError, PersisterAccessError
VERSION, CORRUPT = StoreVersionError, CorruptStateError
CONFLICT = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"
SQLITE = [
    Row(
        operational("SQLITE_ERROR", "no such table: burr_state"),
        NotInitializedError,
        "call initialize()",
    ),
    Row(operational("SQLITE_ERROR", "no such column: codec"), VERSION, "other columns or keys"),
    Row(
        operational("SQLITE_ERROR", "table burr_state has no column named codec"),
        VERSION,
        "other columns or keys",
    ),
    Row(operational("SQLITE_ERROR", CONFLICT), VERSION, "other columns or keys"),
    Row(
        operational("SQLITE_ERROR", "cannot modify burr_state because it is a view"),
        VERSION,
        "has the name of the table",
    ),
    Row(
        operational("SQLITE_ERROR", "there is already a table named burr_state_heads"),
        VERSION,
        "has the name of the table",
    ),
    Row(
        operational("SQLITE_ERROR", "table burr_state_generation already exists"),
        VERSION,
        "has the name of the table",
    ),
    Row(
        operational("SQLITE_ERROR", "there is already an index named burr_state"),
        VERSION,
        "has the name of the table",
    ),
    Row(
        sqlite(INTEGRITY, "SQLITE_CONSTRAINT_CHECK", "CHECK constraint failed: status = 'x'"),
        VERSION,
        "a constraint or a trigger",
    ),
    Row(
        sqlite(INTEGRITY, "SQLITE_MISMATCH", "datatype mismatch"),
        VERSION,
        "a constraint or a trigger",
    ),
    Row(operational("SQLITE_ERROR", "unknown database elsewhere"), UNAVAILABLE, "attach it"),
    Row(
        operational("SQLITE_ERROR", "object name reserved for internal use: sqlite_x"),
        PersisterError,
        "begin with sqlite_",
    ),
    Row(  # before the other codes that begin with SQLITE_READONLY
        operational("SQLITE_READONLY_DBMOVED", "attempt to write a readonly database"),
        UNAVAILABLE,
        "moved or removed",
    ),
    Row(
        operational("SQLITE_READONLY", "attempt to write a readonly database"),
        ACCESS,
        "may not be written",
    ),
    Row(
        operational("SQLITE_READONLY_DIRECTORY", "attempt to write a readonly database"),
        ACCESS,
        "may not be written",
    ),
    Row(operational("SQLITE_PERM", "access permission denied"), ACCESS, "may not be written"),
    Row(sqlite(DATABASE, "SQLITE_AUTH", "not authorized"), ACCESS, "may not be written"),
    Row(
        operational("SQLITE_BUSY", "database is locked"),
        UNAVAILABLE,
        "longer than operation_timeout (1.5 s)",
    ),
    Row(
        operational("SQLITE_BUSY_SNAPSHOT", "database is locked"),
        UNAVAILABLE,
        "longer than operation_timeout (1.5 s)",
    ),
    Row(
        operational("SQLITE_LOCKED", "database table is locked: burr_state"),
        UNAVAILABLE,
        "longer than operation_timeout (1.5 s)",
    ),
    Row(
        operational("SQLITE_LOCKED_SHAREDCACHE", "database table is locked: burr_state"),
        UNAVAILABLE,
        "longer than operation_timeout (1.5 s)",
    ),
    Row(
        operational("SQLITE_CANTOPEN", "unable to open database file"),
        UNAVAILABLE,
        "create its folder",
    ),
    Row(operational("SQLITE_FULL", "database or disk is full"), UNAVAILABLE, "make room"),
    Row(
        operational("SQLITE_IOERR", "disk I/O error"),
        UNAVAILABLE,
        "check the disk",
        may_have_saved=True,
    ),
    Row(
        operational("SQLITE_IOERR_FSYNC", "disk I/O error"),
        UNAVAILABLE,
        "check the disk",
        may_have_saved=True,
    ),
    Row(
        operational("SQLITE_INTERRUPT", "interrupted"),
        UNAVAILABLE,
        "could not be read or written",
        may_have_saved=True,
    ),
    Row(
        sqlite(DATABASE, "SQLITE_CORRUPT", "database disk image is malformed"),
        CORRUPT,
        "PRAGMA integrity_check",
    ),
    Row(sqlite(DATABASE, "SQLITE_NOTADB", "file is not a database"), CORRUPT, "no SQLite database"),
    Row(
        operational("", "Could not decode to UTF-8 column 'state' with text '\ufffd'"),
        CORRUPT,
        "no UTF-8",
    ),
    Row(
        sqlite(sqlite3.DataError, "SQLITE_TOOBIG", "string or blob too big"),
        StateTooLargeError,
        "SQLITE_LIMIT_LENGTH",
    ),
    Row(  # of sqlite3_bind_*, without a code
        sqlite(sqlite3.DataError, "", "string or blob too big"),
        StateTooLargeError,
        "SQLITE_LIMIT_LENGTH",
    ),
    Row(
        sqlite(sqlite3.DataError, "SQLITE_TOOBIG", "query string is too large"),
        StateTooLargeError,
        "SQLITE_LIMIT_LENGTH",
    ),
    Row(
        sqlite(PROGRAMMING, "", "Cannot operate on a closed database."),
        PersisterClosedError,
        "has been closed",
    ),
    Row(sqlite(PROGRAMMING, "", "no active connection"), PersisterClosedError, "has been closed"),
    Row(
        sqlite(
            PROGRAMMING,
            "",
            "SQLite objects created in a thread can only be used in that same thread.",
        ),
        PersisterError,
        "check_same_thread=False",
    ),
]

LOST = "the connection was lost"
REDIS = [
    Row(  # what is also a ConnectionError comes before that
        redis.AuthenticationError("Authentication required."), ACCESS, "give password="
    ),
    Row(
        redis.AuthenticationError(
            "HELLO must be called with the client already authenticated, otherwise the HELLO"
            " <proto> AUTH <user> <pass> option can be used"
        ),
        ACCESS,
        "give password=",
    ),
    Row(
        redis.AuthenticationError("invalid username-password pair or user is disabled."),
        ACCESS,
        "refuses this user or password",
    ),
    Row(
        AuthenticationWrongNumberOfArgsError("wrong number of arguments for 'auth' command"),
        ACCESS,
        "refuses this user or password",
    ),
    Row(
        NoPermissionError("this user has no permissions to run 'evalsha'"),
        ACCESS,
        "no right to a command or key",
    ),
    Row(redis.ResponseError("NOAUTH Authentication required."), ACCESS, "give password="),
    Row(
        redis.ResponseError("ACL failure in script: User bob has no permissions to run 'set'"),
        ACCESS,
        "no right to a command or key",
    ),
    Row(
        redis.ResponseError("The user executing the script can't run this command or subcommand"),
        ACCESS,
        "no right to a command or key",
    ),
    Row(redis.ResponseError("WRONGPASS invalid username-password pair"), ACCESS, "give password="),
    Row(
        ReadOnlyError("You can't write against a read only replica."),
        ACCESS,
        "connect to the primary",
    ),
    Row(
        OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        UNAVAILABLE,
        "nothing was saved",
    ),
    Row(
        redis.BusyLoadingError("Redis is loading the dataset in memory"),
        UNAVAILABLE,
        "still loading",
    ),
    Row(MaxConnectionsError("Too many connections"), UNAVAILABLE, "pool are in use"),
    Row(  # before the class it is derived from
        MovedError("1234 127.0.0.1:7001"), UNAVAILABLE, "hand in a RedisCluster client"
    ),
    Row(
        ClusterDownError("Hash slot not served"),
        UNAVAILABLE,
        "the cluster is not ready",
        may_have_saved=True,
    ),
    Row(
        TryAgainError("Multiple keys request during rehashing of slot"),
        UNAVAILABLE,
        "moving this partition",
    ),
    Row(redis.ResponseError("BUSY Redis is busy running a script."), UNAVAILABLE, "not ready"),
    Row(
        redis.ResponseError("MISCONF Redis is configured to save RDB snapshots, but cannot"),
        UNAVAILABLE,
        "cannot write to its disk",
    ),
    Row(
        redis.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        CORRUPT,
        "use another namespace",
    ),
    Row(redis.ResponseError("DAMAGED head of an application"), CORRUPT, "hash of heads"),
    Row(
        InvalidResponse("Protocol Error: b'HTTP/1.1 400 Bad Request'"),
        UNAVAILABLE,
        "does not speak Redis",
        may_have_saved=True,
    ),
    Row(redis.ResponseError("DB index is out of range"), UNAVAILABLE, "give another db"),
    Row(  # before the other timeouts
        redis.TimeoutError("Timeout connecting to server"),
        UNAVAILABLE,
        "longer than connect_timeout (2 s)",
    ),
    Row(
        redis.TimeoutError("Timeout reading from 127.0.0.1:6379"),
        UNAVAILABLE,
        "within operation_timeout (1.5 s)",
        may_have_saved=True,
    ),
    Row(  # as are these, before the other lost connections
        redis.ConnectionError("max number of clients reached"), UNAVAILABLE, "maxclients"
    ),
    *(
        Row(
            redis.ConnectionError(f"Error 1 connecting to 127.0.0.1:6379. [SSL: {why}] (_ssl.c:1)"),
            UNAVAILABLE,
            "TLS was not agreed on",
        )
        for why in (
            "CERTIFICATE_VERIFY_FAILED",
            "WRONG_VERSION_NUMBER",
            "RECORD_LAYER_FAILURE",
            "UNSUPPORTED_PROTOCOL",
            "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        )
    ),
    Row(
        redis.ConnectionError("Error 111 connecting to 127.0.0.1:6379. Connection refused."),
        UNAVAILABLE,
        "no server answers there",
    ),
    Row(
        redis.ConnectionError("Connection closed by server."),
        UNAVAILABLE,
        "check the server, and whether it wants TLS (rediss://)",
        may_have_saved=True,
        repeat=True,
    ),
    Row(
        redis.ConnectionError("Error while reading from 127.0.0.1:6379 : (104, 'reset by peer')"),
        UNAVAILABLE,
        LOST,
        may_have_saved=True,
        repeat=True,
    ),
    Row(
        RedisClusterException("Redis Cluster cannot be connected."),
        UNAVAILABLE,
        "no node of the cluster answers",
        may_have_saved=True,
    ),
    Row(
        ConnectionResetError(104, "Connection reset by peer"),
        UNAVAILABLE,
        LOST,
        may_have_saved=True,
        repeat=True,
    ),
]

# In the layout of another library no cluster can save.
_OTHERWISE = {"hand in a RedisCluster client", "use another namespace"}
REDIS_BURR = [
    *(row for row in REDIS if row.words not in _OTHERWISE),
    Row(
        redis.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        CORRUPT,
        "named like a record",
    ),
    *(
        Row(exc, PersisterError, "persistry.move()")
        for exc in (
            MovedError("1234 127.0.0.1:7001"),
            RedisClusterException("EVALSHA - all keys must map to the same key slot"),
            redis.ResponseError("Script attempted to access a non local key in a cluster node"),
            redis.ResponseError("CROSSSLOT Keys in request don't hash to the same slot"),
        )
    ),
]

NO_ANSWER = "no answer within operation_timeout (1.5 s)"


def answered(
    kind: type[pymongo.errors.OperationFailure], code: int, text: str
) -> pymongo.errors.OperationFailure:
    return kind(text, code)


FAILURE = pymongo.errors.OperationFailure
TOO_LARGE = "keep large values elsewhere"
MONGODB = [
    Row(
        pymongo.errors.InvalidOperation("Cannot use MongoClient after close"),
        PersisterClosedError,
        "closed by its owner",
    ),
    Row(pymongo.errors.DocumentTooLarge("BSON document too large"), StateTooLargeError, TOO_LARGE),
    Row(  # what is also an OperationFailure comes before that
        answered(pymongo.errors.ExecutionTimeout, 50, "operation exceeded time limit"),
        UNAVAILABLE,
        NO_ANSWER,
        may_have_saved=True,
    ),
    Row(
        answered(pymongo.errors.WriteConcernError, 64, "waiting for replication timed out"),
        UNAVAILABLE,
        "too few servers",
        may_have_saved=True,
    ),
    Row(
        answered(pymongo.errors.WTimeoutError, 64, "waiting for replication timed out"),
        UNAVAILABLE,
        "too few servers",
        may_have_saved=True,
    ),
    Row(  # and what is also an AutoReconnect before that
        pymongo.errors.NotPrimaryError("not primary"),
        UNAVAILABLE,
        "no primary",
        may_have_saved=True,
        repeat=True,
    ),
    Row(
        pymongo.errors.WaitQueueTimeoutError("Timed out while checking out a connection"),
        UNAVAILABLE,
        "pool came free within operation_timeout (1.5 s)",
    ),
    *(
        Row(
            pymongo.errors.ServerSelectionTimeoutError(f"one:27017: {why} (_ssl.c:1)"),
            UNAVAILABLE,
            "TLS was not agreed on",
        )
        for why in (
            "SSL handshake failed",
            "[TLSV1_ALERT_UNKNOWN_CA]",
            "certificate verify failed",
        )
    ),
    *(
        Row(
            pymongo.errors.ServerSelectionTimeoutError(f"one:27017: {why} (configured timeouts:"),
            UNAVAILABLE,
            "whether it wants TLS",
        )
        for why in (
            "connection closed",
            "connection is already closed",
            "[Errno 104] Connection reset by peer",
        )
    ),
    *(
        Row(
            pymongo.errors.ServerSelectionTimeoutError(f"{why}, full error: {{}}"),
            ACCESS,
            "password",
        )
        for why in ("Authentication failed.", "bad auth : authentication failed")
    ),
    Row(
        pymongo.errors.ServerSelectionTimeoutError(
            'No replica set members available for replica set name "other"'
        ),
        UNAVAILABLE,
        "check replicaSet=",
    ),
    *(
        Row(
            pymongo.errors.ServerSelectionTimeoutError(f"one:27017: [Errno 111] {why}"),
            UNAVAILABLE,
            "a host refuses connections",
        )
        for why in ("Connection refused", "Connect call failed ('127.0.0.1', 27017)")
    ),
    Row(
        pymongo.errors.ServerSelectionTimeoutError("No servers found yet"),
        UNAVAILABLE,
        "connect_timeout 2 s",
    ),
    Row(
        pymongo.errors.NetworkTimeout("one:27017: timed out"),
        UNAVAILABLE,
        NO_ANSWER,
        may_have_saved=True,
    ),
    Row(
        pymongo.errors.AutoReconnect("connection closed"),
        UNAVAILABLE,
        LOST,
        may_have_saved=True,
        repeat=True,
    ),
    Row(
        pymongo.errors.ConnectionFailure("connection closed"),
        UNAVAILABLE,
        LOST,
        may_have_saved=True,
    ),
    Row(answered(FAILURE, 13, "not authorized on db"), ACCESS, "lacks a right"),
    Row(answered(FAILURE, 18, "Authentication failed."), ACCESS, "authSource="),
    Row(answered(FAILURE, 8000, "bad auth"), ACCESS, "authSource="),
    Row(
        answered(FAILURE, 20, "Transaction numbers are only allowed on a replica set member"),
        UNAVAILABLE,
        "retryWrites=False",
        may_have_saved=True,
        repeat=True,
    ),
    Row(answered(FAILURE, 85, "Index already exists"), VERSION, "drop it and call initialize()"),
    Row(answered(FAILURE, 86, "An existing index has"), VERSION, "drop it and call initialize()"),
    Row(
        answered(pymongo.errors.WriteError, 121, "Document failed validation"),
        VERSION,
        "has a validator",
    ),
    Row(answered(FAILURE, 67, "add index fails, too many indexes"), VERSION, "shard key"),
    Row(
        answered(FAILURE, 72, "Unique indexes are not supported on time-series collections"),
        VERSION,
        "a time series",
    ),
    Row(answered(FAILURE, 166, "Namespace is a view, not a collection"), VERSION, "is a view"),
    Row(answered(FAILURE, 14031, "OutOfDiskSpace"), UNAVAILABLE, "no space left"),
    Row(answered(FAILURE, 211, "No keys found for HMAC that is"), UNAVAILABLE, "try again"),
    Row(answered(FAILURE, 10334, "BSONObj size is invalid"), StateTooLargeError, TOO_LARGE),
    Row(answered(FAILURE, 17419, "Resulting document too large"), StateTooLargeError, TOO_LARGE),
    Row(answered(FAILURE, 17420, "Document to upsert too large"), StateTooLargeError, TOO_LARGE),
    Row(
        pymongo.errors.ConfigurationError("The DNS query name does not exist: nowhere."),
        UNAVAILABLE,
        "check the URI",
    ),
    Row(InvalidBSON("not enough data for a BSON document"), CORRUPT, "no valid document"),
]

# What a file that is no database is told by comes first, and is said of the passphrase there.
SQLCIPHER = [
    *sqlcipher.OWN,
    *(sqlcipher.like(it) for it in SQLITE if not sqlcipher.OWN_WORDS & {str(it.exc)}),
]

TABLES = {
    "sqlite3": (b_sqlite3._FAILURES, SQLITE),
    "aiosqlite": (b_aiosqlite._FAILURES, SQLITE),
    "redis": (b_redis._FAILURES, REDIS),
    "redis_burr": (b_redis_burr._FAILURES, REDIS_BURR),
    "psycopg2": (b_psycopg2._FAILURES, postgresql.PSYCOPG2),
    "psycopg": (b_psycopg._FAILURES, postgresql.PSYCOPG),
    "asyncpg": (b_asyncpg._FAILURES, postgresql.ASYNCPG),
    "pymongo": (b_pymongo._FAILURES, MONGODB),
    "sqlcipher3": (b_sqlcipher3._FAILURES, SQLCIPHER),
    "pymysql": (b_pymysql._FAILURES, mariadb.ROWS),
    "aiomysql": (b_aiomysql._FAILURES, mariadb.ROWS),
}
ROWS = [
    pytest.param(failures, row, id=f"{name}-{type(row.exc).__name__}-{row.exc}")
    for name, (failures, rows) in TABLES.items()
    for row in rows
]
# A driver's exception that no rule fits.
STRANGERS = {
    "sqlite3": operational("SQLITE_ERROR", 'near "SELEC": syntax error'),
    "aiosqlite": operational("SQLITE_NOMEM", "out of memory"),
    "redis": redis.ResponseError("ERR value is not an integer or out of range"),
    "redis_burr": redis.ResponseError("ERR value is not an integer or out of range"),
    **postgresql.STRANGERS,
    "pymongo": pymongo.errors.OperationFailure("Unrecognized pipeline stage", 40324),
    "sqlcipher3": sqlcipher.STRANGER,
    "pymysql": mariadb.STRANGER,
    "aiomysql": mariadb.STRANGER,
}


def told(failures: Failures, exc: BaseException, operation: str) -> PersisterError:
    return failures.translate(exc, operation=operation, key="a key", limits=LIMITS)


@pytest.mark.parametrize(("failures", "row"), ROWS)
def test_what_a_failure_becomes(failures: Failures, row: Row) -> None:
    assert failures.covers(row.exc)
    for operation, may_have_saved in (("save", row.may_have_saved), ("load", False)):
        error = told(failures, row.exc, operation)
        assert type(error) is row.error
        assert row.words in str(error)
        assert getattr(error, "may_have_saved", False) is may_have_saved
    rule = failures.rule_for(row.exc)
    assert rule is not None
    assert (rule.may_have_saved, rule.repeat) == (row.may_have_saved, row.repeat)


@pytest.mark.parametrize("name", TABLES)
def test_every_rule_has_a_row(name: str) -> None:
    failures, rows = TABLES[name]
    met = {id(failures.rule_for(row.exc)) for row in rows}
    assert [rule for rule in failures.rules if id(rule) not in met] == []


@pytest.mark.parametrize("name", TABLES)
def test_every_code_and_text_has_a_row(name: str) -> None:
    failures, rows = TABLES[name]

    def is_met(part: Rule, whole: Rule) -> bool:
        return any(
            part.fits(row.exc, failures._code_of(row.exc))
            for row in rows
            if failures.rule_for(row.exc) is whole
        )

    alone: list[tuple[Rule, Rule]] = []
    taken: set[str] = set()  # by a backend's own rule, in front of those of the one it is like
    for rule in failures.rules:
        for code in rule.codes:
            if code not in taken:
                alone.append((dataclasses.replace(rule, codes=(code,), messages=()), rule))
        taken |= {*rule.codes} if rule.exception == failures.base else set()
        for text in rule.messages:
            alone.append((dataclasses.replace(rule, codes=(), messages=(text,)), rule))
    assert [part for part, whole in alone if not is_met(part, whole)] == []


def test_every_backend_with_rules_has_a_table() -> None:
    run = Run(ROOT)
    assert run.project() is not None and run.written is not None
    with_rules: dict[str, int] = {}
    for model in run.written.backends:
        shared = [] if isinstance(model, RuntimeBackendModel) else [*model.errors.rules]
        for driver in model.drivers.values() if shared else ():
            own = [] if driver.errors is None else [*driver.errors.rules]
            if not own and driver.module in with_rules:
                continue  # those of a module's drivers hold for all of them
            if driver.errors is not None and driver.errors.rules_of is not None:
                other = model.drivers[driver.errors.rules_of].errors
                own += [it for it in other.rules if it.exception is None] if other else []
            with_rules[str(driver.module)] = len([*own, *shared])
    assert with_rules == {
        f"b_{name}": len(failures.rules) for name, (failures, _) in TABLES.items()
    }
    for name in with_rules:
        module = importlib.import_module(f"persistry.{name}")
        assert module._FAILURES is TABLES[name.removeprefix("b_")][0]


@pytest.mark.parametrize("name", TABLES)
def test_what_no_rule_fits(name: str) -> None:
    failures, stranger = TABLES[name][0], STRANGERS[name]
    assert failures.covers(stranger)
    assert failures.rule_for(stranger) is None
    error = told(failures, stranger, "save")
    assert type(error) is PersisterError
    assert "refused it" in str(error) and str(stranger) in str(error)
    assert not failures.covers(KeyError("not the driver's"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot reach redis://me:hunter2@host:1/0", "redis://***@host:1/0"),
        ("cannot reach redis://:hun@ter2/hunter2@host:1/0", "redis://***@host:1/0"),
        ("from redis://me:hunter2@one:1 to rediss://hunter2@two:2", "from redis://***@one:1 to"),
        (
            "unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'me' 'hunter2'",
            "(ResponseError: unknown command 'HELLO')",
        ),
        (
            "unknown command 'AUTH' with args beginning with: 'hunter2'",
            "(ResponseError: unknown command 'AUTH')",
        ),
        (
            "Command # 1 (SET k hunter2\nhunter2) of pipeline caused error: OOM at redis://host",
            "(ResponseError: OOM at redis://host)",
        ),
        ("refused\nhunter2", "(ResponseError: refused)"),
    ],
)
def test_no_login_is_told(text: str, shown: str) -> None:
    message = str(told(b_redis._FAILURES, redis.ResponseError(text), "save"))
    assert "hunter2" not in message and "ter2" not in message
    assert shown in message


# As the drivers themselves raise them, not as the table supposes.


def refused_by_an_authorizer() -> None:
    connection = sqlite3.connect(":memory:")
    connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
    connection.execute("CREATE TABLE t (a)")


def refused_by_a_damaged_file() -> None:
    connection = sqlite3.connect(":memory:")
    connection.deserialize(b"not a database" * 100)
    connection.execute("SELECT * FROM t")


def refused_for_its_size() -> None:
    connection = sqlite3.connect(":memory:")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100)
    connection.execute("SELECT ?", ("x" * 1000,))


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        (refused_by_an_authorizer, PersisterAccessError),
        (refused_by_a_damaged_file, CorruptStateError),
        (refused_for_its_size, StateTooLargeError),
    ],
)
def test_what_sqlite_raises(fail: Callable[[], None], error: type[PersisterError]) -> None:
    with pytest.raises(sqlite3.Error) as caught:
        fail()
    assert type(told(b_sqlite3._FAILURES, caught.value, "save")) is error


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("NOAUTH Authentication required.", PersisterAccessError),
        ("WRONGPASS invalid username-password pair or user is disabled.", PersisterAccessError),
        ("NOPERM this user has no permissions to run the 'evalsha' command", PersisterAccessError),
        ("ERR wrong number of arguments for 'auth' command", PersisterAccessError),
        ("READONLY You can't write against a read only replica.", PersisterAccessError),
        ("OOM command not allowed when used memory > 'maxmemory'.", PersisterUnavailableError),
        ("LOADING Redis is loading the dataset in memory", PersisterUnavailableError),
        ("BUSY Redis is busy running a script.", PersisterUnavailableError),
        ("MISCONF Redis is configured to save RDB snapshots", PersisterUnavailableError),
        ("ERR DB index is out of range", PersisterUnavailableError),
        ("ERR max number of clients reached", PersisterUnavailableError),
        ("WRONGTYPE Operation against a key", CorruptStateError),
        ("DAMAGED head of an application", CorruptStateError),
        ("CLUSTERDOWN Hash slot not served", PersisterUnavailableError),
        ("MASTERDOWN Link with MASTER is down", PersisterUnavailableError),
        ("TRYAGAIN Multiple keys request", PersisterUnavailableError),
        ("MOVED 1234 127.0.0.1:7001", PersisterUnavailableError),
        ("ASK 1234 127.0.0.1:7001", PersisterUnavailableError),
    ],
)
def test_what_redis_py_makes_of_an_answer(answer: str, error: type[PersisterError]) -> None:
    exc = _RESP2Parser(65536).parse_error(answer)
    assert type(told(b_redis._FAILURES, exc, "save")) is error
