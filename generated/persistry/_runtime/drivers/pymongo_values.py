"""What a MongoDB client is opened with, and what both colours know of a collection."""

from __future__ import annotations

import errno
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pymongo
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference
from pymongo.errors import PyMongoError
from pymongo.uri_parser import split_options

from ..arguments import stored_text
from ..limits import Limits

# How many operations run at the same time; more wait. Each needs a connection of the pool, which
# has as many by default.
AT_ONCE = 100

# Seconds in which the driver surely looks at a server anew: it does so twice a second at most.
_LOOK = 0.75

# How a host that takes no connection, or not this user, shows in what the driver says of it.
_REFUSED = (f"{errno.ECONNREFUSED}]", "authentication failed")

# Seconds that a server may take to hear that a client goes; a frozen one would keep it for ever.
FAREWELL = 1.0

# What an acknowledged save survives, unless the user says otherwise.
_DURABLE = {"w": "majority", "journal": True}
_CONCERN = {"w", "journal", "j", "fsync"}

# What is read must not depend on how a client that was handed in converts types.
_PLAIN: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict, unicode_decode_error_handler="strict"
)


def within(seconds: float) -> Context:
    """A context in which the driver's calls end in time: its `run` makes them.

    The driver keeps the limit in the context of its caller. An exception that a signal handler
    raises just before it is taken back would leave it there for all that comes later in the
    thread; a context of its own is dropped.
    """
    context = copy_context()
    context.run(pymongo.timeout(seconds).__enter__)
    return context


class Place(NamedTuple):
    """Where the records are: a database and a collection in it."""

    db_name: str
    collection_name: str

    @classmethod
    def checked(cls, db_name: object, collection_name: object) -> Place:
        db = stored_text("db_name", db_name)
        if not db or set(db) & set(' ."$*<>:|?/\\') or len(db.encode()) > 63:
            raise ValueError(
                "db_name must have 1 to 63 bytes, without spaces and any of"
                f' . " $ * < > : | ? / \\, not {db!r}'
            )
        name = stored_text("collection_name", collection_name)
        edges = name[:1] == "." or name[-1:] == "."
        if not name or "$" in name or ".." in name or edges or name.startswith("system."):
            raise ValueError(
                "collection_name must not be empty, hold a $ or an empty part between dots, or"
                f" begin with system., not {name!r}"
            )
        return cls(db, name)

    def of(self, client: Any) -> Any:
        """The collection, read from the primary and as plain types."""
        return client.get_database(self.db_name).get_collection(
            self.collection_name, codec_options=_PLAIN, read_preference=ReadPreference.PRIMARY
        )

    def __str__(self) -> str:
        return f"{self.db_name}.{self.collection_name}"


@dataclass(frozen=True)
class MongoValues:
    """A server's URI and the client's keyword arguments."""

    uri: str = field(repr=False)
    mongo_client_kwargs: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def checked(cls, *, uri: str, mongo_client_kwargs: dict[str, Any] | None = None) -> MongoValues:
        if not isinstance(uri, str):
            raise TypeError(f"uri must be a str, not {type(uri).__name__}")
        if not uri.startswith(("mongodb://", "mongodb+srv://")):
            # Not the text itself: there may be a password in it.
            raise ValueError("uri must begin with mongodb:// or mongodb+srv://")
        if mongo_client_kwargs is not None and not isinstance(mongo_client_kwargs, dict):
            raise TypeError(
                "mongo_client_kwargs must be a dict or None,"
                f" not {type(mongo_client_kwargs).__name__}"
            )
        values = cls(uri, dict(mongo_client_kwargs or {}))
        values._check()
        return values

    def _check(self) -> None:
        """What the driver refuses is refused now, not at the first operation."""
        options = self.uri.partition("?")[2]
        try:
            if options:
                split_options(options)
        except (PyMongoError, ValueError, TypeError) as error:
            raise ValueError(f"uri has options that cannot be used: {error}") from None
        arguments: dict[str, Any] = {**self.mongo_client_kwargs, "connect": False}
        try:
            client: MongoClient[Any] = MongoClient(self.uri, **arguments)
        except (PyMongoError, ValueError, TypeError) as error:
            self._check_uri()
            raise ValueError(f"mongo_client_kwargs cannot be used: {error}") from None
        client.close()
        check_acknowledged("uri or mongo_client_kwargs", client)

    def _check_uri(self) -> None:
        try:
            MongoClient(self.uri, connect=False).close()
        except (PyMongoError, ValueError, TypeError):
            # Without the reason: it may quote the place where a password stands.
            raise ValueError(
                "uri cannot be read; write it like mongodb://user:password@host:27017/, special"
                " characters in user and password as %xx"
            ) from None

    def arguments(self, limits: Limits) -> dict[str, Any]:
        """Keyword arguments for the client; what the user said comes first."""
        said = {name.lower() for name in self.mongo_client_kwargs}
        options = self.uri.partition("?")[2]
        said |= {name.lower() for name in split_options(options)} if options else set()
        ours: dict[str, Any] = {} if said & _CONCERN else dict(_DURABLE)
        if "connecttimeoutms" not in said:
            ours["connectTimeoutMS"] = max(1, int(limits.connect * 1000))
        # We repeat ourselves, once; the driver would go on until the operation's time is over.
        for name in ("retryReads", "retryWrites"):
            if name.lower() not in said:
                ours[name] = False
        return ours | self.mongo_client_kwargs

    def describe(self) -> str:
        """The hosts."""
        place = self.uri.partition("://")[2].partition("?")[0]
        return place.rpartition("@")[2].partition("/")[0]

    @staticmethod
    def to_pickle(session: object, values: MongoValues | None) -> MongoValues:
        """The values for the pickle of a session, if it can be opened anew from them."""
        if values is None:
            raise TypeError(
                f"{type(session).__name__} over a client that was handed in cannot be pickled:"
                " build the persister with from_values()"
            )
        return values


def tries(seconds: float) -> tuple[float, ...]:
    """How long to look for a primary, and how long to go on if one may still come."""
    return (_LOOK, seconds - _LOOK) if seconds > _LOOK else (seconds,)


def may_come(client: Any, exc: PyMongoError) -> bool:
    """Whether waiting longer for a primary makes sense: not if every host refuses us."""
    hosts = client.topology_description.server_descriptions().values()
    told = (str(host.error).lower() for host in hosts)
    return exc.timeout and not all(any(it in text for it in _REFUSED) for text in told)


def check_acknowledged(what: str, client: Any) -> None:
    """Without an answer, a save could neither be known to be stored nor be refused."""
    if not client.write_concern.acknowledged:
        raise ValueError(f"{what}: w=0 asks for no answer to a save; use w=1 or more, or majority")


def describe_client(client: Any) -> str:
    """Where a client that was handed in goes to, as far as it says; never its password."""
    seeds = sorted(client.topology_description.server_descriptions())
    hosts = ",".join(f"{host}:{port}" if port else host for host, port in seeds)
    return f"{type(client).__name__} {hosts}" if hosts else type(client).__name__
