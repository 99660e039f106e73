"""How many connections there are to a store, as its server counts them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any


def connections(store: Any) -> int:
    """Those of all processes on a server; of a file, those of this one."""
    return COUNTS[store.column.backend](store)


def wait_for(store: Any, most: int) -> None:
    """Until there are no more; a server takes a moment to notice that one was closed."""
    deadline = time.monotonic() + 10
    while (found := connections(store)) > most:
        assert time.monotonic() < deadline, f"{found} connections are left, not {most}"
        time.sleep(0.02)


def _asked(query: str) -> Callable[[Any], int]:
    def count(store: Any) -> int:
        with closing(store.place.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return int(cursor.fetchone()[-1]) - 1  # this one is none of those

    return count


def _clients(store: Any) -> int:
    with store.place.client() as client:
        return len(client.client_list()) - 1


def _of_mongodb(store: Any) -> int:
    return int(store.place.client.admin.command("serverStatus")["connections"]["current"])


def _files(store: Any) -> int:
    links = [Path(it.path) for it in os.scandir("/proc/self/fd")]
    return sum(os.path.lexists(it) and os.readlink(it) == store.path for it in links)


COUNTS: dict[str, Callable[[Any], int]] = {
    "sqlite": _files,
    "sqlcipher": _files,
    "postgresql": _asked(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    ),
    "mariadb": _asked("SHOW STATUS LIKE 'Threads_connected'"),
    "redis": _clients,
    "redis_burr": _clients,
    "mongodb": _of_mongodb,
    "memory": lambda store: 0,
}
