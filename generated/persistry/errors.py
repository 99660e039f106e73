# Code generated from spec/interface.yaml by `make generate`. DO NOT EDIT.
"""What can go wrong with a persister, the same on every store.

Each error is also the builtin that people expect. The driver's own exception is its cause.
"""

from __future__ import annotations

__all__ = (
    "CorruptStateError",
    "NotInitializedError",
    "PersisterAccessError",
    "PersisterClosedError",
    "PersisterError",
    "PersisterUnavailableError",
    "StateConflictError",
    "StateNotSerializableError",
    "StateTooLargeError",
    "StoreVersionError",
)


class PersisterError(Exception):
    """Whatever goes wrong with a store; every other error here is one."""


class NotInitializedError(PersisterError, RuntimeError):
    """The table is missing, or was made by an older version or another library: call
    `initialize()` once before the first save or load.
    """


class StateConflictError(PersisterError, ValueError):
    """A different state, or another status, is stored under this key already. Nothing was
    changed.
    """


class StateNotSerializableError(PersisterError, TypeError):
    """The state holds a value that cannot be stored exactly; the message names its place, like
    `state['a'][3]`, and says what to do.
    """


class StateTooLargeError(PersisterError, ValueError):
    """The encoded state is larger than the store, or `max_state_bytes`, allows. Nothing was
    sent.
    """


class CorruptStateError(PersisterError, ValueError):
    """What is stored under this key is not a state that persistry wrote, it is damaged, or it
    holds a type that nobody has given to `register_type`.
    """


class PersisterClosedError(PersisterError, RuntimeError):
    """The persister was used after `cleanup()`, or its connection was closed by its owner."""


class PersisterAccessError(PersisterError, PermissionError):
    """The store refuses the user, the password or the right that the operation needs."""


class StoreVersionError(PersisterError, RuntimeError):
    """The store has another format than this version of persistry reads. Nothing was changed."""


class PersisterUnavailableError(PersisterError, ConnectionError):
    """The store cannot be reached, is not ready, or did not answer in time."""

    def __init__(self, message: str = "", may_have_saved: bool = False) -> None:
        super().__init__(message)
        # True after a save whose answer was lost: the record may be stored. Saving the same record
        # again is safe.
        self.may_have_saved = may_have_saved

    def __reduce__(self) -> tuple[type[PersisterUnavailableError], tuple[object, ...]]:
        return type(self), (str(self), self.may_have_saved)
