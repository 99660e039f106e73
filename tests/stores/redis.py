"""Redis: a namespace for each test."""

from __future__ import annotations

import functools
from contextlib import suppress
from typing import Any, Self

import redis
import redis.asyncio
from redis.connection import parse_url

from tests.servers import RedisServer

from .served import Place, ServedStore, login


class RedisPlace(Place):
    """A URL as redis-py takes it, and its parts in the words of its client."""

    variable = "PERSISTRY_TEST_REDIS_URL"
    server = RedisServer

    @classmethod
    def on(cls, server: RedisServer) -> Self:
        host, port = server.address
        return cls(f"redis://{login('', server.password)}{host}:{port}/0")

    @functools.cached_property
    def parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = parse_url(self.url)  # type: ignore[no-untyped-call]
        if parts.pop("connection_class", None):
            parts["ssl"] = True
        return {"host": "localhost", "port": 6379, "db": 0, **parts}

    @property
    def address(self) -> tuple[str, int]:
        return self.parts["host"], self.parts["port"]

    def client(self) -> redis.Redis:
        return redis.Redis(**self.parts, retry=None)

    def problem(self) -> str | None:
        try:
            with self.client() as client:
                client.ping()
        except redis.RedisError as error:
            return str(error)
        return None

    def remove(self, run: str) -> None:
        with self.client() as client:
            for key in client.scan_iter(match=f"*{run}*", count=1000):
                client.unlink(key)


class RedisClient(redis.Redis):
    """A client that knows whether it was closed: redis-py itself connects anew when used again."""

    was_closed = False

    def close(self) -> None:
        self.was_closed = True
        super().close()


class AsyncRedisClient(redis.asyncio.Redis):
    was_closed = False

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        self.was_closed = True
        await super().aclose(close_connection_pool)


class RedisStore(ServedStore[RedisPlace]):
    place_type = RedisPlace

    def open_at(self, host: str, port: int, **options: Any) -> Any:
        named = {"host", "port", "db", "password"}
        where = {name: value for name, value in self.place.parts.items() if name in named}
        where |= {"host": host, "port": port, "namespace": self.name, **options}
        more = {name: value for name, value in self.place.parts.items() if name not in named}
        if more:
            where["redis_client_kwargs"] = {**more, **(options.get("redis_client_kwargs") or {})}
        return self.persister.from_values(**where)

    def connect(self) -> Any:
        return RedisClient(**self.place.parts)

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(connection, **{"namespace": self.name, **options})

    def is_usable(self, connection: Any) -> Any:
        with suppress(redis.RedisError):
            return not connection.was_closed and connection.ping()
        return False

    def disconnect(self, connection: Any) -> Any:
        connection.close()


class AsyncRedisStore(RedisStore):
    async def connect(self) -> Any:
        return AsyncRedisClient(**self.place.parts)

    async def is_usable(self, connection: Any) -> Any:
        with suppress(redis.RedisError):
            return not connection.was_closed and await connection.ping()
        return False

    async def disconnect(self, connection: Any) -> Any:
        await connection.aclose()


STORES = {
    "RedisBasePersister": RedisStore,
    "AsyncRedisBasePersister": AsyncRedisStore,
}
