# Code generated from spec/backends/postgresql.yaml by `make generate`. DO NOT EDIT.
"""PostgreSQL: AsyncPostgreSQLPersister."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from . import errors
from ._formats.postgresql import FORMAT, names_of
from ._runtime.arguments import (
    Wanted,
    WantedApps,
    WantedPartitions,
    config_arguments,
    exactly_one,
    refuse_unknown,
)
from ._runtime.awaitable import Opening
from ._runtime.failures import Failures, Rule
from ._runtime.formats import Found, Opened
from ._runtime.lazy import extra
from ._runtime.limits import Limits
from ._runtime.migrations import Migration
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of
from ._runtime.states import OWN_STATES, States
from .persistence import AsyncBaseStatePersister, PersistedStateData
from .state import State

with extra("asyncpg", __package__):
    import ssl

    import asyncpg
    import asyncpg.exceptions

    from ._runtime.drivers.asyncpg_session import AsyncpgSession

__all__ = ("AsyncPostgreSQLPersister",)

_SAVE_INSERT = """\
INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state, codec)
VALUES ($1, $2, $3, $4, $5, $6::text, $7)
ON CONFLICT (partition_key, app_id, sequence_id, position) DO NOTHING
"""
_SAVE_CONFLICTING = """\
SELECT status, coalesce(exact, state::text) AS state, codec FROM {table}
WHERE partition_key = $1 AND app_id = $2
  AND sequence_id = $3::bigint AND position = $4
"""
_LOAD_AT_SEQUENCE = """\
SELECT app_id, t.sequence_id::bigint AS sequence_id, position, status, coalesce(exact, state::text) AS state,
  created_at, codec
FROM {table} AS t
WHERE partition_key = $1 AND app_id = $2 AND sequence_id = $3::bigint
ORDER BY write_number DESC, created_at DESC LIMIT 1
"""
_LOAD_LATEST = """\
SELECT app_id, t.sequence_id::bigint AS sequence_id, position, status, coalesce(exact, state::text) AS state,
  created_at, codec
FROM {table} AS t
WHERE partition_key = $1 AND app_id = $2
ORDER BY t.sequence_id DESC, write_number DESC, created_at DESC LIMIT 1
"""
_LOAD_LATEST_OF_PARTITION = """\
SELECT app_id, t.sequence_id::bigint AS sequence_id, position, status, coalesce(exact, state::text) AS state,
  created_at, codec
FROM {table} AS t
WHERE partition_key = $1
ORDER BY write_number DESC, created_at DESC LIMIT 1
"""
_LIST_APP_IDS_NEWEST = """\
WITH RECURSIVE walked AS MATERIALIZED (
  SELECT app_id, write_number, created_at FROM {table} WHERE partition_key = $1
  ORDER BY write_number DESC, created_at DESC LIMIT (SELECT 1000)),
distinct_walked AS MATERIALIZED (
  SELECT DISTINCT ON (app_id) app_id, write_number, created_at FROM walked
  ORDER BY app_id, write_number DESC, created_at DESC),
walk AS MATERIALIZED (
  SELECT coalesce((SELECT count(*) FROM distinct_walked) >= $2::bigint, false)
    OR (SELECT count(*) FROM walked) < 1000 AS is_enough),
skipped AS (
  (SELECT app_id, write_number, created_at FROM {table}
   WHERE partition_key = $1 AND NOT (SELECT is_enough FROM walk)
   ORDER BY app_id, write_number DESC, created_at DESC LIMIT 1)
  UNION ALL
  SELECT following.app_id, following.write_number, following.created_at
  FROM skipped, LATERAL (
    SELECT app_id, write_number, created_at FROM {table}
    WHERE partition_key = $1 AND app_id > skipped.app_id
    ORDER BY app_id, write_number DESC, created_at DESC LIMIT 1) AS following)
SELECT app_id FROM (
  SELECT * FROM distinct_walked WHERE (SELECT is_enough FROM walk) UNION ALL SELECT * FROM skipped) AS apps
