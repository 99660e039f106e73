"""Counts until it is killed: a process with a persister that it is sent as a pickle.

    python -m tests.burr.child APP_ID < pickle

It prints a line when a step is saved.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from typing import Any

from tests.burr.apps import Apps, settled


async def main(app_id: str, persister: Any) -> None:
    is_async = persister.is_async()
    app = await Apps(is_async).counter(persister, app_id)
    while True:
        step = await settled(app.astep() if is_async else app.step())
        print(app.sequence_id, step[0].name, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], pickle.load(sys.stdin.buffer)))
