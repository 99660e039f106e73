"""Where the matrix runs in this repository: storage of its own for each test, on real servers.

A pytest plugin. A server is started once for the run, by the first column that needs it; one whose
URL is given is used instead (docs/testing.md). What the tests stored there is removed in the end,
known by the run's name in its own; nothing else on that server is touched.
"""

from __future__ import annotations

import inspect
import os
import pkgutil
import secrets
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column, Store
from persistry.conformance.support.plugin import Dispensable
from tests.servers import ServerFailed, ServerMissing

from .served import AnyPlace, Place, ServedStore, missing
from .storage import FileStorage, Storage

TESTS = Path(__file__).parents[1]

# The store of each column: what the modules beside this one have in their STORES.
STORES: dict[str, type[Storage]] = {}
# The kind of place of each module whose stores are on a server.
PLACES: dict[str, type[Place]] = {}
for _module in pkgutil.iter_modules(__path__):
    _stores = getattr(import_module(f"{__name__}.{_module.name}"), "STORES", {})
    STORES |= _stores
    for _store in _stores.values():
        if issubclass(_store, ServedStore):
            PLACES[_module.name] = _store.place_type


def _faults() -> list[str]:
    """A line for each column without a store, and for each store without a column."""
    columns = {it.name: it.backend for it in COLUMNS}
    return [
        *(
            f"{name} has no store to be tested on: tests/stores/{columns[name]}.py is to say"
            f' STORES = {{"{name}": ...}}'
            for name in columns.keys() - STORES.keys()
        ),
        *(
            f"{STORES[name].__module__} has a store for {name!r}, which no column is called; there"
            f" are {', '.join(columns)}"
            for name in STORES.keys() - columns.keys()
        ),
    ]


def served_by(column: Column) -> type[Place] | None:
    """The kind of place of a column that needs a server."""
    kind = STORES[column.name]
    return kind.place_type if issubclass(kind, ServedStore) else None


class Services:
    """The servers of one run."""

    def __init__(self) -> None:
        self.running = ExitStack()
        self.name = f"persistry_test_{secrets.token_hex(4)}"
        self.places: dict[type[Place], Place] = {}
        # Column -> the names of what tests have left empty.
        self.spares: defaultdict[str, list[str]] = defaultdict(list)

    def place(self, kind: type[AnyPlace]) -> AnyPlace:
        """The server that was given or has been started; else it is started now."""
        if kind not in self.places:
            self.places[kind] = self._found(kind)
        return self.places[kind]  # type: ignore[return-value]

    def _found(self, kind: type[Place]) -> Place:
        url = os.environ.get(kind.variable)
        if url:
            place = kind(url)
            if problem := place.problem():
                raise ServerFailed(f"the server of {kind.variable}: {problem}")
            self.running.callback(place.close)
            self.running.callback(place.remove, self.name)
        else:
            place = kind.on(self.running.enter_context(kind.server()))
            self.running.callback(place.close)
        return place


_services = pytest.StashKey[Services]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_services] = Services()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[_services].running.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    if faults := _faults():
        raise pytest.UsageError(*sorted(faults))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--column`, the matrix and nothing else is run."""
    return True if config.getoption("column") and TESTS in collection_path.parents else None


def pytest_persistry_prepare(config: pytest.Config, column: Column) -> str | None:
    try:
        if place := served_by(column):
            config.stash[_services].place(place)
    except ServerMissing as error:
        return Dispensable(error) if error.dispensable else str(error)
    except ServerFailed as error:  # it is there, so it is no reason to skip anything
        raise pytest.UsageError(str(error)) from error
    return None


# Cases in these modules wait for each operation before they begin another.
ORDERLY = {it.stem for it in (TESTS.parent / "spec" / "conformance").glob("*.yaml")}
ORDERLY |= {"argument_limits", "refused_keys", "refused_states"}


def _is_orderly(request: pytest.FixtureRequest) -> bool:
    """Whether a case only calls the operations of one persister, which is initialised.

    Such a case cannot tell an emptied table from a new one, nor leave anything but records.
    """
    theme = request.path.stem.removeprefix("test_").rpartition("_")[0]
    asked = inspect.signature(request.function).parameters.keys()
    calls_only = "persister" in asked and not asked & {"store", "keep", "fresh"}
    return theme in ORDERLY and calls_only and request.node.get_closest_marker("xfail") is None


@pytest.fixture
def make_store(request: pytest.FixtureRequest) -> Callable[[Column], AbstractContextManager[Store]]:
    """Empty storage for a column: a context manager."""
    services = request.config.stash[_services]
    skip = request.config.getoption("skip_missing")

    def make(column: Column) -> Any:
        kind = STORES[column.name]
        if issubclass(kind, ServedStore):
            store = kind(column, services.place(kind.place_type), services.name, skip)
            if kind.can_be_emptied and _is_orderly(request):
                session, failed = request.session, request.session.testsfailed
                store.reuse(services.spares[column.name], lambda: session.testsfailed == failed)
            return store
        if issubclass(kind, FileStorage):
            return kind(column, Path(tempfile.mkdtemp(dir=request.getfixturevalue("tmp_path"))))
        return kind(column)

    return make


@pytest.fixture(scope="session")
def at_hand() -> list[Column]:
    """The columns, but for those whose server is not here and need not be."""
    places = {it: served_by(it) for it in COLUMNS}
    return [it for it, place in places.items() if place is None or not place.is_lacking()]


def _place(request: pytest.FixtureRequest, kind: type[AnyPlace]) -> AnyPlace:
    try:
        return request.config.stash[_services].place(kind)
    except ServerMissing as error:
        return missing(error, skip=request.config.getoption("skip_missing"))


def _fixture(kind: type[Place]) -> Any:
    @pytest.fixture(scope="session")
    def place(request: pytest.FixtureRequest) -> Place:
        return _place(request, kind)

    return place


# The run's servers, for tests of their own beside the matrix: `mariadb_place` and its like.
for _name, _kind in PLACES.items():
    globals()[f"{_name}_place"] = _fixture(_kind)
