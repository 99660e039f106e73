"""What the licence review can do: one function per action, each from a state to a new state.

This is text analysis by signal words ("must", "may not", "shall terminate"): it finds sentences and
sorts them, it does not understand them. All of it is deterministic, so a run that was interrupted
ends exactly as one that was not.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from persistry import State

SECTION = re.compile(r"^[ \t]{0,8}(\d+)\.[ \t]+(?=\S)", re.MULTILINE)
HEADING = re.compile(r"([A-Z][^.\n]{2,60})\.(?=\s)\s*")
END_OF_TERMS = re.compile(r"^[ \t]*END OF TERMS AND CONDITIONS[ \t]*$", re.MULTILINE)
PARAGRAPH = re.compile(r"\S.*?(?=\n[ \t]*\n|\Z)", re.DOTALL)
# Two word characters before the full stop, so that "U.S." and "e.g." end no sentence.
SENTENCE = re.compile(r"\S.*?(?:(?<=[\w)][\w)])\.[\"”]?(?=\s+[\"“(A-Z]|\s*\Z)|\Z)", re.DOTALL)
LIST_MARK = re.compile(r"^(?:\(?[a-z0-9]{1,2}\)|[*-])\s+|;(?: and| or)?$")
DEFINITION = re.compile(
    r"[\"“]([^\"”]+)[\"”](?: \(or [\"“]([^\"”]+)[\"”]\))?[^.,;:\"“”]{0,60}?"
    r" (?:shall mean|means?|refers? to)\b"
)
QUOTED = re.compile(r"[\"“]([A-Z][^\"”]*?)\.?[\"”]")
CAPITALISED = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+(?: [A-Z][a-z]+)*")
REFERENCE = re.compile(r"\b[Ss]ections? (\d+)(?:(?: through | to | and |, )(\d+))?")
CONDITION = re.compile(r"\bIf (.+?), then (.+)")

# These settle a sentence wherever they stand in it ...
DECISIVE = {
    "ending": re.compile(r"\bterminat\w+", re.IGNORECASE),
    "disclaimer": re.compile(
        r"\bwithout (?:any )?warrant\w+|\bno warranty|\bas is\b|\bin no event|\bliable for", re.I
    ),
}
# ... and of these the first to come in a sentence does: "may not" is no "may".
SIGNALS = {
    "limit": r"(?:may|must|shall|can) ?not|does not grant|nothing herein|neither"
    r"|may only|may \w+ only|not (?:permitted|allowed)",
    "duty": r"must|shall|(?:is|are) required to|solely responsible|agrees? to",
    "right": r"may|hereby grants?|(?:is|are) (?:hereby )?(?:granted|permitted)",
}
SIGNAL = re.compile(
    r"\b(?:" + "|".join(f"(?P<{kind}>{words})" for kind, words in SIGNALS.items()) + r")\b", re.I
)
STRUCTURE_WORDS = {"Section", "Sections", "Appendix", "Exhibit", "Article", "Preamble"}
BINDING = re.compile(r"\d+|all|preamble")


# ------------------------------------------------------------------------------------- the actions


def plan(state: State, _: str) -> State:
    """Find the sections and write the list of tasks; later actions may add to it."""
    sections = find_sections(state["text"])
    if not sections:
        raise ValueError(f"there is no text in {state['document']}")
    tasks = [f"read_section {section['number']}" for section in sections]
    return state.update(
        title=find_title(state["text"]),
        sections=sections,
        findings=[],
        terms={},
        todo=[*tasks, "check_terms", "check_refs", "summarise", "write_report"],
    )


def read_section(state: State, number: str) -> State:
    """Read one section: the terms it defines, and every sentence that allows, asks or forbids."""
    section = next(each for each in state["sections"] if each["number"] == number)
    terms = dict(state["terms"])
    findings: list[dict[str, Any]] = []
    for line, sentences in paragraphs(state["text"], section):
        defined = [match for _, sentence in sentences for match in DEFINITION.finditer(sentence)]
        for match in defined:
            terms[match[1]] = {"section": number, "line": line, "also": match[2]}
        # A paragraph that defines a term says what words mean, not what anyone may or must do.
        for at, sentence in [] if defined else sentences:
            if found := classify(sentence):
                kind, signal = found
                findings.append(
                    {
                        "section": number,
                        "line": at,
                        "kind": kind,
                        "signal": signal,
                        "sentence": LIST_MARK.sub("", sentence),
                    }
                )
    todo = state["todo"]
    if any(finding["kind"] == "ending" for finding in findings) and "find_endings" not in todo:
        # What was read changes the plan: a clause that ends the licence gets a look of its own.
        todo = [*todo[: todo.index("summarise")], "find_endings", *todo[todo.index("summarise") :]]
    return state.extend(findings=findings).update(terms=terms, todo=todo, section=number)


def check_terms(state: State, _: str) -> State:
    """Compare the terms that are used with those that are defined."""
    body = " ".join(
        sentence
        for section in binding_sections(state)
        for _, sentences in paragraphs(state["text"], section)
        for _, sentence in sentences
    )
    names = {name for term, entry in state["terms"].items() for name in (term, entry["also"] or "")}
    known = {word for name in names for word in name.split()}
    known |= {f"{word}s" for word in known} | STRUCTURE_WORDS
    candidates = {*QUOTED.findall(body), *CAPITALISED.findall(body)}
    undefined = {
        name: uses
        for name in sorted(candidates)
        if not set(name.split()) <= known and (uses := count(name, body)) > 1
    }
    unused = [term for term in state["terms"] if count(term, body) <= 1]
    # A pronoun that is a defined term means something else when it is written small.
    pronouns = [name for name in ("You", "Your") if name in names]
    small = {name.lower(): lines_of(name.lower(), state) for name in pronouns}
    return state.update(
        undefined=undefined,
        unused=unused,
        small={word: lines for word, lines in small.items() if lines},
    )


def check_refs(state: State, _: str) -> State:
    """Check that every section that the text points to exists."""
    numbers = {section["number"] for section in state["sections"]}
    text = " ".join(state["text"].split())
    targets = {target for match in REFERENCE.finditer(text) for target in match.groups() if target}
    return state.update(
        references=sorted(targets, key=int), dangling=sorted(targets - numbers, key=int)
    )


def find_endings(state: State, _: str) -> State:
    """Take apart the sentences that end the licence: when, and what then."""
    endings = []
    for finding in state["findings"]:
        if finding["kind"] == "ending":
            match = CONDITION.search(finding["sentence"])
            when, then = match.groups() if match else (None, finding["sentence"])
            where = {"section": finding["section"], "line": finding["line"]}
            endings.append({**where, "when": when, "then": then})
    return state.update(endings=endings)


def summarise(state: State, _: str) -> State:
    """Count what was found, in all and for each section."""
    kinds = Counter(finding["kind"] for finding in binding_findings(state))
    sections = Counter(finding["section"] for finding in binding_findings(state))
    return state.update(
        summary={
            "kinds": dict(sorted(kinds.items())),
            "sections": dict(sections),
            "busiest": max(sections, key=lambda number: sections[number]) if sections else None,
        }
    )


def write_report(state: State, _: str) -> State:
    """Write the review, in lines of at most 80 characters."""
    kinds = state["summary"]["kinds"]
    numbered = sum(section["number"].isdigit() for section in state["sections"])
    head = f"Review of {state['document']}: {state['title']}"
    lines = wrap(head)
    lines += ["=" * len(lines[0])]
    lines += wrap(
        f"{numbered} numbered sections, {len(state['terms'])} defined terms. Statements found:"
        f" {kinds.get('right', 0)} of rights, {kinds.get('duty', 0)} of duties,"
        f" {kinds.get('limit', 0)} of limits, {kinds.get('disclaimer', 0)} on warranty and"
        f" liability, {kinds.get('ending', 0)} on what ends it."
    )
    for title, kind in (
        ("What you may do", "right"),
        ("What is asked of you", "duty"),
        ("What it does not allow", "limit"),
        ("No warranty, no liability", "disclaimer"),
    ):
        found = [finding for finding in binding_findings(state) if finding["kind"] == kind]
        lines += part(title, [place(state, each) + shorten(each["sentence"]) for each in found])
    endings = [
        place(state, each)
        + (f"when {shorten(each['when'])} -> " if each["when"] else "")
        + shorten(each["then"])
        for each in state.get("endings", [])
    ]
    lines += part("What ends it", endings)
    lines += part("Worth a second look", remarks(state) or ["nothing"])
    lines += ["", "Sorted by signal words, not by understanding; this is no legal advice."]
    return state.update(report="\n".join(lines))


ACTIONS: dict[str, Callable[[State, str], State]] = {
    "plan": plan,
    "read_section": read_section,
    "check_terms": check_terms,
    "check_refs": check_refs,
    "find_endings": find_endings,
    "summarise": summarise,
    "write_report": write_report,
}


# --------------------------------------------------------------------------------- reading the text


def find_title(text: str) -> str:
    """Return the first lines of the text that belong together, at most two of them."""
    lines = [" ".join(line.split()) for line in text.strip().splitlines()[:2]]
    return ", ".join(line.rstrip(".,") for line in lines if line)


def find_sections(text: str) -> list[dict[str, Any]]:
    """Cut the text into its numbered sections, and what stands before and after them."""
    end_mark = END_OF_TERMS.search(text)
    end = end_mark.start() if end_mark else len(text)
    starts: list[re.Match[str]] = []
    for match in SECTION.finditer(text, 0, end):
        # Numbers that do not follow one another belong to a list inside a section.
        if int(match[1]) == int(starts[-1][1]) + 1 if starts else int(match[1]) in (0, 1):
            starts.append(match)
    if not starts:
        return [section_at(text, "all", 0, len(text))] if text.strip() else []
    sections = []
    # A title needs no reading; a preamble does (in the BSD licence it is the grant itself).
    if len(text[: starts[0].start()].split()) > 40:
        sections.append(section_at(text, "preamble", 0, starts[0].start()))
    stops = [match.start() for match in starts[1:]] + [end]
    for match, stop in zip(starts, stops, strict=True):
        sections.append(section_at(text, match[1], match.end(), stop))
    if end_mark and text[end_mark.end() :].strip():
        sections.append(section_at(text, "appendix", end_mark.end(), len(text)))
    return sections


def section_at(text: str, number: str, start: int, end: int) -> dict[str, Any]:
    """Describe a section by where it stands, so that the state holds the text only once."""
    heading = HEADING.match(text, start, end) if number.isdigit() else None
    return {
        "number": number,
        "heading": heading[1] if heading else "",
        "line": line_at(text, start),
        "start": heading.end() if heading else start,
        "end": end,
    }


def paragraphs(text: str, section: dict[str, Any]) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Yield each paragraph of a section: its line, and its sentences with theirs."""
    for paragraph in PARAGRAPH.finditer(text, section["start"], section["end"]):
        yield (
            line_at(text, paragraph.start()),
            [
                (line_at(text, paragraph.start() + match.start()), " ".join(match[0].split()))
                for match in SENTENCE.finditer(paragraph[0])
            ],
        )


