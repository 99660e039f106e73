"""Where drivers that mirror PEP 249 with awaitables differ from each other."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .pep249_driver import arguments_of, as_tuple


async def settled(answer: Any) -> Any:
    """The result of a call that some drivers have to be awaited for, and others not."""
    return await answer if inspect.isawaitable(answer) else answer


async def settled_quietly(call: Callable[[], Any]) -> None:
    """Make a call whose failure is of no use to anybody."""
    with contextlib.suppress(Exception):
        await settled(call())


def is_closed(connection: Any) -> bool:
    """Whether the connection is closed, by anybody, or known to be lost."""
    for name, when_closed in (("closed", True), ("connected", False), ("open", False)):
        told = getattr(connection, name, None)
        if isinstance(told, int):
            return bool(told) is when_closed
    return False


async def set_autocommit(connection: Any, on: bool) -> None:
    """By a method of its own, by the one that is called like the attribute, or by that."""
    for name in ("set_autocommit", "autocommit"):
        method = getattr(connection, name, None)
        if callable(method):
            await settled(method(on))
            return
    connection.autocommit = on


async def commit_what_is_open(connection: Any) -> None:
    """End the transaction that the connection's owner may have begun."""
    in_transaction = getattr(connection, "get_transaction_status", None)
    if not callable(in_transaction) or in_transaction():
        await settled(connection.commit())  # Without a transaction it does nothing.


async def execute(cursor: Any, sql: str, parameters: Sequence[Any] = ()) -> None:
    await settled(cursor.execute(*arguments_of(sql, parameters)))


async def all_rows(cursor: Any) -> list[tuple[Any, ...]]:
    """The rows of what was executed; those of a connection that was handed in may be mappings."""
    rows = await settled(cursor.fetchall())
    return [row if type(row) is tuple else as_tuple(row) for row in rows]


async def close(connection: Any) -> None:
    """Take leave of the server."""
    await settled(getattr(connection, "ensure_closed", connection.close)())


def cut(connection: Any) -> None:
    """Close a connection as far as it can be done without waiting."""
    # What a driver says then, or a closed event loop, is of no use to anybody.
    with contextlib.suppress(Exception):
        closing = connection.close()
        if inspect.iscoroutine(closing):
            with contextlib.closing(closing):
                closing.send(None)
