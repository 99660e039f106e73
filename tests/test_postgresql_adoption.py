"""Tables that Apache Burr made in PostgreSQL: adopted as they are, used by both; all drivers."""

from __future__ import annotations

import json
import math
import multiprocessing
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import psycopg
import psycopg2
import pytest

from persistry import Migration, State, b_psycopg2
from persistry.__main__ import main
from persistry.errors import (
    NotInitializedError,
    PersisterAccessError,
    StateConflictError,
    StoreVersionError,
)
from tests.bad_input import PASSWORD, Calls, Run, refused, runner, works
from tests.burr_postgresql import TABLE, Burr, adopt
from tests.postgresql import CLASSES, Database, database
from tests.servers import PostgreSQLServer
from tests.sql_servers import ALL, call

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

run = pytest.fixture(runner)
Make = Callable[..., Calls]
DRIVERS: dict[str, Any] = {
    "sync": psycopg2.Error,
    "async": asyncpg.PostgresError,
    "sync psycopg": psycopg.Error,
    "async psycopg": psycopg.Error,
}
ADOPTED = [
    ("partition_key", "text"),
    ("app_id", "text"),
    ("sequence_id", "integer"),
    ("position", "text"),
    ("status", "text"),
    ("state", "jsonb"),
    ("created_at", "timestamp without time zone"),
    ("write_number", "bigint"),
    ("codec", "smallint"),
    ("exact", "text"),
]
LAST = 2**31 - 1  # of an INTEGER


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer(secrets.token_hex()) as server:
        yield server


@pytest.fixture
def own(server: PostgreSQLServer) -> Iterator[Database]:
    with database(server) as own:
        yield own


@pytest.fixture
def burr(own: Database) -> Iterator[Burr]:
    """Its table, with an application of two steps and, saved later, one of a single step."""
    with own.connected() as connection:
        burr = Burr(connection)
        burr.initialize()
        burr.save("old", 0, {"b": 1, "a": [1, 2.5, None]})
        burr.save("old", 1, {"n": 2}, status="failed")
        burr.save("newer", 0, {"n": 3})
        yield burr


@pytest.fixture(params=CLASSES)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(colour: str, own: Database, run: Run) -> Iterator[Make]:
    """Makes persisters on the database; they are closed in the end."""
    made = []

    def make_(**options: Any) -> Calls:
        made.append(own.open(colour, run, **options))
        return made[-1]

    yield make_
    for persister in made:
        persister.cleanup()


@pytest.fixture
def persister(make: Make, burr: Burr) -> Calls:
    """One on Burr's table, which it has adopted."""
    persister = make()
    persister.initialize()
    return persister


