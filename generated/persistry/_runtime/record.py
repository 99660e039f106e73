"""A record on its way into a store, and what happens if its key is taken."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from ..errors import PersisterUnavailableError, StateConflictError, StateTooLargeError
from . import codec
from .arguments import KeyParts, ReadText, Row, integer, read_text, shown, stored_text, wrong_type
from .clock import iso, now
from .same import same
from .states import OWN_STATES, Forms, States

# A state of so many bytes fits into a statement of 1 MB, whatever has to be escaped in it.
SMALL = 400_000
# What else is in the statement: its words and the key.
AROUND = 10_000


@dataclass(frozen=True, slots=True)
class NewRecord:
    """What a `save` stores: checked, encoded, with its time."""

    partition_key: str
    app_id: str
    sequence_id: int
    position: str
    status: str
    encoded: codec.EncodedState
    created_at: str
    forms: Forms | None = None
    """What it may have to be instead of `encoded`, until `in_store` says of which store it is."""

    @classmethod
    def checked(
        cls,
        partition_key: object,
        app_id: object,
        sequence_id: object,
        position: object,
        state: object,
        status: object,
        serde_kwargs: Mapping[str, Any],
        largest: int,
        states: States = OWN_STATES,
        is_shared: bool | None = False,
    ) -> NewRecord:
        """The record, unless an argument is wrong.

        Args:
            largest: How many bytes of state can be stored.
            states: How states are taken.
            is_shared: Whether another library goes on with the store; None if only its opening
                tells, which `in_store` is then told.
        """
        partition, app, step = KeyParts.checked(partition_key, app_id, sequence_id)
        action = stored_text("position", position)
        outcome = stored_text("status", status)
        if not isinstance(state, states.type):
            wrong_type("state", state, states.described)
        encoded = states.encode(state, serde_kwargs)
        if isinstance(encoded, codec.EncodedState):
            record = cls(partition, app, step, action, outcome, encoded, now())
        else:
            form = encoded.either if is_shared is None else encoded.chosen(is_shared)
            forms = encoded if is_shared is None else None
            record = cls(partition, app, step, action, outcome, form, now(), forms)
        record._check_size(largest)
        return record

    def in_store(self, is_shared: bool | None, largest: int) -> NewRecord:
        """The record as it is saved in this store."""
        if self.forms is None:
            return self
        record = replace(self, encoded=self.forms.chosen(bool(is_shared)), forms=None)
        record._check_size(largest)
        return record

    def _check_size(self, largest: int) -> None:
        if len(self.encoded.data) > largest and self.forms is None:
            raise StateTooLargeError(
                f"save of {self}: the encoded state has {len(self.encoded.data)} bytes, more than "
                f"the {largest} that can be stored; keep large values elsewhere and store a "
                "reference to them"
            )

    @property
    def state(self) -> str:
        return self.encoded.text

    @property
    def codec(self) -> int:
        return self.encoded.codec

    @property
    def sequence(self) -> str:
        """The sequence id as text that sorts like the number."""
        return f"{self.sequence_id:019}"

    @property
    def created_at_iso(self) -> str:
        """Its time as other libraries write it."""
        return iso(self.created_at)

    @property
    def key_digest(self) -> bytes:
        """The key in 16 bytes. No part of it holds a NUL, so that different keys stay different."""
        parts = (self.partition_key, self.app_id, str(self.sequence_id), self.position)
        return sha256("\0".join(parts).encode()).digest()[:16]

    @property
    def is_large(self) -> bool:
        """Whether its statement may be longer than what a server takes at the least."""
        return len(self.encoded.data) > SMALL

    def is_over(self, largest_sequence_id: int | None) -> bool:
        """Whether a table has no room for its number; None where it takes all."""
        return largest_sequence_id is not None and self.sequence_id > largest_sequence_id

    def check_number(self, largest_sequence_id: int | None) -> None:
        """Refuse a record whose number the table has no room for."""
        if self.is_over(largest_sequence_id):
            raise ValueError(
                f"sequence_id must not be over {largest_sequence_id} in this table, as another"
                f" library made it, but is {self.sequence_id}: call widen() once to make room"
            )

    def check_fits(self, answer: Row | None) -> None:
        """Refuse a record whose statement is longer than the server says that it takes.

        Sent all the same, it would cost the connection before the server could say so.
        """
        data = self.encoded.data
        escaped = len(data) + sum(map(data.count, (b'"', b"'", b"\\")))
        if answer is not None and escaped + AROUND > answer[0]:
            raise StateTooLargeError(
                f"save of {self}: the encoded state has {len(data)} bytes, {escaped} with its"
                f" quotes escaped, and a statement of this server has {answer[0]} at the most;"
                " keep large values elsewhere and store a reference to them, or have it allow more"
            )

    def accept(self, stored: Row | None, read: ReadText = read_text) -> None:
        """Accept what is stored under this key if it is this record; refuse it otherwise.

        Args:
            stored: Its status, state and codec (or `codec.JSONB`); None if it was removed in the
                meantime.
            read: Reads its status.
        """
        if stored is None:
            raise PersisterUnavailableError(
                f"save of {self}: the store did not take it, and nothing is there under this key: "
                "what was there has been deleted in the meantime, or something in the store, such "
                "as a trigger, keeps it out; nothing was saved. Save it again"
            )
        status, state, number = stored
        with suppress(ValueError):  # what is no text is another status than any
            status = read(status)
        if status != self.status:
            raise StateConflictError(
                f"save of {self}: it is stored already with the status {shown(status)}, not "
                f"{shown(self.status)}; nothing was changed. Load what is there, or save under a "
                "new sequence_id"
            )
        if not self._is_stored_as(state, number):
            raise StateConflictError(
                f"save of {self}: another state is stored under this key; nothing was changed. "
                "Load what is there, or save under a new sequence_id"
            )

    def _is_stored_as(self, state: str | bytes, number: int | None) -> bool:
        if number == self.codec and state in (self.encoded.data, self.encoded.text):
            return True
        try:
            # What was sent, not the caller's own lists: those may have changed since.
            sent = codec.decode(self.encoded.data, self.codec, registered=False)
            if number == codec.JSONB:
                return same(sent, codec.decode(state, None, registered=False), through_jsonb=True)
            return same(sent, codec.decode(state, number, registered=False))
        except ValueError:  # a damaged record is another one
            return False

    def __str__(self) -> str:
        return (
            f"partition {shown(self.partition_key)}, app {shown(self.app_id)}, "
            f"sequence {self.sequence_id}, position {shown(self.position)}"
        )


def largest_state(max_state_bytes: object, store_takes: int) -> int:
    """The smaller of what the caller allows and what the store takes, in bytes."""
    if max_state_bytes is None:
        return store_takes
    allowed = integer("max_state_bytes", max_state_bytes)
    if allowed < 1:
        raise ValueError(f"max_state_bytes must be 1 or more, or None, not {allowed}")
    return min(allowed, store_takes)


def serde_kwargs_of(value: object) -> dict[str, Any]:
    """A copy of the keyword arguments for `serialize` and `deserialize`."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        wrong_type("serde_kwargs", value, "a dict or None")
    for name in value:
        if not isinstance(name, str):
            wrong_type("serde_kwargs", name, "a dict of keyword arguments, whose names are str")
    return dict(value)
