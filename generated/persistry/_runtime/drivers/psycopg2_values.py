"""What a psycopg2 connection is opened with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

from ..limits import Limits

# libpq counts its connect_timeout in whole seconds, at least so many.
_SHORTEST = 2


@dataclass(frozen=True)
class Psycopg2Values:
    """A server, a database on it, who we are there, and libpq's further parameters."""

    db_name: str
    user: str
    host: str
    port: int
    password: str | None = field(default=None, repr=False)
    connect_kwargs: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def checked(
        cls,
        *,
        db_name: str,
        user: str,
        password: str | None,
        host: str,
        port: int,
        connect_kwargs: dict[str, Any] | None = None,
    ) -> Psycopg2Values:
        for name, value in (("db_name", db_name), ("user", user), ("host", host)):
            _check_text(name, value)
        if password is not None:
            _check_text("password", password)
        if isinstance(port, bool) or not isinstance(port, int):
            raise TypeError(f"port must be an int, not {type(port).__name__}")
        if not 0 < port <= 65_535:
            raise ValueError(f"port must be from 1 to 65535, not {port}")
        values = cls(db_name, user, host, port, password, _checked_kwargs(connect_kwargs))
        try:
            make_dsn(**values.arguments(Limits(1, 1)))
        except (psycopg2.Error, TypeError) as exc:
            # It names the parameter, never a value.
            raise ValueError(f"connect_kwargs: {str(exc).strip()}") from None
        return values

    def arguments(self, limits: Limits) -> dict[str, Any]:
        """Keyword arguments for libpq; what the user gave comes first."""
        given = {
            "dbname": self.db_name,
            "user": self.user,
            "password": self.password,
            "host": self.host,
            "port": self.port,
            "client_encoding": "UTF8",
            # Connecting is timed as a whole; this ends what is left behind.
            "connect_timeout": max(_SHORTEST, math.ceil(limits.connect)),
        } | self.connect_kwargs
        return {name: value for name, value in given.items() if name not in FACTORIES}

    def factories(self) -> dict[str, Any]:
        """Keyword arguments of `psycopg2.connect` itself."""
        return {
            name: self.connect_kwargs[name] for name in FACTORIES if name in self.connect_kwargs
        }

    def describe(self) -> str:
        return f"{self.host}:{self.port}/{self.db_name}"


FACTORIES = ("connection_factory", "cursor_factory")
_ASYNCHRONOUS = ("async", "async_")


def _checked_kwargs(connect_kwargs: object) -> dict[str, Any]:
    if connect_kwargs is None:
        return {}
    if not isinstance(connect_kwargs, dict):
        raise TypeError(
            f"connect_kwargs must be a dict or None, not {type(connect_kwargs).__name__}"
        )
    for name, value in connect_kwargs.items():
        if name in _ASYNCHRONOUS:
            raise ValueError(
                f"connect_kwargs: {name} cannot be set; there is an asynchronous persister"
            )
        if isinstance(value, str):
            _check_text(f"connect_kwargs[{name!r}]", value)
    return dict(connect_kwargs)


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} must not have a lone surrogate") from None
    if b"\0" in encoded:
        raise ValueError(f"{name} must not have a NUL character")
