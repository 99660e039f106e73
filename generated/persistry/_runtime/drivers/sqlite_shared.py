"""What the links of both drivers of SQLite have in common: who shares a connection, and forks."""

from __future__ import annotations

import os
import weakref
from typing import Any, Generic, Self, TypeVar, cast

from . import sqlite_forks
from .sqlite_values import SqliteValues

Connection = TypeVar("Connection")

# Links whose connection a forked process got from its parent. Were one collected, the connection
# would be closed by rules that do not hold here: SQLite believes that this process has the parent's
# locks, and could delete the WAL that the parent writes to.
of_the_parent: list[SharedLink[Any]] = []

# The links over connections that were handed in: two persisters over one have to take turns. By id,
# as a connection of sqlite3 takes no weak reference; its link keeps it alive.
_handed_in: weakref.WeakValueDictionary[int, SharedLink[Any]] = weakref.WeakValueDictionary()


class SharedLink(Generic[Connection]):
    """One connection for one session, or for the copies that have to share it."""

    def __init__(self, values: SqliteValues | None, connection: Connection | None) -> None:
        self.values = values
        self.connection = connection
        self.wait = 0
        self._wait_before = 0
        self._prepared = False
        self._file: tuple[int, int] | None = None
        self._always_in_transaction = False
        self._midway = False
        self._sharers = 1
        self._pid = os.getpid()

    @classmethod
    def over(cls, connection: Connection) -> Self:
        """The one link over a connection that was handed in."""
        with sqlite_forks.whole:
            found = cast("Self | None", _handed_in.get(id(connection)))
            link = found.joined() if found else None
            if link is None:
                link = _handed_in[id(connection)] = cls(None, connection)
            return link

    @property
    def shared(self) -> bool:
        """Whether copies of a session use this very connection."""
        return self.values is None or self.values.alone

    def joined(self) -> Self | None:
        """The link for one more session; None if the last one has left it.

        A database in memory would be another, empty one if it were opened again.
        """
        if self.inherited:
            return self.anew()
        if not self.shared:
            return type(self)(self.values, None)
        with sqlite_forks.whole:
            if self._sharers == 0:
                return None
            self._sharers += 1
        return self

    def left_by_all(self) -> bool:
        """One session less; whether it was the last."""
        with sqlite_forks.whole:
            self._sharers -= 1
            return self._sharers == 0

    @property
    def inherited(self) -> bool:
        """Whether this is a forked process: its parent's connection must not be used here."""
        return self._pid != os.getpid()

    def anew(self) -> Self:
        """The link to use in a forked process."""
        sqlite_forks.refuse(shared=self.shared, midway=self._midway)
        return type(self)(self.values, None)
