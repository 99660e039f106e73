"""Connecting that takes no longer than it may."""

from __future__ import annotations

import contextlib
import time
import traceback
import weakref
from typing import Any

from ..limits import Deadline, Limits
from .pep249_caller import Caller, Late
from .pep249_driver import Driver
from .pep249_facts import Values

# How many attempts that were late may still be under way, for each connection of a pool, and how
# often is looked whether one of them has ended, in seconds.
_LATE = 4
_LOOK_AGAIN = 0.05


class _Attempt:
    """What is known of an attempt to connect; one that was interrupted may never begin."""

    begun = ended = False


class Opener:
    """Opens the connections of one pool.

    The thread of an attempt is left to itself when the time is over: drivers' limits do not hold
    while names are looked up, for servers that say nothing, or for parts of a second.
    """

    def __init__(self, driver: Driver, values: Values, size: int) -> None:
        self._driver = driver
        self._values = values
        self._most = _LATE * size
        self._late = weakref.WeakSet[_Attempt]()

    def open(self, limits: Limits, seconds: float, *, prepared: bool) -> tuple[Any, Caller] | None:
        """A new connection and the thread that it was made in; None if it takes longer."""
        deadline = Deadline(seconds)
        if not self._may_begin(deadline):
            return None
        driver = self._driver
        made: list[Any] = []  # Whoever takes it out uses it, or closes it.
        attempt = _Attempt()

        def connect() -> None:
            attempt.begun = True
            try:
                connection = driver.connect(self._values, limits)
                made.append(connection)
                if prepared:
                    driver.prepare(connection)
            except BaseException as exc:
                # The frames hold what the driver was given, the password too, and in circles with
                # their exception what it has begun, which would stay open until they are found.
                traceback.clear_frames(exc.__traceback__)
                raise
            finally:
                attempt.ended = True

        def close() -> None:
            with contextlib.suppress(Exception):
                made.pop().close()

        caller = Caller(stays=driver.is_in_process)
        try:
            caller.run(connect, deadline.remaining())
            return made.pop(), caller
        except BaseException as exc:
            self._late.add(attempt)
            caller.leave(close)
            caller.end()
            if isinstance(exc, Late):
                return None
            raise

    def _may_begin(self, deadline: Deadline) -> bool:
        """Wait until there are not too many attempts that were late; False if that takes long."""
        while True:
            if sum(it.begun and not it.ended for it in list(self._late)) < self._most:
                return True
            left = deadline.remaining()
            if left <= 0:
                return False
            time.sleep(min(left, _LOOK_AGAIN))
