"""`python -m codegen diff BASE` in real git repositories: what it reads, gates and exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from codegen.__main__ import main
from codegen.diff import json as as_json
from codegen.diff.reference import reference

NEWEST = "WHERE partition_key = :partition_key ORDER BY last_write DESC LIMIT :limit"
# A column more; the generation that has it; and the migration that leads there.
COLUMN = ("    codec: INTEGER\n", "    codec: INTEGER\n    note: TEXT\n")
GENERATION = ("  generation: 1\n", "  generation: 2\n")
MIGRATION = (
    "          run: ALTER TABLE {table} ADD COLUMN codec INTEGER\n",
    "          run: ALTER TABLE {table} ADD COLUMN codec INTEGER\n"
    "    - to: 2\n      doc: Adds a column for remarks.\n      run:\n"
    "        - where: >-\n            SELECT NOT EXISTS (\n"
    "              SELECT * FROM pragma_table_info({table_name}, {schema_name})\n"
    "              WHERE name = 'note')\n"
    "          run: ALTER TABLE {table} ADD COLUMN note TEXT\n",
)
SQLITE, INTERFACE = "spec/backends/sqlite.yaml", "spec/interface.yaml"
LISTING, PLANS = "spec/conformance/listing.yaml", "spec/plans/sqlite.yaml"


def git(folder: Path, *arguments: str) -> str:
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", *identity, *arguments],
        cwd=folder,
        env={**os.environ, **alone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="session")
def committed(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("committed") / "project"
    shutil.copytree(original, folder)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "As it is")
    return folder


@pytest.fixture
def project(committed: Path, tmp_path: Path) -> Path:
    """A clone, in which a spec can be changed."""
    git(tmp_path, "clone", "--quiet", str(committed), "project")
    return tmp_path / "project"


@pytest.fixture
def diff(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The exit code, and what is printed on each stream."""

    def run(project: Path, *arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["--root", str(project), "diff", *arguments])
        return code, *capsys.readouterr()

    return run


Diff = Callable[..., tuple[int, str, str]]


def change(project: Path, path: str, *changes: tuple[str, str]) -> None:
    file = project / path
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")


def commit(project: Path, message: str = "A change") -> None:
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", message)


# What is no change


def test_without_a_change_there_is_nothing_to_say(project: Path, diff: Diff) -> None:
    commit_ = git(project, "rev-parse", "HEAD")[:7]
    said = f"the spec says what it says in origin/main ({commit_})\n"
    assert diff(project, "origin/main") == (0, said, "")


def test_layout_comments_and_wrapping_are_no_change(project: Path, diff: Diff) -> None:
    change(
        project,
        SQLITE,
        ("\nstored:\n", "\n# What is kept.\n\n\nstored:\n"),
        (NEWEST, "-- the newest\n    WHERE partition_key=:partition_key\n\n    ORDER BY last_write"
         "\n      DESC /* all */ LIMIT :limit"),
        ("title: SQLite\n", "title: 'SQLite'\n"),
        ("  example: sqlite:///steps.db\n", ""),
        ("url:\n", "url:\n  example: sqlite:///steps.db\n"),
    )  # fmt: skip
    text = (project / SQLITE).read_text(encoding="utf-8").replace("heads_alone", "heads_bare")
    (project / SQLITE).write_text(text.replace("\n", "\r\n"), encoding="utf-8", newline="")
    assert "the spec says what it says in" in diff(project, "HEAD")[1]


def test_what_is_not_committed_counts_and_the_tree_stays_as_it_is(
    project: Path, diff: Diff
) -> None:
    change(project, SQLITE, ("title: SQLite\n", "title: SQLite 3\n"))
    (project / SQLITE).chmod(0o444)
    before = git(project, "status", "--short")
    code, out, _ = diff(project, "HEAD")
    assert (code, "title-changed" in out) == (0, True)
    assert git(project, "status", "--short") == before


def test_a_project_may_be_a_folder_of_its_repository(
    original: Path, tmp_path: Path, diff: Diff
) -> None:
    shutil.copytree(original, tmp_path / "packages" / "persistry")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    change(tmp_path / "packages/persistry", SQLITE, ("title: SQLite\n", "title: SQLite 3\n"))
    code, out, _ = diff(tmp_path / "packages/persistry", "HEAD")
    assert (code, f"  {SQLITE}:" in out) == (0, True)


