"""Migrations of a Redis backend: what was released stays, and each change of one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.diff.between import changed
from tests.codegen.specs import Texts, written
from tests.codegen.test_locks import Put, edit, headlines, lock

FILE = "spec/backends/redis.yaml"
TO_2 = """\
  generation: 2
  migrations:
    - to: 2
      doc: The heads have another name.
      run:
        - each: h
          keys: {heads: heads}
          arguments: [partition_key]
          text: |
            if partition_key == '' then return 0 end
            return redis.call('RENAMENX', key, heads)
        - each: a
          text: return redis.call('PERSIST', key)
"""
TO_3 = f"""{TO_2.replace("generation: 2", "generation: 3")}\
    - to: 3
      doc: The heads have a third name.
      run:
        - each: heads
          keys: {{third: heads3}}
          text: return redis.call('RENAMENX', key, third)
"""
FIRST = "  generation: 1\n"
TEMPLATE, SECOND, THIRD = (f"    template: {it}\n" for it in ("h", "heads", "heads3"))


@pytest.fixture
def released(project: Path, put: Put) -> Path:
    """A project that released generation 2 of its Redis backend."""
    edit(project, put, "redis", (FIRST, TO_2), (TEMPLATE, SECOND))
    assert headlines(project) == []
    assert lock(project) == 0
    return project


def test_what_was_released_may_be_explained_otherwise(released: Path, put: Put) -> None:
    more = ("            if partition_key", "            -- why\n            if   partition_key")
    edit(
        released, put, "redis", more, ("doc: The heads have another", "doc: The heads had another")
    )
    assert headlines(released) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("then return 0 end", "then return 1 end"),
        ("- each: h\n", "- each: a\n"),
        ("{heads: heads}", "{heads: heads2}"),
        ("'PERSIST', key)", "'PERSIST', key) + 0"),
    ],
)
@pytest.mark.parametrize("goes_on", [False, True], ids=["in its generation", "in the next one"])
def test_a_migration_that_was_released_stays(
    released: Path, put: Put, old: str, new: str, goes_on: bool
) -> None:
    if goes_on:
        edit(released, put, "redis", (TO_2, TO_3), (SECOND, THIRD))
        assert headlines(released) == []
    edit(released, put, "redis", (old, new))
    assert headlines(released) == [
        "LOCK01 an item of 'migrations.to 2' is not what was released as generation 2"
    ]


def test_what_is_carried_over_was_released(released: Path, put: Put) -> None:
    """The keys of the generation before, not of the one before that."""
    again = TO_3.replace("- each: heads\n", "- each: h\n")
    edit(released, put, "redis", (TO_2, again), (SECOND, THIRD))
    assert headlines(released) == ["LOCK04 no key of generation 2 has the template 'h'"]


def test_no_key_is_left_behind(project: Path, put: Put) -> None:
    """What a step names beside its own key is not; nor is what it removes."""
    temporary = "r:{app_id}:{sequence_id:019}:t"
    gone = (f'template: "{temporary}"', f'template: "{temporary}mp"')
    edit(project, put, "redis", (FIRST, TO_2), (TEMPLATE, SECOND), gone)
    said = "LOCK04 no step carries over what generation 1 has stored under"
    assert headlines(project) == [f"{said} '{temporary}'"]
    removes = (
        f"""        - each: "{temporary}"\n          text: return redis.call('UNLINK', key)\n"""
    )
    edit(project, put, "redis", (TO_2, f"{TO_2}{removes}"))
    assert headlines(project) == []
    edit(project, put, "redis", ("{heads: heads}", "{heads: heads, old: a}"))
    edit(project, put, "redis", ("    template: a\n", "    template: apps\n"))
    edit(project, put, "redis", ("key, heads)\n", "key, heads) + redis.call('DEL', old)\n"))
    edit(
        project,
        put,
        "redis",
        ("        - each: a\n          text: return redis.call('PERSIST', key)\n", ""),
    )
    assert headlines(project) == []


def test_an_index_that_nothing_was_stored_in_needs_the_key_it_is_filled_from(
    project: Path, put: Put
) -> None:
    filled = TO_2.replace("- each: h\n", '- each: "r:{app_id}:{sequence_id:019}"\n')
    more = "  more:\n    template: more\n    doc: An index.\n"
    edit(project, put, "redis", (FIRST, filled), ("\nscripts:\n", f"{more}\nscripts:\n"))
    assert headlines(project) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("then return 0 end", "then return 1 end", "migration-changed"),
        ("- each: h\n", "- each: h1\n", "migration-changed"),
        ("{heads: heads}", "{heads: heads2}", "migration-changed"),
        ("{heads: heads}", "{heads: heads, more: m}", "migration-changed"),
        ("[partition_key]", "[]", "migration-changed"),
        (
            "        - each: a\n          text: return redis.call('PERSIST', key)\n",
            "",
            "migration-changed",
        ),
        ("The heads have another name.", "The heads are renamed.", "doc-changed"),
        ("            if partition_key", "            -- why\n            if  partition_key", ""),
    ],
)
def test_each_change_of_a_migration_has_its_rule(
    texts: Texts, old: str, new: str, rule: str
) -> None:
    before = texts | {FILE: texts[FILE].replace(FIRST, TO_2)}
    after = before | {FILE: before[FILE].replace(old, new)}
    assert before[FILE] != after[FILE]
    found = {it.rule for it in changed(written(before), written(after))}
    assert found == ({rule} if rule else set())


def test_a_new_generation_is_told(texts: Texts) -> None:
    after = texts | {FILE: texts[FILE].replace(FIRST, TO_2)}
    found = {it.rule for it in changed(written(texts), written(after))}
    assert found == {"generation-changed", "migration-added"}
