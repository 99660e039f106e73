"""That something ends in time, on a machine that may be doing four other things."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

# What a machine may add that stands still for a moment. Nothing may need less to be told from a
# wait without a limit: those wait for a server that is paused, or a lock that is never given back.
SLACK = 5.0


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done here ends within so many seconds, as far as that is the code's own doing."""
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert took < seconds + SLACK, f"it took {took:.1f} s instead of {seconds} s"
