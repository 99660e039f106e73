"""Reads a SQL text of the spec: `:name` binds a value, `{name}` splices an identifier.

Strings, quoted identifiers, comments and `::casts` are passed over. One text is compiled to the
parameter style of each driver here, when generating, not when running.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["text", "bind", "splice", "foreign", "open", "brace"]

_TOKEN = re.compile(
    r"""
      (?P<skip> '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | :: )
    | (?P<open> ' | " | /\* )
    | :(?P<bind> [A-Za-z_]\w* )
    | \{(?P<splice> \w* )\}
    | (?P<brace> [{}] )
    | (?P<foreign> \? | \$\d+ | %s | %\(\w+\)s )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Part:
    kind: Kind
    text: str
    offset: int


def parts(sql: str) -> list[Part]:
    """The text cut into plain text, binds, splices and what has no business in a query: another
    style of parameters, quotes and comments that never end, single braces."""
    found: list[Part] = []
    end = 0
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup
        if kind is None or kind == "skip":
            continue
        found.append(Part("text", sql[end : match.start()], end))
        found.append(Part(_KINDS[kind], match[kind], match.start()))
        end = match.end()
    found.append(Part("text", sql[end:], end))
    return found


_KINDS: dict[str, Kind] = {
    "bind": "bind",
    "splice": "splice",
    "foreign": "foreign",
    "open": "open",
    "brace": "brace",
}


def hidden(sql: str) -> list[Part]:
    """What would be a bind or a splice, did it not stand inside quotes."""
    found = []
    for match in _TOKEN.finditer(sql):
        if match["skip"] and match["skip"][0] in "'\"":
            inside = _HIDDEN.finditer(sql, match.start(), match.end())
            found += [Part("text", it[0], it.start()) for it in inside]
    return found


_HIDDEN = re.compile(r":[A-Za-z_]\w*|\{\w+\}")


def spliced(sql: str) -> str:
    """A text without values, for `str.format_map`: the same for every driver."""
    found = parts(sql.strip())
    return "".join("{" + it.text + "}" if it.kind == "splice" else _plain(it) for it in found)


def _plain(part: Part) -> str:
    return part.text.replace("{", "{{").replace("}", "}}")


def compiled(
    sql: str, style: str, around: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, tuple[str, ...]]:
    """The text in a driver's parameter style, for `str.format_map`, and its values in order.

    `around` says of some values what is written around them, as `f({value})`.
    """
    text = ""
    values: list[str] = []
    for part in parts(sql.strip()):
        if part.kind == "bind":
            # A number can be used again, a question mark cannot.
            if style != "dollar" or part.text not in values:
                values.append(part.text)
            mark = _MARKS[style].format(number=values.index(part.text) + 1)
            text += around.get(part.text, "{value}").replace("{value}", mark)
        elif part.kind == "splice":
            text += "{" + part.text + "}"
        else:
            plain = _plain(part)
            text += plain.replace("%", "%%") if style == "format" else plain
    return text, tuple(values)


_MARKS = {"qmark": "?", "format": "%s", "dollar": "${number}"}

# What may stand in front of a statement.
_REMARKS = r"(?:\s|--[^\n]*\n|/\*(?s:.*?)\*/)*"
_QUERY = re.compile(rf"{_REMARKS}(?:SELECT|WITH)\b", re.IGNORECASE)
_STRUCTURE = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | [(),] | \b(?:SELECT|FROM)\b""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_COLUMN = re.compile(r"(?:.*\bAS\s+(\w+)\Z)|(?:\w+\.)?(\w+)", re.IGNORECASE | re.DOTALL)

_ONCE = re.compile(r"(?:DISTINCT(?:\s+ON\s*\([^()]*\))?|ALL)\s+", re.IGNORECASE)


def selected(sql: str) -> tuple[tuple[str, ...], Part]:
    """The columns that a query answers, each named by its `AS name` or else by the first word of
    its expression, and the list as it is written. A `WITH` may stand in front."""
    if _QUERY.match(sql):
        cuts: list[int] = []
        depth = 0
        for match in _STRUCTURE.finditer(sql):
            mark = match[0].upper()
            depth += {"(": 1, ")": -1}.get(mark, 0)
            if depth == 0 and (mark == "SELECT" if not cuts else mark in (",", "FROM")):
                cuts.append(match.start())
                if mark == "FROM":
                    return _columns(sql, cuts)
    return (), Part("text", sql.strip(), len(sql) - len(sql.lstrip()))


def _columns(sql: str, cuts: list[int]) -> tuple[tuple[str, ...], Part]:
    """The names between SELECT, the commas and FROM."""
    start = cuts[0] + len("SELECT")
    edges = [start - 1, *cuts[1:]]
    items = [sql[one + 1 : other].strip() for one, other in itertools.pairwise(edges)]
    items[0] = _ONCE.sub("", items[0])
    names = [_COLUMN.match(item) for item in items]
    found = tuple(
        (name[1] or name[2]) if name else item for name, item in zip(names, items, strict=True)
    )
    written = sql[start : cuts[-1]]
    return found, Part("text", written.strip(), start + len(written) - len(written.lstrip()))


_INSERT = re.compile(
    rf"{_REMARKS}INSERT\s+INTO\s+\S+\s*\(([^)]*)\)(?:\s*VALUES\s*\(([^)]*)\))?", re.IGNORECASE
)
_VALUE = re.compile(r":(\w+)(?:::\w+)?")


def inserted(sql: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The columns that a plain INSERT writes, and its values: a value's text is its parameter's
    name, or empty if it is none."""
    match = _INSERT.match(sql)
    if match is None:
        return (), ()
    columns = _items(match, 1)
    values = []
    for it in _items(match, 2) if match[2] is not None else ():
        name = _VALUE.fullmatch(it.text)
        values.append(Part("text", name[1] if name else "", it.offset))
    return columns, tuple(values)


def _items(match: re.Match[str], group: int) -> tuple[Part, ...]:
    """The items of a list, and where each begins."""
    found, offset = [], match.start(group)
    for item in match[group].split(","):
        start = offset + len(item) - len(item.lstrip())
        found.append(Part("text", item.strip(), start))
        offset += len(item) + 1
    return tuple(found)
