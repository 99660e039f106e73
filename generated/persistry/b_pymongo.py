# Code generated from spec/backends/mongodb.yaml by `make generate`. DO NOT EDIT.
"""MongoDB: MongoDBBasePersister, AsyncMongoDBBasePersister."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from . import errors
from ._runtime.arguments import (
    Wanted,
    WantedApps,
    WantedPartitions,
    config_arguments,
    refuse_unknown,
)
from ._runtime.awaitable import Opening
from ._runtime.clock import iso
from ._runtime.failures import Failures, Rule
from ._runtime.lazy import extra
from ._runtime.limits import Limits
from ._runtime.migrations import Migration
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of
from ._runtime.states import OWN_STATES, States
from .persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from .state import State

with extra("pymongo", __package__):
    import bson.errors
    import pymongo
    import pymongo.errors

    from ._runtime.document_format import Format, IndexMigration
    from ._runtime.documents import SERVER_ORDER, Index, Query, either, or_null
    from ._runtime.drivers.pymongo_async_session import AsyncPymongoSession
    from ._runtime.drivers.pymongo_session import PymongoSession

__all__ = ("MongoDBBasePersister", "AsyncMongoDBBasePersister")

# What the queries below go by; the first save or `initialize` makes what is not there.
_FORMAT = Format(
    generation=1,
    indexes=(
        Index(
            "ps_key",
            (("partition_key", 1), ("app_id", 1), ("sequence_id", -1), ("position", 1)),
            unique=True,
        ),
        Index(
            "ps_latest",
            (("partition_key", 1), ("app_id", 1), ("sequence_id", -1), ("write_number", -1)),
        ),
        Index("ps_order", (("partition", 1), ("write_number", -1), ("app_id", 1))),
        Index("ps_apps", (("partition", 1), ("app_id", 1), ("write_number", -1))),
        Index(
            "ps_foreign",
            (("partition_key", 1), ("created_at", -1), ("app_id", 1)),
            without="write_number",
        ),
    ),
    migrations=(
        IndexMigration(
            1,
            "Make the indexes by which every load and list is answered, and by which a key has one document. Documents that are there stay as they are, and another library goes on reading and writing them.",
            ("ps_key", "ps_latest", "ps_order", "ps_apps", "ps_foreign"),
        ),
    ),
)

_SAVE_CONFLICTING = Query(
    ("status", "state", "codec"),
)
_LOAD_AT_SEQUENCE = Query(
    ("app_id", "sequence_id", "position", "status", "state", "created_at", "codec"),
    sort=(("write_number", -1),),
)
_LOAD_LATEST = Query(
    ("app_id", "sequence_id", "position", "status", "state", "created_at", "codec"),
    sort=(("sequence_id", -1), ("write_number", -1)),
)
_LOAD_LATEST_OF_PARTITION = Query(
    ("app_id", "sequence_id", "position", "status", "state", "created_at", "codec"),
    sort=(("write_number", -1),),
    foreign_sort=(("created_at", -1),),
)
_LIST_APP_IDS_NEWEST = Query(
    ("app_id",),
    sort=(("write_number", -1),),
    foreign_sort=(("created_at", -1),),
)
_LIST_PARTITION_KEYS_BY_NAME = Query(
    ("partition_key",),
    sort=(("partition_key", 1),),
)

# The largest state, in bytes, that the store takes.
_STATE_BYTES = 16774000

# How a failure of the driver shows, and what it is for a caller: the first rule that fits.
_FAILURES = Failures(
    "MongoDB",
    base=(
        pymongo.errors.PyMongoError,
        bson.errors.BSONError,
    ),
    rules=(
        Rule(
            errors.PersisterClosedError,
            pymongo.errors.InvalidOperation,
            "the client was closed by its owner; hand in another one",
            messages=("after close",),
        ),
        Rule(
            errors.StateTooLargeError,
            pymongo.errors.DocumentTooLarge,
            "this server takes no document of this size; keep large values elsewhere and store a reference to them",
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ExecutionTimeout,
            "no answer within operation_timeout ({operation_timeout} s)",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.WriteConcernError,
            "too few servers of the replica set have acknowledged it; it is stored on the primary and may be lost with it",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.NotPrimaryError,
            "the server is no primary, or is no longer; a replica set needs all its hosts, or replicaSet=, in the URI",
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.WaitQueueTimeoutError,
            "no connection of the client's pool came free within operation_timeout ({operation_timeout} s)",
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ServerSelectionTimeoutError,
            "TLS was not agreed on; check whether the server speaks it, and the certificates (the tls options)",
            messages=("SSL", "TLS", "certificate"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ServerSelectionTimeoutError,
            "the server ends every connection at once; check it, and whether it wants TLS (tls=true in the URI)",
            messages=("connection closed", "already closed", "reset by peer"),
        ),
        Rule(
            errors.PersisterAccessError,
            pymongo.errors.ServerSelectionTimeoutError,
            "the server refuses this user or password, or knows the user in another database (authSource=)",
            messages=("Authentication failed", "authentication failed"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ServerSelectionTimeoutError,
            "the hosts belong to another replica set, or to none; check replicaSet= in the URI",
            messages=("for replica set name",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ServerSelectionTimeoutError,
            "no primary was found (connect_timeout {connect_timeout} s), and a host refuses connections; start it, or check the hosts",
            messages=("refused", "Connect call failed"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ServerSelectionTimeoutError,
            "no primary answered in time (connect_timeout {connect_timeout} s, operation_timeout {operation_timeout} s); start it, or check the hosts",
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.NetworkTimeout,
            "no answer within operation_timeout ({operation_timeout} s)",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.AutoReconnect,
            "the connection was lost and could not be had again",
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ConnectionFailure,
            "the connection was lost and could not be had again",
            may_have_saved=True,
        ),
        Rule(
            errors.PersisterAccessError,
            pymongo.errors.OperationFailure,
            "the user lacks a right; loading needs find and listIndexes (read has them), saving insert and once createIndexes (readWrite)",
            codes=("13",),
        ),
        Rule(
            errors.PersisterAccessError,
            pymongo.errors.OperationFailure,
            "the server refuses this user or password, or knows the user in another database (authSource=)",
            codes=("18", "8000"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.OperationFailure,
            "the server refuses the driver's own retries of a save; give the client retryWrites=False",
            codes=("20",),
            may_have_saved=True,
            repeat=True,
        ),
        Rule(
            errors.StoreVersionError,
            pymongo.errors.OperationFailure,
            "the collection has an index of the same name, or with the same keys, and other options; drop it and call initialize()",
            codes=("85", "86"),
        ),
        Rule(
            errors.StoreVersionError,
            pymongo.errors.OperationFailure,
            "the server cannot make an index that is needed; a sharded collection needs partition_key (and app_id) as its shard key",
            codes=("67",),
        ),
        Rule(
            errors.StoreVersionError,
            pymongo.errors.OperationFailure,
            "the collection is a view or a time series, or has a validator that refuses the records; choose another one",
            codes=("121", "166"),
            messages=("time-series",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.OperationFailure,
            "the server has no space left on its disk and refuses to save",
            codes=("14031",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.OperationFailure,
            "the server does not know the keys of its replica set's time; just after a restart it reads them in a moment, try again",
            codes=("211",),
        ),
        Rule(
            errors.StateTooLargeError,
            pymongo.errors.OperationFailure,
            "this server takes no document of this size; keep large values elsewhere and store a reference to them",
            codes=("10334", "17419", "17420"),
        ),
        Rule(
            errors.PersisterUnavailableError,
            pymongo.errors.ConfigurationError,
            "the client cannot work with this server, or its name was not found; check the URI",
        ),
        Rule(
            errors.CorruptStateError,
            bson.errors.InvalidBSON,
            "what is stored there is no valid document; another program wrote it, or it is damaged",
        ),
    ),
    code_attribute="code",
)


class MongoDBBasePersister(BaseStatePersister):
    """Stores states in a MongoDB server or replica set.

    A save is one insert. On a client that was opened here an acknowledged save is on the
    journals of a majority of the servers (`w=majority`, `journal=true`), unless the URI or
    the client's arguments say otherwise; a client that was handed in keeps its own write
    concern. Loads and lists read from the primary. A standalone server whose clock was set
    back across a restart may order new saves before old ones; a replica set does not. After
    somebody has dropped the collection, call `initialize()`: without its indexes every
    record still has its own key, but loads become slow.

    Args:
        client: An open client; it is never closed here.
        db_name: The name of the database.
        collection_name: The name of the collection.
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
        client: pymongo.MongoClient[Any] | PymongoSession,
        db_name: str = "mydatabase",
        collection_name: str = "mystates",
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        limits = Limits.checked(connect_timeout, operation_timeout)
        self._session = PymongoSession.over(client, _FAILURES, limits)
        self._largest_state = largest_state(max_state_bytes, _STATE_BYTES)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)
        self._session.use(db_name, collection_name)

    @property
    def client(self) -> Any:
        """The driver's own client, for what this class does not offer."""
        return self._session.client

    @classmethod
    def from_values(
        cls,
        uri: str = "mongodb://localhost:27017",
        db_name: str = "mydatabase",
        collection_name: str = "mystates",
        serde_kwargs: dict[str, Any] | None = None,
        mongo_client_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Self:
        """Build a persister from plain values; it opens its own connection and `cleanup()`
        closes it.

        Args:
            uri: The server or replica set, as MongoDB writes it; it may hold user, password
                and options.
            db_name: The name of the database.
            collection_name: The name of the collection.
            serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
            mongo_client_kwargs: Keyword arguments for the client, such as `username`, `tls`
                or `w`; they win over the URI's options.
            connect_timeout: Seconds that opening a connection may take.
            operation_timeout: Seconds that one operation may take.
            max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
                leaves it to the store's own limit.
        """
        session = PymongoSession.opening(
            _FAILURES,
            Limits.checked(connect_timeout, operation_timeout),
            uri=uri,
            mongo_client_kwargs=mongo_client_kwargs,
        )
        return cls(
            session,
            db_name=db_name,
            collection_name=collection_name,
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

    @property
    def collection(self) -> Any:
        """The driver's own collection of the records, for what this class does not offer."""
        return self._session.collection

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
        with self._session.operation("initialize", self._session.place) as store:
            store.prepare(_FORMAT)

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
        with self._session.operation("is_initialized", self._session.place) as store:
            return store.has_all(_FORMAT)

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
        with self._session.operation("pending_migrations", self._session.place) as store:
            return store.pending(_FORMAT)

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
            is_shared=None,
        )
        key = {
            "partition_key": either(record.partition_key),
            "app_id": record.app_id,
            "sequence_id": record.sequence_id,
            "position": record.position,
        }
        with self._session.operation("save", record) as store:
            store.prepare_once(_FORMAT)
            if record.forms:
                record = record.in_store(store.is_shared(_FORMAT), self._largest_state)
            document = {
                "_id": record.key_digest,
                "partition_key": or_null(record.partition_key),
                "partition": record.partition_key,
                "app_id": record.app_id,
                "sequence_id": record.sequence_id,
                "position": record.position,
                "status": record.status,
                "state": record.state,
                "created_at": iso(record.created_at),
                "codec": record.codec,
                "write_number": SERVER_ORDER,
            }
            if store.insert(document, unless=key):
                return
            stored = store.find(_SAVE_CONFLICTING, key)
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
            store.open(_FORMAT)
            if sequence_id is not None:
                row = store.find(
                    _LOAD_AT_SEQUENCE,
                    {
                        "partition_key": either(wanted.partition_key),
                        "app_id": wanted.app_id,
                        "sequence_id": wanted.sequence_id,
                    },
                )
            elif app_id is not None:
                row = store.find(
                    _LOAD_LATEST,
                    {"partition_key": either(wanted.partition_key), "app_id": wanted.app_id},
                )
            else:
                row = store.find_either(
                    _LOAD_LATEST_OF_PARTITION,
                    {"partition": wanted.partition_key},
                    foreign={"partition_key": either(wanted.partition_key), "write_number": None},
                )
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
        wanted = WantedApps.checked(partition_key, limit)
        with self._session.operation("list_app_ids", wanted) as store:
            if not wanted.storable:
                return []
            store.open(_FORMAT)
            return store.newest(
                _LIST_APP_IDS_NEWEST,
                {"partition": wanted.partition_key},
                foreign={"partition_key": either(wanted.partition_key), "write_number": None},
                limit=wanted.limit,
            )

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
            store.open(_FORMAT)
            return store.distinct(
                _LIST_PARTITION_KEYS_BY_NAME,
                {},
                limit=wanted.limit,
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


class AsyncMongoDBBasePersister(AsyncBaseStatePersister):
    """Stores states in a MongoDB server or replica set.

    A save is one insert. On a client that was opened here an acknowledged save is on the
    journals of a majority of the servers (`w=majority`, `journal=true`), unless the URI or
    the client's arguments say otherwise; a client that was handed in keeps its own write
    concern. Loads and lists read from the primary. A standalone server whose clock was set
    back across a restart may order new saves before old ones; a replica set does not. After
    somebody has dropped the collection, call `initialize()`: without its indexes every
    record still has its own key, but loads become slow.

    Args:
        client: An open client; it is never closed here.
        db_name: The name of the database.
        collection_name: The name of the collection.
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
        client: pymongo.AsyncMongoClient[Any] | AsyncPymongoSession,
        db_name: str = "mydatabase",
        collection_name: str = "mystates",
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        limits = Limits.checked(connect_timeout, operation_timeout)
        self._session = AsyncPymongoSession.over(client, _FAILURES, limits)
        self._largest_state = largest_state(max_state_bytes, _STATE_BYTES)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)
        self._session.use(db_name, collection_name)

    @property
    def client(self) -> Any:
        """The driver's own client, for what this class does not offer."""
        return self._session.client

    @classmethod
    def from_values(
        cls,
        uri: str = "mongodb://localhost:27017",
        db_name: str = "mydatabase",
        collection_name: str = "mystates",
        serde_kwargs: dict[str, Any] | None = None,
        mongo_client_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Opening[Self]:
        """Build a persister from plain values; it opens its own connection and `cleanup()`
        closes it.

        Args:
            uri: The server or replica set, as MongoDB writes it; it may hold user, password
                and options.
            db_name: The name of the database.
            collection_name: The name of the collection.
            serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
            mongo_client_kwargs: Keyword arguments for the client, such as `username`, `tls`
                or `w`; they win over the URI's options.
            connect_timeout: Seconds that opening a connection may take.
            operation_timeout: Seconds that one operation may take.
            max_state_bytes: The largest encoded state to accept, in bytes of UTF-8; `None`
                leaves it to the store's own limit.
        """
        session = AsyncPymongoSession.opening(
            _FAILURES,
            Limits.checked(connect_timeout, operation_timeout),
            uri=uri,
            mongo_client_kwargs=mongo_client_kwargs,
        )
        persister = cls(
            session,
            db_name=db_name,
            collection_name=collection_name,
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

    @property
    def collection(self) -> Any:
        """The driver's own collection of the records, for what this class does not offer."""
        return self._session.collection

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
        async with self._session.operation("initialize", self._session.place) as store:
            await store.prepare(_FORMAT)

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
        async with self._session.operation("is_initialized", self._session.place) as store:
            return await store.has_all(_FORMAT)

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
        async with self._session.operation("pending_migrations", self._session.place) as store:
            return await store.pending(_FORMAT)

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
            is_shared=None,
        )
        key = {
            "partition_key": either(record.partition_key),
            "app_id": record.app_id,
            "sequence_id": record.sequence_id,
            "position": record.position,
        }
        async with self._session.operation("save", record) as store:
            await store.prepare_once(_FORMAT)
            if record.forms:
                record = record.in_store(await store.is_shared(_FORMAT), self._largest_state)
            document = {
                "_id": record.key_digest,
                "partition_key": or_null(record.partition_key),
                "partition": record.partition_key,
                "app_id": record.app_id,
                "sequence_id": record.sequence_id,
                "position": record.position,
                "status": record.status,
                "state": record.state,
                "created_at": iso(record.created_at),
                "codec": record.codec,
                "write_number": SERVER_ORDER,
            }
            if await store.insert(document, unless=key):
                return
            stored = await store.find(_SAVE_CONFLICTING, key)
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
            await store.open(_FORMAT)
            if sequence_id is not None:
                row = await store.find(
                    _LOAD_AT_SEQUENCE,
                    {
                        "partition_key": either(wanted.partition_key),
                        "app_id": wanted.app_id,
                        "sequence_id": wanted.sequence_id,
                    },
                )
            elif app_id is not None:
                row = await store.find(
                    _LOAD_LATEST,
                    {"partition_key": either(wanted.partition_key), "app_id": wanted.app_id},
                )
            else:
                row = await store.find_either(
                    _LOAD_LATEST_OF_PARTITION,
                    {"partition": wanted.partition_key},
                    foreign={"partition_key": either(wanted.partition_key), "write_number": None},
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
        wanted = WantedApps.checked(partition_key, limit)
        async with self._session.operation("list_app_ids", wanted) as store:
            if not wanted.storable:
                return []
            await store.open(_FORMAT)
            return await store.newest(
                _LIST_APP_IDS_NEWEST,
                {"partition": wanted.partition_key},
                foreign={"partition_key": either(wanted.partition_key), "write_number": None},
                limit=wanted.limit,
            )

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
            await store.open(_FORMAT)
            return await store.distinct(
                _LIST_PARTITION_KEYS_BY_NAME,
                {},
                limit=wanted.limit,
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
        "MongoDBPersister": "use MongoDBBasePersister.from_values(uri, db_name, collection_name, ...), which has the same parameters",
    }
    if name in instead:
        raise ImportError(f"{__name__} has no {name}; {instead[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
