"""What a comparison of two specs finds. Every format prints these, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .. import ir
from ..problems import Span

Impact = Literal["breaking", "migration", "behaviour", "safe"]
Kind = Literal["added", "removed", "changed", "moved"]

# The gravest first.
IMPACTS: tuple[Impact, ...] = get_args(Impact)
WHO = {
    "breaking": "callers",
    "migration": "data already stored",
    "behaviour": "same data, other answers or other cost",
    "safe": "nobody",
}
HAPPENED: dict[Kind, str] = {
    "added": "is new",
    "removed": "is gone",
    "changed": "has changed",
    "moved": "stands elsewhere",
}

# What notes are about: the base.
OF_ANOTHER = "was written for another generator, and is compared as far as this one reads it"


@dataclass(frozen=True)
class Change:
    """One thing that the spec says otherwise than before."""

    rule: str
    """The id of the rule that it falls under; it stays the same from version to version."""
    impact: Impact
    """Its class: who is hit."""
    kind: Kind
    path: str
    """What has changed, as `backends.sqlite.stored.columns.position`."""
    place: Span
    in_base: bool
    """The place is in the base: what was removed stands nowhere else."""
    before: str | None
    """As it was; None for what was added."""
    after: str | None
    """As it is; None for what was removed."""
    why: str
    """Why it matters to those who are hit, in a sentence."""
    passes: str
    """What has to come with it."""
    affects: tuple[str, ...] = ()
    """Where it shows, if that is elsewhere: the classes that have a shared parameter."""

    @property
    def backend(self) -> str | None:
        """The backend that it belongs to; None for the interface and the scenarios."""
        first, _, rest = self.path.partition(".")
        return rest.partition(".")[0] if first == "backends" else None


@dataclass(frozen=True)
class Gate:
    """What a class of changes has to come with, and whether it does."""

    impact: Impact
    backend: str | None
    """The backend that it is asked of; None where all of the spec is asked."""
    changes: int
    """How many changes it is for."""
    met: bool
    reason: str
    """What meets it, or what is missing."""
    todo: str
    """What to do; empty if it is met."""

    @property
    def title(self) -> str:
        of = f" of {self.backend}" if self.backend else ""
        return (
            f"{self.impact}{of}, {'1 change' if self.changes == 1 else f'{self.changes} changes'}"
        )


@dataclass(frozen=True)
class Note:
    """What this generator has against a file of the base, which was written for another one."""

    path: str
    text: str


@dataclass(frozen=True)
class Diff:
    """Two specs compared."""

    base: str
    """The base as the user named it."""
    commit: str
    before: ir.Project | None
    """None if this generator makes nothing of the base any more."""
    after: ir.Project
    changes: tuple[Change, ...]
    """The gravest first, then by place."""
    gates: tuple[Gate, ...]
    notes: tuple[Note, ...] = ()
    """One for each file of the base that is not compared whole."""

    @property
    def passes(self) -> bool:
        return all(gate.met for gate in self.gates)

    @property
    def verdict(self) -> str:
        """What comes of it, in a few words."""
        if not self.gates:
            return "no gate has to be met" if self.changes else "the spec says what it said"
        open = sum(not gate.met for gate in self.gates)
        return f"{open} of {len(self.gates)} gates not met" if open else "all gates are met"

    def gate(self, change: Change) -> Gate | None:
        """The gate that a change has to pass, if its class has one."""
        backend = None if change.impact == "breaking" else change.backend
        found = (it for it in self.gates if (it.impact, it.backend) == (change.impact, backend))
        return next(found, None)

    def counted(self) -> dict[Impact, int]:
        """How many changes each class has."""
        return {it: sum(change.impact == it for change in self.changes) for it in IMPACTS}
