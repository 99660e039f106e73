"""What was released stays as it was: each change of a stored format is refused, and no other."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen import locking
from codegen.__main__ import main
from codegen.model import BackendModel, MongoBackendModel, RedisBackendModel, SqlBackendModel
from codegen.pipeline import Run
from codegen.problems import Span
from codegen.schema import keys_of
from codegen.stored import Fact, Stored, differences, stored
from tests.yaml_texts import read_yaml

ROOT = Path(__file__).parents[2]
CHANGES = read_yaml((Path(__file__).parent / "stored_changes.yaml").read_text("utf-8"))
Put = Callable[[Path, str], None]
Capsys = pytest.CaptureFixture[str]
MODELS: dict[str, type[BackendModel]] = {
    "mariadb": SqlBackendModel,
    "mongodb": MongoBackendModel,
    "postgresql": SqlBackendModel,
    "redis": RedisBackendModel,
    "redis_burr": RedisBackendModel,
    "sqlcipher": SqlBackendModel,
    "sqlite": SqlBackendModel,
}
# Tests of their own show these; of the last ones there is one value, so far.
ELSEWHERE = {"backend", "family", "like", "stored", "stored.generation"}
FIXED = {
    SqlBackendModel: set[str](),
    RedisBackendModel: {"stored.record", "stored.created_at"},
    MongoBackendModel: {"stored.unique", "stored.created_at"},
}
GENERATION = "  generation: 1\n"


def edit(project: Path, put: Put, backend: str, *edits: tuple[str, str]) -> None:
    file = project / f"spec/backends/{backend}.yaml"
    text = file.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {backend}.yaml"
        text = text.replace(old, new)
    put(file, text)


def make(change: dict[str, Any], project: Path, put: Put) -> None:
    """The change, in a project that has no other backend but what this one is like."""
    text = (project / f"spec/backends/{change['backend']}.yaml").read_text(encoding="utf-8")
    kept = {change["backend"], *re.findall(r"^ *like: (\w+)$", text, re.MULTILINE)}
    for folder in ("backends", "locks"):
        for file in (project / "spec" / folder).iterdir():
            if file.name.partition(".")[0] not in kept:
                file.unlink()
    edits = [(it["old"], it["new"]) for it in change["edits"]]
    edit(project, put, change["backend"], *edits)


def headlines(project: Path) -> list[str]:
    """What the locks have against the spec; it has no other problems."""
    run = Run(project)
    assert run.project() is not None, run.problems()
    run.locks()
    return [f"{it.code.name} {it.message}" for it in run.report.problems]


def lock(project: Path, *more: str) -> int:
    return main(["--root", str(project), "lock", *more])


def names(change: dict[str, Any]) -> str:
    return f"{change['backend']}-{change['of']}"


# What differs, and what does not


@pytest.mark.parametrize("change", CHANGES["stored"], ids=names)
def test_what_is_stored_otherwise_is_refused(
    change: dict[str, Any], project: Path, put: Put
) -> None:
    make(change, project, put)
    found = headlines(project)
    assert any(it.startswith("LOCK01 ") and change["told"] in it for it in found), found


@pytest.mark.parametrize("change", CHANGES["other"], ids=names)
def test_what_is_stored_as_before_is_none_of_a_lock(
    change: dict[str, Any], project: Path, put: Put
) -> None:
    make(change, project, put)
    assert headlines(project) == []


@pytest.mark.parametrize("model", FIXED, ids=lambda it: it.__name__)
def test_each_key_is_known_to_be_stored_or_not(model: type[BackendModel]) -> None:
    """A new key of the model needs a place in `codegen/stored.py`, or none, and a change here."""
    inner = {f"stored.{key}" for key in keys_of(keys_of(model)["stored"].type)}
    every = [*CHANGES["stored"], *CHANGES["other"]]
    shown = {it["of"] for it in every if MODELS[it["backend"]] is model}
    assert (keys_of(model).keys() | inner) - ELSEWHERE - FIXED[model] == shown


@pytest.mark.parametrize(
    ("backend", "key", "value"),
    [
        ("redis", "record", "packed_2"),
        ("redis", "created_at", "server"),
        ("mongodb", "unique", ("app_id",)),
        ("mongodb", "created_at", "server"),
    ],
)
def test_what_has_one_value_is_in_the_lock(
    backend: str, key: str, value: Any, original: Path
) -> None:
    model = model_of(original, backend)
    changed = dataclasses.replace(model, stored=dataclasses.replace(model.stored, **{key: value}))
    before, after = stored(model), stored(changed)
    assert before is not None
    assert after is not None
    assert [it.fact.title for it in differences(before, after)] == [f"'{key}'"]


def model_of(project: Path, backend: str) -> Any:
    run = Run(project)
    assert run.project() is not None
    (found,) = (it for it in run.models if it.backend == backend)
    return found


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("sqlite", {r"\{heads\}": "{tops}", r"  heads: ": "  tops: "}),
        ("redis", {r"(?<!\.)\bnewest\b": "apps"}),
    ],
)
def test_a_name_that_only_the_file_knows_may_change(
    backend: str, words: dict[str, str], project: Path, put: Put
) -> None:
    file = project / f"spec/backends/{backend}.yaml"
    text = file.read_text(encoding="utf-8")
    for old, new in words.items():
        changed = re.sub(old, new, text)
        assert changed != text
        text = changed
    put(file, text)
    assert headlines(project) == []


def test_the_order_of_what_is_written_down_may_change(project: Path, put: Put) -> None:
    for file in (project / "spec/backends").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        match = re.search(r"^  (?:columns|fields):\n((?:    .*\n)+)", text, re.MULTILINE)
        if match is not None:
            lines = match[1].splitlines(keepends=True)
            put(file, text.replace(match[1], "".join(reversed(lines))))
    index = "  - CREATE INDEX IF NOT EXISTS {heads_order} ON {heads_alone} "
    index += "(partition_key, last_write DESC)\n"
    behind = "\n# A view, whose"
    edit(project, put, "sqlite", (index, ""), (behind, f"{index}{behind}"))
    assert headlines(project) == []


def test_another_family_is_another_store(project: Path, put: Put) -> None:
    path = project / "spec/backends/redis.yaml"
    text = (project / "spec/backends/mongodb.yaml").read_text(encoding="utf-8")
    for gone in ("mongodb", "redis_burr"):  # the second takes over from Redis
        (project / f"spec/backends/{gone}.yaml").unlink()
        (project / f"spec/locks/{gone}.lock.yaml").unlink()
    put(path, text.replace("backend: mongodb", "backend: redis"))
    assert headlines(project) == ["LOCK01 the family was 'redis' when generation 1 was released"]


# Generations


def migrating(*steps: int) -> str:
    """How a generation is written that migrations lead to."""
    lines = [f'    - {{to: {it}, doc: It is tidied., run: "ANALYZE {{table}}"}}\n' for it in steps]
    return f"  generation: {steps[-1]}\n  migrations:\n{''.join(lines)}"


ORDER = ("ps_order: [partition_key, write_number]", "ps_order: [partition_key, app_id]")


def test_the_next_generation_is_locked_when_it_is_released(
    project: Path, put: Put, capsys: Capsys
) -> None:
    edit(project, put, "mariadb", (GENERATION, migrating(2)), ORDER)
    assert headlines(project) == []
    assert lock(project, "--check") == 1
    assert capsys.readouterr().out == (
        "changed  spec/locks/mariadb.lock.yaml, generation 1 -> 2\n"
        "         an item of 'migrations.to 2'\n"
        "           released: nothing\n"
        "           now: ANALYZE {table}\n"
        "         'indexes.ps_order'\n"
        "           released: partition_key, write_number\n"
        "           now: partition_key, app_id\n"
        "7 locks, 1 not current\n"
    )
    assert lock(project) == 0
    assert lock(project, "--check") == 0
    edit(project, put, "mariadb", (ORDER[1], ORDER[0]))
    assert headlines(project) == [
        "LOCK01 'indexes.ps_order' is not what was released as generation 2"
    ]
    edit(project, put, "mariadb", (migrating(2), GENERATION))
    assert headlines(project) == ["LOCK02 generation 1 is older than 2, which has been released"]
    edit(project, put, "mariadb", (GENERATION, migrating(2, 3)))
    assert headlines(project) == []


def test_generations_go_up_by_one(project: Path, put: Put) -> None:
    edit(project, put, "mariadb", (GENERATION, migrating(2, 3)), ORDER)
    assert headlines(project) == ["LOCK02 generation 3 does not follow 1, which was released last"]


def test_a_migration_that_was_released_stays(project: Path, put: Put) -> None:
    """In later generations, too: somebody's store has been made by it."""
    edit(project, put, "mariadb", (GENERATION, migrating(2)))
    assert lock(project) == 0
    edit(project, put, "mariadb", (migrating(2), migrating(2, 3)))
    assert headlines(project) == []
    first = '{to: 2, doc: It is tidied., run: "ANALYZE {table}"}'
    other = '{to: 2, doc: It is tidied., run: "REINDEX {table}"}'
    edit(project, put, "mariadb", (first, other))
    said = "LOCK01 an item of 'migrations.to 2' "
    assert headlines(project) == [f"{said}is not what was released as generation 2"]
    both = '{to: 2, doc: It is tidied., run: ["ANALYZE {table}", "REINDEX {table}"]}'
    edit(project, put, "mariadb", (other, both))
    assert headlines(project) == [f"{said}does not belong to generation 2 as it was released"]
    run = Run(project)
    run.project()
    run.locks()
    (problem,) = run.report.problems
    assert str(problem.help).endswith("; what is to be done to that is a migration to 3")


