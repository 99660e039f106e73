"""MongoDB for who does it wrong or whose server is broken: both colours, on real servers."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pymongo
import pytest
from bson.codec_options import CodecOptions
from bson.int64 import Int64
from bson.timestamp import Timestamp
from pymongo.errors import (
    InvalidOperation,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WriteError,
)

from persistry import AsyncMongoDBBasePersister, MongoDBBasePersister, State
from persistry.errors import (
    PersisterAccessError,
    PersisterClosedError,
    PersisterUnavailableError,
    StateConflictError,
    StateTooLargeError,
    StoreVersionError,
)
from tests.bad_input import OPERATIONS, PASSWORD, Calls, Run, refused, runner, stranger, works
from tests.servers import LOOPBACK, MongoServer
from tests.timing import within

pytestmark = pytest.mark.usefixtures("mongodb_place")  # skips, or fails, where there is no MongoDB

CLASSES: dict[str, Any] = {"sync": MongoDBBasePersister, "async": AsyncMongoDBBasePersister}
CLIENTS: dict[str, Any] = {"sync": pymongo.MongoClient, "async": pymongo.AsyncMongoClient}
ALL = {**OPERATIONS, "initialize": lambda persister: persister.initialize()}
DB = "bad"
run = pytest.fixture(runner)
Make = Callable[..., Calls]


@pytest.fixture(scope="module")
def server() -> Iterator[MongoServer]:
    """A replica set of one server, whose users have passwords."""
    with MongoServer(PASSWORD, replica_set=True) as server:
        yield server


@pytest.fixture
def admin(server: MongoServer) -> Iterator[Any]:
    """The collection as another program sees it; it is removed after the test."""
    with server.client() as client:
        yield client[DB][f"steps_{secrets.token_hex(4)}"]
        client.drop_database(DB)


def url_of(server: MongoServer, user: str = "", password: str = PASSWORD, options: str = "") -> str:
    login = f"{user or server.superuser}:{password}@" if password else ""
    return f"mongodb://{login}{LOOPBACK}:{server.port}/?directConnection=true{options}"


@pytest.fixture(params=CLASSES)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(colour: str, admin: Any, server: MongoServer, run: Run) -> Iterator[Make]:
    """Makes persisters on the server, or on another; they are closed in the end."""
    made = []

    def make_(uri: str = url_of(server), **options: Any) -> Calls:
        values = {"db_name": DB, "collection_name": admin.name, **options}
        made.append(Calls(run(CLASSES[colour].from_values(uri, **values)), run))
        return made[-1]

    yield make_
    for persister in made:
        persister.cleanup()


@pytest.fixture
def persister(make: Make) -> Calls:
    return make()


@pytest.fixture
def hand_in(colour: str, admin: Any, server: MongoServer, run: Run) -> Iterator[Any]:
    """A persister over a client of its owner, and that client."""
    opened: list[Any] = []

    def hand_in_(uri: str = url_of(server), /, **options: Any) -> tuple[Calls, Any]:
        ours = ("connect_timeout", "operation_timeout")
        client_options = {name: options.pop(name) for name in [*options] if name not in ours}

        async def opening() -> Any:  # in the loop of the tests
            return CLIENTS[colour](uri, **client_options)

        opened.append(run(opening()))
        values = {"db_name": DB, "collection_name": admin.name, **options}
        return Calls(CLASSES[colour](opened[-1], **values), run), opened[-1]

    yield hand_in_
    for client in opened:
        run(client.close())


def with_rights(server: MongoServer, *roles: Any) -> str:
    """The URL of a new user with these roles on the tests' database."""
    user = f"user_{secrets.token_hex(4)}"
    with server.client() as client:
        client.admin.command("createUser", user, pwd=PASSWORD, roles=[*roles])
    return url_of(server, user, options="&authSource=admin")


# The server


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("host", [f"{LOOPBACK}:1", "nowhere.invalid:27017"])
def test_nobody_answers_there(make: Make, operation: str, host: str) -> None:
    persister = make(f"mongodb://me:{PASSWORD}@{host}", connect_timeout=0.5)
    with (
        within(5),
        refused(
            PersisterUnavailableError,
            operation,
            host,
            "connect_timeout 0.5 s",
            cause=ServerSelectionTimeoutError,
        ) as caught,
    ):
        ALL[operation](persister)
    assert caught.value.may_have_saved is False  # type: ignore[attr-defined]


