"""Fresh storage for one case, and persisters on it, by somebody's factory."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .._runtime.awaitable import Opening
from .factory import Factory
from .support.column import Column, Store

# A guard in some cases, not what they are about; every case has a time limit of its own.
GUARDS = {"operation_timeout"}


@contextmanager
def storage(factory: Factory, column: Column) -> Iterator[Store]:
    """The storage of one case; what the factory keeps in its directory is removed with it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if not factory.gives_store:
            store: Any = FactoryStore(factory, column, Path(folder))
            yield store
            return
        made = factory.make(Path(folder), {})
        closing: AbstractContextManager[Any] = nullcontext(made)
        with made if hasattr(made, "__enter__") else closing as store:
            store.column = column
            yield store


class FactoryStore:
    """Makes persisters by calling the factory again with the same directory."""

    def __init__(self, factory: Factory, column: Column, directory: Path) -> None:
        self.column = column
        self._factory = factory
        self._directory = directory
        self._opened = 0

    def open(self, **options: Any) -> Any:
        """A new persister on this storage, or what leads to one."""
        refused = self._factory.refused(options)
        if lacking := [name for name in refused if name not in GUARDS]:
            _skip(f"the factory takes no {', no '.join(f'{it}=' for it in lacking)}")
        if self._opened and self._factory.takes is None:
            _skip("the factory takes no directory, so two persisters share no storage")
        self._opened += 1
        taken = {name: value for name, value in options.items() if name not in refused}
        return opened(self._factory.make(self._directory, taken))

    def parcel(self, persister: Any) -> Parcel:
        """What another process gets instead of the persister: how to make one there."""
        return Parcel(self._factory.name, self._directory)


def _skip(why: str) -> NoReturn:
    # Not above: another process, which has no cases, would wait for pytest before its work.
    import pytest

    pytest.skip(why)


@dataclass(frozen=True)
class Parcel:
    """The factory's name and a directory: enough to go on with the storage in another process."""

    factory: str
    directory: Path

    def open(self) -> Any:
        """A persister on the storage, or what leads to one."""
        return opened(Factory.named(self.factory).make(self.directory, {}))


def opened(made: Any) -> Any:
    """What a factory gave, so that it can be entered with `async with` if it can be awaited."""
    if inspect.isawaitable(made) and not hasattr(made, "__aenter__"):
        return Opening(lambda: made)
    return made
