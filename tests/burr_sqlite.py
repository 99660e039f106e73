"""Apache Burr's table in SQLite, and what its persisters do with one, in plain SQL."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

# `{table}` is put into it as it is; Burr quotes nothing.
TABLE = """
    CREATE TABLE IF NOT EXISTS {table} (
      partition_key TEXT DEFAULT '',
      app_id TEXT NOT NULL,
      sequence_id INTEGER NOT NULL,
      position TEXT NOT NULL,
      status TEXT NOT NULL,
      state TEXT NOT NULL,
      created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
      PRIMARY KEY (partition_key, app_id, sequence_id, position))
"""
INDEX = "CREATE INDEX IF NOT EXISTS {table}_created_at_index ON {table} (created_at)"


class Burr:
    """One of its persisters; it has the file open as long as a call takes."""

    def __init__(self, path: str | Path, table: str = "burr_state") -> None:
        self.path = path
        self.table = table

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement.format(table=self.table), values).fetchall()

    def initialize(self) -> None:
        self.sql(TABLE)
        self.sql(INDEX)

    def save(
        self,
        app_id: str,
        sequence_id: int,
        state: dict[str, Any],
        *,
        partition_key: str | None = "p",
        position: str = "step",
        status: str = "completed",
    ) -> None:
        self.sql(
            "INSERT INTO {table} (partition_key, app_id, sequence_id, position, state, status)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            *(partition_key or "", app_id, sequence_id, position, json.dumps(state), status),
        )

    def load(self, app_id: str, sequence_id: int | None = None, partition_key: str = "p") -> Any:
        """The state; of the latest step if no other is asked for."""
        at, values = "", [partition_key, app_id]
        if sequence_id is not None:
            at = " AND sequence_id = ?"
            values.append(str(sequence_id))
        found = self.sql(
            "SELECT position, state, sequence_id, created_at, status FROM {table}"
            f" WHERE partition_key = ? AND app_id = ?{at}"
            " ORDER BY CAST(sequence_id AS INTEGER) DESC LIMIT 1",
            *values,
        )
        return json.loads(found[0][1]) if found else None

    def list_app_ids(self, partition_key: str = "p") -> list[str]:
        found = self.sql(
            "SELECT DISTINCT app_id FROM {table} WHERE partition_key = ? ORDER BY created_at DESC",
            partition_key,
        )
        return [app_id for (app_id,) in found]
