"""Connections that are awaited: opened when they are first needed, and taken in turns."""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from typing import Any, Self

from ..limits import Deadline, Limits
from .awaited_calls import (
    close,
    commit_what_is_open,
    cut,
    execute,
    is_closed,
    set_autocommit,
    settled,
)
from .awaited_link import LAST_MOMENT, Link
from .pep249_driver import autocommit_of
from .pep249_facts import Facts, Values


class Line:
    """One connection to a server."""

    __slots__ = ("age", "commits", "connection")

    def __init__(self, connection: Any, age: int = 0) -> None:
        self.connection = connection
        self.age = age
        self.commits = False
        """Whether a statement has to be committed, for want of autocommit."""


class Turn:
    """The right to use one connection, and that connection, once it is there."""

    __slots__ = ("abandoned", "asked", "line", "slots")

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self.slots = slots
        self.line: Line | None = None
        self.asked = False
        """Whether the server was asked to give its statement up."""
        self.abandoned = False
        """Whether something is still done in it, which nobody waits for."""


class Pool(Link):
    """Connections of one session, or the one that was handed in, for all that share it."""

    def __init__(
        self, facts: Facts, values: Values | None, size: int = 1, connection: Any = None
    ) -> None:
        self.facts = facts
        self._handed_in = None if values else Line(connection)
        self.suits = bool(values) or not facts.suits
        """Whether the connections are known to be as the store needs them."""
        self._changed = False
        """Whether the owner's connection was not in autocommit mode."""
        self._sharers = 1
        super().__init__(values, connection, size)

    def _begin_anew(self) -> None:
        super()._begin_anew()
        self._lines: set[Line] = set()
        self._free: list[Line] = []
        self._age = 0

    @classmethod
    def over(cls, facts: Facts, connection: Any) -> Pool:
        """The one pool over a connection that was handed in."""
        pool = _handed_in.get(id(connection))
        if pool is None:
            pool = _handed_in[id(connection)] = cls(facts, None, 1, connection)
        else:
            pool._sharers += 1
        return pool

    def joined(self) -> Self:
        link = super().joined()
        if link is self:
            self._sharers += 1
        return link

    @property
    def recipe(self) -> tuple[Any, ...]:
        return self.facts, self.values, self.at_once

    @property
    def connection(self) -> Any:
        """The one that was handed in."""
        return self._handed_in and self._handed_in.connection

    @property
    def was_closed(self) -> bool:
        """Whether its owner, or the server, has closed the connection that was handed in."""
        return self._handed_in is not None and is_closed(self.connection)

    async def turn(self, deadline: Deadline) -> Turn:
        """The next turn; `TimeoutError` if it does not come in time."""
        slots = self.slots
        if slots.locked():
            async with asyncio.timeout(max(0.0, deadline.remaining())):
                await slots.acquire()
        else:
            await slots.acquire()  # Nobody has to be waited for.
        return Turn(slots)

    async def line(self, turn: Turn, limits: Limits) -> Line | None:
        """The turn's connection, with no transaction open; None if connecting takes too long."""
        line = self._handed_in
        if line is not None:
            turn.line = line
            await commit_what_is_open(line.connection)
            self._changed = await _prepare(line) or self._changed
            return line
        while self._free:
            line = self._free.pop()
            if line.age == self._age and not is_closed(line.connection):
                turn.line = line
                return line
            self.drop(line)
        timer = asyncio.timeout(limits.connect)
        try:
            async with timer:
                return await self._opened(turn, limits)
        except asyncio.CancelledError as stop:
            # Some drivers' connections go with the frames that were opening them: let nobody who
            # keeps the exception keep those.
            raise stop.with_traceback(None) from None
        except TimeoutError:
            if not timer.expired():  # It is the driver's own.
                raise
            return None

    async def _opened(self, turn: Turn, limits: Limits) -> Line:
        age, lines, values = self._age, self._lines, self.values
        connection = await settled(self.facts.connect(**values.arguments(limits)))
        turn.line = line = Line(connection, age)
        lines.add(line)
        await _prepare(line)
        for statement in values.on_open(limits):
            cursor = await settled(connection.cursor())
            await execute(cursor, statement)
            await settled(cursor.close())
        return line

    def settle(self, turn: Turn, *, sound: bool, lost: bool) -> bool:
        """After a failure: keep no connection of our own that is not sound.

        Whether there can be another attempt.
        """
        line = turn.line
        if line is None:
            return False
        closed = is_closed(line.connection)
        if line is self._handed_in:
            return not closed
        lost = lost or closed
        if lost and line.age == self._age:
            self._age += 1  # What ended this connection has perhaps ended all of them.
        if lost or not sound:
            turn.line = None
            self.drop(line)
        return True

    def give_back(self, turn: Turn) -> None:
        if turn.abandoned:
            return
        line, turn.line = turn.line, None
        if line in self._lines:
            self._free.append(line)
        elif line is not None and line is not self._handed_in:
            self.drop(line)  # The session has gone to another event loop since.
        turn.slots.release()

    async def leave(self) -> None:
        """One session less; the last one closes what was opened here, or gives it back."""
        self._sharers -= 1
        if self._sharers > 0:
            return
        try:
            if self.values is None:
                await self._give_back_to_the_owner()
            else:
                await super().leave()
        except BaseException:
            self._sharers += 1
            raise

    async def _give_back_to_the_owner(self) -> None:
        if self._changed and self._loop is asyncio.get_running_loop():
            async with self.slots:
                self._changed = False
                with contextlib.suppress(Exception):  # Its owner may have closed it.
                    await set_autocommit(self.connection, False)

    async def close(self) -> None:
        self._free.clear()
        lines = list(self._lines)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_MOMENT):
                leaving = (close(line.connection) for line in lines)
                await asyncio.gather(*leaving, return_exceptions=True)
        for line in lines:
            self.drop(line)

    def cut(self) -> None:
        self._free.clear()
        for line in list(self._lines):
            self.drop(line)

    def drop(self, line: Line) -> None:
        """Close a connection that was opened here, at once."""
        self._lines.discard(line)
        cut(line.connection)


async def _prepare(line: Line) -> bool:
    """Have each statement commit by itself; whether that was a change."""
    found = autocommit_of(line.connection)
    line.commits = found is None
    if found is False:
        await set_autocommit(line.connection, True)
    return found is False


_handed_in: weakref.WeakValueDictionary[int, Pool] = weakref.WeakValueDictionary()
