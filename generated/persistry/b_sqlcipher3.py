# Code generated from spec/backends/sqlcipher.yaml by `make generate`. DO NOT EDIT.
"""SQLCipher: SQLCipherPersister."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from . import errors
from ._formats.sqlcipher import FORMAT, names_of
from ._runtime.arguments import (
    Wanted,
    WantedApps,
    WantedPartitions,
    config_arguments,
    refuse_unknown,
)
from ._runtime.drivers.pep249_facts import Facts
from ._runtime.failures import Failures, Rule
from ._runtime.formats import Found, Opened
from ._runtime.identifiers import literal
from ._runtime.lazy import extra
from ._runtime.limits import Limits
from ._runtime.migrations import Migration
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of
from ._runtime.states import OWN_STATES, States
from .persistence import BaseStatePersister, PersistedStateData
from .state import State

with extra("sqlcipher3", __package__):
    import sqlcipher3

    from ._runtime.drivers.pep249_session import Pep249Session

__all__ = ("SQLCipherPersister",)

_SAVE_INSERT = """\
INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state, created_at, codec)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (partition_key, app_id, sequence_id, position) DO NOTHING
"""
_SAVE_CONFLICTING = """\
SELECT status, state, codec FROM {table}
WHERE partition_key = ? AND app_id = ? AND sequence_id = ? AND position = ?
"""
_LOAD_AT_SEQUENCE = """\
SELECT app_id, sequence_id, position, status, state, created_at || '', codec FROM {table}
WHERE rowid = (
  SELECT max(rowid) FROM {table}
  WHERE partition_key = ? AND app_id = ? AND sequence_id = ?)
"""
_LOAD_LATEST = """\
SELECT app_id, sequence_id, position, status, state, created_at || '', codec FROM {table}
WHERE rowid = (
  SELECT max(rowid) FROM {table}
  WHERE partition_key = ? AND app_id = ? AND sequence_id = (
    SELECT max(sequence_id) FROM {table} WHERE partition_key = ? AND app_id = ?))
"""
_LOAD_LATEST_OF_PARTITION = """\
SELECT app_id, sequence_id, position, status, state, created_at || '', codec FROM {table}
WHERE rowid = (
  SELECT last_write FROM {heads} WHERE partition_key = ? ORDER BY last_write DESC LIMIT 1)
"""
_LIST_APP_IDS_NEWEST = (
    "SELECT app_id FROM {heads} WHERE partition_key = ? ORDER BY last_write DESC LIMIT ?"
)
_LIST_PARTITION_KEYS_BY_NAME = """\
WITH RECURSIVE named (partition_key) AS (
  SELECT min(partition_key) FROM {heads}
  UNION ALL
  SELECT (SELECT min(h.partition_key) FROM {heads} AS h WHERE h.partition_key > named.partition_key)
  FROM named WHERE named.partition_key IS NOT NULL
  LIMIT ?)
