"""The synchronous PostgreSQL session: turns, time limits, transactions, on a real server."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import psycopg2.extras
import pytest
from psycopg2 import extensions

from persistry import errors
from persistry._runtime.drivers.pep249_turns import Turns
from persistry._runtime.drivers.psycopg2_session import Psycopg2Session
from persistry._runtime.failures import Failures, Rule
from persistry._runtime.limits import Deadline, Limits
from persistry._runtime.steps import Step
from persistry.conformance.support.proxy import FaultProxy
from tests.servers import LOOPBACK, PostgreSQLServer, ServerMissing
from tests.sessions import give_back_the_log

LIMITS = Limits(5, 5)
SHORT = Limits(0.5, 0.5)
SLACK = 0.4
UPSERT = "INSERT INTO t VALUES (%s, %s) ON CONFLICT DO NOTHING"
KEYS = "SELECT k FROM t ORDER BY 1"
SECRET = "hunter2"

FAILURES = Failures(
    "PostgreSQL",
    (psycopg2.Error,),
    (
        Rule(errors.NotInitializedError, psycopg2.Error, "no table", codes=("42P01",)),
        Rule(errors.PersisterClosedError, psycopg2.InterfaceError, "handed in", messages=("closed",)),
        Rule(
            errors.PersisterUnavailableError,
            psycopg2.OperationalError,
            "no server answers there",
            messages=("Connection refused",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            psycopg2.Error,
            "the statement was cancelled",
            codes=("57014",),
        ),
        Rule(
            errors.PersisterUnavailableError,
            psycopg2.Error,
            "try again",
            codes=("40001",),
            repeat=True,
        ),
        Rule(
            errors.PersisterUnavailableError,
            psycopg2.OperationalError,
            "the connection was lost",
            may_have_saved=True,
            repeat=True,
        ),
    ),
    code_attribute="pgcode",
)


def do(session: Psycopg2Session, name: str, *steps: tuple[Any, ...]) -> Any:
    """Run the verbs in one operation."""
    with session.operation(name, "key") as operation:
        return [getattr(operation, verb)(*arguments) for verb, *arguments in steps][-1]


def save(session: Psycopg2Session, key: str = "a") -> Any:
    return do(session, "save", ("execute", UPSERT, (key, "v")))


def keys(session: Psycopg2Session) -> list[str]:
    return [key for (key,) in do(session, "load", ("fetch_all", KEYS))]


@contextlib.contextmanager
def unavailable(
    seconds: float, *, may_have_saved: bool, match: str = " of key: "
) -> Iterator[None]:
    began = time.monotonic()
    with pytest.raises(errors.PersisterUnavailableError, match=match) as caught:
        yield
    assert time.monotonic() - began < seconds + SLACK
    assert caught.value.may_have_saved is may_have_saved


@pytest.fixture(scope="module")
def shared_server() -> Iterator[PostgreSQLServer]:
    try:
        server = PostgreSQLServer()
    except ServerMissing as missing:
        pytest.skip(str(missing))
    with server:
        yield server


def connect(server: PostgreSQLServer, **kwargs: Any) -> Any:
    values = {"host": LOOPBACK, "port": server.port, "user": "postgres", "dbname": "postgres"}
    return psycopg2.connect(**values | kwargs)


@pytest.fixture
def server(shared_server: PostgreSQLServer) -> Iterator[PostgreSQLServer]:
    """The module's server, running, with an empty table and without anybody's connections."""
    shared_server.resume()
    shared_server.start()
    with contextlib.closing(connect(shared_server)) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM ({OTHERS}) AS others")
            cursor.execute("DROP TABLE IF EXISTS t, u; CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)")
    yield shared_server
    shared_server.resume()
    shared_server.start()


OTHERS = """
    SELECT pid, state, query FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Admin:
    """What somebody else does to the server, and sees of it."""

    def __init__(self, server: PostgreSQLServer) -> None:
        self.connection = connect(server)
        self.connection.autocommit = True

    def __call__(self, sql: str) -> list[Any]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def others(self) -> list[Any]:
        return self(OTHERS)

    def alone(self) -> bool:
        """Whether all other connections are gone after a while."""
        deadline = time.monotonic() + 5
        while self.others():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def end_all(self) -> None:
        self(f"SELECT pg_terminate_backend(pid, 5000) FROM ({OTHERS}) AS others")

    def write_elsewhere(self) -> None:
        """Fails soon if anybody has left a lock."""
        self("SET lock_timeout = 1000; LOCK TABLE t; RESET lock_timeout")


@pytest.fixture
def admin(server: PostgreSQLServer) -> Iterator[Admin]:
    admin = Admin(server)
    yield admin
    admin.connection.close()


