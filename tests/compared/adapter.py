"""Burr's persisters as the matrix can hold them: the same calls, with Burr's `State` for ours.

docs/compared-with-burr.md justifies what is done here; nothing else may be, for the matrix is to
judge Burr's persisters and not this module.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from typing import Any, ClassVar, NoReturn, Self
from unittest import SkipTest

from burr.core.state import State as BurrState

from persistry import State

from .meanings import translated

FORM = os.environ.get("COMPARED_FORM", "")
"""`records` or `errors`: of those, only the content counts as long as it is empty."""

# Options of ours without a counterpart. The limits are left out: most cases give them as a guard.
GUARDS = {"connect_timeout", "operation_timeout"}
OPTIONS = {"max_state_bytes"}


def not_offered(what: str) -> NoReturn:
    """End the case: it asks for something that Burr's persister does not have."""
    raise SkipTest(f"Burr has no {what}")


class StateWithCode(BurrState[Any]):
    """Burr's state for one of ours whose class has a `serialize` of its own: that is called."""

    def __init__(self, given: State) -> None:
        super().__init__(given.get_all())
        self.given = given

    def serialize(self, **kwargs: Any) -> dict[str, Any]:
        self.given.serialize(**kwargs)
        return super().serialize(**kwargs)


def theirs(state: Any) -> Any:
    """The state to save; what is none goes to Burr as it is."""
    if not isinstance(state, State):
        return state
    return BurrState(state.get_all()) if type(state) is State else StateWithCode(state)


def ours(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The record that was loaded."""
    if record is None:
        return None
    found = {**record, "state": State(record["state"].get_all())}
    if FORM != "records" and isinstance(found["created_at"], datetime):
        found["created_at"] = found["created_at"].isoformat()
    return found


def told(*, saving: bool = False) -> AbstractContextManager[None]:
    """Around every call: its errors are translated."""
    return translated(saving=saving, builtin=FORM == "errors")


def after_the_case() -> bool:
    """Whether the matrix is clearing away, so that no case judges what happens."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").endswith("(teardown)")


class Adapter:
    """What both colours have. A subclass names Burr's class and how its driver is closed."""

    burr: ClassVar[Any]
    closed: ClassVar[Callable[[Any], Any]]
    """Closes what a persister of Burr's works on, without the persister."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    @classmethod
    def from_values(cls, *args: Any, burr: Any = None, **options: Any) -> Any:
        """What Burr's `from_values` gives, adapted."""
        with told():
            made = (burr or cls.burr).from_values(*args, **known(options))
        return cls(made) if hasattr(made, "save") else Opening(made, cls)

    @classmethod
    def over(cls, *args: Any, **options: Any) -> Self:
        """A persister by its constructor, which takes a connection."""
        return cls(cls.burr(*args, **known(options)))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        with told():
            made = cls.burr.from_config(config)
        return cls(made) if hasattr(made, "save") else Opening(made, cls)

    def is_async(self) -> bool:
        said: bool = self.inner.is_async()
        return said

    def set_serde_kwargs(self, serde_kwargs: dict[str, Any]) -> None:
        self.inner.set_serde_kwargs(serde_kwargs)

    def copy(self) -> Self:
        return type(self)(self._its("copy")())

    def _its(self, name: str) -> Any:
        return getattr(self.inner, name, None) or not_offered(f"{name}() here")


def known(options: dict[str, Any]) -> dict[str, Any]:
    """The options without those that Burr has not."""
    for name in OPTIONS & options.keys():
        not_offered(f"{name}=")
    empty = {name for name in ("connect_kwargs",) if options.get(name, "") is None}
    return {name: value for name, value in options.items() if name not in GUARDS | empty}


class Opening:
    """What Burr's asynchronous `from_values` gives: awaited or entered, as it is."""

    def __init__(self, inner: Any, adapt: Callable[[Any], Any]) -> None:
        self.inner = inner
        self.adapt = adapt

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._opened(self.inner).__await__()

    async def __aenter__(self) -> Any:
        return await self._opened(self.inner.__aenter__())

    async def __aexit__(self, *error: Any) -> Any:
        return await self.inner.__aexit__(*error)

    async def _opened(self, opening: Awaitable[Any]) -> Any:
        with told():
            return self.adapt(await opening)


class Sync(Adapter):
    """A blocking one."""

    def initialize(self) -> None:
        with told():
            self.inner.initialize()

    def is_initialized(self) -> Any:
        with told():
            try:
                return self.inner.is_initialized()
            except NotImplementedError:
                not_offered("is_initialized() here")

    def save(
        self,
        partition_key: Any,
        app_id: Any,
        sequence_id: Any,
        position: Any,
        state: Any,
        status: Any,
        **kwargs: Any,
    ) -> None:
        key = (partition_key, app_id, sequence_id, position)
        with told(saving=True):
            self.inner.save(*key, theirs(state), status, **kwargs)

    def load(self, partition_key: Any, app_id: Any, sequence_id: Any = None, **kwargs: Any) -> Any:
        with told():
            return ours(self.inner.load(partition_key, app_id, sequence_id, **kwargs))

    def list_app_ids(self, partition_key: Any = None, **kwargs: Any) -> Any:
        if "limit" in kwargs:
            not_offered("limit=")
        with told():
            return self.inner.list_app_ids(partition_key, **kwargs)

    def cleanup(self) -> None:
        if after_the_case():
            with suppress(Exception):
                type(self).closed(self.inner)
            return
        with told():
            self.inner.cleanup()

    def close(self) -> None:
        with told():
            self._its("close")()

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self.inner.__exit__(*error)


class Async(Adapter):
    """An asynchronous one."""

    async def initialize(self) -> None:
        with told():
            await self.inner.initialize()

    async def is_initialized(self) -> Any:
        with told():
            try:
                return await self.inner.is_initialized()
            except NotImplementedError:
                not_offered("is_initialized() here")

    async def save(
        self,
        partition_key: Any,
        app_id: Any,
        sequence_id: Any,
        position: Any,
        state: Any,
        status: Any,
        **kwargs: Any,
    ) -> None:
        key = (partition_key, app_id, sequence_id, position)
        with told(saving=True):
            await self.inner.save(*key, theirs(state), status, **kwargs)

    async def load(
        self, partition_key: Any, app_id: Any, sequence_id: Any = None, **kwargs: Any
    ) -> Any:
        with told():
            return ours(await self.inner.load(partition_key, app_id, sequence_id, **kwargs))

    async def list_app_ids(self, partition_key: Any = None, **kwargs: Any) -> Any:
        if "limit" in kwargs:
            not_offered("limit=")
        with told():
            return await self.inner.list_app_ids(partition_key, **kwargs)

    async def cleanup(self) -> None:
        if after_the_case():
            with suppress(Exception):
                await type(self).closed(self.inner)
            return
        with told():
            await self.inner.cleanup()

    async def close(self) -> None:
        with told():
            await self._its("close")()

    async def __aenter__(self) -> Self:
        await self.inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> Any:
        return await self.inner.__aexit__(*error)
