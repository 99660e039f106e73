"""Moves what Apache Burr's Redis persister stored to a store that keeps all that is promised."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from typing import Any

from ._runtime.arguments import wrong_type
from ._runtime.clock import as_of
from ._runtime.moves import Ask, AsWritten, Call, Move, MoveReport, Refused
from ._runtime.states import TakesStates

__all__ = ("MoveReport", "Refused", "amove", "move")

Progress = Callable[[MoveReport], object]


def move(
    source: Any, target: Any, *, dry_run: bool = False, progress: Progress | None = None
) -> MoveReport:
    """Save every record of a `BurrRedisPersister` in another persister.

    In the order in which they were saved, each with its time where the target does not take its
    own, loaded again and compared. Nothing in the source is changed. It may be interrupted at any
    moment and called again: what is there already is passed over. Records that the target cannot
    take, or of which nobody can say whose they are, are reported and not moved.

    Args:
        source: Where the records are. Another namespace's are left alone.
        target: Any persister of the same colour, initialised.
        dry_run: Look at everything and save nothing.
        progress: Called with the report after every record.

    Returns:
        How many were moved, how many were there already, and what was refused.

    Raises:
        TypeError: One of the persisters cannot be used so.
        PersisterError: The source or the target failed; call it again when it works.
    """
    target, steps = _prepared(source, target, False, dry_run, progress)
    step = next(steps)
    try:
        while True:
            try:
                answer = _done(step, source, target)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        report: MoveReport = done.value
        return report


async def amove(
    source: Any, target: Any, *, dry_run: bool = False, progress: Progress | None = None
) -> MoveReport:
    """Save every record of an `AsyncBurrRedisPersister` in another async persister; see `move`."""
    target, steps = _prepared(source, target, True, dry_run, progress)
    step = next(steps)
    try:
        while True:
            try:
                answer = await _adone(step, source, target)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        report: MoveReport = done.value
        return report


def _done(step: Ask | Call, source: Any, target: Any) -> Any:
    if isinstance(step, Ask):
        return source._surveyed(step.steps)
    with as_of(step.saved_at):
        return getattr(target, step.operation)(*step.arguments)


async def _adone(step: Ask | Call, source: Any, target: Any) -> Any:
    if isinstance(step, Ask):
        return await source._surveyed(step.steps)
    with as_of(step.saved_at):
        return await getattr(target, step.operation)(*step.arguments)


def _prepared(
    source: Any, target: Any, is_async: bool, dry_run: bool, progress: Progress | None
) -> tuple[Any, Generator[Ask | Call, Any, MoveReport]]:
    """The target, for states of no library, and the steps of the move."""
    for name, given in (("source", source), ("target", target)):
        if isinstance(given, type):
            raise TypeError(
                f"the {name} must be a persister, not the class {given.__name__}: build one with"
                f" {given.__name__}.from_values(...)"
            )
    if not hasattr(source, "_surveyed"):
        wrong_type("source", source, f"{'an Async' if is_async else 'a '}BurrRedisPersister")
    if not hasattr(target, "is_async") or not hasattr(target, "save"):
        wrong_type("target", target, "a persister")
    _check_colour("source", source, is_async)
    _check_colour("target", target, is_async)
    if isinstance(target, TakesStates):
        target = target._with_states(AsWritten())
    largest = getattr(target, "_largest_state", sys.maxsize)
    return target, Move(source._survey(), dry_run, largest, progress).steps()


def _check_colour(name: str, persister: Any, is_async: bool) -> None:
    if persister.is_async() is not is_async:
        used, other = ("amove", "move") if is_async else ("move", "amove")
        kind = type(persister).__name__
        raise TypeError(f"{used}(): the {name} is of the other colour ({kind}); use {other}()")
