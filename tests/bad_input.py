"""What the tests of bad input share: calls in both colours, and what an error must be like."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from persistry import State, errors
from tests.servers import LOOPBACK

PASSWORD = "hunter2"

BUILTINS: dict[type[errors.PersisterError], type[Exception]] = {
    errors.PersisterError: Exception,
    errors.NotInitializedError: RuntimeError,
    errors.StateConflictError: ValueError,
    errors.StateTooLargeError: ValueError,
    errors.CorruptStateError: ValueError,
    errors.PersisterClosedError: RuntimeError,
    errors.PersisterAccessError: PermissionError,
    errors.StoreVersionError: RuntimeError,
    errors.PersisterUnavailableError: ConnectionError,
}

Run = Callable[[Any], Any]


def runner() -> Iterator[Run]:
    """A fixture's body: what waits for an awaitable, and gives back anything else."""
    with asyncio.Runner() as loop:

        def run(value: Any) -> Any:
            if not inspect.isawaitable(value):
                return value

            async def wait() -> Any:
                return await value

            return loop.run(wait())

        yield run


class Calls:
    """A persister whose calls return the value itself, whatever its colour."""

    def __init__(self, persister: Any, run: Run) -> None:
        self.persister = persister
        self._run = run

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.persister, name)
        return lambda *arguments, **options: self._run(method(*arguments, **options))

    def put(self, app_id: str = "app", sequence_id: int = 0, /, **values: Any) -> None:
        self.save("p", app_id, sequence_id, "step", State(values), "completed")

    def get(self, app_id: str | None = "app", sequence_id: int | None = None) -> Any:
        """The values of the state, or None."""
        record = self.load("p", app_id, sequence_id)
        return record and dict(record["state"])


# Every operation that reaches the store: its name, and a call of it.
OPERATIONS: dict[str, Callable[[Calls], Any]] = {
    "save": lambda persister: persister.put("app", 7, n=7),
    "load": lambda persister: persister.get("app"),
    "list_app_ids": lambda persister: persister.list_app_ids("p"),
    "list_partition_keys": lambda persister: persister.list_partition_keys(),
}
# And those that are about the store itself.
ALL: dict[str, Callable[[Calls], Any]] = {
    **OPERATIONS,
    "initialize": lambda persister: persister.initialize(),
    "is_initialized": lambda persister: persister.is_initialized(),
    "pending_migrations": lambda persister: persister.pending_migrations(),
}


def named_by(operation: str) -> str:
    """What the message of an operation names: the partition, if it is about one."""
    return "" if operation == "list_partition_keys" else "'p'"


@contextmanager
def refused(
    error: type[errors.PersisterError],
    *mentions: str,
    cause: type[BaseException] | None = None,
) -> Iterator[pytest.ExceptionInfo[errors.PersisterError]]:
    """Exactly this error, also as its builtin, with these words and this cause."""
    with pytest.raises(errors.PersisterError) as caught:
        yield caught
    exc = caught.value
    assert type(exc) is error, repr(exc)
    assert isinstance(exc, BUILTINS[error])
    missing = [word for word in mentions if word not in str(exc)]
    assert not missing, f"{missing} not in: {exc}"
    assert PASSWORD not in str(exc)
    assert isinstance(exc.__cause__, cause) if cause else exc.__cause__ is None


def works(persister: Calls) -> None:
    """The persister is usable: it saves, finds and lists."""
    persister.put("works", 1, n=1)
    assert persister.get("works") == {"n": 1}
    assert "works" in persister.list_app_ids("p")


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
                with suppress(OSError):  # who asked has gone again
                    kept[-1].sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()
