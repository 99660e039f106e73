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
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
import psycopg.rows
import psycopg2
import psycopg2.extras
import pytest
from psycopg2 import extensions

from persistry import b_psycopg, b_psycopg2, errors
from persistry._formats.postgresql import FORMAT
from persistry._runtime.drivers import pep249_pool, pep249_watch
from persistry._runtime.drivers.pep249_facts import Facts
from persistry._runtime.drivers.pep249_session import Pep249Session
from persistry._runtime.drivers.pep249_turns import Turns
from persistry._runtime.drivers.pep249_watch import watchdog
from persistry._runtime.drivers.psycopg2_session import Psycopg2Session
from persistry._runtime.failures import Failures, Rule
from persistry._runtime.limits import Deadline, Limits
from persistry._runtime.steps import Step
from persistry.conformance.support.proxy import FaultProxy
from tests.servers import LOOPBACK, PostgreSQLServer
from tests.sessions import give_back_the_log
from tests.timing import within

LIMITS = Limits(5, 5)
SHORT = Limits(0.5, 0.5)
UPSERT = "INSERT INTO t VALUES (%s, %s) ON CONFLICT DO NOTHING"
KEYS = "SELECT k FROM t ORDER BY 1"
SECRET = "hunter2"
BEGIN = FORMAT.begin


@dataclass(frozen=True)
class Driver:
    """A driver under test: the one with a module of its own, or one that is only described."""

    name: str
    connect: Callable[..., Any]
    error: type[Exception]
    session: type[Pep249Session]
    facts: Facts
    failures: Failures

    def opening(self, limits: Limits = LIMITS, **values: Any) -> Pep249Session:
        return self.session.opening(self.failures, limits, self.facts, **values)

    def over(self, connection: Any, limits: Limits = LIMITS) -> Pep249Session:
        return self.session.over(connection, self.failures, limits, self.facts)


PSYCOPG2 = Driver(
    "psycopg2",
    psycopg2.connect,
    psycopg2.Error,
    Psycopg2Session,
    b_psycopg2._DRIVER,
    b_psycopg2._FAILURES,
)
PSYCOPG = Driver(
    "psycopg",
    psycopg.connect,
    psycopg.Error,
    Pep249Session,
    b_psycopg._DRIVER,
    b_psycopg._FAILURES,
)


@pytest.fixture(params=[PSYCOPG2, PSYCOPG], ids=lambda it: it.name)
def driver(request: pytest.FixtureRequest) -> Driver:
    found: Driver = request.param
    return found


def do(session: Pep249Session, name: str, *steps: tuple[Any, ...]) -> Any:
    """Run the verbs in one operation."""
    with session.operation(name, "key") as operation:
        return [getattr(operation, verb)(*arguments) for verb, *arguments in steps][-1]


def save(session: Pep249Session, key: str = "a") -> Any:
    return do(session, "save", ("execute", UPSERT, (key, "v")))


def keys(session: Pep249Session) -> list[str]:
    return [key for (key,) in do(session, "load", ("fetch_all", KEYS))]


@contextlib.contextmanager
def unavailable(
    seconds: float, *, may_have_saved: bool, match: str = " of key: "
) -> Iterator[None]:
    unavailable = pytest.raises(errors.PersisterUnavailableError, match=match)
    with within(seconds), unavailable as caught:
        yield
    assert caught.value.may_have_saved is may_have_saved


@pytest.fixture(scope="module")
def shared_server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


def connect(server: PostgreSQLServer, driver: Driver = PSYCOPG2, **kwargs: Any) -> Any:
    values = {"host": LOOPBACK, "port": server.port, "user": "postgres", "dbname": "postgres"}
    return driver.connect(**values | kwargs)


@pytest.fixture
def server(shared_server: PostgreSQLServer) -> Iterator[PostgreSQLServer]:
    """The module's server, running, with an empty table and without anybody's connections."""
    shared_server.resume()
    shared_server.start()
    with contextlib.closing(connect(shared_server)) as admin:
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM ({OTHERS}) AS others")
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
        self("SELECT pg_stat_clear_snapshot()")  # which a transaction would keep
        return self(OTHERS)

    def alone(self, but: int = 0) -> bool:
        """Whether all other connections, but so many, are gone after a while."""
        deadline = time.monotonic() + 3
        while len(self.others()) != but:
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


Open = Callable[..., Pep249Session]


@pytest.fixture
def open_session(server: PostgreSQLServer, driver: Driver) -> Iterator[Open]:
    opened: list[Pep249Session] = []

    def open_(limits: Limits = LIMITS, **values: Any) -> Pep249Session:
        place = {"host": LOOPBACK, "port": server.port, "db_name": "postgres"}
        values = {**place, "user": "postgres", "password": None, "max_connections": 10, **values}
        opened.append(driver.opening(limits, **values))
        return opened[-1]

    yield open_
    server.resume()
    for session in opened:
        session.close()


@pytest.fixture
def hand_in(
    server: PostgreSQLServer, driver: Driver
) -> Iterator[Callable[..., tuple[Pep249Session, Any]]]:
    """A session over a connection of its owner, and that connection."""
    made: list[Any] = []

    def hand_in_(limits: Limits = LIMITS, **kwargs: Any) -> tuple[Pep249Session, Any]:
        made.append(connect(server, driver, **kwargs))
        return driver.over(made[-1], limits), made[-1]

    yield hand_in_
    server.resume()
    for connection in made:
        connection.close()


