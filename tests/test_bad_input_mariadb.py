"""MariaDB for who does it wrong or whose server is broken: both colours, on a real server."""

from __future__ import annotations

import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import aiomysql
import pymysql
import pymysql.cursors
import pytest

from persistry import AsyncMariaDBPersister, MariaDBPersister, State
from persistry.errors import (
    CorruptStateError,
    NotInitializedError,
    PersisterAccessError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
    StateConflictError,
    StateTooLargeError,
    StoreVersionError,
)
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, refused, runner, works
from tests.servers import LOOPBACK, MariaDBServer

pytestmark = pytest.mark.usefixtures("mariadb_place")  # skips, or fails, where there is none

CLASSES: dict[str, Any] = {"sync": MariaDBPersister, "async": AsyncMariaDBPersister}
DRIVER = pymysql.Error
ALL = [*OPERATIONS, "initialize"]
run = pytest.fixture(runner)
Make = Callable[..., Calls]
numbers = itertools.count()


def call(operation: str, persister: Calls) -> Any:
    return OPERATIONS.get(operation, lambda persister: persister.initialize())(persister)


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDBServer]:
    with MariaDBServer(PASSWORD) as server:
        yield server


@pytest.fixture(params=CLASSES)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Admin:
    """What others do to the server, in a database of this test."""

    def __init__(self, server: MariaDBServer) -> None:
        self.server = server
        self.database = f"database_{next(numbers)}"
        self.run(f"CREATE DATABASE {self.database}", database=server.database)

    def words(self, database: str = "", **options: Any) -> dict[str, Any]:
        """What PyMySQL is called with; aiomysql says `db` for `database`."""
        host, port = self.server.address
        login = {"user": self.server.superuser, "password": self.server.password}
        where = {"host": host, "port": port, "database": database or self.database}
        return {**where, **login, **options}

    def connect(self, database: str = "", **options: Any) -> Any:
        return pymysql.connect(**self.words(database, **{"autocommit": True, **options}))

    def run(self, *statements: str, database: str = "") -> list[Any]:
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
            return list(cursor.fetchall())

    def user(self, rights: str = "", *, options: str = "") -> dict[str, Any]:
        """A new user with these rights in the database. What the persister needs to be it."""
        name = f"user_{next(numbers)}"
        self.run(f"CREATE USER {name}@'%' IDENTIFIED BY '{PASSWORD}' {options}")
        # Of no use to it but to come in: a right to a table that nobody has.
        self.run(f"GRANT CREATE, SELECT ON {self.database}.no_such_table TO {name}@'%'")
        if rights:
            self.run(f"GRANT {rights} TO {name}@'%'")
        return {"user": name}

    def content(self) -> list[Any]:
        """All that users made in the database, and the records."""
        found = self.run(
            "SELECT table_name, table_type, column_name, column_type"
            " FROM information_schema.tables LEFT JOIN information_schema.columns"
            f" USING (table_schema, table_name) WHERE table_schema = '{self.database}'"
            " ORDER BY table_name, ordinal_position"
        )
        if any(name == "burr_state" and kind != "SEQUENCE" for name, kind, *_ in found):
            found += self.run("SELECT * FROM burr_state")
        return found

    def kill(self, what: str = "", where: str = "true") -> int:
        """End the connections of the persisters, or what they are doing; how many."""
        found = self.run(
            "SELECT id FROM information_schema.processlist"
            f" WHERE id <> connection_id() AND user <> 'system user' AND {where}"
        )
        for (number,) in found:
            with closing(self.connect()) as connection, connection.cursor() as cursor:
                try:
                    cursor.execute(f"KILL {what} {number}")
                except pymysql.Error as error:
                    assert error.args[0] == 1094, error  # it has gone meanwhile
        return len(found)


@pytest.fixture
def admin(server: MariaDBServer) -> Admin:
    server.start()
    return Admin(server)


@pytest.fixture
def make(colour: str, admin: Admin, server: MariaDBServer, run: Run) -> Iterator[Make]:
    """Makes persisters on the test's database, or elsewhere; they are closed in the end."""
    made = []

    def make_(**options: Any) -> Calls:
        host, port = server.address
        where = {"db_name": admin.database, "user": server.superuser, "password": PASSWORD}
        given = {**where, "host": host, "port": port, **options}
        made.append(Calls(run(CLASSES[colour].from_values(**given)), run))
        return made[-1]

    yield make_
    server.start()
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


