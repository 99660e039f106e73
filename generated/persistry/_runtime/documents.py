"""Records as documents: the indexes and queries of a collection, and the calls that they become."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bson.int64 import Int64
from bson.timestamp import Timestamp
from pymongo import IndexModel
from pymongo.collation import Collation

from .arguments import MAX_SEQUENCE_ID, Row

# In a new document the server puts its own logical time in its place: unique, increasing, and no
# writer's clock.
SERVER_ORDER = Timestamp(0, 0)

# Texts are compared by their bytes, also in a collection whose owner wants it otherwise for queries
# that say nothing: there, "Bob" and "bob" would be one application.
EXACTLY = {"collation": Collation("simple")}

A_TEXT = {"$type": "string"}

# How many documents come at once, as far as 16 MiB hold them; left to itself, the server begins
# with 101, and the rest is another round trip.
_BATCH = 10_000

Keys = tuple[tuple[str, int], ...]
Document = Mapping[str, Any]
Filter = dict[str, Any]


def or_null(partition_key: str) -> str | None:
    """The partition as it is written: the default one is null, as in older collections."""
    return partition_key or None


def either(partition_key: str) -> str | dict[str, list[str | None]]:
    """The partition as it is looked for: the default one may also be stored as an empty text."""
    return partition_key or {"$in": [None, ""]}


@dataclass(frozen=True, slots=True)
class Call:
    """A method of the collection to call: one round trip."""

    method: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    lists: bool = False
    """Its answer is a cursor, to be read to its end."""


T = TypeVar("T")
Steps = Generator[Call, Any, T]


@dataclass(frozen=True, slots=True)
class Index:
    """An index that the queries need."""

    name: str
    keys: Keys
    unique: bool = False
    without: str | None = None
    """It holds only the documents that lack this field."""
    sparse: bool = False
    """It holds only the documents that have one of its fields."""

    @property
    def _only(self) -> Filter | None:
        # null also stands for a field that is not there
        return {self.without: None} if self.without else None

    def model(self) -> IndexModel:
        options: dict[str, Any] = {"unique": True} if self.unique else {}
        if self.sparse:
            options["sparse"] = True
        if self._only:
            options["partialFilterExpression"] = self._only
        return IndexModel(list(self.keys), name=self.name, **options, **EXACTLY)

    def is_like(self, found: Document) -> bool:
        """Whether an index that is there does the same, whatever its name."""
        return (
            tuple(found["key"].items()) == self.keys
            and bool(found.get("unique")) == self.unique
            and found.get("partialFilterExpression") == self._only
            and not {"hidden", "collation", "sparse", "expireAfterSeconds"} & found.keys()
        )


@dataclass(frozen=True, slots=True)
class Query:
    """What a query answers, and in which order; its filter comes with each call."""

    fields: tuple[str, ...]
    sort: Keys = ()
    foreign_sort: Keys = ()
    """The order of the documents that another library wrote; they lack the field of `sort`."""

    @property
    def order(self) -> str:
        """The field that only our documents have."""
        return self.sort[0][0]

    def row(self, document: Document | None) -> Row | None:
        """The values of the fields, in order."""
        if document is None:
            return None
        found = (document.get(name) for name in self.fields)
        return tuple(int(it) if type(it) is Int64 else it for it in found)

    def first(self, filter: Filter) -> Call:
        """The first document that fits."""
        projection = {"_id": 0} | dict.fromkeys(self.fields, 1)
        options = {**EXACTLY, "sort": self.sort} if self.sort else EXACTLY
        return Call("find_one", (filter, projection), options)

    def first_of_both(self, filter: Filter, foreign: Filter, coll: str) -> Call:
        """The first of our documents, and the first of the other library's."""
        answer = self._with_order
        return _aggregate(
            *_first(filter, self.sort, 1, answer),
            _and(coll, _first(self._records(foreign), self.foreign_sort, 1, answer)),
        )

    def walk(self, filter: Filter, foreign: Filter, most: int, coll: str) -> Call:
        """Our newest documents, read from an index alone, and one of the other library's."""
        answer = self._with_order
        last = _first(self._records(foreign), self.foreign_sort, 1, answer | {self.time: 1})
        return _aggregate(*_first(filter, self.sort, most, answer), _and(coll, last))

    def times(self, filter: Filter, numbers: list[Any]) -> Call:
        """When our documents with these numbers were made."""
        fits = {**filter, self.order: {"$in": numbers}}
        return Call("find", (fits, {"_id": 0, self.time: 1}), EXACTLY, lists=True)

    def heads(self, filter: Filter, foreign: Filter, limit: int | None, coll: str) -> Call:
        """Our newest document of each group, and one of the other library's documents.

        The sort lets the server go through an index by one step for each group.
        """
        last = _first(self._records(foreign), self.foreign_sort, 1, self._with_order)
        return _aggregate(
            *_last_of_each(filter, ((self.group, 1), *self.sort), self.group, self.order),
            *([{"$limit": limit}] if limit else []),
            _and(coll, last),
        )

    def timed_heads(self, filter: Filter) -> Call:
        """As `heads`, with the times, which are in no index of ours."""
        sort = ((self.group, 1), *self.sort)
        return _aggregate(*_last_of_each(filter, sort, self.group, self.order, self.time))

    def foreign_heads(self, foreign: Filter) -> Call:
        """The newest of the other library's documents of each group, with their times."""
        theirs = self._records(foreign)
        return _aggregate(*_last_of_each(theirs, self.foreign_sort, self.group, self.time))

    def values(self, filter: Filter, limit: int | None) -> Call:
        """Each value of the field once, by its bytes; one more than asked for, as null and an empty
        text are the same.

        The sort lets the server go through an index by one step for each value.
        """
        most = [{"$limit": min(limit + 1, MAX_SEQUENCE_ID)}] if limit else []
        return _aggregate(
            {"$match": filter},
            {"$sort": {self.group: 1}},
            {"$group": {"_id": f"${self.group}"}},
            {"$sort": {"_id": 1}},
            *most,
        )

    @property
    def group(self) -> str:
        return self.fields[0]

    @property
    def time(self) -> str:
        """What the other library's documents are ordered by."""
        return self.foreign_sort[0][0]

    def _records(self, foreign: Filter) -> Filter:
        """Of documents that are not ours, those that can be records: what names no application is
        another program's, and passed over.
        """
        return foreign | {self.group: A_TEXT}

    @property
    def _with_order(self) -> dict[str, int]:
        return {"_id": 0} | dict.fromkeys((*self.fields, self.order), 1)


def _aggregate(*stages: Filter) -> Call:
    options = {**EXACTLY, "allowDiskUse": True, "batchSize": _BATCH}
    return Call("aggregate", (list(stages),), options, lists=True)


def _first(filter: Filter, sort: Keys, limit: int, answer: dict[str, int]) -> list[Filter]:
    return [{"$match": filter}, {"$sort": dict(sort)}, {"$limit": limit}, {"$project": answer}]


def _and(coll: str, stages: list[Filter]) -> Filter:
    return {"$unionWith": {"coll": coll, "pipeline": stages}}


def _last_of_each(filter: Filter, sort: Keys, group: str, order: str, *more: str) -> list[Filter]:
    kept = {name: {"$first": f"${name}"} for name in (order, *more)}
    return [
        {"$match": filter},
        {"$sort": dict(sort)},
        {"$group": {"_id": f"${group}", **kept}},
        {"$sort": {order: -1}},
        {"$project": {"_id": 0, group: "$_id", **dict.fromkeys(kept, 1)}},
    ]