def catalogue(own: Database) -> list[Any]:
    """What there is, and in which files."""
    return own.sql(
        "SELECT relname, relkind, relnatts, relfilenode FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    )


def content(own: Database) -> list[Any]:
    return own.sql("SELECT xmin, ctid, t::text FROM burr_state AS t ORDER BY ctid")


def columns(own: Database, table: str = "burr_state") -> list[Any]:
    return own.sql(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = %s ORDER BY ordinal_position",
        table,
    )


# Adopting it


def test_it_is_adopted_by_initialize(own: Database, burr: Burr, make: Make) -> None:
    persister = make()
    before, rows = catalogue(own), own.sql("SELECT xmin, ctid, * FROM burr_state ORDER BY ctid")
    for use in (persister.put, persister.get, lambda: persister.list_app_ids("p")):
        with refused(NotInitializedError, "initialize()"):
            use()
    assert persister.is_initialized() is False
    (pending,) = persister.pending_migrations()
    assert isinstance(pending, Migration) and pending.generation == 1
    assert catalogue(own) == before
    persister.initialize()
    assert columns(own) == ADOPTED
    files = {name: file for name, *_, file in catalogue(own)}
    for name in ("burr_state", "burr_state_pkey", "burr_state_created_at_index"):
        assert (name, files[name]) in {(old, file) for old, *_, file in before}  # none is rewritten
    kept = "xmin, ctid, partition_key, app_id, sequence_id, position, status, state, created_at"
    assert own.sql(f"SELECT {kept} FROM burr_state ORDER BY ctid") == rows
    assert persister.is_initialized() and make().is_initialized()
    assert persister.pending_migrations() == make().pending_migrations() == []
    works(persister)


def test_it_is_adopted_once(own: Database, persister: Calls, make: Make) -> None:
    before = own.sql("SELECT xmin, * FROM pg_class ORDER BY oid")
    persister.initialize()
    make().initialize()
    assert own.sql("SELECT xmin, * FROM pg_class ORDER BY oid") == before


def test_what_is_pending_is_what_is_run(own: Database, burr: Burr, make: Make) -> None:
    """Whoever runs the statements by hand can make the indexes without a lock."""
    (pending,) = make().pending_migrations()
    for statement in pending.statements:
        own.sql(statement)
    assert columns(own) == ADOPTED
    persister = make()
    assert persister.pending_migrations() == []
    assert persister.is_initialized() is False
    order = "partition_key, {} write_number DESC, created_at DESC"
    for name, keys in (
        ("order", f"({order.format('')}) INCLUDE (app_id)"),
        ("apps", f"({order.format('app_id,')})"),
    ):
        own.sql(f"CREATE INDEX CONCURRENTLY burr_state_{name} ON burr_state {keys}")
    before = catalogue(own)
    persister.initialize()
    assert catalogue(own) == before
    works(persister)


def test_what_is_printed_for_who_runs_the_database_adopts_it(
    own: Database, burr: Burr, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["ddl", "postgresql", "--table", "burr_state", "--from-generation", "0"])
    script = capsys.readouterr().out
    lz4 = 'ALTER TABLE "burr_state" ALTER COLUMN state SET COMPRESSION lz4'
    can = own.sql("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
    if "lz4" not in can[0][0]:  # which the script says where to leave out
        script = "\n".join(it for it in script.splitlines() if not it.startswith(lz4))
    own.sql(script)
    assert columns(own) == ADOPTED
    persister = own.open("sync", run)
    assert persister.is_initialized() and persister.pending_migrations() == []
    persister.put("old", 2, n=4)
    assert burr.load("old") == {"n": 4}
    persister.cleanup()


def test_the_new_columns_are_compressed_as_well_as_the_server_can(
    own: Database, persister: Calls
) -> None:
    compressions = "SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'"
    best = "l" if "lz4" in own.sql(compressions)[0][0] else ""
    found = own.sql(
        "SELECT attname, attcompression FROM pg_attribute"
        " WHERE attrelid = 'burr_state'::regclass AND attname IN ('state', 'exact')"
    )
    assert dict(found) == {"state": best, "exact": best}


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize(
    "change",
    [
        "ADD owner TEXT",
        "DROP status",
        "ALTER state TYPE JSON",
        "ALTER state TYPE TEXT",
        "ALTER state TYPE BYTEA USING ''",
        "ALTER created_at TYPE TIMESTAMPTZ",
        "ALTER sequence_id TYPE SMALLINT",
        "DROP CONSTRAINT burr_state_pkey",
        "DROP CONSTRAINT burr_state_pkey, ADD PRIMARY KEY (app_id, sequence_id)",
        "RENAME status TO state_of_affairs",
    ],
)
def test_a_table_that_differs_is_left_as_it_is(
    own: Database, burr: Burr, make: Make, change: str
) -> None:
    own.sql(f"ALTER TABLE burr_state {change}")
    before = catalogue(own), content(own), columns(own)
    persister = make()
    for operation in ALL:
        with refused(StoreVersionError, operation, "give another table_name"):
            call(operation, persister)
    assert (catalogue(own), content(own), columns(own)) == before


def test_only_the_owner_adopts_it(own: Database, burr: Burr, make: Make, colour: str) -> None:
    own.sql(f'GRANT ALL ON burr_state TO "{own.user}"; GRANT ALL ON SCHEMA public TO "{own.user}"')
    before = catalogue(own)
    user = make(user=own.user, password=PASSWORD)
    with refused(PersisterAccessError, "let its owner call initialize()", cause=DRIVERS[colour]):
        user.initialize()
    assert catalogue(own) == before
    make().initialize()
    user.initialize()
    works(user)


def test_who_may_only_read_and_insert_uses_it(own: Database, persister: Calls, make: Make) -> None:
    own.sql(f'GRANT SELECT, INSERT ON burr_state TO "{own.user}"')
    user = make(user=own.user, password=PASSWORD)
    assert user.is_initialized()
    user.put("old", 2, n=4)
    assert user.get("old", 0) == {"b": 1, "a": [1, 2.5, None]}
    assert user.list_app_ids("p") == ["old", "newer"]


def test_eight_processes_adopt_it_at_once(own: Database, burr: Burr, run: Run) -> None:
    host, port = own.server.address
    values = {"db_name": own.name, "user": "postgres", "password": own.server.password}
    values |= {"host": host, "port": port}
    with multiprocessing.get_context("spawn").Pool(8) as pool:
        assert pool.map(adopt, [values] * 8, chunksize=1) == [""] * 8
    assert columns(own) == ADOPTED
    persister = own.open("sync", run)
    assert persister.list_app_ids("p") == ["ours", "newer", "old"]
    persister.cleanup()


def test_it_is_adopted_by_threads_and_tasks_of_any_driver(
    own: Database, burr: Burr, colour: str
) -> None:
    failed: list[BaseException] = []
    start = threading.Barrier(8)

    def work() -> None:
        runs = runner()
        try:
            persister = own.open(colour, next(runs))
            start.wait()
            persister.initialize()
            assert persister.get("old", 1) == {"n": 2}
            persister.cleanup()
        except BaseException as error:
            failed.append(error)
        finally:
            next(runs, None)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize(
    "point", ["ADD COLUMN codec", "ADD GENERATED", "CREATE INDEX", "COMMENT ON INDEX"]
)
def test_an_adoption_that_is_interrupted(own: Database, burr: Burr, make: Make, point: str) -> None:
    """The server ends the connection at some statement: nothing has happened, and it goes again."""
    before = catalogue(own), content(own)
    own.sql(
        "CREATE FUNCTION give_up() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN"
        f" IF strpos(upper(current_query()), upper('{point}')) > 0 THEN"
        " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END IF; END$$;"
        "CREATE EVENT TRIGGER give_up ON ddl_command_end EXECUTE FUNCTION give_up()"
    )
    with pytest.raises(ConnectionError):
        make().initialize()
    assert (catalogue(own), content(own)) == before
    own.sql("DROP EVENT TRIGGER give_up")
    persister = make()
    assert persister.is_initialized() is False
    persister.initialize()
    assert columns(own) == ADOPTED
    works(persister)


def test_an_adoption_that_was_begun_by_hand(own: Database, burr: Burr, make: Make) -> None:
    """Outside of a transaction, its first statement alone: who saves now would not be numbered."""
    persister = make()
    (migration,) = persister.pending_migrations()
    own.sql(migration.statements[0])
    assert persister.is_initialized() is False
    assert persister.pending_migrations() == [migration]
    for operation in (lambda: persister.put(n=1), lambda: persister.get("old")):
        with pytest.raises(NotInitializedError, match="call initialize"):
            operation()
    burr.save("old", 2, {"n": 3})
    persister.initialize()
    assert columns(own) == ADOPTED
    persister.put("newer", 1, n=4)
    burr.save("old", 3, {"n": 5})
    assert own.sql("SELECT write_number FROM burr_state ORDER BY created_at") == [
        *[(0,)] * 4,
        *[(1,), (2,)],
    ]
    works(persister)


# Reading what stands there, and going on with it


def test_its_records_are_read(burr: Burr, persister: Calls) -> None:
    assert persister.get("old", 0) == {"b": 1, "a": [1, 2.5, None]}
    assert persister.get("old") == {"n": 2}
    assert persister.get(None) == {"n": 3}
    assert persister.get("nobody") is None
    record = persister.load("p", "old")
    assert (record["sequence_id"], record["position"], record["status"]) == (1, "step", "failed")
    assert datetime.fromisoformat(record["created_at"]).tzinfo == UTC
    assert persister.list_app_ids("p") == ["newer", "old"]
    assert persister.list_partition_keys() == ["p"]


def test_old_records_stand_before_new_ones_in_the_order_of_their_time(
    own: Database, burr: Burr, make: Make
) -> None:
    """Even if a clock was wrong then."""
    for number, time in enumerate(["2020-01-03", "2999-01-02", "2020-01-01"]):
        burr.save("app", 5, {"n": number}, position=f"step {number}", partition_key="timed")
        burr.save(f"app {number}", 0, {"n": number}, partition_key="timed")
        where = f"partition_key = 'timed' AND state @> '{{\"n\": {number}}}'"
        own.sql(f"UPDATE burr_state SET created_at = %s WHERE {where}", time)
    persister = make()
    persister.initialize()
    found = persister.load("timed", "app", 5)
    assert found["position"] == "step 1"
    assert persister.load("timed", "app")["position"] == "step 1"
    assert persister.list_app_ids("timed")[2:] == ["app 0", "app 2"]
    assert persister.list_app_ids("timed", limit=2) == persister.list_app_ids("timed")[:2]
    persister.save("timed", "app", 5, "mine", State({"n": 7}), "completed")
    assert persister.load("timed", "app", 5)["position"] == "mine"
    assert persister.load("timed", None)["position"] == "mine"
    persister.save("timed", "app 2", 1, "mine", State({"n": 7}), "completed")
    assert persister.list_app_ids("timed", limit=2) == ["app 2", "app"]


def test_both_go_on(burr: Burr, persister: Calls) -> None:
    persister.put("old", 2, n=4)
    assert burr.load("old") == {"n": 4}
    assert burr.latest_app() == "old"
    burr.save("newer", 1, {"n": 5})
    assert persister.get("newer") == persister.get(None) == {"n": 5}
    assert persister.list_app_ids("p") == ["newer", "old"]
    burr.save("old", 3, {"n": 6})
    assert persister.get("old") == persister.get(None) == {"n": 6}
    persister.put("newest", 0, n=7)
    assert persister.list_app_ids("p") == ["newest", "old", "newer"]
    assert list(dict.fromkeys(burr.list_app_ids())) == ["newest", "old", "newer"]
    assert burr.load("newest", 0) == {"n": 7} and burr.latest_app() == "newest"


def test_its_key_is_taken_for_both(burr: Burr, persister: Calls) -> None:
    persister.put("app", 0, n=1)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        burr.save("app", 0, {"n": 1})
    assert persister.get("app", 0) == {"n": 1}


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_its_later_records_have_the_time_in_utc(
    own: Database, burr: Burr, persister: Calls, zone: str
) -> None:
    burr.sql(f"SET timezone = '{zone}'")
    before = datetime.now(UTC) - timedelta(seconds=1)
    burr.save("zoned", 0, {"n": 1})
    found = datetime.fromisoformat(persister.load("p", "zoned")["created_at"])
    assert before < found < datetime.now(UTC) + timedelta(seconds=1)
    persister.put("later", 0, n=1)
    assert burr.latest_app() == "later"


# What JSONB can hold, and what it cannot

NUMBERS: dict[str, Any] = {
    "order of keys": {"zebra": 1, "a": 2, "mm": 3},
    "minus zero": {"n": -0.0},
    "1e22": {"n": [1e22, 1e308, 5e-324, 1.7976931348623157e308, 0.1, 123456789.125]},
    "whole floats": {"n": [1.0, 1, 2**53, 2.0**60, 2**63 - 1, 2**64 - 1, -(2**63)]},
    "texts": {"é😀": "'\"\\ \n\t\x7f\x01 %s $1 ? :app_id {table}", "": "", "'": "it's"},
    "backslashes": {"t": ["\\", "\\\\", "\\u0000", "\\\\u0000", "\\n", "\\\\", '"\\u0000']},
    "deep": json.loads('{"d":' * 250 + "1" + "}" * 250),
}
DAMAGED: dict[str, Any] = {
    "nan": {"n": math.nan},
    "infinities": {"n": [math.inf, -math.inf]},
    "NUL": {"t": "a\0b"},
    "NUL behind a backslash": {"t": "\\\0"},
    "NUL and what looks like one": {"t": ["\\u0000", "\0"]},
    "NUL in a key": {"\0": 1},
    "lone surrogate": {"t": "\ud800"},
    "large integers": {"n": [2**64, -(2**200), 10**4000]},
    "nested": {"n": json.loads("[" * 300 + "]" * 300)},
    "tags and NaN": {"n": (1, math.nan)},
    "large": {"t": "x" * (16 * 2**20)},
}


def exactly(state: Any) -> str:
    """Of a state, every key in its order and every value with its type."""
    return repr(state)


def through_jsonb(state: Any) -> Any:
    """It writes every digit of a number: 1e22 comes back as an integer."""
    digits = lambda text: json.loads(format(Decimal(text), "f"))  # noqa: E731
    return json.loads(json.dumps(state), parse_float=digits)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_jsonb_holds_is_there_for_both(burr: Burr, persister: Calls, name: str) -> None:
    state = NUMBERS[name]
    persister.save("p", "app", 0, "step", State(state), "completed")
    assert exactly(persister.get("app", 0)) == exactly(state)
    assert burr.load("app", 0) == through_jsonb(state)
    persister.save("p", "app", 0, "step", State(state), "completed")


@pytest.mark.parametrize("name", DAMAGED)
def test_what_jsonb_does_not_hold_fails_in_burr(burr: Burr, persister: Calls, name: str) -> None:
    state = DAMAGED[name]
    persister.save("p", "app", 0, "step", State(state), "completed")
    assert exactly(persister.get("app", 0)) == exactly(state)
    with pytest.raises(TypeError):
        burr.load("app", 0)
    persister.save("p", "app", 0, "step", State(state), "completed")
    persister.put("app", 1, n=1)
    assert burr.load("app") == {"n": 1}


@pytest.mark.parametrize("escapes", ["on", "off"])
@pytest.mark.parametrize("name", ["backslashes", "texts", "NUL behind a backslash"])
def test_a_session_in_which_backslashes_are_escapes(
    own: Database, persister: Calls, burr: Burr, colour: str, run: Run, name: str, escapes: str
) -> None:
    host, port = own.server.address
    where = {"host": host, "port": port, "user": "postgres", "password": own.server.password}
    open_ = {
        "sync": psycopg2.connect,
        "async": asyncpg.connect,
        "sync psycopg": psycopg.connect,
        "async psycopg": psycopg.AsyncConnection.connect,
    }[colour]
    database = "database" if colour == "async" else "dbname"
    connection = run(open_(**where, **{database: own.name}))
    text = f"SET standard_conforming_strings = {escapes}"
    run(connection.cursor().execute(text) if colour == "sync" else connection.execute(text))
    handed_in = Calls(CLASSES[colour](connection), run)
    state = (NUMBERS | DAMAGED)[name]
    handed_in.save("p", "app", 0, "step", State(state), "completed")
    assert exactly(handed_in.get("app", 0)) == exactly(persister.get("app", 0)) == exactly(state)
    if name in NUMBERS:
        assert burr.load("app", 0) == state
    run(connection.close())


# Saving again


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("name", NUMBERS)
def test_its_record_is_saved_again(own: Database, burr: Burr, persister: Calls, name: str) -> None:
    """JSONB has kept neither the order of the keys nor how a number was written."""
    state = NUMBERS[name]
    burr.save("app", 0, state)
    before = content(own)
    persister.save("p", "app", 0, "step", State(state), "completed")
    assert content(own) == before


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"n": 1}, {"n": 2}),
        ({"n": 1}, {"n": True}),
        ({"n": 1}, {"n": "1"}),
        ({"n": 1}, {"n": 1, "m": None}),
        ({"n": [1, 2]}, {"n": [2, 1]}),
        ({"n": 2**53 + 1}, {"n": 2.0**53}),
        ({"n": 1e308}, {"n": math.inf}),
        ({"n": 10**400}, {"n": math.inf}),
        ({"n": 0.0}, {"n": math.nan}),
    ],
)
def test_another_state_than_its_is_refused(
    own: Database, burr: Burr, persister: Calls, theirs: Any, ours: Any
) -> None:
    burr.save("app", 0, theirs)
    before = content(own)
    with refused(StateConflictError, "another state is stored under this key"):
        persister.put("app", 0, **ours)
    with refused(StateConflictError, "status"):
        persister.save("p", "app", 0, "step", State(theirs), "failed")
    assert content(own) == before


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize(("ours", "then"), [(1, 1.0), (-0.0, 0.0), (1e22, 10**22)])
def test_our_own_record_is_compared_exactly(persister: Calls, ours: Any, then: Any) -> None:
    persister.put("app", 0, n=ours)
    with refused(StateConflictError, "another state is stored under this key"):
        persister.put("app", 0, n=then)


