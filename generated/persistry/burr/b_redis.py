# Code generated from spec/backends/redis.yaml by `make generate`. DO NOT EDIT.
"""Redis for Apache Burr: RedisBasePersister, AsyncRedisBasePersister."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeAlias

from burr.common.types import BaseCopyable
from burr.core.persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from burr.core.state import State as BurrState

from .. import b_redis as own
from .._runtime.arguments import Wanted, WantedApps
from . import b_redis_burr as left_behind
from ._copies import sharing
from ._elsewhere import elsewhere
from ._states import STATES

if TYPE_CHECKING:
    State: TypeAlias = BurrState[Any]

__all__ = ("RedisBasePersister", "AsyncRedisBasePersister")


class RedisBasePersister(own.RedisBasePersister, BaseStatePersister, BaseCopyable):
    """`b_redis.RedisBasePersister` for applications of Burr, with Burr's own `State`."""

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

    def load(  # type: ignore[override]
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Load one stored step; what Burr's own persister has left elsewhere is not passed over."""
        record = super().load(partition_key, app_id, sequence_id, **kwargs)
        if record is None:
            self._look_elsewhere("load", Wanted.checked(partition_key, app_id, sequence_id))
        return record  # type: ignore[return-value]

    def list_app_ids(
        self, partition_key: str | None = None, *, limit: int | None = None, **kwargs: Any
    ) -> list[str]:
        """List the applications of a partition; those left elsewhere are not passed over."""
        found = super().list_app_ids(partition_key, limit=limit, **kwargs)
        if not found and limit != 0:
            self._look_elsewhere("list_app_ids", WantedApps.checked(partition_key, limit))
        return found

    def _look_elsewhere(self, operation: str, wanted: Wanted | WantedApps) -> None:
        with self._session.operation(operation, wanted) as store:
            store.run(elsewhere(self, left_behind.BurrRedisPersister, operation, wanted))

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


class AsyncRedisBasePersister(own.AsyncRedisBasePersister, AsyncBaseStatePersister, BaseCopyable):
    """`b_redis.AsyncRedisBasePersister` for applications of Burr, with Burr's own `State`."""

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

    async def load(  # type: ignore[override]
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Load one stored step; what Burr's own persister has left elsewhere is not passed over."""
        record = await super().load(partition_key, app_id, sequence_id, **kwargs)
        if record is None:
            await self._look_elsewhere("load", Wanted.checked(partition_key, app_id, sequence_id))
        return record  # type: ignore[return-value]

    async def list_app_ids(
        self, partition_key: str | None = None, *, limit: int | None = None, **kwargs: Any
    ) -> list[str]:
        """List the applications of a partition; those left elsewhere are not passed over."""
        found = await super().list_app_ids(partition_key, limit=limit, **kwargs)
        if not found and limit != 0:
            await self._look_elsewhere("list_app_ids", WantedApps.checked(partition_key, limit))
        return found

    async def _look_elsewhere(self, operation: str, wanted: Wanted | WantedApps) -> None:
        async with self._session.operation(operation, wanted) as store:
            await store.run(elsewhere(self, left_behind.AsyncBurrRedisPersister, operation, wanted))

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


def __getattr__(name: str) -> Any:
    instead = {
        "RedisPersister": "use RedisBasePersister.from_values(host, port, db, password, ...), which has the same parameters",
    }
    if name in instead:
        raise ImportError(f"{__name__} has no {name}; {instead[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