SELECT partition_key FROM named WHERE partition_key IS NOT NULL
"""
# By the questions that the operations ask.
_STATEMENTS = {
    "save.insert": _SAVE_INSERT,
    "save.conflicting": _SAVE_CONFLICTING,
    "load.at_sequence": _LOAD_AT_SEQUENCE,
    "load.latest": _LOAD_LATEST,
    "load.latest_of_partition": _LOAD_LATEST_OF_PARTITION,
    "list_app_ids.newest": _LIST_APP_IDS_NEWEST,
    "list_partition_keys.by_name": _LIST_PARTITION_KEYS_BY_NAME,
}

# The largest state, in bytes, that the store takes.
_STATE_BYTES = 999990000

# What the driver raises.
_RAISED = (sqlcipher3.Error,)
# How a failure of the driver shows, and what it is for a caller: the first rule that fits.
_FAILURES = Failures(
    "SQLCipher",
    base=_RAISED,
    rules=(
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "the passphrase is not this file's, or the file is a plain SQLite database, or damaged at its beginning",
            codes=("SQLITE_NOTADB",),
            messages=("requires a key",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "somebody interrupted it; try again",
            codes=("SQLITE_INTERRUPT",),
        ),
        Rule(
            errors.NotInitializedError,
            _RAISED,
            "the table is missing; call initialize() once before the first save or load",
            messages=("no such table",),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "the table is there but has other columns or keys; give another table_name, or open it with the library that made it",
            messages=("no such column", "has no column named", "ON CONFLICT clause does not match"),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "something else in this database has the name of the table, or of what belongs to it; give another table_name",
            messages=(
                "because it is a view",
                "there is already a",
                "there is already an",
                "already exists",
            ),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "the table has a constraint or a trigger that persistry did not make; remove it, or give another table_name",
            codes=("SQLITE_CONSTRAINT", "SQLITE_MISMATCH"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "no database of this schema's name is attached; attach it, or leave the schema out of table_name",
            messages=("unknown database",),
        ),
        Rule(
            errors.PersisterError,
            _RAISED,
            "SQLite keeps names that begin with sqlite_ for itself; give another table_name",
            messages=("reserved for internal use",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the file was moved or removed while it was open; put it back and build another persister",
            codes=("SQLITE_READONLY_DBMOVED",),
        ),
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "the file may not be written; it is opened read-only, or this user has no right to it or its folder",
            codes=("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "another connection kept the file locked for longer than operation_timeout ({operation_timeout} s) allows; try again",
            codes=("SQLITE_BUSY", "SQLITE_LOCKED"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the file cannot be opened; create its folder and check the rights to it",
            codes=("SQLITE_CANTOPEN",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the disk is full; make room and save again",
            codes=("SQLITE_FULL",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the file could not be read or written; check the disk and save again",
            codes=("SQLITE_IOERR", "SQLITE_INTERRUPT"),
            may_have_saved=True,
        ),
        Rule(
            errors.CorruptStateError,
            _RAISED,
            "the file is no SQLite database, or it is damaged; check it with `PRAGMA integrity_check`",
            codes=("SQLITE_CORRUPT", "SQLITE_NOTADB"),
        ),
        Rule(
            errors.CorruptStateError,
            _RAISED,
            "the stored text is no UTF-8; somebody else wrote it",
            messages=("Could not decode to UTF-8",),
        ),
        Rule(
            errors.StateTooLargeError,
            _RAISED,
            "the row is larger than this connection's SQLITE_LIMIT_LENGTH",
            codes=("SQLITE_TOOBIG",),
            messages=("string or blob too big",),
        ),
        Rule(
            errors.PersisterClosedError,
            _RAISED,
            "the connection that was handed in has been closed",
            messages=("closed database", "no active connection"),
        ),
        Rule(
            errors.PersisterError,
            _RAISED,
            "the connection that was handed in belongs to another thread; open it with check_same_thread=False",
            messages=("same thread",),
        ),
    ),
    code_attribute="sqlite_errorname",
)

# How sqlcipher3 connects, and what it calls what it is given.
_DRIVER = Facts(
    connect=sqlcipher3.connect,
    connection_type=sqlcipher3.Connection,
    arguments={"db_path": "database"},
    fixed={"isolation_level": None, "check_same_thread": False},
    on_open=(
        "PRAGMA key = {passphrase}",
        "PRAGMA synchronous = FULL",
        "PRAGMA busy_timeout = {milliseconds}",
    ),
    literal=literal,
)


class SQLCipherPersister(BaseStatePersister):
    """Stores states in an encrypted SQLite file, for states that hold personal data; no
    server.

    An acknowledged save is durable: one autocommit statement in WAL mode with
    `synchronous=FULL`. There is one writer at a time; others wait for their turn, no longer
    than `operation_timeout`. The driver has no async version: from coroutines, call the
    persister with `asyncio.to_thread()`.

    Args:
        connection: An open connection that was given its key, ours alone while the
            persister lives: it commits what is open. It waits for locks as long as its
            `timeout` says. Never closed here.
        table_name: The table; a dot separates the schema.
        serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
        connect_timeout: Seconds that opening a connection may take.
        operation_timeout: Seconds that one operation may take.
        max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
            leaves it to the store's own limit.
    """

    PARTITION_KEY_DEFAULT = ""
    _states: States = OWN_STATES

    def __init__(
        self,
        connection: sqlcipher3.Connection | Pep249Session,
        table_name: str = "burr_state",
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        limits = Limits.checked(connect_timeout, operation_timeout)
        self._session = Pep249Session.over(connection, _FAILURES, limits, _DRIVER)
        self._largest_state = largest_state(max_state_bytes, _STATE_BYTES)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)
        self.table_name = table_name
        self._names = self._query_names = names_of(table_name)
        self._opened = Opened()

    @property
    def connection(self) -> Any:
        """The driver's own connection, for what this class does not offer."""
        return self._session.connection

    @classmethod
    def from_values(
        cls,
        db_path: str,
        passphrase: str,
        table_name: str = "burr_state",
        *,
        serde_kwargs: dict[str, Any] | None = None,
        connect_kwargs: dict[str, Any] | None = None,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Self:
        """Build a persister from plain values; it opens its own connection and `cleanup()`
        closes it.

        Args:
            db_path: The file. Each persister has one connection to it, and a `:memory:`
                database of its own.
            passphrase: What the file is encrypted with; `x'...'` with 64 hexadecimal digits
                is a key itself.
            table_name: The table; a dot separates the schema.
            serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
            connect_kwargs: Keyword arguments for the driver's `connect`.
            connect_timeout: Seconds that opening a connection may take.
            operation_timeout: Seconds that one operation may take.
            max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
                leaves it to the store's own limit.
        """
        session = Pep249Session.opening(
            _FAILURES,
            Limits.checked(connect_timeout, operation_timeout),
            _DRIVER,
            db_path=db_path,
            passphrase=passphrase,
            connect_kwargs=connect_kwargs,
        )
        return cls(
            session,
            table_name=table_name,
            serde_kwargs=serde_kwargs,
            connect_timeout=connect_timeout,
            operation_timeout=operation_timeout,
            max_state_bytes=max_state_bytes,
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build a persister from a dictionary whose keys are the parameters of `from_values`.

        Raises:
            TypeError: The configuration is no dictionary.
            ValueError: A key is unknown or missing; the message names it.
        """
        return cls.from_values(**config_arguments(config, cls.from_values))

    def _find(self, store: Any, names: Mapping[str, str]) -> Found:
        """What the table is, as far as one query can tell."""
        return Found.of(store.fetch_one(FORMAT.opening.format_map(names)))

    def _open(self, operation: str, key: object, store: Any) -> Mapping[str, str]:
        """The statements for the table, which is looked at once before its first use."""
        found = self._find(store, self._names)
        FORMAT.check_current(operation, key, found, self._session.failures.place)
        texts = _STATEMENTS
        sql = {name: text.format_map(self._query_names) for name, text in texts.items()}
        if found.generation is not None:
            self._opened.is_shared = (
                found.layout is not None
            )  # before sql, by which other threads go
            self._opened.sql = sql
        return sql

    def initialize(self) -> None:
        """Prepare the store: create what is missing, and bring what an older version or Apache
        Burr made to the format that this version works with. No record is rewritten.

        Safe to call from many processes at once, and again after it was interrupted.

        Raises:
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else. Nothing was changed.
            PersisterAccessError: The user may not create what is missing.
            PersisterUnavailableError: The store cannot be reached.
        """
        self.create_table(self.table_name)
        self._opened.sql = None  # the table may have been made anew, and is looked at again
        self._opened.is_initialized = True

    def create_table(self, table_name: str) -> None:
        """Create a table of this name, and what belongs to it, if it is not there."""
        names = names_of(table_name)
        key = f"table {table_name!r}"
        with self._session.operation("initialize", key) as store:
            place = self._session.failures.place
            found = self._find(store, names)
            FORMAT.check_ours("initialize", key, found, place)
            if FORMAT.is_older(found) or not store.answers(FORMAT.is_initialized.format_map(names)):
                store.run_together(FORMAT.begin, FORMAT.steps(key, found, names, place))
            stale = store.fetch_one(FORMAT.stale.format_map(names))
            if stale and stale[0]:
                store.run_together(
                    FORMAT.begin, [step.format_map(names) for step in FORMAT.rebuild]
                )
            store.configure(FORMAT.on_initialize)

    def is_initialized(self) -> bool:
        """Say whether the store is prepared, by this object or by anybody else.

        A yes is remembered; otherwise the store is asked. Where there is nothing to
        prepare, the answer is yes.

        Returns:
            True if `save` and `load` will find what they need.

        Raises:
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else.
            PersisterUnavailableError: The store cannot be reached.
        """
        key = f"table {self.table_name!r}"
        with self._session.operation("is_initialized", key) as store:
            if not self._opened.is_initialized:
                found = self._find(store, self._names)
                FORMAT.check_ours("is_initialized", key, found, self._session.failures.place)
                self._opened.is_initialized = not FORMAT.is_older(found) and store.answers(
                    FORMAT.is_initialized.format_map(self._names)
                )
        return self._opened.is_initialized

    def pending_migrations(self) -> list[Migration]:
        """Say what `initialize()` would do to the data that is there already, and change
        nothing.

        For those who want to see it before it is done. A persister of one's own need not
        offer this.

        Returns:
            The migrations, in order; empty if there is nothing yet, or nothing to do.

        Raises:
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else.
            PersisterUnavailableError: The store cannot be reached.
        """
        key = f"table {self.table_name!r}"
        with self._session.operation("pending_migrations", key) as store:
            found = self._find(store, self._names)
            FORMAT.check_ours("pending_migrations", key, found, self._session.failures.place)
            if found.generation is None:
                # Nothing there is fine; what stands in the way of knowing it is said.
                store.answers(FORMAT.is_initialized.format_map(self._names))
        return FORMAT.pending(found, self._names)

    def save(
        self,
        partition_key: str | None,
        app_id: str,
        sequence_id: int,
        position: str,
        state: State,
        status: str,
        **kwargs: Any,
    ) -> None:
        """Store the state after a step, whole or not at all.

        When it returns, the record is stored as durably as the class says, and every kind
        of `load` finds it. Saving the same record again (same key and status, equal state)
        is accepted and changes nothing.

        Args:
            partition_key: Whose application it is; `None` and `''` are the default
                partition.
            app_id: The application instance.
            sequence_id: The number of the step, 0 or more, below 2**63.
            position: The name of the action that ran.
            state: The state after the step; for a failed step, the state before it. See
                `State` for what it may hold.
            status: Usually `completed` or `failed`; any text is stored as it is.

        Raises:
            TypeError: An argument has the wrong type, or a keyword is unknown.
            ValueError: A key part is too long (512 bytes of UTF-8) or holds a NUL or a lone
                surrogate; a number is out of range.
            StateConflictError: Another state or status is stored under this key.
            StateNotSerializableError: The state holds a value that cannot be stored
                exactly.
            StateTooLargeError: The encoded state is too large.
            NotInitializedError: `initialize()` is to be called first: a table is missing,
                or is older than this version's.
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else.
            PersisterUnavailableError: The store did not answer; `may_have_saved` says
                whether the record may be there.
        """
        refuse_unknown("save", kwargs)
        record = NewRecord.checked(
            partition_key,
            app_id,
            sequence_id,
            position,
            state,
            status,
            self.serde_kwargs,
            self._largest_state,
            self._states,
            is_shared=self._opened.is_shared,
        )
        with self._session.operation("save", record) as store:
            sql = self._opened.sql or self._open("save", record, store)
            record = record.in_store(self._opened.is_shared, self._largest_state)
            if store.execute(
                sql["save.insert"],
                (
                    record.partition_key,
                    record.app_id,
                    record.sequence_id,
                    record.position,
                    record.status,
                    record.state,
                    record.created_at,
                    record.codec,
                ),
            ):
                return
            stored = store.fetch_one(
                sql["save.conflicting"],
                (record.partition_key, record.app_id, record.sequence_id, record.position),
            )
        record.accept(stored)

    def load(
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Load one stored step.

        With a `sequence_id`, the state at the end of that step (among several positions,
        the one saved last). With an `app_id` alone, the application's highest
        `sequence_id`, whatever its status, because an application resumes at a failed step.
        With neither, the record of the partition that was saved last.

        Args:
            partition_key: Whose application it is; `None` and `''` are the default
                partition.
            app_id: The application instance, or `None` for the latest of the partition.
            sequence_id: The step, or `None` for the latest.

        Returns:
            The record, or `None` if there is none.

        Raises:
            TypeError: An argument has the wrong type, or a keyword is unknown.
            ValueError: `sequence_id` is given without `app_id`, or is out of range.
            CorruptStateError: What is stored there cannot be read.
            NotInitializedError: `initialize()` is to be called first: a table is missing,
                or is older than this version's.
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else.
            PersisterUnavailableError: The store did not answer.
        """
        refuse_unknown("load", kwargs)
        wanted = Wanted.checked(partition_key, app_id, sequence_id)
        with self._session.operation("load", wanted) as store:
            if not wanted.storable:
                return None
            sql = self._opened.sql or self._open("load", wanted, store)
            if sequence_id is not None:
                row = store.fetch_one(
                    sql["load.at_sequence"],
                    (wanted.partition_key, wanted.app_id, wanted.sequence_id),
                )
            elif app_id is not None:
                row = store.fetch_one(
                    sql["load.latest"],
                    (wanted.partition_key, wanted.app_id, wanted.partition_key, wanted.app_id),
                )
            else:
                row = store.fetch_one(sql["load.latest_of_partition"], (wanted.partition_key,))
        return wanted.record(row, self.serde_kwargs, states=self._states)

    def list_app_ids(
        self, partition_key: str | None = None, *, limit: int | None = None, **kwargs: Any
    ) -> list[str]:
        """List the applications of a partition, each once, most recently saved first.

        Args:
            partition_key: Whose applications; `None` and `''` are the default partition.
            limit: How many at the most; `None` for all.

        Returns:
            The app ids; empty if there are none.

        Raises:
            TypeError: An argument has the wrong type, or a keyword is unknown.
            ValueError: `limit` is negative.
            NotInitializedError: `initialize()` is to be called first: a table is missing,
                or is older than this version's.
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else.
            PersisterUnavailableError: The store did not answer.
        """
        refuse_unknown("list_app_ids", kwargs)
        wanted = WantedApps.checked(partition_key, limit, no_limit=-1)
        with self._session.operation("list_app_ids", wanted) as store:
            if not wanted.storable:
                return []
            sql = self._opened.sql or self._open("list_app_ids", wanted, store)
            rows = store.fetch_all(sql["list_app_ids.newest"], (wanted.partition_key, wanted.limit))
        return wanted.names(rows)

    def list_partition_keys(self, *, limit: int | None = None, **kwargs: Any) -> list[str]:
        """List the partitions that have a record, each once, by name: in the order of their
        code points.

        The default partition is `''`. A persister of one's own need not offer this.

        Args:
            limit: How many at the most; `None` for all.

        Returns:
            The partition keys; empty if nothing is stored.

        Raises:
            TypeError: An argument has the wrong type, or a keyword is unknown.
            ValueError: `limit` is negative.
            NotInitializedError: `initialize()` is to be called first: a table is missing,
                or is older than this version's.
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else.
            PersisterUnavailableError: The store did not answer.
        """
        refuse_unknown("list_partition_keys", kwargs)
        wanted = WantedPartitions.checked(limit, no_limit=-1)
        with self._session.operation("list_partition_keys", wanted) as store:
            if not wanted.storable:
                return []
            sql = self._opened.sql or self._open("list_partition_keys", wanted, store)
            rows = store.fetch_all(sql["list_partition_keys.by_name"], (wanted.limit,))
        return wanted.names(rows)

    def set_serde_kwargs(self, serde_kwargs: dict[str, Any] | None) -> None:
        """Replace (not merge) the keyword arguments that the state's `serialize` and
        `deserialize` get.
        """
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)

    def copy(self) -> Self:
        """Return a persister of the same settings, for another thread, task or
        sub-application.

        One built from values connects anew; one over a handed-in connection shares that
        connection.
        """
        twin = self._twin()
        twin._session = self._session.copy()
        return twin

    def _with_states(self, states: States) -> Self:
        """Another one over the same connections, which takes and gives other states."""
        twin = self._twin()
        twin._states = states
        return twin

    def _twin(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def cleanup(self) -> None:
        """Close what this persister opened; a connection that was handed in stays open.

        May be called twice. Any operation afterwards raises `PersisterClosedError`.
        """
        self._session.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session.describe()}>"
