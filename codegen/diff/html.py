"""The changes, and what they lead to, as one page: it needs no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from .beside import Row, rows
from .change import HAPPENED, IMPACTS, OF_ANOTHER, WHO, Change, Diff
from .effects import Effects, File

_FOLDER = Path(__file__).parent / "page"
# The page stays one that a browser opens at once.
_ROWS = 4_000


def render(diff: Diff, effects: Effects) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["prose"] = prose
    return environment.get_template("page.html.jinja").render(
        diff=diff,
        classes=_classes(diff),
        gates=sorted(diff.gates, key=lambda it: it.met),
        effects=effects,
        statements=[
            (it.backend, [one for one in effects.statements if one.backend == it.backend])
            for it in effects.backends
            if any(one.backend == it.backend for one in effects.statements)
        ],
        files=_compared(effects.files),
        happened=HAPPENED,
        of_another=OF_ANOTHER,
        rows=rows,
        rows_of=rows_of,
    )


def prose(text: str) -> Markup:
    """A sentence of ours, in which backticks say what is to be written."""
    parts = text.split("`")
    shown = (
        Markup("<code>{}</code>").format(it) if n % 2 else escape(it) for n, it in enumerate(parts)
    )
    return Markup().join(shown)


@dataclass(frozen=True)
class _Class:
    name: str
    who: str
    changes: list[tuple[int, Change]]
    """Each with its number on the page."""
    has_gate: bool
    is_open: bool


def _classes(diff: Diff) -> list[_Class]:
    """What nobody is hit by is folded, unless there is nothing else."""
    found = []
    for impact in IMPACTS:
        changes = [(n, it) for n, it in enumerate(diff.changes, 1) if it.impact == impact]
        has_gate = impact != "safe"
        is_open = has_gate or len(changes) == len(diff.changes)
        found.append(_Class(impact, WHO[impact], changes, has_gate, is_open))
    return found


def rows_of(it: Change) -> list[Row]:
    if it.kind == "moved" and it.before == it.after:
        return rows(it.after, it.after)
    return rows(it.before, it.after)


def _compared(files: Sequence[File]) -> list[tuple[File, list[Row] | None]]:
    """The files, each with the rows that it is shown by; None where the page has enough."""
    found: list[tuple[File, list[Row] | None]] = []
    left = _ROWS
    for it in files:
        compared: list[Row] | None = None
        if left > 0:
            compared = rows(*(text.rstrip("\n") or None for text in (it.before, it.after)))
            left -= len(compared)
        found.append((it, compared if left >= 0 else None))
    return found
