"""A small agent that reads a licence, step by step, and survives being killed at any moment.

    python examples/licence_review/agent.py --store sqlite:///review.db LICENSE

Its actions (`review_actions.py`) are plain text analysis: signal words and regular expressions, no
language model. What matters here is `run`: the loop that makes any agent durable.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

from review_actions import ACTIONS

from persistry import BaseStatePersister, PersisterError, State, connect

DEFAULT_DOCUMENT = Path(__file__).resolve().parents[2] / "LICENSE"


def run(
    persister: BaseStatePersister,
    document: str,
    run_id: str,
    first_state: State,
    *,
    pace: float = 0.0,
    tell: Callable[[str], None] = lambda line: print(line, flush=True),
) -> State:
    """Go on where this run was, until nothing is left to do; return the last state.

    Whatever an action learns, and what is still to be done, is in the state; nothing else has to be
    remembered. So loading the newest record is all that resuming takes.
    """
    # ---- durable, part 1: where was I? ---------------------------------------------------------
    record = persister.load(document, run_id)
    state, step = first_state, 0
    if record is not None:
        state, step = record["state"], record["sequence_id"] + 1
        tell(f"found step {step - 1}, {record['position']}, {record['status']}: resuming after it")
    # --------------------------------------------------------------------------------------------

    while state["todo"]:
        task = state["todo"][0]
        action = task.split()[0]
        tell(f"step {step:2}  began   {task}")
        # ---- durable, part 2: keep what each step gave, or that it failed ----------------------
        try:
            after = act(state, pace)
        except Exception:
            # With the state as it was before: the next start finds this task still to be done.
            persister.save(document, run_id, step, action, state, "failed")
            raise
        persister.save(document, run_id, step, action, after, "completed")
        state, step = after, step + 1
        # ----------------------------------------------------------------------------------------
        tell(f"step {step - 1:2}  saved   {task}")
    return state


def act(state: State, pace: float = 0.0) -> State:
    """Take the first task off the list and do it; return the new state (the old one never changes).

    `pace` makes each action last that many seconds longer, so that there is time to kill it.
    """
    name, _, subject = state["todo"][0].partition(" ")
    after = ACTIONS[name](state.update(todo=state["todo"][1:]), subject)
    # The work is done and nobody has heard of it yet: the worst moment to die.
    time.sleep(pace)
    return after


def begin(document: str, text: str) -> State:
    """Return the state of a review that has not begun: the text itself, and one task, to plan."""
    return State({"document": document, "text": text, "todo": ["plan"]})


def default_run_id(text: str) -> str:
    """Name the run after the text: a text that was changed is then a new run, not a resumed one."""
    return f"review-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Review a licence text: its rights, duties, and what ends it. Every step is "
        "stored; start it again with the same arguments and it goes on where it was.",
    )
    parser.add_argument(
        "document",
        nargs="?",
        type=Path,
        default=DEFAULT_DOCUMENT,
        help="a licence as plain text (default: this project's own LICENSE)",
    )
    parser.add_argument(
        "--store",
        default="sqlite:///review.db",
        metavar="URL",
        help="where to keep the steps: sqlite:///review.db, redis://localhost:6379/0, memory:// "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--run", metavar="NAME", help="name of this run (default: made from the text's hash)"
    )
    parser.add_argument(
        "--pace",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="make every step last this much longer (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    if options.pace < 0:
        parser.error("--pace: not below 0")
    try:
        text = options.document.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        parser.error(f"cannot read {options.document}: {problem}")

    document = options.document.name
    run_id = options.run or default_run_id(text)
    again = "Start it again with the same arguments to go on."
    try:
        store = connect(options.store)
    except (ImportError, ValueError) as problem:
        parser.error(f"--store: {problem}")
    try:
        with store as persister:
            persister.initialize()
            state = run(persister, document, run_id, begin(document, text), pace=options.pace)
    except KeyboardInterrupt:
        print(f"Interrupted. {again}", file=sys.stderr)
        return 130
    except PersisterError as problem:
        print(f"The store: {problem}", file=sys.stderr)
        return 1
    except Exception as problem:
        print(f"The step failed: {type(problem).__name__}: {problem}. {again}", file=sys.stderr)
        return 1
    print(f"\n{state['report']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