@pytest.fixture(params=["opened", "handed in"])
def session(request: pytest.FixtureRequest, open_session: Open, hand_in: Any) -> Pep249Session:
    if request.param == "opened":
        return open_session(max_connections=1)
    found: Pep249Session = hand_in()[0]
    return found


@pytest.fixture(params=["opened", "handed in"])
def short(request: pytest.FixtureRequest, open_session: Open, hand_in: Any) -> Pep249Session:
    """A session with little time."""
    if request.param == "opened":
        return open_session(SHORT)
    found: Pep249Session = hand_in(SHORT)[0]
    return found


@pytest.fixture
def asked_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy server may take longer than 0.05 s to give up, and is then cut off."""
    monkeypatch.setattr(pep249_watch, "_SHARE", 0.5)


class TestStatements:
    def test_counts_and_rows(self, session: Pep249Session) -> None:
        assert do(session, "save", ("execute", UPSERT, ("a", "1"))) == 1
        assert do(session, "save", ("execute", UPSERT, ("a", "2"))) == 0
        assert do(session, "load", ("fetch_one", "SELECT * FROM t")) == ("a", "1")
        assert do(session, "load", ("fetch_one", "SELECT * FROM t WHERE k = %s", ("b",))) is None
        assert do(session, "load", ("fetch_all", "SELECT * FROM t")) == [("a", "1")]

    def test_percent_signs(self, session: Pep249Session) -> None:
        """Only beside values are they the driver's."""
        assert do(session, "load", ("fetch_one", "SELECT '%s%'")) == ("%s%",)
        assert do(session, "load", ("fetch_one", "SELECT '%%', %s", ("%s",))) == ("%", "%s")
        assert do(session, "is_initialized", ("answers", "SELECT '%' = chr(37)"))
        step = Step("INSERT INTO t VALUES ('%', '')", "SELECT '%' = chr(37)")
        do(session, "initialize", ("run_together", BEGIN, [step]))
        assert keys(session) == ["%"]

    def test_answers(self, session: Pep249Session) -> None:
        for sql, answer in (
            ("SELECT 1 FROM nowhere", False),
            ("SELECT false", False),
            ("SELECT NULL", False),
            ("SELECT true", True),
            ("SELECT 1 WHERE false", True),
        ):
            assert do(session, "is_initialized", ("answers", sql)) is answer
        with pytest.raises(errors.StoreVersionError, match="UndefinedColumn"):
            do(session, "is_initialized", ("answers", "SELECT other FROM t"))
        assert save(session) == 1

    def test_run_together_is_all_or_nothing(self, session: Pep249Session, admin: Admin) -> None:
        half = [Step("INSERT INTO t VALUES ('half', '')"), Step("INSERT INTO nowhere VALUES (1)")]
        with pytest.raises(errors.NotInitializedError):
            do(session, "initialize", ("run_together", BEGIN, half))
        assert keys(session) == []
        admin.write_elsewhere()
        assert save(session) == 1

    def test_run_together_runs_what_is_wanted(self, session: Pep249Session) -> None:
        insert = "INSERT INTO t VALUES ('{}', '')"
        steps = [
            Step(insert.format("always")),
            Step(insert.format("yes"), "SELECT count(*) = 1 FROM t"),
            Step(insert.format("no"), "SELECT count(*) = 1 FROM t"),
            Step(insert.format("none"), "SELECT true WHERE false"),
        ]
        do(session, "initialize", ("run_together", BEGIN, steps))
        assert keys(session) == ["always", "yes"]
        (left,) = do(session, "load", ("fetch_one", "SHOW statement_timeout"))
        assert left == "0"

    def test_configure(self, open_session: Open, hand_in: Any) -> None:
        opened, (handed_in, _) = open_session(), hand_in()
        do(handed_in, "initialize", ("configure", ["INSERT INTO t VALUES ('no', '')"]))
        do(opened, "initialize", ("configure", ["INSERT INTO t VALUES ('yes', '')"]))
        assert keys(opened) == ["yes"]

    @pytest.mark.parametrize(
        ("driver", "rows"),
        [
            (PSYCOPG2, {"cursor_factory": psycopg2.extras.DictCursor}),
            (PSYCOPG2, {"cursor_factory": psycopg2.extras.RealDictCursor}),
            (PSYCOPG2, {"cursor_factory": None}),
            (PSYCOPG, {"row_factory": psycopg.rows.dict_row}),
            (PSYCOPG, {"row_factory": psycopg.rows.namedtuple_row}),
        ],
    )
    def test_rows_are_tuples(self, open_session: Open, hand_in: Any, rows: dict[str, Any]) -> None:
        for session in (open_session(connect_kwargs=rows), hand_in(**rows)[0]):
            assert do(session, "load", ("fetch_one", "SELECT 1 AS a, 2 AS b")) == (1, 2)

    @pytest.mark.parametrize("driver", [PSYCOPG])
    def test_rows_that_are_something_else(self, hand_in: Any) -> None:
        session, _ = hand_in(row_factory=psycopg.rows.scalar_row)
        with pytest.raises(errors.PersisterError, match="makes each row a bool; hand in one whose"):
            do(session, "load", ("fetch_one", "SELECT 'a' AS a, 2 AS b"))

    @pytest.mark.parametrize("driver", [PSYCOPG2])
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

    @pytest.mark.parametrize("driver", [PSYCOPG])
    def test_a_text_that_a_handed_in_connection_cannot_send(self, hand_in: Any) -> None:
        session, _ = hand_in(client_encoding="LATIN1")
        assert save(session, "ä") == 1
        with pytest.raises(errors.PersisterError, match="client_encoding"):
            save(session, "☃")
        assert keys(session) == ["ä"]

    @pytest.mark.parametrize("style", ["German", "SQL, DMY", "Postgres, MDY"])
    def test_a_handed_in_connection_of_another_date_style(self, hand_in: Any, style: str) -> None:
        session, connection = hand_in()
        with connection.cursor() as cursor:
            cursor.execute(f"SET DateStyle = '{style}'")
        connection.commit()
        time = "SELECT '2026-02-03 04:05:06.000007'::timestamp"
        found = do(session, "load", ("fetch_one", time))
        assert found == (datetime(2026, 2, 3, 4, 5, 6, 7),)
        session.close()
        with connection.cursor() as cursor:
            cursor.execute("SHOW DateStyle")
            assert cursor.fetchone()[0].startswith(style[:3])

    def test_what_cannot_be_read(self, session: Pep249Session) -> None:
        wrong = "SELECT '12345-01-01'::timestamp"
        with pytest.raises(errors.CorruptStateError, match=r"load of key: .*year"):
            do(session, "load", ("fetch_one", wrong))
        assert save(session) == 1


