"""The editor schemas agree with the generator: on the spec as it is, and on mistakes in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from codegen.editor import DOCUMENTS, FOLDER, modeline
from codegen.rendering import Tree
from codegen.value import TAGS
from tests.codegen.specs import texts_of

ROOT = Path(__file__).parents[2]
SPEC = sorted(texts_of(ROOT))


def kind_of(path: str) -> str:
    """Which document a spec file is, as it says itself."""
    folder = path.split("/")[1]
    if folder == "families":
        return f"{Path(path).stem}_family"
    if folder != "backends":
        return "conformance" if folder == "conformance" else "interface"
    return re.search(r"^family: (\w+)$", (ROOT / path).read_text(), re.MULTILINE)[1]  # type: ignore[index]


class Reader(yaml.SafeLoader):
    """Reads as editors do: YAML 1.2, in which `no` is a text, and tags only name a type."""


Reader.yaml_implicit_resolvers = {}
for tag, words, first in (
    ("null", r"null|~|", "n~"),
    ("bool", "true|false", "tf"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?[0-9]+\.[0-9]+", "-+0123456789"),
):
    Reader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{words})$"), [*first])
Reader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile("$"), [""])
Reader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))


def untagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else node.value


Reader.add_multi_constructor("!", untagged)


@pytest.fixture(scope="session")
def validators(tree: Tree) -> dict[str, Draft7Validator]:
    found = {Path(it).stem: json.loads(text) for it, text in tree.items() if it.startswith(FOLDER)}
    assert found.keys() > DOCUMENTS.keys()
    for schema in found.values():
        Draft7Validator.check_schema(schema)
    return {name: Draft7Validator(schema) for name, schema in found.items()}


def mistakes(validator: Draft7Validator, text: str) -> list[str]:
    """Where an editor marks something, in the outermost schema that fails."""
    document = yaml.load(text, Reader)
    return sorted("/".join(map(str, it.absolute_path)) for it in validator.iter_errors(document))


@pytest.mark.parametrize("path", SPEC)
def test_the_spec_is_valid(path: str, validators: dict[str, Draft7Validator]) -> None:
    assert mistakes(validators[kind_of(path)], (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "places"),
    [
        ("backends/sqlite.yaml", "\nqueries:", "\nquerys:", ["", ""]),  # one lacks, one is too much
        ("backends/sqlite.yaml", "\ntitle: SQLite", "\ntitle: TODO a name", ["title"]),
        ("backends/sqlite.yaml", "\ntitle: SQLite", "\ntitle:", ["title"]),
        ("backends/sqlite.yaml", "\ntitle: SQLite", "", [""]),
        ("backends/sqlite.yaml", "\nfamily: sql", "\nfamily: redis", ["family"]),
        ("backends/sqlite.yaml", "generation: 1", "generation: one", ["stored/generation"]),
        ("backends/sqlite.yaml", "[durable,", "[durables,", ["traits/0"]),
        ("backends/sqlite.yaml", "traits: [", "traits: [[a], ", ["traits/0"]),
        ("backends/sqlite.yaml", "  load.latest:", "  load.last:", ["queries"]),  # all have one
        ("backends/sqlite.yaml", "  opening:", "  openings:", ["queries", "queries"]),
        (
            "backends/sqlite.yaml",
            "\ntitle:",
            "\nlike: redis\ntitle:",
            [],
        ),
        ("backends/sqlite.yaml", "\nstored:", "\nlike: redis\nstore:", [""]),
        ("families/sql.yaml", "\nqueries:", "\nquerys:", [""]),
        (
            "backends/sqlite.yaml",
            "raise: StateTooLargeError",
            "raise: TooLarge",
            ["errors/rules/14/raise"],
        ),
        (
            "backends/sqlite.yaml",
            "colour: async",
            "colour: asynchronous",
            ["drivers/aiosqlite/colour"],
        ),
        (
            "backends/sqlite.yaml",
            "    requires: aiosqlite",
            "    require: aiosqlite",
            ["drivers/aiosqlite"],
        ),
        ("backends/sqlite.yaml", "    status: TEXT NOT NULL\n", "", ["stored/columns"]),
        (
            "backends/sqlite.yaml",
            "  unique: [partition_key, app_id",
            "  unique: [partition, app_id",
            ["stored/unique/0"],
        ),
        ("backends/sqlite.yaml", "{path: db_path}", "{paths: db_path}", ["url/parts"]),
        (
            "backends/sqlite.yaml",
            '"", schema: false',
            '"", schema: no',
            ["names/table_alone/schema"],
        ),
        ("backends/redis.yaml", "{get: record}", "{gets: record}", ["queries/load.at_sequence"]),
        ("backends/redis.yaml", "record: packed_1", "record: packed", ["stored/record"]),
        ("backends/mongodb.yaml", "    unique: true", "    unique: yes", ["indexes/ps_key/unique"]),
        (
            "backends/memory.yaml",
            "class: InMemoryPersister\n",
            "klass: A\n",
            ["drivers/in_memory"],
        ),
        (
            "interface.yaml",
            "base: abstract\n    parameters:",
            "base: abstrac\n    parameters:",
            ["operations/save/base"],
        ),
        ("interface.yaml", "\n  list_app_ids:\n", "\n  list_apps:\n", ["operations"]),
        (
            "interface.yaml",
            "answers: count}",
            "answers: counts}",
            ["operations/save/cases/insert/answers"],
        ),
        (
            "conformance/listing.yaml",
            "promise: 4\n    doc: A store",
            "promise: four\n    doc: A store",
            ["scenarios/list_of_an_empty_store_is_empty/promise"],
        ),
        ("conformance/life.yaml", "expect:", "expected:", None),
        ("conformance/keys.yaml", "record: {partition_key:", "record: {partition:", None),
    ],
)
def test_a_mistake_is_marked_where_it_is(
    path: str,
    old: str,
    new: str,
    places: list[str] | None,
    validators: dict[str, Draft7Validator],
) -> None:
    path = f"spec/{path}"
    text = (ROOT / path).read_text(encoding="utf-8")
    assert old in text
    found = mistakes(validators[kind_of(path)], text.replace(old, new, 1))
    assert found if places is None else found == places


@pytest.mark.parametrize("path", SPEC)
def test_each_file_says_which_schema_is_its_own(path: str, tree: Tree) -> None:
    first = (ROOT / path).read_text(encoding="utf-8").split("\n")[0]
    assert first == modeline(path, kind_of(path))
    schema = (ROOT / path).parent / first.rpartition("=")[2]
    assert schema.resolve().relative_to(ROOT / "generated").as_posix() in tree


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_key_is_explained(name: str, validators: dict[str, Draft7Validator]) -> None:
    """Below the names that a file's author chooses, there is a text for each key."""
    assert sorted(set(unexplained(validators[name].schema))) == []


def unexplained(schema: Any, key: str = "") -> Iterator[str]:
    if isinstance(schema, list):
        for it in schema:
            yield from unexplained(it, key)
    if isinstance(schema, dict):
        for name, it in schema.get("properties", {}).items():
            if not it.get("description"):
                yield f"{key}.{name}"
            yield from unexplained(it, name)
        for word in ("items", "anyOf", "additionalProperties"):
            yield from unexplained(schema.get(word), key)


def test_editors_are_told_each_tag() -> None:
    """Without it they take a tag for a mistake."""
    kinds = {"[": "sequence", "{": "mapping"}
    wanted = [f"!{name} {kinds.get(tag.example[0], 'scalar')}" for name, tag in TAGS.items()]
    text = (ROOT / ".vscode" / "settings.json").read_text(encoding="utf-8")
    settings = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE))
    assert settings["yaml.customTags"] == wanted
