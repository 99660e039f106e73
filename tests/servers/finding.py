"""Where a server's program is: told by a variable, in a wheel, or on the machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION_SECONDS = 20.0


class ServerMissing(Exception):
    """No such server on this machine; the message, one line, says how to install one."""

    dispensable = False
    """Whether tests do without it, and say so."""


@dataclass(frozen=True)
class Search:
    """How to look for one kind of server.

    Wheels come before what the machine has, so that everybody's tests run on the same version.
    """

    name: str
    variable: str
    """The environment's variable that names the program; then nothing else is looked at."""
    places: str
    """What `programs` looks through besides, in words."""
    install: str
    """How to install one, in words."""
    programs: Callable[[], Iterable[Path]]
    dispensable: bool = False
    """Whether tests do without it, as no wheel has it; not so where the variable names one."""

    @property
    def given(self) -> str | None:
        return os.environ.get(self.variable) or None

    def candidates(self) -> Iterable[Path]:
        """The programs to look at, the best first; not all of them need run."""
        return self.programs() if self.given is None else [Path(self.given)]

    def find(self) -> Path:
        """A program that runs; `ServerMissing` if there is none."""
        broken = []
        for path in self.candidates():
            problem = does_not_run(path)
            if not problem:
                return path
            broken.append(f"{path} does not run ({problem})")
        if self.given is not None:
            raise ServerMissing(f"no {self.name} server: {self.variable}={broken[0]}")
        looked = "; ".join([f"looked for {self.variable}, {self.places}", *broken])
        error = ServerMissing(f"no {self.name} server: {looked}; install one: {self.install}")
        error.dispensable = self.dispensable
        raise error


def in_wheel(package: str, inside: str) -> Iterator[Path]:
    """A file of an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    for place in (spec and spec.submodule_search_locations) or ():
        if (path := Path(place) / inside).exists():
            yield path


def on_path(*programs: str) -> Iterator[Path]:
    for program in programs:
        if found := shutil.which(program):
            yield Path(found)


def does_not_run(program: Path, **options: Any) -> str | None:
    """Why not, in one line: a wheel may be made for another machine or lack a library."""
    options = {"capture_output": True, "text": True, "timeout": VERSION_SECONDS, **options}
    try:
        run = subprocess.run([program, "--version"], **options)
    except OSError as error:
        return error.strerror or str(error)
    except subprocess.TimeoutExpired:
        return f"--version takes longer than {VERSION_SECONDS:g} s"
    if run.returncode == 0:
        return None
    return " ".join((run.stderr or run.stdout).split()) or f"it ends with code {run.returncode}"