@pytest.mark.parametrize("handed_in", [False, True])
def test_who_is_refused_hears_it_at_once(make: Make, hand_in: Any, handed_in: bool) -> None:
    uri = f"mongodb://{LOOPBACK}:1"
    persister = hand_in(uri)[0] if handed_in else make(uri)
    with (
        within(3),
        refused(PersisterUnavailableError, "refuses", cause=ServerSelectionTimeoutError),
    ):
        persister.put()


def test_a_primary_is_waited_for_where_one_may_come(make: Make) -> None:
    """One host refuses connections, and another may be choosing a primary just now."""
    with stranger(b"") as port:
        hosts = f"mongodb://{LOOPBACK}:1,{LOOPBACK}:{port}"
        persister = make(hosts, connect_timeout=1.8)
        start = time.monotonic()
        with within(5), refused(PersisterUnavailableError, "1.8 s", cause=PyMongoError):
            persister.put()
        assert time.monotonic() - start > 1.7


def test_nobody_answers_a_client_that_was_handed_in(hand_in: Any) -> None:
    """Its own limits are longer; ours holds all the same."""
    persister, _ = hand_in(f"mongodb://{LOOPBACK}:1", connect_timeout=0.5)
    for operation in ALL.values():
        with (
            within(5),
            refused(PersisterUnavailableError, f"{LOOPBACK}:1", cause=ServerSelectionTimeoutError),
        ):
            operation(persister)


@pytest.mark.parametrize("handed_in", [False, True])
def test_a_server_that_dies_and_comes_back(
    make: Make, hand_in: Any, server: MongoServer, handed_in: bool
) -> None:
    limits = {"connect_timeout": 1.0, "operation_timeout": 2.0}
    persister = hand_in(**limits)[0] if handed_in else make(**limits)
    persister.put(n=1)
    server.kill()
    try:
        for name, operation in ALL.items():
            with within(10), refused(PersisterUnavailableError, name, cause=PyMongoError):
                operation(persister)
    finally:
        server.restart()
    assert persister.get() == {"n": 1}
    works(persister)
    server.restart()
    works(persister)


@pytest.mark.parametrize("handed_in", [False, True])
def test_a_server_that_is_frozen(
    make: Make, hand_in: Any, server: MongoServer, handed_in: bool
) -> None:
    limits = {"connect_timeout": 0.5, "operation_timeout": 0.5}
    persister = hand_in(**limits)[0] if handed_in else make(**limits)
    persister.put(n=1)
    server.pause()
    try:
        for name, operation in OPERATIONS.items():
            with within(5), refused(PersisterUnavailableError, name, "0.5 s", cause=Exception):
                operation(persister)
        with within(5):
            persister.copy() if handed_in else persister.cleanup()
    finally:
        server.resume()
    if handed_in:
        works(persister)
        assert persister.get("app", 0) == {"n": 1}  # what was being saved may be there as well


def test_a_primary_that_steps_down(make: Make, admin: Any, server: MongoServer) -> None:
    """It is primary again after a while; until then the persister waits for one."""
    persister = make(url_of(server).replace("directConnection=true", "replicaSet=rs"))
    persister.put(n=1)
    admin.database.client.admin.command("replSetStepDown", 1, force=True)
    persister.put("other", n=2)
    assert persister.get() == {"n": 1}
    works(persister)


def test_a_server_that_lacks_the_keys_of_its_time(
    hand_in: Any, server: MongoServer, admin: Any, run: Run
) -> None:
    """As for an instant after a restart: it cannot say whether a time it is told was ever its."""
    persister, client = hand_in(with_rights(server, {"role": "readWrite", "db": DB}))
    works(persister)
    before = admin.count_documents({})
    unknown = {"hash": bytes(20), "keyId": Int64(1)}

    async def hears_of(time: Timestamp | None) -> None:
        topology = client._topology
        if time is None:
            topology._max_cluster_time = None
        elif told := topology.receive_cluster_time({"clusterTime": time, "signature": unknown}):
            await told

    now = admin.database.client.admin.command("hello")["$clusterTime"]["clusterTime"]
    run(hears_of(Timestamp(now.time + 60, 1)))
    for name, operation in ALL.items():
        with refused(PersisterUnavailableError, name, "keys", cause=OperationFailure) as caught:
            operation(persister)
        assert caught.value.may_have_saved is False  # type: ignore[attr-defined]
    assert admin.count_documents({}) == before
    run(hears_of(None))
    works(persister)


