# Code generated from spec/backends/ by `make generate`. DO NOT EDIT.
"""The columns of the matrix: every persister, what its store is, and what it declares it cannot keep."""

from __future__ import annotations

from .support.column import Column

COLUMNS: tuple[Column, ...] = (
    Column(
        name="InMemoryPersister",
        colour="sync",
        backend="memory",
        traits=frozenset(()),
        gaps={},
    ),
    Column(
        name="AsyncInMemoryPersister",
        colour="async",
        backend="memory",
        traits=frozenset(()),
        gaps={},
    ),
    Column(
        name="RedisBasePersister",
        colour="sync",
        backend="redis",
        traits=frozenset(("durable", "network", "connection")),
        gaps={},
    ),
    Column(
        name="AsyncRedisBasePersister",
        colour="async",
        backend="redis",
        traits=frozenset(("durable", "network", "connection")),
        gaps={},
    ),
    Column(
        name="SQLitePersister",
        colour="sync",
        backend="sqlite",
        traits=frozenset(("durable", "initialize", "connection")),
        gaps={},
    ),
    Column(
        name="AsyncSQLitePersister",
        colour="async",
        backend="sqlite",
        traits=frozenset(("durable", "initialize", "connection")),
        gaps={},
    ),
)
