"""Two texts compared for a reader: line by line, and in a line that has changed word by word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

# A text that fits a screen is shown whole; of a longer one, what differs and what is around it.
_WHOLE = 30
_AROUND = 3
# Two lines with less in common are not one line that was changed.
_ALIKE = 0.3
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Words = tuple[tuple[str, bool], ...]
"""A line in pieces, each with whether it differs."""


@dataclass(frozen=True)
class Row:
    """A line before and the one that stands for it after; None where there is none."""

    before: Words | None
    after: Words | None
    differs: bool
    skipped: int = 0
    """How many equal lines are left out here; the row has nothing else then."""


def rows(before: str | None, after: str | None) -> list[Row]:
    one, other = _lines(before), _lines(after)
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    found: list[Row] = []
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind == "equal":
            found += [Row(((it, False),), ((it, False),), False) for it in one[start:end]]
        else:
            found += _differing(one[start:end], other[first:last])
    return found if len(found) <= _WHOLE else list(_shortened(found))


def marked(before: str | None, after: str | None) -> list[str]:
    """The same as lines that begin with a sign: what is gone, then what has come for it."""
    found: list[str] = []
    come: list[str] = []
    for it in rows(before, after):
        if not it.differs:
            found, come = [*found, *come], []
            found.append(f"... {it.skipped} lines ..." if it.skipped else f"  {_text(it.before)}")
            continue
        if it.before is not None:
            found.append(f"- {_text(it.before)}")
        if it.after is not None:
            come.append(f"+ {_text(it.after)}")
    return [line.rstrip() for line in (*found, *come)]


def _text(words: Words | None) -> str:
    return "".join(text for text, _ in words or ())


def _lines(text: str | None) -> list[str]:
    return [] if text is None else text.split("\n")


def _differing(gone: list[str], come: list[str]) -> Iterator[Row]:
    for number in range(max(len(gone), len(come))):
        one = gone[number] if number < len(gone) else None
        other = come[number] if number < len(come) else None
        if one is None:
            yield Row(None, ((other or "", False),), True)
        elif other is None:
            yield Row(((one, False),), None, True)
        else:
            yield Row(*_words(one, other), True)


def _words(one: str, other: str) -> tuple[Words, Words]:
    before, after = _WORD.findall(one), _WORD.findall(other)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return ((one, False),), ((other, False),)
    found: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for kind, start, end, first, last in matcher.get_opcodes():
        for side, text in zip(found, (before[start:end], after[first:last]), strict=True):
            if text:
                side.append(("".join(text), kind != "equal"))
    return tuple(found[0]), tuple(found[1])


def _shortened(found: list[Row]) -> Iterator[Row]:
    kept = {
        near
        for number, it in enumerate(found)
        if it.differs
        for near in range(number - _AROUND, number + _AROUND + 1)
    }
    skipped = 0
    for number, it in enumerate(found):
        if number in kept:
            if skipped:
                yield Row(None, None, False, skipped)
            skipped = 0
            yield it
        else:
            skipped += 1
    if skipped:
        yield Row(None, None, False, skipped)
