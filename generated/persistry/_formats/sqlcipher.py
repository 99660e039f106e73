# Code generated from spec/backends/sqlcipher.yaml by `make generate`. DO NOT EDIT.
"""SQLCipher: the table, and what makes it, for every driver. It imports none."""

from __future__ import annotations

from .._runtime.formats import Format
from .._runtime.identifiers import literal, quoted, split_table_name
from .._runtime.steps import Step

# Its statements have no values, so that every driver gets them as they stand.
FORMAT = Format(
    store="SQLCipher",
    generation=1,
    opening="""\
WITH known (name, type, pk) AS (VALUES
  ('partition_key', 'TEXT', 0), ('app_id', 'TEXT', 0), ('sequence_id', 'INTEGER', 0), ('position', 'TEXT', 0),
  ('status', 'TEXT', 0), ('state', 'TEXT', 0), ('created_at', 'TEXT', 0), ('codec', 'INTEGER', 0),
  ('write_number', 'INTEGER', 1)),
columns AS (SELECT name, upper(type), pk FROM pragma_table_info({table_name}, coalesce({schema_name}, 'main'))),
lacking AS (SELECT name FROM (SELECT * FROM known EXCEPT SELECT * FROM columns) LIMIT 1)
SELECT
  coalesce(
    (SELECT max(CAST(substr(name, 12) AS INTEGER))
     FROM pragma_table_info({kept_name}, coalesce({schema_name}, 'main')) WHERE name GLOB 'generation_[1-9]*' AND substr(name, 12) NOT GLOB '*[^0-9]*'), 1) AS generation,
  coalesce(
    (SELECT 'lacks the column ''' || name || ''', or has it with another type or key' FROM lacking),
    CASE WHEN 'partition_key,app_id,sequence_id,position' NOT IN (
        SELECT (SELECT group_concat(name) FROM pragma_index_info(i.name, coalesce({schema_name}, 'main')))
        FROM pragma_index_list({table_name}, coalesce({schema_name}, 'main')) AS i WHERE i."unique" AND NOT i.partial)
      THEN 'lacks the unique key that persistry gives it' END) AS difference
FROM columns LIMIT 1
""",
    is_initialized="""\
SELECT count(*) = 2 FROM pragma_index_list({table_name}) WHERE name IN ({order_name}, {apps_name})
AND NOT EXISTS (SELECT write_number, codec FROM {table} LIMIT 0)
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
    on_initialize=("PRAGMA journal_mode = WAL",),
)


def names_of(table_name: str) -> dict[str, str]:
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