# Gates


def test_breaking_callers_takes_a_higher_version(project: Path, diff: Diff) -> None:
    change(project, SQLITE, ("    aliases: [persistence]\n", ""))
    code, out, _ = diff(project, "HEAD")
    assert code == 1
    assert "NOT MET: breaking, 1 change: the interface's version is 1, as it was\n" in out
    assert "    to do: write `version: 2` in spec/interface.yaml, or keep what callers use\n" in out
    assert out.endswith("\n1 of 1 gates not met\n")
    change(project, INTERFACE, ("version: 1\n", "version: 2\n"))
    code, out, _ = diff(project, "HEAD")
    assert (code, "  met: breaking, 1 change: the interface's version is 2, after 1\n" in out) == (
        0,
        True,
    )
    assert out.endswith("\nall gates are met\n")


def test_what_is_stored_takes_a_generation_and_a_migration(project: Path, diff: Diff) -> None:
    change(project, SQLITE, COLUMN)
    code, out, _ = diff(project, "HEAD")
    assert code == 1
    assert (
        "  NOT MET: migration of sqlite, 1 change: stored.generation is 1, and 1 is what was "
        "released last\n    to do: write `generation: 2`, and a migration to 2, in "
        "spec/backends/sqlite.yaml; or keep what is stored\n" in out
    )
    change(project, SQLITE, GENERATION, MIGRATION)
    code, out, _ = diff(project, "HEAD")
    assert code == 0
    assert (
        "  met: migration of sqlite, 2 changes: a migration leads from generation 1, which was "
        "released last, to 2\n" in out
    )


def test_without_a_lock_the_base_says_what_users_have(project: Path, diff: Diff) -> None:
    shutil.rmtree(project / "spec/locks")
    change(project, SQLITE, COLUMN)
    commit(project)
    change(project, SQLITE, ("note: TEXT", "note: BLOB"))
    code, out, _ = diff(project, "HEAD")
    assert (code, "stored.generation is 1, and 1 is what the base has\n" in out) == (1, True)
    change(project, SQLITE, GENERATION, MIGRATION)
    assert diff(project, "HEAD")[0] == 0


def test_a_lock_that_is_made_anew_does_not_say_what_was_released(
    project: Path, diff: Diff, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project, SQLITE, COLUMN)
    shutil.rmtree(project / "spec/locks")
    for again in (False, True):
        if again:
            assert main(["--root", str(project), "lock"]) == 0
            capsys.readouterr()
        code, out, _ = diff(project, "HEAD")
        assert code == 1
        assert (
            "stored.generation is 1, and 1 is what was released last; the base has another "
            "spec/locks/sqlite.lock.yaml\n    to do: put back that lock; write `generation: 2`, and"
        ) in out
    # The release itself: its lock has the generation to which a migration leads.
    change(project, SQLITE, GENERATION, MIGRATION)
    git(project, "checkout", "--quiet", "HEAD", "--", "spec/locks")
    assert main(["--root", str(project), "lock"]) == 0
    assert diff(project, "HEAD")[0] == 0


def test_a_lock_that_is_gone_is_told_where_nothing_else_has_changed(
    project: Path, diff: Diff
) -> None:
    (project / "spec/locks/sqlite.lock.yaml").unlink()
    code, out, _ = diff(project, "HEAD")
    assert code == 0
    assert out.endswith(
        "\n\ngates\n  met: migration of sqlite, 0 changes: spec/locks/sqlite.lock.yaml is gone, "
        "which is right only where no release has generation 1\n\nall gates are met\n"
    )
    code, out, _ = diff(project, "HEAD", "--format", "markdown")
    assert "**migration of sqlite, 0 changes**: spec/locks/sqlite.lock.yaml is gone" in out
    _, out, _ = diff(project, "HEAD", "--format", "html")
    assert "spec/locks/sqlite.lock.yaml is gone" in out


