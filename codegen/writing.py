"""A rendered tree and the folder it belongs to: what differs, and writing it."""

from __future__ import annotations

import difflib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .rendering import Tree

FOLDER = "generated"
# Not ours, and never in a commit: what Python and its tools leave beside the sources.
_IGNORED = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclass(frozen=True, order=True)
class Difference:
    path: str
    verdict: Literal["missing", "changed", "orphan"]


@dataclass(frozen=True)
class Place:
    """Where a tree is written."""

    base: Path
    """The folder that the tree's paths begin in."""
    found: frozenset[str]
    """The files there that are the generator's to change and to remove."""
    shown: str
    """How messages begin the path of a file."""
    command: str
    """What makes the files."""
    rule: str
    """Why a file that nothing generates should not be there."""


def generated(root: Path) -> Place:
    """The project's folder generated/, which has nothing but what is generated."""
    base = root / FOLDER
    found = frozenset(
        path.relative_to(base).as_posix()
        for path in base.rglob("*")
        if path.is_file() and not _IGNORED & set(path.parts)
    )
    rule = f"{FOLDER}/ holds only what `make generate` writes"
    return Place(base, found, f"{FOLDER}/", "make generate", rule)


def differences(tree: Tree, place: Place) -> list[Difference]:
    """How the folder differs from the tree."""
    result = [Difference(name, "orphan") for name in place.found - tree.keys()]
    for name, text in tree.items():
        if name not in place.found:
            result.append(Difference(name, "missing"))
        elif (place.base / name).read_bytes() != text.encode():
            result.append(Difference(name, "changed"))
    return sorted(result)


def write(tree: Tree, place: Place) -> list[Difference]:
    """Make the folder what the tree says, each file replaced whole; returns what was done."""
    done = differences(tree, place)
    for difference in done:
        path = place.base / difference.path
        if difference.verdict == "orphan":
            path.unlink()
            _remove_empty(path.parent, place.base)
            continue
        put(path, tree[difference.path])
    return done


def put(path: Path, text: str) -> None:
    """Write a file, replaced whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)


def _remove_empty(folder: Path, base: Path) -> None:
    while folder != base and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def changed_lines(tree: Tree, place: Place, path: str) -> tuple[int, int]:
    """The first line that differs, and how many do."""
    there = (place.base / path).read_text(encoding="utf-8", errors="replace").splitlines()
    matcher = difflib.SequenceMatcher(None, tree[path].splitlines(), there, autojunk=False)
    parts = [it for it in matcher.get_opcodes() if it[0] != "equal"]
    first = parts[0][3] + 1 if parts else 1
    return first, sum(max(it[2] - it[1], it[4] - it[3]) for it in parts)
