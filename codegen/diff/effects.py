"""What the changes lead to: generated files and statements, recorded plans and locks.

Both specs are rendered by the templates of the working tree, so that what differs is the spec's
doing alone.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import ir
from ..editor import schemas
from ..problems import Report
from ..problems import render as told
from ..rendering import PACKAGE, Tree, format_module
from ..rendering import render as render_tree
from ..styling import style
from ..writing import FOLDER
from .change import Diff
from .gates import recorded


@dataclass(frozen=True)
class File:
    """A generated file that differs."""

    path: str
    before: str
    """Empty if it is new."""
    after: str
    """Empty if it is gone."""
    added: int
    removed: int
    """How many lines."""


@dataclass(frozen=True)
class Statement:
    """What drivers are sent, as their modules have it: SQL, a script, a query, what is created."""

    backend: str
    name: str
    modules: tuple[str, ...]
    """Those that have this very text, before and after."""
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Record:
    """A part of a recorded file: the plan of a query, an entry of a lock."""

    path: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Touched:
    """A backend that a change is in, or whose generated modules differ."""

    backend: str
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Effects:
    backends: tuple[Touched, ...]
    files: tuple[File, ...]
    statements: tuple[Statement, ...]
    plans: tuple[Record, ...]
    locks: tuple[Record, ...]
    problem: str
    """Why the generated files cannot be compared; empty if they can."""


def effects(diff: Diff, before: Path, after: Path) -> Effects:
    """What a comparison leads to; the folders have what is recorded, the second the templates."""
    files, problem = _files(diff, after)
    changed = {it.path for it in files}
    return Effects(
        backends=tuple(_touched(diff, changed)),
        files=files,
        statements=tuple(_statements(diff, files)),
        plans=tuple(_records("spec/plans", before, after)),
        locks=tuple(_records("spec/locks", before, after)),
        problem=problem,
    )


# Generated files


def _files(diff: Diff, root: Path) -> tuple[tuple[File, ...], str]:
    if diff.before is None:
        return (), "this generator makes nothing of the base"
    report = Report()
    before, after = (_rendered(it, root, report) for it in (diff.before, diff.after))
    different = {it for it in before.keys() | after.keys() if before.get(it) != after.get(it)}
    sources: dict[str, str] = {}
    before, after = (
        style({name: it[name] for name in sorted(different & it.keys())}, root, report, sources)
        for it in (before, after)
    )
    if report:
        return (), told(report, sources)
    pairs = ((it, before.get(it, ""), after.get(it, "")) for it in sorted(different))
    return tuple(_file(*it) for it in pairs if it[1] != it[2]), ""


def _rendered(project: ir.Project, root: Path, report: Report) -> Tree:
    return render_tree(project, root / "templates", report) | schemas(project)


def _file(name: str, before: str, after: str) -> File:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0))[2:]
    added, removed = (sum(it.startswith(sign) for it in lines) for sign in "+-")
    return File(f"{FOLDER}/{name}", before, after, added, removed)


def _module(name: str) -> str:
    return f"{FOLDER}/{PACKAGE}/{name}.py"


def _touched(diff: Diff, changed: set[str]) -> Iterator[Touched]:
    named = {it.backend for it in diff.changes}
    for name, modules in _modules(diff).items():
        differing = tuple(it for it in modules if _module(it) in changed)
        if differing or name in named:
            yield Touched(name, differing)


def _modules(diff: Diff) -> dict[str, list[str]]:
    """The modules of each backend, before or after."""
    found: dict[str, dict[str, None]] = {}
    before = () if diff.before is None else diff.before.backends
    backends = sorted((*before, *diff.after.backends), key=lambda it: it.name)
    for backend in backends:
        names = found.setdefault(backend.name, {})
        if form := format_module(backend):
            names[form] = None
        names.update(dict.fromkeys(it.name for it in backend.modules))
    return {name: list(names) for name, names in found.items()}


# Statements: what a module defines in capitals before its classes


def _statements(diff: Diff, files: Iterable[File]) -> Iterator[Statement]:
    texts = {it.path: (it.before, it.after) for it in files}
    for backend, modules in _modules(diff).items():
        found: dict[tuple[str, str | None, str | None], list[str]] = {}
        for module in modules:
            before, after = (_constants(it) for it in texts.get(_module(module), ("", "")))
            for name in dict.fromkeys((*before, *after)):
                one, other = before.get(name), after.get(name)
                if one != other:
                    found.setdefault((name, one, other), []).append(module)
        for (name, one, other), those in found.items():
            yield Statement(backend, name, tuple(those), one, other)


def _constants(text: str) -> dict[str, str]:
    found = {}
    for it in ast.parse(text).body:
        if not isinstance(it, ast.Assign) or not isinstance(it.targets[0], ast.Name):
            continue
        name = it.targets[0].id
        if name.isupper():
            found[name.strip("_").lower()] = _written(it.value, text)
    return found


def _written(value: ast.expr, text: str) -> str:
    """A statement as the driver gets it, all else as it stands in the module."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value.strip("\n")
    return ast.get_source_segment(text, value) or ""


# What is recorded


def _records(folder: str, before: Path, after: Path) -> Iterator[Record]:
    names = {it.name for root in (before, after) for it in (root / folder).glob("*.yaml")}
    for name in sorted(names):
        path = f"{folder}/{name}"
        one, other = (dict(_parts(recorded(root, path))) for root in (before, after))
        for part in dict.fromkeys((*one, *other)):
            if one.get(part) != other.get(part):
                yield Record(path, part, one.get(part), other.get(part))


def _parts(content: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The parts of a file that have a name and no further names in them."""
    if isinstance(content, dict):
        for key, it in content.items():
            yield from _parts(it, f"{name}, {key}" if name else key)
    elif isinstance(content, list):
        yield name, "\n".join(_line(it) for it in content)
    elif content is not None:
        yield name, content


def _line(item: Any) -> str:
    if isinstance(item, dict):
        return ", ".join(f"{key}: {_line(it)}" for key, it in item.items())
    return ", ".join(map(_line, item)) if isinstance(item, list) else str(item)
