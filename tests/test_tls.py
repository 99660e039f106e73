"""TLS with an authority that only its clients trust: every store, both colours, values and URLs."""

from __future__ import annotations

import itertools
import ssl
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

import persistry
from persistry import State
from persistry.errors import PersisterAccessError, PersisterError, PersisterUnavailableError
from tests.bad_input import PASSWORD, Calls, Run, runner, works
from tests.servers import (
    Authority,
    MariaDBServer,
    MongoServer,
    PostgreSQLServer,
    RedisServer,
    Server,
    ServerMissing,
)
from tests.stores.served import missing
from tests.stores.storage import persister_of

run = pytest.fixture(runner)
TIMEOUTS = {"connect_timeout": 2.0}


def url(scheme: str, user: str, password: str, server: Server, path: str, **query: str) -> str:
    host, port = server.address
    told = f"?{urlencode(query)}" if query else ""
    return f"{scheme}://{user}:{quote(password, safe='')}@{host}:{port}/{path}{told}"


# How each store is told of TLS. `ca` is the file with the authority's certificate; None: no TLS.


class OnRedis:
    classes = ("RedisBasePersister", "AsyncRedisBasePersister")
    server = RedisServer
    advice = "rediss://"

    @staticmethod
    def values(server: RedisServer, password: str, ca: Path | None) -> dict[str, Any]:
        host, port = server.address
        tls = {"ssl": True, "ssl_ca_certs": str(ca)} if ca else {}
        where = {"host": host, "port": port, "db": 0}
        return {**where, "password": password, "redis_client_kwargs": tls}

    @staticmethod
    def url(server: RedisServer, password: str, ca: Path | None) -> str:
        if ca is None:
            return url("redis", "", password, server, "0")
        return url("rediss", "", password, server, "0", ssl_ca_certs=str(ca))


class OnPostgreSQL:
    classes = ("PostgreSQLPersister", "AsyncPostgreSQLPersister")
    server = PostgreSQLServer
    advice = "sslmode"

    @staticmethod
    def _tls(ca: Path | None) -> dict[str, str]:
        return {"sslmode": "verify-full", "sslrootcert": str(ca)} if ca else {"sslmode": "disable"}

    @classmethod
    def values(cls, server: PostgreSQLServer, password: str, ca: Path | None) -> dict[str, Any]:
        host, port = server.address
        where = {"db_name": server.database, "host": host, "port": port}
        login = {"user": server.superuser, "password": password}
        return {**where, **login, "connect_kwargs": cls._tls(ca)}

    @classmethod
    def url(cls, server: PostgreSQLServer, password: str, ca: Path | None) -> str:
        user, database = server.superuser, server.database
        return url("postgresql", user, password, server, database, **cls._tls(ca))


class OnPostgreSQLOtherwise(OnPostgreSQL):
    """The other driver, which a URL names behind the scheme."""

    classes = ("b_psycopg.PostgreSQLPersister", "b_psycopg.AsyncPostgreSQLPersister")

    @classmethod
    def url(cls, server: PostgreSQLServer, password: str, ca: Path | None) -> str:
        return super().url(server, password, ca).replace("postgresql:", "postgresql+psycopg:")


class OnMongoDB:
    classes = ("MongoDBBasePersister", "AsyncMongoDBBasePersister")
    server = MongoServer
    advice = "tls=true"

    @staticmethod
    def values(server: MongoServer, password: str, ca: Path | None) -> dict[str, Any]:
        host, port = server.address
        login = {"username": server.superuser, "password": password}
        tls = {"tls": True, "tlsCAFile": str(ca)} if ca else {}
        return {"uri": f"mongodb://{host}:{port}", "mongo_client_kwargs": {**login, **tls}}

    @staticmethod
    def url(server: MongoServer, password: str, ca: Path | None) -> str:
        tls = {"tls": "true", "tlsCAFile": str(ca)} if ca else {}
        return url("mongodb", server.superuser, password, server, "", **tls)


class OnMariaDB:
    classes = ("MariaDBPersister", "AsyncMariaDBPersister")
    server = MariaDBServer
    advice = "ssl and others in connect_kwargs"

    @staticmethod
    def tls(colour: str, ca: Path | None) -> dict[str, Any]:
        """What both drivers take is no text, so that no URL can hold it."""
        if ca is None:
            return {"ssl_disabled": True} if colour == "sync" else {}
        return {"ssl": ssl.create_default_context(cafile=str(ca))}

    @staticmethod
    def values(server: MariaDBServer, password: str, ca: Path | None) -> dict[str, Any]:
        host, port = server.address
        where = {"db_name": server.database, "host": host, "port": port}
        return {**where, "user": server.superuser, "password": password}

    @staticmethod
    def url(server: MariaDBServer, password: str, ca: Path | None) -> str:
        return url("mariadb", server.superuser, password, server, server.database)


