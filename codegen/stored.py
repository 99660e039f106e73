"""What a backend file says of its stored format, as facts, and how two such formats differ.

A fact is what stands in the store, or decides what will stand there or where it is found: columns,
keys, names, statements that make something, the save. Docs, error rules, limits, queries that only
read and what concerns connections are none. Statements are compared by their words: white space
and comments do not count, nor does the name that the file itself gives to an identifier or a key.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from . import sql_text
from .model import (
    BackendModel,
    IndexModel,
    KeyStepModel,
    MongoBackendModel,
    NameModel,
    RedisBackendModel,
    SqlBackendModel,
    StepOfCreationModel,
)
from .nodes import Text, place_of
from .problems import Span
from .resolve.generations import migrates

SAVE = "save.insert"
MIGRATIONS = "migrations"
# The facts whose names the file chooses for itself, and the statements that use them.
_OWN_NAMES = ("names", "keys")
# What no migration changes: by it the generation is found, and a key stands on its node.
_LASTING = ("slot", "marked_in", "made_by")
# In which language a family's statements are written.
_LANGUAGES = {"redis": "lua"}
CHECK = re.compile(r"\s*INSERT\b.*\b(?:WHERE|AND)\s+false\b", re.IGNORECASE | re.DOTALL)
_STRING = {
    "sql": r"""'(?:[^']|'')*' | "(?:[^"]|"")*" """,
    "lua": r"""'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" """,
}
_COMMENT = {"sql": r"--[^\n]* | /\*.*?\*/", "lua": r"--\[\[.*?\]\] | --[^\n]*"}
_TOKENS = {
    language: re.compile(
        rf"(?P<comment> {_COMMENT[language]} ) | {string} | \w+ | [^\w\s]", re.VERBOSE | re.DOTALL
    )
    for language, string in _STRING.items()
}


@dataclass(frozen=True)
class Fact:
    """One line of a lock; a statement may have several."""

    section: str
    name: str
    """Empty where the section is one text or one list."""
    text: str
    span: Span
    family: str
    listed: bool = False
    """One of a list, whose order is not stored."""

    @property
    def title(self) -> str:
        """What messages call it."""
        place = f"{self.section}.{self.name}" if self.name else self.section
        return f"an item of '{place}'" if self.listed else f"'{place}'"

    @property
    def written(self) -> str:
        """The text without its comments and the margin it had in its file."""
        text = self._tokens.sub(lambda it: "" if it["comment"] else it[0], self.text)
        lines = [line.rstrip() for line in text.split("\n")]
        return textwrap.dedent("\n".join(filter(None, lines)))

    def words(self) -> list[tuple[str, int]]:
        """What is compared: each word or sign, and where it stands in the text."""
        found = self._tokens.finditer(self.text)
        return [(it[0], it.start()) for it in found if not it["comment"]]

    @property
    def _tokens(self) -> re.Pattern[str]:
        return _TOKENS[_LANGUAGES.get(self.family, "sql")]


@dataclass(frozen=True)
class Stored:
    """The stored format of a backend."""

    backend: str
    family: str
    generation: int
    facts: tuple[Fact, ...]
    span: Span
    """Where the generation stands."""
    migrates: bool = True
    """Whether what is stored can be brought to another generation."""
    taken_up: tuple[Text, ...] = ()
    """The keys of the generation before that the last migration carries over."""
    named: tuple[Text, ...] = ()
    """All keys that its steps name."""

    def keeps(self, fact: Fact) -> bool:
        """Whether a fact is the same in every generation."""
        marks = [it.text for it in self.facts if it.section == "marked_in"]
        return fact.section in _LASTING or (fact.section == "keys" and fact.name in marks)


@dataclass(frozen=True)
class Difference:
    """A fact that one of two formats lacks, or has in other words."""

    before: Fact | None
    after: Fact | None
    span: Span
    """Where the format says so now, or where what is gone would stand."""

    @property
    def fact(self) -> Fact:
        fact = self.after or self.before
        assert fact is not None
        return fact


# --- from the file to its facts -------------------------------------------------------------------


