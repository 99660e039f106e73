"""What a row of the tables of `test_rules` says."""

from __future__ import annotations

from typing import NamedTuple

from persistry.errors import PersisterError


class Row(NamedTuple):
    """An exception of a driver, and the error that it becomes."""

    exc: BaseException
    error: type[PersisterError]
    words: str
    may_have_saved: bool = False
    repeat: bool = False
