"""The processes of a server: started under the right user, found again with all their children."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import psutil

# Linux kills the server when the thread that started it ends (PR_SET_PDEATHSIG is 1); elsewhere it
# is only stopped when the run ends in order. A small program of its own, not `preexec_fn`: that is
# unsafe in a process with threads. `exec` keeps the process id and the setting; a change of the
# user drops the setting, so it comes first; that user may not be able to read Python's modules.
_LAUNCH = """
import ctypes, os, signal, sys
parent, uid, gid = map(int, sys.argv[1:4])
libc = ctypes.CDLL(None)
if uid >= 0:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
if sys.platform == "linux":
    libc.prctl(1, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the test run is gone")
os.execv(sys.argv[4], sys.argv[4:])
"""


@functools.cache
def _starter() -> ThreadPoolExecutor:
    """A thread that lives as long as the run, for servers started in threads that do not."""
    return ThreadPoolExecutor(1, "server-starter")


def launch(
    command: list[str], directory: Path, log: IO[bytes], user: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    """Start a server that dies with this run; under another user if one is given."""
    switch = (-1, -1) if user is None else (user.pw_uid, user.pw_gid)
    numbers = [str(number) for number in (os.getpid(), *switch)]
    arguments = [sys.executable, "-I", "-S", "-c", _LAUNCH, *numbers, *command]

    def launched() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory,
            start_new_session=True,
        )

    main = threading.current_thread() is threading.main_thread()
    return launched() if main else _starter().submit(launched).result()


def with_children(pid: int) -> list[psutil.Process]:
    """A process, its children, their children, and so on; the parents first.

    Neither the process group nor the session tells: PostgreSQL's children leave both.
    """
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def wait_until_stopped(processes: list[psutil.Process]) -> None:
    """Until none of their threads answers any more: a signal is not there at once."""
    for process in processes:
        while is_running(process) and not _is_stopped(process):
            time.sleep(0.001)


def _is_stopped(process: psutil.Process) -> bool:
    if sys.platform != "linux":
        return bool(process.status() == psutil.STATUS_STOPPED)
    # "number (name) state ...", of each thread
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one that has just ended
        return all(
            task.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2][0] in "TtZX"
            for task in Path(f"/proc/{process.pid}/task").glob("*/stat")
        )
    return False


def is_running(process: psutil.Process) -> bool:
    """A zombie does not run: it has let go of everything but its number."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def wait_until_gone(processes: list[psutil.Process], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while left := [process for process in processes if is_running(process)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"these processes do not end: {left}")
        time.sleep(0.002)
