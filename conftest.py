"""Loads the plugins of the test suite: the matrix, and what it runs on."""

import gc
import logging
import os
import site
import sys
import sysconfig
import tempfile
from collections.abc import Generator

import hypothesis
import pytest

# The same examples in every run, and no clock that a busy machine could fail a test by. Others are
# tried with `--hypothesis-profile=default`.
hypothesis.settings.load_profile("ci")


def _tells_more(record: logging.LogRecord) -> bool:
    """asyncpg leaves a future behind where a connection is cut that a cancelled task used, and
    asyncio says so on the terminal whenever that is collected: some hundred lines in a run."""
    error = record.exc_info and record.exc_info[1]
    return not (isinstance(error, ConnectionError) and "unexpected connection_lost" in str(error))


logging.getLogger("asyncio").addFilter(_tells_more)


def _link_bytecode(prefix: str) -> None:
    """What is installed brings its bytecode along, which is looked for below `prefix` only."""
    places = {os.path.realpath(sysconfig.get_path("stdlib")), *site.getsitepackages()}
    for place in places:
        for folder, names, files in os.walk(place):
            if os.path.basename(folder) == "__pycache__":
                there = prefix + os.path.dirname(folder)
                os.makedirs(there, exist_ok=True)
                for name in files:
                    if name.endswith(f".{sys.implementation.cache_tag}.pyc"):
                        os.symlink(os.path.join(folder, name), os.path.join(there, name))
            elif folder == place:
                names[:] = [it for it in names if it != "site-packages"]


pytest.register_assert_rewrite("persistry.conformance.support", "tests")

from tests.servers.memory import keep_temporary_files  # noqa: E402

keep_temporary_files()

if sys.dont_write_bytecode:
    # No bytecode beside the sources; without any, some hundred processes would each compile all
    # that they import. So it is kept elsewhere while the run lasts.
    _bytecode = tempfile.TemporaryDirectory(prefix="persistry-bytecode-")
    _link_bytecode(_bytecode.name)
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = _bytecode.name
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = [
    "persistry.conformance.support.plugin",
    "tests.stores",
    "tests.mutants.rows",
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes for each core, as half of the time is waiting for servers; and one more, for
    those that wait ten seconds for a server that is gone."""
    return 2 * (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # Ten thousand tests are a million objects that stay. To look through them again and again would
    # take a fifth of the time.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Each process begins with other modules, so that it finds those of the others compiled."""
    report = yield
    worker, count = (os.environ.get(f"PYTEST_XDIST_WORKER{it}", "") for it in ("", "_COUNT"))
    if worker and isinstance(collector, pytest.Directory):
        first = len(report.result) * int(worker.removeprefix("gw")) // int(count)
        report.result = [*report.result[first:], *report.result[:first]]
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The modules of the tests that may take minutes come first: at the end of the run, all other
    # processes would wait for one of them.
    long = {it.path for it in items if it.get_closest_marker("timeout")}
    items.sort(key=lambda it: (it.path not in long, it.path))
