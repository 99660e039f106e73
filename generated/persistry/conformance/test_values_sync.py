# Code generated from spec/conformance/values.yaml by `make generate`. DO NOT EDIT.
"""Values: the scenarios of spec/conformance/values.yaml, sync."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

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


@pytest.mark.promise(6)
def test_every_kind_of_value_comes_back(persister: Any) -> None:
    """Every kind of JSON value comes back as it was."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "text": "hello",
                "whole": 7,
                "part": 0.5,
                "yes": True,
                "no": False,
                "none": None,
                "list": [1, [2, {"three": 3}]],
                "object": {"deep": {"deeper": [None]}},
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "text": "hello",
            "whole": 7,
            "part": 0.5,
            "yes": True,
            "no": False,
            "none": None,
            "list": [1, [2, {"three": 3}]],
            "object": {"deep": {"deeper": [None]}},
        },
    )


@pytest.mark.promise(6)
def test_empty_state_comes_back(persister: Any) -> None:
    """A state with nothing in it is a state."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    expect.state(persister.load("p", "a"), {})


@pytest.mark.promise(6)
def test_empty_containers_come_back(persister: Any) -> None:
    """Empty lists, objects and texts stay what they are."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"l": [], "o": {}, "t": "", "nested": [[], {}, [{}], {"o": {}}]}),
        "completed",
    )
    expect.state(
        persister.load("p", "a"), {"l": [], "o": {}, "t": "", "nested": [[], {}, [{}], {"o": {}}]}
    )


@pytest.mark.promise(6)
def test_keys_stay_in_order(persister: Any) -> None:
    """The keys of a state come back in their order."""
    persister.save(
        "p", "a", 1, "x", State({"zebra": 1, "b": 2, "aa": 3, "a": 4, "10": 5, "9": 6}), "completed"
    )
    expect.state(persister.load("p", "a"), {"zebra": 1, "b": 2, "aa": 3, "a": 4, "10": 5, "9": 6})


@pytest.mark.promise(6)
def test_nested_keys_stay_in_order(persister: Any) -> None:
    """The keys of objects inside a state come back in their order."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"o": {"z": 1, "a": {"y": 2, "b": 3}}, "l": [{"z": 4, "a": 5}]}),
        "completed",
    )
    expect.state(
        persister.load("p", "a"), {"o": {"z": 1, "a": {"y": 2, "b": 3}}, "l": [{"z": 4, "a": 5}]}
    )


@pytest.mark.promise(6)
def test_whole_and_part_numbers_stay_apart(persister: Any) -> None:
    """1, 1.0 and true come back as an integer, a float and a bool."""
    persister.save(
        "p", "a", 1, "x", State({"n": [1, 1.0, True, 0, 0.0, False, -1, -1.0]}), "completed"
    )
    expect.state(persister.load("p", "a"), {"n": [1, 1.0, True, 0, 0.0, False, -1, -1.0]})


@pytest.mark.promise(6)
def test_minus_zero_keeps_its_sign(persister: Any) -> None:
    """-0.0 comes back with its sign."""
    persister.save("p", "a", 1, "x", State({"n": -0.0, "l": [0.0, -0.0]}), "completed")
    expect.state(persister.load("p", "a"), {"n": -0.0, "l": [0.0, -0.0]})


@pytest.mark.promise(6)
def test_floats_are_exact(persister: Any) -> None:
    """Floats come back to the last bit, the largest and the smallest included."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "n": [
                    0.1,
                    0.30000000000000004,
                    1e22,
                    1e16,
                    1e308,
                    1.7976931348623157e308,
                    -1e308,
                    5e-324,
                    2.2250738585072014e-308,
                    1.2345678901234568e17,
                ]
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "n": [
                0.1,
                0.30000000000000004,
                1e22,
                1e16,
                1e308,
                1.7976931348623157e308,
                -1e308,
                5e-324,
                2.2250738585072014e-308,
                1.2345678901234568e17,
            ]
        },
    )


@pytest.mark.promise(6)
def test_nan_comes_back(persister: Any) -> None:
    """NaN comes back as NaN, at the top and inside."""
    persister.save(
        "p", "a", 1, "x", State({"n": float("nan"), "l": [{"n": float("nan")}]}), "completed"
    )
    expect.state(persister.load("p", "a"), {"n": float("nan"), "l": [{"n": float("nan")}]})


@pytest.mark.promise(6)
def test_infinities_come_back(persister: Any) -> None:
    """Both infinities come back, at the top and inside."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"up": float("inf"), "down": float("-inf"), "l": [[float("inf"), float("-inf")]]}),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {"up": float("inf"), "down": float("-inf"), "l": [[float("inf"), float("-inf")]]},
    )


@pytest.mark.promise(6)
def test_nan_beside_everything_else(persister: Any) -> None:
    """A NaN changes nothing in the values beside it."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "nan": float("nan"),
                "text": "\xe9\U0001f600\x00",
                "lone": "\udfff",
                "pair": "\ud83d\ude00",
                "big": 123456789012345678901234567890,
                "minus": -0.0,
                "tag": {"__persistry__": "x"},
                "none": None,
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "nan": float("nan"),
            "text": "\xe9\U0001f600\x00",
            "lone": "\udfff",
            "pair": "\ud83d\ude00",
            "big": 123456789012345678901234567890,
            "minus": -0.0,
            "tag": {"__persistry__": "x"},
            "none": None,
        },
    )


