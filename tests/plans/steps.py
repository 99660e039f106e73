"""A plan in the words that are the same for all stores."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Self

from codegen.plans import Step


@dataclass
class Plan:
    """The steps of a query, and those of the queries inside it."""

    steps: list[Step] = field(default_factory=list)
    parts: list[tuple[str, Plan]] = field(default_factory=list)

    def part(self, name: str) -> Plan:
        self.parts.append((name, Plan()))
        return self.parts[-1][1]

    def search(self, what: str, index: str, columns: str = "", more: str = "") -> Self:
        """Entries of an index: those whose columns have the values."""
        text = f"{what} by {index}" + (f" ({columns})" if columns else "")
        return self._step("search", f"{text}, {more}" if more else text)

    def scan(self, what: str, index: str = "") -> Self:
        """All of a table, or of an index."""
        return self._step("scan", f"{what} by {index}" if index else what)

    def sort(self, keys: str) -> Self:
        return self._step("sort", keys)

    def temporary(self, what: str) -> Self:
        """What is found is gathered, in a table or by a hash, before there is an answer."""
        return self._step("temporary", what)

    def write(self, what: str) -> Self:
        return self._step("write", what)

    def _step(self, kind: str, text: str) -> Self:
        self.steps.append((kind, text))
        return self

    def lines(self) -> list[Step]:
        """Its own steps, each once where it is taken again and again; then each part with any."""
        found = []
        for (kind, text), steps in itertools.groupby(self.steps):
            times = len(list(steps))
            found.append((kind, f"{text}, {times} times" if times > 1 else text))
        for name, part in self.parts:
            inside = part.lines()
            found += [("part", name), *inside] if inside else []
        return found


class UnknownStep(Exception):
    """A planner says something that its module has not been taught."""

    def __init__(self, module: str, step: object) -> None:
        where = f"{module.replace('.', '/')}.py"
        super().__init__(f"{where} does not know this step of a plan; teach it: {step!r}")
