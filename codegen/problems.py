"""What can be wrong with a spec, where it is, and how a run's problems are shown."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, unique

from .home import COMMAND

SHOWN_AT_MOST = 20
# Beside a word that is nearly right, a longer list is no help.
LISTED_AT_MOST = 20
LINE_AT_MOST = 120
EXPLAIN = f"{COMMAND} explain"


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A place in a file. Line and column count from 1; the path is relative to the project."""

    path: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@unique
class Code(Enum):
    """Every kind of problem with its title.

    Each has a golden case in `tests/errors/` and a page in `codegen/pages/`, which `explain` shows.
    """

    YAML01 = "malformed YAML"
    YAML02 = "a part of YAML that specs do not use (there): anchors, aliases, merge keys, tags"
    YAML03 = "the same key twice in one mapping"
    YAML04 = "a file that cannot be read as one YAML document in UTF-8"
    SCH01 = "an unknown key"
    SCH02 = "a missing key"
    SCH03 = "a mapping, a list or a scalar where another of them belongs"
    SCH04 = "a scalar that is not one of the values allowed here"
    TODO01 = "a TODO that is still to be written"
    SPEC01 = "a name that is not declared"
    SPEC02 = "a case that not exactly one query answers"
    SPEC03 = "a type or default that is no Python expression"
    SPEC04 = "a name that is taken, or is no Python name"
    SPEC05 = "a key that the record does not have"
    SPEC06 = "a driver that lacks what its family needs"
    SPEC07 = "a part of the interface that the templates need, or that they do not know"
    SPEC08 = "parameters of a class or an operation that do not fit together"
    SPEC09 = "a number, a text or an example that makes no sense"
    SPEC10 = "an error rule that can never fit"
    SPEC11 = "a driver's connecting that does not fit what it is opened with"
    SQL01 = "an unknown parameter in a query"
    SQL02 = "a parameter that this case is not given"
    SQL03 = "a column that the save does not write"
    SQL04 = "a driver's own parameter style in a query"
    SQL05 = "a query that answers other columns than its case asks for"
    SQL06 = "an unknown name in braces"
    SQL07 = "a value that the query does not use"
    SQL08 = "a quote or a comment that never ends, or a name inside of one"
    LAY01 = "a query of a layout that takes other values"
    LAY02 = "a layout that nothing chooses"
    KEY01 = "a unique key other than the record's"
    KEY02 = "a number in a key that does not sort as text"
    KEY03 = "an unknown part of a key template"
    KEY04 = "a key template in which two records would meet"
    KEY05 = "a key made of a value that its case is not given"
    LUA01 = "a key, an argument or a script that nothing uses"
    LUA02 = "KEYS or ARGV by number in a script"
    LUA03 = "an argument of a script that its case is not given"
    LUA04 = "arguments of a script in another order than they are sent"
    LUA05 = "a name in a script that nothing declares"
    DOC01 = "a field that the stored documents do not have, or that is not written"
    DOC02 = "a parameter of a query that is unknown, or not given in its case"
    DOC03 = "a query that no index serves"
    DOC04 = "a given value that neither the filter nor the document uses"
    DOC05 = "an index that no query needs"
    DOC06 = "an index that not exactly one migration makes"
    LOCK01 = "a stored format other than the one that was released as this generation"
    LOCK02 = "a generation that does not follow the one that was released last"
    LOCK03 = "a lock that is not what the generator wrote, or that belongs to nothing"
    LOCK04 = "a migration for other keys than those that were released"
    SCN01 = "arguments that do not fit the operation"
    SCN02 = "a step or an expectation that is not exactly one, or that cannot be"
    SCN03 = "a scenario of the same name"
    TPL01 = "a template that is too long"
    TPL02 = "a template that compares a literal"
    TPL03 = "a template that cannot be rendered"
    TPL04 = "a file that two sources make"
    GEN01 = "a generated file that is missing"
    GEN02 = "a generated file that was changed"
    GEN03 = "a file below generated/ that nothing generates"
    GEN04 = "a generated file that would be no clean Python"
    PLAN01 = "plans that are not recorded, or of what is not there"
    PLAN02 = "a query that reads or sorts more than it answers, and no reason why it may"
    PLAN03 = "a cost that is allowed and that no recorded plan has"
    ENV01 = "another version of ruff than the pinned one"

    @property
    def title(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Problem:
    code: Code
    message: str
    span: Span | None
    help: str
    notes: tuple[str, ...] = ()

    def order(self) -> tuple[bool, Span, str, str]:
        """By place; what has no place comes first."""
        nowhere = Span("", 0, 0)
        return self.span is not None, self.span or nowhere, self.code.name, self.message


class Report:
    """Collects the problems of a run, so that its user sees all of them at once."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}

    def add(
        self,
        code: Code,
        message: str,
        span: Span | None,
        *,
        help: str,  # the word the user reads in front of it
        notes: Iterable[str] = (),
    ) -> None:
        self._problems[Problem(code, message, span, help, tuple(notes))] = None

    @property
    def problems(self) -> list[Problem]:
        return sorted(self._problems, key=Problem.order)

    def __bool__(self) -> bool:
        return bool(self._problems)

    def raise_if_any(self) -> None:
        if self:
            raise SpecError(self)


class SpecError(Exception):
    """The spec has problems, and nothing was made from it."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return "\n".join(_headline(problem) for problem in self.report.problems)


def suggest(word: str, known: Iterable[str], listed_as: str = "known here") -> str:
    """Help for a word that is not among the known ones."""
    names = sorted({str(name) for name in known})
    listed = f"{listed_as}: {', '.join(names) or 'nothing'}"
    near = closest(word, names)
    if near is None:
        return listed
    return f"did you mean {near!r}?" + (f"  {listed}" if len(names) <= LISTED_AT_MOST else "")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, whatever its case."""
    by_lower = {str(name).lower(): str(name) for name in sorted(known)}
    near = difflib.get_close_matches(word.lower(), list(by_lower), n=1)
    return by_lower[near[0]] if near else None


def render(report: Report, sources: Mapping[str, str]) -> str:
    """All problems as text, each with its line from `sources` (path to text); "" if none."""
    problems = report.problems
    if not problems:
        return ""
    shown = problems[:SHOWN_AT_MOST]
    blocks = [_block(problem, sources) for problem in shown]
    hidden = len(problems) - len(blocks)
    if hidden:
        blocks.append(f"... and {_count(hidden, 'more problem')}\n")
    codes = " ".join(dict.fromkeys(problem.code.name for problem in shown))
    count = _count(len(problems), "problem")
    blocks.append(f"{count}; nothing was written\nto learn more: {EXPLAIN} {codes}\n")
    return "\n".join(blocks)


def _block(problem: Problem, sources: Mapping[str, str]) -> str:
    lines = [_headline(problem)]
    if problem.span is not None:
        lines += _excerpt(problem.span, sources.get(problem.span.path, ""))
    for label, text in [*(("note", note) for note in problem.notes), ("help", problem.help)]:
        first, *rest = text.split("\n")
        lines += [f"  {label}: {first}", *(f"        {line}".rstrip() for line in rest)]
    return "\n".join(lines) + "\n"


def _headline(problem: Problem) -> str:
    place = "" if problem.span is None else f"{problem.span}: "
    return f"{place}{problem.code.name} {problem.message}"


def _excerpt(span: Span, source: str) -> list[str]:
    """The line of a place and a caret below it; nothing for a file without text."""
    lines = source.split("\n")
    if not source or span.line > len(lines):
        return []
    line = "".join(_visible(char) for char in lines[span.line - 1])
    column = span.column - 1
    if len(line) > LINE_AT_MOST:
        start = max(0, min(column - LINE_AT_MOST // 2, len(line) - LINE_AT_MOST))
        line, column = line[start : start + LINE_AT_MOST], column - start
    before, marked = line[:column], line[column:][: span.length]
    # A tab stays a tab: only the reader's terminal knows how wide it is.
    indent = "".join("\t" if char == "\t" else " " * _width(char) for char in before)
    carets = "^" * max(1, sum(_width(char) for char in marked))
    return [f"{span.line:>5} | {line}".rstrip(), f"      | {indent}{carets}"]


def _visible(char: str) -> str:
    """Control and invisible characters neither harm the terminal nor hide from the reader."""
    hidden = char != "\t" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return "\N{REPLACEMENT CHARACTER}" if hidden else char


def _width(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