@contextmanager
def locked(admin: Admin) -> Iterator[None]:
    """Somebody else has the table to himself."""
    with closing(admin.connect()) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLES burr_state WRITE")
        yield


def unavailable(act: Callable[[], Any], *mentions: str, saved: bool = False) -> None:
    with pytest.raises(PersisterUnavailableError) as caught:
        act()
    for mention in mentions:
        assert mention in str(caught.value)
    assert caught.value.may_have_saved is saved
    assert PASSWORD not in str(caught.value)


# The server


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize(
    ("host", "port"),
    [(LOOPBACK, 1), ("nowhere.invalid", 3306), ("no..name", 3306), ("long" * 20, 3306)],
)
def test_nobody_answers_there(make: Make, operation: str, host: str, port: int) -> None:
    unavailable(
        lambda: call(operation, make(host=host, port=port)),
        "no server answers",
        f"{host}:{port}",
    )


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("options", [{"password": f"not {PASSWORD}"}, {"user": "nobody"}])
def test_a_login_that_is_refused(make: Make, operation: str, options: Any) -> None:
    with refused(PersisterAccessError, "user or password", cause=DRIVER):
        call(operation, make(**options))
    assert PASSWORD not in repr(make().persister)


@pytest.mark.parametrize("password", ["pässword", "☃"])
def test_a_password_of_any_letters(make: Make, admin: Admin, password: str) -> None:
    """Written as its parameter says; as it is, it is refused, and not shown."""
    user = admin.user(f"ALL ON {admin.database}.*")
    admin.run(f"SET PASSWORD FOR {user['user']}@'%' = PASSWORD('{password}')")
    persister = make(**user, password=password.encode().decode("latin-1"))
    persister.initialize()
    works(persister)
    with pytest.raises(PersisterError, match="password") as caught:
        make(**user, password=password).get()
    shown = f"{caught.value} {caught.value.__cause__!r} {vars(caught.value.__cause__ or persister)}"
    assert password not in shown and "u2603" not in shown


@pytest.mark.parametrize("operation", ALL)
def test_a_database_that_is_not_there(make: Make, operation: str) -> None:
    with refused(PersisterUnavailableError, "give another db_name", cause=DRIVER):
        call(operation, make(db_name="not there"))


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-server\r\n"])
def test_a_server_that_speaks_something_else(make: Make, answer: bytes) -> None:
    with stranger(answer) as port:
        for name in OPERATIONS:
            unavailable(lambda name=name: call(name, make(port=port)), "no MariaDB", f":{port}")


@pytest.mark.parametrize("limit", ["connect_timeout", "operation_timeout"])
def test_a_server_that_says_nothing(make: Make, limit: str) -> None:
    with stranger(b"") as port:
        for name in OPERATIONS:
            began = time.monotonic()
            with pytest.raises(PersisterUnavailableError, match=rf" {limit} \(0.3 s\)"):
                call(name, make(port=port, **{limit: 0.3}))
            assert time.monotonic() - began < 1


def test_a_user_without_a_free_connection(make: Make, admin: Admin) -> None:
    user = admin.user(f"ALL ON {admin.database}.*", options="WITH MAX_USER_CONNECTIONS 1")
    greedy = make(**user)
    greedy.initialize()
    unavailable(lambda: make(**user).put(n=1), "as many connections")
    greedy.cleanup()
    admin.kill(where=f"user = '{user['user']}'")
    works(make(**user))


