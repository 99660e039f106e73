"""The reference: persisters that keep states in this process, written by hand.

They are the promise in its plainest form. The matrix holds every generated class and these to the
same cases, so that a mistake in the spec and in the cases alike would have to be made here as well.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self

from ._runtime.arguments import (
    Row,
    Wanted,
    WantedApps,
    WantedPartitions,
    config_arguments,
    refuse_unknown,
)
from ._runtime.awaitable import Opening
from ._runtime.limits import Limits
from ._runtime.migrations import Migration
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of
from ._runtime.states import OWN_STATES, States
from .errors import PersisterClosedError
from .persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from .state import State

__all__ = ("AsyncInMemoryPersister", "InMemoryPersister")

_UNLIMITED = 2**63 - 1


@dataclass
class _Memory:
    """The records by their keys, in the order of saving; a persister and its copies share one."""

    records: dict[tuple[str, str, int, str], NewRecord] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def save(self, record: NewRecord) -> Row | None:
        """The status, state and codec that are there already; None if the record was saved."""
        key = (record.partition_key, record.app_id, record.sequence_id, record.position)
        with self.lock:
            stored = self.records.setdefault(key, record)
        return None if stored is record else (stored.status, stored.state, stored.codec)

    def find(self, wanted: Wanted) -> Row | None:
        found = self.of_partition(wanted.partition_key)
        if wanted.asks_for_app:
            found = [it for it in found if it.app_id == wanted.app_id]
        if wanted.asks_for_sequence:
            found = [it for it in found if it.sequence_id == wanted.sequence_id]
        elif wanted.asks_for_app:
            highest = max((it.sequence_id for it in found), default=0)
            found = [it for it in found if it.sequence_id == highest]
        if not found:
            return None
        it = found[-1]
        return it.app_id, it.sequence_id, it.position, it.status, it.state, it.created_at, it.codec

    def newest(self, wanted: WantedApps) -> list[str]:
        found = self.of_partition(wanted.partition_key)
        return list(dict.fromkeys(it.app_id for it in reversed(found)))[: wanted.limit]

    def partitions(self, wanted: WantedPartitions) -> list[str]:
        with self.lock:
            return sorted({it.partition_key for it in self.records.values()})[: wanted.limit]

    def of_partition(self, partition_key: str) -> list[NewRecord]:
        with self.lock:
            return [it for it in self.records.values() if it.partition_key == partition_key]


class _Shared:
    """What both colours do alike."""

    PARTITION_KEY_DEFAULT = ""
    _states: States = OWN_STATES

    def __init__(
        self,
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> None:
        Limits.checked(connect_timeout, operation_timeout)
        self._memory = _Memory()
        self._closed = False
        self._largest_state = largest_state(max_state_bytes, _UNLIMITED)
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)

    def set_serde_kwargs(self, serde_kwargs: dict[str, Any] | None) -> None:
        """Replace (not merge) the keyword arguments of the state's serialize and deserialize."""
        self.serde_kwargs = serde_kwargs_of(serde_kwargs)

    def copy(self) -> Self:
        """Return a persister on the same memory."""
        self._refuse_closed()
        return self._twin()

    def _with_states(self, states: States) -> Self:
        """Another one on the same memory, which takes and gives other states."""
        twin = self._twin()
        twin._states = states
        return twin

    def _twin(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} cannot be pickled: its data lives in this process. Use copy() "
            "for another thread, or a store such as SQLite for another process"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {len(self._memory.records)} records>"

    def _refuse_closed(self) -> None:
        if self._closed:
            raise PersisterClosedError(
                "the persister was closed by cleanup(); build another one, or copy() it before"
            )

    def _save(
        self,
        partition_key: object,
        app_id: object,
        sequence_id: object,
        position: object,
        state: object,
        status: object,
    ) -> None:
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
        self._refuse_closed()
        stored = self._memory.save(record)
        if stored is not None:
            record.accept(stored)

    def _load(
        self, partition_key: object, app_id: object, sequence_id: object
    ) -> PersistedStateData | None:
        wanted = Wanted.checked(partition_key, app_id, sequence_id)
        self._refuse_closed()
        return wanted.record(self._memory.find(wanted), self.serde_kwargs, states=self._states)

    def _list(self, partition_key: object, limit: object) -> list[str]:
        wanted = WantedApps.checked(partition_key, limit)
        self._refuse_closed()
        return self._memory.newest(wanted)

    def _list_partitions(self, limit: object) -> list[str]:
        wanted = WantedPartitions.checked(limit)
        self._refuse_closed()
        return self._memory.partitions(wanted)


