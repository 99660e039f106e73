# Code generated from spec/conformance/tagged_values.yaml by `make generate`. DO NOT EDIT.
"""Tagged values: the scenarios of spec/conformance/tagged_values.yaml, async."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from ..errors import StateConflictError
from ..state import State
from .support import expect
from .support.column import Store
from .support.together_async import Opened, fixture, marks

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


@pytest.mark.promise(6)
async def test_tuples_come_back(persister: Any) -> None:
    """Tuples come back as tuples, the empty one and those inside others too."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State({"t": (1, "a"), "empty": (), "inner": ((1,), [()], {"k": (None,)})}),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {"t": (1, "a"), "empty": (), "inner": ((1,), [()], {"k": (None,)})},
    )


@pytest.mark.promise(6)
async def test_tuples_and_lists_stay_apart(persister: Any) -> None:
    """A list in a tuple and a tuple in a list stay what they are."""
    await persister.save(
        "p", "a", 1, "x", State({"l": [1, (2, [3])], "t": (1, [2, (3,)])}), "completed"
    )
    expect.state(await persister.load("p", "a"), {"l": [1, (2, [3])], "t": (1, [2, (3,)])})


@pytest.mark.promise(6)
async def test_sets_come_back(persister: Any) -> None:
    """Sets come back, whatever is in them."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "s": {"", "a", 0.5, 1, None},
                "empty": set(),
                "frozen": frozenset({"a", 1}),
                "none": frozenset(),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "s": {"", "a", 0.5, 1, None},
            "empty": set(),
            "frozen": frozenset({"a", 1}),
            "none": frozenset(),
        },
    )


@pytest.mark.promise(6)
async def test_sets_of_tuples_and_sets_come_back(persister: Any) -> None:
    """Tuples and frozensets come back as members of sets."""
    await persister.save(
        "p", "a", 1, "x", State({"s": {(), (1, (2,)), frozenset({2, frozenset({1})})}}), "completed"
    )
    expect.state(
        await persister.load("p", "a"), {"s": {(), (1, (2,)), frozenset({2, frozenset({1})})}}
    )


@pytest.mark.promise(6)
async def test_members_of_sets_keep_their_types(persister: Any) -> None:
    """1, 1.0, true and -0.0 come back as what they are from a set."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "whole": {0, 1},
                "part": {-0.0, 1.0},
                "yes": {False, True},
                "frozen": frozenset({-0.0}),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {"whole": {0, 1}, "part": {-0.0, 1.0}, "yes": {False, True}, "frozen": frozenset({-0.0})},
    )


@pytest.mark.promise(6)
async def test_nan_in_a_set_comes_back(persister: Any) -> None:
    """NaN and the infinities come back from sets and tuples."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "s": {float("-inf"), float("inf"), float("nan")},
                "t": (float("nan"), frozenset({(float("nan"),)})),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "s": {float("-inf"), float("inf"), float("nan")},
            "t": (float("nan"), frozenset({(float("nan"),)})),
        },
    )


@pytest.mark.promise(6)
async def test_bytes_come_back(persister: Any) -> None:
    """Bytes of every value come back, none at all too."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State({"b": b"\x00\x01\x7f\x80\xff", "none": b"", "text": b"hello"}),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {"b": b"\x00\x01\x7f\x80\xff", "none": b"", "text": b"hello"},
    )


