"""Databases that run inside of this process have no connection open while it forks.

Such a database keeps a table in the process of the locks that its connections hold, because the
operating system drops a process's locks on a file with the first descriptor that is closed. A
forked process gets a copy of the table, but none of the locks: beside an inherited connection, its
new ones take no lock of their own, and the parent, closing, removes under them what they saved.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

from ..limits import Deadline
from .pep249_turns import Turn, Turns

if TYPE_CHECKING:
    from .pep249_pool import Pool

# How long a fork may wait for the operations under way, all pools together, in seconds.
_PATIENCE = 5.0

Stopped = tuple[Turns, list[Turn]]

_pools: weakref.WeakValueDictionary[int, Pool] = weakref.WeakValueDictionary()
_forking = threading.local()  # Several threads may fork, one after the other.


def watch(pool: Pool) -> None:
    """Stop the pool at every fork, as long as it lives."""
    _pools[id(pool)] = pool


def _before() -> None:
    deadline = Deadline(_PATIENCE)
    _forking.stopped = []
    for reference in _pools.valuerefs():  # One step: pools may come and go meanwhile.
        if (pool := reference()) is not None and not pool.inherited:
            _forking.stopped.append(pool.stop(deadline))


def _after_in_parent() -> None:
    stopped: list[Stopped] = getattr(_forking, "stopped", [])
    while stopped:
        turns, taken = stopped.pop()
        while taken:
            turns.give(taken.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent)
