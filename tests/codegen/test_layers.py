"""What a backend file leaves out: its family's, and what the backend says that it is like."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen import plans, words
from codegen.layers import FOLDER, Layers, over
from codegen.model import SqlBackendModel
from codegen.nodes import MappingNode, Node, ScalarNode, plain
from codegen.pipeline import Run, problems_of
from codegen.problems import Report, Span
from codegen.source import parse
from tests.codegen.specs import texts_of

TEXTS = texts_of(Path(__file__).parents[2])
Put = Callable[[Path, str], None]
NOWHERE = Span("", 1, 1)
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


def test_what_a_file_says_for_its_drivers() -> None:
    """Those with a session of their own have what they need."""
    file = node(
        "{backend: one, family: sql, parameter_style: format, connect: {fixed: {a: 1, b: 1}},"
        " drivers: {x: {connect: {fixed: {b: 2}}}, y: {parameter_style: qmark}, z: {session: Own}}}"
    )
    found = Layers.of({"spec/backends/one.yaml": file}).complete(file, Report())
    assert found is not None
    said = plain(found)
    assert said["drivers"] == {
        "x": {"connect": {"fixed": {"b": "2", "a": "1"}}, "parameter_style": "format"},
        "y": {"parameter_style": "qmark", "connect": {"fixed": {"a": "1", "b": "1"}}},
        "z": {"session": "Own"},
    }
    assert said.keys() == {"backend", "family", "drivers"}


# What a family says in the words of a store

MARIADB = "spec/backends/mariadb.yaml"


@pytest.mark.parametrize(
    ("family", "said"),
    [
        ("a: '{text} NOT NULL'", {"a": "TEXT NOT NULL"}),
        ("a: '{text}, {text} and {codec}'", {"a": "TEXT, TEXT and INT"}),
        ("a: '{table} {columns}'", {"a": "{table} {columns}"}),  # these are no words
        (
            "a: [{where: '{text}', run: '{codec}'}, 1]",
            {"a": [{"where": "TEXT", "run": "INT"}, "1"]},
        ),
    ],
)
def test_the_words_of_a_store_stand_in_what_its_family_says(family: str, said: object) -> None:
    own = node("{text: TEXT, codec: INT}")
    report = Report()
    found = words.said(node(family), own, "", report)
    assert not report
    assert found is not None
    assert plain(found) == said


@pytest.mark.parametrize(
    ("family", "left"),
    [
        ("{a: '{state}', b: 1}", {"b": "1"}),
        (
            "{a: {b: '{state}'}, c: {d: '{state}', e: '1'}, f: {}, g: []}",
            {"c": {"e": "1"}, "f": {}, "g": []},
        ),
        ("{a: ['{state}'], b: ['{text}', '{table}']}", {"b": ["{table}"]}),
        ("a: [{where: '{text}', run: 1}, {where: 2, run: 3}]", {"a": [{"where": "2", "run": "3"}]}),
        ("a: {b: ['{text}']}", None),
    ],
)
def test_without_words_what_takes_some_is_left_out(family: str, left: object) -> None:
    """Of a step all of it."""
    found = words.without(node(family))
    assert (found and plain(found)) == left


def test_in_a_files_own_texts_there_are_no_words() -> None:
    """{order} may be the name of an index there."""
    file = node("{a: '{order}', b: '{state}'}", "own.yaml")
    assert words.said(file, node("{order: INT}"), "spec/families", Report()) is file


def test_words_are_taken_over_too() -> None:
    files = {
        "spec/families/sql.yaml": node("{a: '{text} {codec}'}", "spec/families/sql.yaml"),
        "spec/backends/one.yaml": node(
            "{backend: one, family: sql, words: {text: TEXT, codec: INT}}"
        ),
        "spec/backends/two.yaml": node(
            "{backend: two, family: sql, like: one, words: {text: BYTEA}}"
        ),
        "spec/backends/three.yaml": node("{backend: three, family: sql, like: two, a: none}"),
    }
    layers, report = Layers.of(files), Report()
    found = [layers.complete(files[it], report) for it in files]
    assert not report
    said = [plain(it)["a"] for it in found[1:] if it is not None]
    assert said == ["TEXT INT", "BYTEA INT", "none"]


def test_each_character_stands_where_it_is_written() -> None:
    """Of words and of what they stand in, on several lines too."""
    family = node("a: |\n  SELECT {mark}\n  FROM {schema}.x\n", "family.yaml")
    own = node("mark: one two\nschema: 'it''s'\n", "own.yaml")
    found = words.said(family, own, "family", Report())
    assert isinstance(found, MappingNode)
    ((_, scalar),) = found.pairs
    assert isinstance(scalar, ScalarNode)
    text = scalar.text
    assert text == "SELECT one two\nFROM it's.x\n"
    places = {
        "SELECT": Span("family.yaml", 2, 3, 6),
        "one": Span("own.yaml", 1, 7, 3),
        "two": Span("own.yaml", 1, 11, 3),
        "FROM": Span("family.yaml", 3, 3, 4),
        "it": Span("own.yaml", 2, 10, 2),
        "x": Span("family.yaml", 3, 17, 1),
    }
    assert {it: text.at(text.index(it), len(it)) for it in places} == places
    assert text.span.path == "family.yaml"
    assert text.at(len(text)) == text.span
    for copied in (copy.copy(text), pickle.loads(pickle.dumps(text))):
        assert copied == text
        assert copied.at(11, 3) == places["two"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mark: table_comment", "mark: comment_of({tables})", ":20: SQL06 unknown name {tables}"),
        ("write_mark: ALTER TABLE {table}", "write_mark: ALTER {tabel}", ":21: SQL06 unknown name"),
        ("  mark: table_comment", "  marks: table_comment", ":3: SCH01 unknown key 'marks'"),
        (
            "  state: LONGBLOB\n",
            "",
            ":3: SCH02 no word 'state', which spec/families/sql.yaml takes",
        ),
    ],
)
def test_a_mistake_in_a_word_is_shown_where_it_is(
    project: Path, put: Put, old: str, new: str, told: str
) -> None:
    text = (project / MARIADB).read_text(encoding="utf-8")
    assert text.count(old) == 1
    put(project / MARIADB, text.replace(old, new))
    said = problems_of(project)
    assert f"{MARIADB}:" in said.splitlines()[0]
    assert told in said.splitlines()[0]
    assert "\n1 problem; " in said


def test_what_a_familys_query_may_cost_no_other_may(project: Path) -> None:
    """MariaDB takes the family's list of applications, the others have their own."""
    run = Run(project)
    assert run.project() is not None
    models = {str(it.backend): it for it in run.models if isinstance(it, SqlBackendModel)}
    allowed = {
        name: [kind for query, kind in plans.allowed(it) if query == "list_app_ids.newest"]
        for name, it in models.items()
    }
    assert allowed == {
        "mariadb": ["sort", "temporary"],
        "postgresql": ["sort"],
        "sqlcipher": [],
        "sqlite": [],
    }
