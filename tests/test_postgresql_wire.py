"""What goes over the wire to PostgreSQL: how many trips, and no transaction but the save's own."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from persistry.errors import StateConflictError
from tests.bad_input import Calls, Run, runner
from tests.postgresql import CLASSES, database
from tests.servers import LOOPBACK, PostgreSQLServer

run = pytest.fixture(runner)


class Wire:
    """Forwards one connection, and notes what was sent and where answers lay between."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self._server = server
        self._directions = ""
        self.sent = b""
        self._ends: list[socket.socket] = [self._listening]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        client, _ = self._listening.accept()
        server = socket.create_connection(self._server)
        self._ends += [client, server]
        threading.Thread(target=self._forward, args=[server, client, "<"], daemon=True).start()
        self._forward(client, server, ">")

    def _forward(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        try:
            while data := source.recv(65536):
                self._directions += direction
                self.sent += data if direction == ">" else b""
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the test is over

    def trips(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> int:
        """How often a call had to wait for the server."""
        self._directions, self.sent = "", b""
        call(*arguments, **options)
        return len(re.findall(">+<+", self._directions))

    def close(self) -> None:
        for end in self._ends:
            end.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


@pytest.fixture
def wire(server: PostgreSQLServer) -> Iterator[Wire]:
    with closing(Wire(server.address)) as wire:
        yield wire


@pytest.fixture(params=CLASSES)
def persister(
    request: pytest.FixtureRequest, server: PostgreSQLServer, wire: Wire, run: Run
) -> Iterator[Calls]:
    """A persister behind the wire that has done everything once: statements may be prepared."""
    with ExitStack() as stack:
        own = stack.enter_context(database(server))
        persister = own.open(request.param, run, host=LOOPBACK, port=wire.port)
        stack.callback(persister.cleanup)
        persister.initialize()
        persister.put("warm", 0, n=1)
        persister.put("warm", 0, n=1)
        for question in QUESTIONS.values():
            question(persister)
        yield persister


QUESTIONS: dict[str, Callable[[Calls], Any]] = {
    "at a sequence": lambda it: it.load("p", "warm", 0),
    "latest": lambda it: it.load("p", "warm"),
    "latest of a partition": lambda it: it.load("p", None),
    "list": lambda it: it.list_app_ids("p"),
}


def test_a_save_is_one_trip_and_one_commit(wire: Wire, persister: Calls) -> None:
    for n in range(3):
        assert wire.trips(persister.put, "app", n, n=n) == 1
        # Without a transaction around it a statement commits by itself, before it is answered.
        assert b"INSERT" in wire.sent or wire.sent.startswith(b"B")
        assert not re.search(rb"BEGIN|START TRANSACTION|COMMIT", wire.sent)


def test_a_conflict_is_a_second_trip(wire: Wire, persister: Calls) -> None:
    def refused() -> None:
        with pytest.raises(StateConflictError):
            persister.put("warm", 0, n=2)

    assert wire.trips(refused) == 2
    assert wire.trips(persister.put, "warm", 0, n=1) == 2


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_one_trip(wire: Wire, persister: Calls, question: str) -> None:
    assert wire.trips(QUESTIONS[question], persister) == 1