def classify(sentence: str) -> tuple[str, str] | None:
    """Return what kind of statement this is and the words that say so, or nothing."""
    for kind, pattern in DECISIVE.items():
        if match := pattern.search(sentence):
            return kind, match[0]
    if match := SIGNAL.search(sentence):
        return str(match.lastgroup), match[0]
    return None


def line_at(text: str, position: int) -> int:
    """Return the number of the line at this place in the text, counted from 1."""
    return text.count("\n", 0, position) + 1


def count(name: str, text: str) -> int:
    """Count how often a name stands in the text, also in the plural."""
    return len(re.findall(rf"\b{re.escape(name)}s?\b", text))


def lines_of(word: str, state: State) -> list[int]:
    """Return the lines of the binding sections in which a word stands exactly so."""
    return [
        line_at(state["text"], match.start())
        for section in binding_sections(state)
        for match in re.compile(rf"\b{word}\b").finditer(
            state["text"], section["start"], section["end"]
        )
    ]


# ------------------------------------------------------------------------------ writing the report


def binding_sections(state: State) -> list[dict[str, Any]]:
    """Leave out the appendix: it tells how to use the licence, it is not part of the terms."""
    return [each for each in state["sections"] if BINDING.fullmatch(each["number"])]


def binding_findings(state: State) -> list[dict[str, Any]]:
    """Return the findings outside the appendix."""
    return [each for each in state["findings"] if BINDING.fullmatch(each["section"])]


