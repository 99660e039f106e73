"""Moving the records of Burr's Redis layout: all, in order, however often it is interrupted."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
from burr.core import State as BurrState

import persistry
import persistry.burr
from persistry import State, amove, errors, move, register_type, registry
from persistry.moving import MoveReport
from tests.bad_input import Run, runner
from tests.burr.classes import CLASSES
from tests.redis_alone import admin as admin  # fixtures
from tests.redis_alone import server as server
from tests.servers import RedisServer

run = pytest.fixture(runner)
Burr = CLASSES["redis"]
Pair = Callable[..., Any]


@pytest.fixture
def burr(admin: redis.Redis) -> Burr:
    return Burr(admin, namespace="old")


class Mover:
    """A source and a target of one colour, and the move between them."""

    def __init__(self, colour: str, where: tuple[str, int], run: Run) -> None:
        self.prefix = "" if colour == "sync" else "Async"
        self.where, self.run = where, run
        self.made: list[Any] = []

    def of(self, name: str, *values: Any, package: Any = persistry, **options: Any) -> Any:
        opening = getattr(package, self.prefix + name).from_values(*values, **options)
        self.made.append(self.run(opening))
        return self.made[-1]

    def source(self, package: Any = persistry, namespace: str | None = "old") -> Any:
        return self.of("BurrRedisPersister", *self.where, 0, namespace=namespace, package=package)

    def target(self, namespace: str = "new", package: Any = persistry) -> Any:
        options = {"namespace": namespace, "package": package}
        return self.of("RedisBasePersister", *self.where, 0, **options)

    def __call__(self, source: Any, target: Any, **options: Any) -> MoveReport:
        report = self.run((amove if self.prefix else move)(source, target, **options))
        assert type(report) is MoveReport
        assert report.target_digest == ("" if report.dry_run else report.source_digest)
        return report


@pytest.fixture(params=["sync", "async"])
def mover(
    request: pytest.FixtureRequest, server: RedisServer, admin: redis.Redis, run: Run
) -> Iterator[Mover]:
    mover = Mover(request.param, server.address, run)
    yield mover
    for persister in mover.made:
        run(persister.cleanup())


VALUES: list[dict[str, Any]] = [
    {},
    {"b": 1, "a": [1.5, None, True, {"é": "\0"}]},
    {"nan": [float("inf"), -0.0, 10**40], "deep": {"__persistry__": ["tuple", []]}},
    {"model": {"__burr_serde__": "pydantic", "__pydantic_class": "nowhere.Model", "x": 1}},
    {"text": "x" * 200_000},
]


def fill(burr: Burr) -> list[tuple[str, str, int]]:
    """Records of Burr's in several partitions, in turns; the keys in the order of saving."""
    keys = []
    for step, values in enumerate(VALUES):
        for partition in ("", "p", "q:r"):
            for app in ("a", "b:c", "%"):
                burr.save(partition, app, step, f"act {step}", BurrState(values), "completed")
                keys.append((partition, app, step))
    return keys


def dump(admin: redis.Redis, pattern: str) -> dict[bytes, Any]:
    return {key: admin.dump(key) for key in admin.scan_iter(match=pattern)}


def test_it_is_imported_when_it_is_asked_for() -> None:
    loaded = "print('persistry.moving' in sys.modules)"
    code = f"import sys, persistry; {loaded}; persistry.move; {loaded}"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\nTrue\n"


@pytest.mark.parametrize("package", [persistry, persistry.burr], ids=["own", "burr"])
def test_everything_is_moved(
    mover: Mover, burr: Burr, admin: redis.Redis, run: Run, package: Any
) -> None:
    keys = fill(burr)
    before = dump(admin, "old:*")
    source, target = mover.source(package), mover.target(package=package)
    told: list[int] = []
    report = mover(source, target, progress=lambda it: told.append(it.moved))
    assert report.is_complete and report.refused == [] and report.already_there == 0
    assert report.found == report.moved == len(keys) and told == [*range(1, len(keys) + 1)]
    plain_source, plain_target = mover.source(), mover.target()
    for key in keys:
        record = run(plain_source.load(*key))
        assert run(plain_target.load(*key)) == record  # its time, too
        assert dict(record["state"]) == VALUES[key[2]]
    assert run(plain_target.list_app_ids("p")) == ["%", "b:c", "a"]
    assert run(plain_target.list_partition_keys()) == ["", "p", "q:r"]
    assert dump(admin, "old:*") == before
    again = mover(source, target)
    assert again.is_complete and (again.moved, again.already_there) == (0, len(keys))
    assert again.source_digest == report.source_digest


