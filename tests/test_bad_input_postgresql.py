"""PostgreSQL for who does it wrong or whose server is broken: both colours, on a real server."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import Any

import asyncpg
import pytest

from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterAccessError,
    PersisterError,
    PersisterUnavailableError,
    StoreVersionError,
)
from tests import burr_postgresql as burr
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, refused, runner, stranger, works
from tests.postgresql import CLASSES, DRIVER, STORE, Admin
from tests.sql_servers import (
    ALL,
    Make,
    admins,
    call,
    damaged,
    first,
    initialized,
    makers,
    servers,
)

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

NEARLY_BURRS = f"""
    {burr.TABLE.format(table="burr_state")};
    ALTER TABLE burr_state ADD COLUMN owner TEXT;
    INSERT INTO burr_state VALUES ('p', 'app', 0, 'step', 'completed', '{{"n": 1}}')
"""
run = pytest.fixture(runner)
store = pytest.fixture(scope="module")(lambda: STORE)
server = pytest.fixture(scope="module")(servers)
colour = pytest.fixture(params=CLASSES)(lambda request: request.param)
admin = pytest.fixture(admins)
make = pytest.fixture(makers)
persister = pytest.fixture(initialized)


# The server


def test_a_server_that_speaks_something_else(make: Make, colour: str) -> None:
    with stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        for name in OPERATIONS:
            doing = first(name, colour)
            with refused(PersisterUnavailableError, doing, f":{port}", cause=DRIVER):
                call(name, make(port=port, operation_timeout=2))


def test_a_server_without_a_free_connection(make: Make, admin: Admin, colour: str) -> None:
    role = admin.role("GRANT ALL ON SCHEMA public TO {}", options="CONNECTION LIMIT 1")
    greedy = make(**role)
    greedy.initialize()
    doing = first("save", colour)
    with refused(PersisterUnavailableError, doing, "max_connections", cause=DRIVER) as caught:
        make(**role).put(n=1)
    assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
    greedy.cleanup()
    admin.end_all()
    works(make(**role))


def test_a_statement_that_somebody_cancels(persister: Calls, admin: Admin) -> None:
    with closing(admin.connect(admin.database)) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE burr_state")

        def cancel() -> None:
            waiting = (
                "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
            while not admin.run(waiting):
                time.sleep(0.02)

        thread = threading.Thread(target=cancel)
        thread.start()
        with refused(PersisterUnavailableError, "save", "cancelled", cause=DRIVER) as caught:
            persister.put(n=1)
        thread.join()
        assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
    works(persister)


@pytest.mark.parametrize(
    ("setting", "advice"), [("lock_timeout", "lock_timeout"), ("statement_timeout", "cancelled")]
)
def test_the_servers_own_limits(make: Make, admin: Admin, setting: str, advice: str) -> None:
    role = admin.role("GRANT ALL ON SCHEMA public TO {}; ALTER ROLE {} SET " + setting + " = 200")
    persister = make(**role)
    persister.initialize()
    with closing(admin.connect(admin.database)) as other, other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE burr_state")
        with refused(PersisterUnavailableError, "save", advice, cause=DRIVER) as caught:
            persister.put(n=1)
        assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
    works(persister)


# Rights


def test_a_read_only_server(make: Make, admin: Admin, persister: Calls) -> None:
    persister.put(n=1)
    admin.run(f"ALTER DATABASE {admin.database} SET default_transaction_read_only = on")
    reader = make()
    with refused(PersisterAccessError, "save", "primary", cause=DRIVER):
        reader.put("app", 1, n=2)
    with refused(PersisterAccessError, "initialize", "primary", cause=DRIVER):
        make(table_name="another").initialize()
    assert reader.get() == {"n": 1}


# The table


def test_a_table_that_is_made_anew_in_the_middle(
    make: Make, persister: Calls, admin: Admin
) -> None:
    works(persister)
    admin.run("DROP TABLE burr_state")
    make().initialize()
    works(persister)


@pytest.mark.parametrize(
    "shape",
    [
        NEARLY_BURRS,
        "CREATE TABLE burr_state (note TEXT); INSERT INTO burr_state VALUES ('mine')",
        "CREATE VIEW burr_state AS SELECT 1 AS note",
        "CREATE SEQUENCE burr_state",
        "CREATE TYPE burr_state AS ENUM ('a')",
        "CREATE TABLE other (note TEXT); CREATE INDEX burr_state ON other (note)",
    ],
    ids=["nearly Burr's", "table", "view", "sequence", "type", "index"],
)
def test_something_else_of_that_name_is_left_alone(make: Make, admin: Admin, shape: str) -> None:
    admin.run(shape)
    before = admin.content()
    persister = make()
    with pytest.raises(StoreVersionError, match=r"^initialize of table 'burr_state': ") as caught:
        persister.initialize()
    assert "table_name" in str(caught.value)
    # A type that is no relation has the name of no table, but a table could not have it either.
    error = NotInitializedError if "ENUM" in shape else StoreVersionError
    for operation in OPERATIONS:
        with pytest.raises(error, match=rf"^{operation}\b"):
            call(operation, persister)
    assert admin.content() == before


@pytest.mark.parametrize("suffix", ["order", "apps"])
def test_an_index_whose_name_is_taken(make: Make, admin: Admin, suffix: str) -> None:
    admin.run(f"CREATE TABLE theirs (a INT); CREATE INDEX burr_state_{suffix} ON theirs (a)")
    before = admin.content()
    for _ in range(2):
        persister = make()
        with pytest.raises(
            StoreVersionError, match=r"initialize of table 'burr_state'.*table_name"
        ):
            persister.initialize()
        assert persister.is_initialized() is False
    assert set(before) <= set(admin.content())


NAMES = [
    "Mixed Case",
    "select",
    'quo"te',
    "apo'strophe",
    "back\\slash",
    "100 % s",
    "%s",
    "%(app_id)s",
    "{table}",
    "$1",
    "ünïcode ☃",
    "x; DROP TABLE precious; --",
    'x"; DROP TABLE precious; --',
    "line\nfeed",
    "t" * 57,
    "pg_temp_not",
    "Other Schema.Mixed Case",
    "other.t%",
]


@pytest.mark.parametrize("name", NAMES)
def test_table_names_of_all_kinds(make: Make, admin: Admin, name: str) -> None:
    admin.run('CREATE TABLE precious (a INT); CREATE SCHEMA other; CREATE SCHEMA "Other Schema"')
    persister = make(table_name=name)
    assert persister.is_initialized() is False
    for _ in range(2):
        persister.initialize()
    assert persister.is_initialized() is True
    works(persister)
    schema, _, table = name.rpartition(".")
    assert admin.run(
        "SELECT schemaname, tablename FROM pg_tables WHERE tablename <> 'precious'"
        " AND schemaname NOT IN ('pg_catalog', 'information_schema')"
    ) == [(schema or "public", table)]
    assert admin.run("SELECT count(*) FROM precious") == [(0,)]


@pytest.mark.parametrize("name", ["", ".t", "s.", "a.b.c", "t" * 58, "ü" * 29, "nul\0", "\ud800"])
def test_table_names_that_are_refused(make: Make, name: str) -> None:
    with pytest.raises(ValueError, match="table_name"):
        make(table_name=name)


def test_a_schema_that_is_missing(make: Make, admin: Admin) -> None:
    persister = make(table_name="elsewhere.steps")
    assert persister.is_initialized() is False
    for operation in ALL:
        with refused(NotInitializedError, operation, cause=DRIVER):
            call(operation, persister)
    admin.run("CREATE SCHEMA elsewhere")
    persister.initialize()
    works(persister)


# What is stored there


def test_a_time_out_of_reach(persister: Calls, admin: Admin) -> None:
    damaged(persister, admin, "created_at = '12345-01-01'", key=False)


@pytest.mark.parametrize(
    "change", ["status TYPE bytea USING status::bytea", "position TYPE int USING 5"]
)
def test_a_column_that_holds_no_texts(make: Make, admin: Admin, change: str) -> None:
    persister = make()
    persister.initialize()
    persister.put(n=1)
    admin.run(f"ALTER TABLE burr_state ALTER COLUMN {change}")
    for app_id in ("app", None):
        with refused(CorruptStateError, "load", "'p'", "'app'", "is no text", cause=ValueError):
            persister.get(app_id)
        with refused(StoreVersionError, "load", "with another type"):
            make().get(app_id)


@pytest.mark.parametrize(
    ("encoding", "text"), [("LATIN1", "äö"), ("EUC_JP", "日本"), ("SQL_ASCII", "ä ☃ 𝄞")]
)
def test_a_database_of_another_encoding(make: Make, admin: Admin, encoding: str, text: str) -> None:
    name = f"{admin.database}_{encoding}"
    admin.create(name, f"ENCODING '{encoding}' LOCALE 'C'")
    persister = make(db_name=name)
    persister.initialize()
    persister.put(text, n=text)
    assert persister.get(text) == {"n": text}
    assert persister.list_app_ids("p") == [text]
    if encoding != "SQL_ASCII":
        for app, value in (("☃ 𝄞", "x"), ("app", "☃ 𝄞")):
            with refused(PersisterError, "save", "encoding is UTF8", cause=DRIVER):
                persister.put(app, n=value)
    works(persister)


@pytest.mark.parametrize("key", ["nul\0", "\ud800", "☃" * 300])
def test_keys_that_no_record_has(persister: Calls, key: str) -> None:
    assert persister.get(key) is None
    assert persister.load(key, "app") is None
    assert persister.list_app_ids(key) == []


# What is handed in


@pytest.mark.parametrize("wrong", [None, 1, "postgresql://postgres:hunter2@there", object()])
def test_what_is_no_connection(colour: str, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="connection") as caught:
        CLASSES[colour](wrong)
    assert PASSWORD not in str(caught.value)


def test_the_other_colours_connection(colour: str, admin: Admin, run: Run) -> None:
    if colour.startswith("async"):
        connection = admin.connect(admin.database)
    else:
        host, port = admin.server.address
        connection = run(
            asyncpg.connect(
                host=host, port=port, user="postgres", password=PASSWORD, database="postgres"
            )
        )
    with pytest.raises(TypeError, match="connection"):
        CLASSES[colour](connection)
    run(connection.close())
