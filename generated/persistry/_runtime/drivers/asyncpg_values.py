"""What asyncpg connections and pools are opened with."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg

from ..limits import Limits
from .login import check_login, checked_kwargs

# libpq's names that asyncpg knows, though only in the query of a DSN.
_OF_A_DSN = frozenset(
    {
        "application_name",
        "options",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
    }
)

# What has a parameter of its own in `from_values`, or none at all.
_ELSEWHERE = {
    "host": "give host",
    "port": "give port",
    "user": "give user",
    "password": "give password",
    "database": "give db_name",
    "dbname": "give db_name",
    "dsn": "give db_name, user, password, host and port",
    "connect_timeout": "give connect_timeout",
    "client_encoding": "text always travels as UTF-8",
    "timeout": "give connect_timeout",
    "loop": "each event loop gets connections of its own",
}

_CONNECT = frozenset(inspect.signature(asyncpg.connect).parameters)
_CREATE_POOL = inspect.signature(asyncpg.create_pool).parameters
_POOL = _CONNECT | {name for name, it in _CREATE_POOL.items() if it.kind is it.KEYWORD_ONLY}


@dataclass(frozen=True)
class AsyncpgValues:
    """A server, a database on it, and the keyword arguments of the driver's functions."""

    db_name: str
    user: str
    password: str | None = field(repr=False)
    host: str
    port: int
    connect_kwargs: dict[str, Any] = field(repr=False)
    use_pool: bool
    pool_kwargs: dict[str, Any] = field(repr=False)

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
        use_pool: bool = False,
        pool_kwargs: Mapping[str, Any] | None = None,
    ) -> AsyncpgValues:
        check_login(db_name, user, password, host, port)
        if not isinstance(use_pool, bool):
            raise TypeError(f"use_pool must be a bool, not {type(use_pool).__name__}")
        kwargs, of_pool = checked_kwargs(connect_kwargs), dict(pool_kwargs or {})
        for name in of_pool:
            if not use_pool:
                raise ValueError(
                    f"{name} is an argument for a pool: give use_pool=True as well, or leave it out"
                )
        _check_known("connect_kwargs", kwargs, _CONNECT | _OF_A_DSN)
        _check_known("pool", of_pool, _POOL)
        size = of_pool.get("max_size", 1)
        if isinstance(size, bool) or not isinstance(size, int):
            raise TypeError(f"max_size must be an int, not {type(size).__name__}")
        if size < 1:
            raise ValueError(f"max_size must be 1 or more, not {size}")
        return cls(db_name, user, password, host, port, kwargs, use_pool, of_pool)

    @property
    def at_once(self) -> int:
        """How many connections there may be."""
        if not self.use_pool:
            return 1
        size: int = self.pool_kwargs.get("max_size", _CREATE_POOL["max_size"].default)
        return size

    def arguments(self, limits: Limits, *, cached: bool) -> dict[str, Any]:
        """Keyword arguments for a session's connection, or for its pool.

        Without `cached` no statement stays prepared on the server.
        """
        arguments: dict[str, Any] = {"timeout": limits.connect}
        if self.use_pool:
            # Connections come when they are needed: to restore a floor, asyncpg would keep trying,
            # and log that, while there is no server. Our connections have no state to reset.
            # Operations are timed as a whole; this limit is for what the pool does by itself.
            arguments |= {"min_size": 0, "reset": _nothing_to_reset}
            arguments["command_timeout"] = limits.operation
        arguments |= self.given()
        return arguments if cached else arguments | {"statement_cache_size": 0}

    def each(self, limits: Limits, *, cached: bool) -> dict[str, Any]:
        """Keyword arguments for each connection of a pool, without those that the pool adds."""
        arguments = self.arguments(limits, cached=cached)
        return {name: it for name, it in arguments.items() if name not in _CREATE_POOL}

    def given(self) -> dict[str, Any]:
        """The same, as far as it was given."""
        mine = self.connect_kwargs
        arguments: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.db_name,
        }
        query = {name: it for name, it in mine.items() if name in _OF_A_DSN}
        if query:
            arguments["dsn"] = f"postgresql://?{urlencode(query, quote_via=quote)}"
        arguments |= {name: it for name, it in mine.items() if name not in _OF_A_DSN}
        return arguments | self.pool_kwargs

    def describe(self) -> str:
        return f"{self.host}:{self.port}/{self.db_name}"


def _check_known(where: str, given: Iterable[str], known: frozenset[str]) -> None:
    for name in given:
        if name in _ELSEWHERE:
            raise ValueError(f"{where}: {name} cannot be given here; {_ELSEWHERE[name]}")
        if name not in known:
            raise TypeError(f"{where}: asyncpg knows no argument {name!r}")


async def _nothing_to_reset(connection: Any) -> None:
    """What a pool does with a connection that comes back: asyncpg's own way is a round trip."""
