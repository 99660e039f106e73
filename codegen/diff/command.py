"""`diff BASE`: reads both specs, prints what lies between them, and says whether that may pass."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper
from pathlib import Path

from ..pipeline import Run
from . import github, html, json, markdown, text
from .base import NoBase, base_of
from .between import between
from .change import Diff
from .effects import Effects, effects
from .gates import Side
from .older import notes, older

_PLAIN: dict[str, Callable[[Diff], str]] = {
    "text": text.render,
    "json": json.render,
    "github": github.render,
}
# These show what the changes lead to as well.
_FULL: dict[str, Callable[[Diff, Effects], str]] = {
    "markdown": markdown.render,
    "html": html.render,
}
FORMATS = (*_PLAIN, *_FULL)

CLEAR, NOT_MET, INVALID = range(3)


def diff(root: Path, base: str, format: str) -> int:
    """Prints the comparison; 0 if all gates are met, 1 if not, 2 if there is none."""
    try:
        with base_of(root, base) as (commit, folder):
            before = _base(folder, f"the spec of {base} ({commit[:7]})")
            after = _side(root, "the spec of the working tree")
            found = between(base, commit, before, after)
            if format in _PLAIN:
                printed = _PLAIN[format](found)
            else:
                printed = _FULL[format](found, effects(found, folder, root))
    except (NoBase, _Invalid) as error:
        sys.stderr.write(f"{error}\n")
        return INVALID
    if isinstance(sys.stdout, TextIOWrapper):  # whatever a pipe is taken for
        sys.stdout.reconfigure(encoding="utf-8")
    print(printed, end="")
    return CLEAR if found.passes else NOT_MET


class _Invalid(Exception):
    """A spec that has problems."""


def _side(root: Path, what: str) -> Side:
    run = Run(root)
    project = run.project()
    if project is None or run.written is None:
        raise _invalid(run, what)
    return Side(root, project, run.written)


def _base(root: Path, what: str) -> Side:
    """The spec of the base, which was right for the generator of its day."""
    run = Run(root)
    project = run.project()
    if project is not None and run.written is not None:
        return Side(root, project, run.written)
    written = run.written or older(root)
    if written is None:
        raise _invalid(run, what)
    return Side(root, None, written, notes(run.report.problems))


def _invalid(run: Run, what: str) -> _Invalid:
    problems = run.problems().replace("; nothing was written\n", "; nothing was compared\n")
    return _Invalid(f"{what} has problems for this generator:\n\n{problems}".rstrip())
