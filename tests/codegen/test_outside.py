"""Out of tree: a folder of backend files becomes a package, beside what its user wrote there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen.outside import cases
from codegen.problems import Code
from codegen.rendering import Tree

ROOT = Path(__file__).parents[2]
OWN = (
    ("backend: sqlite", "backend: notes"),
    ("SQLitePersister", "NotesPersister"),
    ("module: b_", "module: b_notes_"),
    ("sqlite: {}", "notes: {}"),
    ("sqlite:///", "notes:///"),
)
SCENARIOS = """
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
Put = Callable[[Path, str], None]


def backend_file() -> str:
    """A backend of somebody's own: SQLite's, by other names."""
    text = (ROOT / "spec" / "backends" / "sqlite.yaml").read_text(encoding="utf-8")
    for old, new in OWN:
        text = text.replace(old, new)
    # Nobody else has made tables for it.
    return re.sub(r"^layouts:\n(?: .*\n)+\n", "", text, flags=re.MULTILINE)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Somebody's project, and the place where they are."""
    (tmp_path / "my_backends").mkdir()
    (tmp_path / "my_backends" / "notes.yaml").write_text(backend_file())
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [it for it in sys.modules if it.partition(".")[0] in ("my_package", "other")]:
        del sys.modules[name]


def run(command: str, spec: str = "my_backends", out: str = "my_package") -> int:
    return main([command, "--spec", spec, "--out", out])


def test_it_may_be_like_one_of_persistry_or_of_ones_own(home: Path) -> None:
    """What stands beside it comes first, and what those are like is taken over, too."""
    for name, like in (("one", "sqlite"), ("two", "one")):
        (home / "my_backends" / f"{name}.yaml").write_text(
            LIKE.format(name=name, class_name=name.title(), like=like), encoding="utf-8"
        )
    assert run("generate") == 0
    made = {it.stem: it.read_text() for it in (home / "my_package").glob("b_*.py")}
    assert "SELECT app_id FROM {heads}" in made["b_one"]
    statements = [
        re.findall(r"^_[A-Z_]+ = .*\n(?:    .*\n)*", made[it], re.M) for it in ("b_one", "b_two")
    ]
    assert statements[0] == statements[1] != []
    (home / "my_backends" / "sqlite.yaml").write_text(
        backend_file()
        .replace("backend: notes", "backend: sqlite")
        .replace("Notes", "Other")
        .replace("notes: {}", "others: {}")
        .replace("notes:///", "others:///")
        .replace("b_notes_", "b_others_")
        .replace("SELECT app_id FROM {heads}", "SELECT h.app_id FROM {heads} AS h")
    )
    assert run("generate") == 0
    assert "SELECT h.app_id FROM {heads}" in (home / "my_package" / "b_two.py").read_text()


LIKE = """
backend: {name}
family: sql
like: {like}
title: A store
doc: Stores states somewhere.
url: {{schemes: {{{name}: {{}}}}, parts: {{path: db_path}}, example: "{name}:///steps.db"}}
drivers:
  sqlite3:
    colour: sync
    class: {class_name}Persister
    module: b_{name}
    parameter_style: qmark
    connect: {{arguments: {{db_path: database}}}}
    from_values: [db_path, table_name, "*", serde_kwargs, connect_kwargs]
    opened_with: [db_path, connect_kwargs]
"""


def refused(capsys: pytest.CaptureFixture[str], command: str = "generate", **given: str) -> str:
    """What the command says when it refuses, in its last line; nothing is written."""
    before = files(Path.cwd())
    with pytest.raises(SystemExit, match="2"):
        run(command, **given)
    assert files(Path.cwd()) == before
    return capsys.readouterr().err.splitlines()[-1].partition("error: ")[2]


def files(folder: Path) -> dict[str, bytes]:
    found = (it for it in folder.rglob("*") if it.is_file() and "__pycache__" not in it.parts)
    return {it.relative_to(folder).as_posix(): it.read_bytes() for it in found}


