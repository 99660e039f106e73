"""The changes as text for a terminal."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from .change import HAPPENED, IMPACTS, OF_ANOTHER, WHO, Change, Diff

# Whoever wants more of a statement opens the file, or takes another format.
_LINES = 16
_CLASSES = 3


def render(diff: Diff) -> str:
    against = f"{diff.base} ({diff.commit[:7]})"
    notes = "".join(f"{line}\n" for line in _notes(diff))
    gates = "\n".join(_gates(diff))
    if not diff.changes:
        said = f"the spec says what it says in {against}\n{notes}"
        return f"{said}\n{gates}\n" if diff.gates else said
    counts = ", ".join(f"{count} {it}" for it, count in diff.counted().items() if count)
    return f"the spec against {against}: {counts}\n{notes}\n{changes(diff)}\n{gates}\n"


def _notes(diff: Diff) -> Iterator[str]:
    if diff.notes:
        yield f"\n{diff.base} {OF_ANOTHER}:"
        yield from (f"  {it.path}: {it.text}" for it in diff.notes)


def changes(diff: Diff) -> str:
    """The changes alone, those of each class together."""
    lines = []
    for impact in IMPACTS:
        found = [it for it in diff.changes if it.impact == impact]
        if found:
            lines += [f"{impact}: {WHO[impact]}", ""]
            for it in found:
                lines += [*_change(it, diff.base), ""]
    return "\n".join(line.rstrip() for line in lines)


def _change(it: Change, base: str) -> Iterator[str]:
    place = f"{it.place} in {base}" if it.in_base else str(it.place)
    yield f"  {place}: {it.rule}"
    yield f"    {it.path} {HAPPENED[it.kind]}"
    for line in compared(it):
        yield f"      {line}"
    if it.affects:
        yield f"    in {_listed(it.affects)}"
    yield f"    why: {it.why}"
    if it.impact != "safe":
        yield f"    to pass: {it.passes}"


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - _CLASSES
    shown = ", ".join(names[:_CLASSES])
    return shown if more <= 0 else f"{shown} and {more} more"


def compared(it: Change) -> list[str]:
    """Before and after, of long texts the lines that differ and those beside them."""
    before, after = ((text or "").split("\n") for text in (it.before, it.after))
    if it.kind == "moved" and it.before == it.after:
        lines = before
    elif it.before is None or it.after is None:
        sign, text = ("+ ", after) if it.before is None else ("- ", before)
        lines = [f"{sign}{line}" for line in text]
    else:
        lines = [
            f"{line[0]} {line[1:]}".rstrip()
            for line in list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
            if not line.startswith("@@")
        ]
    hidden = len(lines) - _LINES
    return lines if hidden <= 0 else [*lines[:_LINES], f"... {hidden} more lines"]


def _gates(diff: Diff) -> Iterator[str]:
    if not diff.gates:
        yield "nothing has to come with these changes"
        return
    yield "gates"
    for gate in diff.gates:
        yield f"  {'met' if gate.met else 'NOT MET'}: {gate.title}: {gate.reason}"
        if gate.todo:
            yield f"    to do: {gate.todo}"
    yield ""
    yield diff.verdict