def part(title: str, entries: list[str], most: int = 8) -> list[str]:
    """Return the lines of one part of the report: its title and the first of its entries."""
    if not entries:
        return []
    lines = ["", title]
    for entry in entries[:most]:
        lines += wrap(entry, initial_indent="  - ", subsequent_indent="    ")
    if len(entries) > most:
        lines.append(f"  - and {len(entries) - most} more")
    return lines


def place(state: State, found: dict[str, Any]) -> str:
    """Say where something stands, so that a reader can look it up."""
    section = next(each for each in state["sections"] if each["number"] == found["section"])
    name = section["heading"] or f"section {section['number']}"
    return f"line {found['line']}, {name}: "


def shorten(sentence: str) -> str:
    """Cut a sentence where a reader knows which one it is."""
    return textwrap.shorten(sentence, 150, placeholder=" ...")


def wrap(text: str, *, initial_indent: str = "", subsequent_indent: str = "") -> list[str]:
    """Break a text into lines that any terminal and mail holds."""
    return textwrap.wrap(
        text,
        80,
        initial_indent=initial_indent,
        subsequent_indent=subsequent_indent,
        break_on_hyphens=False,
    )


def remarks(state: State) -> list[str]:
    """Return what a reader should check, one sentence each."""
    found = [
        f'"{name}" is used {uses} times and is not among the defined terms.'
        for name, uses in state["undefined"].items()
    ]
    found += [f'"{term}" is defined and never used after that.' for term in state["unused"]]
    found += [
        f'"{word}" is written small in line {" and ".join(map(str, lines))},'
        f' though "{word.title()}" is a defined term.'
        for word, lines in state["small"].items()
    ]
    found += [f"Section {number} is referred to, and is not there." for number in state["dangling"]]
    return found
