"""What redis-py's connections lack: an end to a whole call, and none that is out of step.

redis-py's own limit is one for each `recv`: a server that drips would keep a call for ever. And an
exception that a signal handler raises between sending and receiving leaves it a connection whose
next answer belongs to this call.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from ..limits import Deadline


class _Current(threading.local):
    deadline: Deadline | None = None


# Until when the operation of this thread may wait; None where no operation is under way.
CURRENT = _Current()


class TimedSocket:
    """A socket that waits no longer than its own limit and the current deadline say."""

    __slots__ = ("_sock", "_timeout")

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._timeout: float | None = sock.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, timeout: float | None) -> None:
        self._timeout = timeout
        self._sock.settimeout(timeout)

    def recv(self, *arguments: Any) -> Any:
        self._limit()
        return self._sock.recv(*arguments)

    def recv_into(self, *arguments: Any) -> Any:
        self._limit()
        return self._sock.recv_into(*arguments)

    def sendall(self, data: Any) -> None:
        left = memoryview(data)
        while left:
            self._limit()
            left = left[self._sock.send(left) :]

    def _limit(self) -> None:
        timeout, deadline = self._timeout, CURRENT.deadline
        if deadline is None or timeout == 0:
            return self._sock.settimeout(timeout)  # type: ignore[no-any-return]
        left = deadline.remaining()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left if timeout is None else min(left, timeout))


class Once(Retry):
    """One attempt; a connection on which anything but an answer of the server ended it is shut."""

    def __init__(self) -> None:
        super().__init__(NoBackoff(), 0)

    def call_with_retry(
        self, do: Callable[[], Any], fail: Callable[..., Any], *more: Any, **options: Any
    ) -> Any:
        try:
            return super().call_with_retry(do, fail, *more, **options)
        except RedisError:
            raise
        except BaseException as error:
            counted = (1,) if options.get("with_failure_count") else ()
            fail(error, *counted)
            raise


@functools.cache
def timed(connection_class: Any) -> Any:
    """The same class of connections, over a `TimedSocket`."""

    class Timed(connection_class):  # type: ignore[misc]
        def _connect(self) -> Any:
            return TimedSocket(super()._connect())

        def connect(self) -> None:
            try:
                super().connect()
            except BaseException:
                self.disconnect()  # It may be logged in only half.
                raise

    Timed.__name__ = Timed.__qualname__ = f"Timed{connection_class.__name__}"
    return Timed
