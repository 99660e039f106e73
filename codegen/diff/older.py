"""A spec that another generator understood, read as far as this one does.

A key that is required by now, one that is gone, a value that is known no longer: each was right in
its day. What is left can be compared, and each of these is a change of the spec's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from ..decode import decode, peek
from ..layers import BACKENDS, Layers
from ..layers import FOLDER as FAMILY_FILES
from ..model import BackendModel, FamilyModel, InterfaceModel, ScenariosModel
from ..nodes import UNREAD, ListNode, MappingNode, Node
from ..pipeline import Written
from ..problems import Code, Problem, Report, Span
from ..resolve.backend import Models
from ..resolve.conventions import conventional
from ..resolve.families import FAMILIES
from ..source import load
from .change import Note
from .gates import INTERFACE

M = TypeVar("M")

SCENARIOS = "spec/conformance"
# So much of a note is read; the rest is of the same kind.
_MOST = 5


def older(root: Path) -> Written | None:
    """The spec below `root`; None if it is none: a file of it is no YAML, or has no keys."""
    paths = [INTERFACE]
    for folder in (FAMILY_FILES, BACKENDS, SCENARIOS):
        paths += [f"{folder}/{it.name}" for it in sorted((root / folder).glob("[!.]*.yaml"))]
    nodes = {it: load(root, it, Report())[0] for it in paths}
    found = {path: it for path, it in nodes.items() if isinstance(it, MappingNode)}
    return read(found) if found.keys() == nodes.keys() else None


def read(nodes: Mapping[str, MappingNode]) -> Written:
    """The spec of these files."""
    layers = Layers.of(nodes)
    files = {path: _File(_complete(path, it, layers)) for path, it in nodes.items()}
    backends = [it for path, it in files.items() if path.startswith(BACKENDS)]
    scenarios = {path: it for path, it in files.items() if path.startswith(SCENARIOS)}
    return Written(
        files[INTERFACE].decoded(InterfaceModel),
        tuple(map(_backend, backends)),
        {path: it.decoded(ScenariosModel) for path, it in scenarios.items()},
        {path: it.marked() for path, it in files.items()},
    )


def notes(problems: Iterable[Problem]) -> tuple[Note, ...]:
    """What this generator has against each file, as one line."""
    found: dict[str, list[str]] = {}
    for it in problems:
        found.setdefault("spec" if it.span is None else it.span.path, []).append(it.message)
    return tuple(Note(path, _listed(list(dict.fromkeys(it)))) for path, it in found.items())


def _listed(messages: list[str]) -> str:
    more = len(messages) - _MOST
    return "; ".join(messages if more <= 0 else [*messages[:_MOST], f"and {more} more"])


def _complete(path: str, node: MappingNode, layers: Layers) -> MappingNode:
    """A backend's file with what lies below it, as far as that is there."""
    found = layers.complete(node, Report()) if path.startswith(BACKENDS) else None
    return found if isinstance(found, MappingNode) else node


class _File:
    def __init__(self, node: MappingNode) -> None:
        self.node = node
        self.report = Report()

    def decoded(self, model: type[M]) -> M:
        return cast(M, decode(self.node, model, self.report, lenient=True))

    def marked(self) -> Node:
        """The nodes, of which those that could not be read are marked."""
        problems = self.report.problems
        keys = {it.span for it in problems if it.code is Code.SCH01}
        values = {it.span for it in problems if it.code in (Code.SCH03, Code.SCH04)}
        return _marked(self.node, keys, values)


def _backend(file: _File) -> Models:
    family = peek(file.node, FamilyModel, file.report, lenient=True)
    # Of a family that is gone, what all families have can be compared.
    model = FAMILIES.get(cast(FamilyModel, family).family, BackendModel)
    found = file.decoded(model)
    return cast(Models, conventional(found))


def _marked(node: Node, keys: set[Span | None], values: set[Span | None]) -> Node:
    if isinstance(node, ListNode):
        return replace(node, items=tuple(_marked(it, keys, values) for it in node.items))
    if not isinstance(node, MappingNode):
        return node
    pairs = (
        (key, replace(it, tag=UNREAD))
        if key.span in keys or it.span in values
        else (key, _marked(it, keys, values))
        for key, it in node.pairs
    )
    return replace(node, pairs=tuple(pairs))
