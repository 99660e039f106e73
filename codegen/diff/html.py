"""The changes, and what they lead to, as one page: it needs no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from .beside import Row, rows
from .change import HAPPENED, IMPACTS, WHO, Change, Diff
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
        classes=[(it, WHO[it], _of(it, diff.changes)) for it in IMPACTS],
        gates=sorted(diff.gates, key=lambda it: it.met),
        effects=effects,
        statements=[
            (it.backend, [one for one in effects.statements if one.backend == it.backend])
            for it in effects.backends
            if any(one.backend == it.backend for one in effects.statements)
        ],
        files=_compared(effects.files),
        happened=HAPPENED,
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


def _of(impact: str, changes: Sequence[Change]) -> list[tuple[int, Change]]:
    """The changes of a class, each with its number on the page."""
    return [(number, it) for number, it in enumerate(changes, 1) if it.impact == impact]


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
