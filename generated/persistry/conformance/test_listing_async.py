# Code generated from spec/conformance/listing.yaml by `make generate`. DO NOT EDIT.
"""Listing: the scenarios of spec/conformance/listing.yaml, async."""

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


@pytest.mark.promise(4)
async def test_list_of_an_empty_store_is_empty(persister: Any) -> None:
    """A store without a record lists nothing."""
    expect.returns(await persister.list_app_ids("p"), [])


@pytest.mark.promise(4)
async def test_list_names_each_application_once(persister: Any) -> None:
    """An application with many records is named once."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "a", 2, "x", State({}), "completed")
    await persister.save("p", "a", 2, "y", State({}), "failed")
    expect.returns(await persister.list_app_ids("p"), ["a"])


@pytest.mark.promise(4)
async def test_list_is_most_recently_saved_first(persister: Any) -> None:
    """The application saved last comes first, whatever its name."""
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "c", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["a", "c", "b"])


@pytest.mark.promise(4)
async def test_list_moves_an_application_to_the_front(persister: Any) -> None:
    """A new record of an application brings it to the front."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "c", 1, "x", State({}), "completed")
    await persister.save("p", "a", 2, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["a", "c", "b"])


@pytest.mark.promise(4)
async def test_list_is_not_by_sequence(persister: Any) -> None:
    """A low sequence saved last comes before a high one."""
    await persister.save("p", "a", 9, "x", State({}), "completed")
    await persister.save("p", "b", 0, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["b", "a"])


@pytest.mark.promise(4)
async def test_list_counts_an_older_sequence(persister: Any) -> None:
    """A record before the latest of its application still brings it to the front."""
    await persister.save("p", "a", 5, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "a", 3, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["a", "b"])


@pytest.mark.promise(4)
async def test_list_counts_another_position(persister: Any) -> None:
    """Another position at the same sequence brings its application to the front."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "y", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["a", "b"])


@pytest.mark.promise(4)
async def test_list_counts_failed_steps(persister: Any) -> None:
    """A failed step counts for the order as a completed one does."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "failed")
    expect.returns(await persister.list_app_ids("p"), ["b", "a"])


@pytest.mark.promise(4)
async def test_list_sees_only_its_partition(persister: Any) -> None:
    """Applications of other partitions are not listed."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("q", "b", 1, "x", State({}), "completed")
    await persister.save(None, "c", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["a"])


@pytest.mark.promise(4)
async def test_list_of_an_unknown_partition_is_empty(persister: Any) -> None:
    """A partition that nobody saved to lists nothing."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("q"), [])


@pytest.mark.promise(4)
async def test_list_without_arguments_is_the_default_partition(persister: Any) -> None:
    """Without arguments, the default partition is listed and no other."""
    await persister.save(None, "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids(), ["a"])


@pytest.mark.promise(4)
async def test_list_keeps_its_order_across_partitions(persister: Any) -> None:
    """Saves in between to another partition do not disturb the order."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("q", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("q", "a", 2, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["b", "a"])


@pytest.mark.promise(4)
async def test_list_with_a_limit_gives_the_first(persister: Any) -> None:
    """A limit keeps the applications saved last."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "c", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p", limit=2), ["c", "b"])


@pytest.mark.promise(4)
async def test_list_limit_counts_applications(persister: Any) -> None:
    """A limit counts applications, not records."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "b", 2, "x", State({}), "completed")
    await persister.save("p", "b", 3, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p", limit=2), ["b", "a"])


@pytest.mark.promise(4)
async def test_list_with_limit_one(persister: Any) -> None:
    """A limit of one gives the application saved last."""
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 2, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p", limit=1), ["b"])


@pytest.mark.promise(4)
async def test_list_with_limit_zero_is_empty(persister: Any) -> None:
    """A limit of zero gives no application, and is not taken for "all"."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p", limit=0), [])


@pytest.mark.promise(4)
async def test_list_with_a_limit_above_all(persister: Any) -> None:
    """A limit above what there is gives all."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p", limit=1000000), ["b", "a"])


@pytest.mark.promise(4)
async def test_list_with_a_limit_above_every_number_of_a_store(persister: Any) -> None:
    """A limit has no upper end."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p", limit=9223372036854775808), ["a"])


@pytest.mark.promise(4)
async def test_list_with_limit_none_gives_all(persister: Any) -> None:
    """A limit of None gives all."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p", limit=None), ["b", "a"])


@pytest.mark.promise(4)
async def test_list_with_a_negative_limit_is_refused(persister: Any) -> None:
    """A negative limit is refused, not taken for "all"."""
    with expect.raises(ValueError, "limit"):
        await persister.list_app_ids("p", limit=-1)


@pytest.mark.promise(4)
async def test_list_with_a_limit_that_is_no_number_is_refused(persister: Any) -> None:
    """A limit is a whole number; true, a text and a float are none."""
    with pytest.raises(TypeError):
        await persister.list_app_ids("p", limit="1")
    with pytest.raises(TypeError):
        await persister.list_app_ids("p", limit=1.0)
    with expect.raises(TypeError, "limit"):
        await persister.list_app_ids("p", limit=True)


@pytest.mark.promise(9)
async def test_list_works_after_a_refused_limit(persister: Any) -> None:
    """Listing works after a refused limit."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with pytest.raises(ValueError):
        await persister.list_app_ids("p", limit=-1)
    expect.returns(await persister.list_app_ids("p"), ["a"])


@pytest.mark.promise(2)
async def test_list_of_a_partition_that_cannot_be_is_empty_under_a_limit(persister: Any) -> None:
    """A text that no record can have lists nothing, with a limit too."""
    expect.returns(await persister.list_app_ids("\udc00", limit=1), [])
