"""What is uploaded: a wheel that is imported without a driver, and says which extra brings one."""

from __future__ import annotations

import textwrap
import zipfile
from pathlib import Path

import pytest

from tests.wheels import ROOT, add_extra, build, environment, start


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, its one dependency, and nothing else."""
    return environment(wheel, tmp_path_factory.mktemp("venv"))


def run(python: Path, code: str) -> str:
    done = start(python, "-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def files_of(folder: Path, prefix: str) -> set[str]:
    return {
        f"{prefix}{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_with_its_generator_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"persistry"}
    assert "persistry/py.typed" in names
    assert "persistry/conformance/columns.py" in names
    assert "persistry/conformance/support/plugin.py" in names
    here = files_of(ROOT / "generated" / "persistry", "persistry/")
    for folder, name in (("codegen", ""), ("spec", "spec/"), ("templates", "templates/")):
        here |= files_of(ROOT / folder, f"persistry/_codegen/{name}")
    assert {name for name in names if ".dist-info/" not in name} == here
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_importing_it_imports_no_driver(python: Path) -> None:
    code = """
        import sys
        import persistry
        drivers = {"sqlite3", "aiosqlite", "psycopg2", "asyncpg", "redis", "pymongo", "bson"}
        drivers |= {"sqlcipher3"}
        print(sorted(drivers & sys.modules.keys()))
        persistry.InMemoryPersister()
        print(sorted(drivers & sys.modules.keys()))
        print(persistry.__file__)
    """
    before, after, file = run(python, code).splitlines()
    assert (before, after) == ("[]", "[]")
    assert Path(file).is_relative_to(python.parents[1])


def test_a_store_whose_driver_comes_with_python_works_at_once(python: Path, tmp_path: Path) -> None:
    code = f"""
        from persistry import SQLitePersister, State
        with SQLitePersister({str(tmp_path / "steps.db")!r}) as persister:
            persister.initialize()
            persister.save("p", "a", 1, "x", State({{"n": 1}}), "completed")
            print(persister.load("p", "a")["state"]["n"])
    """
    assert run(python, code) == "1"


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("RedisBasePersister", "redis"),
        ("AsyncRedisBasePersister", "redis"),
        ("AsyncSQLitePersister", "aiosqlite"),
        ("SQLCipherPersister", "sqlcipher3"),
        ("PostgreSQLPersister", "psycopg2"),
        ("AsyncPostgreSQLPersister", "asyncpg"),
        ("MongoDBBasePersister", "pymongo"),
        ("AsyncMongoDBBasePersister", "pymongo"),
    ],
)
def test_a_missing_driver_is_named_with_its_extra(name: str, extra: str, python: Path) -> None:
    code = f"""
        import persistry
        try:
            persistry.{name}
        except ImportError as error:
            print(error)
    """
    expected = f"{name} needs a driver that is not installed: pip install 'persistry[{extra}]'"
    assert run(python, code) == expected


COMMAND = ["-m", "persistry.conformance"]


def test_the_conformance_command_names_its_extra(python: Path) -> None:
    done = start(python, *COMMAND, "persistry:InMemoryPersister")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "persistry.conformance: not installed: pytest, pytest_asyncio, rich;"
        " run pip install 'persistry[conformance]'\n"
    )
    described = start(python, *COMMAND, "--help")
    assert described.returncode == 0
    assert "def make_persister(directory):" in described.stdout


def test_the_conformance_command_runs_from_a_wheel(
    python: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the extra and nothing else; nothing is written beside the modules."""
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    extras = tmp_path_factory.mktemp("extras")
    add_extra("conformance", python, extras)
    folder = tmp_path_factory.mktemp("project")
    (folder / "mine.py").write_text(
        textwrap.dedent(
            """
            from persistry import SQLitePersister

            def make(directory, **options):
                return SQLitePersister.from_values(str(directory / "steps.db"), **options)
            """
        )
    )

    def written() -> set[Path]:
        return {path for path in site.rglob("*") if path.is_file()}

    chosen = ["-k", "another_process", "-k", "nan_comes", "-k", "save_before"]
    start(python, "-c", "import persistry.conformance.factory", cwd=folder)
    start(python, *COMMAND, "--help", cwd=folder)  # Python's own caches are there from now on
    before = {path for path in written() if "__pycache__" not in path.parts}
    done = start(python, *COMMAND, "mine:make", *chosen, cwd=folder, PYTHONPATH=str(extras))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SQLitePersister: 3 passed, 0 failed in " in done.stdout
    assert {path for path in written() if "__pycache__" not in path.parts} == before
    assert not [path for path in written() if "pytest" in path.name]
    assert {path.name for path in folder.iterdir()} == {"mine.py", "__pycache__"}