Open = Callable[..., Psycopg2Session]


@pytest.fixture
def open_session(server: PostgreSQLServer) -> Iterator[Open]:
    opened: list[Psycopg2Session] = []

    def open_(limits: Limits = LIMITS, **values: Any) -> Psycopg2Session:
        place = {"host": LOOPBACK, "port": server.port, "db_name": "postgres"}
        values = {**place, "user": "postgres", "password": None, **values}
        opened.append(Psycopg2Session.opening(FAILURES, limits, **values))
        return opened[-1]

    yield open_
    server.resume()
    for session in opened:
        session.close()


@pytest.fixture
def hand_in(server: PostgreSQLServer) -> Iterator[Callable[..., tuple[Psycopg2Session, Any]]]:
    """A session over a connection of its owner, and that connection."""
    made: list[Any] = []

    def hand_in_(limits: Limits = LIMITS, **kwargs: Any) -> tuple[Psycopg2Session, Any]:
        made.append(connect(server, **kwargs))
        return Psycopg2Session.over(made[-1], FAILURES, limits), made[-1]

    yield hand_in_
    server.resume()
    for connection in made:
        connection.close()


@pytest.fixture(params=["opened", "handed in"])
def session(request: pytest.FixtureRequest, open_session: Open, hand_in: Any) -> Psycopg2Session:
    if request.param == "opened":
        return open_session(max_connections=1)
    found: Psycopg2Session = hand_in()[0]
    return found


@pytest.fixture(params=["opened", "handed in"])
def short(request: pytest.FixtureRequest, open_session: Open, hand_in: Any) -> Psycopg2Session:
    """A session with little time."""
    if request.param == "opened":
        return open_session(SHORT)
    found: Psycopg2Session = hand_in(SHORT)[0]
    return found


class TestStatements:
    def test_counts_and_rows(self, session: Psycopg2Session) -> None:
        assert do(session, "save", ("execute", UPSERT, ("a", "1"))) == 1
        assert do(session, "save", ("execute", UPSERT, ("a", "2"))) == 0
        assert do(session, "load", ("fetch_one", "SELECT * FROM t")) == ("a", "1")
        assert do(session, "load", ("fetch_one", "SELECT * FROM t WHERE k = %s", ("b",))) is None
        assert do(session, "load", ("fetch_all", "SELECT * FROM t")) == [("a", "1")]

    def test_percent_signs(self, session: Psycopg2Session) -> None:
        assert do(session, "load", ("fetch_one", "SELECT '%%'")) == ("%",)
        assert do(session, "load", ("fetch_one", "SELECT '%%', %s", ("%s",))) == ("%", "%s")
        step = Step("INSERT INTO t VALUES ('%%', '')", "SELECT '%%' = chr(37)")
        do(session, "initialize", ("run_together", [step]))
        assert keys(session) == ["%"]

    def test_answers(self, session: Psycopg2Session) -> None:
        for sql, answer in (
            ("SELECT 1 FROM nowhere", False),
            ("SELECT false", False),
            ("SELECT NULL", False),
            ("SELECT true", True),
            ("SELECT 1 WHERE false", True),
        ):
            assert do(session, "is_initialized", ("answers", sql)) is answer
        with pytest.raises(errors.PersisterError, match="UndefinedColumn"):
            do(session, "is_initialized", ("answers", "SELECT other FROM t"))
        assert save(session) == 1

    def test_run_together_is_all_or_nothing(self, session: Psycopg2Session, admin: Admin) -> None:
        half = [Step("INSERT INTO t VALUES ('half', '')"), Step("INSERT INTO nowhere VALUES (1)")]
        with pytest.raises(errors.NotInitializedError):
            do(session, "initialize", ("run_together", half))
        assert keys(session) == []
        admin.write_elsewhere()
        assert save(session) == 1

    def test_run_together_runs_what_is_wanted(self, session: Psycopg2Session) -> None:
        insert = "INSERT INTO t VALUES ('{}', '')"
        steps = [
            Step(insert.format("always")),
            Step(insert.format("yes"), "SELECT count(*) = 1 FROM t"),
            Step(insert.format("no"), "SELECT count(*) = 1 FROM t"),
            Step(insert.format("none"), "SELECT true WHERE false"),
        ]
        do(session, "initialize", ("run_together", steps))
        assert keys(session) == ["always", "yes"]
        (left,) = do(session, "load", ("fetch_one", "SHOW statement_timeout"))
        assert left == "0"

    def test_configure(self, open_session: Open, hand_in: Any) -> None:
        opened, (handed_in, _) = open_session(), hand_in()
        do(handed_in, "initialize", ("configure", ["INSERT INTO t VALUES ('no', '')"]))
        do(opened, "initialize", ("configure", ["INSERT INTO t VALUES ('yes', '')"]))
        assert keys(opened) == ["yes"]

    @pytest.mark.parametrize(
        "factory", [psycopg2.extras.DictCursor, psycopg2.extras.RealDictCursor, None]
    )
    def test_rows_are_tuples(self, open_session: Open, hand_in: Any, factory: Any) -> None:
        opened = open_session(connect_kwargs={"cursor_factory": factory})
        for session in (opened, hand_in(cursor_factory=factory)[0]):
            assert do(session, "load", ("fetch_one", "SELECT 1 AS a")) == (1,)

    @pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
    def test_a_handed_in_connection_of_another_encoding(self, hand_in: Any, encoding: str) -> None:
        session, connection = hand_in()
        connection.set_client_encoding(encoding)
        before = connection.encoding
        assert save(session, "ä ☃ 𝄞") == 1
        assert keys(session) == ["ä ☃ 𝄞"]
        session.close()
        assert connection.encoding == before
        assert not connection.autocommit

    def test_what_cannot_be_read(self, session: Psycopg2Session) -> None:
        wrong = "SELECT '12345-01-01'::timestamp"
        with pytest.raises(errors.CorruptStateError, match=r"load of key: .*year"):
            do(session, "load", ("fetch_one", wrong))
        assert save(session) == 1


