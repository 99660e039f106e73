"""MongoDB: a collection for each test, in one database for the run."""

from __future__ import annotations

import functools
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self
from urllib.parse import urlsplit

import pymongo
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from persistry.conformance.support.column import Column
from tests.servers import MongoServer

from .served import Place, ServedStore, login


class MongoPlace(Place):
    """A URL, as pymongo and `from_values` take it."""

    variable = "PERSISTRY_TEST_MONGODB_URL"
    server = MongoServer

    @classmethod
    def on(cls, server: MongoServer) -> Self:
        host, port = server.address
        user = login(server.superuser, server.password)
        return cls(f"mongodb://{user}{host}:{port}/?directConnection=true")

    @property
    def address(self) -> tuple[str, int]:
        host, port = parse_uri(self.url)["nodelist"][0]
        return host, port

    def at(self, host: str, port: int) -> Self:
        """The same by another way; it must not look for the members of a replica set itself."""
        parts = urlsplit(self.url)
        user, at, _ = parts.netloc.rpartition("@")
        query = [part for part in parts.query.split("&") if "directconnection" not in part.lower()]
        query = "&".join([*filter(None, query), "directConnection=true"])
        return replace(self, url=f"mongodb://{user}{at}{host}:{port}{parts.path or '/'}?{query}")

    @functools.cached_property
    def client(self) -> pymongo.MongoClient[dict[str, Any]]:
        return pymongo.MongoClient(self.url, serverSelectionTimeoutMS=3000)

    def problem(self) -> str | None:
        try:
            self.client.admin.command("ping")
        except PyMongoError as error:
            return str(error)
        return None

    def remove(self, run: str) -> None:
        self.client.drop_database(run)

    def close(self) -> None:
        self.client.close()


class MongoStore(ServedStore[MongoPlace]):
    place_type = MongoPlace
    can_be_emptied = True

    def drop(self) -> None:
        # At once, not at the end of the run: the server keeps the files of all of them open.
        self.place.client[self.run].drop_collection(self.name)

    def empty(self) -> None:
        self.place.client[self.run][self.name].delete_many({})

    @property
    def names(self) -> dict[str, Any]:
        return {"db_name": self.run, "collection_name": self.name}

    def open(self, **options: Any) -> Any:
        return self.persister.from_values(self.place.url, **{**self.names, **options})

    def open_at(self, host: str, port: int, **options: Any) -> Any:
        url = self.place.at(host, port).url
        return self.persister.from_values(url, **{**self.names, **options})

    def connect(self) -> Any:
        return pymongo.MongoClient(self.place.url)

    def over(self, connection: Any, **options: Any) -> Any:
        return self.persister(connection, **{**self.names, **options})

    def is_usable(self, connection: Any) -> Any:
        with suppress(PyMongoError):  # a closed client says so
            return connection.admin.command("ping")["ok"] == 1
        return False

    def disconnect(self, connection: Any) -> Any:
        connection.close()


class AsyncMongoStore(MongoStore):
    async def connect(self) -> Any:
        return pymongo.AsyncMongoClient(self.place.url)

    async def is_usable(self, connection: Any) -> Any:
        with suppress(PyMongoError):
            return (await connection.admin.command("ping"))["ok"] == 1
        return False

    async def disconnect(self, connection: Any) -> Any:
        await connection.close()


class Adopted(MongoStore):
    """A collection that another library began: the first save or `initialize()` adopts it.

    The partition of its documents is a number, which that library takes as it comes; so no case
    meets them in a list.
    """

    can_be_emptied = False

    def __init__(self, column: Column, place: MongoPlace, run: str, skip_missing: bool) -> None:
        super().__init__(column, place, run, skip_missing)
        place.client[run][self.name].insert_many(map(document_of_burr, range(3)))


def document_of_burr(number: int) -> dict[str, Any]:
    """A document as Apache Burr's persister makes it."""
    return {
        "partition_key": 7,
        "app_id": f"app {number % 2}",
        "sequence_id": number,
        "position": "step",
        "state": json.dumps({"n": number, "text": "\u00e9"}),
        "status": "completed",
        "created_at": f"2025-11-22T10:00:00.00000{number}+00:00",
    }


class AdoptedMongoStore(Adopted, MongoStore): ...


class AsyncAdoptedMongoStore(Adopted, AsyncMongoStore): ...


STORES = {
    "MongoDBBasePersister": MongoStore,
    "MongoDBBasePersister-adopted": AdoptedMongoStore,
    "AsyncMongoDBBasePersister": AsyncMongoStore,
    "AsyncMongoDBBasePersister-adopted": AsyncAdoptedMongoStore,
}
