# Code generated from spec/backends/redis_burr.yaml by `make generate`. DO NOT EDIT.
"""Redis (layout of Apache Burr) for Apache Burr: BurrRedisPersister, AsyncBurrRedisPersister."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeAlias

from burr.common.types import BaseCopyable
from burr.core.persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from burr.core.state import State as BurrState

from .. import b_redis_burr as own
from ._copies import sharing
from ._states import STATES

if TYPE_CHECKING:
    State: TypeAlias = BurrState[Any]

__all__ = ("BurrRedisPersister", "AsyncBurrRedisPersister")


class BurrRedisPersister(own.BurrRedisPersister, BaseStatePersister, BaseCopyable):
    """`b_redis_burr.BurrRedisPersister` for applications of Burr, with Burr's own `State`."""

    _states = STATES

    def copy(self) -> Self:
        """Return a persister of the same settings, for another thread, task or sub-application.

        It uses what this one has opened, as long as it can; otherwise it connects anew.
        """
        return sharing(self, super().copy())

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


class AsyncBurrRedisPersister(own.AsyncBurrRedisPersister, AsyncBaseStatePersister, BaseCopyable):
    """`b_redis_burr.AsyncBurrRedisPersister` for applications of Burr, with Burr's own `State`."""

    _states = STATES

    def copy(self) -> Self:
        """Return a persister of the same settings, for another thread, task or sub-application.

        It uses what this one has opened, as long as it can; otherwise it connects anew.
        """
        return sharing(self, super().copy())

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
