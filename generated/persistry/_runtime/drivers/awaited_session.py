"""A session over any driver that mirrors PEP 249 with awaitables."""

from __future__ import annotations

from typing import Any, Self

from ..failures import Failures
from ..limits import Limits
from .awaited_base import SessionBase
from .awaited_operation import Operation
from .awaited_pool import Pool
from .pep249_facts import Facts, Values


class AwaitedSession(SessionBase[Pool]):
    """A persister's access to its database; any number of tasks may share it."""

    @classmethod
    def opening(
        cls,
        failures: Failures,
        limits: Limits,
        facts: Facts,
        *,
        max_connections: int = 1,
        **values: Any,
    ) -> Self:
        """A session that opens its own connections: by `open`, or when they are first needed."""
        checked = Values.checked(facts, **values)
        return cls(Pool(facts, checked, _size(max_connections)), failures, limits)

    @classmethod
    def over(cls, connection: Any, failures: Failures, limits: Limits, facts: Facts) -> Self:
        """A session over a connection that was handed in; a session is taken as it is."""
        if isinstance(connection, cls):
            return connection
        facts.check_connection(connection)
        return cls(Pool.over(facts, connection), failures, limits)

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `async with session.operation("save", key) as do: await do.execute()`."""
        return Operation(self, name, key)

    @property
    def connection(self) -> Any:
        """The connection that was handed in; None for those opened here, which tasks share."""
        return self._link.connection

    async def open(self) -> None:
        """Open a connection now."""
        async with self.operation("connect") as operation:
            await operation.connect()


def _size(max_connections: object) -> int:
    if isinstance(max_connections, bool) or not isinstance(max_connections, int):
        raise TypeError(f"max_connections must be an int, not {type(max_connections).__name__}")
    if max_connections < 1:
        raise ValueError(f"max_connections must be 1 or more, not {max_connections}")
    return max_connections
