"""`persistry-codegen` from the wheel, in somebody's project: docs/out-of-tree.md, word by word."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codegen.test_outside import backend_file
from tests.stores.postgresql import PostgreSQLPlace
from tests.test_docs import blocks, stable
from tests.wheels import ROOT, add_extra, build, environment, start

PAGE = ROOT / "docs" / "out-of-tree.md"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel and nothing else."""
    wheel = build(tmp_path_factory.mktemp("wheel"))
    return environment(wheel, tmp_path_factory.mktemp("venv"))


@pytest.fixture(scope="module")
def complete(python: Path) -> Path:
    """The same, when it has the extras of the page."""
    asked = start(python.parent / "persistry-codegen", "generate")
    assert (asked.returncode, asked.stdout) == (2, "")
    assert asked.stderr == (
        "persistry-codegen: not installed: jinja2, yaml, ruff; run pip install"
        " 'persistry[codegen]'\n"
    )
    for extra in ("codegen", "conformance"):
        add_extra(extra, python)
    return python


def shell(command: str, python: Path, folder: Path) -> str:
    """What a shell's command prints where the environment is active."""
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    done = start(Path("/bin/sh"), "-c", command, cwd=folder, PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def in_order() -> list[tuple[str, str]]:
    """The page's blocks: language and text."""
    every = [(line, name, text) for name in ("sh", "python") for line, text in blocks(PAGE, name)]
    return [(name, text) for _, name, text in sorted(every)]


@pytest.mark.timeout(400)  # it runs the whole matrix
def test_the_page_is_true(complete: Path, tmp_path: Path) -> None:
    """Each command, in its order, prints what is shown; lines of dots stand for any lines."""
    commands = 0
    for language, text in in_order():
        if language == "python" and (match := re.match(r"# (\w+\.py)\n", text)):
            (tmp_path / match[1]).write_text(text)
        elif language == "python":
            promised = re.findall(r"print\(.*\)\s+# (.*)$", text, re.MULTILINE)
            done = start(complete, "-c", text, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            assert done.stdout.splitlines() == promised
        else:
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                if command.startswith("pip "):  # the environment has that already
                    assert shlex.split(command) == [
                        "pip",
                        "install",
                        "persistry[codegen,conformance]",
                    ]
                    continue
                commands += 1
                printed = shell(command, complete, tmp_path)
                lines = [".*" if it == "..." else re.escape(it) for it in stable(shown)]
                found = "\n".join(stable(printed))
                assert re.fullmatch("\n".join(lines), found, re.DOTALL), printed
    assert commands == 6


def test_importing_persistry_imports_nothing_of_the_generator(complete: Path) -> None:
    code = """if True:
        import sys, persistry
        of_it = {"jinja2", "yaml", "ruff", "persistry.codegen", "persistry._codegen"}
        print(sorted(of_it & sys.modules.keys()))
        import importlib.util
        print(importlib.util.find_spec("codegen"))
    """
    assert start(complete, "-c", code).stdout == "[]\nNone\n"


def test_it_shows_the_backends_that_come_with_it(complete: Path, tmp_path: Path) -> None:
    shown = shell("persistry-codegen show redis", complete, tmp_path)
    assert shown.startswith("redis: Backend\n")


def test_a_file_to_begin_with_lists_what_is_to_be_written(complete: Path, tmp_path: Path) -> None:
    new = "persistry-codegen new-backend ledger --like postgresql --spec my_backends"
    shown = shell(new, complete, tmp_path)
    assert re.match(r"made my_backends/ledger\.yaml, with \d+ TODOs\n", shown)
    first = (tmp_path / "my_backends" / "ledger.yaml").read_text().partition("\n")[0]
    assert (tmp_path / "my_backends" / first.partition("$schema=")[2]).is_file()
    make = ["generate", "--spec", "my_backends", "--out", "my_package"]
    done = start(complete.parent / "persistry-codegen", *make, cwd=tmp_path)
    assert done.returncode == 1
    assert re.match(r"my_backends/ledger\.yaml:\d+:\d+: TODO01 ", done.stderr)
    last = done.stderr.splitlines()[-1]
    assert last == "to learn more: persistry-codegen explain TODO01"
    explained = shell(last.removeprefix("to learn more: "), complete, tmp_path)
    assert explained.startswith("# TODO01: ")


def test_installed_it_needs_both_folders(complete: Path, tmp_path: Path) -> None:
    done = start(complete.parent / "persistry-codegen", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "persistry-codegen: error: give --spec, the folder of your backend files, and --out,"
        " your package"
    )


def test_installed_and_in_the_checkout_it_makes_the_same(complete: Path, tmp_path: Path) -> None:
    """Nothing is written beside the generator, and no place of a machine into what it makes."""
    (tmp_path / "my_backends").mkdir()
    (tmp_path / "my_backends" / "notes.yaml").write_text(backend_file())
    command = ["generate", "--spec", "my_backends", "--out", "app/stores"]
    home = next(complete.parents[1].glob("lib/python*/site-packages")) / "persistry"
    assert start(complete, "-m", "persistry.codegen", *command, cwd=tmp_path).returncode == 0
    before = {it for it in home.rglob("*") if "__pycache__" not in it.parts}
    made = {it.name: it.read_bytes() for it in (tmp_path / "app" / "stores").glob("*.py")}
    assert len(made) == 4
    assert not [it for it in made.values() if str(tmp_path).encode() in it]
    done = subprocess.run(
        [sys.executable, "-m", "codegen", "check", *command[1:]],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "8 files are what the spec says\n"), done.stderr
    assert {it for it in home.rglob("*") if "__pycache__" not in it.parts} == before


def test_another_ruff_is_told(complete: Path, tmp_path: Path) -> None:
    (tmp_path / "my_backends").mkdir()
    (tmp_path / "my_backends" / "notes.yaml").write_text(backend_file())
    (tmp_path / "ruff.py").write_text("print('ruff 0.1.0')\n")
    done = start(
        complete.parent / "persistry-codegen",
        *("generate", "--spec", "my_backends", "--out", "my_package"),
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path),
    )
    assert done.returncode == 1
    assert re.match(r"ENV01 ruff is 0\.1\.0, but everybody formats with [\d.]+\n", done.stderr)
    assert not (tmp_path / "my_package").exists()


def test_the_extra_brings_the_ruff_that_the_project_is_formatted_with() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert len(set(re.findall(r"(?:ruff|required-version = \")==([\d.]+)", text))) == 1
    assert len(re.findall(r'"ruff==', text)) == 2  # the extra's, and the checkout's own


def test_the_matrix_runs_in_a_suite_of_ones_own(complete: Path, tmp_path: Path) -> None:
    """With the emitted columns, and with the cases of scenarios of one's own."""
    scenarios = """
scenarios:
  note_comes_back:
    promise: 6
    doc: A note comes back.
    steps:
      - save: {partition_key: p, app_id: a, sequence_id: 0, position: x, status: s, state: {n: 1}}
    expect:
      load: {partition_key: p, app_id: a}
      state: {n: 1}
"""
    backends = tmp_path / "my_backends"
    (backends / "conformance").mkdir(parents=True)
    (backends / "conformance" / "notes.yaml").write_text(scenarios)
    unfit = "\ngaps:\n  handed_in_connection_commits: it cannot\n"
    (backends / "notes.yaml").write_text(backend_file() + unfit)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
    )
    (tmp_path / "conftest.py").write_text(
        """
import contextlib
import pytest
import my_package
from my_package.conformance.columns import COLUMNS

pytest_plugins = ["persistry.conformance.support.plugin"]

class Store:
    def __init__(self, column, path):
        self.column, self.path = column, path
        self.persister = getattr(my_package, column.name)

    def open(self, **options):
        return self.persister.from_values(self.path, **options)

def pytest_persistry_columns(config):
    return [it for it in COLUMNS if it.colour == "sync"]

@pytest.fixture
def make_store(tmp_path):
    return lambda column: contextlib.nullcontext(Store(column, str(tmp_path / "notes.db")))
"""
    )
    make = "persistry-codegen generate --spec my_backends --out my_package"
    assert "made     my_package/conformance/test_notes_sync.py\n" in shell(make, complete, tmp_path)
    test = (
        "python -m pytest -v -p no:cacheprovider --rootdir=. --import-mode=importlib --pyargs"
        " persistry.conformance.test_values_sync my_package.conformance -k 'comes_back and sync'"
    )
    shown = shell(test, complete, tmp_path)
    assert re.search(r"^NotesPersister +notes +sync +\d+ +0 +0 +\d+$", shown, re.MULTILINE), shown
    assert "gap: NotesPersister handed_in_connection_commits: it cannot" in shown
    assert "note_comes_back[NotesPersister] PASSED" in shown

    (tmp_path / "factories.py").write_text(
        """
from my_package import NotesPersister

def make(directory, **options):
    return NotesPersister.from_values(str(directory / "notes.db"), **options)
"""
    )
    surplus = "  nan_comes_back: it cannot\n"
    (backends / "notes.yaml").write_text(backend_file() + unfit + surplus)
    shell(make, complete, tmp_path)
    chosen = "-k note_comes -k nan_comes -k connection_commits"
    command = f"python -m persistry.conformance factories:make {chosen} --json || test $? = 1"
    report = json.loads(shell(command, complete, tmp_path))
    assert report["persister"]["traits"] == [
        "durable",
        "initialize",
        "list_partition_keys",
        "pending_migrations",
        "table",
    ]
    assert {name: it["outcome"] for name, it in report["cases"].items()} == {
        "handed_in_connection_commits": "not run",  # a persister alone does not show that
        "nan_comes_back": "failed",
        "note_comes_back": "passed",
    }
    said = report["cases"]["nan_comes_back"]["message"]
    assert said == "it passes: take it out of the declared gaps"


