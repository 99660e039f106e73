"""What stores behind a general session took: a YAML file, an extra, a fixture, and no Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "codegen" / "pages"
PAGE = "docs/adding-a-backend.md"
# The stores and their libraries. psycopg2, which has a part `_psycopg`, has a session of its own.
NAMES = re.compile(r"mariadb|mysql|(?<!\._)psycopg(?![2\w])|psycopg_async|sqlcipher", re.IGNORECASE)
# Where a backend is named: what it is, how it is tested, what users read. `make test` and CI also
# get the server that no wheel has.
FOLDERS = ("spec", "tests", "docs")
FILES = {"pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", ".ci/run"}


def lines_of(path: str) -> list[str]:
    return (ROOT / path).read_text(encoding="utf-8").splitlines()


def drivers(path: str, *names: str) -> list[str]:
    """The lines of a backend file that are the entries of these drivers."""
    found, inside = [], False
    for line in lines_of(path):
        if re.match(r" {0,2}\w", line):
            inside = line.strip().removesuffix(":") in names
        found += [line] * inside
    return found


def of_yaml(lines: list[str]) -> int:
    """How many of them are no comment and not blank, as tools count lines of code."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def counted() -> dict[str, tuple[int, int]]:
    """How many lines of YAML, and with comments and blank lines."""
    written = {
        "MariaDB, MySQL": lines_of("spec/backends/mariadb.yaml"),
        "psycopg 3": drivers("spec/backends/postgresql.yaml", "psycopg", "psycopg_async"),
        "SQLCipher": lines_of("spec/backends/sqlcipher.yaml"),
    }
    return {store: (of_yaml(lines), len(lines)) for store, lines in written.items()}


@pytest.mark.parametrize(
    ("store", "most"), [("MariaDB, MySQL", 80), ("psycopg 3", 80), ("SQLCipher", 80)]
)
def test_a_backend_is_one_short_file(store: str, most: int) -> None:
    count, _ = counted()[store]
    assert 20 < count <= most, f"{store} takes {count} lines of YAML, more than {most}"


def test_the_page_has_the_counts() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w ,]+) \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    told = {store: (int(yaml), int(all_)) for store, yaml, all_ in rows}
    told.pop("pysqlite3")  # counted where the page is followed
    assert told == counted()


def files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            inside = path.relative_to(ROOT / folder).parts
            left_by_tools = any(it == "__pycache__" or it.startswith(".") for it in inside)
            if path.is_file() and not left_by_tools:
                yield path


def naming(paths: Iterator[Path]) -> list[str]:
    """The places, among these files, that name one of the stores."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if NAMES.search(line)
    ]


def test_no_generator_template_or_runtime_names_them() -> None:
    """Nor does a file have such a name: there is no module for any of them.

    A page on a problem may take its example from any backend file.
    """
    folders = ("codegen", "templates", "generated/persistry/_runtime")
    assert len(list(files(*folders))) > 200
    assert naming(it for it in files(*folders) if it.parent != PAGES) == []
    assert [str(it) for it in files(*folders) if NAMES.search(it.name)] == []


def test_of_what_is_generated_only_their_modules_and_the_lists_name_them() -> None:
    listing = {"connecting.py", "conformance/columns.py"}
    listing |= {f"{it}__init__.py" for it in ("", "burr/")}
    package = ROOT / "generated" / "persistry"
    found = {line.split(":")[0] for line in naming(files("generated/persistry"))}
    named = {str((ROOT / it).relative_to(package)) for it in found} - listing
    modules = {"aiomysql", "psycopg", "pymysql", "sqlcipher3"}
    tables = {"_formats/mariadb.py", "_formats/sqlcipher.py"}
    own = {f"b_{it}.py" for it in modules}
    assert named == own | {f"burr/{it}" for it in own} | tables


def test_elsewhere_only_what_is_said_and_tested_names_them() -> None:
    there = {it.name for it in ROOT.iterdir() if it.is_dir() and not it.name.startswith(".")}
    assert {*FOLDERS, "codegen", "examples", "generated", "templates"} <= there
    top = [it for it in ROOT.iterdir() if it.is_file()]
    other = [*files("codegen", "templates", "examples", ".ci", ".vscode"), *top]
    found = {line.split(":")[0] for line in naming(it for it in other if it.parent != PAGES)}
    assert found <= FILES