# Sequence ids over 2**31 - 1


def test_a_number_that_the_column_cannot_hold(own: Database, persister: Calls) -> None:
    persister.put("app", LAST, n=1)
    before = content(own)
    for number in (LAST + 1, 2**63 - 1):
        with pytest.raises(ValueError, match=r"sequence_id .*widen\(\)") as caught:
            persister.put("app", number, n=2)
        assert type(caught.value) is ValueError
        assert persister.get("app", number) is None
    assert content(own) == before
    assert persister.get("app") == {"n": 1}
    works(persister)


def test_widen_lifts_the_limit(own: Database, burr: Burr, persister: Calls, make: Make) -> None:
    elsewhere = make()
    assert elsewhere.get("app", LAST + 1) is None
    twin = Calls(persister.persister.copy(), persister._run)
    index = own.sql("SELECT obj_description('burr_state_order'::regclass, 'pg_class')")
    persister.widen()
    assert dict(columns(own))["sequence_id"] == "bigint"
    assert own.sql("SELECT obj_description('burr_state_order'::regclass, 'pg_class')") == index
    before = catalogue(own)
    persister.widen()
    assert catalogue(own) == before
    for number, one in enumerate((persister, elsewhere, twin, make())):
        one.put("app", LAST + 1 + number, n=number)
        assert one.get("app") == {"n": number}
    persister.put("app", 2**63 - 1, n=9)
    assert elsewhere.get("app") == burr.load("app") == {"n": 9}
    assert persister.get("old", 0) == {"b": 1, "a": [1, 2.5, None]}
    assert persister.is_initialized() and make().pending_migrations() == []
    burr.save("old", 2, {"n": 10})
    assert persister.get(None) == {"n": 10}
    twin.cleanup()


