# Code generated from spec/conformance/saving_again.yaml by `make generate`. DO NOT EDIT.
"""Saving again: the scenarios of spec/conformance/saving_again.yaml, async."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ..errors import StateConflictError
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


@pytest.mark.promise(5)
async def test_same_record_again_is_accepted(persister: Any) -> None:
    """The same record may be saved again."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")


@pytest.mark.promise(5)
async def test_same_record_many_times_is_accepted(persister: Any) -> None:
    """The same record may be saved again and again, and is loaded as it was."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    expect.record(
        await persister.load("p", "a"),
        sequence_id=1,
        position="x",
        state={"n": 1},
        status="completed",
    )


@pytest.mark.promise(5)
async def test_same_record_again_does_not_move_its_application(persister: Any) -> None:
    """A record saved again leaves the order of the list alone."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["b", "a"])


@pytest.mark.promise(5)
async def test_same_record_again_is_not_saved_last_in_its_partition(persister: Any) -> None:
    """A record saved again does not become the latest of its partition."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.record(await persister.load("p", None), app_id="b")


@pytest.mark.promise(5)
async def test_same_record_again_is_not_saved_last_at_its_sequence(persister: Any) -> None:
    """A position saved again does not overtake the one saved after it."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "y", State({}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.record(await persister.load("p", "a", 1), position="y")


@pytest.mark.promise(5)
async def test_same_record_again_is_not_the_latest_of_its_application(persister: Any) -> None:
    """A position saved again does not become the latest of its application."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "y", State({}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.record(await persister.load("p", "a"), position="y")


@pytest.mark.promise(5)
async def test_other_state_is_refused(persister: Any) -> None:
    """Another state under the same key is refused, and the message names the key."""
    await persister.save("tenant", "order-17", 42, "pay", State({"n": 1}), "completed")
    with expect.raises(StateConflictError, "tenant", "order-17", "42", "pay"):
        await persister.save("tenant", "order-17", 42, "pay", State({"n": 2}), "completed")


@pytest.mark.promise(8)
async def test_conflict_is_a_value_error(persister: Any) -> None:
    """A conflict is caught as a ValueError too."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with expect.raises(ValueError, "'a'"):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "completed")


@pytest.mark.promise(5)
async def test_first_state_stays_after_a_conflict(persister: Any) -> None:
    """A refused save changes nothing in the record."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "failed")
    expect.record(await persister.load("p", "a"), state={"n": 1}, status="completed")


@pytest.mark.promise(5)
async def test_refused_save_does_not_move_its_application(persister: Any) -> None:
    """A refused save leaves the order of the list alone."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "b", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["b", "a"])


@pytest.mark.promise(5)
async def test_refused_save_is_not_the_latest_of_its_partition(persister: Any) -> None:
    """A refused save does not become the latest of its partition."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "b", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "completed")
    expect.record(await persister.load("p", None), app_id="b")


@pytest.mark.promise(9)
async def test_saving_works_after_a_conflict(persister: Any) -> None:
    """The persister saves on after a conflict."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "completed")
    await persister.save("p", "a", 2, "x", State({"n": 2}), "completed")
    expect.record(await persister.load("p", "a"), sequence_id=2, state={"n": 2})


@pytest.mark.promise(9)
async def test_listing_works_after_a_conflict(persister: Any) -> None:
    """The persister lists on after a conflict."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["a"])


@pytest.mark.promise(9)
async def test_is_initialized_works_after_a_conflict(persister: Any) -> None:
    """The persister still knows that it is initialised after a conflict."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "completed")
    expect.returns(await persister.is_initialized(), True)


@pytest.mark.promise(5)
async def test_same_record_is_accepted_after_a_conflict(persister: Any) -> None:
    """After a refused save the first record may still be saved again."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 2}), "completed")
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")


@pytest.mark.promise(5)
async def test_other_status_is_refused(persister: Any) -> None:
    """The same state with another status is another record, and is refused."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "failed")
    with expect.raises(StateConflictError, "'a'"):
        await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")


