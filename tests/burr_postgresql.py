"""Apache Burr's table in PostgreSQL, and what its persisters do with one, in plain SQL."""

from __future__ import annotations

import json
import os
from typing import Any

# `{table}` is put into it as it is, so small letters and no spaces.
TABLE = """
    CREATE TABLE {table} (
      partition_key text DEFAULT '',
      app_id text NOT NULL,
      sequence_id integer NOT NULL,
      position text NOT NULL,
      status text NOT NULL,
      state jsonb NOT NULL,
      created_at timestamp DEFAULT CURRENT_TIMESTAMP,
      PRIMARY KEY (partition_key, app_id, sequence_id, position));
    CREATE INDEX {table}_created_at_index ON {table} (created_at)
"""


class Burr:
    """One of its persisters, on a connection that commits each statement."""

    def __init__(self, connection: Any, table: str = "burr_state") -> None:
        self.connection = connection
        self.table = table

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement.format(table=self.table), values or None)
            return cursor.fetchall() if cursor.description else []

    def initialize(self) -> None:
        self.sql(TABLE)

    def save(
        self,
        app_id: str,
        sequence_id: int,
        state: dict[str, Any],
        *,
        partition_key: str = "p",
        position: str = "step",
        status: str = "completed",
    ) -> None:
        self.sql(
            "INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            *(partition_key, app_id, sequence_id, position, status, json.dumps(state)),
        )

    def load(self, app_id: str, sequence_id: int | None = None, partition_key: str = "p") -> Any:
        """The state; of the latest step if no other is asked for. It fails on what is no dict."""
        at, values = "", [partition_key, app_id]
        if sequence_id is not None:
            at = " AND sequence_id = %s"
            values.append(str(sequence_id))
        found = self.sql(
            "SELECT state FROM {table} WHERE partition_key = %s AND app_id = %s"
            f"{at} ORDER BY sequence_id DESC LIMIT 1",
            *values,
        )
        return dict(found[0][0]) if found else None

    def latest_app(self, partition_key: str = "p") -> str:
        """The application that was saved last, in the partition."""
        (found,) = self.sql(
            "SELECT app_id FROM {table} WHERE partition_key = %s ORDER BY created_at DESC LIMIT 1",
            partition_key,
        )
        return str(found[0])

    def list_app_ids(self, partition_key: str = "p") -> list[str]:
        """Newest first; named as often as it was saved."""
        found = self.sql(
            "SELECT DISTINCT app_id, created_at FROM {table} WHERE partition_key = %s"
            " ORDER BY created_at DESC",
            partition_key,
        )
        return [app_id for app_id, _ in found]


def adopt(values: dict[str, Any]) -> str:
    """In a process of its own: adopts the table, and saves a step; what went wrong, if anything."""
    from persistry import PostgreSQLPersister, State

    try:
        with PostgreSQLPersister.from_values(**values) as persister:
            persister.initialize()
            persister.save("p", "ours", os.getpid(), "step", State({}), "completed")
    except BaseException as error:
        return repr(error)
    return ""
