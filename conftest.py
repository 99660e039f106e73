"""Loads the plugins of the test suite: the matrix, and what it runs on."""

import gc
import os
import sys
import tempfile

import pytest

if sys.dont_write_bytecode:
    # No bytecode beside the sources; without any, some hundred processes would each compile all
    # that they import. So it is kept elsewhere while the run lasts.
    _bytecode = tempfile.TemporaryDirectory(prefix="persistry-bytecode-")
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = _bytecode.name
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest.register_assert_rewrite("persistry.conformance.support", "tests")

from tests.servers.memory import keep_temporary_files  # noqa: E402

keep_temporary_files()

pytest_plugins = [
    "persistry.conformance.support.plugin",
    "tests.stores",
    "tests.mutants.rows",
]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two processes for each core: about half of the time is waiting for servers."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    # Ten thousand tests are a million objects that stay: looking through them again and again
    # would take a fifth of the time.
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The modules of the tests that may take minutes come first: at the end of the run, all other
    # processes would wait for one of them.
    long = {it.path for it in items if it.get_closest_marker("timeout")}
    items.sort(key=lambda it: it.path not in long)
