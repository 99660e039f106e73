"""Apache Burr's states: what Burr's serde knows goes through it, all else is stored as ours is.

What Burr's serde makes of a value of a registered type, or of a registered field, stands in the
text just as it would in Burr's own. JSON values need nothing. What is neither, such as a tuple or a
datetime, Burr turns into text: in a store that Burr made it stands as that text, in one of our own
it comes back exactly.

Burr takes each dict with its marker for what a serde made. One of the user's own is therefore put
into a dict that has the marker, too, with our name: it comes back as it was, Burr finds nobody who
reads it and says so, and nothing that a user wrote is ever run as a deserializer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from burr.core import serde
from burr.core.state import FIELD_SERIALIZATION, State

from .. import registry
from .._runtime import codec
from .._runtime.codec import EncodedState
from .._runtime.states import Forms
from .._runtime.tags import RefusedError, UnregisteredTypeError
from ..errors import StateNotSerializableError
from ._rebuilt import Inside, MisplacedError, Replace, rebuilt

MARKER = serde.KEY
OURS = "persistry.dict"
"""What the marker says of a dict that is the user's own; it stands under "value"."""

# What Burr does with values of no registered type: it lets those of JSON pass, its own function
# for all others makes texts of them.
_AS_TEXT = serde.serialize.dispatch(object)
_UNREGISTERED = frozenset(map(serde.serialize.dispatch, (object, str, dict, list)))

_COLLECTIONS = frozenset((tuple, set, frozenset))

Kwargs: TypeAlias = Mapping[str, Any]


class BurrStates:
    """Those of `burr.core.State`."""

    type = State
    described = "a State of Burr's (burr.core.State)"

    def encode(self, state: State[Any], serde_kwargs: Kwargs) -> EncodedState | Forms:
        values = state.get_all()
        fields = _registered_fields(values)
        if not fields:
            plain = codec.encode_plain(values)
            if plain is not None and _MARKER_BYTES not in plain.data:
                return plain
        values |= {name: _of_field(name, values[name], serde_kwargs) for name in fields}
        own = _encoded(values, _Writer(serde_kwargs, for_burr=False))
        if isinstance(own, EncodedState) and own.codec in (codec.PLAIN, codec.DEEP):
            return own  # Burr would write the same
        shared = _encoded(values, _Writer(serde_kwargs, for_burr=True))
        if isinstance(own, Exception) and isinstance(shared, Exception):
            raise own
        return Forms(own, shared)

    def decode(self, text: str | bytes, number: int | None, serde_kwargs: Kwargs) -> State[Any]:
        values = codec.decode(text, number)
        fields = _registered_fields(values)
        if fields or (MARKER in text if isinstance(text, str) else _MARKER_BYTES in text):
            others = {name: value for name, value in values.items() if name not in fields}
            read = _all_read(others, serde_kwargs)
            read |= {name: _read_field(name, values[name], serde_kwargs) for name in fields}
            values = {name: read[name] for name in values}  # in their order
        return State(values)


STATES = BurrStates()


