"""Resolved spec -> the text of every file below generated/, by the templates."""

from __future__ import annotations

import re
import traceback
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from jinja2 import nodes

from . import ir
from .printers import FILTERS
from .problems import Code, Report, Span

Tree = dict[str, str]
"""Path below generated/ -> text."""

MOST_LINES = 120
HEADER = "# Code generated from "
PACKAGE = "persistry"
FORMATS = "_formats"
# Vendored byte for byte: folder of templates/ -> folder of the package.
_VERBATIM = {
    "runtime": "",
    "conformance/support": "conformance/support",
    "conformance/command": "conformance",
}
# Folder of templates/ -> how the modules' names begin, and the colours they are written for.
_BEHAVIOURS = {
    "conformance/behaviours": ("test_", ("sync", "async")),
    "conformance/behaviours_async": ("test_", ("async",)),  # what only a task can suffer
    "conformance/helpers": ("support/", ("sync", "async")),
}


def render(project: ir.Project, templates: Path, report: Report) -> Tree:
    """The whole tree; empty if a template has a problem."""
    for path in sorted(templates.rglob("*.jinja")):
        _lint(path, templates, report)
    if report:
        return {}
    printer = Printer(templates, project, report, "make generate")
    tree: Tree = {}
    for source, target in _VERBATIM.items():
        for path in sorted((templates / source).rglob("*.py")):
            name = Path(PACKAGE, target, path.relative_to(templates / source)).as_posix()
            tree[name] = _text_of(path, templates, report)
    tree[f"{PACKAGE}/py.typed"] = ""
    _package(tree, printer, project)
    _conformance(tree, printer, project, templates)
    return tree if not report else {}


def source_of(text: str) -> str:
    """What the header of a generated text names; empty for what is copied."""
    found = _MADE_FROM.search("\n".join(text.split("\n", 3)[:3]))
    return found[1] if found else ""


# Python begins with it; JSON has it as a "$comment" in one of its first lines.
_MADE_FROM = re.compile(r"^(?:# |  \"\$comment\": \")Code generated from (\S+) ", re.MULTILINE)

# Functions that are loaded when they are first asked for, and their modules.
_RARELY_USED = {"amove": "moving", "move": "moving"}


def original(path: str) -> str:
    """Where a file that is copied stands."""
    path = path.removeprefix(f"{PACKAGE}/")
    for source, target in _VERBATIM.items():
        if target and path.startswith(f"{target}/"):
            return f"templates/{source}/{path.removeprefix(f'{target}/')}"
    return f"templates/runtime/{path}"


def _package(tree: Tree, printer: Printer, project: ir.Project) -> None:
    classes = [it for backend in project.backends for it in backend.chosen]
    classes.sort(key=lambda it: it.name)
    bases = [f"{c.prefix}{base.name}" for c in printer.colours for base in project.interface.bases]
    bases += [f"{colour.prefix}BaseStatePersister" for colour in printer.colours]
    record = project.interface.record_name
    aliased = [it for it in classes if "persistence" in it.aliases]
    modules = [it for backend in project.backends for it in backend.modules]
    renamed = dict(pair for it in modules if {*aliased} & {*it.classes} for pair in it.renamed)
    errors = [it.name for it in project.interface.errors]
    functions = ["aconnect", "connect", "register_type", *_RARELY_USED]
    names = [*bases, *errors, *(it.name for it in classes), record, *("Migration", "State")]
    names += functions
    here = sorted([*bases, record, *(it.name for it in aliased)])
    spec = project.interface.source
    emit = partial(printer.emit, tree)
    emit("errors.py", "package/errors.py.jinja", spec)
    more = {"aliased": aliased, "renamed": renamed, "public": here}
    emit("persistence.py", "package/persistence.py.jinja", spec, **more)
    more = {"classes": classes, "public": sorted(names), "rarely_used": _RARELY_USED}
    emit(
        "__init__.py", "package/init.py.jinja", "spec/", renamed=_renamed(project, classes), **more
    )
    emit("connecting.py", "package/connecting.py.jinja", "spec/backends/")
    persisters(tree, printer, project, "spec/backends/")
    _for_burr(tree, printer, project, classes)


def persisters(tree: Tree, printer: Printer, project: ir.Project, folder: str) -> None:
    """The modules of the backends, their other names, and the formats that they share."""
    emit = partial(printer.emit, tree)
    if any(map(format_module, project.backends)):
        emit(f"{FORMATS}/__init__.py", "package/formats.py.jinja", folder)
    for backend in project.backends:
        if name := format_module(backend):
            form = backend.modules[0].parts.format
            emit(f"{name}.py", "sql/format.py.jinja", backend.source, backend=backend, form=form)
        for module in backend.modules:
            template = f"{backend.family}/module.py.jinja"
            emit(f"{module.name}.py", template, module.source, module=module, backend=backend)
        _aliases(tree, printer, backend)


