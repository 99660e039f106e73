"""The rules: data in `rule_files/`, in the order in which they are tried.

A rule says in which places it is for what was added, removed, changed, moved, or for `any` of these
(a star stands for any one name, <word> for the places of that word in `shapes.PLACES`); with `if`,
only where that condition holds as well. The first rule that fits decides. None is a catch-all: what
no rule fits is a defect.
"""

from __future__ import annotations

import functools
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import get_args

from ..decode import decode
from ..nodes import Text
from ..problems import Report
from ..source import load
from .change import Impact, Kind
from .compare import Difference
from .conditions import CONDITIONS, Condition
from .shapes import PLACES, Path, matches

FILES = pathlib.Path(__file__).parent / "rule_files"
_KINDS: tuple[Kind, ...] = get_args(Kind)
_WORD = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class RuleModel:
    """a rule"""

    impact: Impact = field(metadata={"key": "class"})
    """who is hit"""
    why: Text
    """why it matters to them, in a sentence"""
    if_: Text | None = None
    """a condition of `conditions.py`"""
    added: tuple[Text, ...] = field(default=(), metadata={"one": True})
    """places"""
    removed: tuple[Text, ...] = field(default=(), metadata={"one": True})
    """places"""
    changed: tuple[Text, ...] = field(default=(), metadata={"one": True})
    """places"""
    moved: tuple[Text, ...] = field(default=(), metadata={"one": True})
    """places, or what holds those whose order has changed"""
    any: tuple[Text, ...] = field(default=(), metadata={"one": True})
    """places"""


@dataclass(frozen=True)
class RulesModel:
    """a file of rules"""

    rules: dict[Text, RuleModel]
    """by their ids, in the order in which they are tried"""


@dataclass(frozen=True)
class Rule:
    id: str
    impact: Impact
    why: str
    places: dict[Kind, tuple[str, ...]]
    condition: Condition | None

    def is_for(self, path: Path, kind: Kind) -> bool:
        return any(matches(place, path) for place in self.places[kind])


@functools.cache
def rules() -> tuple[Rule, ...]:
    return tuple(rule for file in sorted(FILES.glob("*.yaml")) for rule in _read(file.name))


def rule_for(it: Difference) -> Rule:
    """The first rule that fits."""
    for rule in _rules_for(it.path, it.kind):
        if rule.condition is None or rule.condition(it):
            return rule
    raise LookupError(f"no rule is for what was {it.kind} at {'.'.join(it.path)}")


@functools.cache
def _rules_for(path: Path, kind: Kind) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules() if rule.is_for(path, kind))


def _read(name: str) -> Iterator[Rule]:
    report = Report()
    node, _ = load(FILES, name, report)
    model = None if node is None else decode(node, RulesModel, report)
    report.raise_if_any()
    for id, it in model.rules.items() if model is not None else ():
        places = {
            kind: tuple(
                place for text in (*getattr(it, kind), *it.any) for place in _places(str(text))
            )
            for kind in _KINDS
        }
        condition = None if it.if_ is None else CONDITIONS[it.if_]
        yield Rule(str(id), it.impact, str(it.why), places, condition)


def _places(text: str) -> Iterator[str]:
    word = _WORD.match(text)
    for place in PLACES[word[1]] if word else ("",):
        yield place + (text[word.end() :] if word else text)