def stored(model: BackendModel) -> Stored | None:
    """What it stores, sorted; None for a backend that the generator emits no class for."""
    facts = _Facts(model.family)
    if isinstance(model, SqlBackendModel):
        _sql(model, facts)
    elif isinstance(model, RedisBackendModel):
        _redis(model, facts)
    elif isinstance(model, MongoBackendModel):
        _mongo(model, facts)
    else:
        return None
    generation = model.stored.generation
    steps = _last_steps(model)
    return Stored(
        str(model.backend),
        str(model.family),
        int(generation),
        tuple(sorted(facts.found, key=_order)),
        place_of(generation, model.span),
        migrates(model.stored),
        tuple(it.each for it in steps),
        tuple(name for it in steps for name in (it.each, *it.keys.values())),
    )


def _last_steps(model: BackendModel) -> list[KeyStepModel]:
    """What leads from the generation before to this one, where that is done key by key."""
    if not isinstance(model, RedisBackendModel):
        return []
    stored = model.stored
    return [step for it in stored.migrations if it.to == stored.generation for step in it.run]


def _order(fact: Fact) -> tuple[str, str, list[str]]:
    return fact.section, fact.name, [word for word, _ in fact.words()]


class _Facts:
    """The facts of one family, as they are found."""

    def __init__(self, family: str) -> None:
        self.found: list[Fact] = []
        self._family = str(family)

    def add(self, section: str, name: str, text: str, span: Span, listed: bool = False) -> None:
        self.found.append(Fact(section, name, text, span, self._family, listed))

    def one(self, section: str, text: str | None, otherwise: Span) -> None:
        if text is not None:
            self.add(section, "", text, place_of(text, otherwise))

    def named(self, section: str, texts: Mapping[Text, Text]) -> None:
        for name, text in texts.items():
            self.add(section, str(name), text, text.span)

    def joined(self, section: str, names: tuple[Text, ...], otherwise: Span) -> None:
        if names:
            self.add(section, "", ", ".join(names), place_of(names, otherwise))

    def listed(self, section: str, texts: Iterable[Text], name: str = "") -> None:
        for text in texts:
            self.add(section, name, text, text.span, listed=True)


def _sql(model: SqlBackendModel, facts: _Facts) -> None:
    kept = model.stored
    facts.named("columns", kept.columns)
    facts.joined("unique", kept.unique, kept.span)
    facts.joined("primary_key", kept.primary_key, kept.span)
    for index, columns in kept.indexes.items():
        facts.add("indexes", str(index), ", ".join(columns), index.span)
    facts.one("options", kept.options, kept.span)
    facts.one("created_at", kept.created_at, kept.span)
    facts.one("texts", model.quoting.texts, model.span)
    create = _run(model.create)
    record = _run(model.record_generation)
    rebuild = [] if model.derived is None else [*model.derived.rebuild]
    save = [text for case, text in model.queries.items() if case == SAVE]
    facts.listed("create", create)
    facts.listed("record_generation", record)
    facts.listed("derived", rebuild)
    migrations = {it.to: _run(it.run) for it in kept.migrations}
    for to, statements in migrations.items():
        facts.listed(MIGRATIONS, statements, f"to {to}")
    for text in save:
        facts.one(SAVE, text, text.span)
    widening = [] if model.widen is None else _run(model.widen.run)
    facts.listed("widen", widening)
    layouts = {
        name: text
        for name, layout in model.layouts.items()
        for case, text in layout.queries.items()
        if case == SAVE
    }
    facts.named("layouts", layouts)
    changing = (*create, *record, *rebuild, *widening, *chain(*migrations.values()))
    made = (*changing, *save, *layouts.values())
    used = {it.text for text in made for it in sql_text.parts(text) if it.kind == "splice"}
    for name, it in model.names.items():
        if name in used:
            facts.add("names", str(name), _identifier(it), it.suffix.span)


def _run(steps: Iterable[Text | StepOfCreationModel]) -> list[Text]:
    """What the steps make. When one is wanted is a question to the store, and an INSERT of nothing
    checks what is there."""
    texts = [step if isinstance(step, Text) else step.run for step in steps]
    return [text for text in texts if not CHECK.match(text)]


def _identifier(name: NameModel) -> str:
    identifier = f"{'schema.' if name.schema else ''}table{name.suffix}"
    return identifier if name.written == "identifier" else f"{identifier}, as {name.written}"


