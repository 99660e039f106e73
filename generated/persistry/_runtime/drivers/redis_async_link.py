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

from ..limits import Limits
from .redis_values import AT_ONCE, RedisValues, pool_size


@dataclass
class Home:
    """What belongs to one event loop: connections cannot move to another."""

    client: Any
    slots: asyncio.Semaphore


class AsyncLink:
    """A client for each event loop; copies of a session share one handed in.

    The client needs no time limits of its own: operations are timed as a whole.
    """

    def __init__(self, values: RedisValues | None, client: Any = None) -> None:
        self.values = values
        self.client = client
        self.value_limit: int | None = None
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

    async def home(self, limits: Limits) -> Home:
        """The client and the slots of the running event loop."""
        loop = asyncio.get_running_loop()
        home = self._homes.get(loop)
        if home is None:
            if self.values:
                self.client = redis.asyncio.Redis(**self.values.arguments(limits, _no_retry()))
            elif not self._retry_before:
                self._take_over()
            home = self._homes[loop] = Home(self.client, asyncio.Semaphore(self._size))
            for other in [other for other in self._homes if other.is_closed()]:
                await self._drop(self._homes.pop(other))
        return home

    async def leave(self) -> None:
        """One session less; the last one closes what was opened here.

        That waits for the operations that are under way in this event loop.
        """
        with self._counting:
            self._sharers -= 1
            if self._sharers:
                return
        if not self.values:
            self._give_back()
            return
        home = self._homes.pop(asyncio.get_running_loop(), None)
        if home is not None:
            taken = 0
            try:
                while taken < self._size:
                    await home.slots.acquire()
                    taken += 1
                await home.client.aclose()
            finally:
                for _ in range(taken):
                    home.slots.release()
        while self._homes:
            await self._drop(self._homes.popitem()[1])

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
