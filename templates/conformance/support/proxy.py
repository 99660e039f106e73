"""A TCP proxy that makes a network fail on purpose: lost replies, refusals, silence, cuts.

It runs in one thread of its own, so that it serves blocking and asyncio clients alike, and that
thread alone touches connections: when `cut()` returns, everything has been cut. It knows no
protocol and listens on the loopback interface only.
"""

from __future__ import annotations

import contextlib
import enum
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"
CHUNK = 1 << 16
MOST_WAITING = 1 << 20  # bytes kept for a slow reader before the other side is read no further
CONNECT_SECONDS = 5.0


class _Mode(enum.Enum):
    FORWARD = enum.auto()
    LOSE_REPLIES = enum.auto()
    LOSE_NEXT_REPLY = enum.auto()
    REFUSE = enum.auto()
    STALL = enum.auto()


class _End:
    """One side of a proxied connection, with the bytes that wait to be written to it."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.waiting = bytearray()
        self.ended = False  # it will send no more
        self.told = False  # it knows that the other side will send no more

    def read(self) -> bytes | None:
        """What there is to read: b"" at the end, None when there was nothing after all."""
        try:
            data = self.sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            data = b""
        self.ended = self.ended or not data
        return data

    def write(self) -> None:
        """Write what waits, as far as it goes; what can never be written is dropped."""
        try:
            del self.waiting[: self.sock.send(self.waiting)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.waiting.clear()

    def tell_the_end(self) -> None:
        """Say that nothing more comes, once all that waits is written."""
        if not self.waiting and not self.told:
            self.told = True
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool) -> None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            with contextlib.suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()


class _Link:
    """A client's connection and its twin to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = _End(client)
        self.server = _End(server)
        self.loses = False  # replies are swallowed from here on
        self.quiet_since: float | None = None  # when bytes last moved, from the first lost reply on

    @property
    def ends(self) -> tuple[_End, _End]:
        return self.client, self.server


