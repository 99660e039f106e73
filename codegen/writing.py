"""The rendered tree and the folder generated/: what differs, and writing it."""

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


def differences(tree: Tree, root: Path) -> list[Difference]:
    """How the folder differs from the tree."""
    base = root / FOLDER
    found = {
        path.relative_to(base).as_posix()
        for path in base.rglob("*")
        if path.is_file() and not _IGNORED & set(path.parts)
    }
    result = [Difference(name, "orphan") for name in found - tree.keys()]
    for name, text in tree.items():
        if name not in found:
            result.append(Difference(name, "missing"))
        elif (base / name).read_bytes() != text.encode():
            result.append(Difference(name, "changed"))
    return sorted(result)


def write(tree: Tree, root: Path) -> list[Difference]:
    """Make the folder what the tree says, each file replaced whole; returns what was done."""
    done = differences(tree, root)
    for difference in done:
        path = root / FOLDER / difference.path
        if difference.verdict == "orphan":
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(tree[difference.path])
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    for folder in sorted((root / FOLDER).rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return done


def changed_lines(tree: Tree, root: Path, path: str) -> tuple[int, int]:
    """The first line that differs, and how many do."""
    there = (root / FOLDER / path).read_text(encoding="utf-8", errors="replace").splitlines()
    matcher = difflib.SequenceMatcher(None, tree[path].splitlines(), there, autojunk=False)
    parts = [it for it in matcher.get_opcodes() if it[0] != "equal"]
    first = parts[0][3] + 1 if parts else 1
    return first, sum(max(it[2] - it[1], it[4] - it[3]) for it in parts)
