"""Kill the licence review in the middle of a step, start it again, and check that nothing is lost.

    python examples/licence_review/demo.py

It takes a few seconds, cleans up after itself, and ends with a status other than 0 if the resumed
run differs in anything but its times from a run that nobody interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

try:
    from rich import box
    from rich.console import Console
    from rich.table import Table
except ImportError:
    sys.exit("The demo prints its table with rich: pip install rich")

import agent

from persistry import BaseStatePersister, PersistedStateData, PersisterError, State, connect

AGENT = Path(agent.__file__)
# What the agent prints when it begins a step, and when the store has acknowledged it.
PROGRESS = re.compile(r"step +(\d+)  (began|saved) +(.+)")
# Longer than any sound run takes: a demo that hangs is a demo that failed.
TIME_LIMIT = 60.0
# The exit status of a process that was killed.
KILLED = -signal.SIGKILL if os.name == "posix" else 1


class DemoFailedError(Exception):
    """Something did not come out as promised; the message says what."""


@dataclass
class Run:
    """What one process of the agent did, as far as it told before it ended."""

    process_id: int
    status: int = 0
    began: dict[int, str] = field(default_factory=dict)
    acknowledged: dict[int, str] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)


def run_agent(arguments: list[str], *, pace: float, kill_at: int | None = None) -> Run:
    """Run the agent as a process of its own; kill it once it has begun the given step."""
    process = subprocess.Popen(
        [sys.executable, str(AGENT), "--pace", str(pace), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    stdout = process.stdout
    assert stdout is not None
    run = Run(process.pid)
    watchdog = threading.Timer(TIME_LIMIT, process.kill)
    watchdog.start()
    try:
        for line in stdout:
            run.output.append(line.rstrip("\n"))
            if match := PROGRESS.fullmatch(run.output[-1]):
                step, what, task = int(match[1]), match[2], match[3]
                (run.began if what == "began" else run.acknowledged)[step] = task
                if what == "began" and step == kill_at:
                    time.sleep(pace / 4)
                    process.kill()  # SIGKILL: no handler runs, nothing is flushed or closed
        run.status = process.wait()
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        stdout.close()
    return run


def read_steps(
    persister: BaseStatePersister, document: str, run_id: str
) -> list[PersistedStateData]:
    """Load all records of a run, first to last, with nothing but the persister's own `load`."""
    latest = persister.load(document, run_id)
    records = []
    for sequence_id in range(0 if latest is None else latest["sequence_id"] + 1):
        record = persister.load(document, run_id, sequence_id)
        if record is None:
            raise DemoFailedError(f"step {sequence_id} is missing in the store")
        records.append(record)
    return records


def demonstrate(console: Console, store: str, document: Path, pace: float, kill_at: int) -> None:
    """Run, kill, look, resume, compare; raise if anything is not as promised."""
    # A name of its own for each demonstration: in a store that is kept, earlier ones do not matter.
    run_id = f"demo-{secrets.token_hex(3)}"
    arguments = ["--store", store, "--run", run_id, str(document)]

    def say(text: str = "") -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say(
        f"1. The agent reviews {document.name}, in a process of its own, and is killed in step"
        f" {kill_at}."
    )
    first = run_agent(arguments, pace=pace, kill_at=kill_at)
    if kill_at not in first.began:
        if first.status == 0 and first.began:
            raise DemoFailedError(
                f"step {kill_at}? The agent was done with step {max(first.began)}"
            )
        raise DemoFailedError(f"the agent never began step {kill_at}:\n" + tail(first))
    for step, task in first.began.items():
        state = "saved" if step in first.acknowledged else "began, never saved"
        if step in (0, 1) or step >= kill_at - 1:
            say(f"     step {step:2}  {task:<22} {state}")
        elif step == 2:
            say("     ...")
    say(f"     process {first.process_id} is gone (status {first.status})")

    with connect(store) as persister:
        persister.initialize()
        say("\n2. What the store holds now:")
        before = read_steps(persister, document.name, run_id)
        if before:
            last = before[-1]
            say(
                f"     {len(before)} steps; the latest is step {last['sequence_id']},"
                f" {last['position']}, {last['status']};"
            )
            say(
                f"     its state still has {len(last['state']['todo'])} tasks to do, first:"
                f" {last['state']['todo'][0]}"
            )
        else:
            say("     nothing yet: the agent was killed before its first step was saved")

        say("\n3. The same command again:")
        second = run_agent(arguments, pace=pace)
        if second.status != 0 or not second.began:
            raise DemoFailedError("the agent did not finish when started again:\n" + tail(second))
        resumed, task = next(iter(second.began.items()))
        say(
            f"     process {second.process_id} resumed at step {resumed}, {task},"
            f" and finished with step {max(second.began)}"
        )
        after = read_steps(persister, document.name, run_id)

    say(f"\n4. What was stored, step by step (0 secs is {after[0]['created_at']}):")
    console.print(table_of(after, resumed))

    say("5. Does it hold? (compared with the same review, uninterrupted, in memory)")
    checks = compare(first, second, before, after, uninterrupted(document, run_id))
    for holds, claim in checks:
        say(f"     {'yes' if holds else 'NO '}  {claim}")
    if broken := [claim for holds, claim in checks if not holds]:
        raise DemoFailedError("this does not hold: " + "; ".join(broken))

    say("\n6. And this is what the agent found:\n")
    say(after[-1]["state"]["report"])