class TestTransactions:
    def test_a_save_is_there_for_all_others(self, session: Psycopg2Session, admin: Admin) -> None:
        with session.operation("save") as operation:
            operation.execute(UPSERT, ("a", "v"))
            assert admin(KEYS) == [("a",)]

    def test_nothing_is_left_open(self, session: Psycopg2Session, admin: Admin) -> None:
        save(session)
        keys(session)
        with pytest.raises(errors.PersisterError, match=r"save of key: .*UniqueViolation"):
            do(session, "save", ("execute", "INSERT INTO t VALUES ('a', '')"))
        assert [state for _, state, _ in admin.others()] == ["idle"]
        assert keys(session) == ["a"]

    @pytest.mark.parametrize("autocommit", [False, True])
    def test_what_the_owner_had_begun_is_committed(
        self, hand_in: Any, admin: Admin, autocommit: bool
    ) -> None:
        session, connection = hand_in()
        connection.autocommit = autocommit
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(UPSERT, ("owner", ""))
        with pytest.raises(errors.PersisterError):
            do(session, "save", ("execute", "INSERT INTO t VALUES ('owner', '')"))
        assert admin(KEYS) == [("owner",)]
        session.close()
        assert connection.autocommit is autocommit

    def test_a_transaction_of_the_owner_that_failed(self, hand_in: Any) -> None:
        session, connection = hand_in()
        for _ in range(2):
            with connection.cursor() as cursor, pytest.raises(psycopg2.Error):
                cursor.execute("BEGIN; INSERT INTO t VALUES ('lost', ''); SELECT 1 / 0")
            save(session)
            assert keys(session) == ["a"]

    def test_an_owner_who_turns_autocommit_off_again(self, hand_in: Any, admin: Admin) -> None:
        session, connection = hand_in()
        for number in range(2):
            connection.autocommit = False
            save(session, f"{number}")
            assert len(admin(KEYS)) == number + 1

    @pytest.mark.parametrize("failures", [1, 2])
    def test_a_serialization_failure_is_repeated(
        self, session: Psycopg2Session, admin: Admin, failures: int
    ) -> None:
        """Once, and on the same connection."""
        admin("DROP SEQUENCE IF EXISTS attempts; CREATE SEQUENCE attempts")
        pid = do(session, "load", ("fetch_one", "SELECT pg_backend_pid()"))
        failing = f"IF nextval('attempts') <= {failures} THEN RAISE SQLSTATE '40001'; END IF"
        step = Step(f"DO $$ BEGIN {failing}; END $$")
        if failures == 1:
            do(session, "save", ("run_together", [Step("LOCK TABLE t"), step]))
        else:
            with unavailable(1, may_have_saved=False, match="try again"):
                do(session, "save", ("run_together", [Step("LOCK TABLE t"), step]))
        assert admin("SELECT last_value FROM attempts") == [(2,)]
        assert do(session, "load", ("fetch_one", "SELECT pg_backend_pid()")) == pid
        admin.write_elsewhere()


