"""What a session has to be told of a driver that follows PEP 249, or mirrors it with awaitables."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..identifiers import literal
from ..limits import Limits
from .login import check_given, check_text, checked_kwargs
from .pep249_file import absolute

# The part of an operation's time that a statement may wait for others: the rest is for saying so.
_WAITING = 0.8


@dataclass(frozen=True)
class Facts:
    """How a driver connects, and what it calls what it is given."""

    connect: Callable[..., Any]
    connection_type: type[Any]
    arguments: Mapping[str, str]
    """A parameter of ours -> the driver's keyword for it."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """What the driver is given always."""
    timeouts: Mapping[str, str] = field(default_factory=dict)
    """The driver's keyword -> `connect_timeout` or `operation_timeout`, in whole seconds: some
    drivers count no others. In time is what is in time here; these end what is left behind."""
    cancel: str = ""
    """The connection's method that has its statement given up, from another thread or task."""
    on_open: tuple[str, ...] = ()
    """Statements for a new connection; `{name}` is the value of that parameter, as a text, and
    `{milliseconds}` how long one statement may wait for others."""
    literal: Callable[[str], str] = literal
    """Writes a text into such a statement."""
    suits: str = ""
    """A query that says whether a connection that was handed in can be used."""
    advice: str = ""
    """How to open one that can."""

    def check_connection(self, connection: object) -> None:
        """A `TypeError` for what cannot be handed in."""
        if not isinstance(connection, self.connection_type):
            wanted, found = self.connection_type, type(connection)
            raise TypeError(
                f"connection must be a {wanted.__module__}.{wanted.__qualname__},"
                f" not {found.__module__}.{found.__qualname__}"
            )

    def elsewhere(self) -> dict[str, str]:
        """The keywords that connect_kwargs cannot have, and what to do instead."""
        everything = " and ".join(self.arguments)
        return {
            # PEP 249's own words for it, which some drivers take as well as theirs.
            "dsn": f"give {everything}",
            "database": "give db_name",
            **{keyword: f"give {name}" for name, keyword in self.arguments.items()},
            **{keyword: f"give {limit}" for keyword, limit in self.timeouts.items()},
            **{keyword: f"it is always {value!r} here" for keyword, value in self.fixed.items()},
            # The words for what is given are no keywords of the driver.
            **{name: f"give {name}" for name in self.arguments},
        }


@dataclass(frozen=True)
class Values:
    """What connections are opened with: checked, and all that a pickle holds."""

    facts: Facts
    given: Mapping[str, Any] = field(repr=False)
    connect_kwargs: Mapping[str, Any] = field(repr=False)

    @classmethod
    def checked(
        cls, facts: Facts, *, connect_kwargs: dict[str, Any] | None = None, **given: Any
    ) -> Values:
        """The values to connect with, or an error that names what is wrong."""
        if "db_path" in given:
            given["db_path"] = absolute(given["db_path"])
        for name, value in given.items():
            check_given(name, value)
            if name not in facts.arguments:  # so it is written into a statement
                check_text(name, value)
        kwargs = checked_kwargs(connect_kwargs)
        elsewhere = facts.elsewhere()
        for name in kwargs:
            if name in elsewhere:
                raise ValueError(f"connect_kwargs: {name} cannot be given here; {elsewhere[name]}")
        values = cls(facts, given, kwargs)
        values._check_signature()
        return values

    def arguments(self, limits: Limits) -> dict[str, Any]:
        """The driver's keyword arguments."""
        facts = self.facts
        seconds = {"connect_timeout": limits.connect, "operation_timeout": limits.operation}
        return {
            **{keyword: self.given[name] for name, keyword in facts.arguments.items()},
            **facts.fixed,
            **{keyword: math.ceil(seconds[limit]) for keyword, limit in facts.timeouts.items()},
            **self.connect_kwargs,
        }

    def on_open(self, limits: Limits) -> list[str]:
        """The statements for a new connection."""
        facts = self.facts
        texts = {
            name: facts.literal(value)
            for name, value in self.given.items()
            if name not in facts.arguments
        }
        texts["milliseconds"] = str(max(1, int(limits.operation * _WAITING * 1000)))
        return [statement.format_map(texts) for statement in facts.on_open]

    def describe(self) -> str:
        """Where they lead to, for messages: never a password."""
        given = self.given
        if "host" in given:
            return f"{given['host']}:{given['port']}/{given['db_name']}"
        return repr(self.place)

    @property
    def place(self) -> Any:
        """The first thing that the driver is told: of a database in this process, its file."""
        return self.given[next(iter(self.facts.arguments))]

    def _check_signature(self) -> None:
        """A keyword that the driver does not have is found here, if it says which it has."""
        connect = self.facts.connect
        try:
            signature = inspect.signature(connect)
        except (TypeError, ValueError):
            return
        ours = replace(self, connect_kwargs={}).arguments(Limits(1, 1))
        for where, given in (
            (f"connect, in the spec of {connect.__module__}.{connect.__qualname__}", ours),
            ("connect_kwargs", ours | dict(self.connect_kwargs)),
        ):
            try:
                signature.bind(**given)
            except TypeError as exc:
                raise TypeError(f"{where}: {exc}") from None
