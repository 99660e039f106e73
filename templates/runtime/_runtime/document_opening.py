"""Looking at a collection before its first use, and preparing it, step by step for both colours.

The generators are carried out like those of `document_steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from ..errors import StoreVersionError
from .arguments import shown
from .document_format import Format, Found
from .documents import A_TEXT, EXACTLY, Call, Filter, Steps
from .failures import about
from .migrations import Migration, check_known

# How many keys that stand twice a message names; of the others it says how many they are.
_NAMED = 20


@dataclass(slots=True)
class Known:
    """What is known of a collection; a persister and its copies share it."""

    is_readable: bool = False
    """Its generation is one that this version of the library knows."""
    is_indexed: bool = False
    """All indexes are there."""
    is_twofold: bool | None = None
    """Whether another library's documents hold the default partition as an empty text: the unique
    index does not see that null is the same. None as long as nobody has looked."""

    is_shared: bool | None = None
    """Whether it has documents of another library, which may go on with it; None as long as nobody
    had to know."""


@dataclass(frozen=True, slots=True)
class CollectionOpening:
    """One operation's way to a collection that it may use."""

    format: Format
    known: Known
    operation: str
    key: object
    place: str
    """Where the collection is, for messages."""

    def looking(self) -> Steps[Found]:
        """What is there, unless it is of a newer generation."""
        found = self.format.found((yield Call("list_indexes", lists=True)))
        known = self.format.generation
        check_known(self.operation, self.key, found.generation, known, self.place)
        self.known.is_readable, self.known.is_indexed = True, not found.missing
        return found

    def asking(self) -> Steps[bool]:
        """Whether all indexes are there; a yes is remembered."""
        if not self.known.is_indexed:
            yield from self.looking()
        return self.known.is_indexed

    def asking_whose(self) -> Steps[bool]:
        """Whether another library goes on with it; the first answer holds."""
        if self.known.is_shared is None:
            index = self.format.foreign
            options = {**EXACTLY, "sort": index.keys}
            app_id, _ = index.keys[-1]  # what names none is another program's
            theirs = {index.without: None, app_id: A_TEXT}
            found = yield Call("find_one", (theirs, {"_id": 1}), options)
            self.known.is_shared = found is not None
        return self.known.is_shared

    def pending(self, collection: str) -> Steps[list[Migration]]:
        """What `preparing` would do to documents that are there already."""
        found = yield from self.looking()
        if not found.missing or (yield Call("find_one", ({}, {"_id": 1}))) is None:
            return []
        return self.format.pending(found, collection)

    def preparing(self, looks_for_doubles: bool = True) -> Steps[None]:
        """Make the indexes that are not there.

        Keys that have several documents are refused. Where all indexes are there, those that the
        unique one does not see are looked for only if it is said: that reads the whole collection.
        """
        found = yield from self.looking()
        fields = self.format.key
        is_twofold = yield from _is_twofold(fields)
        if is_twofold and (looks_for_doubles or self.format.unique in found.missing):
            yield from self._refusing_doubles(fields)
        if found.missing:
            try:
                yield Call("create_indexes", ([it.model() for it in found.missing],))
            except DuplicateKeyError as exc:
                yield from self._refusing_doubles(fields, exc)
                raise
        self.known.is_indexed = True
        self.known.is_twofold = is_twofold

    def preparing_for_a_save(self) -> Steps[None]:
        """As `preparing`, where it is not known that all is there."""
        if not self.known.is_indexed:
            yield from self.preparing(looks_for_doubles=False)
        elif self.known.is_twofold is None:
            self.known.is_twofold = yield from _is_twofold(self.format.key)

    def _refusing_doubles(
        self, fields: Sequence[str], cause: DuplicateKeyError | None = None
    ) -> Steps[None]:
        """Raise an error that names the keys of which there are several documents, if any."""
        key: Filter = {name: f"${name}" for name in fields}
        key[fields[0]] = {"$ifNull": [f"${fields[0]}", ""]}
        stages = [
            {"$group": {"_id": key, "count": {"$sum": 1}}},
            {"$match": {"count": {"$gt": 1}}},
            {
                "$facet": {
                    "named": [{"$sort": {"_id": 1}}, {"$limit": _NAMED}],
                    "all": [{"$count": "keys"}],
                }
            },
        ]
        options = {**EXACTLY, "allowDiskUse": True}
        (answer,) = yield Call("aggregate", (stages,), options, lists=True)
        found = answer["named"]
        if found:
            more = answer["all"][0]["keys"] - len(found)
            named = "; ".join(
                ", ".join(f"{name} {shown(value)}" for name, value in it["_id"].items())
                + f" ({it['count']} documents)"
                for it in found
            ) + f"; and {more} more" * (more > 0)
            raise StoreVersionError(
                f"{about(self.operation, self.key)}: several documents of this collection have the"
                f" same key, so that it can have no unique index: {named}. Nothing was changed."
                " Decide which of them to keep, delete the others and call initialize() again, or,"
                " if they are another program's, give another collection_name; until then this"
                " collection can be read, not written"
            ) from cause


def _is_twofold(fields: Sequence[str]) -> Steps[bool]:
    return (yield Call("find_one", ({fields[0]: ""}, {"_id": 1}), EXACTLY)) is not None
