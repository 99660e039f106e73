"""What is asked of a persister, so that each query of its backend is heard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codegen import ir
from tests.bad_input import Calls

from . import seeding

# Each query may have another plan in the default partition, which most users have alone.
PARTITIONS = {"default partition": None, "other partition": "tenant-3"}
LIMITS = {"without a limit": None, "with a limit": 10}


@dataclass(frozen=True)
class Question:
    """A call, in which situation it is made, and the cases that are asked by it, in order."""

    cases: tuple[str, ...]
    situation: tuple[str, ...]
    operation: str
    arguments: dict[str, Any]

    def ask(self, persister: Calls) -> None:
        if self.operation == "save":
            seeding.save(persister, *self.arguments.values())
        else:
            getattr(persister, self.operation)(**self.arguments)


def questions(interface: ir.Interface, partitions: dict[str, str | None]) -> Iterator[Question]:
    """Of every case of the interface, in every situation."""
    for where, partition in partitions.items():
        values = {
            "partition_key": partition,
            "app_id": "app-7",
            "sequence_id": seeding.STEPS - 1,
        }
        # The record is there: it is looked at after the insert.
        yield Question(("save.insert", "save.conflicting"), (where,), "save", values)
        for case in interface.operations["load"].cases:
            given = {name: values[name] if name in case.given else None for name in values}
            yield Question((f"load.{case.name}",), (where,), "load", given)
        for listing in interface.listings:
            name = listing.operation.name
            taken = {it.name for it in listing.operation.parameters}
            given = {"partition_key": partition} if "partition_key" in taken else {}
            for how, limit in LIMITS.items():
                situation = (where, how)
                arguments = {**given, "limit": limit}
                yield Question((f"{name}.{listing.case.name}",), situation, name, arguments)
