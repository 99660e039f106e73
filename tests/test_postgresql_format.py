"""What stands in a PostgreSQL table, as the driver alone reads it, and what it costs to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest

from persistry import State, b_asyncpg, b_psycopg2
from persistry.errors import StateConflictError, StoreVersionError
from tests.bad_input import Calls, runner, works
from tests.postgresql import CLASSES, Database, database, databases, makers
from tests.servers import PostgreSQLServer
from tests.sql_servers import Make, initialized

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

run = pytest.fixture(runner)
own = pytest.fixture(databases)
colour = pytest.fixture(params=CLASSES)(lambda request: request.param)
make = pytest.fixture(makers)
persister = pytest.fixture(initialized)
COLUMNS = [
    ("partition_key", "text", "NO"),
    ("app_id", "text", "NO"),
    ("sequence_id", "bigint", "NO"),
    ("position", "text", "NO"),
    ("status", "text", "NO"),
    ("state", "text", "NO"),
    ("created_at", "timestamp without time zone", "NO"),
    ("write_number", "bigint", "NO"),
    ("codec", "smallint", "YES"),
    ("exact", "text", "YES"),
]
INDEXES = {
    "burr_state_pkey": "UNIQUE INDEX (partition_key, app_id, sequence_id, position)",
    "burr_state_order": (
        "INDEX (partition_key, write_number DESC, created_at DESC) INCLUDE (app_id)"
    ),
    "burr_state_apps": "INDEX (partition_key, app_id, write_number DESC, created_at DESC)",
}
RECORD = "partition_key, app_id, sequence_id, position, status, state, codec, exact"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer() as server:
        yield server


def indexes(own: Database, table: str = "burr_state") -> dict[str, str]:
    found = own.sql("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s", table)
    shown = re.compile(r"CREATE (UNIQUE )?INDEX .* USING btree (.*)")
    return {name: shown.sub(r"\1INDEX \2", text).replace('"', "") for name, text in found}


# The table


def test_the_table_and_its_indexes(own: Database, persister: Calls) -> None:
    found = own.sql(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_name = 'burr_state' ORDER BY ordinal_position"
    )
    assert found == COLUMNS
    assert indexes(own) == INDEXES
    ((cache,),) = own.sql("SELECT seqcache FROM pg_sequence")
    assert cache == 1  # two sessions with numbers in stock would give them out in another order


def test_the_state_is_compressed_as_well_as_the_server_can(own: Database, persister: Calls) -> None:
    compressions = "SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'"
    best = "l" if "lz4" in own.sql(compressions)[0][0] else ""
    found = own.sql(
        "SELECT attname, attcompression FROM pg_attribute"
        " WHERE attrelid = 'burr_state'::regclass AND attname IN ('state', 'exact')"
    )
    assert dict(found) == {"state": best, "exact": best}


def test_a_record_as_it_is_stored(own: Database, persister: Calls) -> None:
    persister.save(None, "app", 3, "step", State({"b": "é", "a": [1, 2.0]}), "completed")
    found = own.sql(f"SELECT {RECORD} FROM burr_state")
    state = '{"b":"é","a":[1,2.0]}'
    assert found == [("", "app", 3, "step", "completed", state, 0, None)]


def test_the_largest_state_fits_into_a_statement() -> None:
    """psycopg2 puts it into the SQL: a literal ends at 512 MiB, a statement at 1 GiB - 1.

    In there each quote is doubled, and the rest is the SQL itself and the key.
    """
    rest = len(b_psycopg2._SAVE_INSERT) + 2 * 4 * 512 + 1000
    for module in (b_psycopg2, b_asyncpg):
        assert module._STATE_BYTES < 512 * 2**20
        assert 2 * module._STATE_BYTES + rest < 2**30 - 1


def test_what_stands_in_exact_is_read_instead_of_the_state(own: Database, persister: Calls) -> None:
    persister.put(n=1)
    own.sql("""UPDATE burr_state SET state = 'null', exact = '{"n":2}'""")
    assert persister.get() == {"n": 2}
    persister.put(n=2)
    with pytest.raises(StateConflictError):
        persister.put(n=1)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_the_time_is_the_servers_in_utc(own: Database, make: Make, zone: str) -> None:
    own.sql(f"ALTER ROLE postgres SET timezone = '{zone}'")
    try:
        persister = make()
        persister.initialize()
        before = datetime.now(UTC)
        persister.put(n=1)
        record = persister.load("p", "app")
    finally:
        own.sql("ALTER ROLE postgres RESET timezone")
    assert before - timedelta(seconds=1) < datetime.fromisoformat(record["created_at"])
    assert datetime.fromisoformat(record["created_at"]) < datetime.now(UTC) + timedelta(seconds=1)
    assert record["created_at"].endswith("+00:00")


def test_a_save_that_is_repeated_moves_nothing(own: Database, persister: Calls) -> None:
    persister.put("one", n=1)
    persister.put("other", n=1)
    before = own.sql("SELECT xmin, * FROM burr_state ORDER BY write_number")
    persister.put("one", n=1)
    assert own.sql("SELECT xmin, * FROM burr_state ORDER BY write_number") == before
    assert persister.list_app_ids("p") == ["other", "one"]


def test_a_dump_is_restored(own: Database, persister: Calls, make: Make) -> None:
    """Numbers that are given explicitly do not move the counter: pg_dump sets it itself."""
    for n in range(3):
        persister.put(f"app-{n}", n=n)
    own.sql("CREATE TABLE copied (LIKE burr_state INCLUDING ALL)")
    own.sql("INSERT INTO copied SELECT * FROM burr_state")
    own.sql("SELECT setval(pg_get_serial_sequence('copied', 'write_number'), 3)")
    copied = make(table_name="copied")
    copied.initialize()
    assert copied.list_app_ids("p") == ["app-2", "app-1", "app-0"]
    copied.put("app-0", 1, n=9)
    assert copied.list_app_ids("p") == ["app-0", "app-2", "app-1"]


# What is created, and what is not


def test_a_user_who_may_only_read_and_insert(own: Database, make: Make, persister: Calls) -> None:
    """Where everything is there, initialize() needs no right to create and changes nothing."""
    own.sql(f'GRANT SELECT, INSERT ON burr_state TO "{own.user}"')
    user = make(user=own.user, password="hunter2")
    before = own.sql("SELECT xmin, * FROM pg_class ORDER BY oid")
    assert user.is_initialized()
    user.initialize()
    assert own.sql("SELECT xmin, * FROM pg_class ORDER BY oid") == before
    works(user)


def test_a_user_who_may_only_read(own: Database, make: Make, persister: Calls) -> None:
    persister.put(n=1)
    own.sql(f'GRANT SELECT ON burr_state TO "{own.user}"')
    user = make(user=own.user, password="hunter2")
    user.initialize()
    assert user.is_initialized()
    assert user.get() == {"n": 1}


@pytest.mark.parametrize("missing", ["order", "apps"])
def test_a_missing_index_is_made_anew(
    own: Database, make: Make, persister: Calls, missing: str
) -> None:
    persister.put(n=1)
    own.sql(f"DROP INDEX burr_state_{missing}")
    other = make()
    assert other.is_initialized() is False
    other.initialize()
    assert indexes(own) == INDEXES
    assert other.get() == {"n": 1}


def test_the_compression_of_a_table_that_was_there_is_left(
    own: Database, make: Make, persister: Calls
) -> None:
    own.sql("ALTER TABLE burr_state ALTER state SET COMPRESSION pglz")
    own.sql("DROP INDEX burr_state_order")
    make().initialize()
    found = own.sql("SELECT attcompression FROM pg_attribute WHERE attname = 'state'")
    assert ("p",) in found and ("l",) not in found


def test_indexes_of_another_table_do_not_count(own: Database, make: Make) -> None:
    persister = make()
    persister.initialize()
    own.sql("ALTER TABLE burr_state RENAME TO moved")  # its indexes keep their names
    other = make()
    assert other.is_initialized() is False
    with pytest.raises(StoreVersionError, match="something else in this database has the name"):
        other.initialize()
    assert own.sql("SELECT to_regclass('burr_state') IS NULL") == [(True,)]
    own.sql("DROP TABLE moved")
    other.initialize()
    works(other)


def test_tables_of_one_name_in_two_schemas(own: Database, make: Make) -> None:
    own.sql('CREATE SCHEMA "Other"')
    here, there = make(), make(table_name="Other.burr_state")
    here.initialize()
    assert here.is_initialized()
    assert there.is_initialized() is False
    own.sql('ALTER ROLE postgres SET search_path = "Other", public')
    try:
        first = make()
        assert first.is_initialized()  # there is only the one in public
        there.initialize()
        assert there.is_initialized()
        second = make()
        second.put(n=2)
    finally:
        own.sql("ALTER ROLE postgres RESET search_path")
    assert there.get() == {"n": 2}
    assert here.get() is None


def test_case_is_kept(make: Make) -> None:
    make(table_name="Steps").initialize()
    assert make(table_name="Steps").is_initialized()
    assert make(table_name="steps").is_initialized() is False


NAMES = [
    "Steps",
    "with space",
    "per%cent %s %(x)s %%",
    "quo'te",
    'double"quote',
    "back\\slash",
    "back\\slash'quote",
    "br{ace}",
    "ümlaut",
    "select",
    "$1",
    ":app_id",
    "a;b--c/*",
    "x" * 57,
    "ü" * 28,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_tables(own: Database, make: Make, name: str) -> None:
    own.sql('CREATE SCHEMA "Sche ma%"')
    for table_name in (name, f"Sche ma%.{name}"):
        persister = make(table_name=table_name)
        assert persister.is_initialized() is False
        persister.initialize()
        assert make(table_name=table_name).is_initialized()
        works(persister)
    found = own.sql("SELECT schemaname, tablename FROM pg_tables WHERE tablename = %s", name)
    assert sorted(found) == [("Sche ma%", name), ("public", name)]


@pytest.mark.parametrize("name", ["x" * 58, "ü" * 29, "x" * 60, "x" * 64, f"{'s' * 64}.t"])
def test_names_that_the_server_would_cut(make: Make, name: str) -> None:
    with pytest.raises(ValueError, match=r"table_name.* bytes"):
        make(table_name=name)


def test_long_names_do_not_meet(make: Make) -> None:
    tables = [make(table_name="x" * 56 + end) for end in "ab"]
    for number, table in enumerate(tables):
        table.initialize()
        table.put(n=number)
    assert [table.get() for table in tables] == [{"n": 0}, {"n": 1}]


# What the statements cost

TYPES = {
    "_SAVE_CONFLICTING": ("text", "text", "bigint", "text"),
    "_LOAD_AT_SEQUENCE": ("text", "text", "bigint"),
    "_LOAD_LATEST": ("text", "text"),
    "_LOAD_LATEST_OF_PARTITION": ("text",),
    "_LIST_APP_IDS_NEWEST": ("text", "bigint"),
    "_LIST_PARTITION_KEYS_BY_NAME": ("bigint",),
}
QUESTIONS: list[tuple[str, tuple[Any, ...], int]] = [
    # The statement, its values, and how many pages of 8 KB it may read
    ("_SAVE_CONFLICTING", ("hot", "hot", 501, "step"), 10),
    ("_LOAD_AT_SEQUENCE", ("hot", "hot", 501), 10),
    ("_LOAD_AT_SEQUENCE", ("even", "app3", 2), 10),
    ("_LOAD_LATEST", ("hot", "hot"), 10),
    ("_LOAD_LATEST", ("even", "app3"), 10),
    ("_LOAD_LATEST", ("hot", "nobody"), 10),
    ("_LOAD_LATEST_OF_PARTITION", ("hot",), 10),
    ("_LOAD_LATEST_OF_PARTITION", ("even",), 10),
    ("_LIST_APP_IDS_NEWEST", ("even", 100), 1100),
    ("_LIST_APP_IDS_NEWEST", ("hot", 100), 6000),  # a few for each of the thousand applications
    ("_LIST_APP_IDS_NEWEST", ("hot", None), 6000),
    ("_LIST_APP_IDS_NEWEST", ("none", None), 10),
    ("_LIST_PARTITION_KEYS_BY_NAME", (None,), 25),  # a few for each of the two partitions
    ("_LIST_PARTITION_KEYS_BY_NAME", (1,), 25),
]


@pytest.fixture(scope="module", params=["fresh", "analyzed"])
def large(request: pytest.FixtureRequest, server: PostgreSQLServer) -> Iterator[Any]:
    """100,000 records: of 10,000 applications used evenly, and of one that has most of the rest."""
    names, form = b_psycopg2.names_of("large"), b_psycopg2.FORMAT
    with (
        database(server, "large") as own,
        own.connected() as connection,
        connection.cursor() as cursor,
    ):
        for step in (form.table, *form.create):
            if "CREATE" in step.sql:
                cursor.execute(step.sql.format_map(names))
        cursor.execute("ALTER TABLE large SET (autovacuum_enabled = off)")
        for partition, app_id in (
            ("even", "'app' || g % 10000"),
            ("hot", "CASE WHEN g % 50 = 0 THEN 'app' || g ELSE 'hot' END"),
        ):
            cursor.execute(
                "INSERT INTO large (partition_key, app_id, sequence_id, position, status, state)"
                f" SELECT '{partition}', {app_id}, g, 'step', 'completed', repeat('x', 500)"
                " FROM generate_series(0, 48999) AS g"
            )
        cursor.execute(
            "INSERT INTO large (partition_key, app_id, sequence_id, position, status, state)"
            " SELECT 'hot', 'hot', g, 'step', 'completed', '' FROM generate_series(50000, 51999) g"
        )
        if request.param == "analyzed":
            cursor.execute("VACUUM ANALYZE large")
        yield cursor


def explained(cursor: Any, statement: str, values: tuple[Any, ...] = ()) -> str:
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", values)
    return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize(("name", "values", "pages"), QUESTIONS)
@pytest.mark.parametrize("prepared", [False, True])
def test_an_index_stands_behind_every_question(
    large: Any, name: str, values: tuple[Any, ...], pages: int, prepared: bool
) -> None:
    """With the values in the statement, and prepared for whatever values come."""
    if prepared:
        text = getattr(b_asyncpg, name).format_map(b_asyncpg.names_of("large"))
        large.execute("SET plan_cache_mode = force_generic_plan")
        large.execute(f"PREPARE question ({', '.join(TYPES[name])}) AS {text}")
        marks = ", ".join(["%s"] * len(values))
        try:
            plan = explained(large, f"EXECUTE question ({marks})", values)
        finally:
            large.execute("DEALLOCATE question")
    else:
        text = getattr(b_psycopg2, name).format_map(b_psycopg2.names_of("large"))
        if name == "_LIST_APP_IDS_NEWEST":
            partition, limit = values
            values = (partition, limit, partition, partition, limit)
        plan = explained(large, text, values)
    assert "Seq Scan on large" not in plan and "Bitmap" not in plan, plan
    read = re.search(r"Buffers: shared( hit=(\d+))?( read=(\d+))?", plan)
    assert read, plan
    assert int(read[2] or 0) + int(read[4] or 0) <= pages, plan
    # What is sorted has been found by an index before, and is no more than was asked for.
    for rows in re.findall(r"Sort .*\(actual [^)]*rows=([\d.]+)", plan):
        assert float(rows) <= 1001, plan


def test_what_the_statements_answer(large: Any) -> None:
    """Of the large table, what a plain query for the same says."""
    text = b_psycopg2._LIST_APP_IDS_NEWEST.format_map(b_psycopg2.names_of("large"))
    for partition, limits in (("even", (0, 1, 100, 1000, 1001, None)), ("hot", (1, 5, 100, None))):
        large.execute(
            "SELECT app_id FROM large WHERE partition_key = %s GROUP BY 1"
            " ORDER BY max(write_number) DESC",
            (partition,),
        )
        every = large.fetchall()
        for limit in limits:
            large.execute(text, (partition, limit, partition, partition, limit))
            assert large.fetchall() == every[:limit], (partition, limit)
    text = b_psycopg2._LIST_PARTITION_KEYS_BY_NAME.format_map(b_psycopg2.names_of("large"))
    for limit in (0, 1, 2, None):
        large.execute(text, (limit,))
        assert large.fetchall() == [("even",), ("hot",)][:limit]


def test_the_driver_reads_the_same_columns(own: Database, persister: Calls) -> None:
    persister.put(n=1)
    with own.connected() as connection, connection.cursor() as cursor:
        text = b_psycopg2._LOAD_LATEST.format_map(b_psycopg2.names_of("burr_state"))
        cursor.execute(text, ("p", "app"))
        row = cursor.fetchone()
        assert isinstance(connection, psycopg2.extensions.connection)
    assert row[:5] == ("app", 0, "step", "completed", '{"n":1}')
    assert row[5].tzinfo is None and row[6] == 0
