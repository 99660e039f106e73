"""The example application of Burr, run as its readers run it: killed, started again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from burr.core.state import State

from persistry.burr import SQLitePersister

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, str(ROOT / "examples" / "burr_review" / "app.py"), str(ROOT / "LICENSE")]
STEPS = 16


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    path = {"PYTHONPATH": str(ROOT / "generated")}
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=folder, env=os.environ | path, stdout=subprocess.PIPE, text=True
    )


def saved(printed: str) -> list[int]:
    """The steps that a run says it has saved."""
    return [int(number) for number in re.findall(r"^step +(\d+)  saved", printed, re.MULTILINE)]


def last_state(folder: Path) -> dict[str, object]:
    with SQLitePersister.from_values(str(folder / "review.db")) as persister:
        record = persister.load("LICENSE", "review")
        assert record is not None
        assert isinstance(record["state"], State)
        assert (record["sequence_id"], record["position"]) == (STEPS - 1, "write_report")
        return record["state"].get_all()


@pytest.mark.parametrize("step", [0, 4, 11, 14])
def test_killed_anywhere_it_ends_as_if_it_was_not(tmp_path: Path, step: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    with start(whole) as app:
        assert saved(app.communicate(timeout=60)[0]) == [*range(STEPS)]
    with start(broken, "--pace", "0.1") as app:
        assert app.stdout is not None
        lines = [app.stdout.readline() for _ in range(step + 1)]
        app.kill()
        lines += app.stdout.readlines()
    first = saved("".join(lines))
    assert step in first
    assert len(first) < STEPS
    with start(broken) as app:
        second = saved(app.communicate(timeout=60)[0])
    # What was saved and not said when it was killed may lie between.
    assert second == [*range(second[0], STEPS)]
    assert second[0] - first[-1] in (1, 2)
    assert last_state(broken) == last_state(whole)


def test_once_finished_it_only_shows_the_report(tmp_path: Path) -> None:
    for steps in ([*range(STEPS)], []):
        with start(tmp_path) as app:
            printed = app.communicate(timeout=60)[0]
        assert app.returncode == 0
        assert saved(printed) == steps
        assert "Review of LICENSE: Apache License, Version 2.0" in printed