ORDER BY write_number DESC, created_at DESC LIMIT $2::bigint
"""
_LIST_PARTITION_KEYS_BY_NAME = """\
WITH RECURSIVE named AS (
  (SELECT partition_key FROM {table} ORDER BY partition_key LIMIT 1)
  UNION ALL
  SELECT (
    SELECT t.partition_key FROM {table} AS t WHERE t.partition_key > named.partition_key
    ORDER BY t.partition_key LIMIT 1)
  FROM named WHERE named.partition_key IS NOT NULL)
SELECT partition_key FROM named WHERE partition_key IS NOT NULL
ORDER BY partition_key COLLATE "C" LIMIT $1::bigint
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
# Those that are others in a table of another layout.
_LAYOUTS: dict[str | None, dict[str, str]] = {
    "adopted": {
        "save.insert": """\
INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state, codec, exact)
SELECT partition_key, app_id, sequence_id, position, status,
  CASE WHEN codec > 1 OR octet_length(exact) > 16777216 THEN 'null'
    WHEN strpos(replace(exact, E'\\\\\\\\', ''), E'\\\\u0000') > 0 THEN 'null'
    ELSE exact::jsonb END,
  codec, exact
FROM (
  SELECT $1::text AS partition_key, $2::text AS app_id, $3::bigint AS sequence_id,
    $4::text AS position, $5::text AS status, $6::text AS exact, $7::smallint AS codec
  OFFSET 0) AS sent
ON CONFLICT (partition_key, app_id, sequence_id, position) DO NOTHING
""",
        "save.conflicting": """\
SELECT status, coalesce(exact, state::text) AS state,
  CASE WHEN exact IS NULL AND pg_typeof(state) = 'jsonb'::regtype THEN -1 ELSE codec END AS codec
FROM {table}
WHERE partition_key = $1 AND app_id = $2
  AND sequence_id = $3::bigint AND position = $4
""",
    },
}

# The largest state, in bytes, that the store takes.
_STATE_BYTES = 530000000

