"""What a persister of your own can be built from: the parts that ours are built from.

docs/your-own-persister.md uses all of them.
"""

from __future__ import annotations

from ._runtime.arguments import Wanted, WantedApps, WantedPartitions, refuse_unknown
from ._runtime.record import NewRecord, largest_state, serde_kwargs_of

__all__ = (
    "NewRecord",
    "Wanted",
    "WantedApps",
    "WantedPartitions",
    "largest_state",
    "refuse_unknown",
    "serde_kwargs_of",
)
