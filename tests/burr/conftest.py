"""Each store of the matrix, with its class of `persistry.burr`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any

import pytest

from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column
from persistry.conformance.support.opened_async import Opened
from tests.burr.apps import Apps, settled

MakeStore = Callable[[Column], AbstractContextManager[Any]]


def class_for(column: Column) -> Any:
    """At the top of `persistry.burr`, or in the module that the column's name begins with."""
    module, _, name = column.name.partition("-")[0].rpartition(".")
    return getattr(import_module(f"persistry.burr.{module}".rstrip(".")), name)


@pytest.fixture(params=COLUMNS, ids=lambda it: it.name)
def store(request: pytest.FixtureRequest, make_store: MakeStore) -> Iterator[Any]:
    with make_store(request.param) as made:
        made.persister = class_for(request.param)
        yield made


@pytest.fixture
def apps(store: Any) -> Apps:
    return Apps(store.column.colour == "async")


Open = Callable[..., Any]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Takes what a test opens, of either colour, and closes it in the end."""
    kept: list[Any] = []

    async def keep(persister: Any) -> Any:
        kept.append(await settled(persister))
        return kept[-1]

    yield keep  # type: ignore[misc]
    for persister in reversed(kept):
        await settled(persister.cleanup())


@pytest.fixture
async def persister(store: Any, opened: Any) -> Any:
    made = await opened(store.open())
    await settled(made.initialize())
    return made
