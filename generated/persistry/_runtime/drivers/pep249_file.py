"""Which file a connection has open: a path may come to lead to another one."""

from __future__ import annotations

import os
from typing import NamedTuple, Self


def absolute(db_path: object) -> str:
    """The path of a database, for whenever it is opened: the working directory may change.

    What is no path of a file, as `:memory:`, stays what it is.
    """
    if not isinstance(db_path, (str, os.PathLike)):
        raise TypeError(f"db_path must be a str or a path, not {type(db_path).__name__}")
    path = os.fsdecode(db_path)
    is_file = path and not path.startswith((":memory:", "file:"))
    return os.path.abspath(path) if is_file else path


class File(NamedTuple):
    """A file as it was found: whoever has it open goes on to write to it when its path is gone."""

    path: str
    device: int
    number: int

    @classmethod
    def at(cls, path: object) -> Self | None:
        """The file that the path leads to now; None if there is none."""
        if not isinstance(path, str):
            return None
        try:
            path = os.path.abspath(path)  # the working directory may change
            found = os.stat(path)
        except (OSError, ValueError):
            return None
        return cls(path, found.st_dev, found.st_ino)

    @property
    def is_lost(self) -> bool:
        """Whether it was removed or replaced: nobody else finds what is written to it."""
        return File.at(self.path) != self
