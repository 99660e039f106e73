"""What every kind of server has: a process, a port, a directory, and ways to break them."""

from __future__ import annotations

import contextlib
import pwd
import random
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import psutil

from .memory import Folder, memory
from .processes import launch, send, wait_until_gone, wait_until_stopped, with_children
from .tls import Authority, TLSFront

LOOPBACK = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ServerFailed(Exception):
    """The server is there but does not run; the message ends with what it wrote last."""


def _free_port() -> int:
    """A port nobody listens on.

    Below those that systems give to outgoing connections, so that it is still free when a killed
    server comes back to it.
    """
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((LOOPBACK, port))
            return port


class Server(ABC):
    """A server process on a free loopback port; a context manager that starts and removes it."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """What ends it in order, without waiting for its clients."""

    def __init__(self) -> None:
        self._program = self.find()
        self._folder = Folder(self.place())
        self._process: subprocess.Popen[bytes] | None = None
        self._was_ready = False
        self._is_paused = False
        self._front: TLSFront | None = None
        self.port = _free_port()

    @staticmethod
    @abstractmethod
    def find() -> Path:
        """The program; `ServerMissing` if there is none that runs."""

    @abstractmethod
    def command(self) -> list[str]:
        """The arguments after the program; it stays in the foreground and logs to stdout."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether this very process answers queries; an `OSError` means not yet."""

    def prepare(self) -> None:  # noqa: B027 - most servers need nothing
        """What must be on disk before the first start."""

    def set_up(self) -> None:  # noqa: B027
        """What must be told to the server when it has started for the first time."""

    @staticmethod
    def place() -> str:
        """Below which directory its own is made; its user must be able to get there."""
        return memory() or tempfile.gettempdir()

    def user(self) -> pwd.struct_passwd | None:
        """The user that it runs as, if not the one that runs the tests."""
        return None

    @property
    def directory(self) -> Path:
        """Where the server keeps its data and its log."""
        return self._folder.path

    @property
    def address(self) -> tuple[str, int]:
        """Where clients go."""
        return (LOOPBACK, self.port) if self._front is None else self._front.address

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None:
            return
        if not self._was_ready:
            self.prepare()
        for attempts_left in (2, 1, 0):
            self._spawn()
            try:
                self._wait_until_ready()
                break
            except ServerFailed as error:
                # Only at first may it have another port: later, clients know this one.
                taken = "in use" in str(error)
                if not (attempts_left and taken) or self._was_ready:
                    raise
                self.port = _free_port()
        if not self._was_ready:
            self.set_up()
            self._was_ready = True

    def stop(self) -> None:
        """End it in order; the data stays."""
        if self._process is not None:
            self.resume()
            self._process.send_signal(self.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self.kill()

    def kill(self) -> None:
        """End it and its children at once, as a crash does; the data stays."""
        if self._process is not None:
            processes = self._frozen()
            send(processes, signal.SIGKILL)
            self._process.wait()
            self._process = None
            self._is_paused = False
            wait_until_gone(processes)

    def put_front(self, authority: Authority, *, asks_first: bool = False) -> None:
        """Have clients speak TLS with a front from now on."""
        certificate = self.directory / "front.pem"
        authority.write_server(certificate)
        front = TLSFront((LOOPBACK, self.port), certificate, asks_first=asks_first)
        self._front = front.__enter__()

    def restart(self) -> None:
        """Start it again on the same port and data, stopping it first if it runs."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it, with its children: connections stay open, nothing is answered."""
        self._is_paused = True
        wait_until_stopped(self._frozen())

    def resume(self) -> None:
        """Let it go on. Most tests ask for it in case; finding its children takes milliseconds."""
        if self._is_paused:
            send(with_children(self.pid), signal.SIGCONT)
            self._is_paused = False

    def close(self) -> None:
        """Kill it and throw its data away."""
        self.kill()
        if self._front is not None:
            self._front.__exit__()
        self._folder.close()

    def log_tail(self, lines: int = 20) -> str:
        """What it wrote last."""
        log = self.directory / "log"
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _frozen(self) -> list[psutil.Process]:
        """All its processes, stopped: the parent first, so that no child is born meanwhile."""
        send(with_children(self.pid)[:1], signal.SIGSTOP)
        processes = with_children(self.pid)
        send(processes[1:], signal.SIGSTOP)
        return processes

    def _spawn(self) -> None:
        command = [str(self._program), *self.command()]
        with (self.directory / "log").open("ab") as log:
            self._process = launch(command, self.directory, log, self.user())

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        why = f"did not answer within {START_SECONDS:g} s"
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                why = f"ended with code {self._process.returncode}"
                break
            with contextlib.suppress(OSError):
                if self.is_ready():
                    return
            time.sleep(0.01)
        self.kill()
        raise ServerFailed(f"{self.name} ({self._program}) {why}; its log ends:\n{self.log_tail()}")
