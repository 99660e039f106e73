"""The forge's workflow, run as its runner would: each shell step in a shallow clone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.codegen.test_diff_command import change, commit, git
from tests.test_adding_a_backend import NEEDED

ROOT = Path(__file__).parents[1]
WORKFLOW = ROOT / ".github" / "workflows" / "spec-review.yml"
SQLITE = "spec/backends/sqlite.yaml"
# Where the forge has the merge of a pull request with its base.
PULLED = "refs/pull/1/merge"
# `on` is a truth value in YAML 1.1, which PyYAML reads.
SAID: dict[Any, Any] = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = SAID["jobs"]["review"]["steps"]


def test_it_reviews_pull_requests_and_may_write_nothing() -> None:
    assert SAID[True] == {"pull_request": None}
    assert SAID["permissions"] == {"contents": "read"}
    assert list(SAID["jobs"]) == ["review"]
    assert "permissions" not in SAID["jobs"]["review"]
    assert "secrets" not in WORKFLOW.read_text(encoding="utf-8")


def test_actions_have_a_major_version_and_keep_no_token() -> None:
    used = [it["uses"] for it in STEPS if "uses" in it]
    assert [it for it in used if not re.fullmatch(r"actions/[\w-]+@v\d+", it)] == []
    assert STEPS[0]["with"] == {"fetch-depth": 2, "persist-credentials": False}
    python = STEPS[1]["with"]["python-version"]
    required = re.search(r'requires-python = ">=(.+)"', (ROOT / "pyproject.toml").read_text())
    assert required is not None
    assert python == required[1]


def test_a_step_is_either_an_action_or_a_command_and_nothing_of_the_event_is_in_a_command() -> None:
    """What a pull request's author chooses would be run by the shell."""
    for step in STEPS:
        assert ("uses" in step) != ("run" in step)
        assert "${{" not in step.get("run", "")


class Runner:
    """The merge with its base, fetched as checkout does it: that ref alone, so deep as is said."""

    def __init__(self, folder: Path, origin: Path, depth: int = 0, base: str = "main") -> None:
        self.folder = folder / "project"
        self.base = base
        deep = f"--depth={depth or STEPS[0]['with']['fetch-depth']}"
        git(folder, "init", "--quiet", str(self.folder))
        git(self.folder, "remote", "add", "origin", origin.as_uri())
        there = "refs/remotes/pull/1/merge"
        git(self.folder, "fetch", "--quiet", "--no-tags", deep, "origin", f"+{PULLED}:{there}")
        git(self.folder, "checkout", "--quiet", "--force", there)
        (self.folder / ".venv").mkdir()
        for path in Path(sys.prefix).iterdir():
            if path.name in ("bin", "lib", "lib64", "pyvenv.cfg"):
                (self.folder / ".venv" / path.name).symlink_to(path)
        (self.folder / ".venv" / ".ready").touch()  # nothing is to be installed
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._summary = folder / "summary.md"
        self._summary.touch()

    @property
    def summary(self) -> str:
        return self._summary.read_text(encoding="utf-8")

    def run(self) -> tuple[list[int], str]:
        """The exit code of each shell step, and what they print; one that fails ends the job for
        those that do not say otherwise."""
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(self.folder / "generated"), str(self.folder)]),
            "GITHUB_BASE_REF": self.base,
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "RUNNER_TEMP": str(self.temporary),
        }
        codes: list[int] = []
        printed = ""
        for step in STEPS:
            if "run" not in step or (any(codes) and step.get("if") != "${{ !cancelled() }}"):
                continue
            script = self.temporary / "step.sh"
            script.write_text(step["run"], encoding="utf-8")
            done = subprocess.run(
                ["bash", "-e", str(script)],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            codes.append(done.returncode)
            printed += done.stdout
        return codes, printed


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """The project as its base branch has it."""
    folder = tmp_path / "origin"
    folder.mkdir()
    for name in (*NEEDED, ".gitignore"):
        ignored = shutil.ignore_patterns("__pycache__")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder)
    return folder


def merged(origin: Path) -> None:
    """The working tree as a pull request, merged into a base where something else has changed."""
    git(origin, "checkout", "--quiet", "-b", "change")
    commit(origin)
    git(origin, "checkout", "--quiet", "main")
    (origin / "elsewhere.txt").write_text("changed meanwhile\n", encoding="utf-8")
    commit(origin)
    git(origin, "checkout", "--quiet", "--detach")
    git(origin, "merge", "--quiet", "--no-ff", "--message", "Merged", "change")
    git(origin, "update-ref", PULLED, "HEAD")


