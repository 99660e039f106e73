"""Applications of Apache Burr on every store: they run, resume, fork and map as on Burr's own."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from persistry import CorruptStateError
from tests.burr.apps import PARTITION, Apps, Broken, Line, Talk, settled

ROOT = Path(__file__).parents[2]


async def latest(persister: Any, app_id: str, partition_key: str | None = PARTITION) -> Any:
    return await settled(persister.load(partition_key, app_id))


async def test_a_counter_runs_and_each_step_is_there(persister: Any, apps: Apps) -> None:
    app = await apps.counter(persister, "counter")
    await apps.run(app, halt_after=["note"])
    last = await apps.run(app, halt_after=["note"])
    assert (last["counter"], last["seen"]) == (2, [1, 2])
    record = await latest(persister, "counter")
    assert (record["sequence_id"], record["position"], record["status"]) == (3, "note", "completed")
    assert record["state"].get_all() == last.get_all()
    steps = [await settled(persister.load(PARTITION, "counter", it)) for it in range(4)]
    assert [it["state"]["counter"] for it in steps] == [1, 1, 2, 2]
    assert await settled(persister.list_app_ids(PARTITION)) == ["counter"]


async def test_without_a_partition(persister: Any, apps: Apps) -> None:
    app = await apps.counter(persister, "counter", partition_key=None)
    await apps.run(app, halt_after=["note"])
    record = await latest(persister, "counter", None)
    assert (record["partition_key"], record["state"]["seen"]) == ("", [1])


async def test_a_chat_is_resumed_by_another_persister(
    store: Any, persister: Any, apps: Apps, opened: Any
) -> None:
    app = await apps.chat(persister, "chat")
    first = await apps.run(app, halt_after=["answer"], inputs={"prompt": "h\u00e9llo"})
    resumed = await apps.chat(await opened(store.open()), "chat")
    assert resumed.state.get_all() == first.get_all()
    last = await apps.run(resumed, halt_after=["answer"], inputs={"prompt": "again"})
    assert [it["role"] for it in last["messages"]] == ["user", "assistant"] * 2
    assert last["messages"][:2] == first["messages"]
    assert (await latest(persister, "chat"))["state"].get_all() == last.get_all()


async def test_kill_and_resume(store: Any, persister: Any, apps: Apps) -> None:
    if "durable" not in store.column.traits:
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(persister)
        return
    killed = subprocess.Popen(
        [sys.executable, "-m", "tests.burr.child", "killed"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'generated'}:{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert killed.stdin is not None
    assert killed.stdout is not None
    with killed, killed.stdin, killed.stdout:
        killed.stdin.write(pickle.dumps(persister))
        killed.stdin.close()
        told = [killed.stdout.readline().decode().split() for _ in range(7)]
        killed.send_signal(signal.SIGKILL)
    assert told == [[str(it), ("count", "note")[it % 2]] for it in range(7)]
    found = await latest(persister, "killed")
    assert found["sequence_id"] >= 6
    app = await apps.counter(persister, "killed")
    assert app.sequence_id == found["sequence_id"]
    last = await apps.run(app, halt_after=["note"])
    assert last["seen"] == list(range(1, last["counter"] + 1))
    record = await latest(persister, "killed")
    assert record["sequence_id"] == 2 * last["counter"] - 1


async def test_a_failing_action_is_where_it_resumes(persister: Any, apps: Apps) -> None:
    app = await apps.counter(persister, "failing")
    for _ in range(2):
        await apps.run(app, halt_after=["note"])
    with pytest.raises(Broken):
        await apps.run(app, halt_after=["note"], inputs={"fail_at": 2})
    record = await latest(persister, "failing")
    assert (record["position"], record["status"]) == ("count", "failed")
    assert record["state"]["counter"] == 2
    resumed = await apps.counter(persister, "failing")
    assert resumed.get_next_action().name == "count"
    last = await apps.run(resumed, halt_after=["note"])
    assert last["seen"] == [1, 2, 3]
    assert (await latest(persister, "failing"))["sequence_id"] == record["sequence_id"] + 2


async def test_a_fork_goes_on_from_an_app_and_a_sequence(persister: Any, apps: Apps) -> None:
    app = await apps.counter(persister, "parent")
    for _ in range(3):
        await apps.run(app, halt_after=["note"])
    source = {"fork_from_app_id": "parent", "fork_from_partition_key": PARTITION}
    whole = await apps.counter(persister, "child of all", fork_from=source)
    assert (await apps.run(whole, halt_after=["note"]))["seen"] == [1, 2, 3, 4]
    source |= {"fork_from_sequence_id": 1}
    early = await apps.counter(persister, "child", partition_key="another", fork_from=source)
    assert (await apps.run(early, halt_after=["note"]))["seen"] == [1, 2]
    record = await latest(persister, "child", "another")
    assert (record["sequence_id"], record["state"]["counter"]) == (3, 2)
    assert (await latest(persister, "parent"))["state"]["seen"] == [1, 2, 3]
    assert await settled(persister.list_app_ids(PARTITION)) == ["child of all", "parent"]


async def test_ten_apps_at_once_on_one_persister(persister: Any, apps: Apps) -> None:
    async def one(number: int) -> list[int]:
        app = await apps.counter(persister, f"app {number}")
        for _ in range(number + 1):
            last = await apps.run(app, halt_after=["note"])
        return list(last["seen"])

    def in_a_thread(number: int) -> list[int]:
        return asyncio.run(one(number))

    numbers = range(10)
    each = [one(it) if apps.is_async else asyncio.to_thread(in_a_thread, it) for it in numbers]
    assert await asyncio.gather(*each) == [list(range(1, it + 2)) for it in numbers]
    assert len(await settled(persister.list_app_ids(PARTITION))) == 10
    for number in numbers:
        assert (await latest(persister, f"app {number}"))["sequence_id"] == 2 * number + 1


async def test_a_typed_state(store: Any, persister: Any, apps: Apps, opened: Any) -> None:
    allowed = {"allowlist": ["tests.burr"]}  # without it, Burr's serde warns
    persister.set_serde_kwargs(allowed)
    app = await apps.talk(persister, "talk")
    await apps.run(app, halt_after=["speak"])
    resumed = await apps.talk(await opened(store.open(serde_kwargs=allowed)), "talk")
    last = await apps.run(resumed, halt_after=["speak"])
    lines = [Line(text="locks!", spoken_by=("Ada", it)) for it in range(2)]
    assert last.data == Talk(topic="locks", lines=lines, best=lines[1])
    assert (await latest(persister, "talk"))["state"]["lines"] == lines
    # It is Burr's serde that refuses, in its own words; nothing is said to be damaged.
    persister.set_serde_kwargs({"allowlist": ["nowhere"]})
    with pytest.raises(CorruptStateError) as told:
        await latest(persister, "talk")
    for word in ("app 'talk', sequence 1: state[", "Burr's serde 'pydantic'", "the allowlist"):
        assert word in str(told.value)
    assert "damaged" not in str(told.value)


async def test_a_copy_and_a_pickle_go_on(
    store: Any, persister: Any, apps: Apps, opened: Any
) -> None:
    await apps.run(await apps.counter(persister, "app"), halt_after=["note"])
    twins = [await opened(persister.copy())]
    if "durable" in store.column.traits:
        twins.append(await opened(pickle.loads(pickle.dumps(persister))))
    for number, twin in enumerate(twins):
        assert type(twin) is type(persister)
        last = await apps.run(await apps.counter(twin, "app"), halt_after=["note"])
        assert last["counter"] == number + 2
    record = await latest(persister, "app")
    assert record["state"]["counter"] == len(twins) + 1