def test_a_migration_from_what_another_library_made_may_be_added(project: Path, put: Put) -> None:
    edit(project, put, "mariadb", (GENERATION, migrating(1)))
    assert headlines(project) == []


# The command


@pytest.mark.parametrize("command", ["generate", "check", "lock"])
def test_nothing_is_written_against_a_lock(
    command: str, generated: Path, put: Put, capsys: Capsys
) -> None:
    edit(generated, put, "sqlite", ("status: TEXT NOT NULL", "status: TEXT"))
    before = {it: it.read_bytes() for it in generated.rglob("*") if it.is_file()}
    assert main(["--root", str(generated), command]) == 1
    assert ": LOCK01 'columns.status' is not what was released" in capsys.readouterr().err
    assert {it: it.read_bytes() for it in generated.rglob("*") if it.is_file()} == before


def test_a_spec_with_problems_is_not_locked(project: Path, put: Put, capsys: Capsys) -> None:
    shutil.rmtree(project / "spec/locks")
    edit(project, put, "sqlite", ("title: SQLite\n", "titel: SQLite\n"))
    assert lock(project) == 1
    assert "SCH01" in capsys.readouterr().err
    assert not (project / "spec/locks").exists()


def test_locking_again_changes_nothing(project: Path, capsys: Capsys) -> None:
    files = sorted((project / "spec/locks").iterdir())
    before = [(it.read_bytes(), it.stat().st_mtime_ns) for it in files]
    assert lock(project) == 0
    assert capsys.readouterr().out == "7 locks, 0 changed\n"
    assert [(it.read_bytes(), it.stat().st_mtime_ns) for it in files] == before


