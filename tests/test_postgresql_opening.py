"""How PostgreSQL persisters are opened: logins, pools, configurations and URLs; both drivers."""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import psycopg
import pytest

from persistry import AsyncPostgreSQLPersister, PostgreSQLPersister, aconnect, connect
from persistry.errors import (
    PersisterAccessError,
    PersisterError,
    PersisterUnavailableError,
    StateConflictError,
)
from tests.bad_input import PASSWORD, Calls, Run, refused, runner, works
from tests.postgresql import CLASSES, Database, causes, databases
from tests.servers import PostgreSQLServer

pytestmark = pytest.mark.usefixtures("postgresql_place")  # skips, or fails, where there is none

run = pytest.fixture(runner)
own = pytest.fixture(databases)
colour = pytest.fixture(params=CLASSES)(lambda request: request.param)
cause = pytest.fixture(causes)
Make = Callable[..., Calls]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSQLServer]:
    with PostgreSQLServer(secrets.token_hex()) as server:
        yield server


@pytest.fixture
def opened(colour: str, own: Database, run: Run) -> Callable[..., Any]:
    """What opening a persister raises: the async class connects at once, the other by a call."""

    def open_(**options: Any) -> None:
        persister = own.open(colour, run, **options)
        try:
            persister.is_initialized()
        finally:
            persister.cleanup()

    return open_


