"""PostgreSQL for who does it wrong or whose server is broken: both colours, on a real server."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import asyncpg
import psycopg
import psycopg2
import pytest

from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterAccessError,
    PersisterError,
    PersisterUnavailableError,
    StateConflictError,
    StoreVersionError,
)
from tests import burr_postgresql as burr
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, named_by, refused, runner, works
from tests.postgresql import CLASSES
from tests.servers import LOOPBACK, PostgreSQLServer

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

DRIVER: Any = (
    psycopg2.Error,
    psycopg.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
ALL = [*OPERATIONS, "initialize"]
NEARLY_BURRS = f"""
    {burr.TABLE.format(table="burr_state")};
    ALTER TABLE burr_state ADD COLUMN owner TEXT;
    INSERT INTO burr_state VALUES ('p', 'app', 0, 'step', 'completed', '{{"n": 1}}')
"""
run = pytest.fixture(runner)
Make = Callable[..., Calls]
numbers = itertools.count()


def call(operation: str, persister: Calls) -> Any:
    return OPERATIONS.get(operation, lambda persister: persister.initialize())(persister)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer(PASSWORD) as server:
        yield server


def first(operation: str, colour: str) -> str:
    """What a message names: an asynchronous persister connects as soon as it is opened."""
    return operation if colour.startswith("sync") else "connect"


@pytest.fixture(params=CLASSES)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Admin:
    """What others do to the server, in a database of this test."""

    def __init__(self, server: PostgreSQLServer) -> None:
        self.server = server
        self.database = f"database_{next(numbers)}"
        self.run(f'CREATE DATABASE "{self.database}"', database=server.database)

    def connect(self, database: str) -> Any:
        host, port = self.server.address
        connection = psycopg2.connect(
            host=host,
            port=port,
            user=self.server.superuser,
            password=self.server.password,
            dbname=database,
        )
        connection.autocommit = True
        return connection

    def run(self, sql: str, database: str = "") -> list[Any]:
        with (
            closing(self.connect(database or self.database)) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def role(self, rights: str = "", *, options: str = "") -> dict[str, Any]:
        """A new user with these rights; `{}` is its name. What the persister needs to be it."""
        name = f"user_{next(numbers)}"
        self.run(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}' {options}")
        if rights:
            self.run(rights.replace("{}", name))
        return {"user": name}

    def content(self) -> list[Any]:
        """All that users made in the database, and the records."""
        found = self.run(
            "SELECT relname, relkind::text, attname, atttypid::regtype::text FROM pg_class"
            " JOIN pg_attribute ON attrelid = pg_class.oid"
            " WHERE relnamespace = 'public'::regnamespace AND attnum > 0 ORDER BY 1, 3"
        )
        if any(name == "burr_state" and kind in "rv" for name, kind, *_ in found):
            found += self.run("SELECT burr_state::text FROM burr_state")
        return found

    def end_all(self) -> None:
        self.run(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def admin(server: PostgreSQLServer) -> Admin:
    server.resume()
    server.start()
    return Admin(server)


@pytest.fixture
def make(colour: str, admin: Admin, server: PostgreSQLServer, run: Run) -> Iterator[Make]:
    """Makes persisters on the test's database, or elsewhere; they are closed in the end."""
    made = []

    def make_(**options: Any) -> Calls:
        host, port = server.address
        where = {"db_name": admin.database, "user": server.superuser, "password": PASSWORD}
        given = {**where, "host": host, "port": port, **options}
        made.append(Calls(run(CLASSES[colour].from_values(**given)), run))
        return made[-1]

    yield make_
    server.resume()
    for persister in made:
        persister.cleanup()


@pytest.fixture
def persister(make: Make) -> Calls:
    persister = make()
    persister.initialize()
    return persister


@contextmanager
def stranger(answer: bytes) -> Iterator[int]:
    """A server that says this to everybody, whatever it is asked, and keeps the connection."""
    with socket.create_server((LOOPBACK, 0)) as listening:
        kept: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    kept.append(listening.accept()[0])
                except OSError:
                    return
                kept[-1].sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()


# The server


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize(
    ("host", "port"),
    [(LOOPBACK, 1), ("nowhere.invalid", 5432), ("no..name", 5432), ("long" * 20, 5432)],
)
def test_nobody_answers_there(
    make: Make, colour: str, operation: str, host: str, port: int
) -> None:
    doing = first(operation, colour)
    with refused(
        PersisterUnavailableError,
        doing,
        "no server answers",
        f"{host}:{port}",
        cause=(*DRIVER, UnicodeError),
    ) as caught:
        call(operation, make(host=host, port=port))
    assert caught.value.may_have_saved is False  # type: ignore[attr-defined]


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("options", [{"password": f"not {PASSWORD}"}, {"user": "nobody"}])
def test_a_login_that_is_refused(make: Make, colour: str, operation: str, options: Any) -> None:
    doing = first(operation, colour)
    with refused(PersisterAccessError, doing, "user or password", cause=DRIVER):
        call(operation, make(**options))
    assert PASSWORD not in repr(make().persister)


@pytest.mark.parametrize("operation", ALL)
def test_a_database_that_is_not_there(make: Make, colour: str, operation: str) -> None:
    doing = first(operation, colour)
    with refused(PersisterUnavailableError, doing, "give another db_name", cause=DRIVER):
        call(operation, make(db_name="not there"))


def test_a_server_that_speaks_something_else(make: Make, colour: str) -> None:
    with stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        for name in OPERATIONS:
            doing = first(name, colour)
            with refused(PersisterUnavailableError, doing, f":{port}", cause=DRIVER):
                call(name, make(port=port, operation_timeout=2))


