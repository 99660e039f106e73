"""What connections to a server are opened with, checked."""

from __future__ import annotations

from typing import Any


def check_login(
    db_name: object, user: object, password: object, host: object, port: object
) -> None:
    """A `TypeError` or `ValueError` that names what is wrong, never the password."""
    given = {"db_name": db_name, "user": user, "host": host, "password": password, "port": port}
    for name, value in given.items():
        check_given(name, value)


def check_given(name: str, value: object) -> None:
    """A value to connect with, known by the name that it has for all stores."""
    if name == "port":
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"port must be an int, not {type(value).__name__}")
        if not 0 < value <= 65_535:
            raise ValueError(f"port must be from 1 to 65535, not {value}")
    elif name == "password":
        if value is not None:
            check_text("password", value, "a str or None")
    elif name in ("db_name", "user", "host"):
        text = check_text(name, value)
        # Messages show where a connection leads to; a password in there would be shown with it.
        if "://" in text or "password=" in text:
            raise ValueError(f"{name} must be a name, not a URL or DSN; connect() takes a URL")
    elif isinstance(value, str):
        check_text(name, value)


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
    return dict(connect_kwargs)


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
