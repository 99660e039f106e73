# Code generated from templates/conformance/behaviours/any_saves.py.jinja by `make generate`. DO NOT EDIT.
"""Saves at random, sync: what is answered then, compared with a plain model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from ..errors import StateConflictError
from ..state import State
from .support import expect
from .support.column import Store
from .support.model import Model
from .support.together_sync import Opened, attempt, fixture, marks

COLOUR = "sync"
pytestmark = marks


@fixture
def keep(store: Store) -> Iterator[Opened]:
    """Closes after the test what was opened in it."""
    with Opened() as opened:
        yield opened


@fixture
def fresh(store: Store, keep: Opened) -> Any:
    """A persister on a store that was never initialised."""
    return keep(store.open())


@fixture
def persister(fresh: Any) -> Any:
    """A persister on an empty store."""
    fresh.initialize()
    return fresh


@pytest.mark.promise(1, 3, 4, 5)
@pytest.mark.parametrize("seed", range(4))
def test_any_saves_answer_as_the_model_does(persister: Any, seed: int) -> None:
    """After any sequence of saves, every load and list is what a plain model says."""
    any_saves(persister, random.Random(seed), [0, 1, 2, 10, 2**31 - 1])


@pytest.mark.promise(1, 3, 4, 5)
@pytest.mark.parametrize("seed", range(2))
def test_any_saves_of_large_numbers_answer_as_the_model_does(persister: Any, seed: int) -> None:
    """The same with numbers that neither 32 bits nor a float can hold."""
    any_saves(persister, random.Random(seed), [0, 10, 2**31, 2**53, 2**53 + 1, 2**63 - 1])


def any_saves(persister: Any, chance: random.Random, numbers: list[int]) -> None:
    """Save at random, and compare every answer with the model's."""
    model = Model()
    partitions, apps = ["", "p", "p:a", "%"], ["", "a", "a:1", "b", "\u00e9"]
    for _ in range(100):
        key = (
            chance.choice(partitions),
            chance.choice(apps),
            chance.choice(numbers),
            chance.choice("xy"),
        )
        values, status = (
            {"n": chance.choice([0, 0.0, False])},
            chance.choice(["completed", "failed"]),
        )
        save = partial(persister.save, *key, State(values), status)
        refused = attempt(save)
        assert type(refused) is (
            type(None) if model.save(key, values, status) else StateConflictError
        )
        for question in ((key[0], None), key[:2], key[:3]):
            answer(model.load(*question), persister.load(*question))
        assert persister.list_app_ids(key[0]) == model.list_app_ids(key[0])
    for partition in partitions:
        for app in apps:
            for number in numbers:
                found = persister.load(partition, app, number)
                answer(model.load(partition, app, number), found)


def answer(expected: dict[str, Any] | None, found: Any) -> None:
    """What was found is what the model says."""
    if expected is None:
        expect.nothing(found)
    else:
        expect.record(found, **expected)
