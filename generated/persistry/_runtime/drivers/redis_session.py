"""Redis through redis-py: a client with its pool, which threads share."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from queue import Empty
from types import TracebackType
from typing import Any, TypeVar

import redis
import redis.cluster
from redis.exceptions import NoPermissionError, NoScriptError, RedisClusterException, ResponseError

from ...errors import PersisterError
from ..failures import Failures
from ..limits import Deadline, Limits
from ..partitions import AT_ONCE, Commands, Mark, Run, Scan, Steps
from .lua import Script
from .redis_async_session import AsyncRedisSession
from .redis_link import Link
from .redis_timed import CURRENT
from .redis_values import (
    EVICTING,
    TEMPORARY_MS,
    UNUSUAL,
    RedisValues,
    decoded,
    describe_client,
    encoded,
    eval_command,
    evicting_policy,
    is_large,
    last_reply,
    plain,
    sent,
    settings,
    size_limit,
    too_large,
    unreadable,
)
from .slots import Slot

T = TypeVar("T")

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
        self.is_readable = False  # what is stored is of a generation that is known
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

    def open(self, mark: Mark) -> None:
        """Refuse what is of a newer generation; this persister looks once."""
        if not self._session.is_readable:
            self.look(mark)

    def look(self, mark: Mark) -> None:
        """Refuse what is of a newer generation."""
        self.run(mark.checking(self._name, self._key, self._session.failures.place))
        self._session.is_readable = True

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

    def _step(self, step: Run | Commands | Scan) -> Any:
        if isinstance(step, Run):
            rest = (step.arguments, step.value, step.temporary)
            return self.script(step.script, step.keys, *rest)
        if isinstance(step, Scan):
            return self._trip(lambda: self._scan(step))
        return self._trip(lambda: self._send(step))

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
