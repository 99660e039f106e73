"""The stages in order: source, model, resolved, rendered, formatted. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from . import ir, locking, outside, plans, words
from .decode import decode, peek
from .editor import schemas
from .layers import BACKENDS, Layers, gathered, keys_in
from .layers import FOLDER as FAMILY_FILES
from .model import (
    FamilyModel,
    InterfaceModel,
    MongoBackendModel,
    PlansModel,
    ScenariosModel,
    SqlBackendModel,
)
from .nodes import MappingNode, Node, ScalarNode
from .problems import Code, Report, Span, render
from .rendering import Tree
from .rendering import render as render_tree
from .resolve.backend import Models, backend
from .resolve.conventions import conventional
from .resolve.families import FAMILIES, is_of_another
from .resolve.interface import interface
from .resolve.libraries import check_extras
from .resolve.needs import check_taken, check_vendored
from .resolve.scenarios import themes
from .source import load
from .styling import style
from .writing import FOLDER

M = TypeVar("M")


@dataclass(frozen=True)
class Written:
    """The spec as it is written, by its files."""

    interface: InterfaceModel
    backends: tuple[Models, ...]
    scenarios: dict[str, ScenariosModel]
    nodes: dict[str, Node]


class Run:
    """One run over one spec: its report, and the texts that the report points into.

    With `own`, a folder of somebody's backend files, it makes the `package` for those: `root` then
    has the interface and the templates.
    """

    def __init__(self, root: Path, own: Path | None = None, package: str = "") -> None:
        self.root = root
        self.own = own
        self.package = package
        self.report = Report()
        self.base = root if own is None else own.parent
        self.written: Written | None = None
        self._nodes: dict[str, Node] = {}
        self._sources: dict[str, str] = {}
        self._found: dict[str, Node | None] = {}
        self.models: list[Models] = []

    def project(self) -> ir.Project | None:
        """The resolved spec, or None if it has problems."""
        written = self._read(self.root, "spec/interface.yaml", InterfaceModel)
        folder, scenarios = self._folders()
        reports = {path: Report() for path in self._files(folder)}
        layers = self._layers(folder)
        read = {path: self._backend(path, layers, it) for path, it in reports.items()}
        gathered(reports, self.report)
        cases = {
            path: self._read(self.base, path, ScenariosModel)
            for path in (self._files(scenarios) if scenarios else ())
        }
        if written is None or self.report:
            return None
        shared = interface(written, self.report)
        if self.report:  # what does not fit to a broken interface is not said as well
            return None
        models = {path: it for path, it in read.items() if it is not None}
        backends = [backend(it, shared, written, reports[path]) for path, it in models.items()]
        gathered(reports, self.report)
        complete = {path: it for path, it in cases.items() if it is not None}
        taken = frozenset() if self.own is None else outside.cases()
        found = themes(complete, shared, self.report, taken)
        used = self.models = [*models.values()]
        self.written = Written(written, tuple(used), complete, self._nodes)
        runtime = self.root / "templates" / "runtime"
        check_taken(used, shared, runtime, self.report)
        check_vendored(used, shared, runtime, self.report)
        # Whoever makes a package of their own says what to install as they like.
        home = self.root if self.own is None else self.own
        check_extras(used, home / "pyproject.toml", self.report)
        return None if self.report else ir.Project(shared, tuple(backends), found, self._said())

    def tree(self, formatted: bool = True) -> Tree:
        """The text of every generated file; empty if there are problems."""
        project = self.project()
        if project is None or self.locks() is None:
            return {}
        templates = self.root / "templates"
        if self.own is None:
            tree = render_tree(project, templates, self.report)
            tree |= schemas(project)
        else:
            name = self.own.name
            tree = outside.render(project, templates, self.package, name, self.report)
        if self.report or not formatted:
            return {} if self.report else tree
        return style(tree, self.root, self.report, self._sources, "" if self.own else f"{FOLDER}/")

    def check_plans(self) -> None:
        """Hold the recorded plans to the spec, which has been read; nobody else's are recorded."""
        if self.own is None:
            folder = self.root / plans.FOLDER
            paths = [f"{plans.FOLDER}/{it.name}" for it in sorted(folder.glob("[!.]*.yaml"))]
            recorded = {it: self._read(self.root, it, PlansModel) for it in paths}
            kinds = SqlBackendModel | MongoBackendModel
            planned = [it for it in self.models if isinstance(it, kinds)]
            plans.check(planned, recorded, self.report)

    def locks(self) -> list[locking.Lock] | None:
        """The locks of the project that was resolved, or None if it does not fit to them."""
        if self.own is None:
            place = locking.Place(self.base, "spec/locks", "make lock")
        else:
            place = locking.Place(self.base, f"{self.own.name}/locks", outside.LOCK)
        found = locking.locks(self.models, place, self.report)
        return None if self.report else found

    def problems(self) -> str:
        """What is wrong, as it is shown; empty if nothing is."""
        for problem in self.report.problems:
            span = problem.span
            if span is not None and span.path not in self._sources:
                homes = (self.base / span.path, self.root / span.path)
                path = next(filter(Path.is_file, homes), homes[0])
                raw = path.read_bytes() if path.is_file() else b""
                text = raw.decode("utf-8", errors="replace")
                self._sources[span.path] = text
        return render(self.report, self._sources)

    def _folders(self) -> tuple[str, str]:
        """Where backends and scenarios are; the second is empty if there need be none."""
        if self.own is None:
            return BACKENDS, "spec/conformance"
        cases = f"{self.own.name}/conformance"
        return self.own.name, cases if (self.base / cases).is_dir() else ""

    def _read(self, base: Path, path: str, model: type[M]) -> M | None:
        node = self._load(base, path)
        return None if node is None else decode(node, model, self.report)

    def _load(self, base: Path, path: str) -> Node | None:
        """The nodes of a file, which is read once."""
        if path not in self._found:
            self._found[path], self._sources[path] = load(base, path, self.report)
            if (node := self._found[path]) is not None:
                self._nodes[path] = node
        return self._found[path]

    def _said(self) -> tuple[ir.Family, ...]:
        return tuple(
            ir.Family(name, tuple(keys_in(node)), tuple(keys_in(words.without(node) or node)))
            for name, node in self._families().items()
        )

    def _families(self) -> dict[str, Node]:
        """What each family says for all of its backends, by its name."""
        paths = (self.root / FAMILY_FILES).glob("[!.]*.yaml")
        names = {it.stem: f"{FAMILY_FILES}/{it.name}" for it in sorted(paths)}
        found = {name: self._load(self.root, path) for name, path in names.items()}
        return {name: it for name, it in found.items() if it is not None}

    def _layers(self, folder: str) -> Layers:
        """What lies below the backends: those beside them, and those that stand in persistry."""
        places = ((self.root, BACKENDS), (self.base, folder))
        homes = {
            path.stem: (base, f"{there}/{path.name}")
            for base, there in places
            for path in sorted((base / there).glob("[!.]*.yaml"))
        }
        return Layers(self._families(), homes, lambda name: self._load(*homes[name]))

    def _backend(self, path: str, layers: Layers, report: Report) -> Models | None:
        """Its family is read first: it decides which keys the file has."""
        node = self._load(self.base, path)
        if node is None:
            return None
        first = peek(node, FamilyModel, report)
        if first is None or is_of_another(node, first, report):
            return None
        if self.own is not None and first.family == "runtime":
            help = "write one of: sql, redis, mongo; the family 'runtime' stands in persistry"
            message = "nothing is generated for the family 'runtime'"
            report.add(Code.SPEC09, message, _place_of("family", node), help=help)
            return None
        complete = layers.complete(node, report)
        if complete is None:
            return None
        self._nodes[path] = complete
        found = decode(complete, FAMILIES[first.family], report)
        return None if found is None else conventional(found)

    def _files(self, folder: str) -> list[str]:
        """The files of a folder: there are some, and all of them are read."""
        there = sorted(it.name for it in (self.base / folder).glob("[!.]*"))
        found = [f"{folder}/{name}" for name in there if name.endswith(".yaml")]
        for name in there:
            # Somebody's own folder may have other files; a name that is nearly right is a mistake.
            meant = self.own is None or Path(name).suffix.lower() in (".yaml", ".yml")
            if meant and not name.endswith(".yaml"):
                help = f"move it out of {folder.split('/')[0]}/"
                if ".yaml" not in name:
                    help = f"name it {Path(name).stem}.yaml, or {help}"
                place = Span(f"{folder}/{name}", 1, 1)
                self.report.add(Code.YAML04, "a file that is not read", place, help=help)
        if not found:
            help = "write one; without it nothing is made, or nothing is promised"
            place = Span(folder, 1, 1)
            self.report.add(Code.YAML04, "there is no *.yaml in this folder", place, help=help)
        return found


def _place_of(name: str, node: Node) -> Span | None:
    """Where the value of a key is written."""
    pairs = node.pairs if isinstance(node, MappingNode) else ()
    values = [value for key, value in pairs if key == name and isinstance(value, ScalarNode)]
    return values[0].text.span if values else None


def problems_of(root: Path) -> str:
    """The report of a run over the spec and templates below `root`; "" if all is well."""
    run = Run(root)
    run.tree(formatted=False)
    return run.problems()