def test_a_new_backend_needs_no_lock(project: Path, capsys: Capsys) -> None:
    file = project / "spec/locks/mongodb.lock.yaml"
    text = file.read_bytes()
    file.unlink()
    assert headlines(project) == []
    assert main(["--root", str(project), "show", "mongodb"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "lock: none: nothing of it has been released"
    assert lock(project, "--check") == 1
    assert capsys.readouterr().out.startswith(
        "missing  spec/locks/mongodb.lock.yaml, generation 1\n"
    )
    assert not file.exists()
    assert lock(project) == 0
    assert capsys.readouterr().out == (
        "made     spec/locks/mongodb.lock.yaml, generation 1\n7 locks, 1 changed\n"
    )
    assert file.read_bytes() == text


def test_line_ends_of_a_checkout_are_no_edit(project: Path, put: Put) -> None:
    file = project / "spec/locks/sqlite.lock.yaml"
    file_bytes = file.read_bytes()
    file.unlink()
    file.write_bytes(file_bytes.replace(b"\n", b"\r\n"))
    assert headlines(project) == []


def test_a_copy_of_another_lock_is_refused(project: Path, put: Put) -> None:
    text = (project / "spec/locks/sqlite.lock.yaml").read_text()
    put(project / "spec/locks/sqlcipher.lock.yaml", text)
    assert headlines(project) == ["LOCK03 is the lock of 'sqlite'"]


@pytest.mark.parametrize(
    "line",
    [
        "  app_id: TEXT NOT NULL\n",
        "# What stores",
        "generation: 1\n",
        "backend: sqlite\n",
        "digest: ",
    ],
)
def test_no_line_of_a_lock_can_be_changed(line: str, project: Path, put: Put) -> None:
    file = project / "spec/locks/sqlite.lock.yaml"
    text = file.read_text()
    assert text.count(line) == 1
    put(file, text.replace(line, line[:-2] + "0" + line[-1]))
    (found,) = headlines(project)
    assert found.startswith("LOCK03 ")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "- a", "backend: [sqlite]\nfamily: {}\ngeneration: x\ndigest: 1\n", "a: *b", "\x00"],
)
def test_what_is_no_lock_is_one_problem(text: str, project: Path, put: Put) -> None:
    put(project / "spec/locks/sqlite.lock.yaml", text)
    (found,) = headlines(project)
    assert found.startswith("LOCK03 ")


