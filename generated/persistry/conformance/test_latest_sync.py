# Code generated from spec/conformance/latest.yaml by `make generate`. DO NOT EDIT.
"""Latest: the scenarios of spec/conformance/latest.yaml, sync."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..state import State
from .support import expect
from .support.column import Store
from .support.together_sync import Opened, fixture, marks

COLOUR = "sync"
pytestmark = marks


@fixture
def keep(store: Store) -> Iterator[Opened]:
    """Closes after the test what was opened in it."""
    with Opened() as opened:
        yield opened


@fixture
def fresh(store: Store, keep: Opened) -> Any:
    """A persister on a store that was never initialised."""
    return keep(store.open())


@fixture
def persister(fresh: Any) -> Any:
    """A persister on an empty store."""
    fresh.initialize()
    return fresh


@pytest.mark.promise(3)
def test_latest_is_the_highest_sequence(persister: Any) -> None:
    """The latest of an application is its highest sequence_id, whatever order the saves came
    in.
    """
    persister.save("p", "a", 5, "x", State({"n": 5}), "completed")
    persister.save("p", "a", 3, "y", State({"n": 3}), "completed")
    expect.record(persister.load("p", "a"), sequence_id=5, position="x", state={"n": 5})


@pytest.mark.promise(3)
def test_latest_in_order_of_saving(persister: Any) -> None:
    """Saved step by step, the latest of an application is its last step."""
    persister.save("p", "a", 0, "x", State({"n": 0}), "completed")
    persister.save("p", "a", 1, "y", State({"n": 1}), "completed")
    persister.save("p", "a", 2, "z", State({"n": 2}), "completed")
    expect.record(persister.load("p", "a"), sequence_id=2, position="z", state={"n": 2})


@pytest.mark.promise(3)
def test_latest_compares_numbers(persister: Any) -> None:
    """Ten is higher than nine, although its text is not."""
    persister.save("p", "a", 10, "x", State({"n": 10}), "completed")
    persister.save("p", "a", 9, "x", State({"n": 9}), "completed")
    expect.record(persister.load("p", "a"), sequence_id=10)


@pytest.mark.promise(3)
def test_latest_is_exact_above_2_53(persister: Any) -> None:
    """Sequences that a float cannot tell apart are told apart."""
    persister.save("p", "a", 9007199254740993, "x", State({"n": 3}), "completed")
    persister.save("p", "a", 9007199254740992, "x", State({"n": 2}), "completed")
    expect.record(persister.load("p", "a"), sequence_id=9007199254740993, state={"n": 3})


@pytest.mark.promise(3)
def test_latest_is_exact_at_the_highest_sequence(persister: Any) -> None:
    """The highest sequence of all is the latest."""
    persister.save("p", "a", 9223372036854775807, "x", State({"n": 7}), "completed")
    persister.save("p", "a", 9223372036854775806, "x", State({"n": 6}), "completed")
    persister.save("p", "a", 2147483648, "x", State({"n": 8}), "completed")
    expect.record(persister.load("p", "a"), sequence_id=9223372036854775807, state={"n": 7})


@pytest.mark.promise(3)
def test_latest_may_have_failed(persister: Any) -> None:
    """A failed step is the latest, so that its application resumes at it."""
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    persister.save("p", "a", 2, "y", State({"n": 1}), "failed")
    expect.record(persister.load("p", "a"), sequence_id=2, position="y", status="failed")


@pytest.mark.promise(3)
def test_latest_has_any_status(persister: Any) -> None:
    """A status that nobody knows does not hide the latest."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    persister.save("p", "a", 2, "y", State({}), "in_progress")
    expect.record(persister.load("p", "a"), sequence_id=2, status="in_progress")


@pytest.mark.promise(3)
def test_latest_of_two_positions_is_saved_last(persister: Any) -> None:
    """Of two positions at the highest sequence, the latest is the one saved last."""
    persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    expect.record(persister.load("p", "a"), position="y", state={"of": "y"})


@pytest.mark.promise(3)
def test_latest_of_two_positions_is_not_by_name(persister: Any) -> None:
    """The name of a position has no say in which is the latest."""
    persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    expect.record(persister.load("p", "a"), position="x", state={"of": "x"})


@pytest.mark.promise(3)
def test_latest_of_two_positions_may_have_failed(persister: Any) -> None:
    """Of two positions at one sequence, the failed one is the latest if it was saved last."""
    persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    persister.save("p", "a", 1, "x", State({"of": "x"}), "failed")
    expect.record(persister.load("p", "a"), position="x", status="failed")


