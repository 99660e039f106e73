"""Backends of somebody's own: from a folder of backend files to a package in their project.

The package gets the modules of the backends, which import the rest from persistry, and what is
needed to connect by URL and to hold its classes to the promise. A file is the generator's if its
first line says so; what does not is its user's, and stays as it is.
"""

from __future__ import annotations

import keyword
import re
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from . import ir
from .problems import Report
from .rendering import FORMATS, PACKAGE, Printer, Tree, persisters, scenarios, source_of
from .writing import Place

COMMAND = "persistry-codegen generate"
LOCK = "persistry-codegen lock"
_INIT = "__init__.py"
_CASES = "conformance"


class Refused(Exception):
    """Why nothing can be written there, and what to do."""


def render(project: ir.Project, templates: Path, package: str, source: str, report: Report) -> Tree:
    """The text of every file of the package, by its path from the folder that the package is in."""
    printer = Printer(templates, project, report, COMMAND, _generation(templates))
    made: Tree = {}
    folder = f"{source}/"
    persisters(made, printer, project, folder)
    classes = sorted((it for one in project.backends for it in one.chosen), key=lambda it: it.name)
    public = sorted([*(it.name for it in classes), "aconnect", "connect"])
    printer.emit(made, "connecting.py", "package/connecting.py.jinja", folder)
    template = "package/outside.py.jinja"
    printer.emit(made, _INIT, template, folder, classes=classes, public=public)
    printer.emit(made, f"{_CASES}/{_INIT}", "conformance/outside.py.jinja", folder)
    printer.emit(made, f"{_CASES}/columns.py", "conformance/columns.py.jinja", folder)
    scenarios(made, printer, project)
    return {
        f"{package}/{path.removeprefix(f'{PACKAGE}/')}": _absolute(path, text, made)
        for path, text in made.items()
    }


def _generation(templates: Path) -> str:
    """What the runtime has that the modules import first, to see whether it is one for them."""
    text = (templates / "runtime" / "_runtime" / _INIT).read_text(encoding="utf-8")
    match = re.search(r"^(generation_\d+) = ", text, re.MULTILINE)
    assert match is not None
    return match[1]


_RELATIVE = re.compile(r"^( *)from (\.+)([\w.]*) import ", re.MULTILINE)


def _absolute(path: str, text: str, tree: Tree) -> str:
    """The text as it stands elsewhere: what the tree does not have is imported from persistry."""
    folders = PurePosixPath(path).parent.parts

    def located(match: re.Match[str]) -> str:
        indent, dots, name = match.groups()
        home = folders[: len(folders) - len(dots) + 1]
        module = ".".join((*home, name) if name else home)
        if f"{module.replace('.', '/')}.py" in tree:
            return match[0]
        return f"{indent}from {module} import "

    return _RELATIVE.sub(located, text)


def place(spec: Path, package: Path, tree: Tree, command: str) -> tuple[Place, Tree]:
    """Where the package is written, and the tree without what its user wrote instead.

    Raises:
        Refused: Something there is not the generator's to write over, or to remove.
    """
    _check_package(package)
    base, own, others = package.parent, set(), {}
    folders = (package, package / FORMATS, package / _CASES)
    for path in sorted(it for folder in folders for it in folder.glob("*.py")):
        name = path.relative_to(base).as_posix()
        first = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        source = source_of(first)
        if not source.startswith(f"{spec.name}/") or f"`{COMMAND}`" not in first:
            others[name] = source
        else:
            own.add(name)
    made_by_others = {name: it for name, it in others.items() if it}
    if made_by_others:
        name, source = next(iter(made_by_others.items()))
        raise Refused(
            f"{name} was generated from {source}; a package is made from one folder, so give"
            " another --out, or first delete what was generated there"
        )
    kept = {name for name in others if name.endswith(f"/{_INIT}")}
    taken = sorted((others.keys() - kept) & tree.keys())
    if taken:
        raise Refused(
            f"{', '.join(taken)} would be overwritten, and was not generated; move it, or give the"
            " driver another 'module'"
        )
    wanted = {name: text for name, text in tree.items() if name not in kept}
    rule = f"`{COMMAND}` wrote it, and would remove it now"
    return Place(base, frozenset(own), "", command, rule), wanted


def _check_package(package: Path) -> None:
    name = package.name
    if not name.isidentifier() or keyword.iskeyword(name):
        raise Refused(f"--out: nobody can import a package called {name!r}; use a Python name")
    if package.exists() and not package.is_dir():
        raise Refused(f"--out: {name} is a file; give the folder of a package")
    found = find_spec(PACKAGE)
    homes = [] if found is None else map(Path, found.submodule_search_locations or [])
    if name == PACKAGE or any(package.is_relative_to(it.resolve()) for it in homes):
        raise Refused(f"--out: {PACKAGE} itself has no place for more; give a package of your own")


def cases() -> frozenset[str]:
    """The names of persistry's own cases; a report has each name once."""
    found = find_spec(PACKAGE)
    homes = [] if found is None else found.submodule_search_locations or []
    files = [path for home in homes for path in Path(home, _CASES).glob("test_*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return frozenset(re.findall(r"^(?:async )?def test_(\w+)\(", text, re.MULTILINE))