@pytest.mark.parametrize("seed", ["1", "2"])
def test_locks_depend_on_nothing_but_the_spec(seed: str, original: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(original, tmp_path / ("deeper/" * int(seed)) / "project"))
    shutil.rmtree(project / "spec/locks")
    environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Kathmandu", "LANG": "C"}
    command = [sys.executable, "-m", "codegen", "--root", str(project), "lock"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    for file in (original / "spec/locks").iterdir():
        assert (project / "spec/locks" / file.name).read_bytes() == file.read_bytes()


# The file


LOCK = """\
# The stored format as last released: written by `make lock` when a release is made, never by hand.
# What stores anything else needs the next stored.generation, and a migration that leads there.
backend: notes
family: sql
generation: 7
columns:
  app_id: TEXT NOT NULL DEFAULT ''
  'no': 'null'
create:
  - CREATE INDEX {order} ON {table} (app_id)
  - |-
    CREATE TRIGGER {saved} BEGIN
      SELECT ' -- ü';
    END
save.insert: INSERT INTO {table} VALUES (:app_id)
digest: 44500e3c42ad1708
"""


def test_a_lock_is_made_for_review() -> None:
    place = Span("my.yaml", 1, 1)
    trigger = "  CREATE TRIGGER {saved} BEGIN -- why\n\n    SELECT ' -- ü'; \n  END\n"
    facts = (
        Fact("columns", "app_id", "TEXT NOT NULL DEFAULT ''", place, "sql"),
        Fact("columns", "no", "null", place, "sql"),
        Fact("create", "", "CREATE INDEX {order} ON {table} (app_id)", place, "sql", True),
        Fact("create", "", trigger, place, "sql", True),
        Fact("save.insert", "", "INSERT INTO {table} VALUES (:app_id)\n", place, "sql"),
    )
    assert locking.render(Stored("notes", "sql", 7, facts, place), "make lock") == LOCK


def test_a_lock_is_read_as_it_was_written(original: Path) -> None:
    run = Run(original)
    assert run.project() is not None
    found = run.locks()
    assert found is not None
    assert len(found) == 7
    for it in found:
        assert it.before is not None
        assert differences(it.before, it.now) == differences(it.now, it.before) == []
        assert len(it.before.facts) == len(it.now.facts) > 5
