"""A store in a few lines, to say what any sequence of saves must lead to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Key = tuple[str, str, int, str]


@dataclass
class Model:
    """Records in the order of saving, by key."""

    records: dict[Key, dict[str, Any]] = field(default_factory=dict)

    def save(self, key: Key, state: dict[str, Any], status: str) -> bool:
        """Whether the save is accepted."""
        names = ("partition_key", "app_id", "sequence_id", "position")
        new = dict(zip(names, key, strict=True), state=state, status=status)
        # Their texts differ where their types do: 0, 0.0 and False are equal, but not the same.
        return repr(self.records.setdefault(key, new)) == repr(new)

    def load(
        self, partition_key: str, app_id: str | None, sequence_id: int | None = None
    ) -> dict[str, Any] | None:
        """The fields of the record that a load gives."""
        found = [
            record
            for record in self.records.values()
            if record["partition_key"] == partition_key
            and app_id in (None, record["app_id"])
            and sequence_id in (None, record["sequence_id"])
        ]
        if app_id is not None:
            found.sort(key=lambda record: int(record["sequence_id"]))  # equals stay in order
        return found[-1] if found else None

    def list_app_ids(self, partition_key: str) -> list[str]:
        """Each application once, the one saved last first."""
        newest_first = reversed(self.records.values())
        apps = [r["app_id"] for r in newest_first if r["partition_key"] == partition_key]
        return list(dict.fromkeys(apps))
