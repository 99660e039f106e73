# Code generated from templates/conformance/behaviours/any_saves.py.jinja by `make generate`. DO NOT EDIT.
"""Saves at random, async: what is answered then, compared with a plain model."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from ..errors import StateConflictError
from ..state import State
from .support import expect
from .support.column import Store
from .support.model import Model
from .support.together_async import Opened, attempt, fixture, marks

COLOUR = "async"
pytestmark = marks


@fixture
async def keep(store: Store) -> AsyncIterator[Opened]:
    """Closes after the test what was opened in it."""
    async with Opened() as opened:
        yield opened


@fixture
async def fresh(store: Store, keep: Opened) -> Any:
    """A persister on a store that was never initialised."""
    return await keep(store.open())


@fixture
async def persister(fresh: Any) -> Any:
    """A persister on an empty store."""
    await fresh.initialize()
    return fresh


@pytest.mark.promise(1, 3, 4, 5)
@pytest.mark.parametrize("seed", range(4))
async def test_any_saves_answer_as_the_model_does(persister: Any, seed: int) -> None:
    """After any sequence of saves, every load and list is what a plain model says."""
    await any_saves(persister, random.Random(seed), [0, 1, 2, 10, 2**31 - 1])


@pytest.mark.promise(1, 3, 4, 5)
@pytest.mark.parametrize("seed", range(2))
async def test_any_saves_of_large_numbers_answer_as_the_model_does(
    persister: Any, seed: int
) -> None:
    """The same with numbers that neither 32 bits nor a float can hold."""
    await any_saves(persister, random.Random(seed), [0, 10, 2**31, 2**53, 2**53 + 1, 2**63 - 1])


async def any_saves(persister: Any, chance: random.Random, numbers: list[int]) -> None:
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
        refused = await attempt(save)
        assert type(refused) is (
            type(None) if model.save(key, values, status) else StateConflictError
        )
        for question in ((key[0], None), key[:2], key[:3]):
            answer(model.load(*question), await persister.load(*question))
        assert await persister.list_app_ids(key[0]) == model.list_app_ids(key[0])
    for partition in partitions:
        for app in apps:
            for number in numbers:
                found = await persister.load(partition, app, number)
                answer(model.load(partition, app, number), found)


def answer(expected: dict[str, Any] | None, found: Any) -> None:
    """What was found is what the model says."""
    if expected is None:
        expect.nothing(found)
    else:
        expect.record(found, **expected)