def test_percent_signs_in_the_name_of_an_adopted_table(
    own: Database, burr: Burr, make: Make
) -> None:
    own.sql('ALTER TABLE burr_state RENAME TO "100 %s, 5 %%"')
    persister = make(table_name="100 %s, 5 %%")
    (pending,) = persister.pending_migrations()
    assert all(it.startswith('ALTER TABLE "100 %s, 5 %%" ') for it in pending.statements)
    persister.initialize()
    assert persister.pending_migrations() == []
    assert persister.get("old", 0) == {"b": 1, "a": [1, 2.5, None]}
    works(persister)
    persister.widen()
    persister.put("app", LAST + 1, n=1)
    assert make(table_name="100 %s, 5 %%").get("app") == {"n": 1}


def test_widen_changes_nothing_in_a_table_of_ours(own: Database, make: Make, colour: str) -> None:
    persister = make()
    with refused(NotInitializedError, "initialize()", cause=DRIVERS[colour]):
        persister.widen()
    persister.initialize()
    before = catalogue(own)
    persister.widen()
    assert catalogue(own) == before
    persister.put("app", 2**63 - 1, n=1)
    assert persister.get("app") == {"n": 1}


@pytest.mark.parametrize(
    ("made", "drop"),
    [
        ("VIEW over AS SELECT sequence_id FROM burr_state", "VIEW over"),
        (
            "TRIGGER over BEFORE UPDATE OF sequence_id ON burr_state"
            " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "TRIGGER over ON burr_state",
        ),
    ],
)
def test_widen_names_what_holds_the_column(
    own: Database, persister: Calls, colour: str, made: str, drop: str
) -> None:
    own.sql(f"CREATE {made}")
    with refused(StoreVersionError, "widen", "drop that", "again", cause=DRIVERS[colour]):
        persister.widen()
    assert dict(columns(own))["sequence_id"] == "integer"
    works(persister)
    own.sql(f"DROP {drop}")
    persister.widen()
    persister.put("app", LAST + 1, n=1)


