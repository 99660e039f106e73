"""PyYAML's errors in plain words: what is wrong, where it began, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import yaml
from yaml.reader import ReaderError

from .problems import Code

QUOTE = "put the value in quotes, or start a block with '|'"


@dataclass(frozen=True, slots=True)
class Explanation:
    message: str
    line: int  # line and column count from 1
    column: int
    help: str
    length: int = 1
    code: Code = Code.YAML01


@dataclass(frozen=True, slots=True)
class _Failure:
    """What PyYAML says, and the text around it. Lines and columns count from 0."""

    said: str
    while_doing: str
    lines: list[str]
    line: int
    column: int
    began_line: int
    began_column: int

    @property
    def before(self) -> str:
        return self.lines[self.line][: self.column]

    @property
    def found(self) -> str:
        return self.lines[self.line][self.column : self.column + 1]

    @property
    def opening(self) -> str:
        """The character where it began; none at the end of a line."""
        return self.lines[self.began_line][self.began_column : self.began_column + 1]

    def here(self, message: str, help: str) -> Explanation:
        return Explanation(message, self.line + 1, self.column + 1, help)

    def where_it_began(self, message: str, help: str) -> Explanation:
        return Explanation(message, self.began_line + 1, self.began_column + 1, help)

    def at_line(self, line: int, column: int, message: str, help: str) -> Explanation:
        return Explanation(message, line + 1, column + 1, help)


def explain(error: Exception, text: str) -> Explanation:
    """`error` is a YAMLError; or what `chr` raises, with which PyYAML reads an escape."""
    if isinstance(error, ReaderError):
        offset = error.position
        what = f"the character U+{ord(text[offset]):04X} is not allowed in YAML"
        return _bad_character(what, offset, text)
    if isinstance(error, ValueError | OverflowError):
        escape = re.search(r"\\U(?!000|0010)", text)
        return _bad_character("no character has this number", escape.start() if escape else 0, text)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Explanation(f"not YAML: {error}", 1, 1, "check the file's first lines")
    mark, began = error.problem_mark, error.context_mark or error.problem_mark
    failure = _Failure(
        said=error.problem or "",
        while_doing=error.context or "",
        lines=text.split("\n"),
        line=mark.line,
        column=mark.column,
        began_line=began.line,
        began_column=began.column,
    )
    conflict = next((at for at, it in enumerate(failure.lines) if it.startswith("<<<<<<< ")), None)
    if conflict is not None and conflict <= failure.line:
        return failure.at_line(
            conflict,
            0,
            "a merge conflict is left here",
            "keep what is meant of both sides, and remove the lines of '<', '=' and '>'",
        )
    for said, explanation in _EXPLANATIONS:
        if re.search(said, f"{failure.while_doing}: {failure.said}"):
            return explanation(failure)
    return failure.here(
        f"not YAML: {failure.said}", "check the quotes, colons and indentation up to this place"
    )


def _bad_character(message: str, offset: int, text: str) -> Explanation:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    help = "remove it, or write it as an escape in double quotes, like '\\u00E9'"
    return Explanation(message, line, column, help)


def _second_document(failure: _Failure) -> Explanation:
    return Explanation(
        "a second document begins here",
        failure.line + 1,
        failure.column + 1,
        "remove the line '---', or make it a file of its own",
        length=3,
        code=Code.YAML04,
    )


def _tab(failure: _Failure) -> Explanation:
    return failure.here("a tab where only spaces may be", "indent and separate with spaces")


def _bad_start(failure: _Failure) -> Explanation:
    # For an alias or anchor without a name the mark stands behind the sign.
    if not failure.opening:
        return failure.where_it_began("a value is missing here", "write it, or close what is open")
    return failure.where_it_began(f"a value cannot start with {failure.opening!r}", QUOTE)


def _item_beside_key(failure: _Failure) -> Explanation:
    return failure.here(
        "a list item on the line of its key",
        "start the list on the next line, or write [a, b]; "
        "if '-' belongs to the text, put the value in quotes",
    )


def _no_space_after_colon(failure: _Failure, line: int) -> Explanation | None:
    """The explanation, if a line before the failure reads `key:value`."""
    glued = re.match(r"\s*(?:- +)?([\w-]+):[^\s:]", failure.lines[line])
    if glued is None:
        return None
    message = f"no space after the colon of {glued[1]!r}"
    return failure.at_line(line, glued.end(1), message, f"write '{glued[1]}: ' and then the value")


def _unexpected_colon(failure: _Failure) -> Explanation:
    second = re.search(r":\s", failure.before)
    if second is not None:
        return failure.here("a second ': ' in one line", QUOTE)
    above = failure.line - 1
    while above >= 0 and not failure.lines[above].strip():
        above -= 1
    glued = _no_space_after_colon(failure, above) if above >= 0 else None
    if glued is not None:
        return glued
    indent = len(failure.before) - len(failure.before.lstrip())
    if above >= 0 and indent > len(failure.lines[above]) - len(failure.lines[above].lstrip()):
        return failure.at_line(
            failure.line,
            indent,
            f"this key is indented below line {above + 1}, which already has a value",
            f"indent it like line {above + 1}, or take that line's value away",
        )
    return failure.here("a ':' where no key can end", QUOTE)


def _no_key(failure: _Failure) -> Explanation:
    return _no_space_after_colon(failure, failure.began_line) or failure.where_it_began(
        "this line is not 'key: value'",
        "add the colon and the value; if the line belongs to the text above, indent it like that",
    )


def _open_quote(failure: _Failure) -> Explanation:
    return failure.where_it_began(
        "this quote is never closed",
        "close it; inside single quotes an apostrophe is written twice",
    )


def _bad_escape(failure: _Failure) -> Explanation:
    begin = failure.before.rindex("\\")
    escape = failure.lines[failure.line][begin : begin + 2]
    return failure.at_line(
        failure.line,
        begin,
        f"an unknown or incomplete escape, '{escape}', in double quotes",
        "use single quotes, in which a backslash is only a backslash, or write '\\\\'",
    )


def _block_header(failure: _Failure) -> Explanation:
    sign = failure.opening
    return failure.here(
        f"text on the line of {sign!r}",
        f"start the text on the next line, indented; "
        f"if {sign!r} belongs to the text, put the value in quotes",
    )


def _flow(failure: _Failure) -> Explanation:
    opening = failure.opening
    kind, closing = ("list", "]") if opening == "[" else ("mapping", "}")
    if failure.line != failure.began_line:
        return failure.where_it_began(
            f"no {closing!r} closes this {opening!r}",
            f"close the {kind}; if {opening!r} belongs to the text, put the value in quotes",
        )
    return failure.here(
        f"{failure.found!r} in a {kind} that is written in {opening}{closing}",
        f"put a comma between the items, and items with such characters in quotes; "
        f"if {opening!r} belongs to the text, put the whole value in quotes",
    )


def _block_end(failure: _Failure) -> Explanation:
    behind = failure.before.rstrip()[-1:]
    if behind in {"}", "]"}:
        opening = "{" if behind == "}" else "["
        kind = "mapping" if behind == "}" else "list"
        return failure.here(f"text behind a {kind} that starts with {opening!r}", QUOTE)
    if behind in {"'", '"'}:
        return failure.here(
            "text behind a closing quote",
            "put the whole value in quotes, or close the quote that was opened further up; "
            "inside single quotes an apostrophe is written twice",
        )
    return _indentation(failure)


def _indentation(failure: _Failure) -> Explanation:
    if failure.column == failure.began_column:
        if failure.while_doing.endswith("collection"):
            return failure.here("a key among list items", "start it with '- ', or indent it deeper")
        what = "a list item among the keys of a mapping"
        return failure.here(what, "indent it deeper than its key")
    allowed = [f"by {indent} like line {line + 1}" for line, indent in _open_levels(failure)]
    return failure.here(
        "this line is indented like no line that it could belong to",
        f"indent it {' or '.join(allowed)}" if allowed else "indent it like the lines around it",
    )


def _open_levels(failure: _Failure) -> list[tuple[int, int]]:
    """The nearest lines above that a line can join, each with its indentation."""
    levels: list[tuple[int, int]] = []
    for number in range(failure.line - 1, -1, -1):
        line = failure.lines[number]
        indent = len(line) - len(line.lstrip())
        if line.strip() and (not levels or indent < levels[-1][1]):
            levels.append((number, indent))
    return levels


def _beside_the_root(failure: _Failure) -> Explanation:
    return failure.here(
        "this does not belong to what the file begins with",
        "start the file with 'key: value', and each of its first keys in column 1",
    )


# What PyYAML says, "while doing this: this is wrong", and who explains it. The first match counts.
_EXPLANATIONS: list[tuple[str, Callable[[_Failure], Explanation]]] = [
    (r"expected a single document", _second_document),
    (r"expected '<document start>'", _beside_the_root),
    (r"found character '\\t'", _tab),
    (r"cannot start any token|mapping keys are not allowed", _bad_start),
    (r"an? (alias|anchor|tag|directive)\b|expected the node content", _bad_start),
    (r"sequence entries are not allowed", _item_beside_key),
    (r"mapping values are not allowed", _unexpected_colon),
    (r"could not find expected ':'", _no_key),
    (r"quoted scalar: found unexpected (end of stream|document separator)", _open_quote),
    (r"double-quoted scalar: (found unknown|expected) escape", _bad_escape),
    (r"scanning a block scalar", _block_header),
    (r"parsing a flow (sequence|mapping)", _flow),
    (r"expected <block end>", _block_end),
]
