"""How a class takes an application's states and gives them back: what knows their type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from ..errors import StateNotSerializableError
from ..state import State
from . import codec
from .codec import EncodedState


@dataclass(frozen=True, slots=True)
class Forms:
    """A state whose text depends on who reads the store; an error where it cannot be stored."""

    own: EncodedState | StateNotSerializableError
    """In a store of our own, where it comes back exactly."""
    shared: EncodedState | StateNotSerializableError
    """In one that another library made and goes on with: what it would have written itself."""

    @property
    def either(self) -> EncodedState:
        """A form that can be."""
        return self.chosen(is_shared=isinstance(self.own, StateNotSerializableError))

    def chosen(self, is_shared: bool) -> EncodedState:
        """Raises StateNotSerializableError where this form cannot be."""
        form = self.shared if is_shared else self.own
        if isinstance(form, StateNotSerializableError):
            raise form
        return form


class States(Protocol):
    """The states of one library."""

    @property
    def type(self) -> type[Any]:
        """Their class."""

    @property
    def described(self) -> str:
        """The class in words, for who gives something else."""

    def encode(self, state: Any, serde_kwargs: Mapping[str, Any]) -> EncodedState | Forms:
        """The text of a state, or both of them where it depends on the store.

        Raises:
            StateNotSerializableError: It cannot be stored anywhere.
        """

    def decode(self, text: str | bytes, number: int | None, serde_kwargs: Mapping[str, Any]) -> Any:
        """The state whose text this is.

        Raises:
            ValueError, TypeError: The text is not that of a state.
        """


@runtime_checkable
class TakesStates(Protocol):
    """A persister that can take and give other states than those of its class."""

    def _with_states(self, states: States) -> Self: ...


class OwnStates:
    """Those of `persistry.State`."""

    type = State
    described = "a State (write State({...}))"

    def encode(self, state: State, serde_kwargs: Mapping[str, Any]) -> EncodedState:
        return codec.encode(state.serialize(**serde_kwargs))

    def decode(
        self, text: str | bytes, number: int | None, serde_kwargs: Mapping[str, Any]
    ) -> State:
        return State.deserialize(codec.decode(text, number), **serde_kwargs)


OWN_STATES = OwnStates()
