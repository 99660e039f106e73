"""JSON text for the states that orjson cannot carry, nested to any depth.

The text is compact JSON in ASCII, keys in the dict's order. Besides what JSON defines it holds
the literals ``NaN``, ``Infinity`` and ``-Infinity``, integers of any size, and lone surrogates,
which are written as escapes.

Nothing here recurses: the depth of a state is limited by memory alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # unknown to typeshed
from json.encoder import encode_basestring_ascii as quoted
from math import isnan
from typing import Any

# Python converts at least 640 decimal digits at once, whatever its limit is set to.
_DIGITS_AT_ONCE = 640

_NAMES = {None: "null", True: "true", False: "false"}


# ----------------------------------------------------------------------------------------- encoding


def encode(value: Any, by_key: bool = False) -> str:
    """Return the JSON text of a value.

    It must consist of str, int, float, bool, None, list and dict, exactly these types, with str
    keys, and must not contain itself: whoever calls has seen to that. Where `by_key` is True,
    objects have their keys in the order of the alphabet.

    Raises:
        RuntimeError: There is something else in the value.
    """
    parts: list[str] = []
    write = parts.append
    members, keyed, closing = iter((value,)), False, ""
    outer: list[tuple[Iterator[Any], bool, str]] = []
    separator = ""
    while True:
        for member in members:
            if keyed:
                key, value = member
                write(f"{separator}{quoted(key)}:")
            else:
                value = member
                write(separator)
            separator = ","

            kind = type(value)
            if kind is dict or kind is list:
                outer.append((members, keyed, closing))
                keyed = kind is dict
                write("{" if keyed else "[")
                closing = "}" if keyed else "]"
                if keyed:
                    members = iter(sorted(value.items()) if by_key else value.items())
                else:
                    members = iter(value)
                separator = ""
                break
            write(_scalar(value, kind))
        else:
            write(closing)
            if not outer:
                return "".join(parts)
            members, keyed, closing = outer.pop()
            separator = ","


def _scalar(value: Any, kind: type) -> str:
    """The text of a value that is no container."""
    if kind is str:
        return quoted(value)
    if kind is int:
        return str(value)
    if kind is float:
        if value - value == 0.0:
            return repr(value)
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or kind is bool:
        return _NAMES[value]
    raise RuntimeError(f"a value of type {kind.__qualname__} appeared in the state")


# ----------------------------------------------------------------------------------------- decoding

_token = re.compile(
    r"""[ \t\n\r]*(?:
        ([\]}"{[,:])                                                  # 1: what gives the structure
      | (-?(?:0|[1-9][0-9]*)) ((?:\.[0-9]+)? (?:[eE][-+]?[0-9]+)?)    # 2: integer, 3: rest of float
      | (null|true|false|NaN|-?Infinity)                              # 4: a literal
    )""",
    re.VERBOSE,
).match
_CLOSING = {"{": "}", "[": "]"}
_LITERALS = {
    "null": None,
    "true": True,
    "false": False,
}


def decode(text: str) -> Any:
    """Return the value that a JSON text stands for.

    Raises:
        ValueError: The text is not JSON; the message says where it stops being so.
    """
    position = 0
    container: Any = None  # the innermost open list or dict
    key = ""  # the key that waits for its value, if that is a dict
    outer: list[tuple[Any, str]] = []
    while True:
        # A value begins here.
        token = _token(text, position)
        if token is None:
            raise _malformed(text, position, "a value")
        position = token.end()
        opened: Any = {} if token[1] == "{" else [] if token[1] == "[" else None
        if opened is None:
            value, position = _leaf(text, token)
        else:
            following = _token(text, position)
            if following is None or following[1] != _CLOSING[token[1]]:
                outer.append((container, key))
                container = opened
                if token[1] == "{":
                    key, position = _key(text, position)
                continue
            value, position = opened, following.end()

        # The value is complete, and with it perhaps the containers around it.
        while outer:
            is_list = type(container) is list
            if is_list:
                container.append(value)
            else:
                container[key] = value
            token = _token(text, position)
            mark = token[1] if token else None
            if token is None or mark not in (",", "]" if is_list else "}"):
                raise _malformed(text, position, "',' or ']'" if is_list else "',' or '}'")
            position = token.end()
            if mark == ",":
                if not is_list:
                    key, position = _key(text, position)
                break
            value = container
            container, key = outer.pop()
        else:
            if text[position:].strip(" \t\n\r"):
                raise _malformed(text, position, "the end")
            return value


def _leaf(text: str, token: re.Match[str]) -> tuple[Any, int]:
    """The value that begins with this token and is no container, and where it ends."""
    mark, integer, fraction, literal = token.groups()
    if mark == '"':
        value, end = scanstring(text, token.end())
        return value, end
    if literal:
        # Each NaN is another object: a set can hold several.
        value = _LITERALS[literal] if literal in _LITERALS else float(literal)
        return value, token.end()
    if mark:
        raise _malformed(text, token.start(), "a value")
    return float(integer + fraction) if fraction else _integer(integer), token.end()


def _key(text: str, position: int) -> tuple[str, int]:
    """The key that begins here, and where its value begins."""
    token = _token(text, position)
    if token is None or token[1] != '"':
        raise _malformed(text, position, "a key in double quotes")
    key, position = scanstring(text, token.end())
    token = _token(text, position)
    if token is None or token[1] != ":":
        raise _malformed(text, position, "':'")
    return key, token.end()


def _integer(digits: str) -> int:
    if len(digits) <= _DIGITS_AT_ONCE:
        return int(digits)
    # Piece by piece, because Python refuses to convert more digits than its limit at once.
    value = 0
    for start in range(0, len(digits), _DIGITS_AT_ONCE):
        piece = digits[start : start + _DIGITS_AT_ONCE].lstrip("-")
        value = value * 10 ** len(piece) + int(piece)
    return -value if digits.startswith("-") else value


def _malformed(text: str, position: int, expected: str) -> ValueError:
    while text[position : position + 1] in (" ", "\t", "\n", "\r"):
        position += 1
    found = repr(text[position]) if position < len(text) else "the end"
    return ValueError(
        f"the text is not JSON: {expected} was expected at character {position}, not {found}"
    )
