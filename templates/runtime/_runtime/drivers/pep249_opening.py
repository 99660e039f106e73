"""Connecting that takes no longer than it may."""

from __future__ import annotations

import contextlib
import traceback
from typing import Any

from ..limits import Limits
from .pep249_caller import Caller, Late
from .pep249_driver import Driver
from .pep249_facts import Values


def open_in_time(
    driver: Driver, values: Values, limits: Limits, seconds: float, *, prepared: bool
) -> tuple[Any, Caller] | None:
    """A new connection and the thread that it was made in; None if it takes longer.

    The thread is left to itself when the time is over: drivers' limits do not hold while names are
    looked up, for servers that say nothing, or for parts of a second.
    """
    made: list[Any] = []  # Whoever takes it out uses it, or closes it.

    def connect() -> None:
        try:
            connection = driver.connect(values, limits)
        except BaseException as exc:
            # The frames hold what the driver was given, the password too, and in circles with
            # their exception what it has begun, which would stay open until they are found.
            traceback.clear_frames(exc.__traceback__)
            raise
        made.append(connection)
        if prepared:
            driver.prepare(connection)

    def close() -> None:
        with contextlib.suppress(Exception):
            made.pop().close()

    caller = Caller(stays=driver.is_in_process)
    try:
        caller.run(connect, seconds)
        return made.pop(), caller
    except BaseException as exc:
        caller.leave(close)
        caller.end()
        if isinstance(exc, Late):
            return None
        raise
