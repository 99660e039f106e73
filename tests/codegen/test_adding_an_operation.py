"""docs/adding-an-operation.md is true: its changes stand in the project, and lead to its messages.

All changes of the page are taken back in a copy of the project that has the backends which the
page shows; then the page is followed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from codegen.pipeline import problems_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-an-operation.md").read_text(encoding="utf-8")
SCENARIOS = "spec/conformance/listing_partitions.yaml"
Put = Callable[[Path, str], None]


@dataclass(frozen=True)
class Change:
    """A diff of one file: what stood there, and what stands there now."""

    path: str
    hunks: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, block: str) -> Change:
        first, _, rest = block.partition("\n")
        hunks = []
        for hunk in rest.split("@@\n"):
            lines = hunk.splitlines(keepends=True)
            before, after = (
                "".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +")
            )
            hunks.append((before, after))
        return cls(first.removeprefix("--- "), tuple(hunks))

    def made(self, text: str) -> str:
        for before, after in self.hunks:
            text = replaced(text, before, after, self.path)
        return text

    def taken_back(self, text: str) -> str:
        for before, after in self.hunks:
            text = replaced(text, after, before, self.path)
        return text


def replaced(text: str, old: str, new: str, path: str) -> str:
    assert text.count(old) == 1, f"{path} has this {text.count(old)} times:\n{old}"
    return text.replace(old, new)


def blocks() -> list[tuple[str, str]]:
    """The diffs and the messages, in their order."""
    found = re.findall(r"^```(diff|text)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return list(found)


def without_numbers(text: str) -> list[str]:
    """A line more in a file of the spec changes no message; nor does the width of its number."""
    text = re.sub(r"^(\S+\.yaml):\d+:", r"\1:*:", text, flags=re.MULTILINE)
    text = re.sub(r"^ *\d* \|", "* |", text, flags=re.MULTILINE)
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_page_is_followed(project: Path, put: Put) -> None:
    for file in (project / "spec" / "backends").glob("*.yaml"):
        if f"spec/backends/{file.name}" not in PAGE:
            file.unlink()
    shutil.rmtree(project / "spec" / "locks")  # as before the first release
    found = blocks()
    changes = [Change.of(block) for kind, block in found if kind == "diff"]
    (scenarios,) = (it for it in changes if it.path == SCENARIOS)
    for change in reversed([it for it in changes if it is not scenarios]):
        file = project / change.path
        put(file, change.taken_back(file.read_text(encoding="utf-8")))
    (project / SCENARIOS).unlink()
    assert problems_of(project) == "", "the page leaves something out"
    for number, (kind, block) in enumerate(found):
        if kind == "text":
            pattern = "\n".join(
                ".*" if line == "..." else re.escape(line) for line in without_numbers(block)
            )
            said = "\n".join(without_numbers(problems_of(project)))
            assert re.fullmatch(pattern, said, re.DOTALL), said
            continue
        change = Change.of(block)
        if change.path == SCENARIOS:
            put(project / SCENARIOS, change.hunks[0][1])
        else:
            file = project / change.path
            put(file, change.made(file.read_text(encoding="utf-8")))
        if change.path == "templates/runtime/in_memory.py":
            assert problems_of(project) == "", f"block {number} was to be the last one"
    for change in changes:
        if change is not scenarios:
            original = (ROOT / change.path).read_text(encoding="utf-8")
            assert (project / change.path).read_text(encoding="utf-8") == original


def test_the_misspelt_scenario_stands_in_the_project() -> None:
    (block,) = (it for kind, it in blocks() if kind == "diff" and SCENARIOS in it)
    ((_, written),) = Change.of(block).hunks
    text = (ROOT / SCENARIOS).read_text(encoding="utf-8")
    assert text.startswith(written.replace("list_partition_key:", "list_partition_keys:"))


def test_the_files_that_are_named_exist() -> None:
    named = re.findall(r"`([\w./-]+/[\w.-]+)`", PAGE)
    assert len(named) > 15
    assert [it for it in named if not (ROOT / it).exists()] == []


def test_nothing_else_names_the_operation() -> None:
    """No template of a class and nothing in the generator; its pages of help may show it."""
    files = [*(ROOT / "codegen").rglob("*.py")]
    for family in ("sql", "redis", "mongo", "package"):
        files += (ROOT / "templates" / family).rglob("*.jinja")
    assert len(files) > 40
    for path in files:
        assert "list_partition" not in path.read_text(encoding="utf-8"), path.name
