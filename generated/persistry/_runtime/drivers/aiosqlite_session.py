"""SQLite through aiosqlite: one connection, which tasks use in turn."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import aiosqlite

from ...errors import NotInitializedError
from ..failures import Failures
from ..limits import Limits
from ..steps import Step, is_true
from .aiosqlite_calls import rows
from .aiosqlite_link import Link
from .sqlite_values import CONFIGURE_WAIT, SqliteValues, check_text_factory, stands_in_the_way


class AiosqliteSession:
    """A persister's access to its database; any number of tasks may share it."""

    def __init__(self, link: Link, failures: Failures, limits: Limits) -> None:
        self.failures = failures.at(repr(link.values.db_path) if link.values else "")
        self.limits = limits
        self.closed = False
        self._link = link

    @classmethod
    def opening(cls, failures: Failures, limits: Limits, **values: Any) -> AiosqliteSession:
        """A session that opens its own connection: by `open`, or when it is first needed."""
        return cls(Link(SqliteValues.checked(**values), None), failures, limits)

    @classmethod
    def over(cls, connection: Any, failures: Failures, limits: Limits) -> AiosqliteSession:
        """A session over a connection that was handed in; a session is taken as it is."""
        if isinstance(connection, cls):
            return connection
        if not isinstance(connection, aiosqlite.Connection):
            raise TypeError(
                f"connection must be an aiosqlite.Connection, not {type(connection).__name__}"
            )
        try:
            check_text_factory(connection.text_factory)
        except ValueError as exc:
            if str(exc) == "no active connection":
                raise ValueError("the connection is not open: await it first") from exc
            raise
        return cls(Link.over(connection), failures, limits)

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `async with session.operation("save", key) as do: await do.execute()`."""
        return Operation(self, name, key)

    @property
    def is_here(self) -> bool:
        """Whether it is used in the running event loop, and so is not taken there from another."""
        return self._link.is_here

    @property
    def opened_here(self) -> bool:
        return self._link.values is not None

    @property
    def connection(self) -> aiosqlite.Connection | None:
        """The driver's connection; None if it is not open yet."""
        return self._link.connection

    async def open(self) -> None:
        """Open the connection now."""
        async with self.operation("connect"):
            pass

    def copy(self) -> AiosqliteSession:
        """A session of the same values; one over a handed-in connection shares it."""
        link = None if self.closed else self._link.joined()
        if link is None:
            raise self.failures.closed("copy", "")
        return AiosqliteSession(link, self.failures, self.limits)

    async def close(self) -> None:
        """Close what was opened here, after the operation that is under way; once."""
        link = self._link
        if self.closed or link.inherited:
            self.closed = True
            return
        try:
            async with asyncio.timeout(self.limits.operation), link.turn():
                if not self.closed:
                    self.closed = True
                    await link.leave()
        except TimeoutError as exc:
            raise self.failures.late(
                "cleanup", "", self.limits, doing="another operation did not end", sent=False
            ) from exc

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


def _reopened(values: SqliteValues, failures: Failures, limits: Limits) -> AiosqliteSession:
    return AiosqliteSession(Link(values, None), failures, limits)


class Operation:
    """One operation of a session: its turn, its time, and what may be asked of the database."""

    __slots__ = ("_connection", "_key", "_link", "_name", "_session", "_timeout", "_turn")

    def __init__(self, session: AiosqliteSession, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    async def __aenter__(self) -> Operation:
        session = self._session
        self._link = link = session.link_here()
        self._turn: asyncio.Lock | None = None
        self._timeout = asyncio.timeout(session.limits.operation)
        await self._timeout.__aenter__()
        try:
            turn = link.turn()
            await turn.acquire()
            self._turn = turn
            if session.closed:
                raise session.failures.closed(self._name, self._key)
            self._connection = await link.ready(session.limits)
        except BaseException as exc:
            await self._leave(exc)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._leave(exc)

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; when this returns it is committed. The number of rows it changed."""
        connection = self._connection
        cursor = await self._link.run(connection.execute(sql, parameters))
        if self._link.in_transaction(connection):
            await self._link.run(connection.execute("COMMIT"))
        return cursor.rowcount

    async def fetch_all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the query."""
        return await self._link.run(rows(self._connection, sql, parameters))

    async def fetch_one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of the query, if there is one."""
        found = await self.fetch_all(sql, parameters)
        return found[0] if found else None

    async def answers(self, sql: str) -> bool:
        """Whether what the query asks for has been created; it may answer with a row itself."""
        failures = self._session.failures
        try:
            row = await self.fetch_one(sql)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not issubclass(rule.error, NotInitializedError):
                raise
            return False
        return row is None or is_true(row)

    async def run_together(self, begin: str, steps: Sequence[Step]) -> None:
        """Run all the steps or none: one transaction."""
        for step in (Step(begin), *steps, Step("COMMIT")):
            if step.when and not is_true(await self.fetch_one(step.when)):
                continue
            if step.check:
                step.check(await self.fetch_one(step.sql))
                continue
            await self._link.run(self._connection.execute(step.sql))

    async def configure(self, statements: Sequence[str]) -> None:
        """Set the file's modes unless somebody is using it; only on a connection opened here."""
        if not self._session.opened_here:
            return
        await self._wait_for_locks(CONFIGURE_WAIT)
        try:
            for statement in statements:
                await self._link.run(rows(self._connection, statement))
        except sqlite3.Error as exc:
            if not stands_in_the_way(exc):
                raise
        finally:
            await self._wait_for_locks(self._link.wait)

    async def _wait_for_locks(self, milliseconds: int) -> None:
        statement = self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
        await self._link.run(statement)

    async def _leave(self, exc: BaseException | None) -> None:
        """Give the turn on, with nothing left open; a driver's exception becomes ours."""
        session = self._session
        running, cancelled = False, None
        if self._turn is not None:
            try:
                running = await self._link.done(
                    self._turn, failed=exc is not None, hurry=self._timeout.expired()
                )
            except asyncio.CancelledError as stop:
                exc = cancelled = stop
        try:
            await self._timeout.__aexit__(type(exc) if exc else None, exc, None)
        except TimeoutError:
            doing = "no answer came" if running else "its turn did not come"
            raise session.failures.late(
                self._name, self._key, session.limits, doing=doing, sent=running
            ) from exc
        if cancelled is not None:
            raise cancelled
        if exc is not None and session.failures.covers(exc):
            raise session.failures.translate(
                exc, operation=self._name, key=self._key, limits=session.limits
            ) from exc
