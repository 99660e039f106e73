# Code generated from spec/backends/redis.yaml by `make generate`. DO NOT EDIT.
"""Redis: RedisBasePersister, AsyncRedisBasePersister."""

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
from ._runtime.lazy import extra
from ._runtime.limits import Limits
from ._runtime.migrations import Migration
from ._runtime.packed import LARGE, Found, checked_namespace, digest, pack, segment
from ._runtime.partitions import Mark, Register
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of
from ._runtime.states import OWN_STATES, States
from .persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from .state import State

with extra("redis", __package__):
    import redis
    import redis.asyncio
    import redis.exceptions

    from ._runtime.drivers.redis_session import AsyncRedisSession, RedisSession

__all__ = ("RedisBasePersister", "AsyncRedisBasePersister")

# Answers 1 if it saved, else the stored record and changes nothing. With the temporary key
# the value is there already, sent by SET in the same transaction, so that a megabyte never
# passes through Lua. The set that names the partitions is in another slot: to the first
# record of a partition that is not said to be in it, it answers 2.
_SAVE = Script(
    "save",
    """\
local record, moved, newest, heads, temporary = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local app_id, sequence, position, registered, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local function refuse(stored)
  if temporary then redis.call('DEL', temporary) end
  return stored
end
-- All is read before anything is written: a key of another type ends the script, and nothing is half done.
local top = redis.call('ZREVRANGE', newest, 0, 0, 'WITHSCORES')
if not top[1] and registered == '0' then return refuse(2) end
local head = redis.call('HGET', heads, app_id)
local last = '9223372036854775807'
if head and not (#head == 38 and string.match(head, '^%d+$')
                 and string.sub(head, 1, 19) <= last and string.sub(head, 20) <= last) then
  return refuse(redis.error_reply('DAMAGED head of an application'))
end
if redis.call('EXISTS', record) == 1 then
  local stored = redis.call('GET', record)
  local ok, line = pcall(cjson.decode, string.match(string.sub(stored, 29), '^[^\\n]*'))
  local other = ok and type(line) == 'table' and string.sub(stored, 1, 2) == 'P1' and line[1]
  if type(other) ~= 'string' or other == position then return refuse(stored) end
  local earlier = redis.call('GET', moved)
  if earlier then return refuse(earlier) end
  redis.call('RENAME', record, record .. ':' .. redis.sha1hex(other))
end
if temporary then
  redis.call('RENAME', temporary, record)
  redis.call('PERSIST', record)
else
  redis.call('SET', record, value)
end
redis.call('ZADD', newest, string.format('%.0f', (top[2] or 0) + 1), app_id)
local highest = sequence
if head and string.sub(head, 1, 19) > highest then highest = string.sub(head, 1, 19) end
redis.call('HSET', heads, app_id, highest .. sequence)
return 1
""",
)
# Answers the application's head and, up to the limit in bytes, the record of its highest
# sequence; the application alone where it is listed but has no head.
_LATEST = Script(
    "latest",
    """\
local newest, heads = KEYS[1], KEYS[2]
local app_id, prefix, limit = ARGV[1], ARGV[2], ARGV[3]
local head = redis.call('HGET', heads, app_id)
if not head then return redis.call('ZSCORE', newest, app_id) and {app_id} or nil end
local record = prefix .. string.sub(head, 1, 19)
if redis.call('STRLEN', record) > tonumber(limit) then return {app_id, string.sub(head, 1, 19)} end
return {app_id, string.sub(head, 1, 19), redis.call('GET', record)}
""",
)
# Answers the application saved last, its sequence saved last and, up to the limit in bytes,
# that record.
_LATEST_OF_PARTITION = Script(
    "latest_of_partition",
    """\
local newest, heads = KEYS[1], KEYS[2]
local prefix, limit = ARGV[1], ARGV[2]
local app_id = redis.call('ZREVRANGE', newest, 0, 0)[1]
if not app_id then return nil end
local head = redis.call('HGET', heads, app_id)
if not head then return {app_id} end
local escapes = {['%'] = '%25', [':'] = '%3A', ['{'] = '%7B', ['}'] = '%7D'}
local record = prefix .. string.gsub(app_id, '[%%:{}]', escapes) .. ':' .. string.sub(head, 20)
if redis.call('STRLEN', record) > tonumber(limit) then return {app_id, string.sub(head, 20)} end
return {app_id, string.sub(head, 20), redis.call('GET', record)}
""",
)

# What this version of the library stores; it refuses what a newer one has stored.
_GENERATION = 1

# The largest state, in bytes, that the store takes.
_STATE_BYTES = 536860000

