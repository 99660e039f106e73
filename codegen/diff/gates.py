"""What each class of changes has to come with, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import ir
from ..locking import SUFFIX, Lock, Place, locks
from ..nodes import place_of, plain
from ..pipeline import Written
from ..problems import Report
from ..resolve.generations import migrates
from ..source import load
from .change import Change, Gate, Impact, Note

INTERFACE = "spec/interface.yaml"
# What shows the same data giving another answer: a scenario that is gone shows nothing.
_SHOWN_BY = ("scenario-added", "scenario-steps-changed", "scenario-expectation-changed")


@dataclass(frozen=True)
class Side:
    """One of the two specs."""

    root: Path
    project: ir.Project | None
    """None if this generator makes nothing of it any more."""
    written: Written
    notes: tuple[Note, ...] = ()

    def stored(self, backend: str | None) -> Any:
        """What a backend says of its stored format; None if it stores nothing, or is not there."""
        found = [it for it in self.written.backends if it.backend == backend]
        return getattr(found[0], "stored", None) if found else None

    def released(self, backend: str, before: Side) -> Lock | None:
        """The lock of a backend, if there is one: that of the base, since one that is made anew in
        the same change would say of anything that it was released."""
        for root in (before.root, self.root):
            place = Place(root, "spec/locks", "make lock")
            found = locks(self.written.backends, place, Report())  # `check` tells of broken ones
            lock = next((it for it in found if it.now.backend == backend and it.before), None)
            if lock is not None:
                return lock
        return None

    def locked(self, backend: str) -> Any:
        """What the lock of a backend says here; None if there is none."""
        return recorded(self.root, f"spec/locks/{backend}{SUFFIX}")

    def source(self, backend: str) -> str:
        """Where the generation of a backend stands: in its file, or in that of one it is like."""
        model = next(it for it in self.written.backends if it.backend == backend)
        return place_of(getattr(self.stored(backend), "generation", None), model.span).path


def passes(impact: Impact, backend: str | None) -> str:
    """What a change of this class has to come with."""
    if impact == "breaking":
        return f"a higher `version` in {INTERFACE}"
    if impact == "migration":
        return "a higher `stored.generation`, and a migration in `stored.migrations` to it"
    if impact == "behaviour":
        plans = _plans(backend) if backend else "spec/plans/"
        return f"a scenario in spec/conformance/ that shows it, new or changed; or another {plans}"
    return "nothing"


def gates(changes: Sequence[Change], before: Side, after: Side) -> tuple[Gate, ...]:
    found = []
    for (impact, backend), count in _counted(changes):
        if impact == "breaking":
            found.append(_breaking(count, before, after))
        elif impact == "migration" and backend is not None:
            found.append(_migration(backend, count, before, after))
        elif impact == "behaviour":
            found.append(_behaviour(backend, count, changes, before, after))
    asked = {it.backend for it in found if it.impact == "migration"}
    return (*found, *(it for it in _released_no_more(before, after) if it.backend not in asked))


def _released_no_more(before: Side, after: Side) -> Iterator[Gate]:
    """Locks that are gone, or made anew: from then on another format may be what was released. It
    is right where no release has that generation, which the reviewer knows."""
    for name in (str(it.backend) for it in after.written.backends):
        was, now = before.locked(name), after.locked(name)
        if was is None or was == now or (now and now["generation"] != was["generation"]):
            continue
        happened = f"spec/locks/{name}{SUFFIX} is {'made anew' if now else 'gone'}"
        right = f"which is right only where no release has generation {was['generation']}"
        yield Gate("migration", name, 0, True, f"{happened}, {right}", "")


def _counted(changes: Iterable[Change]) -> list[tuple[tuple[Impact, str | None], int]]:
    """Whoever breaks callers does so for all of the interface; all else is asked of each store."""
    found: dict[tuple[Impact, str | None], int] = {}
    for it in changes:
        key = it.impact, None if it.impact == "breaking" else it.backend
        found[key] = found.get(key, 0) + 1
    return list(found.items())


def _breaking(count: int, before: Side, after: Side) -> Gate:
    was, now = before.written.interface.version, after.written.interface.version
    met = now > was
    reason = f"the interface's version is {now}" + (f", after {was}" if met else ", as it was")
    if now < was:
        reason = f"the interface's version is {now}, and was {was}"
    todo = "" if met else f"write `version: {was + 1}` in {INTERFACE}, or keep what callers use"
    return Gate("breaking", None, count, met, reason, todo)


def _migration(backend: str, count: int, before: Side, after: Side) -> Gate:
    """What nobody has stored in yet may change as it likes: what counts is the format that was
    released last, as the lock has it; without a lock, that of the base."""
    stored, released = after.stored(backend), after.released(backend, before)
    base = before.stored(backend)
    if released is not None:
        known, said = released.last, "was released last"
    else:
        known, said = 0 if base is None else int(base.generation), "the base has"
    now = 0 if stored is None else int(stored.generation)

    def gate(met: bool, reason: str, todo: str = "") -> Gate:
        return Gate("migration", backend, count, met, reason, todo)

    if released is not None and now == known and not released.forbidden:
        return gate(True, f"what is stored is what was released as generation {known}")
    file = after.source(backend)
    keep = "keep what is stored: another library made this layout and goes on with it"
    if now <= known:
        todo = f"write `generation: {known + 1}`, and a migration to {known + 1}, in {file}"
        reason = f"stored.generation is {now}, and {known} is what {said}"
        was = before.locked(backend)
        if was is not None and was != after.locked(backend):
            lock = f"spec/locks/{backend}{SUFFIX}"
            reason += f"; the base has another {lock}"
            todo = f"put back that lock; {todo}"
        return gate(False, reason, f"{todo}; or keep what is stored" if migrates(stored) else keep)
    if released is not None and released.forbidden:
        what = f"{released.forbidden[0].fact.title} is not what was released as generation {known}"
        return gate(False, f"stored.generation is {now}, and {what}", f"undo that in {file}")
    led = {int(it.to) for it in getattr(stored, "migrations", ())}
    missing = [it for it in range(known + 1, now + 1) if it not in led]
    if not missing:
        return gate(True, f"a migration leads from generation {known}, which {said}, to {now}")
    reason = f"stored.generation is {now}, and no migration leads to {missing[0]}"
    todo = f"write it under `stored.migrations` in {file}"
    return gate(False, reason, todo if migrates(stored) else keep)


def _behaviour(
    backend: str | None, count: int, changes: Sequence[Change], before: Side, after: Side
) -> Gate:
    shown = [it.path.partition(".")[2].split(".")[0] for it in changes if it.rule in _SHOWN_BY]
    planned = [
        it for it in _plan_files(backend, after) if _content(before, it) != _content(after, it)
    ]
    if shown:
        reason = f"the scenario {shown[0]!r} shows what is promised"
        if len(shown) > 1:
            reason = f"{len(shown)} scenarios show what is promised, {shown[0]!r} first"
    elif planned:
        reason = f"{planned[0]} has another plan"
    else:
        what = f"{_plans(backend)} is" if backend else "the plans are"
        reason = f"no scenario is new or was changed, and {what} as before"
    todo = (
        "write a scenario that shows it, or change the one that does; if only the cost is another, "
        "run `make plans`"
    )
    met = bool(shown or planned)
    return Gate("behaviour", backend, count, met, reason, "" if met else todo)


def _plans(backend: str) -> str:
    return f"spec/plans/{backend}.yaml"


def _plan_files(backend: str | None, side: Side) -> list[str]:
    names = [backend] if backend else [str(it.backend) for it in side.written.backends]
    return [_plans(name) for name in names]


def _content(side: Side, path: str) -> Any:
    return recorded(side.root, path)


def recorded(root: Path, path: str) -> Any:
    """A recorded file, without its comments; None if there is none that can be read."""
    if not (root / path).is_file():
        return None
    node, _ = load(root, path, Report())
    return None if node is None else plain(node)
