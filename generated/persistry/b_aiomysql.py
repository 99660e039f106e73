# Code generated from spec/backends/mariadb.yaml by `make generate`. DO NOT EDIT.
"""MariaDB: AsyncMariaDBPersister."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from . import errors
from ._formats.mariadb import FORMAT, names_of
from ._runtime.arguments import (
    Wanted,
    WantedApps,
    WantedPartitions,
    config_arguments,
    read_utf8,
    refuse_unknown,
)
from ._runtime.awaitable import Opening
from ._runtime.drivers.pep249_facts import Facts
from ._runtime.failures import Failures, Rule, Sign
from ._runtime.formats import Found, Opened
from ._runtime.identifiers import backslashed_literal, doubled
from ._runtime.lazy import extra
from ._runtime.limits import Limits
from ._runtime.migrations import Migration
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of
from ._runtime.states import OWN_STATES, States
from .persistence import AsyncBaseStatePersister, PersistedStateData
from .state import State

with extra("aiomysql", __package__):
    import aiomysql
    import pymysql

    from ._runtime.drivers.awaited_session import AwaitedSession

__all__ = ("AsyncMariaDBPersister",)

_SAVE_INSERT = """\
INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state, codec)
VALUES (CONVERT(%s USING utf8mb4), CONVERT(%s USING utf8mb4), %s, CONVERT(%s USING utf8mb4), CONVERT(%s USING utf8mb4), CONVERT(%s USING utf8mb4), %s)
"""
_SAVE_CONFLICTING = """\
SELECT status, state, codec FROM {table}
WHERE partition_key = CONVERT(%s USING utf8mb4) AND app_id = CONVERT(%s USING utf8mb4) AND sequence_id = %s AND position = CONVERT(%s USING utf8mb4)
"""
_LOAD_AT_SEQUENCE = """\
SELECT app_id, sequence_id, position, status, state, created_at, codec FROM {table}
WHERE write_number = (SELECT max(write_number) FROM {table}
  WHERE partition_key = CONVERT(%s USING utf8mb4) AND app_id = CONVERT(%s USING utf8mb4) AND sequence_id = %s)
"""
_LOAD_LATEST = """\
SELECT app_id, sequence_id, position, status, state, created_at, codec FROM {table}
WHERE write_number = (SELECT max(write_number) FROM {table}
  WHERE partition_key = CONVERT(%s USING utf8mb4) AND app_id = CONVERT(%s USING utf8mb4) AND sequence_id = (
    SELECT max(sequence_id) FROM {table} WHERE partition_key = CONVERT(%s USING utf8mb4) AND app_id = CONVERT(%s USING utf8mb4)))
