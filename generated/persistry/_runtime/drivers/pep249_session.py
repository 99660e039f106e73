"""A session over any PEP 249 driver: threads, time limits, transactions and lost connections."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from ..failures import Failures
from ..limits import Deadline, Limits
from .pep249_driver import Driver
from .pep249_facts import Facts, Values
from .pep249_operation import Operation
from .pep249_pool import Pool


class Pep249Session:
    """A persister's access to its database; any number of threads may share it."""

    kind: ClassVar[type[Driver]] = Driver
    is_here = True
    """Whether it can be used here without taking it away from somebody: by any thread."""

    def __init__(self, pool: Pool, failures: Failures, limits: Limits) -> None:
        self.pool = pool
        self.failures = failures.at(pool.describe())
        self.limits = limits
        self.closed = False
        self._left = False

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
        """A session that opens its own connections when they are first needed."""
        driver = cls.kind(facts)
        checked = driver.check_values(**values)
        return cls(Pool(driver, checked, _size(max_connections)), failures, limits)

    @classmethod
    def over(cls, connection: Any, failures: Failures, limits: Limits, facts: Facts) -> Self:
        """A session over a connection that was handed in; a session is taken as it is."""
        if isinstance(connection, cls):
            return connection
        driver = cls.kind(facts)
        driver.check_connection(connection)
        return cls(Pool.over(driver, connection), failures, limits)

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `with session.operation("save", key) as do: do.execute(...)`."""
        return Operation(self, name, key)

    @property
    def opened_here(self) -> bool:
        return self.pool.values is not None

    @property
    def connection(self) -> Any:
        """The connection that was handed in, or one that no operation uses, opened now."""
        with self.operation("connect") as operation:
            return operation.users_connection()

    def copy(self) -> Self:
        """A session of the same values; one over a handed-in connection shares it."""
        pool = None if self.closed else self.pool.joined()
        if pool is None:
            raise self.failures.closed("copy", "")
        return type(self)(pool, self.failures, self.limits)

    def close(self) -> None:
        """Close what was opened here, after the operations that are under way; once.

        From now on operations are refused. If those under way do not end in time, closing may be
        tried again.
        """
        self.closed = True
        deadline = Deadline(self.limits.operation)
        if self.pool.inherited:
            return
        with self.pool.leaving:
            self._left = self._left or self.pool.leave(deadline)
        if not self._left:
            raise self.failures.late(
                "cleanup", "", self.limits, doing="other operations did not end", sent=False
            )

    def describe(self) -> str:
        return self.pool.describe()

    def __reduce__(self) -> tuple[Any, ...]:
        pool = self.pool
        if pool.values is None:
            raise TypeError(
                f"{type(self).__name__} over a connection that was handed in cannot be pickled:"
                " build the persister with from_values()"
            )
        return _reopened, (type(self), pool.values, pool.size, self.failures, self.limits)


def _reopened(
    cls: type[Pep249Session], values: Values, size: int, failures: Failures, limits: Limits
) -> Pep249Session:
    return cls(Pool(cls.kind(values.facts), values, size), failures, limits)


def _size(max_connections: object) -> int:
    if isinstance(max_connections, bool) or not isinstance(max_connections, int):
        raise TypeError(f"max_connections must be an int, not {type(max_connections).__name__}")
    if max_connections < 1:
        raise ValueError(f"max_connections must be 1 or more, not {max_connections}")
    return max_connections
