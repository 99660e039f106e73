"""Redis through redis.asyncio: a client with its pool, which tasks share."""

from __future__ import annotations

import asyncio
from typing import Any

import redis.asyncio
import redis.asyncio.cluster

from ..failures import Failures
from ..limits import Limits
from .redis_async_link import AsyncLink
from .redis_async_operation import Operation
from .redis_values import (
    RedisValues,
    describe_client,
)


class AsyncRedisSession:
    """A persister's access to its server; any number of tasks may share it."""

    def __init__(self, link: AsyncLink, failures: Failures, limits: Limits) -> None:
        self.failures = failures.at(
            link.values.describe() if link.values else describe_client(link.client)
        )
        self.limits = limits
        self.closed = False
        self.link = link
        self.is_readable = False  # what is stored is of this generation
        self._left = False

    @classmethod
    def opening(cls, failures: Failures, limits: Limits, **values: Any) -> AsyncRedisSession:
        """A session that opens its own client when it is first needed."""
        return cls(AsyncLink(RedisValues.checked(redis.asyncio.Redis, **values)), failures, limits)

    @classmethod
    def over(cls, connection: Any, failures: Failures, limits: Limits) -> AsyncRedisSession:
        """A session over a client that was handed in; a session is taken as it is."""
        if isinstance(connection, cls):
            return connection
        if not isinstance(connection, (redis.asyncio.Redis, redis.asyncio.cluster.RedisCluster)):
            raise TypeError(
                "connection must be a redis.asyncio.Redis or redis.asyncio.RedisCluster,"
                f" not {type(connection).__module__}.{type(connection).__name__}"
            )
        return cls(AsyncLink(None, connection), failures, limits)

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `async with session.operation("save", key) as do: await do.get(...)`."""
        return Operation(self, name, key)

    @property
    def is_here(self) -> bool:
        """Whether it is used in the running event loop, and so is not taken there from another."""
        return self.link.is_here

    @property
    def opened_here(self) -> bool:
        return self.link.values is not None

    @property
    def connection(self) -> Any:
        """The client of this event loop; None if it is not there yet."""
        return self.link.current

    async def open(self) -> None:
        """Make the client now; it connects when it is first used."""
        async with self.operation("connect"):
            pass

    def copy(self) -> AsyncRedisSession:
        """A session of the same values; one over a handed-in client shares it."""
        if self.closed:
            raise self.failures.closed("copy", "")
        twin = AsyncRedisSession(self.link.joined(), self.failures, self.limits)
        twin.is_readable = self.is_readable
        return twin

    async def close(self) -> None:
        """Close what was opened here, after the operations that are under way; once.

        From now on operations are refused. If those under way do not end in time, closing may be
        tried again.
        """
        self.closed = True
        if self._left:
            return
        try:
            async with asyncio.timeout(self.limits.operation):
                await self.link.leave()
                self._left = True
        except TimeoutError as exc:
            raise self.failures.late(
                "cleanup", "", self.limits, doing="other operations did not end", sent=False
            ) from exc

    def describe(self) -> str:
        return (
            self.link.values.describe() if self.link.values else describe_client(self.link.client)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        values = RedisValues.to_pickle(self, self.link.values)
        return _reopened, (values, self.failures, self.limits)


def _reopened(values: RedisValues, failures: Failures, limits: Limits) -> AsyncRedisSession:
    return AsyncRedisSession(AsyncLink(values), failures, limits)
