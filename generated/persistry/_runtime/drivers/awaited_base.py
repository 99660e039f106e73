"""The life of an asynchronous session: it is copied, pickled, taken to other loops, and closed."""

from __future__ import annotations

import asyncio
from typing import Any, Generic, Self, TypeVar

from ..failures import Failures
from ..limits import Limits
from .awaited_link import Link

L = TypeVar("L", bound=Link)


class SessionBase(Generic[L]):
    """What the sessions of all asynchronous drivers of SQL stores do alike."""

    def __init__(self, link: L, failures: Failures, limits: Limits) -> None:
        self.failures = failures.at(link.values.describe() if link.values else "")
        self.limits = limits
        self.closed = False
        self._link = link
        self._left = False

    @property
    def is_here(self) -> bool:
        """Whether it is used in the running event loop, and so is not taken there from another."""
        return self._link.is_here

    @property
    def opened_here(self) -> bool:
        return self._link.values is not None

    def link_here(self) -> L:
        """The link to use in this process."""
        if self._link.inherited:
            self._link = self._link.joined()
        return self._link

    def copy(self) -> Self:
        """A session of the same values; one over what was handed in shares it."""
        if self.closed:
            raise self.failures.closed("copy", "")
        return type(self)(self._link.joined(), self.failures, self.limits)

    async def close(self) -> None:
        """Close what was opened here, after the operations that are under way; once.

        From now on operations are refused. If those under way do not end in time, closing may be
        tried again.
        """
        self.closed = True
        if self._left or self._link.inherited:
            return
        try:
            async with asyncio.timeout(self.limits.operation):
                await self._link.leave()
                self._left = True
        except TimeoutError as exc:
            raise self.failures.late(
                "cleanup", "", self.limits, doing="other operations did not end", sent=False
            ) from exc
        await self._link.rest()

    def describe(self) -> str:
        values = self._link.values
        return values.describe() if values else type(self._link.handed_in).__name__

    def __reduce__(self) -> tuple[Any, ...]:
        link = self._link
        if link.values is None:
            raise TypeError(
                f"{type(self).__name__} over what was handed in cannot be pickled:"
                " build the persister with from_values()"
            )
        return _reopened, (type(self), type(link), link.recipe, self.failures, self.limits)


def _reopened(
    kind: type[SessionBase[L]],
    link_kind: type[L],
    recipe: tuple[Any, ...],
    failures: Failures,
    limits: Limits,
) -> SessionBase[L]:
    return kind(link_kind(*recipe), failures, limits)