# How a failure of the driver shows, and what it is for a caller: the first rule that fits.
_FAILURES = Failures(
    "Redis",
    base=(
        redis.RedisError,
        redis.exceptions.RedisClusterException,
        OSError,
    ),
    rules=(
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
            redis.exceptions.AskError,
            "this server is a node of a Redis Cluster and not the one that has this partition; hand in a RedisCluster client",
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
            "a key of this partition holds something else; another program wrote it, or use another namespace",
            messages=("WRONGTYPE",),
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
    return f"{{{segment(namespace)}:{segment(partition_key)}}}"


def _record_key(slot: str, app_id: str, sequence_id: int) -> str:
    """The record saved last at this sequence."""
    return f"{slot}:r:{segment(app_id)}:{sequence_id:019}"


def _moved_key(slot: str, app_id: str, sequence_id: int, position: str) -> str:
    """A record whose place another position of the same sequence has taken."""
    return f"{slot}:r:{segment(app_id)}:{sequence_id:019}:{digest(position)}"


def _temporary_key(slot: str, app_id: str, sequence_id: int) -> str:
    """A large value on its way; it expires after a minute if the save dies."""
    return f"{slot}:r:{segment(app_id)}:{sequence_id:019}:t"


def _newest_key(slot: str) -> str:
    """Sorted set: application -> write number."""
    return f"{slot}:a"


def _heads_key(slot: str) -> str:
    """Hash: application -> highest sequence id and the one saved last, 19 digits each."""
    return f"{slot}:h"


def _partitions_key(slot: str) -> str:
    """Sorted set, in the default partition's slot alone: every partition that may have a
    record.
    """
    return f"{slot}:p"


def _generation_key(slot: str) -> str:
    """In the default partition's slot alone: the generation of all that the namespace holds;
    where it is missing, 1.
    """
    return f"{slot}:g"


def _latest_of_partition_prefix_key(slot: str) -> str:
    """How the keys of the records begin that the script chooses from."""
    return f"{slot}:r:"


def _latest_prefix_key(slot: str, app_id: str) -> str:
    """How the keys of the records begin that the script chooses from."""
    return f"{slot}:r:{segment(app_id)}:"


class RedisBasePersister(BaseStatePersister):
    """Stores states in a Redis or Valkey server, or a Redis Cluster; no modules needed.

    A save is one atomic round trip. How durable an acknowledged save is, the server decides
    (`appendfsync`, replicas); persistry states it and does not lower it. One partition is
    one hash slot: scale by partition_key.

    Args:
        connection: An open client; it is never closed here.
        serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
        namespace: A project's name, in front of every key; two namespaces do not see each
            other.
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
        self._mark = Mark(_generation_key(_slot(self.namespace, "")), _GENERATION)

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
            namespace: A project's name, in front of every key; two namespaces do not see
                each other.
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
            store.look(self._mark)
            store.warn_if_evicting()
            store.run(self._register().restoring())

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
        with self._session.operation("is_initialized") as store:
            store.open(self._mark)
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
        with self._session.operation("pending_migrations") as store:
            store.look(self._mark)
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
        )
        slot = _slot(self.namespace, record.partition_key)
        with self._session.operation("save", record) as store:
            store.open(self._mark)
            reply = store.run(
                self._register().saving(
                    record.partition_key,
                    _SAVE,
                    keys=(
                        _record_key(slot, record.app_id, record.sequence_id),
                        _moved_key(slot, record.app_id, record.sequence_id, record.position),
                        _newest_key(slot),
                        _heads_key(slot),
                    ),
                    arguments=(record.app_id, record.sequence, record.position),
                    value=pack(record),
                    temporary=_temporary_key(slot, record.app_id, record.sequence_id),
                )
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
            store.open(self._mark)
            found = self._found(store, wanted, app_id, sequence_id)
            if found.is_indexed and found.value is None:
                # It may have been deleted after it was looked up; then nothing is damaged.
                found = self._found(store, wanted, app_id, sequence_id)
        return wanted.record(found.row, self.serde_kwargs, states=self._states)

    def _found(
        self, store: Any, wanted: Wanted, app_id: str | None, sequence_id: int | None
    ) -> Found:
        slot = _slot(self.namespace, wanted.partition_key)
        if sequence_id is not None:
            found = Found(
                wanted,
                wanted.app_id,
                wanted.sequence_id,
                store.get(_record_key(slot, wanted.app_id, wanted.sequence_id)),
            )
        elif app_id is not None:
            reply = store.script(
                _LATEST,
                keys=(
                    _newest_key(slot),
                    _heads_key(slot),
                ),
                arguments=(wanted.app_id, _latest_prefix_key(slot, wanted.app_id), LARGE),
            )
            found = Found.of(wanted, reply)
        else:
            reply = store.script(
                _LATEST_OF_PARTITION,
                keys=(
                    _newest_key(slot),
                    _heads_key(slot),
                ),
                arguments=(_latest_of_partition_prefix_key(slot), LARGE),
            )
            found = Found.of(wanted, reply)
        if found.is_large:
            found = found.with_value(store.get(_record_key(slot, found.app_id, found.sequence_id)))
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
            store.open(self._mark)
            slot = _slot(self.namespace, wanted.partition_key)
            return store.newest(_newest_key(slot), wanted.limit)

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
            store.open(self._mark)
            return store.run(self._register().listing(wanted.limit))

    def _register(self) -> Register:
        return Register(
            _partitions_key(_slot(self.namespace, "")),
            lambda partition_key: _newest_key(_slot(self.namespace, partition_key)),
            self._mark,
        )

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


class AsyncRedisBasePersister(AsyncBaseStatePersister):
    """Stores states in a Redis or Valkey server, or a Redis Cluster; no modules needed.

    A save is one atomic round trip. How durable an acknowledged save is, the server decides
    (`appendfsync`, replicas); persistry states it and does not lower it. One partition is
    one hash slot: scale by partition_key.

    Args:
        connection: An open client; it is never closed here.
        serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
        namespace: A project's name, in front of every key; two namespaces do not see each
            other.
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
        self._mark = Mark(_generation_key(_slot(self.namespace, "")), _GENERATION)

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
            namespace: A project's name, in front of every key; two namespaces do not see
                each other.
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
            await store.look(self._mark)
            await store.warn_if_evicting()
            await store.run(self._register().restoring())

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
        async with self._session.operation("is_initialized") as store:
            await store.open(self._mark)
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
        async with self._session.operation("pending_migrations") as store:
            await store.look(self._mark)
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
        )
        slot = _slot(self.namespace, record.partition_key)
        async with self._session.operation("save", record) as store:
            await store.open(self._mark)
            reply = await store.run(
                self._register().saving(
                    record.partition_key,
                    _SAVE,
                    keys=(
                        _record_key(slot, record.app_id, record.sequence_id),
                        _moved_key(slot, record.app_id, record.sequence_id, record.position),
                        _newest_key(slot),
                        _heads_key(slot),
                    ),
                    arguments=(record.app_id, record.sequence, record.position),
                    value=pack(record),
                    temporary=_temporary_key(slot, record.app_id, record.sequence_id),
                )
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
            await store.open(self._mark)
            found = await self._found(store, wanted, app_id, sequence_id)
            if found.is_indexed and found.value is None:
                # It may have been deleted after it was looked up; then nothing is damaged.
                found = await self._found(store, wanted, app_id, sequence_id)
        return wanted.record(found.row, self.serde_kwargs, states=self._states)

    async def _found(
        self, store: Any, wanted: Wanted, app_id: str | None, sequence_id: int | None
    ) -> Found:
        slot = _slot(self.namespace, wanted.partition_key)
        if sequence_id is not None:
            found = Found(
                wanted,
                wanted.app_id,
                wanted.sequence_id,
                await store.get(_record_key(slot, wanted.app_id, wanted.sequence_id)),
            )
        elif app_id is not None:
            reply = await store.script(
                _LATEST,
                keys=(
                    _newest_key(slot),
                    _heads_key(slot),
                ),
                arguments=(wanted.app_id, _latest_prefix_key(slot, wanted.app_id), LARGE),
            )
            found = Found.of(wanted, reply)
        else:
            reply = await store.script(
                _LATEST_OF_PARTITION,
                keys=(
                    _newest_key(slot),
                    _heads_key(slot),
                ),
                arguments=(_latest_of_partition_prefix_key(slot), LARGE),
            )
            found = Found.of(wanted, reply)
        if found.is_large:
            found = found.with_value(
                await store.get(_record_key(slot, found.app_id, found.sequence_id))
            )
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
            await store.open(self._mark)
            slot = _slot(self.namespace, wanted.partition_key)
            return await store.newest(_newest_key(slot), wanted.limit)

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
            await store.open(self._mark)
            return await store.run(self._register().listing(wanted.limit))

    def _register(self) -> Register:
        return Register(
            _partitions_key(_slot(self.namespace, "")),
            lambda partition_key: _newest_key(_slot(self.namespace, partition_key)),
            self._mark,
        )

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


def __getattr__(name: str) -> Any:
    instead = {
        "RedisPersister": "use RedisBasePersister.from_values(host, port, db, password, ...), which has the same parameters",
    }
    if name in instead:
        raise ImportError(f"{__name__} has no {name}; {instead[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