def test_a_server_without_a_free_connection(make: Make, admin: Admin) -> None:
    user = admin.user(f"ALL ON {admin.database}.*")
    with closing(admin.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL max_connections = 10")
        others = [admin.connect(user=user["user"]) for _ in range(9)]
        try:
            unavailable(lambda: make(**user).put(n=1), "as many connections")
        finally:
            for other in others:
                other.close()
            cursor.execute("SET GLOBAL max_connections = 151")


def test_a_server_that_freezes(make: Make, server: MariaDBServer) -> None:
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
def test_a_server_that_restarts(persister: Calls, server: MariaDBServer, how: str) -> None:
    persister.put(n=1)
    getattr(server, how)()
    for operation in OPERATIONS:
        with refused(PersisterUnavailableError, operation, f":{server.port}", cause=DRIVER):
            call(operation, persister)
    server.start()
    assert persister.get() == {"n": 1}
    works(persister)


def test_a_restart_that_nobody_noticed(persister: Calls, server: MariaDBServer) -> None:
    persister.put(n=1)
    server.restart()
    assert persister.get() == {"n": 1}
    server.restart()
    works(persister)


def test_connections_that_the_server_ends(persister: Calls, admin: Admin) -> None:
    for number in range(3):
        persister.put("app", number, n=number)
        admin.kill()
        assert persister.get() == {"n": number}
        admin.kill()


def test_a_statement_that_somebody_ends(persister: Calls, admin: Admin) -> None:
    with locked(admin):

        def end() -> None:
            while not admin.kill("QUERY", "state LIKE '%%metadata lock%%'"):
                time.sleep(0.02)

        thread = threading.Thread(target=end)
        thread.start()
        unavailable(lambda: persister.put(n=1), "save", "ended the statement")
        thread.join()
    works(persister)


@pytest.mark.parametrize("limit", ["lock_wait_timeout = 1", "max_statement_time = 0.3"])
def test_the_servers_own_limits(make: Make, admin: Admin, limit: str) -> None:
    persister = make(connect_kwargs={"init_command": f"SET SESSION {limit}"})
    persister.initialize()
    with locked(admin):
        unavailable(lambda: persister.put(n=1), "save", "ended the statement")
    works(persister)


def test_a_deadlock_is_tried_again(persister: Calls, admin: Admin) -> None:
    """Two inserts wait for a third of the same key; when that goes, one of them is the victim."""
    with closing(admin.connect(autocommit=False)) as third, third.cursor() as cursor:
        cursor.execute(
            "INSERT INTO burr_state (partition_key, app_id, sequence_id, position, status, state)"
            " VALUES ('p', 'app', 0, 'step', 'other', '{}')"
        )
        done: list[Any] = []

        def save() -> None:
            try:
                with closing(admin.connect()) as own, own.cursor() as other:
                    other.execute(
                        "INSERT INTO burr_state (partition_key, app_id, sequence_id, position,"
                        " status, state, codec) VALUES"
                        """ ('p', 'app', 0, 'step', 'completed', '{"n":1}', 0)"""
                    )
            except pymysql.Error as error:
                done.append(error.args[0])

        thread = threading.Thread(target=save)
        thread.start()
        timer = threading.Timer(0.5, third.rollback)
        timer.start()
        persister.put(n=1)
        thread.join()
        timer.join()
    assert persister.get() == {"n": 1}
    assert done in ([], [1062], [1213])


# Rights


def test_a_user_without_rights(make: Make, admin: Admin) -> None:
    persister = make(**admin.user())
    with refused(PersisterAccessError, "initialize", "burr_state", "GRANT", cause=DRIVER):
        persister.initialize()
    make().initialize()
    for operation in OPERATIONS:
        with refused(PersisterAccessError, operation, "GRANT", cause=DRIVER):
            call(operation, persister)
    assert admin.run("SELECT count(*) FROM burr_state") == [(0,)]


def test_a_user_who_may_only_read(make: Make, admin: Admin, persister: Calls) -> None:
    persister.put(n=1)
    reader = make(**admin.user(f"SELECT ON {admin.database}.burr_state"))
    reader.initialize()
    assert reader.is_initialized() is True
    with refused(PersisterAccessError, "save", "GRANT", cause=DRIVER):
        reader.put("app", 1, n=2)
    assert reader.get() == {"n": 1}
    assert reader.list_app_ids("p") == ["app"]


def test_a_user_who_may_not_create_finds_the_table(
    make: Make, admin: Admin, persister: Calls
) -> None:
    writer = make(**admin.user(f"SELECT, INSERT ON {admin.database}.burr_state"))
    writer.initialize()
    works(writer)


def test_a_user_of_another_database(make: Make, admin: Admin) -> None:
    user = admin.user()
    with refused(PersisterAccessError, "GRANT", cause=DRIVER):
        make(**user, db_name="mysql").put(n=1)


def test_a_read_only_server(make: Make, admin: Admin, persister: Calls) -> None:
    persister.put(n=1)
    reader = make(**admin.user(f"ALL ON {admin.database}.*"))
    admin.run("SET GLOBAL read_only = ON")
    try:
        with refused(PersisterAccessError, "save", "primary", cause=DRIVER):
            reader.put("app", 1, n=2)
        another = make(**admin.user(f"ALL ON {admin.database}.*"), table_name="another")
        with refused(PersisterAccessError, "initialize", "primary", cause=DRIVER):
            another.initialize()
        assert reader.get() == {"n": 1}
    finally:
        admin.run("SET GLOBAL read_only = OFF")
    works(reader)


def test_a_read_only_session(make: Make, persister: Calls) -> None:
    reader = make(connect_kwargs={"init_command": "SET SESSION TRANSACTION READ ONLY"})
    with refused(PersisterAccessError, "save", "primary", cause=DRIVER):
        reader.put(n=1)
    assert reader.get() is None


# The table


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_table_is_cured_by_initialize(make: Make, operation: str) -> None:
    persister = make()
    with refused(NotInitializedError, operation, "'p'", "initialize()", cause=DRIVER):
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


BURRS = """CREATE TABLE burr_state (partition_key VARCHAR(255) DEFAULT '', app_id VARCHAR(255),
    sequence_id INTEGER, position VARCHAR(255), status VARCHAR(255), state TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (partition_key, app_id, sequence_id, position))"""
OURS = "partition_key, app_id, sequence_id, position, status, state, created_at, codec"


@pytest.mark.parametrize(
    "shape",
    [
        [BURRS],
        ["CREATE TABLE burr_state (note TEXT)", "INSERT INTO burr_state VALUES ('mine')"],
        ["CREATE VIEW burr_state AS SELECT 1 AS note"],
        ["CREATE SEQUENCE burr_state"],
    ],
    ids=["Burr's", "table", "view", "sequence"],
)
def test_something_else_of_that_name_is_left_alone(
    make: Make, admin: Admin, shape: list[str]
) -> None:
    admin.run(*shape)
    before = admin.content()
    persister = make()
    with pytest.raises(StoreVersionError, match=r"^initialize of table 'burr_state': ") as caught:
        persister.initialize()
    assert "table_name" in str(caught.value)
    for operation in OPERATIONS:
        with pytest.raises(StoreVersionError):
            call(operation, persister)
    assert admin.content() == before


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX ps_apps",
        "DROP INDEX ps_order",
        "DROP INDEX partition_key",
        "DROP COLUMN codec",
        "CHANGE status result VARBINARY(512)",
    ],
)
def test_a_table_that_lost_something(make: Make, admin: Admin, change: str) -> None:
    make().initialize()
    admin.run(f"ALTER TABLE burr_state {change}")
    with refused(StoreVersionError, "initialize", "table_name", cause=DRIVER):
        make().initialize()


