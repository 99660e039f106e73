"""The mutants as they are written down, and the table of what became of them.

A mutant is one change to a text of `spec/` or `templates/`. `*.yaml` here has those of one store
each; a row says in one sentence what the change breaks, and which case of the matrix notices.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Colour
from tests.yaml_texts import read_yaml

HERE = Path(__file__).parent
# Under this name a test reports its row of the table.
ROW = "mutant"


@dataclass(frozen=True)
class Mutant:
    """One thing broken in a copy of the project, and what notices it."""

    store: str
    name: str
    breaks: str
    file: str
    find: str
    """A text that occurs in the file exactly once."""
    put: str
    """What stands there instead."""
    case: str = ""
    """The case of the matrix (its function's name without `test_`) that fails with it."""
    refused: str = ""
    """Or the problem by which the generator refuses it."""
    colours: tuple[Colour, ...] = ("sync", "async")
    """In which colours the case fails; those of the store, unless the row says otherwise."""
    layout: str = ""
    """In the columns of which layout it fails; in those without one, unless the row says so."""
    also: dict[str, str] = field(default_factory=dict)
    """What else is put in place of what, so that the query `opening` knows the broken table."""

    def __post_init__(self) -> None:
        if bool(self.case) == bool(self.refused):
            raise ValueError(f"mutant {self.name!r}: give either case or refused")

    def apply(self, text: str) -> str:
        """The text with this change."""
        for find, put in {self.find: self.put, **self.also}.items():
            count = text.count(find)
            assert count == 1, f"{self.file} has the text {count} times, not once: {find!r}"
            assert find != put, f"the mutant {self.name} changes nothing"
            text = text.replace(find, put)
        return text

    def diff(self, text: str) -> str:
        """The change as it is shown."""
        before, after = text.splitlines(), self.apply(text).splitlines()
        name = self.file
        return "\n".join(difflib.unified_diff(before, after, name, name, lineterm="", n=1))


def mutants() -> list[Mutant]:
    """All rows, store by store."""
    found = []
    for path in sorted(HERE.glob("*.yaml")):
        for row in read_yaml(path.read_text(encoding="utf-8")):
            of_the_store = [it.colour for it in COLUMNS if it.backend == path.stem]
            colours = tuple(row.pop("colours", of_the_store))
            found.append(Mutant(store=path.stem, colours=colours, **row))
    return found


def where_is(conformance: Path, case: str, colour: str) -> str:
    """Where a case stands: its file and function."""
    for path in sorted(conformance.glob(f"test_*_{colour}.py")):
        if re.search(rf"^(async )?def test_{case}\(", path.read_text("utf-8"), re.MULTILINE):
            return f"{path}::test_{case}"
    raise LookupError(f"no case in {conformance} is called {case}, {colour}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """End a run in which mutants were tried with the table of them."""
    rows = sorted(_rows(terminalreporter))
    if rows:
        terminalreporter.section("mutants")
        for line in _lines(rows):
            terminalreporter.line(line)


Row = tuple[str, str, str, str, float]


def _rows(reporter: pytest.TerminalReporter) -> Iterator[Row]:
    """Store, name, what it breaks, what caught it, seconds."""
    for outcome in ("passed", "failed"):
        for report in reporter.stats.get(outcome, []):
            values: dict[str, Any] = dict(report.user_properties)
            if ROW in values and report.when == "call":
                caught = values[ROW] if outcome == "passed" else (*values[ROW][:3], "NOT CAUGHT")
                yield (*caught, report.duration)


def _lines(rows: list[Row]) -> Iterator[str]:
    width = max(len(row[1]) for row in rows)
    caught = 0
    for store, name, _, by, seconds in rows:
        yield f"{store:<10}  {name:<{width}}  {seconds:4.1f} s  {by}"
        caught += by != "NOT CAUGHT"
    seconds = sum(row[-1] for row in rows)
    yield f"{len(rows)} mutants, {caught} caught, {seconds:.0f} s in all"
