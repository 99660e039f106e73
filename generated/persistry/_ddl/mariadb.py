# Code generated from spec/backends/mariadb.yaml by `make generate`. DO NOT EDIT.
"""MariaDB: what `initialize()` runs, for `python -m persistry ddl`. It imports no driver."""

from __future__ import annotations

from .._runtime.formats import Format
from .._runtime.identifiers import backslashed_literal, backticked, doubled, split_table_name
from .._runtime.steps import Step

TITLE = "MariaDB"
# The table, and what `initialize` runs for it, in one transaction where the store has that for tables.
_FORMAT = Format(
    generation=1,
    opening="""\
SELECT CASE WHEN table_comment REGEXP '^persistry generation [1-9][0-9]*$'
  THEN CAST(SUBSTRING(table_comment, 22, 18) AS UNSIGNED) ELSE 1 END AS generation
FROM information_schema.tables
WHERE table_schema = COALESCE({schema_name}, DATABASE()) AND table_name = {table_name}
""",
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
SELECT table_comment <> 'persistry generation 1' FROM information_schema.tables
WHERE table_schema = COALESCE({schema_name}, DATABASE()) AND table_name = {table_name}
""",
        ),
    ),
    doubles_percent=True,
)
# Run behind that, on a connection that is opened here.
_ON_INITIALIZE: tuple[str, ...] = ()


def _names(table_name: str) -> dict[str, str]:
    """The names in the statements, quoted, made from the table's name."""
    schema, table = split_table_name(table_name)
    names = {
        "table": backticked(schema, table),
        "table_name": backslashed_literal(table),
        "schema_name": backslashed_literal(schema) if schema else "NULL",
    }
    return doubled(names)