class FaultProxy:
    """A proxy in front of a server on this machine; a context manager.

        with FaultProxy(*store.address) as proxy:
            persister = store.open_through(proxy.port)
            proxy.lose_next_reply()

    A mode holds until the next one is chosen; `restore()` goes back to plain forwarding.

    How replies are lost: a request is forwarded, the server's reply is read and thrown away. When
    no byte has come from either side for `settle` seconds, the server is told that nothing more
    comes; it handles what it has, answers (thrown away, too) and closes. Only then is the client
    cut off. So the request has been handled in full, however many packets it took, and the client
    cannot know it. Requests that were under way when the mode was chosen keep their reply.
    """

    def __init__(self, host: str, port: int, *, settle: float = 0.05) -> None:
        self.lost = 0
        """How many connections have been cut after their reply was lost."""
        self.lost_bytes = 0
        """How much was sent on them in requests that the server has handled."""
        self.connections = 0
        """How many connections clients have made, those that were refused not counted."""
        self._target = (host, port)
        self._settle = settle
        self._mode = _Mode.FORWARD
        self._links: set[_Link] = set()
        self._commands: deque[Callable[[], None]] = deque()
        # Keeps the port ours while nobody listens on it, so that `refuse()` can be taken back.
        self._reserved = self._bound(0)
        self.port: int = self._reserved.getsockname()[1]
        self._listener: socket.socket | None = None
        self._alarm, self._bell = socket.socketpair()
        self._alarm.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._open = True

    @property
    def address(self) -> tuple[str, int]:
        return LOOPBACK, self.port

    def __enter__(self) -> Self:
        self._listen()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._do(self._shut)
        self._thread.join()
        for sock in (self._reserved, self._alarm, self._bell):
            sock.close()

    def restore(self) -> None:
        """Forward everything again; what stalled is delivered now, as a healed network does."""
        self._do(lambda: self._choose(_Mode.FORWARD))

    def lose_replies(self) -> None:
        """Forward requests, swallow their replies and cut the connection, until `restore()`.

        On a new connection the first reply, often the driver's own greeting, is lost already.
        """
        self._do(lambda: self._choose(_Mode.LOSE_REPLIES))

    def lose_next_reply(self) -> None:
        """Lose the reply to the next request and cut its connection, then forward again."""
        self._do(lambda: self._choose(_Mode.LOSE_NEXT_REPLY))

    def refuse(self) -> None:
        """Cut all connections and refuse new ones, as when no server listens."""
        self._do(lambda: self._choose(_Mode.REFUSE))

    def stall(self) -> None:
        """Accept connections and forward nothing, as when packets are lost on the way.

        What clients have sent waits for `restore()`, even if they have given up by then.
        """
        self._do(lambda: self._choose(_Mode.STALL))

    def cut(self) -> None:
        """Cut all connections that exist now; the mode stays as it is."""
        self._do(self._cut)

    # Everything below runs in the proxy's thread, except `_do`, `_listen` at the start, `_bound`.

    def _do(self, command: Callable[[], None]) -> None:
        """Have the thread carry out a command and wait until it has."""
        done = threading.Event()

        def carry_out() -> None:
            command()
            done.set()

        self._commands.append(carry_out)
        self._bell.send(b"!")
        while not done.wait(1.0):
            if not self._thread.is_alive():
                raise RuntimeError("the proxy is not running; use it as a context manager")

    def _bound(self, port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((LOOPBACK, port))
        return sock

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = self._bound(self.port)
            self._listener.listen(128)
            self._listener.setblocking(False)

    def _choose(self, mode: _Mode) -> None:
        self._mode = mode
        if mode is not _Mode.REFUSE:
            self._listen()
        elif self._listener is not None:
            self._cut()
            self._listener.close()
            self._listener = None

    def _cut(self) -> None:
        while self._accept():  # a client may believe in a connection that was not accepted yet
            pass
        for link in list(self._links):
            self._drop(link, reset=True)

    def _shut(self) -> None:
        self._open = False
        self._choose(_Mode.REFUSE)

    def _drop(self, link: _Link, *, reset: bool) -> None:
        self._links.discard(link)
        for end in link.ends:
            end.close(reset=reset)

    def _run(self) -> None:
        while self._open:
            # Built anew each round: it is small, and no registration can be out of date.
            with selectors.DefaultSelector() as selector:
                self._register(selector)
                ready = selector.select(self._patience())
            for key, events in ready:
                if key.fileobj is self._alarm:
                    self._alarm.recv(CHUNK)
                elif key.data is None:
                    self._accept()
                else:
                    link, end, other = key.data
                    self._serve(link, end, other, events)
            for link in list(self._links):
                self._advance(link)
            while self._commands:
                self._commands.popleft()()

    def _register(self, selector: selectors.BaseSelector) -> None:
        selector.register(self._alarm, selectors.EVENT_READ)
        if self._listener is not None:
            selector.register(self._listener, selectors.EVENT_READ)
        if self._mode is _Mode.STALL:
            return
        for link in self._links:
            for end, other in (link.ends, link.ends[::-1]):
                events = selectors.EVENT_WRITE if end.waiting else 0
                if not end.ended and len(other.waiting) < MOST_WAITING:
                    events |= selectors.EVENT_READ
                if events:
                    selector.register(end.sock, events, (link, end, other))

    def _patience(self) -> float | None:
        """Seconds until the first of the quiet connections has been quiet for long enough."""
        since = [
            link.quiet_since
            for link in self._links
            if link.quiet_since is not None and not (link.server.told or link.server.waiting)
        ]
        if not since or self._mode is _Mode.STALL:
            return None
        return max(0.0, min(since) + self._settle - time.monotonic())

    def _accept(self) -> bool:
        """Take one new connection, if there is one."""
        try:
            if self._listener is None:
                return False
            client, _ = self._listener.accept()
        except OSError:
            return False
        try:
            server = socket.create_connection(self._target, timeout=CONNECT_SECONDS)
        except OSError:
            _End(client).close(reset=True)
        else:
            self.connections += 1
            self._links.add(_Link(client, server))
        return True

    def _serve(self, link: _Link, end: _End, other: _End, events: int) -> None:
        if link not in self._links:
            return
        if events & selectors.EVENT_WRITE:
            end.write()
            self._note_traffic(link)
        data = end.read() if events & selectors.EVENT_READ else None
        if not data:
            return
        if end is link.client:
            self._note_request(link)
            self.lost_bytes += len(data) if link.loses else 0
        self._note_traffic(link, is_reply=end is link.server)
        if end is link.client or not link.loses:
            other.waiting += data
            other.write()

    def _note_request(self, link: _Link) -> None:
        """The replies to lose are those to requests that came while the mode was on."""
        if self._mode is _Mode.LOSE_NEXT_REPLY and not link.loses:
            self._mode = _Mode.FORWARD
            link.loses = True
        elif self._mode is _Mode.LOSE_REPLIES:
            link.loses = True

    def _note_traffic(self, link: _Link, *, is_reply: bool = False) -> None:
        """Start, or start again, to wait for quiet: from the first lost reply onwards."""
        if link.loses and (is_reply or link.quiet_since is not None):
            link.quiet_since = time.monotonic()

    def _advance(self, link: _Link) -> None:
        """Pass on that a side has ended; close what is over."""
        if self._mode is _Mode.STALL:
            return
        quiet = link.quiet_since
        settled = quiet is not None and time.monotonic() - quiet >= self._settle
        if link.client.ended or settled:
            link.server.tell_the_end()
        if link.loses and link.server.ended:
            self.lost += link.quiet_since is not None
            self._drop(link, reset=True)
        elif link.server.ended:
            link.client.tell_the_end()
            # A server that has closed takes no more requests, whatever its client still sends.
            if link.client.told:
                self._drop(link, reset=False)
