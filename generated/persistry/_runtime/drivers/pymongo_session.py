"""MongoDB through pymongo's MongoClient: a client with its pool, which threads share."""

from __future__ import annotations

from queue import Empty
from types import TracebackType
from typing import Any, TypeVar

import pymongo
from pymongo.errors import DuplicateKeyError, PyMongoError

from ...errors import PersisterError
from .. import document_steps as steps
from ..arguments import Row
from ..document_format import Format
from ..document_opening import CollectionOpening, Known
from ..documents import Call, Document, Filter, Query, Steps
from ..failures import Failures
from ..limits import Deadline, Limits
from ..migrations import Migration
from .pymongo_link import Link
from .pymongo_values import (
    MongoValues,
    Place,
    check_acknowledged,
    describe_client,
    may_come,
    tries,
    within,
)
from .slots import Slot

T = TypeVar("T")


class PymongoSession:
    """A persister's access to its server; any number of threads may share it."""

    is_here = True
    """Whether it can be used here without taking it away from somebody: by any thread."""

    def __init__(self, link: Link, failures: Failures, limits: Limits) -> None:
        self.failures = failures
        self.limits = limits
        self.closed = False
        self.link = link
        self.place = Place("", "")
        self.known = Known()
        self._left = False
        self._collection: Any = None

    @classmethod
    def opening(cls, failures: Failures, limits: Limits, **values: Any) -> PymongoSession:
        """A session that opens its own client when it is first needed."""
        return cls(Link(MongoValues.checked(**values)), failures, limits)

    @classmethod
    def over(cls, client: Any, failures: Failures, limits: Limits) -> PymongoSession:
        """A session over a client that was handed in; a session is taken as it is."""
        if isinstance(client, cls):
            return client
        if not isinstance(client, pymongo.MongoClient):
            raise TypeError(
                "client must be a pymongo.MongoClient,"
                f" not {type(client).__module__}.{type(client).__name__}"
            )
        check_acknowledged("client", client)
        return cls(Link(None, client), failures, limits)

    def use(self, db_name: object, collection_name: object) -> None:
        """Say which collection the operations are about."""
        self.place = Place.checked(db_name, collection_name)
        self.failures = self.failures.at(self.describe())

    def operation(self, name: str, key: object = "") -> Operation:
        """One operation: `with session.operation("load", key) as do: do.find(...)`."""
        return Operation(self, name, key)

    @property
    def opened_here(self) -> bool:
        return self.link.values is not None

    @property
    def client(self) -> Any:
        """The client; made now if it is not there yet."""
        if self.closed and self.opened_here:
            raise self.failures.closed("connect", "")
        return self.link.ready(self.limits)

    @property
    def collection(self) -> Any:
        return self.collection_of(self.client)

    def collection_of(self, client: Any) -> Any:
        """The collection through this client; it is kept, since making it takes its time."""
        found = self._collection
        if found is None or found.database.client is not client:
            found = self._collection = self.place.of(client)
        return found

    def copy(self) -> PymongoSession:
        """A session of the same values; one over a handed-in client shares it."""
        if self.closed:
            raise self.failures.closed("copy", "")
        twin = PymongoSession(self.link.joined(), self.failures, self.limits)
        twin.place, twin.known = self.place, self.known
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
        link = self.link
        hosts = link.values.describe() if link.values else describe_client(link.client)
        return f"{hosts}/{self.place}"

    def __reduce__(self) -> tuple[Any, ...]:
        values = MongoValues.to_pickle(self, self.link.values)
        return _reopened, (values, self.place, self.failures, self.limits)


def _reopened(
    values: MongoValues, place: Place, failures: Failures, limits: Limits
) -> PymongoSession:
    session = PymongoSession(Link(values), failures, limits)
    session.place = place
    return session