@pytest.mark.parametrize(
    "name", ["SQLitePersister", "InMemoryPersister", "RedisBasePersister", "BurrRedisPersister"]
)
def test_to_any_persister(
    mover: Mover, burr: Burr, run: Run, tmp_path: Path, server: RedisServer, name: str
) -> None:
    keys = fill(burr)
    if name == "InMemoryPersister":
        target = getattr(persistry, mover.prefix + name)()
    elif name == "SQLitePersister":
        target = mover.of(name, str(tmp_path / "new.db"))
    else:
        target = mover.of(name, *server.address, 0, namespace="new")
    if name == "SQLitePersister":
        with pytest.raises(errors.NotInitializedError):
            mover(mover.source(), target)
    run(target.initialize())
    assert mover(mover.source(), target).moved == len(keys)
    source = mover.source()
    for key in keys:
        assert run(target.load(*key)) == run(source.load(*key))
    assert mover(mover.source(), target).already_there == len(keys)


def test_a_dry_run_changes_nothing(mover: Mover, burr: Burr, admin: redis.Redis) -> None:
    keys = fill(burr)
    burr.save("p", "x" * 600, 0, "s", BurrState({}), "completed")
    before = dump(admin, "*")
    source, target = mover.source(), mover.target()
    report = mover(source, target, dry_run=True)
    assert report.dry_run and not report.is_complete
    assert (report.moved, report.already_there) == (len(keys), 0)
    assert [it.why for it in report.refused if "512 bytes" in it.why]
    assert dump(admin, "*") == before
    done = mover(source, target)
    assert (done.moved, done.refused) == (report.moved, report.refused)
    assert mover(source, target, dry_run=True).already_there == len(keys)


def test_what_was_saved_here_is_moved_exactly(mover: Mover, run: Run, admin: redis.Redis) -> None:
    """Tagged values, and those of a type that the process that moves does not know."""

    class Point:
        pass

    source, target = mover.source(), mover.target()
    register_type(Point, "tests.move.Point", lambda _: [1, {2}], lambda _: Point())
    try:
        values = {"t": (1, {2, 3}), "p": Point(), "n": 10**5000}
        run(source.save("p", "a", 0, "s", State(values), "failed"))
    finally:
        del registry.by_class[Point]
        known = registry.by_name.pop("tests.move.Point")
    assert mover(source, target).is_complete
    assert mover(source, target).already_there == 1
    registry.by_name["tests.move.Point"] = known
    try:
        found = run(target.load("p", "a"))
    finally:
        del registry.by_name["tests.move.Point"]
    assert found["state"]["t"] == (1, {2, 3}) and type(found["state"]["p"]) is Point
    assert found["state"]["n"] == 10**5000 and found["status"] == "failed"


def test_other_namespaces_stay(mover: Mover, burr: Burr, admin: redis.Redis, run: Run) -> None:
    fill(burr)
    bare, near = Burr(admin), Burr(admin, namespace="old:er")
    bare.save("old", "a", 9, "s", BurrState({"of": "none"}), "completed")
    near.save("p", "z", 0, "s", BurrState({"of": "old:er"}), "completed")
    admin.hset("old:thing", mapping={"created_at": "1", "state": "x", "app_id": "y"})
    admin.set("old:text", "x")
    admin.zadd("scores", {f"player {n}": n for n in range(50)})
    report = mover(mover.source(), mover.target())
    assert report.is_complete and report.found == 45 and report.elsewhere == 2
    report = mover(mover.source(namespace=None), mover.target("none"))
    assert report.is_complete and report.found == 1 and report.elsewhere == 46
    report = mover(mover.source(namespace="old:er"), mover.target("er"))
    assert report.is_complete and (report.found, report.elsewhere) == (1, 0)


