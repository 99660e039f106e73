"""What is uploaded: a wheel that is imported without a driver, and says which extra brings one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, its one dependency, and nothing else."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install = ["install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, *install, str(wheel)], check=True)
    # Taken from here, so that no network is needed.
    spec = find_spec("orjson")
    assert spec is not None
    assert spec.origin is not None
    (site,) = folder.glob("lib/python*/site-packages")
    shutil.copytree(Path(spec.origin).parent, site / "orjson")
    return python


def start(
    python: Path, *arguments: str, cwd: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    environment = {key: it for key, it in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [python, *arguments],
        cwd=cwd or python.parent,
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
    )


def run(python: Path, code: str) -> str:
    done = start(python, "-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"persistry"}
    assert "persistry/py.typed" in names
    assert "persistry/conformance/columns.py" in names
    assert "persistry/conformance/support/plugin.py" in names
    here = {
        path.relative_to(ROOT / "generated").as_posix()
        for path in (ROOT / "generated").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
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


def copy_distribution(name: str, site: Path, done: set[str]) -> None:
    """Install what is installed here, with all that it needs, without a network."""
    done.add(name)
    found = distribution(name)
    for file in found.files or []:
        source = Path(str(found.locate_file(file)))
        if ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, site / file)
    for line in found.requires or []:
        needed = Requirement(line)
        wanted = needed.marker is None or needed.marker.evaluate({"extra": ""})
        if wanted and needed.name not in done:
            copy_distribution(needed.name, site, done)


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
    metadata = (next(site.glob("persistry-*.dist-info")) / "METADATA").read_text()
    for line in re.findall(
        r"^Requires-Dist: (.*); extra == 'conformance'$", metadata, re.MULTILINE
    ):
        copy_distribution(Requirement(line).name, extras, set())
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
