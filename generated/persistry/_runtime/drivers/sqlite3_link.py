"""A sqlite3 connection, opened when it is first needed, and whose turn it is to use it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

from ...errors import PersisterError
from ..limits import Limits
from .sqlite_values import LOCK_SHARE, SqliteValues, naming

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
        self._prepared = False
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
        """One session less; the last one closes what was opened here."""
        with self._counting:
            self._sharers -= 1
            last = self._sharers == 0
        if last and self.values and self.connection:
            connection, self.connection, self._prepared = self.connection, None, False
            connection.close()

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
        connection = self.connection
        if connection is None:
            connection = self._open(limits)
        elif not self._prepared:
            self._take_over(connection, limits)
        elif connection.in_transaction:
            connection.execute("COMMIT")
        return connection

    def settle(self, failed: bool) -> None:
        """Leave no transaction behind, except the one that the owner's mode asks for."""
        if (connection := self.connection) and (failed or self._always_in_transaction):
            # The failure itself is reported, and what its owner closed cannot be rolled back.
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if self._always_in_transaction:
                    connection.execute("BEGIN")

    def _open(self, limits: Limits) -> sqlite3.Connection:
        assert self.values is not None
        with naming(self.values.db_path, sqlite3.OperationalError):
            connection: sqlite3.Connection = sqlite3.connect(
                self.values.db_path, **self.values.arguments(limits)
            )
        try:
            for statement in self.values.on_open:
                connection.execute(statement).close()
            ((self.wait,),) = rows(connection, "PRAGMA busy_timeout")
        except BaseException:
            connection.close()
            raise
        self.connection, self._prepared = connection, True
        return connection

    def _take_over(self, connection: sqlite3.Connection, limits: Limits) -> None:
        """Prepare a connection that was handed in: it is ours alone as long as we live."""
        self.wait = int(LOCK_SHARE * limits.operation * 1000)
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


def rows(
    connection: sqlite3.Connection, sql: str, parameters: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """All rows, as tuples whatever the connection's row_factory is."""
    cursor = connection.cursor()
    cursor.row_factory = None
    try:
        return cursor.execute(sql, parameters).fetchall()
    finally:
        # After an error, too: an unfinished query keeps a read lock as long as its cursor lives.
        cursor.close()
