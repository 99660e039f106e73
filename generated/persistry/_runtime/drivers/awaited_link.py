"""What the asynchronous sessions' connections have in common: event loops, forks, turns."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Self

from ...errors import PersisterError
from ..failures import about

# How long a connection that is given up may take to end in order, in seconds; then it is cut.
LAST_MOMENT = 1.0

_links: weakref.WeakSet[Link] = weakref.WeakSet()
_moving = threading.Lock()


class Link(ABC):
    """Connections of one event loop at a time.

    Whoever has one of the `slots` may use a connection. Slots are given out in order of arrival.
    """

    def __init__(self, values: Any, handed_in: Any = None, at_once: int = 1) -> None:
        self.values = values
        self.handed_in = handed_in
        self.at_once = at_once
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begin_anew()
        self._pid = os.getpid()
        self._until_the_loop_ends: AsyncGenerator[None, None] | None = None
        _links.add(self)

    @property
    def inherited(self) -> bool:
        """Whether this is a forked process: its parent's connections must not be used here."""
        return self._pid != os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether the running event loop is the one that has it."""
        return self._loop is not None and self._loop is asyncio._get_running_loop()

    def joined(self) -> Self:
        """The link for a copy of a session: it connects anew, if it can."""
        if self.values is None and self.inherited:
            raise PersisterError(
                "this persister's connection belongs to the process that opened it;"
                " build another persister in this one"
            )
        return self if self.values is None else self.again()

    async def enter(self, operation: str, key: object) -> None:
        """Come to the running event loop, perhaps from another one."""
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self.values is None and _loop_of(self.handed_in) not in (None, loop):
            raise PersisterError(
                f"{about(operation, key)}: the connection or pool that was handed in belongs to"
                " another event loop, and cannot move: build a persister over one of this loop"
            )
        with _moving:
            if self._loop is not None and self._loop.is_running():
                way_out = "give each loop a copy()" if self.values else "build another one here"
                raise PersisterError(
                    f"{about(operation, key)}: this persister is being used in another event loop,"
                    f" which is still running; {way_out}"
                )
            self.cut()
            self._loop = loop
            self._begin_anew()
        self._until_the_loop_ends = self._cut_in_the_end(self.tasks)
        await anext(self._until_the_loop_ends)

    def _begin_anew(self) -> None:
        """Nobody has a slot or a lock in this event loop yet."""
        self.slots = asyncio.Semaphore(self.at_once)
        self._closing = asyncio.Lock()
        self.tasks: set[asyncio.Task[Any]] = set()

    async def leave(self) -> None:
        """Close what was opened here, after the operations that are under way."""
        loop = self._loop
        if self.values is None:
            return
        if loop is asyncio.get_running_loop():
            await self._leave_here()
        elif loop is not None and loop.is_running():
            # There operations may be under way: whoever is here does not wait for them.
            loop.call_soon_threadsafe(lambda: self.start(self._leave_here()))
        else:
            self.cut()

    async def _leave_here(self) -> None:
        closing, slots, taken = self._closing, self.slots, 0
        async with closing:
            try:
                while taken < self.at_once:
                    await slots.acquire()
                    taken += 1
                await self.close()
            finally:
                for _ in range(taken):
                    slots.release()

    async def rest(self) -> None:
        """Let what nobody waits for come to its end, which does not take long."""
        if self.values is None or self._loop is not asyncio.get_running_loop():
            return
        async with self._closing:
            if self.tasks:
                await asyncio.wait(self.tasks, timeout=LAST_MOMENT)
            if self._until_the_loop_ends is not None:
                await self._until_the_loop_ends.aclose()

    async def _cut_in_the_end(self, tasks: set[asyncio.Task[Any]]) -> AsyncGenerator[None, None]:
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
                if tasks is self.tasks:
                    self.cut()

    @abstractmethod
    async def close(self) -> None:
        """Close what was opened here. It is the turn of nobody."""

    @abstractmethod
    def cut(self) -> None:
        """Close what was opened here without waiting, if its event loop lets us."""

    @property
    def recipe(self) -> tuple[Any, ...]:
        """What another link of the same values is made from."""
        return (self.values,)

    def again(self) -> Self:
        """Another link of the same values."""
        return type(self)(*self.recipe)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that no operation waits for."""
        self.keep(asyncio.get_running_loop().create_task(work))

    def keep(self, task: asyncio.Task[Any]) -> None:
        """See to a task until it has ended, with the event loop at the latest."""
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled():
            task.exception()  # The event loop would complain that nobody has asked.


def _loop_of(handed_in: Any) -> Any:
    """The event loop that it is bound to, as far as its driver says so."""
    return getattr(handed_in, "_loop", None) or getattr(handed_in, "loop", None)


def _after_fork() -> None:
    """Keep the parent's connections for ever: as one goes, drivers take leave of the server."""
    global _moving
    _moving = threading.Lock()
    for link in list(_links):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(link))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
