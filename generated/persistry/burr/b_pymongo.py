# Code generated from spec/backends/mongodb.yaml by `make generate`. DO NOT EDIT.
"""MongoDB for Apache Burr: MongoDBBasePersister, AsyncMongoDBBasePersister."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeAlias

from burr.common.types import BaseCopyable
from burr.core.persistence import AsyncBaseStatePersister, BaseStatePersister, PersistedStateData
from burr.core.state import State as BurrState

from .. import b_pymongo as own
from ._copies import sharing
from ._states import STATES

if TYPE_CHECKING:
    State: TypeAlias = BurrState[Any]

__all__ = ("MongoDBBasePersister", "AsyncMongoDBBasePersister")


class MongoDBBasePersister(own.MongoDBBasePersister, BaseStatePersister, BaseCopyable):
    """`b_pymongo.MongoDBBasePersister` for applications of Burr, with Burr's own `State`."""

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


class AsyncMongoDBBasePersister(
    own.AsyncMongoDBBasePersister, AsyncBaseStatePersister, BaseCopyable
):
    """`b_pymongo.AsyncMongoDBBasePersister` for applications of Burr, with Burr's own `State`."""

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


def __getattr__(name: str) -> Any:
    instead = {
        "MongoDBPersister": "use MongoDBBasePersister.from_values(uri, db_name, collection_name, ...), which has the same parameters",
    }
    if name in instead:
        raise ImportError(f"{__name__} has no {name}; {instead[name]}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
