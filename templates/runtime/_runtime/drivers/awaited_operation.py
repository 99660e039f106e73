"""One operation over a driver that mirrors PEP 249 with awaitables: its turn, time, attempts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ...errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
)
from ..failures import about
from ..limits import Deadline
from ..steps import Step, begun, is_true
from .awaited_calls import all_rows, execute, is_closed, settled
from .awaited_pool import Pool, Turn
from .awaited_trip import run

if TYPE_CHECKING:
    from .awaited_session import AwaitedSession

Result = TypeVar("Result")
Work = Callable[[Any, Any], Coroutine[Any, Any, Result]]


class Operation:
    """One operation of a session: its turn, its time, its attempts, and what may be asked."""

    __slots__ = (
        "_can_go_on",
        "_connecting",
        "_deadline",
        "_key",
        "_name",
        "_pool",
        "_repeated",
        "_sent",
        "_session",
        "_transaction",
        "_turn",
    )

    def __init__(self, session: AwaitedSession, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    async def __aenter__(self) -> Self:
        session = self._session
        self._deadline = Deadline(session.limits.operation)
        self._turn: Turn | None = None
        self._connecting = self._repeated = self._sent = self._transaction = False
        self._check_open()
        self._pool: Pool = session.link_here()
        await self._pool.enter(self._name, self._key)
        try:
            self._turn = await self._pool.turn(self._deadline)
        except TimeoutError:
            raise self._late("its turn did not come") from None
        try:
            self._check_open()
        except BaseException as exc:
            self._leave(exc)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(exc)

    async def connect(self) -> None:
        """Have a connection now."""

        async def work(connection: Any, cursor: Any) -> None: ...

        await self._trip(work)

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; when this returns it is committed. The number of rows it changed."""

        async def work(connection: Any, cursor: Any) -> int:
            await execute(cursor, sql, parameters)
            if cursor.rowcount < 0:
                # Not known, as in libpq's pipelines: perhaps it has not even been sent.
                await settled(connection.commit())
            changed: int = cursor.rowcount
            return max(0, changed)

        try:
            return await self._trip(work)
        except self._session.failures.base as exc:
            if not self._session.failures.is_conflict(exc):
                raise
            return 0

    async def fetch_all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the query."""

        async def work(connection: Any, cursor: Any) -> list[tuple[Any, ...]]:
            await execute(cursor, sql, parameters)
            return await self._rows(cursor)

        return await self._trip(work)

    async def fetch_one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of the query, if there is one."""
        return next(iter(await self.fetch_all(sql, parameters)), None)

    async def answers(self, sql: str) -> bool:
        """Whether the query works; False if what it asks for has not been created, or it says so.

        It says so with a row whose first column is false.
        """
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
        """Run all the steps that are wanted, or none: one transaction."""

        async def work(connection: Any, cursor: Any) -> None:
            self._transaction = True
            await execute(cursor, begun(begin, self._deadline.remaining()))
            try:
                for step in steps:
                    self._check_time()
                    if step.when:
                        await execute(cursor, step.when)
                        if not is_true(next(iter(await self._rows(cursor)), None)):
                            continue
                    await execute(cursor, step.sql)
                    if step.check:
                        step.check(next(iter(await self._rows(cursor)), None))
                self._check_time()
                await settled(connection.commit())
            except Exception:
                with contextlib.suppress(Exception):  # The failure itself is reported.
                    await settled(connection.rollback())
                raise
            self._transaction = False

        await self._trip(work)

    async def configure(self, statements: Sequence[str]) -> None:
        """Set the store's modes; not through a connection handed in.

        Where somebody else is using the store, or it may not be written, they stay as they are: the
        next `initialize()` sets them, and that nothing can be written is told by what has to write.
        """
        failures = self._session.failures
        for statement in statements if self._session.opened_here else ():
            try:
                await self.execute(statement)
            except failures.base as exc:
                if not failures.stands_in_the_way(exc):
                    raise

    async def _rows(self, cursor: Any) -> list[tuple[Any, ...]]:
        try:
            return await all_rows(cursor)
        except (ValueError, OverflowError, TypeError) as exc:
            raise self._unsuited(exc) from exc

    async def _trip(self, work: Work[Result]) -> Result:
        """Have the server do something; once in an operation again, if the failure allows it."""
        try:
            return await self._in_time(self._attempt(work))
        except self._session.failures.base as exc:
            if not self._may_repeat(exc):
                raise
        return await self._in_time(self._attempt(work))

    async def _in_time(self, attempt: Coroutine[Any, Any, Result]) -> Result:
        turn = self._turn
        assert turn is not None
        task = await run(self._pool, turn, attempt, self._deadline, self._session.limits)
        if not task.done():
            opening = self._connecting and self._session.opened_here
            doing = "there was no connection" if opening else "the server did not answer"
            raise self._late(doing, sent=not self._connecting)
        try:
            return task.result()
        except BaseException as exc:
            closed = turn.line is not None and is_closed(turn.line.connection)
            self._settle(turn, exc)
            known = not isinstance(exc, Exception) or isinstance(exc, PersisterError)
            if closed and not known and not self._session.failures.covers(exc):
                # Drivers trip over their own remains, where somebody closes what is being used.
                raise PersisterUnavailableError(
                    f"{about(self._name, self._key)}: the connection was closed while it was used",
                    may_have_saved=self._name == "save" and (self._sent or not self._connecting),
                ) from exc
            raise

    async def _attempt(self, work: Work[Result]) -> Result:
        turn, limits = self._turn, self._session.limits
        assert turn is not None
        line = turn.line
        if line is None:
            self._connecting = True
            if self._pool.was_closed:
                told = f"{about(self._name, self._key)}: the connection that was handed in"
                raise PersisterClosedError(f"{told} has been closed")
            await self._pool.enter(self._name, self._key)
            line = await self._pool.line(turn, limits)
            if line is None:
                raise self._late("there was no connection", limit="connect_timeout")
            self._connecting = False
        connection = line.connection
        try:
            self._check_time()
            cursor = await settled(connection.cursor())
            if not self._pool.suits:
                await execute(cursor, self._pool.facts.suits)
                self._pool.suits = self._is_suited(next(iter(await self._rows(cursor)), None))
            result = await work(connection, cursor)
            if line.commits:
                await settled(connection.commit())
        except (UnicodeError, OverflowError) as exc:
            if self._session.failures.covers(exc):
                raise
            raise self._unsuited(exc) from exc
        except Exception:
            if line.commits:
                with contextlib.suppress(Exception):  # The failure itself is reported.
                    await settled(connection.rollback())
            raise
        await settled(cursor.close())
        return result

    def _is_suited(self, answer: tuple[Any, ...] | None) -> bool:
        if is_true(answer):
            return True
        raise PersisterError(
            f"{about(self._name, self._key)}: the connection that was handed in does not suit;"
            f" {self._pool.facts.advice}"
        )

    def _settle(self, turn: Turn, exc: BaseException) -> None:
        """After a failure: keep the connection only if it is known to be as it was."""
        failures, sound, lost = self._session.failures, False, False
        if failures.covers(exc):
            rule = failures.rule_for(exc)
            lost = rule is not None and rule.may_have_saved
            sound = not lost and (rule is not None or failures.is_conflict(exc))
        sound = sound and not self._transaction and not turn.asked
        self._can_go_on = not turn.abandoned and self._pool.settle(turn, sound=sound, lost=lost)

    def _may_repeat(self, exc: BaseException) -> bool:
        """After a failure: whether to try again."""
        failures = self._session.failures
        rule = failures.rule_for(exc) if failures.covers(exc) else None
        if rule is None or not rule.repeat or self._repeated or self._connecting:
            return False
        self._repeated, self._sent = True, self._sent or rule.may_have_saved
        self._transaction = False
        return self._can_go_on

    def _check_open(self) -> None:
        if self._session.closed:
            raise self._session.failures.closed(self._name, self._key)

    def _check_time(self) -> None:
        turn = self._turn
        if turn is None or turn.abandoned or self._deadline.remaining() <= 0:
            raise self._late("it was not done")

    def _leave(self, exc: BaseException | None) -> None:
        """Give the turn on; a driver's exception becomes ours."""
        session = self._session
        turn, self._turn = self._turn, None
        if turn is not None:
            self._pool.give_back(turn)
        if exc is None or not session.failures.covers(exc):
            return
        error = session.failures.translate(
            exc,
            operation=self._name,
            key=self._key,
            limits=session.limits,
            sent_before=self._sent,
        )
        if isinstance(error, PersisterUnavailableError):
            if self._connecting:
                # Whatever the driver says of a lost connection: on this one nothing was sent.
                error.may_have_saved = self._sent and self._name == "save"
            elif turn is not None and turn.asked and not error.may_have_saved:
                error = self._late("the server did not finish it")
        raise error from exc

    def _unsuited(self, exc: Exception) -> PersisterError:
        """A text or another value that cannot travel."""
        if isinstance(exc, UnicodeEncodeError):
            return PersisterError(
                f"{about(self._name, self._key)}: the connection's encoding cannot carry this text;"
                " use one that is opened for UTF-8"
            )
        return CorruptStateError(
            f"{about(self._name, self._key)}: what is stored there cannot be read"
            f" ({type(exc).__name__}: {exc}); another program wrote it"
        )

    def _late(
        self, doing: str, *, sent: bool = False, limit: str = "operation_timeout"
    ) -> PersisterError:
        session = self._session
        return session.failures.late(
            self._name,
            self._key,
            session.limits,
            doing=doing,
            sent=sent or self._sent,
            limit=limit,
        )