MODULES = ["__init__", "b_notes_aiosqlite", "b_notes_sqlite3", "connecting"]
MADE = [
    *(f"my_package/{name}.py" for name in MODULES),
    "my_package/_formats/__init__.py",
    "my_package/_formats/notes.py",
    "my_package/conformance/__init__.py",
    "my_package/conformance/columns.py",
]


def test_a_package_is_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("generate") == 0
    shown = capsys.readouterr().out.splitlines()
    assert sorted(shown[:-1]) == sorted(f"made     {name}" for name in MADE)
    assert shown[-1] == "8 files, 8 of them changed"
    for name in MADE:
        text = (home / name).read_text()
        first = text.partition("\n")[0]
        of_backend = "/b_" in name or name.endswith("/notes.py")
        source = "my_backends/notes.yaml" if of_backend else "my_backends/"
        command = "`persistry-codegen generate`"
        assert first == f"# Code generated from {source} by {command}. DO NOT EDIT."
        # What persistry has comes from there, by its name.
        relative = re.findall(r"^ *from (\.[\w.]*) import", text, re.MULTILINE)
        assert set(relative) <= {f".{it}" for it in [*MODULES, "_formats.notes"]}, name
        assert str(home) not in text


def test_the_package_works(home: Path) -> None:
    assert run("generate") == 0
    code = """
        import sys, persistry, my_package
        drivers = {"sqlite3", "aiosqlite"}
        assert not drivers & sys.modules.keys()
        assert dir(my_package) == ["AsyncNotesPersister", "NotesPersister", "aconnect", "connect"]
        with my_package.connect("notes:///notes.db", operation_timeout=5) as persister:
            assert type(persister) is my_package.NotesPersister
            persister.initialize()
            persister.save("p", "a", 1, "x", persistry.State({"n": 1}), "completed")
            print(persister.load("p", "a")["state"]["n"], drivers & sys.modules.keys())
        try:
            my_package.connect("sqlite:///notes.db")
        except ValueError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", re.sub(r"^ {8}", "", code, flags=re.MULTILINE)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "1 {'sqlite3'}",
        "url begins with no known scheme; known are notes://",
    ]


def test_it_is_clean_python(home: Path) -> None:
    (home / "my_backends" / "conformance").mkdir()
    (home / "my_backends" / "conformance" / "notes.yaml").write_text(SCENARIOS)
    assert run("generate") == 0
    for command in (
        ["ruff", "check", "--isolated", "--no-cache"],
        ["ruff", "format", "--check", "--isolated", "--no-cache", "--line-length=100"],
        ["mypy", "--strict", "--no-incremental"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command, "my_package"],
            env=os.environ | {"MYPYPATH": str(ROOT / "generated")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_same_from_anywhere_and_again(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("generate") == 0
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    made = files(home)
    monkeypatch.chdir("/")
    places = {"spec": str(home / "my_backends"), "out": str(home / "my_package")}
    capsys.readouterr()
    assert run("generate", **places) == run("check", **places) == 0
    assert capsys.readouterr().out == "8 files, 0 of them changed\n8 files are what the spec says\n"
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before
    assert files(home) == made


def test_classes_modules_and_schemes_may_be_called_like_those_of_persistry(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "spec" / "backends" / "sqlite.yaml").read_text(encoding="utf-8")
    (home / "my_backends" / "notes.yaml").write_text(text)
    assert run("generate") == 0, capsys.readouterr().err
    code = """if True:
        import persistry, my_package
        p = my_package.connect("sqlite:///x.db")
        print(type(p).__module__, type(persistry.connect("sqlite:///x.db")).__module__)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "my_package.b_sqlite3 persistry.b_sqlite3\n"


def test_a_name_that_every_package_has_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = backend_file().replace("class: NotesPersister", "class: BaseStatePersister")
    (home / "my_backends" / "notes.yaml").write_text(text)
    assert run("generate") == 1
    assert "SPEC04 the class 'BaseStatePersister' is taken" in capsys.readouterr().err


# The three verdicts


