# Code generated from spec/backends/sqlcipher.yaml by `make generate`. DO NOT EDIT.
"""SQLCipher: what `initialize()` runs, for `python -m persistry ddl`. It imports no driver."""

from __future__ import annotations

from .._runtime.formats import Format
from .._runtime.identifiers import literal, quoted, split_table_name
from .._runtime.steps import Step

TITLE = "SQLCipher"
# The table, and what `initialize` runs for it, in one transaction where the store has that for tables.
_FORMAT = Format(
    generation=1,
    opening="""\
SELECT coalesce(
  (SELECT max(CAST(substr(name, 12) AS INTEGER))
   FROM pragma_table_info({kept_name}, coalesce({schema_name}, 'main')) WHERE name GLOB 'generation_[1-9]*' AND substr(name, 12) NOT GLOB '*[^0-9]*'), 1) AS generation
FROM pragma_table_info({table_name}, coalesce({schema_name}, 'main')) WHERE name = 'codec'
""",
    begin="BEGIN IMMEDIATE",
    table=Step("""\
CREATE TABLE IF NOT EXISTS {table} (
  write_number INTEGER PRIMARY KEY,
  partition_key TEXT NOT NULL,
  app_id TEXT NOT NULL,
  sequence_id INTEGER NOT NULL,
  position TEXT NOT NULL,
  status TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TEXT NOT NULL,
  codec INTEGER,
  UNIQUE (partition_key, app_id, sequence_id, position))
"""),
    create=(
        Step("""\
INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state, created_at, codec)
SELECT partition_key, app_id, sequence_id, position, status, state, created_at, codec
FROM {table} WHERE write_number = 0 AND false
ON CONFLICT (partition_key, app_id, sequence_id, position) DO NOTHING
"""),
        Step(
            "CREATE INDEX {order} ON {table_alone} (partition_key)",
            when="SELECT {order_name} NOT IN (SELECT name FROM pragma_index_list({table_name}))",
        ),
        Step(
            "CREATE INDEX {apps} ON {table_alone} (partition_key, app_id)",
            when="SELECT {apps_name} NOT IN (SELECT name FROM pragma_index_list({table_name}))",
        ),
    ),
    record=(
        Step(
            "DROP VIEW IF EXISTS {kept}",
            when="SELECT EXISTS (SELECT * FROM pragma_table_info({kept_name}, coalesce({schema_name}, 'main')) WHERE name GLOB 'generation_[0-9]*')",
        ),
        Step("CREATE VIEW {kept} AS SELECT 1 AS generation_1"),
    ),
)
# Run behind that, on a connection that is opened here.
_ON_INITIALIZE: tuple[str, ...] = ("PRAGMA journal_mode = WAL",)


def _names(table_name: str) -> dict[str, str]:
    """The names in the statements, quoted, made from the table's name."""
    schema, table = split_table_name(table_name)
    return {
        "table": quoted(schema, table),
        "table_name": literal(table),
        "table_alone": quoted("", table),
        "order": quoted(schema, table + "_order"),
        "order_name": literal(table + "_order"),
        "order_alone": quoted("", table + "_order"),
        "apps": quoted(schema, table + "_apps"),
        "apps_name": literal(table + "_apps"),
        "apps_alone": quoted("", table + "_apps"),
        "kept": quoted(schema, table + "_generation"),
        "kept_name": literal(table + "_generation"),
        "schema_name": literal(schema) if schema else "NULL",
    }