LEDGER = """
import os
import my_package.b_psycopg
from persistry.conformance.support.column import Column
from tests.stores.postgresql import PostgreSQLPlace, PostgreSQLStore, PsycopgStore

def made(store, name, persister):
    class LedgerStore(store):
        def __init__(self, *given):
            super().__init__(*given)
            self.persister = persister

    place = PostgreSQLPlace(os.environ["LEDGER_URL"])
    return LedgerStore(Column(name, "sync", "ledger"), place, "ledger", False)

def chosen(directory):
    return made(PostgreSQLStore, "PostgreSQLPersister", my_package.PostgreSQLPersister)

def by_module(directory):
    module = my_package.b_psycopg
    return made(PsycopgStore, "b_psycopg.PostgreSQLPersister", module.PostgreSQLPersister)
"""


@pytest.mark.timeout(300)
def test_a_store_on_a_server_is_held_to_what_servers_do(
    postgresql_place: PostgreSQLPlace, tmp_path: Path
) -> None:
    """PostgreSQL's file as one's own: its class meets the proxy, and servers that are killed."""
    (tmp_path / "my_backends").mkdir()
    text = (ROOT / "spec" / "backends" / "postgresql.yaml").read_text()
    (tmp_path / "my_backends" / "ledger.yaml").write_text(text)
    (tmp_path / "factories.py").write_text(LEDGER)
    path = os.pathsep.join([str(ROOT / "generated"), str(ROOT)])
    place = os.environ | {"PYTHONPATH": path, "LEDGER_URL": postgresql_place.url}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            env=place,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("codegen", "generate", "--spec", "my_backends", "--out", "my_package")
    names = ["lost_reply_saves_once", "handed_in_connection_commits", "after_a_restart", "race"]
    options = [part for name in names for part in ("-k", name)]
    for factory in ("factories:chosen", "factories:by_module"):
        report = json.loads(run("persistry.conformance", factory, *options, "--json"))
        assert report["persister"]["traits"] == [
            *("connection", "durable", "initialize", "list_partition_keys", "network"),
            "pending_migrations",
        ]
        assert report["counts"]["passed"] >= len(names)
        assert report["counts"]["failed"] == report["counts"]["not run"] == 0
