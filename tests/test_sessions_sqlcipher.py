"""SQLCipher's file in several processes: at once, killed in the middle, forked."""

from __future__ import annotations

import functools
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from persistry import SQLCipherPersister, State
from persistry._runtime.drivers import pep249_caller, pep249_forks
from persistry.errors import PersisterError
from tests.stores.sqlcipher import PASSPHRASE, encrypted

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "steps.db"


@pytest.fixture
def persister(path: Path) -> Iterator[SQLCipherPersister]:
    with SQLCipherPersister.from_values(str(path), PASSPHRASE) as persister:
        persister.initialize()
        yield persister


def put(persister: SQLCipherPersister, app_id: str, sequence_id: int = 0) -> None:
    persister.save("p", app_id, sequence_id, "step", State({"of": app_id}), "completed")


def in_file(path: Path) -> list[str]:
    """The applications as another program finds them, in the order of saving."""
    with closing(encrypted(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT app_id FROM burr_state ORDER BY write_number")
        return [app_id for (app_id,) in found]


def in_a_fork(work: Any) -> None:
    process = FORK.Process(target=work)
    process.start()
    process.join(30)
    assert process.exitcode == 0


def save_many(path: str, passphrase: str, name: str, count: int, gate: Any) -> None:
    with SQLCipherPersister.from_values(path, passphrase) as own:
        gate.wait(30)
        for number in range(count):
            put(own, name, number)


def test_a_relative_path_is_that_of_the_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is opened later, perhaps from another working directory."""
    monkeypatch.chdir(path.parent)
    with SQLCipherPersister.from_values(path.name, PASSPHRASE) as persister:
        monkeypatch.chdir("/")
        persister.initialize()
        put(persister, "app")
        assert in_file(path) == ["app"]
    with pytest.raises(TypeError, match="db_path must be a str or a path, not int"):
        SQLCipherPersister.from_values(1, PASSPHRASE)  # type: ignore[arg-type]


def test_processes_that_write_at_once(persister: SQLCipherPersister, path: Path) -> None:
    """There is one writer at a time; the others wait."""
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(3)
    given = (str(path), PASSPHRASE)
    writers = [spawn.Process(target=save_many, args=(*given, name, 150, gate)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert sorted(in_file(path)) == sorted("abc" * 150)


def mode(path: Path) -> str:
    with closing(encrypted(path)) as connection:
        found: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
        return found


def test_a_file_that_is_being_read_is_initialized(
    persister: SQLCipherPersister, path: Path
) -> None:
    """Its journal's mode cannot be changed then; the next `initialize()` does."""
    with closing(encrypted(path, isolation_level=None)) as reader:
        reader.execute("PRAGMA journal_mode = DELETE").fetchall()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM burr_state").fetchall()
        given = (str(path), PASSPHRASE)
        with SQLCipherPersister.from_values(*given, operation_timeout=1) as other:
            other.initialize()
            reader.execute("COMMIT")
            put(other, "other")
            assert mode(path) == "delete"
            other.initialize()
            assert mode(path) == "wal"


@pytest.mark.parametrize("seconds", [0.02, 0.07, 0.2])
def test_a_killed_process_loses_nothing(
    persister: SQLCipherPersister, path: Path, seconds: float
) -> None:
    """What it was told is saved is there, and nothing is broken, whenever it was killed."""
    told = FORK.SimpleQueue()

    def child() -> None:
        for number in range(100_000):
            put(persister, "a", number)
            told.put(number)

    process = FORK.Process(target=child)
    process.start()
    assert told.get() == 0
    time.sleep(seconds)
    process.kill()
    process.join(30)
    last = 0
    while not told.empty():
        last = told.get()
    found = persister.load("p", "a")
    assert found is not None and found["sequence_id"] in (last, last + 1)
    persister.cleanup()
    assert len(in_file(path)) == found["sequence_id"] + 1


def test_a_child_and_its_parent(persister: SQLCipherPersister, path: Path) -> None:
    put(persister, "parent")

    def child() -> None:
        put(persister, "child")
        assert persister.list_app_ids("p") == ["child", "parent"]
        persister.cleanup()

    in_a_fork(child)
    put(persister, "parent again")
    persister.cleanup()
    assert in_file(path) == ["parent", "child", "parent again"]
    assert os.listdir(path.parent) == [path.name]


def test_a_child_that_outlives_its_parents_connection(
    persister: SQLCipherPersister, path: Path
) -> None:
    """Who closes last deletes the log of writes, but not under a process that has the file open."""
    put(persister, "first")
    opened, go = FORK.Event(), FORK.Event()

    def child() -> None:
        put(persister, "opened")
        opened.set()
        go.wait(30)
        put(persister, "after the parent closed")
        os._exit(0)  # the persister is not closed, as after a kill

    process = FORK.Process(target=child)
    process.start()
    assert opened.wait(30)
    persister.cleanup()
    go.set()
    process.join(30)
    assert in_file(path) == ["first", "opened", "after the parent closed"]


def test_while_other_threads_work(persister: SQLCipherPersister, path: Path) -> None:
    going = True

    def work(name: int) -> None:
        number = 0
        while going:
            put(persister, f"parent {name} {number}")
            number += 1

    def child(number: int) -> None:
        put(persister, f"child {number}")
        persister.cleanup()

    threads = [threading.Thread(target=work, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    processes = [FORK.Process(target=child, args=(number,)) for number in range(6)]
    for process in processes:
        process.start()
    going = False
    for thread in threads:
        thread.join()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0] * 6
    found = in_file(path)
    assert sum(app_id.startswith("child") for app_id in found) == 6
    assert sorted(found) == sorted(persister.list_app_ids("p"))


def test_in_the_middle_of_an_operation(
    persister: SQLCipherPersister, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its locks cannot be told from the parent's, so the child is told to begin otherwise."""
    monkeypatch.setattr(pep249_forks, "_PATIENCE", 0.2)
    put(persister, "first")
    began, go = threading.Event(), threading.Event()

    def stay() -> None:
        with persister._session.operation("test") as operation:
            operation.fetch_one("SELECT 1")
            began.set()
            go.wait(30)

    thread = threading.Thread(target=stay)
    thread.start()
    began.wait(30)

    def child() -> None:
        for call in (persister.is_initialized, lambda: put(persister, "child"), persister.copy):
            with pytest.raises(PersisterError, match="forked in the middle"):
                call()
        persister.cleanup()

    in_a_fork(child)
    go.set()
    thread.join()
    put(persister, "second")
    in_a_fork(lambda: put(persister, "child"))
    assert in_file(path) == ["first", "second", "child"]


def test_a_handed_in_connection_is_the_parents(path: Path) -> None:
    with closing(encrypted(path)) as connection:
        persister = SQLCipherPersister(connection)
        persister.initialize()

        def child() -> None:
            with pytest.raises(PersisterError, match="belongs to the process"):
                put(persister, "child")

        in_a_fork(child)
        put(persister, "parent")
        persister.cleanup()
    assert in_file(path) == ["parent"]


def test_a_connection_of_the_user(persister: SQLCipherPersister, path: Path) -> None:
    """Taken from the persister, it is closed before a fork with the others."""
    users = persister.connection
    assert users.execute("SELECT count(*) FROM burr_state").fetchone() == (0,)
    in_a_fork(lambda: put(persister, "child"))
    again = persister.connection
    assert again is not users
    assert again.execute("SELECT count(*) FROM burr_state").fetchone() == (1,)


def test_forks_after_persisters_that_have_ended(path: Path) -> None:
    """The libraries take locks when a thread ends; none that was ours is ending in a fork."""

    def save_once(app_id: str) -> None:
        with SQLCipherPersister.from_values(str(path), PASSPHRASE) as persister:
            persister.initialize()
            put(persister, app_id)

    before = len(pep249_caller._staying)
    for number in range(30):
        save_once(f"parent {number}")
        in_a_fork(functools.partial(save_once, f"child {number}"))
    assert len(in_file(path)) == 60
    assert len(pep249_caller._staying) - before < 10


def test_forks_wait_for_nobody_who_is_idle(persister: SQLCipherPersister) -> None:
    put(persister, "a")
    began = time.monotonic()
    for _ in range(10):
        in_a_fork(int)
    assert time.monotonic() - began < 5
