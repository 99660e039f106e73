"""Generations of the tables, on every SQL store: a newer version of persistry, an older one."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from persistry import Migration
from persistry.__main__ import BACKENDS
from persistry._runtime.formats import Change, Format
from persistry._runtime.steps import Step
from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column, Store
from persistry.errors import NotInitializedError, StoreVersionError
from tests.bad_input import Calls, Run, runner, works

run = pytest.fixture(runner)
OPERATIONS: dict[str, Callable[[Calls], Any]] = {
    "save": lambda persister: persister.put("app", 1, n=1),
    "load": lambda persister: persister.load("p", "app"),
    "list_app_ids": lambda persister: persister.list_app_ids("p"),
    "list_partition_keys": lambda persister: persister.list_partition_keys(),
    "initialize": lambda persister: persister.initialize(),
    "is_initialized": lambda persister: persister.is_initialized(),
    "pending_migrations": lambda persister: persister.pending_migrations(),
}
TABLES = [it for it in COLUMNS if it.backend in BACKENDS]


class Table:
    """Persisters of one class on one table, of this version and of the next one."""

    def __init__(self, store: Store, run: Run, patch: pytest.MonkeyPatch) -> None:
        self.run = run
        self.patch = patch
        self.store = store
        self.made: list[Calls] = []
        self.module = sys.modules[type(self.open().persister).__module__]
        self.form: Format = self.module.FORMAT

    def open(self) -> Calls:
        self.made.append(Calls(self.run(self.store.open()), self.run))
        return self.made[-1]

    def later(self) -> None:
        """From now on this is the next version, which has one more column."""
        step = Step("ALTER TABLE {table} ADD COLUMN later INTEGER")
        change = Change(self.form.generation + 1, "Adds a column.", (step,))
        newer = self.form._replace(
            generation=change.to,
            changes=(*self.form.changes, change),
            record=tuple(Step(*map(self._raised, it[:2])) for it in self.form.record),
        )
        self.patch.setattr(self.module, "FORMAT", newer)

    def earlier(self) -> None:
        """And from now on this version once more."""
        self.patch.setattr(self.module, "FORMAT", self.form)

    def _raised(self, text: str) -> str:
        there, then = self.form.generation, self.form.generation + 1
        for words in ("generation {}", "generation_{}", "SELECT {} AS"):
            text = text.replace(words.format(there), words.format(then))
        return text


@pytest.fixture(params=TABLES, ids=lambda column: column.name)
def table(
    request: pytest.FixtureRequest,
    make_store: Callable[[Column], AbstractContextManager[Store]],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Table]:
    with make_store(request.param) as store:
        table = Table(store, run, monkeypatch)
        yield table
        for persister in table.made:
            persister.cleanup()


def test_a_newer_generation_is_refused_by_everything(table: Table) -> None:
    table.later()
    newer = table.open()
    newer.initialize()
    newer.put("app", 0, n=0)
    table.earlier()
    before = newer.load("p", None)
    for name, operation in OPERATIONS.items():
        older = table.open()
        for _ in range(2):
            with pytest.raises(
                StoreVersionError, match=rf"^{name}\b.*generation 2.*knows 1"
            ) as told:
                operation(older)
            assert "upgrade persistry" in str(told.value)
    assert newer.load("p", None) == before
    assert newer.list_app_ids("p") == ["app"]


def test_an_older_generation_is_migrated(table: Table) -> None:
    first = table.open()
    first.initialize()
    first.put("app", 0, n=0)
    before = first.load("p", "app")
    table.later()
    newer = table.open()
    assert newer.is_initialized() is False
    for name in ("save", "load", "list_app_ids", "list_partition_keys"):
        with pytest.raises(NotInitializedError, match=rf"^{name}\b.*initialize\(\)"):
            OPERATIONS[name](newer)
    (pending,) = newer.pending_migrations()
    assert isinstance(pending, Migration)
    assert (pending.generation, pending.doc) == (2, "Adds a column.")
    assert pending.statements[0].endswith("ADD COLUMN later INTEGER")
    newer.initialize()
    assert newer.is_initialized() is True
    assert newer.pending_migrations() == []
    assert newer.load("p", "app") == before
    newer.initialize()
    works(newer)


def test_what_nobody_made_has_nothing_pending(table: Table) -> None:
    persister = table.open()
    adopted = table.store.column.layout == "adopted"
    assert len(persister.pending_migrations()) == (1 if adopted else 0)
    persister.initialize()
    assert persister.pending_migrations() == []


def test_a_failure_is_not_remembered_and_the_rest_is(table: Table, run: Run) -> None:
    """The table is looked at once by a persister and its copies; a pickle knows nothing of it."""
    persister = table.open()
    with pytest.raises(NotInitializedError):
        persister.put("app", 0, n=0)
    table.open().initialize()
    persister.put("app", 0, n=0)
    copied = Calls(persister.copy(), run)
    table.made.append(copied)
    pickled = Calls(pickle.loads(pickle.dumps(persister.persister)), run)
    table.made.append(pickled)
    table.later()
    table.open().initialize()
    table.earlier()
    works(persister)
    works(copied)
    with pytest.raises(StoreVersionError):
        pickled.load("p", "app")


def test_a_newer_version_that_comes_first(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the transaction: what is seen in there counts."""
    older, checked = table.open(), []

    def late(self: Format, operation: str, key: object, found: Any, place: str) -> None:
        if not checked:
            checked.append(found)
            return
        before(self, operation, key, found._replace(generation=2), place)

    before = Format.check_ours
    monkeypatch.setattr(Format, "check_ours", late)
    with pytest.raises(StoreVersionError, match="upgrade persistry"):
        older.initialize()
    monkeypatch.setattr(Format, "check_ours", before)
    assert older.is_initialized() is False  # It was rolled back.
    older.initialize()
    works(older)
