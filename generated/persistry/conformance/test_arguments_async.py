# Code generated from spec/conformance/arguments.yaml by `make generate`. DO NOT EDIT.
"""Arguments: the scenarios of spec/conformance/arguments.yaml, async."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ..state import State
from .support import expect
from .support.column import Store
from .support.together_async import Opened, fixture, marks

COLOUR = "async"
pytestmark = marks


@fixture
async def keep(store: Store) -> AsyncIterator[Opened]:
    """Closes after the test what was opened in it."""
    async with Opened() as opened:
        yield opened


@fixture
async def fresh(store: Store, keep: Opened) -> Any:
    """A persister on a store that was never initialised."""
    return await keep(store.open())


@fixture
async def persister(fresh: Any) -> Any:
    """A persister on an empty store."""
    await fresh.initialize()
    return fresh


@pytest.mark.promise(2)
async def test_save_takes_only_text_as_partition(persister: Any) -> None:
    """A partition_key is a text or None; a number, an operator or a list is refused."""
    with pytest.raises(TypeError):
        await persister.save(42, "a", 1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.save(False, "a", 1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.save(["p"], "a", 1, "x", State({}), "completed")
    with expect.raises(TypeError, "partition_key"):
        await persister.save({"$ne": None}, "a", 1, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_takes_only_text_as_application(persister: Any) -> None:
    """An app_id is a text; None, a number, an operator or a list is refused."""
    with pytest.raises(TypeError):
        await persister.save("p", None, 1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.save("p", 42, 1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.save("p", ["a"], 1, "x", State({}), "completed")
    with expect.raises(TypeError, "app_id"):
        await persister.save("p", {"$ne": None}, 1, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_takes_only_text_as_position(persister: Any) -> None:
    """A position is a text; None, a number or an operator is refused."""
    with pytest.raises(TypeError):
        await persister.save("p", "a", 1, None, State({}), "completed")
    with pytest.raises(TypeError):
        await persister.save("p", "a", 1, 1, State({}), "completed")
    with expect.raises(TypeError, "position"):
        await persister.save("p", "a", 1, {"$ne": None}, State({}), "completed")


@pytest.mark.promise(2)
async def test_save_takes_only_text_as_status(persister: Any) -> None:
    """A status is a text; None, a bool or a list is refused."""
    with pytest.raises(TypeError):
        await persister.save("p", "a", 1, "x", State({}), None)
    with pytest.raises(TypeError):
        await persister.save("p", "a", 1, "x", State({}), True)
    with expect.raises(TypeError, "status"):
        await persister.save("p", "a", 1, "x", State({}), ["completed"])


@pytest.mark.promise(2)
async def test_save_takes_no_bool_as_sequence(persister: Any) -> None:
    """True is not sequence 1, and False is not sequence 0."""
    with pytest.raises(TypeError):
        await persister.save("p", "a", False, "x", State({}), "completed")
    with expect.raises(TypeError, "sequence_id"):
        await persister.save("p", "a", True, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_takes_no_text_as_sequence(persister: Any) -> None:
    """The text "1" is no sequence_id, and neither is None."""
    with pytest.raises(TypeError):
        await persister.save("p", "a", None, "x", State({}), "completed")
    with expect.raises(TypeError, "sequence_id"):
        await persister.save("p", "a", "1", "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_takes_no_float_as_sequence(persister: Any) -> None:
    """A float is no sequence_id, though its value is whole."""
    with pytest.raises(TypeError):
        await persister.save("p", "a", 1.0, "x", State({}), "completed")
    with expect.raises(TypeError, "sequence_id"):
        await persister.save("p", "a", 1.5, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_a_negative_sequence(persister: Any) -> None:
    """A sequence_id is not negative."""
    with expect.raises(ValueError, "sequence_id", "-1"):
        await persister.save("p", "a", -1, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_a_sequence_of_2_63(persister: Any) -> None:
    """A sequence_id is below 2**63."""
    with pytest.raises(ValueError):
        await persister.save("p", "a", 18446744073709551616, "x", State({}), "completed")
    with expect.raises(ValueError, "sequence_id"):
        await persister.save("p", "a", 9223372036854775808, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_takes_the_highest_sequence(persister: Any) -> None:
    """The last sequence_id below 2**63 is taken."""
    await persister.save("p", "a", 9223372036854775807, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_nul_in_a_partition(persister: Any) -> None:
    """A partition_key with a NUL is not saved."""
    with expect.raises(ValueError, "partition_key"):
        await persister.save("p\x00", "a", 1, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_nul_in_an_application(persister: Any) -> None:
    """An app_id with a NUL is not saved."""
    with expect.raises(ValueError, "app_id"):
        await persister.save("p", "a\x00b", 1, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_nul_in_a_position(persister: Any) -> None:
    """A position with a NUL is not saved."""
    with expect.raises(ValueError, "position"):
        await persister.save("p", "a", 1, "\x00", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_nul_in_a_status(persister: Any) -> None:
    """A status with a NUL is not saved."""
    with expect.raises(ValueError, "status"):
        await persister.save("p", "a", 1, "x", State({}), "done\x00")


@pytest.mark.promise(2)
async def test_save_refuses_a_lone_surrogate_in_a_partition(persister: Any) -> None:
    """A partition_key with half a character is not saved."""
    with expect.raises(ValueError, "partition_key"):
        await persister.save("p\ud800", "a", 1, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_a_lone_surrogate_in_an_application(persister: Any) -> None:
    """An app_id with half a character is not saved."""
    with expect.raises(ValueError, "app_id"):
        await persister.save("p", "\udfff", 1, "x", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_a_lone_surrogate_in_a_position(persister: Any) -> None:
    """A position with half a character is not saved."""
    with expect.raises(ValueError, "position"):
        await persister.save("p", "a", 1, "x\ud83d", State({}), "completed")


@pytest.mark.promise(2)
async def test_save_refuses_a_lone_surrogate_in_a_status(persister: Any) -> None:
    """A status with half a character is not saved, nor one with two halves kept apart."""
    with pytest.raises(ValueError):
        await persister.save("p", "a", 1, "x", State({}), "\ud83d\ude00")
    with expect.raises(ValueError, "status"):
        await persister.save("p", "a", 1, "x", State({}), "\ude00")


@pytest.mark.promise(2)
async def test_refused_saves_leave_nothing_behind(persister: Any) -> None:
    """What is refused for its arguments is not stored."""
    with pytest.raises(ValueError):
        await persister.save("p", "a", -1, "x", State({}), "completed")
    with pytest.raises(ValueError):
        await persister.save("p", "a", 1, "x\x00", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.save("p", "a", 1, "x", State({}), None)
    with pytest.raises(TypeError):
        await persister.save("p", "a", 1, "x", State({}), "completed", colour="red")
    expect.returns(await persister.list_app_ids("p"), [])


@pytest.mark.promise(9)
async def test_saving_works_after_refused_arguments(persister: Any) -> None:
    """The persister works on after refused arguments."""
    with pytest.raises(ValueError):
        await persister.save("p", "a", -1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.load("p", 42)
    with pytest.raises(TypeError):
        await persister.list_app_ids(42)
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    expect.record(await persister.load("p", "a"), sequence_id=1, state={"n": 1})


@pytest.mark.promise(2)
async def test_load_takes_only_text_as_partition(persister: Any) -> None:
    """An operator as partition_key opens no other partition; it is refused."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.load(42, "a")
    with pytest.raises(TypeError):
        await persister.load(True, None)
    with expect.raises(TypeError, "partition_key"):
        await persister.load({"$ne": None}, "a")


