# Code generated from spec/conformance/listing_partitions.yaml by `make generate`. DO NOT EDIT.
"""Listing partitions: the scenarios of spec/conformance/listing_partitions.yaml, async."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ..errors import NotInitializedError, StateConflictError
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
@pytest.mark.needs("list_partition_keys")
async def test_no_partition_in_an_empty_store(persister: Any) -> None:
    """A store without a record has no partition."""
    expect.returns(await persister.list_partition_keys(), [])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_one_partition(persister: Any) -> None:
    """A partition with a record is listed."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), ["p"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_are_listed_once(persister: Any) -> None:
    """A partition with many records and applications is named once."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "a", 2, "x", State({}), "completed")
    await persister.save("p", "b", 1, "x", State({}), "completed")
    await persister.save("q", "a", 1, "x", State({}), "completed")
    await persister.save("p", "a", 2, "y", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), ["p", "q"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_are_listed_by_name(persister: Any) -> None:
    """The order is that of the names, whichever was saved to first or last."""
    await persister.save("b", "a", 1, "x", State({}), "completed")
    await persister.save("c", "a", 1, "x", State({}), "completed")
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("b", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), ["a", "b", "c"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_are_ordered_by_code_points(persister: Any) -> None:
    """The order is that of the code points, in no language's alphabet."""
    await persister.save("\xe9", "a", 1, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    await persister.save("B", "a", 1, "x", State({}), "completed")
    await persister.save("a_", "a", 1, "x", State({}), "completed")
    await persister.save("aB", "a", 1, "x", State({}), "completed")
    await persister.save("\uffee", "a", 1, "x", State({}), "completed")
    await persister.save("\U0001f600", "a", 1, "x", State({}), "completed")
    await persister.save("10", "a", 1, "x", State({}), "completed")
    await persister.save("9", "a", 1, "x", State({}), "completed")
    await persister.save("a-b", "a", 1, "x", State({}), "completed")
    expect.returns(
        await persister.list_partition_keys(),
        ["10", "9", "B", "a-b", "aB", "a_", "b", "\xe9", "\uffee", "\U0001f600"],
    )


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_default_partition_is_listed_as_the_empty_text(persister: Any) -> None:
    """The default partition is listed as the empty text, and first."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save(None, "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), ["", "p"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_default_partition_is_listed_once(persister: Any) -> None:
    """None and the empty text are one partition."""
    await persister.save(None, "a", 1, "x", State({}), "completed")
    await persister.save("", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), [""])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_default_partition_is_not_listed_without_a_record(persister: Any) -> None:
    """The default partition is listed only if it has a record."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), ["p"])


@pytest.mark.promise(1)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_separators(persister: Any) -> None:
    """Names with what separates the parts of a key, and with what looks like an escape of it."""
    await persister.save("{p}", "a", 1, "x", State({}), "completed")
    await persister.save("p:a", "a", 1, "x", State({}), "completed")
    await persister.save("p%3Aa", "a", 1, "x", State({}), "completed")
    await persister.save("%", "a", 1, "x", State({}), "completed")
    await persister.save("}{", "a", 1, "x", State({}), "completed")
    await persister.save("*", "a", 1, "x", State({}), "completed")
    await persister.save("[p]", "a", 1, "x", State({}), "completed")
    await persister.save('"', "a", 1, "x", State({}), "completed")
    await persister.save("'", "a", 1, "x", State({}), "completed")
    await persister.save("a b", "a", 1, "x", State({}), "completed")
    await persister.save("\\", "a", 1, "x", State({}), "completed")
    await persister.save("$p", "a", 1, "x", State({}), "completed")
    expect.returns(
        await persister.list_partition_keys(),
        ['"', "$p", "%", "'", "*", "[p]", "\\", "a b", "p%3Aa", "p:a", "{p}", "}{"],
    )


@pytest.mark.promise(1)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_that_differ_in_case(persister: Any) -> None:
    """Names that differ in case, or in how a letter is composed, are different partitions."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("P", "a", 1, "x", State({}), "completed")
    await persister.save("\xe9", "a", 1, "x", State({}), "completed")
    await persister.save("e\u0301", "a", 1, "x", State({}), "completed")
    await persister.save("p ", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), ["P", "e\u0301", "p", "p ", "\xe9"])


@pytest.mark.promise(5)
@pytest.mark.needs("list_partition_keys")
async def test_refused_state_makes_no_partition(persister: Any) -> None:
    """A save whose state is refused makes no partition."""
    with pytest.raises(ValueError):
        await persister.save("p", "a", -1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), [])


@pytest.mark.promise(5)
@pytest.mark.needs("list_partition_keys")
async def test_conflict_changes_no_partitions(persister: Any) -> None:
    """A partition whose second save was refused is listed once."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with pytest.raises(StateConflictError):
        await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(), ["p"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_looking_makes_no_partition(persister: Any) -> None:
    """A load or a list of a partition that has no record does not make it one."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.load("q", "a")
    await persister.list_app_ids("q")
    expect.returns(await persister.list_partition_keys(), ["p"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_a_limit(persister: Any) -> None:
    """A limit keeps the first names."""
    await persister.save("c", "a", 1, "x", State({}), "completed")
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(limit=2), ["a", "b"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_limit_counts_partitions(persister: Any) -> None:
    """A limit counts partitions, not applications or records."""
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("a", "b", 1, "x", State({}), "completed")
    await persister.save("a", "b", 2, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(limit=2), ["a", "b"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_limit_counts_the_default_partition(persister: Any) -> None:
    """The default partition counts like any other."""
    await persister.save(None, "a", 1, "x", State({}), "completed")
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(limit=2), ["", "a"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_limit_zero(persister: Any) -> None:
    """A limit of zero gives no partition, and is not taken for "all"."""
    await persister.save("c", "a", 1, "x", State({}), "completed")
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(limit=0), [])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_a_limit_above_all(persister: Any) -> None:
    """A limit above what there is gives all."""
    await persister.save("c", "a", 1, "x", State({}), "completed")
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(limit=1000000), ["a", "b", "c"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_a_limit_above_every_number_of_a_store(persister: Any) -> None:
    """A limit has no upper end."""
    await persister.save("c", "a", 1, "x", State({}), "completed")
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(limit=9223372036854775808), ["a", "b", "c"])


@pytest.mark.promise(4)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_limit_none(persister: Any) -> None:
    """A limit of None gives all."""
    await persister.save("c", "a", 1, "x", State({}), "completed")
    await persister.save("a", "a", 1, "x", State({}), "completed")
    await persister.save("b", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_partition_keys(limit=None), ["a", "b", "c"])


@pytest.mark.promise(2)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_a_negative_limit_are_refused(persister: Any) -> None:
    """A negative limit is refused, not taken for "all"."""
    with expect.raises(ValueError, "limit"):
        await persister.list_partition_keys(limit=-1)


@pytest.mark.promise(2)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_with_a_limit_that_is_no_number_are_refused(persister: Any) -> None:
    """A limit is a whole number; true, a text and a float are none."""
    with pytest.raises(TypeError):
        await persister.list_partition_keys(limit="1")
    with pytest.raises(TypeError):
        await persister.list_partition_keys(limit=1.0)
    with expect.raises(TypeError, "limit"):
        await persister.list_partition_keys(limit=True)


@pytest.mark.promise(2)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_take_no_unknown_keyword(persister: Any) -> None:
    """A keyword that is none of the operation's is refused by its name."""
    with pytest.raises(TypeError):
        await persister.list_partition_keys(Limit=1)
    with expect.raises(TypeError, "partition_key", "list_partition_keys"):
        await persister.list_partition_keys(partition_key="p")


@pytest.mark.promise(9)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_are_listed_after_a_refused_limit(persister: Any) -> None:
    """Listing works after a refused limit."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    with pytest.raises(ValueError):
        await persister.list_partition_keys(limit=-1)
    expect.returns(await persister.list_partition_keys(), ["p"])


@pytest.mark.promise(8)
@pytest.mark.needs("initialize", "list_partition_keys")
async def test_partitions_before_initialize_say_what_to_do(fresh: Any) -> None:
    """Listing the partitions of a store that was never initialised says what to call."""
    persister = fresh
    with expect.raises(NotInitializedError, "initialize()"):
        await persister.list_partition_keys()


@pytest.mark.promise(2)
@pytest.mark.needs("list_partition_keys")
async def test_partitions_limit_is_checked_before_initialize_is_missed(fresh: Any) -> None:
    """A wrong limit is named although the store was never initialised."""
    persister = fresh
    with expect.raises(ValueError, "limit"):
        await persister.list_partition_keys(limit=-1)
