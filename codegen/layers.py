"""A backend file laid over what it need not say: what another backend says, and its whole family.

Mappings are laid over each other key by key; whatever else a file says takes the place of what lies
below, and `null` leaves that out. What a family says may have gaps, `{text}`, for what each store
calls it: a file's `words`. Each part keeps its place, so that problems and changes point to the
file in which it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath

from . import words
from .decode import peek
from .model import FamilyModel
from .nodes import ListNode, MappingNode, Node, ScalarNode, Text, is_null, plain
from .problems import Code, Problem, Report, suggest
from .resolve.families import is_of_another

FOLDER = "spec/families"
BACKENDS = "spec/backends"
LIKE = "like"
# Which backend it is, where it is found and who speaks to it: that is no other's.
ITS_OWN = ("backend", "family", "title", "doc", "url", "drivers", "connect", "parameter_style")
# What a file says for all of its drivers that have no session of their own.
OF_DRIVERS = ("connect", "parameter_style")
# Lists whose items are tried in order, and what says which cases an item is for: one's own stand
# in front of those below, and in place of one for the same cases.
_IN_FRONT = {("errors", "rules"): ("exception", "codes", "messages")}
_ERRORS = "errors"

Find = Callable[[str], Node | None]


class Layers:
    """What lies below the backends: their families by name, and each other."""

    def __init__(self, families: Mapping[str, Node], backends: Iterable[str], find: Find) -> None:
        """`find` gives the nodes of one of these backends, as its file has them."""
        self._families = families
        self._backends = tuple(backends)
        self._find = find

    @classmethod
    def of(cls, nodes: Mapping[str, Node]) -> Layers:
        """Those of a spec that was read, by its paths."""
        folders = {(str(PurePath(it).parent), PurePath(it).stem): it for it in nodes}
        families = {name: nodes[it] for (there, name), it in folders.items() if there == FOLDER}
        backends = {name: nodes[it] for (there, name), it in folders.items() if there == BACKENDS}
        return cls(families, backends, backends.get)

    def complete(self, node: Node, report: Report) -> Node | None:
        """The file with all that it left out; None where what it is like cannot be had."""
        family = self._families.get(_text(node, "family"))
        try:
            laid = self._laid(node, family, (), report)
        except LookupError:
            return None
        found = words.said(laid, _child(laid, words.KEY), FOLDER, report)
        return None if found is None else _with_drivers(found)

    def _laid(self, node: Node, below: Node | None, seen: tuple[str, ...], report: Report) -> Node:
        """The file over its errors' like, that over its own like, and all over what lies below."""
        seen = (*seen, _text(node, "backend"))
        if (like := _child(node, LIKE)) is not None:
            other = self._other(like, node, seen, report)
            below = over(_only(other, lambda key: key not in ITS_OWN), below)
        if (like := _child(_child(node, _ERRORS), LIKE)) is not None:
            other = self._other(like, node, seen, report)
            below = over(_only(other, lambda key: key == _ERRORS), below)
        return over(node, below)

    def _other(self, like: Node, node: Node, seen: tuple[str, ...], report: Report) -> Node:
        """The backend of this name with what lies below it, but for its family.

        Raises:
            LookupError: It cannot be had, which has been told, here or where its file is broken.
        """
        if not isinstance(like, ScalarNode):
            return MappingNode((), like.span)  # that is told where the key is decoded
        name = like.text
        if name in seen:
            message = f"{str(name)!r} would be like itself"
            help = "write the name of a backend that is not like this one, or say it here"
            report.add(Code.SPEC09, message, name.span, help=help)
            raise LookupError(name)
        if name not in self._backends:
            message = f"there is no backend {str(name)!r} to be like"
            others = [it for it in self._backends if it not in seen]
            report.add(Code.SPEC01, message, name.span, help=suggest(name, others))
            raise LookupError(name)
        other = self._find(str(name))
        if other is None:
            raise LookupError(name)
        family, own = _text(other, "family"), _text(node, "family")
        if family != own:
            message = f"{str(name)!r} is of the family {family!r}, and this one of {own!r}"
            alike = [it for it in self._backends if _text(self._find(it), "family") == own]
            help = suggest(name, alike, "of this family")
            written = peek(other, FamilyModel, Report())
            if written is not None and not is_of_another(other, written, Report()):
                report.add(Code.SPEC09, message, name.span, help=help)
            raise LookupError(name)
        return self._laid(other, None, seen, report)


