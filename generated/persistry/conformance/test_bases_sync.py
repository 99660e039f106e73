# Code generated from templates/conformance/behaviours/bases.py.jinja by `make generate`. DO NOT EDIT.
"""The base classes and the errors, sync: what an own persister builds on."""

from __future__ import annotations

from typing import Any

import pytest

from .. import errors
from ..persistence import BaseStateLoader as Loader
from ..persistence import BaseStatePersister as Persister
from ..persistence import BaseStateSaver as Saver
from ..state import State
from .support.together_sync import marks

pytestmark = marks

BUILTINS = {
    "PersisterError": Exception,
    "NotInitializedError": RuntimeError,
    "StateConflictError": ValueError,
    "StateNotSerializableError": TypeError,
    "StateTooLargeError": ValueError,
    "CorruptStateError": ValueError,
    "PersisterClosedError": RuntimeError,
    "PersisterAccessError": PermissionError,
    "StoreVersionError": RuntimeError,
    "PersisterUnavailableError": ConnectionError,
}


class Tracking(Loader):
    """Reads what is saved by other means."""

    def load(self, partition_key: Any, app_id: Any, sequence_id: Any = None, **kwargs: Any) -> Any:
        """Find nothing."""

    def list_app_ids(
        self, partition_key: Any = None, *, limit: Any = None, **kwargs: Any
    ) -> list[str]:
        """Know one application."""
        return ["a"]


class Own(Tracking, Persister):
    """Saves too."""

    def save(
        self,
        partition_key: Any,
        app_id: Any,
        sequence_id: Any,
        position: Any,
        state: State,
        status: str,
        **kwargs: Any,
    ) -> None:
        """Forget it."""


@pytest.mark.promise(8)
@pytest.mark.parametrize("name", BUILTINS)
def test_error_is_also_a_builtin(name: str) -> None:
    """Every error is a PersisterError and the builtin that people expect."""
    error = getattr(errors, name)
    assert issubclass(error, errors.PersisterError)
    assert issubclass(error, BUILTINS[name])


@pytest.mark.promise(8)
def test_unavailable_error_has_saved_nothing_by_default() -> None:
    """Only where it is said, a save may have happened."""
    assert errors.PersisterUnavailableError("gone").may_have_saved is False
    assert errors.PersisterUnavailableError("gone", may_have_saved=True).may_have_saved is True


@pytest.mark.promise(7)
def test_loader_alone_is_a_loader() -> None:
    """An object that only loads is a loader, and needs no save()."""
    tracking = Tracking()
    assert isinstance(tracking, Loader)
    assert not isinstance(tracking, Saver)
    assert tracking.list_app_ids("p") == ["a"]
    assert tracking.load("p", "a") is None


@pytest.mark.promise(7)
def test_persister_is_loader_and_saver() -> None:
    """A persister is both, the loader first."""
    order = Persister.__mro__
    assert order.index(Loader) < order.index(Saver)


@pytest.mark.promise(7)
@pytest.mark.parametrize("base", [Loader, Saver, Persister])
def test_base_alone_is_abstract(base: Any) -> None:
    """A base whose operations are missing cannot be made."""
    with pytest.raises(TypeError):
        base()


@pytest.mark.promise(7)
def test_own_persister_needs_three_operations() -> None:
    """With load, save and list_app_ids it works; initialize() does nothing unless written."""
    own = Own()
    own.initialize()
    own.save("p", "a", 0, "x", State({}), "completed")
    for call in (own.is_initialized, own.list_partition_keys):
        with pytest.raises(
            NotImplementedError, match=r"Own .* (is_initialized|list_partition_keys)\(\)"
        ):
            call()