@pytest.mark.promise(2)
async def test_load_takes_only_text_as_application(persister: Any) -> None:
    """An operator as app_id finds no other application; it is refused."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.load("p", 0)
    with pytest.raises(TypeError):
        await persister.load("p", [])
    with expect.raises(TypeError, "app_id"):
        await persister.load("p", {"$gt": ""})


@pytest.mark.promise(2)
async def test_load_takes_only_a_whole_number_as_sequence(persister: Any) -> None:
    """A bool, a text, a float or an operator is no sequence_id to load."""
    with pytest.raises(TypeError):
        await persister.load("p", "a", True)
    with pytest.raises(TypeError):
        await persister.load("p", "a", "1")
    with pytest.raises(TypeError):
        await persister.load("p", "a", 1.0)
    with expect.raises(TypeError, "sequence_id"):
        await persister.load("p", "a", {"$gte": 0})


@pytest.mark.promise(2)
async def test_load_refuses_a_negative_sequence(persister: Any) -> None:
    """No load counts sequences from the end."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with expect.raises(ValueError, "sequence_id"):
        await persister.load("p", "a", -1)


@pytest.mark.promise(2)
async def test_load_refuses_a_sequence_of_2_63(persister: Any) -> None:
    """A sequence_id to load is below 2**63."""
    with expect.raises(ValueError, "sequence_id"):
        await persister.load("p", "a", 9223372036854775808)


