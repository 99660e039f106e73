"""`connect` and `aconnect`: what the parts of a URL mean, and what bad URLs are told."""

from __future__ import annotations

from typing import Any

import pytest
import redis

import persistry
from persistry import State, aconnect, connect


def values_of(url: str, **options: Any) -> Any:
    """What a Redis persister was built from, without connecting."""
    keywords = connect(url, **options).connection.connection_pool.connection_kwargs
    return {name: keywords.get(name) for name in ("host", "port", "db", "username", "password")}


def test_sqlite_relative_and_absolute(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///steps.db", f"sqlite:///{tmp_path}/abs%20olute.db"):
        with connect(url, table_name="other") as persister:
            persister.initialize()
            persister.save("p", "a", 0, "x", State({"n": 1}), "completed")
            assert persister.table_name == "other"
    assert {path.name for path in tmp_path.glob("*.db")} == {"steps.db", "abs olute.db"}


async def test_aconnect_is_awaited_or_entered(tmp_path: Any) -> None:
    async with aconnect(f"sqlite:///{tmp_path}/a.db?table_name=t&operation_timeout=5") as persister:
        await persister.initialize()
        assert isinstance(persister, persistry.AsyncSQLitePersister)
        assert persister.table_name == "t"
    persister = await aconnect("memory://")
    assert persister.is_async()


def test_redis_parts() -> None:
    assert values_of("redis://") == {
        "host": "localhost",
        "port": 6379,
        "db": 0,
        "username": None,
        "password": None,
    }
    assert values_of("redis://me:p%40ss@cache:7000/3?namespace=n") == {
        "host": "cache",
        "port": 7000,
        "db": 3,
        "username": "me",
        "password": "p@ss",
    }


def test_mongodb_takes_the_url_as_it_is() -> None:
    """Several hosts, and options that are the driver's own; ours are taken out."""
    url = "mongodb://me:p%40ss@one:27017,two:27018/agents?replicaSet=rs&w=1"
    persister = connect(f"{url}&collection_name=st%20eps&operation_timeout=5", db_name="other")
    values = persister._session.link.values
    assert values.uri == url
    assert persister._session.place == ("other", "st eps")
    assert persister._session.limits.operation == 5
    assert repr(persister) == "<MongoDBBasePersister one:27017,two:27018/other.st eps>"
    for url in ("mongodb://", "mongodb://cache", "mongodb://cache/", "mongodb+srv://cache.test"):
        host = url.partition("://")[2].strip("/")
        if host:
            made = connect(url, mongo_client_kwargs={"username": "me", "password": "hunter2"})
            assert repr(made) == f"<MongoDBBasePersister {host}/mydatabase.mystates>"
    assert connect("mongodb://cache/agents")._session.place == ("agents", "mystates")


def test_tls_stays_beside_the_clients_options() -> None:
    persister = connect("rediss://cache", redis_client_kwargs={"ssl_ca_certs": "ca.pem"})
    keywords = persister.connection.connection_pool.connection_kwargs
    assert keywords["ssl_ca_certs"] == "ca.pem"
    assert issubclass(persister.connection.connection_pool.connection_class, redis.SSLConnection)


@pytest.mark.parametrize(
    ("url", "mentions"),
    [
        ("steps.db", ["scheme", "sqlite://", "redis://", "memory://"]),
        ("oracle://user:secret@host/db", ["scheme"]),
        ("sqlite://steps.db", ["host", "sqlite:///steps.db"]),
        ("sqlite:///", ["db_path", "sqlite:///steps.db"]),
        ("redis://host:secret", ["port"]),
        ("redis://host:70000/0", ["port"]),
        ("redis://host/secret", ["db", "number"]),
        ("redis://host/0#secret", ["'#'"]),
        ("sqlite:///steps.db?tabel=secret", ["tabel", "table_name"]),
        ("redis://host/0?operation_timeout=soon", ["operation_timeout"]),
        ("redis://host/0?redis_client_kwargs=1", ["redis_client_kwargs", "keyword"]),
        ("memory://host", ["host"]),
        ("mongodb://", ["uri", "mongodb://user:password@host"]),
        ("mongodb://me:secret@host:port/db", ["uri", "%xx"]),
        ("mongodb://me:secret@host/db?colection_name=x", ["uri", "colection_name"]),
        ("mongodb://host/db?operation_timeout=soon", ["operation_timeout"]),
        ("mongodb://host/db?mongo_client_kwargs=1", ["mongo_client_kwargs", "keyword"]),
        ("mongodb://host/a.b", ["db_name"]),
    ],
)
def test_bad_urls(url: str, mentions: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        connect(url)
    missing = [text for text in mentions if text not in str(caught.value)]
    assert not missing, str(caught.value)
    assert url == "redis://host/secret" or "secret" not in str(caught.value)


def test_what_the_query_says_to_the_client() -> None:
    persister = connect(
        "rediss://cache?ssl_ca_certs=/ca.pem&ssl_check_hostname=false&client_name=true%20blue"
        "&namespace=n",
        redis_client_kwargs={"ssl_certfile": "/cert.pem"},
    )
    keywords = persister.connection.connection_pool.connection_kwargs
    assert (keywords["ssl_ca_certs"], keywords["ssl_certfile"]) == ("/ca.pem", "/cert.pem")
    assert keywords["ssl_check_hostname"] is False
    assert keywords["client_name"] == "true blue"
    assert persister.namespace == "n"
    for connecting in (connect, aconnect):
        with pytest.raises(TypeError, match=r"redis_client_kwargs.*'tabel'") as caught:
            connecting("redis://host?tabel=secret")
        assert "secret" not in str(caught.value)


def test_names_and_passwords_are_texts() -> None:
    """Whatever they look like."""
    assert values_of("redis://true:false@host")["username"] == "true"
    assert values_of("redis://true:false@host")["password"] == "false"


def test_bad_options() -> None:
    with pytest.raises(ValueError, match="tabel"):
        connect("memory://", tabel="x")
    with pytest.raises(TypeError, match="url"):
        connect(b"memory://")  # type: ignore[arg-type]