def _aliases(tree: Tree, printer: Printer, backend: ir.Backend, folder: str = "") -> None:
    for module in backend.modules:
        for alias in dict.fromkeys(it for one in module.classes for it in one.aliases):
            if alias != "persistence":
                template = "package/alias.py.jinja"
                printer.emit(tree, f"{folder}{alias}.py", template, backend.source, module=module)


def _renamed(project: ir.Project, classes: list[ir.PersisterClass]) -> dict[str, str]:
    """What to use instead of an older name that no class has now."""
    modules = [it for backend in project.backends for it in backend.modules]
    now = {it.name for it in classes}
    return {old: use for it in modules for old, use in it.renamed if old not in now}


def _for_burr(
    tree: Tree, printer: Printer, project: ir.Project, chosen: list[ir.PersisterClass]
) -> None:
    """Each class once more, for applications of Apache Burr."""
    emit = partial(printer.emit, tree)
    more = {"classes": chosen, "renamed": _renamed(project, chosen)}
    emit("burr/__init__.py", "burr/init.py.jinja", "spec/backends/", **more)
    for backend in project.backends:
        modules = {it.name: it for it in backend.modules}
        for name in dict.fromkeys(it.module for it in backend.classes):
            classes = [it for it in backend.classes if it.module == name]
            module = modules.get(name)  # none where the classes are written by hand
            values: dict[str, Any] = {
                "name": name,
                "module": module,
                "title": backend.title,
                "classes": classes,
                "save_prepares": "initialize" not in backend.traits,
                "left_behind": _left_behind(project, backend),
            }
            emit(f"burr/{name}.py", "burr/module.py.jinja", backend.source, **values)
        _aliases(tree, printer, backend, "burr/")


class LeftBehind(NamedTuple):
    """The module and, by colour, the classes for what another library stored in such a store."""

    module: str
    names: dict[str, str]


def _left_behind(project: ir.Project, backend: ir.Backend) -> LeftBehind | None:
    """Where one store has a backend for another library's layout, and another one for its own, an
    application that changed its import line may have its data in the one and look in the other.
    """
    if not backend.modules or _is_shared(backend.modules[0].parts):
        return None
    others = (
        module
        for other in project.backends
        if other.family == backend.family
        for module in other.modules
        if _is_shared(module.parts)
    )
    for module in others:
        return LeftBehind(module.name, {it.colour.name: it.name for it in module.classes})
    return None


def _is_shared(parts: object) -> bool:
    return isinstance(parts, ir.RedisParts) and parts.is_shared and parts.scanned is not None


def format_module(backend: ir.Backend) -> str | None:
    """The module of its tables' format, by its path; none where a store has no tables."""
    return f"{FORMATS}/{backend.name}" if backend.family == "sql" else None


def scenarios(tree: Tree, printer: Printer, project: ir.Project) -> None:
    """The cases of the scenarios, in both colours."""
    for colour in printer.colours:
        for theme in project.themes:
            printer.emit(
                tree,
                f"conformance/test_{theme.name}_{colour.name}.py",
                "conformance/scenarios.py.jinja",
                theme.source,
                colour=colour,
                theme=theme,
            )


def _conformance(tree: Tree, printer: Printer, project: ir.Project, templates: Path) -> None:
    emit = partial(printer.emit, tree)
    emit("conformance/__init__.py", "conformance/init.py.jinja", "spec/conformance/")
    emit("conformance/columns.py", "conformance/columns.py.jinja", "spec/backends/")
    scenarios(tree, printer, project)
    for folder, (target, colours) in _BEHAVIOURS.items():
        for path in sorted((templates / folder).glob("[!_]*.py.jinja")):
            template = path.relative_to(templates).as_posix()
            for name in colours:
                module = f"{target}{path.name.removesuffix('.py.jinja')}_{name}.py"
                colour = ir.COLOURS[name]
                emit(f"conformance/{module}", template, f"templates/{template}", colour=colour)


