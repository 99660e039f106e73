# Code generated from spec/backends/redis_burr.yaml by `make generate`. DO NOT EDIT.
"""Redis (layout of Apache Burr): BurrRedisPersister, AsyncBurrRedisPersister."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from . import errors
from ._runtime.arguments import (
    KeyParts,
    Wanted,
    WantedApps,
    WantedPartitions,
    config_arguments,
    refuse_unknown,
)
from ._runtime.awaitable import Opening
from ._runtime.drivers.lua import Script
from ._runtime.failures import Failures, Rule
from ._runtime.hashed import Found, by_time, check_room, pack
from ._runtime.key_requests import Steps
from ._runtime.lazy import extra
from ._runtime.limits import Limits
from ._runtime.migrations import Migration
from ._runtime.packed import checked_namespace, prefixed
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of
from ._runtime.states import OWN_STATES, States
from ._runtime.surveys import Survey
from .persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from .state import State

with extra("redis", __package__):
    import redis
    import redis.asyncio
    import redis.exceptions

    from ._runtime.drivers.redis_session import AsyncRedisSession, RedisSession

__all__ = ("BurrRedisPersister", "AsyncBurrRedisPersister")

# Answers 1 if it saved, else the hash that is there. What a save left that died half-way,
# as another library's can, is put right when it is made again: the application's score is
# no lower than the sequence of its record.
_SAVE = Script(
    "save",
    """\
local record, newest = KEYS[1], KEYS[2]
local partition_key, app_id, sequence_id, position, status, created_at_iso, codec, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
-- All is read before anything is written: a key of another type ends the script, and nothing is half done.
local score = tonumber(redis.call('ZSCORE', newest, app_id) or -1)
local stored = redis.call('HGETALL', record)
local function list()
  if not (score >= tonumber(sequence_id)) then redis.call('ZADD', newest, sequence_id, app_id) end
end
if #stored > 0 then
  local names = redis.call('HMGET', record, 'partition_key', 'app_id')
  if names[1] == partition_key and names[2] == app_id then list() end
  return stored
end
redis.call('HSET', record, 'partition_key', partition_key, 'app_id', app_id, 'sequence_id', sequence_id,
  'position', position, 'state', value, 'status', status, 'created_at', created_at_iso, 'codec', codec)
list()
return 1
""",
)
# Answers application and sequence, and the hash of the record.
_AT_SEQUENCE = Script(
    "at_sequence",
    """\
local record = KEYS[1]
local app_id, sequence_id = ARGV[1], ARGV[2]
local found = redis.call('HGETALL', record)
table.insert(found, 1, app_id)
table.insert(found, 2, sequence_id)
return found
""",
)
# Answers the application, the sequence that is listed for it, and the hash of that record.
_LATEST = Script(
    "latest",
    """\
local newest = KEYS[1]
local app_id = ARGV[1]
local score = redis.call('ZSCORE', newest, app_id)
if not score then return nil end
local sequence = string.format('%.0f', score)
local found = redis.call('HGETALL', newest .. ':' .. app_id .. ':' .. sequence)
table.insert(found, 1, app_id)
table.insert(found, 2, sequence)
return found
""",
)
# Answers as `latest` does, of the application whose record there is the youngest. It reads
# a few fields of each application's record; those of another namespace, whose keys may be
# the same, are passed over.
_LATEST_OF_PARTITION = Script(
    "latest_of_partition",
    """\
local newest = KEYS[1]
local partition_key = ARGV[1]
local youngest, record, app_id, sequence = '', nil, nil, nil
local listed = redis.call('ZRANGE', newest, 0, -1, 'WITHSCORES')
for i = 1, #listed, 2 do
  local at = string.format('%.0f', listed[i + 1])
  local key = newest .. ':' .. listed[i] .. ':' .. at
  local fields = redis.pcall('HMGET', key, 'created_at', 'partition_key')
  local is_missing = fields.err or not fields[2]
  if is_missing and not app_id or fields[2] == partition_key and (fields[1] or '') >= youngest then
    youngest, record, app_id, sequence = fields[1] or '', key, listed[i], at
  end
end
if not app_id then return nil end
local found = redis.call('HGETALL', record)
table.insert(found, 1, app_id)
table.insert(found, 2, sequence)
return found
""",
)
# Answers each application and when the record was saved that is listed for it, as a text
# that sorts; an empty one where that record is missing.
_NEWEST = Script(
    "newest",
    """\
