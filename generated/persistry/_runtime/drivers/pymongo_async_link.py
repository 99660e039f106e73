"""The asynchronous MongoDB client behind a session, and a slot for every operation under way."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import pymongo

from ...errors import PersisterError
from ..failures import about
from ..limits import Limits
from .pymongo_values import AT_ONCE, FAREWELL, MongoValues


@dataclass
class Home:
    """What belongs to one event loop: a client cannot move to another."""

    client: Any
    slots: asyncio.Semaphore
    closing: asyncio.Lock
    collection: Any = None
    """What the session works on, once it has made it."""


class AsyncLink:
    """A client for each event loop, or one that was handed in and has one loop for ever."""

    def __init__(self, values: MongoValues | None, client: Any = None) -> None:
        self.values = values
        self.client = client
        self._homes: dict[asyncio.AbstractEventLoop, Home] = {}

    def joined(self) -> AsyncLink:
        """The link for a copy of a session."""
        return AsyncLink(self.values, None if self.values else self.client)

    async def home(self, limits: Limits, operation: str, key: object) -> Home:
        """The client and the slots of the running event loop."""
        loop = asyncio.get_running_loop()
        home = self._homes.get(loop)
        if home is None:
            if self.values:
                self.client = pymongo.AsyncMongoClient(
                    self.values.uri, **self.values.arguments(limits)
                )
            elif self._homes:
                raise of_another_loop(operation, key)
            home = Home(self.client, asyncio.Semaphore(AT_ONCE), asyncio.Lock())
            self._homes[loop] = home
            for other in [other for other in self._homes if other.is_closed()]:
                await _close(self._homes.pop(other))
        return home

    @property
    def is_here(self) -> bool:
        """Whether the running event loop has a client already."""
        return asyncio._get_running_loop() in self._homes

    @property
    def current(self) -> Any:
        """The client of the running event loop; without one, the client that was made last."""
        try:
            home = self._homes.get(asyncio.get_running_loop())
        except RuntimeError:
            return self.client
        if home is not None:
            return home.client
        return None if self.values else self.client

    async def leave(self) -> None:
        """Close what was opened here, after the operations under way in this event loop.

        Who was stopped at it may leave again.
        """
        loop = asyncio.get_running_loop()
        home = self._homes.get(loop)
        if home is not None:
            async with home.closing:
                await self._end(home)
            self._homes.pop(loop, None)
        while self._homes:
            other = self._homes.popitem()[1]
            if self.values:
                await _close(other)

    async def _end(self, home: Home) -> None:
        taken = 0
        try:
            while taken < AT_ONCE:
                await home.slots.acquire()
                taken += 1
            if self.values:
                with pymongo.timeout(FAREWELL):
                    await home.client.close()
        finally:
            for _ in range(taken):
                home.slots.release()


async def _close(home: Home) -> None:
    """Close the client of another event loop, as far as it can be done in this one."""
    with contextlib.suppress(Exception):
        await home.client.close()


def of_another_loop(operation: str, key: object) -> PersisterError:
    return PersisterError(
        f"{about(operation, key)}: the client that was handed in belongs to another event loop, and"
        " cannot move: give each event loop a persister over a client of its own"
    )
