"""Other processes that use a store: each gets a persister as a pickle, and works on it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import IO, Any, Protocol, Self

from .column import Store

# No case measures time; this ends one whose process hangs.
SECONDS = 120


class Started(Protocol):
    """Another process; as a context manager it closes its pipes and waits for its end."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def kill(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


Start = Callable[[str, Sequence[str], Mapping[str, str]], Started]


@contextmanager
def process(
    store: Store,
    work: str,
    persister: Any,
    *arguments: str,
    start: Start | None = None,
    **environment: str,
) -> Iterator[Started]:
    """A process at its work; it is killed at the end of the block if it still runs."""
    child = f"{__package__}.child_{store.column.colour}"
    sent = store.parcel(persister) if hasattr(store, "parcel") else persister
    path = os.pathsep.join(filter(None, sys.path))
    if start is None:
        start = store.start if hasattr(store, "start") else interpreter
    with start(child, [work, *arguments], os.environ | {"PYTHONPATH": path} | environment) as other:
        try:
            assert other.stdin is not None
            other.stdin.write(pickle.dumps(sent))
            other.stdin.close()
            yield other
        finally:
            other.kill()


def interpreter(module: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Started:
    """An interpreter of its own, which runs a module."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


def lines(started: Started) -> Iterator[str]:
    """What a process prints, line by line; a line that a kill cut short is left out."""
    assert started.stdout is not None
    for line in started.stdout:
        if line.endswith(b"\n"):
            yield line.decode().rstrip("\n")


def result(started: Started) -> list[str]:
    """All that a process prints; it must end by itself, without an error."""
    printed = list(lines(started))
    assert started.stderr is not None
    complaint = started.stderr.read().decode().strip().rpartition("\n")[2]
    code = started.wait(SECONDS)
    assert code == 0, f"another process ended with {code}: {complaint}"
    return printed