local newest = KEYS[1]
local partition_key = ARGV[1]
local found = {}
local listed = redis.call('ZRANGE', newest, 0, -1, 'WITHSCORES')
for i = 1, #listed, 2 do
  local key = newest .. ':' .. listed[i] .. ':' .. string.format('%.0f', listed[i + 1])
  local fields = redis.pcall('HMGET', key, 'created_at', 'partition_key')
  local is_missing = fields.err or not fields[2]
  if is_missing or fields[2] == partition_key then
    found[#found + 1] = listed[i]
    found[#found + 1] = not is_missing and fields[1] or ''
  end
end
return found
""",
)

# The last sequence id that the layout has room for.
_LARGEST_SEQUENCE_ID = 9007199254740992

# The largest state, in bytes, that the store takes.
_STATE_BYTES = 536860000

# How a failure of the driver shows, and what it is for a caller: the first rule that fits.
_FAILURES = Failures(
    "Redis (layout of Apache Burr)",
    base=(
        redis.RedisError,
        redis.exceptions.RedisClusterException,
        OSError,
    ),
    rules=(
        Rule(
            errors.PersisterError,
            redis.exceptions.RedisClusterException,
            "the keys of a partition lie on several nodes of a Redis Cluster, where no save is atomic in this layout; `persistry.move()` brings the records to a RedisBasePersister",
            messages=("same key slot",),
        ),
        Rule(
            errors.PersisterError,
            redis.ResponseError,
            "the keys of a partition lie on several nodes of a Redis Cluster, where no save is atomic in this layout; `persistry.move()` brings the records to a RedisBasePersister",
            messages=("non local key", "hash to the same slot"),
        ),
        Rule(
            errors.PersisterError,
            redis.exceptions.AskError,
            "the keys of a partition lie on several nodes of a Redis Cluster, where no save is atomic in this layout; `persistry.move()` brings the records to a RedisBasePersister",
        ),
        Rule(
            errors.CorruptStateError,
            redis.ResponseError,
            "a key of this partition holds something else: a partition named like a record has the record's key in this layout, or another program wrote it",
            messages=("WRONGTYPE",),
        ),
        Rule(
            errors.PersisterAccessError,
            redis.AuthenticationError,
            "the server asks for a password; give password=",
            messages=(
                "HELLO must be called with the client already authenticated",
                "Authentication required",
            ),
        ),
        Rule(
            errors.PersisterAccessError,
            redis.AuthenticationError,
            "the server refuses this user or password",
        ),
        Rule(
            errors.PersisterAccessError,
            redis.exceptions.AuthenticationWrongNumberOfArgsError,
            "the server refuses this user or password",
        ),
        Rule(
            errors.PersisterAccessError,
            redis.exceptions.NoPermissionError,
            "the user has no right to a command or key that is needed",
        ),
        Rule(
            errors.PersisterAccessError,
            redis.ResponseError,
            "the server asks for a password; give password=",
            messages=("NOAUTH", "WRONGPASS"),
        ),
        Rule(
            errors.PersisterAccessError,
            redis.ResponseError,
            "the user has no right to a command or key that is needed",
            messages=("ACL failure in script", "The user executing the script"),
        ),
        Rule(
            errors.PersisterAccessError,
            redis.exceptions.ReadOnlyError,
            "this server is a read-only replica; connect to the primary",
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.exceptions.OutOfMemoryError,
            "the server has reached its maxmemory; nothing was saved",
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.BusyLoadingError,
            "the server is still loading its data; try again",
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.exceptions.MaxConnectionsError,
            "all connections of the handed-in client's pool are in use; give it more, or use fewer threads",
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.exceptions.ClusterError,
            "the cluster is not ready; try again",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.exceptions.TryAgainError,
            "the cluster is moving this partition to another node; try again",
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ResponseError,
            "the server is not ready; try again",
            messages=("BUSY",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ResponseError,
            "the server cannot write to its disk and refuses to save",
            messages=("MISCONF",),
        ),
        Rule(
            errors.CorruptStateError,
            redis.ResponseError,
            "another program has changed the hash of heads; remove the application's field there and save again",
            messages=("DAMAGED",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.exceptions.InvalidResponse,
            "what answers there does not speak Redis; check host and port",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ResponseError,
            "the server has no such database; give another db",
            messages=("DB index is out of range",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.TimeoutError,
            "connecting took longer than connect_timeout ({connect_timeout} s)",
            messages=("connecting",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.TimeoutError,
            "no answer within operation_timeout ({operation_timeout} s)",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ConnectionError,
            "the server has as many clients as its maxclients allows; raise that, or use fewer connections",
            messages=("max number of clients reached",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ConnectionError,
            "TLS was not agreed on; check whether the server speaks it, and the certificates (the ssl arguments)",
            messages=(
                "CERTIFICATE_VERIFY_FAILED",
                "WRONG_VERSION_NUMBER",
                "RECORD_LAYER_FAILURE",
                "UNSUPPORTED_PROTOCOL",
                "_ALERT_",
            ),
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ConnectionError,
            "no server answers there; start it, or check host and port",
            messages=("connecting to",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ConnectionError,
            "the connection was lost and could not be had again; check the server, and whether it wants TLS (rediss://)",
            messages=("Connection closed by server",),
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.ConnectionError,
            "the connection was lost and could not be had again",
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            redis.exceptions.RedisClusterException,
            "no node of the cluster answers; start them, or check hosts and ports",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            OSError,
            "the connection was lost and could not be had again",
            may_have_saved=True,
            repeat=True,
        ),
    ),
)


def _slot(namespace: str, partition_key: str) -> str:
    """What every key of a partition begins with; what is in braces, Redis Cluster hashes."""
    return f"{prefixed(namespace)}{partition_key}"


def _record_key(slot: str, app_id: str, sequence_id: int) -> str:
    """The record of this sequence."""
    return f"{slot}:{app_id}:{sequence_id}"


def _newest_key(slot: str) -> str:
    """Sorted set: application -> its highest sequence id."""
    return f"{slot}"


class BurrRedisPersister(BaseStatePersister):
    """Goes on with what Apache Burr's Redis persister stored, in its layout, so that Burr can
    read and continue it.

    For data that is there already: RedisBasePersister keeps all that is promised, and
    `persistry.move()` brings the records there. In this layout an application has one
    record for a sequence, the order of saving is that of the writers' clocks, and names
    with a ':' can meet: what would be mixed is refused. A list costs in proportion to the
    partition's applications. A save is one atomic round trip; how durable it is, the server
    decides (`appendfsync`, replicas).

    Args:
        connection: An open client; it is never closed here.
        serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
        namespace: A project's name, in front of every key; as Burr has it.
        connect_timeout: Seconds that opening a connection may take.
        operation_timeout: Seconds that one operation may take.
        max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
            leaves it to the store's own limit.
    """

    PARTITION_KEY_DEFAULT = ""
    _states: States = OWN_STATES

    def __init__(
        self,
        connection: redis.Redis | RedisSession,
        serde_kwargs: dict[str, Any] | None = None,
        namespace: str | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        limits = Limits.checked(connect_timeout, operation_timeout)
        self._session = RedisSession.over(connection, _FAILURES, limits)
        self._largest_state = largest_state(max_state_bytes, _STATE_BYTES)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)
        self.namespace = checked_namespace(namespace)

    @property
    def connection(self) -> Any:
        """The driver's own connection, for what this class does not offer."""
        return self._session.connection

    @classmethod
    def from_values(
        cls,
        host: str,
        port: int,
        db: int,
        password: str | None = None,
        serde_kwargs: dict[str, Any] | None = None,
        redis_client_kwargs: dict[str, Any] | None = None,
        namespace: str | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Self:
        """Build a persister from plain values; it opens its own connection and `cleanup()`
        closes it.

        Args:
            host: The server's host name or address.
            port: The server's port.
            db: The number of the database.
            password: The password; `None` if the server asks for none.
            serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
            redis_client_kwargs: Keyword arguments for the client, such as `username` or
                `ssl`; no `retry`, as what may be repeated is decided here.
            namespace: A project's name, in front of every key; as Burr has it.
            connect_timeout: Seconds that opening a connection may take.
            operation_timeout: Seconds that one operation may take.
            max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
                leaves it to the store's own limit.
        """
        session = RedisSession.opening(
            _FAILURES,
            Limits.checked(connect_timeout, operation_timeout),
            host=host,
            port=port,
            db=db,
            password=password,
            redis_client_kwargs=redis_client_kwargs,
        )
        return cls(
            session,
            serde_kwargs=serde_kwargs,
            namespace=namespace,
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

    def create_key(self, app_id: str, partition_key: str | None, sequence_id: int) -> str:
        """Return the key under which the record saved last at this sequence is stored."""
        key = KeyParts.checked(partition_key, app_id, sequence_id)
        slot = _slot(self.namespace, key.partition_key)
        return _record_key(slot, key.app_id, key.sequence_id)

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
        with self._session.operation("initialize") as store:
            store.warn_if_evicting()
            store.run(self._survey().checking(self._session.failures.place))

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
        with self._session.operation("is_initialized"):
            return True  # there is nothing to create

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
        with self._session.operation("pending_migrations"):
            return []  # nothing older is there to be migrated

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
            is_shared=True,
        )
        check_room(record, _LARGEST_SEQUENCE_ID)
        slot = _slot(self.namespace, record.partition_key)
        with self._session.operation("save", record) as store:
            reply = store.script(
                _SAVE,
                keys=(
                    _record_key(slot, record.app_id, record.sequence_id),
                    _newest_key(slot),
                ),
                arguments=(
                    record.partition_key,
                    record.app_id,
                    record.sequence_id,
                    record.position,
                    record.status,
                    record.created_at_iso,
                    record.codec,
                ),
                value=pack(record),
            )
        if reply != 1:
            record.accept(Found.conflicting(record, reply))

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
            found = self._found(store, wanted, app_id, sequence_id)
        return wanted.record(found.row, self.serde_kwargs, states=self._states)

    def _found(
        self, store: Any, wanted: Wanted, app_id: str | None, sequence_id: int | None
    ) -> Found:
        slot = _slot(self.namespace, wanted.partition_key)
        if sequence_id is not None:
            reply = store.script(
                _AT_SEQUENCE,
                keys=(_record_key(slot, wanted.app_id, wanted.sequence_id),),
                arguments=(wanted.app_id, wanted.sequence_id),
            )
            found = Found.of(wanted, reply)
        elif app_id is not None:
            reply = store.script(
                _LATEST,
                keys=(_newest_key(slot),),
                arguments=(wanted.app_id,),
            )
            found = Found.of(wanted, reply)
        else:
            reply = store.script(
                _LATEST_OF_PARTITION,
                keys=(_newest_key(slot),),
                arguments=(wanted.partition_key,),
            )
            found = Found.of(wanted, reply)
        return found

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
        wanted = WantedApps.checked(partition_key, limit)
        with self._session.operation("list_app_ids", wanted) as store:
            if not wanted.storable:
                return []
            slot = _slot(self.namespace, wanted.partition_key)
            reply = store.script(
                _NEWEST,
                keys=(_newest_key(slot),),
                arguments=(wanted.partition_key,),
            )
        return by_time(wanted, reply)

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
        wanted = WantedPartitions.checked(limit)
        with self._session.operation("list_partition_keys", wanted) as store:
            if not wanted.storable:
                return []
            return store.run(self._survey().listing(wanted.limit))

    def _survey(self) -> Survey:
        return self._survey_of(self.namespace)

    @staticmethod
    def _survey_of(namespace: str) -> Survey:
        return Survey(
            lambda partition_key: _newest_key(_slot(namespace, partition_key)),
            lambda partition_key, app_id, sequence_id: _record_key(
                _slot(namespace, partition_key), app_id, sequence_id
            ),
        )

    def _surveyed(self, steps: Steps[Any]) -> Any:
        """One operation among those that move all records elsewhere."""
        with self._session.operation("move") as store:
            return store.run(steps)

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


class AsyncBurrRedisPersister(AsyncBaseStatePersister):
    """Goes on with what Apache Burr's Redis persister stored, in its layout, so that Burr can
    read and continue it.

    For data that is there already: RedisBasePersister keeps all that is promised, and
    `persistry.move()` brings the records there. In this layout an application has one
    record for a sequence, the order of saving is that of the writers' clocks, and names
    with a ':' can meet: what would be mixed is refused. A list costs in proportion to the
    partition's applications. A save is one atomic round trip; how durable it is, the server
    decides (`appendfsync`, replicas).

    Args:
        connection: An open client; it is never closed here.
        serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
        namespace: A project's name, in front of every key; as Burr has it.
        connect_timeout: Seconds that opening a connection may take.
        operation_timeout: Seconds that one operation may take.
        max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
            leaves it to the store's own limit.
    """

    PARTITION_KEY_DEFAULT = ""
    _states: States = OWN_STATES

    def __init__(
        self,
        connection: redis.asyncio.Redis | AsyncRedisSession,
        serde_kwargs: dict[str, Any] | None = None,
        namespace: str | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        limits = Limits.checked(connect_timeout, operation_timeout)
        self._session = AsyncRedisSession.over(connection, _FAILURES, limits)
        self._largest_state = largest_state(max_state_bytes, _STATE_BYTES)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)
        self.namespace = checked_namespace(namespace)

    @property
    def connection(self) -> Any:
        """The driver's own connection, for what this class does not offer."""
        return self._session.connection

    @classmethod
    def from_values(
        cls,
        host: str,
        port: int,
        db: int,
        password: str | None = None,
        serde_kwargs: dict[str, Any] | None = None,
        redis_client_kwargs: dict[str, Any] | None = None,
        namespace: str | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Opening[Self]:
        """Build a persister from plain values; it opens its own connection and `cleanup()`
        closes it.

        Args:
            host: The server's host name or address.
            port: The server's port.
            db: The number of the database.
            password: The password; `None` if the server asks for none.
            serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
            redis_client_kwargs: Keyword arguments for the client, such as `username` or
                `ssl`; no `retry`, as what may be repeated is decided here.
            namespace: A project's name, in front of every key; as Burr has it.
            connect_timeout: Seconds that opening a connection may take.
            operation_timeout: Seconds that one operation may take.
            max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
                leaves it to the store's own limit.
        """
        session = AsyncRedisSession.opening(
            _FAILURES,
            Limits.checked(connect_timeout, operation_timeout),
            host=host,
            port=port,
            db=db,
            password=password,
            redis_client_kwargs=redis_client_kwargs,
        )
        persister = cls(
            session,
            serde_kwargs=serde_kwargs,
            namespace=namespace,
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

    def create_key(self, app_id: str, partition_key: str | None, sequence_id: int) -> str:
        """Return the key under which the record saved last at this sequence is stored."""
        key = KeyParts.checked(partition_key, app_id, sequence_id)
        slot = _slot(self.namespace, key.partition_key)
        return _record_key(slot, key.app_id, key.sequence_id)

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
        async with self._session.operation("initialize") as store:
            await store.warn_if_evicting()
            await store.run(self._survey().checking(self._session.failures.place))

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
        async with self._session.operation("is_initialized"):
            return True  # there is nothing to create

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
        async with self._session.operation("pending_migrations"):
            return []  # nothing older is there to be migrated

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
            is_shared=True,
        )
        check_room(record, _LARGEST_SEQUENCE_ID)
        slot = _slot(self.namespace, record.partition_key)
        async with self._session.operation("save", record) as store:
            reply = await store.script(
                _SAVE,
                keys=(
                    _record_key(slot, record.app_id, record.sequence_id),
                    _newest_key(slot),
                ),
                arguments=(
                    record.partition_key,
                    record.app_id,
                    record.sequence_id,
                    record.position,
                    record.status,
                    record.created_at_iso,
                    record.codec,
                ),
                value=pack(record),
            )
        if reply != 1:
            record.accept(Found.conflicting(record, reply))

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
            found = await self._found(store, wanted, app_id, sequence_id)
        return wanted.record(found.row, self.serde_kwargs, states=self._states)

    async def _found(
        self, store: Any, wanted: Wanted, app_id: str | None, sequence_id: int | None
    ) -> Found:
        slot = _slot(self.namespace, wanted.partition_key)
        if sequence_id is not None:
            reply = await store.script(
                _AT_SEQUENCE,
                keys=(_record_key(slot, wanted.app_id, wanted.sequence_id),),
                arguments=(wanted.app_id, wanted.sequence_id),
            )
            found = Found.of(wanted, reply)
        elif app_id is not None:
            reply = await store.script(
                _LATEST,
                keys=(_newest_key(slot),),
                arguments=(wanted.app_id,),
            )
            found = Found.of(wanted, reply)
        else:
            reply = await store.script(
                _LATEST_OF_PARTITION,
                keys=(_newest_key(slot),),
                arguments=(wanted.partition_key,),
            )
            found = Found.of(wanted, reply)
        return found

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
        wanted = WantedApps.checked(partition_key, limit)
        async with self._session.operation("list_app_ids", wanted) as store:
            if not wanted.storable:
                return []
            slot = _slot(self.namespace, wanted.partition_key)
            reply = await store.script(
                _NEWEST,
                keys=(_newest_key(slot),),
                arguments=(wanted.partition_key,),
            )
        return by_time(wanted, reply)

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
        wanted = WantedPartitions.checked(limit)
        async with self._session.operation("list_partition_keys", wanted) as store:
            if not wanted.storable:
                return []
            return await store.run(self._survey().listing(wanted.limit))

    def _survey(self) -> Survey:
        return self._survey_of(self.namespace)

    @staticmethod
    def _survey_of(namespace: str) -> Survey:
        return Survey(
            lambda partition_key: _newest_key(_slot(namespace, partition_key)),
            lambda partition_key, app_id, sequence_id: _record_key(
                _slot(namespace, partition_key), app_id, sequence_id
            ),
        )

    async def _surveyed(self, steps: Steps[Any]) -> Any:
        """One operation among those that move all records elsewhere."""
        async with self._session.operation("move") as store:
            return await store.run(steps)

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