def over(node: Node, below: Node | None, path: tuple[str, ...] = ()) -> Node:
    """One node laid over another."""
    if isinstance(node, ListNode) and isinstance(below, ListNode) and path in _IN_FRONT:
        says_when = _IN_FRONT[path].__contains__
        cases = [plain(_only(it, says_when)) for it in node.items]
        others = (it for it in below.items if plain(_only(it, says_when)) not in cases)
        return replace(node, items=(*node.items, *others))
    if not isinstance(node, MappingNode) or not isinstance(below, MappingNode):
        return node
    lower = {str(key): child for key, child in below.pairs}
    pairs = [
        (key, over(child, lower.get(str(key)), (*path, str(key))))
        for key, child in node.pairs
        if not (key in lower and is_null(child))
    ]
    said = {str(key) for key, _ in node.pairs}
    pairs += [(key, child) for key, child in below.pairs if key not in said and key != LIKE]
    same = len(pairs) == len(node.pairs) and all(map(_is_same, pairs, node.pairs))
    return node if same else replace(node, pairs=tuple(pairs))


def _with_drivers(node: Node) -> Node:
    """A file whose drivers stand over what it says for all of them."""
    shared = _only(node, lambda key: key in OF_DRIVERS)
    drivers = _child(node, "drivers")
    if not isinstance(node, MappingNode) or not isinstance(drivers, MappingNode):
        return node
    found = [
        (name, driver if _child(driver, "session") is not None else over(driver, shared))
        for name, driver in drivers.pairs
    ]
    if all(map(_is_same, found, drivers.pairs)):
        return node
    below = replace(drivers, pairs=tuple(found))
    rest = ((key, child) for key, child in node.pairs if key not in OF_DRIVERS)
    pairs = ((key, below if child is drivers else child) for key, child in rest)
    return replace(node, pairs=tuple(pairs))


def keys_in(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each key of a mapping and of those in it, behind the keys that it stands in."""
    for key, child in node.pairs if isinstance(node, MappingNode) else ():
        yield (*path, str(key))
        yield from keys_in(child, (*path, str(key)))


def gathered(reports: Mapping[str, Report], report: Report) -> None:
    """The problems of all files, by path. What several of them took over is told once, and not at
    all beside those that the file has by itself."""
    takers: dict[Problem, list[str]] = {}
    by_itself = {
        path
        for path, it in reports.items()
        if any(problem.span is not None and problem.span.path == path for problem in it.problems)
    }
    for path, it in reports.items():
        for problem in it.problems:
            home = "" if problem.span is None else problem.span.path
            if home == path or home not in by_itself:
                takers.setdefault(problem, []).append(path)
    for problem, paths in takers.items():
        notes = problem.notes
        home = "" if problem.span is None else problem.span.path
        if home not in paths and (home in reports or home.startswith((FOLDER, BACKENDS))):
            notes = (*notes, f"taken over by {', '.join(paths)}")
        report.add(problem.code, problem.message, problem.span, help=problem.help, notes=notes)


def _is_same(one: tuple[Text, Node], other: tuple[Text, Node]) -> bool:
    return one[1] is other[1]


def _only(node: Node, wanted: Callable[[Text], bool]) -> Node:
    if not isinstance(node, MappingNode):
        return node
    return replace(node, pairs=tuple(it for it in node.pairs if wanted(it[0])))


def _child(node: Node | None, name: str) -> Node | None:
    pairs = node.pairs if isinstance(node, MappingNode) else ()
    return next((child for key, child in pairs if key == name), None)


def _text(node: Node | None, name: str) -> str:
    child = _child(node, name)
    return str(child.text) if isinstance(child, ScalarNode) else ""
