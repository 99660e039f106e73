"""Copies of a persister, as Burr makes them: one for each sub-application, and none is closed.

A connection for each would soon be more than a server takes. So a copy uses the connection of the
persister that it was made from, or of another copy of it, as long as that one is open and, where it
is asynchronous, is used in the same event loop. Otherwise it opens its own, which its `cleanup()`
closes: a copy still outlives what it was made from, and each event loop may have one.
"""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Any, TypeVar

from ..errors import PersisterClosedError

Persister = TypeVar("Persister")


def sharing(origin: Any, twin: Persister) -> Persister:
    """The `twin`, a copy of the `origin`, as one that shares what the origin has opened."""
    session = origin._session
    if not isinstance(session, CopiedSession):  # otherwise its copy is one already
        shared: Sessions = origin.__dict__.setdefault("_shared", Sessions())
        shared.add(session)
        twin._session = CopiedSession(twin._session, shared)  # type: ignore[attr-defined]
    return twin


class Sessions:
    """Those of a persister and its copies; a pickle holds nothing of it.

    Without a lock, which a forked process could find taken: at worst a session is not shared.
    """

    def __init__(self) -> None:
        self._known: list[weakref.ref[Any]] = []

    def add(self, session: Any) -> None:
        if not any(it() is session for it in tuple(self._known)):
            self._known.append(weakref.ref(session, self._known.remove))

    def usable(self) -> Any:
        """One that is open, and need not be taken from another event loop; or None."""
        for known in tuple(self._known):
            session = known()
            if session is not None and not session.closed and session.is_here:
                return session
        return None

    def __reduce__(self) -> tuple[type[Sessions], tuple[()]]:
        return Sessions, ()


class CopiedSession:
    """What a copy has for a session: somebody else's where there is one, or its own."""

    def __init__(self, own: Any, shared: Sessions) -> None:
        self.failures, self.limits = own.failures, own.limits
        self._own = own
        self._shared = shared
        self._has_begun = False

    @property
    def closed(self) -> bool:
        return bool(self._own.closed)

    def in_use(self) -> Any:
        """The session for what is done next."""
        if self._has_begun or self.closed:
            return self._own
        return self._shared.usable() or self._own

    def taken(self) -> Any:
        """That session, for an operation; if it is its own, others may use it from now on."""
        session = self.in_use()
        if session is self._own and not self._has_begun:
            self._has_begun = True
            self._shared.add(session)
        return session

    def operation(self, name: str, key: object = "") -> Operation:
        return Operation(self, name, key)

    def copy(self) -> CopiedSession:
        return CopiedSession(self._own.copy(), self._shared)

    def close(self) -> Any:
        """Close what it has opened itself."""
        return self._own.close()

    def describe(self) -> Any:
        return self._own.describe()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.in_use(), name)

    def __reduce__(self) -> Any:
        return self._own.__reduce__()


class Operation:
    """One operation of a copy, on the session that can be used."""

    __slots__ = ("_copied", "_key", "_name", "_really")

    def __init__(self, copied: CopiedSession, name: str, key: object) -> None:
        self._copied = copied
        self._name = name
        self._key = key

    def __enter__(self) -> Any:
        session = self._copied.taken()
        while True:
            self._really = session.operation(self._name, self._key)
            try:
                return self._really.__enter__()
            except PersisterClosedError:  # perhaps only since it was taken
                closed, session = session, self._copied.taken()
                if session is closed:
                    raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        return self._really.__exit__(kind, exc, trace)

    async def __aenter__(self) -> Any:
        session = self._copied.taken()
        while True:
            self._really = session.operation(self._name, self._key)
            try:
                return await self._really.__aenter__()
            except PersisterClosedError:  # perhaps only since it was taken
                closed, session = session, self._copied.taken()
                if session is closed:
                    raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        return await self._really.__aexit__(kind, exc, trace)
