"""Formats the tree as a careful person would: one run of the pinned ruff over all files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from codegen.problems import Code, Report
from codegen.rendering import Tree


def style(tree: Tree, root: Path, report: Report) -> Tree:
    """The formatted tree. Imports are sorted and unused ones removed; the rest must be clean."""
    if not _is_pinned(root, report):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        for name, text in tree.items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (base / "ruff.toml").write_text('line-length = 100\ntarget-version = "py311"\n')
        # Format first: what cannot be parsed is then shown once, with its place.
        for arguments in (
            ["format"],
            ["check", "--select", "I,F401,UP", "--fix", "--unsafe-fixes", "--exit-zero"],
            ["format"],
            ["check", "--select", "F,E9"],
        ):
            done = _ruff([*arguments, "--no-cache", "."], base)
            if done.returncode != 0:
                report.add(
                    Code.TPL03,
                    "what the templates print is no clean Python",
                    None,
                    help="mend the template that prints it",
                    notes=(done.stdout + done.stderr).strip().splitlines()[:20],
                )
                return {}
        return {
            name: _with_verbatim(name, text, (base / name).read_text(encoding="utf-8"))
            for name, text in tree.items()
        }


def _with_verbatim(name: str, before: str, after: str) -> str:
    """What is vendored byte for byte stays so; its own folder is linted where it stands."""
    return after if before.startswith("# Code generated") else before


def _ruff(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ruff", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _is_pinned(root: Path, report: Report) -> bool:
    """Another version of ruff would format everything a little differently, for everybody."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = settings["tool"]["ruff"]["required-version"].removeprefix("==")
    done = _ruff(["--version"], root)
    found = done.stdout.strip().removeprefix("ruff ") if done.returncode == 0 else "none"
    if found == wanted:
        return True
    report.add(
        Code.ENV01,
        f"ruff is {found}, but pyproject.toml pins {wanted}",
        None,
        help=f"pip install ruff=={wanted}, or run `make` which sets up what it needs",
    )
    return False
