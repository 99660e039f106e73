"""Data like production's, made inside the store from a few records that the persister saved.

The default partition has half of all records, nine tenants share the other half; each application
has 64 steps. One shape is enough, if a partition that is large and one that is small are asked:
a planner may rather walk through a table for a value that many rows have. Longer and shorter
applications were tried: only MariaDB has another plan for them, below about twenty steps, where its
list reads the partition's part of an index instead of skipping through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codegen import sql_text
from persistry import State
from tests.bad_input import Calls

from .hearing import Session

TENANTS = tuple(f"tenant-{n}" for n in range(9))
# Of each tenant; the default partition has as many as all of them.
APPLICATIONS = 25
# Each application has two to the power of this many steps.
DOUBLINGS = 6
STEPS = 2**DOUBLINGS
POSITION = "step"


def applications() -> Iterator[tuple[str | None, str]]:
    """Each application: they take turns, as they do in time."""
    for number in range(APPLICATIONS):
        for place, tenant in enumerate(TENANTS):
            yield tenant, f"app-{number}"
            yield None, f"app-{number + APPLICATIONS * place}"


def save(persister: Calls, partition: str | None, app_id: str, sequence_id: int) -> None:
    state = State({"messages": ["hello"], "step": 1})
    persister.save(partition, app_id, sequence_id, POSITION, state, "completed")


def seed(persister: Calls, session: Session) -> None:
    """The first step of each application is saved; the rest are copies of what is stored.

    So it does not matter of which types the columns are, and what the store keeps by triggers is
    kept.
    """
    for partition, app_id in applications():
        save(persister, partition, app_id, 0)
    insert = session.taken()[-1].sql
    columns = [it.text for it in sql_text.inserted(insert)[0]]
    (table,) = re.findall(r"^\s*INSERT\s+INTO\s+(\S+)", insert, re.IGNORECASE)
    for number in range(DOUBLINGS):
        more = {"sequence_id": f"sequence_id + {2**number}"}
        copies = ", ".join(more.get(column, column) for column in columns)
        session.do(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {copies} FROM {table}")