def test_what_is_broken_is_reported(mover: Mover, burr: Burr, admin: redis.Redis, run: Run) -> None:
    """By its key and why; everything else is moved, and nothing is guessed."""
    keys = fill(burr)
    for n in range(9):
        burr.save("bad", f"app-{n}", 0, "s", BurrState({}), "completed")
    admin.hset("old:bad:app-0:0", "state", "{")
    admin.hdel("old:bad:app-1:0", "status")
    admin.hset("old:bad:app-2:0", "position", b"\xff")
    admin.hset("old:bad:app-3:0", "app_id", "another")
    admin.hset("old:bad:app-4:0", "sequence_id", "07")
    admin.hset("old:bad:app-5:0", "created_at", "yesterday")
    admin.hdel("old:bad:app-6:0", "app_id")
    admin.unlink("old:bad:app-7:0")
    before = dump(admin, "old:*")
    report = mover(mover.source(), mover.target())
    assert not report.is_complete and report.moved == len(keys) + 1
    assert report.found == len(keys) + 8
    why: dict[str, list[str]] = {}
    for it in report.refused:
        why.setdefault(it.key, []).append(it.why)
    words = ["not JSON", "'status'", "utf-8", "'another'", "'07'", "yesterday", "'app_id'"]
    for n, word in enumerate(words):
        (text,) = why.pop(f"old:bad:app-{n}:0")
        assert word in text, text
    assert [it for it in why["old:bad"] if "'app-7'" in it and "no such record" in it]
    assert dump(admin, "old:*") == before
    for n in range(8):
        assert run(mover.target().load("bad", f"app-{n}", 0)) is None


def test_an_entry_whose_records_are_older(mover: Mover, admin: redis.Redis) -> None:
    """Without a namespace others have sorted sets, too; a record is there for this partition."""
    burr = Burr(admin)
    for step in (0, 5):
        burr.save("p", "app", step, "s", BurrState({}), "completed")
    admin.unlink("p:app:5")
    admin.zadd("scores", {"app": 5})
    report = mover(mover.source(namespace=None), mover.target())
    assert (report.found, report.moved, report.is_complete) == (1, 1, False)
    assert [(it.key, "'app' at sequence 5" in it.why) for it in report.refused] == [("p", True)]
    assert report.unclear == ["scores"]


def test_a_partition_without_any_record(mover: Mover, admin: redis.Redis) -> None:
    """In a namespace it is ours. Without one, nobody can say; it is named and not counted."""
    for burr in (Burr(admin), Burr(admin, namespace="old")):
        burr.save("p", "app", 3, "s", BurrState({}), "completed")
        burr.save("q", "app", 3, "s", BurrState({}), "completed")
    admin.unlink("p:app:3", "old:p:app:3")
    report = mover(mover.source(namespace=None), mover.target())
    assert ({*report.unclear}, report.refused, report.is_complete) == ({"p", "old:p"}, [], True)
    report = mover(mover.source(), mover.target())
    assert (report.unclear, [it.key for it in report.refused]) == ([], ["old:p"])


def test_a_target_that_went_on(mover: Mover, burr: Burr, run: Run) -> None:
    """What somebody saved there meanwhile is neither changed nor taken for what is moved."""
    for step in range(4):
        burr.save("p", "a", step, "s", BurrState({"n": step}), "completed")
    source, target = mover.source(), mover.target()
    run(target.save("p", "a", 1, "s", State({"n": 7}), "completed"))
    run(target.save("p", "a", 2, "t", State({"n": 2}), "completed"))
    run(target.save("p", "a", 3, "s", State({"n": 3}), "failed"))
    report = mover(source, target)
    assert (report.moved, report.already_there, len(report.refused)) == (1, 0, 3)
    keys = [
        (it.key, word in it.why)
        for it, word in zip(report.refused, ("another", "'t'", "another"), strict=True)
    ]
    assert keys == [(f"old:p:a:{n}", True) for n in (1, 2, 3)]
    assert run(target.load("p", "a", 2))["position"] == "t"
    assert dict(run(target.load("p", "a", 1))["state"]) == {"n": 7}


def test_records_that_burr_lost_sight_of(
    mover: Mover, burr: Burr, admin: redis.Redis, run: Run
) -> None:
    """Saved, but not listed, because it died in between; and Burr goes on during the move."""
    fill(burr)
    admin.unlink("old:p")
    burr.save("p", "late", 0, "s", BurrState({}), "completed")
    source, target = mover.source(), mover.target()

    def meanwhile(report: MoveReport) -> None:
        if report.moved == 5:
            burr.save("p", "later", 0, "s", BurrState({}), "completed")
            admin.unlink("old:p:%:4")

    report = mover(source, target, progress=meanwhile)
    assert [(it.key, it.why) for it in report.refused] == [
        ("old:p:%:4", "it has been removed meanwhile")
    ]
    assert run(target.load("p", "a"))["sequence_id"] == 4
    again = mover(source, target)
    assert again.is_complete and (again.moved, again.found) == (1, 46)
    assert run(target.list_app_ids("p"))[:2] == ["later", "late"]


