"""The tests of `persistry.burr` bite: one thing is broken at a time, in a copy, and a test notices.

The matrix has no column for these classes, so that they have no mutants of it (`tests/mutants`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MADE = Path("generated", "persistry", "burr")
HERE = Path(__file__).parent


class Mutant(NamedTuple):
    breaks: str
    file: str
    """In `templates/runtime/burr`, and the same in the package."""
    find: str
    put: str
    test: str


MUTANTS = [Mutant(**it) for it in yaml.safe_load((HERE / "mutants.yaml").read_text("utf-8"))]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What running these tests takes."""
    folder = tmp_path_factory.mktemp("mutants-of-burr") / "project"
    for name in ("generated", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def run(project: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    environment = {it: value for it, value in os.environ.items() if not it.startswith("PYTEST_")}
    environment["PYTHONPATH"] = f"{project / 'generated'}:{project}"
    words = ["-q", "-x", "-p", "no:cacheprovider", "--tb=line", "--timeout=60"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, *(f"tests/burr/{it}" for it in tests)],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda it: it.breaks.replace(" ", "-"))
def test_it_is_caught(project: Path, mutant: Mutant) -> None:
    file = project / MADE / mutant.file
    text = file.read_text("utf-8")
    assert text == (ROOT / "templates" / "runtime" / "burr" / mutant.file).read_text("utf-8")
    assert text.count(mutant.find) == 1, f"it stands in the file {text.count(mutant.find)} times"
    file.write_text(text.replace(mutant.find, mutant.put), "utf-8")
    try:
        done = run(project, mutant.test)
    finally:
        file.write_text(text, "utf-8")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, f"{mutant.breaks}: {done.stdout}"
    assert "1 failed" in done.stdout, f"not by what the test asserts, but: {done.stdout}"


def test_the_tests_pass_without_a_mutant(project: Path) -> None:
    tests = sorted({it.test for it in MUTANTS})
    done = run(project, *tests)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert f"{len(tests)} passed" in done.stdout
