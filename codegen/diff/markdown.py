"""The changes, and what they lead to, as Markdown for the summary of a pull request's checks."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from .beside import marked
from .change import HAPPENED, IMPACTS, OF_ANOTHER, WHO, Change, Diff, Gate
from .effects import Effects, File, Record, Statement, Touched

# A summary ends at 1 MiB; one text in it is cut where nobody reads on.
_MOST = 1_000_000
_LINES = 200
_COLUMNS = 500
_FILES = 100

MARKS = {"breaking": "🔴", "migration": "🟠", "behaviour": "🟡", "safe": "🟢"}


def render(diff: Diff, effects: Effects) -> str:
    return _within(list(_blocks(diff, effects)), diff)


def _within(blocks: list[str], diff: Diff) -> str:
    """As many blocks as there is room for; each can stand without those behind it."""
    room = _MOST
    for number, it in enumerate(blocks):
        room -= len(it.encode()) + 1
        if room < 0:
            command = _code(f"make diff BASE={diff.base} FORMAT=html")
            left = f"**{len(blocks) - number} parts more would be too long for this summary:** "
            return "\n".join([*blocks[:number], f"{left}{command} shows them all.\n"])
    return "\n".join(blocks)


def _blocks(diff: Diff, effects: Effects) -> Iterator[str]:
    yield f"## {'✅' if diff.passes else '❌'} Spec review: {diff.verdict}\n"
    against = f"Against {_code(diff.base)} ({diff.commit[:7]})"
    if not diff.changes:
        yield f"{against}: nothing that the spec says has changed.\n"
    else:
        yield f"{against}:\n"
        yield _counts(diff)
    yield from _notes(diff)
    yield from _gates(diff.gates)
    for impact in IMPACTS[:-1]:
        found = [it for it in diff.changes if it.impact == impact]
        if found:
            yield f"### {MARKS[impact]} {impact.capitalize()}: {WHO[impact]}\n"
            yield from (_change(it, diff.base) for it in found)
    safe = [it for it in diff.changes if it.impact == "safe"]
    if safe:
        listed = "\n".join(_change(it, diff.base) for it in safe)
        yield _fold(f"{MARKS['safe']} Safe, {len(safe)}: nobody is hit", listed)
    yield from _effects(effects)


def _counts(diff: Diff) -> str:
    lines = ["| class | who is hit | changes |", "|---|---|---:|"]
    for impact, count in diff.counted().items():
        lines.append(f"| {MARKS[impact]} {impact} | {WHO[impact]} | {count or '-'} |")
    return "\n".join(lines) + "\n"


def _notes(diff: Diff) -> Iterator[str]:
    if diff.notes:
        yield f"> {_code(diff.base)} {OF_ANOTHER}:\n>"
        yield "\n".join(f"> - {_code(it.path)}: {_code(it.text)}" for it in diff.notes) + "\n"


def _gates(gates: Iterable[Gate]) -> Iterator[str]:
    lines = []
    for it in sorted(gates, key=lambda it: it.met):
        todo = f"\\\n  **To do:** {_prose(it.todo)}" if it.todo else ""
        mark = "✅" if it.met else "❌"
        lines.append(f"- {mark} **{_prose(it.title)}**: {_prose(it.reason)}{todo}")
    if lines:
        yield "### Gates\n"
        yield "\n".join(lines) + "\n"


def _change(it: Change, base: str) -> str:
    lines = [_place(it, base), "", _fenced(marked_of(it), "diff"), ""]
    if it.affects:
        lines.append(f"In {', '.join(map(_code, it.affects))}.")
    passes = "" if it.impact == "safe" else f" **To pass:** {_prose(it.passes)}."
    lines.append(f"{_prose(it.why)}{passes}")
    return "\n".join(lines) + "\n"


def _place(it: Change, base: str) -> str:
    place = f"{_code(str(it.place))}{f' in {_code(base)}' if it.in_base else ''}"
    return f"**{_code(it.rule)}** {_code(it.path)} {HAPPENED[it.kind]}, {place}"


def marked_of(it: Change) -> list[str]:
    """What was there and what is, as lines with signs."""
    if it.kind == "moved" and it.before == it.after:
        return [f"  {line}" for line in (it.after or "").split("\n")]
    return marked(it.before, it.after)


# What the changes lead to


def _effects(effects: Effects) -> Iterator[str]:
    if effects.problem:
        yield "### Generated files\n"
        yield f"They cannot be compared:\n\n{_fenced(effects.problem.split(chr(10)), 'text')}\n"
    if effects.backends:
        each = (f"{_code(it.backend)}{_modules(it, effects)}" for it in effects.backends)
        yield f"**Backends touched:** {', '.join(each)}.\n"
    yield from _files(effects.files)
    if effects.statements:
        yield "### Statements, as each driver's module has them\n"
        yield from map(_statement, effects.statements)
    for title, records in (("Plans", effects.plans), ("Locks", effects.locks)):
        if records:
            yield f"### {title}\n"
            yield from map(_record, records)


def _modules(it: Touched, effects: Effects) -> str:
    if effects.problem:  # whether they change nobody knows
        return ""
    return f" ({', '.join(map(_code, it.modules)) or 'no generated module changes'})"


def _files(files: tuple[File, ...]) -> Iterator[str]:
    if files:
        added, removed = sum(it.added for it in files), sum(it.removed for it in files)
        count = "1 file" if len(files) == 1 else f"{len(files)} files"
        lines = ["| file | lines |", "|---|---|"]
        for it in files[:_FILES]:
            what = " (new)" if not it.before else " (gone)" if not it.after else ""
            lines.append(f"| {_code(it.path)}{what} | +{it.added} -{it.removed} |")
        if len(files) > _FILES:
            lines.append(f"| and {len(files) - _FILES} more | |")
        yield _fold(f"Generated: {count}, +{added} -{removed} lines", "\n".join(lines))


def _statement(it: Statement) -> str:
    title = f"<code>{_html(it.name)}</code> of {_html(it.backend)}: {_html(', '.join(it.modules))}"
    return _fold(title, _fenced(marked(it.before, it.after), "diff"))


def _record(it: Record) -> str:
    title = f"<code>{_html(it.path)}</code>: {_html(it.name)}"
    return _fold(title, _fenced(marked(it.before, it.after), "diff"))


# Texts that may hold anything


def _fold(title: str, content: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>\n"


def _html(text: str) -> str:
    return html.escape(" ".join(text.split()))


def _prose(text: str) -> str:
    """A sentence of ours; what it names may hold signs that Markdown has other plans for."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _code(text: str) -> str:
    """A text as it is, between more backticks than it has itself."""
    text = _cut(" ".join(text.split()))
    quote = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{quote}{space}{text}{space}{quote}"


def _fenced(lines: list[str], language: str) -> str:
    shown = [_cut(it) for it in lines[:_LINES]]
    if len(lines) > _LINES:
        shown.append(f"... {len(lines) - _LINES} lines more")
    runs = (len(run) for it in shown for run in re.findall("`+", it))
    quote = "`" * max(3, 1 + max(runs, default=0))
    return "\n".join([f"{quote}{language}", *shown, quote])


def _cut(line: str) -> str:
    return line if len(line) <= _COLUMNS else f"{line[:_COLUMNS]}…"
