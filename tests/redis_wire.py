"""What goes over the wire to Redis: the commands that a server is sent, and in how many trips."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
import redis.asyncio

from tests.bad_input import Run
from tests.servers import RedisServer


class Counting(redis.Connection):
    """A connection that notes whether it sent (">") or waited for a reply ("<")."""

    trips = ""

    def send_packed_command(self, *arguments: Any, **options: Any) -> Any:
        Counting.trips += ">"
        return super().send_packed_command(*arguments, **options)

    def read_response(self, *arguments: Any, **options: Any) -> Any:
        Counting.trips += "<"
        return super().read_response(*arguments, **options)


class AsyncCounting(redis.asyncio.Connection):
    async def send_packed_command(self, *arguments: Any, **options: Any) -> Any:
        Counting.trips += ">"
        return await super().send_packed_command(*arguments, **options)

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        Counting.trips += "<"
        return await super().read_response(*arguments, **options)


class Wire:
    """What the server is sent, and in how many trips."""

    def __init__(self, admin: redis.Redis, monitor: Any) -> None:
        self.admin = admin
        self.monitor = monitor

    def of(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> list[str]:
        """The commands of a call, without those that a script ran."""
        self.heard()
        Counting.trips = ""
        call(*arguments, **options)
        self.trips = len(re.findall(">+<", Counting.trips))
        return self.heard()

    def heard(self) -> list[str]:
        self.admin.echo("until here")
        commands = []
        while (told := self.monitor.next_command())["command"] != "ECHO until here":
            if told["client_type"] != "lua":
                commands.append(str(told["command"]))
        return commands


@contextmanager
def counted(colour: str, server: RedisServer, run: Run) -> Iterator[Any]:
    """A client whose connections count."""
    where = dict(zip(("host", "port"), server.address, strict=True))
    if colour == "sync":
        pool: Any = redis.ConnectionPool(connection_class=Counting, **where)
        client: Any = redis.Redis(connection_pool=pool)
    else:
        pool = redis.asyncio.ConnectionPool(connection_class=AsyncCounting, **where)
        client = redis.asyncio.Redis(connection_pool=pool)
    try:
        yield client
    finally:
        run(client.close() if colour == "sync" else client.aclose())
        run(pool.disconnect())


def names(commands: list[str]) -> list[str]:
    return [command.split()[0] for command in commands]