@pytest.mark.promise(6)
def test_words_for_numbers_are_text(persister: Any) -> None:
    """Texts that look like other values stay texts."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "l": [
                    "NaN",
                    "Infinity",
                    "-Infinity",
                    "null",
                    "true",
                    "1",
                    "1.0",
                    "-0.0",
                    "{}",
                    "[]",
                    "",
                ]
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {"l": ["NaN", "Infinity", "-Infinity", "null", "true", "1", "1.0", "-0.0", "{}", "[]", ""]},
    )


@pytest.mark.promise(6)
def test_integers_around_a_float_are_exact(persister: Any) -> None:
    """Integers that a float cannot hold come back exactly."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"n": [9007199254740993, -9007199254740993, 2147483648, 4294967296]}),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {"n": [9007199254740993, -9007199254740993, 2147483648, 4294967296]},
    )


@pytest.mark.promise(6)
def test_integers_at_the_end_of_64_bits_are_exact(persister: Any) -> None:
    """Integers on both sides of 64 bits come back exactly."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "n": [
                    9223372036854775807,
                    9223372036854775808,
                    -9223372036854775808,
                    -9223372036854775809,
                    18446744073709551615,
                    18446744073709551616,
                ]
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "n": [
                9223372036854775807,
                9223372036854775808,
                -9223372036854775808,
                -9223372036854775809,
                18446744073709551615,
                18446744073709551616,
            ]
        },
    )


@pytest.mark.promise(6)
def test_huge_integers_are_exact(persister: Any) -> None:
    """Integers of any size come back exactly, as a value and inside."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "n": 1000000000000000000000000000000000000000000000000000001,
                "l": [{"n": -1000000000000000000000000000000000000000000000000000001}],
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "n": 1000000000000000000000000000000000000000000000000000001,
            "l": [{"n": -1000000000000000000000000000000000000000000000000000001}],
        },
    )


@pytest.mark.promise(6)
def test_unicode_comes_back(persister: Any) -> None:
    """Every script, faces, joined marks and marks of direction come back, in values and keys."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "\u4e2d\u6587": "\xfc\xdf",
                "\U0001f600": "e\u0301 \xe9",
                "\u202e": "\u05d0\u0628",
                "ends": "\ufffe\uffff\U0010ffff",
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "\u4e2d\u6587": "\xfc\xdf",
            "\U0001f600": "e\u0301 \xe9",
            "\u202e": "\u05d0\u0628",
            "ends": "\ufffe\uffff\U0010ffff",
        },
    )


@pytest.mark.promise(6)
def test_nul_comes_back(persister: Any) -> None:
    """NUL comes back, in values and in keys."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"\x00": "\x00", "k\x00ey": ["a\x00b", "\x00\x00"], "after": 1}),
        "completed",
    )
    expect.state(
        persister.load("p", "a"), {"\x00": "\x00", "k\x00ey": ["a\x00b", "\x00\x00"], "after": 1}
    )


@pytest.mark.promise(6)
def test_control_characters_come_back(persister: Any) -> None:
    """Control characters, line ends of every kind, quotes and backslashes come back."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "\n": "a\r\nb\tc",
                "low": "\x01\x08\x1f\x7f\x85",
                "lines": "\u2028\u2029",
                "quotes": "\"'`\\/",
                "text": "\\u0000 \\n",
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "\n": "a\r\nb\tc",
            "low": "\x01\x08\x1f\x7f\x85",
            "lines": "\u2028\u2029",
            "quotes": "\"'`\\/",
            "text": "\\u0000 \\n",
        },
    )


@pytest.mark.promise(6)
def test_lone_surrogates_come_back(persister: Any) -> None:
    """A surrogate without its other half comes back, in values and in keys."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"\ud83d": "\ude00", "l": ["a\ud800b", "\udfff\ud800"]}),
        "completed",
    )
    expect.state(persister.load("p", "a"), {"\ud83d": "\ude00", "l": ["a\ud800b", "\udfff\ud800"]})


@pytest.mark.promise(6)
def test_surrogate_pairs_stay_apart(persister: Any) -> None:
    """Two surrogates side by side stay two, in a value and in a list."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"s": "\ud83d\ude00", "l": ["x\ud83d\ude00y", "\U0001f600"]}),
        "completed",
    )
    expect.state(
        persister.load("p", "a"), {"s": "\ud83d\ude00", "l": ["x\ud83d\ude00y", "\U0001f600"]}
    )


@pytest.mark.promise(6)
def test_surrogate_pairs_stay_apart_in_keys(persister: Any) -> None:
    """Two surrogates side by side in a key stay two, beside the character they would make."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"o": {"\ud83d\ude00": 1, "\U0001f600": 2, "\ud83d": 3}}),
        "completed",
    )
    expect.state(persister.load("p", "a"), {"o": {"\ud83d\ude00": 1, "\U0001f600": 2, "\ud83d": 3}})


