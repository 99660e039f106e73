"""How another process comes to a persister of Burr's on the same storage."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .adapter import Async, Sync


@dataclass(frozen=True)
class Parcel:
    """What `from_values` is called with. The drivers of the others are not imported for it."""

    module: str
    name: str
    asynchronous: bool
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    def open(self) -> Any:
        """The persister, or what leads to one."""
        colour = Async if self.asynchronous else Sync
        burr = getattr(import_module(self.module), self.name)
        return colour.from_values(*self.arguments, burr=burr, **self.options)
