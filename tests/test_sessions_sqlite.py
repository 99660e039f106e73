"""Both SQLite drivers: turns, time limits, transactions and errors, on real files."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

from persistry import errors
from persistry._runtime.drivers.aiosqlite_session import AiosqliteSession
from persistry._runtime.drivers.sqlite3_session import Sqlite3Session
from persistry._runtime.limits import Limits
from persistry._runtime.steps import Step
from tests.sessions import failures_of, give_back_the_log
from tests.timing import within

FAILURES = failures_of("sqlite")
BEGIN = "BEGIN IMMEDIATE"
LIMITS = Limits(0.5, 0.5)
CREATE = "CREATE TABLE IF NOT EXISTS t (k PRIMARY KEY, v)"
INSERT = "INSERT INTO t VALUES (?, ?)"
KEYS = "SELECT k FROM t ORDER BY 1"
FULL = ("PRAGMA synchronous = FULL",)
WAL = ["PRAGMA journal_mode = WAL"]

DRIVERS: dict[str, Any] = {"sqlite3": Sqlite3Session, "aiosqlite": AiosqliteSession}


def do(session: Any, name: str, *steps: tuple[Any, ...]) -> Any:
    """Run the verbs in one operation, for an asynchronous session in an event loop of their own."""

    async def run() -> Any:
        async with session.operation(name, "key") as operation:
            return [await getattr(operation, verb)(*arguments) for verb, *arguments in steps][-1]

    if isinstance(session, AiosqliteSession):
        return asyncio.run(run())
    with session.operation(name, "key") as operation:
        return [getattr(operation, verb)(*arguments) for verb, *arguments in steps][-1]


def steps(*statements: str) -> list[Step]:
    return [Step(it) for it in statements]


def close(session: Any) -> None:
    closing = session.close()
    if closing is not None:
        asyncio.run(closing)


def keys(path: Path) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as connection:
        return [key for (key,) in connection.execute(KEYS)]


def write_elsewhere(path: Path, key: str = "elsewhere") -> None:
    """Fails at once if anybody has left a lock."""
    with contextlib.closing(sqlite3.connect(path, timeout=0)) as connection, connection:
        connection.execute(INSERT, (key, 0))


@contextlib.contextmanager
def late(seconds: float) -> Iterator[None]:
    late = pytest.raises(errors.PersisterUnavailableError, match="operation_timeout")
    with within(seconds), late:
        yield


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "steps.db"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(CREATE)
    return path


@pytest.fixture
def open_session(driver: str) -> Iterator[Callable[..., Any]]:
    opened = []

    def open_(db_path: Any, limits: Limits = LIMITS, **values: Any) -> Any:
        values = {"on_open": FULL, **values}
        opened.append(DRIVERS[driver].opening(FAILURES, limits, db_path=db_path, **values))
        return opened[-1]

    yield open_
    for session in opened:
        close(session)


@pytest.fixture
def hand_in(driver: str, path: Path) -> Iterator[Callable[..., tuple[Any, Any]]]:
    """A session over a connection of its owner, and that connection."""
    made: list[Any] = []

    def hand_in_(**kwargs: Any) -> tuple[Any, Any]:
        connection: Any
        if driver == "aiosqlite":

            async def connect() -> aiosqlite.Connection:
                return await aiosqlite.connect(path, **kwargs)

            connection = asyncio.run(connect())
        else:
            connection = sqlite3.connect(path, **kwargs)
        made.append(connection)
        return DRIVERS[driver].over(connection, FAILURES, LIMITS), connection

    yield hand_in_
    for connection in made:
        closing = connection.close()
        if closing is not None:
            asyncio.run(closing)


class TestStatements:
    def test_counts_and_rows(self, open_session: Any, path: Path) -> None:
        session = open_session(path)
        upsert = f"{INSERT} ON CONFLICT DO NOTHING"
        assert do(session, "save", ("execute", upsert, ("a", 1))) == 1
        assert do(session, "save", ("execute", upsert, ("a", 2))) == 0
        assert do(session, "load", ("fetch_one", "SELECT * FROM t")) == ("a", 1)
        assert do(session, "load", ("fetch_one", "SELECT * FROM t WHERE k = ?", ("b",))) is None
        assert do(session, "load", ("fetch_all", "SELECT * FROM t")) == [("a", 1)]

    def test_answers(self, open_session: Any, tmp_path: Path) -> None:
        session = open_session(tmp_path / "new.db")
        assert do(session, "is_initialized", ("answers", "SELECT 1 FROM t")) is False
        do(session, "initialize", ("run_together", BEGIN, steps(CREATE)))
        assert do(session, "is_initialized", ("answers", "SELECT 1 FROM t")) is True
        with pytest.raises(errors.StoreVersionError):
            do(session, "is_initialized", ("answers", "SELECT other FROM t"))

    @pytest.mark.parametrize(("says", "answer"), [("1", True), ("0", False), ("NULL", False)])
    def test_what_a_row_answers(
        self, open_session: Any, path: Path, says: str, answer: bool
    ) -> None:
        """Where there is a row, it decides; where there is none, that the query works."""
        session = open_session(path)
        assert do(session, "is_initialized", ("answers", f"SELECT {says}, 1")) is answer
        assert do(session, "is_initialized", ("answers", f"SELECT {says} WHERE false")) is True

    @pytest.mark.parametrize("says", ["SELECT 1", "SELECT 0", "SELECT NULL", "SELECT 1 WHERE 0"])
    def test_a_step_is_run_where_a_query_says_so(
        self, open_session: Any, path: Path, says: str
    ) -> None:
        session = open_session(path)
        asked = Step("INSERT INTO t VALUES ('asked', 1)", when=says)
        do(session, "initialize", ("run_together", BEGIN, [*steps("SELECT 1"), asked]))
        found = ["asked"] if says == "SELECT 1" else []
        assert keys(path) == found
        failing = Step("INSERT INTO t VALUES ('other', 1)", when="SELECT * FROM nowhere")
        with pytest.raises(errors.NotInitializedError):
            do(
                session,
                "initialize",
                ("run_together", BEGIN, [*steps("INSERT INTO t VALUES ('more', 1)"), failing]),
            )
        assert keys(path) == found
        write_elsewhere(path)

    def test_run_together_is_all_or_nothing(self, open_session: Any, path: Path) -> None:
        session = open_session(path)
        half = ["INSERT INTO t VALUES ('half', 1)", "INSERT INTO nowhere VALUES (1)"]
        with pytest.raises(errors.NotInitializedError):
            do(session, "initialize", ("run_together", BEGIN, steps(*half)))
        assert keys(path) == []
        write_elsewhere(path)
        assert do(session, "save", ("execute", INSERT, ("a", 1))) == 1

    def test_a_row_factory_does_not_matter(self, hand_in: Any) -> None:
        session, connection = hand_in()
        connection.row_factory = lambda cursor, row: {"row": row}
        do(session, "save", ("execute", INSERT, ("a", 1)))
        assert do(session, "load", ("fetch_one", "SELECT * FROM t")) == ("a", 1)

    @pytest.mark.parametrize("how", ["opened", "handed in", "row_factory"])
    def test_a_failed_fetch_leaves_no_lock(
        self, open_session: Any, hand_in: Any, path: Path, how: str
    ) -> None:
        if how == "opened":
            session = open_session(path)
        else:
            session, connection = hand_in()
            connection.row_factory = sqlite3.Row if how == "row_factory" else None
        do(session, "save", ("execute", "INSERT INTO t VALUES ('bad', CAST(x'ff' AS TEXT))"))
        do(session, "save", ("execute", "INSERT INTO t VALUES ('good', 'v')"))
        with pytest.raises(errors.CorruptStateError):
            do(session, "load", ("fetch_all", "SELECT v FROM t"))
        try:
            do(session, "load", ("fetch_all", "SELECT v FROM t"))
        except errors.CorruptStateError as held:
            write_elsewhere(path)  # journal_mode DELETE: a reader would stand in the way
            assert held.__cause__ is not None


class TestLimits:
    def test_a_lock_held_elsewhere(self, open_session: Any, path: Path) -> None:
        session = open_session(path)
        do(session, "load", ("fetch_all", KEYS))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with late(LIMITS.operation):
                do(session, "save", ("execute", INSERT, ("a", 1)))
            with late(LIMITS.operation):
                do(session, "initialize", ("run_together", BEGIN, steps(CREATE)))
            other.execute("ROLLBACK")
        assert do(session, "save", ("execute", INSERT, ("a", 1))) == 1
        write_elsewhere(path)

    def test_connect_kwargs_may_shorten_the_wait(self, open_session: Any, path: Path) -> None:
        session = open_session(path, connect_kwargs={"timeout": 0})
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with late(0):
                do(session, "save", ("execute", INSERT, ("a", 1)))

    def test_a_handed_in_connection_gets_the_limit(self, hand_in: Any, path: Path) -> None:
        session, _ = hand_in(timeout=60)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with late(LIMITS.operation):
                do(session, "save", ("execute", INSERT, ("a", 1)))
            other.execute("ROLLBACK")
        do(session, "save", ("execute", INSERT, ("a", 1)))

    def test_the_time_for_the_turn_counts(self, path: Path) -> None:
        """Whoever had to wait for a turn waits that much less for other connections' locks."""
        session = Sqlite3Session.opening(FAILURES, LIMITS, db_path=path)
        do(session, "load", ("fetch_all", KEYS))
        waits = threading.Event()

        def hold() -> None:
            with session.operation("load"):
                waits.set()
                time.sleep(LIMITS.operation * 0.8)

        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            thread = threading.Thread(target=hold)
            thread.start()
            waits.wait()
            with late(LIMITS.operation):
                do(session, "save", ("execute", INSERT, ("a", 1)))
            thread.join()
            other.execute("ROLLBACK")
        assert do(session, "load", ("fetch_one", "PRAGMA busy_timeout")) == (450,)
        session.close()

    def test_a_turn_that_does_not_come(self, path: Path) -> None:
        session = Sqlite3Session.opening(FAILURES, Limits(0.1, 0.1), db_path=path)
        with session.operation("load"):
            failed: list[errors.PersisterUnavailableError] = []

            def wait() -> None:
                try:
                    do(session, "save", ("execute", INSERT, ("a", 1)))
                except errors.PersisterUnavailableError as error:
                    failed.append(error)

            thread = threading.Thread(target=wait)
            thread.start()
            thread.join()
        assert "save of key" in str(failed[0])
        assert "operation_timeout (0.1 s)" in str(failed[0])
        assert failed[0].may_have_saved is False
        session.close()

    def test_tasks_that_wait_together(self, path: Path) -> None:
        """One statement at a time is in the thread's queue, so late ones are not saved later."""

        async def save(session: AiosqliteSession, key: int) -> Any:
            try:
                async with session.operation("save", key) as operation:
                    await operation.execute(INSERT, (key, 0))
            except errors.PersisterUnavailableError as error:
                return error
            return None

        async def main() -> None:
            session = AiosqliteSession.opening(FAILURES, Limits(0.3, 0.3), db_path=path)
            await session.open()
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                with within(0.3):
                    failed = await asyncio.gather(*(save(session, key) for key in range(20)))
                assert all(isinstance(error, errors.PersisterUnavailableError) for error in failed)
                maybe = [key for key, error in enumerate(failed) if error.may_have_saved]
                assert len(maybe) <= 1
                other.execute("ROLLBACK")
            assert await save(session, 100) is None
            assert set(keys(path)) <= {100, *maybe}
            await session.close()

        asyncio.run(main())

    def test_a_very_large_limit(self, open_session: Any, hand_in: Any, path: Path) -> None:
        limits = Limits(1e9, 1e9)
        opened = open_session(path, limits)
        handed_in = type(opened).over(hand_in()[1], FAILURES, limits)
        for session in (opened, handed_in):
            do(session, "initialize", ("configure", WAL))
            (wait,) = do(session, "load", ("fetch_one", "PRAGMA busy_timeout"))
            assert 2**31 - 2000 < wait < 2**31


