"""The statements that `initialize` runs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import StoreVersionError
from .failures import about


class Step(NamedTuple):
    """A statement, and the query that says whether it is wanted."""

    sql: str
    when: str = ""
    """Where it is given, the step is run only if this gives a row whose first column is true."""

    def format_map(self, names: Mapping[str, str]) -> Step:
        """The step with the names of one table."""
        return Step(self.sql.format_map(names), self.when.format_map(names))


def is_true(row: Sequence[Any] | None) -> bool:
    """Whether a query has answered yes: with a row whose first column is true."""
    return row is not None and bool(row[0])


def not_created(key: object) -> StoreVersionError:
    """The error where something is missing although all was created without a word."""
    return StoreVersionError(
        f"{about('initialize', key)}: something else has the name of the table, or of an index or"
        " a table that belongs to it; give another table_name, or remove what stands there"
    )
