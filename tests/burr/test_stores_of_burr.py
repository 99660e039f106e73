"""Stores that Burr made: an application goes on there with persistry, and with Burr again."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pydantic
import pytest
from burr.core import State

from persistry import StateNotSerializableError
from persistry.conformance.support.column import Column
from tests.burr.apps import PARTITION, Apps, settled
from tests.burr.conftest import MakeStore, class_for
from tests.burr.originals import COLUMNS_OF_BURR, EMPTY, OWN, SHARED, initialized, original

pytestmark = pytest.mark.filterwarnings("ignore::burr.integrations.serde.pydantic.SecurityWarning")


class Size(enum.StrEnum):
    LARGE = "large"


class Point(pydantic.BaseModel, frozen=True):
    x: int
    path: tuple[int, ...] = ()


class Foreign:
    def __str__(self) -> str:
        return "a foreign one"


# What Burr writes as a text; what comes back exactly from a store of our own.
AS_TEXT: dict[str, Any] = {
    "tuple": (1, (2.5, None)),
    "set": {7},
    "bytes": b"\x00\xff",
    "time": datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
    "decimal": Decimal("1.20"),
    "nested": [{"deep": [(1,), {"tuple": ()}]}],
    "of models": (Point(x=1, path=(2,)), [Point(x=3)]),
}
# What Burr writes as JSON, and reads as it should.
AS_JSON: dict[str, Any] = {
    "plain": {"a": [1, -0.5, None, True, "\u00fc\U0001f600"]},
    "model": Point(x=1, path=(2, 3)),
    "models": [Point(x=4), {"in": Point(x=5)}],
}


@pytest.fixture(params=COLUMNS_OF_BURR, ids=lambda it: it.name)
def store(request: pytest.FixtureRequest, make_store: MakeStore) -> Iterator[Any]:
    column: Column = request.param
    with make_store(column) as made:
        made.persister = class_for(column)
        yield made


def only(*columns: Column) -> Any:
    return pytest.mark.parametrize("store", columns, ids=lambda it: it.name, indirect=True)


async def rounds(apps: Apps, persister: Any, count: int) -> list[int]:
    app = await apps.counter(persister, "app")
    for _ in range(count):
        last = await apps.run(app, halt_after=["note"])
    return list(last["seen"])


@only(*EMPTY)
async def test_an_app_goes_on_and_back_again(store: Any, apps: Apps, opened: Any) -> None:
    async with original(store) as burr:
        of_burr = Apps(burr.is_async())
        assert await rounds(of_burr, await initialized(burr), 2) == [1, 2]
    ours = await initialized(await opened(store.open()))
    assert await rounds(apps, ours, 2) == [1, 2, 3, 4]
    async with original(store) as burr:
        assert await rounds(of_burr, await initialized(burr), 1) == [1, 2, 3, 4, 5]
    assert await rounds(apps, ours, 1) == [1, 2, 3, 4, 5, 6]
    record = await settled(ours.load(PARTITION, "app"))
    assert (record["sequence_id"], record["position"]) == (11, "note")
    for sequence_id in range(12):
        record = await settled(ours.load(PARTITION, "app", sequence_id))
        assert record["state"]["counter"] == sequence_id // 2 + 1
    assert await settled(ours.list_app_ids(PARTITION)) == ["app"]


@only(*SHARED)
async def test_what_burr_writes_as_text_is_its_text(store: Any, opened: Any) -> None:
    """From the first save of a persister on, which has to open the store for it."""
    await initialized(await opened(store.open()))
    state = State({**AS_TEXT, **AS_JSON, "size": Size.LARGE, "keys": {1: 2}, "own": Foreign()})
    ours = await opened(store.open())
    await settled(ours.save(PARTITION, "ours", 0, "step", state, "completed"))
    await settled(ours.save(PARTITION, "ours", 0, "step", state, "completed"))  # the same
    await settled(ours.save(PARTITION, "ours", 1, "step", state, "completed"))
    async with original(store) as burr:
        await settled(burr.save(PARTITION, "burrs", 0, "step", state, "completed"))
        expected = (await settled(burr.load(PARTITION, "burrs")))["state"].get_all()
        assert (await settled(burr.load(PARTITION, "ours")))["state"].get_all() == expected
    assert expected["tuple"] == "(1, (2.5, None))"
    assert expected["model"] == AS_JSON["model"]
    for app_id, sequence_id in (("ours", 0), ("ours", 1), ("burrs", 0)):
        record = await settled(ours.load(PARTITION, app_id, sequence_id))
        assert record["state"].get_all() == expected
    # A record of Burr's is the same when it is saved again.
    await settled(ours.save(PARTITION, "burrs", 0, "step", state, "completed"))


@only(*OWN)
async def test_in_our_own_stores_it_comes_back_exactly(store: Any, opened: Any) -> None:
    ours = await initialized(await opened(store.open()))
    state = State({**AS_TEXT, **AS_JSON})
    await settled(ours.save(PARTITION, "app", 0, "step", state, "completed"))
    assert (await settled(ours.load(PARTITION, "app")))["state"].get_all() == state.get_all()
    for refused in ({1: 2}, Foreign()):
        with pytest.raises(StateNotSerializableError, match=r"state\['a'\]\[1\]"):
            await settled(
                ours.save(PARTITION, "app", 1, "step", State({"a": [0, refused]}), "completed")
            )


async def test_a_dict_with_burrs_marker_comes_back(store: Any, opened: Any) -> None:
    """It is the user's own, such as a model's answer, and no deserializer may be run with it."""
    ours = await initialized(await opened(store.open()))
    marked = {"__burr_serde__": "pickle", "value": "x", "in": {"__burr_serde__": ["y"]}}
    state = State({"answer": marked, "more": [marked], "none": {"__burr_serde__": None}})
    await settled(ours.save(PARTITION, "app", 0, "step", state, "completed"))
    assert (await settled(ours.load(PARTITION, "app")))["state"].get_all() == state.get_all()


@only(*(it for it in OWN if it.backend == "mongodb"))
async def test_another_programs_document_is_not_burrs(store: Any, opened: Any) -> None:
    """Whoever has one beside the states does not get Burr's texts for it."""
    store.place.client[store.run][store.name].insert_one({"created_at": datetime.now(UTC)})
    ours = await opened(store.open())
    await settled(ours.save(None, "app", 0, "step", State({"a": (1, 2)}), "completed"))
    assert (await settled(ours.load(None, "app")))["state"]["a"] == (1, 2)
