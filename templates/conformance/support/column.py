"""What the test matrix knows of a persister, and what it asks of the place that tests it.

The matrix has one column per persister class. A column says what the class is; a `Store` is fresh,
empty storage for one test and makes persisters on it. Whoever wants to hold a persister to the
promise supplies columns (hook `pytest_persistry_columns`) and stores (fixture `make_store`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Colour = Literal["sync", "async"]


@dataclass(frozen=True)
class Column:
    """One persister class under test.

    Traits that the cases ask for:

    - `network`: the store is a server behind TCP; it can be killed, and reached through a proxy
    - `durable`: the data outlives the process
    - `initialize`: before `initialize()` there is a `NotInitializedError`
    - `connection`: an open connection or client can be handed in
    - `table`: `open()` takes `table_name=`, any text that a table's name may be
    - the name of an operation that a persister may lack (`OPTIONAL` in `columns.py`): it has it
    """

    name: str
    """The class name, such as `SQLitePersister`; behind a hyphen the layout, if there is one."""
    colour: Colour
    backend: str
    traits: frozenset[str] = frozenset()
    gaps: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Case (the test function's name without `test_`) -> why this store cannot keep it."""
    layout: str = ""
    """In which other form the data was there already, before the persister went on with it."""


class Server(Protocol):
    """A running server that belongs to one test alone, which may therefore break it."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens: always on the loopback interface."""

    def kill(self) -> None:
        """End it at once, as a crash does; it is gone when this returns."""

    def restart(self) -> None:
        """Start it again, stopping it first if need be: same address, same data; ready at once."""

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing is answered until `resume()`."""

    def resume(self) -> None:
        """Let it go on; what was sent in the meantime is then handled."""

    def open(self, **options: Any) -> Any:
        """Like `Store.open`, on this server."""

    def connect(self) -> Any:
        """Like `Store.connect`, on this server; `Store.over` takes what it returns."""


class Store(Protocol):
    """Fresh, empty storage for one test.

    "Awaitable" below holds for asynchronous columns only; synchronous ones return the value itself.
    Options are keyword arguments of the persister's own, such as `operation_timeout=` or
    `max_state_bytes=`. Whoever opens closes: persisters by `cleanup()`, connections by
    `disconnect()`. A store without a trait need not have the members that belong to it.
    """

    @property
    def column(self) -> Column:
        """The column that this store was made for."""

    def open(self, **options: Any) -> Any:
        """A new persister on this storage, built from values; each call gives another one.

        Asynchronous: what `from_values` returns, to be awaited or entered with `async with`.
        """

    def parcel(self, persister: Any) -> Any:
        """What another process is sent, as a pickle, to work with this persister's storage.

        The persister itself, or an object whose `open()` gives one there, as `Store.open` does.
        A store need not have this member: then the persister itself is sent.
        """

    def start(self, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Any:
        """Another process, as `subprocess.Popen` with pipes, that does what `python -m` would.

        A store need not have this member: then it is an interpreter of its own.
        """

    # trait "connection"

    def connect(self) -> Any:
        """A new connection or client of the driver, as a user would hand it in (awaitable)."""

    def over(self, connection: Any, **options: Any) -> Any:
        """A persister on a connection from `connect()`; never awaitable."""

    def is_usable(self, connection: Any) -> Any:
        """Whether nobody has closed the connection and it still answers (awaitable)."""

    def disconnect(self, connection: Any) -> Any:
        """Close a connection from `connect()`; once more does no harm (awaitable)."""

    # trait "network"

    @property
    def address(self) -> tuple[str, int] | None:
        """The server's host and port, for a `FaultProxy`; None without the trait "network"."""

    def open_through(self, port: int, **options: Any) -> Any:
        """Like `open`, but through 127.0.0.1 and this port."""

    def server(self) -> Server:
        """A server of this test's own, started by the first call and removed after the test.

        It has storage of its own: what `open()` saves is not there.
        """
