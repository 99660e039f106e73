"""What a spec's author reads after a mistake: each case is an edit of the real spec.

`tests/errors/<CODE>-<what-is-wrong>/edit.yaml` holds one edit, or a list of them: a `file` and

- `replace` and `with`: a text that occurs exactly once, and what stands there instead,
- `append`: text added at the end,
- `write`: the whole text of the file, which may be new,
- `delete_file: true`.

`expected.txt` beside it is what the generator says. After a change of the words, run
`UPDATE_GOLDENS=1 pytest tests/codegen/test_error_goldens.py` and review the difference.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from codegen.problems import Code

ROOT = Path(__file__).parents[2]
ERRORS = ROOT / "tests" / "errors"
CASES = sorted(case.name for case in ERRORS.iterdir() if case.is_dir())


def problems_of(root: Path) -> str:
    from codegen.pipeline import problems_of

    return problems_of(root)


def apply(edit: dict[str, Any], root: Path) -> None:
    file = root / edit["file"]
    match edit:
        case {"file": _, "replace": str(old), "with": str(new), **rest} if not rest:
            text = file.read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {edit['file']}"
            file.write_text(text.replace(old, new), encoding="utf-8")
        case {"file": _, "append": str(more), **rest} if not rest:
            text = file.read_text(encoding="utf-8")
            file.write_text(text + more, encoding="utf-8")
        case {"file": _, "write": str(text), **rest} if not rest:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        case {"file": _, "delete_file": True, **rest} if not rest:
            file.unlink()
        case _:
            pytest.fail(f"not an edit: {sorted(edit)}")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("spec", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_the_spec_as_it_is_has_no_problems(project: Path) -> None:
    assert problems_of(project) == ""


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_explained(name: str, project: Path) -> None:
    edits = yaml.safe_load((ERRORS / name / "edit.yaml").read_text(encoding="utf-8"))
    for edit in edits if isinstance(edits, list) else [edits]:
        apply(edit, project)
    found = problems_of(project)
    expected = ERRORS / name / "expected.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_case_shows_the_code_of_its_name(name: str) -> None:
    code = name.split("-")[0]
    assert code in Code.__members__
    headlines = [
        line
        for line in (ERRORS / name / "expected.txt").read_text(encoding="utf-8").splitlines()
        if line.startswith((f"{code} ", "spec/", "templates/"))
    ]
    assert any(f" {code} " in f" {line}" for line in headlines), f"{name} does not show {code}"


@pytest.mark.parametrize("code", Code.__members__)
def test_every_code_has_a_case(code: str) -> None:
    assert any(name.startswith(f"{code}-") for name in CASES), f"no tests/errors/{code}-..."


@pytest.mark.parametrize("name", CASES)
def test_a_case_holds_an_edit_and_its_outcome_only(name: str) -> None:
    files = {file.name for file in (ERRORS / name).iterdir()}
    assert files == {"edit.yaml", "expected.txt"}
