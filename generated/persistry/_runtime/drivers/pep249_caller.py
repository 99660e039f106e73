"""A thread that makes the calls on one connection, so that nobody waits longer than they may."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")


Calls = SimpleQueue["_Call | None"]


class Late(Exception):
    """A call has not ended in time; it is left to its thread."""


class Caller:
    """Makes one call after the other.

    Some drivers' connections cannot be told to stop, or must be used in the thread they were opened
    in. Who drops a caller ends its thread, after the calls that it still has to make.

    A thread that `stays` waits for another caller instead: libraries that run inside of this
    process, and what those use, take locks when a thread ends. If the process forks just then,
    these locks stay taken in the child.
    """

    def __init__(self, *, stays: bool = False) -> None:
        self._calls = Calls()
        self._is_there = True
        if stays:
            with contextlib.suppress(IndexError):
                self._calls = _staying.pop()
                return
        thread = threading.Thread(
            target=_make_all, args=(self._calls, stays), name="persistry-connection", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # No thread can be started when the interpreter ends.
            self._is_there = False

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # A signal may have come while it was made.
            self.end()

    def run(self, job: Callable[[], Result], seconds: float) -> Result:
        """What the job returns or raises; `Late` if that takes longer.

        A job that has not begun when nobody waits for it any more is not done.
        """
        if not self._is_there:
            return job()
        call = _Call(job)
        self._calls.put(call)
        try:
            call.done.get(timeout=max(0.0, seconds))
        except Empty:
            call.wanted = False
            raise Late from None
        except BaseException:
            call.wanted = False
            raise
        if call.failure is not None:
            try:
                raise call.failure
            finally:
                call.failure = None  # Its frames, this one too, would keep each other.
        result: Result = call.result
        return result

    def leave(self, job: Callable[[], object]) -> None:
        """Have something done when the calls so far are over; nobody waits for it."""
        if self._is_there:
            self._calls.put(_Call(job))
        else:
            job()

    def end(self) -> None:
        """There will be no more calls."""
        calls, self._calls = self._calls, Calls()
        self._is_there = False
        calls.put(None)


class _Call:
    __slots__ = ("done", "failure", "job", "result", "wanted")

    def __init__(self, job: Callable[[], Any]) -> None:
        self.job = job
        self.wanted = True
        self.done: SimpleQueue[None] = SimpleQueue()
        self.result: Any = None
        self.failure: BaseException | None = None

    def make(self) -> None:
        try:
            if self.wanted:
                self.result = self.job()
        except BaseException as exc:
            self.failure = exc
        self.done.put(None)


def _make_all(calls: Calls, stays: bool) -> None:
    while (call := calls.get()) is not None or stays:
        if call is None:
            _staying.append(calls)
            continue
        call.make()
        del call  # with what it has in its hands, until there is another one


# Of the threads that wait for another caller.
_staying: list[Calls] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_staying.clear)  # The threads are not there.
