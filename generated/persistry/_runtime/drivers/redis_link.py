"""The Redis client behind a session, and a slot for every operation under way."""

from __future__ import annotations

import os
import threading
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..limits import Deadline, Limits
from .redis_values import AT_ONCE, RedisValues, pool_size

_ABSENT = object()


class Link:
    """A client, opened when it is first needed; copies of a session share one handed in."""

    def __init__(self, values: RedisValues | None, client: Any = None) -> None:
        self.values = values
        self.client = client
        self.value_limit: int | None = None
        self._size = AT_ONCE if values else pool_size(client)
        self._sharers = 1
        self._before: dict[str, Any] | None = None
        self._fresh()

    def _fresh(self) -> None:
        self._slots = threading.Semaphore(self._size)
        self._changing = threading.Lock()
        self._pid = os.getpid()

    def joined(self) -> Link:
        """The link for a copy of a session."""
        if self.values:
            return Link(self.values)
        with self._changing:
            self._sharers += 1
        return self

    @property
    def slots(self) -> threading.Semaphore:
        """What an operation takes first: each needs one of the client's connections."""
        if self._pid != os.getpid():
            # A forked process has the locks as they were, but not the threads that held them.
            # (redis-py itself takes care of its connections.)
            self._fresh()
        return self._slots

    def ready(self, limits: Limits) -> Any:
        """The client, whose calls end in time."""
        if self.client is None or (self.values is None and self._before is None):
            with self._changing:
                if self.values is None:
                    self._before = self._before or _take_over(self.client, limits)
                elif self.client is None:
                    self.client = redis.Redis(**self.values.arguments(limits, _no_retry()))
        return self.client

    def leave(self, deadline: Deadline) -> bool:
        """One session less; the last one closes what was opened here, or undoes `_take_over`.

        That waits for the operations under way; False if they took too long.
        """
        slots = self.slots
        with self._changing:
            self._sharers -= 1
            if self._sharers:
                return True
        taken = 0
        try:
            while taken < self._size:
                if not slots.acquire(timeout=max(0.0, deadline.remaining())):
                    return False
                taken += 1
            if self._before:
                _set(self.client, self._before)
            elif self.values and self.client is not None:
                self.client.close()
        finally:
            if taken:
                slots.release(taken)
        return True


def _no_retry() -> Retry:
    return Retry(NoBackoff(), 0)


def _take_over(client: Any, limits: Limits) -> dict[str, Any]:
    """Limit the client's calls in time, as it is ours alone; what was set before is returned.

    A cluster client has no pool of its own and keeps its limits.
    """
    settings = getattr(getattr(client, "connection_pool", None), "connection_kwargs", None)
    if settings is None:
        return {}
    wanted: dict[str, Any] = {
        "socket_timeout": _shorter(settings.get("socket_timeout"), limits.operation),
        "retry": _no_retry(),
    }
    if "path" not in settings:
        wanted["socket_connect_timeout"] = _shorter(
            settings.get("socket_connect_timeout"), limits.connect
        )
    before = {name: settings.get(name, _ABSENT) for name in wanted}
    _set(client, wanted)
    return before


def _shorter(theirs: float | None, ours: float) -> float:
    return ours if theirs is None else min(theirs, ours)


def _set(client: Any, values: dict[str, Any]) -> None:
    pool = client.connection_pool
    for name, value in values.items():
        if value is _ABSENT:
            pool.connection_kwargs.pop(name, None)
        else:
            pool.connection_kwargs[name] = value
    # Connections keep what they were made with.
    pool.disconnect(inuse_connections=False)
    pool.reset()
    own = getattr(client, "connection", None)
    if own is not None:  # of a client made with single_connection_client=True
        own.disconnect()
        for name, value in values.items():
            setattr(own, name, None if value is _ABSENT else value)
