"""One operation on Redis through redis-py: its time, its attempts, and what it may ask."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from queue import Empty
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from redis.exceptions import NoPermissionError, NoScriptError, RedisClusterException, ResponseError

from ...errors import PersisterError
from ..key_generations import Mark
from ..key_requests import AT_ONCE, Call, Commands, Request, Run, RunEach, Scan, ScanOn, Steps
from ..limits import Deadline
from ..migrations import Migration
from .lua import Script
from .redis_timed import CURRENT
from .redis_values import (
    EVICTING,
    TEMPORARY_MS,
    UNUSUAL,
    decoded,
    encoded,
    eval_command,
    evicting_policy,
    is_large,
    last_reply,
    node_cursors,
    of_node,
    plain,
    sent,
    settings,
    size_limit,
    too_large,
    unreadable,
)
from .slots import Slot

if TYPE_CHECKING:
    from .redis_session import RedisSession

T = TypeVar("T")


class Operation:
    """One operation of a session: its time, its attempts, and what may be asked of the server."""

    __slots__ = (
        "_client",
        "_deadline",
        "_key",
        "_name",
        "_repeated",
        "_sent",
        "_session",
        "_slot",
        "_slots",
    )

    def __init__(self, session: RedisSession, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    def __enter__(self) -> Operation:
        session = self._session
        self._deadline = Deadline(session.limits.operation)
        self._repeated = self._sent = False
        self._slot: Slot | None = None
        self._slots = session.link.slots
        try:
            try:
                self._slot = self._slots.get(timeout=session.limits.operation)
            except Empty:
                raise self._late("its turn did not come") from None
            if session.closed:
                raise session.failures.closed(self._name, self._key)
            self._client = session.link.ready(session.limits)
            if session.link.interrupted:
                session.link.renew()
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

    def open(self, mark: Callable[[], Mark]) -> None:
        """Refuse what is of another generation; this persister looks once."""
        if not self._session.is_readable:
            self.run(mark().checking(*self._asked))
            self._session.is_readable = True

    def is_current(self, mark: Callable[[], Mark]) -> bool:
        """Whether nothing has to be carried over; a yes is remembered."""
        if not self._session.is_readable:
            wanted = mark()
            found = self.run(wanted.finding(*self._asked))
            self._session.is_readable = found.generation == wanted.generation
        return self._session.is_readable

    def carry_over(self, mark: Callable[[], Mark]) -> None:
        """Bring what is of an older generation to this one."""
        self.run(mark().migrating(*self._asked))
        self._session.is_readable = True

    def pending(self, mark: Callable[[], Mark]) -> list[Migration]:
        """What `carry_over` would do."""
        return self.run(mark().pending(*self._asked))

    @property
    def _asked(self) -> tuple[str, object, str]:
        return self._name, self._key, self._session.failures.place

    def script(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[str | int],
        value: bytes | None = None,
        temporary: str = "",
    ) -> Any:
        """Run a script; the value is its last argument, or travels under the temporary key."""
        more = [] if value is None else [value]
        put: list[Any] = []
        if value is not None and len(value) > UNUSUAL:
            self._check_size(len(value))
        if value is not None and temporary and is_large(value, self._client):
            put = ["SET", encoded(temporary), value, "PX", TEMPORARY_MS]
            keys, more = [*keys, temporary], [b""]

        def send(by: str) -> Any:
            command = eval_command(by, script, keys, arguments, *more)
            if put:
                return self._transaction(put, command)
            return self._client.execute_command(*command)

        try:
            reply = self._trip(lambda: send("EVALSHA"))
        except NoScriptError:
            reply = self._trip(lambda: send("EVAL"))
        return plain(reply, self._client)

    def get(self, key: str) -> bytes | None:
        """The value of a key."""
        value = self._trip(lambda: self._client.get(encoded(key)))
        found: bytes | None = plain(value, self._client)
        return found

    def newest(self, key: str, limit: int | None) -> list[str]:
        """The members of a sorted set, the highest score first."""
        if limit == 0:
            return []
        last = -1 if limit is None else limit - 1
        members = self._trip(lambda: self._client.zrevrange(encoded(key), 0, last))
        return decoded(plain(members, self._client), self._name, self._key)

    def run(self, steps: Steps[T]) -> T:
        """Carry out an operation step by step."""
        try:
            step = next(steps)
            while True:
                step = steps.send(plain(self._step(step), self._client))
        except UnicodeDecodeError as exc:
            raise unreadable(self._name, self._key) from exc
        except StopIteration as done:
            result: T = done.value
            return result

    def _step(self, step: Request) -> Any:
        if isinstance(step, Run):
            rest = (step.arguments, step.value, step.temporary)
            return self.script(step.script, step.keys, *rest)
        if isinstance(step, RunEach):
            return self._run_each(step)
        if isinstance(step, Scan):
            return self._trip(lambda: self._scan(step))
        if isinstance(step, ScanOn):
            return self._trip(lambda: self._scan_on(step))
        return self._trip(lambda: self._send(step))

    def _run_each(self, step: RunEach) -> list[Any]:
        repeated = self._repeated
        answers: list[Any] = self._trip(lambda: self._pipelined("EVALSHA", step.script, step.calls))
        if self._repeated != repeated:
            return [1] * len(answers)  # What the first ones were, nobody knows: they are run again.
        unknown = [n for n, it in enumerate(answers) if isinstance(it, NoScriptError)]
        if unknown:
            calls = [step.calls[n] for n in unknown]
            again = self._trip(lambda: self._pipelined("EVAL", step.script, calls))
            for n, answer in zip(unknown, again, strict=True):
                answers[n] = answer
        for call, answer in zip(step.calls, answers, strict=True):
            if isinstance(answer, Exception):
                self._key = f"the key {call.keys[0]}"
                raise answer
        return answers

    def _pipelined(self, by: str, script: Script, calls: Sequence[Call]) -> list[Any]:
        """A script for each of these; instead of an answer there may be what the server says."""
        with self._client.pipeline(transaction=False) as pipeline:
            for call in calls:
                pipeline.execute_command(*eval_command(by, script, *call))
            answers: list[Any] = pipeline.execute(raise_on_error=False)
            return answers

    def _send(self, step: Commands) -> list[Any]:
        commands = [sent(words) for words in step.commands]
        if len(commands) == 1 and not step.is_lenient:
            return [self._client.execute_command(*commands[0])]
        with self._client.pipeline(transaction=False) as pipeline:
            for words in commands:
                pipeline.execute_command(*words)
            answers: list[Any] = pipeline.execute(raise_on_error=not step.is_lenient)
            return [None if isinstance(it, ResponseError) else it for it in answers]

    def _scan(self, step: Scan) -> list[Any]:
        kind = {"_type": step.type} if step.type else {}
        found = self._client.scan_iter(match=encoded(step.pattern), count=AT_ONCE, **kind)
        return list(found)

    def _scan_on(self, step: ScanOn) -> tuple[list[Any], dict[str, int]]:
        """One page; of a cluster, that of one node."""
        cursors = dict(node_cursors(self._client) if step.cursors is None else step.cursors)
        name, cursor = cursors.popitem()
        found, keys = self._client.scan(
            cursor,
            match=encoded(step.pattern),
            count=AT_ONCE,
            **of_node(self._client, name),
        )
        if cursor := found[name] if name else found:
            cursors[name] = cursor
        return plain(keys, self._client), cursors

    def warn_if_evicting(self) -> None:
        """Warn if the server may remove saved states; silent if it does not say."""
        policy = evicting_policy(self._settings("maxmemory*"))
        if policy:
            warnings.warn(EVICTING.format(policy), RuntimeWarning, stacklevel=4)

    def _check_size(self, size: int) -> None:
        link = self._session.link
        if link.value_limit is None or size > link.value_limit:  # it can be raised
            link.value_limit = size_limit(self._settings("proto-max-bulk-len"))
        if size > link.value_limit:
            raise too_large(self._name, self._key, size, link.value_limit)

    def _settings(self, pattern: str) -> dict[str, str]:
        try:
            return settings(self._trip(lambda: self._client.config_get(pattern)))
        except (ResponseError, RedisClusterException) as exc:
            if isinstance(exc, NoPermissionError) or self._session.failures.rule_for(exc) is None:
                return {}  # The server does not say.
            raise

    def _transaction(self, *commands: Sequence[Any]) -> Any:
        with self._client.pipeline(transaction=True) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return last_reply(pipeline.execute(raise_on_error=False))

    def _trip(self, send: Callable[[], Any]) -> Any:
        """One round trip; once in an operation it is made again, if the failure allows it."""
        failures = self._session.failures
        try:
            return self._answer(send)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not rule.repeat or self._repeated:
                raise
            self._repeated, self._sent = True, self._sent or rule.may_have_saved
        except UnicodeDecodeError as exc:
            raise unreadable(self._name, self._key) from exc
        return self._answer(send)

    def _answer(self, send: Callable[[], Any]) -> Any:
        if self._deadline.remaining() <= 0:
            raise self._late("it was not done")
        self._sent = self._sent or self._session.link.retries_by_itself
        CURRENT.deadline = self._deadline
        try:
            return send()
        finally:
            CURRENT.deadline = None

    def _leave(self, exc: BaseException | None) -> None:
        """Give the slot back; a driver's exception becomes ours."""
        slot, self._slot = self._slot, None
        session = self._session
        if exc is not None and not isinstance(exc, (PersisterError, session.failures.base)):
            session.link.interrupted = True
        if slot is not None:
            self._slots.put(slot)
        if exc is not None and session.failures.covers(exc):
            raise session.failures.translate(
                exc,
                operation=self._name,
                key=self._key,
                limits=session.limits,
                sent_before=self._sent,
            ) from exc

    def _late(self, doing: str) -> PersisterError:
        session = self._session
        return session.failures.late(
            self._name, self._key, session.limits, doing=doing, sent=self._sent
        )
