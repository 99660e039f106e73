"""Redis for who does it wrong or whose server is broken: both colours, on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.exceptions import InvalidResponse, NoPermissionError, OutOfMemoryError, ReadOnlyError

from persistry import AsyncRedisBasePersister, RedisBasePersister, State
from persistry.errors import (
    CorruptStateError,
    PersisterAccessError,
    PersisterUnavailableError,
    StateConflictError,
    StateTooLargeError,
)
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, refused, runner, stranger, works
from tests.servers import LOOPBACK, RedisServer

pytestmark = pytest.mark.usefixtures("redis_place")  # skips, or fails, where there is no Redis

CLASSES: dict[str, Any] = {"sync": RedisBasePersister, "async": AsyncRedisBasePersister}
CLIENTS: dict[str, Any] = {"sync": redis.Redis, "async": redis.asyncio.Redis}
run = pytest.fixture(runner)
Make = Callable[..., Calls]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="module")
def other_server() -> Iterator[RedisServer]:
    with RedisServer(PASSWORD) as server:
        yield server


@pytest.fixture
def admin(server: RedisServer) -> Iterator[redis.Redis]:
    """What another program does to the server; the data is removed after the test."""
    with redis.Redis(port=server.port) as client:
        yield client
        client.flushall()


@pytest.fixture(params=CLASSES)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(colour: str, admin: redis.Redis, server: RedisServer, run: Run) -> Iterator[Make]:
    """Makes persisters on the server, or on another; they are closed in the end."""
    made = []

    def make_(port: int = server.port, db: int = 0, host: str = LOOPBACK, **options: Any) -> Calls:
        made.append(Calls(run(CLASSES[colour].from_values(host, port, db, **options)), run))
        return made[-1]

    yield make_
    for persister in made:
        persister.cleanup()


@pytest.fixture
def persister(make: Make) -> Calls:
    return make()


@contextmanager
def configured(admin: redis.Redis, **settings: Any) -> Iterator[None]:
    """Settings of the server for a while."""
    names = [name.replace("_", "-") for name in settings]
    before = {name: admin.config_get(name)[name] for name in names}
    try:
        for name, value in zip(names, settings.values(), strict=True):
            admin.config_set(name, value)
        yield
    finally:
        for name, value in before.items():
            admin.config_set(name, value)


def names(admin: redis.Redis) -> set[bytes]:
    return set(admin.scan_iter())


def content(admin: redis.Redis) -> dict[bytes, Any]:
    return {key: admin.dump(key) for key in names(admin)}


def state(size: int) -> State:
    return State({"text": "x" * size})


# The server


@pytest.mark.parametrize("operation", [*OPERATIONS, "initialize"])
@pytest.mark.parametrize(("host", "port"), [(LOOPBACK, 1), ("nowhere.invalid", 6379)])
def test_nobody_answers_there(make: Make, operation: str, host: str, port: int) -> None:
    persister = make(host=host, port=port)
    call = OPERATIONS.get(operation, lambda persister: persister.initialize())
    with refused(
        PersisterUnavailableError, operation, f"{host}:{port}", cause=redis.ConnectionError
    ) as caught:
        call(persister)
    assert caught.value.may_have_saved is False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"password": f"not {PASSWORD}"}, "refuses this user or password"),
        ({}, "give password="),
        ({"redis_client_kwargs": {"protocol": 2}}, "give password="),
        (
            {"password": PASSWORD, "redis_client_kwargs": {"username": "nobody"}},
            "refuses this user or password",
        ),
    ],
)
@pytest.mark.parametrize("operation", [*OPERATIONS, "initialize"])
def test_a_login_that_is_refused(
    make: Make, other_server: RedisServer, operation: str, options: Any, advice: str
) -> None:
    persister = make(other_server.port, **options)
    call = OPERATIONS.get(operation, lambda persister: persister.initialize())
    with refused(PersisterAccessError, operation, advice, cause=redis.AuthenticationError):
        call(persister)
    assert PASSWORD not in repr(persister.persister)


@pytest.mark.parametrize(
    ("rights", "why"),
    [("~* +@all -evalsha -eval", "evalsha"), ("~other* +@all", "key"), ("~* +@read", "evalsha")],
)
def test_rights_that_are_missing(make: Make, admin: redis.Redis, rights: str, why: str) -> None:
    def allow(rights: str) -> None:
        admin.execute_command(
            "ACL", "SETUSER", "bob", "reset", "on", f">{PASSWORD}", *rights.split()
        )

    allow(rights)
    persister = make(password=PASSWORD, redis_client_kwargs={"username": "bob"})
    if "~other" in rights:
        with refused(PersisterAccessError, "initialize", why, cause=NoPermissionError):
            persister.initialize()
    else:
        persister.initialize()  # reading the server's settings is no right that is needed
    with refused(PersisterAccessError, "save", "no right", why, cause=NoPermissionError):
        persister.put()
    assert names(admin) == set()
    allow("~* +@all -config")
    persister.initialize()
    works(persister)


@pytest.mark.parametrize("operation", [*OPERATIONS, "initialize"])
def test_a_database_that_is_not_there(make: Make, operation: str) -> None:
    call = OPERATIONS.get(operation, lambda persister: persister.initialize())
    with refused(
        PersisterUnavailableError, operation, "give another db", cause=redis.ResponseError
    ):
        call(make(db=99))


def test_a_server_that_speaks_something_else(make: Make) -> None:
    with stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        persister = make(port)
        for operation in OPERATIONS.values():
            with refused(
                PersisterUnavailableError, "not speak Redis", f":{port}", cause=InvalidResponse
            ):
                operation(persister)


def test_a_server_that_says_nothing(make: Make) -> None:
    with stranger(b"") as port:
        persister = make(port, operation_timeout=0.2)
        for name, operation in OPERATIONS.items():
            with refused(
                PersisterUnavailableError, name, "(0.2 s)", f":{port}", cause=BaseException
            ):
                operation(persister)


@pytest.mark.parametrize("size", [10_000, 2_000_000])
def test_a_server_that_is_full(persister: Calls, admin: redis.Redis, size: int) -> None:
    persister.put(n=1)
    with (
        configured(admin, maxmemory=1),
        refused(
            PersisterUnavailableError, "save", "nothing was saved", cause=OutOfMemoryError
        ) as caught,
    ):
        persister.put("app", 1, text="x" * size)
    assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
    assert persister.get() == {"n": 1}
    assert persister.get("app", 1) is None
    persister.put("app", 1, text="x" * size)
    works(persister)


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_a_server_that_evicts(persister: Calls, admin: redis.Redis, policy: str) -> None:
    with (
        configured(admin, maxmemory="1gb", maxmemory_policy=policy),
        pytest.warns(RuntimeWarning, match=f"{policy}.*noeviction"),
    ):
        persister.initialize()


def test_a_read_only_replica(
    make: Make, admin: redis.Redis, server: RedisServer, other_server: RedisServer
) -> None:
    replica = make(other_server.port, password=PASSWORD)
    replica.put("mine", 0, n=1)
    with redis.Redis(port=other_server.port, password=PASSWORD) as client:
        client.replicaof(LOOPBACK, str(server.port))
        try:
            with refused(PersisterAccessError, "save", "primary", cause=ReadOnlyError):
                replica.put("mine", 1, n=2)
        finally:
            client.replicaof("NO", "ONE")
    works(replica)


def test_scripts_that_the_server_forgot(persister: Calls, admin: redis.Redis) -> None:
    for n in range(3):
        persister.put("app", n, n=n)
        admin.script_flush()
        assert persister.get() == {"n": n}
        admin.script_flush()


def test_connections_that_the_server_ends(persister: Calls, admin: redis.Redis) -> None:
    for n in range(3):
        persister.put("app", n, n=n)
        admin.client_kill_filter(_type="normal", skipme=True)
        assert persister.get() == {"n": n}
        admin.client_kill_filter(_type="normal", skipme=True)


def test_a_server_that_restarts(persister: Calls, server: RedisServer) -> None:
    persister.put(n=1)
    server.stop()
    with refused(PersisterUnavailableError, "save", f":{server.port}", cause=redis.RedisError):
        persister.put("app", 1, n=2)
    server.start()
    assert persister.get() == {"n": 1}
    works(persister)


def test_a_state_that_the_server_does_not_take(persister: Calls, admin: redis.Redis) -> None:
    with configured(admin, proto_max_bulk_len="1mb"):
        with refused(StateTooLargeError, "save", "'app'", "20000", "1048576"):
            persister.put(text="x" * 2_000_000)
        assert names(admin) == set()
        works(persister)
    persister.put(text="x" * 2_000_000)  # the server takes it now


# What is stored there


def record_key(persister: Calls, app_id: str, sequence_id: int = 0) -> str:
    return str(persister.persister.create_key(app_id, "p", sequence_id))


PACKED = b"P12024-01-01T00:00:00.000000"
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda value: b"garbage",
    "empty": lambda value: b"",
    "binary": lambda value: b"\xff\xfe" * 40,
    "cut in the time": lambda value: value[:20],
    "cut in the line": lambda value: value[:40],
    "another format": lambda value: b"P9" + value[2:],
    "an object": lambda value: PACKED + b'{"a":1}\n{}',
    "a number": lambda value: PACKED + b"7\n{}",
    "a short line": lambda value: PACKED + b'["step"]\n{}',
    "no texts": lambda value: PACKED + b"[1,2,0]\n{}",
    "cut in the state": lambda value: value[:-2],
    "unknown codec": lambda value: PACKED + b'["step","completed",9]\n{"n":1}',
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_named_and_kept(
    persister: Calls, admin: redis.Redis, damage: str
) -> None:
    for app in ("good", "bad"):
        persister.put(app, n=1)
    key = record_key(persister, "bad")
    admin.set(key, DAMAGE[damage](admin.get(key)))  # type: ignore[arg-type]
    before = content(admin)
    for wanted in (("bad",), ("bad", 0), (None,)):
        with refused(CorruptStateError, "load", "'p'", "'bad'", "sequence 0", cause=ValueError):
            persister.get(*wanted)
    with pytest.raises(
        StateConflictError, match=r"save of .*'bad', sequence 0.*nothing was changed"
    ):
        persister.put("bad", n=1)
    assert content(admin) == before
    assert persister.get("good") == {"n": 1}
    assert persister.list_app_ids("p") == ["bad", "good"]
    works(persister)


@pytest.mark.parametrize("damage", ["garbage", "binary", "an object", "a number", "no texts"])
def test_a_damaged_record_is_not_moved_away(
    persister: Calls, admin: redis.Redis, damage: str
) -> None:
    """A save under another position would take its place."""
    persister.put("bad", n=1)
    key = record_key(persister, "bad")
    admin.set(key, DAMAGE[damage](b""))
    before = content(admin)
    with pytest.raises(StateConflictError, match="'other'"):
        persister.save("p", "bad", 0, "other", state(1), "completed")
    assert content(admin) == before


def a_list(admin: redis.Redis, key: str) -> None:
    admin.delete(key)
    admin.lpush(key, "theirs")


@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("suffix", ["record", ":a", ":h"])
def test_a_key_of_another_type(
    persister: Calls, admin: redis.Redis, suffix: str, size: int
) -> None:
    """Nothing is half saved, whichever of the keys it is."""
    for app in ("good", "bad"):
        persister.put(app, n=1)
    a_list(admin, record_key(persister, "bad") if suffix == "record" else "{:p}" + suffix)
    before = names(admin)
    with refused(CorruptStateError, "save", "'bad'", "namespace", cause=redis.ResponseError):
        persister.save("p", "bad", 0 if suffix == "record" else 1, "step", state(size), "completed")
    temporary = {key for key in names(admin) if key.endswith(b":t")}
    assert names(admin) - temporary == before
    assert all(0 < admin.ttl(key) <= 60 for key in temporary)
    readers = {"record": ("bad",), ":a": (None,), ":h": ("bad",)}
    with refused(CorruptStateError, "load", "'p'", cause=redis.ResponseError):
        persister.get(*readers[suffix])
    assert persister.get("good", 0) == {"n": 1}
    persister.save("elsewhere", "app", 0, "step", state(size), "completed")


def test_a_record_that_was_evicted(persister: Calls, admin: redis.Redis) -> None:
    for app in ("good", "bad"):
        persister.put(app, n=1)
    admin.delete(record_key(persister, "bad"))
    for app_id in ("bad", None):
        with refused(CorruptStateError, "load", "'p'", "'bad'", "sequence 0", "evicted"):
            persister.get(app_id)
    assert persister.get("good") == {"n": 1}
    persister.put("bad", n=1)
    assert persister.get("bad") == {"n": 1}


def test_heads_that_were_evicted(persister: Calls, admin: redis.Redis) -> None:
    """An application that is known must not look like one that never was."""
    for app in ("good", "bad"):
        persister.put(app, n=1)
    admin.hdel("{:p}:h", "bad")
    for app_id in ("bad", None):
        with refused(CorruptStateError, "load", "'p'", "'bad'", "evicted"):
            persister.get(app_id)
    assert persister.get("good") == {"n": 1}
    assert persister.get("never saved") is None
    assert persister.get("bad", 0) == {"n": 1}
    persister.put("bad", 1, n=2)
    assert persister.get("bad") == {"n": 2}


@pytest.mark.parametrize("head", ["garbage", "x" * 38, b"\xff" * 38, ""])
def test_a_head_that_is_damaged(persister: Calls, admin: redis.Redis, head: Any) -> None:
    for app in ("good", "bad"):
        persister.put(app, n=1)
    admin.hset("{:p}:h", "bad", head)
    before = content(admin)
    for app_id in ("bad", None):
        with refused(CorruptStateError, "load", "'p'", "'bad'", "head", cause=ValueError):
            persister.get(app_id)
    with refused(CorruptStateError, "save", "'bad'", "heads", cause=redis.ResponseError):
        persister.put("bad", 1, n=2)
    assert content(admin) == before
    assert persister.get("good") == {"n": 1}
    admin.hdel("{:p}:h", "bad")
    persister.put("bad", 1, n=2)
    assert persister.get("bad") == {"n": 2}


def test_a_listed_name_that_is_no_text(persister: Calls, admin: redis.Redis) -> None:
    persister.put(n=1)
    admin.zadd("{:p}:a", {b"\xff": 99})
    with refused(CorruptStateError, "list_app_ids", "'p'", cause=UnicodeDecodeError):
        persister.list_app_ids("p")
    with refused(CorruptStateError, "load", "'p'", "listed"):
        persister.get(None)
    assert persister.get() == {"n": 1}


# Clients that are handed in


@pytest.fixture
def hand_in(colour: str, admin: redis.Redis, server: RedisServer, run: Run) -> Iterator[Any]:
    """A persister over a client of its owner, and that client."""
    opened: list[Any] = []

    def close(client: Any) -> None:
        run(client.close() if colour == "sync" else client.aclose())

    def hand_in_(**options: Any) -> tuple[Calls, Any, Callable[[Any], None]]:
        opened.append(CLIENTS[colour](port=server.port, **options))
        return Calls(CLASSES[colour](opened[-1]), run), opened[-1], close

    yield hand_in_
    for client in opened:
        close(client)


@pytest.mark.parametrize(
    "options",
    [
        {"decode_responses": True},
        {"single_connection_client": True},
        {"protocol": 2},
        {"protocol": 3},
        {"protocol": 2, "decode_responses": True},
        {"decode_responses": True, "encoding": "latin-1"},
    ],
    ids=str,
)
def test_clients_with_options(hand_in: Any, make: Make, options: dict[str, Any]) -> None:
    persister, _, _ = hand_in(**options)
    persister.initialize()
    works(persister)
    persister.put("täble 🎉", text="é🎉" * 100_000)
    assert persister.get("täble 🎉") == {"text": "é🎉" * 100_000}
    assert make().get("täble 🎉") == {"text": "é🎉" * 100_000}
    with pytest.raises(StateConflictError):
        persister.put("täble 🎉", text="another")


def test_a_damaged_record_and_a_client_that_decodes(hand_in: Any, admin: redis.Redis) -> None:
    persister, _, _ = hand_in(decode_responses=True)
    persister.put(n=1)
    admin.set(record_key(persister, "app"), b"\xff\xfe" * 40)
    with refused(CorruptStateError, "load", "'app'", cause=UnicodeDecodeError):
        persister.get("app", 0)
    works(persister)


def test_a_client_that_its_owner_closed(hand_in: Any) -> None:
    """redis-py connects anew."""
    persister, client, close = hand_in()
    persister.put(n=1)
    close(client)
    assert persister.get() == {"n": 1}
    works(persister)


def test_clients_of_the_other_colour() -> None:
    sync, other = redis.Redis(), redis.asyncio.Redis()
    wrong: Any
    for wrong in (sync, "redis://localhost", None, other.connection_pool):
        with pytest.raises(TypeError, match=r"connection must be a redis\.asyncio\.Redis"):
            AsyncRedisBasePersister(wrong)
    for wrong in (other, "redis://localhost", None, sync.connection_pool):
        with pytest.raises(TypeError, match=r"connection must be a redis\.Redis"):
            RedisBasePersister(wrong)


# Names and parameters

NAMES = ["", "a", "a:b", "b", ":", "{", "}", "{a}", "%", "%3A", "a%3Ab", "a}:{b", "täble 🎉", " "]


def test_no_two_namespaces_see_each_other(make: Make) -> None:
    places = [(namespace, partition) for namespace in NAMES for partition in NAMES]
    persisters = {namespace: make(namespace=namespace) for namespace in NAMES}
    for n, (namespace, partition) in enumerate(places):
        persisters[namespace].save(partition, "app", n, "step", state(1), "completed")
    for n, (namespace, partition) in enumerate(places):
        assert persisters[namespace].load(partition, "app")["sequence_id"] == n
        assert persisters[namespace].list_app_ids(partition) == ["app"]


WRONG: list[tuple[str, Any, type[Exception]]] = [
    *(("host", value, TypeError) for value in (None, 5, b"localhost")),
    *(("port", value, TypeError) for value in (None, "6379", 1.5, True)),
    *(("port", value, ValueError) for value in (-1, 65_536)),
    *(("db", value, TypeError) for value in (None, "0", True)),
    ("db", -1, ValueError),
    *(("password", value, TypeError) for value in (5, b"secret")),
    *(("serde_kwargs", value, TypeError) for value in (5, "x", ["a"])),
    *(("redis_client_kwargs", value, TypeError) for value in (5, "x", ["a"])),
    *(("namespace", value, TypeError) for value in (5, b"n", ["n"])),
    *(("namespace", value, ValueError) for value in ("a\0b", "\ud800", "x" * 600)),
    *(("connect_timeout", value, ValueError) for value in (0, -1, float("nan"))),
    *(("operation_timeout", value, TypeError) for value in ("1", True, None)),
    *(("max_state_bytes", value, TypeError) for value in ("1", 1.5, True)),
    ("max_state_bytes", 0, ValueError),
]


@pytest.mark.parametrize(("name", "value", "error"), WRONG)
def test_wrong_parameters_are_named(
    colour: str, name: str, value: Any, error: type[Exception]
) -> None:
    values = {"host": LOOPBACK, "port": 1, "db": 0, name: value}
    with pytest.raises(error, match=name) as caught:
        CLASSES[colour].from_values(**values)
    assert "secret" not in str(caught.value)
    with pytest.raises(error, match=name):
        CLASSES[colour].from_config(values)


def test_wrong_configurations(colour: str) -> None:
    from_config = CLASSES[colour].from_config
    with pytest.raises(ValueError, match="unknown key 'passwd'") as caught:
        from_config({"host": LOOPBACK, "port": 1, "db": 0, "passwd": PASSWORD})
    assert PASSWORD not in str(caught.value)
    with pytest.raises(ValueError, match="lacks the key 'port'"):
        from_config({"host": LOOPBACK, "db": 0, "password": PASSWORD})
    for config in (None, "redis://localhost"):
        with pytest.raises(TypeError, match="config must be a dict"):
            from_config(config)


def test_a_wrong_client_keyword(make: Make) -> None:
    with pytest.raises(TypeError, match="usrename"):
        make(redis_client_kwargs={"usrename": "x"}).put()
