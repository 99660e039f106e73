"""Runs `persistry.conformance` on one of Burr's persisters, as its users would."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persistry.conformance.results import SURPLUS
from tests.servers.processes import launch

from .persisters import ENDED, Compared

# Of each run, the form that is left as Burr has it, and its cases: all, and those about that form.
RUNS: list[tuple[str, list[str]]] = [
    ("", []),
    ("records", ["--point", "7"]),
    ("errors", ["--point", "8"]),
]
# Whether these fail is a matter of luck, too: they are run three times.
RACES = ["racing", "many_share", "many_write", "many_calls", "many_persisters", "at_once", "turns"]
AGAIN = [("", [part for text in RACES for part in ("--case", text)])] * 2
WORST = ("failed", "not run", "gap", "passed")


class RunFailed(Exception):
    """The command could not be run."""


@dataclass
class Held:
    """What became of the cases on one persister."""

    persister: Compared
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: what `persistry.conformance --json` says of it."""
    versions: dict[str, str] = field(default_factory=dict)


def hold(persister: Compared, chosen: Sequence[str], limit: float) -> Held:
    """Hold a persister to the promise; a case that fails in any run fails."""
    held = Held(persister)
    for form, cases in RUNS if chosen else RUNS + AGAIN:
        report = _report(persister, form, [*cases, *chosen], limit)
        held.versions |= report.get("versions", {})
        for name, case in report.get("cases", {}).items():
            if case["message"] == SURPLUS:  # kept, though no interface of Burr's asks for it
                case["outcome"] = "gap"
            before = held.cases.get(name, case)
            held.cases[name] = min(before, case, key=lambda it: WORST.index(it["outcome"]))
    return held


def _report(persister: Compared, form: str, chosen: list[str], limit: float) -> dict[str, Any]:
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
            if "no case is chosen" in said:
                return {}
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
