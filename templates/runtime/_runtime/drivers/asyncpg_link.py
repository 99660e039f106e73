"""Where the connections of an asyncpg session come from: what one and a pool have in common."""

from __future__ import annotations

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import asyncpg

from ..limits import Limits
from .awaited_link import LAST_MOMENT, Link


class AsyncpgLink(Link):
    """Connections of one event loop at a time.

    Whoever has one of the `slots` may `take` a connection, and gives both back by `give_back`.
    """

    cached = True
    """Whether statements stay prepared on the server."""

    def again(self) -> Self:
        link = super().again()
        link.cached = self.cached
        return link

    @abstractmethod
    async def take(self, limits: Limits) -> Any:
        """A connection, with no transaction open."""

    @abstractmethod
    async def give_back(
        self, connection: Any, slots: asyncio.Semaphore, *, unknown: bool, transaction: bool
    ) -> None:
        """Give a connection on, and the slot.

        It may be `unknown` what the connection is doing, or a `transaction` may be open.
        """

    @abstractmethod
    async def replace(self, connection: Any) -> bool:
        """Give up a connection that was lost; whether `take` gives another one."""

    @abstractmethod
    async def stop_preparing(self, connection: Any) -> bool:
        """Keep no statement prepared any more; whether that takes another connection."""

    def drop(self, connection: Any) -> None:
        """Let a connection end in order, which ends its statement, too; nobody waits for it."""
        self.start(_end(connection))


def is_closed(connection: Any) -> bool:
    """Whether it is closed; one of a pool that was lost belongs to nobody any more."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


async def in_utf8(connection: Any) -> None:
    """See to it that every text can travel; a session may have chosen another encoding."""
    told = connection.get_settings().client_encoding
    if told.strip("'").replace("-", "").upper() != "UTF8":  # A pooler says what asyncpg asked for.
        await connection.execute("SET client_encoding = 'UTF8'")


async def _end(connection: Any) -> None:
    with contextlib.suppress(Exception):
        await connection.close(timeout=LAST_MOMENT)


@contextlib.contextmanager
def connecting() -> Iterator[None]:
    """What fails here has reached no database: it must not look like a lost answer."""
    try:
        yield
    except TimeoutError as exc:
        if exc.errno is None:
            raise TimeoutError("connecting took too long") from exc
        raise
    except asyncpg.ConnectionDoesNotExistError as exc:
        raise ConnectionError(f"connecting failed: {exc}") from exc
