"""Looking names up, and checking what must be Python."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections.abc import Iterable

from ..ir import Parameter
from ..model import ParameterModel
from ..nodes import Text, place_of
from ..problems import Code, Report, Span, suggest


def known(name: Text, names: Iterable[str], what: str, report: Report) -> bool:
    """Whether the name is declared; a problem with the nearest one if it is not."""
    names = tuple(names)
    if name in names:
        return True
    help = suggest(name, names)
    report.add(Code.SPEC01, f"{what} {str(name)!r} is not declared", name.span, help=help)
    return False


def python_name(name: Text, what: str, report: Report) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        help = "use letters, digits and underscores, and no word of Python's own"
        report.add(Code.SPEC04, f"{what} {str(name)!r} is no Python name", name.span, help=help)
    return str(name)


def dotted_name(name: Text, report: Report) -> None:
    if not all(part.isidentifier() for part in name.split(".")):
        help = "write it as it would stand in an import, like redis.asyncio"
        message = f"{str(name)!r} is no name of a module"
        report.add(Code.SPEC04, message, name.span, help=help)


def sensible(text: Text, what: str, report: Report) -> None:
    """A text says something."""
    if not text.strip():
        message = f"{what} is empty"
        report.add(Code.SPEC09, message, text.span, help="write it, or remove what it stands for")


def in_range(number: int, what: str, place: Span, report: Report, most: int = 0) -> None:
    """A number is 1 or more; with `most`, not more than that."""
    if number < 1 or (most and number > most):
        message = f"{what} cannot be {number}"
        help = f"write a number from 1 to {most}" if most else "write 1 or more"
        report.add(Code.SPEC09, message, place_of(number, place), help=help)


def expression(text: Text, what: str, report: Report) -> str:
    """A type or a default: printed as it stands, so it must be Python."""
    try:
        ast.parse(str(text), mode="eval")
    except SyntaxError:
        help = "write it as it would stand in a Python signature, a text with its own quotes"
        message = f"{what} {str(text)!r} is no Python expression"
        report.add(Code.SPEC03, message, text.span, help=help)
    return str(text)


def is_builtin_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def parameter(name: Text, model: ParameterModel, report: Report) -> Parameter:
    default = model.default
    return Parameter(
        name=python_name(name, "the parameter", report),
        type=expression(model.type, "the type", report),
        doc=str(model.doc),
        default=None if default is None else expression(default, "the default", report),
        keyword_only=model.keyword_only,
        variadic=model.variadic,
    )
