"""Failed tests in words: what was expected, and what came."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from .results import Failure

HERE = Path(__file__).parent
MOST_LINES = 5
MOST_CHARACTERS = 300
# What pytest adds about its own options.
OF_PYTEST = ("Use -v", "Omitting", "...Full")


def explained(caught: pytest.ExceptionInfo[BaseException], traceback: str) -> Failure:
    """The failure behind an exception that ended a case."""
    expected = statement = ""
    for entry in caught.traceback:
        path = Path(entry.path)
        if path.parent == HERE and path.name.startswith("test_"):
            line = " ".join(str(entry.statement).split())
            statement = line.replace("( ", "(").replace(", )", ")")
            expected = _expected(path, entry.lineno + 1)
    return Failure(_came(caught.value), expected, statement, traceback)


def _came(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, pytest.fail.Exception):
        return "no error" if text.startswith("DID NOT RAISE") else text
    if isinstance(error, AssertionError):
        own, _, rewritten = text.partition("\nassert ")
        return _short(own if rewritten else text.removeprefix("assert "))
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return _short(f"{name}: {text}" if text else name)


def _short(text: str) -> str:
    """The first lines that say something, as any terminal can show them."""
    text = text.encode("utf-8", "backslashreplace").decode()
    lines = [line.rstrip()[:MOST_CHARACTERS] for line in text.splitlines()]
    said = [line for line in lines if line and not line.lstrip().startswith(OF_PYTEST)]
    return "\n".join(said[:MOST_LINES])


def _expected(path: Path, line: int) -> str:
    """The error that the innermost `with raises(...)` around a line of a case waits for."""
    expected = ""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.With) and node.lineno <= line <= (node.end_lineno or 0):
            for call in (item.context_expr for item in node.items):
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("raises"):
                    error, *mentions = [ast.unparse(argument) for argument in call.args]
                    expected = f"{error} that mentions {', '.join(mentions)}" if mentions else error
    return expected


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
