"""What the stores on a server have: a place that the run shares, and servers of a test's own."""

from __future__ import annotations

import functools
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar
from urllib.parse import quote

import pytest

from persistry.conformance.support.column import Column
from tests.servers import LOOPBACK, Server, ServerMissing

from .storage import Storage


@dataclass(frozen=True)
class Place(ABC):
    """Where a server is, and as whom to go there."""

    variable: ClassVar[str]
    """The environment's variable with the URL of a server that is to be used."""
    server: ClassVar[type[Server]]
    """What is started otherwise."""

    url: str

    @classmethod
    @abstractmethod
    def on(cls, server: Any) -> Self:
        """The place that a server of ours is."""

    @classmethod
    def is_lacking(cls) -> bool:
        """Whether no server of the kind is here, and the tests do without."""
        try:
            if not os.environ.get(cls.variable):
                cls.server.find()
        except ServerMissing as error:
            return error.dispensable
        return False

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]: ...

    @abstractmethod
    def problem(self) -> str | None:
        """Why nobody answers there, or None."""

    @abstractmethod
    def remove(self, run: str) -> None:
        """Remove what this run has stored there: all that has `run` in its name."""

    def close(self) -> None:  # noqa: B027 - most keep nothing open
        """Leave it: nothing is stored there any more."""


def login(user: str, password: str | None) -> str:
    """How a URL begins after its scheme; nothing for a server that asks nobody."""
    return "" if password is None else f"{user}:{quote(password, safe='')}@"


AnyPlace = TypeVar("AnyPlace", bound=Place)


class ServedStore(Storage, Generic[AnyPlace]):
    """Storage on a server; its name, which no other test uses, sets it apart."""

    place_type: ClassVar[type[Place]]
    can_be_emptied: ClassVar[bool] = False
    """Whether it has `empty`, which costs a tenth of making and removing what it removes from."""

    def __init__(self, column: Column, place: AnyPlace, run: str, skip_missing: bool) -> None:
        super().__init__(column)
        self.place = place
        self.address = place.address
        self.run = run
        self.name = f"{run}_{secrets.token_hex(4)}"
        self.skip_missing = skip_missing
        self.spares: list[str] | None = None
        self.started.callback(self._leave)

    def reuse(self, spares: list[str], passed: Callable[[], bool]) -> None:
        """Go on with what a test before has left empty; leave it so, if the test passes."""
        if spares:
            self.name = spares.pop()
        self.spares = spares
        self.passed = passed

    def _leave(self) -> None:
        if self.spares is not None and self.passed():
            self.empty()
            self.spares.append(self.name)
        else:
            self.drop()

    def drop(self) -> None:
        """Remove what was made, where it is in the way before the run ends."""

    def empty(self) -> None:
        """Remove the records."""
        raise NotImplementedError

    def open(self, **options: Any) -> Any:
        return self.open_at(*self.place.address, **options)

    def open_through(self, port: int, **options: Any) -> Any:
        return self.open_at(LOOPBACK, port, **options)

    def open_at(self, host: str, port: int, **options: Any) -> Any:
        raise NotImplementedError

    @functools.cache  # noqa: B019 - a store lives as long as its test
    def server(self) -> PrivateServer:
        try:
            server = self.started.enter_context(self.place.server())
        except ServerMissing as error:  # the matrix may run on a server that was given
            missing(error, skip=self.skip_missing)
        place = type(self.place).on(server)
        return PrivateServer(server, type(self)(self.column, place, self.run, self.skip_missing))


class PrivateServer:
    """A server that one test may break, with the store that stands on it."""

    def __init__(self, server: Server, store: Any) -> None:
        self.address = server.address
        self.kill, self.restart = server.kill, server.restart
        self.pause, self.resume = server.pause, server.resume
        self.open, self.connect = store.open, store.connect


def missing(error: ServerMissing, *, skip: bool = False) -> Any:
    """Skip the test, if that was asked for or need not be; or have it fail with what to install."""
    if skip or error.dispensable:
        pytest.skip(str(error))
    pytest.fail(str(error), pytrace=False)
