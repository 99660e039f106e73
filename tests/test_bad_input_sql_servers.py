"""SQL servers for who does it wrong or whose server is broken: what is the same on all of them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from persistry.errors import (
    NotInitializedError,
    PersisterAccessError,
    PersisterUnavailableError,
)
from tests import mariadb, postgresql
from tests.bad_input import OPERATIONS, PASSWORD, Calls, named_by, refused, runner, stranger, works
from tests.servers import LOOPBACK
from tests.sql_servers import (
    ALL,
    Make,
    SqlAdmin,
    Store,
    admins,
    call,
    damaged,
    first,
    initialized,
    makers,
    servers,
)
from tests.timing import within

STORES = {"mariadb": mariadb.STORE, "postgresql": postgresql.STORE}

run = pytest.fixture(runner)
admin = pytest.fixture(admins)
make = pytest.fixture(makers)
persister = pytest.fixture(initialized)


COLUMNS = [(name, it) for name, store in STORES.items() for it in store.classes]


@pytest.fixture(params=COLUMNS, ids=" ".join)
def column(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A store and one of its classes."""
    name, colour = request.param
    request.getfixturevalue(f"{name}_place")  # skips, or fails, where there is none
    return name, colour


@pytest.fixture
def store(column: tuple[str, str]) -> Store:
    return STORES[column[0]]


@pytest.fixture
def colour(column: tuple[str, str]) -> str:
    return column[1]


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[str], Any]]:
    """Gives the server of a store, which is started when it is first asked for."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def of(name: str) -> Any:
            return stack.enter_context(contextlib.contextmanager(servers)(STORES[name]))

        yield of


@pytest.fixture
def server(column: tuple[str, str], started: Callable[[str], Any]) -> Any:
    return started(column[0])


# The server


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize(
    ("host", "port"),
    [(LOOPBACK, 1), ("nowhere.invalid", 5432), ("no..name", 5432), ("long" * 20, 5432)],
)
def test_nobody_answers_there(
    make: Make, store: Store, colour: str, operation: str, host: str, port: int
) -> None:
    doing = first(operation, colour)
    cause = (*store.driver, UnicodeError)
    with refused(
        PersisterUnavailableError, doing, "no server answers", f"{host}:{port}", cause=cause
    ) as caught:
        call(operation, make(host=host, port=port))
    assert caught.value.may_have_saved is False


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("options", [{"password": f"not {PASSWORD}"}, {"user": "nobody"}])
def test_a_login_that_is_refused(
    make: Make, store: Store, colour: str, operation: str, options: Any
) -> None:
    doing = first(operation, colour)
    with refused(PersisterAccessError, doing, "user or password", cause=store.driver):
        call(operation, make(**options))
    assert PASSWORD not in repr(make().persister)


@pytest.mark.parametrize("operation", ALL)
def test_a_database_that_is_not_there(
    make: Make, store: Store, colour: str, operation: str
) -> None:
    doing = first(operation, colour)
    with refused(PersisterUnavailableError, doing, "give another db_name", cause=store.driver):
        call(operation, make(db_name="not there"))


@pytest.mark.parametrize("limit", ["connect_timeout", "operation_timeout"])
def test_a_server_that_says_nothing(make: Make, colour: str, limit: str) -> None:
    with stranger(b"") as port:
        for name in OPERATIONS:
            told = rf"^{first(name, colour)}.* {limit} \(0.3 s\)"
            with within(0.3), pytest.raises(PersisterUnavailableError, match=told):
                call(name, make(port=port, **{limit: 0.3}))


def test_a_server_that_freezes(make: Make, server: Any) -> None:
    persister = make(operation_timeout=0.5, connect_timeout=0.5)
    persister.initialize()
    persister.put(n=1)
    server.pause()
    with within(0.5), pytest.raises(PersisterUnavailableError, match=r"save .*_timeout \(0.5 s\)"):
        persister.put("app", 1, n=2)
    with within(0.5), pytest.raises(PersisterUnavailableError, match=r"load .*_timeout \(0.5 s\)"):
        persister.get()
    server.resume()
    assert persister.get("app", 0) == {"n": 1}
    works(persister)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_server_that_restarts(persister: Calls, store: Store, server: Any, how: str) -> None:
    persister.put(n=1)
    getattr(server, how)()
    for operation in OPERATIONS:
        at = f":{server.port}"
        with refused(PersisterUnavailableError, operation, at, cause=store.driver):
            call(operation, persister)
    server.start()
    assert persister.get() == {"n": 1}
    works(persister)


def test_a_restart_that_nobody_noticed(persister: Calls, server: Any) -> None:
    persister.put(n=1)
    server.restart()
    assert persister.get() == {"n": 1}
    server.restart()
    works(persister)


def test_connections_that_the_server_ends(persister: Calls, admin: SqlAdmin) -> None:
    for number in range(3):
        persister.put("app", number, n=number)
        admin.end_all()
        assert persister.get() == {"n": number}
        admin.end_all()


# Rights


def test_a_user_without_rights(make: Make, store: Store, admin: SqlAdmin) -> None:
    persister = make(**admin.user_of_table())
    with refused(PersisterAccessError, "initialize", "burr_state", "GRANT", cause=store.driver):
        persister.initialize()
    make().initialize()
    for operation in OPERATIONS:
        with refused(PersisterAccessError, operation, "GRANT", cause=store.driver):
            call(operation, persister)
    assert admin.run("SELECT count(*) FROM burr_state") == [(0,)]


def test_a_user_who_may_only_read(
    make: Make, store: Store, admin: SqlAdmin, persister: Calls
) -> None:
    persister.put(n=1)
    reader = make(**admin.user_of_table("SELECT"))
    reader.initialize()
    assert reader.is_initialized() is True
    with refused(PersisterAccessError, "save", "GRANT", cause=store.driver):
        reader.put("app", 1, n=2)
    assert reader.get() == {"n": 1}
    assert reader.list_app_ids("p") == ["app"]


def test_a_user_who_may_not_create_finds_the_table(
    make: Make, admin: SqlAdmin, persister: Calls
) -> None:
    writer = make(**admin.user_of_table("SELECT, INSERT"))
    writer.initialize()
    works(writer)


# The table


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_missing_table_is_cured_by_initialize(make: Make, store: Store, operation: str) -> None:
    persister = make()
    words = (operation, named_by(operation), "initialize()")
    with refused(NotInitializedError, *words, cause=store.driver):
        OPERATIONS[operation](persister)
    assert persister.is_initialized() is False
    persister.initialize()
    works(persister)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_table_that_is_dropped_in_the_middle(
    persister: Calls, store: Store, admin: SqlAdmin, operation: str
) -> None:
    works(persister)
    admin.run("DROP TABLE burr_state")
    with refused(NotInitializedError, operation, "initialize()", cause=store.driver):
        OPERATIONS[operation](persister)
    persister.initialize()
    works(persister)


# What is stored there

DAMAGE = {
    "garbage": "state = 'garbage'",
    "empty": "state = ''",
    "no object": "state = '[1]'",
    "unknown codec": "codec = 9",
    "a wrong codec": "codec = 2, state = '{'",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_kept(persister: Calls, admin: SqlAdmin, damage: str) -> None:
    damaged(persister, admin, DAMAGE[damage])
