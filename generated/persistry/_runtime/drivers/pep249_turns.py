"""Whose turn it is: so many at a time, in the order in which they came."""

from __future__ import annotations

import contextlib
import weakref
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pep249_line import Line

# How often a waiting thread looks whether its place in the queue is still there, in seconds.
_LOOK_AGAIN = 0.5


class Turn:
    """The right to use one connection, and that connection, once it is open.

    It is given back when its operation ends. One that was dropped, as by an exception that a signal
    handler raised between two instructions, comes back all the same, but without its connection:
    nobody knows in what state that is.
    """

    __slots__ = ("__weakref__", "_turns", "line")

    def __init__(self, turns: weakref.ref[Turns], line: Line | None = None) -> None:
        self._turns = turns
        self.line = line

    def __del__(self) -> None:
        turns = self._turns()
        if turns is not None:
            turns.dropped(self)


class Turns:
    """All turns of a pool.

    Only steps that are whole in themselves change anything, so there is no lock that an exception
    of a signal handler could leave taken.
    """

    def __init__(self, size: int, dropped: Callable[[Line], Line | None]) -> None:
        self.size = size
        self._recover = dropped
        self._free: deque[Turn] = deque()
        self._waiting: deque[SimpleQueue[Turn]] = deque()
        self._there: weakref.WeakSet[Turn] = weakref.WeakSet()
        for _ in range(size):
            self._free.append(self._new())

    def _new(self, line: Line | None = None) -> Turn:
        turn = Turn(weakref.ref(self), line)
        self._there.add(turn)
        return turn

    def take(self, remaining: Callable[[], float]) -> Turn | None:
        """The next free turn; None if it does not come in the time that remains."""
        if not self._waiting:
            with contextlib.suppress(IndexError):
                return self._free.pop()
        return self._wait(remaining)

    def take_all(self, remaining: Callable[[], float], taken: list[Turn]) -> bool:
        """Every turn, so that nobody has one; False if some do not come in time."""
        while len(taken) < self.size:
            turn = self.take(remaining)
            if turn is None:
                return False
            taken.append(turn)
        return True

    def give(self, turn: Turn) -> None:
        """Let the next one have it. Connections that were used last are used first."""
        if turn.line is None:
            self._free.appendleft(turn)
        else:
            self._free.append(turn)
        self._hand_out()

    def dropped(self, turn: Turn) -> None:
        line = None
        try:
            if turn.line is not None:
                line = self._recover(turn.line)
        finally:
            self.give(self._new(line))

    def _wait(self, remaining: Callable[[], float]) -> Turn | None:
        place: SimpleQueue[Turn] = SimpleQueue()
        self._waiting.append(place)
        try:
            while True:
                self._hand_out()
                left = remaining()
                with contextlib.suppress(Empty):
                    return place.get(timeout=max(0.0, min(left, _LOOK_AGAIN)))
                if left <= 0:
                    return None
                if place not in self._waiting and place.empty():
                    # Whoever took it out to put a turn in was interrupted at that.
                    self._waiting.appendleft(place)
                if len(self._there) < self.size:
                    # So was a turn that was coming back.
                    self._free.append(self._new())
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(place)
            with contextlib.suppress(Empty):
                while True:
                    self.give(place.get_nowait())

    def _hand_out(self) -> None:
        while self._waiting and self._free:
            try:
                turn = self._free.pop()
            except IndexError:
                return
            try:
                place = self._waiting.popleft()
            except IndexError:
                self._free.append(turn)
            else:
                place.put(turn)
