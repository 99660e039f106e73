"""What a spec's author reads after a mistake: each case is an edit of the real project.

`tests/errors/<CODE>-<what-is-wrong>/edit.yaml` holds one edit, or a list of them: a `file` and

- `replace` and `with`: a text that occurs exactly once, and what stands there instead,
- `append`: text added at the end,
- `write`: the whole text of the file, which may be new,
- `delete: true`: of a file or a folder.

`command: check`, as an item of the list, is for mistakes below `generated/`: everything is
generated first, and `python -m codegen check` runs after the edits. All others are checked as
`generate` does before it formats.

`expected.txt` beside it is what the generator says; the numbers of lines in files of the project
are stars in it, so that a line more in the spec changes no golden. After a change of the words, run
`UPDATE_GOLDENS=1 pytest tests/codegen/test_error_goldens.py` and review the difference.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen import writing
from codegen.__main__ import main
from codegen.pipeline import problems_of
from codegen.problems import Code
from codegen.rendering import Tree
from tests.yaml_texts import read_yaml

ERRORS = Path(__file__).parents[1] / "errors"
EXCERPT = re.compile(r"^([^\n :]+):(\d+):\d+: [^\n]*\n +(\d+) \| ([^\n]*)$", re.MULTILINE)
CASES = sorted(case.name for case in ERRORS.iterdir() if case.is_dir())


def edits_of(name: str) -> list[dict[str, Any]]:
    edits = read_yaml((ERRORS / name / "edit.yaml").read_text(encoding="utf-8"))
    return edits if isinstance(edits, list) else [edits]


def apply(edit: dict[str, Any], root: Path, put: Callable[[Path, str], None]) -> None:
    file = root / edit["file"]
    match edit:
        case {"file": _, "replace": str(old), "with": str(new), **rest} if not rest:
            text = file.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {edit['file']}"
            put(file, text.replace(old, new))
        case {"file": _, "append": str(more), **rest} if not rest:
            put(file, file.read_text(encoding="utf-8") + more)
        case {"file": _, "write": str(text), **rest} if not rest:
            put(file, text)
        case {"file": _, "delete": True, **rest} if not rest:
            shutil.rmtree(file) if file.is_dir() else file.unlink()
        case _:
            pytest.fail(f"not an edit: {sorted(edit)}")


def check_excerpts(report: str, root: Path) -> None:
    """The line that is shown is the one that is named."""
    for path, line, shown, text in EXCERPT.findall(report):
        assert shown == line
        if not path.startswith("generated/"):  # it may never have been written
            written = (root / path).read_text(encoding="utf-8").split("\n")[int(line) - 1]
            assert text.replace("\N{REPLACEMENT CHARACTER}", "") in written


def without_line_numbers(report: str, original: Path) -> str:
    blocks = report.split("\n\n")
    for number, block in enumerate(blocks):
        path = block.partition(":")[0]
        if (original / path).is_file() or path.startswith("generated/"):
            block = re.sub(r"^ *\d+ \|", "    * |", block, flags=re.MULTILINE)
            block = re.sub(r"\bline \d+", "line *", block)
            blocks[number] = re.sub(r"(\w\.(?:yaml|jinja|py|toml)):\d+:", r"\1:*:", block)
    return "\n\n".join(blocks)


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_explained(
    name: str,
    original: Path,
    project: Path,
    tree: Tree,
    put: Callable[[Path, str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    edits = edits_of(name)
    checks = {"command": "check"} in edits
    if checks:
        edits.remove({"command": "check"})
        writing.write(tree, writing.generated(project))
    for edit in edits:
        apply(edit, project, put)
    if checks:
        assert main(["--root", str(project), "check"]) == 1
        found = capsys.readouterr().err
    else:
        found = problems_of(project)
    check_excerpts(found, project)
    found = without_line_numbers(found, original)
    expected = ERRORS / name / "expected.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")
    assert str(project) not in found


@pytest.mark.parametrize("name", CASES)
def test_a_case_shows_the_code_of_its_name(name: str) -> None:
    code = name.split("-")[0]
    text = (ERRORS / name / "expected.txt").read_text(encoding="utf-8")
    headlines = [line for line in text.splitlines() if f": {code} " in line]
    assert headlines, f"{name} does not show {code}"


@pytest.mark.parametrize("code", Code.__members__)
def test_every_code_has_a_case(code: str) -> None:
    assert any(name.startswith(f"{code}-") for name in CASES), f"no tests/errors/{code}-..."


@pytest.mark.parametrize("name", CASES)
def test_a_case_holds_an_edit_and_its_outcome_only(name: str) -> None:
    files = {file.name for file in (ERRORS / name).iterdir()}
    assert files == {"edit.yaml", "expected.txt"}


def test_the_spec_as_it_is_has_no_problems(project: Path) -> None:
    assert problems_of(project) == ""
