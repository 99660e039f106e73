"""Every problem has a page, and what the page calls wrong and right is so."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen.explain import PAGES, page
from codegen.pipeline import Run
from codegen.problems import Code

CODEGEN = PAGES.parent
GOLDENS = Path(__file__).parents[1] / "errors"
EXAMPLES = re.compile(
    r"^Wrong(?:, in `(?P<file>[^`]+)`)?:\n\n```(?P<language>\w+)\n(?P<wrong>.*?)\n```\n\n"
    r"Right:\n\n```\w+\n(?P<right>.*?)\n```\n\nTo mend it: ",
    re.DOTALL | re.MULTILINE,
)
Put = Callable[[Path, str], None]


def raised() -> set[str]:
    """The codes that the generator's own sources name outside of their declaration."""
    found = set()
    for path in CODEGEN.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Code":
                found.add(node.attr)
    return found & Code.__members__.keys()


def test_every_code_is_raised_somewhere() -> None:
    assert raised() == set(Code.__members__)


def test_every_code_has_a_page_and_no_page_is_left_over() -> None:
    assert {path.name for path in PAGES.iterdir()} == {f"{code}.md" for code in raised()}


def test_every_code_has_a_golden_and_no_golden_is_left_over() -> None:
    assert {path.name.partition("-")[0] for path in GOLDENS.iterdir()} == raised()


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_a_page_says_what_why_and_how(code: Code) -> None:
    text = page(code)
    assert text.startswith(f"# {code.name}: {code.title}\n\n")
    assert "\nWhy it matters: " in text
    assert EXAMPLES.search(text), "no wrong and right excerpt"
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert max(map(len, prose.splitlines())) <= 100


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_the_excerpts_are_wrong_and_right(
    code: Code, generated: Path, put: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    """An excerpt is a piece of the file that the page names, or a command run in the project.

    The right piece stands in the file as it is, and that has no problems: another test says so.
    """
    example = EXAMPLES.search(page(code))
    assert example is not None
    wrong, right = example["wrong"], example["right"]
    if example["language"] == "sh":
        run(wrong, generated)
        assert codes_of(generated, capsys) == {code.name}
        run(right, generated)
        assert codes_of(generated, capsys) == set()
    else:
        file = generated / example["file"]
        text = file.read_text(encoding="utf-8")
        assert text.count(f"\n{right}\n") == 1, f"{example['file']} does not read like this"
        put(file, text.replace(f"\n{right}\n", f"\n{wrong}\n"))
        assert codes_of(generated, capsys) == {code.name}


def codes_of(project: Path, capsys: pytest.CaptureFixture[str]) -> set[str]:
    """What `generate` finds, and if that is nothing, what `check` does."""
    run = Run(project)
    run.tree(formatted=False)
    if run.report:
        return {problem.code.name for problem in run.report.problems}
    capsys.readouterr()
    main(["--root", str(project), "check"])
    return set(re.findall(r": ([A-Z]+\d\d) ", capsys.readouterr().err))


def run(command: str, project: Path) -> None:
    if command == "make generate":
        assert main(["--root", str(project), "generate"]) == 0
    else:
        subprocess.run(["sh", "-ec", command], cwd=project, check=True)


# The command


def test_a_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "sql01", "KEY01"]) == 0
    assert capsys.readouterr().out == f"{page(Code.SQL01)}\n{page(Code.KEY01)}"


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{code.name:7} {code.title}" for code in Code]


@pytest.mark.parametrize(
    ("name", "near"), [("SQL1", "did you mean 'SQL01'?"), ("sch5", "SCH0"), ("nonsense", "")]
)
def test_an_unknown_code_is_refused(
    name: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", name]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"there is no code {name!r}; ")
    assert near in said


def test_each_report_says_how_to_learn_more(
    project: Path, put: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project / "spec/backends/sqlite.yaml"
    text = file.read_text(encoding="utf-8").replace("  generation: 1\n", "")
    put(file, text)
    main(["--root", str(project), "generate"])
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "to learn more: python -m codegen explain SCH02"
    main(last.removeprefix("to learn more: python -m codegen ").split())
    assert capsys.readouterr().out.startswith("# SCH02: ")
