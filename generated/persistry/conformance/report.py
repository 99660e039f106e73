"""The report of a run for people, and how far it has come while it goes on."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from .results import OUTCOMES, Failure, Result, Run, count
from .support.promise import POINTS

STYLES = {"passed": "green", "failed": "bold red", "gap": "yellow", "not run": "dim"}


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Run], None]]:
    """A bar on a terminal; its file is its own, for the output of the tests is captured."""
    with os.fdopen(os.dup(2), "w") as stderr:
        if quiet or not stderr.isatty():
            yield lambda run: None
            return
        bar = Progress(
            console=Console(file=stderr),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        with bar:
            task = bar.add_task("")

            def tell(run: Run) -> None:
                total = sum(len(result.checks) for result in run.results.values())
                failed = run.counts()["failed"]
                said = f"{run.column.name}, {failed} failed" if failed else run.column.name
                bar.update(task, total=total, advance=1, description=said)

            yield tell


def show(run: Run, *, quiet: bool, verbose: bool) -> None:
    """Print the report."""
    width = None if sys.stdout.isatty() else 100
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        if not quiet:
            _show_points(run, console)
            for result in run.of("failed"):
                _show_failure(result, console, verbose)
            _show_reasons("Declared gaps", run.of("gap"), console)
            _show_reasons("Not run", run.of("not run"), console)
            console.print()
        console.print(_closing(run))
    for line in captured.get().splitlines():
        print(line.rstrip())


def _show_points(run: Run, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("point", justify="right")
    table.add_column("of the promise")
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    for point, name in POINTS.items():
        if results := run.at(point):
            table.add_row(str(point), name, *_cells(results))
    several = any(len(result.case.points) > 1 for result in run.results.values())
    title = "all, each case once" if several else "all"
    table.add_row("", title, *_cells(list(run.results.values())), style="bold")
    column = run.column
    traits = ", ".join(sorted(column.traits)) or "no traits"
    said = f"{column.name} ({column.colour}; {traits}), made by {column.backend}"
    console.print(Text(said), soft_wrap=True)
    console.print()
    console.print(table)


def _cells(results: list[Result]) -> list[Text]:
    counts = count(results)
    return [Text(str(counts[it]), STYLES[it] if counts[it] else "dim") for it in OUTCOMES]


def _show_failure(result: Result, console: Console, verbose: bool) -> None:
    console.print()
    points = ", ".join(f"{point} {POINTS[point]}" for point in result.case.points)
    console.print(Text.assemble(("FAILED ", STYLES["failed"]), (result.case.name, "bold")))
    _say(console, "point", points)
    _say(console, "promise", result.case.doc)
    first = result.failed[0]
    if first.variant:
        names = ", ".join(check.variant for check in result.failed)
        of = f"{len(result.failed)} of {len(result.checks)}"
        _say(console, "with", f"{names if len(names) <= 200 else names[:200] + '...'} ({of})")
    failure = first.failure or Failure("")
    _say(console, "in", failure.statement)
    _say(console, "expected", failure.expected)
    _say(console, "came", failure.came)
    if verbose:
        _say(console, "trace", failure.traceback)


def _say(console: Console, name: str, text: str) -> None:
    """A name and what belongs to it, the lines of which stand below each other."""
    if text:
        table = Table.grid(padding=(0, 1))
        table.add_column(width=8, style="dim")
        table.add_column(overflow="fold")
        table.add_row(name, Text(text))
        console.print(Padding(table, (0, 0, 0, 2)))


def _show_reasons(title: str, results: list[Result], console: Console) -> None:
    """The cases by the reason that they share."""
    grouped = defaultdict(list)
    for result in results:
        grouped[result.reason or result.why_not_run].append(result.case.name)
    if grouped:
        console.print()
        console.print(Text(title, "bold"))
    for reason, names in grouped.items():
        cases = "1 case" if len(names) == 1 else f"{len(names)} cases"
        console.print(Padding(Text(f"{cases}: {reason}"), (0, 0, 0, 2)))
        console.print(Padding(Text(", ".join(sorted(names)), "dim"), (0, 0, 0, 4)))


def _closing(run: Run) -> Text:
    counts = run.counts()
    said = ", ".join(
        f"{counts[it]} {it}{'s' if it == 'gap' and counts[it] > 1 else ''}"
        for it in OUTCOMES
        if counts[it] or it in ("passed", "failed")
    )
    stopped = "stopped: " if run.stopped else ""
    style = {"passed": "bold green", "failed": "bold red"}.get(run.outcome, "bold yellow")
    return Text(f"{run.column.name}: {stopped}{said} in {run.seconds:.1f} s", style)
