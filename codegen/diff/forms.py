"""What two texts have in common when they say the same: each language has its own idea of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

Form = Callable[[str, Mapping[str, str]], object]

# Strings and quoted names keep their white space; so does a body between dollars. A comment that
# a server obeys (`/*+ hint */`, `/*! code */`) is none.
_SQL = re.compile(
    r"""
      (?P<comment> --[^\n]* | /\*(?![+!]|M!).*?\*/ )
    | (?P<splice> \{\w*\} )
    | \w*'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`
    | /\*.*?\*/
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | \d+(?:\.\d+)?(?:[eE][+-]?\d+)? | :?\w+ | \$\d+
    | [-+*/<>=~!@\#%^&|?:]+
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


def exact(text: str, _: Mapping[str, str] = MappingProxyType({})) -> object:
    return text


def prose(text: str, _: Mapping[str, str] = MappingProxyType({})) -> object:
    """The words of each paragraph."""
    return tuple(tuple(part.split()) for part in re.split(r"\n\s*\n", text.strip()))


def python(text: str, _: Mapping[str, str] = MappingProxyType({})) -> object:
    """An expression: a type or a default."""
    try:
        return ast.unparse(ast.parse(text.strip(), mode="eval"))
    except (SyntaxError, ValueError):
        return text


def sql(text: str, renamed: Mapping[str, str] = MappingProxyType({})) -> object:
    """The words and signs of a statement; `renamed` says of the names in braces what they are
    called on the other side."""
    return tuple(
        "{" + renamed.get(it[0][1:-1], it[0][1:-1]) + "}" if it["splice"] else it[0]
        for it in _SQL.finditer(text)
        if not it["comment"]
    )


def lua(text: str, _: Mapping[str, str] = MappingProxyType({})) -> object:
    """The words and signs of a script."""
    return tuple(it[0] for it in _LUA.finditer(text) if not it["comment"])