def test_only_the_owner_widens(own: Database, persister: Calls, make: Make, colour: str) -> None:
    own.sql(f'GRANT SELECT, INSERT ON burr_state TO "{own.user}"')
    user = make(user=own.user, password=PASSWORD)
    with refused(PersisterAccessError, "widen", cause=DRIVERS[colour]):
        user.widen()
    works(user)
    persister.widen()
    user.widen()
    user.put("app", LAST + 1, n=1)


def test_widen_takes_no_longer_than_an_operation(
    own: Database, persister: Calls, make: Make
) -> None:
    impatient = make(operation_timeout=0.5)
    with own.connected() as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute("SELECT * FROM burr_state")  # and stays in its transaction
        with pytest.raises(ConnectionError, match="operation_timeout"):
            impatient.widen()
        connection.rollback()
    assert dict(columns(own))["sequence_id"] == "integer"
    works(impatient)


@pytest.mark.parametrize("colour", ["sync psycopg", "async psycopg", "async"])
def test_statements_that_were_prepared_before(
    own: Database, persister: Calls, burr: Burr, colour: str, run: Run
) -> None:
    """After widen(), the server answers the same statements with another type."""
    host, port = own.server.address
    where = {"host": host, "port": port, "user": "postgres", "password": own.server.password}
    if colour == "async":
        connection = run(asyncpg.connect(**where, database=own.name))
    else:
        kind = psycopg.Connection if colour == "sync psycopg" else psycopg.AsyncConnection
        connection = run(kind.connect(**where, dbname=own.name, prepare_threshold=0))
    handed_in = Calls(CLASSES[colour](connection), run)
    for _ in range(7):
        handed_in.put("app", 0, n=0)
        assert handed_in.get("app") == handed_in.get("app", 0) == handed_in.get(None) == {"n": 0}
    persister.widen()
    for number in range(3):
        assert handed_in.get("app") == handed_in.get("app", number) == {"n": number}
        handed_in.put("app", number + 1, n=number + 1)
    handed_in.put("app", LAST + 1, n=9)
    assert handed_in.get("app") == {"n": 9}
    run(connection.close())


