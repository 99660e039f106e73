"""A place for each operation under way, so that threads take turns and closing can wait for all."""

from __future__ import annotations

import weakref
from queue import SimpleQueue


class Slot:
    """The right to use one of the client's connections.

    It is put back when its operation ends. One that was dropped, as by an exception that a signal
    handler raised between two instructions, comes back all the same.
    """

    __slots__ = ("_free",)

    def __init__(self, free: SimpleQueue[Slot]) -> None:
        self._free = weakref.ref(free)

    def __del__(self) -> None:
        free = self._free()
        if free is not None:
            free.put(Slot(free))
