"""The general session, over a driver of which it knows nothing but PEP 249: Python's sqlite3.

Its connections have no socket to shut, and each belongs to the thread that opened it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from persistry import errors
from persistry._runtime.drivers import pep249_caller
from persistry._runtime.drivers.pep249_facts import Facts
from persistry._runtime.drivers.pep249_session import Pep249Session
from persistry._runtime.failures import Failures, Rule, Sign
from persistry._runtime.identifiers import literal
from persistry._runtime.limits import Limits
from persistry._runtime.steps import Step
from tests.timing import within

LIMITS, SHORT = Limits(5, 5), Limits(0.3, 0.3)
INSERT = "INSERT INTO t VALUES (?, ?)"
KEYS = "SELECT k FROM t ORDER BY 1"
SLOW = "SELECT slow(1)"
_woken = threading.Event()
FAILURES = Failures(
    "SQLite",
    (sqlite3.Error,),
    (
        Rule(
            errors.NotInitializedError, sqlite3.OperationalError, "-", messages=("no such table",)
        ),
        Rule(errors.PersisterClosedError, sqlite3.Error, "closed", messages=("closed database",)),
        Rule(errors.PersisterError, sqlite3.Error, "hand in another", messages=("same thread",)),
        Rule(errors.PersisterUnavailableError, sqlite3.Error, "late", messages=("interrupted",)),
    ),
    conflict=Sign(sqlite3.IntegrityError, messages=("UNIQUE",)),
)


def slow(database: str, **options: Any) -> sqlite3.Connection:
    connection = sqlite3.connect(database, timeout=0, **options)
    connection.create_function("slow", 1, _woken.wait)
    return connection


class WithMethods(sqlite3.Connection):
    """The other convention of the field: autocommit is set by a method, and told by another."""

    def autocommit(self, mode: bool) -> None:
        self.commit()
        self.isolation_level = None if mode else "DEFERRED"

    def get_autocommit(self) -> bool:
        return self.isolation_level is None


# Nothing can end a call, so each connection has a thread of its own.
PLAIN = Facts(slow, sqlite3.Connection, arguments={"db_path": "database"})
METHODS = replace(PLAIN, fixed={"factory": WithMethods})
# A call can be ended from another thread, so it is made in the caller's.
CANCELLED = replace(PLAIN, fixed={"check_same_thread": False}, cancel="interrupt")
EVERY = {"plain": PLAIN, "methods": METHODS, "cancelled": CANCELLED}


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = str(tmp_path / "steps.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)")
    return path


@pytest.fixture(params=EVERY.values(), ids=EVERY)
def facts(request: pytest.FixtureRequest) -> Facts:
    found: Facts = request.param
    return found


Open = Callable[..., Pep249Session]


@pytest.fixture
def open_session(path: str, facts: Facts) -> Iterator[Open]:
    opened: list[Pep249Session] = []

    def open_(limits: Limits = LIMITS, facts: Facts = facts, **values: Any) -> Pep249Session:
        values = {"db_path": path, "max_connections": 2, **values}
        opened.append(Pep249Session.opening(FAILURES, limits, facts, **values))
        return opened[-1]

    yield open_
    for session in opened:
        session.close()


@pytest.fixture
def hand_in(path: str, facts: Facts) -> Iterator[Any]:
    """A session over a connection of its owner, and that connection."""
    made: list[Any] = []

    def hand_in_(limits: Limits = LIMITS, **options: Any) -> tuple[Pep249Session, Any]:
        factory = facts.fixed.get("factory", sqlite3.Connection)
        options = {"check_same_thread": False, "factory": factory, **options}
        made.append(slow(path, **options))
        return Pep249Session.over(made[-1], FAILURES, limits, facts), made[-1]

    yield hand_in_
    for connection in made:
        connection.close()


def do(session: Pep249Session, name: str, *steps: tuple[Any, ...]) -> Any:
    with session.operation(name, "key") as operation:
        return [getattr(operation, verb)(*arguments) for verb, *arguments in steps][-1]


def save(session: Pep249Session, key: str = "a") -> Any:
    return do(session, "save", ("execute", INSERT, (key, "v")))


def keys(session: Pep249Session) -> list[str]:
    return [key for (key,) in do(session, "load", ("fetch_all", KEYS))]


def stored(path: str) -> list[str]:
    """What others see: nobody holds a lock, and what is there is committed."""
    with contextlib.closing(sqlite3.connect(path, timeout=1)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        return [key for (key,) in connection.execute(KEYS)]


def threads() -> int:
    """How many belong to a connection; others wait for one."""
    made = sum(it.name == "persistry-connection" for it in threading.enumerate())
    return made - len(pep249_caller._staying)


class TestStatements:
    def test_counts_and_rows(self, open_session: Open, path: str) -> None:
        session = open_session()
        assert save(session) == 1
        assert save(session) == 0  # a conflict, which the insert fails with
        assert stored(path) == ["a"]
        assert do(session, "load", ("fetch_one", "SELECT * FROM t")) == ("a", "v")
        assert do(session, "load", ("fetch_one", "SELECT * FROM t WHERE k = 'b'")) is None
        assert do(session, "is_initialized", ("answers", "SELECT 1 FROM nowhere")) is False

    def test_another_failure_is_no_conflict(self, open_session: Open) -> None:
        session = open_session()
        with pytest.raises(errors.PersisterError, match=r"refused it .*2 columns"):
            do(session, "save", ("execute", "INSERT INTO t VALUES (1)"))
        assert save(session) == 1

    @pytest.mark.parametrize("handed_in", [False, True])
    def test_all_or_nothing(
        self, open_session: Open, hand_in: Any, path: str, handed_in: bool
    ) -> None:
        session = hand_in()[0] if handed_in else open_session()
        steps = [Step("INSERT INTO t VALUES ('half', '')"), Step("INSERT INTO nowhere VALUES (1)")]
        with pytest.raises(errors.NotInitializedError):
            do(session, "initialize", ("run_together", "BEGIN IMMEDIATE", steps))
        assert stored(path) == []
        wanted = Step("INSERT INTO t VALUES ('more', '')", when="SELECT count(*) = 1 FROM t")
        steps = [steps[0], wanted, wanted]
        do(session, "initialize", ("run_together", "BEGIN IMMEDIATE", steps))
        assert stored(path) == ["half", "more"]

    @pytest.mark.parametrize(
        "factory", [sqlite3.Row, lambda cursor, row: dict(zip("kv", row, strict=True)), None]
    )
    def test_rows_are_tuples(self, hand_in: Any, factory: Any) -> None:
        session, connection = hand_in()
        connection.row_factory = factory
        save(session)
        assert do(session, "load", ("fetch_all", "SELECT k, v FROM t")) == [("a", "v")]

    def test_rows_that_are_something_else(self, hand_in: Any) -> None:
        session, connection = hand_in()
        connection.row_factory = lambda cursor, row: row[0]
        with pytest.raises(errors.PersisterError, match="makes each row a str; hand in one"):
            do(session, "load", ("fetch_all", "SELECT 'k'"))

    def test_statements_for_a_new_connection(self, open_session: Open, facts: Facts) -> None:
        """A value stands in them as a text, whatever it holds."""
        statements = ("CREATE TEMP TABLE secret (it)", "INSERT INTO secret VALUES ({passphrase})")
        facts = replace(facts, on_open=statements, literal=literal)
        passphrase = "it's {braces} and 100 % \\ 'more'"
        session = open_session(facts=facts, passphrase=passphrase)
        assert do(session, "load", ("fetch_one", "SELECT it FROM secret")) == (passphrase,)
        with pytest.raises(TypeError, match="passphrase must be a str, not bytes"):
            open_session(facts=facts, passphrase=b"x")

    def test_statements_that_fail(self, open_session: Open, facts: Facts) -> None:
        session = open_session(facts=replace(facts, on_open=("PRAGMA x", "nonsense")))
        with pytest.raises(errors.PersisterError, match=r"refused it .*nonsense"):
            save(session)


class TestOpening:
    def test_words_that_the_driver_does_not_take(self, open_session: Open) -> None:
        named = {
            "db_path": "give db_path",
            "database": "give db_path",
            "dsn": "give db_path",
        }
        for name, words in named.items():
            with pytest.raises(ValueError, match=f"connect_kwargs: {name} .*; {words}"):
                open_session(connect_kwargs={name: "x"})
        with pytest.raises(ValueError, match=r"limit cannot .*; give operation_timeout"):
            open_session(
                facts=replace(PLAIN, timeouts={"limit": "operation_timeout"}),
                connect_kwargs={"limit": 1},
            )
        with pytest.raises(ValueError, match=r"isolation_level cannot .* always None here"):
            open_session(
                facts=replace(PLAIN, fixed={"isolation_level": None}),
                connect_kwargs={"isolation_level": "IMMEDIATE"},
            )

    def test_words_that_the_driver_refuses(self, open_session: Open) -> None:
        facts = replace(PLAIN, connect=lambda database: sqlite3.connect(database))
        with pytest.raises(TypeError, match=r"connect_kwargs: .*'cached_statement'"):
            open_session(facts=facts, connect_kwargs={"cached_statement": 1})
        facts = replace(facts, arguments={"db_path": "databse"})
        with pytest.raises(TypeError, match=r"connect, in the spec of .*: .*'databa?se'"):
            open_session(facts=facts, connect_kwargs={"cached_statement": 1})

    def test_time_limits_are_whole_seconds(self, path: str) -> None:
        given: dict[str, Any] = {}

        def connect(database: str, **options: Any) -> sqlite3.Connection:
            given.update(options)
            return sqlite3.connect(database)

        timeouts = {"connecting": "connect_timeout", "reading": "operation_timeout"}
        facts = replace(PLAIN, connect=connect, timeouts=timeouts)
        session = Pep249Session.opening(FAILURES, Limits(0.2, 7.1), facts, db_path=path)
        assert keys(session) == []
        assert given == {"connecting": 1, "reading": 8}
        session.close()

    def test_what_cannot_be_handed_in(self, facts: Facts) -> None:
        for wrong in (None, 1, "steps.db"):
            with pytest.raises(TypeError, match=r"must be a sqlite3\.Connection, not builtins\."):
                Pep249Session.over(wrong, FAILURES, LIMITS, facts)

    def test_where_it_leads_to(self, open_session: Open, hand_in: Any, path: str) -> None:
        assert open_session().describe() == repr(path)
        assert hand_in()[0].describe() == "the connection that was handed in"


class TestLimits:
    @pytest.mark.parametrize("handed_in", [False, True])
    def test_a_call_that_is_late(
        self, open_session: Open, hand_in: Any, path: str, handed_in: bool
    ) -> None:
        session = hand_in(SHORT)[0] if handed_in else open_session(SHORT)
        save(session)
        cancel = session.pool.driver.facts.cancel
        # SQLite looks whether it is interrupted between its own steps: behind that of the function.
        slow = f"SELECT slow({1 if cancel else 30})"
        late = pytest.raises(errors.PersisterUnavailableError, match="operation_timeout")
        with within(1 if cancel else 0.3), late as caught:
            do(session, "save", ("fetch_one", slow))
        assert caught.value.may_have_saved or cancel
        if not cancel:  # A connection that was handed in is still busy with the call.
            _woken.set()
            time.sleep(0.5)
            _woken.clear()
        assert save(session, "b") == 1
        assert stored(path) == ["a", "b"]

    def test_the_connection_is_abandoned(self, open_session: Open) -> None:
        before = threads()
        session = open_session(SHORT, PLAIN, max_connections=1)
        line = session.pool.turns.take(lambda: 1.0)
        assert line is not None and line.line is None
        session.pool.turns.give(line)
        with pytest.raises(errors.PersisterUnavailableError):
            do(session, "load", ("fetch_one", SLOW))
        assert line.line is None
        assert keys(session) == []
        end = time.monotonic() + 5
        while threads() > before + 1:  # The one that was late ends when its call does.
            assert time.monotonic() < end
            time.sleep(0.02)

    def test_connecting_that_is_late(self, path: str) -> None:
        def connect(database: str) -> sqlite3.Connection:
            time.sleep(1)
            return sqlite3.connect(database)

        facts = replace(PLAIN, connect=connect)
        session = Pep249Session.opening(FAILURES, Limits(0.3, 5), facts, db_path=path)
        with pytest.raises(errors.PersisterUnavailableError, match="connect_timeout"):
            save(session)
        session.close()

    def test_attempts_that_are_late_are_not_too_many(self, path: str) -> None:
        """Not so many threads as there are calls, of a server that says nothing."""
        answers, begun = threading.Event(), []

        def connect(database: str) -> sqlite3.Connection:
            begun.append(database)
            answers.wait(30)
            return sqlite3.connect(database, check_same_thread=False)

        facts = replace(PLAIN, connect=connect)
        session = Pep249Session.opening(FAILURES, Limits(0.1, 5), facts, db_path=path)
        for _ in range(20):
            with pytest.raises(errors.PersisterUnavailableError, match="connect_timeout"):
                save(session)
        assert len(begun) == 4
        answers.set()
        time.sleep(0.2)
        assert save(session) == 1
        session.close()

    @pytest.mark.parametrize("late", [False, True])
    def test_an_attempt_that_failed_leaves_nothing(self, path: str, late: bool) -> None:
        """Neither what the driver has begun, nor, in an error's frames, what it was given."""
        begun: list[weakref.ref[Any]] = []

        class Socket:
            pass

        def connect(database: str) -> sqlite3.Connection:
            secret = Socket()
            begun.append(weakref.ref(secret))
            time.sleep(0.2 if late else 0)
            try:
                raise sqlite3.OperationalError("no")
            except sqlite3.Error as exc:
                failure = exc  # so that the frame and the exception keep each other
            raise failure

        before = threads()
        facts = replace(PLAIN, connect=connect)
        session = Pep249Session.opening(FAILURES, Limits(0.1, 5), facts, db_path=path)
        gc.disable()
        try:
            with pytest.raises(errors.PersisterError) as caught:
                save(session)
            while threads() > before:
                time.sleep(0.02)
            assert begun[0]() is None
            assert late is (caught.value.__cause__ is None)
        finally:
            gc.enable()
        session.close()


