"""Cases of the matrix, run by a pytest of their own on another copy of the package."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from tests.warm import warm

# The longest that the cases of one run may take together.
SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What became of a case on a column."""

    column: str
    stage: str
    """`setup`, `call` or `teardown`."""
    errors: tuple[str, ...] = ()
    """The class of the exception that ended it, and its bases; empty if it passed."""
    says: str = ""
    """Its message."""

    @property
    def passed(self) -> bool:
        return not self.errors

    @property
    def caught(self) -> bool:
        """Whether the case itself failed, by what it asserts or by an error of the persister."""
        meant = {"AssertionError", "Failed", "PersisterError"}.intersection(self.errors)
        return self.stage == "call" and bool(meant) and not self.says.startswith("Timeout")

    def __str__(self) -> str:
        said = self.says.strip().partition("\n")[0]
        return f"{self.column}: {self.errors[0]}: {said}" if self.errors else f"{self.column}: ok"


def run(
    project: Path, tests: Sequence[str], columns: Sequence[str], environment: Mapping[str, str]
) -> list[Outcome]:
    """Run these tests of the project on these columns; `RuntimeError` if they did not run."""
    context = warm()
    receiver, sender = context.Pipe(duplex=False)
    columns_only = [word for name in columns for word in ("--column", name)]
    child = context.Process(
        target=_run, args=(project, [*tests, *columns_only], dict(environment), sender)
    )
    child.start()
    sender.close()
    try:
        code, outcomes = receiver.recv() if receiver.poll(SECONDS) else (f"after {SECONDS} s", [])
    except EOFError:
        code, outcomes = "without an answer", []
    finally:
        child.kill()
        child.join()
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        output = (project / "output").read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"pytest ended with {code}:\n{output}")
    return list(outcomes)


class _Recorder:
    """The plugin that notes what became of each case."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        report = yield
        column = item.callspec.params["store"].name
        if report.failed:
            errors = tuple(kind.__name__ for kind in call.excinfo.type.__mro__)
            self.outcomes.append(Outcome(column, call.when, errors, str(call.excinfo.value)))
        elif report.passed and call.when == "call":
            self.outcomes.append(Outcome(column, call.when))
        return report


def _run(project: Path, arguments: list[str], environment: dict[str, str], to: Connection) -> None:
    """In the process of the run: a pytest that starts in the project and imports from there."""
    gc.freeze()  # what it was forked with is not looked through again and again
    for name in [it for it in os.environ if it.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ.update(environment, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    os.chdir(project)
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(project.with_name("bytecode"))
    with open("output", "wb") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    recorder = _Recorder()
    code: Any = pytest.main([*_OPTIONS, *arguments], plugins=[recorder])
    package = sys.modules.get("persistry")
    if package is None or not Path(str(package.__file__)).is_relative_to(project):
        code = f"{package}, which is not the project's own"
    to.send((code, recorder.outcomes))


_OPTIONS = ["-q", "-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
_OPTIONS += ["--basetemp", "tmp", "--timeout", "30"]
# What failed is read from its exception; showing it in its source takes a quarter of a run.
_OPTIONS += ["--tb", "no"]