class TestTransactions:
    @pytest.mark.parametrize("level", ["DEFERRED", "IMMEDIATE", "EXCLUSIVE", "", None])
    def test_every_mode_of_a_handed_in_connection(
        self, hand_in: Any, path: Path, level: Any
    ) -> None:
        session, connection = hand_in(isolation_level=level)
        do(session, "save", ("execute", INSERT, ("a", 1)))
        assert not connection.in_transaction
        assert keys(path) == ["a"]
        with pytest.raises(errors.PersisterError, match=r"save of key: .*IntegrityError"):
            do(session, "save", ("execute", INSERT, ("a", 2)))
        assert not connection.in_transaction
        do(
            session,
            "initialize",
            ("run_together", BEGIN, steps(CREATE, "INSERT INTO t VALUES ('b', 1)")),
        )
        with pytest.raises(errors.PersisterError):
            do(
                session,
                "initialize",
                ("run_together", BEGIN, steps("INSERT INTO t VALUES ('b', 1)")),
            )
        assert not connection.in_transaction
        write_elsewhere(path)
        assert keys(path) == ["a", "b", "elsewhere"]
        assert connection.isolation_level == level

    def test_connect_kwargs_may_ask_for_transactions(self, open_session: Any, path: Path) -> None:
        session = open_session(path, connect_kwargs={"isolation_level": "DEFERRED"})
        do(session, "save", ("execute", INSERT, ("a", 1)))
        with pytest.raises(errors.PersisterError):
            do(session, "save", ("execute", INSERT, ("a", 2)))
        write_elsewhere(path)

    def test_what_the_owner_had_begun_is_committed(self, hand_in: Any, path: Path) -> None:
        session, connection = hand_in()
        beginning = connection.execute(INSERT, ("owner", 1))
        if not isinstance(beginning, sqlite3.Cursor):
            asyncio.run(_awaited(beginning))
        assert connection.in_transaction
        with pytest.raises(errors.PersisterError):
            do(session, "save", ("execute", INSERT, ("owner", 2)))
        assert keys(path) == ["owner"]

    @pytest.mark.parametrize("statement", [INSERT, "SELECT ?, ?"])
    def test_autocommit_false(self, path: Path, statement: str) -> None:
        """The mode of Python 3.12 in which a transaction is always open, played by a subclass."""
        connection = sqlite3.connect(path, isolation_level=None, factory=AlwaysInTransaction)
        connection.execute("BEGIN")
        session = Sqlite3Session.over(connection, FAILURES, LIMITS)
        do(session, "save", ("execute", INSERT, ("a", 1)))
        do(session, "load", ("fetch_all", KEYS))
        write_elsewhere(path)
        with pytest.raises(errors.PersisterError):
            do(session, "save", ("execute", INSERT, ("a", 1)))
        do(
            session,
            "initialize",
            ("run_together", BEGIN, steps(CREATE, "INSERT INTO t VALUES ('b', 1)")),
        )
        assert connection.in_transaction
        connection.commit()
        assert keys(path) == ["a", "b", "elsewhere"]
        connection.close()