# What it costs


def test_an_index_stands_behind_every_question(own: Database, burr: Burr, run: Run) -> None:
    """Of a large table: most of it Burr's, of which the order of saving is only its time."""
    burr.sql(
        "INSERT INTO {table} (partition_key, app_id, sequence_id, position, status, state)"
        " SELECT 'p', 'app' || g % 500, g, 'step', 'completed', '{{}}'"
        " FROM generate_series(1, 30000) AS g"
    )
    own.sql("VACUUM ANALYZE burr_state")  # as the server does by itself, sooner or later
    persister = own.open("sync", run)
    persister.initialize()
    for number in range(20):
        persister.put("ours", number, n=number)
    persister.cleanup()
    own.sql("ALTER TABLE burr_state SET (autovacuum_enabled = off)")
    questions = {
        "save.conflicting": ("p", "app7", 7, "step"),
        "load.at_sequence": ("p", "app7", 7),
        "load.latest": ("p", "app7"),
        "load.latest_of_partition": ("p",),
    }
    statements = b_psycopg2._STATEMENTS | b_psycopg2._LAYOUTS["adopted"]
    with own.connected() as connection, connection.cursor() as cursor:
        for prepare in ("SELECT 1", "VACUUM ANALYZE burr_state"):
            cursor.execute(prepare)
            for name, values in questions.items():
                text = statements[name].format_map(b_psycopg2.names_of("burr_state"))
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {text}", values)
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Seq Scan" not in plan and "Bitmap" not in plan, plan
                read = re.search(r"Buffers: shared( hit=(\d+))?( read=(\d+))?", plan)
                assert read and int(read[2] or 0) + int(read[4] or 0) <= 12, plan