Open = Callable[..., Calls]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def ca(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.write_certificate(path)
    return path


@pytest.fixture(scope="module")
def other_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an authority that has never heard of the servers."""
    path = tmp_path_factory.mktemp("tls") / "other.pem"
    Authority().write_certificate(path)
    return path


@pytest.fixture(
    scope="module",
    params=[OnRedis, OnPostgreSQL, OnPostgreSQLOtherwise, OnMongoDB, OnMariaDB],
    ids=["Redis", "PostgreSQL", "PostgreSQL-psycopg", "MongoDB", "MariaDB"],
)
def on(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def server(on: Any, authority: Authority, request: pytest.FixtureRequest) -> Iterator[Server]:
    """It takes no connection without TLS, and nobody without the password."""
    try:
        server = on.server(PASSWORD, tls=authority)
    except ServerMissing as error:
        missing(error, skip=request.config.getoption("skip_missing"))
    with server:
        yield server


CONNECT = {"sync": persistry.connect, "async": persistry.aconnect}


WAYS = list(itertools.product(CONNECT, ("values", "url")))


@pytest.fixture(params=WAYS, ids="-".join)
def open_(request: pytest.FixtureRequest, on: Any, server: Server, run: Run) -> Iterator[Open]:
    """Opens persisters: `open_(password, ca)`."""
    opened: list[Calls] = []
    colour, way = request.param
    name = dict(zip(CONNECT, on.classes, strict=True))[colour]

    def open_(password: str, ca: Path | None) -> Calls:
        options: dict[str, Any] = dict(TIMEOUTS)
        if hasattr(on, "tls"):
            options["connect_kwargs"] = on.tls(colour, ca)
        if way == "values":
            values = on.values(server, password, ca)
            made = persister_of(name).from_values(**values, **options)
        else:
            made = CONNECT[colour](on.url(server, password, ca), **options)
        opened.append(Calls(run(made), run))
        assert type(opened[-1].persister) is persister_of(name)
        return opened[-1]

    yield open_
    for persister in opened:
        persister.cleanup()


def refusal(act: Callable[[], Any]) -> PersisterError:
    """The error, which shows no password even with all that led to it."""
    with pytest.raises(PersisterError) as caught:
        act()
    everything = "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in everything
    return caught.value


def test_saves_and_loads(open_: Open, ca: Path, run: Run) -> None:
    persister = open_(PASSWORD, ca)
    persister.initialize()
    works(persister)
    copy = Calls(persister.persister.copy(), run)
    works(copy)
    copy.cleanup()


@pytest.mark.parametrize("on", [OnPostgreSQL], ids=["PostgreSQL"], indirect=True)
async def test_pools(on: type[OnPostgreSQL], server: PostgreSQLServer, ca: Path) -> None:
    values = on.values(server, PASSWORD, ca)
    at = on.url(server, PASSWORD, ca)
    cls = persistry.AsyncPostgreSQLPersister
    async with (
        await cls.create_pool(**values, min_size=1, max_size=2) as pool,
        cls.from_values(**values, use_pool=True, min_size=1, max_size=2) as by_values,
        persistry.aconnect(f"{at}&use_pool=true", min_size=1, max_size=2) as by_url,
    ):
        for n, persister in enumerate([cls(pool=pool), by_values, by_url]):
            await persister.initialize()
            await persister.save("pools", "app", n, "step", State({"n": n}), "completed")
            assert (await persister.load("pools", "app"))["state"]["n"] == n


def test_an_unknown_authority(open_: Open, other_ca: Path) -> None:
    error = refusal(lambda: open_(PASSWORD, other_ca).put())
    assert type(error) is PersisterUnavailableError
    assert not error.may_have_saved
    assert "TLS was not agreed on" in str(error)
    assert "certificates" in str(error)


def test_no_tls(on: Any, open_: Open) -> None:
    error = refusal(lambda: open_(PASSWORD, None).put())
    assert isinstance(error, PersisterUnavailableError | PersisterAccessError)
    assert on.advice in str(error)


def test_a_wrong_password(open_: Open, ca: Path) -> None:
    error = refusal(lambda: open_(f"not {PASSWORD}", ca).put())
    assert type(error) is PersisterAccessError
    assert "the server refuses this user or password" in str(error)
