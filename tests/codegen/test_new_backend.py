"""`new-backend`: a file whose TODOs are all that is wrong with it, whatever it is begun from."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen import ir
from codegen.__main__ import main
from codegen.pipeline import Run, problems_of
from codegen.problems import Code

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "spec" / "backends").glob("*.yaml"))
# A layout of another library is nothing to begin with.
BACKENDS = [it.stem for it in FILES if "\n  made_by: " not in it.read_text("utf-8")]
TODO = re.compile(r"^[^#]*\bTODO ")
Put = Callable[[Path, str], None]


def begun(project: Path, like: str, name: str = "mine") -> Path:
    assert main(["--root", str(project), "new-backend", name, "--like", like]) == 0
    return project / f"spec/backends/{name}.yaml"


@pytest.mark.parametrize("like", BACKENDS)
def test_only_its_todos_are_wrong(like: str, project: Path) -> None:
    file = begun(project, like)
    run = Run(project)
    assert run.tree() == {}
    problems = run.report.problems
    lines = file.read_text(encoding="utf-8").splitlines()
    todos = [number for number, line in enumerate(lines, 1) if TODO.search(line)]
    assert {it.code for it in problems} == {Code.TODO01}
    assert {it.span.path for it in problems if it.span} == {"spec/backends/mine.yaml"}
    assert [it.span.line for it in problems if it.span] == todos
    # What to write and why, in words; no quote or colon among them has cut them off.
    assert all(len(it.help.split()) >= 5 for it in problems)
    ends = [re.sub(r"""("[]}]+|:)$""", "", lines[number - 1]) for number in todos]
    assert all(line.endswith(it.help) for line, it in zip(ends, problems, strict=True))


VALUES = {
    "title": "My store",
    "doc": "Stores states somewhere.",
    "state_bytes": "1000",
    "port": "1234",
    "parameter_style": "qmark",
    "code_attribute": "sqlite_errorname",
    "codes": '["1"]',
    "conflict": '{codes: ["2"]}',
    "opening": "SELECT 1 AS generation, NULL AS difference FROM {table}",
}


