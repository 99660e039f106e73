"""The Redis client behind a session, and a slot for every operation under way."""

from __future__ import annotations

import os
import threading
from queue import Empty, SimpleQueue
from typing import Any

import redis

from ..limits import Deadline, Limits
from .redis_timed import Once, timed
from .redis_values import AT_ONCE, RedisValues, pool_size, retries_by_itself
from .slots import Slot

_ABSENT = object()
_CLASS = "connection_class"


class Link:
    """A client, opened when it is first needed; copies of a session share one handed in."""

    def __init__(self, values: RedisValues | None, client: Any = None) -> None:
        self.values = values
        self.client = client
        self.value_limit: int | None = None
        self.retries_by_itself = values is None and retries_by_itself(client)
        self._size = AT_ONCE if values else pool_size(client)
        self.interrupted = False
        self._sharers = 1
        self._before: dict[str, Any] | None = None
        self._fresh()

    def _fresh(self) -> None:
        # Of the queues and semaphores this one alone is written in C: no exception that a signal
        # handler raises can leave it locked.
        self._slots: SimpleQueue[Slot] = SimpleQueue()
        for _ in range(self._size):
            self._slots.put(Slot(self._slots))
        self._changing = threading.Lock()
        self._closing = threading.Lock()
        self._pid = os.getpid()

    def joined(self) -> Link:
        """The link for a copy of a session."""
        if self.values:
            return Link(self.values)
        with self._changing:
            self._sharers += 1
        return self

    @property
    def closing(self) -> threading.Lock:
        """Held while a session leaves, so that it does so once."""
        self._check_process()
        return self._closing

    @property
    def slots(self) -> SimpleQueue[Slot]:
        """What an operation takes first: each needs one of the client's connections."""
        self._check_process()
        return self._slots

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            # A forked process has the locks as they were, but not the threads that held them.
            # (redis-py itself takes care of its connections.)
            self._fresh()

    def ready(self, limits: Limits) -> Any:
        """The client, whose calls end in time."""
        if self.client is None or (self.values is None and self._before is None):
            with self._changing:
                if self.values is None:
                    self._before = self._before or _take_over(self.client, limits)
                elif self.client is None:
                    client = redis.Redis(**self.values.arguments(limits, Once()))
                    pool = client.connection_pool
                    pool.connection_class = timed(pool.connection_class)
                    self.client = client
        return self.client

    def renew(self) -> None:
        """After an interruption: begin with an empty pool, as a connection may be lost from it.

        For an operation that has its slot; not while another is under way.
        """
        others: list[Slot] = []
        try:
            while len(others) < self._size - 1:
                others.append(self._slots.get_nowait())
            pool = getattr(self.client, "connection_pool", None)
            if pool is not None:
                pool.disconnect()
                pool.reset()
            self.interrupted = False
        except Empty:
            pass
        finally:
            while others:
                self._slots.put(others.pop())

    def leave(self, deadline: Deadline) -> bool:
        """One session less; the last one closes what was opened here, or undoes `_take_over`.

        That waits for the operations under way; False if they took too long: it is still there
        then, and may leave again.
        """
        slots = self.slots
        with self._changing:
            if self._sharers > 1:
                self._sharers -= 1
                return True
        taken: list[Slot] = []
        try:
            while len(taken) < self._size:
                taken.append(slots.get(timeout=max(0.0, deadline.remaining())))
            if self._before:
                _set(self.client, self._before)
                self._before = None
            elif self.values and self.client is not None:
                self.client.close()
        except Empty:
            return False
        finally:
            while taken:
                slots.put(taken.pop())
        return True


def _take_over(client: Any, limits: Limits) -> dict[str, Any]:
    """Limit the client's calls in time, as it is ours alone; what was set before is returned.

    A cluster client has no pool of its own and keeps its limits.
    """
    settings = getattr(getattr(client, "connection_pool", None), "connection_kwargs", None)
    if settings is None:
        return {}
    wanted: dict[str, Any] = {
        "socket_timeout": _shorter(settings.get("socket_timeout"), limits.operation),
        "retry": Once(),
    }
    if "path" not in settings:
        wanted["socket_connect_timeout"] = _shorter(
            settings.get("socket_connect_timeout"), limits.connect
        )
    before = {name: settings.get(name, _ABSENT) for name in wanted}
    before[_CLASS] = client.connection_pool.connection_class
    _set(client, {_CLASS: timed(before[_CLASS]), **wanted})
    return before


def _shorter(theirs: float | None, ours: float) -> float:
    return ours if theirs is None else min(theirs, ours)


def _set(client: Any, values: dict[str, Any]) -> None:
    pool = client.connection_pool
    values = dict(values)
    pool.connection_class = values.pop(_CLASS)
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
        own.__class__ = pool.connection_class
        for name, value in values.items():
            setattr(own, name, None if value is _ABSENT else value)
