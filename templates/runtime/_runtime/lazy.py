"""Loads a persister when it is first asked for, so that importing persistry imports no driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

PACKAGE = __name__.rsplit(".", 2)[0]


# How the classes of the one colour are used from code of the other.
_FROM_THE_OTHER = {
    "sync": "from coroutines with asyncio.to_thread()",
    "async": "from plain code with asyncio.run()",
}


def no_class(whose: str, wanted: str, colour: str, name: str) -> str:
    """Why a store has no class of the colour that is wanted, and what to do."""
    return f"{whose} has no {wanted} driver: use {name}, {_FROM_THE_OTHER[colour]}"


def load_class(module: str, name: str, extra: str | None = None, package: str = PACKAGE) -> Any:
    """What has the `name` in a module of the package: of this one, or of one that was generated.

    Raises:
        ImportError: Its driver is not installed; the message says how to install it.
    """
    try:
        return getattr(import_module(f"{package}.{module}"), name)
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith((f"{PACKAGE}.", f"{package}.")):
            raise
        # Not by the name of what is missing: a driver may bring modules that are called like other
        # packages, and to install those would break it.
        message = f"{name} needs a driver that is not installed: {_install(extra, package)}"
        raise ImportError(message, name=error.name) from error


@contextmanager
def extra(name: str, package: str) -> Iterator[None]:
    """Around the imports of a module of the package, whose driver the extra `name` brings.

    Raises:
        ModuleNotFoundError: It is not installed; the message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{error}: the driver is not installed: {_install(name, package)}"
        raise ModuleNotFoundError(message, name=error.name) from error


def _install(extra: str, package: str) -> str:
    """A generated package of somebody's own has no extras of ours."""
    is_ours = f"{package}.".startswith(f"{PACKAGE}.")
    wanted = f"'{PACKAGE}[{extra}]'" if is_ours else extra
    return f"pip install {wanted}"
