"""What goes over the wire to Redis: which commands an operation sends, in how many trips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from persistry import AsyncRedisBasePersister, RedisBasePersister, State
from persistry.errors import CorruptStateError, StateConflictError
from tests.bad_input import Calls, Run, runner
from tests.redis_alone import server as server  # fixtures
from tests.redis_alone import wire as wire
from tests.redis_wire import Wire, counted, names
from tests.servers import RedisServer

run = pytest.fixture(runner)
SMALL, LARGE = "x", "x" * 100_000
RECORD = "{:p}:r:app:0000000000000000001"
TEMPORARY = f"{RECORD}:t"


@pytest.fixture(params=["sync", "async"])
def persister(request: pytest.FixtureRequest, server: RedisServer, run: Run) -> Iterator[Calls]:
    """One that is connected, and whose scripts the server knows."""
    with counted(request.param, server, run) as client:
        cls: Any = RedisBasePersister if request.param == "sync" else AsyncRedisBasePersister
        calls = Calls(cls(client), run)
        calls.save("warm", "up", 0, "s", State({}), "completed")
        calls.load("warm", None)
        calls.load("warm", "up")
        yield calls


def keys(wire: Wire) -> set[bytes]:
    return {key for key in wire.admin.scan_iter() if b"warm" not in key}


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["small", "large"])
def test_the_first_save_of_a_partition(persister: Calls, wire: Wire, text: str) -> None:
    """It names the partition in a set of another slot, in between; the generation goes along."""
    save = ["EVALSHA"] if text == SMALL else ["MULTI", "SET", "EVALSHA", "EXEC"]
    sent = wire.of(persister.put, "app", 1, t=text)
    assert names(sent) == [*save, "EVALSHA", *save]
    assert wire.trips == 3
    assert sent[len(save)].endswith("2 {:}:g {:}:p 1 p")
    assert names(wire.of(persister.put, "other", 1, t=text)) == save
    assert wire.trips == 1
    wire.admin.flushall()
    assert len(wire.of(persister.put, "app", 1, t=text)) == len(sent)  # it is the first one again
    assert persister.list_partition_keys() == ["p"]


@pytest.fixture
def known(persister: Calls, wire: Wire) -> None:
    """The partition has had its first save."""
    persister.put("known", 0)


def test_a_small_save(persister: Calls, wire: Wire, known: None) -> None:
    sent = wire.of(persister.put, "app", 1, t=SMALL)
    assert names(sent) == ["EVALSHA"]
    assert sent[0].split()[2:7] == [
        "4",
        "{:p}:r:app:0000000000000000001",
        "{:p}:r:app:0000000000000000001:bd370d1b6f9b3580a77083b3ed3256c621f44a99",
        "{:p}:a",
        "{:p}:h",
    ]
    assert wire.trips == 1


def test_a_large_save(persister: Calls, wire: Wire, known: None) -> None:
    known_keys = keys(wire)
    sent = wire.of(persister.put, "app", 1, t=LARGE)
    assert names(sent) == ["MULTI", "SET", "EVALSHA", "EXEC"]
    assert sent[1].startswith(f"SET {TEMPORARY} P1")
    assert sent[1].endswith(" PX 60000")  # so that it is not left if the save dies
    assert TEMPORARY in sent[2] and LARGE not in sent[2]
    assert wire.trips == 1
    assert keys(wire) - known_keys == {RECORD.encode()}
    assert wire.admin.ttl(RECORD) == -1


# The record is `P1`, the time, `["step","completed",0]`, a newline and `{"t":"..."}`.
@pytest.mark.parametrize(
    ("size", "save", "load"),
    [
        (65_535, ["EVALSHA"], ["EVALSHA"]),
        (65_536, ["MULTI", "SET", "EVALSHA", "EXEC"], ["EVALSHA"]),
        (65_537, ["MULTI", "SET", "EVALSHA", "EXEC"], ["EVALSHA", "GET"]),
    ],
)
def test_what_is_large(
    persister: Calls, wire: Wire, known: None, size: int, save: list[str], load: list[str]
) -> None:
    text = "x" * (size - 28 - 23 - 8)
    assert names(wire.of(persister.put, "app", 1, t=text)) == save
    assert wire.admin.strlen(RECORD) == size
    assert names(wire.of(persister.get, "app")) == load
    assert names(wire.of(persister.get, None)) == load


def test_the_server_is_asked_once_how_much_it_takes(
    persister: Calls, wire: Wire, known: None
) -> None:
    text = "x" * 1_100_000
    for number, trips in ((1, 2), (2, 1)):  # MONITOR does not show CONFIG
        sent = wire.of(persister.put, "app", number, t=text)
        assert names(sent) == ["MULTI", "SET", "EVALSHA", "EXEC"]
        assert wire.trips == trips


@pytest.mark.parametrize("text", [SMALL, LARGE], ids=["small", "large"])
def test_a_refused_save_leaves_nothing(persister: Calls, wire: Wire, text: str) -> None:
    persister.put("app", 1, t=text)
    before = keys(wire)
    sent = wire.of(persister.put, "app", 1, t=text)  # the same again
    assert len(sent) == (1 if text == SMALL else 4) and wire.trips == 1
    assert keys(wire) == before
    with pytest.raises(StateConflictError):
        persister.put("app", 1, t=f"{text}!")
    assert keys(wire) == before
    wire.admin.hset("{:p}:h", "app", "damaged")
    with pytest.raises(CorruptStateError):
        persister.put("app", 2, t=text)
    assert keys(wire) == before


def test_a_large_position_that_was_moved_is_refused(persister: Calls, wire: Wire) -> None:
    for position in ("x", "y"):
        persister.save("p", "app", 1, position, State({"t": LARGE}), "completed")
    before = keys(wire)
    with pytest.raises(StateConflictError):
        persister.save("p", "app", 1, "x", State({"t": LARGE + "!"}), "completed")
    assert keys(wire) == before and len(before) == 6
    assert persister.load("p", "app", 1)["position"] == "y"


def test_loads(persister: Calls, wire: Wire) -> None:
    persister.put("app", 1, t=SMALL)
    for app_id, sequence_id, command in (
        ("app", None, "EVALSHA"),
        (None, None, "EVALSHA"),
        ("app", 1, "GET"),
        ("app", 2, "GET"),
        ("nobody", None, "EVALSHA"),
    ):
        assert names(wire.of(persister.get, app_id, sequence_id)) == [command]
        assert wire.trips == 1


def test_large_loads(persister: Calls, wire: Wire) -> None:
    persister.put("app", 1, t=LARGE)
    for app_id in ("app", None):
        sent = wire.of(persister.get, app_id)
        assert names(sent) == ["EVALSHA", "GET"]
        assert sent[1] == f"GET {RECORD}"
    assert wire.of(persister.get, "app", 1) == [f"GET {RECORD}"]


def test_lists(persister: Calls, wire: Wire) -> None:
    persister.put("app", 1, t=SMALL)
    assert wire.of(persister.list_app_ids, "p") == ["ZREVRANGE {:p}:a 0 -1"]
    assert wire.trips == 1
    assert wire.of(persister.list_app_ids, "p", limit=3) == ["ZREVRANGE {:p}:a 0 2"]
    assert wire.of(persister.list_app_ids, "p", limit=0) == []
    assert wire.of(persister.is_initialized) == []


def test_partitions(persister: Calls, wire: Wire, known: None) -> None:
    persister.save(None, "app", 0, "s", State({}), "completed")
    wire.admin.zadd("{:}:p", {"begun": 0})  # by a save that died before it saved
    there = [f"EXISTS {{:{name}}}:a" for name in ("", "begun", "p")]
    assert wire.of(persister.list_partition_keys) == ["ZRANGEBYLEX {:}:p - + LIMIT 0 1000", *there]
    assert wire.trips == 2
    assert persister.list_partition_keys() == ["", "p"]
    assert wire.of(persister.list_partition_keys, limit=0) == []
    sent = wire.of(persister.list_partition_keys, limit=1)
    assert sent == ["ZRANGEBYLEX {:}:p - + LIMIT 0 100", *there]


def test_partitions_by_the_thousand(persister: Calls, wire: Wire) -> None:
    """Those without a record cost a look, and are made up for."""
    every = [f"n{n:04}" for n in range(2300)]
    wire.admin.zadd("{:}:p", dict.fromkeys(every, 0))
    for name in every[::2]:
        wire.admin.zadd(f"{{:{name}}}:a", {"app": 1})
    assert persister.list_partition_keys() == every[::2]
    for limit in (1, 100, 101, 500, 1150, 1151):
        assert persister.list_partition_keys(limit=limit) == every[::2][:limit]
    wire.of(persister.list_partition_keys)
    assert wire.trips == 6


def test_the_set_of_partitions_is_made_anew(persister: Calls, wire: Wire) -> None:
    """By initialize(), if it is gone; where it is there, that costs one look."""
    names_ = [
        "",
        "p",
        "a:b",
        "{",
        "}",
        "%3A",
        "*",
        "[p]",
        "\\",
        "\u00e9",
        *(f"n{n}" for n in range(1200)),
    ]
    for name in names_:
        persister.save(name, "app", 0, "s", State({}), "completed")
    assert "EXISTS {:}:p" in wire.of(persister.initialize)
    wire.admin.delete("{:}:p")
    wire.admin.set("{:}:a:a", "of another program")
    assert persister.list_partition_keys() == []
    persister.initialize()
    assert persister.list_partition_keys() == sorted(names_)
    assert wire.admin.zcard("{:}:p") == len(names_)


def test_a_set_of_partitions_of_another_program(persister: Calls, wire: Wire, known: None) -> None:
    wire.admin.set("{:}:p", "something else")
    persister.put("app", 1)  # the partition is known
    for call in (
        lambda: persister.save("q", "a", 0, "s", State({}), "completed"),
        persister.list_partition_keys,
    ):
        with pytest.raises(CorruptStateError, match="namespace"):
            call()
    assert persister.load("q", "a") is None
    wire.admin.delete("{:}:p")
    wire.admin.zadd("{:}:p", {b"\xff": 0})
    with pytest.raises(CorruptStateError, match="UTF-8"):
        persister.list_partition_keys()


def test_scripts_that_the_server_forgot(persister: Calls, wire: Wire, known: None) -> None:
    wire.admin.script_flush()
    assert names(wire.of(persister.put, "app", 1, t=SMALL)) == ["EVALSHA", "EVAL"]
    assert names(wire.of(persister.put, "app", 2, t=SMALL)) == ["EVALSHA"]
    wire.admin.script_flush()
    assert names(wire.of(persister.put, "app", 3, t=LARGE)) == [
        *("MULTI", "SET", "EVALSHA", "EXEC"),
        *("MULTI", "SET", "EVAL", "EXEC"),
    ]
    assert wire.trips == 2
    assert names(wire.of(persister.get, "app")) == ["EVALSHA", "EVAL", "GET"]
    assert persister.list_app_ids("p") == ["app", "known"]
    assert [persister.get("app", number) for number in (1, 2, 3)] == [
        {"t": SMALL},
        {"t": SMALL},
        {"t": LARGE},
    ]
    assert not wire.admin.exists("{:p}:r:app:0000000000000000003:t")
