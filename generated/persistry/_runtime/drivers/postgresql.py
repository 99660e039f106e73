"""What is the same for all drivers of PostgreSQL: values to connect with, checked; transactions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# What has a parameter of its own in `from_values`, or none at all.
ELSEWHERE = {
    "host": "give host",
    "port": "give port",
    "user": "give user",
    "password": "give password",
    "database": "give db_name",
    "dbname": "give db_name",
    "dsn": "give db_name, user, password, host and port",
    "connect_timeout": "give connect_timeout",
    "client_encoding": "text always travels as UTF-8",
}


def begin(seconds: float) -> str:
    """The SQL that begins a transaction of our own.

    The server ends it after so long: nobody else could if the network is gone. SET LOCAL ends with
    the transaction, so a pooler's other clients see nothing of it.
    """
    milliseconds = max(1, int(seconds * 1000))
    return (
        f"BEGIN; SET LOCAL statement_timeout = {milliseconds};"
        f" SET LOCAL idle_in_transaction_session_timeout = {milliseconds}"
    )


def check_login(
    db_name: object, user: object, password: object, host: object, port: object
) -> None:
    """A `TypeError` or `ValueError` that names what is wrong, never the password."""
    for name, value in (("db_name", db_name), ("user", user), ("host", host)):
        text = check_text(name, value)
        # Messages show where a connection leads to; a password in there would be shown with it.
        if "://" in text or "password=" in text:
            raise ValueError(f"{name} must be a name, not a URL or DSN; connect() takes a URL")
    if password is not None:
        check_text("password", password, "a str or None")
    if isinstance(port, bool) or not isinstance(port, int):
        raise TypeError(f"port must be an int, not {type(port).__name__}")
    if not 0 < port <= 65_535:
        raise ValueError(f"port must be from 1 to 65535, not {port}")


def checked_kwargs(connect_kwargs: object) -> dict[str, Any]:
    """A copy of the further arguments for the driver."""
    if connect_kwargs is None:
        return {}
    if not isinstance(connect_kwargs, dict):
        raise TypeError(
            f"connect_kwargs must be a dict or None, not {type(connect_kwargs).__name__}"
        )
    for name, value in connect_kwargs.items():
        if isinstance(value, str):
            check_text(f"connect_kwargs[{name!r}]", value)
    check_names("connect_kwargs", connect_kwargs)
    return dict(connect_kwargs)


def check_names(where: str, given: Iterable[object]) -> None:
    """Refuse what is given elsewhere."""
    for name in given:
        if isinstance(name, str) and name in ELSEWHERE:
            raise ValueError(f"{where}: {name} cannot be given here; {ELSEWHERE[name]}")


def check_text(name: str, value: object, kind: str = "a str") -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be {kind}, not {type(value).__name__}")
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} must not have a lone surrogate") from None
    if b"\0" in encoded:
        raise ValueError(f"{name} must not have a NUL character")
    return value
