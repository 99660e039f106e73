"""The pytest plugin behind the test matrix: every case on every persister it applies to.

A case is a test function that takes the fixture `store`, in a module that says `COLOUR = "sync"`
or `COLOUR = "async"`. It runs once for each column of its colour. The environment supplies the
fixture `make_store` (a function: `Column` -> context manager of a `Store`) and may answer the
hooks of `Hooks`. `python -m persistry.conformance` does all that for one persister. To do it in a
test suite of one's own, in a `conftest.py`:

    pytest_plugins = ["persistry.conformance.support.plugin"]

    def pytest_persistry_columns(config):
        return [Column("MyPersister", "sync", "mine", frozenset({"durable"}))]

    @pytest.fixture
    def make_store(tmp_path):
        return lambda column: MyStore(column, tmp_path)

and then `pytest --pyargs persistry.conformance`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

# The helpers beside this module use plain `assert`; pytest explains those it has rewritten, and
# that must be asked for before they are imported.
pytest.register_assert_rewrite(
    *(
        name
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if (name := f"{__package__}.{module.name}") not in sys.modules
    )
)

from .column import Column, Store  # noqa: E402
from .matrix import Case, Matrix  # noqa: E402

_matrix = pytest.StashKey[Matrix]()
_without_store = pytest.StashKey[bool]()


class Dispensable(str):
    """What is missing, where a run need not fail for it."""


class Hooks:
    """What the environment may answer, in a `conftest.py` or a plugin."""

    @staticmethod
    @pytest.hookspec(firstresult=True)
    def pytest_persistry_columns(config: pytest.Config) -> Iterable[Column] | None:
        """The columns of the matrix; without an answer, those that were generated."""

    @staticmethod
    @pytest.hookspec(firstresult=True)
    def pytest_persistry_prepare(config: pytest.Config, column: Column) -> str | None:
        """Start what this column needs; asked once for each column, before the first test.

        The answer is None, or one line that says what is missing and how to install it. If it is
        a `Dispensable` line, the run goes on without the column, and ends with that line.
        """


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("persistry", "persister matrix")
    group.addoption(
        "--column",
        action="append",
        default=[],
        metavar="NAME",
        help="run the matrix for this persister class only (may be repeated)",
    )
    group.addoption(
        "--skip-missing",
        action="store_true",
        help="skip the columns whose server cannot be had, instead of failing at once",
    )


def pytest_configure(config: pytest.Config) -> None:
    for marker in (
        "needs(*traits): the case is for persisters with all of these traits",
        "promise(*points): the points of the promise that the case checks",
    ):
        config.addinivalue_line("markers", marker)
    config.pluginmanager.register(_Results(config), "persistry-results")


@pytest.hookimpl(trylast=True)
def pytest_persistry_columns(config: pytest.Config) -> Iterable[Column]:
    columns: tuple[Column, ...] = importlib.import_module("..columns", __package__).COLUMNS
    return columns


def matrix_of(config: pytest.Config) -> Matrix:
    """The run's matrix, made when it is asked for first."""
    if _matrix not in config.stash:
        columns = {c.name: c for c in config.hook.pytest_persistry_columns(config=config)}
        chosen: list[str] = config.getoption("column") or list(columns)
        unknown = [name for name in chosen if name not in columns]
        if unknown:
            raise pytest.UsageError(
                f"--column: no persister is called {', '.join(unknown)};"
                f" there are {', '.join(columns)}"
            )
        config.stash[_matrix] = Matrix({n: c for n, c in columns.items() if n in chosen})
    return config.stash[_matrix]


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    if session.config.getoption("column"):
        matrix_of(session.config)  # a wrong name is found here, before anything is collected


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    colour = getattr(metafunc.module, "COLOUR", None)
    if colour is None or "store" not in metafunc.fixturenames:
        return
    matrix = matrix_of(metafunc.config)
    name = metafunc.function.__name__.removeprefix("test_")
    needs = frozenset(_marked(metafunc.definition, "needs"))
    doc = inspect.getdoc(metafunc.function) or ""
    points = tuple(sorted(_marked(metafunc.definition, "promise")))
    matrix.cases[colour][name] = Case(name, " ".join(doc.split()), points, needs)
    parameters = []
    for column in matrix.columns.values():
        if column.colour == colour and needs <= column.traits:
            matrix.applying[column.name].add(name)
            reason = column.gaps.get(name)
            marks = [] if reason is None else [pytest.mark.xfail(strict=True, reason=reason)]
            parameters.append(pytest.param(column, id=column.name, marks=marks))
    # pytest would show a case that no column has as skipped; `None` marks it for removal.
    parameters = parameters or [pytest.param(None, id="no-column")]
    metafunc.parametrize("store", parameters, indirect=True)