@pytest.mark.promise(6)
def test_surrogate_pairs_stay_apart_in_a_field_name(persister: Any) -> None:
    """Two surrogates side by side in the name of a field of the state stay two."""
    persister.save("p", "a", 1, "x", State({"\ud83d\ude00": 1, "\U0001f600": 2}), "completed")
    expect.state(persister.load("p", "a"), {"\ud83d\ude00": 1, "\U0001f600": 2})


@pytest.mark.promise(6)
def test_our_mark_as_a_field_is_data(persister: Any) -> None:
    """A field named like the mark of our own tagged values is data."""
    persister.save("p", "a", 1, "x", State({"__persistry__": {"int": "ff"}}), "completed")
    expect.state(persister.load("p", "a"), {"__persistry__": {"int": "ff"}})


@pytest.mark.promise(6)
def test_our_mark_inside_is_data(persister: Any) -> None:
    """An object that looks like one of our own tagged values is data, however deep."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "l": [
                    {"__persistry__": "int", "value": "ff"},
                    {"__persistry__": ["str", "7aC97bE="]},
                    {"__persistry__": {"__persistry__": {}}},
                ],
                "o": {"__persistry__": None},
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "l": [
                {"__persistry__": "int", "value": "ff"},
                {"__persistry__": ["str", "7aC97bE="]},
                {"__persistry__": {"__persistry__": {}}},
            ],
            "o": {"__persistry__": None},
        },
    )


@pytest.mark.promise(6)
def test_our_mark_beside_a_tagged_value(persister: Any) -> None:
    """Data that looks like a tagged value comes back beside a value that travels as one."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State({"o": {"__persistry__": "x", "y": "\ud83d\ude00"}, "s": "\ud83d\ude00"}),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {"o": {"__persistry__": "x", "y": "\ud83d\ude00"}, "s": "\ud83d\ude00"},
    )


@pytest.mark.promise(6)
def test_marks_of_others_are_data(persister: Any) -> None:
    """Names that other libraries and stores treat specially are data."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "__burr_serde__": "pickle",
                "$ne": None,
                "a.b": 1,
                "$oid": "x",
                "_id": 2,
                "__proto__": {},
                "__SEQUENCE_ID": 3,
                "": 4,
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "__burr_serde__": "pickle",
            "$ne": None,
            "a.b": 1,
            "$oid": "x",
            "_id": 2,
            "__proto__": {},
            "__SEQUENCE_ID": 3,
            "": 4,
        },
    )


@pytest.mark.promise(6)
def test_names_of_record_fields_are_data(persister: Any) -> None:
    """A state may have fields named like those of the record."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "partition_key": 1,
                "app_id": 2,
                "sequence_id": 3,
                "position": 4,
                "state": 5,
                "status": 6,
                "created_at": 7,
                "self": 8,
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "partition_key": 1,
            "app_id": 2,
            "sequence_id": 3,
            "position": 4,
            "state": 5,
            "status": 6,
            "created_at": 7,
            "self": 8,
        },
    )


@pytest.mark.promise(6)
def test_dates_in_text_stay_text(persister: Any) -> None:
    """Texts that look like dates, bytes or identifiers stay texts."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "l": [
                    "2024-01-01",
                    "2024-01-01T00:00:00+00:00",
                    "b'x'",
                    "(1, 2)",
                    "00000000-0000-0000-0000-000000000000",
                ]
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", "a"),
        {
            "l": [
                "2024-01-01",
                "2024-01-01T00:00:00+00:00",
                "b'x'",
                "(1, 2)",
                "00000000-0000-0000-0000-000000000000",
            ]
        },
    )


@pytest.mark.promise(6)
def test_values_come_back_at_a_sequence(persister: Any) -> None:
    """A load at a sequence reads the same values as a load of the latest."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "n": float("nan"),
                "s": "\ud83d\ude00",
                "big": 18446744073709551616,
                "l": [-0.0, "\x00"],
            }
        ),
        "completed",
    )
    persister.save("p", "a", 2, "x", State({}), "completed")
    expect.state(
        persister.load("p", "a", 1),
        {"n": float("nan"), "s": "\ud83d\ude00", "big": 18446744073709551616, "l": [-0.0, "\x00"]},
    )


@pytest.mark.promise(6)
def test_values_come_back_from_a_partition(persister: Any) -> None:
    """A load of the latest of a partition reads the same values."""
    persister.save(
        "p",
        "a",
        1,
        "x",
        State(
            {
                "n": float("nan"),
                "s": "\ud83d\ude00",
                "big": 18446744073709551616,
                "l": [-0.0, "\x00"],
            }
        ),
        "completed",
    )
    expect.state(
        persister.load("p", None),
        {"n": float("nan"), "s": "\ud83d\ude00", "big": 18446744073709551616, "l": [-0.0, "\x00"]},
    )
