"""SQLite through the standard library: one connection, which threads use in turn."""

from __future__ import annotations

import contextlib
import inspect
import sqlite3
from collections.abc import Sequence
from threading import get_ident
from types import TracebackType
from typing import Any, Self

from ...errors import NotInitializedError, PersisterError
from ..failures import Failures, about
from ..limits import Deadline, Limits
from ..steps import Step, is_true
from .sqlite3_link import Link
from .sqlite_values import (
    CONFIGURE_WAIT,
    LOCK_SHARE,
    SqliteValues,
    check_text_factory,
    rows,
    stands_in_the_way,
)


class Sqlite3Session:
    """A persister's access to its database; any number of threads may share it."""

    is_here = True
    """Whether it can be used here without taking it away from somebody: by any thread."""

    def __init__(self, link: Link, failures: Failures, limits: Limits) -> None:
        self.failures = failures.at(repr(link.values.db_path) if link.values else "")
        self.limits = limits
        self.closed = False
        self._link = link

    @classmethod
    def opening(cls, failures: Failures, limits: Limits, **values: Any) -> Sqlite3Session:
        """A session that opens its own connection when it is first needed."""
        return cls(Link(SqliteValues.checked(**values), None), failures, limits)

    @classmethod
    def over(cls, connection: Any, failures: Failures, limits: Limits) -> Sqlite3Session:
        """A session over a connection that was handed in; a session is taken as it is."""
        if isinstance(connection, cls):
            return connection
        if not isinstance(connection, sqlite3.Connection):
            raise TypeError(
                f"connection must be a sqlite3.Connection, not {type(connection).__name__}"
            )
        check_text_factory(connection.text_factory)
        return cls(Link.over(connection), failures, limits)

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `with session.operation("save", key) as do: do.execute(...)`."""
        return Operation(self, name, key)

    @property
    def opened_here(self) -> bool:
        return self._link.values is not None

    @property
    def connection(self) -> sqlite3.Connection:
        """The driver's connection; opened now if it is not yet."""
        if self.opened_here:
            with self.operation("connect"):
                pass
        connection = self._link.connection
        assert connection is not None
        return connection

    def copy(self) -> Sqlite3Session:
        """A session of the same values; one over a handed-in connection shares it."""
        link = None if self.closed else self._link.joined()
        if link is None:
            raise self.failures.closed("copy", "")
        return Sqlite3Session(link, self.failures, self.limits)

    def close(self) -> None:
        """Close what was opened here, after the operation that is under way; once."""
        if self.closed or self._link.inherited:
            self.closed = True
            return
        with Turn(self, "cleanup", ""):
            if not self.closed:
                self.closed = True
                self._link.leave()

    def describe(self) -> str:
        values = self._link.values
        return repr(values.db_path) if values else repr(self._link.connection)

    def link_here(self) -> Link:
        """The link to use in this process."""
        if self._link.inherited:
            self._link = self._link.anew()
        return self._link

    def __reduce__(self) -> tuple[Any, ...]:
        values = SqliteValues.to_pickle(self, self._link.values)
        return _reopened, (values, self.failures, self.limits)


def _reopened(values: SqliteValues, failures: Failures, limits: Limits) -> Sqlite3Session:
    return Sqlite3Session(Link(values, None), failures, limits)