"""
_LOAD_LATEST_OF_PARTITION = """\
SELECT app_id, sequence_id, position, status, state, created_at, codec FROM {table}
WHERE write_number = (SELECT max(write_number) FROM {table} WHERE partition_key = CONVERT(%s USING utf8mb4))
"""
_LIST_APP_IDS_NEWEST = """\
SELECT app_id FROM {table} WHERE partition_key = CONVERT(%s USING utf8mb4)
GROUP BY partition_key, app_id ORDER BY max(write_number) DESC LIMIT %s
"""
_LIST_PARTITION_KEYS_BY_NAME = (
    "SELECT DISTINCT partition_key FROM {table} ORDER BY partition_key LIMIT %s"
)
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

# The longest statement that the server takes, asked before a large state is saved.
_STATEMENT_BYTES = "SELECT @@max_allowed_packet"

# The largest state, in bytes, that the store takes.
_STATE_BYTES = 530000000

# What the driver raises.
_RAISED = (
    pymysql.Error,
    UnicodeError,
)
# How a failure of the driver shows, and what it is for a caller: the first rule that fits.
_FAILURES = Failures(
    "MariaDB",
    base=_RAISED,
    rules=(
        Rule(
            errors.NotInitializedError,
            _RAISED,
            "the table is missing; call initialize() once before the first save or load",
            codes=("1146",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server has no database of this name; create it, or give another db_name, or another schema in table_name",
            codes=("1046", "1049", "1102"),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "what has the table's name has other columns, keys or constraints than persistry gives it; give another table_name",
            codes=(
                "1048",
                "1054",
                "1136",
                "1176",
                "1216",
                "1264",
                "1265",
                "1292",
                "1347",
                "1364",
                "1366",
                "1406",
                "1452",
                "1471",
                "1644",
                "3819",
                "4025",
            ),
        ),
        Rule(
            errors.PersisterError,
            _RAISED,
            "the server takes no table of this name; give a shorter one, with no space at its end",
            codes=("1059", "1103"),
            messages=("File name too long",),
        ),
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "the user lacks a right to the database or the table; GRANT SELECT and INSERT, or let its owner call initialize()",
            codes=("1044", "1142", "1143", "1227"),
        ),
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "the server refuses this user or password, or the way they connect (ssl and others in connect_kwargs)",
            codes=("1045", "1130", "1251", "1698", "1820", "1862", "2059", "3118", "4151"),
        ),
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "this server or session is read-only, such as a replica; connect to the primary",
            codes=("1290", "1792", "1836"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "there are as many connections as the server allows, to this user or to all; use fewer, or raise that",
            codes=("1040", "1203", "1226"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "no server answers there, or TLS was not agreed on; start it, or check host and port, whether it speaks TLS, and the certificates (ssl and others in connect_kwargs)",
            codes=("1129", "2002", "2003", "2005", "2026", "3159"),
            messages=("'idna' codec",),
        ),
        Rule(
            errors.StateTooLargeError,
            _RAISED,
            "the statement is longer than the server's max_allowed_packet; raise that, or set max_state_bytes",
            codes=("1153", "1301", "2020"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the connection was lost and could not be had again, or what answers there is no MariaDB",
            codes=("1053", "1152", "1159", "1160", "1161", "1927", "2006", "2013", "2055", "4031"),
            messages=("Packet sequence number wrong",),
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server gave another transaction precedence; try again",
            codes=("1020", "1180", "1213"),
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server ended the statement, because it waited too long for a lock, took too long, or somebody asked for it; try again",
            codes=("1205", "1317", "1969", "3024"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server cannot do it, for lack of disk space or memory, or for the reason it gives; see to that and try again",
            codes=("1005", "1021", "1026", "1030", "1037", "1041", "1047", "1114"),
        ),
        Rule(
            errors.CorruptStateError,
            _RAISED,
            "the table or an index is damaged; check the server's disk and log",
            codes=("1034", "1194", "1195", "1712", "1932"),
        ),
        Rule(
            errors.PersisterError,
            _RAISED,
            "the connection's character set cannot hold this text (open it with charset='utf8mb4'), or Latin-1 the password",
            codes=("1115", "1300"),
            messages=("codec can't encode",),
        ),
        Rule(
            errors.PersisterClosedError,
            pymysql.InterfaceError,
            "the connection that was handed in has been closed",
        ),
    ),
    # A record is there already: its insert has changed nothing.
    conflict=Sign(_RAISED, codes=("1062",)),
    code_attribute="args",
)

# How aiomysql connects, and what it calls what it is given.
_ASYNC_DRIVER = Facts(
    connect=aiomysql.connect,
    connection_type=aiomysql.Connection,
    arguments={
        "db_name": "db",
        "user": "user",
        "password": "password",
        "host": "host",
        "port": "port",
    },
    fixed={"charset": "utf8mb4", "autocommit": True},
    timeouts={"connect_timeout": "connect_timeout"},
    on_open=(
        "SET SESSION completion_type = 0, sql_notes = 0, sql_mode = REPLACE(@@sql_mode, 'EMPTY_STRING_IS_NULL', '')",
    ),
    literal=backslashed_literal,
    suits="""\
