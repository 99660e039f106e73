"""The likeliest mistakes in a backend file: each is told once, with its place, cause and cure.

Each case spoils a copy of a real backend file in one way; `tests/golden/mistakes/` has the whole
text that its author reads. After a change of the words, run `UPDATE_GOLDENS=1 pytest
tests/codegen/test_mistakes.py` and review the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from codegen import ir
from codegen.pipeline import Run, problems_of
from codegen.rendering import Tree
from tests.codegen.test_error_goldens import check_excerpts, without_line_numbers

ROOT = Path(__file__).parents[2]
GOLDENS = Path(__file__).parents[1] / "golden" / "mistakes"
NEWEST = "WHERE partition_key = :partition_key ORDER BY last_write DESC LIMIT :limit"
INSERT = (
    "position, status, state, created_at, codec)\n"
    "    VALUES (:partition_key, :app_id, :sequence_id, :position, :status, :state, :created_at, "
    ":codec)"
)
ASYNC_SESSION = "    session: drivers.aiosqlite_session.AiosqliteSession\n"
CIPHER = "      arguments: {db_path: database}\n"
EXACT = "SELECT status, coalesce(exact, state::text) AS state, codec FROM"
Put = Callable[[Path, str], None]


class Mistake(NamedTuple):
    old: str
    new: str
    file: str = "sqlite"


MISTAKES = {
    "misspelt_key": Mistake("\nqueries:\n", "\nquery:\n"),
    "misspelt_key_in_a_driver": Mistake("requires: aiosqlite", "require: aiosqlite"),
    "duplicate_key": Mistake("\ntitle: SQLite\n", "\ntitle: SQLite\ntitle: SQLite 3\n"),
    "todo_left": Mistake("\ntitle: SQLite\n", "\ntitle: TODO what people call the store\n"),
    "wrong_indentation": Mistake("  generation: 1\n", "   generation: 1\n"),
    "tab": Mistake("  generation: 1\n", "\tgeneration: 1\n"),
    "colon_in_a_value": Mistake("advice: the disk is full; make", "advice: the disk is full: make"),
    "percent_sign_begins_a_value": Mistake("title: SQLite\n", "title: %SQLite\n"),
    "no_for_false": Mistake(
        'table_alone: {suffix: "", schema: false}', 'table_alone: {suffix: "", schema: no}'
    ),
    "wrong_family": Mistake("\nfamily: sql\n", "\nfamily: redis\n"),
    "unknown_parameter_in_sql": Mistake(NEWEST, NEWEST.replace(":partition_key", ":partition")),
    "value_that_the_case_is_not_given": Mistake(
        NEWEST, NEWEST.replace(" ORDER", " AND app_id = :app_id ORDER")
    ),
    "missing_case": Mistake(
        "  is_initialized: SELECT t.codec, h.last_write FROM {table} AS t, {heads} AS h LIMIT 0\n",
        "",
    ),
    "question_mark_in_sql": Mistake(NEWEST, NEWEST.replace(":limit", "?")),
    "percent_s_in_sql": Mistake(NEWEST, NEWEST.replace(":limit", "%s")),
    "dollar_in_sql": Mistake(NEWEST, NEWEST.replace(":limit", "$2")),
    "missing_column": Mistake("    status: TEXT NOT NULL\n", ""),
    "column_not_written": Mistake(INSERT, INSERT.replace(", status", "").replace(", :status", "")),
    "key_that_is_not_unique": Mistake(
        "  unique: [partition_key, app_id, sequence_id, position]",
        "  unique: [partition_key, app_id]",
    ),
    "select_in_another_order": Mistake(
        EXACT, EXACT.replace("status, coalesce", "codec, status, coalesce"), "postgresql"
    ),
    "select_without_a_column": Mistake(EXACT, EXACT.replace(", codec", ""), "postgresql"),
    "unclosed_splice": Mistake(
        "SELECT app_id FROM {heads} WHERE", "SELECT app_id FROM {heads WHERE"
    ),
    "unknown_splice": Mistake(
        "SELECT app_id FROM {heads} WHERE", "SELECT app_id FROM {head} WHERE"
    ),
    "unknown_error": Mistake("raise: StateTooLargeError", "raise: StateTooBigError"),
    "exception_that_the_driver_lacks": Mistake(
        '    - messages: ["same',
        '    - exception: sqlite3.ProgramError\n      messages: ["same',
    ),
    "exception_of_another_library": Mistake(
        '    - messages: ["same',
        '    - exception: pysqlite.ProgrammingError\n      messages: ["same',
    ),
    "class_name_twice": Mistake("class: AsyncSQLitePersister", "class: SQLitePersister"),
    "class_name_of_another_backend": Mistake(
        "class: AsyncSQLitePersister", "class: AsyncPostgreSQLPersister"
    ),
    "class_name_that_is_none": Mistake(
        "class: AsyncSQLitePersister", "class: Async-SQLitePersister"
    ),
    "module_name_that_is_none": Mistake("module: b_aiosqlite", "module: b-aiosqlite"),
    "url_scheme_of_another_backend": Mistake(
        "schemes: {sqlite: {}}\n  parts: {path: db_path}\n  example: sqlite:",
        "schemes: {postgresql: {}}\n  parts: {path: db_path}\n  example: postgresql:",
    ),
    "no_extra": Mistake("    extra: aiosqlite\n", ""),
    "extra_that_is_not_declared": Mistake("    extra: aiosqlite\n", "    extra: sqlite-async\n"),
    "unknown_parameter_style": Mistake(
        ASYNC_SESSION + "    parameter_style: qmark\n",
        ASYNC_SESSION + "    parameter_style: pyformat\n",
    ),
    "no_parameter_style": Mistake(ASYNC_SESSION + "    parameter_style: qmark\n", ASYNC_SESSION),
    "parameter_that_goes_nowhere": Mistake(
        CIPHER,
        "      arguments: {}\n",
        "sqlcipher",
    ),
    "keyword_for_no_parameter": Mistake(CIPHER, CIPHER.replace("db_path", "path"), "sqlcipher"),
    "limit_that_there_is_not": Mistake(
        "{client_encoding: UTF8}\n      timeouts: {connect_timeout: connect_timeout}",
        "{client_encoding: UTF8}\n      timeouts: {connect_timeout: timeout}",
        "postgresql",
    ),
    "layout_that_nothing_chooses": Mistake("\n  adopted:\n", "\n  adoptd:\n", "postgresql"),
    "layout_with_values_in_another_order": Mistake(
        ":status::text AS status, :state::text AS exact",
        ":state::text AS exact, :status::text AS status",
        "postgresql",
    ),
    "value_without_its_type": Mistake("db_path: {type: str, doc:", "db_path: {doc:"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_once(name: str, original: Path, project: Path, put: Put) -> None:
    mistake = MISTAKES[name]
    file = project / f"spec/backends/{mistake.file}.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count(mistake.old) == 1
    put(file, text.replace(mistake.old, mistake.new))
    said = problems_of(project)
    check_excerpts(said, project)
    found = without_line_numbers(said, original)
    golden = GOLDENS / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
    assert "\n1 problem; nothing was written\n" in found
    assert f"spec/backends/{mistake.file}.yaml:*:" in found
    assert "\n  help: " in found


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDENS.iterdir()} == set(MISTAKES)


# What is no mistake


@pytest.mark.parametrize("code", ["42501", "08006", "0x10", "1e3", "no", "1_000", "3:20"])
def test_a_code_stays_as_it_is_written(code: str, project: Path, put: Put) -> None:
    """Whatever YAML makes of it: an octal number, a number in base 60, a truth."""
    file = project / "spec/backends/postgresql.yaml"
    text = file.read_text(encoding="utf-8")
    put(file, text.replace('codes: ["42501"]', f"codes: [{code}]"))
    run = Run(project)
    found = run.project()
    assert found is not None, run.problems()
    rules = [rule for it in found.backends for m in it.modules for rule in m.failures.rules]
    assert (code,) in {rule.codes for rule in rules}


WITHOUT_DRIVERS = """
import sys

