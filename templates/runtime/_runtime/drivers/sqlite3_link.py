"""A sqlite3 connection, opened when it is first needed, and whose turn it is to use it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading

from ...errors import PersisterError
from ..limits import Limits
from .sqlite_values import LOCK_SHARE, SqliteValues, open_connection, rows

# Connections that a forked process got from its parent: closing them could disturb the parent's
# files, so they are kept.
_of_the_parent: list[Link] = []


class Link:
    """One connection for one session, or for the copies that have to share it.

    Whoever has the turn may call `ready`, `settle` and `leave`.
    """

    def __init__(self, values: SqliteValues | None, connection: sqlite3.Connection | None) -> None:
        self.values = values
        self.connection = connection
        self.turn = threading.Lock()
        self.wait = 0
        self._wait_before = 0
        self._prepared = False
        self._file: tuple[int, int] | None = None
        self._always_in_transaction = False
        self._sharers = 1
        self._counting = threading.Lock()
        self._pid = os.getpid()

    @property
    def shared(self) -> bool:
        """Whether copies of a session use this very connection."""
        return self.values is None or self.values.alone

    def joined(self) -> Link:
        """The link for a copy of a session."""
        if not self.shared:
            return Link(self.values, None)
        with self._counting:
            self._sharers += 1
        return self

    def leave(self) -> None:
        """One session less; the last one closes what was opened here, or gives it back."""
        with self._counting:
            self._sharers -= 1
            last = self._sharers == 0
        connection, prepared = self.connection, self._prepared
        if not last or connection is None or not prepared:
            return
        self._prepared = False
        if self.values:
            self.connection = None
            connection.close()
        else:
            with contextlib.suppress(sqlite3.Error):  # Its owner may have closed it.
                connection.execute(f"PRAGMA busy_timeout = {self._wait_before}")

    @property
    def inherited(self) -> bool:
        """Whether this is a forked process: its parent's connection must not be used here."""
        return self._pid != os.getpid()

    def anew(self) -> Link:
        """The link to use in a forked process."""
        if self.shared:
            raise PersisterError(
                "this persister's connection belongs to the process that opened it;"
                " build another persister in this one"
            )
        _of_the_parent.append(self)
        return Link(self.values, None)

    def ready(self, limits: Limits) -> sqlite3.Connection:
        """The connection, with no transaction open."""
        self._leave_lost_file()
        connection = self.connection
        if connection is None:
            assert self.values is not None
            connection, self.wait = open_connection(self.values, limits)
            self.connection, self._prepared = connection, True
            self._file = self.values.file()
        elif not self._prepared:
            self._take_over(connection, limits)
        elif connection.in_transaction:
            connection.execute("COMMIT")
        return connection

    def _leave_lost_file(self) -> None:
        """Close a connection whose file was deleted or replaced: SQLite would save on to it."""
        connection, values = self.connection, self.values
        if connection and values and self._file and self._file != values.file():
            self.connection, self._prepared = None, False
            connection.close()

    def settle(self, failed: bool) -> None:
        """Leave no transaction behind, except the one that the owner's mode asks for."""
        if (connection := self.connection) and (failed or self._always_in_transaction):
            # The failure itself is reported, and what its owner closed cannot be rolled back.
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if self._always_in_transaction:
                    connection.execute("BEGIN")

    def _take_over(self, connection: sqlite3.Connection, limits: Limits) -> None:
        """Prepare a connection that was handed in: it is ours alone as long as we live."""
        self.wait = int(LOCK_SHARE * limits.operation * 1000)
        ((self._wait_before,),) = rows(connection, "PRAGMA busy_timeout")
        connection.execute(f"PRAGMA busy_timeout = {self.wait}").close()
        if connection.in_transaction:
            connection.execute("COMMIT")
            try:
                connection.commit()
            except sqlite3.OperationalError:
                # Only `autocommit=False` (Python 3.12) misses its transaction here. It gets one
                # back after each operation; during one it would keep others waiting.
                self._always_in_transaction = True
        self._prepared = True
