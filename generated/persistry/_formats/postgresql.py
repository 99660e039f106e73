# Code generated from spec/backends/postgresql.yaml by `make generate`. DO NOT EDIT.
"""PostgreSQL: the table, and what makes it, for every driver. It imports none."""

from __future__ import annotations

from .._runtime.formats import Change, Format
from .._runtime.identifiers import escape_literal, quoted, split_table_name
from .._runtime.steps import Step

# Its statements have no values, so that every driver gets them as they stand.
FORMAT = Format(
    store="PostgreSQL",
    generation=1,
    opening="""\
WITH known (name, burrs, ours) AS (VALUES
  ('partition_key', 'text', 'text'), ('app_id', 'text', 'text'), ('sequence_id', 'integer', 'bigint'),
  ('position', 'text', 'text'), ('status', 'text', 'text'), ('state', 'jsonb', 'text'),
  ('created_at', 'timestamp without time zone', 'timestamp without time zone'),
  ('write_number', NULL, 'bigint'), ('codec', NULL, 'smallint'), ('exact', NULL, 'text')),
columns AS (
  SELECT a.attname::text AS name, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS default_value,
    replace(pg_catalog.format_type(a.atttypid, NULL), 'character varying', 'text') AS type
  FROM pg_catalog.pg_attribute AS a
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = pg_catalog.to_regclass({table_text}) AND a.attnum > 0 AND NOT a.attisdropped),
seen AS (
  SELECT count(*) FILTER (WHERE c.type = known.burrs) = 7 AS has_burrs,
    count(*) = 7 AS has_seven, min(c.name) FILTER (WHERE known.name IS NULL) AS other,
    (SELECT min(k.name) FROM known AS k WHERE NOT EXISTS (
       SELECT FROM columns AS c WHERE c.name = k.name AND c.type IN (k.burrs, k.ours))) AS lacking,
    bool_or(c.name = 'write_number') AS is_ours,
    bool_or(c.name = 'write_number' AND c.default_value IN ('0', '''0''::bigint')) AS is_begun,
    bool_or(c.name = 'state' AND c.type = 'jsonb') AS holds_jsonb,
    bool_or(c.name = 'sequence_id' AND c.type = 'integer') AS is_narrow,
    EXISTS (
      SELECT FROM pg_catalog.pg_class AS t
      WHERE t.oid = pg_catalog.to_regclass({table_text}) AND t.relkind IN ('r', 'p')) AS is_table,
    EXISTS (
      SELECT FROM pg_catalog.pg_index AS i
      WHERE i.indrelid = pg_catalog.to_regclass({table_text}) AND i.indisunique AND i.indimmediate AND i.indisvalid
        AND i.indpred IS NULL AND i.indnkeyatts = 4 AND 4 = (
          SELECT count(*) FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
            AND a.attname IN ('partition_key', 'app_id', 'sequence_id', 'position'))) AS is_keyed,
    (SELECT left(substring(pg_catalog.obj_description(i.indexrelid, 'pg_class') FROM '^persistry generation ([1-9][0-9]*)$'), 18)::bigint
     FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
     WHERE i.indrelid = pg_catalog.to_regclass({table_text}) AND x.relname = {order_name}) AS kept
  FROM columns AS c LEFT JOIN known ON known.name = c.name
  HAVING count(*) > 0),
told AS (
  SELECT *, coalesce(kept, CASE WHEN is_begun OR has_burrs AND has_seven THEN 0 ELSE 1 END) AS generation FROM seen),
folded AS (
  SELECT c.relname AS name
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND NOT a.attisdropped
  WHERE c.oid = pg_catalog.to_regclass(lower({table_text})) AND pg_catalog.to_regclass({table_text}) IS NULL
    AND (a.attname IN ('partition_key', 'app_id', 'sequence_id', 'position', 'status', 'created_at')
      OR a.attname = 'state' AND a.atttypid = 'pg_catalog.jsonb'::regtype)
  GROUP BY c.relname HAVING count(*) = 7)
SELECT
  generation,
  CASE WHEN NOT is_table THEN 'is a view, or something else that is no table'
    WHEN generation > 0 AND has_burrs AND NOT is_ours AND other IS NOT NULL
      THEN 'has a column ' || quote_literal(other) || ', which is none of persistry''s'
    WHEN generation > 0 AND lacking IS NOT NULL
      THEN 'lacks the column ' || quote_literal(lacking) || ', or has it with another type'
    WHEN NOT is_keyed THEN 'has another key than persistry gives it' END AS difference,
  CASE WHEN holds_jsonb THEN 'adopted' END AS layout,
  CASE WHEN is_narrow THEN 2147483647 END AS largest_sequence_id
FROM told
UNION ALL
SELECT NULL, 'is missing, but ' || quote_literal(folded.name) || ' is there, which is how Apache Burr writes its name', NULL, NULL
FROM folded
""",
    is_initialized="""\
SELECT count(*) = 2
FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = {table_text}::regclass AND i.indisvalid AND c.relname IN ({order_name}, {apps_name})
  AND NOT EXISTS (SELECT write_number, codec, exact FROM {table} LIMIT 0)
""",
    begin="BEGIN; SET LOCAL statement_timeout = {milliseconds}; SET LOCAL idle_in_transaction_session_timeout = {milliseconds}",
    lock=(
        Step("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
        Step("SELECT pg_advisory_xact_lock(7165931206934)"),
    ),
    table=Step("""\
CREATE TABLE IF NOT EXISTS {table} (
  partition_key TEXT NOT NULL DEFAULT '',
  app_id TEXT NOT NULL,
  sequence_id BIGINT NOT NULL,
  position TEXT NOT NULL,
  status TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at TIMESTAMP NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
  write_number BIGINT NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  codec SMALLINT,
  exact TEXT,
  PRIMARY KEY (partition_key, app_id, sequence_id, position))
"""),
    create=(
        Step(
            "ALTER TABLE {table} ALTER COLUMN state SET COMPRESSION lz4, ALTER COLUMN exact SET COMPRESSION lz4",
            when="""\
SELECT 'lz4' = ANY (s.enumvals)
FROM pg_catalog.pg_settings AS s, pg_catalog.pg_class AS c
WHERE s.name = 'default_toast_compression' AND c.oid = {table_text}::regclass
  AND c.xmin = pg_catalog.pg_current_xact_id()::xid
""",
        ),
        Step("""\
INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, codec, exact)
SELECT ''::text, ''::text, 0::bigint, ''::text, ''::text, 0::smallint, ''::text WHERE false
ON CONFLICT (partition_key, app_id, sequence_id, position) DO NOTHING
"""),
        Step("SELECT state::jsonb FROM {table} WHERE false"),
        Step(
            "CREATE INDEX {order} ON {table} (partition_key, write_number DESC, created_at DESC) INCLUDE (app_id)",
            when="""\
SELECT NOT EXISTS (
  SELECT FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  WHERE i.indrelid = {table_text}::regclass AND i.indisvalid AND c.relname = {order_name})
""",
        ),
        Step(
            "CREATE INDEX {apps} ON {table} (partition_key, app_id, write_number DESC, created_at DESC)",
            when="""\
SELECT NOT EXISTS (
  SELECT FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  WHERE i.indrelid = {table_text}::regclass AND i.indisvalid AND c.relname = {apps_name})
""",
        ),
    ),
    record=(Step("COMMENT ON INDEX {order_index} IS 'persistry generation 1'"),),
    changes=(
        Change(
            1,
            "Adopts a table that Apache Burr's persister made, which can go on with it: adds the columns `write_number`, 0 in the rows that are there, `codec` and `exact`, and makes two indexes. No row is rewritten. From now on `created_at` is UTC, also where Burr writes; before, it was in the time zone of Burr's session.",
            (
                Step(
                    """\
ALTER TABLE {table} ADD COLUMN write_number BIGINT NOT NULL DEFAULT 0, ADD COLUMN codec SMALLINT,
  ADD COLUMN exact TEXT, ALTER COLUMN created_at SET DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')
""",
                    when="""\
SELECT NOT EXISTS (
  SELECT FROM pg_catalog.pg_attribute AS a
  WHERE a.attrelid = {table_text}::regclass AND a.attname = 'write_number' AND NOT a.attisdropped)
""",
                ),
                Step(
                    """\
ALTER TABLE {table} ALTER COLUMN write_number DROP DEFAULT,
  ALTER COLUMN write_number ADD GENERATED BY DEFAULT AS IDENTITY
""",
                    when="""\
SELECT a.attidentity = '' FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid = {table_text}::regclass AND a.attname = 'write_number' AND NOT a.attisdropped
""",
                ),
            ),
        ),
    ),
    widen=(
        Step("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"),
        Step("SELECT pg_advisory_xact_lock(7165931206934)"),
        Step(
            "ALTER TABLE {table} ALTER COLUMN sequence_id TYPE BIGINT",
            when="""\
SELECT a.atttypid = 'pg_catalog.int4'::regtype FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid = {table_text}::regclass AND a.attname = 'sequence_id'
""",
        ),
    ),
)


def names_of(table_name: str) -> dict[str, str]:
    """The names in the statements, quoted, made from the table's name."""
    schema, table = split_table_name(table_name, most_bytes=63, longest_suffix="_order")
    return {
        "table": quoted(schema, table),
        "order": quoted("", table + "_order"),
        "apps": quoted("", table + "_apps"),
        "order_index": quoted(schema, table + "_order"),
        "table_text": escape_literal(quoted(schema, table)),
        "order_name": escape_literal(table + "_order"),
        "apps_name": escape_literal(table + "_apps"),
    }
