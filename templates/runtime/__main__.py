"""`python -m persistry ddl`: the statements of `initialize()`, for who runs the database."""

from __future__ import annotations

import argparse
import difflib
import pkgutil
import sys
from importlib import import_module
from typing import Any

from . import _formats
from ._runtime.formats import Format, Found

# Those that have tables.
BACKENDS = tuple(sorted(it.name for it in pkgutil.iter_modules(_formats.__path__)))
_EXAMPLE = "example: python -m persistry ddl postgresql --table app.steps --from-generation 0"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser("python -m persistry", description="Tools for operators.")
    commands = made.add_subparsers(dest="command", required=True, metavar="ddl")
    about = "print the statements that initialize() runs, for a table of that name"
    described = f"{about[0].upper()}{about[1:]}."
    ddl = commands.add_parser("ddl", help=about, description=described, epilog=_EXAMPLE)
    ddl.add_argument("backend", help=f"the store: {', '.join(BACKENDS)}")
    help_ = "the table, with its schema in front if it has one (default: burr_state)"
    ddl.add_argument("--table", default="burr_state", metavar="NAME", help=help_)
    help_ = "migrate a table of this generation; 0 is what Apache Burr made (default: a new table)"
    ddl.add_argument("--from-generation", type=int, metavar="N", help=help_)
    ddl.set_defaults(refuse=ddl.error)
    return made


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    options = parser().parse_args(arguments)
    sys.stdout.write(_ddl(options))
    return 0


def _ddl(options: argparse.Namespace) -> str:
    refuse = options.refuse
    if options.backend not in BACKENDS:
        near = difflib.get_close_matches(options.backend, BACKENDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"tables have {', '.join(BACKENDS)}"
        refuse(f"no store with tables is called {options.backend!r}; {hint}")
    module: Any = import_module(f"{_formats.__name__}.{options.backend}")
    try:
        names = module.names_of(options.table)
    except (TypeError, ValueError) as error:
        refuse(f"--table: {error}")
    form: Format = module.FORMAT
    found = options.from_generation
    if found is not None:
        _check_generation(found, form, refuse)
    lines = [
        f"-- {form.store}: the table {options.table!r}, {_way(found, form)}.",
        "-- Have your client stop at the first error and roll back.",
    ]
    if found == form.generation:
        return "\n".join([*lines, "-- There is nothing to do.", ""])
    lines += ["", *_begun(form.begin)]
    for it in (*form.lock, *form.made(Found(found))):
        step = it.format_map(names)
        lines.append("")
        if step.when:
            lines += ["-- only where this query answers true:", *_comment(step.when.strip())]
        lines.append(f"{step.sql.strip()};")
    lines += ["", "COMMIT;"]
    lines += [f"{statement};" for statement in form.on_initialize]
    return "\n".join([*lines, ""])


def _check_generation(found: int, form: Format, refuse: Any) -> None:
    known = [*(change.to - 1 for change in form.changes), form.generation]
    if found not in known:
        there = " or ".join(map(str, known))
        refuse(f"--from-generation: no way leads from {found}; give {there}")


def _way(found: int | None, form: Format) -> str:
    if found is None:
        return f"made anew, of generation {form.generation}"
    return f"from generation {found} to generation {form.generation}"


def _begun(begin: str) -> list[str]:
    """What begins the transaction, without the time limits of an operation."""
    parts = (part.strip() for part in begin.split(";"))
    return [f"{part};" for part in parts if part and "{" not in part]


def _comment(text: str) -> list[str]:
    """Whatever is in a name: no line of it is left outside of the comment."""
    return [f"--   {line}".rstrip() for line in text.splitlines()]


if __name__ == "__main__":
    sys.exit(main())
