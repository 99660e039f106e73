# Code generated from templates/conformance/behaviours/partitions.py.jinja by `make generate`. DO NOT EDIT.
"""Which partitions there are, async: for any number of them, of writers and of records."""

from __future__ import annotations

import inspect
import random
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from ..errors import PersisterClosedError
from ..state import State
from .support.column import Store
from .support.together_async import Opened, fixture, marks, together

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


async def save(persister: Any, partition_key: str | None, app_id: str = "a", n: int = 0) -> None:
    """Save a step."""
    await persister.save(partition_key, app_id, n, "x", State({"n": n}), "completed")


@pytest.mark.promise(7)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_are_listed_with_a_limit_by_keyword(persister: Any) -> None:
    """The limit is given by keyword only, and the operation has the colour of the others."""
    method = type(persister).list_partition_keys
    parameters = inspect.signature(method).parameters
    assert list(parameters) == ["self", "limit", "kwargs"]
    assert parameters["limit"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["limit"].default is None
    assert inspect.iscoroutinefunction(method) is persister.is_async()


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_many_partitions_are_listed_by_name(persister: Any) -> None:
    """More partitions than any store answers at once by itself, under every limit."""
    names = [f"tenant {n * 37 % 150}" for n in range(150)]
    for name in names:
        await save(persister, name)
    assert await persister.list_partition_keys() == sorted(names)
    for limit in (1, 2, 99, 100, 101, 149, 150, 151):
        assert await persister.list_partition_keys(limit=limit) == sorted(names)[:limit]


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_one_busy_partition_hides_no_other(persister: Any) -> None:
    """Partitions beside one with many records and applications are listed all the same."""
    for name in ("a", "z"):
        await save(persister, name)
    for n in range(200):
        await save(persister, "m", f"app-{n % 50}", n)
    assert await persister.list_partition_keys() == ["a", "m", "z"]
    assert await persister.list_partition_keys(limit=2) == ["a", "m"]


@pytest.mark.promise(4, 9)
@pytest.mark.needs("list_partition_keys")
async def test_racing_first_saves_of_partitions_are_listed(
    persister: Any, store: Store, keep: Opened
) -> None:
    """Writers with a persister each begin the same partitions at once: each is listed, once."""
    names = [f"p{n}" for n in range(5)]
    writers = [await keep(store.open()) for _ in range(4)]
    for name in names:
        saves = [partial(save, writer, name, f"app-{n}") for n, writer in enumerate(writers)]
        assert await together(*saves) == [None] * len(saves)
    for reader in (persister, *writers):
        assert await reader.list_partition_keys() == names


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_outlive_their_persister(
    persister: Any, store: Store, keep: Opened
) -> None:
    """A new persister lists what the closed one saved, and so does a copy."""
    await save(persister, "p")
    copy = await keep(persister.copy())
    await persister.cleanup()
    with pytest.raises(PersisterClosedError):
        await persister.list_partition_keys()
    other = await keep(store.open())
    await save(other, "q")
    for reader in (copy, other):
        assert await reader.list_partition_keys() == ["p", "q"]


@pytest.mark.promise(1, 4)
@pytest.mark.needs("list_partition_keys")
@pytest.mark.parametrize("seed", range(3))
async def test_any_partitions_are_listed_as_python_sorts_them(persister: Any, seed: int) -> None:
    """Whatever the names, they are those that were saved to, in the order of their code points."""
    chance = random.Random(seed)
    letters = [
        "a",
        "A",
        "b",
        "_",
        "-",
        " ",
        ":",
        "{",
        "}",
        "%",
        "\\",
        "'",
        "\u00e9",
        "\u0301",
        "\uffee",
        "\U0001f600",
    ]
    saved = set()
    for _ in range(60):
        name = "".join(chance.choices(letters, k=chance.randint(0, 3)))
        await save(persister, name)
        saved.add(name)
        assert await persister.list_partition_keys() == sorted(saved)
