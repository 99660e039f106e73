"""One operation over a PEP 249 driver: its turn, its time, its attempts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
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
from .pep249_caller import Late
from .pep249_driver import arguments_of
from .pep249_line import Line
from .pep249_turns import Turn
from .pep249_watch import Watch, watchdog

if TYPE_CHECKING:
    from .pep249_session import Pep249Session

Result = TypeVar("Result")


class Operation:
    """One operation of a session: its turn, its time, its attempts, and what may be asked."""

    __slots__ = (
        "_connecting",
        "_deadline",
        "_key",
        "_line",
        "_name",
        "_pool",
        "_repeated",
        "_sent",
        "_session",
        "_stuck",
        "_turn",
        "_turns",
        "_watch",
    )

    def __init__(self, session: Pep249Session, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    def __enter__(self) -> Self:
        session = self._session
        self._deadline = Deadline(session.limits.operation)
        self._pool = session.pool
        self._turn: Turn | None = None
        self._line: Line | None = None
        self._watch: Watch | None = None
        self._connecting = self._repeated = self._sent = self._stuck = False
        try:
            self._turns = self._pool.turns
            self._turn = self._turns.take(self._deadline.remaining)
            if self._turn is None:
                raise self._late("its turn did not come")
            if session.closed:
                raise session.failures.closed(self._name, self._key)
        except BaseException as exc:
            self._leave(exc)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(exc)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement; when this returns it is committed. The number of rows it changed."""
        failures = self._session.failures

        def run(cursor: Any) -> int:
            try:
                cursor.execute(*arguments_of(sql, parameters))
            except failures.base as exc:
                if failures.is_conflict(exc):
                    return 0
                raise
            if cursor.rowcount < 0 and self._line is not None:
                # Not known, as in libpq's pipelines: perhaps it has not even been sent.
                self._line.connection.commit()
            changed: int = cursor.rowcount
            return max(0, changed)

        return self._trip(run)

    def fetch_all(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the query."""

        def run(cursor: Any) -> list[tuple[Any, ...]]:
            cursor.execute(*arguments_of(sql, parameters))
            return self._rows(cursor)

        return self._trip(run)

    def fetch_one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of the query, if there is one."""
        found = self.fetch_all(sql, parameters)
        return found[0] if found else None

    def answers(self, sql: str) -> bool:
        """Whether the query works; False if what it asks for has not been created, or it says so.

        It says so with a row whose first column is false.
        """
        failures = self._session.failures
        try:
            row = self.fetch_one(sql)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not issubclass(rule.error, NotInitializedError):
                raise
            return False
        return row is None or is_true(row)

    def run_together(self, begin: str, steps: Sequence[Step]) -> None:
        """Run all the steps that are wanted, or none: one transaction."""
        driver = self._pool.driver

        def run(cursor: Any) -> None:
            cursor.execute(begun(begin, self._deadline.remaining()))
            for step in steps:
                self._in_time()
                if step.when:
                    cursor.execute(step.when)
                    if not is_true(next(iter(self._rows(cursor)), None)):
                        continue
                cursor.execute(step.sql)
                if step.check:
                    step.check(next(iter(self._rows(cursor)), None))
            self._in_time()
            line = self._line
            if line is not None and driver.commits_itself(line.connection):
                cursor.execute("COMMIT")

        self._trip(run)

    def configure(self, statements: Sequence[str]) -> None:
        """Set the store's modes; not through a connection handed in.

        Where somebody else is using the store, or it may not be written, they stay as they are: the
        next `initialize()` sets them, and that nothing can be written is told by what has to write.
        """
        failures = self._session.failures
        for statement in statements if self._session.opened_here else ():
            try:
                self.execute(statement)
            except failures.base as exc:
                if not failures.stands_in_the_way(exc):
                    raise

    def users_connection(self) -> Any:
        """A connection for what a session does not offer."""
        limits, left = self._session.limits, self._deadline.remaining()
        self._connecting = True
        connection = self._pool.users(limits, min(limits.connect, left))
        if connection is None:
            raise self._not_connected(left)
        return connection

    def _rows(self, cursor: Any) -> list[tuple[Any, ...]]:
        try:
            return self._pool.driver.rows(cursor)
        except (ValueError, OverflowError, TypeError) as exc:
            raise CorruptStateError(
                f"{about(self._name, self._key)}: what is stored there cannot be read"
                f" ({type(exc).__name__}: {exc}); another program wrote it"
            ) from exc

    def _trip(self, run: Callable[[Any], Result]) -> Result:
        """Have the server do something; once in an operation again, if the failure allows it."""
        failures = self._session.failures
        try:
            return self._attempt(run)
        except failures.base as exc:
            if not self._may_repeat(exc):
                raise
        return self._attempt(run)

    def _attempt(self, run: Callable[[Any], Result]) -> Result:
        line = self._line or self._connected()
        left = self._in_time()
        if line.inherited:
            raise PersisterError(
                f"{about(self._name, self._key)}: this process was forked in the middle of the"
                " operation, and the connection belongs to its parent; begin anew"
            )
        try:
            return line.run(lambda: self._on_cursor(run, line.connection), left)
        except Late:
            self._stuck = True
            raise self._late("the server did not answer", sent=True) from None

    def _on_cursor(self, run: Callable[[Any], Result], connection: Any) -> Result:
        driver = self._pool.driver
        cursor = driver.cursor(connection)
        try:
            if not self._pool.suits:
                cursor.execute(driver.facts.suits)
                self._pool.suits = self._is_suited(next(iter(self._rows(cursor)), None))
            result = run(cursor)
            if not driver.commits_itself(connection):
                connection.commit()
        except BaseException:
            with contextlib.suppress(Exception):  # The failure itself is reported.
                cursor.close()
            raise
        cursor.close()
        return result

    def _is_suited(self, answer: tuple[Any, ...] | None) -> bool:
        if is_true(answer):
            return True
        raise PersisterError(
            f"{about(self._name, self._key)}: the connection that was handed in does not suit;"
            f" {self._pool.driver.facts.advice}"
        )

    def _connected(self) -> Line:
        turn, pool, limits = self._turn, self._pool, self._session.limits
        assert turn is not None
        left = self._deadline.remaining()
        if pool.is_gone:
            raise PersisterClosedError(
                f"{about(self._name, self._key)}: the connection that was handed in is closed or"
                " lost; build another persister"
            )
        self._connecting = True
        line = pool.line(turn, limits, min(limits.connect, left))
        if line is None:
            raise self._not_connected(left)
        self._connecting = False
        if line.can_be_ended:
            self._watch = watchdog.begin(line, self._deadline.remaining())
        try:
            pool.ready(line, self._deadline.remaining())
        except Late:
            self._stuck = True
            raise self._late("the server did not answer") from None
        self._line = line
        return line

    def _may_repeat(self, exc: BaseException) -> bool:
        """After a failure: whether to try again, and then with what."""
        rule = self._session.failures.rule_for(exc)
        turn, line, watch = self._turn, self._line, self._watch
        if turn is None or line is None or (watch and watch.touched):
            return False
        self._settle(turn, exc)
        if rule is None or not rule.repeat or self._repeated:
            return False
        if turn.line is None:  # The connection was lost, and another one can be opened.
            self._unwatch()
            self._line = None
        elif self._pool.driver.is_broken(line.connection):
            return False
        self._repeated, self._sent = True, self._sent or rule.may_have_saved
        return True

    def _unwatch(self) -> bool:
        watch, self._watch = self._watch, None
        return watch is None or watchdog.end(watch)

    def _in_time(self) -> float:
        left = self._deadline.remaining()
        if left <= 0:
            raise self._late("it was not done")
        return left

    def _leave(self, exc: BaseException | None) -> None:
        """Give the turn on, with nothing left open; a driver's exception becomes ours."""
        session, watch = self._session, self._watch
        turn, self._turn = self._turn, None
        if turn is not None and not (turn.line and turn.line.inherited):
            if exc is not None:
                self._settle(turn, exc)
            if not self._unwatch() and watch is not None:
                watch.line.wait_for_request(self._deadline.remaining())
                self._pool.settle(turn, 0.0, idle=False, sound=False)
            self._turns.give(turn)
        if exc is not None and session.failures.covers(exc):
            raise self._told(exc, watch) from exc

    def _settle(self, turn: Turn, exc: BaseException) -> None:
        failures = self._session.failures
        idle, sound, lost = isinstance(exc, PersisterError) and not self._stuck, True, False
        if not idle and isinstance(exc, failures.base) and not self._stuck:
            rule = failures.rule_for(exc)
            idle, sound = True, rule is not None and not rule.may_have_saved
            lost = rule is not None and rule.may_have_saved and rule.repeat
        self._pool.settle(turn, self._deadline.remaining(), idle=idle, sound=sound, lost=lost)

    def _told(self, exc: BaseException, watch: Watch | None) -> PersisterError:
        session = self._session
        if watch is not None and watch.shut:
            return self._late("the server did not answer", sent=True)
        error = session.failures.translate(
            exc,
            operation=self._name,
            key=self._key,
            limits=session.limits,
            sent_before=self._sent,
        )
        given_up = isinstance(error, PersisterUnavailableError) and not error.may_have_saved
        if watch is not None and watch.asked and given_up:
            return self._late("the server did not finish it")
        if self._connecting and isinstance(error, PersisterUnavailableError):
            # Whatever the driver says of a lost connection: on this one nothing was sent.
            error.may_have_saved = self._sent and self._name == "save"
        return error

    def _not_connected(self, left: float) -> PersisterError:
        limit = "connect" if self._session.limits.connect <= left else "operation"
        return self._late("there was no connection", limit=f"{limit}_timeout")

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
