"""Twins that are written by hand, one for each colour, do not drift apart."""

from __future__ import annotations

import ast
import re
from pathlib import Path

DRIVERS = Path(__file__).parent.parent / "templates" / "runtime" / "_runtime" / "drivers"

# How the asynchronous text differs where nothing is different.
NAMES = {
    r"\basync (?=def|with|for)": "",
    r"\bawait ": "",
    r"\bAwaitable\[Any\]": "Any",
    r"\bAsync(?=RedisSession|Link)": "",
    r"\b__aenter__\b": "__enter__",
    r"\b__aexit__\b": "__exit__",
    r"\bredis\.asyncio\b": "redis",
}

# Where threads and tasks do differ: how one waits, and how waiting ends.
DIFFERENT = {
    "RedisSession.close",  # waiting for operations under way
    "RedisSession.connection",  # one for each event loop
    "RedisSession.open",  # an asynchronous client is made in its event loop
    "Operation.__slots__",
    "Operation.__enter__",  # taking a slot
    "Operation._answer",  # the time limit of a round trip
    "Operation._leave",  # giving the slot back; the time limit of the whole
    "Operation._late",  # in the asynchronous one, part of `_leave`
    "Operation._scan",  # how one goes through what is found
}


def members(text: str) -> dict[str, str]:
    """The members of the classes and the functions, without what they say about themselves."""
    found = {}
    for outer in ast.parse(text).body:
        inners = outer.body if isinstance(outer, ast.ClassDef) else [outer]
        prefix = f"{outer.name}." if isinstance(outer, ast.ClassDef) else ""
        for inner in inners:
            if isinstance(inner, ast.FunctionDef):
                if ast.get_docstring(inner) is not None:
                    inner.body = inner.body[1:]
                found[prefix + inner.name] = ast.unparse(inner)
            elif isinstance(inner, ast.Assign) and prefix:
                found[prefix + ast.unparse(inner.targets[0])] = ast.unparse(inner.value)
    return found


def test_redis_sessions() -> None:
    text = (DRIVERS / "redis_async_session.py").read_text(encoding="utf-8")
    for name, plain in NAMES.items():
        text = re.sub(name, plain, text)
    tasks = members(text)
    threads = members((DRIVERS / "redis_session.py").read_text(encoding="utf-8"))
    different = {
        name for name in threads.keys() | tasks.keys() if threads.get(name) != tasks.get(name)
    }
    assert different == DIFFERENT
    assert len(threads) > 20
