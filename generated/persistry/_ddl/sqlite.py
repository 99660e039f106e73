# Code generated from spec/backends/sqlite.yaml by `make generate`. DO NOT EDIT.
"""SQLite: what `initialize()` runs, for `python -m persistry ddl`. It imports no driver."""

from __future__ import annotations

from .._runtime.formats import Change, Format
from .._runtime.identifiers import literal, quoted, split_table_name
from .._runtime.steps import Step

TITLE = "SQLite"
# Whether what only repeats the records has to be made anew, and how.
_STALE = "SELECT (SELECT max(rowid) FROM {table}) IS NOT (SELECT max(last_write) FROM {heads})"
_REBUILD = (
    Step("DELETE FROM {heads}"),
    Step("""\
INSERT INTO {heads} (partition_key, app_id, last_write)
SELECT coalesce(partition_key, ''), app_id, max(rowid) FROM {table} WHERE true GROUP BY 1, 2
"""),
)
# The table, and what `initialize` runs for it, in one transaction where the store has that for tables.
_FORMAT = Format(
    generation=1,
    opening="""\
WITH burrs (name, type, pk) AS (VALUES
  ('partition_key', 'TEXT', 1), ('app_id', 'TEXT', 2), ('sequence_id', 'INTEGER', 3), ('position', 'TEXT', 4),
  ('status', 'TEXT', 0), ('state', 'TEXT', 0), ('created_at', 'TIMESTAMP', 0)),
columns AS (
  SELECT c.name, burrs.name IS NOT NULL AS is_burrs, c.name = 'codec' AS is_ours
  FROM pragma_table_info({table_name}, coalesce({schema_name}, 'main')) AS c
  LEFT JOIN burrs ON burrs.name = c.name AND burrs.type = upper(c.type) AND burrs.pk = c.pk),
seen AS (
  SELECT count(*) = 7 AND sum(is_burrs) = 7 AS as_burrs, max(is_ours) AS ours,
    max(name = 'write_number') AS is_numbered,
    CASE WHEN sum(is_burrs) = 7 THEN min(CASE WHEN NOT is_burrs THEN name END) END AS other,
    (SELECT max(CAST(substr(name, 12) AS INTEGER))
     FROM pragma_table_info({kept_name}, coalesce({schema_name}, 'main')) WHERE name GLOB 'generation_[0-9]*') AS kept
  FROM columns HAVING count(*) > 0)
SELECT
  CASE WHEN as_burrs THEN 0 WHEN kept THEN kept WHEN ours THEN 1 END AS generation,
  CASE WHEN kept IS NULL AND NOT ours THEN other END AS foreign_column,
  CASE WHEN NOT is_numbered THEN 'adopted' END AS layout
FROM seen
""",
    begin="BEGIN IMMEDIATE",
    table=Step("""\
CREATE TABLE IF NOT EXISTS {table} (
  write_number INTEGER PRIMARY KEY,
  partition_key TEXT NOT NULL DEFAULT '',
  app_id TEXT NOT NULL,
  sequence_id INTEGER NOT NULL,
  position TEXT NOT NULL,
  status TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  codec INTEGER,
  UNIQUE (partition_key, app_id, sequence_id, position))
"""),
    create=(
        Step("""\
CREATE TABLE IF NOT EXISTS {heads} (
  partition_key TEXT NOT NULL, app_id TEXT NOT NULL, last_write INTEGER NOT NULL,
  PRIMARY KEY (partition_key, app_id)) WITHOUT ROWID
"""),
        Step("""\
INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state, created_at, codec)
SELECT partition_key, app_id, sequence_id, position, status, state, created_at, codec
FROM {table} WHERE rowid = 0 AND false
ON CONFLICT (partition_key, app_id, sequence_id, position) DO NOTHING
"""),
        Step("""\
INSERT INTO {heads} (partition_key, app_id, last_write)
SELECT partition_key, app_id, last_write FROM {heads} WHERE false
ON CONFLICT (partition_key, app_id) DO UPDATE SET last_write = excluded.last_write
"""),
        Step(
            "CREATE INDEX IF NOT EXISTS {heads_order} ON {heads_alone} (partition_key, last_write DESC)"
        ),
        Step("DROP TRIGGER IF EXISTS {saved}"),
        Step("""\
CREATE TRIGGER {saved} AFTER INSERT ON {table_alone} BEGIN
  INSERT INTO {heads_alone} (partition_key, app_id, last_write)
  VALUES (coalesce(NEW.partition_key, ''), NEW.app_id, NEW.rowid)
  ON CONFLICT (partition_key, app_id) DO UPDATE SET last_write = excluded.last_write;
END
"""),
        Step("DROP TRIGGER IF EXISTS {deleted}"),
        Step("""\
CREATE TRIGGER {deleted} AFTER DELETE ON {table_alone} BEGIN
  DELETE FROM {heads_alone}
  WHERE partition_key = coalesce(OLD.partition_key, '') AND app_id = OLD.app_id AND last_write = OLD.rowid;
  INSERT INTO {heads_alone} (partition_key, app_id, last_write)
  SELECT coalesce(OLD.partition_key, ''), OLD.app_id, max(rowid) FROM {table_alone}
  WHERE partition_key = OLD.partition_key AND app_id = OLD.app_id HAVING max(rowid) IS NOT NULL
  ON CONFLICT (partition_key, app_id) DO UPDATE SET last_write = excluded.last_write;
END
"""),
        *_REBUILD,
    ),
    record=(
        Step(
            "DROP VIEW IF EXISTS {kept}",
            when="""\
SELECT EXISTS (
  SELECT * FROM pragma_table_info({kept_name}, coalesce({schema_name}, 'main')) WHERE name GLOB 'generation_[0-9]*')
""",
        ),
        Step("CREATE VIEW {kept} AS SELECT 1 AS generation_1"),
    ),
    changes=(
        Change(
            1,
            "Adopts a table that Apache Burr's persister made, which can go on with it: adds the column `codec`, which is NULL in the rows that are there, and makes the heads and their triggers beside it. No row is rewritten. Its rowid, the order of saving, is what `write_number` is in a table of our own.",
            (
                Step(
                    "ALTER TABLE {table} ADD COLUMN codec INTEGER",
                    when="SELECT NOT EXISTS (SELECT * FROM pragma_table_info({table_name}, coalesce({schema_name}, 'main')) WHERE name = 'codec')",
                ),
            ),
        ),
    ),
)
# Run behind that, on a connection that is opened here.
_ON_INITIALIZE: tuple[str, ...] = ("PRAGMA journal_mode = WAL",)


def _names(table_name: str) -> dict[str, str]:
    """The names in the statements, quoted, made from the table's name."""
    schema, table = split_table_name(table_name)
    return {
        "table": quoted(schema, table),
        "heads": quoted(schema, table + "_heads"),
        "heads_order": quoted(schema, table + "_heads_order"),
        "saved": quoted(schema, table + "_saved"),
        "deleted": quoted(schema, table + "_deleted"),
        "table_alone": quoted("", table),
        "heads_alone": quoted("", table + "_heads"),
        "kept": quoted(schema, table + "_generation"),
        "kept_name": literal(table + "_generation"),
        "table_name": literal(table),
        "schema_name": literal(schema) if schema else "NULL",
    }
