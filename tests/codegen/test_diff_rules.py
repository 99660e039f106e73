"""Every kind of change that a spec can show has its rule, and every rule is met.

`changes.yaml` has a change of the real spec for each rule; `tests/golden/changes/` what a reviewer
reads of it. After a change of the words, run `UPDATE_GOLDENS=1 pytest
tests/codegen/test_diff_rules.py` and review the difference.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from codegen import ir, model
from codegen.decode import Value
from codegen.diff import text
from codegen.diff.between import changed
from codegen.diff.change import Change, Diff, Kind
from codegen.diff.compare import Difference
from codegen.diff.reference import reference
from codegen.diff.rules import rule_for, rules
from codegen.diff.shapes import is_ordered, is_set
from codegen.diff.tree import Fields, Leaf
from codegen.layers import LIKE, OF_DRIVERS
from codegen.model import InterfaceModel
from codegen.nodes import Text
from codegen.pipeline import Written
from codegen.problems import Span
from codegen.resolve.families import FAMILIES
from codegen.schema import alternatives, is_optional, keys_of
from codegen.stored import differences, stored
from codegen.words import KEY
from tests.codegen.specs import Texts, around, older, written
from tests.yaml_texts import read_yaml

GOLDENS = Path(__file__).parents[1] / "golden" / "changes"
Pair = list[dict[str, Any]]


def pairs() -> dict[str, Pair]:
    text = Path(__file__).with_name("changes.yaml").read_text(encoding="utf-8")
    found = read_yaml(text)
    return {name: it if isinstance(it, list) else [it] for name, it in found.items()}


PAIRS = pairs()


def patched(texts: Texts, pair: Pair) -> Texts:
    found = dict(texts)
    for patch in pair:
        file, old, new = patch["file"], patch.get("old"), patch.get("new")
        path = f"spec/{file}.yaml"
        if old:
            assert old in found[path]
            found[path] = found[path].replace(old, new, 1)
        elif new:
            name, other = file.partition("/")[2], new.partition("/")[2]
            text = found[f"spec/{new}.yaml"]
            found[path] = text.replace(f"backend: {other}\n", f"backend: {name}\n")
        else:
            del found[path]
    return found


def sides(pair: Pair, texts: Texts) -> tuple[Texts, Texts]:
    """Before and after. A backend's file has no say in what a change of one means that is not like
    it."""
    files = {f"spec/{it['file']}.yaml" for it in pair}
    all_ = bool(files & {"spec/interface.yaml"} or any("families" in it for it in files))
    other = patched(texts, pair)
    used = {
        it for path in files for side in (texts, other) if path in side for it in around(path, side)
    }
    needed, other = (
        {path: it for path, it in side.items() if all_ or path in used or "interf" in path}
        for side in (texts, other)
    )
    return (other, needed) if any(map(pair[0].get, ("back", "older"))) else (needed, other)


def both(pair: Pair, texts: Texts) -> tuple[Written, Written]:
    before, after = sides(pair, texts)
    return (older if pair[0].get("older") else written)(before), written(after)


# Every rule has a pair, every pair its rule


def test_every_rule_has_a_pair() -> None:
    assert {name.partition(".")[0] for name in PAIRS} == {it.id for it in rules()}


@pytest.mark.parametrize("name", PAIRS)
def test_a_change_falls_under_its_rule(name: str, texts: Texts, resolved: ir.Project) -> None:
    before, after = sides(PAIRS[name], texts)
    changes = changed(*both(PAIRS[name], texts))
    assert name.partition(".")[0] in {it.rule for it in changes}
    check_places(changes, before, after)
    found = text.changes(Diff("main", "0" * 40, resolved, resolved, tuple(changes), ()))
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(without_line_numbers(found), encoding="utf-8")
    assert without_line_numbers(found) == golden.read_text(encoding="utf-8")


def check_places(changes: list[Change], before: Texts, after: Texts) -> None:
    """Each is in a file that was changed: the base's if something is gone, else the present one."""
    for it in changes:
        assert it.in_base == (it.after is None)
        side, other = (before, after) if it.in_base else (after, before)
        lines = side[it.place.path].split("\n")
        assert 1 <= it.place.line <= len(lines)
        assert 1 <= it.place.column <= len(lines[it.place.line - 1]) + 1
        assert side[it.place.path] != other.get(it.place.path)


def without_line_numbers(text: str) -> str:
    """A line more elsewhere in a file is no other change."""
    return re.sub(r"(?m)^(  spec/\S+?):\d+:(\d+)", r"\1:*:\2", text)


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(PAIRS)


# What is stored: the same for locks and for reviewers

# These have no counterpart in a lock, which is compared with one of its own family and generation;
# and what they add or take away, a lock may gain, or a caller misses first.
OF_ITSELF = {"family-changed", "generation-changed", "language-of-stored-changed.of-a-family"}
OTHERWISE = {"migration-added", "adoption-added", "migration-removed", "widen-removed"}


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_stored_otherwise_is_a_migration(name: str, texts: Texts) -> None:
    before, after = both(PAIRS[name], texts)
    rules_ = {it.rule for it in changed(before, after) if it.impact == "migration"}
    was = {it.backend: stored(it) for it in before.backends}
    pairs = [(was.get(it.backend), stored(it)) for it in after.backends]
    is_other = any(one and it and differences(one, it) for one, it in pairs)
    if name in OF_ITSELF:
        assert rules_ == {name.partition(".")[0]}
    elif name in OTHERWISE:
        assert (rules_, is_other) == (set(), True)
    else:
        assert bool(rules_) == is_other


# What can change at all: derived from the models, as the pairs are not