class TestTurns:
    def test_in_the_order_of_arrival(self) -> None:
        turns = Turns(1, lambda line: None)
        deadline = Deadline(5)
        held = turns.take(deadline.remaining)
        served: list[int] = []

        def wait(number: int) -> None:
            turn = turns.take(deadline.remaining)
            assert turn is not None
            served.append(number)
            turns.give(turn)

        threads = [threading.Thread(target=wait, args=(number,)) for number in range(20)]
        for number, thread in enumerate(threads, start=1):
            thread.start()
            while len(turns._waiting) < number:
                time.sleep(0.001)
        assert held is not None
        turns.give(held)
        for thread in threads:
            thread.join()
        assert served == list(range(20))

    def test_one_that_was_dropped_comes_back(self) -> None:
        turns = Turns(2, lambda line: None)
        for _ in range(10):
            assert turns.take(Deadline(0.1).remaining) is not None
        held = turns.take(Deadline(0.1).remaining), turns.take(Deadline(0.1).remaining)
        assert None not in held
        assert turns.take(Deadline(0.05).remaining) is None
        del held
        assert turns.take(Deadline(0.1).remaining) is not None

    def test_a_place_in_the_queue_that_was_lost(self) -> None:
        turns = Turns(1, lambda line: None)
        held = turns.take(Deadline(1).remaining)
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(turns.take(Deadline(5).remaining)))
        thread.start()
        while not turns._waiting:
            time.sleep(0.001)
        turns._waiting.popleft()  # as if who gave a turn was interrupted
        assert held is not None
        turns.give(held)
        thread.join()
        assert found[0] is not None

    def test_no_more_connections_than_allowed(self, open_session: Open, admin: Admin) -> None:
        session = open_session(max_connections=3)
        most: list[int] = []

        def work() -> None:
            for number in range(20):
                save(session, f"{threading.get_ident()} {number}")

        threads = [threading.Thread(target=work) for _ in range(12)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most.append(len(admin.others()))
        assert 1 <= max(most) <= 3
        assert len(keys(session)) == 240

    def test_one_thread_needs_one_connection(self, open_session: Open, admin: Admin) -> None:
        session = open_session()
        assert admin.others() == []
        for number in range(20):
            save(session, str(number))
        assert len(admin.others()) == 1

    def test_a_turn_that_does_not_come(self, short: Psycopg2Session) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(short.pool.size):
                stack.enter_context(short.operation("load"))
            match = r"save of key: its turn did not come within operation_timeout \(0.5 s\)"
            with unavailable(0.5, may_have_saved=False, match=match):
                save(short)
        assert save(short) == 1


class TestLimits:
    def test_a_server_that_does_not_answer(
        self, short: Psycopg2Session, server: PostgreSQLServer
    ) -> None:
        save(short)
        server.pause()
        with unavailable(0.5, may_have_saved=True, match=r"operation_timeout \(0.5 s\)"):
            save(short, "b")
        server.resume()
        if short.opened_here:
            assert save(short, "c") == 1
            assert {"a", "c"} <= set(keys(short))
        else:
            with pytest.raises(errors.PersisterClosedError, match="handed in"):
                save(short)

    def test_a_load_from_a_server_that_does_not_answer(
        self, open_session: Open, server: PostgreSQLServer
    ) -> None:
        session = open_session(SHORT)
        keys(session)
        server.pause()
        with unavailable(0.5, may_have_saved=False, match=r"load of key: the server did not"):
            keys(session)
        with unavailable(0.5, may_have_saved=False, match=r"(connect|operation)_timeout \(0.5 s\)"):
            keys(session)
        server.resume()
        assert keys(session) == []

    def test_other_threads_go_on_meanwhile(
        self, short: Psycopg2Session, server: PostgreSQLServer
    ) -> None:
        """Neither waiting nor the request to cancel stops the interpreter."""
        save(short)
        server.pause()
        ticks: list[float] = []
        thread = threading.Thread(target=lambda: pytest.raises(Exception, save, short))
        thread.start()
        while thread.is_alive():
            ticks.append(time.monotonic())
            time.sleep(0.01)
        assert max(b - a for a, b in zip(ticks, ticks[1:], strict=False)) < 0.3

    def test_a_large_value_to_a_server_that_does_not_read(
        self, open_session: Open, server: PostgreSQLServer
    ) -> None:
        session = open_session(SHORT)
        save(session)
        server.pause()
        with unavailable(0.5, may_have_saved=True, match="operation_timeout"):
            do(session, "save", ("execute", UPSERT, ("b", "x" * 50_000_000)))
        server.resume()
        assert save(session, "c") == 1

    def test_packets_that_get_lost(self, open_session: Open, server: PostgreSQLServer) -> None:
        with FaultProxy(LOOPBACK, server.port) as proxy:
            host, port = proxy.address
            session = open_session(SHORT, host=host, port=port)
            save(session)
            proxy.stall()
            with unavailable(0.5, may_have_saved=True, match="operation_timeout"):
                save(session, "b")
            with unavailable(0.5, may_have_saved=False, match=r"_timeout \(0.5 s\)"):
                save(session, "c")
            proxy.restore()
            assert save(session, "d") == 1
            session.close()

    def test_a_server_that_accepts_and_says_nothing(self) -> None:
        with socket.create_server((LOOPBACK, 0)) as listening:
            session = Psycopg2Session.opening(
                FAILURES,
                Limits(0.3, 5),
                host=LOOPBACK,
                port=listening.getsockname()[1],
                db_name="x",
                user="x",
                password=SECRET,
            )
            for _ in range(2):
                with unavailable(
                    0.3, may_have_saved=False, match=r"there was no connection .*\(0.3 s\)"
                ):
                    save(session)
            with pytest.raises(errors.PersisterUnavailableError, match="connect_timeout"):
                _ = session.connection
            session.close()

    def test_a_connection_that_comes_late_is_closed(
        self, open_session: Open, server: PostgreSQLServer, admin: Admin
    ) -> None:
        session = open_session(Limits(0.2, 5))
        server.pause()
        with unavailable(0.2, may_have_saved=False, match=r"connect_timeout \(0.2 s\)"):
            save(session)
        server.resume()
        assert admin.alone()
        assert save(session) == 1

    def test_a_lock_held_elsewhere(self, short: Psycopg2Session, admin: Admin) -> None:
        """The server is asked to give up, so that nothing is saved later, and all lives on."""
        save(short)
        pid = do(short, "load", ("fetch_one", "SELECT pg_backend_pid()"))
        admin("BEGIN; LOCK TABLE t")
        for _ in range(2):
            with unavailable(0.5, may_have_saved=False, match="did not finish it within oper"):
                save(short, "b")
        with unavailable(0.5, may_have_saved=False, match=r"operation_timeout \(0.5 s\)"):
            do(short, "initialize", ("run_together", [Step("LOCK TABLE t")]))
        admin("ROLLBACK")
        assert keys(short) == ["a"]
        assert save(short, "c") == 1
        if not short.opened_here:
            assert do(short, "load", ("fetch_one", "SELECT pg_backend_pid()")) == pid
        admin.write_elsewhere()

    def test_a_transaction_is_not_kept_by_a_broken_network(
        self, open_session: Open, server: PostgreSQLServer, admin: Admin
    ) -> None:
        """Neither we nor the system tells the server: it ends the transaction itself."""
        with FaultProxy(LOOPBACK, server.port) as proxy:
            host, port = proxy.address
            session = open_session(Limits(5, 1), host=host, port=port)

            def stall(_: Any) -> str:
                proxy.stall()
                return "SELECT true"

            class Stalling(Step):
                @property
                def when(self) -> str:  # type: ignore[override]
                    return stall(self)

            steps = [Step("LOCK TABLE t"), Stalling("SELECT 1")]
            with unavailable(1, may_have_saved=False, match="operation_timeout"):
                do(session, "initialize", ("run_together", steps))
            admin.write_elsewhere()
            proxy.restore()
            session.close()

    def test_a_time_that_is_over_in_a_transaction(
        self, short: Psycopg2Session, admin: Admin
    ) -> None:
        steps = [Step("LOCK TABLE t"), Step("SELECT pg_sleep(0.3)"), Step("SELECT pg_sleep(0.3)")]
        with unavailable(0.5, may_have_saved=False, match="operation_timeout"):
            do(short, "initialize", ("run_together", steps))
        admin.write_elsewhere()
        assert save(short) == 1

    def test_an_operation_that_ends_in_time_is_left_alone(self, short: Psycopg2Session) -> None:
        for _ in range(3):
            do(short, "load", ("fetch_one", "SELECT pg_sleep(0.3)"))
            time.sleep(0.3)
        assert save(short) == 1

    def test_many_that_wait_at_once(self, open_session: Open, admin: Admin) -> None:
        session = open_session(SHORT, max_connections=4)
        admin("BEGIN; LOCK TABLE t")
        took: list[float] = []

        def work(number: int) -> None:
            began = time.monotonic()
            with contextlib.suppress(errors.PersisterUnavailableError):
                save(session, str(number))
            took.append(time.monotonic() - began)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(took) == 12
        assert max(took) < 0.5 + SLACK
        admin("ROLLBACK")
        assert keys(session) == []
