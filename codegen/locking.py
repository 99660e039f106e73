"""Locks: the stored formats as last released, one file a backend, and what may differ from them.

`python -m codegen lock` writes them, when a release is made. Until then a backend may only be one
generation ahead of its lock; in the locked generation, it stores what the lock says.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from .model import BackendModel
from .nodes import ListNode, MappingNode, Node, ScalarNode
from .problems import Code, Report, Span, suggest
from .resolve.generations import KEEP
from .source import load
from .stored import MIGRATIONS, Difference, Fact, Stored, differences, stored

SUFFIX = ".lock.yaml"
_HEAD = """\
# The stored format as last released: written by `{command}` when a release is made, never by hand.
# What stores anything else needs the next stored.generation, and a migration that leads there.
"""
_DIGEST = "digest: "
# What a lock says beside its facts, in this order; the digest comes last.
_ABOUT = ("backend", "family", "generation")


@dataclass(frozen=True)
class Place:
    """Where locks are kept."""

    base: Path
    folder: str
    """From the base, as messages show it."""
    command: str
    """What writes them."""

    def path(self, backend: str) -> str:
        return f"{self.folder}/{backend}{SUFFIX}"


@dataclass(frozen=True)
class Lock:
    """The lock of a backend: what it says, if there is one, and what it would say now."""

    path: str
    before: Stored | None
    now: Stored
    text: str
    is_current: bool

    @property
    def verdict(self) -> Literal["missing", "changed"]:
        return "missing" if self.before is None else "changed"

    @property
    def state(self) -> str:
        if self.before is None:
            return "none: nothing of it has been released"
        return f"{self.path}, generation {self.before.generation} has been released"

    @property
    def step(self) -> str:
        """From which generation to which."""
        step = f"generation {self.last}"
        return step if self.last == self.now.generation else f"{step} -> {self.now.generation}"

    @property
    def last(self) -> int:
        """The generation that was released last, if there is one."""
        return self.now.generation if self.before is None else self.before.generation

    @property
    def differences(self) -> list[Difference]:
        return [] if self.before is None else differences(self.before, self.now)

    @property
    def forbidden(self) -> list[Difference]:
        return [] if self.before is None else _forbidden(self.before, self.now)


def locks(models: Iterable[BackendModel], place: Place, report: Report) -> list[Lock]:
    """The locks of all backends that store something, checked."""
    formats = {it.backend: it for it in map(stored, models) if it is not None}
    there = {it.backend: (it, text) for it, text in _read_all(place, formats, report)}
    found = []
    for name, now in formats.items():
        before, text = there.get(name, (None, ""))
        if before is not None:
            _check(before, now, place, report)
        wanted = render(now, place.command)
        found.append(Lock(place.path(name), before, now, wanted, text == wanted))
    return found


def described(difference: Difference) -> tuple[str, ...]:
    """Before and after, or of long statements the lines that differ."""
    before, after = (it.written if it else "" for it in (difference.before, difference.after))
    if "\n" in before and "\n" in after:
        lines = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=0))
        changed = [line for line in lines[2:] if not line.startswith("@@")]
        if changed:
            return ("\n".join(["released (-) and now (+)", *changed]),)
    return _labelled("released", before), _labelled("now", after)


def _labelled(label: str, text: str) -> str:
    return f"{label}:\n{text}" if "\n" in text else f"{label}: {text or 'nothing'}"


def _check(before: Stored, now: Stored, place: Place, report: Report) -> None:
    lock, last = place.path(now.backend), before.generation
    if before.family != now.family:
        message = f"the family was {before.family!r} when generation {last} was released"
        help = "give another store another backend name; the data of this one cannot follow"
        report.add(Code.LOCK01, message, now.span, help=help, notes=(f"{lock} says so",))
        return
    if now.generation < last:
        message = f"generation {now.generation} is older than {last}, which has been released"
        help = f"write {last}; what was stored before is read by migrations"
        report.add(Code.LOCK02, message, now.span, help=help, notes=(f"{lock} says so",))
        return
    if now.generation > last + 1:
        message = f"generation {now.generation} does not follow {last}, which was released last"
        help = f"write {last + 1}; all that has changed since then goes into one generation"
        report.add(Code.LOCK02, message, now.span, help=help, notes=(f"{lock} says so",))
        return
    for it in _forbidden(before, now):
        title = it.fact.title
        if it.before is None:
            message = f"{title} does not belong to generation {last} as it was released"
        elif it.after is None:
            message = f"{title} is missing, and belongs to generation {last} as it was released"
        else:
            message = f"{title} is not what was released as generation {last}"
        help = f"undo it; or raise stored.generation to {last + 1}, and add a migration to there"
        if it.fact.section == MIGRATIONS:
            help = "undo it: somebody's store was made by it; what is to be done to that is a "
            help += f"migration to {last + 1}"
        elif not now.migrates:
            help = f"undo it: {KEEP}"
        elif before.keeps(it.fact):
            help = "undo it: no migration changes it, as every version has to find the generation"
        report.add(Code.LOCK01, message, it.span, help=help, notes=described(it))
    if now.generation > last:
        _check_taken_up(before, now, lock, report)


def _check_taken_up(before: Stored, now: Stored, lock: str, report: Report) -> None:
    """A step for keys that nobody has would carry over nothing, and say nothing; nor would anybody
    say what is left behind."""
    last, notes = before.generation, (f"{lock} says so",)
    there, kept = (
        {it.text: it for it in stored.facts if it.section == "keys"} for stored in (before, now)
    )
    unknown = [it for it in now.taken_up if it not in there]
    for it in unknown:
        message = f"no key of generation {last} has the template {str(it)!r}"
        help = suggest(it, there, f"released as generation {last}")
        report.add(Code.LOCK04, message, it.span, help=help, notes=notes)
    for template, fact in there.items():
        if unknown or template in (*kept, *now.named) or before.keeps(fact):
            continue
        place = next((it.span for it in kept.values() if it.name == fact.name), now.span)
        message = f"no step carries over what generation {last} has stored under {template!r}"
        help = f"write one with 'each: {template}'; it removes the key if nothing is to be kept"
        report.add(Code.LOCK04, message, place, help=help, notes=notes)


def _forbidden(before: Stored, now: Stored) -> list[Difference]:
    """A released migration stays for ever, as somebody may have run it; all else may change with
    the generation. A migration may be added to a released one: what it makes is that. What every
    generation keeps may not change at all."""
    released = {it.name for it in before.facts if it.section == MIGRATIONS}
    found = []
    for it in differences(before, now):
        if it.fact.section == MIGRATIONS:
            if it.fact.name in released:
                found.append(it)
        elif now.generation == before.generation or before.keeps(it.fact):
            found.append(it)
    return found


# --- the file -------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Lists are indented, and a text of several lines keeps them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def render(now: Stored, command: str) -> str:
    """The text of a lock."""
    values: dict[str, Any] = {
        "backend": now.backend,
        "family": str(now.family),
        "generation": now.generation,
    }
    for fact in now.facts:
        home, key = values, fact.section
        if fact.name:
            home, key = values.setdefault(fact.section, {}), fact.name
        if fact.listed:
            home.setdefault(key, []).append(fact.written)
        else:
            home[key] = fact.written
    body = yaml.dump(values, Dumper=_Dumper, sort_keys=False, width=1_000_000, allow_unicode=True)
    text = _HEAD.format(command=command) + body
    return f"{text}{_DIGEST}{_digest(text)}\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read_all(
    place: Place, formats: dict[str, Stored], report: Report
) -> Iterable[tuple[Stored, str]]:
    for file in sorted((place.base / place.folder).glob("[!.]*")):
        path = f"{place.folder}/{file.name}"
        backend = file.name.removesuffix(SUFFIX)
        if not file.name.endswith(SUFFIX):
            help = f"move it out of {place.folder}/, which holds only what `{place.command}` writes"
            report.add(Code.LOCK03, "is no lock", Span(path, 1, 1), help=help)
        elif backend not in formats:
            message = f"there is no backend {backend!r} with something stored"
            help = "put it back; or delete the lock, if nobody has such a store any more"
            report.add(Code.LOCK03, message, Span(path, 1, 1), help=help)
        else:
            found = _read(place, path, backend, report)
            if found is not None:
                yield found


def _read(place: Place, path: str, backend: str, report: Report) -> tuple[Stored, str] | None:
    """What the lock says, if it is as it was written."""
    found = Report()
    node, text = load(place.base, path, found)
    problem = next(iter(found.problems), None)
    about, facts = _split(node)
    body, _, digest = text.rpartition(_DIGEST)
    first = Span(path, 1, 1)
    if problem is not None:
        _refuse("cannot be read", problem.span, place, report, (problem.message,))
    elif not all(name in about for name in (*_ABOUT, "digest")):
        _refuse("is no lock", first, place, report)
    elif digest.strip() != _digest(body):
        _refuse("was changed by hand: its digest does not fit", first, place, report)
    elif about["backend"].text != backend or not about["generation"].text.isdecimal():
        where = about["backend"].span
        _refuse(f"is the lock of {about['backend'].text!r}", where, place, report)
    else:
        generation = int(about["generation"].text)
        family = str(about["family"].text)
        return Stored(backend, family, generation, tuple(facts), about["generation"].span), text
    return None


def _refuse(
    message: str, span: Span | None, place: Place, report: Report, notes: tuple[str, ...] = ()
) -> None:
    help = f"put back the file that `{place.command}` wrote at the last release, such as with git"
    report.add(Code.LOCK03, message, span, help=help, notes=notes)


def _split(node: Node | None) -> tuple[dict[str, ScalarNode], list[Fact]]:
    """What the lock says of itself, and its facts."""
    about: dict[str, ScalarNode] = {}
    facts: list[Fact] = []
    family = ""
    for key, value in node.pairs if isinstance(node, MappingNode) else ():
        section = str(key)
        if section in (*_ABOUT, "digest") and isinstance(value, ScalarNode):
            about[section] = value
            family = str(about["family"].text) if "family" in about else ""
            continue
        named = value.pairs if isinstance(value, MappingNode) else (("", value),)
        for name, it in named:
            listed = isinstance(it, ListNode)
            for text in it.items if isinstance(it, ListNode) else (it,):
                if isinstance(text, ScalarNode):
                    fact = Fact(section, str(name), text.text, text.span, family, listed)
                    facts.append(fact)
    return about, facts