def test_a_migration_that_was_released_is_not_changed_by_a_generation_more(
    project: Path, diff: Diff
) -> None:
    change(project, SQLITE, COLUMN, GENERATION, MIGRATION)
    change(project, SQLITE, ("ADD COLUMN codec INTEGER", "ADD COLUMN codec BIGINT"))
    code, out, _ = diff(project, "HEAD")
    assert code == 1
    assert (
        "stored.generation is 2, and an item of 'migrations.to 1' is not what was released as "
        "generation 1\n"
        "    to do: undo that in spec/backends/sqlite.yaml\n" in out
    )


def test_what_nobody_has_stored_in_may_change_again(project: Path, diff: Diff) -> None:
    """The base has the next generation already, and no release has."""
    change(project, SQLITE, COLUMN, GENERATION, MIGRATION)
    commit(project)
    change(project, SQLITE, ("    note: TEXT\n", "    note: BLOB\n"))
    change(project, SQLITE, ("ADD COLUMN note TEXT", "ADD COLUMN note BLOB"))
    code, out, _ = diff(project, "HEAD")
    assert (code, "migration-changed" in out, "column-changed" in out) == (0, True, True)
    # Back to what was released, nothing is left to migrate.
    git(project, "checkout", "--quiet", "HEAD~1", "--", SQLITE)
    code, out, _ = diff(project, "HEAD")
    assert "  met: migration of sqlite, 2 changes: what is stored is what was released" in out


def test_other_answers_take_a_scenario_or_a_plan(project: Path, diff: Diff) -> None:
    change(project, SQLITE, (NEWEST, NEWEST.replace(" DESC", "")))
    code, out, _ = diff(project, "HEAD")
    assert code == 1
    assert (
        "  NOT MET: behaviour of sqlite, 1 change: no scenario is new or was changed, and "
        "spec/plans/sqlite.yaml is as before\n" in out
    )
    file = project / PLANS
    file.parent.mkdir(exist_ok=True)
    planned = file.read_text(encoding="utf-8") if file.is_file() else ""
    file.write_text(f"{planned}# Nothing but a comment.\n", encoding="utf-8")
    assert diff(project, "HEAD")[0] == 1
    # SQLCipher, which is like it, answers in the same way.
    for path in (file, file.with_name("sqlcipher.yaml")):
        path.write_text(f"{planned}list_app_ids.newest_more: SCAN\n", encoding="utf-8")
    code, out, _ = diff(project, "HEAD")
    assert (code, f"1 change: {PLANS} has another plan\n" in out) == (0, True)


def test_a_scenario_shows_other_answers_and_one_that_is_gone_shows_nothing(
    project: Path, diff: Diff
) -> None:
    change(project, SQLITE, (NEWEST, NEWEST.replace(" DESC", "")))
    text = (project / LISTING).read_text(encoding="utf-8")
    start = text.index("  list_is_most_recently_saved_first:\n")
    end = text.index("  list_moves_an_application_to_the_front:\n")
    (project / LISTING).write_text(text[:start] + text[end:], encoding="utf-8")
    code, out, _ = diff(project, "HEAD")
    assert (code, "scenario-removed" in out) == (1, True)
    (project / LISTING).write_text(text.replace("[a, c, b]", "[b, c, a]", 1), encoding="utf-8")
    code, out, _ = diff(project, "HEAD")
    assert (code, out.count("  met: behaviour")) == (0, 3)
    assert "the scenario 'list_is_most_recently_saved_first' shows what is promised\n" in out


# The base that cannot be had: one clear line, and 2


def test_a_name_that_git_does_not_know(project: Path, diff: Diff) -> None:
    said = (
        "git knows no commit 'origin/mian' here; fetch it, or give another commit, branch or tag\n"
    )
    assert diff(project, "origin/mian") == (2, "", said)


def test_a_shallow_clone_without_the_base(committed: Path, tmp_path: Path, diff: Diff) -> None:
    git(tmp_path, "clone", "--quiet", str(committed), "deep")
    first = git(tmp_path / "deep", "rev-parse", "HEAD")
    change(tmp_path / "deep", SQLITE, ("title: SQLite\n", "title: SQLite 3\n"))
    commit(tmp_path / "deep")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path}/deep", "shallow")
    assert diff(tmp_path / "shallow", first) == (
        2,
        "",
        f"git knows no commit '{first}' here; fetch it (this clone is shallow: git fetch "
        "--unshallow), or give another\n",
    )


