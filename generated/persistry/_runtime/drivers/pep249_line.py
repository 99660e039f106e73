"""A connection with what it takes to end a call that waits on it; and what forks do to it."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from .pep249_caller import Caller, Late
from .pep249_driver import Driver
from .pep249_file import File

Result = TypeVar("Result")

# How long is waited for a driver to take leave of the server, and for a call that has been ended to
# come back, in seconds.
_LEAVE = 1.0
_RETURN = 1.0

# All that are open in this process. By id, so that a look at them is a single step.
_lines: weakref.WeakValueDictionary[int, Line] = weakref.WeakValueDictionary()

# Lines that a forked process got from its parent. Were one closed or collected, the driver would
# take leave of the server on the socket that the parent still uses.
_of_the_parent: list[Line] = []


class Line:
    """One connection to a server."""

    def __init__(
        self,
        driver: Driver,
        connection: Any,
        caller: Caller | None = None,
        age: int = 0,
        *,
        handed_in: bool = False,
    ) -> None:
        self.connection = connection
        self.age = age
        self.file: File | None = None
        """What it was opened on, where that is a file."""
        self.caller: Caller | None = caller
        """The thread that makes the calls, where nothing else could end one, or where a call that
        is interrupted would spoil a connection that cannot be replaced."""
        self._handed_in = handed_in
        self.inherited = False
        self._driver = driver
        self.cancel: Callable[[], object] | None = None
        self.request: threading.Thread | None = None
        """Asks the server to give up the statement, perhaps one that has come to its end by now."""
        # The socket's second descriptor: the first one may be closed, and its number be another
        # file's, at any moment.
        self._handles: list[int] = []
        self._armed = False
        self._lock = threading.Lock()
        _lines[id(self)] = self

    def arm(self) -> None:
        """See to it that calls on the connection can be ended."""
        if self._armed:
            return
        fileno = self._driver.socket_of(self.connection)
        if fileno is not None:
            self._handles.append(socket.dup(fileno))
            weakref.finalize(self, _close, self._handles).atexit = False
        self.cancel = self._driver.canceller(self.connection)
        spoilt = self._handed_in and bool(self._handles) and not self._driver.bears_interrupts
        if self.can_be_ended and not spoilt:
            self.caller = None
        elif self.caller is None:
            self.caller = Caller(stays=self._driver.is_in_process)
        self._armed = True

    @property
    def can_be_ended(self) -> bool:
        """Whether a call that waits on the connection can be made to return."""
        return bool(self._handles) or self.cancel is not None

    def run(self, job: Callable[[], Result], seconds: float) -> Result:
        """Do something on the connection; `Late` if it is not over in time."""
        if self.caller is None:
            return job()
        return self.caller.run(job, seconds + _RETURN if self.can_be_ended else seconds)

    def wait_for_request(self, seconds: float) -> bool:
        """Wait until no request to give up a statement is on its way; whether that is so now.

        It would reach the next statement.
        """
        if self.request is not None and seconds > 0:
            self.request.join(seconds)
        return self.request is None or not self.request.is_alive()

    def shut(self) -> None:
        """End whatever waits on the connection, at once: it is lost."""
        with self._lock, contextlib.suppress(OSError):
            for handle in self._handles:
                sock = socket.socket(fileno=handle)
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                finally:
                    sock.detach()

    def release(self) -> None:
        """Forget the socket and the thread, of a connection that others go on to use."""
        with self._lock:
            self._armed = False
            _close(self._handles)
        caller, self.caller = self.caller, None
        if caller is not None:
            caller.end()

    def close(self, seconds: float = _LEAVE) -> bool:
        """Take leave of the server; False if that takes longer, and is left to itself."""
        try:
            self.run(self._close, seconds)
        except Late:
            self.abandon()
            return False
        return True

    def abandon(self) -> None:
        """Close a connection of unknown state: nothing is waited for."""
        self.shut()
        if self.caller is None:
            self._close()
        else:
            self.caller.leave(self._close)

    def _close(self) -> None:
        try:
            # What a driver says when it closes what is lost is of no use to anybody.
            with contextlib.suppress(Exception):
                self.connection.close()
        finally:
            self.release()


def _close(handles: list[int]) -> None:
    while handles:
        socket.close(handles.pop())


def _after_in_child() -> None:
    for reference in _lines.valuerefs():
        line = reference()
        if line is not None:
            line.inherited = True
            _of_the_parent.append(line)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_in_child)
