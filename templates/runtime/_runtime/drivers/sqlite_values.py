"""What a SQLite connection is opened with; the same for both drivers."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..limits import Limits
from . import sqlite_forks
from .pep249_file import absolute

# The share of the operation's time that SQLite may wait for other connections' locks. The rest is
# for the statement itself, so that the error is SQLite's own ("locked") and comes in time.
LOCK_SHARE = 0.9

# The longest wait for a lock, in milliseconds: SQLite keeps it in a C int.
_LONGEST_WAIT = 2**31 - 1

# How long switching the journal mode may wait for readers, in milliseconds. It is tried again by
# the next initialize(); waiting longer would only delay this one.
CONFIGURE_WAIT = 100


@dataclass(frozen=True)
class SqliteValues:
    """A database, the driver's keyword arguments, and the statements for each new connection."""

    db_path: str
    connect_kwargs: dict[str, Any] = field(default_factory=dict)
    on_open: tuple[str, ...] = ()

    @classmethod
    def checked(
        cls,
        *,
        db_path: str | os.PathLike[str],
        connect_kwargs: dict[str, Any] | None = None,
        on_open: Sequence[str] = (),
    ) -> SqliteValues:
        path = absolute(db_path)
        if connect_kwargs is not None and not isinstance(connect_kwargs, dict):
            raise TypeError(
                f"connect_kwargs must be a dict or None, not {type(connect_kwargs).__name__}"
            )
        return cls(path, dict(connect_kwargs or {}), tuple(on_open))

    @property
    def alone(self) -> bool:
        """Whether the database exists in one connection only (in memory, or without a name)."""
        path, _, query = self.db_path.partition("?")
        if path in ("", ":memory:", "file:", "file::memory:"):
            return True
        return path.startswith("file:") and "mode=memory" in query.split("&")

    def file(self) -> tuple[int, int] | None:
        """Which file the path leads to now; None if there is none, or only SQLite knows."""
        try:
            found = os.stat(self.db_path)
        except (OSError, ValueError):
            return None
        return found.st_dev, found.st_ino

    def arguments(self, limits: Limits) -> dict[str, Any]:
        """Keyword arguments for the driver's `connect`."""
        arguments = {"isolation_level": None, "cached_statements": 256} | self.connect_kwargs
        wait = arguments.get("timeout", limits.operation)
        if isinstance(wait, (int, float)):
            wait = min(wait, lock_wait(limits) / 1000)
        # Threads take turns whatever the keyword says: sqlite3's own check would forbid that.
        return arguments | {"timeout": wait, "check_same_thread": False}

    @staticmethod
    def to_pickle(session: object, values: SqliteValues | None) -> SqliteValues:
        """The values for the pickle of a session, if it can be opened anew from them."""
        if values is None:
            raise TypeError(
                f"{type(session).__name__} over a connection that was handed in cannot be pickled:"
                " build the persister with from_values()"
            )
        if values.alone:
            raise TypeError(
                f"{type(session).__name__} of {values.db_path!r} cannot be pickled: the database"
                " exists in this process only; use a file"
            )
        return values


def lock_wait(limits: Limits) -> int:
    """How long a statement may wait for other connections' locks, in milliseconds."""
    return min(int(LOCK_SHARE * limits.operation * 1000), _LONGEST_WAIT)


def open_connection(values: SqliteValues, limits: Limits) -> tuple[sqlite3.Connection, int]:
    """A new connection, and how long it waits for locks, in milliseconds."""
    with sqlite_forks.opening():
        connection: sqlite3.Connection = sqlite3.connect(values.db_path, **values.arguments(limits))
    try:
        for statement in values.on_open:
            connection.execute(statement).close()
        ((wait,),) = rows(connection, "PRAGMA busy_timeout")
    except BaseException:
        connection.close()
        raise
    return connection, wait


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


def stands_in_the_way(exc: sqlite3.Error) -> bool:
    """Whether `configure` may leave the modes as they are after this error.

    That a file cannot be written is told by the statements that need to write.
    """
    return getattr(exc, "sqlite_errorname", "").startswith(
        ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY")
    )


def check_text_factory(factory: object) -> None:
    if factory is not str:
        raise ValueError(
            f"the connection's text_factory is {factory!r}: a persister needs str, the default"
        )