@pytest.mark.promise(6)
async def test_datetimes_come_back(persister: Any) -> None:
    """Datetimes come back, with and without a time zone, to the microsecond."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "naive": datetime.datetime(2024, 2, 29, 23, 59, 59, 999999),
                "utc": datetime.datetime(2024, 7, 1, 0, 0, tzinfo=datetime.UTC),
                "east": datetime.datetime(
                    2024, 7, 1, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=19800))
                ),
                "west": datetime.datetime(
                    2024,
                    7,
                    1,
                    0,
                    0,
                    tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=73785)),
                ),
                "first": datetime.datetime(1, 1, 1, 0, 0),
                "last": datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "naive": datetime.datetime(2024, 2, 29, 23, 59, 59, 999999),
            "utc": datetime.datetime(2024, 7, 1, 0, 0, tzinfo=datetime.UTC),
            "east": datetime.datetime(
                2024, 7, 1, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=19800))
            ),
            "west": datetime.datetime(
                2024,
                7,
                1,
                0,
                0,
                tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=73785)),
            ),
            "first": datetime.datetime(1, 1, 1, 0, 0),
            "last": datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
        },
    )


@pytest.mark.promise(6)
async def test_datetimes_keep_their_time_zone(persister: Any) -> None:
    """A datetime of a named time zone comes back in that zone."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "summer": datetime.datetime(
                    2024, 7, 1, 12, 30, tzinfo=zoneinfo.ZoneInfo(key="Europe/Berlin")
                ),
                "winter": datetime.datetime(
                    2024, 12, 1, 12, 30, tzinfo=zoneinfo.ZoneInfo(key="Europe/Berlin")
                ),
                "utc": datetime.datetime(
                    2024, 7, 1, 12, 30, tzinfo=zoneinfo.ZoneInfo(key="Etc/UTC")
                ),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "summer": datetime.datetime(
                2024, 7, 1, 12, 30, tzinfo=zoneinfo.ZoneInfo(key="Europe/Berlin")
            ),
            "winter": datetime.datetime(
                2024, 12, 1, 12, 30, tzinfo=zoneinfo.ZoneInfo(key="Europe/Berlin")
            ),
            "utc": datetime.datetime(2024, 7, 1, 12, 30, tzinfo=zoneinfo.ZoneInfo(key="Etc/UTC")),
        },
    )


@pytest.mark.promise(6)
async def test_dates_and_times_come_back(persister: Any) -> None:
    """Dates, times of day and durations come back."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "date": datetime.date(2024, 2, 29),
                "first": datetime.date(1, 1, 1),
                "time": datetime.time(12, 30, 0, 1),
                "midnight": datetime.time(0, 0),
                "zoned": datetime.time(
                    12, 30, tzinfo=datetime.timezone(datetime.timedelta(seconds=7200))
                ),
                "long": datetime.timedelta(days=999999999, microseconds=1),
                "back": datetime.timedelta(days=-1, seconds=1),
                "none": datetime.timedelta(0),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "date": datetime.date(2024, 2, 29),
            "first": datetime.date(1, 1, 1),
            "time": datetime.time(12, 30, 0, 1),
            "midnight": datetime.time(0, 0),
            "zoned": datetime.time(
                12, 30, tzinfo=datetime.timezone(datetime.timedelta(seconds=7200))
            ),
            "long": datetime.timedelta(days=999999999, microseconds=1),
            "back": datetime.timedelta(days=-1, seconds=1),
            "none": datetime.timedelta(0),
        },
    )


@pytest.mark.promise(6)
async def test_decimals_come_back(persister: Any) -> None:
    """Decimals come back digit by digit, trailing zeros, exponent and sign included."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "n": [
                    Decimal("1.5"),
                    Decimal("1.50"),
                    Decimal("-0"),
                    Decimal("0.00"),
                    Decimal("1E+3"),
                    Decimal("1E-30"),
                    Decimal("123456789012345678901234567890.123456789012345678901234567890"),
                ]
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "n": [
                Decimal("1.5"),
                Decimal("1.50"),
                Decimal("-0"),
                Decimal("0.00"),
                Decimal("1E+3"),
                Decimal("1E-30"),
                Decimal("123456789012345678901234567890.123456789012345678901234567890"),
            ]
        },
    )


@pytest.mark.promise(6)
async def test_special_decimals_come_back(persister: Any) -> None:
    """NaNs and infinities of Decimal come back, with sign and payload."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "n": [
                    Decimal("NaN"),
                    Decimal("sNaN"),
                    Decimal("-NaN123"),
                    Decimal("Infinity"),
                    Decimal("-Infinity"),
                ]
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "n": [
                Decimal("NaN"),
                Decimal("sNaN"),
                Decimal("-NaN123"),
                Decimal("Infinity"),
                Decimal("-Infinity"),
            ]
        },
    )


@pytest.mark.promise(6)
async def test_uuids_come_back(persister: Any) -> None:
    """UUIDs come back as UUIDs."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "u": UUID("01234567-89ab-cdef-0123-456789abcdef"),
                "zero": UUID("00000000-0000-0000-0000-000000000000"),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "u": UUID("01234567-89ab-cdef-0123-456789abcdef"),
            "zero": UUID("00000000-0000-0000-0000-000000000000"),
        },
    )