@pytest.mark.parametrize("limit", ["connect_timeout", "operation_timeout"])
def test_a_server_that_says_nothing(make: Make, colour: str, limit: str) -> None:
    with stranger(b"") as port:
        for name in OPERATIONS:
            began = time.monotonic()
            told = rf"^{first(name, colour)}.* {limit} \(0.3 s\)"
            with pytest.raises(PersisterUnavailableError, match=told):
                call(name, make(port=port, **{limit: 0.3}))
            assert time.monotonic() - began < 1


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


def test_a_server_that_freezes(make: Make, server: PostgreSQLServer) -> None:
    persister = make(operation_timeout=0.5, connect_timeout=0.5)
    persister.initialize()
    persister.put(n=1)
    server.pause()
    began = time.monotonic()
    with pytest.raises(PersisterUnavailableError, match=r"save .*_timeout \(0.5 s\)"):
        persister.put("app", 1, n=2)
    with pytest.raises(PersisterUnavailableError, match=r"load .*_timeout \(0.5 s\)"):
        persister.get()
    assert time.monotonic() - began < 2
    server.resume()
    assert persister.get("app", 0) == {"n": 1}
    works(persister)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_restarts(persister: Calls, server: PostgreSQLServer, how: str) -> None:
    persister.put(n=1)
    getattr(server, how)()
    for operation in OPERATIONS:
        with refused(PersisterUnavailableError, operation, f":{server.port}", cause=DRIVER):
            call(operation, persister)
    server.start()
    assert persister.get() == {"n": 1}
    works(persister)


def test_a_restart_that_nobody_noticed(persister: Calls, server: PostgreSQLServer) -> None:
    persister.put(n=1)
    server.restart()
    assert persister.get() == {"n": 1}
    server.restart()
    works(persister)


def test_connections_that_the_server_ends(persister: Calls, admin: Admin) -> None:
    for number in range(3):
        persister.put("app", number, n=number)
        admin.end_all()
        assert persister.get() == {"n": number}
        admin.end_all()


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


def test_a_user_without_rights(make: Make, admin: Admin) -> None:
    persister = make(**admin.role())
    with refused(PersisterAccessError, "initialize", "burr_state", "GRANT", cause=DRIVER):
        persister.initialize()
    make().initialize()
    for operation in OPERATIONS:
        with refused(PersisterAccessError, operation, "GRANT", cause=DRIVER):
            call(operation, persister)
    assert admin.run("SELECT count(*) FROM burr_state") == [(0,)]


def test_a_user_who_may_only_read(make: Make, admin: Admin, persister: Calls) -> None:
    persister.put(n=1)
    reader = make(**admin.role("GRANT SELECT ON burr_state TO {}"))
    reader.initialize()
    assert reader.is_initialized() is True
    with refused(PersisterAccessError, "save", "GRANT", cause=DRIVER):
        reader.put("app", 1, n=2)
    assert reader.get() == {"n": 1}
    assert reader.list_app_ids("p") == ["app"]


def test_a_user_who_may_not_create_finds_the_table(
    make: Make, admin: Admin, persister: Calls
) -> None:
    writer = make(**admin.role("GRANT SELECT, INSERT ON burr_state TO {}"))
    writer.initialize()
    works(writer)


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


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_table_is_cured_by_initialize(make: Make, admin: Admin, operation: str) -> None:
    persister = make()
    with refused(NotInitializedError, operation, named_by(operation), "initialize()", cause=DRIVER):
        OPERATIONS[operation](persister)
    assert persister.is_initialized() is False
    persister.initialize()
    works(persister)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_table_that_is_dropped_in_the_middle(
    persister: Calls, admin: Admin, operation: str
) -> None:
    works(persister)
    admin.run("DROP TABLE burr_state")
    with refused(NotInitializedError, operation, "initialize()", cause=DRIVER):
        OPERATIONS[operation](persister)
    persister.initialize()
    works(persister)


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
    for operation in OPERATIONS:
        with pytest.raises((StoreVersionError, NotInitializedError)):
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


DAMAGE = {
    "garbage": "state = 'garbage'",
    "empty": "state = ''",
    "no object": "state = '[1]'",
    "unknown codec": "codec = 9",
    "a wrong codec": "codec = 2, state = '{'",
    "a time out of reach": "created_at = '12345-01-01'",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_kept(persister: Calls, admin: Admin, damage: str) -> None:
    for app in ("good", "bad"):
        persister.put(app, n=1)
    admin.run(f"UPDATE burr_state SET {DAMAGE[damage]} WHERE app_id = 'bad'")
    before = admin.content()
    for wanted in (("bad",), ("bad", 0), (None,)):
        with pytest.raises(CorruptStateError, match=r"^load of .*'p'"):
            persister.get(*wanted)
    if "time" not in damage:
        with pytest.raises(StateConflictError, match=r"save of .*'bad', sequence 0"):
            persister.put("bad", n=1)
    assert admin.content() == before
    assert persister.get("good") == {"n": 1}
    assert persister.list_app_ids("p") == ["bad", "good"]
    works(persister)


@pytest.mark.parametrize(
    ("encoding", "text"), [("LATIN1", "äö"), ("EUC_JP", "日本"), ("SQL_ASCII", "ä ☃ 𝄞")]
)
def test_a_database_of_another_encoding(make: Make, admin: Admin, encoding: str, text: str) -> None:
    name = f"{admin.database}_{encoding}"
    admin.run(
        f"CREATE DATABASE \"{name}\" ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0",
        database="postgres",
    )
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
