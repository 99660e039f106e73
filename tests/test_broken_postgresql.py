"""PostgreSQL when its server breaks, a table is lost, or a record is damaged: both colours."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import psycopg2
import pytest

from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterUnavailableError,
    StateConflictError,
)
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, refused, runner, works
from tests.postgresql import CLASSES, Database, database
from tests.servers import LOOPBACK, PostgreSQLServer

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

DRIVER: Any = (psycopg2.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
run = pytest.fixture(runner)
Make = Callable[..., Calls]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer(PASSWORD) as server:
        yield server


@pytest.fixture
def own(server: PostgreSQLServer) -> Iterator[Database]:
    with database(server) as own:
        yield own
        server.start()
        server.resume()


@pytest.fixture(params=CLASSES)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(colour: str, own: Database, run: Run) -> Iterator[Make]:
    """Makes persisters on the database, or elsewhere; they are closed in the end."""
    made = []

    def make_(**options: Any) -> Calls:
        made.append(own.open(colour, run, **options))
        return made[-1]

    yield make_
    own.server.start()
    own.server.resume()
    for persister in made:
        persister.cleanup()


@pytest.fixture
def persister(make: Make) -> Calls:
    persister = make()
    persister.initialize()
    return persister


def first(operation: str, colour: str) -> str:
    """What a message names: an asynchronous persister connects as soon as it is opened."""
    return operation if colour == "sync" else "connect"


def call(operation: str, persister: Calls) -> Any:
    return persister.initialize() if operation == "initialize" else OPERATIONS[operation](persister)


def records(own: Database) -> list[Any]:
    return own.sql("SELECT burr_state::text FROM burr_state")


@contextmanager
def stranger(answer: bytes) -> Iterator[int]:
    """A server that says this to everybody, whatever it is asked, and keeps the connection."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    kept.append(listening.accept()[0])
                except OSError:
                    return
                kept[-1].sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()


# The server


@pytest.mark.parametrize("operation", [*OPERATIONS, "initialize"])
@pytest.mark.parametrize(("host", "port"), [(LOOPBACK, 1), ("nowhere.invalid", 5432)])
def test_nobody_answers_there(
    make: Make, colour: str, operation: str, host: str, port: int
) -> None:
    doing = first(operation, colour)
    with refused(
        PersisterUnavailableError, doing, "no server answers", f"{host}:{port}", cause=DRIVER
    ) as caught:
        call(operation, make(host=host, port=port))
    assert caught.value.may_have_saved is False  # type: ignore[attr-defined]


def test_a_server_that_speaks_something_else(make: Make, colour: str) -> None:
    with stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        for name in OPERATIONS:
            doing = first(name, colour)
            with refused(PersisterUnavailableError, doing, f":{port}", cause=DRIVER):
                call(name, make(port=port, operation_timeout=2))


@pytest.mark.parametrize("limit", ["connect_timeout", "operation_timeout"])
def test_a_server_that_says_nothing(make: Make, colour: str, limit: str) -> None:
    with stranger(b"") as port:
        for name in OPERATIONS:
            began = time.monotonic()
            told = rf"^{first(name, colour)}.* {limit} \(0.3 s\)"
            with pytest.raises(PersisterUnavailableError, match=told):
                call(name, make(port=port, **{limit: 0.3}))
            assert time.monotonic() - began < 1


def test_a_server_that_freezes(make: Make, server: PostgreSQLServer) -> None:
    persister = make(operation_timeout=0.5, connect_timeout=0.5)
    persister.initialize()
    persister.put(n=1)
    server.pause()
    began = time.monotonic()
    with pytest.raises(PersisterUnavailableError, match=r"save .*_timeout \(0.5 s\)"):
        persister.put("app", 1, n=2)
    with pytest.raises(PersisterUnavailableError, match=r"load .*_timeout \(0.5 s\)"):
        persister.get()
    assert time.monotonic() - began < 2
    server.resume()
    assert persister.get("app", 0) == {"n": 1}
    works(persister)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_restarts(persister: Calls, server: PostgreSQLServer, how: str) -> None:
    persister.put(n=1)
    getattr(server, how)()
    for operation in OPERATIONS:
        with refused(PersisterUnavailableError, operation, f":{server.port}", cause=DRIVER):
            call(operation, persister)
    server.start()
    assert persister.get() == {"n": 1}
    works(persister)


