"""What of a text says something, and where it stands: each language has its own idea of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

Word = tuple[str, int]
Form = Callable[[str], list[Word]]

# Strings and quoted names keep their white space; so does a body between dollars. A comment that
# a server obeys (`/*+ hint */`, `/*! code */`) is none.
_SQL = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*(?![+!]|M!).*?\*/ )
    | \{\w*\}
    | \w*'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
    | /\*.*?\*/
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | \d+(?:\.\d+)?(?:[eE][+-]?\d+)? | :: | := | :?\w+ | \$\d+
    | ->>? | [*/<>=~!@\#%^&|?]+
    | \S
    """,
    re.VERBOSE | re.DOTALL,
)
_LUA = re.compile(
    r"""
      (?P<comment> --\[(?P<level>=*)\[.*?\](?P=level)\] | --[^\n]* )
    | '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" | \[(?P<long>=*)\[.*?\](?P=long)\]
    | \d+(?:\.\d+)? | \w+ | \.{2,3} | [=~<>]= | \S
    """,
    re.VERBOSE | re.DOTALL,
)
_PROSE = re.compile(r"(?P<end>\n[^\S\n]*\n\s*)|\S+")


def exact(text: str) -> list[Word]:
    return [(text, 0)]


def prose(text: str) -> list[Word]:
    """The words, and where a paragraph ends."""
    found = _PROSE.finditer(text.rstrip())
    return [("\n" if it["end"] else it[0], it.start()) for it in found]


def python(text: str) -> list[Word]:
    """An expression: a type or a default."""
    try:
        return [(ast.unparse(ast.parse(text.strip(), mode="eval")), 0)]
    except (SyntaxError, ValueError):
        return [(text, 0)]


def sql(text: str) -> list[Word]:
    """The words and signs of a statement; a name in braces is one word."""
    return [(it[0], it.start()) for it in _SQL.finditer(text) if not it["comment"]]


def lua(text: str) -> list[Word]:
    """The words and signs of a script."""
    return [(it[0], it.start()) for it in _LUA.finditer(text) if not it["comment"]]