def test_the_page(server: RedisServer, burr: Burr, capsys: pytest.CaptureFixture[str]) -> None:
    """What docs/formats.md shows does what it says."""
    keys = fill(burr)
    page = (Path(__file__).parents[1] / "docs" / "formats.md").read_text()
    (block,) = re.findall(r"^```python\n(.*?bring_over.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    for line in (f"{len(keys)} 0 True", f"0 {len(keys)} True"):
        names["bring_over"](*server.address, "old")
        assert capsys.readouterr().out == f"{line}\n"


SCRIPT = """
import sys
from persistry import BurrRedisPersister, RedisBasePersister, move
where = ("127.0.0.1", int(sys.argv[1]), 0)
with BurrRedisPersister.from_values(*where, namespace="old") as source, \\
        RedisBasePersister.from_values(*where, namespace="new") as target:
    move(source, target, progress=lambda report: print(report.moved, flush=True))
"""


def test_killed_at_any_moment(server: RedisServer, burr: Burr, admin: redis.Redis) -> None:
    """And begun again each time: in the end everything is there, in its order."""
    keys = fill(burr)
    there = 0
    for kill_at in (1, 2, 3, 5, 8, 13):
        child = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(server.port)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) == kill_at:
                time.sleep(kill_at / 3000)
                break
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
        there += kill_at
    mover = Mover("sync", server.address, lambda value: value)
    source, target = mover.source(), mover.target()
    report = mover(source, target)
    assert report.is_complete and report.moved + report.already_there == len(keys)
    assert report.already_there >= there
    for key in keys:
        assert target.load(*key) == source.load(*key)
    assert target.list_app_ids("p") == ["%", "b:c", "a"]
    mover.made[0].cleanup(), mover.made[1].cleanup()


def test_a_source_that_goes_away(server: RedisServer, burr: Burr) -> None:
    fill(burr)
    with RedisServer() as other:
        mover = Mover("sync", server.address, lambda value: value)
        source = mover.source()
        target = persistry.RedisBasePersister.from_values(*other.address, 0)

        def stop(report: MoveReport) -> None:
            if report.moved == 7:
                other.stop()

        with pytest.raises(errors.PersisterUnavailableError):
            move(source, target, progress=stop)
        other.start()
        report = mover(source, target)
        assert report.is_complete and report.already_there >= 7
        target.cleanup(), source.cleanup()


def test_what_cannot_be_moved(mover: Mover, run: Run) -> None:
    source, target = mover.source(), mover.target()
    other = Mover("async" if mover.prefix == "" else "sync", mover.where, run)
    function = amove if mover.prefix else move
    for wrong in (
        (target, source),
        (source, {}),
        (None, target),
        (source, other.target()),
        (other.source(), target),
        (source, type(target)),
        (type(source), target),
    ):
        with pytest.raises(TypeError, match=r"source|target"):
            run(function(*wrong))
    for name, wrong in (("target", (source, type(target))), ("source", (type(source), target))):
        with pytest.raises(TypeError, match=rf"the {name} must be a persister, not the class"):
            run(function(*wrong))
    for persister in other.made:
        run(persister.cleanup())


def test_a_client_that_decodes(server: RedisServer, burr: Burr) -> None:
    keys = fill(burr)
    for protocol in (2, 3):
        client = redis.Redis(*server.address, decode_responses=True, protocol=protocol)
        source = persistry.BurrRedisPersister(client, namespace="old")
        target = persistry.InMemoryPersister()
        assert move(source, target).moved == len(keys)
        client.close()


def test_ten_at_once(server: RedisServer, burr: Burr) -> None:
    """Several may move at the same time; each record is there once."""
    keys = fill(burr)

    async def all_of_them() -> list[MoveReport]:
        client = redis.asyncio.Redis(host=server.address[0], port=server.port)
        source = persistry.AsyncBurrRedisPersister(client, namespace="old")
        other = redis.asyncio.Redis(host=server.address[0], port=server.port)
        target = persistry.AsyncRedisBasePersister(other, namespace="new")
        reports = await asyncio.gather(*(amove(source, target) for _ in range(10)))
        await client.aclose()
        await other.aclose()
        return reports

    for report in asyncio.run(all_of_them()):
        assert report.is_complete and report.found == len(keys)