@pytest.mark.parametrize(
    "change",
    [
        "ADD owner INT NOT NULL",
        "ADD CONSTRAINT theirs CHECK (status = 'x')",
        "MODIFY state VARBINARY(2) NOT NULL",
    ],
)
def test_a_table_with_constraints_of_others(make: Make, admin: Admin, change: str) -> None:
    persister = make(connect_kwargs={"init_command": "SET SESSION sql_mode = 'STRICT_ALL_TABLES'"})
    persister.initialize()
    admin.run(f"ALTER TABLE burr_state {change}")
    with refused(StoreVersionError, "save", "constraints", cause=DRIVER):
        persister.put(n=1)
    assert persister.get() is None


NAMES = [
    "Mixed Case",
    "select",
    "back`tick",
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
    "x`; DROP TABLE precious; --",
    "line\nfeed",
    "t" * 64,
    "☃" * 40,
    "Other Schema.Mixed Case",
    "other.t%",
]


@pytest.mark.parametrize("name", NAMES)
def test_table_names_of_all_kinds(make: Make, admin: Admin, name: str) -> None:
    admin.run("CREATE TABLE precious (a INT)")
    schema, _, table = name.rpartition(".")
    if schema:
        admin.run(f"CREATE OR REPLACE DATABASE `{schema}`")
    persister = make(table_name=name)
    assert persister.is_initialized() is False
    for _ in range(2):
        persister.initialize()
    assert persister.is_initialized() is True
    works(persister)
    found = admin.run(
        "SELECT table_name FROM information_schema.tables WHERE table_name <> 'precious'"
        f" AND table_schema = '{schema or admin.database}'"
    )
    assert found == [(table,)]
    assert admin.run("SELECT count(*) FROM precious") == [(0,)]


