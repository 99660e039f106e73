"""Loads a persister when it is first asked for, so that importing persistry imports no driver."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PACKAGE = __name__.rsplit(".", 2)[0]


# How the classes of the one colour are used from code of the other.
_FROM_THE_OTHER = {
    "sync": "from coroutines with asyncio.to_thread()",
    "async": "from plain code with asyncio.run()",
}


def no_class(whose: str, wanted: str, colour: str, name: str) -> str:
    """Why a store has no class of the colour that is wanted, and what to do."""
    return f"{whose} has no {wanted} driver: use {name}, {_FROM_THE_OTHER[colour]}"


def load_class(module: str, name: str, extra: str | None = None) -> Any:
    """The class `name` of a module of this package.

    Raises:
        ImportError: Its driver is not installed; the message says how to install it.
    """
    try:
        return getattr(import_module(f"{_PACKAGE}.{module}"), name)
    except ModuleNotFoundError as error:
        if extra is None or (error.name or "").startswith(_PACKAGE):
            raise
        # Not by the name of what is missing: a driver may bring modules that are called like other
        # packages, and to install those would break it.
        raise ImportError(
            f"{name} needs a driver that is not installed: pip install 'persistry[{extra}]'",
            name=error.name,
        ) from error
