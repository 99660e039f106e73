# Code generated from templates/conformance/behaviours/extreme_tagged_values.py.jinja by `make generate`. DO NOT EDIT.
"""Values beyond JSON that a scenario cannot write down, sync: deep, many, ambiguous."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from math import inf, nan
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ..errors import StateConflictError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, fixture, marks

COLOUR = "sync"
pytestmark = marks


@fixture
def keep(store: Store) -> Iterator[Opened]:
    """Closes after the test what was opened in it."""
    with Opened() as opened:
        yield opened


@fixture
def fresh(store: Store, keep: Opened) -> Any:
    """A persister on a store that was never initialised."""
    return keep(store.open())


@fixture
def persister(fresh: Any) -> Any:
    """A persister on an empty store."""
    fresh.initialize()
    return fresh


BERLIN = ZoneInfo("Europe/Berlin")
TWICE = datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN)  # the clocks show it two times that night


def expect_kept(persister: Any, values: dict[str, Any]) -> None:
    """The values come back from every kind of load, and may be saved again."""
    save = partial(persister.save, "p", "a", 1, "x", State(values), "completed")
    save()
    for load in (("p", "a"), ("p", "a", 1), ("p", None)):
        expect.state(persister.load(*load), values)
    save()


def expect_conflict(persister: Any, values: dict[str, Any]) -> None:
    """The values are another state than the one that was kept."""
    with pytest.raises(StateConflictError):
        persister.save("p", "a", 1, "x", State(values), "completed")


@pytest.mark.promise(6)
@pytest.mark.parametrize("levels", [100, 126, 127, 128, 1000, 10_000])
def test_deep_tuples_come_back(persister: Any, levels: int) -> None:
    """Tuples may be nested as deep as memory allows."""
    value: Any = "core"
    for level in range(levels):
        value = (value, level) if level % 2 else [value]
    expect_kept(persister, {"deep": value})


@pytest.mark.promise(5, 6)
def test_times_that_the_clocks_show_twice(persister: Any) -> None:
    """A time that the clocks show twice comes back as the one of the two that it was."""
    expect_kept(persister, {"v": TWICE, "w": TWICE.replace(fold=1)})
    expect_conflict(persister, {"v": TWICE.replace(fold=1), "w": TWICE.replace(fold=1)})


@pytest.mark.promise(6)
def test_what_a_datetime_says_beside_its_text(persister: Any) -> None:
    """The zone, its name and the fold come back, of datetimes and times, wherever they stand."""
    named = timezone(timedelta(hours=-3, minutes=-30), "here")
    odd = timezone(timedelta(microseconds=1))
    naive = datetime(2024, 1, 1, fold=1)
    values = [
        naive,
        naive.replace(tzinfo=named),
        naive.replace(tzinfo=odd),
        naive.astimezone(UTC),
        time(1, fold=1),
        time(1, tzinfo=named),
        time(1, tzinfo=BERLIN),
        date(1, 1, 1),
        datetime.min.replace(tzinfo=BERLIN),
        datetime.max.replace(tzinfo=BERLIN),
    ]
    expect_kept(persister, {"l": values, "t": tuple(values)})
    found = persister.load("p", "a")
    zones = [
        it.tzinfo
        for it in found["state"]["l"]
        if not isinstance(it, date) or isinstance(it, datetime)
    ]
    assert [repr(it) for it in zones if it is not None].count(repr(BERLIN)) == 3
    assert zones[6] is BERLIN


@pytest.mark.promise(6)
def test_large_sets_come_back(persister: Any) -> None:
    """Thousands of members of a set come back, whatever order they were put in."""
    shuffled = random.Random(1)
    members: list[Any] = [uuid.UUID(int=shuffled.getrandbits(128)) for _ in range(500)]
    members += [*range(500), *map(str, range(500)), *((n, -n) for n in range(500))]
    shuffled.shuffle(members)
    expect_kept(persister, {"s": set(members), "f": frozenset(members)})
    members.reverse()
    same = State({"f": frozenset(members), "s": set(members)})
    persister.save("p", "a", 1, "x", same, "completed")
    expect_conflict(persister, {"s": set(members), "f": frozenset(members[1:])})


@pytest.mark.promise(6)
def test_several_nans_in_a_set_come_back(persister: Any) -> None:
    """A set may hold several NaNs, which are equal to nothing; as many come back."""
    several = {float("nan") for _ in range(5)} | {(float("nan"), n) for n in (1, 1, 2)}
    expect_kept(
        persister, {"s": several, "f": frozenset({Decimal("nan"), Decimal("nan"), inf, nan})}
    )
    found = persister.load("p", "a")
    assert [len(found["state"][name]) for name in "sf"] == [8, 4]


@pytest.mark.promise(6)
def test_decimals_of_any_length_come_back(persister: Any) -> None:
    """Decimals of thousands of digits and of extreme exponents come back digit by digit."""
    long = Decimal((1, tuple(range(10)) * 2000, -7))
    extremes = [
        Decimal("1E+999999999999999999"),
        Decimal("-1E-1999999999999999997"),
        Decimal("0E-30"),
    ]
    expect_kept(persister, {"long": long, "l": extremes, "nan": Decimal("-sNaN" + "9" * 5000)})


@pytest.mark.promise(6)
def test_every_byte_comes_back(persister: Any) -> None:
    """Bytes of every value and of every length come back."""
    every = bytes(range(256)) * 300
    expect_kept(persister, {"all": every, "l": [every[:n] for n in range(300)]})
