# Code generated from spec/interface.yaml by `make generate`. DO NOT EDIT.
"""The interface that every persister implements, in both colours, and the record it stores.

To write your own persister, subclass `BaseStatePersister` or `AsyncBaseStatePersister`.
"""

from __future__ import annotations

import abc
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict

from ._runtime.migrations import Migration
from .state import State

if TYPE_CHECKING:
    from .b_sqlite3 import SQLitePersister
    from .in_memory import AsyncInMemoryPersister, InMemoryPersister

__all__ = (
    "AsyncBaseStateLoader",
    "AsyncBaseStatePersister",
    "AsyncBaseStateSaver",
    "AsyncInMemoryPersister",
    "BaseStateLoader",
    "BaseStatePersister",
    "BaseStateSaver",
    "InMemoryPersister",
    "PersistedStateData",
    "SQLitePersister",
)


class PersistedStateData(TypedDict):
    """One stored step, the same shape on every store."""

    # Whose application it is (a user, a tenant); `''` is the default partition.
    partition_key: str
    # The application instance.
    app_id: str
    # The number of the step, counted by the application.
    sequence_id: int
    # The name of the action that ran in this step.
    position: str
    # The state after the step; after a failed one the state it started from.
    state: State
    # When it was saved: ISO 8601, UTC, microseconds, ending in `+00:00`.
    created_at: str
    # What the application said of the step, usually `completed` or `failed`.
    status: str


class BaseStateLoader(abc.ABC):
    """Reads stored states. A tracking client that saves by other means may implement this
    alone.
    """

    def is_async(self) -> bool:
        """Say whether the operations are coroutines. A plain method in both colours."""
        return False

    @abc.abstractmethod
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

    @abc.abstractmethod
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
        raise NotImplementedError(f"{type(self).__name__} does not offer list_partition_keys()")


class BaseStateSaver(abc.ABC):
    """Writes states."""

    def is_async(self) -> bool:
        """Say whether the operations are coroutines. A plain method in both colours."""
        return False

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
        raise NotImplementedError(f"{type(self).__name__} must implement is_initialized()")

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
        raise NotImplementedError(f"{type(self).__name__} does not offer pending_migrations()")

    @abc.abstractmethod
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


class BaseStatePersister(BaseStateLoader, BaseStateSaver):
    """Reads and writes states: what an application needs to resume where it was.

    As a context manager it is cleaned up at the end of the block.
    """

    def cleanup(self) -> None:
        """Close what this persister opened; a connection that was handed in stays open.

        May be called twice. Any operation afterwards raises `PersisterClosedError`.
        """

    def close(self) -> None:
        """The same as `cleanup()`."""
        self.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cleanup()


class AsyncBaseStateLoader(abc.ABC):
    """Reads stored states. A tracking client that saves by other means may implement this
    alone.
    """

    def is_async(self) -> bool:
        """Say whether the operations are coroutines. A plain method in both colours."""
        return True

    @abc.abstractmethod
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

    @abc.abstractmethod
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
        raise NotImplementedError(f"{type(self).__name__} does not offer list_partition_keys()")


class AsyncBaseStateSaver(abc.ABC):
    """Writes states."""

    def is_async(self) -> bool:
        """Say whether the operations are coroutines. A plain method in both colours."""
        return True

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
        raise NotImplementedError(f"{type(self).__name__} must implement is_initialized()")

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
        raise NotImplementedError(f"{type(self).__name__} does not offer pending_migrations()")

    @abc.abstractmethod
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


class AsyncBaseStatePersister(AsyncBaseStateLoader, AsyncBaseStateSaver):
    """Reads and writes states: what an application needs to resume where it was.

    As a context manager it is cleaned up at the end of the block.
    """

    async def cleanup(self) -> None:
        """Close what this persister opened; a connection that was handed in stays open.

        May be called twice. Any operation afterwards raises `PersisterClosedError`.
        """

    async def close(self) -> None:
        """The same as `cleanup()`."""
        await self.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.cleanup()


# The classes that the library's own documents name in this module; resolved when asked for.
_HERE = {
    "AsyncInMemoryPersister": "in_memory",
    "InMemoryPersister": "in_memory",
    "SQLitePersister": "b_sqlite3",
}


def __getattr__(name: str) -> Any:
    instead = {
        "SQLLitePersister": "use SQLitePersister, which has the same parameters",
    }
    if name in instead:
        raise ImportError(f"{__name__} has no {name}; {instead[name]}")
    if name not in _HERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ._runtime.lazy import load_class

    return load_class(_HERE[name], name)
