"""Checks the arguments of an operation, before any I/O and the same on every store."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from ..errors import CorruptStateError
from .clock import iso
from .states import OWN_STATES, States
from .tags import RefusedError

if TYPE_CHECKING:
    from ..persistence import PersistedStateData

# The longest part of a key, in bytes of UTF-8: it fits into every store's index.
MAX_TEXT_BYTES = 512
MAX_SEQUENCE_ID = 2**63 - 1

Row = tuple[Any, ...]
# How a store's texts are read: `read_text` or `read_utf8`.
ReadText = Callable[[object], str]


def refuse_unknown(operation: str, kwargs: Mapping[str, Any]) -> None:
    """A misspelt keyword would otherwise be ignored, and another record loaded than was meant."""
    for name in kwargs:
        raise TypeError(f"{operation}() got an unexpected keyword argument {name!r}")


def text(name: str, value: object) -> str:
    """Any text, to look for; of a member of a str enumeration, its text."""
    if not isinstance(value, str):
        wrong_type(name, value, "a str")
    return value if type(value) is str else str.__str__(value)


def stored_text(name: str, value: object) -> str:
    """A text that every store can keep as part of a key."""
    checked = text(name, value)
    if "\0" in checked:
        raise ValueError(f"{name} must not hold a NUL character: {shown(checked)}")
    try:
        size = len(checked.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{name} must not hold a lone surrogate: {shown(checked)}") from None
    if size > MAX_TEXT_BYTES:
        raise ValueError(
            f"{name} must not be longer than {MAX_TEXT_BYTES} bytes of UTF-8, not {size}: "
            f"{shown(checked)}"
        )
    return checked


def read_text(stored: object) -> str:
    """A text that a store holds as a text; ValueError if somebody put something else there."""
    if type(stored) is not str:
        raise ValueError(f"{shown(stored)} is no text")
    return stored


def read_utf8(stored: object) -> str:
    """A text that a store holds as the bytes of its UTF-8; ValueError if they are none."""
    try:
        return str(stored, "utf-8")  # type: ignore[call-overload, no-any-return]
    except TypeError:
        raise ValueError(f"{shown(stored)} is no bytes") from None


def sequence(name: str, value: object) -> int:
    checked = integer(name, value)
    if not 0 <= checked <= MAX_SEQUENCE_ID:
        raise ValueError(f"{name} must be 0 or more and below 2**63, not {shown(checked)}")
    return checked


def integer(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        wrong_type(name, value, "an int")
    return int.__index__(value)  # of a member of an int enumeration, its number


def wrong_type(name: str, value: object, expected: str) -> NoReturn:
    raise TypeError(f"{name} must be {expected}, not {type(value).__name__}: {shown(value)}")


def shown(value: object, at_most: int = 80) -> str:
    """A value for a message, cut where it would fill the screen; never an error itself."""
    try:
        printed = ascii(value) if isinstance(value, str) else repr(value)
    except Exception:  # of a foreign __repr__, or an integer of too many digits
        return f"<{type(value).__name__}>"
    return printed if len(printed) <= at_most else f"{printed[: at_most - 3]}..."


def is_storable(value: str) -> bool:
    """Whether a record under this name can exist; what `save` refuses is never found."""
    try:
        stored_text("value", value)
    except ValueError:
        return False
    return True


class KeyParts(NamedTuple):
    """The parts of a record's key, without its position, as `save` takes them."""

    partition_key: str
    app_id: str
    sequence_id: int

    @classmethod
    def checked(cls, partition_key: object, app_id: object, sequence_id: object) -> KeyParts:
        return cls(
            "" if partition_key is None else stored_text("partition_key", partition_key),
            stored_text("app_id", app_id),
            sequence("sequence_id", sequence_id),
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which record a `load` asks for."""

    partition_key: str
    app_id: str
    """`""` when the latest of the partition is wanted; `asks_for_app` tells."""
    sequence_id: int
    asks_for_app: bool
    asks_for_sequence: bool

    @classmethod
    def checked(cls, partition_key: object, app_id: object, sequence_id: object) -> Wanted:
        if sequence_id is not None:
            sequence("sequence_id", sequence_id)
            if app_id is None:
                raise ValueError("sequence_id needs an app_id: a step belongs to one application")
        return cls(
            "" if partition_key is None else text("partition_key", partition_key),
            "" if app_id is None else text("app_id", app_id),
            0 if sequence_id is None else integer("sequence_id", sequence_id),
            app_id is not None,
            sequence_id is not None,
        )

    @property
    def storable(self) -> bool:
        return is_storable(self.partition_key) and is_storable(self.app_id)

    def record(
        self,
        row: Row | None,
        serde_kwargs: Mapping[str, Any],
        read: ReadText = read_text,
        states: States = OWN_STATES,
    ) -> PersistedStateData | None:
        """The record in a row: app_id, sequence_id, position, status, state, created_at, codec."""
        if row is None:
            return None
        app_id, sequence_id, position, status, state, created_at, number = row
        try:
            app_id = read(app_id)
            if type(sequence_id) is not int or sequence_id < 0:
                raise ValueError(f"its sequence_id is {shown(sequence_id)}")
            return {
                "partition_key": self.partition_key,
                "app_id": app_id,
                "sequence_id": sequence_id,
                "position": read(position),
                "state": states.decode(state, number, serde_kwargs),
                "created_at": iso(created_at),
                "status": read(status),
            }
        except RefusedError as error:
            raise self.corrupt(app_id, str(error), sequence_id) from error
        except (ValueError, TypeError, OverflowError) as error:
            why = f"what is stored there is not a state that persistry wrote, or damaged ({error})"
            raise self.corrupt(app_id, why, sequence_id) from error

    def corrupt(self, app_id: object, why: str, sequence_id: object = None) -> CorruptStateError:
        """The error for a record that cannot be read."""
        step = "" if sequence_id is None else f", sequence {shown(sequence_id)}"
        return CorruptStateError(
            f"load of partition {shown(self.partition_key)}, app {shown(app_id)}{step}: {why}"
        )

    def __str__(self) -> str:
        app = f", app {shown(self.app_id)}" if self.asks_for_app else ""
        step = f", sequence {self.sequence_id}" if self.asks_for_sequence else ""
        return f"partition {shown(self.partition_key)}{app}{step}"


@dataclass(frozen=True, slots=True)
class WantedApps:
    """Which applications a `list_app_ids` asks for."""

    partition_key: str
    limit: Any
    """How many at the most; the store's own word for "all" where none is given."""
    storable: bool

    @classmethod
    def checked(cls, partition_key: object, limit: object, no_limit: Any = None) -> WantedApps:
        partition = "" if partition_key is None else text("partition_key", partition_key)
        return cls(partition, _most(limit, no_limit), is_storable(partition))

    def names(self, rows: Iterable[Row], read: ReadText = read_text) -> list[str]:
        """The applications that rows of one column name."""
        return _names(rows, read, f"list_app_ids of {self}: an app_id")

    def __str__(self) -> str:
        return f"partition {shown(self.partition_key)}"


@dataclass(frozen=True, slots=True)
class WantedPartitions:
    """How many partitions a `list_partition_keys` asks for."""

    limit: Any
    """How many at the most; the store's own word for "all" where none is given."""
    storable: bool = True

    @classmethod
    def checked(cls, limit: object, no_limit: Any = None) -> WantedPartitions:
        return cls(_most(limit, no_limit))

    def names(self, rows: Iterable[Row], read: ReadText = read_text) -> list[str]:
        """The partitions that rows of one column name."""
        return _names(rows, read, "list_partition_keys: a partition_key")

    def __str__(self) -> str:
        return ""


def _names(rows: Iterable[Row], read: ReadText, what: str) -> list[str]:
    try:
        return [read(name) for (name,) in rows]
    except ValueError as error:
        raise CorruptStateError(f"{what} is not what persistry wrote ({error})") from error


def _most(limit: object, no_limit: Any) -> Any:
    """How many names are wanted at the most."""
    if limit is None:
        return no_limit
    if integer("limit", limit) < 0:
        raise ValueError(f"limit must be 0 or more, or None for all, not {shown(limit)}")
    # No store holds more, and a larger number would not fit where it is bound.
    return min(integer("limit", limit), MAX_SEQUENCE_ID)


def exactly_one(**handed_in: Any) -> Any:
    """The one of these arguments that is given."""
    given = [name for name, value in handed_in.items() if value is not None]
    if not given:
        raise TypeError(f"give {' or '.join(handed_in)}, or build the persister with from_values()")
    if len(given) > 1:
        raise ValueError(f"give {' or '.join(given)}, not both")
    return handed_in[given[0]]


def config_arguments(config: object, build: Callable[..., Any]) -> dict[str, Any]:
    """The keyword arguments for `build` in a configuration, whose keys must be its parameters."""
    if not isinstance(config, Mapping):
        wrong_type("config", config, "a dict")
    parameters = named(build)
    unknown = [key for key in config if key not in parameters]
    if unknown and not (takes_others(build) and isinstance(unknown[0], str)):
        raise ValueError(
            f"config has the unknown key {shown(unknown[0])}; known are: {', '.join(parameters)}"
        )
    missing = [
        name
        for name, it in parameters.items()
        if it.default is inspect.Parameter.empty and name not in config
    ]
    if missing:
        beside = f", and has the unknown key {shown(unknown[0])}" if unknown else ""
        raise ValueError(f"config lacks the key {missing[0]!r}{beside}")
    return dict(config)


def named(build: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters that have a name of their own."""
    parameters = inspect.signature(build).parameters
    return {name: it for name, it in parameters.items() if it.kind is not it.VAR_KEYWORD}


def takes_others(build: Callable[..., Any]) -> bool:
    """Whether there is a `**parameter` for all other keyword arguments."""
    return len(named(build)) < len(inspect.signature(build).parameters)
