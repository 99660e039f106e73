"""Runs `persistry.conformance` on one of Burr's persisters, as its users would."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persistry.conformance.results import SURPLUS
from tests.servers.processes import launch

from .persisters import ENDED, Compared

# Whether these fail is a matter of luck, too: they are run three times.
RACES = ["racing", "many_share", "many_write", "many_calls", "many_persisters", "at_once", "turns"]


def _races(name: str, points: list[int]) -> bool:
    return any(text in name for text in RACES)


# After the run of all cases, what was kept once more: which form is left as Burr has it, for which.
LATER: list[tuple[str, Callable[[str, list[int]], bool]]] = [
    ("records", lambda name, points: 7 in points),
    ("errors", lambda name, points: 8 in points),
    ("", _races),
    ("", _races),
]
WORST = ("failed", "not run", "gap", "passed")


class RunFailed(Exception):
    """The command could not be run."""


@dataclass
class Held:
    """What became of the cases on one persister."""

    persister: Compared
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: what `persistry.conformance --json` says of it."""

    def add(self, report: dict[str, Any]) -> None:
        """Take over the worst that a case has shown."""
        for name, case in report["cases"].items():
            if case["message"] == SURPLUS:  # kept, though no interface of Burr's asks for it
                case["outcome"] = "gap"
            before = self.cases.get(name, case)
            self.cases[name] = min(before, case, key=lambda it: WORST.index(it["outcome"]))


def hold(persister: Compared, chosen: Sequence[str], limit: float) -> Held:
    """Hold a persister to the promise; a case that fails in any run fails."""
    held = Held(persister)
    held.add(_report(persister, "", chosen, limit))
    for form, concerns in LATER:
        cases = [name for name, it in held.cases.items() if it["outcome"] == "passed"]
        again = [name for name in cases if concerns(name, held.cases[name]["points"])]
        if again:
            arguments = [part for name in again for part in ("--case", name)]
            held.add(_report(persister, form, arguments, limit))
    return held


def _report(persister: Compared, form: str, chosen: Sequence[str], limit: float) -> dict[str, Any]:
    """The report of one run, begun anew without the case that ended its process."""
    with tempfile.TemporaryDirectory() as folder:
        journal, report = Path(folder, "journal"), Path(folder, "report.json")
        ended: dict[str, str] = {}
        while True:
            journal.write_text("".join(f"{ENDED}{name}\n" for name in ended), "utf-8")
            command = ["/usr/bin/env", f"PYTHONPATH={os.pathsep.join(filter(None, sys.path))}"]
            command += [f"COMPARED_FORM={form}", f"COMPARED_JOURNAL={journal}"]
            command += [sys.executable, "-m", "persistry.conformance", persister.address]
            command += ["--json", str(report), "--limit", f"{limit:g}", "-q", *chosen]
            why, said = _run(command, journal, 6 * limit)
            if not why:
                break
            case = journal.read_text("utf-8").splitlines()[-1:]
            if not case or case[0].startswith(ENDED):
                raise RunFailed(f"{persister.name}: {why}: {said}")
            ended[case[0]] = why
        if not report.stat().st_size:
            raise RunFailed(f"{persister.name}: {said}")
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    for name, why in ended.items():
        found["cases"][name] |= {"outcome": "failed", "message": why}
    return found


def _run(command: list[str], journal: Path, limit: float) -> tuple[str, str]:
    """Run the command: how its process was ended, if it did not end by itself; what it said."""
    with tempfile.TemporaryFile() as said:
        started = launch(command, journal.parent, said, None)  # it ends with this process
        why = ""
        try:
            while (code := started.poll()) is None:
                time.sleep(0.1)
                if time.time() - journal.stat().st_mtime > limit:
                    why = "did not answer, nor could it be ended"
                    break
        finally:
            started.kill()
            started.wait()
        if code is not None and code < 0:
            why = f"the process crashed: {signal.Signals(-code).name}"
        said.seek(0)
        return why, said.read().decode("utf-8", "replace").strip()