class AlwaysInTransaction(sqlite3.Connection):
    def commit(self) -> None:
        self.execute("COMMIT")
        self.execute("BEGIN")


async def _awaited(thing: Any) -> Any:
    return await thing


class TestConfigure:
    def test_wal(self, open_session: Any, path: Path) -> None:
        session = open_session(path)
        do(session, "initialize", ("configure", WAL))
        assert do(session, "load", ("fetch_one", "PRAGMA journal_mode")) == ("wal",)
        assert do(session, "load", ("fetch_one", "PRAGMA busy_timeout")) == (450,)

    def test_a_reader_stands_in_the_way(self, open_session: Any, path: Path) -> None:
        write_elsewhere(path)
        session = open_session(path, Limits(10, 10))
        with contextlib.closing(sqlite3.connect(path)) as other:
            reading = other.execute("SELECT * FROM t, t AS u")
            reading.fetchone()
            other.execute("BEGIN")
            other.execute(KEYS).fetchone()
            with within(0):
                do(session, "initialize", ("configure", WAL))
        assert do(session, "load", ("fetch_one", "PRAGMA journal_mode")) == ("delete",)
        do(session, "initialize", ("configure", WAL))
        assert do(session, "load", ("fetch_one", "PRAGMA journal_mode")) == ("wal",)

    def test_not_on_a_handed_in_connection(self, hand_in: Any) -> None:
        session, _ = hand_in()
        do(session, "initialize", ("configure", WAL))
        assert do(session, "load", ("fetch_one", "PRAGMA journal_mode")) == ("delete",)


