"""Where the connections of a session come from: what one connection and a pool have in common."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any

import asyncpg

from ...errors import PersisterError
from ..failures import about
from ..limits import Limits
from .asyncpg_values import AsyncpgValues

# How long a connection that is given up may take to end in order, in seconds; then it is cut.
LAST_MOMENT = 1.0

_links: weakref.WeakSet[Link] = weakref.WeakSet()
_moving = threading.Lock()


class Link(ABC):
    """Connections of one event loop at a time.

    Whoever has one of the `slots` may `take` a connection, and gives both back by `give_back`.
    Slots are given out in order of arrival.
    """

    def __init__(self, values: AsyncpgValues | None, handed_in: Any, at_once: int) -> None:
        self.values = values
        self.handed_in = handed_in
        self.at_once = at_once
        self.cached = True
        """Whether statements stay prepared on the server."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begin_anew()
        self._pid = os.getpid()
        self._until_the_loop_ends: AsyncGenerator[None, None] | None = None
        _links.add(self)

    @property
    def inherited(self) -> bool:
        """Whether this is a forked process: its parent's connections must not be used here."""
        return self._pid != os.getpid()

    def joined(self) -> Link:
        """The link for a copy of a session: it connects anew, if it can."""
        if self.values is None and self.inherited:
            raise PersisterError(
                "this persister's connection belongs to the process that opened it;"
                " build another persister in this one"
            )
        if self.values is None:
            return self
        link = self._again(self.values)
        link.cached = self.cached
        return link

    async def enter(self, operation: str, key: object) -> None:
        """Come to the running event loop, perhaps from another one."""
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self.values is None and getattr(self.handed_in, "_loop", loop) is not loop:
            raise PersisterError(
                f"{about(operation, key)}: the connection or pool that was handed in belongs to"
                " another event loop, and cannot move: build a persister over one of this loop"
            )
        with _moving:
            if self._loop is not None and self._loop.is_running():
                raise PersisterError(
                    f"{about(operation, key)}: this persister is being used in another event loop,"
                    " which is still running; give each loop a copy()"
                )
            self.cut()
            self._loop = loop
            self._begin_anew()
        self._until_the_loop_ends = self._cut_in_the_end(self.tasks)
        await anext(self._until_the_loop_ends)

    def _begin_anew(self) -> None:
        """Nobody has a slot or a lock in this event loop yet."""
        self.slots = asyncio.Semaphore(self.at_once)
        self.opening = asyncio.Lock()
        self._closing = asyncio.Lock()
        self.tasks: set[asyncio.Task[None]] = set()

    async def leave(self) -> None:
        """Close what was opened here, after the operations that are under way."""
        if self.values is None:
            return
        if self._loop is not asyncio.get_running_loop():
            self._leave_another_loop()
            return
        closing, slots, taken = self._closing, self.slots, 0
        async with closing:
            try:
                while taken < self.at_once:
                    await slots.acquire()
                    taken += 1
                await self.close()
                if self._until_the_loop_ends is not None:
                    await self._until_the_loop_ends.aclose()
            finally:
                for _ in range(taken):
                    slots.release()

    def _leave_another_loop(self) -> None:
        loop = self._loop
        if loop is not None and loop.is_running():
            loop.call_soon_threadsafe(self.cut)
        else:
            self.cut()

    async def _cut_in_the_end(self, tasks: set[asyncio.Task[None]]) -> AsyncGenerator[None, None]:
        """`asyncio.run` ends its generators after its tasks, before it closes its loop."""
        try:
            yield
        finally:
            if tasks is self.tasks:  # Otherwise the session has gone to another loop since.
                self.cut()
            while tasks:  # Those that were cancelled last may have left some.
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    @abstractmethod
    async def take(self, limits: Limits) -> Any:
        """A connection, with no transaction open."""

    @abstractmethod
    async def give_back(
        self, connection: Any, slots: asyncio.Semaphore, *, unknown: bool, transaction: bool
    ) -> None:
        """Give a connection on, and the slot.

        It may be `unknown` what the connection is doing, or a `transaction` may be open.
        """

    @abstractmethod
    async def replace(self, connection: Any) -> bool:
        """Give up a connection that was lost; whether `take` gives another one."""

    @abstractmethod
    async def stop_preparing(self, connection: Any) -> bool:
        """Keep no statement prepared any more; whether that takes another connection."""

    @abstractmethod
    async def close(self) -> None:
        """Close what was opened here. It is the turn of nobody."""

    @abstractmethod
    def cut(self) -> None:
        """Close what was opened here without waiting, if its event loop lets us."""

    @abstractmethod
    def _again(self, values: AsyncpgValues) -> Link:
        """Another link of the same values."""

    def drop(self, connection: Any) -> None:
        """Let a connection end in order, which ends its statement, too; nobody waits for it."""
        self.start(_end(connection))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that no operation waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def is_closed(connection: Any) -> bool:
    """Whether it is closed; one of a pool that was lost belongs to nobody any more."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


async def in_utf8(connection: Any) -> None:
    """See to it that every text can travel; a session may have chosen another encoding."""
    told = connection.get_settings().client_encoding
    if told.strip("'").replace("-", "").upper() != "UTF8":  # A pooler says what asyncpg asked for.
        await connection.execute("SET client_encoding = 'UTF8'")


async def _end(connection: Any) -> None:
    with contextlib.suppress(Exception):
        await connection.close(timeout=LAST_MOMENT)


@contextlib.contextmanager
def connecting() -> Iterator[None]:
    """What fails here has reached no database: it must not look like a lost answer."""
    try:
        yield
    except TimeoutError as exc:
        if exc.errno is None:
            raise TimeoutError("connecting took too long") from exc
        raise
    except asyncpg.ConnectionDoesNotExistError as exc:
        raise ConnectionError(f"connecting failed: {exc}") from exc


def _after_fork() -> None:
    """Keep the parent's connections for ever: as one goes, asyncpg tells the server to end it."""
    global _moving
    _moving = threading.Lock()
    for link in list(_links):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(link))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
