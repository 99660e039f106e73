"""What a backend file leaves out: its family's, and what the backend says that it is like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen.layers import FOLDER, Layers, over
from codegen.model import SqlBackendModel
from codegen.nodes import Node, plain
from codegen.pipeline import Run, problems_of
from codegen.problems import Report
from codegen.source import parse
from tests.codegen.specs import texts_of

TEXTS = texts_of(Path(__file__).parents[2])
Put = Callable[[Path, str], None]
REDIS_BURR = "spec/backends/redis_burr.yaml"


def node(text: str, path: str = "x.yaml") -> Node:
    found = parse(text, path, Report())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("own", "below", "found"),
    [
        ("a: 1", "b: 2", {"a": "1", "b": "2"}),
        ("a: 1", "a: 2", {"a": "1"}),
        ("a: {b: 1}", "a: {b: 2, c: 3}", {"a": {"b": "1", "c": "3"}}),
        ("a: [1]", "a: [2, 3]", {"a": ["1"]}),
        ("a: {b: null}", "a: {b: 2, c: 3}", {"a": {"c": "3"}}),
        ("a: 'null'", "a: 2", {"a": "null"}),
        ("a: null", "b: 2", {"a": "null", "b": "2"}),  # it leaves out what is there
        ("a: text", "a: {b: 2}", {"a": "text"}),
        ("errors: {rules: [1]}", "errors: {rules: [2], base: [x]}", None),
    ],
)
def test_mappings_are_laid_over_each_other(own: str, below: str, found: object) -> None:
    found = found or {"errors": {"rules": ["1", "2"], "base": ["x"]}}
    assert plain(over(node(own), node(below))) == found


def test_a_rule_of_ones_own_takes_the_place_of_one_for_the_same_failures() -> None:
    own = node(
        "errors: {rules: [{exception: a.B, raise: X}, {codes: [1], messages: [m], raise: X}]}"
    )
    below = node(
        "errors: {rules: [{exception: a.B, messages: [m], raise: Y}, {exception: a.B, raise: Y},"
        " {codes: [1], raise: Y}, {messages: [m], codes: [1], raise: Y}]}"
    )
    found: Any = plain(over(own, below))
    assert found["errors"]["rules"] == [
        {"exception": "a.B", "raise": "X"},
        {"codes": ["1"], "messages": ["m"], "raise": "X"},
        {"exception": "a.B", "messages": ["m"], "raise": "Y"},
        {"codes": ["1"], "raise": "Y"},
    ]


def test_the_family_is_below_what_a_backend_is_like() -> None:
    files = {
        "spec/families/sql.yaml": node("{of: family, a: family, b: family, c: family}"),
        "spec/backends/one.yaml": node("{backend: one, family: sql, title: One, b: one, c: one}"),
        "spec/backends/two.yaml": node("{backend: two, family: sql, like: one, c: two}"),
        "spec/backends/three.yaml": node("{backend: three, family: sql, like: two}"),
    }
    layers, report = Layers.of(files), Report()
    found = {path: layers.complete(it, report) for path, it in files.items()}
    assert not report
    assert plain(found["spec/backends/three.yaml"] or node("")) == {
        "backend": "three",
        "family": "sql",
        "like": "two",  # no title: that is one's own
        "c": "two",
        "b": "one",
        "a": "family",
        "of": "family",
    }


def test_only_the_errors_are_taken_over(project: Path, put: Put) -> None:
    """With `errors: {like: ...}`, whatever the family."""
    text = (project / REDIS_BURR).read_text(encoding="utf-8")
    errors = text[text.index("\nerrors:\n") : text.index("\nurl:")]
    rule = '    - {messages: ["of its own"], raise: PersisterError, advice: it is told}\n'
    put(project / REDIS_BURR, text.replace(errors, f"\nerrors:\n  like: redis\n  rules:\n{rule}"))
    run = Run(project)
    assert run.project() is not None, run.problems()
    models = {str(it.backend): it for it in run.models}
    one, other = models["redis_burr"], models["redis"]
    assert one.errors.rules[0].advice == "it is told"  # type: ignore[union-attr]
    assert one.errors.rules[1:] == other.errors.rules  # type: ignore[union-attr]
    assert one.errors.base == other.errors.base  # type: ignore[union-attr]
    assert {it.advice.span.path for it in other.errors.rules} == {"spec/backends/redis.yaml"}  # type: ignore[union-attr]


def test_what_is_taken_over_stands_where_it_is_written(project: Path) -> None:
    run = Run(project)
    assert run.project() is not None
    found = {str(it.backend): it for it in run.models}
    model = found["sqlcipher"]
    assert isinstance(model, SqlBackendModel)
    paths = {str(name): sql.span.path for name, sql in model.queries.items()}
    assert paths.pop("save.conflicting") == "spec/families/sql.yaml"
    assert set(paths.values()) == {"spec/backends/sqlite.yaml"}
    assert model.title == "SQLCipher"
    assert list(model.drivers) == ["sqlcipher3"]


def test_without_what_it_is_like_the_other_mistake_is_told_alone(project: Path, put: Put) -> None:
    """A file that is no YAML: nothing is said of those that are like it."""
    put(project / "spec/backends/sqlite.yaml", "backend: [\n")
    assert "\n1 problem; " in problems_of(project)


@pytest.mark.parametrize("path", [it for it in TEXTS if it.startswith(FOLDER)])
def test_a_family_says_nothing_that_is_a_backends_own(path: str) -> None:
    said = plain(node(TEXTS[path]))
    assert not said.keys() & {"backend", "family", "title", "doc", "url", "drivers", "like"}