@pytest.mark.promise(6)
async def test_every_kind_of_value_is_a_member_of_a_set(persister: Any) -> None:
    """What can be in a set comes back from it."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "s": {
                    (Decimal("2.0"),),
                    Decimal("1.5"),
                    UUID("01234567-89ab-cdef-0123-456789abcdef"),
                    b"x",
                    datetime.date(2024, 7, 1),
                    datetime.datetime(2024, 7, 1, 0, 0),
                    datetime.time(12, 30),
                    datetime.timedelta(days=1),
                }
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "s": {
                (Decimal("2.0"),),
                Decimal("1.5"),
                UUID("01234567-89ab-cdef-0123-456789abcdef"),
                b"x",
                datetime.date(2024, 7, 1),
                datetime.datetime(2024, 7, 1, 0, 0),
                datetime.time(12, 30),
                datetime.timedelta(days=1),
            }
        },
    )


@pytest.mark.promise(6)
async def test_values_in_lists_and_objects(persister: Any) -> None:
    """Such values come back from lists and objects, however deep."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "l": [[Decimal("1.5"), {"o": {"d": datetime.date(2024, 7, 1), "l": [{1}]}}]],
                "o": {"o": {"o": b"x"}},
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "l": [[Decimal("1.5"), {"o": {"d": datetime.date(2024, 7, 1), "l": [{1}]}}]],
            "o": {"o": {"o": b"x"}},
        },
    )


@pytest.mark.promise(6)
async def test_values_beside_extreme_ones(persister: Any) -> None:
    """Such values come back beside those that JSON texts have trouble with."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "t": (1,),
                "nan": float("nan"),
                "big": 123456789012345678901234567890,
                "lone": "\ud83d",
                "pair": "\ud83d\ude00",
                "\x00": "\U0001f600",
                "minus": -0.0,
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "t": (1,),
            "nan": float("nan"),
            "big": 123456789012345678901234567890,
            "lone": "\ud83d",
            "pair": "\ud83d\ude00",
            "\x00": "\U0001f600",
            "minus": -0.0,
        },
    )


@pytest.mark.promise(6)
async def test_extreme_values_in_tuples_and_sets(persister: Any) -> None:
    """What JSON texts have trouble with comes back from tuples and sets."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "t": (float("inf"), 123456789012345678901234567890, "\ud83d", "\ud83d\ude00", -0.0),
                "s": {"\U0001f600", "\ud83d\ude00", "\ude00", 18446744073709551616},
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "t": (float("inf"), 123456789012345678901234567890, "\ud83d", "\ud83d\ude00", -0.0),
            "s": {"\U0001f600", "\ud83d\ude00", "\ude00", 18446744073709551616},
        },
    )


@pytest.mark.promise(6)
async def test_our_mark_beside_values(persister: Any) -> None:
    """Objects that look like our own tags are data beside real ones."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "t": (1,),
                "l": [
                    {"__persistry__": ["tuple", [1]]},
                    {"__persistry__": ["set", [1, 1]]},
                    {"__persistry__": ["decimal", "x"]},
                ],
                "o": {"__persistry__": ({"__persistry__": None},)},
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "t": (1,),
            "l": [
                {"__persistry__": ["tuple", [1]]},
                {"__persistry__": ["set", [1, 1]]},
                {"__persistry__": ["decimal", "x"]},
            ],
            "o": {"__persistry__": ({"__persistry__": None},)},
        },
    )


@pytest.mark.promise(6)
async def test_our_mark_as_a_field_beside_a_value(persister: Any) -> None:
    """A state that looks like one of our own tags is data."""
    await persister.save("p", "a", 1, "x", State({"__persistry__": ("tuple", [1, 2])}), "completed")
    expect.state(await persister.load("p", "a"), {"__persistry__": ("tuple", [1, 2])})


@pytest.mark.promise(6)
async def test_our_mark_of_a_registered_type_is_data(persister: Any) -> None:
    """Objects that look like a tag of a registered type are data and lead to no class."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "l": [
                    {"__persistry__": ["os.system", "true"]},
                    {"__persistry__": ["shop.Order", {}]},
                ],
                "t": ({"__persistry__": ["os.system", "true"]},),
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "l": [{"__persistry__": ["os.system", "true"]}, {"__persistry__": ["shop.Order", {}]}],
            "t": ({"__persistry__": ["os.system", "true"]},),
        },
    )


