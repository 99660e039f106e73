"""Connecting that takes no longer than it may."""

from __future__ import annotations

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
    results: SimpleQueue[Any] = SimpleQueue()
    undecided = [True]  # Whoever takes it out decides: the connection is used, or closed.

    def connect() -> None:
        result: Any
        try:
            result = driver.connect(values, limits)
            if prepared:
                driver.prepare(result)
        except BaseException as exc:
            result = exc
        if _take(undecided):
            results.put(result)
        elif not isinstance(result, BaseException):
            result.close()

    try:
        threading.Thread(target=connect, name="persistry-connect", daemon=True).start()
    except RuntimeError:  # No thread can be started when the interpreter ends.
        connect()
    try:
        result = results.get(timeout=max(0.0, seconds))
    except BaseException as exc:
        if not _take(undecided):  # It came at this very moment.
            result = results.get()
            if not isinstance(exc, Empty):
                if not isinstance(result, BaseException):
                    result.close()
                raise
        elif isinstance(exc, Empty):
            return None
        else:
            raise
    if isinstance(result, BaseException):
        raise result
    return result


def _take(undecided: list[bool]) -> bool:
    try:
        return undecided.pop()
    except IndexError:
        return False