class Printer:
    """Prints a project by the templates."""

    def __init__(
        self,
        templates: Path,
        project: ir.Project,
        report: Report,
        command: str,
        generation: str | None = None,
    ) -> None:
        self.colours = tuple(ir.COLOURS.values())
        self._command = command
        self._templates = templates
        self._report = report
        self._told: set[Span] = set()
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.filters["prefixed"] = lambda text, prefix: f"{prefix}{text}"
        self._environment.globals.update(
            interface=project.interface,
            backends=project.backends,
            colours=self.colours,
            generation=generation,
        )

    def emit(self, tree: Tree, target: str, template: str, source: str, **values: Any) -> None:
        header = f"{HEADER}{source} by `{self._command}`. DO NOT EDIT.\n"
        name = f"{PACKAGE}/{target}"
        if name in tree:
            first = source_of(tree[name]) or original(name)
            message = f"{target} is made from {first} already"
            place = Span(source if source[-1] != "/" else f"templates/{template}", 1, 1)
            if place not in self._told:
                self._told.add(place)
                self._report.add(Code.TPL04, message, place, help="rename one of the two")
            return
        try:
            tree[name] = header + self._environment.get_template(template).render(**values)
        except Exception as error:  # whatever a template can do wrong is the template's mistake
            place = self._place(error, template)
            if place not in self._told:  # one mistake shows in every file that the template makes
                self._told.add(place)
                self._report.add(
                    Code.TPL03,
                    f"{_first_line(error)} (for {target})",
                    place,
                    help="codegen/ir.py has what a template is given, codegen/printers.py the "
                    "filters; mend the template",
                )

    def _place(self, error: Exception, template: str) -> Span:
        """The last line of a template in the traceback: Jinja itself names none."""
        if isinstance(error, jinja2.TemplateSyntaxError):
            return self._line(error.name or template, error.lineno)
        frames = traceback.extract_tb(error.__traceback__)
        inside = [it for it in frames if Path(it.filename).is_relative_to(self._templates)]
        if not inside:
            return Span(f"templates/{template}", 1, 1)
        path = Path(inside[-1].filename).relative_to(self._templates).as_posix()
        if isinstance(error, RecursionError):
            return Span(f"templates/{path}", 1, 1)
        return self._line(path, inside[-1].lineno or 1)

    def _line(self, template: str, number: int) -> Span:
        """All that stands on a line: Jinja knows no columns."""
        path = self._templates / template
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        line = lines[number - 1] if number <= len(lines) else ""
        column = len(line) - len(line.lstrip()) + 1
        return Span(f"templates/{template}", number, column, max(1, len(line.strip())))


def _lint(path: Path, templates: Path, report: Report) -> None:
    """A template has a shape only: it is short, and no case of its own for a store or a driver."""
    name = f"templates/{path.relative_to(templates).as_posix()}"
    text = _text_of(path, templates, report)
    lines = len(text.splitlines())
    if lines > MOST_LINES:
        report.add(
            Code.TPL01,
            f"the template has {lines} lines, more than {MOST_LINES}",
            Span(name, MOST_LINES + 1, 1),
            help="split it by what a reader looks for, and include the parts",
        )
    try:
        tree = jinja2.Environment().parse(text)
    except jinja2.TemplateSyntaxError as error:
        line = (text.splitlines() or [""])[min(error.lineno, len(text.splitlines())) - 1]
        place = Span(name, error.lineno, len(line) - len(line.lstrip()) + 1, len(line.strip()))
        help = "mend the template: {{ value }}, {% statement %}, {# comment #}"
        report.add(Code.TPL03, str(error.message), place, help=help)
        return
    for literal in _compared(tree):
        line = text.splitlines()[literal.lineno - 1]
        column = max(line.find(f"{quote}{literal.value}{quote}") for quote in "'\"") + 1
        report.add(
            Code.TPL02,
            f"the template compares with {literal.value!r}",
            Span(name, literal.lineno, column or 1, len(literal.value) + 2 if column else 1),
            help="decide it in codegen/ and give the template a value with a name",
        )


def _compared(tree: nodes.Template) -> list[nodes.Const]:
    """The texts that decide what is printed: in comparisons, tests, conditions, filters by value;
    `table["name"]` and the name of an attribute decide nothing."""
    deciding: list[nodes.Node] = [*tree.find_all((nodes.Compare, nodes.Test))]
    deciding += [it.test for it in tree.find_all(nodes.If)]
    deciding += [it.test for it in tree.find_all(nodes.CondExpr)]
    deciding += [it.test for it in tree.find_all(nodes.For) if it.test is not None]
    found = {id(it): it for node in deciding for it in node.find_all(nodes.Const)}
    for name in tree.find_all(nodes.Getitem):
        found.pop(id(name.arg), None)
    for filter_ in tree.find_all(nodes.Filter):
        for number, argument in enumerate(filter_.args):
            found.pop(id(argument), None)
            if number >= _SELECTING.get(filter_.name, 99) and isinstance(argument, nodes.Const):
                found[id(argument)] = argument
    return [it for it in found.values() if isinstance(it.value, str)]


# Filters that compare, and which of their arguments is the first that they compare with.
_SELECTING = {"select": 1, "reject": 1, "selectattr": 2, "rejectattr": 2}


def _text_of(path: Path, templates: Path, report: Report) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        place = Span(f"templates/{path.relative_to(templates).as_posix()}", line, 1)
        report.add(Code.TPL03, "the file is not UTF-8", place, help="save it as UTF-8")
        return ""


def _first_line(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no templates/{error.name}"
    if isinstance(error, RecursionError):
        return "the template includes itself without end"
    return str(error).partition("\n")[0] or type(error).__name__
