"""The columns of one test run, what became of their cases, and the table that says so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .column import Column
from .promise import POINTS

OUTCOMES = ("passed", "gaps", "failed", "not run")


@dataclass(frozen=True)
class Case:
    """A test function, without the parameters that make several tests of it."""

    name: str
    doc: str
    points: tuple[int, ...]
    """The points of the promise that it checks."""
    needs: frozenset[str]
    """The traits of the persisters that it is for."""


@dataclass
class Matrix:
    """One run: its columns and their cases."""

    columns: dict[str, Column]
    cases: dict[str, dict[str, Case]] = field(default_factory=lambda: defaultdict(dict))
    """Colour -> name -> case, whether it applies to a column or not."""
    applying: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by column
    tests: dict[str, tuple[str, list[int]]] = field(default_factory=dict)
    """Test id -> the column it runs for, and the points of the promise that it checks."""
    missing: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What is not installed, in one line -> the columns that need it."""

    faults: list[str] = field(default_factory=list)
    """Why the run fails whatever its tests say, a line each."""

    def dump(self) -> list[Any]:
        """What a pytest-xdist worker tells the process that writes the summary."""
        return [self.tests, dict(self.missing), self.faults]

    def merge(self, dumped: list[Any]) -> None:
        """Take over what a worker dumped. All workers collect, and miss, the same."""
        tests, missing, self.faults = dumped
        self.tests.update(tests)
        self.missing.update(missing)

    def summary(self, outcomes: Mapping[str, str]) -> Iterator[str]:
        """The table: a line for each persister, the totals, and what stands behind them.

        `outcomes`: test id -> one of the first three of `OUTCOMES`; other tests in it are ignored.
        """
        tally: dict[str, Counter[str]] = {name: Counter() for name in self.columns}
        points: dict[int, Counter[str]] = defaultdict(Counter)
        for test, (column, checked) in self.tests.items():
            outcome = outcomes.get(test, "not run")
            tally[column][outcome] += 1
            for point in checked:
                points[point][outcome] += 1
        rows: list[tuple[str, ...]] = [("persister", "backend", "colour", *OUTCOMES)]
        for name, counts in tally.items():
            described = self.columns[name]
            numbers = (str(counts[outcome]) for outcome in OUTCOMES)
            rows.append((name, described.backend, described.colour, *numbers))
        total = sum(tally.values(), Counter())
        rows.append(("total", "", "", *(str(total[outcome]) for outcome in OUTCOMES)))
        yield from _aligned(rows)
        if points:
            yield "points of the promise:"
            for point in sorted(points):
                yield f"{point:4} {POINTS[point]}: {_counts(points[point])}"
        for name in self.columns:
            for case, reason in sorted(self.columns[name].gaps.items()):
                yield f"gap: {name} {case}: {reason}"
        for reason, names in self.missing.items():
            yield f"not run, for lack of a server: {', '.join(names)}: {reason}"
        for fault in self.faults:
            yield f"ERROR: {fault}"


def _counts(counts: Counter[str]) -> str:
    return ", ".join(
        f"{count} {outcome.removesuffix('s') if count == 1 else outcome}"
        for outcome in OUTCOMES
        if (count := counts[outcome])
    )


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """The rows as text: names to the left, numbers to the right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    names = len(widths) - len(OUTCOMES)
    for row in rows:
        cells = [
            cell.ljust(width) if at < names else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells)
