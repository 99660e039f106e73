"""Whether two states are the same one, saved twice."""

from __future__ import annotations

from math import copysign, isnan
from typing import Any


def same(left: Any, right: Any) -> bool:
    """Say whether two JSON values are exactly the same.

    Types count: 1, 1.0 and True are three values. So do the sign of a zero and the order of a
    list. NaN is the same as NaN, and the order of a dict's keys does not count. The values may be
    nested to any depth.
    """
    pairs = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        if left is right:
            continue
        kind = type(left)
        if kind is not type(right):
            return False
        if kind is dict:
            if left.keys() != right.keys():
                return False
            pairs.extend((value, right[key]) for key, value in left.items())
        elif kind is list:
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif not (_same_float(left, right) if kind is float else left == right):
            return False
    return True


def _same_float(left: float, right: float) -> bool:
    if left == right:
        return copysign(1.0, left) == copysign(1.0, right)  # 0.0 == -0.0
    return isnan(left) and isnan(right)
