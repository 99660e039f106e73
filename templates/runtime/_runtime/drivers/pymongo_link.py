"""The MongoDB client behind a session, and a slot for every operation under way."""

from __future__ import annotations

import os
import threading
from queue import Empty, SimpleQueue
from typing import Any

import pymongo

from ...errors import PersisterError
from ..failures import about
from ..limits import Deadline, Limits
from .pymongo_values import AT_ONCE, FAREWELL, MongoValues, within
from .slots import Slot


class Link:
    """A client: one that was handed in, or one that is opened when it is first needed."""

    def __init__(self, values: MongoValues | None, client: Any = None) -> None:
        self.values = values
        self.client = client
        self._pid = os.getpid()
        self._inherited: list[Any] = []
        self._fresh()

    def _fresh(self) -> None:
        # Of the queues and semaphores this one alone is written in C: no exception that a signal
        # handler raises can leave it locked.
        self._slots: SimpleQueue[Slot] = SimpleQueue()
        for _ in range(AT_ONCE):
            self._slots.put(Slot(self._slots))
        self._changing = threading.Lock()
        self._closing = threading.Lock()

    def joined(self) -> Link:
        """The link for a copy of a session."""
        return Link(self.values, None if self.values else self.client)

    @property
    def closing(self) -> threading.Lock:
        """Held while a session leaves, so that it does so once."""
        self._check_process()
        return self._closing

    @property
    def slots(self) -> SimpleQueue[Slot]:
        """What an operation takes first."""
        self._check_process()
        return self._slots

    def _check_process(self) -> None:
        if self._pid == os.getpid() or self.values is None:
            return
        # A forked process has the locks as they were, but not the threads that held them; the
        # client's connections and its background threads stay with the parent.
        self._inherited.append(self.client)
        self.client = None
        self._fresh()
        self._pid = os.getpid()

    def ready(self, limits: Limits, operation: str = "connect", key: object = "") -> Any:
        """The client."""
        self._check_process()
        if self.values is None:
            if self._pid != os.getpid():
                raise PersisterError(
                    f"{about(operation, key)}: the client that was handed in was opened before this"
                    " process was forked, and cannot be used on both sides: hand in a client that"
                    " was opened in this process"
                )
        elif self.client is None:
            with self._changing:
                if self.client is None:
                    self.client = pymongo.MongoClient(
                        self.values.uri, **self.values.arguments(limits)
                    )
        return self.client

    def leave(self, deadline: Deadline) -> bool:
        """Close what was opened here, after the operations under way.

        False if they took too long: it is still open then, and may be left again.
        """
        slots = self.slots
        taken: list[Slot] = []
        try:
            while len(taken) < AT_ONCE:
                taken.append(slots.get(timeout=max(0.0, deadline.remaining())))
            if self.values and self.client is not None:
                within(FAREWELL).run(self.client.close)
        except Empty:
            return False
        finally:
            while taken:
                slots.put(taken.pop())
        return True
