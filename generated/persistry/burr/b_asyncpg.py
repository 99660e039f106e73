# Code generated from spec/backends/postgresql.yaml by `make generate`. DO NOT EDIT.
"""PostgreSQL for Apache Burr: AsyncPostgreSQLPersister."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeAlias

from burr.common.types import BaseCopyable
from burr.core.persistence import AsyncBaseStatePersister, PersistedStateData
from burr.core.state import State as BurrState

from .. import b_asyncpg as own
from ._copies import sharing
from ._states import STATES

if TYPE_CHECKING:
    State: TypeAlias = BurrState[Any]

__all__ = ("AsyncPostgreSQLPersister",)


class AsyncPostgreSQLPersister(own.AsyncPostgreSQLPersister, AsyncBaseStatePersister, BaseCopyable):
    """`b_asyncpg.AsyncPostgreSQLPersister` for applications of Burr, with Burr's own `State`."""

    _states = STATES

    def copy(self) -> Self:
        """Return a persister of the same settings, for another thread, task or sub-application.

        It uses what this one has opened, as long as it can; otherwise it connects anew.
        """
        return sharing(self, super().copy())

    @classmethod
    async def create_pool(  # type: ignore[override]
        cls,
        user: str,
        password: str | None,
        database: str,
        host: str,
        port: int,
        **pool_kwargs: Any,
    ) -> Any:
        """Open a pool to hand in as `pool`; in the order and with the names that Burr has."""
        return await super().create_pool(database, user, password, host, port, **pool_kwargs)

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