Possible = tuple[tuple[str, ...], Kind]
STEPS = tuple[model.StepOfCreationModel, ...]
OF_CLASS = dict[Text, model.ParameterModel]
# What the comparison makes of a model's field.
AS: dict[tuple[type, str], Any] = {
    (model.DriverModel, "constructor"): OF_CLASS,
    (model.DriverModel, "from_values"): OF_CLASS,
    (model.DriverModel, "errors"): model.ErrorsModel,
    (model.PoolModel, "opened_with"): OF_CLASS,
    (model.SqlBackendModel, "create"): STEPS,
    (model.SqlBackendModel, "record_generation"): STEPS,
    (model.WidenModel, "run"): STEPS,
    (model.MigrationModel, "run"): STEPS,
    (model.SqlStoredModel, "migrations"): dict[Text, model.MigrationModel],
    (model.RedisStoredModel, "migrations"): dict[Text, model.RedisMigrationModel],
    (model.MongoStoredModel, "migrations"): dict[Text, model.MongoMigrationModel],
    (model.ScenarioModel, "steps"): Text,
    (model.ScenarioModel, "expect"): Text,
}
# What it has beside a model's fields.
BESIDE: dict[type, dict[str, Any]] = {
    model.InterfaceModel: {"root_error": Text},
    model.BackendModel: {"chosen": dict[Text, Text]},
    model.KeyModel: {"name": Text},
    model.ScenarioModel: {"name": Text, "file": Text},
}
SOME = "x"  # any name


def possible() -> Iterator[Possible]:
    yield from of(InterfaceModel, ("interface",))
    yield from of(dict[Text, model.ScenarioModel], ("scenarios",))
    for family in FAMILIES.values():
        yield from of(dict[Text, family], ("backends",))


def of(hint: Any, path: tuple[str, ...]) -> Iterator[Possible]:
    """What can change below a path."""
    hint = next((it for it in alternatives(hint) if it is not type(None)), hint)
    if dataclasses.is_dataclass(hint) and hint is not Value:
        yield from of_fields(hint, path)
    elif get_origin(hint) is dict:
        inner, here = get_args(hint)[1], (*path, SOME)
        yield (here, "added")
        yield (here, "removed")
        if is_leaf(inner):
            yield (here, "changed")
        if is_ordered(path):
            yield (path, "moved")
        yield from of(inner, here)
    elif get_origin(hint) is tuple:
        here = (*path, "[1]")
        yield (here, "added")
        yield (here, "removed")
        if not is_set(path):
            yield (here, "moved")
        yield from of(get_args(hint)[0], here)


def of_fields(cls: Any, path: tuple[str, ...]) -> Iterator[Possible]:
    fields = {name: AS.get((cls, key.field), key.type) for name, key in keys_of(cls).items()}
    for known, more in BESIDE.items():
        fields |= more if issubclass(cls, known) else {}
    if issubclass(cls, model.BackendModel):
        del fields["backend"]  # it is what the path says
    is_backend = issubclass(cls, model.BackendModel)
    for name in (LIKE, KEY, *OF_DRIVERS) if is_backend else (LIKE,):
        fields.pop(name, None)  # what they lead to is compared
    if cls in (model.MigrationModel, model.MongoMigrationModel, model.RedisMigrationModel):
        del fields["to"]  # as above
    if "parameters" in fields and not issubclass(cls, model.OperationModel):
        fields["unused"] = fields.pop("parameters")
    for name, hint in fields.items():
        here = (*path, name)
        if len(get_args(hint)) == 1 and get_origin(hint) is Literal:
            continue  # there is no other word
        if is_leaf(hint):
            yield (here, "changed")
        elif is_optional(hint):
            yield (here, "added")
            yield (here, "removed")
        yield from of(hint, here)


def is_leaf(hint: Any) -> bool:
    plain = [it for it in alternatives(hint) if it is not type(None)]
    return all(it in (Text, str, int, bool, Value) or get_origin(it) is Literal for it in plain)


POSSIBLE = sorted(set(possible()))


@pytest.mark.parametrize("it", POSSIBLE, ids=lambda it: f"{'.'.join(it[0])}-{it[1]}")
def test_whatever_can_change_has_a_rule(it: Possible) -> None:
    path, kind = it
    fitting = [rule for rule in rules() if rule.is_for(path, kind)]
    assert any(rule.condition is None for rule in fitting)
    # A condition behind a rule that has none is never asked.
    assert all(rule.condition is not None for rule in fitting[:-1])


def test_no_rule_is_for_what_cannot_be() -> None:
    for rule in rules():
        for place in {it for places in rule.places.values() for it in places}:
            paths = [path for path, kind in POSSIBLE if place in rule.places[kind]]
            assert any(means(place, path) for path in paths), f"{rule.id}: {place}"


def means(place: str, path: tuple[str, ...]) -> bool:
    """As `matches`, where any name may be the one that the place has."""
    names = place.split(".")
    if names[-1] == "**":
        names, path = names[:-1], path[: len(names) - 1]
    if len(names) != len(path):
        return False
    both = zip(names, path, strict=True)
    return all(name == "*" or it in (name, SOME) for name, it in both)


def test_what_no_rule_is_for_is_a_defect() -> None:
    leaf, root = Leaf("x", Span("", 1, 1)), Fields({}, Span("", 1, 1))
    stranger = Difference(
        ("interface", "stranger"), "added", None, leaf, (root, root), (root, root)
    )
    with pytest.raises(LookupError, match=r"no rule is for what was added at interface\.stranger"):
        rule_for(stranger)


def test_the_reference_names_every_rule() -> None:
    page = reference()
    for rule in rules():
        assert f"\n  {rule.id}: {rule.why}\n" in page
