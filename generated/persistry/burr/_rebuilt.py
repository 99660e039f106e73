"""Goes through nested values, to any depth, and makes others of them. Nothing here recurses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from .._runtime.refusals import Path, Step, endless, place
from .._runtime.tags import RefusedError

_SCALARS = frozenset((str, int, float, bool, type(None)))

Replace = Callable[[Any], Any]


class Inside(NamedTuple):
    """A dict, list, tuple, set or frozenset whose members are to be replaced as well."""

    value: Collection[Any]
    replace: Replace
    """Given a member that is no plain scalar, returns what takes its place, or an `Inside`."""
    close: Replace | None = None
    """Given the new dict, list ..., returns what takes its place."""


class MisplacedError(ValueError):
    """A value could not be replaced; the message begins with its place in the state."""


class _Open:
    """A value whose members are being replaced."""

    __slots__ = ("inside", "members", "nodes", "source", "step")

    def __init__(self, source: Any, inside: Inside) -> None:
        value = inside.value
        steps: Iterable[tuple[Any, Any]]
        if isinstance(value, dict):
            steps = value.items()
        elif isinstance(value, set | frozenset):
            steps = zip(value, value, strict=True)
        else:
            steps = enumerate(value)
        self.source = source  # kept, so that no other object gets its id meanwhile
        self.inside = inside
        self.members = iter(steps)
        self.nodes: list[Any] = []
        self.step: Any = None

    def closed(self) -> Any:
        value, _, close = self.inside
        made = dict(zip(value, self.nodes, strict=True)) if type(value) is dict else self._many()
        return close(made) if close else made

    def _many(self) -> Any:
        kind = type(self.inside.value)
        return self.nodes if kind is list else kind(self.nodes)  # type: ignore[call-arg]


def rebuilt(values: dict[str, Any], replace: Replace) -> dict[str, Any]:
    """A copy of the values of a state, with other ones in the place of some.

    Raises:
        StateNotSerializableError: Something contains itself.
        MisplacedError: `replace` or `close` failed; what they raised is its cause.
    """
    stack = [_Open(values, Inside(values, replace))]
    open_ids = {id(values)}
    while True:
        top = stack[-1]
        add, replace = top.nodes.append, top.inside.replace
        for step, value in top.members:
            if type(value) in _SCALARS:
                add(value)
                continue
            top.step = step
            try:
                new = replace(value)
            except Exception as error:
                raise _misplaced(stack, error) from error
            if not isinstance(new, Inside):
                add(new)
            elif id(value) in open_ids:
                raise endless(_path(stack), value)
            else:
                stack.append(_Open(value, new))
                open_ids.add(id(value))
                break
        else:
            stack.pop()
            open_ids.remove(id(top.source))
            try:
                made = top.closed()
            except Exception as error:
                raise _misplaced(stack, error) from error
            if not stack:
                return made  # type: ignore[no-any-return]
            stack[-1].nodes.append(made)


def _misplaced(stack: list[_Open], error: Exception) -> Exception:
    if isinstance(error, RecursionError | MemoryError | RefusedError):
        return error
    return MisplacedError(f"{place(_path(stack))} {error}")


def _path(stack: list[_Open]) -> Path:
    return [Step(it.step, "{}" if _is_set(it.inside.value) else "[]") for it in stack]


def _is_set(value: object) -> bool:
    return isinstance(value, set | frozenset)
