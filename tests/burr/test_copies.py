"""Copies of a persister, which Burr makes for its sub-applications, share what it has opened."""

from __future__ import annotations

import asyncio
import os
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from burr.core import State

from persistry import PersisterClosedError
from tests.burr.apps import PARTITION, Apps, settled
from tests.burr.connections import connections, wait_for

MANY = 300
# What one persister opens: a connection, or a client's pool. The one of MongoDB has some more that
# look after the server.
MOST = {"redis": 100, "redis_burr": 100, "mongodb": 104}


def most(store: Any) -> int:
    return MOST.get(store.column.backend, 10)


@pytest.fixture
def before(store: Any) -> int:
    """The connections that are there without the test's."""
    return connections(store)


@contextmanager
def kept(persister: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The copies that are made meanwhile, which nobody closes."""
    copies: list[Any] = []
    copy = type(persister).copy
    with monkeypatch.context() as patched:
        patched.setattr(
            type(persister), "copy", lambda self: copies.append(copy(self)) or copies[-1]
        )
        yield copies


async def test_map_states_over_many_sub_applications(
    before: int, store: Any, persister: Any, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await apps.squares(persister, "parent", MANY)
    with kept(persister, monkeypatch) as copies:
        last = await apps.run(app, halt_after=["squares"])
    assert len(copies) == MANY
    assert connections(store) - before <= most(store)
    assert last["squares"] == [it**2 for it in range(MANY)]
    names = await settled(persister.list_app_ids(PARTITION))
    assert (len(names), names[0]) == (MANY + 1, "parent")
    children = [await settled(persister.load(PARTITION, it)) for it in names[1:]]
    assert sorted(it["state"]["square"] for it in children) == last["squares"]
    assert {it["status"] for it in children} == {"completed"}
    await settled(persister.cleanup())
    wait_for(store, before)


async def test_sub_applications_of_sub_applications(
    before: int, store: Any, persister: Any, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Theirs are copies of copies."""
    app = await apps.nested(persister, "parent", 5)
    with kept(persister, monkeypatch) as copies:
        last = await apps.run(app, halt_after=["squares"])
    assert len(copies) == 5 + 25
    assert connections(store) - before <= most(store)
    assert last["squares"] == [[it**2 for it in range(5)]] * 5
    assert len(await settled(persister.list_app_ids(PARTITION))) == 1 + 5 + 25


async def test_map_actions(persister: Any, apps: Apps) -> None:
    last = await apps.run(await apps.actions(persister, "parent"), halt_after=["squares"])
    assert last["squares"] == [49, 49, 49]
    assert len(await settled(persister.list_app_ids(PARTITION))) == 4


async def test_a_copy_outlives_its_original(
    before: int, store: Any, persister: Any, opened: Any
) -> None:
    """So do a copy of a copy, and others; what they open then they share."""
    copies = [await opened(persister.copy()) for _ in range(30)]
    copies += [await opened(copies[0].copy()), await opened(copies[-1].copy())]
    await step(copies[0], "app", 0)
    await settled(persister.cleanup())
    with pytest.raises(PersisterClosedError):
        await step(persister, "app", 0)
    with pytest.raises(PersisterClosedError):
        persister.copy()
    for number, copy in enumerate(copies):
        await step(copy, "app", number)
    assert connections(store) - before <= most(store)
    assert (await settled(copies[0].load(PARTITION, "app")))["sequence_id"] == 31


async def test_closing_a_copy_closes_no_other(persister: Any, opened: Any) -> None:
    copy, other = await opened(persister.copy()), await opened(persister.copy())
    await step(copy, "app", 0)
    for _ in range(2):
        await settled(copy.cleanup())
    with pytest.raises(PersisterClosedError):
        await step(copy, "app", 1)
    with pytest.raises(PersisterClosedError):
        copy.copy()
    await step(other, "app", 2)
    await step(persister, "app", 3)


async def test_the_original_is_closed_in_the_midst_of_copies_at_work(
    persister: Any, apps: Apps, opened: Any
) -> None:
    copies = [await opened(persister.copy()) for _ in range(8)]
    has_begun = threading.Event()

    async def work(number: int) -> None:
        for it in range(20):
            await step(copies[number], f"app {number}", it)
            has_begun.set()
            await asyncio.sleep(0)

    def in_a_thread(number: int) -> None:
        asyncio.run(work(number))

    async def close() -> None:
        while not has_begun.is_set():
            await asyncio.sleep(0)
        await settled(persister.cleanup())

    each = [work(it) if apps.is_async else asyncio.to_thread(in_a_thread, it) for it in range(8)]
    await asyncio.gather(*each, close())
    assert len(await settled(copies[0].list_app_ids(PARTITION))) == 8


async def test_a_copy_comes_back_from_a_pickle(store: Any, persister: Any, opened: Any) -> None:
    if "durable" not in store.column.traits:
        return
    copy = await opened(persister.copy())
    await step(copy, "app", 0)
    for number, original in enumerate((copy, persister)):
        other = await opened(pickle.loads(pickle.dumps(original)))
        assert type(other) is type(persister)
        of_it = await opened(other.copy())
        await step(of_it, "app", 2 * number + 1)
        await settled(other.cleanup())
        await step(of_it, "app", 2 * number + 2)
    assert (await settled(persister.load(PARTITION, "app")))["sequence_id"] == 4


def test_each_event_loop_may_have_a_copy(store: Any, apps: Apps) -> None:
    """While the one of the original is running, too; what is made in one loop is shared there."""
    if not apps.is_async:
        return

    async def use(copy: Any, number: int) -> int:
        await step(copy, f"loop {number}", 0)
        mapping = await apps.squares(copy, f"parent {number}", 30)
        await apps.run(mapping, halt_after=["squares"])
        found = len(await copy.list_app_ids(PARTITION))
        await copy.cleanup()
        return found

    async def main() -> None:
        async with store.open() as persister:
            await persister.initialize()
            both = [persister.copy(), persister.copy()]
            threads = [asyncio.to_thread(asyncio.run, use(it, n)) for n, it in enumerate(both)]
            work = asyncio.gather(*threads)
            number = 0
            while not work.done():
                await step(persister, "main", number)
                number += 1
                await asyncio.sleep(0)
            assert min(await work) >= 32
            assert len(await persister.list_app_ids(PARTITION)) == 65

    asyncio.run(main())


def test_built_in_one_event_loop_and_run_in_the_next(
    before: int, store: Any, apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the copies come first, the original does not go along; they share among themselves."""
    if not apps.is_async:
        return

    async def built() -> tuple[Any, Any]:
        persister = await store.open()
        await persister.initialize()
        return persister, await apps.squares(persister, "parent", MANY)

    async def run() -> None:
        await apps.run(app, halt_after=["squares"])
        assert connections(store) - before <= 2 * most(store)
        for it in copies:
            await it.cleanup()
        await persister.cleanup()

    persister, app = asyncio.run(built())
    with kept(persister, monkeypatch) as copies:
        asyncio.run(run())
    assert len(copies) == MANY


def test_a_copy_in_a_forked_process(store: Any) -> None:
    if "durable" not in store.column.traits:
        return

    async def begun() -> tuple[Any, Any]:
        persister = await settled(store.open())
        await settled(persister.initialize())
        copy = persister.copy()
        await step(copy, "app", 0)
        return persister, copy

    async def ended() -> None:
        assert (await settled(copy.load(PARTITION, "app")))["sequence_id"] == 2
        await settled(copy.cleanup())
        await step(persister, "app", 3)
        await settled(persister.cleanup())

    persister, copy = asyncio.run(begun())
    child = os.fork()
    if child == 0:
        status = 1
        try:
            asyncio.run(step(copy, "app", 1))
            asyncio.run(step(persister.copy(), "app", 2))
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    asyncio.run(ended())


async def test_what_can_be_asked_of_a_copy(store: Any, persister: Any, opened: Any) -> None:
    """Its connection is the one that it uses, and is what its class says."""
    copy = await opened(persister.copy())
    await step(copy, "app", 0)
    assert repr(copy) == repr(persister)
    for name in ("connection", "client", "collection"):
        if hasattr(type(persister), name):
            assert getattr(copy, name) == getattr(persister, name)


async def step(persister: Any, app_id: str, number: int) -> None:
    state = State({"number": number})
    await settled(persister.save(PARTITION, app_id, number, "step", state, "completed"))
