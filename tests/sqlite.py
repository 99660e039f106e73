"""What the tests of SQLite's files share: who opens them, and what a damaged record spares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from persistry import AsyncSQLitePersister, SQLitePersister
from persistry.errors import CorruptStateError
from tests.bad_input import Calls, Run, refused, works

CLASSES: dict[str, Any] = {"sync": SQLitePersister, "async": AsyncSQLitePersister}
Make = Callable[..., Calls]

# The bodies of fixtures.


def colours(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def paths(tmp_path: Path) -> Path:
    return tmp_path / "steps.db"


def makers(colour: str, path: Path, run: Run) -> Iterator[Make]:
    """Makes persisters on the file, or on another; they are closed in the end."""
    made = []

    def make(db_path: Any = path, **options: Any) -> Calls:
        made.append(Calls(run(CLASSES[colour].from_values(db_path, **options)), run))
        return made[-1]

    yield make
    for persister in made:
        persister.cleanup()


def initialized(make: Make) -> Calls:
    persister = make()
    persister.initialize()
    return persister


def damaged(
    persister: Calls,
    run_sql: Callable[[str], object],
    damage: str,
    *,
    cause: type[BaseException] = Exception,
    named: bool = False,
) -> None:
    """The record of `bad` is named, and the others can be read.

    Args:
        run_sql: What another program does to the file.
        damage: What it changes of the record.
        cause: What the error comes from.
        named: Whether the application is named to who asks for the partition's latest, too.
    """
    for app in ("good", "bad"):
        persister.put(app, n=1)
    run_sql(f"UPDATE burr_state SET {damage} WHERE app_id = 'bad'")
    for app_id in ("bad", None):  # the latest of an application, and of the partition
        with refused(CorruptStateError, "load", "'p'", cause=cause) as caught:
            persister.get(app_id)
        assert "'bad'" in str(caught.value) or (app_id is None and not named)
    assert persister.get("good") == {"n": 1}
    assert persister.list_app_ids("p") == ["bad", "good"]
    works(persister)