class TestTransactions:
    def test_a_save_is_there_for_all_others(self, session: Pep249Session, admin: Admin) -> None:
        with session.operation("save") as operation:
            operation.execute(UPSERT, ("a", "v"))
            assert admin(KEYS) == [("a",)]

    def test_nothing_is_left_open(self, session: Pep249Session, admin: Admin) -> None:
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

    def test_a_transaction_of_the_owner_that_failed(self, hand_in: Any, driver: Driver) -> None:
        session, connection = hand_in()
        for _ in range(2):
            with connection.cursor() as cursor, pytest.raises(driver.error):
                cursor.execute("BEGIN; INSERT INTO t VALUES ('lost', ''); SELECT 1 / 0")
            save(session)
            assert keys(session) == ["a"]

    def test_an_owner_who_wants_serializable_transactions(
        self, hand_in: Any, driver: Driver
    ) -> None:
        session, connection = hand_in()
        serializable = {
            "psycopg2": extensions.ISOLATION_LEVEL_SERIALIZABLE,
            "psycopg": psycopg.IsolationLevel.SERIALIZABLE,
        }[driver.name]
        connection.isolation_level = serializable
        save(session)
        assert keys(session) == ["a"]
        session.close()
        assert connection.isolation_level == serializable
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("serializable",)

    def test_an_owner_who_turns_autocommit_off_again(self, hand_in: Any, admin: Admin) -> None:
        session, connection = hand_in()
        for number in range(2):
            connection.autocommit = False
            save(session, f"{number}")
            assert len(admin(KEYS)) == number + 1

    @pytest.mark.parametrize("failures", [1, 2])
    def test_a_serialization_failure_is_repeated(
        self, session: Pep249Session, admin: Admin, failures: int
    ) -> None:
        """Once, and on the same connection."""
        admin("DROP SEQUENCE IF EXISTS attempts; CREATE SEQUENCE attempts")
        pid = do(session, "load", ("fetch_one", "SELECT pg_backend_pid()"))
        failing = f"IF nextval('attempts') <= {failures} THEN RAISE SQLSTATE '40001'; END IF"
        step = Step(f"DO $$ BEGIN {failing}; END $$")
        if failures == 1:
            do(session, "save", ("run_together", BEGIN, [Step("LOCK TABLE t"), step]))
        else:
            with unavailable(1, may_have_saved=False, match="try again"):
                do(session, "save", ("run_together", BEGIN, [Step("LOCK TABLE t"), step]))
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
        assert admin.alone()  # the one that prepared the server has gone
        most: list[int] = []

        def work(name: int) -> None:
            for number in range(20):
                save(session, f"{name} {number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in range(12)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            most.append(len(admin.others()))
        assert 1 <= max(most) <= 3
        assert len(keys(session)) == 240

    def test_one_thread_needs_one_connection(self, open_session: Open, admin: Admin) -> None:
        session = open_session()
        assert admin.alone()  # the one that prepared the server has gone
        for number in range(20):
            save(session, str(number))
        assert len(admin.others()) == 1

    def test_a_turn_that_does_not_come(self, short: Pep249Session) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(short.pool.size):
                stack.enter_context(short.operation("load"))
            match = r"save of key: its turn did not come within operation_timeout \(0.5 s\)"
            with unavailable(0.5, may_have_saved=False, match=match):
                save(short)
        assert save(short) == 1


class TestLimits:
    def test_a_server_that_does_not_answer(
        self, short: Pep249Session, server: PostgreSQLServer
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
        self, short: Pep249Session, server: PostgreSQLServer
    ) -> None:
        """Neither waiting nor the request to cancel stops the interpreter."""
        save(short)
        server.pause()
        ticks: list[float] = []

        def work() -> None:
            with pytest.raises(errors.PersisterUnavailableError):
                save(short)

        thread = threading.Thread(target=work)
        thread.start()
        while thread.is_alive():
            ticks.append(time.monotonic())
            time.sleep(0.01)
        assert len(ticks) > 5

    def test_a_large_value_to_a_server_that_does_not_read(
        self, open_session: Open, server: PostgreSQLServer
    ) -> None:
        session = open_session(SHORT)
        save(session)
        server.pause()
        with unavailable(0.5, may_have_saved=True, match="operation_timeout"):
            do(session, "save", ("execute", UPSERT, ("b", "x" * 20_000_000)))
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

    def test_a_server_that_accepts_and_says_nothing(self, driver: Driver) -> None:
        with socket.create_server((LOOPBACK, 0)) as listening:
            session = driver.opening(
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

    @pytest.mark.usefixtures("asked_early")
    def test_a_lock_held_elsewhere(self, short: Pep249Session, admin: Admin) -> None:
        """The server is asked to give up, so that nothing is saved later, and all lives on."""
        save(short)
        pid = do(short, "load", ("fetch_one", "SELECT pg_backend_pid()"))
        admin("BEGIN; LOCK TABLE t")
        for _ in range(2):
            with unavailable(0.5, may_have_saved=False, match="did not finish it within oper"):
                save(short, "b")
        with unavailable(0.5, may_have_saved=False, match=r"operation_timeout \(0.5 s\)"):
            do(short, "initialize", ("run_together", BEGIN, [Step("LOCK TABLE t")]))
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
                def when(self) -> str:
                    return stall(self)

            steps = [Step("LOCK TABLE t"), Stalling("SELECT 1")]
            with unavailable(1, may_have_saved=False, match="operation_timeout"):
                do(session, "initialize", ("run_together", BEGIN, steps))
            admin.write_elsewhere()
            proxy.restore()
            session.close()

    @pytest.mark.usefixtures("asked_early")
    def test_a_time_that_is_over_in_a_transaction(self, short: Pep249Session, admin: Admin) -> None:
        steps = [Step("LOCK TABLE t"), Step("SELECT pg_sleep(0.3)"), Step("SELECT pg_sleep(0.3)")]
        with unavailable(0.5, may_have_saved=False, match="operation_timeout"):
            do(short, "initialize", ("run_together", BEGIN, steps))
        admin.write_elsewhere()
        assert save(short) == 1

    def test_an_operation_that_ends_in_time_is_left_alone(self, short: Pep249Session) -> None:
        for _ in range(3):
            do(short, "load", ("fetch_one", "SELECT pg_sleep(0.3)"))
            time.sleep(0.3)
        assert save(short) == 1

    @pytest.mark.parametrize("handed_in", [False, True])
    @pytest.mark.parametrize("seconds", [0.5, 1.5])
    def test_a_request_to_give_up_that_comes_late(
        self, open_session: Open, hand_in: Any, handed_in: bool, seconds: float
    ) -> None:
        """The statement has ended in time, and the next one is not meant."""
        limits = Limits(5, 1)
        session = hand_in(limits)[0] if handed_in else open_session(limits, max_connections=1)
        with session.operation("load") as operation:
            operation.fetch_one("SELECT 1")
            line, watch = operation._line, operation._watch
            assert line is not None and line.cancel is not None and watch is not None
            cancel = line.cancel

            def late() -> None:
                time.sleep(seconds)
                cancel()

            line.cancel, watch.warn = late, 0
            watchdog._hurry()  # It is asked now.
            operation.fetch_one("SELECT pg_sleep(0.2)::text")
        session.limits = LIMITS
        assert do(session, "load", ("fetch_one", "SELECT pg_sleep(1)::text")) == ("",)

    def test_a_request_to_give_up_that_comes_too_early(
        self, open_session: Open, admin: Admin
    ) -> None:
        """It is made again when the connection is cut, so that nothing waits on for a lock."""
        session = open_session(SHORT)
        admin("BEGIN; LOCK TABLE t")
        with unavailable(0.5, may_have_saved=True, match="the server did not answer"):  # noqa: SIM117
            with session.operation("save", "key") as operation:
                operation.fetch_one("SELECT 1")
                line = operation._line
                assert line is not None and line.cancel is not None
                requests = iter([lambda: None, line.cancel])
                line.cancel = lambda: next(requests)()
                operation.execute(UPSERT, ("a", ""))
        assert admin.alone()
        admin("ROLLBACK")
        assert keys(session) == []

    def test_many_that_wait_at_once(self, open_session: Open, admin: Admin) -> None:
        session = open_session(SHORT, max_connections=4)
        admin("BEGIN; LOCK TABLE t")
        ended: list[int] = []
        maybe: set[str] = set()

        def work(number: int) -> None:
            try:
                save(session, str(number))
            except errors.PersisterUnavailableError as error:
                maybe.update([str(number)] if error.may_have_saved else [])
            ended.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
        with within(0.5):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(ended) == 12
        admin("ROLLBACK")
        assert set(keys(session)) <= maybe
        assert len(maybe) < 12  # Some waited for their turn as long as they might.


class TestLostConnections:
    def test_all_of_that_age_are_replaced(self, open_session: Open, admin: Admin) -> None:
        session = open_session()
        with contextlib.ExitStack() as stack:
            operations = [stack.enter_context(session.operation("load")) for _ in range(5)]
            for operation in operations:
                operation.fetch_all(KEYS)
        assert admin.alone(but=5)
        admin.end_all()
        failures: list[BaseException] = []
        rule_for = session.failures.rule_for

        def noted(exc: BaseException) -> Rule | None:
            failures.append(exc)
            return rule_for(exc)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session.failures, "rule_for", noted)
            with contextlib.ExitStack() as stack:
                operations = [stack.enter_context(session.operation("load")) for _ in range(5)]
                for operation in operations:
                    assert operation.execute(UPSERT, ("a", "")) in (0, 1)
        assert len(set(map(id, failures))) == 1  # the first one told of all
        assert len(admin.others()) == 5

    def test_in_a_burst_of_threads(self, open_session: Open, admin: Admin) -> None:
        session = open_session()
        failed: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for count in range(30):
                    save(session, f"{number} {count}")
                    time.sleep(0.005)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(3):  # more seldom than what is repeated once can meet twice
            time.sleep(0.08)
            admin.end_all()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(keys(session)) == 240

    @pytest.mark.parametrize("how", ["restart", "kill"])
    def test_a_server_that_comes_back(
        self, open_session: Open, server: PostgreSQLServer, how: str
    ) -> None:
        session = open_session()
        save(session)
        if how == "restart":
            server.restart()
        else:
            server.kill()
            for _ in range(2):
                with unavailable(1, may_have_saved=False, match="no server answers there"):
                    save(session.copy(), "b")
            with unavailable(1, may_have_saved=False, match="load of key: no server"):
                keys(session)
            server.start()
        assert save(session, "c") == 1
        assert keys(session) == ["a", "c"]

    def test_a_lost_reply(self, open_session: Open, server: PostgreSQLServer) -> None:
        """The save is made again, once."""
        with FaultProxy(LOOPBACK, server.port) as proxy:
            host, port = proxy.address
            session = open_session(host=host, port=port)
            save(session)
            proxy.lose_next_reply()
            assert save(session, "b") == 0  # it was there: the first attempt had saved it
            assert keys(session) == ["a", "b"]
            session.close()

    def test_a_lost_reply_and_then_no_server(
        self, open_session: Open, server: PostgreSQLServer
    ) -> None:
        with FaultProxy(LOOPBACK, server.port) as proxy:
            host, port = proxy.address
            session = open_session(SHORT, host=host, port=port)
            save(session)
            proxy.lose_replies()
            with unavailable(1, may_have_saved=True):
                save(session, "b")
            proxy.refuse()
            with unavailable(0, may_have_saved=False, match="load of key: no server"):
                keys(session)
            with unavailable(0, may_have_saved=False, match="save of key: no server"):
                save(session, "c")
            proxy.restore()
            assert keys(session) == ["a", "b"]
            session.close()

    def test_nothing_is_sent_while_connecting(self, driver: Driver) -> None:
        """Whatever the rules say of a lost connection."""
        lost = Rule(
            errors.PersisterUnavailableError,
            driver.error,
            "lost",
            may_have_saved=True,
            repeat=True,
        )
        failures = Failures("PostgreSQL", (driver.error,), (lost,))
        session = replace(driver, failures=failures).opening(
            host=LOOPBACK, port=1, db_name="x", user="x", password=None
        )
        with unavailable(1, may_have_saved=False, match="lost"):
            save(session)

    def test_a_handed_in_connection_that_is_lost(self, hand_in: Any, admin: Admin) -> None:
        session, connection = hand_in()
        save(session)
        admin.end_all()
        with unavailable(1, may_have_saved=True, match="connection.*could not be had again"):
            save(session, "b")
        with pytest.raises(errors.PersisterClosedError, match="handed in"):
            save(session, "c")
        session.close()
        assert connection.closed

    def test_a_handed_in_connection_that_its_owner_closed(
        self, hand_in: Any, driver: Driver
    ) -> None:
        session, connection = hand_in()
        save(session)
        connection.close()
        for closed in (session, driver.over(connection)):
            with pytest.raises(errors.PersisterClosedError, match=r"save of key: .* handed in"):
                save(closed)
            closed.close()


class Interruption(BaseException):
    pass


class TestInterruptions:
    """A signal handler may raise between any two steps of the main thread."""

    @pytest.mark.parametrize("handed_in", [False, True])
    def test_a_storm(
        self,
        open_session: Open,
        hand_in: Any,
        handed_in: bool,
        admin: Admin,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # pytest would keep what is raised in a callback, with its traceback and the turn in it.
        monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
        # An interrupted clean-up leaves a transaction to the next operation, and the server ends
        # the connection if there is none so long.
        limits = Limits(60, 60)
        session = hand_in(limits)[0] if handed_in else open_session(limits, max_connections=2)
        armed = False

        def interrupt(*_: object) -> None:
            nonlocal armed
            if armed:
                armed = False
                raise Interruption

        caught = 0
        chance = random.Random(1)
        steps = [Step("LOCK TABLE t"), Step("INSERT INTO t VALUES ('x', '')"), Step("SELECT 1 / 0")]
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            for number in range(1000):
                try:  # Not suppress(): its end is Python code, too.
                    armed = True
                    signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.00001, 0.0012))
                    assert save(session, str(number)) == 1
                    with contextlib.suppress(errors.PersisterError):
                        do(session, "initialize", ("run_together", BEGIN, steps))
                    armed = False
                except Interruption:
                    caught += 1
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            give_back_the_log()
        assert caught > 100
        gc.collect()  # a traceback may have kept a turn
        admin.write_elsewhere()
        with contextlib.ExitStack() as stack:
            for _ in range(session.pool.size):
                operation = stack.enter_context(session.operation("load"))
                assert "x" not in [key for (key,) in operation.fetch_all(KEYS)]
        assert admin.alone(but=session.pool.size)

    def test_between_two_statements(self, session: Pep249Session, admin: Admin) -> None:
        class Interrupting(Step):
            @property
            def when(self) -> str:
                raise KeyboardInterrupt

        steps = [Step("LOCK TABLE t"), Interrupting("SELECT 1")]
        with pytest.raises(KeyboardInterrupt):
            do(session, "initialize", ("run_together", BEGIN, steps))
        admin.write_elsewhere()
        assert save(session) == 1

    def test_before_the_turn_is_given_on(
        self, session: Pep249Session, admin: Admin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operation = type(session.operation("load"))

        def interrupted(*_: Any) -> None:
            raise Interruption

        save(session)
        with monkeypatch.context() as patch:
            patch.setattr(operation, "__exit__", interrupted)
            with pytest.raises(Interruption):
                begin = ("_trip", lambda cursor: cursor.execute("BEGIN"))
                do(session, "save", begin, ("execute", UPSERT, ("half", "")))
        gc.collect()
        assert keys(session) == ["a"]
        admin.write_elsewhere()

    def test_a_signal_that_does_not_raise(self, session: Pep249Session) -> None:
        before = signal.signal(signal.SIGALRM, lambda *_: None)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
            assert do(session, "load", ("fetch_one", "SELECT pg_sleep(0.3)::text")) == ("",)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


class TestOpening:
    @pytest.mark.parametrize(
        ("values", "error", "named"),
        [
            ({"host": 1}, TypeError, "host"),
            ({"host": "a\0b"}, ValueError, "host"),
            ({"db_name": None}, TypeError, "db_name"),
            ({"db_name": "\ud800"}, ValueError, "db_name"),
            ({"user": b"x"}, TypeError, "user"),
            ({"password": 1}, TypeError, "password"),
            ({"password": f"{SECRET}\0"}, ValueError, "password"),
            ({"port": "5432"}, TypeError, "port"),
            ({"port": True}, TypeError, "port"),
            ({"port": 65_536}, ValueError, "port"),
            ({"connect_kwargs": []}, TypeError, "connect_kwargs"),
            ({"connect_kwargs": {"dbname": "x"}}, ValueError, "dbname .*; give db_name"),
            ({"connect_kwargs": {"connect_timeout": 1}}, ValueError, "give connect_timeout"),
            ({"connect_kwargs": {"client_encoding": "x"}}, ValueError, "always 'UTF8'"),
            ({"connect_kwargs": {"sslmode": "\0"}}, ValueError, "sslmode"),
            ({"max_connections": 0}, ValueError, "max_connections"),
            ({"max_connections": "2"}, TypeError, "max_connections"),
            ({"max_connections": True}, TypeError, "max_connections"),
        ],
    )
    def test_wrong_values(self, open_session: Open, values: Any, error: Any, named: str) -> None:
        with pytest.raises(error, match=named) as caught:
            open_session(**values)
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize("driver", [PSYCOPG2])
    @pytest.mark.parametrize("name", ["async_", "sslmod", "dsn"])
    def test_what_libpq_does_not_know(self, open_session: Open, name: str) -> None:
        with pytest.raises(ValueError, match=f"connect_kwargs: .*{name}") as caught:
            open_session(connect_kwargs={name: SECRET})
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize("driver", [PSYCOPG])
    def test_what_libpq_finds_when_it_connects(self, open_session: Open) -> None:
        session = open_session(connect_kwargs={"sslmod": SECRET})
        with unavailable(1, may_have_saved=False, match="correct connect_kwargs .*sslmod") as _:
            save(session)

    def test_wrong_connections(self, server: PostgreSQLServer, driver: Driver) -> None:
        for wrong in (None, f"postgresql://x:{SECRET}@there", 1, extensions.connection):
            with pytest.raises(TypeError, match="connection must be a psycopg") as caught:
                driver.over(wrong)
            assert SECRET not in str(caught.value)

    @pytest.mark.parametrize("driver", [PSYCOPG2])
    def test_an_asynchronous_connection(self, server: PostgreSQLServer, driver: Driver) -> None:
        with (
            contextlib.closing(connect(server, async_=True)) as asynchronous,
            pytest.raises(ValueError, match="async_"),
        ):
            driver.over(asynchronous)

    def test_a_session_is_taken_as_it_is(self, session: Pep249Session, driver: Driver) -> None:
        assert driver.over(session) is session

    def test_connect_kwargs(self, open_session: Open, admin: Admin) -> None:
        session = open_session(connect_kwargs={"application_name": "mine"})
        save(session)
        assert admin("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mine'") == [
            (1,)
        ]

    def test_a_password_is_nowhere_shown(self, driver: Driver) -> None:
        with PostgreSQLServer(password=SECRET) as server:
            place: Any = {"host": LOOPBACK, "port": server.port, "db_name": "postgres"}
            for password in (SECRET, f"not {SECRET}"):
                session = driver.opening(**place, user="postgres", password=password)
                if password == SECRET:
                    assert do(session, "load", ("fetch_one", "SELECT 1")) == (1,)
                    handed_in = driver.over(session.connection)
                    assert SECRET not in handed_in.describe()
                else:
                    with pytest.raises(errors.PersisterError) as caught:
                        save(session)
                    assert SECRET not in str(caught.value)
                for text in (repr(session), session.describe(), repr(session.pool.values)):
                    assert SECRET not in text
                assert session.describe() == f"{LOOPBACK}:{server.port}/postgres"
                session.close()

    def test_the_users_connection(
        self, open_session: Open, server: PostgreSQLServer, driver: Driver
    ) -> None:
        session = open_session(max_connections=1)
        connection = session.connection
        assert session.connection is connection
        assert not connection.autocommit
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, ("user's", ""))
        assert keys(session) == []
        connection.commit()
        assert keys(session) == ["user's"]
        server.restart()
        with connection.cursor() as cursor, pytest.raises(driver.error):
            cursor.execute(KEYS)
        assert session.connection is not connection
        session.close()
        assert connection.closed
        with pytest.raises(errors.PersisterClosedError):
            _ = session.connection