def test_a_server_that_speaks_something_else(make: Make) -> None:
    with stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        persister = make(f"mongodb://{LOOPBACK}:{port}", connect_timeout=0.5)
        for name, operation in OPERATIONS.items():
            with refused(PersisterUnavailableError, name, f":{port}", cause=PyMongoError):
                operation(persister)


def test_a_server_that_says_nothing(make: Make) -> None:
    with stranger(b"") as port:
        persister = make(f"mongodb://{LOOPBACK}:{port}", operation_timeout=0.2)
        for name, operation in OPERATIONS.items():
            with refused(PersisterUnavailableError, name, "0.2 s", f":{port}", cause=PyMongoError):
                operation(persister)


def test_a_server_that_speaks_no_tls(make: Make, server: MongoServer) -> None:
    persister = make(url_of(server, options="&tls=true"), connect_timeout=0.5)
    with refused(PersisterUnavailableError, "TLS", cause=ServerSelectionTimeoutError):
        persister.put()


def test_too_few_servers_acknowledge(make: Make, server: MongoServer) -> None:
    """A save that is stored, but not as safely as was asked for, says so."""
    persister = make(mongo_client_kwargs={"w": 2, "wtimeoutMS": 200})
    make().initialize()  # making them would wait for the servers, too
    with refused(PersisterUnavailableError, "acknowledged", cause=WriteConcernError) as caught:
        persister.put(n=1)
    assert caught.value.may_have_saved is True  # type: ignore[attr-defined]
    assert persister.get() == {"n": 1}
    make().put(n=1)


# Users and rights


@pytest.mark.parametrize(
    ("user", "password"), [("", f"not{PASSWORD}"), ("nobody", PASSWORD), ("", "")]
)
@pytest.mark.parametrize("operation", ALL)
def test_a_login_that_is_refused(
    make: Make, server: MongoServer, operation: str, user: str, password: str
) -> None:
    persister = make(url_of(server, user, password))
    with refused(PersisterAccessError, operation, cause=OperationFailure):
        ALL[operation](persister)
    assert PASSWORD not in repr(persister.persister)


def test_a_user_who_may_only_read(make: Make, server: MongoServer) -> None:
    reader = make(with_rights(server, {"role": "read", "db": DB}))
    assert reader.get() is None and reader.list_app_ids("p") == []
    assert reader.is_initialized() is False
    for operation in ("save", "initialize"):
        with refused(PersisterAccessError, operation, "right", cause=OperationFailure):
            ALL[operation](reader)
    make().put(n=1)
    assert reader.is_initialized() is True
    assert reader.get() == {"n": 1} and reader.list_app_ids("p") == ["app"]
    with refused(PersisterAccessError, "save", "right", cause=OperationFailure):
        reader.put("app", 7, n=7)
    reader.initialize()


@contextmanager
def role_on(collection: Any, *actions: str) -> Iterator[Any]:
    """A role with rights on this collection and nothing else."""
    role = f"role_{secrets.token_hex(4)}"
    resource = {"db": collection.database.name, "collection": collection.name}
    rights = [{"resource": resource, "actions": [*actions]}]
    collection.database.command("createRole", role, privileges=rights, roles=[])
    yield {"role": role, "db": collection.database.name}
    collection.database.command("dropRole", role)


def test_a_user_of_this_collection_alone(make: Make, server: MongoServer, admin: Any) -> None:
    """Nothing is kept elsewhere: rights on the collection are all that is needed."""
    with role_on(admin, "find", "insert", "listIndexes", "createIndex") as role:
        persister = make(with_rights(server, role))
        works(persister)
        assert persister.is_initialized() and persister.pending_migrations() == []
        persister.initialize()
    assert admin.database.list_collection_names() == [admin.name]
    with role_on(admin, "find", "listIndexes") as role:
        reader = make(with_rights(server, role))
        assert reader.get("works") == {"n": 1} and reader.list_app_ids("p") == ["works"]
    with role_on(admin, "find") as role:
        reader = make(with_rights(server, role))
        for operation in ("load", "list_app_ids"):
            with refused(PersisterAccessError, "listIndexes", cause=OperationFailure):
                ALL[operation](reader)


