"""The spec's files as texts and as they are decoded, without what the generator makes of them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from codegen.decode import decode, peek
from codegen.diff.older import read as read_older
from codegen.model import FamilyModel, InterfaceModel, ScenariosModel, SqlBackendModel
from codegen.nodes import MappingNode, Node
from codegen.pipeline import Written
from codegen.problems import Report
from codegen.resolve.conventions import conventional
from codegen.resolve.families import FAMILIES
from codegen.source import parse

Texts = dict[str, str]
"""By their paths, from the project's root."""


def texts_of(root: Path) -> Texts:
    spec = root / "spec"
    files = [
        spec / "interface.yaml",
        *spec.glob("backends/*.yaml"),
        *spec.glob("conformance/*.yaml"),
    ]
    return {it.relative_to(root).as_posix(): it.read_text(encoding="utf-8") for it in sorted(files)}


def decoded(path: str, node: Node, report: Report) -> Any:
    """The model of a file, as the generator decodes it."""
    if path == "spec/interface.yaml":
        return decode(node, InterfaceModel, report)
    if path.startswith("spec/conformance/"):
        return decode(node, ScenariosModel, report)
    first = peek(node, FamilyModel, report)
    found = None if first is None else decode(node, FAMILIES[first.family], report)
    return conventional(found) if isinstance(found, SqlBackendModel) else found


@functools.cache
def read(path: str, text: str) -> tuple[Node, Any]:
    """The nodes and the model of a file, once for each text."""
    report = Report()
    node = parse(text, path, report)
    assert node is not None, report.problems
    found = decoded(path, node, report)
    assert not report, [f"{it.span} {it.message}" for it in report.problems]
    return node, found


def older(texts: Texts) -> Written:
    """The same of texts that another generator understood."""
    nodes = {path: parse(text, path, Report()) for path, text in texts.items()}
    return read_older({path: it for path, it in nodes.items() if isinstance(it, MappingNode)})


def written(texts: Texts) -> Written:
    found = {path: read(path, text) for path, text in texts.items()}
    nodes = {path: node for path, (node, _) in found.items()}
    backends = [it for path, (_, it) in found.items() if path.startswith("spec/backends/")]
    scenarios = {path: it for path, (_, it) in found.items() if path.startswith("spec/conf")}
    return Written(found["spec/interface.yaml"][1], tuple(backends), scenarios, nodes)