# More than one layout


def test_tables_of_both_kinds_side_by_side(own: Database, persister: Calls, make: Make) -> None:
    other = make(table_name="plain")
    other.initialize()
    assert dict(columns(own, "plain"))["state"] == "text"
    for one in (persister, other):
        one.put("app", 0, n=-0.0)
        assert exactly(one.get("app")) == "{'n': -0.0}"
    with pytest.raises(ValueError, match="widen"):
        persister.put("app", 2**40, n=1)
    other.put("app", 2**40, n=1)


def test_a_table_that_is_made_anew_in_another_layout(
    own: Database, persister: Calls, colour: str
) -> None:
    own.sql("DROP TABLE burr_state")
    with refused(NotInitializedError, "initialize()", cause=DRIVERS[colour]):
        persister.put(n=1)
    persister.initialize()
    works(persister)
    own.sql("DROP TABLE burr_state")
    own.sql(TABLE.format(table="burr_state"))
    persister.initialize()
    works(persister)


def test_a_table_that_takes_the_place_of_another_one_meanwhile(
    own: Database, persister: Calls, make: Make
) -> None:
    """Who looked at the earlier one writes what it was given, or nothing."""
    persister.put("app", 0, n=0)
    plain = make(table_name="plain")
    plain.initialize()
    plain.put("app", 0, n=0)
    own.sql(
        "ALTER TABLE burr_state RENAME TO adopted; ALTER TABLE plain RENAME TO burr_state;"
        " ALTER TABLE adopted RENAME TO plain"
    )
    for state in ({"n": -0.0}, {"b": 1, "a": 1.50}):
        with pytest.raises(StoreVersionError, match=r"columns or keys.*build another"):
            plain.put("app", 1, **state)
    assert plain.get("app", 1) is None
    persister.put("app", 1, n=-0.0)
    assert exactly(persister.get("app", 1)) == "{'n': -0.0}"
    anew = make()
    anew.put("app", 2, n=1.0)
    for number in (1, 2):
        for one in (persister, anew):
            with pytest.raises(StateConflictError):
                one.put("app", number, n=number - 1)


