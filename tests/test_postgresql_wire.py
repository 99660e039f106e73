"""What goes over the wire to PostgreSQL: what an operation sends, in how many round trips."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import asyncpg
import psycopg
import psycopg2
import pytest

from persistry import AsyncPostgreSQLPersister, PostgreSQLPersister
from persistry.errors import StateConflictError
from tests.bad_input import Calls, Run, runner
from tests.postgresql import CLASSES, Database, databases
from tests.servers import LOOPBACK, PostgreSQLServer

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

run = pytest.fixture(runner)
own = pytest.fixture(databases)
WORDS = re.compile(rb"[A-Z]+(?: [A-Z]+)?")


class Wire:
    """Stands between clients and a server, and notes who speaks, and which statements are sent."""

    def __init__(self, server: PostgreSQLServer) -> None:
        self._target = server.address
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.turns = ""
        """Who spoke: ">" a client, "<" the server."""
        self.statements: list[str] = []
        """How the statements begin that were sent as text, to be run or to be prepared."""
        self.runs = 0
        """How many statements were run."""
        threading.Thread(target=self._accept, daemon=True).start()

    def of(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> int:
        """How many round trips a call takes."""
        self.turns, self.statements, self.runs = "", [], 0
        call(*arguments, **options)
        return len(re.findall(">+<", self.turns))

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # when it is closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for sock in (client, server):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for pump in ((client, server, ">"), (server, client, "<")):
                    threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, who: str) -> None:
        sent = b""
        with suppress(OSError), source, sink:
            while data := source.recv(1 << 16):
                self.turns += who
                if who == ">":
                    sent = self._read(sent + data)
                sink.sendall(data)
            for sock in (source, sink):  # which wakes the other direction's thread
                sock.shutdown(socket.SHUT_RDWR)

    def _read(self, sent: bytes) -> bytes:
        """Note the whole messages; what is left of the last one is returned."""
        while len(sent) >= 5:
            typed = sent[0] != 0  # The first ones have a length only.
            end = typed + int.from_bytes(sent[typed : typed + 4], "big")
            if len(sent) < end:
                break
            kind, body, sent = sent[:1], sent[5:end], sent[end:]
            if kind in b"QP" and (word := WORDS.search(body)):
                self.statements.append(word.group().decode())
            self.runs += kind in b"QE"
        return sent


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


@pytest.fixture
def wire(server: PostgreSQLServer) -> Iterator[Wire]:
    wire = Wire(server)
    yield wire
    wire.close()


async def no_reset(connection: Any) -> None:
    """For a pool: asyncpg's own way is a round trip."""


KINDS = [
    *CLASSES,
    "sync handed in",
    "sync psycopg handed in",
    "async pool",
    "async handed in",
    "async psycopg handed in",
    "async handed-in pool",
]


@pytest.fixture(params=KINDS)
def persister(
    request: pytest.FixtureRequest, own: Database, wire: Wire, run: Run
) -> Iterator[Calls]:
    """One that is connected, and whose statements the driver knows."""
    there: dict[str, Any] = {"host": LOOPBACK, "port": wire.port, "user": "postgres"}
    values = {**there, "db_name": own.name, "password": None}
    opened: Any = None

    async def open_pool() -> Any:
        return await asyncpg.create_pool(**there, database=own.name, min_size=0, reset=no_reset)

    match request.param:
        case "sync handed in":
            opened = psycopg2.connect(**there, dbname=own.name, sslmode="disable")
            persister: Any = PostgreSQLPersister(opened)
        case "sync psycopg handed in":
            opened = psycopg.connect(**there, dbname=own.name, sslmode="disable")
            persister = CLASSES["sync psycopg"](opened)
        case "async psycopg handed in":
            there["sslmode"] = "disable"
            opened = run(psycopg.AsyncConnection.connect(**there, dbname=own.name))
            persister = CLASSES["async psycopg"](opened)
        case "async handed in":
            opened = run(asyncpg.connect(**there, database=own.name))
            persister = AsyncPostgreSQLPersister(opened)
        case "async handed-in pool":
            opened = run(open_pool())
            persister = AsyncPostgreSQLPersister(pool=opened)
        case "async pool":
            persister = run(CLASSES["async"].from_values(**values, use_pool=True))
        case colour:
            persister = run(CLASSES[colour].from_values(**values))
    calls = Calls(persister, run)
    calls.initialize()
    for _ in range(2):
        calls.put("warm", 0, up=1)
        calls.load("p", None)
        calls.load("p", "warm")
        calls.load("p", "warm", 0)
        calls.list_app_ids("p")
    yield calls
    calls.cleanup()
    if opened is not None:
        run(opened.close())


def test_a_save_is_one_round_trip_and_one_commit(wire: Wire, persister: Calls) -> None:
    """Nothing but the INSERT is sent, not even to begin or to end a transaction."""
    for n in range(3):
        assert wire.of(persister.put, "app", n, n=n) == 1
        assert wire.runs == 1
        assert wire.statements in ([], ["INSERT INTO"])  # Prepared ones are not sent again.


def test_a_repeated_or_refused_save_looks_what_is_there(wire: Wire, persister: Calls) -> None:
    persister.put("app", 1, n=1)
    assert wire.of(persister.put, "app", 1, n=1) == wire.runs == 2

    def refused() -> None:
        with pytest.raises(StateConflictError):
            persister.put("app", 1, n=2)

    assert wire.of(refused) == wire.runs == 2
    assert set(wire.statements) <= {"INSERT INTO", "SELECT"}


def test_loads_and_lists_are_one_round_trip(wire: Wire, persister: Calls) -> None:
    for wanted in (("p", None), ("p", "warm"), ("p", "warm", 0), ("p", "unknown")):
        assert wire.of(persister.load, *wanted) == wire.runs == 1
    assert wire.of(persister.list_app_ids, "p") == wire.runs == 1
    assert wire.of(persister.list_app_ids, "p", limit=1) == wire.runs == 1


def test_to_initialize_again_is_two_round_trips(wire: Wire, persister: Calls) -> None:
    persister.initialize()
    assert wire.of(persister.initialize) == wire.runs == 2
    assert wire.of(persister.is_initialized) == 0  # A yes is remembered.


def test_what_keeps_nothing_is_known_before_anything_is_sent(wire: Wire, persister: Calls) -> None:
    def refused() -> None:
        with pytest.raises(ValueError, match="app_id"):
            persister.put("nul\0", 1, n=1)

    assert wire.of(refused) == 0
    assert wire.of(persister.load, "p", "nul\0") == 0