@pytest.mark.promise(5)
async def test_one_and_one_point_zero_differ(persister: Any) -> None:
    """1 and 1.0 are different states."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 1.0}), "completed")


@pytest.mark.promise(5)
async def test_one_and_true_differ(persister: Any) -> None:
    """1 and true are different states."""
    await persister.save("p", "a", 1, "x", State({"n": True}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")


@pytest.mark.promise(5)
async def test_zero_and_false_differ(persister: Any) -> None:
    """0 and false are different states, also inside a list."""
    await persister.save("p", "a", 1, "x", State({"l": [[0]]}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"l": [[False]]}), "completed")


@pytest.mark.promise(5)
async def test_the_two_zeros_differ(persister: Any) -> None:
    """0.0 and -0.0 are different states."""
    await persister.save("p", "a", 1, "x", State({"n": 0.0}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": -0.0}), "completed")


@pytest.mark.promise(5)
async def test_minus_zero_equals_itself(persister: Any) -> None:
    """A state with -0.0 may be saved again."""
    await persister.save("p", "a", 1, "x", State({"n": -0.0}), "completed")
    await persister.save("p", "a", 1, "x", State({"n": -0.0}), "completed")


@pytest.mark.promise(5)
async def test_nan_equals_itself(persister: Any) -> None:
    """A state with NaN may be saved again."""
    await persister.save(
        "p", "a", 1, "x", State({"n": float("nan"), "l": [float("nan"), float("inf")]}), "completed"
    )
    await persister.save(
        "p", "a", 1, "x", State({"n": float("nan"), "l": [float("nan"), float("inf")]}), "completed"
    )


@pytest.mark.promise(5)
async def test_nan_differs_from_null(persister: Any) -> None:
    """NaN and null are different states."""
    await persister.save("p", "a", 1, "x", State({"n": float("nan")}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": None}), "completed")


@pytest.mark.promise(5)
async def test_infinities_differ(persister: Any) -> None:
    """The two infinities are different states."""
    await persister.save("p", "a", 1, "x", State({"n": float("inf")}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": float("-inf")}), "completed")


@pytest.mark.promise(5)
async def test_order_of_keys_does_not_matter(persister: Any) -> None:
    """The same state with its keys in another order may be saved again."""
    await persister.save("p", "a", 1, "x", State({"m": 1, "n": {"c": 1, "d": 2}}), "completed")
    await persister.save("p", "a", 1, "x", State({"n": {"d": 2, "c": 1}, "m": 1}), "completed")


@pytest.mark.promise(5)
async def test_first_order_of_keys_stays(persister: Any) -> None:
    """A state saved again with its keys in another order keeps its first order."""
    await persister.save("p", "a", 1, "x", State({"n": {"d": 2, "c": 1}, "m": 1}), "completed")
    await persister.save("p", "a", 1, "x", State({"m": 1, "n": {"c": 1, "d": 2}}), "completed")
    expect.state(await persister.load("p", "a"), {"n": {"d": 2, "c": 1}, "m": 1})


@pytest.mark.promise(5)
async def test_order_of_keys_inside_a_list_does_not_matter(persister: Any) -> None:
    """The keys of an object in a list may come in another order."""
    await persister.save("p", "a", 1, "x", State({"l": [{"c": 1, "d": float("nan")}]}), "completed")
    await persister.save("p", "a", 1, "x", State({"l": [{"d": float("nan"), "c": 1}]}), "completed")


@pytest.mark.promise(5)
async def test_order_of_a_list_matters(persister: Any) -> None:
    """A list in another order is another state."""
    await persister.save("p", "a", 1, "x", State({"l": [1, 2]}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"l": [2, 1]}), "completed")


@pytest.mark.promise(5)
async def test_null_differs_from_no_key(persister: Any) -> None:
    """A key with null is not the same as no key."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": None}), "completed")


@pytest.mark.promise(5)
async def test_longer_list_is_another_state(persister: Any) -> None:
    """A list that goes on is another state, and so is one that ends early."""
    await persister.save("p", "a", 1, "x", State({"l": [1, 2]}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"l": [1]}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"l": [1, 2, 3]}), "completed")


@pytest.mark.promise(5)
async def test_empty_containers_differ(persister: Any) -> None:
    """An empty list, an empty object, an empty text, null and false are five states."""
    await persister.save("p", "a", 1, "x", State({"e": []}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"e": {}}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"e": ""}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"e": None}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"e": False}), "completed")


@pytest.mark.promise(5)
async def test_number_and_its_text_differ(persister: Any) -> None:
    """A number and its text are different states."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": "1"}), "completed")


@pytest.mark.promise(5)
async def test_big_integers_are_compared_exactly(persister: Any) -> None:
    """Integers that a float cannot tell apart are different states."""
    await persister.save("p", "a", 1, "x", State({"n": 9007199254740993}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 9007199254740992}), "completed")


@pytest.mark.promise(5)
async def test_huge_integer_may_be_saved_again(persister: Any) -> None:
    """An integer beyond every machine word equals itself."""
    await persister.save(
        "p", "a", 1, "x", State({"n": 123456789012345678901234567890}), "completed"
    )
    await persister.save(
        "p", "a", 1, "x", State({"n": 123456789012345678901234567890}), "completed"
    )


@pytest.mark.promise(5)
async def test_huge_integer_and_float_differ(persister: Any) -> None:
    """10 to the 22nd as an integer and as a float are different states."""
    await persister.save("p", "a", 1, "x", State({"n": 1e22}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 10000000000000000000000}), "completed")


@pytest.mark.promise(5)
async def test_surrogates_equal_themselves(persister: Any) -> None:
    """A state with lone and with adjacent surrogates may be saved again."""
    await persister.save(
        "p", "a", 1, "x", State({"lone": "\ud83d", "pair": "\ud83d\ude00"}), "completed"
    )
    await persister.save(
        "p", "a", 1, "x", State({"lone": "\ud83d", "pair": "\ud83d\ude00"}), "completed"
    )


@pytest.mark.promise(5)
async def test_surrogate_pair_differs_from_its_character(persister: Any) -> None:
    """Two surrogates kept apart are not the character they would make."""
    await persister.save("p", "a", 1, "x", State({"s": "\ud83d\ude00"}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"s": "\U0001f600"}), "completed")


@pytest.mark.promise(5)
async def test_texts_are_compared_by_code_point(persister: Any) -> None:
    """Two spellings of one letter with its accent are different states."""
    await persister.save("p", "a", 1, "x", State({"s": "\xe9"}), "completed")
    with expect.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"s": "e\u0301"}), "completed")


@pytest.mark.promise(5)
async def test_other_sequence_is_no_conflict(persister: Any) -> None:
    """Another state under another sequence is another record."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a", 0, "x", State({"n": 0}), "completed")


@pytest.mark.promise(5)
async def test_later_records_stay_after_a_conflict_with_an_earlier(persister: Any) -> None:
    """Going back to an earlier sequence with another state is refused, and the latest stays."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a", 2, "y", State({"n": 2}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 9}), "completed")
    expect.record(await persister.load("p", "a"), sequence_id=2, state={"n": 2})
