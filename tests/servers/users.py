"""Whom a server runs as that refuses to run as root."""

from __future__ import annotations

import functools
import os
import pwd
import stat
import tempfile
from pathlib import Path
from typing import Any

from .finding import ServerMissing


@functools.cache
def somebody() -> pwd.struct_passwd | None:
    """A user with a name, if the tests run as root; else None."""
    if os.geteuid() != 0:
        return None
    named = {user.pw_name: user for user in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in named:
            return named[name]
    raise ServerMissing(
        "nobody to run a server as that refuses to run as root: there is no user postgres or"
        " nobody; run the tests as another user"
    )


def as_somebody() -> dict[str, Any]:
    """Arguments of `subprocess` that start a program as this user, if need be."""
    user = somebody()
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def open_directory() -> str:
    """Where temporary directories are made that this user can get to."""
    places = [tempfile.gettempdir(), "/tmp", "/var/tmp"]
    if somebody() is None:
        return places[0]
    return next(filter(_is_open_to_all, places), places[0])


def _is_open_to_all(place: str) -> bool:
    path = Path(place)
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))
