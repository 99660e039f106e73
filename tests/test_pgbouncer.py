"""Behind PgBouncer in transaction mode: each statement may meet another session of the server."""

from __future__ import annotations

import functools
import pwd
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from persistry import PostgreSQLPersister
from persistry.errors import PersisterUnavailableError, StateConflictError
from tests.bad_input import Calls, Run, runner, works
from tests.burr_postgresql import Burr
from tests.postgresql import CLASSES
from tests.servers import LOOPBACK, PostgreSQLServer, Server, ServerMissing
from tests.servers.finding import Search, on_path
from tests.servers.users import give_away, open_directory, somebody
from tests.stores.served import missing
from tests.timing import within

Make = Callable[..., Calls]
run = pytest.fixture(runner)

SEARCH = Search(
    name="PgBouncer",
    variable="PERSISTRY_TEST_PGBOUNCER",
    places="pgbouncer on PATH and in /usr/sbin",
    install="as root: apt-get install pgbouncer",
    programs=lambda: (*on_path("pgbouncer"), Path("/usr/sbin/pgbouncer")),
    dispensable=True,
)


class PgBouncer(Server):
    """A pooler in front of a server: two of its sessions for all clients, by the transaction."""

    name = "PgBouncer"

    def __init__(self, server: PostgreSQLServer) -> None:
        super().__init__()
        self.server = server

    @staticmethod
    @functools.cache
    def find() -> Path:
        return SEARCH.find()

    @staticmethod
    def place() -> str:
        return open_directory()

    def user(self) -> pwd.struct_passwd | None:
        return somebody()

    def prepare(self) -> None:
        settings = {
            "listen_addr": LOOPBACK,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": "transaction",
            "default_pool_size": 2,
            "max_client_conn": 100,
        }
        host, port = self.server.address
        lines = ["[databases]", f"postgres = host={host} port={port} user=postgres", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        (self.directory / "pgbouncer.ini").write_text("\n".join(lines) + "\n", encoding="utf-8")
        give_away(self.directory)

    def command(self) -> list[str]:
        return [str(self.directory / "pgbouncer.ini")]

    def is_ready(self) -> bool:
        host, port = self.address
        try:
            psycopg2.connect(host=host, port=port, user="postgres", dbname="postgres").close()
        except psycopg2.Error:
            return False
        return True


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


@pytest.fixture(scope="module")
def pooler(server: PostgreSQLServer) -> Iterator[PgBouncer]:
    try:
        pooler = PgBouncer(server)
    except ServerMissing as error:
        missing(error)
    with pooler:
        yield pooler


@pytest.fixture
def admin(server: PostgreSQLServer) -> Iterator[Any]:
    """A connection past the pooler."""
    host, port = server.address
    with closing(psycopg2.connect(host=host, port=port, user="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS burr_state")
            yield cursor


@pytest.fixture(params=CLASSES)
def make(request: pytest.FixtureRequest, pooler: PgBouncer, admin: Any, run: Run) -> Iterator[Make]:
    made = []

    def make_(**options: Any) -> Calls:
        host, port = pooler.address
        persister = CLASSES[request.param].from_values(
            "postgres", "postgres", None, host, port, **options
        )
        made.append(Calls(run(persister), run))
        return made[-1]

    yield make_
    for persister in made:
        persister.cleanup()


def test_everything_works(make: Make) -> None:
    persisters = [make() for _ in range(5)]  # more than the sessions that the server gives
    for persister in persisters:
        persister.initialize()
        assert persister.is_initialized() is True
    for round_ in range(20):
        for number, persister in enumerate(persisters):
            persister.put(f"app {number}", round_, n=round_)
            assert persister.get(f"app {number}") == {"n": round_}
            persister.put(f"app {number}", round_, n=round_)
            with pytest.raises(StateConflictError):
                persister.put(f"app {number}", round_, n=-1)
    works(persisters[0])


def test_a_table_of_another_library(make: Make, admin: Any) -> None:
    """It is adopted and widened while others use it, whose sessions have seen it otherwise."""
    burr = Burr(admin.connection)
    burr.initialize()
    burr.save("app", 0, {"n": 0})
    persisters = [make() for _ in range(5)]
    for persister in persisters:
        persister.initialize()
        assert persister.is_initialized() is True
    for round_ in range(1, 10):
        for number, persister in enumerate(persisters):
            assert persister.get("app") == {"n": round_ - 1 if number == 0 else round_}
            persister.put("app", round_, n=round_)
            with pytest.raises(StateConflictError):
                persister.put("app", round_, n=-1)
        if round_ == 5:
            with pytest.raises(ValueError, match=r"widen\(\)"):
                persisters[0].put("app", 2**31, n=1)
            persisters[0].widen()
    for number, persister in enumerate(persisters):
        persister.put("app", 2**31 + number, n=number)
        assert persister.get("app") == burr.load("app") == {"n": number}


def test_nothing_is_left_in_a_session(make: Make, admin: Any, pooler: PgBouncer) -> None:
    persister = make()
    persister.initialize()
    works(persister)
    host, port = pooler.address
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection = psycopg2.connect(host=host, port=port, user="postgres", dbname="postgres")
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(f"SHOW {setting}")
            assert cursor.fetchone() == ("0",)
    admin.execute(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' OR (state <> 'active' AND locktype = 'relation')"
    )
    assert admin.fetchone() == (0,)


def test_a_lock_held_elsewhere(make: Make, admin: Any) -> None:
    """The request to give up goes through the pooler, too."""
    persister = make(operation_timeout=1)
    persister.initialize()
    admin.execute("BEGIN; LOCK TABLE burr_state")
    late = pytest.raises(PersisterUnavailableError, match="operation_timeout")
    with within(1), late as caught:
        persister.put("late", n=1)
    admin.execute("ROLLBACK")
    works(persister)
    assert caught.value.may_have_saved or persister.get("late") is None


def test_server_sessions_that_end(make: Make, admin: Any) -> None:
    persister = make()
    persister.initialize()
    for number in range(5):
        persister.put("app", number, n=number)
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        assert persister.get() == {"n": number}


def test_many_threads(pooler: PgBouncer, admin: Any) -> None:
    host, port = pooler.address
    with PostgreSQLPersister.from_values("postgres", "postgres", None, host, port) as persister:
        persister.initialize()
        calls = Calls(persister, lambda value: value)
        failed: list[BaseException] = []

        def work(name: int) -> None:
            try:
                for number in range(25):
                    calls.put(f"app {name}", number, n=number)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert all(calls.get(f"app {name}") == {"n": 24} for name in range(8))
