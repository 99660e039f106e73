"""What has only another name now, and is the same: it is compared under the name it has now."""

from __future__ import annotations

from collections.abc import Callable

from .shapes import Path, canonical
from .tree import Fields, Named, Tree

Renamed = dict[str, str]


def names_in_braces(before: Tree | None, after: Tree | None) -> Renamed:
    """Identifiers that a backend's statements know by another word; no store sees it."""
    if not isinstance(before, Named) or not isinstance(after, Named):
        return {}
    return _matched(before, after, lambda it: canonical((), it))


def in_braces(names: Renamed) -> Renamed:
    """As statements write them."""
    return {f"{{{old}}}": f"{{{new}}}" for old, new in names.items()}


def renamed(path: Path, before: Named, after: Named) -> Renamed:
    """What of a mapping has another name: old to new."""
    match path:
        case ("scenarios",):
            return _matched(before, after, lambda it: canonical((), _without(it, "name", "file")))
        case ("backends", _, "keys"):
            return _matched(before, after, lambda it: canonical((), _only(it, "template")))
        case ("backends", _, "names"):
            return names_in_braces(before, after)
    return {}


def _matched(before: Named, after: Named, content: Callable[[Tree], object]) -> Renamed:
    found: Renamed = {}
    new = {name: it for name, it in after.children.items() if name not in before.children}
    if not new:
        return found
    contents = {name: content(it) for name, it in new.items()}
    for name, it in before.children.items():
        if name not in after.children:
            same = content(it)
            now = next((other for other, its in contents.items() if its == same), None)
            if now is not None:
                del contents[now]
                found[name] = now
    return found


def _without(it: Tree, *names: str) -> Tree:
    assert isinstance(it, Fields)
    return Fields({key: part for key, part in it.children.items() if key not in names}, it.span)


def _only(it: Tree, *names: str) -> Tree:
    assert isinstance(it, Fields)
    return Fields({key: part for key, part in it.children.items() if key in names}, it.span)
