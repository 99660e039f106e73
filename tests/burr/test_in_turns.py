"""What an application may be, gone on with by Burr's persister and by ours in turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from persistry.conformance.support.column import Column
from tests.burr.apps import PARTITION, Apps, Broken, Line, Talk, settled
from tests.burr.conftest import MakeStore, class_for
from tests.burr.originals import EMPTY, initialized, original

pytestmark = pytest.mark.filterwarnings("ignore::burr.integrations.serde.pydantic.SecurityWarning")

ALLOWED = {"allowlist": ["tests.burr"]}


@pytest.fixture(params=EMPTY, ids=lambda it: it.name)
def store(request: pytest.FixtureRequest, make_store: MakeStore) -> Iterator[Any]:
    column: Column = request.param
    with make_store(column) as made:
        made.persister = class_for(column)
        yield made


@pytest.fixture
async def burr(store: Any) -> AsyncIterator[Any]:
    """Burr's persister, which has begun the store."""
    async with original(store) as persister:
        await initialized(persister)
        persister.set_serde_kwargs(ALLOWED)
        yield persister


@pytest.fixture
def of_burr(burr: Any) -> Apps:
    return Apps(burr.is_async())


@pytest.fixture
async def ours(store: Any, burr: Any, opened: Any) -> Any:
    return await initialized(await opened(store.open(serde_kwargs=ALLOWED)))


async def test_a_typed_state(burr: Any, of_burr: Apps, ours: Any, apps: Apps) -> None:
    turns = [(of_burr, burr), (apps, ours), (of_burr, burr), (apps, ours)]
    for number, (run_by, persister) in enumerate(turns):
        last = await run_by.run(await run_by.talk(persister, "talk"), halt_after=["speak"])
        lines = [Line(text="locks!", spoken_by=("Ada", it)) for it in range(number + 1)]
        assert last.data == Talk(topic="locks", lines=lines, best=lines[-1])


async def test_a_failing_action(burr: Any, of_burr: Apps, ours: Any, apps: Apps) -> None:
    """Whoever saved that it failed, the other one begins with it."""
    seen = []
    turns = [(of_burr, burr), (apps, ours), (of_burr, burr)]
    for number, (run_by, persister) in enumerate(turns, 1):
        app = await run_by.counter(persister, "failing")
        assert app.get_next_action().name == "count"
        seen.append(number)
        assert (await run_by.run(app, halt_after=["note"]))["seen"] == seen
        with pytest.raises(Broken):
            await run_by.run(app, halt_after=["note"], inputs={"fail_at": number})


async def test_forks_of_the_others_application(
    burr: Any, of_burr: Apps, ours: Any, apps: Apps
) -> None:
    app = await of_burr.counter(burr, "app")
    for _ in range(3):
        await of_burr.run(app, halt_after=["note"])
    source: dict[str, Any] = {"fork_from_partition_key": PARTITION}
    early = source | {"fork_from_app_id": "app", "fork_from_sequence_id": 1}
    fork = await apps.counter(ours, "fork", fork_from=early)
    assert (await apps.run(fork, halt_after=["note"]))["seen"] == [1, 2]
    late = source | {"fork_from_app_id": "fork", "fork_from_sequence_id": 3}
    again = await of_burr.counter(burr, "fork of it", fork_from=late)
    assert (await of_burr.run(again, halt_after=["note"]))["seen"] == [1, 2, 3]
    names = await settled(ours.list_app_ids(PARTITION))
    assert sorted(names) == ["app", "fork", "fork of it"]


MAPPED = 20


async def test_sub_applications_are_there_for_burr(burr: Any, ours: Any, apps: Apps) -> None:
    last = await apps.run(await apps.squares(ours, "parent", MAPPED), halt_after=["squares"])
    names = {*await settled(burr.list_app_ids(PARTITION))}
    assert len(names) == MAPPED + 1
    found = [await settled(burr.load(PARTITION, it)) for it in names - {"parent"}]
    assert sorted(it["state"]["square"] for it in found) == last["squares"]
