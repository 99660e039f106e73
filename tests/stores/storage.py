"""What all stores have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import persistry
from persistry.conformance.support.column import Column
from tests.warm import Started


def persister_of(column: str) -> Any:
    """A column's class: at the top of the package, or in the module that its name begins with."""
    module, _, name = column.partition("-")[0].rpartition(".")
    return getattr(import_module(f"persistry.{module}") if module else persistry, name)


class Storage:
    """Storage for one test; a context manager that removes what the test started."""

    address: tuple[str, int] | None = None

    def __init__(self, column: Column) -> None:
        self.column = column
        self.persister: Any = persister_of(column.name)
        self.started = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.started.close()

    def start(self, module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Any:
        """A process that has the drivers already."""
        return Started(module, arguments, environment)


class FileStorage(Storage):
    """A file in the test's own directory, which `from_values` is given."""

    def __init__(self, column: Column, directory: Path) -> None:
        super().__init__(column)
        self.path = str(directory / "persistry.db")

    def open(self, **options: Any) -> Any:
        return self.persister.from_values(self.path, **options)

    def disconnect(self, connection: Any) -> Any:
        connection.close()