@pytest.mark.promise(3)
def test_latest_is_not_moved_by_a_late_position(persister: Any) -> None:
    """Another position at an older sequence leaves the latest where it is."""
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    persister.save("p", "a", 2, "x", State({"n": 2}), "completed")
    persister.save("p", "a", 1, "y", State({"n": 3}), "completed")
    expect.record(persister.load("p", "a"), sequence_id=2, state={"n": 2})


@pytest.mark.promise(3)
def test_latest_sees_only_its_partition(persister: Any) -> None:
    """Higher sequences of the same application's name in another partition do not count."""
    persister.save("p", "a", 1, "x", State({"of": "p"}), "completed")
    persister.save("q", "a", 2, "x", State({"of": "q"}), "completed")
    expect.record(persister.load("p", "a"), partition_key="p", sequence_id=1, state={"of": "p"})


@pytest.mark.promise(3)
def test_latest_sees_only_its_application(persister: Any) -> None:
    """A higher sequence of another application is not taken."""
    persister.save("p", "a", 1, "x", State({"of": "a"}), "completed")
    persister.save("p", "b", 9, "x", State({"of": "b"}), "completed")
    persister.save("q", "a", 9, "x", State({"of": "q"}), "completed")
    expect.record(
        persister.load("p", "a"), partition_key="p", app_id="a", sequence_id=1, state={"of": "a"}
    )


@pytest.mark.promise(3)
def test_latest_of_a_partition_is_saved_last(persister: Any) -> None:
    """The latest of a partition is the record saved last, though its sequence is lower."""
    persister.save("p", "z", 9, "x", State({"of": "z"}), "completed")
    persister.save("p", "b", 1, "x", State({"of": "b"}), "completed")
    expect.record(
        persister.load("p", None), partition_key="p", app_id="b", sequence_id=1, state={"of": "b"}
    )


@pytest.mark.promise(3)
def test_latest_of_a_partition_may_be_an_older_sequence(persister: Any) -> None:
    """Within one application too, the latest of the partition is the record saved last."""
    persister.save("p", "a", 5, "x", State({"n": 5}), "completed")
    persister.save("p", "a", 3, "x", State({"n": 3}), "completed")
    expect.record(persister.load("p", None), app_id="a", sequence_id=3, state={"n": 3})


@pytest.mark.promise(3)
def test_latest_of_a_partition_may_be_another_position(persister: Any) -> None:
    """The latest of a partition is the position saved last, though its sequence is older."""
    persister.save("p", "a", 1, "y", State({"n": 1}), "completed")
    persister.save("p", "a", 2, "x", State({"n": 2}), "completed")
    persister.save("p", "a", 1, "x", State({"n": 3}), "completed")
    expect.record(persister.load("p", None), sequence_id=1, position="x", state={"n": 3})


@pytest.mark.promise(3)
def test_latest_of_a_partition_may_have_failed(persister: Any) -> None:
    """A failed step is the latest of its partition."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    persister.save("p", "b", 1, "x", State({}), "failed")
    expect.record(persister.load("p", None), app_id="b", status="failed")


@pytest.mark.promise(3)
def test_latest_of_a_partition_goes_back_to_an_application(persister: Any) -> None:
    """An application that is saved again takes the lead again."""
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    persister.save("p", "b", 1, "x", State({"n": 1}), "completed")
    persister.save("p", "a", 2, "x", State({"n": 2}), "completed")
    expect.record(persister.load("p", None), app_id="a", sequence_id=2)


@pytest.mark.promise(3)
def test_latest_of_a_partition_sees_no_other(persister: Any) -> None:
    """A later save in another partition is not taken."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    persister.save("q", "b", 1, "x", State({}), "completed")
    persister.save(None, "c", 1, "x", State({}), "completed")
    expect.record(persister.load("p", None), partition_key="p", app_id="a")


@pytest.mark.promise(3)
def test_latest_of_the_default_partition(persister: Any) -> None:
    """With neither partition nor application, the default partition's last record is given."""
    persister.save(None, "a", 2, "x", State({}), "completed")
    persister.save(None, "b", 1, "x", State({}), "completed")
    persister.save("p", "c", 1, "x", State({}), "completed")
    expect.record(persister.load(None, None), partition_key="", app_id="b")


@pytest.mark.promise(3)
def test_latest_of_an_empty_partition_is_nothing(persister: Any) -> None:
    """A partition without a record has no latest."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(persister.load("q", None))


@pytest.mark.promise(3)
def test_empty_store_gives_nothing(persister: Any) -> None:
    """A store without a record gives None."""
    expect.nothing(persister.load(None, None))


@pytest.mark.promise(3)
def test_unknown_application_is_nothing(persister: Any) -> None:
    """An application that was never saved gives None."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(persister.load("p", "b"))


