"""The licence review once more, as an application of Apache Burr that survives being killed.

    python examples/burr_review/app.py LICENSE

The actions are those of `examples/licence_review`, the loop is Burr's. Kill it at any moment and
start it again: it goes on with the step it was in, from the state that its persister kept.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from burr.core import Application, ApplicationBuilder, Condition, State, action

# Burr's own would be `from burr.core.persistence import SQLitePersister`; no other line changes.
from persistry.burr import SQLitePersister

REVIEW = Path(__file__).resolve().parents[1] / "licence_review"
sys.path.append(str(REVIEW))
from review_actions import ACTIONS  # noqa: E402

LEARNT = ["title", "sections", "terms", "findings", "undefined", "unused", "small", "references"]
LEARNT += ["dangling", "endings", "summary", "report"]
FIELDS = ["document", "text", "todo", *LEARNT]


def acting(name: str, pace: float) -> Any:
    """An action of Burr's: take the first task off the list and do it."""

    @action(reads=FIELDS, writes=FIELDS)
    def act(state: State[Any]) -> State[Any]:
        subject = state["todo"][0].partition(" ")[2]
        work: Callable[..., Any] = ACTIONS[name]
        after = work(state.update(todo=state["todo"][1:]), subject)
        # The work is done and nobody has heard of it yet: the worst moment to die.
        time.sleep(pace)
        return after

    return act


def application(persister: SQLitePersister, path: Path, pace: float = 0.0) -> Application[Any]:
    """The review of a text, begun or gone on with: the persister knows which."""
    text = path.read_text(encoding="utf-8")
    first = {"document": path.name, "text": text, "todo": ["plan"]}
    nothing = {name: [] if name == "endings" else None for name in LEARNT}
    following = {
        name: Condition.expr(f"bool(todo) and todo[0].split()[0] == {name!r}") for name in ACTIONS
    }
    return (
        ApplicationBuilder()
        .with_actions(**{name: acting(name, pace) for name in ACTIONS})
        .with_transitions(*[(list(ACTIONS), name, when) for name, when in following.items()])
        .with_identifiers(app_id="review", partition_key=path.name)
        .initialize_from(
            persister,
            resume_at_next_action=True,
            default_state=first | nothing,
            default_entrypoint="plan",
        )
        .with_state_persister(persister)
        .build()
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Review a licence text, step by step.")
    parser.add_argument("document", type=Path, help="a licence as plain text")
    parser.add_argument("--store", default="review.db", help="a file (default: %(default)s)")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds that each step is longer")
    options = parser.parse_args()

    with SQLitePersister.from_values(options.store) as persister:
        persister.initialize()
        app = application(persister, options.document, options.pace)
        while app.has_next_action():
            done, _, _ = app.step()
            print(f"step {app.sequence_id:2}  saved  {done.name}", flush=True)
        print(f"\n{app.state['report']}")


if __name__ == "__main__":
    main()