def _registered_fields(values: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(FIELD_SERIALIZATION.keys() & values.keys()) if FIELD_SERIALIZATION else _NONE


_NONE: frozenset[str] = frozenset()
_MARKER_BYTES = MARKER.encode()


# ------------------------------------------------------------------------------------------ writing


class _Made(NamedTuple):
    """What a function registered with Burr has made of a value."""

    payload: Any


def _of_field(name: str, value: Any, serde_kwargs: Kwargs) -> _Made:
    """The value of a field, by the function that is registered for the field."""
    what = f"state[{name!r}]: the serializer that is registered for this field"
    try:
        payload = FIELD_SERIALIZATION[name][0](value, **serde_kwargs)
    except Exception as error:
        raise StateNotSerializableError(f"{what} failed: {error!r}") from error
    if not isinstance(payload, dict):
        raise StateNotSerializableError(f"{what} must return a dict, not {payload!r:.80}")
    return _Made(payload)


def _encoded(values: dict[str, Any], write: Replace) -> EncodedState | StateNotSerializableError:
    try:
        return codec.encode(rebuilt(values, write))
    except MisplacedError as error:
        refused = StateNotSerializableError(str(error))
        refused.__cause__ = error.__cause__
        return refused
    except StateNotSerializableError as error:
        return error


class _Writer:
    """What stands for a value in the text of a state; what cannot be stored is left as it is."""

    def __init__(self, serde_kwargs: Kwargs, for_burr: bool) -> None:
        self._serde_kwargs = serde_kwargs
        self._for_burr = for_burr
        """Whether Burr goes on with the store: it is to find there what it would have written."""

    def __call__(self, value: Any) -> Any:
        kind = type(value)
        if kind is dict:
            return self._dict(value)
        if kind is list:
            return Inside(value, self)
        if kind is _Made:
            return _as_json(value.payload)
        function = serde.serialize.dispatch(kind)
        if function not in _UNREGISTERED:
            return _as_json(self._serialized(value))
        if kind in registry.by_class:
            return value
        if function is not _AS_TEXT:
            plain = _plain(value)
            return self(plain) if type(plain) in (dict, list) else plain
        if self._for_burr:
            return self._serialized(value)
        return Inside(value, self) if kind in _COLLECTIONS else value

    def _dict(self, value: dict[Any, Any]) -> Inside:
        close = _set_apart if value.get(MARKER) is not None else None
        return Inside(_with_text_keys(value) if self._for_burr else value, self, close)

    def _serialized(self, value: Any) -> Any:
        try:
            return serde.serialize(value, **self._serde_kwargs)
        except Exception as error:
            kind = type(value).__name__
            raise ValueError(f"is a {kind}, for which Burr's serde failed: {error!r}") from error


def _set_apart(value: dict[str, Any]) -> dict[str, Any]:
    return {MARKER: OURS, "value": value}


def _as_json(value: Any) -> Any:
    """What Burr has made of a value, as it is in a text: JSON knows lists only, and no classes."""
    if isinstance(value, dict):
        return Inside(_with_text_keys(value), _as_json)
    if isinstance(value, list | tuple):
        return Inside(list(value), _as_json)
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value of a subclass as one of its base, which is how JSON writes it."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__index__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, list) else value


def _with_text_keys(value: dict[Any, Any]) -> dict[str, Any]:
    """With the keys that JSON makes of them, as of numbers."""
    if all(type(key) is str for key in value):
        return value if type(value) is dict else dict(value)
    return {_text_key(key): member for key, member in value.items()}


def _text_key(key: Any) -> str:
    (text,) = json.loads(json.dumps({key: None}))
    return str(text)


# ------------------------------------------------------------------------------------------ reading


def _all_read(values: dict[str, Any], serde_kwargs: Kwargs) -> dict[str, Any]:
    """Raises RefusedError, in the words of the serde, where one does not read what is its own."""
    try:
        return rebuilt(values, partial(_read, serde_kwargs=serde_kwargs))
    except MisplacedError as error:
        raise RefusedError(str(error)) from error.__cause__


def _read(value: Any, serde_kwargs: Kwargs) -> Any:
    """What a value in a text stands for."""
    read = partial(_read, serde_kwargs=serde_kwargs)
    kind = type(value)
    if kind is list or kind is tuple:
        return Inside(value, read)
    if kind is not dict:
        return value
    name = value.get(MARKER)
    if name is None:
        return Inside(value, read)
    if name == OURS and type(value.get("value")) is dict:
        return Inside(value["value"], read)
    if isinstance(name, str) and name not in serde.deserializer.func_map:
        raise UnregisteredTypeError(
            f"a value that was made by the serde {name!r} is in it, and this process has registered"
            " no such deserializer with Burr: import the module that does"
        )
    try:
        return serde.deserialize(value, **serde_kwargs)
    except Exception as error:
        raise ValueError(f"is read by Burr's serde {name!r}, which refuses: {error!r}") from error


def _read_field(name: str, value: Any, serde_kwargs: Kwargs) -> Any:
    try:
        return FIELD_SERIALIZATION[name][1](value, **serde_kwargs)
    except Exception as error:
        raise RefusedError(
            f"state[{name!r}] is read by the deserializer that is registered with Burr for this"
            f" field, which refuses: {error!r}"
        ) from error


def _read_apart(value: dict[str, Any], **serde_kwargs: Any) -> dict[str, Any]:
    """A dict of the user's own, where Burr comes upon it in a process that has this module."""
    return _all_read(value["value"], serde_kwargs)


serde.deserializer.register(OURS)(_read_apart)  # type: ignore[no-untyped-call]
