"""Persisters that each break one point of the promise, for the conformance command to find out."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import persistry
from persistry.errors import NotInitializedError, PersisterClosedError, StateConflictError


class NamesTheDefaultPartition(persistry.SQLitePersister):
    """1: None and the empty text are two partitions."""

    def save(self, partition_key: Any, *rest: Any, **more: Any) -> None:
        super().save("None" if partition_key is None else partition_key, *rest, **more)


class TakesAnyNumber(persistry.SQLitePersister):
    """2: a negative sequence_id is stored as another one."""

    def save(self, partition_key: Any, app_id: Any, sequence_id: Any, *rest: Any, **m: Any) -> None:
        if isinstance(sequence_id, int) and sequence_id < 0:
            sequence_id = -sequence_id
        super().save(partition_key, app_id, sequence_id, *rest, **m)


class LooksForCompleted(persistry.SQLitePersister):
    """3: a failed step is not the latest."""

    def load(self, *args: Any, **kwargs: Any) -> Any:
        found = super().load(*args, **kwargs)
        return None if found is not None and found["status"] == "failed" else found


class ListsByName(persistry.SQLitePersister):
    """4: the list is in alphabetical order."""

    def list_app_ids(self, *args: Any, **kwargs: Any) -> list[str]:
        return sorted(super().list_app_ids(*args, **kwargs))


class KeepsQuietAboutConflicts(persistry.SQLitePersister):
    """5: another state under the same key is dropped without a word."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        with suppress(StateConflictError):
            super().save(*args, **kwargs)


class LosesTheSignOfZero(persistry.SQLitePersister):
    """6: -0.0 comes back as 0.0."""

    def load(self, *args: Any, **kwargs: Any) -> Any:
        found = super().load(*args, **kwargs)
        if found is not None:
            values = {k: v + 0.0 if v == 0.0 else v for k, v in found["state"].items()}
            found["state"] = persistry.State(values)
        return found


class TellsTheTimeByHalf(persistry.SQLitePersister):
    """7: created_at has no time zone."""

    def load(self, *args: Any, **kwargs: Any) -> Any:
        found = super().load(*args, **kwargs)
        if found is not None:
            found["created_at"] = found["created_at"].removesuffix("+00:00")
        return found


class SaysTooLittle(persistry.SQLitePersister):
    """8: without initialize(), an error that does not say what to do."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().save(*args, **kwargs)
        except NotInitializedError:
            raise KeyError("steps") from None


class KeepsItsLock(persistry.SQLitePersister):
    """9: an error leaves a lock behind, on which the next call waits for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lock = threading.Lock()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.lock.acquire()
        super().save(*args, **kwargs)
        self.lock.release()


class StaysOpen(persistry.SQLitePersister):
    """10: cleanup() does nothing that shows."""

    def load(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().load(*args, **kwargs)
        except PersisterClosedError:
            return None


class NeverAnswers(persistry.AsyncSQLitePersister):
    """12: a load of a partition waits for ever, in a thread that nothing ends; a file says so."""

    async def load(self, partition_key: Any, app_id: Any, *rest: Any, **more: Any) -> Any:
        if app_id is None:
            Path("hanging").touch()
            await asyncio.to_thread(time.sleep, 1000)
        return await super().load(partition_key, app_id, *rest, **more)


def factory(kind: Any) -> Callable[..., Any]:
    def make(directory: Path, **options: Any) -> Any:
        return kind.from_values(str(directory / "steps.db"), **options)

    return make


sqlite = factory(persistry.SQLitePersister)
aiosqlite = factory(persistry.AsyncSQLitePersister)
key = factory(NamesTheDefaultPartition)
arguments = factory(TakesAnyNumber)
latest = factory(LooksForCompleted)
listing = factory(ListsByName)
conflicts = factory(KeepsQuietAboutConflicts)
values = factory(LosesTheSignOfZero)
shape = factory(TellsTheTimeByHalf)
errors = factory(SaysTooLittle)
sharing = factory(KeepsItsLock)
closing = factory(StaysOpen)
hanging = factory(NeverAnswers)
