"""What a collection needs beside its documents: indexes, the mark of its generation, the way there.

The mark is the name of an index that holds nothing. It is made by the one command that makes the
others, needs no right that they do not need, is gone with the collection, and no query meets it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .documents import Document, Index
from .migrations import Migration

_MARKED = re.compile(r"ps_generation_(\d{1,9})")


@dataclass(frozen=True, slots=True)
class IndexMigration:
    """The indexes that lead to a generation."""

    generation: int
    doc: str
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What there is of a format, and what is to be made."""

    generation: int
    """0 is that of a collection without our unique index, which another library may have begun."""
    missing: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """What this version of the library makes of a collection."""

    generation: int
    indexes: tuple[Index, ...]
    migrations: tuple[IndexMigration, ...]

    @property
    def unique(self) -> Index:
        """The index by which a key has one document."""
        return next(it for it in self.indexes if it.unique)

    @property
    def foreign(self) -> Index:
        """The index of the documents that another library wrote."""
        return next(it for it in self.indexes if it.without)

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.unique.keys)

    @property
    def mark(self) -> Index:
        name = f"ps_generation_{self.generation}"
        return Index(name, ((name, 1),), sparse=True)

    def found(self, indexes: Sequence[Document]) -> Found:
        """What these indexes say; where the mark alone is missing, the generation is 1."""
        marks = [int(it[1]) for index in indexes if (it := _MARKED.fullmatch(index["name"]))]
        missing = [it for it in self.indexes if not any(map(it.is_like, indexes))]
        generation = max(marks, default=int(self.unique not in missing))
        if self.generation not in marks and (missing or generation < self.generation):
            missing.append(self.mark)
        return Found(generation, tuple(missing))

    def pending(self, found: Found, collection: str) -> list[Migration]:
        """The migrations that make what is missing."""
        missing = {it.name: it for it in found.missing}
        migrations = []
        for it in self.migrations:
            names = (*it.indexes, *([self.mark.name] if it.generation == self.generation else []))
            made = [_statement(missing[name], collection) for name in names if name in missing]
            if made:
                migrations.append(Migration(it.generation, it.doc, tuple(made)))
        return migrations


def _statement(index: Index, collection: str) -> str:
    """As the server's own shell takes it."""
    options = dict(index.model().document)
    keys = dict(options.pop("key"))
    told = ", ".join(json.dumps(it) for it in (keys, options))
    return f"db.getCollection({json.dumps(collection)}).createIndex({told})"
