"""The changes as JSON; `diff.schema.json` beside this file says what each key means."""

from __future__ import annotations

import json
from typing import Any

from .change import Change, Diff, Gate

# Raised with each change after which a reader of the old form may go wrong.
FORMAT = 1


def render(diff: Diff) -> str:
    return json.dumps(described(diff), indent=2, ensure_ascii=False) + "\n"


def described(diff: Diff) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "base": diff.base,
        "commit": diff.commit,
        "passes": diff.passes,
        "notes": [{"file": it.path, "text": it.text} for it in diff.notes],
        "summary": diff.counted(),
        "changes": [_change(it) for it in diff.changes],
        "gates": [_gate(it) for it in diff.gates],
    }


def _change(it: Change) -> dict[str, Any]:
    return {
        "rule": it.rule,
        "class": it.impact,
        "kind": it.kind,
        "path": it.path,
        "backend": it.backend,
        "file": it.place.path,
        "line": it.place.line,
        "column": it.place.column,
        "in_base": it.in_base,
        "before": it.before,
        "after": it.after,
        "why": it.why,
        "passes": it.passes,
        "affects": list(it.affects),
    }


def _gate(it: Gate) -> dict[str, Any]:
    return {
        "class": it.impact,
        "backend": it.backend,
        "changes": it.changes,
        "met": it.met,
        "reason": it.reason,
        "todo": it.todo,
    }
