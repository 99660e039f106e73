"""The rules as a page: what `diff --rules` prints."""

from __future__ import annotations

from .change import IMPACTS, WHO
from .gates import passes
from .rules import Rule, rules


def reference() -> str:
    lines = []
    for impact in IMPACTS:
        lines += [f"{impact}: {WHO[impact]}", f"  to pass: {passes(impact, None)}", ""]
        for rule in sorted(rules(), key=lambda it: it.id):
            if rule.impact == impact:
                lines += _rule(rule)
    return "\n".join(lines).rstrip("\n") + "\n"


def _rule(rule: Rule) -> list[str]:
    kinds: dict[tuple[str, ...], list[str]] = {}
    for kind, places in rule.places.items():
        if places:
            kinds.setdefault(places, []).append(kind)
    lines = [f"  {rule.id}: {rule.why}"]
    for places, names in kinds.items():
        lines.append(f"    {', '.join(names)}: {' '.join(places)}")
    if rule.condition is not None:
        doc = (rule.condition.__doc__ or "").strip().rstrip(".")
        lines.append(f"    only if: {doc[:1].lower()}{doc[1:]}")
    return [*lines, ""]
