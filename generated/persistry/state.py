"""The state of an agent or a workflow: an immutable mapping from names to values."""

from __future__ import annotations

import copy
import operator
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, NoReturn, Self


class State(Mapping[str, Any]):
    """What an application knows between two steps.

    A state is read like a dict and never changes: every operation returns a new state. Lists and
    dicts inside it are not copied, so change them with the operations here, or change a copy.

        state = State({"messages": []})
        state = state.append(messages="hello").increment(turns=1)
        state["turns"]  # 1

    What can be saved comes back exactly: str, int, float, bool, None, bytes, datetime, date, time,
    timedelta, Decimal, UUID, and lists, dicts, tuples, sets and frozensets of them; and values of
    the classes given to `persistry.register_type`. Other values can be held, but saving them is
    refused.

    Args:
        initial_values: The values by name, None for an empty state. They are copied (not deeply).

    Raises:
        TypeError: `initial_values` is no mapping, or one of its keys is not a str.
    """

    __slots__ = ("_values",)
    _values: dict[str, Any]

    def __init__(self, initial_values: Mapping[str, Any] | None = None) -> None:
        if initial_values is None:
            initial_values = {}
        if not isinstance(initial_values, Mapping):
            raise TypeError(
                "the values of a State are given as a dict, not as "
                f"{type(initial_values).__qualname__}: write State({{'name': value}})"
            )
        values = dict(initial_values)
        for key in values:
            if not isinstance(key, str):
                raise TypeError(
                    f"the keys of a State are str, and {key!r} is of type "
                    f"{type(key).__qualname__}: convert it, for example with str(...)"
                )
        object.__setattr__(self, "_values", values)

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        """A state that takes over `values`, a dict of its own whose keys are known to be str."""
        state = object.__new__(cls)
        object.__setattr__(state, "_values", values)
        return state

    # -------------------------------------------------------------------------------------- reading

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` if there is none."""
        return self._values.get(key, default)

    def get_all(self) -> dict[str, Any]:
        """Return all values in a new dict."""
        return dict(self._values)

    def keys(self) -> KeysView[str]:
        """Return a view of the keys, in the order in which they were first set."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """Return a view of the values, in the order of the keys."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """Return a view of the (key, value) pairs, in the order of the keys."""
        return self._values.items()

    # ---------------------------------------------------------------------------- making new states

    def update(self, /, **updates: Any) -> Self:
        """Return a state with these values set; the others stay."""
        return self._of({**self._values, **updates})

    def append(self, /, **values: Any) -> Self:
        """Return a state in which each value is added to the end of the list under its key.

        A key that is not there starts a new list. The old lists stay as they are.

        Raises:
            ValueError: What stands under a key is not a list.
        """
        return self.update(**{key: [*self._list(key), value] for key, value in values.items()})

    def extend(self, /, **lists: Iterable[Any]) -> Self:
        """Return a state in which all elements are added to the end of the list under their key.

        A key that is not there starts a new list. The old lists stay as they are.

        Raises:
            ValueError: What stands under a key is not a list.
            TypeError: The elements given for a key are not a list or another iterable, or they
                are one str or bytes.
        """
        for key, elements in lists.items():
            if isinstance(elements, str | bytes) or not isinstance(elements, Iterable):
                raise TypeError(
                    f"extend({key}=...) takes a list of elements, not one "
                    f"{type(elements).__qualname__}: use append({key}=...) to add one"
                )
        return self.update(**{key: [*self._list(key), *more] for key, more in lists.items()})

    def _list(self, key: str) -> list[Any]:
        existing = self._values.get(key, [])
        if not isinstance(existing, list):
            raise ValueError(
                f"state[{key!r}] is of type {type(existing).__qualname__}, not a list: "
                f"only a list can be added to, set it with update({key}=[...]) first"
            )
        return existing

    def increment(self, /, **amounts: float) -> Self:
        """Return a state in which each amount is added to the number under its key.

        A key that is not there counts as 0.

        Raises:
            ValueError: What stands under a key, or the amount given for it, is not a number.
        """
        sums = {}
        for key, amount in amounts.items():
            existing = self._values.get(key, 0)
            for what, number in ((f"state[{key!r}]", existing), (f"increment({key}=...)", amount)):
                if not isinstance(number, int | float):
                    raise ValueError(
                        f"{what} is of type {type(number).__qualname__}, not a number: "
                        "amounts and what they are added to are int or float"
                    )
            sums[key] = existing + amount
        return self.update(**sums)

    def wipe(self, delete: list[str] | None = None, keep: list[str] | None = None) -> Self:
        """Return a state without the keys of `delete`, or with none but those of `keep`.

        Without arguments, an empty one. Keys that are not there do not matter.

        Raises:
            ValueError: Both are given.
            TypeError: One str is given instead of a list.
        """
        if delete is not None and keep is not None:
            raise ValueError("wipe() takes either delete or keep, not both")
        if isinstance(delete, str) or isinstance(keep, str):
            raise TypeError("wipe() takes lists of keys, not one str: write wipe(delete=['name'])")
        kept = set(keep or ()) if delete is None else self.keys() - set(delete)
        return self._of({key: value for key, value in self.items() if key in kept})

    def merge(self, other: State) -> Self:
        """Return a state with the values of both; where both have a key, the other's value.

        Raises:
            TypeError: `other` is not a State.
        """
        if not isinstance(other, State):
            raise TypeError(
                f"merge() takes another State, not a {type(other).__qualname__}: "
                "write state.merge(State(values))"
            )
        return self._of({**self._values, **other._values})

    def subset(self, *keys: str, ignore_missing: bool = True) -> Self:
        """Return a state with only these keys, in this order.

        Raises:
            KeyError: A key is not there, and `ignore_missing` is False.
        """
        return self._of(
            {key: self[key] for key in keys if key in self._values or not ignore_missing}
        )

    # ------------------------------------------------------------------- saving, comparing, copying

    def serialize(self, **serde_kwargs: Any) -> dict[str, Any]:
        """Return the values in a new dict, to be encoded as they are.

        Args:
            serde_kwargs: What the persister was given for the state. A subclass that converts its
                values can use them; this class has no use for them.
        """
        return dict(self._values)

    @classmethod
    def deserialize(cls, values: dict[str, Any], **serde_kwargs: Any) -> Self:
        """Return the state whose `serialize` returned these values.

        Args:
            values: The values, as they were decoded. They are copied (not deeply).
            serde_kwargs: As in `serialize`.

        Raises:
            TypeError: `values` is no mapping, or one of its keys is not a str.
        """
        return cls(values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, State):
            return NotImplemented
        return _equal(self._values, other._values)

    # A state may hold lists and dicts, which have no hash.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_repr(self._values)})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        values: dict[str, Any] = {}
        copied = memo[id(self)] = self._of(values)
        _copy_into(values, self._values, memo)
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._values,)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(
            f"a State does not change: use state = state.update({name}=...) to get a new one"
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"a State does not change: use state = state.wipe(delete=[{name!r}]) to get a new one"
        )


# Lists, dicts and tuples compare, print and copy themselves by recursion, which ends at some
# hundred levels. The functions below do the same for any depth, and leave the rest to itself.

_BRACKETS: dict[type, str] = {list: "[]", dict: "{}", tuple: "()"}


def _equal(left: Any, right: Any) -> bool:
    """Python's equality."""
    pairs = [(left, right)]
    seen = set()  # lists and dicts may contain themselves, or one part many times
    while pairs:
        left, right = pairs.pop()
        if left is right:
            continue
        kind = type(left)
        if kind is not type(right) or kind not in _BRACKETS:
            if left == right:
                continue
            return False
        if (id(left), id(right)) in seen:
            continue
        seen.add((id(left), id(right)))
        if len(left) != len(right):
            return False
        if kind is not dict:
            pairs.extend(zip(left, right, strict=True))
            continue
        for key, value in left.items():
            if key not in right:
                return False
            pairs.append((value, right[key]))
    return True


def _repr(value: dict[str, Any]) -> str:
    """Python's repr, with integers of too many digits in hexadecimal."""
    parts = ["{"]
    open_containers = {id(value)}
    stack: list[tuple[Any, Iterator[tuple[str, Any]]]] = [(value, _labelled(value))]
    while stack:
        container, members = stack[-1]
        for label, member in members:
            parts.append(label)
            brackets = _BRACKETS.get(type(member))
            if brackets is None:
                parts.append(_repr_of_one(member))
            elif id(member) in open_containers:
                parts.append(f"{brackets[0]}...{brackets[1]}")
            else:
                parts.append(brackets[0])
                open_containers.add(id(member))
                stack.append((member, _labelled(member)))
                break
        else:
            if type(container) is tuple and len(container) == 1:
                parts.append(",")
            parts.append(_BRACKETS[type(container)][1])
            open_containers.remove(id(container))
            stack.pop()
    return "".join(parts)


def _labelled(container: Any) -> Iterator[tuple[str, Any]]:
    """The members of a container, each with the text that comes before it."""
    separator = ""
    if type(container) is dict:
        for key, value in container.items():
            yield f"{separator}{_repr_of_one(key)}: ", value
            separator = ", "
    else:
        for value in container:
            yield separator, value
            separator = ", "


def _repr_of_one(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:
        if type(value) is int:  # Python refuses to write more than 4300 digits
            return hex(value)
        raise


def _copy_into(target: dict[str, Any], source: dict[str, Any], memo: dict[int, Any]) -> None:
    """Deep copies of the values of `source`; `memo` is the one of `copy.deepcopy`."""
    memo[id(source)] = target
    # What is being copied, its members with their keys, the copies so far.
    stack: list[tuple[Any, Iterator[tuple[Any, Any]], Any]] = [
        (source, iter(source.items()), target)
    ]
    waiting: list[Any] = []  # the keys under which the copies of inner ones belong
    while stack:
        old, members, new = stack[-1]
        for key, value in members:
            kind = type(value)
            if id(value) in memo:
                copied = memo[id(value)]
            elif kind not in _BRACKETS:
                copied = copy.deepcopy(value, memo)
            else:
                waiting.append(key)
                inner: Any = {} if kind is dict else []
                if kind is not tuple:  # a tuple is made when its members are
                    memo[id(value)] = inner
                items = iter(value.items()) if kind is dict else enumerate(value)
                stack.append((value, items, inner))
                break
            _put(new, key, copied)
        else:
            stack.pop()
            if type(old) is tuple and id(old) not in memo:
                unchanged = all(map(operator.is_, old, new))
                memo[id(old)] = old if unchanged else tuple(new)
            if stack:
                _put(stack[-1][2], waiting.pop(), memo[id(old)])


def _put(container: Any, key: Any, value: Any) -> None:
    if type(container) is dict:
        container[key] = value
    else:
        container.append(value)
