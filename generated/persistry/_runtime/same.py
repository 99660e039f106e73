"""Whether two states are the same one, saved twice."""

from __future__ import annotations

from decimal import Decimal
from math import copysign, isnan
from typing import Any

from .scalars import SCALARS
from .tagging import in_order
from .tags import Written


def same(left: Any, right: Any, *, through_jsonb: bool = False) -> bool:
    """Say whether two values of states are exactly the same.

    Types count: 1, 1.0 and True are three values, a list is no tuple. So do the sign of a zero, the
    order of a list, the digits of a Decimal and the time zone of a datetime. NaN is the same as
    NaN, and neither the order of a dict's keys nor that of a set counts. A value of a registered
    type is compared by what is written for it, as a `Written`. The values may be nested to any
    depth.

    With `through_jsonb`, the right one was kept as JSONB, which writes the same number in another
    way: -0.0 as 0.0, and 1e22 as an integer. Numbers of one value are the same then.
    """
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        if left is right:
            continue
        kind = type(left)
        if through_jsonb and kind in _NUMBERS and type(right) in _NUMBERS:
            if not _same_value(left, right):
                return False
            continue
        if kind is not type(right):
            return False
        if kind is dict:
            if left.keys() != right.keys():
                return False
            pairs.extend((value, right[key]) for key, value in left.items())
        elif kind is list or kind is tuple:
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif kind is set or kind is frozenset:
            if len(left) != len(right):
                return False
            pairs.extend(zip(in_order(left), in_order(right), strict=True))
        elif kind is Written:
            if left.name != right.name:
                return False
            pairs.append((left.payload, right.payload))
        elif kind is float:
            if not _same_float(left, right):
                return False
        elif kind in SCALARS:
            # Written alike: 1.0 and 1.00 are equal Decimals, and one moment has many time zones.
            if SCALARS[kind].write(left) != SCALARS[kind].write(right):
                return False
        elif left != right:
            return False
    return True


_NUMBERS = frozenset((int, float))


def _same_value(sent: float, stored: float) -> bool:
    if sent == stored or type(sent) is not float or type(stored) is not int:
        return sent == stored
    return Decimal(repr(sent)) == stored  # 1e308 comes back as 10**308, which is not quite as much


def _same_float(left: float, right: float) -> bool:
    if left == right:
        return copysign(1.0, left) == copysign(1.0, right)  # 0.0 == -0.0
    return isnan(left) and isnan(right)
