"""What a Redis client is opened with, and what both colours send and read in the same way."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import RedisClusterException

from ...errors import CorruptStateError, StateTooLargeError
from ..failures import about
from ..limits import Limits
from .lua import Script

# From this size on a value is sent by SET, in one transaction with the script, so that it need not
# pass through Lua.
LARGE = 65_536

# From this size on the server is asked how much it takes. None takes less than 1 MiB.
UNUSUAL = 1_048_576

# What a server takes if it does not say.
USUAL_LIMIT = 536_870_912

# How long a large value lives under its temporary key if the save dies half-way.
TEMPORARY_MS = 60_000

# How many commands one client sends at the same time; more wait. Each needs a connection.
AT_ONCE = 100

EVICTING = (
    "this Redis server removes keys when its memory is full (maxmemory-policy is {}), so saved"
    " states can vanish: set maxmemory-policy to noeviction"
)


@dataclass(frozen=True)
class RedisValues:
    """A server, a database on it, and the client's keyword arguments."""

    host: str
    port: int
    db: int
    password: str | None = field(default=None, repr=False)
    redis_client_kwargs: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def checked(
        cls,
        client: type[Any],
        *,
        host: str,
        port: int,
        db: int,
        password: str | None = None,
        redis_client_kwargs: dict[str, Any] | None = None,
    ) -> RedisValues:
        if not isinstance(host, str):
            raise TypeError(f"host must be a str, not {type(host).__name__}")
        _check_number("port", port, 65_535)
        _check_number("db", db, None)
        if password is not None and not isinstance(password, str):
            raise TypeError(f"password must be a str or None, not {type(password).__name__}")
        if redis_client_kwargs is not None and not isinstance(redis_client_kwargs, dict):
            raise TypeError(
                "redis_client_kwargs must be a dict or None,"
                f" not {type(redis_client_kwargs).__name__}"
            )
        kwargs = dict(redis_client_kwargs or {})
        if "retry" in kwargs:
            raise ValueError(
                "redis_client_kwargs: no retry can be set; a save that failed is repeated here, at"
                " most once and only if that is safe"
            )
        known = inspect.signature(client).parameters
        for name in kwargs:
            if name not in known:
                raise TypeError(f"redis_client_kwargs: the client knows no argument {name!r}")
        return cls(host, port, db, password, kwargs)

    def arguments(self, limits: Limits, no_retry: object) -> dict[str, Any]:
        """Keyword arguments for the client; what the user gave comes first."""
        return {
            "host": self.host,
            "port": self.port,
            "db": self.db,
            "password": self.password,
            "socket_connect_timeout": limits.connect,
            "socket_timeout": limits.operation,
            # We repeat ourselves, once and only what is safe to repeat.
            "retry": no_retry,
            # redis-py would refuse the 101st; ours wait.
            "max_connections": 2 * AT_ONCE,
        } | self.redis_client_kwargs

    def describe(self) -> str:
        return f"{self.host}:{self.port}/{self.db}"

    @staticmethod
    def to_pickle(session: object, values: RedisValues | None) -> RedisValues:
        """The values for the pickle of a session, if it can be opened anew from them."""
        if values is None:
            raise TypeError(
                f"{type(session).__name__} over a client that was handed in cannot be pickled:"
                " build the persister with from_values()"
            )
        return values


def _check_number(name: str, value: int, highest: int | None) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < 0 or (highest is not None and value > highest):
        among = "0 or more" if highest is None else f"from 0 to {highest}"
        raise ValueError(f"{name} must be {among}, not {value}")


def describe_client(client: Any) -> str:
    """Where a client that was handed in goes to, as far as it says; never its password."""
    known = getattr(getattr(client, "connection_pool", None), "connection_kwargs", {})
    if "path" in known:
        return f"{type(client).__name__} {known['path']}/{known.get('db', 0)}"
    if "host" in known:
        return f"{type(client).__name__} {known['host']}:{known.get('port')}/{known.get('db', 0)}"
    return type(client).__name__