@pytest.mark.parametrize("name", ["", ".t", "s.", "a.b.c", "nul\0", "\ud800"])
def test_table_names_that_are_refused(make: Make, name: str) -> None:
    with pytest.raises(ValueError, match="table_name"):
        make(table_name=name)


@pytest.mark.parametrize("name", ["t" * 65, "☃" * 60, "space at its end "])
def test_table_names_that_the_server_refuses(make: Make, name: str) -> None:
    persister = make(table_name=name)
    with refused(PersisterError, "initialize", "no table of this name", cause=DRIVER):
        persister.initialize()
    for operation in OPERATIONS:
        with pytest.raises(PersisterError, match=rf"^{operation} of "):
            call(operation, persister)


def test_a_schema_that_is_missing(make: Make, admin: Admin) -> None:
    persister = make(table_name="elsewhere.steps")
    assert persister.is_initialized() is False
    for operation in OPERATIONS:
        with refused(NotInitializedError, operation, cause=DRIVER):
            call(operation, persister)
    with refused(PersisterUnavailableError, "initialize", "another schema", cause=DRIVER):
        persister.initialize()
    admin.run("CREATE OR REPLACE DATABASE elsewhere")
    persister.initialize()
    works(persister)
    admin.run("DROP DATABASE elsewhere")


# What is stored there

