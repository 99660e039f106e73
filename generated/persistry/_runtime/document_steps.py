"""The operations on a collection, step by step, for both colours.

Each is a generator: it yields a `Call` for every round trip, is sent its answer, and returns what
the operation gives. Carrying out the calls is the session's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pymongo.errors import DuplicateKeyError

from .arguments import Row
from .clock import iso
from .documents import EXACTLY, Call, Document, Filter, Query, Steps

# How many of the newest documents a list with a limit looks at, before it asks for the last one of
# each application.
WALKED = 1000


def finding(query: Query, filter: Filter) -> Steps[Row | None]:
    return query.row((yield query.first(filter)))


def finding_either(query: Query, filter: Filter, foreign: Filter, coll: str) -> Steps[Row | None]:
    """The last record of a collection that two libraries write: which of theirs is newer."""
    found = yield query.first_of_both(filter, foreign, coll)
    if len(found) == 2 and _moment(found[1], query) > _moment(found[0], query):
        return query.row(found[1])
    return query.row(found[0] if found else None)


def inserting(document: Document, unless: Filter, look_first: bool) -> Steps[bool]:
    """Whether the document was stored; not if one that fits to `unless`, its key, is there.

    `look_first` is for a collection whose unique index does not see every such document.
    """
    if look_first and (yield Call("find_one", (unless, {"_id": 1}), EXACTLY)):
        return False
    try:
        yield Call("insert_one", (dict(document),))
    except DuplicateKeyError as exc:
        # The driver makes the _id: if that is taken, this very document was sent before.
        met = {*(exc.details or {}).get("keyPattern", ())}
        if met not in (unless.keys(), {"_id"}):
            raise  # by another index, which somebody else has made
        return False
    return True


def listing(
    query: Query, filter: Filter, foreign: Filter, limit: int | None, coll: str
) -> Steps[list[str]]:
    """The groups, each once, that of the newest document first."""
    if limit == 0:
        return []
    if limit is not None:
        found = yield query.walk(filter, foreign, WALKED, coll)
        last = None if _are_ours(found, query) else found.pop()
        newest: dict[str, Any] = {}
        for it in found:
            newest.setdefault(it[query.group], it[query.order])
        names = list(newest)[:limit]
        if last is None and (len(names) == limit or len(found) < WALKED):
            return names
        if last is not None and len(names) == limit:
            times = yield query.times(filter, [newest[name] for name in names])
            if all(_moment(it, query) >= _moment(last, query) for it in times):
                return names
    found = yield query.heads(filter, foreign, limit, coll)
    if _are_ours(found, query):
        return _once(it[query.group] for it in found)
    ours = yield query.timed_heads(filter)
    theirs = yield query.foreign_heads(foreign)
    return _once(it[query.group] for it in _merged(ours, theirs, query))[:limit]


def distinct(query: Query, filter: Filter, limit: int | None) -> Steps[list[str]]:
    """The texts in a field, each once, in the order of their code points; null is the empty one."""
    if limit == 0:
        return []
    found = yield query.values(filter, limit)
    if not all(map(_is_partition, found)):  # another library's may have taken the place of a text
        found = yield query.values(filter, None)
    return sorted({it["_id"] or "" for it in found if _is_partition(it)})[:limit]


def _is_partition(document: Document) -> bool:
    return document["_id"] is None or isinstance(document["_id"], str)


def _are_ours(found: Sequence[Document], query: Query) -> bool:
    """Whether no document of another library is among them; it would be the last."""
    return not found or query.order in found[-1]


def _merged(ours: list[Document], theirs: list[Document], query: Query) -> Iterable[Document]:
    """Two lists as one; each keeps its own order, and times decide between their heads."""
    ours, theirs = ours[::-1], theirs[::-1]
    while ours and theirs:
        newer = theirs if _moment(theirs[-1], query) > _moment(ours[-1], query) else ours
        yield newer.pop()
    yield from ours[::-1] or theirs[::-1]


def _moment(document: Document, query: Query) -> str:
    try:
        return iso(document.get(query.time))
    except ValueError:  # no time at all comes before every time
        return ""


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
