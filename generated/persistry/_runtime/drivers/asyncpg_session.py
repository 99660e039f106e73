"""PostgreSQL through asyncpg: a connection that tasks use in turn, or a pool."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import asyncpg

from ...errors import CorruptStateError, NotInitializedError
from ..failures import Failures, about
from ..limits import Limits
from ..steps import Step, begun, is_true
from .asyncpg_link import AsyncpgLink, in_utf8, is_closed
from .asyncpg_one import One
from .asyncpg_pooled import Pooled
from .asyncpg_values import AsyncpgValues
from .awaited_base import SessionBase

T = TypeVar("T")

# A statement that was prepared is gone, or its name is taken: somebody between us and the server
# hands its connections round.
_PREPARED_ELSEWHERE = (
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.DuplicatePreparedStatementError,
)

# A statement was prepared for a table that has been made anew since, with other types.
_PREPARED_FOR_ANOTHER = (
    asyncpg.DatatypeMismatchError,
    asyncpg.DataError,
    asyncpg.InvalidCachedStatementError,
)

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
)


class AsyncpgSession(SessionBase[AsyncpgLink]):
    """A persister's access to its database; any number of tasks may share it."""

    @classmethod
    def opening(cls, failures: Failures, limits: Limits, **values: Any) -> AsyncpgSession:
        """A session that opens its own connections: by `open`, or when they are first needed."""
        checked = AsyncpgValues.checked(**values)
        return cls(Pooled(checked) if checked.use_pool else One(checked), failures, limits)

    @classmethod
    def over(cls, connection: Any, failures: Failures, limits: Limits) -> AsyncpgSession:
        """A session over a connection or a pool; a session is taken as it is."""
        if isinstance(connection, cls):
            return connection
        if isinstance(connection, asyncpg.Pool):
            return cls(Pooled.over(connection), failures, limits)
        if isinstance(connection, asyncpg.Connection):
            return cls(One.over(connection), failures, limits)
        raise TypeError(
            "connection must be an asyncpg.Connection, or pool an asyncpg.Pool,"
            f" not {type(connection).__module__}.{type(connection).__name__}"
        )

    @staticmethod
    async def create_pool(*, pool_kwargs: Mapping[str, Any], **values: Any) -> Any:
        """A pool to hand in: the caller's, who closes it."""
        # Nothing else says how long connecting may take.
        timeout = {name: it for name, it in pool_kwargs.items() if name == "timeout"}
        others = {name: it for name, it in pool_kwargs.items() if name not in timeout}
        checked = AsyncpgValues.checked(**values, use_pool=True, pool_kwargs=others)
        return await asyncpg.create_pool(**{"min_size": 0} | checked.given() | timeout)

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `async with session.operation("save", key) as do: await do.execute()`."""
        return Operation(self, name, key)

    @property
    def connection(self) -> Any:
        """The one connection; None if it is not open, or if there is a pool."""
        return self._link.connection if isinstance(self._link, One) else None

    @property
    def pool(self) -> Any:
        """The pool; None if it is not open, or if there is one connection."""
        return self._link.pool if isinstance(self._link, Pooled) else None

    async def open(self) -> None:
        """Open a connection now."""
        async with self.operation("connect"):
            pass


class Operation:
    """One operation of a session: its connection, its time, and what may be asked of the server."""

    __slots__ = (
        "_connection",
        "_doing",
        "_key",
        "_link",
        "_name",
        "_repeated",
        "_sent",
        "_session",
        "_slots",
        "_timeout",
        "_transaction",
        "_waiting",
    )

    def __init__(self, session: AsyncpgSession, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    async def __aenter__(self) -> Operation:
        session = self._session
        self._link = link = session.link_here()
        self._repeated = self._sent = self._waiting = self._transaction = False
        self._slots: asyncio.Semaphore | None = None
        self._connection: Any = None
        self._doing = "its turn did not come"
        self._timeout = asyncio.timeout(session.limits.operation)
        await self._timeout.__aenter__()
        try:
            self._check_open()
            await link.enter(self._name, self._key)
            slots = link.slots
            await slots.acquire()
            self._slots = slots
            self._check_open()
            await self._take()
        except BaseException as exc:
            await self._leave(exc)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._leave(exc)

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; when this returns it is committed. The number of rows it changed."""
        status = await self._trip(lambda: self._connection.execute(sql, *parameters))
        number = status.rpartition(" ")[2]
        return int(number) if number.isdecimal() else 0

    async def fetch_all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the query; asyncpg's own, which are read like tuples."""
        return await self._trip(lambda: self._connection.fetch(sql, *parameters))

    async def fetch_one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of the query, if there is one."""
        return await self._trip(lambda: self._connection.fetchrow(sql, *parameters))

    async def answers(self, sql: str) -> bool:
        """Whether what the query asks for has been created; it may answer with a row itself."""
        failures = self._session.failures
        try:
            row = await self.fetch_one(sql)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not issubclass(rule.error, NotInitializedError):
                raise
            return False
        return row is None or is_true(row)

    async def run_together(self, begin: str, steps: Sequence[Step]) -> None:
        """Run all the steps or none, in one transaction."""
        await self._trip(lambda: self._together(begin, steps))

    async def configure(self, statements: Sequence[str]) -> None:
        """Set what stays set for all; only on a connection opened here."""
        if self._session.opened_here:
            for statement in statements:
                await self.execute(statement)

    async def _together(self, begin: str, steps: Sequence[Step]) -> None:
        connection = self._connection
        self._transaction = True
        await connection.execute(begun(begin, self._remaining()))
        try:
            for step in steps:
                if step.when and not is_true(await connection.fetchrow(step.when)):
                    continue
                if step.check:
                    step.check(await connection.fetchrow(step.sql))
                else:
                    await connection.execute(step.sql)
            await connection.execute("COMMIT")
        except Exception:
            if not is_closed(connection):
                await connection.execute("ROLLBACK")
                self._transaction = False
            raise
        self._transaction = False

    async def _trip(self, send: Callable[[], Awaitable[T]]) -> T:
        """One round trip; once in an operation it is made again, if the failure allows it."""
        try:
            return await self._answer(send)
        except self._session.failures.base as exc:
            if self._repeated or not await self._can_repeat(exc):
                raise
            self._repeated = True
        return await self._answer(send)

    async def _can_repeat(self, exc: BaseException) -> bool:
        """Whether to try once more, for which all is ready then."""
        link, connection = self._link, self._connection
        if isinstance(exc, _PREPARED_FOR_ANOTHER):
            await connection.reload_schema_state()
            return True
        if isinstance(exc, _PREPARED_ELSEWHERE):
            if not await link.stop_preparing(connection):
                await connection.reload_schema_state()
                return True
        else:
            rule = self._session.failures.rule_for(exc)
            if rule is None or not rule.repeat:
                return False
            self._sent = self._sent or rule.may_have_saved
            if not isinstance(exc, _LOST) and not is_closed(connection):
                return True
            if not await link.replace(connection):
                return False
        self._connection, self._transaction = None, False
        await self._take()
        return True

    def _remaining(self) -> float:
        end = self._timeout.when() or 0.0
        return end - asyncio.get_running_loop().time()

    def _check_open(self) -> None:
        if self._session.closed:
            raise self._session.failures.closed(self._name, self._key)

    async def _take(self) -> None:
        self._doing = "no connection could be had"
        self._connection = await self._link.take(self._session.limits)
        await in_utf8(self._connection)
        self._doing = "no answer came"

    async def _answer(self, send: Callable[[], Awaitable[T]]) -> T:
        self._waiting = True
        try:
            answer = await send()
        except (OverflowError, UnicodeDecodeError) as exc:
            self._waiting = False
            raise CorruptStateError(
                f"{about(self._name, self._key)}: Python cannot hold what is stored there ({exc});"
                " another program wrote it"
            ) from exc
        except Exception:
            self._waiting = False
            raise
        self._waiting = False
        return answer

    async def _leave(self, exc: BaseException | None) -> None:
        """Give the connection back; a driver's exception becomes ours."""
        session, ended = self._session, exc
        try:
            await self._give_back()
        except asyncio.CancelledError as stop:
            ended = stop
        try:
            await self._timeout.__aexit__(type(ended) if ended else None, ended, None)
        except TimeoutError:
            if exc is None:
                return  # The answer had come: only giving back took too long.
            sent = self._waiting or self._sent
            raise session.failures.late(
                self._name, self._key, session.limits, doing=self._doing, sent=sent
            ) from exc
        if ended is not None and ended is not exc:
            raise ended
        if exc is not None and session.failures.covers(exc):
            raise session.failures.translate(
                exc,
                operation=self._name,
                key=self._key,
                limits=session.limits,
                sent_before=self._sent,
            ) from exc

    async def _give_back(self) -> None:
        if self._slots is None:
            return
        if self._connection is None:
            self._slots.release()
            return
        await self._link.give_back(
            self._connection, self._slots, unknown=self._waiting, transaction=self._transaction
        )
