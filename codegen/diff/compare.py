"""Two trees -> what differs: part by part, in the order that means something, in no other."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..nodes import Text
from ..problems import Span
from .change import Kind
from .renaming import in_braces, names_in_braces, renamed
from .shapes import Path, canonical, first_changed, in_order, is_ordered, is_set
from .tree import Fields, Items, Leaf, Named, Tree, shown

# Two steps, or two error rules, with less in common than this are not one that was changed.
_ALIKE = 0.6


@dataclass(frozen=True)
class Difference:
    path: Path
    kind: Kind
    before: Tree | None
    after: Tree | None
    around: tuple[Tree, Tree]
    """What it is a part of, before and after."""
    specs: tuple[Fields, Fields]
    """Everything, before and after."""
    place: Span | None = None
    """Where it shows, if that is not where the value begins."""
    unread: bool = False
    """Another generator understood it: what it said there is not known."""


def differences(before: Fields, after: Fields) -> list[Difference]:
    comparison = _Comparison((before, after))
    return [it for name in before.children for it in comparison.part((name,), before, after)]


class _Comparison:
    def __init__(self, specs: tuple[Fields, Fields]) -> None:
        self._specs = specs
        self._words: Mapping[str, str] = {}
        """The names in braces of this backend that are other words now."""

    def part(
        self, path: Path, before: Fields | Named, after: Fields | Named
    ) -> Iterator[Difference]:
        """What differs in the part that the path ends in."""
        if path[-1] in before.unread:
            yield from self._unread(path, before, after)
            return
        one, other = before.children.get(path[-1]), after.children.get(path[-1])
        if one is not None and other is not None:
            yield from self._pair(path, one, other, (before, after))
            return
        # A single value that a mapping may leave out is one value that changes.
        is_value = isinstance(before, Fields) and isinstance(one or other, Leaf)
        kind: Kind = "changed" if is_value else "removed" if other is None else "added"
        yield Difference(path, kind, one, other, (before, after), self._specs)

    def _pair(
        self, path: Path, one: Tree, other: Tree, around: tuple[Tree, Tree]
    ) -> Iterator[Difference]:
        if _are_equal(one, other):
            return  # as most are: a quick look
        if isinstance(one, Items) and isinstance(other, Items):
            yield from self._items(path, one, other)
        elif isinstance(one, Named) and isinstance(other, Named):
            yield from self._named(path, one, other)
        elif isinstance(one, Fields) and isinstance(other, Fields):
            yield from self._fields(path, one, other)
        elif canonical(path, one, self._words) != canonical(path, other):
            place = self._place(path, one, other)
            yield Difference(path, "changed", one, other, around, self._specs, place)

    def _place(self, path: Path, one: Tree, other: Tree) -> Span:
        """In a text of several lines, that of the first word that is another."""
        if isinstance(one, Leaf) and isinstance(other, Leaf):
            before, after = one.value, other.value
            if isinstance(before, str) and isinstance(after, Text) and "\n" in after.strip():
                word, offset = first_changed(path, before, after, self._words)
                return after.at(offset, len(word))
        return other.span

    def _fields(self, path: Path, before: Fields, after: Fields) -> Iterator[Difference]:
        names = list({**before.children, **after.children, **before.unread})
        if len(path) == 2 and path[0] == "backends":
            names_of = (it.children.get("names") for it in (before, after))
            self._words = in_braces(names_in_braces(*names_of))
            families = [canonical((), it.children["family"]) for it in (before, after)]
            if families[0] != families[1]:  # nothing else has a counterpart
                names = ["family"]
        for name in names:
            yield from self.part((*path, name), before, after)

    def _unread(
        self, path: Path, before: Fields | Named, after: Fields | Named
    ) -> Iterator[Difference]:
        """What is said, as each generator has it; a part that is compared elsewhere is in none."""
        one, other = before.unread[path[-1]], after.children.get(path[-1])
        kind: Kind = "added" if one is None else "removed" if other is None else "changed"
        if one is not None or other is not None:
            yield Difference(path, kind, one, other, (before, after), self._specs, unread=True)

    def _named(self, path: Path, before: Named, after: Named) -> Iterator[Difference]:
        now = renamed(path, before, after)
        if now:
            children = {now.get(name, name): it for name, it in before.children.items()}
            before = replace(before, children=children)
        for name in {**before.children, **after.children}:
            yield from self.part((*path, name), before, after)
        if list(before.children) != list(after.children) and is_ordered(path):
            yield from self._order(path, before, after)

    def _order(self, path: Path, before: Named, after: Named) -> Iterator[Difference]:
        was, now = in_order(path, before), in_order(path, after)
        if [name for name in was if name in now] != [name for name in now if name in was]:
            orders = Leaf(", ".join(was), before.span), Leaf(", ".join(now), after.span)
            yield Difference(path, "moved", *orders, (before, after), self._specs)

    def _items(self, path: Path, before: Items, after: Items) -> Iterator[Difference]:
        was = [canonical((*path, "*"), it, self._words) for it in before.items]
        now = [canonical((*path, "*"), it) for it in after.items]
        if was == now:
            return
        ordered = not is_set(path)
        stayed = _in_place(was, now) if ordered else {}
        moved = _elsewhere(was, now, stayed)
        changed = _alike(before, after, stayed | moved) if ordered else {}
        pairs = stayed | moved | changed
        for one, other in sorted((moved | changed).items() if ordered else ()):
            here, parts = (*path, _number(other)), (before.items[one], after.items[other])
            if one in moved:
                yield Difference(here, "moved", *parts, (before, after), self._specs)
            else:
                yield from self._pair(here, *parts, (before, after))
        for number, it in enumerate(before.items):
            if number not in pairs:
                here = (*path, _number(number))
                yield Difference(here, "removed", it, None, (before, after), self._specs)
        for number, it in enumerate(after.items):
            if number not in pairs.values():
                here = (*path, _number(number))
                yield Difference(here, "added", None, it, (before, after), self._specs)


def _are_equal(one: Tree, other: Tree) -> bool:
    """Whether both are written alike, wherever they stand."""
    if one is other:
        return True
    if isinstance(one, Leaf) and isinstance(other, Leaf):
        before, after = one.compared, other.compared
        return type(before) is type(after) and bool(before == after)
    if isinstance(one, Items) and isinstance(other, Items):
        return len(one.items) == len(other.items) and all(map(_are_equal, one.items, other.items))
    if isinstance(one, Fields | Named) and isinstance(other, Fields | Named):
        children = one.children.values(), other.children.values()
        is_read = not one.unread and not other.unread
        return (
            is_read
            and list(one.children) == list(other.children)
            and all(map(_are_equal, *children))
        )
    return False


def _number(index: int) -> str:
    return f"[{index + 1}]"


# Lists: which item is which, by their indexes before and after.


def _in_place(was: list[object], now: list[object]) -> dict[int, int]:
    matcher = difflib.SequenceMatcher(None, was, now, autojunk=False)
    blocks = matcher.get_matching_blocks()
    return {one + it: other + it for one, other, size in blocks for it in range(size)}


def _elsewhere(was: list[object], now: list[object], taken: dict[int, int]) -> dict[int, int]:
    """What is there in both, at another place."""
    found: dict[int, int] = {}
    free = [it for it in range(len(now)) if it not in taken.values()]
    for one in range(len(was)):
        other = next((it for it in free if was[one] == now[it]), None)
        if one not in taken and other is not None:
            free.remove(other)
            found[one] = other
    return found


def _alike(before: Items, after: Items, taken: dict[int, int]) -> dict[int, int]:
    """What was changed, the most alike first. Of bare names each stands for itself."""
    gone = [it for it in range(len(before.items)) if it not in taken]
    new = [it for it in range(len(after.items)) if it not in taken.values()]
    words = {
        (one, other): (_words(before.items[one]), _words(after.items[other]))
        for one in gone
        for other in new
    }
    likeness = [
        (difflib.SequenceMatcher(None, *texts, autojunk=False).ratio(), one, other)
        for (one, other), texts in words.items()
        if all(len(it) > 1 for it in texts)
    ]
    found: dict[int, int] = {}
    for ratio, one, other in sorted(likeness, key=lambda it: (-it[0], it[1], it[2])):
        if ratio >= _ALIKE and one not in found and other not in found.values():
            found[one] = other
    return found


def _words(it: Tree) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", shown(it) or "")
