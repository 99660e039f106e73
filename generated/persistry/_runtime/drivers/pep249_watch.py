"""Ends what takes too long: one thread for all calls that wait inside of a driver."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import monotonic

from .pep249_line import Line

# The server is asked to give the statement up this long before the time is over: a share of the
# time, at most so many seconds.
_SHARE = 0.1
_LONGEST = 1.0

# So many requests may be under way at once: those to a server that does not answer stay there.
_REQUESTS = 16

# How long before it is cut a connection's server is asked for the last time, in seconds.
_HEAD_START = 0.005

_NEVER = float("inf")


class Watch:
    """One operation's use of a line, and what was done to end it."""

    __slots__ = ("asked", "end", "line", "shut", "warn")

    def __init__(self, line: Line, seconds: float) -> None:
        now = monotonic()
        self.line = line
        self.end = now + seconds
        self.warn = self.end - min(_LONGEST, _SHARE * seconds)
        self.asked = False
        """Whether the server was asked to give its statement up."""
        self.shut = False
        """Whether the connection was cut."""

    @property
    def touched(self) -> bool:
        return self.asked or self.shut


class Watchdog:
    """Looks after the operations under way; its thread is started when there is one."""

    def __init__(self) -> None:
        self.fresh()

    def fresh(self) -> None:
        """As at first. A forked process has no thread, and the locks as they were at the fork."""
        self._watches: dict[Watch, Line] = {}
        self._awake: SimpleQueue[None] = SimpleQueue()
        self._looks_at = _NEVER
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._requests: list[threading.Thread] = []

    def begin(self, line: Line, seconds: float) -> Watch:
        """Watch over a line for so long."""
        watch = Watch(line, seconds)
        self._watches[watch] = line
        if watch.warn < self._looks_at:
            self._hurry()
        return watch

    def end(self, watch: Watch) -> bool:
        """The operation is over. False if something was done to its line, or is being done."""
        return self._watches.pop(watch, None) is not None and not watch.touched

    def _hurry(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="persistry-watchdog", daemon=True)
                # When the interpreter ends no thread can be started; then nobody watches.
                with contextlib.suppress(RuntimeError):
                    thread.start()
                    self._thread = thread
        self._awake.put(None)

    def _run(self) -> None:
        while True:
            self._looks_at = _NEVER  # Whoever begins from here on wakes us.
            now = monotonic()
            looks_at = min(
                [self._look(watch, now) for watch in list(self._watches)], default=_NEVER
            )
            self._looks_at = looks_at
            with contextlib.suppress(Empty):
                left = None if looks_at == _NEVER else max(0.0, looks_at - monotonic())
                self._awake.get(timeout=left)
                while True:
                    self._awake.get_nowait()

    def _look(self, watch: Watch, now: float) -> float:
        """Do what is due, and say when to look again."""
        due = watch.end if watch.asked else watch.warn
        if now < due:
            return due
        # Whoever takes it out of the dict decides: it is over, or it is ended. The next operation
        # on the line is another watch.
        if self._watches.pop(watch, None) is None:
            return _NEVER
        if now < watch.end:
            watch.asked = True
            self._watches[watch] = watch.line
            self._ask(watch)
            return watch.end
        watch.shut = True
        # Once more: the statement may not have been there when it was asked to give it up, and now
        # it need not wait for a lock on nobody's behalf. First, as some drivers ask for nothing on
        # a connection that is closed, which is what follows when it is shut.
        self._ask(watch)
        watch.line.wait_for_request(_HEAD_START)
        watch.line.shut()
        return _NEVER

    def _ask(self, watch: Watch) -> None:
        """Ask the server in a thread of its own, as it may not answer."""
        cancel = watch.line.cancel
        self._requests = [thread for thread in self._requests if thread.is_alive()]
        if cancel is not None and len(self._requests) < _REQUESTS:
            thread = threading.Thread(target=_quietly, args=(cancel,), daemon=True)
            with contextlib.suppress(RuntimeError):
                thread.start()
                self._requests.append(thread)
                watch.line.request = thread


def _quietly(ask: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):  # If it fails, the connection is cut.
        ask()


watchdog = Watchdog()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=watchdog.fresh)
