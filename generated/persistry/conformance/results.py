"""What became of the cases."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from .support.column import Column
from .support.matrix import Case
from .support.promise import POINTS

OUTCOMES = ("passed", "failed", "gap", "not run")
SURPLUS = "it passes: take it out of the declared gaps"


@dataclass
class Failure:
    """What was expected and what came."""

    came: str
    expected: str = ""
    """The error that was expected, if it was one."""
    statement: str = ""
    """The line of the case that failed."""
    traceback: str = ""


@dataclass
class Check:
    """One test: a case with one choice of its parameters."""

    variant: str
    """The parameters; empty if the case has none."""
    outcome: str = "not run"
    seconds: float = 0.0
    failure: Failure | None = None
    reason: str = "the run was stopped before it"
    """Why it was not run."""
    kept: bool = False
    """Whether it passed although it is a declared gap."""


@dataclass
class Result:
    """A case and what became of its tests."""

    case: Case
    checks: dict[str, Check] = field(default_factory=dict)
    """Test id -> check; empty if the case is not for this persister."""
    reason: str = ""
    """Why it is a declared gap, or is not for this persister."""

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`: the worst of its tests. A gap is one if any test shows it."""
        outcomes = {check.outcome for check in self.checks.values()}
        return next((it for it in ("failed", "gap", "passed") if it in outcomes), "not run")

    @property
    def failed(self) -> list[Check]:
        """The tests that failed."""
        return [check for check in self.checks.values() if check.outcome == "failed"]

    @property
    def seconds(self) -> float:
        """How long all its tests took."""
        return sum(check.seconds for check in self.checks.values())

    @property
    def why_not_run(self) -> str:
        """Why none of its tests was run."""
        return self.reason or next((check.reason for check in self.checks.values()), "")

    def data(self) -> dict[str, Any]:
        """The case as JSON can hold it."""
        failure = self.failed[0].failure if self.failed else None
        reason = {"gap": self.reason, "not run": self.why_not_run}.get(self.outcome)
        return {
            "doc": self.case.doc,
            "points": list(self.case.points),
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
            "tests": len(self.checks),
            "failed": [check.variant for check in self.failed],
            "statement": failure.statement or None if failure else None,
            "expected": failure.expected or None if failure else None,
            "message": failure.came if failure else reason,
        }

    def settle(self) -> None:
        """A declared gap that no test shows is told as a failure."""
        kept = [check for check in self.checks.values() if check.kept]
        if kept and self.outcome == "passed":
            for check in kept:
                check.outcome, check.failure = "failed", Failure(SURPLUS)


@dataclass
class Run:
    """A persister held to the promise."""

    column: Column
    results: dict[str, Result] = field(default_factory=dict)
    """Name of the case -> what became of it; only those that were chosen."""
    seconds: float = 0.0
    stopped: bool = False
    """Whether Ctrl-C ended it."""
    broken: str = ""
    """What went wrong in the matrix itself."""

    def counts(self) -> dict[str, int]:
        """How many cases have each outcome."""
        return count(self.results.values())

    def of(self, outcome: str) -> list[Result]:
        """The cases with this outcome, by point and name."""
        found = [result for result in self.results.values() if result.outcome == outcome]
        return sorted(found, key=lambda it: (it.case.points, it.case.name))

    def at(self, point: int) -> list[Result]:
        """The cases that check this point of the promise, by name."""
        found = [result for result in self.results.values() if point in result.case.points]
        return sorted(found, key=lambda it: it.case.name)

    @property
    def outcome(self) -> str:
        """What to say of the whole."""
        counts = self.counts()
        if self.stopped:
            return "stopped"
        if counts["failed"]:
            return "failed"
        return "passed" if counts["passed"] or counts["gap"] else "not run"

    def data(self) -> dict[str, Any]:
        """The run as JSON can hold it; docs/your-own-persister.md says what is what."""
        column = self.column
        return {
            "schema": 1,
            "persister": {
                "factory": column.backend,
                "name": column.name,
                "colour": column.colour,
                "traits": sorted(column.traits),
            },
            "versions": _versions(),
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
            "counts": count(self.results.values()),
            "points": [
                {
                    "point": point,
                    "name": name,
                    "counts": count(self.at(point)),
                    "cases": [result.case.name for result in self.at(point)],
                }
                for point, name in POINTS.items()
            ],
            "cases": {name: result.data() for name, result in sorted(self.results.items())},
        }


def count(results: Iterable[Result]) -> dict[str, int]:
    """How many of these cases have each outcome."""
    counted = Counter(result.outcome for result in results)
    return {outcome: counted[outcome] for outcome in OUTCOMES}


def _versions() -> dict[str, str]:
    try:
        own = metadata.version("persistry")
    except metadata.PackageNotFoundError:  # a source tree that nobody installed
        own = "unknown"
    return {
        "persistry": own,
        "python": platform.python_version(),
        "pytest": metadata.version("pytest"),
    }
