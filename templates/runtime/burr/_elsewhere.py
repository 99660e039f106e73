"""What Burr's own persister has left in a store, in a layout that another class goes on with.

An application that changed its import line to the class with the name it knows would find nothing,
and silently begin anew. So, where nothing is found, one more question is asked. A store that both
libraries use, as after a move, which deletes nothing, is fine: there it is found.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from .._runtime.arguments import Wanted, WantedApps
from .._runtime.failures import about, at
from ..errors import StoreVersionError
from ._burr import PACKAGE
from ._states import STATES


def elsewhere(
    persister: Any, kind: Any, operation: str, wanted: Wanted | WantedApps
) -> Generator[Any, Any, None]:
    """Raises StoreVersionError if what is wanted, and was not found, is in the layout of `kind`."""
    if persister._states is not STATES or not wanted.storable:
        return  # a move loads what is not there yet
    app_id = sequence_id = None
    if isinstance(wanted, Wanted):
        app_id = wanted.app_id if wanted.asks_for_app else None
        sequence_id = wanted.sequence_id if wanted.asks_for_sequence else None
    survey = kind._survey_of(persister.namespace)
    key = yield from survey.finding(wanted.partition_key, app_id, sequence_id)
    if key is not None:
        move = "amove" if persister.is_async() else "move"
        here, there = type(persister).__name__, kind.__name__
        raise StoreVersionError(
            f"{about(operation, wanted)}: nothing is there in the layout of {here}, but Apache"
            f" Burr's own persister has left it in this database, under {key!r}. Use"
            f" {PACKAGE}.burr.{there}, which goes on with it, or bring it here once with"
            f" {PACKAGE}.{move}(source, target), from a {there} to a {here}. To begin anew beside"
            f" it, give another namespace{at(persister._session.failures.place)}"
        )
