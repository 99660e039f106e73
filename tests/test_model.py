"""Any program does the same on every store, in both colours: what a plain model says it must do.

Hypothesis makes up programs of all operations, runs each on every persister and on the model, and
shows the shortest one whose answers differ.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from persistry import State
from persistry.conformance.support import expect
from persistry.conformance.support.column import Column, Store
from tests import model

MakeStore = Callable[[Column], AbstractContextManager[Store]]
CREATED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")


class Noting(State):
    """A state that notes what its serialize() is given."""

    noted: list[dict[str, Any]] = []  # noqa: RUF012 - of all columns together

    def serialize(self, **serde_kwargs: Any) -> dict[str, Any]:
        self.noted.append(serde_kwargs)
        return super().serialize(**serde_kwargs)


class Group:
    """One persister of every column, all in the same situation, and the models of the same."""

    def __init__(self, columns: dict[str, Any], models: dict[bool, model.Persister]) -> None:
        self.columns = columns
        self.models = models


class Stores:
    """Fresh storage for every column, and calls on all of them at once.

    Once a column has failed it is the only one: so a program is shortened much faster.
    """

    def __init__(
        self, make_store: MakeStore, runner: asyncio.Runner, columns: list[Column]
    ) -> None:
        self.stack = ExitStack()
        self.runner = runner
        self.shared = columns
        self.columns = list(columns)
        self.stores = {it: self.stack.enter_context(make_store(it)) for it in self.columns}
        self.storages = {must: model.Storage(must) for must in (True, False)}
        self.created_at: dict[tuple[str, model.Key], str] = {}
        self.groups: list[Group] = []
        self.failed = False

    def close(self) -> None:
        with self.stack:
            for group in self.groups:
                self.all({name: it.cleanup for name, it in group.columns.items()})

    def all(self, calls: dict[str, Callable[[], Any]]) -> dict[str, Any]:
        """What each column's call returns, or the exception that it raises."""

        async def awaited(call: Callable[[], Any]) -> Any:
            try:
                result = call()
                return await result if inspect.isawaitable(result) else result
            except Exception as error:
                return error

        async def together() -> dict[str, Any]:
            results = await asyncio.gather(*map(awaited, calls.values()))
            return dict(zip(calls, results, strict=True))

        return self.runner.run(together())

    def add(self, opening: dict[str, Callable[[], Any]], models: dict[bool, Any]) -> None:
        """One more group, if it can be had."""
        columns = self.all(opening)
        for column in self.columns:
            self.check(column, columns[column.name], models[must_initialize(column)])
        if not any(isinstance(it, Exception) for it in columns.values()):
            self.groups.append(Group(columns, models))

    def open(self) -> None:
        models = {must: model.Persister(storage) for must, storage in self.storages.items()}
        self.add({column.name: store.open for column, store in self.stores.items()}, models)

    def copy(self, group: Group) -> None:
        models = {must: attempt(it.copy) for must, it in group.models.items()}
        self.add({name: it.copy for name, it in group.columns.items()}, models)

    def do(self, group: Group, operation: str, *arguments: Any, **named: Any) -> None:
        """The same operation on every column; each answer must be the model's."""
        Noting.noted.clear()
        given = [
            Noting(it) if isinstance(it, dict) and operation == "save" else it for it in arguments
        ]
        answers = self.all(
            {
                name: lambda it=it: getattr(it, operation)(*given, **named)
                for name, it in group.columns.items()
            }
        )
        expected = {
            must: attempt(lambda it=it: getattr(it, operation)(*arguments, **named))
            for must, it in group.models.items()
        }
        for column in self.columns:
            self.check(column, answers[column.name], expected[must_initialize(column)])
        assert all(it == group.models[True].serde_kwargs for it in Noting.noted)

    def check(self, column: Column, answer: Any, expected: Any) -> None:
        try:
            self.compare(column, answer, expected)
        except AssertionError:
            self.shared[:] = [column]
            self.failed = True
            raise

    def compare(self, column: Column, answer: Any, expected: Any) -> None:
        name = column.name
        if isinstance(expected, Exception) or isinstance(answer, Exception):
            kinds = type(answer), type(expected)
            told = f"{name}: {answer!a}, but the model says {expected!a}"
            if isinstance(answer, Exception) and kinds[0] is not kinds[1]:
                raise AssertionError(told) from answer
            assert kinds[0] is kinds[1], told
        elif isinstance(expected, dict):
            expect.record(answer, **expected)
            parts = ("partition_key", "app_id", "sequence_id", "position")
            key = (name, tuple(expected[part] for part in parts))
            assert CREATED_AT.fullmatch(answer["created_at"]), f"{name}: {answer['created_at']}"
            first = self.created_at.setdefault(key, answer["created_at"])
            assert answer["created_at"] == first, f"{name}: the time of {key} has changed"
        elif isinstance(expected, model.Persister):
            pass
        elif expected is None and isinstance(answer, bool):
            pass  # whether a store is prepared that needs no preparing
        else:
            expect.returns(answer, expected, name)


