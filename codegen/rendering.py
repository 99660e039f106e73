"""Resolved spec -> the text of every file below generated/, by the templates."""

from __future__ import annotations

import traceback
from functools import partial
from pathlib import Path
from typing import Any

import jinja2
from jinja2 import nodes

from codegen import ir
from codegen.printers import FILTERS
from codegen.problems import Code, Report, Span

Tree = dict[str, str]
"""Path below generated/ -> text."""

MOST_LINES = 120
_PACKAGE = "persistry"
# Vendored byte for byte: folder of templates/ -> folder of the package.
_VERBATIM = {"runtime": "", "conformance/support": "conformance/support"}
# Written once for both colours: folder of templates/ -> how the modules' names begin.
_BEHAVIOURS = {"conformance/behaviours": "test_", "conformance/helpers": "support/"}


def render(project: ir.Project, templates: Path, report: Report) -> Tree:
    """The whole tree; empty if a template has a problem."""
    for path in sorted(templates.rglob("*.jinja")):
        _lint(path, templates, report)
    if report:
        return {}
    printer = _Printer(templates, project, report)
    tree: Tree = {}
    for source, target in _VERBATIM.items():
        for path in sorted((templates / source).rglob("*.py")):
            name = Path(_PACKAGE, target, path.relative_to(templates / source)).as_posix()
            tree[name] = path.read_text(encoding="utf-8")
    tree[f"{_PACKAGE}/py.typed"] = ""
    _package(tree, printer, project)
    _conformance(tree, printer, project, templates)
    return tree if not report else {}


def _package(tree: Tree, printer: _Printer, project: ir.Project) -> None:
    classes = [it for backend in project.backends for it in backend.classes]
    classes.sort(key=lambda it: it.name)
    bases = [f"{c.prefix}{base.name}" for c in printer.colours for base in project.interface.bases]
    bases += [f"{colour.prefix}BaseStatePersister" for colour in printer.colours]
    record = project.interface.record_name
    aliased = [it for it in classes if "persistence" in it.aliases]
    errors = [it.name for it in project.interface.errors]
    names = [*bases, *errors, *(it.name for it in classes), record, "State", "aconnect", "connect"]
    here = sorted([*bases, record, *(it.name for it in aliased)])
    spec = project.interface.source
    emit = partial(printer.emit, tree)
    emit("errors.py", "package/errors.py.jinja", spec)
    emit("persistence.py", "package/persistence.py.jinja", spec, aliased=aliased, public=here)
    emit("__init__.py", "package/init.py.jinja", "spec/", classes=classes, public=sorted(names))
    emit("connecting.py", "package/connecting.py.jinja", "spec/backends/")
    for backend in project.backends:
        for module in backend.modules:
            template = f"{backend.family}/module.py.jinja"
            emit(f"{module.name}.py", template, module.source, module=module, backend=backend)
        for it in backend.classes:
            for alias in it.aliases:
                if alias != "persistence":
                    template = "package/alias.py.jinja"
                    emit(f"{alias}.py", template, backend.source, module=it.module)


def _conformance(tree: Tree, printer: _Printer, project: ir.Project, templates: Path) -> None:
    emit = partial(printer.emit, tree)
    emit("conformance/__init__.py", "conformance/init.py.jinja", "spec/conformance/")
    emit("conformance/columns.py", "conformance/columns.py.jinja", "spec/backends/")
    for colour in printer.colours:
        for theme in project.themes:
            emit(
                f"conformance/test_{theme.name}_{colour.name}.py",
                "conformance/scenarios.py.jinja",
                theme.source,
                colour=colour,
                theme=theme,
            )
        for folder, target in _BEHAVIOURS.items():
            for path in sorted((templates / folder).glob("[!_]*.py.jinja")):
                template = path.relative_to(templates).as_posix()
                name = f"conformance/{target}{path.name.removesuffix('.py.jinja')}_{colour.name}.py"
                emit(name, template, f"templates/{template}", colour=colour)


class _Printer:
    def __init__(self, templates: Path, project: ir.Project, report: Report) -> None:
        self.colours = tuple(ir.COLOURS.values())
        self._templates = templates
        self._report = report
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
            interface=project.interface, backends=project.backends, colours=self.colours
        )

    def emit(self, tree: Tree, target: str, template: str, source: str, **values: Any) -> None:
        header = f"# Code generated from {source} by `make generate`. DO NOT EDIT.\n"
        try:
            text = self._environment.get_template(template).render(**values)
        except (jinja2.TemplateError, AttributeError, LookupError, TypeError) as error:
            self._report.add(
                Code.TPL03,
                f"{target}: {error}",
                self._place(error, template),
                help="the template uses what the generator does not give it; see codegen/ir.py",
            )
        else:
            tree[f"{_PACKAGE}/{target}"] = header + text

    def _place(self, error: Exception, template: str) -> Span:
        """The last line of a template in the traceback: Jinja itself names none."""
        if isinstance(error, jinja2.TemplateSyntaxError):
            return Span(f"templates/{error.name or template}", error.lineno, 1)
        frames = traceback.extract_tb(error.__traceback__)
        inside = [it for it in frames if Path(it.filename).is_relative_to(self._templates)]
        if not inside:
            return Span(f"templates/{template}", 1, 1)
        path = Path(inside[-1].filename).relative_to(self._templates).as_posix()
        return Span(f"templates/{path}", inside[-1].lineno or 1, 1)


def _lint(path: Path, templates: Path, report: Report) -> None:
    """A template has a shape only: it is short, and no case of its own for a store or a driver."""
    name = f"templates/{path.relative_to(templates).as_posix()}"
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
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
        help = "mend the template"
        report.add(Code.TPL03, str(error.message), Span(name, error.lineno, 1), help=help)
        return
    for compare in tree.find_all(nodes.Compare):
        sides = [compare.expr, *(operand.expr for operand in compare.ops)]
        for side in sides:
            if isinstance(side, nodes.Const) and isinstance(side.value, str):
                report.add(
                    Code.TPL02,
                    f"the template compares with {side.value!r}",
                    Span(name, compare.lineno, 1),
                    help="decide it in codegen/ and give the template a value with a name",
                )
