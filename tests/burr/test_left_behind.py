"""An application with its data in Burr's Redis layout that imports the class with Burr's name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from burr.core import State

import persistry
from persistry import StoreVersionError
from persistry.conformance.columns import COLUMNS
from tests.burr.apps import PARTITION, Apps, settled
from tests.burr.conftest import MakeStore, class_for
from tests.burr.originals import in_redis

HERE = tuple(it for it in COLUMNS if it.backend == "redis")
OTHERS = {it.colour: it for it in COLUMNS if it.backend == "redis_burr"}


@pytest.fixture(params=HERE, ids=lambda it: it.name)
def store(request: pytest.FixtureRequest, make_store: MakeStore) -> Iterator[Any]:
    with make_store(request.param) as made:
        made.persister = class_for(request.param)
        yield made


@pytest.fixture
async def burr(store: Any) -> AsyncIterator[Any]:
    async with in_redis(store, store.column.colour == "async") as persister:
        yield persister


def in_burrs_layout(store: Any) -> Any:
    """Ours that goes on with Burr's keys."""
    mine, store.persister = store.persister, class_for(OTHERS[store.column.colour])
    try:
        return store.open()
    finally:
        store.persister = mine


async def step(persister: Any, app_id: str, number: int, partition: str = PARTITION) -> None:
    state = State({"number": number})
    await settled(persister.save(partition, app_id, number, "step", state, "completed"))


async def test_an_application_does_not_silently_begin_anew(
    store: Any, burr: Any, persister: Any, apps: Apps
) -> None:
    app = await apps.counter(burr, "app")
    await apps.run(app, halt_after=["note"])
    with pytest.raises(StoreVersionError) as told:
        await apps.counter(persister, "app")
    key = f"{store.name}:{PARTITION}:app:1"
    move = "amove" if apps.is_async else "move"
    names = [type(persister).__name__, class_for(OTHERS[store.column.colour]).__name__]
    for part in ("app 'app'", repr(key), f"persistry.{move}", f"persistry.burr.{names[1]}", *names):
        assert part in str(told.value)
    app = await apps.counter(persister, "another")
    assert (await apps.run(app, halt_after=["note"]))["seen"] == [1]


async def test_whatever_is_asked_for(burr: Any, persister: Any) -> None:
    await step(burr, "app", 3)
    asked = [(PARTITION, "app"), (PARTITION, "app", 3), (PARTITION, None)]
    for key in asked:
        with pytest.raises(StoreVersionError, match=r"^load of partition 'users/1'"):
            await settled(persister.load(*key))
    with pytest.raises(StoreVersionError, match=r"^list_app_ids of partition 'users/1'"):
        await settled(persister.list_app_ids(PARTITION))
    assert await settled(persister.list_app_ids(PARTITION, limit=0)) == []
    others = [(PARTITION, "app", 2), (PARTITION, "other"), ("other", "app"), ("other", None)]
    for key in (*others, (None, "app"), (None, None), (PARTITION, "a\0b"), ("\ud800", "app")):
        assert await settled(persister.load(*key)) is None
    assert await settled(persister.list_app_ids("other")) == []


async def test_beside_it_others_may_have_keys_like_those(
    store: Any, persister: Any, burr: Any
) -> None:
    """Burr's keys are made of names as they are; what no record of that name is, is none of it."""
    with store.place.client() as client:
        client.set(f"{store.name}:text", "x")
        client.zadd(f"{store.name}:game", {"ada": 3})
        client.zadd(f"{store.name}:odd", {"ada": 0.5, "bob": float("inf")})
        client.set(f"{store.name}:game:ada:3", "x")
        client.hset(f"{store.name}:odd:ada:7", mapping={"app_id": "ada"})
    for partition in ("text", "game", "odd"):
        for key in ((partition, "ada"), (partition, "ada", 3), (partition, None)):
            assert await settled(persister.load(*key)) is None
        assert await settled(persister.list_app_ids(partition)) == []
    assert await settled(persister.load("odd", "ada", 7)) is None
    await step(burr, "c", 0, partition="a:b")
    assert await settled(persister.load("a", "b:c")) is None  # the same key, another application
    with pytest.raises(StoreVersionError):
        await settled(persister.load("a:b", "c"))


async def test_in_another_namespace_it_is_somebody_elses(
    store: Any, persister: Any, opened: Any
) -> None:
    async with in_redis(store, store.column.colour == "async", namespace=None) as burr:
        await step(burr, f"{store.name} app", 0, partition=store.name)
        assert await settled(persister.load(store.name, f"{store.name} app")) is None
        bare = await opened(store.open(namespace=None))
        with pytest.raises(StoreVersionError):
            await settled(bare.load(store.name, f"{store.name} app"))


async def test_after_a_move_both_are_there(
    store: Any, burr: Any, persister: Any, apps: Apps, opened: Any
) -> None:
    """What was moved is found here; the rest of the way nothing is asked of Burr's keys."""
    await apps.run(await apps.counter(burr, "app"), halt_after=["note"])
    source = await opened(in_burrs_layout(store))
    moving = persistry.amove if apps.is_async else persistry.move
    report = await settled(moving(source, persister))
    assert (report.is_complete, report.moved) == (True, 2)
    app = await apps.counter(persister, "app")
    assert (await apps.run(app, halt_after=["note"]))["seen"] == [1, 2]
    assert await settled(persister.list_app_ids(PARTITION)) == ["app"]
    await settled(persister.initialize())
    # Burr goes on with an application of its own there.
    await step(burr, "its own", 0)
    with pytest.raises(StoreVersionError):
        await settled(persister.load(PARTITION, "its own"))
    assert await settled(persister.list_app_ids(PARTITION)) == ["app"]


async def test_persistrys_own_class_knows_nothing_of_it(store: Any, burr: Any, opened: Any) -> None:
    await step(burr, "app", 0)
    store.persister = getattr(persistry, store.column.name)
    plain = await opened(store.open())
    assert await settled(plain.load(PARTITION, "app")) is None
