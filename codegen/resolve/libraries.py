"""The driver libraries that a backend names: how users install them, and what they hold."""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from ..model import BackendModel
from ..nodes import Text
from ..problems import Code, Report, suggest


def is_of_python(library: str) -> bool:
    """Whether it comes with Python, and needs no extra."""
    return library.partition(".")[0] in sys.stdlib_module_names


def check_extras(models: Iterable[BackendModel], project: Path, report: Report) -> None:
    """What is no part of Python comes with an extra, which the project declares."""
    extras = _extras(project)
    for model in models:
        for name, driver in model.drivers.items():
            if driver.requires is None:
                continue
            library = driver.requires.partition(".")[0]
            if driver.extra is None and not is_of_python(library):
                message = f"the driver {str(name)!r} says no 'extra'"
                help = f"add 'extra: {library}': users install {library} with it"
                report.add(Code.SPEC06, message, driver.requires.span, help=help)
            elif driver.extra is not None and extras is not None and driver.extra not in extras:
                near = suggest(driver.extra, extras, "declared").partition("  ")[0]
                asked = f"{near}  or " if near.startswith("did") else ""
                help = f"{asked}add '{driver.extra} = [\"{library}>=...\"]' to "
                help += "[project.optional-dependencies] there"
                message = f"{project.name} declares no extra {str(driver.extra)!r}"
                report.add(Code.SPEC01, message, driver.extra.span, help=help)


def _extras(project: Path) -> list[str] | None:
    """The extras that pip would find; None where nothing is said of any project."""
    if not project.is_file():
        return None
    try:
        written = tomllib.loads(project.read_text(encoding="utf-8")).get("project")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    return None if written is None else [*written.get("optional-dependencies", {})]


def check_exists(exception: Text, report: Report) -> None:
    """The library has this exception; where it is not installed, nobody can say."""
    module, _, name = exception.rpartition(".")
    if not module:
        return
    try:
        held = vars(importlib.import_module(module))
    except Exception:  # whatever a library that is missing or broken here does
        return
    found = held.get(name) or getattr(sys.modules[module], name, None)
    if isinstance(found, type) and issubclass(found, BaseException):
        return
    known = [
        it for it, value in held.items() if isinstance(value, type) and issubclass(value, Exception)
    ]
    place = exception.at(len(module) + 1, len(name))
    message = f"{module} has no exception {name!r}"
    report.add(Code.SPEC01, message, place, help=suggest(name, known, "it has"))
