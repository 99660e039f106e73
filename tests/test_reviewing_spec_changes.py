"""docs/reviewing-spec-changes.md: its examples, followed in a git repository of the project."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from codegen.diff.change import WHO
from codegen.diff.command import FORMATS
from tests.codegen.test_adding_an_operation import Change
from tests.codegen.test_diff_command import commit, git
from tests.test_adding_a_backend import Copy, is_shown

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "reviewing-spec-changes.md").read_text(encoding="utf-8")
EXAMPLES = {
    title: re.findall(r"^```(diff|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for title, text in re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", PAGE, re.MULTILINE)
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The working tree, committed as the branch main."""
    copy = Copy(tmp_path_factory.mktemp("repository"))
    shutil.copy(ROOT / ".gitignore", copy.folder)
    shutil.rmtree(copy.folder / "tests")
    git(copy.folder, "init", "--quiet", "--initial-branch", "main")
    commit(copy.folder)
    return copy


@pytest.mark.parametrize("title", [it for it, blocks in EXAMPLES.items() if blocks])
def test_an_example_is_followed(title: str, repository: Copy) -> None:
    git(repository.folder, "checkout", "--quiet", "--force", "main")
    git(repository.folder, "clean", "--quiet", "--force", "-d")
    for language, block in EXAMPLES[title]:
        if language == "diff":
            change = Change.of(block)
            repository.change(change.path, change.made(repository.text(change.path)))
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            printed = repository.shell(re.sub(r"^python ", ".venv/bin/python ", command))
            is_shown(without_commit(printed), without_commit(shown), command)


def without_commit(text: str) -> str:
    """The commit is another one each time."""
    return re.sub(r"main \([0-9a-f]{7}\)", "main (COMMIT)", text)


def test_there_are_three_examples_and_each_ends_as_the_page_says() -> None:
    told = {it: blocks for it, blocks in EXAMPLES.items() if blocks}
    assert list(told) == ["Add a column", "Change an ORDER BY", "Rename a key template"]
    for blocks in told.values():
        outputs = [block for language, block in blocks if language == "sh"]
        assert "gates not met\n" in outputs[0]
        assert "all gates are met" in outputs[-1]


def test_classes_and_formats_are_those_that_there_are() -> None:
    for impact, who in WHO.items():
        assert re.search(rf"^\| {impact} \| {who}", PAGE, re.MULTILINE), impact
    told = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert told | {"text", "json"} == set(FORMATS)


def test_the_files_that_are_named_exist() -> None:
    named = re.findall(r"`([\w.-]*/[\w./-]*[\w-]\.\w+)`", PAGE)
    assert named
    assert [it for it in named if not (ROOT / it).exists()] == []
