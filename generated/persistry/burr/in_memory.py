# Code generated from spec/backends/memory.yaml by `make generate`. DO NOT EDIT.
"""Memory for Apache Burr: InMemoryPersister, AsyncInMemoryPersister."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from burr.common.types import BaseCopyable
from burr.core.persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from burr.core.state import State as BurrState

from .. import in_memory as own
from ._states import STATES

if TYPE_CHECKING:
    State: TypeAlias = BurrState[Any]

__all__ = ("InMemoryPersister", "AsyncInMemoryPersister")


class InMemoryPersister(own.InMemoryPersister, BaseStatePersister, BaseCopyable):
    """`in_memory.InMemoryPersister` for applications of Burr, with Burr's own `State`."""

    _states = STATES

    def is_initialized(self) -> bool:
        """Return True: the first save prepares what is missing, and Burr, which asks before it
        builds an application, is not to insist on `initialize()`.
        """
        super().is_initialized()
        return True

    if TYPE_CHECKING:

        def save(  # type: ignore[override]
            self,
            partition_key: str | None,
            app_id: str,
            sequence_id: int,
            position: str,
            state: State,
            status: str,
            **kwargs: Any,
        ) -> None: ...

        def load(  # type: ignore[override]
            self,
            partition_key: str | None,
            app_id: str | None,
            sequence_id: int | None = None,
            **kwargs: Any,
        ) -> PersistedStateData | None: ...


class AsyncInMemoryPersister(own.AsyncInMemoryPersister, AsyncBaseStatePersister, BaseCopyable):
    """`in_memory.AsyncInMemoryPersister` for applications of Burr, with Burr's own `State`."""

    _states = STATES

    async def is_initialized(self) -> bool:
        """Return True: the first save prepares what is missing, and Burr, which asks before it
        builds an application, is not to insist on `initialize()`.
        """
        await super().is_initialized()
        return True

    if TYPE_CHECKING:

        async def save(  # type: ignore[override]
            self,
            partition_key: str | None,
            app_id: str,
            sequence_id: int,
            position: str,
            state: State,
            status: str,
            **kwargs: Any,
        ) -> None: ...

        async def load(  # type: ignore[override]
            self,
            partition_key: str | None,
            app_id: str | None,
            sequence_id: int | None = None,
            **kwargs: Any,
        ) -> PersistedStateData | None: ...