class InMemoryPersister(_Shared, BaseStatePersister):
    """Keeps states in this process; they are gone when it ends. Copies share them.

    Args:
        serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
        connect_timeout: As on every class; nothing here waits.
        operation_timeout: As on every class; nothing here waits.
        max_state_bytes: The largest encoded state to accept, in bytes of UTF-8.
    """

    @classmethod
    def from_values(
        cls,
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Self:
        """Build a persister with a memory of its own."""
        return cls(
            serde_kwargs,
            connect_timeout=connect_timeout,
            operation_timeout=operation_timeout,
            max_state_bytes=max_state_bytes,
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Build a persister from a dictionary whose keys are the parameters of `from_values`."""
        return cls.from_values(**config_arguments(config, cls.from_values))

    def initialize(self) -> None:
        """There is nothing to prepare."""
        self._refuse_closed()

    def is_initialized(self) -> bool:
        """Return True: there is nothing to prepare."""
        self._refuse_closed()
        return True

    def pending_migrations(self) -> list[Migration]:
        """Return nothing: what is stored here is never older than this process."""
        self._refuse_closed()
        return []

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
        """Store the state after a step; see `BaseStateSaver.save`."""
        refuse_unknown("save", kwargs)
        self._save(partition_key, app_id, sequence_id, position, state, status)

    def load(
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Load one stored step, or None; see `BaseStateLoader.load`."""
        refuse_unknown("load", kwargs)
        return self._load(partition_key, app_id, sequence_id)

    def list_app_ids(
        self, partition_key: str | None = None, *, limit: int | None = None, **kwargs: Any
    ) -> list[str]:
        """List the applications of a partition, most recently saved first."""
        refuse_unknown("list_app_ids", kwargs)
        return self._list(partition_key, limit)

    def list_partition_keys(self, *, limit: int | None = None, **kwargs: Any) -> list[str]:
        """List the partitions that have a record, by name."""
        refuse_unknown("list_partition_keys", kwargs)
        return self._list_partitions(limit)

    def cleanup(self) -> None:
        """End the use of this persister; its copies go on."""
        self._closed = True


class AsyncInMemoryPersister(_Shared, AsyncBaseStatePersister):
    """Keeps states in this process, for coroutines; they are gone when it ends. Copies share them.

    Args:
        serde_kwargs: Keyword arguments for the state's `serialize` and `deserialize`.
        connect_timeout: As on every class; nothing here waits.
        operation_timeout: As on every class; nothing here waits.
        max_state_bytes: The largest encoded state to accept, in bytes of UTF-8.
    """

    @classmethod
    def from_values(
        cls,
        serde_kwargs: dict[str, Any] | None = None,
        *,
        connect_timeout: float = 10.0,
        operation_timeout: float = 30.0,
        max_state_bytes: int | None = None,
    ) -> Opening[Self]:
        """Build a persister with a memory of its own; await it, or enter it with `async with`."""
        persister = cls(
            serde_kwargs,
            connect_timeout=connect_timeout,
            operation_timeout=operation_timeout,
            max_state_bytes=max_state_bytes,
        )

        async def opened() -> Self:
            return persister

        return Opening(opened)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Opening[Self]:
        """Build a persister from a dictionary whose keys are the parameters of `from_values`."""
        return cls.from_values(**config_arguments(config, cls.from_values))

    async def initialize(self) -> None:
        """There is nothing to prepare."""
        self._refuse_closed()

    async def is_initialized(self) -> bool:
        """Return True: there is nothing to prepare."""
        self._refuse_closed()
        return True

    async def pending_migrations(self) -> list[Migration]:
        """Return nothing: what is stored here is never older than this process."""
        self._refuse_closed()
        return []

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
        """Store the state after a step; see `AsyncBaseStateSaver.save`."""
        refuse_unknown("save", kwargs)
        self._save(partition_key, app_id, sequence_id, position, state, status)

    async def load(
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Load one stored step, or None; see `AsyncBaseStateLoader.load`."""
        refuse_unknown("load", kwargs)
        return self._load(partition_key, app_id, sequence_id)

    async def list_app_ids(
        self, partition_key: str | None = None, *, limit: int | None = None, **kwargs: Any
    ) -> list[str]:
        """List the applications of a partition, most recently saved first."""
        refuse_unknown("list_app_ids", kwargs)
        return self._list(partition_key, limit)

    async def list_partition_keys(self, *, limit: int | None = None, **kwargs: Any) -> list[str]:
        """List the partitions that have a record, by name."""
        refuse_unknown("list_partition_keys", kwargs)
        return self._list_partitions(limit)

    async def cleanup(self) -> None:
        """End the use of this persister; its copies go on."""
        self._closed = True
