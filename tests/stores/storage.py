"""What all stores have."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Self

import persistry
from persistry.conformance.support.column import Column


class Storage:
    """Storage for one test; a context manager that removes what the test started."""

    address: tuple[str, int] | None = None

    def __init__(self, column: Column) -> None:
        self.column = column
        self.persister: Any = getattr(persistry, column.name)
        self.started = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.started.close()