@pytest.mark.promise(2)
async def test_load_does_not_find_nul(persister: Any) -> None:
    """A load of an app_id with a NUL finds nothing, not even the text before it."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "a\x00b"))


@pytest.mark.promise(2)
async def test_load_does_not_find_a_partition_with_nul(persister: Any) -> None:
    """A load from a partition with a NUL finds nothing."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p\x00", None))


@pytest.mark.promise(2)
async def test_load_does_not_find_nul_at_a_sequence(persister: Any) -> None:
    """A load of a sequence of an app_id with a NUL finds nothing."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "a\x00", 1))


@pytest.mark.promise(2)
async def test_load_does_not_find_a_lone_surrogate(persister: Any) -> None:
    """A load of an app_id with half a character finds nothing."""
    await persister.save("p", "?", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "\ud800"))


@pytest.mark.promise(2)
async def test_load_does_not_find_a_partition_with_a_lone_surrogate(persister: Any) -> None:
    """A load from a partition with half a character finds nothing."""
    await persister.save("?", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("\udfff", None))


@pytest.mark.promise(2)
async def test_load_does_not_join_surrogates(persister: Any) -> None:
    """Two halves kept apart do not find the character they would make."""
    await persister.save("p", "\U0001f600", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "\ud83d\ude00"))


@pytest.mark.promise(9)
async def test_load_works_after_a_text_that_cannot_be_stored(persister: Any) -> None:
    """The persister works on after a load of what cannot be there."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.load("p", "a\x00")
    await persister.load("p", "\ud800")
    await persister.list_app_ids("p\x00")
    expect.record(await persister.load("p", "a"), state={"n": 1})


@pytest.mark.promise(2)
async def test_list_does_not_find_nul(persister: Any) -> None:
    """Listing a partition with a NUL gives nothing, not even the text before it."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p\x00q"), [])


@pytest.mark.promise(2)
async def test_list_does_not_find_a_lone_surrogate(persister: Any) -> None:
    """Listing a partition with half a character gives nothing."""
    await persister.save("?", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("\ud800"), [])


@pytest.mark.promise(2)
async def test_list_takes_only_text_as_partition(persister: Any) -> None:
    """A number, a list or an operator lists nothing; it is refused."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with pytest.raises(TypeError):
        await persister.list_app_ids(42)
    with pytest.raises(TypeError):
        await persister.list_app_ids(["p"])
    with expect.raises(TypeError, "partition_key"):
        await persister.list_app_ids({"$ne": None})


@pytest.mark.promise(2)
async def test_save_refuses_an_unknown_keyword(persister: Any) -> None:
    """A keyword that save does not know is refused by its name."""
    with expect.raises(TypeError, "colour"):
        await persister.save("p", "a", 1, "x", State({}), "completed", colour="red")


@pytest.mark.promise(2)
async def test_load_refuses_an_unknown_keyword(persister: Any) -> None:
    """A keyword that load does not know is refused by its name."""
    with expect.raises(TypeError, "'sequence'"):
        await persister.load("p", "a", sequence=1)


@pytest.mark.promise(2)
async def test_list_refuses_an_unknown_keyword(persister: Any) -> None:
    """A keyword that list_app_ids does not know is refused by its name."""
    with expect.raises(TypeError, "offset"):
        await persister.list_app_ids("p", offset=1)
