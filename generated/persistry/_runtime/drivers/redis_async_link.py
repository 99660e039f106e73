"""The asynchronous Redis client behind a session, and a slot for every operation under way."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from dataclasses import dataclass
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from ...errors import PersisterError
from ..failures import about
from ..limits import Limits
from .redis_values import AT_ONCE, RedisValues, pool_size, retries_by_itself


@dataclass
class Home:
    """What belongs to one event loop: connections cannot move to another."""

    client: Any
    slots: asyncio.Semaphore
    closing: asyncio.Lock


class AsyncLink:
    """A client for each event loop; copies of a session share one handed in.

    The client needs no time limits of its own: operations are timed as a whole.
    """

    def __init__(self, values: RedisValues | None, client: Any = None) -> None:
        self.values = values
        self.client = client
        self.value_limit: int | None = None
        self.retries_by_itself = values is None and retries_by_itself(client)
        self._size = AT_ONCE if values else pool_size(client)
        self._sharers = 1
        self._counting = threading.Lock()
        self._homes: dict[asyncio.AbstractEventLoop, Home] = {}
        self._retry_before: list[Any] = []

    def joined(self) -> AsyncLink:
        """The link for a copy of a session."""
        if self.values:
            return AsyncLink(self.values)
        with self._counting:
            self._sharers += 1
        return self

    async def home(self, limits: Limits, operation: str, key: object) -> Home:
        """The client and the slots of the running event loop."""
        loop = asyncio.get_running_loop()
        home = self._homes.get(loop)
        if home is None:
            if self.values:
                self.client = redis.asyncio.Redis(**self.values.arguments(limits, _no_retry()))
            else:
                self._move(operation, key)
                if not self._retry_before:
                    self._take_over()
            home = Home(self.client, asyncio.Semaphore(self._size), asyncio.Lock())
            self._homes[loop] = home
            for other in [other for other in self._homes if other.is_closed()]:
                await self._drop(self._homes.pop(other))
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
        """One session less; the last one closes what was opened here.

        That waits for the operations that are under way in this event loop. A session that was
        stopped at it is still there, and may leave again.
        """
        with self._counting:
            if self._sharers > 1:
                self._sharers -= 1
                return
        if not self.values:
            self._give_back()
            return
        loop = asyncio.get_running_loop()
        home = self._homes.get(loop)
        if home is not None:
            async with home.closing:
                await self._close(home)
            self._homes.pop(loop, None)
        while self._homes:
            await self._drop(self._homes.popitem()[1])

    async def _close(self, home: Home) -> None:
        taken = 0
        try:
            while taken < self._size:
                await home.slots.acquire()
                taken += 1
            await home.client.aclose()
        finally:
            for _ in range(taken):
                home.slots.release()

    def _move(self, operation: str, key: object) -> None:
        """A client that was handed in has come to this event loop, perhaps from another one."""
        if not self._homes:
            return
        if not all(loop.is_closed() for loop in self._homes):
            raise PersisterError(
                f"{about(operation, key)}: the client that was handed in is used by another event"
                " loop, and its connections cannot move: give each event loop a persister over a"
                " client of its own"
            )
        pool = getattr(self.client, "connection_pool", None)
        if pool is not None:
            pool.reset()  # What it had belongs to the closed event loop.
            self.client.connection = None

    def _take_over(self) -> None:
        """No retries of its own, as it is ours alone. (A cluster client keeps them.)"""
        pool = getattr(self.client, "connection_pool", None)
        if pool is not None:
            self._retry_before = [pool.connection_kwargs.get("retry")]
            self.client.set_retry(_no_retry())

    def _give_back(self) -> None:
        if self._retry_before:
            pool, retry = self.client.connection_pool, self._retry_before.pop()
            pool.connection_kwargs["retry"] = retry
            pool.set_retry(retry or _no_retry())

    async def _drop(self, home: Home) -> None:
        """Close the client of another event loop, as far as it can be done in this one."""
        if self.values:
            with contextlib.suppress(Exception):
                await home.client.aclose()


def _no_retry() -> Retry:
    return Retry(NoBackoff(), 0)