def test_a_restart_that_nobody_noticed(persister: Calls, server: PostgreSQLServer) -> None:
    persister.put(n=1)
    server.restart()
    assert persister.get() == {"n": 1}
    server.restart()
    works(persister)


# The table


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_table_that_is_dropped_in_the_middle(
    persister: Calls, own: Database, operation: str
) -> None:
    works(persister)
    own.sql("DROP TABLE burr_state")
    with refused(NotInitializedError, operation, "initialize()", cause=DRIVER):
        OPERATIONS[operation](persister)
    persister.initialize()
    works(persister)


def test_a_table_that_is_made_anew_in_the_middle(
    make: Make, persister: Calls, own: Database
) -> None:
    works(persister)
    own.sql("DROP TABLE burr_state")
    make().initialize()
    works(persister)


NAMES = [
    "Mixed Case",
    "select",
    'quo"te',
    "apo'strophe",
    "back\\slash",
    "100 % s",
    "%s",
    "%(app_id)s",
    "{table}",
    "$1",
    "ünïcode ☃",
    "x; DROP TABLE precious; --",
    'x"; DROP TABLE precious; --',
    "line\nfeed",
    "t" * 57,
    "pg_temp_not",
    "Other Schema.Mixed Case",
    "other.t%",
]


@pytest.mark.parametrize("name", NAMES)
def test_table_names_of_all_kinds(make: Make, own: Database, name: str) -> None:
    own.sql('CREATE TABLE precious (a INT); CREATE SCHEMA other; CREATE SCHEMA "Other Schema"')
    persister = make(table_name=name)
    assert persister.is_initialized() is False
    for _ in range(2):
        persister.initialize()
    assert persister.is_initialized() is True
    works(persister)
    schema, _, table = name.rpartition(".")
    assert own.sql(
        "SELECT schemaname, tablename FROM pg_tables WHERE tablename <> 'precious'"
        " AND schemaname NOT IN ('pg_catalog', 'information_schema')"
    ) == [(schema or "public", table)]
    assert own.sql("SELECT count(*) FROM precious") == [(0,)]


@pytest.mark.parametrize("name", ["", ".t", "s.", "a.b.c", "t" * 58, "ü" * 29, "nul\0", "\ud800"])
def test_table_names_that_are_refused(make: Make, name: str) -> None:
    with pytest.raises(ValueError, match="table_name"):
        make(table_name=name)


# What is stored there


DAMAGE = {
    "garbage": "state = 'garbage'",
    "empty": "state = ''",
    "no object": "state = '[1]'",
    "unknown codec": "codec = 9",
    "a wrong codec": "codec = 2, state = '{'",
    "a time out of reach": "created_at = '12345-01-01'",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_kept(persister: Calls, own: Database, damage: str) -> None:
    for app in ("good", "bad"):
        persister.put(app, n=1)
    own.sql(f"UPDATE burr_state SET {DAMAGE[damage]} WHERE app_id = 'bad'")
    before = records(own)
    for wanted in (("bad",), ("bad", 0), (None,)):
        with pytest.raises(CorruptStateError, match=r"^load of .*'p'"):
            persister.get(*wanted)
    if "time" not in damage:
        with pytest.raises(StateConflictError, match=r"save of .*'bad', sequence 0"):
            persister.put("bad", n=1)
    assert records(own) == before
    assert persister.get("good") == {"n": 1}
    assert persister.list_app_ids("p") == ["bad", "good"]
    works(persister)


@pytest.mark.parametrize("key", ["nul\0", "\ud800", "☃" * 300])
def test_keys_that_no_record_has(persister: Calls, key: str) -> None:
    assert persister.get(key) is None
    assert persister.load(key, "app") is None
    assert persister.list_app_ids(key) == []


# What is handed in


@pytest.mark.parametrize("wrong", [None, 1, "postgresql://postgres:hunter2@there", object()])
def test_what_is_no_connection(colour: str, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="connection") as caught:
        CLASSES[colour](wrong)
    assert PASSWORD not in str(caught.value)


def test_the_other_colours_connection(colour: str, own: Database, run: Run) -> None:
    host, port = own.server.address
    with own.connected() as theirs:
        asking = asyncpg.connect(
            host=host, port=port, user="postgres", password=PASSWORD, database=own.name
        )
        ours = run(asking)
        with pytest.raises(TypeError, match="connection"):
            CLASSES[colour](theirs if colour == "async" else ours)
        run(ours.close())
