"""A base that was written for another generator: it is compared as far as this one reads it."""

from __future__ import annotations

import json
import shutil
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import jsonschema
import pytest

from codegen.__main__ import main
from codegen.diff import json as as_json
from codegen.diff.between import changed
from codegen.diff.change import OF_ANOTHER
from codegen.diff.command import _base
from codegen.diff.older import read
from codegen.nodes import ListNode, MappingNode, Node, ScalarNode, Text
from codegen.problems import Report, Span
from codegen.source import parse
from tests.codegen.specs import Texts, older, written
from tests.codegen.test_diff_command import change, commit, git

SQLITE, REDIS = "spec/backends/sqlite.yaml", "spec/backends/redis.yaml"
# As the base has it, and as it is by now.
GONE = (
    ("title: SQLite\n", "title: SQLite\nsince: {year: 2000, by: [hipp]}\n"),
    ("  unique: [part", "  padding: 7\n  unique: [part"),
)
MISSING = (("traits: [durable, network, connection]\n", ""), ("  record: packed_1\n", ""))
NOTES = {
    SQLITE: "unknown key 'since' in a backend; unknown key 'padding' in a stored format",
    REDIS: "missing key 'traits' in a backend; missing key 'record' in a stored format",
}
RULES = {
    "backends.redis.traits": (
        "language-changed",
        "behaviour",
        None,
        "[durable, network, connection]",
    ),
    "backends.sqlite.since": (
        "language-changed",
        "behaviour",
        "year: '2000'\nby: [hipp]",
        None,
    ),
    "backends.sqlite.stored.padding": ("language-of-stored-changed", "migration", "7", None),
    "backends.redis.stored.record": (
        "language-of-stored-changed",
        "migration",
        None,
        "packed_1",
    ),
    "backends.sqlite.title": ("title-changed", "safe", "SQLite", "SQLite 3"),
}


@pytest.fixture(scope="module")
def shown(original: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is printed in each format of such a base; keys are new and gone, a word is another."""
    project = tmp_path_factory.mktemp("older") / "project"
    shutil.copytree(original, project)
    for path in project.glob("spec/*/sqlcipher.*"):  # it is like SQLite, and says all of it again
        path.unlink()
    git(project, "init", "--quiet", "--initial-branch", "main")
    change(project, SQLITE, *GONE)
    change(project, REDIS, *MISSING)
    commit(project)
    change(project, SQLITE, *((new, old) for old, new in GONE))
    change(project, SQLITE, ("title: SQLite\n", "title: SQLite 3\n"))
    text = (original / REDIS).read_text(encoding="utf-8")
    (project / REDIS).write_text(text, encoding="utf-8")
    found = {}
    for format in ("text", "json", "github", "markdown", "html"):
        with redirect_stdout(StringIO()) as out:
            assert main(["--root", str(project), "diff", "main", "--format", format]) == 1
        found[format] = out.getvalue()
    return found


def test_what_both_have_is_compared_and_the_rest_is_the_language(shown: dict[str, str]) -> None:
    found = json.loads(shown["json"])
    schema = json.loads(Path(as_json.__file__).with_name("diff.schema.json").read_text("utf-8"))
    jsonschema.validate(found, schema)
    assert {it["file"]: it["text"] for it in found["notes"]} == NOTES
    changes = {
        it["path"]: (it["rule"], it["class"], it["before"], it["after"]) for it in found["changes"]
    }
    assert changes == RULES
    gates = {(it["class"], it["backend"]): it["met"] for it in found["gates"]}
    # What is stored is known all the same: the locks have it.
    assert gates == {
        ("migration", "redis"): True,
        ("migration", "sqlite"): True,
        ("behaviour", "redis"): False,
        ("behaviour", "sqlite"): False,
    }


def test_each_format_has_a_line_for_each_file(shown: dict[str, str]) -> None:
    notes = "".join(f"  {path}: {text}\n" for path, text in sorted(NOTES.items()))
    assert f"\n\nmain {OF_ANOTHER}:\n{notes}\nmigration: " in shown["text"]
    listed = "\n".join(f"> - `{path}`: `{text}`" for path, text in sorted(NOTES.items()))
    assert f"> `main` {OF_ANOTHER}:\n>\n{listed}\n" in shown["markdown"]
    for path, text in NOTES.items():
        quoted = text.replace("'", "&#39;")
        assert f"<li><code>{path}</code>: {quoted}</li>" in shown["html"]
    (first, *_) = shown["github"].splitlines()
    assert first.startswith(f"::notice title=main {OF_ANOTHER.replace(',', '%2C')}::")
    assert all(f"{path}: {text}" in first for path, text in NOTES.items())


def test_what_cannot_be_rendered_is_not_said_to_be_the_same(shown: dict[str, str]) -> None:
    for format in ("markdown", "html"):
        assert "They cannot be compared:" in shown[format]
        assert "this generator makes nothing of the base" in shown[format]
        assert "no generated module changes" not in shown[format]


def test_what_only_this_generator_refuses_is_noted(texts: Texts, tmp_path: Path) -> None:
    """Each part can be read, but not all of them together."""
    texts = {path: it for path, it in texts.items() if "sqlcipher" not in path}
    for path, text in texts.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            text.replace("raise: StateTooLargeError", "raise: StateTooBigError")
            if path == SQLITE
            else text,
            encoding="utf-8",
        )
    side = _base(tmp_path, "the base")
    assert side.project is None
    assert any("StateTooBigError" in it.text for it in side.notes if it.path == SQLITE)
    found = {it.path for it in changed(side.written, written(texts))}
    assert found == {"backends.sqlite.errors.rules[15].raise"}


# Whatever has changed in the language


def broken(node: Node) -> list[Node]:
    """The node with one key in it gone, unknown or of another kind; and so on in what is inside."""
    if isinstance(node, ScalarNode):
        return []
    found: list[Node] = []
    if isinstance(node, ListNode):
        for number, it in enumerate(node.items):
            for other in broken(it):
                items = (*node.items[:number], other, *node.items[number + 1 :])
                found.append(ListNode(items, node.span))
        return found
    for number, (key, it) in enumerate(node.pairs):
        before, after = node.pairs[:number], node.pairs[number + 1 :]
        unknown = (Text("zzzz", Span(key.span.path, key.span.line, 90)), it)
        kinds: Node = MappingNode(((Text("a", key.span), it),), key.span)
        if isinstance(it, MappingNode):
            kinds = ListNode((it,), key.span)
        for pairs in (
            (*before, *after),
            (*before, unknown, *after),
            (*before, (key, kinds), *after),
            *((*before, (key, other), *after) for other in broken(it)),
        ):
            found.append(MappingNode(pairs, node.span))
    return found


@pytest.mark.parametrize("path", [SQLITE, REDIS, "spec/backends/mongodb.yaml"])
def test_no_change_of_the_language_stands_in_the_way(path: str, texts: Texts) -> None:
    some = {it: texts[it] for it in (path, "spec/interface.yaml")}
    after = written(some)
    nodes = {it: parse(text, it, Report()) for it, text in some.items()}
    known = {it: node for it, node in nodes.items() if isinstance(node, MappingNode)}
    seen = 0
    for node in broken(known[path])[::17]:
        assert isinstance(node, MappingNode)
        changes = changed(read({**known, path: node}), after)
        seen += any(it.rule.startswith("language-") for it in changes)
    assert seen > 20


def test_a_spec_for_this_generator_is_read_as_ever(texts: Texts) -> None:
    assert changed(older(texts), written(texts)) == []