# What the driver raises.
_RAISED = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    UnicodeError,
)
# How a failure of the driver shows, and what it is for a caller: the first rule that fits.
_FAILURES = Failures(
    "PostgreSQL",
    base=_RAISED,
    rules=(
        Rule(
            errors.PersisterClosedError,
            asyncpg.InterfaceError,
            "the connection or pool that was handed in has been closed",
            messages=(
                "connection is closed",
                "pool is closed",
                "pool is closing",
                "released back to the pool",
            ),
        ),
        Rule(
            errors.PersisterError,
            asyncpg.InterfaceError,
            "the pool that was handed in is not open; await it first",
            messages=("pool is not initialized", "pool is being initialized"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            asyncpg.InterfaceError,
            "somebody else is using the connection that was handed in; hand in one that nobody else uses, or a pool",
            messages=("another operation is",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            asyncpg.PostgresError,
            "a pooler gives each transaction another of the server's connections; hand in what was opened with statement_cache_size=0",
            codes=("26000", "42P05"),
        ),
        Rule(
            errors.StoreVersionError,
            asyncpg.PostgresError,
            "the table is there but has other columns; give another table_name, or open it with the library that made it",
            messages=("invalid input for query argument",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            asyncpg.exceptions.TargetServerAttributeNotMatched,
            "the server answers, but refuses the connection for the reason it gives; see to that, or correct connect_kwargs",
        ),
        Rule(
            errors.PersisterUnavailableError,
            asyncpg.exceptions.ClientConfigurationError,
            "asyncpg cannot connect like that; correct connect_kwargs",
        ),
        Rule(
            errors.PersisterUnavailableError,
            asyncpg.InternalClientError,
            "the server ended the connection, and it could not be had again",
            messages=("cannot switch to state",),
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            asyncpg.InternalClientError,
            "what answers there does not speak PostgreSQL as asyncpg knows it; check host and port",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            TimeoutError,
            "connecting took longer than connect_timeout ({connect_timeout} s)",
            messages=("connecting",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            TimeoutError,
            "no server answers there; start it, or check host and port",
            messages=("Connect call failed",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            TimeoutError,
            "no answer within the command_timeout that the connection was opened with",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            ssl.SSLError,
            "TLS was not agreed on; check whether the server speaks it, and the certificates (sslmode, sslrootcert and others in connect_kwargs)",
        ),
        Rule(
            errors.PersisterUnavailableError,
            ConnectionError,
            "TLS was not agreed on; check whether the server speaks it, and sslmode in connect_kwargs",
            messages=("SSL upgrade", "TLS handshake", "SSL exchange"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            ConnectionError,
            "what answers there ended the connection at once; check host and port, and the server's log",
            messages=("connecting failed", "unexpected connection_lost"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            UnicodeError,
            "no server answers there; start it, or check host and port",
            messages=("'idna' codec",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            FileNotFoundError,
            "a file is missing; the server's socket, or a certificate or key in connect_kwargs",
        ),
        Rule(
            errors.PersisterUnavailableError,
            OSError,
            "no server answers there; start it, or check host and port",
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server has no database of this name, or lets nobody use it; create it, or give another db_name",
            codes=("3D000",),
            messages=("is not currently accepting connections",),
        ),
        Rule(
            errors.NotInitializedError,
            _RAISED,
            "the table is missing; call initialize() once before the first save or load",
            codes=("42P01",),
        ),
        Rule(
            errors.NotInitializedError,
            _RAISED,
            "the schema in table_name is missing, or each one in search_path; create it, and call initialize()",
            codes=("3F000",),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "the table is there but has other columns or keys; if it was replaced while this persister was open, build another persister; else give another table_name, or open it with the library that made it",
            codes=("42703", "42P10", "42804", "42883", "42846"),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "a view, or something else that was made over the table, holds its column as it is; drop that, call widen() again, and make it anew",
            messages=("cannot alter type of a column used",),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "something else in this database has the name of the table, or of what belongs to it; give another table_name",
            codes=("42809", "42710", "42P07", "55000"),
        ),
        Rule(
            errors.StoreVersionError,
            _RAISED,
            "the table has a constraint or a column that persistry did not make; remove it, or give another table_name",
            codes=("23502", "23503", "23505", "23514", "23P01", "428C9", "22001"),
        ),
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "the user lacks a right to the table or its schema; GRANT SELECT and INSERT, or let its owner call initialize()",
            codes=("42501",),
        ),
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "the server refuses this user or password, or the way they connect (sslmode, pg_hba.conf)",
            codes=("28P01", "28000"),
        ),
        Rule(
            errors.PersisterAccessError,
            _RAISED,
            "this server or session is read-only, such as a standby; connect to the primary",
            codes=("25006",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server has as many connections as its max_connections allows; use fewer, or raise that",
            codes=("53300",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server is starting up, shutting down or recovering; try again",
            codes=("57P03",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server ended the connection, and it could not be had again",
            codes=("57P01", "57P02", "57P05", "08000", "08003", "08006", "08P01"),
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server, or a pooler in front of it, refuses the connection; check both",
            codes=("08001", "08004"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server does not know whether it did it; try again",
            codes=("40003",),
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server gave another transaction precedence; try again",
            codes=("40001", "40P01"),
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "another transaction kept the table locked for longer than the server's lock_timeout; try again",
            codes=("55P03",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server cancelled the statement, because of one of its timeouts or somebody's request; try again",
            codes=("57014", "25P03", "25P04"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            _RAISED,
            "the server has no disk space or memory left, or cannot write; make room and try again",
            codes=("53100", "53200", "58030"),
        ),
        Rule(
            errors.StateTooLargeError,
            _RAISED,
            "the server cannot store a value of this size",
            codes=("54000",),
        ),
        Rule(
            errors.PersisterError,
            _RAISED,
            "the database's encoding cannot hold this text; use a database whose encoding is UTF8",
            codes=("22021", "22P05"),
        ),
        Rule(
            errors.CorruptStateError,
            _RAISED,
            "the table or an index is damaged; check the server's disk and log",
            codes=("XX001", "XX002"),
        ),
    ),
    code_attribute="sqlstate",
)


class AsyncPostgreSQLPersister(AsyncBaseStatePersister):
    """Stores states in a table of a PostgreSQL server, version 13 or later.

    An acknowledged save is as durable as the server's `synchronous_commit` makes it: by
    default it survives a crash of the server. A save is one statement and one commit;
    nothing is locked between operations.

    A persister built from values opens its connections when they are needed and hands them
    out in order of arrival; one over a handed-in connection uses that alone, call after
    call. It works behind a pooler such as PgBouncer, in transaction mode too: no session
    state is relied on.

    The user needs SELECT and INSERT on the table; whoever calls `initialize()` first,
    CREATE on its schema. It adopts a table that Apache Burr made, if its owner calls it,
    and Burr can go on with it. Names are quoted here and not there, so what Burr was given
    as `MyStates` is `mystates`; `initialize()` makes no `MyStates` beside that.

    A server to throw away: `docker run --rm -e POSTGRES_PASSWORD=secret -p 55432:5432
    postgres`, and then `connect("postgresql://postgres:secret@localhost:55432/postgres")`.

    Args:
        connection: An open connection, ours alone while the persister lives. Never closed
            here.
        pool: An open pool to use instead of a connection; others may use it too. Never
            closed here. Where it has no `reset` of its own, asyncpg makes a second round
            trip after each operation.
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
        connection: asyncpg.Connection | AsyncpgSession | None = None,
        pool: asyncpg.Pool | None = None,
        table_name: str = "burr_state",
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        limits = Limits.checked(connect_timeout, operation_timeout)
        handed_in = exactly_one(connection=connection, pool=pool)
        self._session = AsyncpgSession.over(handed_in, _FAILURES, limits)
        self._largest_state = largest_state(max_state_bytes, _STATE_BYTES)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)
        self.table_name = table_name
        self._names = self._query_names = names_of(table_name)
        self._opened = Opened()

    @property
    def connection(self) -> Any:
        """The driver's own connection, for what this class does not offer."""
        return self._session.connection

    @property
    def pool(self) -> Any:
        """The driver's own pool, for what this class does not offer."""
        return self._session.pool

    @classmethod
    def from_values(
        cls,
        db_name: str,
        user: str,
        password: str | None,
        host: str,
        port: int,
        table_name: str = "burr_state",
        use_pool: bool = False,
        *,
        serde_kwargs: dict[str, Any] | None = None,
        connect_kwargs: dict[str, Any] | None = None,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
        **pool_kwargs: Any,
    ) -> Opening[Self]:
        """Build a persister from plain values; it opens its own connection and `cleanup()`
        closes it.

        Args:
            db_name: The name of the database.
            user: The user's name.
            password: The password; `None` leaves it to the driver (a password file, a
                certificate).
            host: The server's host name or address, or the directory of its socket.
            port: The server's port.
            table_name: The table; a dot separates the schema.
            use_pool: Open a pool instead of one connection, so that many tasks save at the
                same time.
            serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
            connect_kwargs: More arguments for the connection, such as `sslmode`,
                `sslrootcert` or `application_name`.
            connect_timeout: Seconds that opening a connection may take.
            operation_timeout: Seconds that one operation may take.
            max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
                leaves it to the store's own limit.
            **pool_kwargs: Arguments of `asyncpg.create_pool`, such as `max_size`;
                `min_size` is 0 if it is not given.
        """
        session = AsyncpgSession.opening(
            _FAILURES,
            Limits.checked(connect_timeout, operation_timeout),
            db_name=db_name,
            user=user,
            password=password,
            host=host,
            port=port,
            connect_kwargs=connect_kwargs,
            use_pool=use_pool,
            pool_kwargs=pool_kwargs,
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

    @classmethod
    async def create_pool(
        cls,
        db_name: str,
        user: str,
        password: str | None,
        host: str,
        port: int,
        *,
        connect_kwargs: dict[str, Any] | None = None,
        **pool_kwargs: Any,
    ) -> Any:
        """Open a pool to hand in as `pool`; whoever asks for it closes it.

        Args:
            db_name: The name of the database.
            user: The user's name.
            password: The password; `None` leaves it to the driver (a password file, a
                certificate).
            host: The server's host name or address, or the directory of its socket.
            port: The server's port.
            connect_kwargs: More arguments for the connection, such as `sslmode`,
                `sslrootcert` or `application_name`.
            **pool_kwargs: Arguments of `asyncpg.create_pool`, such as `max_size`;
                `min_size` is 0 if it is not given.
        """
        return await AsyncpgSession.create_pool(
            db_name=db_name,
            user=user,
            password=password,
            host=host,
            port=port,
            connect_kwargs=connect_kwargs,
            pool_kwargs=pool_kwargs,
        )

    async def _find(self, store: Any, names: Mapping[str, str]) -> Found:
        """What the table is, as far as one query can tell."""
        return Found.of(await store.fetch_one(FORMAT.opening.format_map(names)))

    async def _open(self, operation: str, key: object, store: Any) -> Mapping[str, str]:
        """The statements for the table, which is looked at once before its first use."""
        found = await self._find(store, self._names)
        FORMAT.check_current(operation, key, found, self._session.failures.place)
        texts = _STATEMENTS | _LAYOUTS.get(found.layout, {})
        sql = {name: text.format_map(self._query_names) for name, text in texts.items()}
        self._opened.largest_sequence_id = found.largest_sequence_id
        if found.generation is not None:
            self._opened.is_shared = (
                found.layout is not None
            )  # before sql, by which other threads go
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
        self._opened.sql = None  # the table may have been made anew, and is looked at again
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
            is_shared=self._opened.is_shared,
        )
        async with self._session.operation("save", record) as store:
            sql = self._opened.sql or await self._open("save", record, store)
            record = record.in_store(self._opened.is_shared, self._largest_state)
            if record.is_over(self._opened.largest_sequence_id):
                sql = await self._open("save", record, store)  # it may have been widened since
                record.check_number(self._opened.largest_sequence_id)
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
        record.accept(stored)

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
                    sql["load.latest"], (wanted.partition_key, wanted.app_id)
                )
            else:
                row = await store.fetch_one(
                    sql["load.latest_of_partition"], (wanted.partition_key,)
                )
        return wanted.record(row, self.serde_kwargs, states=self._states)

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
        wanted = WantedApps.checked(partition_key, limit, no_limit=None)
        async with self._session.operation("list_app_ids", wanted) as store:
            if not wanted.storable:
                return []
            sql = self._opened.sql or await self._open("list_app_ids", wanted, store)
            rows = await store.fetch_all(
                sql["list_app_ids.newest"], (wanted.partition_key, wanted.limit)
            )
        return wanted.names(rows)

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
        wanted = WantedPartitions.checked(limit, no_limit=None)
        async with self._session.operation("list_partition_keys", wanted) as store:
            if not wanted.storable:
                return []
            sql = self._opened.sql or await self._open("list_partition_keys", wanted, store)
            rows = await store.fetch_all(sql["list_partition_keys.by_name"], (wanted.limit,))
        return wanted.names(rows)

    async def widen(self) -> None:
        """Make room for every sequence id in a table that Apache Burr made.

        There, sequence ids end at 2**31 - 1, because its column is an INTEGER. This makes
        it a BIGINT: it rewrites the table and its indexes, while nobody else reads or
        writes it, within `operation_timeout`. For a large table, open a persister with a
        longer one. Only the table's owner may do it. Persisters that are open elsewhere
        notice it by themselves. Called again, or for any other table, it changes nothing.
        """
        key = f"table {self.table_name!r}"
        async with self._session.operation("widen", key) as store:
            await self._open("widen", key, store)
            await store.run_together(
                FORMAT.begin, [step.format_map(self._names) for step in FORMAT.widen]
            )
            await self._open("widen", key, store)

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
