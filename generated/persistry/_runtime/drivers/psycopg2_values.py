"""What a psycopg2 connection is opened with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

from ..limits import Limits
from .postgresql import check_login, checked_kwargs

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
        check_login(db_name, user, password, host, port)
        kwargs = checked_kwargs(connect_kwargs)
        for name in _ASYNCHRONOUS & kwargs.keys():
            raise ValueError(
                f"connect_kwargs: {name} cannot be set; there is an asynchronous persister"
            )
        values = cls(db_name, user, host, port, password, kwargs)
        try:
            make_dsn(**values.arguments(Limits(1, 1)))
        except (psycopg2.Error, TypeError) as exc:
            # It names the parameter, never a value.
            raise ValueError(f"connect_kwargs: {str(exc).strip()}") from None
        return values

    def arguments(self, limits: Limits) -> dict[str, Any]:
        """Keyword arguments for libpq."""
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
_ASYNCHRONOUS = {"async", "async_"}
