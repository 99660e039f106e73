"""JSON text for the states that orjson cannot carry, nested to any depth.

The text is compact JSON in ASCII, keys in the dict's order. Besides what JSON defines it holds
the literals ``NaN``, ``Infinity`` and ``-Infinity``, integers of any size, and lone surrogates,
which are written as escapes.

What no JSON text can hold travels as a *tag*, an object with one member named ``__persistry__``:

    {"__persistry__": [type, payload]}

=======  ==========================================  ==============================================
type     payload                                     stands for
=======  ==========================================  ==============================================
"int"    "-0x1f...", the number in hexadecimal       an integer of more digits than Python converts
"str"    base64 of the string's UTF-8, surrogates    a string with a high and a low surrogate side
         encoded one by one ("surrogatepass")        by side, which a JSON reader would join
"dict"   [[key, value], ...], keys in order, a key   a dict with such a string among its keys, or
         being a string or a "str" tag               one that looks like a tag itself
=======  ==========================================  ==============================================

The tags are part of the stored format: types may be added, none may change. Whether a text has
tags is not to be seen in it. The number stored beside it says so (see ``codec``), so that a dict
that merely looks like a tag stays what it is.

Nothing here recurses: the depth of a state is limited by memory alone.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # unknown to typeshed
from json.encoder import encode_basestring_ascii as quoted
from math import isnan
from typing import Any

TAG = "__persistry__"

# Python converts at most 4300 decimal digits by default, and every setting allows 640.
_DECIMAL_BITS = (10**4300).bit_length() - 1
_DIGITS_AT_ONCE = 640

_TAGGED_DICT = f'{{"{TAG}":["dict",['
_NAMES = {None: "null", True: "true", False: "false"}
_split_pair = re.compile("[\ud800-\udbff][\udc00-\udfff]").search


# ----------------------------------------------------------------------------------------- encoding


def encode(state: dict[str, Any]) -> tuple[str, bool]:
    """Return the JSON text of a state, and whether there are tags in it.

    The state must hold nothing but str, int, float, bool, None, list and dict, exactly these
    types, must have str keys, and must not contain itself: whoever calls has checked that.

    Raises:
        RuntimeError: There is something else in the state (it was changed since the check).
    """
    parts: list[str] = []
    write = parts.append
    opening, members, keyed, closing = _opened(state)
    tagged = opening == _TAGGED_DICT
    write(opening)
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
                opening, members, keyed, closing = _opened(value)
                tagged = tagged or opening == _TAGGED_DICT
                write(opening)
                separator = ""
                break
            text = _scalar(value, kind)
            if text is None:
                tagged = True
                text = _tag_text(value)
            write(text)
        else:
            write(closing)
            if not outer:
                return "".join(parts), tagged
            members, keyed, closing = outer.pop()
            separator = ","


def _opened(container: Any) -> tuple[str, Iterator[Any], bool, str]:
    """What begins a list or dict, its members, whether these have keys, and what ends it."""
    if type(container) is list:
        return "[", iter(container), False, "]"
    if (len(container) == 1 and TAG in container) or any(
        not key.isascii() and _split_pair(key) for key in container
    ):
        # As a list of lists the keys are values, which can be tagged like any other.
        return _TAGGED_DICT, iter([[key, value] for key, value in container.items()]), False, "]]}"
    return "{", iter(container.items()), True, "}"


def _scalar(value: Any, kind: type) -> str | None:
    """The text of a value that is no container, or None if it needs a tag."""
    if kind is str:
        return None if not value.isascii() and _split_pair(value) else quoted(value)
    if kind is int:
        return _decimal(value)
    if kind is float:
        if value - value == 0.0:
            return repr(value)
        return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or kind is bool:
        return _NAMES[value]
    raise RuntimeError(f"a value of type {kind.__qualname__} appeared in the state")


def _decimal(value: int) -> str | None:
    try:
        return str(value) if value.bit_length() <= _DECIMAL_BITS else None
    except ValueError:  # this process has lowered Python's limit (sys.set_int_max_str_digits)
        return None


def _tag_text(value: int | str) -> str:
    if isinstance(value, str):
        payload = b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii")
        return f'{{"{TAG}":["str","{payload}"]}}'
    return f'{{"{TAG}":["int","{value:#x}"]}}'


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
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}


def decode(text: str) -> Any:
    """Return the value that a JSON text stands for. Tags are left as the objects they are.

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
        return _LITERALS[literal], token.end()
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


# --------------------------------------------------------------------------------------------- tags


def untag(value: Any) -> Any:
    """Return a decoded JSON value with the values that its tags stand for in place of the tags.

    The lists and dicts of the value are changed in place.

    Raises:
        ValueError: A tag is malformed, or of a type that this version does not know.
    """
    top = [value]
    containers: list[Any] = [top]
    for container in containers:  # grows while it is read, parents before children
        inner = container.values() if type(container) is dict else container
        containers.extend(child for child in inner if type(child) is dict or type(child) is list)
    # Children first: a tag's payload is complete when the tag is read, and is not looked at again.
    for container in reversed(containers):
        members = container.items() if type(container) is dict else enumerate(container)
        for place, child in members:
            if type(child) is dict and len(child) == 1 and TAG in child:
                container[place] = _from_tag(child[TAG])
    return top[0]


def _from_tag(content: Any) -> Any:
    match content:
        case [str(name), payload]:
            pass
        case _:
            raise ValueError(f"a {TAG} tag is malformed: [type, payload] was expected in it")
    read = _READERS.get(name)
    if read is None:
        raise ValueError(
            f"a {TAG} tag has the unknown type {name!r}: a newer version of persistry wrote it"
        )
    try:
        return read(payload)
    except (TypeError, ValueError) as error:
        raise ValueError(f"a {TAG} tag of type {name!r} is malformed: {error}") from error


def _read_int(payload: Any) -> int:
    if not re.fullmatch("-?0x[0-9a-f]+", payload):
        raise ValueError("a hexadecimal number was expected")
    return int(payload, 16)


def _read_str(payload: Any) -> str:
    return b64decode(payload, validate=True).decode("utf-8", "surrogatepass")


def _read_dict(payload: Any) -> dict[str, Any]:
    values = {}
    for pair in payload:
        match pair:
            case [str(key), value]:
                values[key] = value
            case _:
                raise ValueError("a [key, value] pair was expected")
    return values


_READERS: dict[str, Callable[[Any], Any]] = {
    "int": _read_int,
    "str": _read_str,
    "dict": _read_dict,
}