def written(text: str) -> str:
    """The file with its TODOs written. Its words are those of the standard library's driver."""
    lines, number, libraries = [], 0, ["sqlite3", "aiosqlite"]
    library = libraries[0]
    for line in text.splitlines():
        if not TODO.search(line):
            lines.append(line)
            continue
        number += 1
        indent, key = re.match(r"( *(?:- )?)([^:]*)", line).groups()  # type: ignore[union-attr]
        if key.startswith("TODO"):
            library = libraries.pop(0)
            # The one that it has by itself is another backend's.
            lines += [f"{indent}{library}:", f"{indent}  module: b_mine{number}"]
        elif key == "base":
            lines.append(f"{indent}base: [{library}.Error]")
        elif key in ("class", "module"):
            own = {"class": f"Mine{number}Persister", "module": f"b_mine{len(lines)}"}[key]
            lines.append(f"{indent}{key}: {own}")
        else:
            lines.append(f"{indent}{key}: {VALUES.get(key, f'keyword_{number}')}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("like", BACKENDS)
def test_with_its_todos_written_it_is_a_backend(
    like: str, project: Path, put: Put, resolved: ir.Project
) -> None:
    file = begun(project, like)
    text = written(file.read_text(encoding="utf-8"))
    if "family: runtime" in text:  # its class stands in the runtime
        for name in re.findall(r"class: (\w+)", text):
            module = re.search(rf"class: {name}\n    module: (\w+)", text)
            assert module is not None
            methods = (f"    def {it}(self): ...\n" for it in resolved.interface.operations)
            put(
                project / f"templates/runtime/{module[1]}.py",
                "".join([f"class {name}:\n", *methods]),
            )
    put(file, text)
    assert problems_of(project) == ""
    made = Run(project).project()
    assert made is not None
    backend = next(it for it in made.backends if it.name == "mine")
    assert backend.classes and all(re.match("(Async)?(Mine|My)", it.name) for it in backend.classes)
    assert bool(backend.layouts) == ("\nlike: " in text)  # such a one reads what that one reads
    for parts in (it.parts for it in backend.classes):
        if isinstance(parts, ir.SqlParts):
            assert parts.format.generation == 1
            assert bool(parts.format.changes) == bool(backend.layouts)
            assert parts.format.widen is None
        if isinstance(parts, ir.MongoParts):
            made_by = [name for migration in parts.migrations for name in migration.indexes]
            assert [it.generation for it in parts.migrations] == [1]
            assert made_by == [it.name for it in parts.indexes]


@pytest.mark.parametrize("like", BACKENDS)
def test_nothing_of_it_is_for_the_data_of_others(like: str, project: Path) -> None:
    """There is no earlier format, and nobody else has made tables for the new store."""
    text = begun(project, like).read_text(encoding="utf-8")
    keys = re.findall(r"^ *(\w+):", text, re.MULTILINE)
    assert not {"layouts", "widen"} & {*keys}
    assert "Burr" not in text
    assert ("migrations" in keys) is (like == "mongodb")  # there they make the indexes


def test_the_migrations_of_a_later_generation_are_not_taken_over(project: Path, put: Put) -> None:
    like = project / "spec/backends/sqlite.yaml"
    text = like.read_text(encoding="utf-8").replace("generation: 1\n", "generation: 2\n", 1)
    later = "    - {to: 2, doc: It adds nothing., run: [SELECT 1]}\n\n# Quoted"
    put(like, text.replace("\n# Quoted", later, 1))
    assert problems_of(project) == ""
    put(file := begun(project, "sqlite"), written(file.read_text(encoding="utf-8")))
    assert problems_of(project) == ""


def test_what_looks_for_tables_of_others_is_not_taken_over(project: Path) -> None:
    words = (ROOT / "spec/backends/mariadb.yaml").read_text(encoding="utf-8")
    words = words[words.index("\nwords:") : words.index("queries:")]
    of_words = begun(project, "mariadb").read_text(encoding="utf-8")
    assert words in of_words  # of which the family's query is made
    assert "  opening: " not in of_words
    for like in ("sqlite", "postgresql"):
        assert "\n  opening: TODO the query" in begun(project, like, f"my{like}").read_text("utf-8")


def test_a_sql_store_is_begun_without_a_module(project: Path) -> None:
    text = begun(project, "postgresql").read_text(encoding="utf-8")
    assert "session:" not in text
    assert "connect:" in text
    assert "  load.latest: |\n    SELECT app_id," in text  # the statements to begin with
    assert text.startswith("# yaml-language-server: $schema=../../generated/schema/sql.json\n")


def test_what_comes_next_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun(project, "sqlite", "duck")
    said = capsys.readouterr().out
    text = (project / "spec/backends/duck.yaml").read_text(encoding="utf-8")
    todos = [line for line in text.splitlines() if TODO.search(line)]
    assert said.startswith(f"made spec/backends/duck.yaml, with {len(todos)} TODOs\n\nnext:\n")
    for place in ("pyproject.toml", "tests/stores/duck.py", "tests/servers/duck.py", "--column"):
        assert place in said


@pytest.mark.parametrize(
    ("name", "like", "reason"),
    [
        ("redis", "sqlite", "spec/backends/redis.yaml is there already"),
        ("postgres", "sqlite", "the name 'postgres' is taken by spec/backends/postgresql.yaml"),
        ("mine", "sqlit", "there is no backend 'sqlit' to begin with; did you mean 'sqlite'?"),
        ("mine", "oracle", "there is no backend 'oracle' to begin with; known here: ma"),
        ("mine", "redis_burr", "'redis_burr' is the layout of Apache Burr, which has made no data"),
        ("My-SQL", "sqlite", "a backend cannot be called 'My-SQL': use small letters"),
        ("class", "sqlite", "a backend cannot be called 'class': "),
        ("../mine", "sqlite", "a backend cannot be called '../mine': "),
        ("", "sqlite", "a backend cannot be called '': "),
    ],
)
def test_what_cannot_be_begun_is_refused(
    name: str, like: str, reason: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*.yaml")}
    assert main(["--root", str(project), "new-backend", name, "--like", like]) == 1
    assert capsys.readouterr().err.startswith(reason)
    assert {path: path.read_bytes() for path in project.rglob("*.yaml")} == before


def test_a_broken_file_is_nothing_to_begin_with(
    project: Path, put: Put, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project / "spec/backends/redis.yaml", "backend: redis\nbackend: again\n")
    assert main(["--root", str(project), "new-backend", "mine", "--like", "redis"]) == 1
    assert "spec/backends/redis.yaml:2:1: YAML03 duplicate key" in capsys.readouterr().err