@pytest.mark.promise(6)
async def test_marks_of_others_beside_values(persister: Any) -> None:
    """Objects that look like what another library stores are data, with and without values
    beside them.
    """
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "l": [
                    {"__burr_serde__": "pickle", "value": "gASVCAAAAAAAAACMBG5vbmWULg=="},
                    ({"__burr_serde__": "datetime"},),
                ],
                "o": {"py/object": "builtins.set", "$date": 0, "__type__": "tuple"},
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "l": [
                {"__burr_serde__": "pickle", "value": "gASVCAAAAAAAAACMBG5vbmWULg=="},
                ({"__burr_serde__": "datetime"},),
            ],
            "o": {"py/object": "builtins.set", "$date": 0, "__type__": "tuple"},
        },
    )


@pytest.mark.promise(6)
async def test_texts_of_values_are_texts(persister: Any) -> None:
    """Texts that look like what is stored for such values stay texts."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "l": [
                    "(1, 2)",
                    "2024-07-01",
                    "1.50",
                    "eA==",
                    Decimal("1.50"),
                    datetime.date(2024, 7, 1),
                ],
                "k": {"2024-07-01": datetime.date(2024, 7, 1)},
            }
        ),
        "completed",
    )
    expect.state(
        await persister.load("p", "a"),
        {
            "l": [
                "(1, 2)",
                "2024-07-01",
                "1.50",
                "eA==",
                Decimal("1.50"),
                datetime.date(2024, 7, 1),
            ],
            "k": {"2024-07-01": datetime.date(2024, 7, 1)},
        },
    )


@pytest.mark.promise(6)
async def test_tagged_state_at_a_sequence(persister: Any) -> None:
    """A load at a sequence reads the same values as a load of the latest."""
    await persister.save("p", "a", 1, "x", State({"t": (1, {2}), "d": Decimal("1.0")}), "completed")
    await persister.save("p", "a", 2, "x", State({}), "completed")
    expect.state(await persister.load("p", "a", 1), {"t": (1, {2}), "d": Decimal("1.0")})


@pytest.mark.promise(6)
async def test_tagged_state_of_a_partition(persister: Any) -> None:
    """A load of the latest of a partition reads the same values."""
    await persister.save("p", "a", 1, "x", State({"t": (1, {2}), "d": Decimal("1.0")}), "completed")
    expect.state(await persister.load("p", None), {"t": (1, {2}), "d": Decimal("1.0")})


@pytest.mark.promise(5)
async def test_same_values_again_are_accepted(persister: Any) -> None:
    """A state of such values may be saved again."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "t": (1, []),
                "s": {"a", (2,), 1},
                "b": b"x",
                "d": datetime.datetime(
                    2024, 7, 1, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=7200))
                ),
                "n": Decimal("1.50"),
                "u": UUID("01234567-89ab-cdef-0123-456789abcdef"),
            }
        ),
        "completed",
    )
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "t": (1, []),
                "s": {"a", (2,), 1},
                "b": b"x",
                "d": datetime.datetime(
                    2024, 7, 1, 0, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=7200))
                ),
                "n": Decimal("1.50"),
                "u": UUID("01234567-89ab-cdef-0123-456789abcdef"),
            }
        ),
        "completed",
    )


@pytest.mark.promise(5)
async def test_same_values_in_another_order_are_accepted(persister: Any) -> None:
    """Neither the order of a set nor that of an object counts."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State({"s": {"a", "b", "c", "d", 1, 2}, "o": {"x": (1,), "y": 2}}),
        "completed",
    )
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State({"o": {"y": 2, "x": (1,)}, "s": {"a", "b", "c", "d", 1, 2}}),
        "completed",
    )


@pytest.mark.promise(5)
async def test_nan_again_is_accepted(persister: Any) -> None:
    """NaN is the same as NaN in tuples, sets and Decimals."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "t": (float("nan"),),
                "s": {(float("nan"), 1), float("nan")},
                "d": Decimal("NaN"),
                "signal": Decimal("sNaN7"),
            }
        ),
        "completed",
    )
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "t": (float("nan"),),
                "s": {(float("nan"), 1), float("nan")},
                "d": Decimal("NaN"),
                "signal": Decimal("sNaN7"),
            }
        ),
        "completed",
    )


