"""The wheel, and environments of their own that have it: built and filled without a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def build(folder: Path) -> Path:
    """The wheel of this checkout."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def environment(wheel: Path, folder: Path) -> Path:
    """The interpreter of a new environment that has the wheel and its one dependency."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    install = ["install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, *install, str(wheel)], check=True)
    # Taken from here, so that no network is needed.
    spec = find_spec("orjson")
    assert spec is not None
    assert spec.origin is not None
    shutil.copytree(Path(spec.origin).parent, site_of(python) / "orjson")
    return python


def site_of(python: Path) -> Path:
    """Where the packages of an environment are."""
    (site,) = python.parents[1].glob("lib/python*/site-packages")
    return site


def add_extra(extra: str, python: Path, site: Path | None = None) -> None:
    """What an extra of the wheel brings, into its environment or another folder."""
    metadata = (next(site_of(python).glob("persistry-*.dist-info")) / "METADATA").read_text()
    needed = re.findall(rf"^Requires-Dist: (.*); extra == '{extra}'$", metadata, re.MULTILINE)
    assert needed
    programs = python.parent if site is None else None
    for line in needed:
        copy_distribution(Requirement(line).name, site or site_of(python), programs, set())


def copy_distribution(name: str, site: Path, programs: Path | None, done: set[str]) -> None:
    """Install what is installed here, with all that it needs, without a network."""
    done.add(name)
    found = distribution(name)
    for file in found.files or []:
        source = Path(str(found.locate_file(file)))
        if programs is not None and file.parts[-2:-1] == ("bin",):
            shutil.copy(source, programs)
        elif ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, site / file)
    for line in found.requires or []:
        needed = Requirement(line)
        wanted = needed.marker is None or needed.marker.evaluate({"extra": ""})
        if wanted and needed.name not in done:
            copy_distribution(needed.name, site, programs, done)


def start(
    python: Path, *arguments: str, cwd: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run an environment's Python, or a program beside it, apart from this checkout."""
    environment = {key: it for key, it in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [python, *arguments],
        cwd=cwd or python.parent,
        env=environment | more,
        capture_output=True,
        text=True,
        check=False,
    )