def uninterrupted(document: Path, run_id: str) -> list[PersistedStateData]:
    """Run the same review in one go, in this process and in another store, and return its steps."""
    text = document.read_text(encoding="utf-8")
    with connect("memory://") as persister:
        persister.initialize()
        first_state = agent.begin(document.name, text)
        agent.run(persister, document.name, run_id, first_state, tell=lambda line: None)
        return read_steps(persister, document.name, run_id)


def compare(
    first: Run,
    second: Run,
    before: list[PersistedStateData],
    after: list[PersistedStateData],
    straight: list[PersistedStateData],
) -> list[tuple[bool, str]]:
    """Return each claim of the demonstration, and whether it holds."""
    interrupted = len(before)
    # On a very slow machine the kill may come late, between two steps; nothing else changes then.
    moment = f"in the middle of step {interrupted}" if interrupted in first.began else "at a save"
    return [
        (first.status == KILLED, f"the first process was killed {moment}"),
        (
            max(first.acknowledged, default=-1) < interrupted,
            f"each of the {len(first.acknowledged)} steps that were acknowledged is in the store",
        ),
        (
            min(second.began) == interrupted,
            f"the second process resumed at step {interrupted}; no stored step was done again",
        ),
        (
            after[:interrupted] == before,
            "the steps from before the kill are unchanged, their times too",
        ),
        (
            len(after) == len(straight) and all(r["status"] == "completed" for r in after),
            f"steps 0 to {len(straight) - 1} are all there, all completed",
        ),
        (
            without_times(after) == without_times(straight),
            f"all {len(straight)} states equal those of the uninterrupted run",
        ),
    ]


def without_times(records: list[PersistedStateData]) -> list[str]:
    """Return the records as text without `created_at`, the one thing that may differ."""
    return [
        json.dumps({**record, "created_at": None, "state": dict(record["state"])})
        for record in records
    ]


def table_of(records: list[PersistedStateData], resumed: int) -> Table:
    """Show each record: what it changed, when, in which run, and how large its state is."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("no", justify="right", no_wrap=True)
    table.add_column("action", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("todo", justify="right", no_wrap=True)
    table.add_column("changed in the state")
    table.add_column("secs", justify="right", no_wrap=True)
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("bytes", justify="right", no_wrap=True)
    start = datetime.fromisoformat(records[0]["created_at"])
    before = State({})
    for step, record in enumerate(records):
        state = record["state"]
        passed = datetime.fromisoformat(record["created_at"]) - start
        table.add_row(
            str(record["sequence_id"]),
            record["position"],
            record["status"],
            str(len(state["todo"])),
            changes(before, state),
            f"{passed.total_seconds():.3f}",
            "1st" if step < resumed else "2nd",
            str(len(json.dumps(dict(state)).encode())),
            end_section=step + 1 == resumed,
        )
        before = state
    return table


def changes(before: State, after: State) -> str:
    """Describe in a few words what a step changed, apart from the list of tasks."""
    words = []
    for name, value in after.items():
        old = before.get(name)
        if name == "todo" or (name in before and old == value):
            continue
        if isinstance(value, list | dict):
            more = len(value) - len(old or ())
            words.append(f"{name} {more:+}" if more else name)
        elif isinstance(value, str) and len(value) > 20:
            words.append(name)
        else:
            words.append(f"{name}={value}")
    return ", ".join(words)


def tail(run: Run) -> str:
    """Return the end of what a process printed."""
    return "\n".join(run.output[-8:])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Kill an agent in the middle of a step, resume it, and check that it ends as "
        "if nothing had happened."
    )
    parser.add_argument(
        "document",
        nargs="?",
        type=Path,
        default=agent.DEFAULT_DOCUMENT,
        help="the licence text to review (default: this project's own LICENSE)",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--store",
        metavar="URL",
        help="a store that other processes can open too, for example redis://localhost:6379/0 "
        "(default: an SQLite file in a temporary folder)",
    )
    where.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="put the SQLite file here, and leave it there"
    )
    parser.add_argument(
        "--kill-at",
        type=int,
        default=7,
        metavar="STEP",
        help="the step in which to kill the agent (default: %(default)s)",
    )
    parser.add_argument(
        "--pace",
        type=float,
        default=0.1,
        metavar="SECONDS",
        help="how long a step lasts (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.kill_at < 0 or options.pace <= 0:
        parser.error("--kill-at must not be below 0, and --pace must be above 0")
    if options.store and options.store.startswith("memory:"):
        parser.error(
            "--store: what is in memory dies with the process, and killing it is the point"
        )
    if not options.document.is_file():
        parser.error(f"there is no file {options.document}")

    console = Console(width=min(Console().width, 100))
    with ExitStack() as stack:
        store = options.store
        if store is None:
            folder = options.keep
            if folder is None:
                temporary = tempfile.TemporaryDirectory(prefix="licence-review-")
                folder = Path(stack.enter_context(temporary))
            folder.mkdir(parents=True, exist_ok=True)
            store = f"sqlite:///{quote((folder / 'review.db').resolve().as_posix())}"
        try:
            demonstrate(console, store, options.document, options.pace, options.kill_at)
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return 130
        except (DemoFailedError, PersisterError) as problem:
            print(f"\nThe demo failed: {problem}", file=sys.stderr)
            return 1
        if options.keep:
            console.print(f"\nThe store is kept in {options.keep}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
