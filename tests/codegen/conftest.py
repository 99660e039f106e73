"""A copy of the project to spoil, and what the generator makes of the project as it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codegen import ir, writing
from codegen.pipeline import Run
from codegen.rendering import Tree
from tests.codegen.specs import Texts, texts_of
from tests.reading import read_once

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def reading() -> Iterator[None]:
    """Most tests change one file of many: what they leave alone is read once for all of them."""
    with read_once():
        yield


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the generator reads, as it is when the tests begin."""
    folder = tmp_path_factory.mktemp("original")
    for name in ("spec", "templates"):
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="session")
def tree(original: Path) -> Tree:
    """Every generated file, formatted."""
    run = Run(original)
    made = run.tree()
    assert run.problems() == ""
    return made


@pytest.fixture(scope="session")
def resolved(original: Path) -> ir.Project:
    """The spec, resolved."""
    run = Run(original)
    found = run.project()
    assert found is not None, run.problems()
    return found


@pytest.fixture(scope="session")
def texts(original: Path) -> Texts:
    """The files of the spec."""
    return texts_of(original)


@pytest.fixture
def project(original: Path, tmp_path: Path) -> Path:
    """A copy of what the generator reads, to spoil. It is made of links: write with `put` only."""
    return Path(shutil.copytree(original, tmp_path / "project", copy_function=os.link))


@pytest.fixture
def generated(project: Path, tree: Tree) -> Path:
    """A copy with everything generated."""
    writing.write(tree, writing.generated(project))
    return project


@pytest.fixture(scope="session")
def put() -> Callable[[Path, str], None]:
    """Writes a file anew, so that what it was linked to stays as it is."""

    def put(file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8")

    return put