def test_outside_of_a_git_checkout(original: Path, tmp_path: Path, diff: Diff) -> None:
    shutil.copytree(original, tmp_path / "project")
    said = f"{tmp_path}/project is in no git checkout; `diff` compares with a commit of it\n"
    assert diff(tmp_path / "project", "HEAD") == (2, "", said)


def test_without_git(project: Path, diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    said = "git cannot be run (No such file or directory); install it\n"
    assert diff(project, "HEAD") == (2, "", said)


def test_a_base_without_a_spec(project: Path, diff: Diff) -> None:
    git(project, "checkout", "--quiet", "--orphan", "empty")
    git(project, "rm", "--quiet", "-r", "--cached", ".")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    commit_ = git(project, "rev-parse", "HEAD")[:7]
    said = f"empty ({commit_}) has no folder 'spec'; give a commit that has one\n"
    assert diff(project, "empty") == (2, "", said)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("title: SQLite\n", "title: %SQLite\n", "YAML01"),
        ("title: SQLite\n", "title: 'SQLite\n", "YAML01"),
        ("title: SQLite\n", "title: &title SQLite\n", "YAML02"),
    ],
)
def test_a_base_whose_files_cannot_be_read(
    old: str, new: str, problem: str, project: Path, diff: Diff
) -> None:
    change(project, SQLITE, (old, new))
    commit(project)
    change(project, SQLITE, (new, old))
    code, out, err = diff(project, "HEAD")
    commit_ = git(project, "rev-parse", "HEAD")[:7]
    first, _, rest = err.partition("\n")
    assert (code, out) == (2, "")
    assert first == f"the spec of HEAD ({commit_}) has problems for this generator:"
    assert problem in rest
    assert f"\n{SQLITE}:" in rest
    assert "1 problem; nothing was compared\n" in rest


def test_a_working_tree_with_problems(project: Path, diff: Diff) -> None:
    change(project, SQLITE, ("raise: StateTooLargeError", "raise: StateTooBigError"))
    code, out, err = diff(project, "HEAD")
    assert (code, out) == (2, "")
    assert err.startswith("the spec of the working tree has problems for this generator:\n\n")
    assert "SPEC01" in err


# Formats


def test_json_is_what_its_schema_says(project: Path, diff: Diff) -> None:
    change(project, SQLITE, COLUMN, (NEWEST, NEWEST.replace(" DESC", "")))
    change(project, SQLITE, ("    aliases: [persistence]\n", ""))
    change(project, INTERFACE, ("doc: The server's port.", "doc: The port."))
    code, out, _ = diff(project, "HEAD", "--format", "json")
    found = json.loads(out)
    schema = json.loads(Path(as_json.__file__).with_name("diff.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema)
    assert (code, found["passes"]) == (1, False)
    assert found["commit"] == git(project, "rev-parse", "HEAD")
    assert found["summary"] == {"breaking": 1, "migration": 2, "behaviour": 2, "safe": 1}
    column = found["changes"][2]  # behind that of the one that is like it
    assert column["path"] == "backends.sqlite.stored.columns.note"
    assert (column["before"], column["after"]) == (None, "TEXT")
    line = (project / SQLITE).read_text(encoding="utf-8").split("\n")[column["line"] - 1]
    assert line[column["column"] - 1 :] == "TEXT"
    assert "b_psycopg2.PostgreSQLPersister" in found["changes"][-1]["affects"]
    assert [it["met"] for it in found["gates"]] == [False] * 5


@pytest.mark.parametrize("format", ["markdown", "html"])
def test_a_file_gets_utf_8_whatever_the_environment_says(project: Path, format: str) -> None:
    change(project, SQLITE, ("title: SQLite\n", "title: SQL\u00efte\n"))
    command = [sys.executable, "-m", "codegen", "--root", str(project), "diff", "HEAD"]
    done = subprocess.run(
        [*command, "--format", format],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "SQL\u00efte" in done.stdout.decode("utf-8")


def test_the_rules_are_listed_without_a_base(project: Path, diff: Diff) -> None:
    assert diff(project, "--rules") == (0, reference(), "")


def test_a_base_is_asked_for(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--root", str(project), "diff"])
    assert ended.value.code == 2
    assert "give the base to compare with, such as origin/main" in capsys.readouterr().err
