"""A copy of the project to spoil, and what the generator makes of the project as it is."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codegen import ir, pipeline, source, writing
from codegen.nodes import Node
from codegen.pipeline import Run
from codegen.problems import Report
from codegen.rendering import Tree

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Most tests change one file of many: what they leave alone is read once for all of them."""
    parse, decode = source.parse, pipeline.decode
    decoded: dict[tuple[int, type], tuple[Node, Any]] = {}

    @functools.cache
    def good(text: str, path: str) -> Node | None:
        report = Report()
        node = parse(text, path, report)
        return None if report else node

    def parse_once(text: str, path: str, report: Report) -> Node | None:
        return good(text, path) or parse(text, path, report)

    def decode_once(node: Node, type_: type, report: Report) -> Any:
        found = decoded.get((id(node), type_))
        if found is None:
            found = node, decode(node, type_, report)
            if not report:  # the node is kept with it, so that no other one gets its id
                decoded[id(node), type_] = found
        return found[1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "parse", parse_once)
        patch.setattr(pipeline, "decode", decode_once)
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


@pytest.fixture
def project(original: Path, tmp_path: Path) -> Path:
    """A copy of what the generator reads, to spoil. It is made of links: write with `put` only."""
    return Path(shutil.copytree(original, tmp_path / "project", copy_function=os.link))


@pytest.fixture
def generated(project: Path, tree: Tree) -> Path:
    """A copy with everything generated."""
    writing.write(tree, project)
    return project


@pytest.fixture(scope="session")
def put() -> Callable[[Path, str], None]:
    """Writes a file anew, so that what it was linked to stays as it is."""

    def put(file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text, encoding="utf-8")

    return put