class Turn:
    """The link for one thread alone, also if a signal handler raises at any moment.

    The handler may run as soon as the lock is taken, when nothing says so yet, or before the first
    line of `__exit__`. The first case is noticed here, the other by the next turn of the thread.
    """

    __slots__ = (
        "_connection",
        "_deadline",
        "_hurried",
        "_key",
        "_link",
        "_name",
        "_session",
        "_thread",
    )
    _connection: sqlite3.Connection

    def __init__(self, session: Sqlite3Session, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    def __enter__(self) -> Self:
        session = self._session
        seconds = session.limits.operation
        self._deadline = Deadline(seconds)
        self._hurried = False
        self._thread = get_ident()
        self._link = link = session.link_here()
        if (holder := link.holder) is not None and holder.mine:
            self._after(holder)
        try:
            if not link.turn.acquire(timeout=seconds):
                raise self._late("its turn did not come")
            link.holder = self
            self._begin()
        except BaseException as exc:
            if link.holder is self:
                self.__exit__(type(exc), exc, None)
            else:
                with contextlib.suppress(RuntimeError):  # It was not taken.
                    link.turn.release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the turn on, with nothing left open; a driver's exception becomes ours."""
        link = self._link
        try:
            try:
                link.settle(failed=exc is not None)
            except BaseException:  # A signal handler's.
                link.settle(failed=True)
                raise
            if self._hurried:
                with contextlib.suppress(sqlite3.Error):
                    self._wait_for_locks(link.wait)
        finally:
            link.holder = None
            link.turn.release()
        if exc is not None and (session := self._session).failures.covers(exc):
            raise session.failures.translate(
                exc, operation=self._name, key=self._key, limits=session.limits
            ) from exc

    @property
    def mine(self) -> bool:
        """Whether it is a turn of this thread."""
        return self._thread == get_ident()

    def _begin(self) -> None:
        """What is done first, once the turn has come."""

    def _after(self, holder: Turn) -> None:
        """Have the turn that this thread already has: a signal handler interrupted it."""
        frame = inspect.currentframe()
        frame = frame.f_back.f_back if frame and frame.f_back else None
        while frame:
            if any(value is holder for value in frame.f_locals.values()):
                raise PersisterError(
                    f"{about(self._name, self._key)}: this thread is in the middle of another"
                    " operation of this persister; a signal handler cannot use it, but another one"
                )
            frame = frame.f_back
        holder.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)

    def _wait_for_locks(self, milliseconds: int) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}").close()

    def _late(self, doing: str) -> PersisterError:
        session = self._session
        return session.failures.late(self._name, self._key, session.limits, doing=doing, sent=False)


class Operation(Turn):
    """One operation of a session: its turn, its time, and what may be asked of the database."""

    __slots__ = ()

    def _begin(self) -> None:
        session = self._session
        if session.closed:
            raise session.failures.closed(self._name, self._key)
        self._connection = self._link.ready(session.limits)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; when this returns it is committed. The number of rows it changed."""
        self._in_time()
        connection = self._connection
        cursor = connection.execute(sql, parameters)
        if connection.in_transaction:
            connection.execute("COMMIT")
        return cursor.rowcount

    def fetch_all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the query."""
        self._in_time()
        return rows(self._connection, sql, parameters)

    def fetch_one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of the query, if there is one."""
        found = self.fetch_all(sql, parameters)
        return found[0] if found else None

    def answers(self, sql: str) -> bool:
        """Whether what the query asks for has been created; it may answer with a row itself."""
        failures = self._session.failures
        try:
            row = self.fetch_one(sql)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not issubclass(rule.error, NotInitializedError):
                raise
            return False
        return row is None or is_true(row)

    def run_together(self, begin: str, steps: Sequence[Step]) -> None:
        """Run all the steps or none: one transaction."""
        for step in (Step(begin), *steps, Step("COMMIT")):
            if step.when and not is_true(self.fetch_one(step.when)):
                continue
            if step.check:
                step.check(self.fetch_one(step.sql))
                continue
            self._in_time()
            self._connection.execute(step.sql).close()

    def configure(self, statements: Sequence[str]) -> None:
        """Set the file's modes unless somebody is using it; only on a connection opened here."""
        if not self._session.opened_here:
            return
        self._wait_for_locks(CONFIGURE_WAIT)
        try:
            for statement in statements:
                rows(self._connection, statement)
        except sqlite3.Error as exc:
            if not stands_in_the_way(exc):
                raise
        finally:
            self._wait_for_locks(self._link.wait)

    def _in_time(self) -> None:
        """When some of the time is gone, SQLite may wait for locks only as long as is left."""
        left = self._deadline.remaining()
        if left * 1000 < self._link.wait or left <= 0:
            if left <= 0:
                raise self._late("it was not done")
            self._hurried = True
            self._wait_for_locks(min(self._link.wait, int(left * LOCK_SHARE * 1000)))
