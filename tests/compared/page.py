"""Writes docs/compared-with-burr.md out of the results, and reads the cases there again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from persistry.conformance.columns import OPTIONAL
from persistry.conformance.support.promise import POINTS

from .defects import DEFECTS
from .offered import NOT_OFFERED
from .running import Held

DOCS = Path(__file__).parents[2] / "docs"
PAGE, MOVING = DOCS / "compared-with-burr.md", DOCS / "burr.md"

KEPT, BROKEN, LACKING, FOREIGN = "✓", "✗", "–", ""  # noqa: RUF001
# Of the traits that a case may need, those that are operations of the persister.
OPERATIONS = re.compile(rf"trait ({'|'.join(OPTIONAL)})\)")


def verdict(case: dict[str, Any]) -> str:
    """What to show of a case: kept, not kept, not offered, or nothing to do with the store."""
    if case["outcome"] == "passed":
        return KEPT
    if case["outcome"] == "failed":
        return BROKEN
    foreign = "(trait " in case["message"] and not OPERATIONS.search(case["message"])
    return FOREIGN if foreign else LACKING


def table(head: Sequence[str], rows: Iterable[Sequence[str]], names: int = 1) -> Iterator[str]:
    """A table of Markdown, whose first columns are names and all others centred."""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * names + ":-:|" * (len(head) - names)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def by_points(results: Sequence[Held]) -> Iterator[str]:
    """The points of the promise: how many cases each persister keeps, breaks and lacks."""

    def cell(held: Held, cases: Iterable[str]) -> str:
        counts = Counter(verdict(held.cases[name]) for name in cases if name in held.cases)
        judged = " / ".join(str(counts[it]) for it in (KEPT, BROKEN, LACKING))
        return judged if counts.total() - counts[FOREIGN] else ""

    cases = all_cases(results)
    rows = [
        [f"{point} {name}", *(cell(it, at(cases, point)) for it in results)]
        for point, name in POINTS.items()
    ]
    rows.append(["**all, each case once**", *(f"**{cell(it, cases)}**" for it in results)])
    return table(["point", *titles(results)], rows)


def by_defects(results: Sequence[Held]) -> Iterator[str]:
    """What goes wrong, and with which persisters."""
    rows = []
    for defect in DEFECTS:
        shown = [it.cases.get(defect.case) for it in results]
        marks = [BROKEN if case and defect.shows(case) else "" for case in shown]
        if any(marks):
            rows.append([defect.text, f"`{defect.case}`", *marks])
    return table(["what goes wrong", "shown by", *titles(results)], rows, 2)


def by_cases(results: Sequence[Held]) -> Iterator[str]:
    """Every case, at the first of its points."""
    cases = all_cases(results)
    for point, name in POINTS.items():
        rows = [
            [f"`{case}`", *(_mark(held, case) for held in results)]
            for case, points in sorted(cases.items())
            if points[0] == point
        ]
        if rows:
            yield from ["", f"### {point} {name}", ""]
            yield from table(["case", *titles(results)], rows)


def _mark(held: Held, name: str) -> str:
    case = held.cases.get(name)  # a few cases are of one colour only
    return "" if case is None else verdict(case)


def ended(results: Sequence[Held]) -> Iterator[str]:
    """The cases that a time limit or a crash ended."""
    for text, said in {
        "did not answer in time": "did not answer",
        "ended with a crash of the process": "the process crashed",
    }.items():
        found = [
            f"{held.persister.title}: " + ", ".join(f"`{name}`" for name in sorted(names))
            for held in results
            if (names := [it for it, case in held.cases.items() if said in (case["message"] or "")])
        ]
        if found:
            yield from ["", f"These {text}:", "", *(f"- {line}" for line in found)]


def all_cases(results: Sequence[Held]) -> dict[str, list[int]]:
    """The cases with their points."""
    return {name: it["points"] for held in results for name, it in held.cases.items()}


def at(cases: dict[str, list[int]], point: int) -> list[str]:
    """The cases that check this point."""
    return [name for name, points in cases.items() if point in points]


def titles(results: Sequence[Held]) -> list[str]:
    """The heads of the columns."""
    return [it.persister.title for it in results]


def shown(text: str) -> dict[str, list[str]]:
    """The cases of a page, with their marks."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", text.partition("## Every case")[2], re.MULTILINE)
    return {name: [mark.strip() for mark in marks.split("|")] for name, marks in rows}


def page(results: Sequence[Held], versions: Iterable[str], limit: float) -> str:
    """The whole page."""
    reasons: dict[str, list[str]] = {}
    for case, reason in NOT_OFFERED.items():
        reasons.setdefault(reason, []).append(f"`{case}`")
    apart = "\n".join(f"- {', '.join(names)}: {why}." for why, names in reasons.items())
    return (
        TEXT.replace("COUNT", str(len(all_cases(results))))
        .replace("VERSIONS", ", ".join(versions))
        .replace("LIMIT", f"{limit:g}")
        .replace("APART\n", f"{apart}\n")
        .replace("POINTS\n", "\n".join(by_points(results)) + "\n")
        .replace("DEFECTS\n", "\n".join(by_defects(results)) + "\n")
        .replace("ENDED\n", "\n".join(ended(results)).strip() + "\n")
        .replace("CASES\n", "\n".join(by_cases(results)).strip() + "\n")
    )


def measured(text: str, results: Sequence[Held]) -> str:
    """The text of another page, with the points of the promise in the place for them."""
    begin, end = "<!-- measured -->\n", "<!-- end of measured -->\n"
    before, _, rest = text.partition(begin)
    return f"{before}{begin}" + "\n".join(by_points(results)) + f"\n{end}{rest.partition(end)[2]}"


TEXT = (Path(__file__).parent / "page.md").read_text("utf-8")