def test_a_user_who_may_not_make_indexes(make: Make, server: MongoServer, admin: Any) -> None:
    with role_on(admin, "find", "insert", "listIndexes") as role:
        writer = make(with_rights(server, role))
        with refused(PersisterAccessError, "save", "createIndexes", cause=OperationFailure):
            writer.put(n=1)
        assert admin.count_documents({}) == 0
        make().initialize()
        admin.drop_index("ps_generation_1")  # stores that were made before it have none
        writer.initialize()
        works(writer)


# What the collection is


def test_a_state_that_is_too_large(persister: Calls, admin: Any) -> None:
    """Refused before it is sent; the largest one that is taken fits in every document."""
    largest = 16_774_000 - len('{"text":""}')
    long = "x" * 512
    state = State({"text": "x" * largest})
    persister.save(long, long, 2**63 - 1, long, state, long)
    assert persister.load(long, long)["state"] == state
    with refused(StateTooLargeError, "16774001 bytes"):
        persister.put("app", text="x" * (largest + 1))
    assert admin.count_documents({}) == 1
    works(persister)


def test_a_collection_with_a_validator(persister: Calls, admin: Any) -> None:
    admin.database.create_collection(admin.name, validator={"mine": {"$exists": True}})
    with refused(StoreVersionError, "validator", cause=WriteError):
        persister.put()
    assert admin.count_documents({}) == 0


def test_a_wrong_password_every_time(make: Make, server: MongoServer) -> None:
    """The driver thinks no more of a server that has refused a user, for a while."""
    persister = make(url_of(server, password="wrong"))
    for operation in (*ALL.values(), ALL["load"]):
        with within(3), refused(PersisterAccessError, "password", cause=PyMongoError):
            operation(persister)


def test_another_replica_set(make: Make, server: MongoServer) -> None:
    persister = make(url_of(server).replace("directConnection=true", "replicaSet=other"))
    for operation in OPERATIONS.values():
        with within(4), refused(PersisterUnavailableError, "replicaSet=", cause=PyMongoError):
            operation(persister)


def test_a_time_series(persister: Calls, admin: Any) -> None:
    """It can have no unique index."""
    admin.database.create_collection(admin.name, timeseries={"timeField": "created_at"})
    for name in ("save", "initialize"):
        with refused(StoreVersionError, "time series", cause=OperationFailure):
            ALL[name](persister)
    assert not persister.is_initialized()


def test_an_index_that_cannot_be_made(persister: Calls, admin: Any) -> None:
    """There are 64 at most; on a sharded collection, a unique one that lacks its shard key."""
    admin.create_indexes([pymongo.IndexModel(f"field{n}") for n in range(60)])
    for name in ("save", "initialize"):
        with refused(StoreVersionError, "index", "shard key", cause=OperationFailure):
            ALL[name](persister)
    assert admin.count_documents({}) == 0


def test_a_view(persister: Calls, admin: Any) -> None:
    admin.database.create_collection(admin.name, viewOn="other", pipeline=[])
    for operation in ("save", "initialize"):
        with refused(StoreVersionError, "view", cause=OperationFailure):
            ALL[operation](persister)


def test_a_collection_that_was_dropped(persister: Calls, admin: Any) -> None:
    persister.put(n=1)
    admin.drop()
    assert persister.get() is None and persister.list_app_ids("p") == []
    persister.initialize()
    works(persister)
    assert len(list(admin.list_indexes())) == 7


# A client that was handed in


@pytest.mark.parametrize(
    "options",
    [
        {"tz_aware": True},
        {"document_class": OrderedDict},
        {"unicode_decode_error_handler": "ignore"},
        {"w": 1},
        {"retryWrites": False, "retryReads": False},
        {"maxPoolSize": 1},
        {"readPreference": "secondaryPreferred"},
        {"timeoutMS": 10_000},
    ],
    ids=str,
)
def test_clients_with_options(hand_in: Any, make: Make, options: dict[str, Any]) -> None:
    persister, client = hand_in(**options)
    works(persister)
    persister.put("täble 🎉", text="é🎉" * 1000)
    assert persister.get("täble 🎉") == make().get("täble 🎉") == {"text": "é🎉" * 1000}
    with pytest.raises(StateConflictError):
        persister.put("täble 🎉", text="another")
    assert persister.persister.client is client
    plain: CodecOptions[Any] = persister.persister.collection.codec_options
    assert plain.document_class is dict and plain.unicode_decode_error_handler == "strict"