DRIVERS = {"aiomysql", "aiosqlite", "asyncpg", "bson", "psycopg", "psycopg2", "pymongo", "pymysql"}
DRIVERS |= {"redis", "sqlcipher3"}

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in DRIVERS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def without_drivers(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_DRIVERS + code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_driver_need_be_installed_to_generate(project: Path, tree: Tree) -> None:
    code = "from codegen.__main__ import main; sys.exit(main(sys.argv[1:]))"
    done = without_drivers(code, "--root", str(project), "generate")
    assert (done.returncode, done.stderr) == (0, "")
    for name, text in tree.items():
        assert (project / "generated" / name).read_text(encoding="utf-8") == text


TOLD = (
    "AsyncSQLitePersister needs a driver that is not installed: pip install 'persistry[aiosqlite]'"
)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("from persistry import AsyncSQLitePersister", f"ImportError: {TOLD}"),
        ("import persistry; persistry.aconnect('sqlite:///steps.db')", f"ImportError: {TOLD}"),
    ],
)
def test_who_lacks_a_driver_is_told_what_to_install(code: str, told: str, generated: Path) -> None:
    path = f"sys.path.insert(0, {str(generated / 'generated')!r}); "
    done = without_drivers(path + code)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == told


def test_each_module_says_what_brings_its_driver(generated: Path, resolved: ir.Project) -> None:
    wanted = {
        module.name: module.classes[0].extra
        for backend in resolved.backends
        for module in backend.modules
        if module.classes[0].extra
    }
    code = f"""if True:
        from importlib import import_module
        sys.path.insert(0, {str(generated / "generated")!r})
        for name in {sorted(wanted)!r}:
            try:
                import_module(f"persistry.{{name}}")
            except ModuleNotFoundError as error:
                print(name, str(error).partition(": ")[2])
    """
    assert without_drivers(code).stdout.splitlines() == [
        f"{name} the driver is not installed: pip install 'persistry[{extra}]'"
        for name, extra in sorted(wanted.items())
    ]
