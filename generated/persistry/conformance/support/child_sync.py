# Code generated from templates/conformance/helpers/child.py.jinja by `make generate`. DO NOT EDIT.
"""What another process does with a persister, which it gets as a pickle on stdin."""

from __future__ import annotations

import pickle
import sys
from typing import Any

from ...errors import StateConflictError
from ...state import State
from .opened_sync import Opened, run

kept: list[Any] = []


def save_on(persister: Any, app_id: str) -> None:
    """Save step after step until killed; print the number of each that was acknowledged."""
    sequence_id = 0
    while True:
        state = State({"n": sequence_id, "text": "whole" * 400, "end": sequence_id})
        persister.save("p", app_id, sequence_id, "x", state, "completed")
        print(sequence_id, flush=True)
        sequence_id += 1


def save_one(persister: Any, app_id: str) -> None:
    """Save one record and print the applications that are there."""
    persister.save("p", app_id, 0, "x", State({"of": app_id}), "completed")
    print(*persister.list_app_ids("p"), flush=True)
    persister.cleanup()


def initialize(persister: Any, app_id: str) -> None:
    """Initialise the store, as others do at the same time, and save one record."""
    persister.initialize()
    save_one(persister, app_id)


def race(persister: Any, writer: str) -> None:
    """Race for the keys 0 to 49; print those that were won."""
    for sequence_id in range(50):
        try:
            persister.save("p", "a", sequence_id, "x", State({"writer": writer}), "completed")
        except StateConflictError:
            continue
        print(sequence_id, flush=True)
    persister.cleanup()


def leave_open(persister: Any, app_id: str) -> None:
    """Use a persister that is held to the very end, and never close it."""
    kept.append(persister)
    persister.save("p", app_id, 0, "x", State({"of": app_id}), "completed")
    print(persister.list_app_ids("p"), flush=True)


def main() -> None:
    """Do the work that the command line names."""
    works = {work.__name__: work for work in (save_on, save_one, initialize, race, leave_open)}
    persister = pickle.load(sys.stdin.buffer)
    if not hasattr(persister, "save"):  # it says how to make one here
        kept.append(keep := Opened())  # the work closes the persister, or leaves it open
        persister = keep(persister.open())
    works[sys.argv[1]](persister, *sys.argv[2:])


if __name__ == "__main__":
    run(main)
