"""MariaDB for who does it wrong or whose server is broken: both colours, on a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pymysql
import pymysql.cursors
import pytest

from persistry import connect
from persistry.errors import (
    NotInitializedError,
    PersisterAccessError,
    PersisterError,
    PersisterUnavailableError,
    StoreVersionError,
)
from tests.bad_input import OPERATIONS, PASSWORD, Calls, refused, runner, stranger, works
from tests.mariadb import CLASSES, DRIVER, STORE, Admin
from tests.sql_servers import Make, admins, call, initialized, makers, servers

pytestmark = pytest.mark.usefixtures("mariadb_place")  # skips, or fails, where there is none

run = pytest.fixture(runner)
store = pytest.fixture(scope="module")(lambda: STORE)
server = pytest.fixture(scope="module")(servers)
colour = pytest.fixture(params=CLASSES)(lambda request: request.param)
admin = pytest.fixture(admins)
make = pytest.fixture(makers)
persister = pytest.fixture(initialized)


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


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-server\r\n"])
def test_a_server_that_speaks_something_else(make: Make, answer: bytes) -> None:
    with stranger(answer) as port:
        for name in OPERATIONS:
            unavailable(lambda name=name: call(name, make(port=port)), "no MariaDB", f":{port}")


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


def test_a_url_that_names_a_library() -> None:
    """Other libraries want it in the URL; what to write instead is said, and nothing else."""
    with pytest.raises(ValueError, match=r"^url begins with no known scheme; write mysql://$"):
        connect("mysql+pymysql://user:secret@localhost/app")


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


KEY = "partition_key, app_id, sequence_id, position"
OTHER_KEY = "partition_key, status, sequence_id, position"
BURRS = """CREATE TABLE burr_state (partition_key VARCHAR(255) DEFAULT '', app_id VARCHAR(255),
    sequence_id INTEGER, position VARCHAR(255), status VARCHAR(255), state TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (partition_key, app_id, sequence_id, position))"""


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
    ("change", "cause"),
    [
        ("DROP INDEX ps_apps", DRIVER),
        ("DROP INDEX ps_order", DRIVER),
        ("DROP INDEX partition_key", None),
        ("DROP INDEX partition_key, ADD UNIQUE partition_key (partition_key, app_id)", None),
        (f"DROP INDEX partition_key, ADD UNIQUE partition_key ({KEY}, status)", None),
        (f"DROP INDEX partition_key, ADD UNIQUE partition_key ({OTHER_KEY})", None),
        (f"DROP INDEX partition_key, ADD UNIQUE theirs ({KEY})", DRIVER),
        ("DROP PRIMARY KEY, ADD PRIMARY KEY (write_number, app_id)", None),
        ("DROP PRIMARY KEY, ADD UNIQUE ours (write_number)", DRIVER),
        ("DROP COLUMN codec", None),
        ("CHANGE status result VARBINARY(512)", None),
    ],
)
def test_a_table_that_lost_something(make: Make, admin: Admin, change: str, cause: Any) -> None:
    make().initialize()
    admin.run(f"ALTER TABLE burr_state {change}")
    for operation in ("initialize", *OPERATIONS) if cause is None else ("initialize",):
        with refused(StoreVersionError, operation, "table_name", cause=cause):
            call(operation, make())


@pytest.mark.parametrize(
    "change",
    [
        "ADD owner INT NOT NULL",
        "ADD CONSTRAINT theirs CHECK (status = 'x')",
        "MODIFY status VARBINARY(2) NOT NULL",
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
        with pytest.raises(PersisterError, match=rf"^{operation}( of |: )"):
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
