# Code generated from spec/backends/mariadb.yaml by `make generate`. DO NOT EDIT.
"""MariaDB: the table, and what makes it, for every driver. It imports none."""

from __future__ import annotations

from .._runtime.formats import Format
from .._runtime.identifiers import backslashed_literal, backticked, split_table_name
from .._runtime.steps import Step

# Its statements have no values, so that every driver gets them as they stand.
FORMAT = Format(
    store="MariaDB",
    generation=1,
    opening="""\
SELECT
  COALESCE(table_comment, '') AS generation,
  CASE WHEN 9 <> (
      SELECT COUNT(*) FROM information_schema.columns
      WHERE table_schema = COALESCE({schema_name}, DATABASE()) AND table_name = {table_name}
        AND (column_name, LOWER(SUBSTRING(data_type, 1, POSITION(' ' IN CONCAT(data_type, ' ')) - 1))) IN (('write_number', 'bigint'), ('partition_key', 'varbinary'), ('app_id', 'varbinary'), ('sequence_id', 'bigint'), ('position', 'varbinary'), ('status', 'varbinary'), ('state', 'longblob'), ('created_at', 'datetime'), ('codec', 'tinyint')))
    OR NOT EXISTS (
      SELECT 1 FROM information_schema.key_column_usage
      WHERE table_schema = COALESCE({schema_name}, DATABASE()) AND table_name = {table_name}
        AND position_in_unique_constraint IS NULL
      GROUP BY constraint_name HAVING COUNT(*) = 1 AND MIN(column_name) = 'write_number')
    OR NOT EXISTS (
      SELECT 1 FROM information_schema.key_column_usage
      WHERE table_schema = COALESCE({schema_name}, DATABASE()) AND table_name = {table_name}
        AND position_in_unique_constraint IS NULL
      GROUP BY constraint_name HAVING COUNT(*) = 4
        AND COUNT(CASE WHEN column_name IN ('partition_key', 'app_id', 'sequence_id', 'position') THEN 1 END) = 4)
    THEN 'lacks a column or the unique key that persistry gives it, or has a column with another type' END AS difference
FROM information_schema.tables
WHERE table_schema = COALESCE({schema_name}, DATABASE()) AND table_name = {table_name}
""",
    is_initialized="SELECT write_number FROM {table} USE INDEX (PRIMARY, partition_key, ps_order, ps_apps) LIMIT 0",
    begin="START TRANSACTION",
    table=Step("""\
CREATE TABLE IF NOT EXISTS {table} (
  write_number BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  partition_key VARBINARY(512) NOT NULL DEFAULT '',
  app_id VARBINARY(512) NOT NULL,
  sequence_id BIGINT NOT NULL,
  position VARBINARY(512) NOT NULL,
  status VARBINARY(512) NOT NULL,
  state LONGBLOB NOT NULL,
  created_at DATETIME(6) NOT NULL DEFAULT (UTC_TIMESTAMP(6)),
  codec TINYINT,
  UNIQUE (partition_key, app_id, sequence_id, position),
  INDEX ps_order (partition_key, write_number),
  INDEX ps_apps (partition_key, app_id, write_number)) ENGINE=InnoDB COMMENT='persistry generation 1'
"""),
    create=(),
    record=(
        Step(
            "ALTER TABLE {table} COMMENT = 'persistry generation 1'",
            when="""\
SELECT COALESCE(table_comment, '') <> 'persistry generation 1' FROM information_schema.tables
WHERE table_schema = COALESCE({schema_name}, DATABASE()) AND table_name = {table_name}
""",
        ),
    ),
)


def names_of(table_name: str) -> dict[str, str]:
    """The names in the statements, quoted, made from the table's name."""
    schema, table = split_table_name(table_name)
    return {
        "table": backticked(schema, table),
        "table_name": backslashed_literal(table),
        "schema_name": backslashed_literal(schema) if schema else "NULL",
    }
