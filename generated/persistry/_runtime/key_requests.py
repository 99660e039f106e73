"""What the operations on keys ask of their server, step by step, for both colours.

An operation is a generator: it yields one of these, is sent the answer, and returns what it gives.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from .drivers.lua import Script

# How many keys are asked for at once.
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Run:
    """A script to run."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[str | int]
    value: bytes | None = None
    temporary: str = ""


class Call(NamedTuple):
    """What a script is given."""

    keys: tuple[str, ...]
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunEach:
    """A script to run for each of these, in one trip; each run has an answer."""

    script: Script
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands to send together, each with an answer."""

    commands: Sequence[Sequence[str | bytes | int]]
    is_lenient: bool = False
    """Whether one that the server refuses, as for a key of another type, is answered by None."""


@dataclass(frozen=True, slots=True)
class Scan:
    """All keys that a pattern fits."""

    pattern: str
    type: str = ""
    """Only those of this type, if it is said."""


@dataclass(frozen=True, slots=True)
class ScanOn:
    """Some of the keys that a pattern fits, where there may be more than memory has room for.

    The answer is those keys, and how to go on: to whatever has no cursor left the scan has been.
    """

    pattern: str
    cursors: Mapping[str, int] | None = None
    """By the name of the node; None where the scan begins."""


T = TypeVar("T")
Request = Run | RunEach | Commands | Scan | ScanOn
Steps = Generator[Request, Any, T]


def literally(text: str) -> str:
    """The text as a pattern that only it fits."""
    return re.sub(r"([*?[\\])", r"\\\1", text)


def text(key: bytes) -> str | None:
    """A key as text; None for one of another program, which need not be any."""
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None