def _marked(item: pytest.Item, marker: str) -> list[Any]:
    """What stands in the markers of this name."""
    return [argument for mark in item.iter_markers(marker) for argument in mark.args]


@pytest.fixture
def store(
    request: pytest.FixtureRequest,
    make_store: Callable[[Column], AbstractContextManager[Store]],
) -> Iterator[Store]:
    """Fresh, empty storage for the persister class that this test runs for."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(make_store(request.param))
        except Exception:
            request.node.stash[_without_store] = True
            raise
        yield made


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "setup" and _without_store in item.stash and hasattr(report, "wasxfail"):
        # A declared gap excuses the persister, not a place to test it that cannot be had.
        del report.wasxfail
        report.outcome = "failed"
    return report


def parameters_of(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, Any]]:
    """The tests of the matrix, each with what `pytest_generate_tests` gave it for `store`."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        in_matrix = hasattr(getattr(item, "module", None), "COLOUR")
        if in_matrix and callspec and "store" in callspec.params:
            yield item, callspec.params["store"]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _matrix not in config.stash:
        return
    matrix = config.stash[_matrix]
    collected = {item.path for item in items}
    unwanted = set()
    for item, column in parameters_of(items):
        if column is None:
            unwanted.add(item)
        else:
            matrix.tests[item.nodeid] = (column.name, _marked(item, "promise"))
    items[:] = [item for item in items if item not in unwanted]
    _refuse(config, _wrong_gaps(matrix, collected))


def _refuse(config: pytest.Config, faults: list[str]) -> None:
    """End the run before its first test, if there are faults, with a line for each."""
    if hasattr(config, "workerinput"):  # pytest-xdist: a worker must not end; the run fails later
        config.stash[_matrix].faults += faults
    elif faults:
        raise pytest.UsageError(*faults)


def _wrong_gaps(matrix: Matrix, collected: set[Path]) -> list[str]:
    """Declared gaps that no case answers to, one line each."""
    # When only some test files were asked for, the names of their neighbours' cases count too.
    near = {path for folder in {p.parent for p in collected} for path in folder.glob("test_*.py")}
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(near - collected))
    elsewhere = set(re.findall(r"^(?:async )?def test_(\w+)\(", text, re.MULTILINE))
    wrong = []
    for column in matrix.columns.values():
        if column.colour in matrix.cases:
            for case in sorted(column.gaps.keys() - matrix.applying[column.name] - elsewhere):
                known = case in matrix.cases[column.colour]
                why = "does not apply to it" if known else "does not exist"
                wrong.append(f"{column.name} declares a gap for the case {case}, which {why}")
    return wrong


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make ready what the chosen tests run on, before the first of them."""
    config = session.config
    if _matrix not in config.stash or config.getoption("collectonly"):
        return
    matrix = config.stash[_matrix]
    reasons: dict[str, str | None] = {}
    for item, column in parameters_of(session.items):
        if column.name not in reasons:
            reason = config.hook.pytest_persistry_prepare(config=config, column=column)
            reasons[column.name] = reason
            if reason is not None:
                matrix.missing[str(reason)].append(column.name)
        if reason := reasons[column.name]:
            item.add_marker(pytest.mark.skip(reason=reason))
    if not config.getoption("skip_missing"):
        needed = [it for it in reasons.values() if it and not isinstance(it, Dispensable)]
        _refuse(config, list(dict.fromkeys(needed)))


class _Results:
    """Notes what became of each test, and ends the run with the table."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Not `matrix_of`: with pytest-xdist, reports come to a process that collects nothing.
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
        elif hasattr(report, "wasxfail"):
            self.outcomes[report.nodeid] = "gaps"
        elif report.passed and report.when == "call":
            self.outcomes[report.nodeid] = "passed"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if _matrix not in self.config.stash:
            return
        matrix = self.config.stash[_matrix]
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["persistry"] = matrix.dump()
        elif matrix.faults:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        dumped = getattr(node, "workeroutput", {}).get("persistry")
        if dumped is not None:
            matrix_of(self.config).merge(dumped)

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int
    ) -> None:
        # A run that could not begin says why in one line, and that is all.
        if exitstatus == pytest.ExitCode.USAGE_ERROR or self.config.getoption("collectonly"):
            return
        if _matrix in self.config.stash and self.config.stash[_matrix].tests:
            terminalreporter.section("persister matrix")
            for line in self.config.stash[_matrix].summary(self.outcomes):
                terminalreporter.line(line)