class Operation:
    """One operation of a session: its time, its attempts, and what may be asked of the server."""

    __slots__ = (
        "_collection",
        "_deadline",
        "_key",
        "_name",
        "_repeated",
        "_sent",
        "_session",
        "_slot",
        "_slots",
        "_within",
    )

    def __init__(self, session: PymongoSession, name: str, key: object) -> None:
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
            client = session.link.ready(session.limits, self._name, self._key)
            self._collection = session.collection_of(client)
            self._within = within(max(0.001, self._deadline.remaining()))
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

    def open(self, format: Format) -> None:
        """Refuse a collection of a newer generation; this persister looks once."""
        if not self._session.known.is_readable:
            self._run(self._opening(format).looking())

    def prepare(self, format: Format) -> None:
        """Make the indexes that are not there."""
        self._run(self._opening(format).preparing())

    def prepare_once(self, format: Format) -> None:
        """As `prepare`, if this persister has not seen them before."""
        if self._session.known.is_twofold is None:
            self._run(self._opening(format).preparing_for_a_save())

    def has_all(self, format: Format) -> bool:
        """Whether the indexes are there."""
        return self._run(self._opening(format).asking())

    def is_shared(self, format: Format) -> bool:
        """Whether another library goes on with the collection."""
        return self._run(self._opening(format).asking_whose())

    def pending(self, format: Format) -> list[Migration]:
        """What `prepare` would do to documents that are there already."""
        collection = self._session.place.collection_name
        return self._run(self._opening(format).pending(collection))

    def _opening(self, format: Format) -> CollectionOpening:
        session = self._session
        place = session.failures.place
        return CollectionOpening(format, session.known, self._name, self._key, place)

    def insert(self, document: Document, unless: Filter) -> bool:
        """Whether the document was stored; not if one that fits to `unless` is there."""
        look_first = bool(self._session.known.is_twofold)
        return self._run(steps.inserting(document, unless, look_first))

    def find(self, query: Query, filter: Filter) -> Row | None:
        """The first document."""
        return self._run(steps.finding(query, filter))

    def find_either(self, query: Query, filter: Filter, foreign: Filter) -> Row | None:
        """The first document of ours or of another library, whichever is newer."""
        coll = self._session.place.collection_name
        return self._run(steps.finding_either(query, filter, foreign, coll))

    def newest(self, query: Query, filter: Filter, foreign: Filter, limit: int | None) -> list[str]:
        """The groups of the documents, each once, the newest first."""
        coll = self._session.place.collection_name
        return self._run(steps.listing(query, filter, foreign, limit, coll))

    def distinct(self, query: Query, filter: Filter, limit: int | None) -> list[str]:
        """The texts in a field of the documents, each once, in their order."""
        return self._run(steps.distinct(query, filter, limit))

    def _run(self, steps: Steps[T]) -> T:
        try:
            call = next(steps)
            while True:
                try:
                    answer = self._trip(call)
                except DuplicateKeyError as exc:
                    call = steps.throw(exc)
                else:
                    call = steps.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    def _trip(self, call: Call) -> Any:
        """One round trip; once in an operation it is made again, if the failure allows it."""
        failures = self._session.failures
        try:
            return self._answer(call)
        except failures.base as exc:
            rule = failures.rule_for(exc)
            if rule is None or not rule.repeat or self._repeated:
                raise
            if self._deadline.remaining() <= 0:
                raise
            self._repeated, self._sent = True, self._sent or rule.may_have_saved
        return self._answer(call)

    def _answer(self, call: Call) -> Any:
        if self._deadline.remaining() <= 0:
            raise self._late("it was not done")
        client = self._collection.database.client
        if not client.topology_description.has_writable_server():
            self._within.run(self._find_primary, client)
        return self._within.run(self._ask, call)

    def _ask(self, call: Call) -> Any:
        answer = getattr(self._collection, call.method)(*call.arguments, **call.options)
        return answer.to_list() if call.lists else answer

    def _find_primary(self, client: Any) -> None:
        """Wait for one. The driver would do so until the operation's time is over, even in vain."""
        *first, last = tries(self._session.limits.connect)
        for seconds in first:
            try:
                return _ping(client, seconds)
            except PyMongoError as exc:
                if not may_come(client, exc):
                    raise
        _ping(client, last)

    def _leave(self, exc: BaseException | None) -> None:
        """Give the slot back; a driver's exception becomes ours."""
        slot, self._slot = self._slot, None
        session = self._session
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


def _ping(client: Any, seconds: float) -> None:
    within(seconds).run(client.admin.command, "ping")