def attempt(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:
        return error


def must_initialize(column: Column) -> bool:
    return "initialize" in column.traits


# What programs are made of. Few names, so that they meet; awkward ones, so that it matters.

partitions = st.sampled_from([None, "", "p", "P", "p:a", "%", "*", "None", "{p}"])
apps = st.sampled_from(
    ["a", "a", "b", "", "A", "a:0", "%3A", "_", "'\"", "\u00e9", "e\u0301", "a "]
)
sequences = st.sampled_from([0, 1, 2, 9, 10, 2**31, 2**53, 2**53 + 1, 2**63 - 1])
positions = st.sampled_from(["x", "y", "X", "", "x:y"])
statuses = st.sampled_from(["completed", "failed", "", "Completed"])
never_stored = st.sampled_from(["\0", "a\0b", "\ud800", "x" * 513, "\u00e9" * 257])
no_text = st.sampled_from([1, b"p", ["p"], {"$ne": None}, True])
no_sequence = st.sampled_from([-1, 2**63, True, 1.0, "1"])
limits = st.sampled_from([None, None, 0, 1, 2, 3, 100, 2**70])
no_limit = st.sampled_from([-1, True, 1.5, "1"])
texts = st.text(st.characters(), max_size=5) | st.sampled_from(
    ["\ud800", "\ud83d\ude00", "\0", "NaN", "__persistry__", "$date", "2026-01-01T00:00:00"]
)
scalars = (
    st.sampled_from([None, True, False, 0, 1, 0.0, -0.0, 1.0, float("nan"), float("inf"), 1e308])
    | st.sampled_from([2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**400, 10**4000])
    | st.floats()
    | st.integers()
    | texts
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
states = st.sampled_from([{"n": 0}, {"n": 1}, {}]) | st.dictionaries(texts, values, max_size=4)
keys = st.tuples(partitions, apps, sequences, positions).map(list)
who = st.integers(0, 2)
which = st.integers(0, 5)


def reordered(value: Any) -> Any:
    """The same with all keys in the opposite order."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(it) for it in value] if isinstance(value, list) else value


def other_type(value: Any) -> Any:
    """An equal number of another type, if there is one."""
    if type(value) is int:
        return bool(value) if value in (0, 1) else float(value) if abs(value) < 2**53 else value
    exact = type(value) is bool or (type(value) is float and value.is_integer())
    return int(value) if exact else value


# Other states that are easily taken for the same one; where a change does not apply, it is none.
CHANGES: dict[str, Callable[[Any], Any]] = {
    "a number's type": other_type,
    "the sign of a zero": lambda it: -it if isinstance(it, float) and it == 0 else it,
    "an empty container": lambda it: {} if it == [] else [] if it == {} else it,
    "the order of a list": lambda it: it[::-1] if isinstance(it, list) else it,
    "null for NaN": lambda it: None if it != it else it,
    "a text for a number": lambda it: str(it) if type(it) is float else it,
}


def changed(state: dict[str, Any], change: str) -> dict[str, Any]:
    """A state with one kind of change to each of its values."""
    return {key: CHANGES[change](value) for key, value in state.items()}


class Programs(RuleBasedStateMachine):
    """Programs of operations on a few persisters of one store."""

    def __init__(
        self, make_store: MakeStore, runner: asyncio.Runner, columns: list[Column]
    ) -> None:
        super().__init__()
        self.stores = Stores(make_store, runner, columns)
        self.saves: list[list[Any]] = []

    def teardown(self) -> None:
        try:
            if self.stores.groups and not self.stores.failed:
                self.look_everywhere()
        finally:
            self.stores.close()

    def look_everywhere(self) -> None:
        """Whatever a program did, a new persister finds what the model has."""
        self.stores.open()
        newest = self.stores.groups[-1]
        self.stores.do(newest, "list_partition_keys")
        for partition in {it[0] for it in self.saves}:
            self.stores.do(newest, "list_app_ids", partition)
            self.stores.do(newest, "load", partition, None)
        for partition, app in {tuple(it[:2]) for it in self.saves}:
            self.stores.do(newest, "load", partition, app)
        for key in {tuple(it[:3]) for it in self.saves}:
            self.stores.do(newest, "load", *key)

    def group(self, who: int) -> Group:
        return self.stores.groups[who % len(self.stores.groups)]

    def earlier(self, which: int) -> list[Any]:
        """The arguments of an earlier save, counted from the last one."""
        return self.saves[-1 - which % len(self.saves)]

    def do(self, who: int, operation: str, *arguments: Any, **named: Any) -> None:
        self.stores.do(self.group(who), operation, *arguments, **named)

    @initialize(initialized=st.sampled_from([True, True, True, False]))
    def begin(self, initialized: bool) -> None:
        self.stores.open()
        if initialized:
            self.do(0, "initialize")

    @precondition(lambda self: len(self.stores.groups) < 3)
    @rule()
    def open(self) -> None:
        self.stores.open()

    @precondition(lambda self: len(self.stores.groups) < 3)
    @rule(who=who)
    def copy(self, who: int) -> None:
        self.stores.copy(self.group(who))

    @precondition(lambda self: len(self.stores.groups) > 1)
    @rule(who=who)
    def cleanup(self, who: int) -> None:
        """Close a persister; from then on it refuses everything."""
        self.do(who, "cleanup")
        for operation in (
            *("initialize", "is_initialized", "list_app_ids", "list_partition_keys", "cleanup"),
        ):
            self.do(who, operation)
        self.do(who, "load", "p", "\0")
        self.do(who, "save", "p", "a", 1, "x", {"n": 1}, "completed")
        self.stores.copy(self.group(who))
        self.stores.groups.remove(self.group(who))

    @rule(who=who, again=st.booleans())
    def prepare(self, who: int, again: bool) -> None:
        self.do(who, "is_initialized")
        if again:
            self.do(who, "initialize")

    @rule(who=who, serde_kwargs=st.sampled_from([{}, {"a": 1}, {"b": [2]}]))
    def set_serde_kwargs(self, who: int, serde_kwargs: dict[str, Any]) -> None:
        self.do(who, "set_serde_kwargs", serde_kwargs)

    @rule(who=who, key=keys, state=states, status=statuses)
    def save(self, who: int, key: list[Any], state: dict[str, Any], status: str) -> None:
        self.saves.append([*key, state, status])
        self.do(who, "save", *self.saves[-1])

    @rule(who=who, partition=partitions, steps=st.lists(st.tuples(apps, sequences), max_size=6))
    def save_steps(self, who: int, partition: str | None, steps: list[tuple[str, int]]) -> None:
        for step in steps:
            self.saves.append([partition, *step, "x", {"of": list(step)}, "completed"])
            self.do(who, "save", *self.saves[-1])

    @precondition(lambda self: self.saves)
    @rule(who=who, which=which, position=positions, state=states, status=statuses)
    def save_beside(
        self, who: int, which: int, position: str, state: dict[str, Any], status: str
    ) -> None:
        """Another position, or the same one, of a step that is there."""
        self.saves.append([*self.earlier(which)[:3], position, state, status])
        self.do(who, "save", *self.saves[-1])

    @precondition(lambda self: self.saves)
    @rule(who=who, which=which)
    def save_again(self, who: int, which: int) -> None:
        *key, state, status = self.earlier(which)
        self.do(who, "load", *key[:3])  # its created_at is noted, and must be the same later
        self.do(who, "save", *key, reordered(state), status)
        self.do(who, "load", *key[:3])

    @precondition(lambda self: self.saves)
    @rule(who=who, which=which, change=st.sampled_from(sorted(CHANGES)))
    def save_nearly_the_same(self, who: int, which: int, change: str) -> None:
        *key, state, status = self.earlier(which)
        self.do(who, "save", *key, changed(state, change), status)

    @precondition(lambda self: self.saves)
    @rule(who=who, which=which)
    def load_saved(self, who: int, which: int) -> None:
        """Every kind of load that may find a record."""
        partition, app, sequence, *_ = self.earlier(which)
        self.do(who, "load", partition, app, sequence)
        self.do(who, "load", partition, app)
        self.do(who, "load", partition, None)

    @rule(who=who, key=keys, by=st.integers(1, 3))
    def load_any(self, who: int, key: list[Any], by: int) -> None:
        self.do(who, "load", *[*key[:by], None][:3])

    @rule(who=who, partition=partitions | never_stored, limit=limits)
    def list_app_ids(self, who: int, partition: str | None, limit: int | None) -> None:
        self.do(who, "list_app_ids", partition, limit=limit)

    @rule(who=who, limit=limits)
    def list_partition_keys(self, who: int, limit: int | None) -> None:
        self.do(who, "list_partition_keys", limit=limit)

    @rule(who=who, part=st.sampled_from([0, 1, 3, 5]), bad=never_stored | no_text)
    def take_no_such_text(self, who: int, part: int, bad: Any) -> None:
        arguments: list[Any] = ["p", "a", 1, "x", {"n": 1}, "completed"]
        arguments[part] = bad
        self.do(who, "save", *arguments)
        self.do(who, "load", *arguments[:2])

    @rule(who=who, sequence=no_sequence, limit=no_limit)
    def take_no_such_number(self, who: int, sequence: Any, limit: Any) -> None:
        self.do(who, "save", "p", "a", sequence, "x", {"n": 1}, "completed")
        self.do(who, "load", "p", "a", sequence)
        self.do(who, "load", "p", None, 1)
        self.do(who, "list_app_ids", "p", limit=limit)
        self.do(who, "list_partition_keys", limit=limit)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The one event loop of a run: it outlives the programs in it."""
    with asyncio.Runner() as runner:
        yield runner


# The same programs every time, unless one asks for so many others. In parts, for several processes.
EXPLORE = int(os.environ.get("PERSISTRY_TEST_PROGRAMS", "0"))
PARTS = range(1, 5)
PROGRAMS = settings(
    max_examples=math.ceil((EXPLORE or 40) / len(PARTS)),
    stateful_step_count=25,
    derandomize=not EXPLORE,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


# Only shortening a program that went wrong takes so long.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", PARTS)
def test_any_program(
    part: int, make_store: MakeStore, runner: asyncio.Runner, at_hand: list[Column]
) -> None:
    """Every answer of every persister is the model's."""
    # Those that say that they cannot are of another library's layout.
    no_model = {
        "any_saves_answer_as_the_model_does",
        "any_saves_of_large_numbers_answer_as_the_model_does",
    }
    columns = [it for it in at_hand if not no_model & it.gaps.keys()]

    def programs() -> Programs:
        return Programs(make_store, runner, columns)

    if not EXPLORE:
        seed(part)(programs)
    run_state_machine_as_test(programs, settings=PROGRAMS)
