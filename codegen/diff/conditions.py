"""What some rules look at: the values before and after, and what stands around them.

The first sentence of each is what `diff --rules` shows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ..stored import CHECK
from .compare import Difference
from .shapes import is_by_name
from .tree import Fields, Items, Leaf, Named, Tree

Condition = Callable[[Difference], bool]


def part(tree: Tree | None, *names: str) -> Tree | None:
    """What is behind these names."""
    for name in names:
        tree = tree.children.get(name) if isinstance(tree, Fields | Named) else None
    return tree


def value(tree: Tree | None, *names: str) -> Any:
    """The single value there; None if there is none."""
    found = part(tree, *names)
    return found.value if isinstance(found, Leaf) else None


def new(it: Difference) -> bool:
    """There was no value."""
    return it.before is None


def unread(it: Difference) -> bool:
    """Only one of the two generators has such a key, or reads what is written there."""
    return it.unread


def raised(it: Difference) -> bool:
    """The number is higher than it was, or there is none any more."""
    before, after = value(it.before), value(it.after)
    return before is not None and (after is None or after > before)


def lowered(it: Difference) -> bool:
    """The number is lower than it was, or there was none."""
    return not raised(it)


# Parameters and types


def optional(it: Difference) -> bool:
    """It may be left out, and no other has changed its position for it."""
    names = list(it.around[1].children) if isinstance(it.around[1], Named) else []
    behind = names[names.index(it.path[-1]) + 1 :]
    siblings = [part(it.around[1], name) for name in behind if part(it.around[0], name)]
    shifts = not is_by_name(it.after) and not all(map(is_by_name, siblings))
    can_be_left_out = value(it.after, "default") is not None or value(it.after, "variadic") is True
    return can_be_left_out and not shifts


def widened(it: Difference) -> bool:
    """The type takes all that it took."""
    before, after = _alternatives(value(it.before)), _alternatives(value(it.after))
    return before <= after or "Any" in after


def _alternatives(text: Any) -> set[str]:
    """The members of a union as Python writes them."""
    try:
        node = ast.parse(str(text).strip(), mode="eval").body
    except SyntaxError:
        return {str(text)}
    found, rest = set(), [node]
    while rest:
        it = rest.pop()
        if isinstance(it, ast.BinOp) and isinstance(it.op, ast.BitOr):
            rest += [it.left, it.right]
        else:
            found.add(ast.unparse(it))
    return found


def switched_off(it: Difference) -> bool:
    """It is so no longer."""
    return value(it.after) is not True


# The interface


def abstract(it: Difference) -> bool:
    """Each class that implements the interface must have it."""
    return "abstract" in (value(it.after), value(it.after, "base"))


def case_is_new(it: Difference) -> bool:
    """A query that is there for a case that the interface did not have."""
    return _has_case(it, 1) and not _has_case(it, 0)


def case_is_gone(it: Difference) -> bool:
    """A query that was there for a case that the interface has no longer."""
    return _has_case(it, 0) and not _has_case(it, 1)


def _has_case(it: Difference, side: int) -> bool:
    operation, _, case = it.path[-1].partition(".")
    return part(it.specs[side], "interface", "operations", operation, "cases", case) is not None


# Backends


def demanded(it: Difference) -> bool:
    """Users must call initialize()."""
    return bool(value(it.after) == "error")


def scenario_is_new(it: Difference) -> bool:
    """What the store cannot keep was not promised before."""
    name = it.path[-1]
    before, after = (part(spec, "scenarios", name) for spec in it.specs)
    return before is None and after is not None


def saves(it: Difference) -> bool:
    """It is the statement that stores a record."""
    return "save.insert" in it.path


def script_saves(it: Difference) -> bool:
    """The script is the one that stores a record."""
    _, backend, _, script, *_ = it.path
    queries = (part(spec, "backends", backend, "queries", "save.insert") for spec in it.specs)
    return any(value(query, "script") == script for query in queries)


def last(it: Difference) -> bool:
    """Rules are tried in order: one behind all others is for what none of them knew."""
    around = it.around[1]
    return isinstance(around, Items) and around.items[-1] is it.after


def merged(it: Difference) -> bool:
    """Another rule is for all of its failures, and raises the same."""
    rules = it.around[1].items if isinstance(it.around[1], Items) else ()

    def listed(rule: Tree | None, name: str) -> set[Any]:
        found = part(rule, name)
        return {value(each) for each in found.items} if isinstance(found, Items) else set()

    signs = ("codes", "messages")  # without any, a rule is for whatever its exception is

    def is_for_all(other: Tree) -> bool:
        alike = ("raise", "exception", "may_have_saved", "repeat")
        return all(value(other, name) == value(it.before, name) for name in alike) and all(
            listed(it.before, name) <= listed(other, name) for name in signs
        )

    return any(listed(it.before, name) for name in signs) and any(map(is_for_all, rules))


def narrower(it: Difference) -> bool:
    """The base of all errors became one of them: who caught the base still does."""
    root = value(it.specs[1], "interface", "root_error")
    return bool(value(it.before) == root)


def leads_on(it: Difference) -> bool:
    """A migration to a generation that there was not yet."""
    known = value(it.specs[0], *it.path[:2], "stored", "generation")
    return known is not None and int(it.path[-1]) > known


def checks(it: Difference) -> bool:
    """A statement that changes nothing, and fails where the table is another."""
    texts = [value(tree, "run") or value(tree) for tree in (it.before, it.after) if tree]
    return all(CHECK.match(str(text)) for text in texts)


CONDITIONS: dict[str, Condition] = {
    it.__name__: it
    for it in (
        abstract,
        case_is_gone,
        case_is_new,
        checks,
        demanded,
        last,
        leads_on,
        lowered,
        merged,
        narrower,
        new,
        optional,
        raised,
        saves,
        scenario_is_new,
        script_saves,
        switched_off,
        unread,
        widened,
    )
}
