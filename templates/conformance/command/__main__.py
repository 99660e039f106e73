"""Holds a persister to the promise: `python -m persistry.conformance module:factory`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import os
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .factory import CONTRACT, TRAITS, CannotRun, Factory
from .support.promise import POINTS

if TYPE_CHECKING:
    from .support.matrix import Case

NEEDED = ("pytest", "pytest_asyncio", "rich")
EXIT = """\
Exit code: 0 all passed, 1 some failed, 2 it could not be run, 130 stopped by Ctrl-C.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        "python -m persistry.conformance",
        description="Hold a persister, sync or async, to the promise of persistry's own.",
        epilog=f"{CONTRACT}\n{EXIT}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("factory", nargs="?", help="what makes the persister, as module:attribute")
    add("--list", action="store_true", help="print the cases, with their points, and run none")
    add("-k", "--case", action="append", metavar="TEXT", help="only cases with TEXT in their name")
    add("--point", action="append", type=int, choices=POINTS, metavar="N", help="only this point")
    help_ = f"the persister's traits, in place of those found out: {', '.join(TRAITS)}"
    add("--trait", action="append", metavar="NAME", help=help_)
    help_ = "the report as JSON, into FILE or instead of the readable one"
    add("--json", nargs="?", const="-", metavar="FILE", help=help_)
    help_ = "time limit for each case (default: 60)"
    add("--limit", type=float, default=60.0, metavar="SECONDS", help=help_)
    add("-v", "--verbose", action="store_true", help="tracebacks, too")
    add("-q", "--quiet", action="store_true", help="the last line only")
    return made


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    options = parser().parse_args(arguments)
    missing = [name for name in NEEDED if find_spec(name) is None]
    try:
        if missing:
            names = ", ".join(missing)
            raise CannotRun(f"not installed: {names}; run pip install 'persistry[conformance]'")
        if options.list:
            return _list(options)
        return _run(options)
    except CannotRun as error:
        print(f"persistry.conformance: {error}", file=sys.stderr)
        if options.verbose and (cause := error.__cause__):
            import traceback

            traceback.print_exception(cause)
        return 2
    except KeyboardInterrupt:
        return 130


def _chosen(options: argparse.Namespace, cases: list[Case]) -> list[Case]:
    """The cases that the options choose; there is one for each option."""
    for text in options.case or []:
        if not any(text in case.name for case in cases):
            near = difflib.get_close_matches(text, [case.name for case in cases], n=1)
            hint = f"did you mean {near[0]}?" if near else "--list shows them"
            raise CannotRun(f"no case has {text!r} in its name; {hint}")
    texts, points = options.case or [""], options.point or POINTS
    found = [
        case
        for case in cases
        if any(text in case.name for text in texts) and any(it in points for it in case.points)
    ]
    if not found:
        raise CannotRun("no case is chosen; --list shows them, with their points")
    return found


def _list(options: argparse.Namespace) -> int:
    """Print the cases under the first of their points."""
    from .running import known

    shown = 0
    for case in _chosen(options, known(options.case or ())):
        for point in [case.points[0]] if case.points[0] != shown else []:
            print(f"{point} {POINTS[point]}")
            shown = point
        others = "".join(f", {point}" for point in case.points[1:])
        print(f"  {case.name}{f' (also {others[2:]})' if others else ''}: {case.doc}")
    return 0


def _run(options: argparse.Namespace) -> int:
    """Hold the persister to the promise and report."""
    if not options.factory:
        hint = f"; did you mean {options.json} --json?" if ":" in (options.json or "") else ""
        raise CannotRun(f"which persister? give what makes it, as module:attribute{hint}")
    from .report import progress, show
    from .running import hangs, hold, look

    if options.limit <= 0:
        raise CannotRun("--limit must be above 0")
    only_json = options.json == "-"
    if options.json and not only_json:
        try:
            Path(options.json).open("a").close()
        except OSError as error:
            raise CannotRun(f"--json: {error}") from error
    # What somebody's modules print is no part of the report.
    with contextlib.redirect_stdout(sys.stderr):
        factory = Factory.named(options.factory)
        column = look(factory, options.trait, options.limit)
    with progress(options.quiet) as told:
        choose = partial(_chosen, options)
        run = hold(factory, column, choose, options.limit, told, options.case or ())
    if run.broken:
        print(run.broken, file=sys.stderr)
        raise CannotRun("the matrix itself failed")
    if options.json:
        text = json.dumps(run.data(), indent=2) + "\n"
        sys.stdout.write(text) if only_json else Path(options.json).write_text(text, "utf-8")
    if not only_json:
        show(run, quiet=options.quiet, verbose=options.verbose)
    code = {"passed": 0, "failed": 1, "not run": 2, "stopped": 130}[run.outcome]
    if hangs():
        sys.stdout.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
