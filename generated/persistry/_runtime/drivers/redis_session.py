"""Redis through redis-py: a client with its pool, which threads share."""

from __future__ import annotations

from typing import Any

import redis
import redis.cluster

from ..failures import Failures
from ..limits import Deadline, Limits
from .lua import Script
from .redis_async_session import AsyncRedisSession
from .redis_link import Link
from .redis_operation import Operation
from .redis_values import (
    RedisValues,
    describe_client,
)

__all__ = ["AsyncRedisSession", "Operation", "RedisSession", "Script"]


class RedisSession:
    """A persister's access to its server; any number of threads may share it."""

    is_here = True
    """Whether it can be used here without taking it away from somebody: by any thread."""

    def __init__(self, link: Link, failures: Failures, limits: Limits) -> None:
        self.failures = failures.at(
            link.values.describe() if link.values else describe_client(link.client)
        )
        self.limits = limits
        self.closed = False
        self.link = link
        self.is_readable = False  # what is stored is of this generation
        self._left = False

    @classmethod
    def opening(cls, failures: Failures, limits: Limits, **values: Any) -> RedisSession:
        """A session that opens its own client when it is first needed."""
        return cls(Link(RedisValues.checked(redis.Redis, **values)), failures, limits)

    @classmethod
    def over(cls, connection: Any, failures: Failures, limits: Limits) -> RedisSession:
        """A session over a client that was handed in; a session is taken as it is."""
        if isinstance(connection, cls):
            return connection
        if not isinstance(connection, (redis.Redis, redis.cluster.RedisCluster)):
            raise TypeError(
                "connection must be a redis.Redis or redis.RedisCluster,"
                f" not {type(connection).__module__}.{type(connection).__name__}"
            )
        return cls(Link(None, connection), failures, limits)

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `with session.operation("save", key) as do: do.script(...)`."""
        return Operation(self, name, key)

    @property
    def opened_here(self) -> bool:
        return self.link.values is not None

    @property
    def connection(self) -> Any:
        """The client; made now if it is not there yet."""
        if self.closed and self.opened_here:
            raise self.failures.closed("connect", "")
        return self.link.ready(self.limits)

    def copy(self) -> RedisSession:
        """A session of the same values; one over a handed-in client shares it."""
        if self.closed:
            raise self.failures.closed("copy", "")
        twin = RedisSession(self.link.joined(), self.failures, self.limits)
        twin.is_readable = self.is_readable
        return twin

    def close(self) -> None:
        """Close what was opened here, after the operations that are under way; once.

        From now on operations are refused. If those under way do not end in time, closing may be
        tried again.
        """
        self.closed = True
        deadline = Deadline(self.limits.operation)
        with self.link.closing:
            if self._left:
                return
            self._left = self.link.leave(deadline)
        if not self._left:
            raise self.failures.late(
                "cleanup", "", self.limits, doing="other operations did not end", sent=False
            )

    def describe(self) -> str:
        return (
            self.link.values.describe() if self.link.values else describe_client(self.link.client)
        )

    def __reduce__(self) -> tuple[Any, ...]:
        values = RedisValues.to_pickle(self, self.link.values)
        return _reopened, (values, self.failures, self.limits)


def _reopened(values: RedisValues, failures: Failures, limits: Limits) -> RedisSession:
    return RedisSession(Link(values), failures, limits)