@pytest.mark.promise(3)
def test_unknown_sequence_is_nothing(persister: Any) -> None:
    """A sequence that was never saved gives None, not a neighbour."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    persister.save("p", "a", 3, "x", State({}), "completed")
    expect.nothing(persister.load("p", "a", 2))


@pytest.mark.promise(3)
def test_sequence_of_another_application_is_nothing(persister: Any) -> None:
    """A sequence that only another application has gives None."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    persister.save("p", "b", 2, "x", State({}), "completed")
    expect.nothing(persister.load("p", "a", 2))


@pytest.mark.promise(3)
def test_sequence_is_given_exactly(persister: Any) -> None:
    """A given sequence is loaded although later ones are there."""
    persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    persister.save("p", "a", 2, "y", State({"n": 2}), "completed")
    persister.save("p", "a", 3, "z", State({"n": 3}), "completed")
    expect.record(persister.load("p", "a", 2), sequence_id=2, position="y", state={"n": 2})


@pytest.mark.promise(3)
def test_sequence_zero_is_a_sequence(persister: Any) -> None:
    """Sequence 0 is asked for, not taken for "none given"."""
    persister.save("p", "a", 0, "x", State({"n": 0}), "completed")
    persister.save("p", "a", 1, "y", State({"n": 1}), "completed")
    expect.record(persister.load("p", "a", 0), sequence_id=0, position="x", state={"n": 0})


@pytest.mark.promise(3)
def test_sequence_zero_alone_is_the_latest(persister: Any) -> None:
    """An application whose only step is number 0 has a latest."""
    persister.save("p", "a", 0, "x", State({"n": 0}), "completed")
    expect.record(persister.load("p", "a"), sequence_id=0, state={"n": 0})


@pytest.mark.promise(3)
def test_sequence_above_2_53_is_exact(persister: Any) -> None:
    """A sequence that a float cannot hold is found, and its neighbour is not."""
    persister.save("p", "a", 9007199254740993, "x", State({"n": 3}), "completed")
    expect.nothing(persister.load("p", "a", 9007199254740992))


@pytest.mark.promise(3)
def test_sequence_at_the_end_is_found(persister: Any) -> None:
    """The highest sequence there can be is loaded by its number."""
    persister.save("p", "a", 9223372036854775807, "x", State({"n": 7}), "completed")
    expect.record(
        persister.load("p", "a", 9223372036854775807),
        sequence_id=9223372036854775807,
        state={"n": 7},
    )


@pytest.mark.promise(3)
def test_sequence_with_two_positions_gives_the_one_saved_last(persister: Any) -> None:
    """At a sequence with several positions, the one saved last is loaded."""
    persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    persister.save("p", "a", 2, "z", State({"of": "z"}), "completed")
    expect.record(persister.load("p", "a", 1), sequence_id=1, position="y", state={"of": "y"})


@pytest.mark.promise(3)
def test_sequence_with_two_positions_is_not_by_name(persister: Any) -> None:
    """At a sequence with several positions, their names have no say."""
    persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    expect.record(persister.load("p", "a", 1), position="x", state={"of": "x"})


@pytest.mark.promise(3)
def test_sequence_without_application_is_refused(persister: Any) -> None:
    """A sequence means nothing without an application."""
    persister.save("p", "a", 5, "x", State({}), "completed")
    with expect.raises(ValueError, "sequence_id", "app_id"):
        persister.load("p", None, 5)


@pytest.mark.promise(3)
def test_sequence_zero_without_application_is_refused(persister: Any) -> None:
    """Sequence 0 without an application is refused like every other."""
    with expect.raises(ValueError, "sequence_id", "app_id"):
        persister.load("p", None, 0)


@pytest.mark.promise(3)
def test_empty_application_is_not_the_partition(persister: Any) -> None:
    """The empty application name does not ask for the latest of the partition."""
    persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(persister.load("p", ""))


@pytest.mark.promise(3)
def test_empty_application_has_its_own_latest(persister: Any) -> None:
    """The latest of the empty application is its own, not that of the partition."""
    persister.save("p", "", 1, "x", State({"n": 1}), "completed")
    persister.save("p", "a", 2, "x", State({"n": 2}), "completed")
    expect.record(persister.load("p", ""), app_id="", state={"n": 1})


@pytest.mark.promise(3)
def test_empty_application_at_a_sequence(persister: Any) -> None:
    """A sequence of the empty application can be asked for."""
    expect.nothing(persister.load("p", "", 0))
