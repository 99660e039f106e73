"""Runs the cases on one persister, by pytest, apart from any project that it is called in."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from .factory import TRAITS, CannotRun, Factory
from .failing import explained
from .results import Check, Result, Run
from .storage import storage
from .support.column import Column, Store
from .support.matrix import Case, Matrix

HERE = Path(__file__).parent
Choose = Callable[[list[Case]], list[Case]]
# Nothing of the project around it: no configuration, no conftest.py, no plugins, no cache.
ARGUMENTS = [
    *("-c", os.devnull, f"--rootdir={HERE}", "--noconftest", "--disable-plugin-autoload"),
    *("-p", "no:cacheprovider", "-p", "no:warnings", "--import-mode=importlib", "--color=no"),
    *("-p", "pytest_asyncio.plugin", "-p", f"{__package__}.support.plugin", "--tb=short"),
    *("-o", "asyncio_default_fixture_loop_scope=function"),
]


def known(texts: Sequence[str] = ()) -> list[Case]:
    """The cases there are, of either colour, by point and name; see `_places`."""
    listing = _Listing()
    _pytest(["--collect-only"], listing, "test_*.py", _places([HERE], "test_*.py", texts))
    found = {case.name: case for colour in listing.cases.values() for case in colour.values()}
    return sorted(found.values(), key=lambda it: (it.points, it.name))


def look(factory: Factory, traits: Iterable[str] | None, limit: float) -> Column:
    """What the matrix has to know of a factory's persister."""
    try:
        with limited(limit):
            return factory.column(traits)
    except pytest.fail.Exception as late:
        raise CannotRun(f"{factory.name} {late}") from late


def hold(
    factory: Factory,
    column: Column,
    choose: Choose,
    limit: float,
    told: Callable[[Run], None],
    texts: Sequence[str] = (),
) -> Run:
    """Hold a persister to the chosen cases; `told` is called before each test.

    With `texts`, none is chosen but those with one of them in their names.
    """
    run = Run(column)
    started = time.monotonic()
    holding = _Holding(factory, run, choose, limit, told)
    folders = [HERE] if factory.cases is None else [HERE, factory.cases]
    files = f"test_*_{column.colour}.py"
    code = _pytest([], holding, files, _places(folders, files, texts))
    if holding.refused is not None:
        raise holding.refused
    run.seconds = time.monotonic() - started
    run.stopped = code == pytest.ExitCode.INTERRUPTED
    for result in run.results.values():
        result.settle()
    return run


def _places(folders: list[Path], files: str, texts: Sequence[str]) -> list[Path]:
    """The modules that have a case with one of these texts in its name: no others are imported.

    All of the folders if there is no text, or one that no case has.
    """
    places, found = [], set()
    for path in (path for folder in folders for path in sorted(folder.glob(files))):
        names = _NAME.findall(path.read_text("utf-8"))
        here = {text for text in texts if any(text in name for name in names)}
        places += [path] if here else []
        found |= here
    return places if texts and found.issuperset(texts) else folders


_NAME = re.compile(r"^(?:async )?def test_(\w+)\(", re.MULTILINE)


def _pytest(arguments: list[str], plugin: object, files: str, places: Sequence[Path]) -> int:
    for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
        os.environ.pop(name, None)
    if sys.pycache_prefix is None:
        sys.dont_write_bytecode = True  # nothing is written into the package
    given = [*ARGUMENTS, f"-opython_files={files}", *arguments, *map(str, places)]
    # What pytest itself says of the run is not wanted, except that it could not begin.
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = pytest.main(given, plugins=[plugin])
    if code == pytest.ExitCode.USAGE_ERROR:
        raise CannotRun(" ".join(said.getvalue().replace("ERROR: ", "").split()))
    sys.stderr.write(said.getvalue())
    return code


def _matrix_of(config: pytest.Config) -> Matrix:
    # Imported by pytest first: it explains the assertions only of what it has loaded itself.
    from .support.plugin import matrix_of

    return matrix_of(config)


class _Listing:
    """A pytest plugin that notes which cases there are."""

    cases: dict[str, dict[str, Case]]

    def pytest_persistry_columns(self) -> list[Column]:
        return []

    def pytest_collection_modifyitems(self, config: pytest.Config) -> None:
        self.cases = _matrix_of(config).cases