def test_a_gate_that_is_not_met_fails_and_everything_is_shown(origin: Path, tmp_path: Path) -> None:
    """`generated/` was not made anew, either."""
    change(origin, SQLITE, ("title: SQLite\n", "title: SQLite 3\n"))
    change(origin, SQLITE, ("    aliases: [persistence]\n", ""))
    merged(origin)
    runner = Runner(tmp_path, origin)
    codes, printed = runner.run()
    assert codes == [2, 1]  # make's own code, and that of the comparison
    assert "GEN02 is out of date" in printed
    lines = [it for it in printed.splitlines() if it.startswith("::")]
    assert [it.partition(" ")[0] for it in lines] == ["::error", "::notice"]
    assert f"file={SQLITE},title=breaking%3A alias-removed" in lines[0]
    assert runner.summary.startswith(
        "## ❌ Spec review: 1 of 1 gates not met\n\nAgainst `origin/main` ("
    )
    page = (runner.temporary / "spec-review.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    upload = STEPS[-1]["with"]["path"]
    assert upload == "${{ runner.temp }}/spec-review.html"


def test_a_change_that_nobody_is_hit_by_passes(origin: Path, tmp_path: Path) -> None:
    change(origin, SQLITE, ("  example: sqlite:///steps.db\n", "  example: sqlite:///s.db\n"))
    merged(origin)
    runner = Runner(tmp_path, origin)
    codes, printed = runner.run()
    assert codes[-1] == 0, printed
    assert runner.summary.startswith("## ✅ Spec review: no gate has to be met\n")
    assert "::notice file=spec/backends/sqlite.yaml,line=" in printed
    # What changed on the base meanwhile is no change of the pull request.
    assert "elsewhere" not in runner.summary


def test_a_spec_with_a_problem_says_so_and_leaves_no_page(origin: Path, tmp_path: Path) -> None:
    change(origin, SQLITE, ("title: SQLite\n", "titel: SQLite\n"))
    merged(origin)
    runner = Runner(tmp_path, origin)
    codes, printed = runner.run()
    assert codes == [2, 2]
    assert "SCH01" in printed
    assert runner.summary == "The two specs cannot be compared: the log says why.\n"
    assert not (runner.temporary / "spec-review.html").exists()


def test_a_base_that_was_not_fetched_is_told(origin: Path, tmp_path: Path) -> None:
    change(origin, SQLITE, ("title: SQLite\n", "title: SQLite 3\n"))
    merged(origin)
    runner = Runner(tmp_path, origin, depth=1)
    codes, _ = runner.run()
    assert codes[-1] == 2
    assert runner.summary.startswith("The base is not here: ")


def test_a_base_branch_in_a_folder_that_is_for_another_generator(
    origin: Path, tmp_path: Path
) -> None:
    """The pull request changes the spec's language, and is reviewed all the same."""
    change(origin, SQLITE, ("title: SQLite\n", "title: SQLite\nsince: 2000\n"))
    commit(origin)
    change(origin, SQLITE, ("since: 2000\n", ""))
    merged(origin)
    runner = Runner(tmp_path, origin, base="release/1.0")
    codes, printed = runner.run()
    assert codes == [0, 1]
    assert "::notice title=origin/release/1.0 was written for another generator" in printed
    assert "unknown key 'since' in a backend" in runner.summary


def test_what_is_generated_is_folded_and_still_compared_by_git(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    shutil.copy(ROOT / ".gitattributes", tmp_path)

    def attribute(name: str, path: str) -> str:
        return git(tmp_path, "check-attr", name, path).rpartition(": ")[2]

    assert attribute("linguist-generated", "generated/persistry/b_sqlite3.py") == "set"
    assert attribute("linguist-generated", "tests/golden/show_sqlite.txt") == "set"
    assert attribute("diff", "generated/persistry/b_sqlite3.py") == "unspecified"
    for path in (SQLITE, "spec/locks/sqlite.lock.yaml", "tests/golden/review/review.md"):
        assert attribute("linguist-generated", path) == "unspecified"
