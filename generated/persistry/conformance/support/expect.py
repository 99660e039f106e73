"""Exact expectations: types, the sign of zero, NaN, time zones and the order of keys all count.

The comparison is the matrix's own, not the persisters': a mistake there must show here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

E = TypeVar("E", bound=Exception)

FIELDS = {
    "partition_key": str,
    "app_id": str,
    "sequence_id": int,
    "position": str,
    "created_at": str,
    "status": str,
}


def record(found: Any, **fields: Any) -> None:
    """A record was found, it has the one shape, and these fields are as given."""
    assert found is not None, "no record was found"
    assert type(found) is dict, f"the record is a {type(found).__name__}, not a dict"
    keys = {*FIELDS, "state"}
    assert found.keys() == keys, f"the record has the keys {sorted(found)}, not {sorted(keys)}"
    for name, kind in FIELDS.items():
        is_kind = type(found[name])
        assert is_kind is kind, f"{name} is a {is_kind.__name__}, not a {kind.__name__}"
    for name, value in fields.items():
        returns(_values(found) if name == "state" else found[name], value, name)


def state(found: Any, expected: dict[str, Any]) -> None:
    """A record was found, and its state is exactly this, in this order."""
    record(found, state=expected)


def nothing(found: Any) -> None:
    """No record was found."""
    assert found is None, f"found although nothing was expected: {_shown(found)}"


def returns(found: Any, expected: Any, name: str = "the result") -> None:
    """The value is exactly this; it may be nested to any depth."""
    difference = _difference(found, expected, name)
    assert not difference, difference


@contextmanager
def raises(error: type[E], *mentions: str) -> Iterator[pytest.ExceptionInfo[E]]:
    """The block fails with this error, whose message mentions these texts."""
    with pytest.raises(error) as caught:
        yield caught
    mentioned(caught.value, *mentions)


def mentioned(error: BaseException, *mentions: str) -> None:
    """The message of an error mentions these texts."""
    missing = [text for text in mentions if text not in str(error)]
    assert not missing, f"not mentioned: {missing} in {str(error)!a}"


def _values(found: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = found["state"].get_all()
    return values


# A place is None at the top, else the place around it and the step from there.
_Place = tuple[Any, Any] | None


def _difference(found: Any, expected: Any, name: str) -> str:
    """The first difference of two values, in words; empty if there is none."""
    pending: list[tuple[_Place, Any, Any]] = [(None, found, expected)]
    while pending:
        place, left, right = pending.pop()
        kind = type(left)
        if kind is not type(right):
            return f"{_path(name, place)} is a {kind.__name__}, not a {type(right).__name__}"
        if kind is dict:
            if list(left) != list(right):
                keys, others = _shown(list(left)), _shown(list(right))
                return f"{_path(name, place)} has the keys {keys}, not {others}"
            pending.extend(((place, key), left[key], right[key]) for key in left)
        elif kind is list or kind is tuple:
            if len(left) != len(right):
                return f"{_path(name, place)} is {_shown(left)}, not {_shown(right)}"
            both = enumerate(zip(left, right, strict=True))
            pending.extend(((place, index), *pair) for index, pair in both)
        elif left != right if kind in (int, str) else _exact(left) != _exact(right):
            return f"{_path(name, place)} is {_shown(left)}, not {_shown(right)}"
    return ""


def _exact(value: Any) -> Any:
    """What tells apart values of one type that are equal: 0.0 and -0.0, Decimals, time zones."""
    if isinstance(value, set | frozenset):
        return sorted(f"{type(it)} {_exact(it)}" for it in value)
    if isinstance(value, tuple):
        return [f"{type(it)} {_exact(it)}" for it in value]
    return repr(value)


def _path(name: str, place: _Place) -> str:
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f"[{step!a}]")
    return name + "".join(reversed(steps[:20]))


def _shown(value: Any) -> str:
    if type(value) is int and value.bit_length() > 1000:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = ascii(value)
    except (RecursionError, ValueError):
        return f"a {type(value).__name__} too deep or too large to show"
    return text if len(text) <= 200 else f"{text[:200]}... ({len(text)} characters)"