SELECT @@character_set_client IN ('utf8mb4', 'utf8mb3', 'utf8', 'latin1')
AND @@character_set_connection = @@character_set_client
AND COALESCE(@@character_set_results, @@character_set_client) = @@character_set_client
AND HEX(CONVERT('ü' USING utf8mb4)) = 'C3BC'
AND @@completion_type = 'NO_CHAIN' AND LOCATE('EMPTY_STRING_IS_NULL', @@sql_mode) = 0 AS suits
""",
    advice="open it with charset='utf8mb4', and leave its character_set_..., completion_type and (for EMPTY_STRING_IS_NULL) sql_mode as they are by default",
)


class AsyncMariaDBPersister(AsyncBaseStatePersister):
    """Stores states in a table of a MariaDB server, version 10.3 or later, or of a MySQL
    server, version 8.0.13 or later.

    An acknowledged save is as durable as the server's `innodb_flush_log_at_trx_commit`
    makes it: by default it survives a crash of the server. A save is one statement and one
    commit (before a large state's, the server is asked for its `max_allowed_packet`). SQL
    modes, time zones, default engines and collations of the server or a session do not
    matter; a connection that is handed in speaks utf8mb4, utf8mb3 or latin1.

    The user needs SELECT and INSERT on the table; whoever calls `initialize()` first,
    CREATE on its database.

    Args:
        connection: An open connection, ours alone while the persister lives: it commits
            what is open. Never closed here.
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
        connection: aiomysql.Connection | AwaitedSession,
        table_name: str = "burr_state",
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        limits = Limits.checked(connect_timeout, operation_timeout)
        self._session = AwaitedSession.over(connection, _FAILURES, limits, _ASYNC_DRIVER)
        self._largest_state = largest_state(max_state_bytes, _STATE_BYTES)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)
        self.table_name = table_name
        self._names = names_of(table_name)
        # Beside values, the driver reads a percent sign as its own.
        self._query_names = doubled(self._names)
        self._opened = Opened()

    @property
    def connection(self) -> Any:
        """The driver's own connection, for what this class does not offer."""
        return self._session.connection

    @classmethod
    def from_values(
        cls,
        db_name: str,
        user: str,
        password: str | None,
        host: str,
        port: int,
        table_name: str = "burr_state",
        *,
        serde_kwargs: dict[str, Any] | None = None,
        connect_kwargs: dict[str, Any] | None = None,
        max_connections: int = 10,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Opening[Self]:
        """Build a persister from plain values; it opens its own connection and `cleanup()`
        closes it.

        Args:
            db_name: The name of the database.
            user: The user's name.
            password: The password; `None` if the server asks for none. The drivers send
                Latin-1: `password.encode().decode('latin-1')` has other letters arrive as
                UTF-8.
            host: The server's host name or address.
            port: The server's port.
            table_name: The table; a dot separates the schema.
            serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
            connect_kwargs: Keyword arguments for the driver's `connect`.
            max_connections: How many connections are open at once at the most; who needs
                one more waits for a turn.
            connect_timeout: Seconds that opening a connection may take.
            operation_timeout: Seconds that one operation may take.
            max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
                leaves it to the store's own limit.
        """
        session = AwaitedSession.opening(
            _FAILURES,
            Limits.checked(connect_timeout, operation_timeout),
            _ASYNC_DRIVER,
            db_name=db_name,
            user=user,
            password=password,
            host=host,
            port=port,
            connect_kwargs=connect_kwargs,
            max_connections=max_connections,
        )
        persister = cls(
            session,
            table_name=table_name,
            serde_kwargs=serde_kwargs,
            connect_timeout=connect_timeout,
            operation_timeout=operation_timeout,
            max_state_bytes=max_state_bytes,
        )

        async def opened() -> Self:
            await session.open()
            return persister

        return Opening(opened)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Opening[Self]:
        """Build a persister from a dictionary whose keys are the parameters of `from_values`.

        Raises:
            TypeError: The configuration is no dictionary.
            ValueError: A key is unknown or missing; the message names it.
        """
        return cls.from_values(**config_arguments(config, cls.from_values))

    async def _find(self, store: Any, names: Mapping[str, str]) -> Found:
        """What the table is, as far as one query can tell."""
        return Found.of(await store.fetch_one(FORMAT.opening.format_map(names)))

    async def _open(self, operation: str, key: object, store: Any) -> Mapping[str, str]:
        """The statements for the table, which is looked at once before its first use."""
        found = await self._find(store, self._names)
        FORMAT.check_current(operation, key, found, self._session.failures.place)
        texts = _STATEMENTS
        sql = {name: text.format_map(self._query_names) for name, text in texts.items()}
        if found.generation is not None:
            self._opened.sql = sql
        return sql

    async def initialize(self) -> None:
        """Prepare the store: create what is missing, and bring what an older version or Apache
        Burr made to the format that this version works with. No record is rewritten.

        Safe to call from many processes at once, and again after it was interrupted.

        Raises:
            StoreVersionError: What is there was made by a newer version of persistry, or by
                somebody else. Nothing was changed.
            PersisterAccessError: The user may not create what is missing.
            PersisterUnavailableError: The store cannot be reached.
        """
        await self.create_table(self.table_name)
        self._opened.is_initialized = True

    async def create_table(self, table_name: str) -> None:
        """Create a table of this name, and what belongs to it, if it is not there."""
        names = names_of(table_name)
        key = f"table {table_name!r}"
        async with self._session.operation("initialize", key) as store:
            place = self._session.failures.place
            found = await self._find(store, names)
            FORMAT.check_ours("initialize", key, found, place)
            if FORMAT.is_older(found) or not await store.answers(
                FORMAT.is_initialized.format_map(names)
            ):
                await store.run_together(FORMAT.begin, FORMAT.steps(key, found, names, place))

    async def is_initialized(self) -> bool:
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
        async with self._session.operation("is_initialized", key) as store:
            if not self._opened.is_initialized:
                found = await self._find(store, self._names)
                FORMAT.check_ours("is_initialized", key, found, self._session.failures.place)
                self._opened.is_initialized = not FORMAT.is_older(found) and await store.answers(
                    FORMAT.is_initialized.format_map(self._names)
                )
        return self._opened.is_initialized

    async def pending_migrations(self) -> list[Migration]:
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
        async with self._session.operation("pending_migrations", key) as store:
            found = await self._find(store, self._names)
            FORMAT.check_ours("pending_migrations", key, found, self._session.failures.place)
            if found.generation is None:
                # Nothing there is fine; what stands in the way of knowing it is said.
                await store.answers(FORMAT.is_initialized.format_map(self._names))
        return FORMAT.pending(found, self._names)

    async def save(
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
        )
        async with self._session.operation("save", record) as store:
            sql = self._opened.sql or await self._open("save", record, store)
            if record.is_large:
                record.check_fits(await store.fetch_one(_STATEMENT_BYTES))
            if await store.execute(
                sql["save.insert"],
                (
                    record.partition_key,
                    record.app_id,
                    record.sequence_id,
                    record.position,
                    record.status,
                    record.state,
                    record.codec,
                ),
            ):
                return
            stored = await store.fetch_one(
                sql["save.conflicting"],
                (record.partition_key, record.app_id, record.sequence_id, record.position),
            )
        record.accept(stored, read_utf8)

    async def load(
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
        async with self._session.operation("load", wanted) as store:
            if not wanted.storable:
                return None
            sql = self._opened.sql or await self._open("load", wanted, store)
            if sequence_id is not None:
                row = await store.fetch_one(
                    sql["load.at_sequence"],
                    (wanted.partition_key, wanted.app_id, wanted.sequence_id),
                )
            elif app_id is not None:
                row = await store.fetch_one(
                    sql["load.latest"],
                    (wanted.partition_key, wanted.app_id, wanted.partition_key, wanted.app_id),
                )
            else:
                row = await store.fetch_one(
                    sql["load.latest_of_partition"], (wanted.partition_key,)
                )
        return wanted.record(row, self.serde_kwargs, read_utf8, states=self._states)

    async def list_app_ids(
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
        wanted = WantedApps.checked(partition_key, limit, no_limit=9223372036854775807)
        async with self._session.operation("list_app_ids", wanted) as store:
            if not wanted.storable:
                return []
            sql = self._opened.sql or await self._open("list_app_ids", wanted, store)
            rows = await store.fetch_all(
                sql["list_app_ids.newest"], (wanted.partition_key, wanted.limit)
            )
        return wanted.names(rows, read_utf8)

    async def list_partition_keys(self, *, limit: int | None = None, **kwargs: Any) -> list[str]:
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
        wanted = WantedPartitions.checked(limit, no_limit=9223372036854775807)
        async with self._session.operation("list_partition_keys", wanted) as store:
            if not wanted.storable:
                return []
            sql = self._opened.sql or await self._open("list_partition_keys", wanted, store)
            rows = await store.fetch_all(sql["list_partition_keys.by_name"], (wanted.limit,))
        return wanted.names(rows, read_utf8)

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

    async def cleanup(self) -> None:
        """Close what this persister opened; a connection that was handed in stays open.

        May be called twice. Any operation afterwards raises `PersisterClosedError`.
        """
        await self._session.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._session.describe()}>"