def verdicts(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    shown = capsys.readouterr().err
    return re.findall(r"^(\S+?):\d+:\d+: (GEN\d+) ", shown, re.MULTILINE)


def test_check_tells_what_differs_and_generate_mends_it(
    home: Path, put: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    text = backend_file()
    for old, new in (("notes", "other"), ("Notes", "Other")):
        text = text.replace(old, new)
    (home / "my_backends" / "other.yaml").write_text(text)
    assert run("generate") == 0
    made = files(home)
    (home / "my_backends" / "other.yaml").unlink()
    package = home / "my_package"
    put(package / "b_notes_sqlite3.py", (package / "b_notes_sqlite3.py").read_text() + "# mine\n")
    (package / "conformance" / "columns.py").unlink()
    mine = {"own.py": "# mine\n", "conformance/test_own.py": "", "conformance/data.json": "{}"}
    for name, content in mine.items():
        put(package / name, content)
    before = files(home)
    capsys.readouterr()

    assert run("check") == 1
    assert verdicts(capsys) == [
        ("my_package/__init__.py", "GEN02"),
        ("my_package/_formats/other.py", "GEN03"),
        ("my_package/b_notes_sqlite3.py", "GEN02"),
        ("my_package/b_other_aiosqlite.py", "GEN03"),
        ("my_package/b_other_sqlite3.py", "GEN03"),
        ("my_package/conformance/columns.py", "GEN01"),
        ("my_package/connecting.py", "GEN02"),
    ]
    assert files(home) == before

    assert run("generate") == 0
    assert capsys.readouterr().out.splitlines()[:-1] == [
        "changed  my_package/__init__.py",
        "removed  my_package/_formats/other.py",
        "changed  my_package/b_notes_sqlite3.py",
        "removed  my_package/b_other_aiosqlite.py",
        "removed  my_package/b_other_sqlite3.py",
        "made     my_package/conformance/columns.py",
        "changed  my_package/connecting.py",
    ]
    assert run("check") == 0
    left = files(home)
    assert {name: left[f"my_package/{name}"].decode() for name in mine} == mine
    assert left["my_package/b_notes_aiosqlite.py"] == made["my_package/b_notes_aiosqlite.py"]


def test_check_says_what_to_do(home: Path, put: Put, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("generate") == 0
    module = home / "my_package" / "b_notes_sqlite3.py"
    put(module, module.read_text().replace("_STATE_BYTES = 9", "_STATE_BYTES = 1"))
    capsys.readouterr()
    assert run("check") == 1
    assert capsys.readouterr().err.splitlines()[1:-1] == [
        "  help: change my_backends/notes.yaml, then `persistry-codegen generate --spec my_backends"
        " --out my_package`; a change here is lost",
        "",
        "1 problem; nothing was written",
    ]


# What the user wrote stays


def test_an_init_of_the_user_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "my_package").mkdir()
    (home / "my_package" / "__init__.py").write_text('"""Mine."""\n')
    assert run("generate") == 0
    assert "kept     my_package/__init__.py, which you wrote" in capsys.readouterr().out
    assert (home / "my_package" / "__init__.py").read_text() == '"""Mine."""\n'
    assert run("check") == 0
    from my_package.connecting import connect  # type: ignore[import-not-found]

    assert repr(connect("notes:///notes.db")).startswith("<NotesPersister ")


def test_no_other_file_of_the_user_is_overwritten(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "my_package").mkdir()
    (home / "my_package" / "connecting.py").write_text("# mine\n")
    assert refused(capsys) == (
        "my_package/connecting.py would be overwritten, and was not generated; move it, or give"
        " the driver another 'module'"
    )


def test_a_package_is_made_from_one_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("generate") == 0
    (home / "my_backends").rename(home / "others")
    assert refused(capsys, spec="others") == (
        "my_package/__init__.py was generated from my_backends/; a package is made from one"
        " folder, so give another --out, or first delete what was generated there"
    )


@pytest.mark.parametrize(
    "out", [ROOT / "generated" / "persistry", ROOT / "generated" / "persistry/x"]
)
def test_persistry_itself_is_left_alone(
    out: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(ROOT / "generated")
    said = "--out: persistry itself has no place for more; give a package of your own"
    assert refused(capsys, out=str(out)) == said
    assert files(ROOT / "generated") == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"spec": "no"}, "there is no folder no; --spec is the one with your backend files"),
        ({"out": "my-package"}, "--out: nobody can import a package called 'my-package'"),
        ({"out": "class"}, "--out: nobody can import a package called 'class'"),
        ({"out": "persistry"}, "--out: persistry itself has no place for more"),
        ({"out": "a_file"}, "--out: a_file is a file; give the folder of a package"),
    ],
)
@pytest.mark.parametrize("command", ["generate", "check"])
def test_folders_that_cannot_be(
    command: str,
    given: dict[str, str],
    said: str,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (home / "a_file").write_text("")
    assert refused(capsys, command, **given).startswith(said)


@pytest.mark.parametrize("options", [["--spec", "my_backends"], ["--out", "my_package"]])
def test_both_folders_are_needed(
    options: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["generate", *options])
    assert "give --spec, the folder of your backend files, and --out" in capsys.readouterr().err


# Mistakes in the files


def test_a_folder_without_backend_files(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "my_backends" / "notes.yaml").rename(home / "my_backends" / "notes.yml")
    (home / "my_backends" / "README.md").write_text("Other files are nobody's business.\n")
    assert run("generate") == 1
    shown = capsys.readouterr().err.splitlines()[:-1]
    assert [it for it in shown if " | " not in it] == [
        "my_backends:1:1: YAML04 there is no *.yaml in this folder",
        "  help: write one; without it nothing is made, or nothing is promised",
        "",
        "my_backends/notes.yml:1:1: YAML04 a file that is not read",
        "  help: name it notes.yaml, or move it out of my_backends/",
        "",
        "2 problems; nothing was written",
    ]
    assert not (home / "my_package").exists()


def test_a_mistake_is_told_as_in_the_project(
    home: Path, project: Path, put: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same place, cause and cure, wherever the file stands."""
    mistakes = [
        ("title: SQLite", "titel: SQLite"),
        (":app_id,", ":appid,"),
        ("schema: false", "x: 1"),
    ]
    text = (project / "spec" / "backends" / "sqlite.yaml").read_text()
    for number, (old, new) in enumerate(mistakes, 1):
        broken = text.replace(old, new)
        assert broken != text
        put(project / "spec" / "backends" / "sqlite.yaml", broken)
        assert main(["--root", str(project), "generate"]) == 1
        expected = capsys.readouterr().err.replace("spec/backends/", "my_backends/")
        (home / "my_backends" / "notes.yaml").unlink(missing_ok=True)
        (home / "my_backends" / "sqlite.yaml").write_text(broken)
        assert run("generate") == 1, number
        assert capsys.readouterr().err == expected
    assert not (home / "my_package").exists()


def test_what_would_be_no_python_is_shown(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = backend_file().replace("db_path: {type: str,", "db_path: {type: strr,")
    (home / "my_backends" / "notes.yaml").write_text(text)
    assert run("generate") == 1
    shown = capsys.readouterr().err
    assert shown.startswith("my_package/b_notes_aiosqlite.py:")
    assert f"{Code.GEN04.name} this would be no clean Python: Undefined name `strr`" in shown
    assert "help: it comes from my_backends/notes.yaml or a template" in shown


def test_the_family_of_the_package_itself_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "spec" / "backends" / "memory.yaml").read_text()
    (home / "my_backends" / "notes.yaml").write_text(text)
    assert run("generate") == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[0]
        .endswith("SPEC09 nothing is generated for the family 'runtime'")
    )


def test_a_scenario_does_not_take_the_name_of_a_case(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of those that are generated from scenarios, and of those that are written in templates."""
    assert {
        "nan_comes_back",
        "lost_reply_saves_once",
        "pickle_gives_a_working_persister",
    } <= cases()
    folder = home / "my_backends" / "conformance"
    folder.mkdir()
    for name in ("nan_comes_back", "lost_reply_saves_once"):
        (folder / "own.yaml").write_text(SCENARIOS.replace("note_comes_back", name))
        assert run("generate") == 1
        shown = capsys.readouterr().err
        assert shown.startswith(
            f"my_backends/conformance/own.yaml:3:3: SCN03 persistry has a case '{name}' already\n"
        )


def test_show_prints_a_backend_of_ones_own(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "notes", "--spec", "my_backends"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("notes: Backend\n")
    assert "source: my_backends/notes.yaml" in shown


def test_what_is_stored_is_locked_beside_the_files(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For the releases of their own project; the package need not be there."""
    lock = ["lock", "--spec", "my_backends"]
    assert main(lock) == 0
    assert capsys.readouterr().out == (
        "made     my_backends/locks/notes.lock.yaml, generation 1\n1 lock, 1 changed\n"
    )
    text = (home / "my_backends/locks/notes.lock.yaml").read_text()
    assert "written by `persistry-codegen lock`" in text.partition("\n")[0]
    assert "\nbackend: notes\n" in text
    assert main([*lock, "--check"]) == 0
    assert main(["show", "notes", "--spec", "my_backends"]) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "lock: my_backends/locks/notes.lock.yaml, generation 1 has been released"
    file = home / "my_backends" / "notes.yaml"
    file.write_text(file.read_text().replace("status: TEXT NOT NULL", "status: TEXT"))
    assert run("generate") == 1
    said = capsys.readouterr().err
    assert re.match(r"my_backends/notes\.yaml:\d+:13: LOCK01 'columns\.status' is not what", said)
    assert not (home / "my_package").exists()


def test_a_file_to_begin_with_is_written_into_the_folder(
    home: Path, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name need not be free in persistry, but there."""
    new = ["new-backend", "--like", "redis", "--spec", "more"]
    assert main([*new, "redis"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("made more/redis.yaml, with ")
    assert "`persistry-codegen generate --spec more --out YOUR_PACKAGE`" in shown
    text = (home / "more" / "redis.yaml").read_text()
    first, second = text.split("\n")[:2]
    assert second.startswith("# Begun from redis. ")
    # Editors find the schema, which is that of persistry's own files.
    schema = json.loads((home / "more" / first.partition("$schema=")[2]).read_text())
    known = json.loads(tree["schema/redis.json"])
    assert schema.pop("$comment") != known.pop("$comment")  # other commands make them
    assert schema == known
    assert "`persistry-codegen generate`" in text.partition("backend:")[0]
    assert main([*new, "redis"]) == 1
    assert capsys.readouterr().err == (
        "more/redis.yaml is there already; choose another name, or delete it first\n"
    )
    assert (home / "more" / "redis.yaml").read_text() == text


def test_a_file_to_begin_with_knows_no_project_of_ours(home: Path) -> None:
    assert main(["new-backend", "--like", "mariadb", "--spec", "more", "ledger"]) == 0
    text = (home / "more" / "ledger.yaml").read_text()
    assert "pyproject.toml" not in text
    assert "# Write `extra` if pip installs it by another name" in text


# Another persistry


def test_another_generation_of_the_runtime_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from persistry import _runtime

    assert run("generate") == 0
    number = next(it for it in vars(_runtime) if it.startswith("generation_"))
    monkeypatch.delattr(_runtime, number)
    monkeypatch.setitem(vars(_runtime), "generation_99", "")
    for module in ("my_package", "my_package.b_notes_sqlite3", "my_package.connecting"):
        with pytest.raises(ImportError) as caught:
            __import__(module)
        assert str(caught.value) == (
            "the module that imports this was generated for another version of persistry"
            f" ({number}; here is generation_99): run `persistry-codegen generate` again with"
            " this one"
        )
    with pytest.raises(AttributeError, match="no attribute 'generations'"):
        _runtime.generations  # type: ignore[attr-defined]  # noqa: B018


def test_a_missing_driver_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = backend_file().replace("requires: aiosqlite", "requires: no_such_driver")
    text = text.replace("extra: aiosqlite", "extra: no-such-driver")
    (home / "my_backends" / "notes.yaml").write_text(
        text.replace("aiosqlite.Connection", "no_such_driver.Connection")
    )
    assert run("generate") == 0
    import my_package

    said = "AsyncNotesPersister needs a driver that is not installed: pip install no-such-driver"
    with pytest.raises(ImportError, match=f"^{said}$"):
        my_package.aconnect("notes:///notes.db")
