"""Two specs -> the changes between them, and the gates that those have to pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..pipeline import Written
from ..problems import Span
from .change import IMPACTS, Change, Diff
from .compare import Difference, differences
from .conditions import value
from .gates import Side, gates, passes
from .resolved import Resolved, resolved
from .rules import rule_for
from .tree import shown


def between(base: str, commit: str, before: Side, after: Side) -> Diff:
    changes = tuple(changed(before.written, after.written))
    found = gates(changes, before, after)
    assert after.project is not None
    return Diff(base, commit, before.project, after.project, changes, found, before.notes)


def changed(before: Written, after: Written) -> list[Change]:
    """The changes, the gravest first, then by place."""
    one, other = resolved(before, after)
    found = (_change(it, one, other) for it in differences(one.root, other.root))
    return sorted(_once(found), key=_order)


def _order(it: Change) -> tuple[int, bool, Span, str]:
    return IMPACTS.index(it.impact), it.in_base, it.place, it.path


def _change(it: Difference, before: Resolved, after: Resolved) -> Change:
    rule = rule_for(it)
    in_base = it.after is None
    part, side = (it.before, before) if it.after is None else (it.after, after)
    assert part is not None
    path = ".".join(it.path).replace(".[", "[")  # rules[3]
    change = Change(
        rule=rule.id,
        impact=rule.impact,
        kind=it.kind,
        path=path,
        place=it.place or part.span,
        in_base=in_base,
        before=shown(it.before),
        after=shown(it.after),
        why=rule.why,
        passes="",
    )
    home = side.homes.get(part.span)
    if home is not None and home != path:
        change = replace(change, path=home, affects=_classes(it))
    return replace(change, passes=passes(rule.impact, change.backend))


def _classes(it: Difference) -> tuple[str, ...]:
    """The class that has the parameter."""
    spec = it.specs[1] if it.after is not None else it.specs[0]
    module, name = (value(spec, *it.path[:4], key) for key in ("module", "class"))
    return (f"{module}.{name}",)


def _once(changes: Iterable[Change]) -> Iterator[Change]:
    """What several classes share is written once, and has changed once."""
    found: dict[Change, list[str]] = {}
    for it in changes:
        found.setdefault(replace(it, affects=()), []).extend(it.affects)
    for it, classes in found.items():
        yield replace(it, affects=tuple(dict.fromkeys(classes)))
