"""What the promise says, in plain Python: a store that is a dict, and persisters on it.

Written from the promise and not from the package, so that a mistake there shows. Nothing is fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from persistry.errors import NotInitializedError, PersisterClosedError, StateConflictError

Key = tuple[str, str, int, str]


@dataclass
class Storage:
    """Records by their keys, in the order of saving; and whether there are tables to create."""

    must_initialize: bool
    initialized: bool = False
    records: dict[Key, dict[str, Any]] = field(default_factory=dict)


class Persister:
    """What every persister has to do; the errors are those that users are told to expect."""

    def __init__(self, storage: Storage, serde_kwargs: dict[str, Any] | None = None) -> None:
        self.storage = storage
        self.serde_kwargs = serde_kwargs or {}
        self.closed = False

    def initialize(self) -> None:
        self._open()
        self.storage.initialized = True

    def is_initialized(self) -> bool | None:
        """None where nothing is promised: stores without tables may prepare themselves early."""
        self._open()
        prepared = self.storage.initialized or bool(self.storage.records)
        return True if prepared else (False if self.storage.must_initialize else None)

    def save(
        self,
        partition_key: Any,
        app_id: Any,
        sequence_id: Any,
        position: Any,
        state: dict[str, Any],
        status: Any,
    ) -> None:
        partition = "" if partition_key is None else _storable(partition_key)
        key = (partition, _storable(app_id), _sequence(sequence_id), _storable(position))
        names = ("partition_key", "app_id", "sequence_id", "position")
        new = dict(zip(names, key, strict=True), state=state, status=_storable(status))
        self._ready()
        old = self.storage.records.setdefault(key, new)
        if (old["status"], essence(old["state"])) != (new["status"], essence(state)):
            raise StateConflictError

    def load(
        self, partition_key: Any, app_id: Any, sequence_id: Any = None
    ) -> dict[str, Any] | None:
        """The record without its created_at."""
        partition = "" if partition_key is None else _text(partition_key)
        asked = {"partition_key": partition}
        if app_id is not None:
            asked["app_id"] = _text(app_id)
        if sequence_id is not None:
            asked["sequence_id"] = _sequence(sequence_id)
            if app_id is None:
                raise ValueError
        if not self._may_exist(*(it for it in asked.values() if isinstance(it, str))):
            return None
        saved = list(self.storage.records.values())
        found = [it for it in saved if all(it[name] == asked[name] for name in asked)]
        if app_id is not None:
            found.sort(key=lambda it: int(it["sequence_id"]))  # equals stay in order
        return found[-1] if found else None

    def list_app_ids(self, partition_key: Any = None, *, limit: Any = None) -> list[str]:
        partition = "" if partition_key is None else _text(partition_key)
        if limit is not None and _integer(limit) < 0:
            raise ValueError
        if not self._may_exist(partition):
            return []
        newest_first = reversed(self.storage.records.values())
        apps = [it["app_id"] for it in newest_first if it["partition_key"] == partition]
        return list(dict.fromkeys(apps))[:limit]

    def list_partition_keys(self, *, limit: Any = None) -> list[str]:
        if limit is not None and _integer(limit) < 0:
            raise ValueError
        self._ready()
        saved = {it["partition_key"] for it in self.storage.records.values()}
        return sorted(saved)[:limit]

    def set_serde_kwargs(self, serde_kwargs: dict[str, Any]) -> None:
        self.serde_kwargs = serde_kwargs

    def copy(self) -> Persister:
        self._open()
        return Persister(self.storage, self.serde_kwargs)

    def cleanup(self) -> None:
        self.closed = True

    def _open(self) -> None:
        if self.closed:
            raise PersisterClosedError

    def _ready(self) -> None:
        self._open()
        if self.storage.must_initialize and not self.storage.initialized:
            raise NotInitializedError

    def _may_exist(self, *texts: str) -> bool:
        """Whether there is anything to look for: what cannot be stored is not found."""
        self._open()
        for text in texts:
            try:
                _storable(text)
            except ValueError:
                return False
        self._ready()
        return True


def essence(value: Any) -> Any:
    """What two states have in common if they are the same: types count, the order of keys not."""
    if isinstance(value, Mapping):
        return "dict", sorted((key, essence(member)) for key, member in value.items())
    if isinstance(value, list):
        return "list", [essence(member) for member in value]
    return type(value).__name__, hex(value) if isinstance(value, int) else repr(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _storable(value: Any) -> str:
    if "\0" in _text(value) or len(value.encode("utf-8", "surrogatepass")) > 512:
        raise ValueError
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _sequence(value: Any) -> int:
    if not 0 <= _integer(value) < 2**63:
        raise ValueError
    return int(value)
