"""Redis: a namespace for each test."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import redis
import redis.asyncio
from redis.connection import parse_url

from tests.servers import RedisServer

from .served import Place, ServedStore


@dataclass(frozen=True)
class RedisPlace(Place):
    """In the words of redis-py and of `from_values`."""

    variable = "PERSISTRY_TEST_REDIS_URL"
    server = RedisServer

    host: str
    port: int
    db: int = 0
    username: str | None = None
    password: str | None = None

    @classmethod
    def on(cls, server: RedisServer) -> Self:
        return cls(*server.address, password=server.password)

    @classmethod
    def from_url(cls, url: str) -> Self:
        parts: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
        return cls(**{"host": "localhost", "port": 6379, **parts})

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    def client(self) -> redis.Redis:
        return redis.Redis(**vars(self))

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
    def open_at(self, host: str, port: int, **options: Any) -> Any:
        options = {"password": self.place.password, "namespace": self.name, **options}
        if self.place.username is not None:
            more = options.get("redis_client_kwargs") or {}
            options["redis_client_kwargs"] = {"username": self.place.username, **more}
        return self.persister.from_values(host, port, self.place.db, **options)

    def connect(self) -> Any:
        return RedisClient(**vars(self.place))

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
        return AsyncRedisClient(**vars(self.place))

    async def is_usable(self, connection: Any) -> Any:
        with suppress(redis.RedisError):
            return not connection.was_closed and await connection.ping()
        return False

    async def disconnect(self, connection: Any) -> Any:
        await connection.aclose()
