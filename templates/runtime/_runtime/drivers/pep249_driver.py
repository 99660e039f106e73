"""What the sessions have to know of a PEP 249 driver beyond the standard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

from ..limits import Limits


class Values(Protocol):
    """What connections are opened with: checked, and all that a pickle holds."""

    def describe(self) -> str:
        """Where they lead to, for messages: never a password."""


class Driver(ABC):
    """The facts of one driver. Its connections speak to a server through a socket.

    Connections are used in autocommit mode: a statement is a transaction and one round trip.
    """

    @abstractmethod
    def check_connection(self, connection: Any) -> None:
        """A `TypeError` or `ValueError` for what cannot be handed in."""

    @abstractmethod
    def check_values(self, **values: Any) -> Values:
        """The values to connect with, or an error that names what is wrong."""

    @abstractmethod
    def connect(self, values: Any, limits: Limits) -> Any:
        """A new connection with the driver's own defaults."""

    @abstractmethod
    def is_prepared(self, connection: Any) -> bool:
        """Whether the connection is as `prepare` makes it."""

    @abstractmethod
    def prepare(self, connection: Any) -> object:
        """Make a connection outside a transaction ours: autocommit, UTF-8, readable times.

        What `restore` needs is returned.
        """

    @abstractmethod
    def restore(self, connection: Any, before: Any) -> None:
        """Give a connection back as `prepare` found it."""

    @abstractmethod
    def describe(self, connection: Any) -> str:
        """Where a connection leads to: never a password."""

    @abstractmethod
    def cursor(self, connection: Any) -> Any:
        """A cursor whose rows are tuples."""

    @abstractmethod
    def is_broken(self, connection: Any) -> bool:
        """Whether the connection is closed, by anybody, or known to be lost."""

    @abstractmethod
    def in_transaction(self, connection: Any) -> bool:
        """Whether a transaction is open, perhaps a failed one."""

    @abstractmethod
    def end_transaction(self, connection: Any, *, commit: bool) -> None:
        """End the open transaction; one that has failed is rolled back in any case."""

    @abstractmethod
    def begin(self, seconds: float) -> str:
        """The SQL that begins a transaction.

        Where the server can do it, it ends the transaction itself after some seconds: nobody else
        could if the network is gone.
        """

    @abstractmethod
    def socket_of(self, connection: Any) -> int | None:
        """The descriptor of the connection's socket, if it is known."""

    @abstractmethod
    def canceller(self, connection: Any) -> Callable[[], object] | None:
        """What asks the server to give up the connection's statement, from another thread.

        It may wait long for a server that does not answer, but other threads go on meanwhile.
        """

    @abstractmethod
    def was_cancelled(self, exc: BaseException) -> bool:
        """Whether the exception says that the statement was given up by request."""