def test_a_client_that_its_owner_closed(hand_in: Any, run: Run) -> None:
    persister, client = hand_in()
    persister.put(n=1)
    run(client.close())
    for operation in ALL.values():
        with refused(PersisterClosedError, "closed by its owner", cause=InvalidOperation):
            operation(persister)
    persister.cleanup()


def test_cleanup_leaves_a_client_open(hand_in: Any, run: Run) -> None:
    persister, client = hand_in()
    twin = Calls(persister.persister.copy(), persister._run)
    persister.put(n=1)
    persister.cleanup()
    persister.cleanup()
    assert twin.get() == {"n": 1}
    twin.cleanup()
    assert run(client.admin.command("ping"))["ok"] == 1
    with refused(PersisterClosedError, "cleanup"):
        persister.get()


def test_clients_of_the_other_colour() -> None:
    sync, other = pymongo.MongoClient(connect=False), pymongo.AsyncMongoClient(connect=False)
    wrong: Any
    for wrong in (sync, "mongodb://localhost", None, other["db"]):
        with pytest.raises(TypeError, match=r"client must be a pymongo\.AsyncMongoClient"):
            AsyncMongoDBBasePersister(wrong)
    for wrong in (other, "mongodb://localhost", None, sync["db"]):
        with pytest.raises(TypeError, match=r"client must be a pymongo\.MongoClient"):
            MongoDBBasePersister(wrong)
    sync.close()


def test_a_client_that_asks_for_no_answers(hand_in: Any, make: Make, server: MongoServer) -> None:
    with pytest.raises(ValueError, match="client: w=0"):
        hand_in(w=0)
    with pytest.raises(ValueError, match="w=0"):
        make(mongo_client_kwargs={"w": 0})
    with pytest.raises(ValueError, match="w=0"):
        make(url_of(server, options="&w=0"))


# Names and parameters

WRONG: list[tuple[str, Any, type[Exception]]] = [
    *(("uri", value, TypeError) for value in (None, 5, b"mongodb://localhost")),
    *(
        ("uri", value, ValueError)
        for value in (
            "",
            "localhost",
            "redis://localhost",
            "mongodb://",
            "mongodb://me:secret@",
            "mongodb://me:se/cret@localhost",
            "mongodb://me:se@cret@localhost",
            "mongodb://me:secret@localhost:port",
            "mongodb://me:secret@localhost:99999",
            "mongodb://me:secret@localhost/?unknownOption=1",
            "mongodb://me:secret@localhost/?tls=perhaps",
            "mongodb://me:secret@localhost/?replicaSet",
        )
    ),
    *(("db_name", value, TypeError) for value in (None, 5, b"db")),
    *(("db_name", value, ValueError) for value in ("", "a.b", "a b", "a$", "a\0b", "x" * 64)),
    *(("collection_name", value, TypeError) for value in (None, 5, b"c")),
    *(
        ("collection_name", value, ValueError)
        for value in ("", "$a", "a..b", ".a", "a.", "system.users", "a\0b", "\ud800")
    ),
    *(("serde_kwargs", value, TypeError) for value in (5, "x", ["a"])),
    *(("mongo_client_kwargs", value, TypeError) for value in (5, "x", ["a"])),
    *(
        ("mongo_client_kwargs", value, ValueError)
        for value in ({"usrename": "me"}, {"tls": "perhaps"}, {"w": -1}, {"maxPoolSize": "many"})
    ),
    *(("connect_timeout", value, ValueError) for value in (0, -1, float("nan"))),
    *(("operation_timeout", value, TypeError) for value in ("1", True, None)),
    *(("max_state_bytes", value, TypeError) for value in ("1", 1.5, True)),
    ("max_state_bytes", 0, ValueError),
]


@pytest.mark.parametrize(("name", "value", "error"), WRONG)
def test_wrong_parameters_are_named(
    colour: str, name: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=name) as caught:
        CLASSES[colour].from_values(**{name: value})
    for word in ("secret", "cret"):
        assert word not in str(caught.value)
    with pytest.raises(error, match=name):
        CLASSES[colour].from_config({name: value})


def test_wrong_configurations(colour: str) -> None:
    from_config = CLASSES[colour].from_config
    with pytest.raises(ValueError, match="unknown key 'url'") as caught:
        from_config({"url": f"mongodb://me:{PASSWORD}@localhost"})
    assert PASSWORD not in str(caught.value)
    for config in (None, "mongodb://localhost"):
        with pytest.raises(TypeError, match="config must be a dict"):
            from_config(config)