def _initialize(name: str, path: Path, gate: Any) -> None:
    session = DRIVERS[name].opening(FAILURES, Limits(10, 10), db_path=path, on_open=FULL)
    gate.wait()
    do(
        session,
        "initialize",
        ("configure", WAL),
        ("run_together", BEGIN, steps(CREATE, f"{CREATE[:-8]}2)")),
    )
    do(session, "save", ("execute", INSERT, (os.getpid(), 1)))
    close(session)


def test_eight_processes_initialize_at_once(driver: str, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(8)
    path = tmp_path / "new.db"
    processes = [context.Process(target=_initialize, args=(driver, path, gate)) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(20)
    assert [process.exitcode for process in processes] == [0] * 8
    assert len(keys(path)) == 8


class TestOpening:
    def test_a_missing_folder(self, open_session: Any, tmp_path: Path) -> None:
        path = tmp_path / "folder" / "steps.db"
        session = open_session(path)
        with pytest.raises(errors.PersisterUnavailableError, match=str(path)):
            do(session, "save", ("execute", CREATE))
        path.parent.mkdir()
        do(session, "save", ("execute", CREATE))

    def test_a_file_that_is_no_database(self, open_session: Any, tmp_path: Path) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("no database " * 100)
        session = open_session(path)
        with pytest.raises(errors.CorruptStateError):
            do(session, "load", ("fetch_all", KEYS))
        path.unlink()
        do(session, "save", ("execute", CREATE))

    def test_a_read_only_file(self, open_session: Any, path: Path) -> None:
        write_elsewhere(path)
        session = open_session(f"file:{path}?mode=ro", connect_kwargs={"uri": True})
        assert do(session, "load", ("fetch_all", KEYS)) == [("elsewhere",)]
        do(session, "initialize", ("configure", WAL))
        with pytest.raises(errors.PersisterAccessError):
            do(session, "save", ("execute", INSERT, ("a", 1)))

    def test_the_path_is_that_of_the_moment(
        self, open_session: Any, path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(path.parent)
        session = open_session(path.name)
        (tmp_path / "other").mkdir()
        monkeypatch.chdir(tmp_path / "other")
        assert do(session, "load", ("fetch_all", KEYS)) == []

    @pytest.mark.parametrize(
        ("values", "named"),
        [
            ({"db_path": 1}, "db_path"),
            ({"db_path": None}, "db_path"),
            ({"db_path": b"x"}, "db_path"),
            ({"db_path": "x", "connect_kwargs": []}, "connect_kwargs"),
        ],
    )
    def test_wrong_values(self, driver: str, values: Any, named: str) -> None:
        with pytest.raises(TypeError, match=named):
            DRIVERS[driver].opening(FAILURES, LIMITS, **values)

    def test_wrong_connections(self, driver: str) -> None:
        wrong: list[Any] = [None, "x.db", 1, sqlite3.Connection]
        wrong.append(sqlite3.connect(":memory:") if driver == "aiosqlite" else open)
        for connection in wrong:
            with pytest.raises(TypeError, match=f"{driver}.Connection"):
                DRIVERS[driver].over(connection, FAILURES, LIMITS)

    def test_a_session_is_taken_as_it_is(self, driver: str, open_session: Any) -> None:
        session = open_session(":memory:")
        assert DRIVERS[driver].over(session, FAILURES, LIMITS) is session

    def test_a_text_factory_is_refused(self, driver: str, hand_in: Any) -> None:
        _, connection = hand_in()
        connection.text_factory = bytes
        with pytest.raises(ValueError, match="text_factory"):
            DRIVERS[driver].over(connection, FAILURES, LIMITS)


class TestClosing:
    def test_after_closing(self, open_session: Any, path: Path) -> None:
        session = open_session(path)
        do(session, "load", ("fetch_all", KEYS))
        close(session)
        close(session)
        with pytest.raises(errors.PersisterClosedError, match="cleanup"):
            do(session, "load", ("fetch_all", KEYS))

    @pytest.mark.parametrize("db_path", ["file", ":memory:", "handed in"])
    def test_no_copy_of_a_closed_one(
        self, open_session: Any, hand_in: Any, path: Path, db_path: str
    ) -> None:
        if db_path == "handed in":
            session = hand_in()[0]
        else:
            session = open_session(path if db_path == "file" else db_path)
        do(session, "initialize", ("run_together", BEGIN, steps(CREATE)))
        copy = session.copy()
        close(session)
        with pytest.raises(errors.PersisterClosedError, match=r"^copy: "):
            session.copy()
        assert do(copy.copy(), "load", ("fetch_all", KEYS)) == []

    def test_a_handed_in_connection_stays_open(self, hand_in: Any) -> None:
        session, _ = hand_in()
        copy = session.copy()
        close(session)
        assert do(copy, "save", ("execute", INSERT, ("a", 1))) == 1
        close(copy)
        with pytest.raises(errors.PersisterClosedError):
            do(copy, "load", ("fetch_all", KEYS))

    def test_a_handed_in_connection_gets_its_patience_back(self, hand_in: Any) -> None:
        session, connection = hand_in(timeout=7)
        copy = session.copy()
        for sharer, wait in ((session, 450), (copy, 7000)):
            do(sharer, "load", ("fetch_all", KEYS))
            close(sharer)
            if isinstance(connection, sqlite3.Connection):
                found = connection.execute("PRAGMA busy_timeout").fetchall()
            else:
                found = asyncio.run(_awaited(connection.execute_fetchall("PRAGMA busy_timeout")))
            assert list(found) == [(wait,)]

    def test_closed_by_its_owner(self, hand_in: Any) -> None:
        session, connection = hand_in()
        closing = connection.close()
        if closing is not None:
            asyncio.run(closing)
        with pytest.raises(errors.PersisterClosedError, match="handed in"):
            do(session, "load", ("fetch_all", KEYS))

    def test_closing_waits_for_the_operation_under_way(self, path: Path) -> None:
        session = Sqlite3Session.opening(FAILURES, LIMITS, db_path=path)
        with session.operation("save") as operation:
            thread = threading.Thread(target=session.close)
            thread.start()
            time.sleep(0.05)
            assert operation.execute(INSERT, ("a", 1)) == 1
        thread.join()
        assert keys(path) == ["a"]
        assert session.closed

    def test_an_unclosed_one_lets_the_interpreter_exit(self, driver: str, path: Path) -> None:
        code = (
            f"from tests.test_sessions_sqlite import *\n"
            f"s = DRIVERS[{driver!r}].opening(FAILURES, LIMITS, db_path={str(path)!r})\n"
            f"print(do(s, 'save', ('execute', INSERT, ('a', 1))))"
        )
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert (run.stdout, run.stderr, run.returncode) == ("1\n", "", 0)
        assert keys(path) == ["a"]


class TestCopies:
    def test_a_file_is_opened_anew(self, open_session: Any, path: Path) -> None:
        session = open_session(path)
        do(session, "save", ("execute", INSERT, ("a", 1)))
        for other in (session.copy(), pickle.loads(pickle.dumps(session))):
            assert do(other, "load", ("fetch_all", KEYS)) == [("a",)]
            assert do(other, "load", ("fetch_one", "PRAGMA synchronous")) == (2,)
            assert other.connection is not session.connection
            close(other)

    @pytest.mark.parametrize("db_path", [":memory:", "", "file::memory:", "file:x?mode=memory"])
    def test_a_database_in_memory_is_shared(self, open_session: Any, db_path: str) -> None:
        session = open_session(db_path, connect_kwargs={"uri": True})
        do(session, "initialize", ("run_together", BEGIN, steps(CREATE)))
        copy = session.copy()
        close(session)
        do(copy, "save", ("execute", INSERT, ("a", 1)))
        assert do(copy.copy(), "load", ("fetch_all", KEYS)) == [("a",)]
        assert do(open_session(":memory:"), "x", ("answers", KEYS)) is False
        with pytest.raises(TypeError, match="file"):
            pickle.dumps(copy)

    def test_a_handed_in_connection_cannot_be_pickled(self, hand_in: Any) -> None:
        session, _ = hand_in()
        with pytest.raises(TypeError, match=r"from_values\(\)"):
            pickle.dumps(session)

    def test_a_forked_process_opens_its_own(self, open_session: Any, path: Path) -> None:
        session = open_session(path)
        do(session, "save", ("execute", INSERT, ("parent", 1)))
        before = session.connection
        memory = open_session(":memory:")
        do(memory, "initialize", ("run_together", BEGIN, steps(CREATE)))

        def child() -> None:
            do(session, "save", ("execute", INSERT, ("child", 1)))
            assert session.connection is not before
            with pytest.raises(errors.PersisterError, match="process"):
                do(memory, "load", ("fetch_all", KEYS))
            close(session)
            close(memory)

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join(10)
        assert process.exitcode == 0
        assert do(session, "load", ("fetch_all", KEYS)) == [("child",), ("parent",)]


class TestForks:
    def test_while_another_thread_saves(self, path: Path) -> None:
        """SQLite's own table of locks is copied, too, and must not say that something is locked."""
        session = Sqlite3Session.opening(FAILURES, Limits(2, 2), db_path=path)
        do(session, "initialize", ("configure", WAL))
        going, processes = True, []
        context = multiprocessing.get_context("fork")
        stopped = context.Event()

        def work() -> None:
            number = 0
            while going:
                do(session, "save", ("execute", INSERT, (f"parent {number}", 0)))
                number += 1

        def child(number: int) -> None:
            assert stopped.wait(10)
            do(session, "save", ("execute", INSERT, (f"child {number}", 0)))
            another = Sqlite3Session.opening(FAILURES, Limits(2, 2), db_path=path)
            do(another, "save", ("execute", INSERT, (f"another {number}", 0)))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for number in range(10):
                time.sleep(0.01)
                processes.append(context.Process(target=child, args=(number,)))
                processes[-1].start()
        finally:
            going = False
            thread.join()
            stopped.set()
        for process in processes:
            process.join(20)
        assert [process.exitcode for process in processes] == [0] * 10
        session.close()
        assert sum(not str(key).startswith("parent") for key in keys(path)) == 20

    def test_what_the_child_saves_outlives_the_parents_connection(
        self, open_session: Any, path: Path
    ) -> None:
        """It would be lost with the WAL, were the parent's connection open at the fork."""
        session = open_session(path)
        do(session, "initialize", ("configure", WAL))
        do(session, "save", ("execute", INSERT, ("parent", 1)))
        context = multiprocessing.get_context("fork")
        opened, closed = context.Event(), context.Event()

        def child() -> None:
            do(session, "save", ("execute", INSERT, ("before", 1)))
            opened.set()
            assert closed.wait(10)
            do(session, "save", ("execute", INSERT, ("later", 1)))
            os._exit(0)

        process = context.Process(target=child)
        process.start()
        assert opened.wait(10)
        do(session, "save", ("execute", INSERT, ("parent too", 1)))
        close(session)
        closed.set()
        process.join(10)
        assert process.exitcode == 0
        assert keys(path) == ["before", "later", "parent", "parent too"]

    def test_in_the_middle_of_an_operation(
        self, driver: str, open_session: Any, path: Path
    ) -> None:
        """The forking thread's own: nothing can be waited for, so the child is told."""
        session = open_session(path)
        others = [open_session(path), open_session(":memory:")]

        def child() -> None:
            for _ in range(2):
                with pytest.raises(errors.PersisterError, match="forked in the middle"):
                    do(session, "save", ("execute", INSERT, ("child", 1)))
            close(session)

        def forked() -> None:
            pid = os.fork()
            if pid == 0:
                try:
                    # asyncio.run() refuses below a running loop; in another thread there is none.
                    thread = threading.Thread(target=lambda: (child(), os._exit(0)))
                    thread.start()
                    thread.join(10)
                finally:
                    os._exit(1)
            assert os.waitpid(pid, 0)[1] == 0

        async def main() -> None:
            async with session.operation("save") as operation:
                await operation.execute(INSERT, ("a", 1))
                forked()
                await operation.execute(INSERT, ("b", 1))

        began = time.monotonic()
        if driver == "aiosqlite":
            asyncio.run(main())
        else:
            with session.operation("save") as operation:
                operation.execute(INSERT, ("a", 1))
                forked()
                operation.execute(INSERT, ("b", 1))
        assert time.monotonic() - began < 4
        for other in others:
            assert do(other, "load", ("answers", "SELECT 1")) is True
        assert keys(path) == ["a", "b"]

    def test_links_come_and_go_meanwhile(self, path: Path) -> None:
        going = True
        failed: list[BaseException] = []

        def work() -> None:
            try:
                while going:
                    session = Sqlite3Session.opening(FAILURES, Limits(5, 5), db_path=path)
                    do(session, "load", ("fetch_all", KEYS))
                    session.close()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(30):
                began = time.monotonic()
                if (pid := os.fork()) == 0:
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
                assert time.monotonic() - began < 4
        finally:
            going = False
            for thread in threads:
                thread.join()
        assert failed == []


class _Interrupted(BaseException):
    """What a signal handler raises, as a KeyboardInterrupt."""


class TestInterrupts:
    """A signal handler may raise between any two steps of the main thread."""

    def in_another_thread(self, session: Sqlite3Session) -> None:
        failed: list[BaseException] = []

        def work() -> None:
            try:
                do(session, "save", ("execute", f"{INSERT} ON CONFLICT DO NOTHING", ("other", 1)))
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert failed == []

    def test_when_the_turn_was_just_taken(self, path: Path) -> None:
        session = Sqlite3Session.opening(FAILURES, LIMITS, db_path=path)

        class Interrupting:
            def acquire(self, timeout: float) -> bool:
                lock.acquire(timeout=timeout)
                raise _Interrupted

            def release(self) -> None:
                lock.release()

        link: Any = session._link
        lock = link.turn
        for interrupted in (lambda: do(session, "load", ("fetch_all", KEYS)), session.close):
            link.turn = Interrupting()
            with pytest.raises(_Interrupted):
                interrupted()
            link.turn = lock
            self.in_another_thread(session)
        session.close()

    def test_before_the_turn_is_given_on(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        session = Sqlite3Session.opening(FAILURES, LIMITS, db_path=path)
        operation = type(session.operation("load"))

        def interrupted(*_: Any) -> None:
            raise _Interrupted

        with monkeypatch.context() as patch:
            patch.setattr(operation, "__exit__", interrupted)
            with pytest.raises(_Interrupted):
                do(
                    session,
                    "initialize",
                    ("execute", "BEGIN IMMEDIATE"),
                    ("execute", INSERT, ("half", 1)),
                )
        do(session, "load", ("fetch_all", KEYS))
        self.in_another_thread(session)
        write_elsewhere(path)
        session.close()

    def test_a_transaction_is_not_kept(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        session = Sqlite3Session.opening(FAILURES, LIMITS, db_path=path)
        link = session._link
        settle = link.settle
        interruptions = iter([True])

        def interrupted(failed: bool) -> None:
            if next(interruptions, False):
                raise _Interrupted
            settle(failed)

        monkeypatch.setattr(link, "settle", interrupted)
        half = ["INSERT INTO t VALUES ('half', 1)", "INSERT INTO t VALUES ('half', 1)"]
        with pytest.raises(_Interrupted):
            do(session, "initialize", ("run_together", BEGIN, steps(*half)))
        write_elsewhere(path)
        self.in_another_thread(session)
        assert keys(path) == ["elsewhere", "other"]
        session.close()

    def test_a_storm(self, path: Path) -> None:
        session = Sqlite3Session.opening(FAILURES, LIMITS, db_path=path)
        do(session, "initialize", ("configure", WAL))
        ready = False

        def interrupt(*_: Any) -> None:
            nonlocal ready
            if ready:
                ready = False
                raise _Interrupted

        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            for number in range(1500):
                try:  # Not suppress(): its end is Python code, too.
                    ready = True
                    signal.setitimer(signal.ITIMER_REAL, 1e-5 + number % 50 * 4e-6)
                    for _ in range(5):
                        do(session, "load", ("fetch_all", "SELECT 1"))
                    ready = False
                except _Interrupted:
                    pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            give_back_the_log()
        do(session, "load", ("fetch_all", KEYS))
        self.in_another_thread(session)
        session.close()

    def test_a_handler_that_saves(self, path: Path) -> None:
        """It is told at once, and the operation that it interrupted goes on."""
        session = Sqlite3Session.opening(FAILURES, LIMITS, db_path=path)
        with session.operation("save") as operation:
            began = time.monotonic()
            with pytest.raises(errors.PersisterError, match=r"^save of key: .*signal handler"):
                do(session, "save", ("execute", INSERT, ("handler", 1)))
            with pytest.raises(errors.PersisterError, match=r"^cleanup: .*signal handler"):
                session.close()
            assert time.monotonic() - began < LIMITS.operation
            assert operation.execute(INSERT, ("a", 1)) == 1
        self.in_another_thread(session)
        assert keys(path) == ["a", "other"]
        session.close()


class TestSharing:
    def test_two_sessions_over_one_connection(self, hand_in: Any, path: Path) -> None:
        """They know of each other: one would end the other's transaction."""
        session, connection = hand_in(check_same_thread=False)
        other = type(session).over(connection, FAILURES, Limits(10, 10))
        patient = type(session).over(connection, FAILURES, Limits(10, 10))
        failed: list[BaseException] = []

        def together(number: int) -> list[str]:
            return [f"INSERT INTO t VALUES ('{number} {half}', 1)" for half in "abcdefgh"]

        if isinstance(session, AiosqliteSession):

            async def save(number: int) -> None:
                sharer = (other, patient)[number % 2]
                async with sharer.operation("save") as operation:
                    await operation.run_together(BEGIN, steps(*together(number)))

            async def main() -> None:
                await asyncio.gather(*map(save, range(40)))

            asyncio.run(main())
        else:

            def work(sharer: Any, begin: int) -> None:
                try:
                    for number in range(begin, begin + 20):
                        do(sharer, "save", ("run_together", BEGIN, steps(*together(number))))
                except BaseException as error:
                    failed.append(error)

            threads = [
                threading.Thread(target=work, args=(other, 0)),
                threading.Thread(target=work, args=(patient, 20)),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert failed == []
        assert len(keys(path)) == 320
        close(other)
        close(patient)
        assert len(do(session, "load", ("fetch_all", KEYS))) == 320
        close(session)
        again = type(session).over(connection, FAILURES, LIMITS)
        assert len(do(again, "load", ("fetch_all", KEYS))) == 320
        close(again)

    @pytest.mark.parametrize("db_path", ["file", ":memory:"])
    def test_threads_take_turns(self, path: Path, db_path: str) -> None:
        kwargs = {"check_same_thread": True}
        session = Sqlite3Session.opening(
            FAILURES,
            Limits(10, 10),
            db_path=path if db_path == "file" else db_path,
            connect_kwargs=kwargs,
        )
        do(session, "initialize", ("configure", WAL), ("run_together", BEGIN, steps(CREATE)))
        failed: list[BaseException] = []

        def work(worker: int) -> None:
            for number in range(25):
                try:
                    do(session, "save", ("execute", INSERT, (f"{worker}-{number}", 0)))
                    with contextlib.suppress(errors.PersisterError):
                        do(session, "save", ("execute", INSERT, (f"{worker}-{number}", 0)))
                except BaseException as error:
                    failed.append(error)

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(do(session, "load", ("fetch_all", KEYS))) == 200
        session.close()

    def test_another_threads_connection(self, path: Path) -> None:
        connection = sqlite3.connect(path)
        session = Sqlite3Session.over(connection, FAILURES, LIMITS)
        failed: list[str] = []

        def work() -> None:
            try:
                do(session, "load", ("fetch_all", KEYS))
            except errors.PersisterError as error:
                failed.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert "check_same_thread=False" in failed[0]
        assert do(session, "load", ("fetch_all", KEYS)) == []
        connection.close()

    def test_tasks_take_turns(self, path: Path) -> None:
        async def main() -> None:
            session = AiosqliteSession.opening(FAILURES, Limits(10, 10), db_path=path)

            async def work(number: int) -> None:
                async with session.operation("save", number) as operation:
                    if number % 10 == 0:
                        statements = [
                            f"INSERT INTO t VALUES ({number}, 0)",
                            f"INSERT INTO t VALUES ({number}, 0)",
                        ]
                        await operation.run_together(BEGIN, steps(*statements))
                    else:
                        await operation.execute(INSERT, (number, 0))

            results = await asyncio.gather(*map(work, range(100)), return_exceptions=True)
            assert [n for n, result in enumerate(results) if result] == list(range(0, 100, 10))
            assert keys(path) == [n for n in range(100) if n % 10]
            await session.close()

        asyncio.run(main())


class TestCancelling:
    @pytest.mark.parametrize("level", [None, "DEFERRED"])
    @pytest.mark.parametrize("together", [False, True])
    def test_at_every_moment(self, path: Path, level: Any, together: bool) -> None:
        """What returned is stored; what was cancelled is stored whole or not at all."""

        async def save(session: AiosqliteSession, key: int) -> None:
            async with session.operation("save", key) as operation:
                if together:
                    first, second = (f"INSERT INTO t VALUES ({k}, 0)" for k in (key, -key))
                    await operation.run_together(BEGIN, steps(first, second))
                else:
                    await operation.execute(INSERT, (key, 0))

        async def main() -> None:
            connection = await aiosqlite.connect(path, isolation_level=level)
            session = AiosqliteSession.over(connection, FAILURES, Limits(5, 5))
            saved = set()
            for key in range(1, 120):
                task = asyncio.create_task(save(session, key))
                for _ in range(key % 30):
                    await asyncio.sleep(0 if key % 2 else 0.00005)
                task.cancel()
                try:
                    await task
                    saved.add(key)
                except asyncio.CancelledError:
                    pass
                if key % 10 == 0:
                    async with session.operation("load") as operation:
                        await operation.fetch_all(KEYS)
                    write_elsewhere(path, f"after {key}")
            async with session.operation("load") as operation:
                found = {k for (k,) in await operation.fetch_all(KEYS) if isinstance(k, int)}
            assert saved <= found
            if together:
                assert {-key for key in found} == found
            await connection.close()

        asyncio.run(main())

    def test_while_waiting_for_the_turn(self, path: Path) -> None:
        async def main() -> None:
            session = AiosqliteSession.opening(FAILURES, LIMITS, db_path=path)
            async with session.operation("load"):
                task = asyncio.create_task(_entered(session))
                await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            await _entered(session)
            await session.close()

        asyncio.run(main())

    def test_while_opening(self, path: Path) -> None:
        async def main() -> None:
            session = AiosqliteSession.opening(FAILURES, LIMITS, db_path=path, on_open=FULL)
            for _ in range(10):
                task = asyncio.create_task(session.open())
                await asyncio.sleep(0)
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await _entered(session)
            await session.close()

        asyncio.run(main())


async def _entered(session: AiosqliteSession) -> None:
    async with session.operation("load") as operation:
        await operation.fetch_all(KEYS)


class TestEventLoops:
    def test_one_after_the_other(self, hand_in: Any, open_session: Any, path: Path) -> None:
        for session in (hand_in()[0], open_session(path), open_session(":memory:")):
            do(session, "initialize", ("run_together", BEGIN, steps(CREATE)))
            do(session, "save", ("execute", f"{INSERT} ON CONFLICT DO NOTHING", ("a", 1)))
            assert do(session, "load", ("fetch_all", KEYS)) == [("a",)]

    @pytest.mark.parametrize("driver", ["aiosqlite"], indirect=True)
    def test_two_that_run(self, hand_in: Any, open_session: Any, path: Path) -> None:
        """The second one is refused before anything is done, and may come when the first ended."""

        async def from_another(session: AiosqliteSession) -> None:
            with pytest.raises(errors.PersisterError, match="another event loop"):
                await asyncio.to_thread(do, session, "save", ("execute", INSERT, ("b", 1)))

        async def main(session: AiosqliteSession, advice: str) -> None:
            async with session.operation("save") as operation:
                await from_another(session)
                await operation.execute(INSERT, ("a", 1))
            with pytest.raises(errors.PersisterError, match=advice):
                await asyncio.to_thread(close, session)
            async with session.operation("save") as operation:
                assert await operation.fetch_all(KEYS) == [("a",)]

        memory = open_session(":memory:")
        do(memory, "initialize", ("run_together", BEGIN, steps(CREATE)))
        for session, advice in (
            (hand_in()[0], "build another one"),
            (open_session(path), "give each loop a copy"),
            (memory, "build another one"),
        ):
            do(session, "save", ("execute", "DELETE FROM t"))
            asyncio.run(main(session, advice))
            assert do(session, "save", ("execute", INSERT, ("b", 1))) == 1

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("driver", ["aiosqlite"], indirect=True)
    def test_one_that_ends_in_the_middle(self, hand_in: Any, open_session: Any, path: Path) -> None:
        async def leave_a_task(session: AiosqliteSession) -> None:
            async def save() -> None:
                async with session.operation("save") as operation:
                    await operation.run_together(
                        BEGIN, steps(*(f"INSERT INTO t VALUES ('{half}', 1)" for half in "xy"))
                    )

            task = asyncio.create_task(save())
            await asyncio.sleep(0.0005)
            assert task

        memory = open_session(":memory:")
        do(memory, "initialize", ("run_together", BEGIN, steps(CREATE)))
        for session in (hand_in()[0], open_session(path), memory):
            for _ in range(20):
                asyncio.run(leave_a_task(session))
                do(session, "save", ("execute", "DELETE FROM t"))
            do(session, "save", ("execute", INSERT, ("b", 1)))
            assert do(session, "load", ("fetch_all", KEYS)) == [("b",)]
            write_elsewhere(path)
            do(session, "save", ("execute", "DELETE FROM t"))

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_one_that_was_killed_in_the_middle(self, path: Path) -> None:
        session = AiosqliteSession.opening(FAILURES, Limits(2, 2), db_path=path)

        async def give_up() -> None:
            async with session.operation("save") as operation:
                with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
                    other.execute("BEGIN EXCLUSIVE")
                    saving = asyncio.create_task(operation.execute(INSERT, ("a", 1)))
                    await asyncio.sleep(0.05)
                    saving.cancel()
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            asyncio.run(give_up())
        assert set(do(session, "load", ("fetch_all", KEYS))) <= {("a",)}
        assert do(session, "save", ("execute", INSERT, ("b", 1))) == 1
        write_elsewhere(path)
        close(session)
