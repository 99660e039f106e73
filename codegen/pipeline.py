"""The stages in order: source, model, resolved, rendered, formatted. Nothing is written here."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from . import ir
from .decode import decode, peek
from .model import (
    FamilyModel,
    InterfaceModel,
    MongoBackendModel,
    RedisBackendModel,
    RuntimeBackendModel,
    ScenariosModel,
    SqlBackendModel,
)
from .problems import Code, Report, Span, render
from .rendering import Tree
from .rendering import render as render_tree
from .resolve.backend import Models, backend
from .resolve.interface import interface
from .resolve.needs import check_taken, check_vendored
from .resolve.scenarios import themes
from .source import load
from .styling import style

_FAMILIES: dict[str, type[Models]] = {
    "sql": SqlBackendModel,
    "redis": RedisBackendModel,
    "mongo": MongoBackendModel,
    "runtime": RuntimeBackendModel,
}
M = TypeVar("M")


class Run:
    """One run over one spec: its report, and the texts that the report points into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.report = Report()
        self._sources: dict[str, str] = {}

    def project(self) -> ir.Project | None:
        """The resolved spec, or None if it has problems."""
        written = self._read("spec/interface.yaml", InterfaceModel)
        models = [self._backend(path) for path in self._files("spec/backends")]
        cases = {path: self._read(path, ScenariosModel) for path in self._files("spec/conformance")}
        if written is None or self.report:
            return None
        shared = interface(written, self.report)
        if self.report:  # what does not fit to a broken interface is not said as well
            return None
        backends = [backend(it, shared, written, self.report) for it in models if it is not None]
        complete = {path: it for path, it in cases.items() if it is not None}
        found = themes(complete, shared, self.report)
        used = [it for it in models if it is not None]
        runtime = self.root / "templates" / "runtime"
        check_taken(used, shared, runtime, self.report)
        check_vendored(used, runtime, self.report)
        return None if self.report else ir.Project(shared, tuple(backends), found)

    def tree(self, formatted: bool = True) -> Tree:
        """The text of every generated file; empty if there are problems."""
        project = self.project()
        if project is None:
            return {}
        tree = render_tree(project, self.root / "templates", self.report)
        if not tree or not formatted:
            return tree
        return style(tree, self.root, self.report, self._sources)

    def problems(self) -> str:
        """What is wrong, as it is shown; empty if nothing is."""
        for problem in self.report.problems:
            span = problem.span
            if span is not None and span.path not in self._sources:
                path = self.root / span.path
                raw = path.read_bytes() if path.is_file() else b""
                text = raw.decode("utf-8", errors="replace")
                self._sources[span.path] = text
        return render(self.report, self._sources)

    def _read(self, path: str, model: type[M]) -> M | None:
        node, self._sources[path] = load(self.root, path, self.report)
        return None if node is None else decode(node, model, self.report)

    def _backend(self, path: str) -> Models | None:
        """Its family is read first: it decides which keys the file has."""
        node, self._sources[path] = load(self.root, path, self.report)
        if node is None:
            return None
        first = peek(node, FamilyModel, self.report)
        return None if first is None else decode(node, _FAMILIES[first.family], self.report)

    def _files(self, folder: str) -> list[str]:
        """The files of a folder: there are some, and all of them are read."""
        there = sorted(it.name for it in (self.root / folder).glob("[!.]*"))
        found = [f"{folder}/{name}" for name in there if name.endswith(".yaml")]
        for name in there:
            if not name.endswith(".yaml"):
                help = f"name it {Path(name).stem}.yaml, or move it out of spec/"
                place = Span(f"{folder}/{name}", 1, 1)
                self.report.add(Code.YAML04, "a file that is not read", place, help=help)
        if not found:
            help = "write one; without it nothing is made, or nothing is promised"
            place = Span(folder, 1, 1)
            self.report.add(Code.YAML04, "there is no *.yaml in this folder", place, help=help)
        return found


def problems_of(root: Path) -> str:
    """The report of a run over the spec and templates below `root`; "" if all is well."""
    run = Run(root)
    run.tree(formatted=False)
    return run.problems()
