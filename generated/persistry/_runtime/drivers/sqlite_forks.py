"""What is done about SQLite's connections when the process forks; the same for both drivers.

SQLite keeps a table in the process of the locks that its connections hold, because the operating
system drops a process's locks on a file with the first descriptor that is closed. A forked process
gets a copy of the table, but none of the locks. New connections believe the copy: one that was made
in the middle of a statement says "locked" for ever; and beside any connection that was open, a new
one takes no lock of its own, so that the parent, closing, deletes the WAL under it, with what
the child saved. So no connection of ours may be open at a fork: those that can be opened again are
closed before it, between two statements.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Protocol

from ...errors import PersisterError
from ..limits import Deadline

# How long a fork may wait for the statements under way, all links together, in seconds.
_PATIENCE = 5.0


class Forking(Protocol):
    """A link, as a fork sees it."""

    def before_fork(self, seconds: float) -> None:
        """Wait for what is under way and close what can be opened again; perhaps called twice."""

    def after_fork(self) -> None:
        """Go on, in the parent as in the child."""


_links: weakref.WeakValueDictionary[int, Forking] = weakref.WeakValueDictionary()

# Taken for what must not be copied half done: a lock that another thread has stays locked in the
# child.
whole = threading.RLock()


class _Gate:
    """Lets no connection be opened during a fork: SQLite has locks of its own for that."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._forks = 0
        self._opening = 0

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._forks, _PATIENCE)
            self._opening += 1
        try:
            yield
        finally:
            with self._changed:
                self._opening -= 1
                self._changed.notify_all()

    def shut(self, seconds: float) -> None:
        with self._changed:
            self._forks += 1
            self._changed.wait_for(lambda: not self._opening, seconds)

    def open_again(self) -> None:
        with self._changed:
            self._forks -= 1
            self._changed.notify_all()


_gate = _Gate()
_forking = threading.local()  # Several threads may fork at once.


def watch(link: Forking) -> None:
    """Tell the link of every fork, as long as it lives."""
    _links[id(link)] = link


def opening() -> contextlib.AbstractContextManager[None]:
    """What a connection has to be opened in."""
    return _gate.opening()


def refuse(*, shared: bool, midway: bool) -> None:
    """The error for a forked process that cannot have a connection of its own."""
    if shared:
        raise PersisterError(
            "this persister's connection belongs to the process that opened it;"
            " build another persister in this one"
        )
    if midway:
        raise PersisterError(
            "this process was forked in the middle of an operation of this persister, and SQLite's"
            " locks cannot be trusted in it; fork when no operation is under way,"
            " or start the process with 'spawn' or 'forkserver'"
        )


def _before() -> None:
    links: list[Forking] = []
    _forking.links = links
    deadline = Deadline(_PATIENCE)
    _stop(links, deadline.remaining)
    # Whoever waits here has a turn, so this comes after the turns; then what was opened meanwhile.
    _gate.shut(max(0.0, deadline.remaining()))
    _stop(links, lambda: 0.0)
    # Last: who has a turn may take it, too.
    _forking.whole = whole.acquire(timeout=max(0.0, deadline.remaining()))


def _stop(links: list[Forking], remaining: Callable[[], float]) -> None:
    for reference in _links.valuerefs():  # One step: links may come and go meanwhile.
        if (link := reference()) is not None:
            links.append(link)
            link.before_fork(max(0.0, remaining()))


def _after() -> None:
    links = getattr(_forking, "links", [])
    while links:
        links.pop().after_fork()
    if getattr(_forking, "whole", False):
        _forking.whole = False
        whole.release()


def _after_in_parent() -> None:
    _gate.open_again()
    _after()


def _after_in_child() -> None:
    global _gate
    _gate = _Gate()  # Those who had it locked, or were opening, are not here.
    _after()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
    )
