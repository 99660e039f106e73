"""Formats the tree as a careful person would: one run of the pinned ruff over all files."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from .problems import Code, Report, Span
from .rendering import PACKAGE, Tree, original, source_of
from .writing import FOLDER


def style(
    tree: Tree, root: Path, report: Report, sources: dict[str, str], shown: str = f"{FOLDER}/"
) -> Tree:
    """The formatted tree. Imports are sorted and unused ones removed; the rest must be clean.

    What is not clean was never written: `sources` gets its text, for the report to show, which
    begins the paths as `shown` says.
    """
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
            ["check", "--select", "F,E9", "--output-format", "concise"],
        ):
            done = _ruff([*arguments, "--no-cache", "."], base)
            if done.returncode != 0:
                _explain(_complaints(done), base, report, sources, shown)
                return {}
        return {
            name: _with_verbatim(name, text, (base / name).read_text(encoding="utf-8"))
            for name, text in tree.items()
        }


# `ruff format` and `ruff check` write a place and a message in two ways.
_FORMAT = re.compile(r"error: Failed to parse (?P<path>\S+?):(?P<line>\d+):(?P<column>\d+): (.*)")
_CHECK = re.compile(r"(?P<path>\S+?):(?P<line>\d+):(?P<column>\d+): \S+ (?:\[\*\] )?(.*)")


def _complaints(done: subprocess.CompletedProcess[str]) -> list[tuple[str, int, int, str]]:
    """Each message once, with its first place: one mistake shows in both colours."""
    found: dict[str, tuple[str, int, int, str]] = {}
    for line in (done.stderr + done.stdout).splitlines():
        match = _FORMAT.fullmatch(line) or _CHECK.fullmatch(line)
        if match is not None:
            path, number, column, message = match.groups()
            found.setdefault(message, (path, int(number), int(column), message))
    return list(found.values()) or [("", 1, 1, (done.stderr + done.stdout).strip())]


def _explain(
    complaints: list[tuple[str, int, int, str]],
    base: Path,
    report: Report,
    sources: dict[str, str],
    shown: str,
) -> None:
    for path, line, column, message in complaints:
        if not path:  # ruff itself failed
            report.add(Code.GEN04, message, None, help="run ruff by hand on what it names")
            continue
        text = (base / path).read_text(encoding="utf-8")
        place = f"{shown}{path}"
        sources[place] = text
        word = re.compile(r"\w+").match(text.split("\n")[line - 1], column - 1)
        made = source_of(text)
        help = f"it comes from {made} or a template" if made else f"it is {original(path)}"
        report.add(
            Code.GEN04,
            f"this would be no clean Python: {message}",
            Span(place, line, column, len(word[0]) if word else 1),
            help=f"{help}; correct it there",
        )


def _with_verbatim(name: str, before: str, after: str) -> str:
    """What is vendored byte for byte stays so; its own folder is linted where it stands."""
    return after if before.startswith("# Code generated") else before


def _ruff(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ruff", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _is_pinned(root: Path, report: Report) -> bool:
    """Another version of ruff would format everything a little differently, for everybody."""
    path = root / "pyproject.toml"
    if not path.is_file() and (required := _required()):
        return _is_found(required, None, root, report)
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    pin = _PIN.search(text)
    if pin is None:
        help = 'write required-version = "==..." under [tool.ruff]'
        place = Span("pyproject.toml", 1, 1)
        report.add(Code.ENV01, "pyproject.toml pins no version of ruff", place, help=help)
        return False
    before = text[: pin.start(1)]
    place = Span(
        "pyproject.toml", before.count("\n") + 1, len(before) - before.rfind("\n"), len(pin[1])
    )
    return _is_found(pin[1], place, root, report)


def _is_found(pinned: str, place: Span | None, root: Path, report: Report) -> bool:
    done = _ruff(["--version"], root)
    found = done.stdout.strip().removeprefix("ruff ") if done.returncode == 0 else "missing"
    if found == pinned:
        return True
    message = f"ruff is {found}, but everybody formats with {pinned}"
    help = f"pip install ruff=={pinned}; a newer one comes with a commit of its own"
    report.add(Code.ENV01, message, place, help=help)
    return False


def _required() -> str:
    """The version that the installed package's extra brings; there is no pyproject.toml then."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        for needed in metadata.requires(PACKAGE) or []:
            if match := _REQUIRED.match(needed):
                return match[1]
    return ""


_REQUIRED = re.compile(r"ruff==([^;\s]+)")
_PIN = re.compile(r'^required-version = "==([^"]+)"', re.MULTILINE)
