"""How long connecting and an operation may take."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True)
class Limits:
    """Time limits in seconds."""

    connect: float
    operation: float

    @classmethod
    def checked(cls, connect_timeout: float, operation_timeout: float) -> Limits:
        """The limits a user gave, or an error that names the parameter."""
        return cls(
            _seconds("connect_timeout", connect_timeout),
            _seconds("operation_timeout", operation_timeout),
        )


class Deadline:
    """The moment at which an operation has to be over."""

    __slots__ = ("_end",)

    def __init__(self, seconds: float) -> None:
        self._end = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left; zero or less when it is over."""
        return self._end - monotonic()


# A day: far beyond every sensible limit, and within what locks and drivers can count.
_LONGEST = 86_400.0


def _seconds(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value <= _LONGEST:
        raise ValueError(
            f"{name} must be more than 0 and at most {_LONGEST:g} seconds, not {value!r}"
        )
    return float(value)