def _redis(model: RedisBackendModel, facts: _Facts) -> None:
    kept = model.stored
    facts.one("record", kept.record, model.span)
    facts.one("created_at", kept.created_at, model.span)
    facts.one("slot", model.slot, model.span)
    facts.one("marked_in", kept.marked_in, model.span)
    facts.one("made_by", kept.made_by, model.span)
    facts.named("keys", {name: key.template for name, key in model.keys.items()})
    for migration in kept.migrations:
        for step in migration.run:
            place = place_of(step.text, step.span)
            facts.add(MIGRATIONS, f"to {migration.to}", _carried(step), place, listed=True)
    for query in (it for case, it in model.queries.items() if case == SAVE):
        for script in (it for name, it in model.scripts.items() if name == query.script):
            facts.one(SAVE, script.text, script.span)
        facts.one("registers_in", query.registers_in, query.span)


def _carried(step: KeyStepModel) -> str:
    """A step as one text, its script behind what the script is given."""
    given = [f"{name} = {template}" for name, template in step.keys.items()]
    return "\n".join([f"each {step.each}", *given, *step.arguments, step.text])


def _mongo(model: MongoBackendModel, facts: _Facts) -> None:
    kept = model.stored
    facts.named("fields", kept.fields)
    facts.joined("unique", kept.unique, kept.span)
    facts.one("created_at", kept.created_at, kept.span)
    for name, index in model.indexes.items():
        facts.add("indexes", str(name), _index(index), name.span)
    for migration in kept.migrations:
        facts.listed(MIGRATIONS, migration.run, f"to {migration.to}")
    for query in (it for case, it in model.queries.items() if case == SAVE):
        facts.named(SAVE, query.insert or {})


def _index(index: IndexModel) -> str:
    keys = ", ".join(f"{field} {direction}" for field, direction in index.keys.items())
    unique = ", unique" if index.unique else ""
    return keys + unique + (f", without {index.without}" if index.without is not None else "")


# --- from two formats to what differs -------------------------------------------------------------


def differences(before: Stored, after: Stored) -> list[Difference]:
    """What is stored otherwise, by its place in the file that says so now."""
    renamed = _renamed(before, after)
    same = {_compared(it, {}): it for it in before.facts}
    gone, new = dict(same), []
    for fact in after.facts:
        known = gone.pop(_compared(fact, renamed), None)
        if known is None:
            new.append(fact)
    found = []
    for fact in new:
        former = _former(fact, list(gone.values()))
        if former is not None:
            del gone[_compared(former, {})]
        found.append(Difference(former, fact, _place(former, fact, renamed)))
    found += [Difference(fact, None, _home(fact, after)) for fact in gone.values()]
    return sorted(found, key=lambda it: (it.span, it.fact.title))


def _renamed(before: Stored, after: Stored) -> dict[str, str]:
    """The names that only this file knows, where one has another now: new to old."""
    was = {(it.section, it.text): it.name for it in before.facts if it.section in _OWN_NAMES}
    names = {(it.section, it.text): it.name for it in after.facts if it.section in _OWN_NAMES}
    there = set(names.values())
    return {new: was[it] for it, new in names.items() if it in was and was[it] not in there}


def _compared(fact: Fact, renamed: dict[str, str]) -> tuple[str, ...]:
    words = (renamed.get(word, word) for word, _ in fact.words())
    name = renamed.get(fact.name, fact.name) if fact.section in _OWN_NAMES else fact.name
    return fact.section, name, *words


def _former(fact: Fact, gone: list[Fact]) -> Fact | None:
    """What this was before: of the same name, or in a list the one that is most like it."""
    same = [it for it in gone if (it.section, it.name) == (fact.section, fact.name)]
    if not fact.listed:
        return same[0] if same else None
    texts = {it.written: it for it in same}
    near = difflib.get_close_matches(fact.written, texts, n=1)
    return texts[near[0]] if near else None


def _place(before: Fact | None, after: Fact, renamed: dict[str, str]) -> Span:
    """Of a statement of several lines the first word that differs."""
    text = after.text
    if before is None or not isinstance(text, Text) or "\n" not in text.strip():
        return after.span
    old, words = [word for word, _ in before.words()], after.words()
    for number, (word, offset) in enumerate(words):
        if number >= len(old) or renamed.get(word, word) != old[number]:
            return text.at(offset, len(word))
    return text.at(words[-1][1], len(words[-1][0])) if words else after.span


def _home(gone: Fact, after: Stored) -> Span:
    """Where it stood: behind what is left of its section."""
    left = [it.span for it in after.facts if it.section == gone.section]
    return max(left, default=after.span)
