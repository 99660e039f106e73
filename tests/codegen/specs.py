"""The spec's files as texts and as they are decoded, without what the generator makes of them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codegen.decode import decode, peek
from codegen.diff.older import read as read_older
from codegen.layers import Layers
from codegen.model import FamilyModel, InterfaceModel, ScenariosModel
from codegen.nodes import MappingNode, Node
from codegen.pipeline import Written
from codegen.problems import Report
from codegen.resolve.conventions import conventional
from codegen.resolve.families import FAMILIES
from codegen.source import parse

Texts = dict[str, str]
"""By their paths, from the project's root."""

KINDS = ("interface.yaml", "families/*.yaml", "backends/*.yaml", "conformance/*.yaml")
BACKENDS = "spec/backends/"


def texts_of(root: Path) -> Texts:
    files = sorted(it for kind in KINDS for it in (root / "spec").glob(kind))
    return {it.relative_to(root).as_posix(): it.read_text(encoding="utf-8") for it in files}


def around(path: str, texts: Texts) -> Texts:
    """What the meaning of a file depends on: of a backend what it is like, and its family."""
    if not path.startswith(BACKENDS):
        return {path: texts[path]}
    found = {it for it in texts if it.startswith("spec/families/")} | {path}
    found |= {it for it in texts if re.search(rf"\blike: {Path(it).stem}\b", texts[path])}
    return {it: texts[it] for it in sorted(found)}


def decoded(path: str, node: Node, report: Report, nodes: Mapping[str, Node]) -> Any:
    """The model of a file, as the generator decodes it among the others; of a family none."""
    if path == "spec/interface.yaml":
        return decode(node, InterfaceModel, report)
    if path.startswith("spec/conformance/"):
        return decode(node, ScenariosModel, report)
    if not path.startswith(BACKENDS):
        return None
    complete = laid(node, report, nodes)
    first = None if complete is None else peek(complete, FamilyModel, report)
    if complete is None or first is None:
        return None
    found = decode(complete, FAMILIES[first.family], report)
    return None if found is None else conventional(found)


def laid(node: Node, report: Report, nodes: Mapping[str, Node]) -> Node | None:
    """A backend file with what lies below it."""
    return Layers.of(nodes).complete(node, report)


@functools.cache
def read(path: str, text: str) -> Node:
    """The nodes of a file, once for each text."""
    report = Report()
    node = parse(text, path, report)
    assert node is not None, report.problems
    return node


def older(texts: Texts) -> Written:
    """The same of texts that another generator understood."""
    nodes = {path: parse(text, path, Report()) for path, text in texts.items()}
    return read_older({path: it for path, it in nodes.items() if isinstance(it, MappingNode)})


@functools.cache
def modelled(path: str, *texts: tuple[str, str]) -> tuple[Node, Any]:
    """The nodes and the model of a file among others, once for each text of them."""
    nodes = {name: read(name, text) for name, text in texts}
    report = Report()
    found = decoded(path, nodes[path], report, nodes)
    assert not report, [f"{it.span} {it.message}" for it in report.problems]
    is_backend = path.startswith(BACKENDS)
    return (laid(nodes[path], report, nodes) or nodes[path]) if is_backend else nodes[path], found


def written(texts: Texts) -> Written:
    found = {path: modelled(path, *around(path, texts).items()) for path in texts}
    return Written(
        found["spec/interface.yaml"][1],
        tuple(model for path, (_, model) in found.items() if path.startswith(BACKENDS)),
        {path: model for path, (_, model) in found.items() if path.startswith("spec/conf")},
        {path: node for path, (node, _) in found.items()},
    )
