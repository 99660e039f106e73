# Code generated from spec/backends/mariadb.yaml by `make generate`. DO NOT EDIT.
"""MariaDB for Apache Burr: MariaDBPersister."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeAlias

from burr.common.types import BaseCopyable
from burr.core.persistence import BaseStatePersister, PersistedStateData
from burr.core.state import State as BurrState

from .. import b_pymysql as own
from ._copies import sharing
from ._states import STATES

if TYPE_CHECKING:
    State: TypeAlias = BurrState[Any]

__all__ = ("MariaDBPersister",)


class MariaDBPersister(own.MariaDBPersister, BaseStatePersister, BaseCopyable):
    """`b_pymysql.MariaDBPersister` for applications of Burr, with Burr's own `State`."""

    _states = STATES

    def copy(self) -> Self:
        """Return a persister of the same settings, for another thread, task or sub-application.

        It uses what this one has opened, as long as it can; otherwise it connects anew.
        """
        return sharing(self, super().copy())

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
