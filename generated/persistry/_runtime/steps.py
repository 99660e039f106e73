"""The statements that `initialize` runs together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Check = Callable[[Sequence[Any] | None], None]


class Step(NamedTuple):
    """A statement, and the query that says whether it is wanted."""

    sql: str
    when: str = ""
    """Where it is given, the step is run only if this gives a row whose first column is true."""
    check: Check | None = None
    """Where it is given, the step is a query, and this raises if its first row forbids the rest."""

    def format_map(self, names: Mapping[str, str]) -> Step:
        """The step with the names of one table."""
        return Step(self.sql.format_map(names), self.when.format_map(names), self.check)


def begun(begin: str, seconds: float) -> str:
    """The SQL that begins a transaction, and tells the store how long that may take."""
    return begin.replace("{milliseconds}", str(max(1, int(seconds * 1000))))


def is_true(row: Sequence[Any] | None) -> bool:
    """Whether a query has answered yes: with a row whose first column is true."""
    return row is not None and bool(row[0])
