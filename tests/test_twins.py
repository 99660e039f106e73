"""Twins that are written by hand, one for each colour, do not drift apart."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DRIVERS = Path(__file__).parent.parent / "templates" / "runtime" / "_runtime" / "drivers"

# How the asynchronous text differs where nothing is different.
NAMES = {
    r"\basync (?=def|with|for)": "",
    r"\bawait ": "",
    r"\bAwaitable\[Any\]": "Any",
    r"\bAsync(?=RedisSession|PymongoSession|MongoClient|Link)": "",
    r"\b__aenter__\b": "__enter__",
    r"\b__aexit__\b": "__exit__",
    r"\bredis\.asyncio\b": "redis",
}

# Where threads and tasks do differ: how one waits, and how waiting ends.
DIFFERENT = {
    "redis_session": {
        "RedisSession.close",  # waiting for operations under way
        "RedisSession.connection",  # one for each event loop
        "RedisSession.is_here",
        "RedisSession.open",  # an asynchronous client is made in its event loop
    },
    "redis_operation": {
        "Operation.__slots__",
        "Operation.__enter__",  # taking a slot
        "Operation._answer",  # the time limit of a round trip
        "Operation._leave",  # giving the slot back; the time limit of the whole
        "Operation._late",  # in the asynchronous one, part of `_leave`
        "Operation._scan",  # how one goes through what is found
    },
    "pymongo_session": {
        "PymongoSession.__init__",
        "PymongoSession.client",  # one for each event loop
        "PymongoSession.collection",
        "PymongoSession.is_here",
        "PymongoSession.collection_of",  # kept with the event loop's client
        "PymongoSession.close",  # waiting for operations under way
        "PymongoSession.open",  # an asynchronous client is made in its event loop
        "Operation.__slots__",
        "Operation.__enter__",  # taking a slot; how the driver is told the time limit
        "Operation._trip",  # threads look at the time between two attempts
        "Operation._answer",  # the time limit of a round trip
        "Operation._ask",  # in the asynchronous one, part of `_answer`
        "Operation._leave",  # giving the slot back; the time limit of the whole
        "Operation._late",  # in the asynchronous one, part of `_leave`
        "_ping",  # the time limit of a round trip
    },
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


@pytest.mark.parametrize("name", DIFFERENT)
def test_sessions(name: str) -> None:
    text = (DRIVERS / f"{name.replace('_', '_async_')}.py").read_text(encoding="utf-8")
    for written, plain in NAMES.items():
        text = re.sub(written, plain, text)
    tasks = members(text)
    threads = members((DRIVERS / f"{name}.py").read_text(encoding="utf-8"))
    different = {it for it in threads.keys() | tasks.keys() if threads.get(it) != tasks.get(it)}
    assert different == DIFFERENT[name]
    assert len(threads) > 10
