"""MariaDB."""

from __future__ import annotations

import functools
import io
import os
import pwd
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .base import LOOPBACK, Server, ServerFailed
from .finding import Search, on_path
from .memory import memory
from .tls import Authority
from .users import as_somebody, open_directory, somebody

# What makes a data directory out of nothing, fed to the server itself; it comes with the program.
TABLES = (
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
)
# Small files, which are copied and thrown away a hundred times a run.
SMALL = [
    "--innodb-log-file-size=4M",
    "--innodb-data-file-path=ibdata1:4M:autoextend",
    "--innodb-autoextend-increment=1",
]


def programs() -> Iterator[Path]:
    yield from on_path("mariadbd")
    yield from filter(Path.exists, [Path("/usr/sbin/mariadbd"), Path("/usr/libexec/mariadbd")])


SEARCH = Search(
    name="MariaDB",
    variable="PERSISTRY_TEST_MARIADB_SERVER",
    places="mariadbd on PATH, in /usr/sbin and in /usr/libexec",
    install="as root: apt-get install mariadb-server-core (no wheel has one)",
    programs=programs,
    dispensable=True,
)


class MariaDBServer(Server):
    """One server with InnoDB: what `kill()` leaves is what was acknowledged."""

    name = "MariaDB"

    superuser = "root"
    """Its password is `password`; with None, it needs none."""
    database = "test"

    def __init__(self, password: str | None = None, *, tls: Authority | None = None) -> None:
        """With `tls`, it takes no connection without."""
        super().__init__()
        self.password = password
        self._tls = tls
        self._log_start = 0

    @staticmethod
    @functools.cache
    def find() -> Path:
        return SEARCH.find()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @staticmethod
    def place() -> str:
        return memory() or open_directory()

    def user(self) -> pwd.struct_passwd | None:
        return somebody()

    def prepare(self) -> None:
        with tarfile.open(fileobj=io.BytesIO(_made(self._program))) as archive:
            # The parameter `filter` came with Python 3.11.4.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(self.directory)
        if self._tls is not None:
            self._tls.write_certificate(self.directory / "ca.pem")
            self._tls.write_server(self.directory / "server.pem")
        # Read once, before anybody may log in.
        password = (self.password or "").replace("\\", "\\\\").replace("'", "''")
        (self.directory / "first.sql").write_text(
            f"ALTER USER '{self.superuser}'@'{LOOPBACK}' IDENTIFIED BY '{password}';\n"
            f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4;\n",
            encoding="utf-8",
        )
        if user := self.user():
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid)

    def command(self) -> list[str]:
        log = self.directory / "log"
        self._log_start = log.stat().st_size if log.exists() else 0
        command = ["--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.directory}"]
        command += [f"--bind-address={LOOPBACK}", f"--port={self.port}", "--skip-name-resolve"]
        command += [f"--socket={self.directory}/socket", f"--pid-file={self.directory}/pid", *SMALL]
        command += ["--innodb-buffer-pool-size=16M", "--innodb-buffer-pool-dump-at-shutdown=OFF"]
        # A commit's record gets to the system's buffers, which outlive a killed server.
        command += ["--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync"]
        if not self._was_ready:
            command += [f"--init-file={self.directory}/first.sql"]
        if self._tls is not None:
            certificate = self.directory / "server.pem"
            command += [f"--ssl-cert={certificate}", f"--ssl-key={certificate}"]
            command += ["--require-secure-transport=ON"]
        return command

    def is_ready(self) -> bool:
        # Its log says so, after the statements of the first start.
        with (self.directory / "log").open("rb") as log:
            log.seek(self._log_start)
            return b"ready for connections" in log.read()


@functools.cache
def _made(program: Path) -> bytes:
    """A data directory with the system's tables, packed: a killed run must leave no folder."""
    with tempfile.TemporaryDirectory(prefix="persistry-mariadb-", dir=open_directory()) as folder:
        place = Path(folder) / "data"
        place.mkdir()
        if user := somebody():
            for path in (place.parent, place):
                os.chown(path, user.pw_uid, user.pw_gid)
        scripts = program.resolve().parent.parent / "share" / "mysql"
        parts = [(scripts / name).read_text(encoding="utf-8") for name in TABLES]
        first = ["CREATE DATABASE mysql;", "USE mysql;", "SET @auth_root_socket = NULL;"]
        command = [str(program), "--no-defaults", "--bootstrap", f"--datadir={place}", *SMALL]
        run = subprocess.run(
            [*command, f"--tmpdir={place.parent}", "--innodb-flush-method=nosync"],
            input="\n".join([*first, *parts]),
            capture_output=True,
            text=True,
            **as_somebody(),
        )
        if run.returncode:
            said = run.stderr.strip()
            raise ServerFailed(f"MariaDB's bootstrap ended with code {run.returncode}: {said}")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
            archive.add(place, "data")
        return packed.getvalue()