class TestClosing:
    def test_after_closing(self, session: Pep249Session) -> None:
        save(session)
        copy = session.copy()
        session.close()
        session.close()
        for refused in (lambda: save(session), session.copy, lambda: session.connection):
            with pytest.raises(errors.PersisterClosedError, match="cleanup"):
                refused()
        assert keys(copy) == ["a"]
        copy.close()

    def test_what_was_opened_is_closed(self, open_session: Open, admin: Admin) -> None:
        session = open_session()
        assert session.connection
        with session.operation("load") as one, session.operation("load") as other:
            one.fetch_all(KEYS)
            other.fetch_all(KEYS)
        assert admin.alone(but=3)
        session.close()
        assert admin.alone()

    def test_it_waits_for_operations_under_way(self, session: Pep249Session) -> None:
        copy = session.copy()
        with session.operation("save") as operation:
            thread = threading.Thread(target=session.close)
            thread.start()
            time.sleep(0.05)
            assert operation.execute(UPSERT, ("a", "")) == 1
        thread.join()
        assert session.closed
        assert keys(copy) == ["a"]
        copy.close()

    def test_it_does_not_wait_for_ever(self, short: Pep249Session) -> None:
        with (
            short.operation("save") as operation,
            unavailable(0.5, may_have_saved=False, match=r"^cleanup: other operations .*0.5 s"),
        ):
            operation.fetch_all(KEYS)
            short.close()
        short.close()
        with pytest.raises(errors.PersisterClosedError):
            save(short)

    def test_by_several_threads(self, open_session: Open, admin: Admin) -> None:
        session = open_session()
        save(session)
        threads = [threading.Thread(target=session.close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2)
        assert admin.alone()

    def test_a_frozen_server(self, open_session: Open, server: PostgreSQLServer) -> None:
        session = open_session(SHORT)
        save(session)
        server.pause()
        with within(0.5):
            session.close()

    def test_a_handed_in_connection_is_given_back(self, hand_in: Any, driver: Driver) -> None:
        session, connection = hand_in()
        copy = session.copy()
        another = driver.over(connection)
        for sharer in (session, copy, another):
            save(sharer)
            assert connection.autocommit
            sharer.close()
        assert not connection.autocommit
        assert not connection.closed
        with connection.cursor() as cursor:
            cursor.execute(KEYS)
            assert cursor.fetchall() == [("a",)]
        connection.commit()
        following = driver.over(connection)
        assert save(following, "b") == 1
        following.close()
        assert not connection.autocommit

    def test_two_persisters_over_one_connection_take_turns(
        self, hand_in: Any, driver: Driver
    ) -> None:
        session, connection = hand_in()
        another = driver.over(connection)
        failed: list[BaseException] = []

        def work(session: Pep249Session, number: int) -> None:
            step = Step(f"INSERT INTO t VALUES ('{number}', '')")
            try:
                for count in range(30):
                    with contextlib.suppress(errors.PersisterError):
                        do(
                            session,
                            "initialize",
                            ("run_together", BEGIN, [step, Step("SELECT 1 / 0")]),
                        )
                    assert save(session, f"{number} {count}") == 1
            except BaseException as error:
                failed.append(error)

        threads = [
            threading.Thread(target=work, args=((session, another)[number % 2], number))
            for number in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert len(keys(session)) == 180

    def test_an_unclosed_one_lets_the_interpreter_exit(
        self, server: PostgreSQLServer, driver: Driver
    ) -> None:
        code = (
            "from tests.test_sessions_postgresql import *\n"
            f"driver = {driver.name.upper()}\n"
            f"place = dict(host=LOOPBACK, port={server.port}, db_name='postgres')\n"
            "place |= dict(user='postgres', password=None)\n"
            "s = driver.opening(**place)\n"
            "handed_in = driver.over(s.connection)\n"
            "print(save(s), save(handed_in, 'b'))"
        )
        # psycopg itself tells of a connection that nobody has closed.
        theirs = ["-W", "ignore::ResourceWarning"] if driver is PSYCOPG else []
        run = subprocess.run(
            [sys.executable, "-X", "dev", *theirs, "-c", code],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert (run.stdout, run.stderr, run.returncode) == ("1 1\n", "", 0)

    def test_one_that_is_thrown_away_closes_what_it_opened(
        self, open_session: Open, admin: Admin
    ) -> None:
        session = open_session().copy()
        save(session)
        descriptors = len(os.listdir("/proc/self/fd"))
        del session
        gc.collect()
        assert admin.alone()
        end = time.monotonic() + 5  # other threads of this process open and close some too
        while len(os.listdir("/proc/self/fd")) > descriptors - 2:
            assert time.monotonic() < end
            time.sleep(0.05)


class TestCopies:
    def test_copies_connect_anew(self, open_session: Open) -> None:
        session = open_session(password=SECRET, max_connections=3)
        save(session)
        pid = do(session, "load", ("fetch_one", "SELECT pg_backend_pid()"))
        for other in (session.copy(), pickle.loads(pickle.dumps(session))):
            assert keys(other) == ["a"]
            assert do(other, "load", ("fetch_one", "SELECT pg_backend_pid()")) != pid
            assert other.pool.size == 3
            assert other.pool.values == session.pool.values
            other.close()

    def test_a_handed_in_connection_is_shared(self, hand_in: Any) -> None:
        session, connection = hand_in()
        assert session.copy().connection is connection
        with pytest.raises(TypeError, match=r"from_values\(\)"):
            pickle.dumps(session)


def in_a_fork(work: Callable[[], None]) -> None:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(20)
    assert process.exitcode == 0


class TestForks:
    def test_a_child_opens_its_own(self, open_session: Open, admin: Admin) -> None:
        session = open_session()
        save(session, "parent")
        users = session.connection
        pid = do(session, "load", ("fetch_one", "SELECT pg_backend_pid()"))

        def child() -> None:
            assert save(session, "child") == 1
            assert do(session, "load", ("fetch_one", "SELECT pg_backend_pid()")) != pid
            assert session.connection is not users
            session.close()

        in_a_fork(child)
        assert do(session, "load", ("fetch_one", "SELECT pg_backend_pid()")) == pid
        assert keys(session) == ["child", "parent"]
        with users.cursor() as cursor:
            cursor.execute("SELECT 1")

    def test_a_child_that_throws_it_away(self, open_session: Open) -> None:
        """It must not take leave of the server on the socket that its parent uses."""
        sessions = [open_session().copy()]
        pid = do(sessions[0], "load", ("fetch_one", "SELECT pg_backend_pid()"))
        opened = sessions[0].pool.turns._free[-1].line
        assert opened is not None
        line = weakref.ref(opened)
        del opened

        def child() -> None:
            sessions[0].pool.turns  # noqa: B018 - the child's own
            sessions.clear()
            gc.collect()
            assert line() is not None

        in_a_fork(child)
        if (forked := os.fork()) == 0:
            sessions.clear()
            gc.collect()
            os._exit(0)
        assert os.waitpid(forked, 0)[1] == 0
        assert do(sessions[0], "load", ("fetch_one", "SELECT pg_backend_pid()")) == pid
        sessions[0].close()

    def test_a_handed_in_connection_is_the_parents(self, hand_in: Any, driver: Driver) -> None:
        session, connection = hand_in()
        save(session)

        def child() -> None:
            for forked in (session, driver.over(connection)):
                with pytest.raises(errors.PersisterError, match="belongs to the process"):
                    keys(forked)
                forked.close()

        in_a_fork(child)
        assert keys(session) == ["a"]

    def test_in_the_middle_of_an_operation(self, session: Pep249Session) -> None:
        with session.operation("save", "key") as operation:
            operation.execute(UPSERT, ("a", ""))
            if (forked := os.fork()) == 0:
                try:
                    with pytest.raises(errors.PersisterError, match="middle of the operation"):
                        operation.execute(UPSERT, ("child", ""))
                    operation.__exit__(None, None, None)
                    if session.opened_here:
                        assert save(session, "child") == 1
                    session.close()
                    os._exit(0)
                finally:
                    os._exit(1)
            assert os.waitpid(forked, 0)[1] == 0
            operation.execute(UPSERT, ("b", ""))
        assert {"a", "b"} <= set(keys(session))

    def test_a_child_has_its_own_watchdog(self, open_session: Open) -> None:
        """Though its parent's was just about to wake up."""
        session = open_session(Limits(5, 1))

        def child() -> None:
            with unavailable(1, may_have_saved=False, match="operation_timeout"):
                do(session, "load", ("fetch_one", "SELECT pg_sleep(5)"))

        with open_session(SHORT).operation("load") as operation:
            operation.fetch_one("SELECT 1")
            in_a_fork(child)

    def test_locks_that_other_threads_have(
        self, open_session: Open, hand_in: Any, driver: Driver
    ) -> None:
        session, connection = hand_in()
        opened = open_session()
        save(session)
        save(opened)
        with pep249_pool._registry.lock, opened.pool.leaving:
            if (forked := os.fork()) == 0:
                try:
                    driver.over(connection).close()
                    session.close()
                    opened.close()
                    os._exit(0)
                finally:
                    os._exit(1)
            deadline = time.monotonic() + 5
            while (ended := os.waitpid(forked, os.WNOHANG))[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(forked, signal.SIGKILL)
                time.sleep(0.02)
        assert ended[1] == 0

    def test_while_other_threads_work(self, open_session: Open) -> None:
        """Whatever locks they have at that moment, the child waits for none of them."""
        session = open_session(max_connections=2)
        going = True

        def work(name: int) -> None:
            number = 0
            while going:
                save(session, f"parent {name} {number}")
                number += 1

        def child(number: int) -> None:
            assert save(session, f"child {number}") == 1
            with unavailable(0.5, may_have_saved=False, match="operation_timeout"):
                late = type(session)(session.pool, session.failures, SHORT)
                do(late, "load", ("fetch_one", "SELECT pg_sleep(5)"))
            session.close()

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=child, args=(number,)) for number in range(8)]
        for process in processes:
            process.start()
        going = False
        for thread in threads:
            thread.join()
        for process in processes:
            process.join(20)
        assert [process.exitcode for process in processes] == [0] * 8
        assert sum(key.startswith("child") for key in keys(session)) == 8
