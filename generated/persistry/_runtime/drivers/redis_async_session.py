"""Redis through redis.asyncio: a client with its pool, which tasks share."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

import redis.asyncio
import redis.asyncio.cluster
from redis.exceptions import NoPermissionError, NoScriptError, RedisClusterException, ResponseError

from ..failures import Failures
from ..limits import Limits
from ..partitions import AT_ONCE, Commands, Mark, Run, Scan, Steps
from .lua import Script
from .redis_async_link import AsyncLink
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

T = TypeVar("T")


class AsyncRedisSession:
    """A persister's access to its server; any number of tasks may share it."""

    def __init__(self, link: AsyncLink, failures: Failures, limits: Limits) -> None:
        self.failures = failures.at(
            link.values.describe() if link.values else describe_client(link.client)
        )
        self.limits = limits
        self.closed = False
        self.link = link
        self.is_readable = False  # what is stored is of a generation that is known
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


class Operation:
    """One operation of a session: its time, its attempts, and what may be asked of the server."""

    __slots__ = (
        "_client",
        "_key",
        "_name",
        "_repeated",
        "_sent",
        "_session",
        "_slots",
        "_timeout",
        "_waiting",
    )

    def __init__(self, session: AsyncRedisSession, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    async def __aenter__(self) -> Operation:
        session = self._session
        self._repeated = self._sent = self._waiting = False
        self._slots: asyncio.Semaphore | None = None
        self._timeout = asyncio.timeout(session.limits.operation)
        await self._timeout.__aenter__()
        try:
            home = await session.link.home(session.limits, self._name, self._key)
            await home.slots.acquire()
            self._slots, self._client = home.slots, home.client
            if session.closed:
                raise session.failures.closed(self._name, self._key)
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

    async def open(self, mark: Mark) -> None:
        """Refuse what is of a newer generation; this persister looks once."""
        if not self._session.is_readable:
            await self.look(mark)

    async def look(self, mark: Mark) -> None:
        """Refuse what is of a newer generation."""
        await self.run(mark.checking(self._name, self._key, self._session.failures.place))
        self._session.is_readable = True

    async def script(
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
            await self._check_size(len(value))
        if value is not None and temporary and is_large(value, self._client):
            put = ["SET", encoded(temporary), value, "PX", TEMPORARY_MS]
            keys, more = [*keys, temporary], [b""]

        async def send(by: str) -> Any:
            command = eval_command(by, script, keys, arguments, *more)
            if put:
                return await self._transaction(put, command)
            return await self._client.execute_command(*command)

        try:
            reply = await self._trip(lambda: send("EVALSHA"))
        except NoScriptError:
            reply = await self._trip(lambda: send("EVAL"))
        return plain(reply, self._client)

    async def get(self, key: str) -> bytes | None:
        """The value of a key."""
        value = await self._trip(lambda: self._client.get(encoded(key)))
        found: bytes | None = plain(value, self._client)
        return found

    async def newest(self, key: str, limit: int | None) -> list[str]:
        """The members of a sorted set, the highest score first."""
        if limit == 0:
            return []
        last = -1 if limit is None else limit - 1
        members = await self._trip(lambda: self._client.zrevrange(encoded(key), 0, last))
        return decoded(plain(members, self._client), self._name, self._key)

    async def run(self, steps: Steps[T]) -> T:
        """Carry out an operation step by step."""
        try:
            step = next(steps)
            while True:
                step = steps.send(plain(await self._step(step), self._client))
        except UnicodeDecodeError as exc:
            raise unreadable(self._name, self._key) from exc
        except StopIteration as done:
            result: T = done.value
            return result

    async def _step(self, step: Run | Commands | Scan) -> Any:
        if isinstance(step, Run):
            rest = (step.arguments, step.value, step.temporary)
            return await self.script(step.script, step.keys, *rest)
        if isinstance(step, Scan):
            return await self._trip(lambda: self._scan(step))
        return await self._trip(lambda: self._send(step))

    async def _send(self, step: Commands) -> list[Any]:
        commands = [sent(words) for words in step.commands]
        if len(commands) == 1 and not step.is_lenient:
            return [await self._client.execute_command(*commands[0])]
        async with self._client.pipeline(transaction=False) as pipeline:
            for words in commands:
                pipeline.execute_command(*words)
            answers: list[Any] = await pipeline.execute(raise_on_error=not step.is_lenient)
            return [None if isinstance(it, ResponseError) else it for it in answers]

    async def _scan(self, step: Scan) -> list[Any]:
        kind = {"_type": step.type} if step.type else {}
        found = self._client.scan_iter(match=encoded(step.pattern), count=AT_ONCE, **kind)
        return [key async for key in found]

    async def warn_if_evicting(self) -> None:
        """Warn if the server may remove saved states; silent if it does not say."""
        policy = evicting_policy(await self._settings("maxmemory*"))
        if policy:
            warnings.warn(EVICTING.format(policy), RuntimeWarning, stacklevel=4)

    async def _check_size(self, size: int) -> None:
        link = self._session.link
        if link.value_limit is None or size > link.value_limit:  # it can be raised
            link.value_limit = size_limit(await self._settings("proto-max-bulk-len"))
        if size > link.value_limit:
            raise too_large(self._name, self._key, size, link.value_limit)

    async def _settings(self, pattern: str) -> dict[str, str]:
        try:
            return settings(await self._trip(lambda: self._client.config_get(pattern)))
        except (ResponseError, RedisClusterException) as exc:
            if isinstance(exc, NoPermissionError) or self._session.failures.rule_for(exc) is None:
                return {}  # The server does not say.
            raise

    async def _transaction(self, *commands: Sequence[Any]) -> Any:
        async with self._client.pipeline(transaction=True) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            return last_reply(await pipeline.execute(raise_on_error=False))

    async def _trip(self, send: Callable[[], Awaitable[Any]]) -> Any:
        """One round trip; once in an operation it is made again, if the failure allows it."""
        failures = self._session.failures
        try:
            return await self._answer(send)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not rule.repeat or self._repeated:
                raise
            self._repeated, self._sent = True, self._sent or rule.may_have_saved
        except UnicodeDecodeError as exc:
            raise unreadable(self._name, self._key) from exc
        return await self._answer(send)

    async def _answer(self, send: Callable[[], Awaitable[Any]]) -> Any:
        self._sent = self._sent or self._session.link.retries_by_itself
        self._waiting = True
        try:
            answer = await send()
        except asyncio.CancelledError:
            raise  # It was still waiting.
        except BaseException:
            self._waiting = False
            raise
        self._waiting = False
        return answer

    async def _leave(self, exc: BaseException | None) -> None:
        """Give the slot back; a driver's exception becomes ours."""
        session = self._session
        if self._slots is not None:
            self._slots.release()
        try:
            await self._timeout.__aexit__(type(exc) if exc else None, exc, None)
        except TimeoutError:
            doing = "no answer came" if self._waiting else "its turn did not come"
            sent = self._waiting or self._sent
            raise session.failures.late(
                self._name, self._key, session.limits, doing=doing, sent=sent
            ) from exc
        if exc is not None and session.failures.covers(exc):
            raise session.failures.translate(
                exc,
                operation=self._name,
                key=self._key,
                limits=session.limits,
                sent_before=self._sent,
            ) from exc
