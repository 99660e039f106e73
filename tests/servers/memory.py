"""Where servers keep their data, and tests their files: in memory, where there is room for it.

Starting a PostgreSQL server and making a database write thousands of files, which cost a disk's
file system several times as much; and the tests make thousands of SQLite databases, each of which
waits for the disk several times. A killed server or process loses no more there: what it has
written belongs to the system, as the buffers of a disk do.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import os
import shutil
import tempfile
import time
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")
ROOM = 4 << 30
PREFIX = "persistry-server-"


class Folder:
    """A directory that is removed when it is closed, or by a later run if this one was killed."""

    def __init__(self, place: str) -> None:
        self._held = contextlib.ExitStack()
        made = tempfile.TemporaryDirectory(prefix=PREFIX, dir=place)
        self.path = Path(self._held.enter_context(made))
        lock = os.open(self.path, os.O_RDONLY)
        self._held.callback(os.close, lock)
        fcntl.flock(lock, fcntl.LOCK_EX)

    def close(self) -> None:
        self._held.close()


@functools.cache
def memory() -> str | None:
    """The file system in memory; None if there is none, or no room for the servers of a run."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    _remove_what_killed_runs_left()
    room = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return str(MEMORY) if room >= ROOM else None


def keep_temporary_files() -> None:
    """Put the run's temporary files there, with those of all its processes.

    Unless they have a place already, as those of pytest-xdist have. They are gone with the run.
    """
    place = memory()
    if "TMPDIR" in os.environ or place is None or os.statvfs(place).f_flag & os.ST_NOEXEC:
        return
    folder = Folder(place)
    atexit.register(folder.close)
    folder.path.chmod(0o755)  # servers that run as another user get through
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder.path)


def _remove_what_killed_runs_left() -> None:
    for path in MEMORY.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # it is in use, or somebody else's
            if time.time() - path.stat().st_mtime < 60:
                continue  # it may just have been made
            lock = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
