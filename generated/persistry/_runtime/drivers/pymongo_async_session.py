"""MongoDB through pymongo's AsyncMongoClient: a client with its pool, which tasks share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

import pymongo
from pymongo.errors import DuplicateKeyError, PyMongoError

from .. import document_steps as steps
from ..arguments import Row
from ..document_format import Format
from ..document_opening import CollectionOpening, Known
from ..documents import Call, Document, Filter, Query, Steps
from ..failures import Failures
from ..limits import Limits
from ..migrations import Migration
from .pymongo_async_link import AsyncLink, of_another_loop
from .pymongo_values import MongoValues, Place, check_acknowledged, describe_client, may_come, tries

T = TypeVar("T")

# Seconds that the driver may take to notice that its time is over.
_GRACE = 0.5


class AsyncPymongoSession:
    """A persister's access to its server; any number of tasks may share it."""

    def __init__(self, link: AsyncLink, failures: Failures, limits: Limits) -> None:
        self.failures = failures
        self.limits = limits
        self.closed = False
        self.link = link
        self.place = Place("", "")
        self.known = Known()
        self._left = False

    @classmethod
    def opening(cls, failures: Failures, limits: Limits, **values: Any) -> AsyncPymongoSession:
        """A session that opens its own client when it is first needed."""
        return cls(AsyncLink(MongoValues.checked(**values)), failures, limits)

    @classmethod
    def over(cls, client: Any, failures: Failures, limits: Limits) -> AsyncPymongoSession:
        """A session over a client that was handed in; a session is taken as it is."""
        if isinstance(client, cls):
            return client
        if not isinstance(client, pymongo.AsyncMongoClient):
            raise TypeError(
                "client must be a pymongo.AsyncMongoClient,"
                f" not {type(client).__module__}.{type(client).__name__}"
            )
        check_acknowledged("client", client)
        return cls(AsyncLink(None, client), failures, limits)

    def use(self, db_name: object, collection_name: object) -> None:
        """Say which collection the operations are about."""
        self.place = Place.checked(db_name, collection_name)
        self.failures = self.failures.at(self.describe())

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `async with session.operation("load", key) as do: await do.find(...)`."""
        return Operation(self, name, key)

    @property
    def is_here(self) -> bool:
        """Whether it is used in the running event loop, and so is not taken there from another."""
        return self.link.is_here

    @property
    def opened_here(self) -> bool:
        return self.link.values is not None

    @property
    def client(self) -> Any:
        """The client of this event loop; None if it is not there yet."""
        return self.link.current

    @property
    def collection(self) -> Any:
        client = self.client
        return None if client is None else self.place.of(client)

    async def open(self) -> None:
        """Make the client now; it connects when it is first used."""
        async with self.operation("connect"):
            pass

    def copy(self) -> AsyncPymongoSession:
        """A session of the same values; one over a handed-in client shares it."""
        if self.closed:
            raise self.failures.closed("copy", "")
        twin = AsyncPymongoSession(self.link.joined(), self.failures, self.limits)
        twin.place, twin.known = self.place, self.known
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
        link = self.link
        hosts = link.values.describe() if link.values else describe_client(link.client)
        return f"{hosts}/{self.place}"

    def __reduce__(self) -> tuple[Any, ...]:
        values = MongoValues.to_pickle(self, self.link.values)
        return _reopened, (values, self.place, self.failures, self.limits)


def _reopened(
    values: MongoValues, place: Place, failures: Failures, limits: Limits
) -> AsyncPymongoSession:
    session = AsyncPymongoSession(AsyncLink(values), failures, limits)
    session.place = place
    return session


class Operation:
    """One operation of a session: its time, its attempts, and what may be asked of the server."""

    __slots__ = (
        "_collection",
        "_driver_timeout",
        "_key",
        "_name",
        "_repeated",
        "_sent",
        "_session",
        "_slots",
        "_timeout",
        "_waiting",
    )

    def __init__(self, session: AsyncPymongoSession, name: str, key: object) -> None:
        self._session = session
        self._name = name
        self._key = key

    async def __aenter__(self) -> Operation:
        session = self._session
        self._repeated = self._sent = self._waiting = False
        self._slots: asyncio.Semaphore | None = None
        self._driver_timeout: AbstractContextManager[None] | None = None
        self._timeout = asyncio.timeout(session.limits.operation)
        await self._timeout.__aenter__()
        try:
            home = await session.link.home(session.limits, self._name, self._key)
            await home.slots.acquire()
            self._slots = home.slots
            if session.closed:
                raise session.failures.closed(self._name, self._key)
            if home.collection is None:
                home.collection = session.place.of(home.client)
            self._collection = home.collection
            # From here on the driver keeps the time: its errors say more. Ours is the last resort.
            end = self._timeout.when() or 0.0
            left = max(0.001, end - asyncio.get_running_loop().time())
            timeout = pymongo.timeout(left)
            timeout.__enter__()
            self._driver_timeout = timeout
            self._timeout.reschedule(end + _GRACE)
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

    async def open(self, format: Format) -> None:
        """Refuse a collection of a newer generation; this persister looks once."""
        if not self._session.known.is_readable:
            await self._run(self._opening(format).looking())

    async def prepare(self, format: Format) -> None:
        """Make the indexes that are not there."""
        await self._run(self._opening(format).preparing())

    async def prepare_once(self, format: Format) -> None:
        """As `prepare`, if this persister has not seen them before."""
        if self._session.known.is_twofold is None:
            await self._run(self._opening(format).preparing_for_a_save())

    async def has_all(self, format: Format) -> bool:
        """Whether the indexes are there."""
        return await self._run(self._opening(format).asking())

    async def is_shared(self, format: Format) -> bool:
        """Whether another library goes on with the collection."""
        return await self._run(self._opening(format).asking_whose())

    async def pending(self, format: Format) -> list[Migration]:
        """What `prepare` would do to documents that are there already."""
        collection = self._session.place.collection_name
        return await self._run(self._opening(format).pending(collection))

    def _opening(self, format: Format) -> CollectionOpening:
        session = self._session
        place = session.failures.place
        return CollectionOpening(format, session.known, self._name, self._key, place)

    async def insert(self, document: Document, unless: Filter) -> bool:
        """Whether the document was stored; not if one that fits to `unless` is there."""
        look_first = bool(self._session.known.is_twofold)
        return await self._run(steps.inserting(document, unless, look_first))

    async def find(self, query: Query, filter: Filter) -> Row | None:
        """The first document."""
        return await self._run(steps.finding(query, filter))

    async def find_either(self, query: Query, filter: Filter, foreign: Filter) -> Row | None:
        """The first document of ours or of another library, whichever is newer."""
        coll = self._session.place.collection_name
        return await self._run(steps.finding_either(query, filter, foreign, coll))

    async def newest(
        self, query: Query, filter: Filter, foreign: Filter, limit: int | None
    ) -> list[str]:
        """The groups of the documents, each once, the newest first."""
        coll = self._session.place.collection_name
        return await self._run(steps.listing(query, filter, foreign, limit, coll))

    async def distinct(self, query: Query, filter: Filter, limit: int | None) -> list[str]:
        """The texts in a field of the documents, each once, in their order."""
        return await self._run(steps.distinct(query, filter, limit))

    async def _run(self, steps: Steps[T]) -> T:
        try:
            call = next(steps)
            while True:
                try:
                    answer = await self._trip(call)
                except DuplicateKeyError as exc:
                    call = steps.throw(exc)
                else:
                    call = steps.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    async def _trip(self, call: Call) -> Any:
        """One round trip; once in an operation it is made again, if the failure allows it."""
        failures = self._session.failures
        try:
            return await self._answer(call)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not rule.repeat or self._repeated:
                raise
            self._repeated, self._sent = True, self._sent or rule.may_have_saved
        return await self._answer(call)

    async def _answer(self, call: Call) -> Any:
        client = self._collection.database.client
        if not client.topology_description.has_writable_server():
            await self._find_primary(client)
        self._waiting = True
        try:
            answer = getattr(self._collection, call.method)(*call.arguments, **call.options)
            if isinstance(answer, Awaitable):  # all but `find`, which gives its cursor at once
                answer = await answer
            answer = await answer.to_list() if call.lists else answer
        except asyncio.CancelledError:
            raise  # It was still waiting.
        except BaseException:
            self._waiting = False
            raise
        self._waiting = False
        return answer

    async def _find_primary(self, client: Any) -> None:
        """Wait for one. The driver would do so until the operation's time is over, even in vain."""
        *first, last = tries(self._session.limits.connect)
        for seconds in first:
            try:
                return await _ping(client, seconds)
            except PyMongoError as exc:
                if not may_come(client, exc):
                    raise
        await _ping(client, last)

    async def _leave(self, exc: BaseException | None) -> None:
        """Give the slot back; a driver's exception becomes ours."""
        session = self._session
        if self._driver_timeout is not None:
            self._driver_timeout.__exit__(None, None, None)
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
        if isinstance(exc, RuntimeError) and "different event loop" in str(exc):
            raise of_another_loop(self._name, self._key) from exc
        if exc is not None and session.failures.covers(exc):
            raise session.failures.translate(
                exc,
                operation=self._name,
                key=self._key,
                limits=session.limits,
                sent_before=self._sent,
            ) from exc


async def _ping(client: Any, seconds: float) -> None:
    with pymongo.timeout(seconds):
        await client.admin.command("ping")
