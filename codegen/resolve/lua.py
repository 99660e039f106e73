"""Scripts in Lua: their keys and arguments as locals, and the names that mean nothing in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from .. import ir
from ..nodes import Text
from ..problems import Code, Report, suggest
from ..resolve.names import python_name

_WORD = re.compile(
    "and|break|do|else|elseif|end|false|for|function|goto|if|in|local|nil|not|or|repeat|return|"
    "then|true|until|while"
)
# What a server gives every script; it refuses any other global.
_GLOBAL = re.compile(
    "_G|_VERSION|ARGV|KEYS|assert|bit|cjson|cmsgpack|collectgarbage|coroutine|error|getmetatable|"
    "ipairs|load|loadstring|math|next|os|pairs|pcall|rawequal|rawget|rawset|redis|select|server|"
    "setmetatable|string|struct|table|tonumber|tostring|type|unpack|xpcall"
)
_TOKEN = re.compile(
    r"(?P<comment>--\[\[.*?\]\]|--[^\n]*)|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\[\[.*?\]\]"
    r"|(?P<name>[A-Za-z_]\w*)|\d\w*(?:\.\w+)?|\.\.\.?|[=~<>]=|\S",
    re.DOTALL,
)


def script(
    name: Text,
    keys: Sequence[Text],
    arguments: Sequence[Text],
    doc: Text,
    text: Text,
    report: Report,
    given: tuple[str, ...] = (),
) -> ir.Script:
    """The script with its keys and arguments as locals, so that it needs no KEYS[3].

    `given` are the keys that every script of this kind has, in front of its own.
    """
    before = len(report.problems)
    own = [*keys, *arguments]
    _check_own(own, given, report)
    for match in re.finditer(r"\b(KEYS|ARGV)\b", text):
        report.add(
            Code.LUA02,
            f"{match[0]} is used by number",
            text.at(match.start(), len(match[0])),
            help="name it under keys or arguments above; it is then a local of the script",
        )
    # One mistake, one problem: a name that is misspelt is not unused as well.
    for check in (_refuse_undeclared, _refuse_unused):
        if len(report.problems) == before:
            check(text, own, given, report)
    lines = [_locals([*given, *keys], "KEYS"), _locals(arguments, "ARGV"), str(text).rstrip()]
    constant = f"_{python_name(name, 'the script', report).upper()}"
    return ir.Script(constant, str(name), str(doc), "\n".join([*filter(None, lines), ""]))


def answers(text: str) -> bool:
    """Whether the script returns something somewhere."""
    return any(it["name"] == "return" for it in _tokens(text))


def _locals(names: Iterable[str], table: str) -> str:
    names = list(names)
    values = ", ".join(f"{table}[{number}]" for number in range(1, len(names) + 1))
    return f"local {', '.join(names)} = {values}" if names else ""


def _check_own(own: Sequence[Text], given: Sequence[str], report: Report) -> None:
    seen: set[str] = {*given}
    for variable in own:
        if variable in seen:
            message = f"the script has {str(variable)!r} already; the second would hide the first"
            report.add(Code.SPEC04, message, variable.span, help="rename one of them")
        elif _WORD.fullmatch(variable) or not variable.isidentifier():
            message = f"{str(variable)!r} is no name in Lua"
            help = "use letters, digits and underscores, and no word of Lua's own"
            report.add(Code.SPEC04, message, variable.span, help=help)
        seen.add(variable)


def _refuse_undeclared(
    text: Text, own: Sequence[Text], given: Sequence[str], report: Report
) -> None:
    """A name that nothing gives a value; wherever in the script one is declared, it may be used."""
    names = list(_names(text))
    declared = {*own, *given, *(name for name, _, is_declared in names if is_declared)}
    told: set[str] = set()
    for name, offset, _ in names:
        if not (name in declared or name in told or _GLOBAL.fullmatch(name)):
            told.add(name)
            message = f"nothing in the script declares {name!r}"
            help = suggest(name, declared, "declared here")
            report.add(Code.LUA05, message, text.at(offset, len(name)), help=help)


def _refuse_unused(text: Text, own: Sequence[Text], given: Sequence[str], report: Report) -> None:
    used = {name for name, _, is_declared in _names(text) if not is_declared}
    for variable in own:
        if variable not in used:
            message = f"{str(variable)!r} is declared but the script never uses it"
            help = "remove it here, or use it in the text"
            report.add(Code.LUA01, message, variable.span, help=help)


def _tokens(text: str) -> list[re.Match[str]]:
    return [it for it in _TOKEN.finditer(text) if not it["comment"]]


def _names(text: str) -> Iterator[tuple[str, int, bool]]:
    """The variables of a script: each time one stands there, where, and whether it begins there."""
    tokens = _tokens(text)
    declares = False  # in a list of names behind `local` or `for`, or of parameters
    awaits = False  # the bracket in front of parameters
    for number, token in enumerate(tokens):
        word = token[0]
        before = tokens[number - 1][0] if number else ""
        behind = tokens[number + 1][0] if number + 1 < len(tokens) else ""
        if word in ("local", "for"):
            declares = True
        elif word == "function":
            awaits = True
        elif word == "(" and awaits:
            awaits, declares = False, True
        elif token["name"] is None:
            declares = declares and word == ","
        elif _WORD.fullmatch(word):
            declares = False
        elif before in (".", ":"):
            continue  # a member
        elif behind == "=" and before in ("{", ",", ";") and _is_in_table(tokens, number):
            continue  # a field
        else:
            yield word, token.start(), declares or before == "function"
            declares = declares and behind == ","


def _is_in_table(tokens: Sequence[re.Match[str]], number: int) -> bool:
    """Whether the innermost bracket that is open is that of a table."""
    depth = 0
    for token in reversed(tokens[:number]):
        if token[0] in (")", "}", "]"):
            depth += 1
        elif token[0] in ("(", "{", "["):
            if not depth:
                return token[0] == "{"
            depth -= 1
    return False
