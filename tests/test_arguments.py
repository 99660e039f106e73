"""What is checked before a store is asked: configurations, what is handed in, stored times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from persistry._runtime.arguments import config_arguments, exactly_one
from persistry._runtime.clock import iso


def test_exactly_one_is_handed_in() -> None:
    assert exactly_one(connection=0, pool=None) == 0
    assert exactly_one(connection=None, pool="p") == "p"
    with pytest.raises(TypeError, match=r"give connection or pool, or build .* from_values\(\)"):
        exactly_one(connection=None, pool=None)
    with pytest.raises(ValueError, match="give connection or pool, not both"):
        exactly_one(connection=1, pool=2)


def plain(a: int, b: int = 2) -> None: ...


def gathering(a: int, b: int = 2, **others: Any) -> None: ...


def test_a_configuration_has_the_parameters_as_keys() -> None:
    for build in (plain, gathering):
        assert config_arguments({"a": 1, "b": 3}, build) == {"a": 1, "b": 3}
        assert config_arguments({"a": 1}, build) == {"a": 1}
        with pytest.raises(ValueError, match=r"config lacks the key 'a'$"):
            config_arguments({"b": 3}, build)
        with pytest.raises(TypeError, match="config must be a dict"):
            config_arguments([("a", 1)], build)
        with pytest.raises(ValueError, match="unknown key 7; known are: a, b"):
            config_arguments({"a": 1, 7: 8}, build)
    with pytest.raises(ValueError, match="unknown key 'c'; known are: a, b"):
        config_arguments({"a": 1, "c": 3}, plain)


def test_a_configuration_may_hold_what_others_take() -> None:
    assert config_arguments({"a": 1, "c": 3}, gathering) == {"a": 1, "c": 3}
    with pytest.raises(ValueError, match="lacks the key 'a', and has the unknown key 'aa'"):
        config_arguments({"aa": 1}, gathering)


@pytest.mark.parametrize(
    "stored",
    [
        "2026-11-22 01:02:03.000004",
        "2026-11-22T01:02:03.000004+00:00",
        "2026-11-22T03:02:03.000004+02:00",
        datetime(2026, 11, 22, 1, 2, 3, 4),
        datetime(2026, 11, 22, 1, 2, 3, 4, UTC),
        datetime(2026, 11, 22, 3, 2, 3, 4, timezone(timedelta(hours=2))),
    ],
)
def test_a_stored_time(stored: object) -> None:
    assert iso(stored) == "2026-11-22T01:02:03.000004+00:00"


@pytest.mark.parametrize("stored", [None, 5, "yesterday", b"2026-11-22"])
def test_what_is_no_time(stored: object) -> None:
    with pytest.raises(ValueError):
        iso(stored)