def test_no_password(
    opened: Any, own: Database, monkeypatch: Any, tmp_path: Any, cause: Any
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    with refused(PersisterAccessError, "this user or password", cause=cause):
        opened(user=own.user, password=None)


def test_a_user_who_may_not_log_in(opened: Any, own: Database, cause: Any) -> None:
    own.sql(f'ALTER ROLE "{own.user}" NOLOGIN')
    with refused(PersisterAccessError, "this user or password", cause=cause):
        opened(user=own.user, password=PASSWORD)


def test_a_database_that_the_user_may_not_enter(opened: Any, own: Database, cause: Any) -> None:
    own.sql(f'REVOKE CONNECT ON DATABASE "{own.name}" FROM PUBLIC')
    with refused(PersisterAccessError, cause=cause):
        opened(user=own.user, password=PASSWORD)


def test_a_database_that_nobody_may_enter(
    opened: Any, own: Database, server: PostgreSQLServer, cause: Any
) -> None:
    whole = Database(server, server.database)
    whole.sql(f'ALTER DATABASE "{own.name}" ALLOW_CONNECTIONS false')
    with refused(PersisterUnavailableError, "give another db_name", cause=cause):
        opened()


def test_too_many_connections(opened: Any, own: Database, cause: Any) -> None:
    own.sql(f'ALTER ROLE "{own.user}" CONNECTION LIMIT 0')
    with refused(PersisterUnavailableError, "max_connections", cause=cause):
        opened(user=own.user, password=PASSWORD)


@pytest.mark.parametrize("colour", ["sync psycopg", "async psycopg"])
@pytest.mark.parametrize("host", ["no..name", "long" * 20])
def test_a_host_that_can_be_none(opened: Any, host: str) -> None:
    with refused(PersisterUnavailableError, "check host", host, cause=UnicodeError):
        opened(host=host)


# What is handed in, and what a persister is built from


def test_one_thing_is_handed_in(own: Database) -> None:
    with pytest.raises(TypeError, match="give connection or pool"):
        AsyncPostgreSQLPersister()
    with pytest.raises(ValueError, match="not both"):
        AsyncPostgreSQLPersister(object(), object())  # type: ignore[arg-type]
    for wrong in (object(), "postgresql://", 1):
        with pytest.raises(TypeError, match="connection"):
            PostgreSQLPersister(wrong)
        with pytest.raises(TypeError, match="connection"):
            AsyncPostgreSQLPersister(wrong)  # type: ignore[arg-type]


def test_a_pool_is_made_and_handed_in(own: Database, run: Run) -> None:
    async def main() -> None:
        host, port = own.server.address
        where = (own.name, "postgres", own.server.password, host, port)
        pool = await AsyncPostgreSQLPersister.create_pool(*where, min_size=1, max_size=3)
        assert isinstance(pool, asyncpg.Pool)
        persister = AsyncPostgreSQLPersister(pool=pool, table_name="pooled")
        assert persister.pool is pool
        await persister.initialize()
        assert await persister.list_app_ids() == []
        await persister.cleanup()
        assert await pool.fetchval("SELECT 1") == 1
        await pool.close()

    run(main())


def handed_in(own: Database, colour: str, run: Run, **options: Any) -> Any:
    """A connection of psycopg 3, as its owner opens it."""
    where = {"host": own.server.address[0], "port": own.server.port, "user": "postgres"}
    where |= {"dbname": own.name, "password": own.server.password, **options}
    kind = psycopg.Connection if colour == "sync psycopg" else psycopg.AsyncConnection
    return run(kind.connect(**where))


@pytest.mark.parametrize("autocommit", [False, True])
@pytest.mark.parametrize("colour", ["sync psycopg", "async psycopg"])
def test_a_pipeline_is_not_left_to_itself(
    own: Database, colour: str, run: Run, autocommit: bool
) -> None:
    """In one, a statement is only noted down; a save waits until it is done and committed."""
    other = own.open(colour, run)
    other.initialize()
    other.put("taken", n=1)
    connection = handed_in(own, colour, run, autocommit=autocommit)
    persister = Calls(CLASSES[colour](connection), run)
    pipeline = connection.pipeline()
    run(pipeline.__enter__() if colour == "sync psycopg" else pipeline.__aenter__())
    persister.put("app", n=1)
    assert other.get("app") == persister.get("app") == {"n": 1}
    persister.put("app", n=1)
    with pytest.raises(StateConflictError):
        persister.put("taken", n=2)
    connection.pgconn.finish()
    other.cleanup()


@pytest.mark.parametrize("encoding", ["SJIS", "EUC_JP", "BIG5", "SQL_ASCII"])
@pytest.mark.parametrize("colour", ["sync psycopg", "async psycopg"])
def test_an_encoding_that_changes_letters(
    own: Database, colour: str, run: Run, encoding: str
) -> None:
    """In some, the yen sign is a backslash: another key, a damaged state. Or texts are bytes."""
    other = own.open(colour, run)
    other.initialize()
    connection = handed_in(own, colour, run, client_encoding=encoding)
    persister = Calls(CLASSES[colour](connection), run)
    for operation in (persister.put, persister.get):
        with pytest.raises(PersisterError, match="client_encoding='UTF8'"):
            operation("¥")
    run(connection.execute("SET client_encoding = 'UTF8'"))
    works(persister)
    assert other.list_app_ids("p") == ["works"]
    run(connection.close())
    other.cleanup()


def config(own: Database) -> dict[str, Any]:
    host, port = own.server.address
    return {
        "db_name": own.name,
        "user": "postgres",
        "password": own.server.password,
        "host": host,
        "port": port,
    }


@pytest.mark.parametrize(
    ("name", "value", "error", "words"),
    [
        ("host", f"postgresql://me:{PASSWORD}@there", ValueError, "host must be a name"),
        (
            "db_name",
            f"postgresql://me:{PASSWORD}@there/steps",
            ValueError,
            "db_name must be a name",
        ),
        ("db_name", f"dbname=steps password={PASSWORD}", ValueError, "db_name must be a name"),
        ("user", f"me:{PASSWORD}\0", ValueError, "user must not have a NUL"),
        ("password", f"{PASSWORD}\0", ValueError, "password must not have a NUL"),
        ("password", f"{PASSWORD}\udc80", ValueError, "password must not have a lone surrogate"),
        ("password", PASSWORD.encode(), TypeError, "password must be a str or None, not bytes"),
        ("port", "5432", TypeError, "port must be an int, not str"),
        ("connect_kwargs", {"password": PASSWORD}, ValueError, "password .*; give password"),
        ("connect_kwargs", {"dbname": "x"}, ValueError, "dbname .*; give db_name"),
        ("connect_kwargs", {"database": "x"}, ValueError, "database .*; give db_name"),
        ("connect_kwargs", {"dsn": f"password={PASSWORD}"}, ValueError, "dsn .*; give db_name"),
        ("connect_kwargs", {"connect_timeout": 1}, ValueError, "; give connect_timeout"),
        (
            "connect_kwargs",
            {"client_encoding": "latin1"},
            ValueError,
            "travels as UTF-8|always 'UTF8'",
        ),
        ("connect_kwargs", {"sslrootcert": "\0"}, ValueError, "sslrootcert.* a NUL"),
        ("connect_kwargs", [("sslmode", PASSWORD)], TypeError, "must be a dict or None, not list"),
    ],
)
def test_arguments_that_are_wrong(
    own: Database, colour: str, run: Run, name: str, value: Any, error: Any, words: str
) -> None:
    """Both drivers refuse them in the same words, before anything is sent."""
    with pytest.raises(error, match=words) as caught:
        run(CLASSES[colour].from_values(**{**config(own), name: value}))
    assert type(caught.value) is error
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("word", ["target_session_attrs=standby", "options=-c nonsense=1"])
def test_a_server_that_is_another_one_than_asked_for(opened: Any, word: str) -> None:
    name, _, value = word.partition("=")
    with pytest.raises(PersisterError) as caught:
        opened(connect_kwargs={name: value})
    assert "no server answers there" not in str(caught.value)
    assert "does not speak PostgreSQL" not in str(caught.value)


def test_arguments_of_the_pool(own: Database, run: Run) -> None:
    build = AsyncPostgreSQLPersister.from_config
    with pytest.raises(ValueError, match="max_size"):  # without use_pool
        run(build({**config(own), "max_size": 3}))
    with pytest.raises((TypeError, ValueError), match="max_sice"):
        run(build({**config(own), "use_pool": True, "max_sice": 3}))
    persister = run(build({**config(own), "use_pool": True, "max_size": 3}))
    assert persister.pool is not None
    run(persister.cleanup())
    with pytest.raises(ValueError, match=r"lacks the key 'user'.*'uzer'"):
        build({**{k: v for k, v in config(own).items() if k != "user"}, "uzer": "me"})
    with pytest.raises(ValueError, match="'uzer'"):
        PostgreSQLPersister.from_config({**config(own), "uzer": "me"})


# URLs


def opener(colour: str) -> Any:
    return connect if colour.startswith("sync") else aconnect


def of_library(scheme: str, colour: str) -> str:
    """The scheme that names the class; without a library, the one that is chosen."""
    return "+".join([scheme, *colour.split()[1:]])


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_url(own: Database, colour: str, run: Run, scheme: str) -> None:
    values = config(own)
    url = (
        f"{of_library(scheme, colour)}://{values['user']}:{values['password']}@{values['host']}:{values['port']}"
        f"/{own.name.replace(' ', '%20')}?table_name=from%20a%20url&operation_timeout=7"
        "&application_name=steps&sslmode=prefer"
    )
    persister = Calls(run(opener(colour)(url)), run)
    try:
        persister.initialize()
        assert type(persister.persister) is CLASSES[colour]
        assert persister.persister.table_name == "from a url"
        found = own.sql("SELECT application_name FROM pg_stat_activity")
        assert ("steps",) in found
        works(persister)
    finally:
        persister.cleanup()


def test_a_url_of_a_library(own: Database) -> None:
    values = config(own)
    there = f"postgres:{values['password']}@{values['host']}:{values['port']}/postgres"
    assert type(connect(f"postgresql+psycopg2://{there}")) is PostgreSQLPersister
    with pytest.raises(
        ValueError, match=r"\+psycopg2:// has no async driver: write postgresql://$"
    ):
        aconnect(f"postgresql+psycopg2://{there}")
    with pytest.raises(ValueError, match=r"\+asyncpg:// has no sync driver: write postgresql://$"):
        connect(f"postgresql+asyncpg://{there}")
    with pytest.raises(
        ValueError, match=r"no known scheme; write postgresql:// or .*\+psycopg://$"
    ):
        connect(f"postgresql+psycopg3://{there}")


def test_a_url_with_a_pool(own: Database, run: Run) -> None:
    values = config(own)
    url = f"postgresql://postgres:{values['password']}@{values['host']}:{values['port']}/postgres"
    persister = run(aconnect(f"{url}?use_pool=true", max_size=2))
    assert persister.pool is not None
    run(persister.cleanup())
    with pytest.raises((TypeError, ValueError), match="max_sice"):
        run(aconnect(f"{url}?use_pool=true", max_sice=2))


@pytest.mark.parametrize("rest", ["?sslmod=prefer", "?sslmode=perhaps", "?pasword=hunter2"])
def test_words_that_the_driver_does_not_know(
    own: Database, colour: str, run: Run, rest: str
) -> None:
    """They are told by their name: before anything is sent, or as the driver refuses them."""
    values = config(own)
    url = f"{of_library('postgresql', colour)}://postgres:{values['password']}@{values['host']}:{values['port']}/postgres"
    word = rest[1:].partition("=")[0]
    with pytest.raises((TypeError, ValueError, PersisterError), match=word) as caught:
        run(run(opener(colour)(url + rest)).is_initialized())
    assert PASSWORD not in str(caught.value) and values["password"] not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "lacking"), [("postgresql:///steps", "user"), ("postgres://me@", "db_name")]
)
def test_what_a_url_lacks(url: str, lacking: str) -> None:
    with pytest.raises(ValueError, match=f"lacks the {lacking}; write it like postgres"):
        connect(url)


def test_a_url_without_a_password(
    own: Database, colour: str, run: Run, monkeypatch: Any, tmp_path: Any
) -> None:
    """It is looked for where the driver looks: in a password file."""
    host, port = own.server.address
    passwords = tmp_path / "passwords"
    passwords.write_text(f"{host}:{port}:*:postgres:{own.server.password}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    url = f"{of_library('postgresql', colour)}://postgres@{host}:{port}/postgres?table_name=unknown"
    persister = Calls(run(opener(colour)(url)), run)
    assert persister.is_initialized() is False
    persister.cleanup()


def test_names_of_earlier_libraries() -> None:
    assert (
        importlib.import_module("persistry.postgresql").PostgreSQLPersister is PostgreSQLPersister
    )
    for module in ("postgresql", "b_psycopg2"):
        with pytest.raises(ImportError, match=r"it stands in persistry\.b_asyncpg"):
            importlib.import_module(f"persistry.{module}").AsyncPostgreSQLPersister  # noqa: B018
