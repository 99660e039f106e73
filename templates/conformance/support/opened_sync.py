"""What is opened, and the programs that open it, where they are blocking.

Without pytest: it would take most of the time that another process needs to begin its work.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self


def run(main: Callable[[], Any]) -> Any:
    """Run a program's main function."""
    return main()


class Opened:
    """Keeps what a test opens and cleans it up afterwards, the last one first."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __call__(self, persister: Any) -> Any:
        """Keep a persister, or what is entered to get it, and give it back."""
        if not hasattr(persister, "save"):
            return self._stack.enter_context(persister)
        if hasattr(persister, "cleanup"):
            self._stack.callback(persister.cleanup)
        return persister

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
