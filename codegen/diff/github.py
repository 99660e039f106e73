"""The changes as commands of a GitHub workflow: it shows them on the lines of the pull request."""

from __future__ import annotations

from collections.abc import Iterator

from .change import HAPPENED, IMPACTS, OF_ANOTHER, Change, Diff

# What GitHub shows of each kind, in one step.
_MOST = 10
_LEVELS = ("error", "warning", "notice")


def render(diff: Diff) -> str:
    """Errors are changes whose gate is not met, notices those that nobody is hit by."""
    found: dict[str, list[Change]] = {level: [] for level in _LEVELS}
    for it in diff.changes:
        found[_level(it, diff)].append(it)
    lines = (line for level, those in found.items() for line in _some(level, those, diff))
    return "".join(f"{line}\n" for line in (*_notes(diff), *lines))


def _notes(diff: Diff) -> Iterator[str]:
    if diff.notes:
        text = "\n".join(f"{it.path}: {it.text}" for it in diff.notes)
        yield f"::notice title={_property(f'{diff.base} {OF_ANOTHER}')}::{_data(text)}"


def _level(it: Change, diff: Diff) -> str:
    gate = diff.gate(it)
    if gate is not None and not gate.met:
        return "error"
    return "notice" if it.impact == "safe" else "warning"


def _some(level: str, those: list[Change], diff: Diff) -> Iterator[str]:
    room = _MOST - bool(diff.notes and level == "notice")
    shown = those if len(those) <= room else those[: room - 1]
    for it in shown:
        yield _command(level, it, diff)
    if left := those[len(shown) :]:
        counts = (f"{sum(it.impact == impact for it in left)} {impact}" for impact in IMPACTS)
        what = ", ".join(it for it in counts if not it.startswith("0 "))
        text = f"{what}: shown in the summary of the job, and by `make diff BASE={diff.base}`"
        yield f"::{level} title={_property(f'{len(left)} more changes')}::{_data(text)}"


def _command(level: str, it: Change, diff: Diff) -> str:
    where = {"file": it.place.path}
    if not it.in_base:  # a line of the base may be any other line now
        where |= {"line": str(it.place.line), "col": str(it.place.column)}
    where["title"] = f"{it.impact}: {it.rule}"
    place = ",".join(f"{name}={_property(text)}" for name, text in where.items())
    return f"::{level} {place}::{_data(_message(it, diff))}"


def _message(it: Change, diff: Diff) -> str:
    was = f" (line {it.place.line} in {diff.base})" if it.in_base else ""
    lines = [f"{it.path} {HAPPENED[it.kind]}{was}. {it.why}"]
    gate = diff.gate(it)
    if gate is not None:
        lines.append(
            f"Gate met: {gate.reason}." if gate.met else f"{gate.reason}. To do: {gate.todo}."
        )
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
