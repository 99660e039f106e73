"""A sqlite3 connection, opened when it is first needed, and whose turn it is to use it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING

from ..limits import Limits
from . import sqlite_forks
from .sqlite_shared import SharedLink, of_the_parent
from .sqlite_values import SqliteValues, lock_wait, open_connection, rows

if TYPE_CHECKING:
    from .sqlite3_session import Turn


class Link(SharedLink[sqlite3.Connection]):
    """One connection for one session, or for the copies that have to share it.

    Whoever has the turn may call `ready`, `settle` and `leave`.
    """

    def __init__(self, values: SqliteValues | None, connection: sqlite3.Connection | None) -> None:
        super().__init__(values, connection)
        # An RLock knows whose it is: its release() refuses a thread that does not have it.
        self.turn = threading.RLock()
        self.holder: Turn | None = None
        self._under_way = False
        self._stopped = 0
        sqlite_forks.watch(self)

    def leave(self) -> None:
        """One session less; the last one closes what was opened here, or gives it back."""
        last = self.left_by_all()
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

    def before_fork(self, seconds: float) -> None:
        if self.inherited or self._stopped == threading.get_ident():
            return
        holder = self.holder
        # It may be this very thread that is in the middle of something.
        mine = holder is not None and holder.mine
        self._midway = mine or not self.turn.acquire(timeout=seconds)
        if not self._midway:
            self._stopped = threading.get_ident()
            if (connection := self.connection) and not self.shared:
                self.connection, self._prepared = None, False
                with contextlib.suppress(sqlite3.Error):
                    connection.close()

    def after_fork(self) -> None:
        if self._stopped == threading.get_ident():
            self._stopped = 0
            self.turn.release()
        if self.inherited and self.connection and not self.shared:
            of_the_parent.append(self)

    def ready(self, limits: Limits) -> sqlite3.Connection:
        """The connection, with no transaction open."""
        self._leave_lost_file()
        interrupted, self._under_way = self._under_way, True
        connection = self.connection
        if connection is None:
            assert self.values is not None
            connection, self.wait = open_connection(self.values, limits)
            self.connection, self._prepared = connection, True
            self._file = self.values.file()
        elif not self._prepared:
            self._take_over(connection, limits)
        elif connection.in_transaction:
            # The owner of a connection may have begun it; what was interrupted is not to be kept.
            connection.execute("ROLLBACK" if interrupted else "COMMIT")
        return connection

    def _leave_lost_file(self) -> None:
        """Close a connection whose file was deleted or replaced: SQLite would save on to it."""
        connection, values = self.connection, self.values
        if connection and values and self._file and self._file != values.file():
            self.connection, self._prepared = None, False
            connection.close()

    def settle(self, failed: bool) -> None:
        """Leave no transaction behind, except the one that the owner's mode asks for."""
        if not self._under_way:
            return
        if (connection := self.connection) and (failed or self._always_in_transaction):
            # The failure itself is reported, and what its owner closed cannot be rolled back.
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if self._always_in_transaction:
                    connection.execute("BEGIN")
        self._under_way = False

    def _take_over(self, connection: sqlite3.Connection, limits: Limits) -> None:
        """Prepare a connection that was handed in: it is ours alone as long as we live."""
        self.wait = lock_wait(limits)
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