class _Holding:
    """A pytest plugin that supplies the persister and notes what becomes of the cases."""

    def __init__(
        self,
        factory: Factory,
        run: Run,
        choose: Choose,
        limit: float,
        told: Callable[[Run], None],
    ) -> None:
        self.refused: CannotRun | None = None
        self.factory = factory
        self.run = run
        self.choose = choose
        self.limit = limit
        self.told = told

    def pytest_persistry_columns(self) -> list[Column]:
        return [self.run.column]

    @pytest.fixture
    def make_store(self) -> Callable[[Column], AbstractContextManager[Store]]:
        return partial(storage, self.factory)

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        # A gap that a generated class declares may be of a case that this factory cannot show.
        needs = {it for mark in metafunc.definition.iter_markers("needs") for it in mark.args}
        if not self.factory.declares_gaps and not needs <= self.run.column.traits:
            name = metafunc.function.__name__.removeprefix("test_")
            self.run.column.gaps.pop(name, None)  # type: ignore[attr-defined]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        matrix, column = _matrix_of(config), self.run.column
        try:
            chosen = self.choose(list(matrix.cases[column.colour].values()))
        except CannotRun as refused:
            self.refused, chosen = refused, []
        for case in chosen:
            absent = [it for it in TRAITS if it in case.needs - column.traits]
            lacking = [f"{TRAITS[it]} (trait {it})" for it in absent]
            why = f"needs {' and '.join(lacking)}" if lacking else column.gaps.get(case.name, "")
            self.run.results[case.name] = Result(case, reason=why)
        kept = []
        for item in (item for item in items if item.nodeid in matrix.tests):
            name = item.function.__name__.removeprefix("test_")  # type: ignore[attr-defined]
            if name in self.run.results:
                given = item.callspec.id  # type: ignore[attr-defined]
                variant = given.removeprefix(column.name).removesuffix(column.name).strip("-")
                self.run.results[name].checks[item.nodeid] = Check(variant)
                kept.append(item)
        items[:] = kept

    def _check(self, item: pytest.Item) -> Check:
        name = item.function.__name__.removeprefix("test_")  # type: ignore[attr-defined]
        return self.run.results[name].checks[item.nodeid]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        # A finalizer that explains an error parses Python, and so does who explains a failed case;
        # the one amid the other is a SystemError in CPython.
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            report = yield
        finally:
            if was_enabled:
                gc.enable()
        check = self._check(item)
        check.seconds += call.duration
        if hasattr(report, "wasxfail"):
            check.outcome = "gap"
        elif report.skipped:
            check.reason = str(getattr(call.excinfo, "value", "")).removeprefix("Skipped: ")
        elif report.failed and call.excinfo is None:  # strict xfail
            check.outcome, check.kept = "passed", True
        elif report.failed and check.outcome != "failed" and call.excinfo is not None:
            check.outcome = "failed"
            check.failure = explained(call.excinfo, report.longreprtext)
        elif report.passed and report.when == "call":
            check.outcome = "passed"
        return report

    def pytest_runtest_logstart(self) -> None:
        self.told(self.run)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, None, None]:
        with limited(self.limit):
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        with limited(self.limit):
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        with limited(self.limit):
            yield

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        # What is cleared away after the last case, or after Ctrl-C, may hang as well.
        with contextlib.suppress(pytest.fail.Exception), limited(min(self.limit, 5.0)):
            yield

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.run.broken = report.longreprtext

    def pytest_internalerror(self, excrepr: object) -> None:
        self.run.broken = str(excrepr)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """The block fails if it takes longer, wherever its main thread waits."""
    late = threading.Event()

    def fail(*_: object) -> None:
        late.set()
        pytest.fail(f"did not answer within {seconds:g} s", pytrace=False)

    if not hasattr(signal, "setitimer"):  # no such alarm on Windows
        yield
        return
    before = signal.signal(signal.SIGALRM, fail)
    # Again and again: the error may meet code that swallows it.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    done = threading.Event()
    threading.Thread(target=_cut_late, args=(seconds + 1.0, done), daemon=True).start()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        done.set()
        if late.is_set():  # what swallowed the error has gone on with the case
            fail()


def _cut_late(seconds: float, done: threading.Event) -> None:
    """Cut all connections, again and again, unless it is done in time.

    A driver that waits for its server in C code does not let the alarm through before it returns.
    """
    while not done.wait(seconds):
        for number in map(int, os.listdir("/dev/fd")):
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(number).st_mode):
                    _cut(number)
        seconds = 1.0


def _cut(number: int) -> None:
    """End a connection, but none of the pairs by which a process wakes itself."""
    with socket.socket(fileno=os.dup(number)) as connection:
        if connection.getpeername():
            connection.shutdown(socket.SHUT_RDWR)


def hangs() -> bool:
    """Whether a thread that some case left behind would keep this process from ending."""
    me = threading.current_thread()
    return any(not it.daemon for it in threading.enumerate() if it is not me)
