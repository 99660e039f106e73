"""The connections of a session: opened when they are first needed, and taken in turns."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import Any

from ...errors import PersisterError
from ..limits import Deadline, Limits
from . import pep249_forks
from .pep249_caller import Late
from .pep249_driver import Driver
from .pep249_facts import Values
from .pep249_line import Line
from .pep249_opening import Opener
from .pep249_turns import Turn, Turns
from .pep249_watch import watchdog


class Pool:
    """Connections of one session, or the one that was handed in, for all that share it.

    Whoever has a turn may call `line`, `ready` and `settle`.
    """

    def __init__(
        self, driver: Driver, values: Values | None, size: int, connection: Any = None
    ) -> None:
        self.driver = driver
        self.values = values
        self.size = size
        self._handed_in = None if values else Line(driver, connection, handed_in=True)
        self.suits = bool(values) or not driver.facts.suits
        """Whether the connections are known to be as the store needs them."""
        self._before: tuple[object] | None = None
        self._interrupted = False
        self._sharers = 1
        self._is_midway = False
        self._fresh()
        if values and driver.is_in_process:
            pep249_forks.watch(self)

    def _fresh(self) -> None:
        self._turns = Turns(self.size, self._recover)
        self._age = 0
        self._users: Line | None = None
        self._opener = Opener(self.driver, self.values, self.size) if self.values else None
        self._changing = threading.Lock()
        self._leaving = threading.Lock()
        self._pid = os.getpid()

    @classmethod
    def over(cls, driver: Driver, connection: Any) -> Pool:
        """The one pool over a connection that was handed in."""
        with _registry.lock:
            pool = _registry.handed_in.get(id(connection))
            if pool is None or not pool._join():
                pool = _registry.handed_in[id(connection)] = cls(driver, None, 1, connection)
            return pool

    def joined(self) -> Pool | None:
        """The pool for one more session; None if the last one has left it."""
        if self.values:
            self._check_process()
            return Pool(self.driver, self.values, self.size)
        with _registry.lock:
            return self if self._join() else None

    def _join(self) -> bool:
        if self._sharers:
            self._sharers += 1
        return self._sharers > 0

    def describe(self) -> str:
        if self.values is not None:
            return self.values.describe()
        assert self._handed_in is not None
        return self.driver.describe(self._handed_in.connection)

    @property
    def is_gone(self) -> bool:
        """Whether the connection that was handed in is no more: nobody can open it again."""
        line = self._handed_in
        return line is not None and self.driver.is_broken(line.connection)

    @property
    def inherited(self) -> bool:
        """Whether this is a forked process, which cannot use what its parent has open."""
        is_bound = self._handed_in is not None or self._is_midway
        return is_bound and self._pid != os.getpid()

    @property
    def turns(self) -> Turns:
        """The turns of this process."""
        self._check_process()
        return self._turns

    @property
    def leaving(self) -> threading.Lock:
        """Held while a session leaves, so that it does so once."""
        self._check_process()
        return self._leaving

    def _check_process(self) -> None:
        """A forked process has the locks as they were, and its parent's connections."""
        if self._pid != os.getpid():
            if self._handed_in is not None:
                raise PersisterError(
                    "this persister's connection belongs to the process that opened it;"
                    " build another persister in this one"
                )
            if self._is_midway:
                raise PersisterError(
                    "this process was forked in the middle of an operation of this persister, and"
                    " the locks of its database cannot be trusted in it; fork when no operation is"
                    " under way, or start the process with 'spawn' or 'forkserver'"
                )
            self._fresh()

    def stop(self, deadline: Deadline) -> pep249_forks.Stopped:
        """Close the connections before a fork; the turns are to be given back after it."""
        turns, taken = self.turns, list[Turn]()
        have_all = turns.take_all(deadline.remaining, taken)
        self._is_midway = not self._close(taken, deadline) or not have_all
        return turns, taken

    def line(self, turn: Turn, limits: Limits, seconds: float) -> Line | None:
        """The line of the turn, opened if need be; None if that takes longer."""
        line = self._handed_in or turn.line
        if line is not None and line is not self._handed_in:
            if line.age == self._age and not self._is_lost(line):
                return line
            turn.line = None
            line.abandon()
            line = None
        if line is None:
            age = self._age
            assert self.values is not None and self._opener is not None
            opened = self._opener.open(limits, seconds, prepared=True)
            if opened is None:
                return None
            line = Line(self.driver, *opened, age)
            line.file = self.driver.file_of(self.values)
        line.arm()
        turn.line = line
        return line

    def _is_lost(self, line: Line) -> bool:
        file = line.file
        return self.driver.is_broken(line.connection) or (file is not None and file.is_lost)

    def ready(self, line: Line, seconds: float) -> None:
        """Make a connection that was handed in ours alone, with no transaction open on it."""
        if line is self._handed_in:
            if not line.wait_for_request(seconds):
                raise Late
            line.run(lambda: self._make_ours(line.connection), seconds)

    def _make_ours(self, connection: Any) -> None:
        driver = self.driver
        if driver.in_transaction(connection) is not False:
            # Its owner may have begun it; what was interrupted is not to be kept.
            driver.end_transaction(connection, commit=not self._interrupted)
        self._interrupted = False
        if not driver.is_prepared(connection):
            before = driver.prepare(connection)
            self._before = self._before or (before,)

    def settle(
        self, turn: Turn, seconds: float, *, idle: bool, sound: bool, lost: bool = False
    ) -> None:
        """After a failure: leave no transaction open, and keep no connection that is not sound.

        Args:
            idle: Whether it is sure that the driver has nothing under way on it.
            sound: Whether the failure leaves the connection as it was.
            lost: Whether the failure says that the server has ended it.
        """
        line = turn.line
        if line is None:
            return
        driver, connection = self.driver, line.connection
        handed_in = line is self._handed_in
        ended = False
        self._interrupted = handed_in
        if handed_in and not idle and line.caller is not None:
            # When what is under way has come to its end; nobody waits for that.
            line.caller.leave(lambda: self._roll_back(connection))
        elif handed_in or (idle and sound):
            with contextlib.suppress(Exception):  # The failure itself is reported.
                line.run(lambda: self._roll_back(connection), seconds)
                ended = True
        self._interrupted = handed_in and not ended
        broken = lost or driver.is_broken(connection)
        if broken and line.age == self._age:
            self._age += 1
        if not handed_in and (broken or not ended):
            turn.line = None
            line.abandon()

    def _roll_back(self, connection: Any) -> None:
        driver = self.driver
        if not driver.is_broken(connection) and driver.in_transaction(connection) is not False:
            driver.end_transaction(connection, commit=False)

    def _recover(self, line: Line) -> Line | None:
        """What is left of the line of a turn that was dropped."""
        if line is self._handed_in:
            self._interrupted = True
            return line
        if not line.inherited:
            line.abandon()
        return None

    def users(self, limits: Limits, seconds: float) -> Any:
        """A connection that no operation uses, opened when it is asked for; None if it is late."""
        if self._handed_in is not None:
            return self._handed_in.connection
        with self._changing:
            line = self._users
            if line is None or self.driver.is_broken(line.connection):
                assert self._opener is not None
                opened = self._opener.open(limits, seconds, prepared=False)
                self._users = line = opened and Line(self.driver, opened[0])
            return line and line.connection

    def leave(self, deadline: Deadline) -> bool:
        """One session less; the last one closes what was opened here, or gives it back.

        That waits for the operations under way; False if they took too long: it is still there
        then, and may leave again.
        """
        with _registry.lock:
            if self._sharers > 1:
                self._sharers -= 1
                return True
        turns, taken = self.turns, list[Turn]()
        try:
            if not turns.take_all(deadline.remaining, taken):
                return False
            with _registry.lock:
                self._sharers -= 1
                last = self._sharers == 0
            if last:  # and nobody has joined meanwhile
                self._close(taken, deadline)
        finally:
            while taken:
                turns.give(taken.pop())
        return True

    def _close(self, turns: list[Turn], deadline: Deadline) -> bool:
        """Whether all is closed: a database inside of this process writes when it is closed."""
        closed = []
        for turn in turns:
            line, turn.line = turn.line, None
            if line is self._handed_in:
                self._give_back(line, deadline)
            elif line is not None and self.driver.is_in_process:
                closed.append(line.close(deadline.remaining()))
            elif line is not None:
                closed.append(line.close())
        if self._users is not None:
            self._users.close()
            self._users = None
        return all(closed)

    def _give_back(self, line: Line | None, deadline: Deadline) -> None:
        if line is None:
            return
        watch = watchdog.begin(line, max(0.0, deadline.remaining()))
        try:
            # Its owner may have closed it, or the server is gone.
            with contextlib.suppress(Exception):
                if self._before is not None:
                    before, connection = self._before[0], line.connection
                    line.run(lambda: self.driver.restore(connection, before), deadline.remaining())
        finally:
            self._before = None
            watchdog.end(watch)
            line.release()


class _Registry:
    """The pools over connections that were handed in: two persisters over one have to take turns.

    By the connection's id; its pool keeps it alive.
    """

    def __init__(self) -> None:
        self.handed_in: weakref.WeakValueDictionary[int, Pool] = weakref.WeakValueDictionary()
        self.fresh()

    def fresh(self) -> None:
        self.lock = threading.Lock()  # The thread that has it may be missing after a fork.


_registry = _Registry()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_registry.fresh)
