"""Other processes that use a store: each gets a persister as a pickle, and works on it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .column import Store

# No case measures time; this ends one whose process hangs.
SECONDS = 120


@contextmanager
def process(
    store: Store, work: str, persister: Any, *arguments: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process at its work; it is killed at the end of the block if it still runs."""
    child = f"{__package__}.child_{store.column.colour}"
    command = [sys.executable, "-m", child, work, *arguments]
    sent = store.parcel(persister) if hasattr(store, "parcel") else persister
    path = os.pathsep.join(filter(None, sys.path))
    started = subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": path} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with started:
        try:
            assert started.stdin is not None
            started.stdin.write(pickle.dumps(sent))
            started.stdin.close()
            yield started
        finally:
            started.kill()


def lines(started: subprocess.Popen[bytes]) -> Iterator[str]:
    """What a process prints, line by line; a line that a kill cut short is left out."""
    assert started.stdout is not None
    for line in started.stdout:
        if line.endswith(b"\n"):
            yield line.decode().rstrip("\n")


def result(started: subprocess.Popen[bytes]) -> list[str]:
    """All that a process prints; it must end by itself, without an error."""
    printed = list(lines(started))
    assert started.stderr is not None
    complaint = started.stderr.read().decode().strip().rpartition("\n")[2]
    code = started.wait(SECONDS)
    assert code == 0, f"another process ended with {code}: {complaint}"
    return printed