def pool_size(client: Any) -> int:
    """How many commands the client can send at the same time, as far as we would."""
    size = getattr(getattr(client, "connection_pool", None), "max_connections", None)
    return min(size, AT_ONCE) if isinstance(size, int) and size > 0 else AT_ONCE


def retries_by_itself(client: Any) -> bool:
    """Whether it sends a command again without our doing, as a cluster client does."""
    return getattr(client, "connection_pool", None) is None


def node_cursors(client: Any) -> dict[str, int]:
    """Where a scan of all keys begins: at each primary of a cluster, or at the one server."""
    if not retries_by_itself(client):
        return {"": 0}
    return {node.name: 0 for node in client.get_primaries()}


def of_node(client: Any, name: str) -> dict[str, Any]:
    """The argument that sends a command to this node of a cluster."""
    if not name:
        return {}
    node = client.get_node(node_name=name)
    if node is None:
        raise RedisClusterException(f"the node {name} has left the cluster")
    return {"target_nodes": node}


def is_large(value: bytes, client: Any) -> bool:
    """Whether to send the value by SET. Cluster clients before redis-py 6 have no transactions."""
    if len(value) < LARGE:
        return False
    try:
        client.pipeline(transaction=True)
    except RedisClusterException:
        return False
    return True


def eval_command(
    by: str, script: Script, keys: Sequence[str], arguments: Sequence[str | int], *more: bytes
) -> list[Any]:
    """EVALSHA or EVAL. All text is encoded here, whatever encoding the client has."""
    body = script.sha if by == "EVALSHA" else script.text
    return [by, body, len(keys), *map(encoded, keys), *map(encoded, arguments), *more]


def encoded(value: str | bytes | int) -> bytes:
    # A lone surrogate is in no stored key, so it finds nothing; it must not fail either.
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def sent(words: Sequence[str | bytes | int]) -> list[Any]:
    """A command with its texts encoded; its own name stays a text, by which clients know it."""
    name, *rest = words
    return [name, *(it if isinstance(it, int) else encoded(it) for it in rest)]


def plain(reply: Any, client: Any) -> Any:
    """The reply as bytes, integers, lists and None, also from a client that decodes."""
    if isinstance(reply, str):
        return client.get_encoder().encode(reply)
    if isinstance(reply, list):
        return [plain(item, client) for item in reply]
    return reply


def decoded(members: Sequence[bytes], operation: str, key: object) -> list[str]:
    try:
        return [member.decode() for member in members]
    except UnicodeDecodeError as exc:
        raise unreadable(operation, key) from exc


def unreadable(operation: str, key: object) -> CorruptStateError:
    return CorruptStateError(
        f"{about(operation, key)}: what is stored there is no UTF-8; another program wrote it, or"
        " use another namespace"
    )


def too_large(operation: str, key: object, size: int, limit: int) -> StateTooLargeError:
    return StateTooLargeError(
        f"{about(operation, key)}: the record has {size} bytes; this server takes at most {limit}"
        " (proto-max-bulk-len)"
    )


def last_reply(replies: Sequence[Any]) -> Any:
    """The last reply of a transaction, or its first failure."""
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies[-1]


def settings(reply: object) -> dict[str, str]:
    """What CONFIG GET answered: a mapping, on a cluster client perhaps one of each node."""
    return dict(_settings(reply))


def _settings(reply: object) -> Iterator[tuple[str, str]]:
    if isinstance(reply, Mapping):
        for name, value in reply.items():
            if isinstance(value, Mapping):
                yield from _settings(value)
            else:
                yield _text(name), _text(value)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def size_limit(found: Mapping[str, str]) -> int:
    limit = found.get("proto-max-bulk-len", "")
    return int(limit) if limit.isdecimal() else USUAL_LIMIT


def evicting_policy(found: Mapping[str, str]) -> str | None:
    """The policy, if it may remove keys that never expire, as states are."""
    policy = found.get("maxmemory-policy", "")
    limited = found.get("maxmemory", "0") != "0"
    return policy if limited and policy.startswith("allkeys") else None
