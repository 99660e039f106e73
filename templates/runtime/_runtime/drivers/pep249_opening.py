"""Connecting that takes no longer than it may."""

from __future__ import annotations

import contextlib
import threading
from queue import Empty, SimpleQueue
from typing import Any

from ..limits import Limits
from .pep249_driver import Driver


def open_in_time(
    driver: Driver, values: Any, limits: Limits, seconds: float, *, prepared: bool
) -> Any:
    """A new connection; None if it takes longer.

    It is made in a thread of its own, which is left to itself when the time is over: drivers'
    limits do not hold while names are looked up, for servers that say nothing, or for parts of a
    second.
    """
    made: list[Any] = []  # Whoever takes it out uses it, or closes it.
    done: SimpleQueue[None] = SimpleQueue()
    abandoned: list[bool] = []

    def connect() -> None:
        result: Any
        try:
            result = driver.connect(values, limits)
            if prepared:
                driver.prepare(result)
        except BaseException as exc:
            result = exc
        made.append(result)
        done.put(None)
        if abandoned:
            _close(made)

    try:
        try:
            threading.Thread(target=connect, name="persistry-connect", daemon=True).start()
        except RuntimeError:  # No thread can be started when the interpreter ends.
            connect()
        done.get(timeout=max(0.0, seconds))
        result = made.pop()
    except BaseException as exc:
        abandoned.append(True)
        _close(made)
        if isinstance(exc, Empty):
            return None
        raise
    if isinstance(result, BaseException):
        raise result
    return result


def _close(made: list[Any]) -> None:
    with contextlib.suppress(IndexError):
        result = made.pop()
        if not isinstance(result, BaseException):
            result.close()