DAMAGE = {
    "garbage": "state = 'garbage'",
    "empty": "state = ''",
    "no object": "state = '[1]'",
    "no UTF-8": "state = X'FF'",
    "a position that is no UTF-8": "position = X'FF'",
    "a status that is no UTF-8": "status = X'FF'",
    "unknown codec": "codec = 9",
    "a wrong codec": "codec = 2, state = '{'",
    "no time": "created_at = 0",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_kept(persister: Calls, admin: Admin, damage: str) -> None:
    for app in ("good", "bad"):
        persister.put(app, n=1)
    admin.run("SET sql_mode = ''", f"UPDATE burr_state SET {DAMAGE[damage]} WHERE app_id = 'bad'")
    before = admin.content()
    for wanted in (("bad",), ("bad", 0), (None,)):
        with pytest.raises(CorruptStateError, match=r"^load of .*'p'"):
            persister.get(*wanted)
    if "time" not in damage and "position" not in damage:
        with pytest.raises(StateConflictError, match=r"save of .*'bad', sequence 0"):
            persister.put("bad", n=1)
    assert admin.content() == before
    assert persister.get("good") == {"n": 1}
    assert persister.list_app_ids("p") == ["bad", "good"]
    works(persister)


def test_an_application_whose_name_is_no_text(persister: Calls, admin: Admin) -> None:
    persister.put(n=1)
    admin.run("UPDATE burr_state SET app_id = X'FF'")
    with pytest.raises(CorruptStateError, match=r"^list_app_ids of partition 'p'"):
        persister.list_app_ids("p")


@pytest.mark.parametrize("size", [17, 40])
def test_a_state_too_large_for_the_server(persister: Calls, size: int) -> None:
    largest = f"a statement of this server has {16 * 2**20} at the most"
    with pytest.raises(StateTooLargeError, match=largest):
        persister.put(text="x" * size * 2**20)
    with pytest.raises(StateTooLargeError, match=largest):
        persister.put(text='"' * 9 * 2**20)
    works(persister)
    persister.put("large", 1, text="x" * (16 * 2**20 - 20_000))
    assert len(persister.get("large")["text"]) == 16 * 2**20 - 20_000


def test_a_large_state_outlives_a_lower_limit(make: Make, admin: Admin, persister: Calls) -> None:
    persister.put("large", 1, text="x" * 2**21)
    admin.run("SET GLOBAL max_allowed_packet = 1048576")
    try:
        other = make()
        assert len(other.get("large")["text"]) == 2**21
        with pytest.raises(StateTooLargeError, match="1048576 at the most"):
            other.put("large", 2, text="x" * 2**20)
    finally:
        admin.run("SET GLOBAL max_allowed_packet = 16777216")


@pytest.mark.parametrize("key", ["nul\0", "\ud800", "☃" * 300])
def test_keys_that_no_record_has(persister: Calls, key: str) -> None:
    assert persister.get(key) is None
    assert persister.load(key, "app") is None
    assert persister.list_app_ids(key) == []


SIMILAR = ["a", "A", "á", "a ", " a", "a\t", "\uff41", "a\u0301", "ß", "ss", "", "\ufb01", "fi"]


def test_similar_keys_are_different(persister: Calls) -> None:
    for n, key in enumerate(SIMILAR):
        persister.put(key, n, key=key)
    for n, key in enumerate(SIMILAR):
        assert persister.get(key) == {"key": key}
        assert persister.get(key, n) == {"key": key}
    assert persister.list_app_ids("p") == SIMILAR[::-1]


# The session's and the server's settings


SETTINGS = [
    "sql_mode = ''",
    "sql_mode = 'ANSI'",
    "sql_mode = 'TRADITIONAL,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH'",
    "sql_mode = 'ORACLE'",
    "sql_mode = 'MSSQL'",
    "sql_mode = 'PIPES_AS_CONCAT,EMPTY_STRING_IS_NULL,ANSI_QUOTES'",
    "time_zone = '-09:00'",
    "default_storage_engine = 'MyISAM'",
    "collation_connection = 'utf8mb4_bin', collation_database = 'latin1_german2_ci'",
    "tx_isolation = 'SERIALIZABLE'",
    "tx_isolation = 'READ-UNCOMMITTED'",
    "completion_type = 'CHAIN'",
    "sql_select_limit = 1, insert_id = 7",
    "sql_safe_updates = ON, max_join_size = 1000000, big_tables = ON",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_that_do_not_matter(make: Make, admin: Admin, setting: str) -> None:
    persister = make(connect_kwargs={"init_command": f"SET SESSION {setting}"})
    plain = make()
    persister.initialize()
    text = "'\"\\%_\n\t\0\x1a ünï ☃ 𝄞"
    persister.put("app", 1, text=text)
    plain.put("app", 2, text=text)
    persister.save(None, "", 2, "", State({}), "")
    assert persister.load("", "")["position"] == ""
    for it in (persister, plain):
        assert it.get("app", 1) == it.get("app", 2) == {"text": text}
        it.put("app", 1, text=text)
        with pytest.raises(StateConflictError):
            it.put("app", 1, text="")
        assert it.load("p", "app")["sequence_id"] == 2
        began = it.load("p", "app", 1)["created_at"]
        assert abs(time.time() - _seconds(began)) < 60
    ((engine,),) = admin.run(
        f"SELECT engine FROM information_schema.tables WHERE table_schema = '{admin.database}'"
    )
    assert engine == "InnoDB"


def _seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()


# What is handed in


@pytest.fixture
def hand_in(colour: str, admin: Admin, run: Run) -> Iterator[Callable[..., Any]]:
    """Connections of somebody else's, as he opens them."""
    opened: list[Any] = []

    def hand_in(**options: Any) -> Any:
        words = admin.words(**options)
        if colour == "sync":
            opened.append(pymysql.connect(**words))
        else:
            opened.append(run(aiomysql.connect(db=words.pop("database"), **words)))
        return opened[-1]

    yield hand_in
    for connection in opened:
        if connection.open if colour == "sync" else not connection.closed:
            connection.close()


@pytest.mark.parametrize("wrong", [None, 1, "mariadb://root:hunter2@there", object()])
def test_what_is_no_connection(colour: str, wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="connection") as caught:
        CLASSES[colour](wrong)
    assert PASSWORD not in str(caught.value)


def test_the_other_colours_connection(colour: str, admin: Admin, run: Run) -> None:
    words = admin.words()
    if colour == "async":
        connection = pymysql.connect(**words)
    else:
        connection = run(aiomysql.connect(db=words.pop("database"), **words))
    with pytest.raises(TypeError, match="connection"):
        CLASSES[colour](connection)
    connection.close()


@pytest.mark.parametrize("charset", ["utf8mb4", "utf8", "utf8mb3", "latin1"])
def test_any_character_set_reads_all(
    colour: str, hand_in: Any, persister: Calls, run: Run, charset: str
) -> None:
    """Texts that the connection cannot hold are read all the same, and refused where written."""
    everything = {"text": "ünï ☃ 𝄞"}
    persister.put("ünï ☃ 𝄞", 1, **everything)
    other = Calls(CLASSES[colour](hand_in(charset=charset)), run)
    assert other.list_app_ids("p") == ["ünï ☃ 𝄞"]
    assert other.get(None) == everything
    other.put("plain", 1, text="plain")
    assert persister.get("plain") == {"text": "plain"}
    other.put("ü", 2, text="ü")
    assert persister.get("ü") == other.get("ü") == {"text": "ü"}
    if not charset.startswith("utf8") or charset == "utf8mb3":
        for app, value in (("𝄞", "x"), ("app", "𝄞")):
            with pytest.raises(PersisterError, match=r"save of .*cannot (hold|carry) this text"):
                other.put(app, n=value)
    works(other)
    assert persister.list_app_ids("elsewhere") == []


@pytest.mark.parametrize(
    "options",
    [
        *({"charset": name} for name in ("sjis", "ujis", "gbk", "euckr", "big5", "cp1251")),
        *({"init_command": f"SET NAMES {name}"} for name in ("gbk", "latin1")),
        {"init_command": "SET character_set_connection = latin1"},
        {"init_command": "SET character_set_results = latin1"},
        {"init_command": "SET completion_type = 'CHAIN'"},
        {"init_command": "SET sql_mode = 'EMPTY_STRING_IS_NULL'"},
    ],
    ids=str,
)
def test_a_connection_that_changes_what_is_said(
    colour: str, hand_in: Any, persister: Calls, run: Run, options: dict[str, str]
) -> None:
    """A letter that ends in a backslash's byte, or becomes another; or a commit that begins."""
    persister.put("app", 1, n=1)
    connection = hand_in(**{"charset": "utf8mb4", **options})
    other = Calls(CLASSES[colour](connection), run)
    for text in ("¥' OR 1=1 -- ", "中' OR 1=1 -- ", "각"):
        for operation in (other.put, other.get):
            with pytest.raises(PersisterError, match="open it with charset='utf8mb4'"):
                operation(text)
    assert persister.list_app_ids("p") == ["app"]
    assert persister.get() == {"n": 1}


@pytest.mark.parametrize("kind", ["DictCursor", "SSCursor", "SSDictCursor"])
def test_any_cursor_of_the_drivers(
    colour: str, hand_in: Any, persister: Calls, run: Run, kind: str
) -> None:
    cursors = pymysql.cursors if colour == "sync" else aiomysql
    other = Calls(CLASSES[colour](hand_in(cursorclass=getattr(cursors, kind))), run)
    works(other)
    with pytest.raises(StateConflictError):
        other.put("works", 1, n=2)
    works(persister)


def test_a_connection_with_other_flags(colour: str, hand_in: Any, make: Make, run: Run) -> None:
    """FOUND_ROWS makes the server count rows that a statement has not changed."""
    found_rows = pymysql.constants.CLIENT.FOUND_ROWS
    persister = Calls(CLASSES[colour](hand_in(client_flag=found_rows)), run)
    persister.initialize()
    persister.put(n=1)
    persister.put(n=1)
    with pytest.raises(StateConflictError):
        persister.put(n=2)


def test_a_snapshot_does_not_age(colour: str, hand_in: Any, persister: Calls, run: Run) -> None:
    """Its owner's transaction is committed, and none is kept open between two loads."""
    connection = hand_in(autocommit=False)
    reader = Calls(CLASSES[colour](connection), run)
    for n in range(3):
        persister.put("app", n, n=n)
        assert reader.get() == {"n": n}


def test_a_connection_that_was_closed(colour: str, hand_in: Any, make: Make, run: Run) -> None:
    connection = hand_in()
    persister = Calls(CLASSES[colour](connection), run)
    persister.initialize()
    connection.close()
    for operation in OPERATIONS:
        with pytest.raises(PersisterClosedError, match=rf"^{operation}\b.*handed in"):
            call(operation, persister)


def test_what_the_driver_does_not_know(make: Make) -> None:
    with pytest.raises(TypeError, match=r"connect_kwargs: .*nonsense"):
        make(connect_kwargs={"nonsense": 1})
    with pytest.raises(ValueError, match=r"connect_kwargs: charset"):
        make(connect_kwargs={"charset": "latin1"})
    assert re.fullmatch(r"<\w+ 127\.0\.0\.1:\d+/\w+>", repr(make().persister))
