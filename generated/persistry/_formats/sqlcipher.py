# Code generated from spec/backends/sqlcipher.yaml by `make generate`. DO NOT EDIT.
"""SQLCipher: the table, and what makes it, for every driver. It imports none."""

from __future__ import annotations

from .._runtime.formats import Change, Format
from .._runtime.identifiers import literal, quoted, split_table_name
from .._runtime.steps import Step

# Its statements have no values, so that every driver gets them as they stand.
FORMAT = Format(
    store="SQLCipher",
    generation=1,
    opening="""\
WITH known (name, type, burrs_pk) AS (VALUES
  ('partition_key', 'TEXT', 1), ('app_id', 'TEXT', 2), ('sequence_id', 'INTEGER', 3), ('position', 'TEXT', 4),
  ('status', 'TEXT', 0), ('state', 'TEXT', 0), ('created_at', 'TIMESTAMP', 0), ('codec', 'INTEGER', NULL)),
columns AS (
  SELECT c.name, known.name AS known_name, known.burrs_pk IS NOT NULL AS is_burrs, known.burrs_pk IS c.pk AS is_keyed_as_burrs
  FROM pragma_table_info({table_name}, coalesce({schema_name}, 'main')) AS c
  LEFT JOIN known ON known.name = c.name AND known.type = upper(c.type)),
seen AS (
  SELECT count(*) = 7 AND sum(is_keyed_as_burrs) = 7 AS as_burrs,
    sum(is_burrs) = 7 AS has_burrs, max(name = 'write_number') AS is_numbered,
    min(CASE WHEN name NOT IN (SELECT name FROM known UNION SELECT 'write_number') THEN name END) AS other,
    (SELECT name FROM known WHERE name NOT IN (SELECT name FROM columns WHERE known_name IS NOT NULL)) AS lacking,
    EXISTS (
      SELECT * FROM pragma_index_list({table_name}, coalesce({schema_name}, 'main')) AS i
      WHERE i."unique" AND NOT i.partial AND (
        SELECT sum(k.key) = 4 AND sum(k.cid = -1) AND sum(k.key AND k.name IN ('partition_key', 'app_id', 'sequence_id', 'position')) = 4
        FROM pragma_index_xinfo(i.name, coalesce({schema_name}, 'main')) AS k)) AS is_keyed,
    (SELECT max(CAST(substr(name, 12) AS INTEGER))
     FROM pragma_table_info({kept_name}, coalesce({schema_name}, 'main'))
     WHERE name GLOB 'generation_[1-9]*' AND substr(name, 12) NOT GLOB '*[^0-9]*') AS kept
  FROM columns HAVING count(*) > 0)
SELECT
  CASE WHEN as_burrs THEN 0 ELSE coalesce(kept, 1) END AS generation,
  CASE WHEN has_burrs AND lacking = 'codec' AND kept IS NULL AND other IS NOT NULL
      THEN 'has a column ''' || other || ''', which is none of persistry''s'
    WHEN NOT as_burrs AND lacking IS NOT NULL THEN 'lacks the column ''' || lacking || ''', or has it with another type'
    WHEN NOT is_keyed THEN 'is a view, or has another key than persistry gives it, or no rowid' END AS difference,
  CASE WHEN NOT is_numbered THEN 'adopted' END AS layout
FROM seen
""",
    is_initialized="SELECT t.codec, h.last_write FROM {table} AS t, {heads} AS h LIMIT 0",
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
    stale="SELECT (SELECT max(rowid) FROM {table}) IS NOT (SELECT max(last_write) FROM {heads})",
    rebuild=(
        Step("DELETE FROM {heads}"),
        Step("""\
INSERT INTO {heads} (partition_key, app_id, last_write)
SELECT coalesce(partition_key, ''), app_id, max(rowid) FROM {table} WHERE true GROUP BY 1, 2
"""),
    ),
    on_initialize=("PRAGMA journal_mode = WAL",),
)


def names_of(table_name: str) -> dict[str, str]:
    """The names in the statements, quoted, made from the table's name."""
    schema, table = split_table_name(table_name)
    return {
        "table_name": literal(table),
        "schema_name": literal(schema) if schema else "NULL",
        "table": quoted(schema, table),
        "heads": quoted(schema, table + "_heads"),
        "heads_order": quoted(schema, table + "_heads_order"),
        "saved": quoted(schema, table + "_saved"),
        "deleted": quoted(schema, table + "_deleted"),
        "table_alone": quoted("", table),
        "heads_alone": quoted("", table + "_heads"),
        "kept": quoted(schema, table + "_generation"),
        "kept_name": literal(table + "_generation"),
    }