class TestFiles:
    @pytest.mark.parametrize("replaced", [False, True])
    def test_one_that_is_lost(self, open_session: Open, path: str, replaced: bool) -> None:
        """What would be saved to it, nobody would find."""
        session = open_session()
        save(session)
        if replaced:
            with contextlib.closing(sqlite3.connect(f"{path}.new")) as connection:
                connection.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)")
            os.replace(f"{path}.new", path)
            save(session, "b")
            assert stored(path) == ["b"]
        else:
            os.unlink(path)
            with pytest.raises(errors.NotInitializedError):
                save(session, "b")

    def test_another_working_directory(
        self, open_session: Open, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(Path(path).parent)
        session = open_session(db_path=Path(path).name)
        save(session)
        monkeypatch.chdir("/")
        save(session, "b")
        assert stored(path) == ["a", "b"]


class TestThreads:
    def test_fifty(self, open_session: Open, path: str) -> None:
        session = open_session(Limits(20, 20), connect_kwargs={"isolation_level": None})
        do(session, "initialize", ("fetch_all", "PRAGMA journal_mode = WAL"))
        failed: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for count in range(4):
                    while True:
                        with contextlib.suppress(errors.PersisterError):
                            save(session, f"{number} {count}")
                            break
            except BaseException as error:
                failed.append(error)

        workers = [threading.Thread(target=work, args=(number,)) for number in range(50)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert failed == []
        assert len(stored(path)) == 200

    def test_a_handed_in_connection_in_many(self, hand_in: Any, path: str) -> None:
        session, _ = hand_in()
        workers = [threading.Thread(target=save, args=(session, str(n))) for n in range(20)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(stored(path)) == 20

    def test_one_that_belongs_to_its_thread(self, path: str) -> None:
        """What can be ended is used where the caller is; else it is said what is the matter."""
        with contextlib.closing(slow(path)) as connection:
            session = Pep249Session.over(connection, FAILURES, LIMITS, CANCELLED)
            assert save(session) == 1
            session.close()
            session = Pep249Session.over(connection, FAILURES, LIMITS, PLAIN)
            with pytest.raises(errors.PersisterError, match=r"hand in another .*same thread"):
                save(session, "b")
            session.close()


class TestSuiting:
    def test_asked_until_it_does(self, path: str, facts: Facts) -> None:
        facts = replace(facts, suits="SELECT count(*) = 1 FROM u", advice="fill u")
        with contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as connection:
            connection.execute("CREATE TABLE u (it)")
            session = Pep249Session.over(connection, FAILURES, LIMITS, facts)
            for _ in range(2):
                with pytest.raises(errors.PersisterError, match=r"save of key: .*suit; fill u"):
                    save(session)
            assert stored(path) == []
            connection.execute("INSERT INTO u VALUES (1)")
            assert save(session) == 1
            connection.execute("DROP TABLE u")
            assert save(session, "b") == 1
            assert stored(path) == ["a", "b"]

    def test_nobody_asks_what_was_opened_here(self, open_session: Open, facts: Facts) -> None:
        assert save(open_session(facts=replace(facts, suits="SELECT false"))) == 1


class TestTransactions:
    def test_what_the_owner_had_begun_is_committed(self, hand_in: Any, path: str) -> None:
        session, connection = hand_in()
        for number in range(2):
            connection.execute("BEGIN")
            connection.execute(INSERT, (f"owner {number}", ""))
            assert connection.in_transaction
            with pytest.raises(errors.NotInitializedError):
                do(session, "load", ("fetch_all", "SELECT * FROM nowhere"))
            assert f"owner {number}" in stored(path)
        session.close()
        assert connection.isolation_level is not None  # as it was
        assert connection.execute("SELECT 1").fetchone() == (1,)

    def test_a_closed_one(self, hand_in: Any) -> None:
        session, connection = hand_in()
        save(session)
        connection.close()
        with pytest.raises(errors.PersisterClosedError):
            save(session, "b")
        session.close()


class Interruption(BaseException):
    pass


class TestInterruptions:
    @pytest.mark.parametrize("handed_in", [False, True])
    def test_in_a_transaction(
        self, open_session: Open, hand_in: Any, path: str, handed_in: bool
    ) -> None:
        def interrupt(*_: object) -> None:
            raise Interruption

        session = hand_in()[0] if handed_in else open_session()
        steps = [Step("INSERT INTO t VALUES ('half', '')"), Step(SLOW.replace("1", "0.3"))]
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            # SQLite makes an error of its own of what is raised inside of its function.
            with pytest.raises((Interruption, errors.PersisterError)):
                do(session, "initialize", ("run_together", "BEGIN IMMEDIATE", [*steps, *steps]))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        deadline = time.monotonic() + 3
        while True:  # the steps that are under way may still hold their lock
            with contextlib.suppress(errors.PersisterError):
                assert save(session) == 1
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert stored(path) == ["a"]


class TestLife:
    def test_pickles_and_copies(self, open_session: Open, path: str) -> None:
        session = open_session(facts=replace(PLAIN, connect=sqlite3.connect))
        save(session)
        read = pickle.loads(pickle.dumps(session))
        copy = session.copy()
        session.close()
        for another in (read, copy):
            assert keys(another) == ["a"]
            another.close()
            with pytest.raises(errors.PersisterClosedError):
                keys(another)

    def test_a_handed_in_connection_is_shared_not_pickled(self, hand_in: Any) -> None:
        session, connection = hand_in()
        copy = session.copy()
        session.close()
        assert save(copy) == 1
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(copy)
        copy.close()
        assert connection.execute(KEYS).fetchall() == [("a",)]

    def test_no_thread_is_left(self, open_session: Open) -> None:
        gc.collect()
        for end in ("close", "throw away"):
            session: Any = open_session().copy()
            save(session, end)
            if end == "close":
                session.close()
            del session
            gc.collect()
            deadline = time.monotonic() + 5
            while threads():
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def test_an_unclosed_one_lets_the_interpreter_exit(self, path: str) -> None:
        code = (
            "from tests.test_sessions_pep249 import *\n"
            f"session = Pep249Session.opening(FAILURES, LIMITS, PLAIN, db_path={path!r})\n"
            "print(save(session))"
        )
        run = subprocess.run(
            [sys.executable, "-X", "dev", "-c", code],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert (run.stdout, run.stderr, run.returncode) == ("1\n", "", 0)

    def test_forks(self, open_session: Open, hand_in: Any, path: str) -> None:
        opened, handed_in = open_session(), hand_in()[0]
        save(opened, "opened")
        save(handed_in, "handed in")
        if (forked := os.fork()) == 0:
            try:
                assert save(opened, "child") == 1
                with pytest.raises(errors.PersisterError, match="belongs to the process"):
                    save(handed_in, "never")
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(forked, 0)[1] == 0
        save(opened, "parent")
        assert stored(path) == ["child", "handed in", "opened", "parent"]