@pytest.mark.promise(5)
async def test_our_mark_again_is_accepted(persister: Any) -> None:
    """An object that looks like a tag may be saved again."""
    await persister.save(
        "p", "a", 1, "x", State({"o": {"__persistry__": ["tuple", [1]]}, "t": (1,)}), "completed"
    )
    await persister.save(
        "p", "a", 1, "x", State({"o": {"__persistry__": ["tuple", [1]]}, "t": (1,)}), "completed"
    )


@pytest.mark.promise(5)
async def test_list_is_no_tuple(persister: Any) -> None:
    """A list where a tuple was stored is another state."""
    await persister.save("p", "a", 1, "x", State({"v": (1, 2)}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": [1, 2]}), "completed")
    expect.state(await persister.load("p", "a"), {"v": (1, 2)})


@pytest.mark.promise(5)
async def test_tuple_is_no_list(persister: Any) -> None:
    """A tuple where a list was stored is another state."""
    await persister.save("p", "a", 1, "x", State({"v": [1, 2]}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": (1, 2)}), "completed")
    expect.state(await persister.load("p", "a"), {"v": [1, 2]})


@pytest.mark.promise(5)
async def test_frozenset_is_no_set(persister: Any) -> None:
    """A frozenset where a set was stored is another state."""
    await persister.save("p", "a", 1, "x", State({"v": {1, 2}}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": frozenset({1, 2})}), "completed")
    expect.state(await persister.load("p", "a"), {"v": {1, 2}})


@pytest.mark.promise(5)
async def test_bytes_are_no_text(persister: Any) -> None:
    """Bytes where a text was stored are another state."""
    await persister.save("p", "a", 1, "x", State({"v": "abc"}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": b"abc"}), "completed")
    expect.state(await persister.load("p", "a"), {"v": "abc"})


@pytest.mark.promise(5)
async def test_date_is_no_datetime(persister: Any) -> None:
    """A date where a datetime was stored is another state."""
    await persister.save(
        "p", "a", 1, "x", State({"v": datetime.datetime(2024, 7, 1, 0, 0)}), "completed"
    )
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": datetime.date(2024, 7, 1)}), "completed")
    expect.state(await persister.load("p", "a"), {"v": datetime.datetime(2024, 7, 1, 0, 0)})


@pytest.mark.promise(5)
async def test_date_is_no_text(persister: Any) -> None:
    """A text where a date was stored is another state."""
    await persister.save("p", "a", 1, "x", State({"v": datetime.date(2024, 7, 1)}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": "2024-07-01"}), "completed")
    expect.state(await persister.load("p", "a"), {"v": datetime.date(2024, 7, 1)})


@pytest.mark.promise(5)
async def test_other_member_of_a_set_is_refused(persister: Any) -> None:
    """A set with another member is another state."""
    await persister.save("p", "a", 1, "x", State({"v": {1, 2}}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": {1, 3}}), "completed")
    expect.state(await persister.load("p", "a"), {"v": {1, 2}})


@pytest.mark.promise(5)
async def test_true_in_a_set_is_not_one(persister: Any) -> None:
    """true where 1 was a member of a set is another state."""
    await persister.save("p", "a", 1, "x", State({"v": {1, 2}}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": {2, True}}), "completed")
    expect.state(await persister.load("p", "a"), {"v": {1, 2}})


@pytest.mark.promise(5)
async def test_minus_zero_in_a_set_is_not_zero(persister: Any) -> None:
    """-0.0 where 0.0 was a member of a set is another state."""
    await persister.save("p", "a", 1, "x", State({"v": frozenset({0.0})}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": frozenset({-0.0})}), "completed")
    expect.state(await persister.load("p", "a"), {"v": frozenset({0.0})})


@pytest.mark.promise(5)
async def test_equal_decimals_of_other_digits_are_refused(persister: Any) -> None:
    """1.50 and 1.5 are equal Decimals, but not the same."""
    await persister.save("p", "a", 1, "x", State({"v": Decimal("1.50")}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": Decimal("1.5")}), "completed")
    expect.state(await persister.load("p", "a"), {"v": Decimal("1.50")})


@pytest.mark.promise(5)
async def test_float_is_no_decimal(persister: Any) -> None:
    """A float where a Decimal was stored is another state."""
    await persister.save("p", "a", 1, "x", State({"v": Decimal("1.5")}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": 1.5}), "completed")
    expect.state(await persister.load("p", "a"), {"v": Decimal("1.5")})


@pytest.mark.promise(5)
async def test_same_moment_in_another_zone_is_refused(persister: Any) -> None:
    """One moment written with two offsets is two states."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "v": datetime.datetime(
                    2024, 7, 1, 12, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=7200))
                )
            }
        ),
        "completed",
    )
    with pytest.raises(StateConflictError):
        await persister.save(
            "p",
            "a",
            1,
            "x",
            State({"v": datetime.datetime(2024, 7, 1, 10, 0, tzinfo=datetime.UTC)}),
            "completed",
        )
    expect.state(
        await persister.load("p", "a"),
        {
            "v": datetime.datetime(
                2024, 7, 1, 12, 0, tzinfo=datetime.timezone(datetime.timedelta(seconds=7200))
            )
        },
    )


@pytest.mark.promise(5)
async def test_same_offset_of_a_named_zone_is_refused(persister: Any) -> None:
    """A named time zone is not its offset."""
    await persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "v": datetime.datetime(
                    2024, 7, 1, 12, 0, tzinfo=zoneinfo.ZoneInfo(key="Europe/Berlin")
                )
            }
        ),
        "completed",
    )
    with pytest.raises(StateConflictError):
        await persister.save(
            "p",
            "a",
            1,
            "x",
            State(
                {
                    "v": datetime.datetime(
                        2024,
                        7,
                        1,
                        12,
                        0,
                        tzinfo=datetime.timezone(datetime.timedelta(seconds=7200)),
                    )
                }
            ),
            "completed",
        )
    expect.state(
        await persister.load("p", "a"),
        {"v": datetime.datetime(2024, 7, 1, 12, 0, tzinfo=zoneinfo.ZoneInfo(key="Europe/Berlin"))},
    )


@pytest.mark.promise(5)
async def test_naive_datetime_is_not_utc(persister: Any) -> None:
    """A datetime without a time zone is not one in UTC."""
    await persister.save(
        "p", "a", 1, "x", State({"v": datetime.datetime(2024, 7, 1, 12, 0)}), "completed"
    )
    with pytest.raises(StateConflictError):
        await persister.save(
            "p",
            "a",
            1,
            "x",
            State({"v": datetime.datetime(2024, 7, 1, 12, 0, tzinfo=datetime.UTC)}),
            "completed",
        )
    expect.state(await persister.load("p", "a"), {"v": datetime.datetime(2024, 7, 1, 12, 0)})


@pytest.mark.promise(5)
async def test_uuid_is_no_text(persister: Any) -> None:
    """A text where a UUID was stored is another state."""
    await persister.save(
        "p", "a", 1, "x", State({"v": UUID("01234567-89ab-cdef-0123-456789abcdef")}), "completed"
    )
    with pytest.raises(StateConflictError):
        await persister.save(
            "p", "a", 1, "x", State({"v": "01234567-89ab-cdef-0123-456789abcdef"}), "completed"
        )
    expect.state(
        await persister.load("p", "a"), {"v": UUID("01234567-89ab-cdef-0123-456789abcdef")}
    )


@pytest.mark.promise(5)
async def test_our_mark_is_not_the_value_it_looks_like(persister: Any) -> None:
    """An object that looks like what is stored for a tuple is not that tuple."""
    await persister.save("p", "a", 1, "x", State({"v": (1,)}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save(
            "p", "a", 1, "x", State({"v": {"__persistry__": ["tuple", [1]]}}), "completed"
        )
    expect.state(await persister.load("p", "a"), {"v": (1,)})


@pytest.mark.promise(5)
async def test_value_is_not_the_object_that_looks_like_it(persister: Any) -> None:
    """A tuple is not the object that looks like what is stored for it."""
    await persister.save(
        "p", "a", 1, "x", State({"v": {"__persistry__": ["tuple", [1]]}}), "completed"
    )
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"v": (1,)}), "completed")
    expect.state(await persister.load("p", "a"), {"v": {"__persistry__": ["tuple", [1]]}})