def test_a_table_that_stands_behind_in_the_search_path(
    own: Database, burr: Burr, make: Make
) -> None:
    """It is adopted where it is; none is made in front of it, which would hide its records."""
    own.sql("CREATE SCHEMA front; ALTER ROLE postgres SET search_path = front, public")
    try:
        persister = make()
        persister.initialize()
        assert persister.is_initialized()
        assert persister.get("old") == {"n": 2}
        own.sql("DROP INDEX burr_state_apps")
        persister = make()
        assert not persister.is_initialized()
        persister.initialize()
        assert persister.get("old") == {"n": 2}
        works(persister)
    finally:
        own.sql("ALTER ROLE postgres RESET search_path")
    assert own.sql("SELECT to_regclass('front.burr_state') IS NULL") == [(True,)]
    burr.save("old", 2, {"n": 3})
    assert persister.get("old") == {"n": 3}


# Names that Burr did not quote


@pytest.mark.parametrize("schema", ["", "Public."])
def test_no_new_table_hides_one_that_burr_was_given_in_capital_letters(
    own: Database, colour: str, run: Run, schema: str
) -> None:
    """There, `MyStates` is `mystates`: who says it in the same way here means that."""
    own.sql(TABLE.format(table="MyStates"))
    if schema:
        own.sql('CREATE SCHEMA "Public"')
    persister = own.open(colour, run, table_name=f"{schema}MyStates")
    words = ("is missing", "'mystates' is there", "give another table_name")
    for operation in ALL:
        with refused(StoreVersionError, operation, *words):
            call(operation, persister)
    assert own.sql("SELECT relname FROM pg_class WHERE relname LIKE 'My%'") == []
    adopting = own.open(colour, run, table_name="mystates")
    adopting.initialize()
    works(adopting)
    with refused(StoreVersionError, "initialize", *words):
        persister.initialize()  # its data are there still
    own.sql("ALTER TABLE mystates RENAME TO other")
    persister.initialize()
    works(persister)
    own.sql("ALTER TABLE other RENAME TO mystates")
    persister.initialize()  # it is there: nobody loses sight of it
    for made in (persister, adopting):
        made.cleanup()


def test_a_table_of_ours_in_small_letters_is_another_one(
    own: Database, colour: str, run: Run
) -> None:
    for name in ("mystates", "MyStates"):
        persister = own.open(colour, run, table_name=name)
        persister.initialize()
        assert persister.list_app_ids("p") == []
        works(persister)
        persister.cleanup()
