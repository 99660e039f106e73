"""The pages are true: their Python runs, their commands exist, the first screen is one screen."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import persistry

ROOT = Path(__file__).parent.parent
# Told as one story, and tried as one: their blocks belong together.
# tests/test_out_of_tree.py, tests/test_adding_a_backend.py
STORIES = {"out-of-tree.md", "adding-a-backend.md"}
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of a page in this language, each with its line."""
    text = page.read_text()
    found = re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [(text[: match.start()].count("\n") + 1, match[1]) for match in found]


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder that has the modules of the pages: blocks that begin with a name."""
    for page in (it for it in PAGES if it.name not in STORIES):
        for _, block in blocks(page, "python"):
            if match := re.match(r"# (\w+\.py)\n", block):
                (cwd / match[1]).write_text(block)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def of(language: str) -> list[Any]:
    return [
        pytest.param(block, id=f"{page.name}:{line}")
        for page in PAGES
        if page.name not in STORIES
        for line, block in blocks(page, language)
    ]


@pytest.mark.parametrize("block", of("python"))
def test_python_runs_and_prints_what_its_comments_say(block: str, tmp_path: Path) -> None:
    done = python("-c", block, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"print\(.*\)\s+# (.*)$", block, re.MULTILINE)
    assert done.stdout.splitlines() == promised


def stable(text: str) -> list[str]:
    """Lines without what changes with every new case, or from run to run; 0 stays 0."""
    text = re.sub(r"\d+\.\d s", "N s", text)
    text = re.sub(r"\b[1-9]\d*\b", "N", text)
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.timeout(400)  # one of them runs the whole matrix
@pytest.mark.parametrize("block", of("console"))
def test_commands_print_what_the_page_shows(block: str, tmp_path: Path) -> None:
    """Lines of dots stand for any lines."""
    command, _, shown = block.removeprefix("$ python ").partition("\n")
    done = python(*command.split(), cwd=tmp_path)
    assert done.stderr == ""
    pattern = "\n".join(".*" if line == "..." else re.escape(line) for line in stable(shown))
    printed = "\n".join(stable(done.stdout))
    assert re.fullmatch(pattern, printed, re.DOTALL), done.stdout
    counts = re.search(r": \d+ passed, (\d+) failed", done.stdout)
    assert counts is not None
    assert done.returncode == (counts[1] != "0")


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", page.read_text(), re.MULTILINE)
        assert {first or second for first, second in named} <= targets, page.name


def test_readme_is_one_screen_and_names_every_class() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 66
    classes = [name for name in dir(persistry) if name.endswith("Persister") and "Base" not in name]
    classes += ["RedisBasePersister", "AsyncRedisBasePersister"]
    classes += ["MongoDBBasePersister", "AsyncMongoDBBasePersister"]
    assert [name for name in classes if f"`{name}`" not in text] == []


def test_variables_of_the_tests_are_those_of_the_page() -> None:
    told = set(re.findall(r"`(PERSISTRY_[A-Z_]+)", (ROOT / "docs" / "testing.md").read_text()))
    used = set()
    for path in (ROOT / "tests").rglob("*.py"):
        used |= set(re.findall(r'"(PERSISTRY_[A-Z_]+)"', path.read_text()))
    assert told == used


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
