# Code generated from spec/conformance/keys.yaml by `make generate`. DO NOT EDIT.
"""Keys: the scenarios of spec/conformance/keys.yaml, async."""

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


@pytest.mark.promise(1)
async def test_partition_none_is_the_empty_text(persister: Any) -> None:
    """What was saved without a partition is found under the empty text, and is named so."""
    await persister.save(None, "a", 1, "x", State({"n": 1}), "completed")
    expect.record(await persister.load("", "a"), partition_key="", app_id="a", state={"n": 1})


@pytest.mark.promise(1)
async def test_partition_empty_text_is_none(persister: Any) -> None:
    """What was saved under the empty text is found without a partition, and is named so."""
    await persister.save("", "a", 1, "x", State({"n": 1}), "completed")
    expect.record(await persister.load(None, "a"), partition_key="", app_id="a", state={"n": 1})


@pytest.mark.promise(1)
async def test_sequence_is_found_in_either_default_partition(persister: Any) -> None:
    """A sequence saved without a partition is found under the empty text."""
    await persister.save(None, "a", 1, "x", State({"n": 1}), "completed")
    await persister.save(None, "a", 2, "x", State({"n": 2}), "completed")
    expect.record(await persister.load("", "a", 1), partition_key="", sequence_id=1)


@pytest.mark.promise(1)
async def test_latest_of_either_default_partition(persister: Any) -> None:
    """The default partition has one latest record, whichever of its two names is used."""
    await persister.save(None, "a", 7, "x", State({}), "completed")
    await persister.save("", "b", 1, "x", State({}), "completed")
    expect.record(await persister.load(None, None), partition_key="", app_id="b")


@pytest.mark.promise(1)
async def test_list_without_a_partition_has_both_names(persister: Any) -> None:
    """Listing without a partition shows what was saved under either name of it."""
    await persister.save(None, "a", 1, "x", State({}), "completed")
    await persister.save("", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids(None), ["b", "a"])


@pytest.mark.promise(1)
async def test_list_of_the_empty_text_has_both_names(persister: Any) -> None:
    """Listing the empty text shows what was saved under either name of the default partition."""
    await persister.save("", "a", 1, "x", State({}), "completed")
    await persister.save(None, "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids(""), ["b", "a"])


@pytest.mark.promise(1)
async def test_one_key_under_both_names_conflicts(persister: Any) -> None:
    """None and the empty text make one key, so another state under it is refused."""
    await persister.save(None, "a", 1, "x", State({"n": 1}), "completed")
    with expect.raises(StateConflictError, "'a'"):
        await persister.save("", "a", 1, "x", State({"n": 2}), "completed")


@pytest.mark.promise(1)
async def test_one_key_under_both_names_is_one_record(persister: Any) -> None:
    """The same record saved under None and under the empty text stays one record."""
    await persister.save(None, "a", 1, "x", State({}), "completed")
    await persister.save(None, "b", 1, "x", State({}), "completed")
    await persister.save("", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids(), ["b", "a"])


@pytest.mark.promise(1)
async def test_partition_named_none_is_another(persister: Any) -> None:
    """The partition with the name "None" is not the default one."""
    await persister.save(None, "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("None", "a"))


@pytest.mark.promise(1)
async def test_partition_named_null_is_another(persister: Any) -> None:
    """Texts that look like nothing are partitions of their own."""
    await persister.save("null", "a", 1, "x", State({}), "completed")
    await persister.save("None", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids(None), [])


@pytest.mark.promise(1)
async def test_partitions_hold_their_own_records(persister: Any) -> None:
    """The same application in two partitions is two applications."""
    await persister.save("p", "a", 1, "x", State({"of": "p"}), "completed")
    await persister.save("q", "a", 1, "x", State({"of": "q"}), "completed")
    expect.record(await persister.load("p", "a", 1), partition_key="p", state={"of": "p"})


@pytest.mark.promise(1)
async def test_applications_hold_their_own_records(persister: Any) -> None:
    """The same sequence and position in two applications is two records."""
    await persister.save("p", "a", 1, "x", State({"of": "a"}), "completed")
    await persister.save("p", "b", 1, "x", State({"of": "b"}), "completed")
    expect.record(await persister.load("p", "a", 1), app_id="a", state={"of": "a"})


@pytest.mark.promise(1)
async def test_positions_make_two_records(persister: Any) -> None:
    """Two positions at one sequence are two records, with a state each."""
    await persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    await persister.save("p", "a", 1, "y", State({"of": "y"}), "failed")


@pytest.mark.promise(1)
async def test_positions_are_kept_apart_after_saving_again(persister: Any) -> None:
    """Each of two positions at one sequence is known again by its own state."""
    await persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    await persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    await persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    with expect.raises(StateConflictError, "'x'"):
        await persister.save("p", "a", 1, "x", State({"of": "y"}), "completed")


@pytest.mark.promise(1)
async def test_third_position_is_a_third_record(persister: Any) -> None:
    """Any number of positions fit under one sequence, and each keeps its own state."""
    await persister.save("p", "a", 1, "x", State({"of": "x"}), "completed")
    await persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    await persister.save("p", "a", 1, "z", State({"of": "z"}), "completed")
    await persister.save("p", "a", 1, "y", State({"of": "y"}), "completed")
    expect.record(await persister.load("p", "a", 1), position="z", state={"of": "z"})


@pytest.mark.promise(2)
async def test_colon_does_not_join_partition_and_application(persister: Any) -> None:
    """("a:b", "c") is not ("a", "b:c")."""
    await persister.save("a:b", "c", 1, "x", State({"n": 1}), "completed")
    expect.nothing(await persister.load("a", "b:c"))


@pytest.mark.promise(2)
async def test_colon_keys_are_saved_side_by_side(persister: Any) -> None:
    """("a:b", "c") and ("a", "b:c") hold a state each under the same sequence."""
    await persister.save("a:b", "c", 1, "x", State({"n": 1}), "completed")
    await persister.save("a", "b:c", 1, "x", State({"n": 2}), "completed")
    expect.record(
        await persister.load("a:b", "c", 1), partition_key="a:b", app_id="c", state={"n": 1}
    )


@pytest.mark.promise(2)
async def test_colon_does_not_join_application_and_sequence(persister: Any) -> None:
    """The application "a:1" is not the application "a" at sequence 1."""
    await persister.save("p", "a:1", 2, "x", State({"n": 1}), "completed")
    expect.nothing(await persister.load("p", "a"))


@pytest.mark.promise(2)
async def test_padded_sequence_in_an_application_is_only_text(persister: Any) -> None:
    """An application named like another one's record is still another application."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a:0000000000000000001", 1, "x", State({"n": 2}), "completed")
    expect.record(await persister.load("p", "a", 1), app_id="a", state={"n": 1})


@pytest.mark.promise(2)
async def test_partition_named_like_a_record_is_a_partition(persister: Any) -> None:
    """A partition named "p:a:1" works beside the record of p, a and 1."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p:a:1", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p:a:1"), ["b"])


@pytest.mark.promise(2)
async def test_partition_named_like_an_index_is_a_partition(persister: Any) -> None:
    """Partitions named as a store may name its indexes do not meet them."""
    await persister.save("p", "one", 1, "x", State({}), "completed")
    await persister.save("p:a", "two", 1, "x", State({}), "completed")
    await persister.save("p:h", "three", 1, "x", State({}), "completed")
    await persister.save("p}:a", "four", 1, "x", State({}), "completed")
    await persister.save("{p}", "five", 1, "x", State({}), "completed")
    await persister.save("{p}:a", "six", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["one"])


@pytest.mark.promise(2)
async def test_applications_named_like_an_index_are_applications(persister: Any) -> None:
    """Applications named a, h and r, as a store may name its indexes, are listed like all."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "h", 1, "x", State({}), "completed")
    await persister.save("p", "r", 1, "x", State({}), "completed")
    await persister.save("p", "r:a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["r:a", "r", "h", "a"])


@pytest.mark.promise(2)
async def test_percent_text_is_not_an_escape(persister: Any) -> None:
    """%3A is three characters, not a colon."""
    await persister.save("p", "a:b", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "a%3Ab"))


@pytest.mark.promise(2)
async def test_percent_text_comes_back_as_it_was(persister: Any) -> None:
    """Text with per cent signs is listed letter by letter, escaped or not."""
    await persister.save("p", "a%3Ab", 1, "x", State({}), "completed")
    await persister.save("p", "a%253Ab", 1, "x", State({}), "completed")
    await persister.save("p", "%s", 1, "x", State({}), "completed")
    await persister.save("p", "%(app_id)s", 1, "x", State({}), "completed")
    await persister.save("p", "%", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["%", "%(app_id)s", "%s", "a%253Ab", "a%3Ab"])


@pytest.mark.promise(2)
async def test_braces_are_text(persister: Any) -> None:
    """Braces in a partition or an application neither nest nor choose a place."""
    await persister.save("{a}b", "{c}", 1, "{x}", State({"n": 1}), "completed")
    await persister.save("{a}", "b{c}", 1, "{x}", State({"n": 2}), "completed")
    await persister.save("}{", "{}", 1, "}", State({"n": 3}), "completed")
    expect.record(
        await persister.load("{a}b", "{c}"),
        partition_key="{a}b",
        app_id="{c}",
        position="{x}",
        state={"n": 1},
    )


@pytest.mark.promise(2)
async def test_braces_of_a_format_are_text(persister: Any) -> None:
    """A name in braces is not filled in."""
    await persister.save("{partition_key}", "{app_id}", 1, "{0}", State({}), "{status}")
    expect.record(
        await persister.load("{partition_key}", "{app_id}"),
        partition_key="{partition_key}",
        app_id="{app_id}",
        position="{0}",
        status="{status}",
    )


@pytest.mark.promise(2)
async def test_wildcards_match_only_themselves_in_a_load(persister: Any) -> None:
    """A star, a per cent sign or an underline finds no other application."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "*", 1, "x", State({}), "completed")
    await persister.save("p", "%", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "_"))


@pytest.mark.promise(2)
async def test_wildcards_find_no_other_application_at_a_sequence(persister: Any) -> None:
    """A per cent sign finds no other application's step."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "%", 1))


@pytest.mark.promise(2)
async def test_wildcards_find_no_other_partition_at_a_sequence(persister: Any) -> None:
    """A per cent sign finds no step of another partition."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("%", "a", 1))


@pytest.mark.promise(2)
async def test_wildcards_are_the_latest_of_no_other_partition(persister: Any) -> None:
    """The partition "%" is not all of them."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("%", None))


@pytest.mark.promise(2)
async def test_wildcards_list_no_other_partition(persister: Any) -> None:
    """Listing the partition "%" shows no other partition."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("%", "b", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("%"), ["b"])


@pytest.mark.promise(2)
async def test_patterns_find_no_other_application(persister: Any) -> None:
    """A regular expression is the name of one application, not of all that fit to it."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", ".*"))


@pytest.mark.promise(2)
async def test_patterns_find_no_other_partition(persister: Any) -> None:
    """A regular expression is the name of one partition, not of all that fit to it."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.nothing(await persister.load(".", "a", 1))


@pytest.mark.promise(2)
async def test_star_finds_the_star(persister: Any) -> None:
    """The application "*" is found by its name although others are there."""
    await persister.save("*", "*", 1, "*", State({"n": 1}), "completed")
    await persister.save("*", "b", 9, "x", State({"n": 2}), "completed")
    expect.record(await persister.load("*", "*"), app_id="*", position="*", state={"n": 1})


@pytest.mark.promise(2)
async def test_star_partition_lists_nothing_else(persister: Any) -> None:
    """Listing the partition "*" shows no other partition."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("?", "b", 1, "x", State({}), "completed")
    await persister.save("[a-z]", "c", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("*"), [])


@pytest.mark.promise(2)
async def test_quotes_are_text(persister: Any) -> None:
    """Quotes and a statement in a key do no harm and come back as they were."""
    await persister.save(
        "p' OR '1'='1", '"; DROP TABLE burr_state; --', 1, "'", State({"n": 1}), "\"'`"
    )
    expect.record(
        await persister.load("p' OR '1'='1", '"; DROP TABLE burr_state; --'),
        partition_key="p' OR '1'='1",
        app_id='"; DROP TABLE burr_state; --',
        position="'",
        status="\"'`",
        state={"n": 1},
    )


@pytest.mark.promise(2)
async def test_quotes_open_no_other_partition(persister: Any) -> None:
    """A condition in a partition key shows nobody else's records."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("' OR '1'='1"), [])


@pytest.mark.promise(2)
async def test_dollar_names_are_text(persister: Any) -> None:
    """A key that reads like an operator or a parameter is a key."""
    await persister.save("$ne", "$1", 1, ":app_id", State({"n": 1}), "?")
    expect.record(
        await persister.load("$ne", "$1"),
        partition_key="$ne",
        app_id="$1",
        position=":app_id",
        status="?",
        state={"n": 1},
    )


@pytest.mark.promise(2)
async def test_backslashes_are_text(persister: Any) -> None:
    """Backslashes neither vanish nor escape what follows."""
    await persister.save("\\", "a\\nb", 1, "\\'", State({"n": 1}), "\\\\")
    expect.record(
        await persister.load("\\", "a\\nb"),
        partition_key="\\",
        app_id="a\\nb",
        position="\\'",
        status="\\\\",
    )


@pytest.mark.promise(2)
async def test_line_ends_are_kept(persister: Any) -> None:
    """Line ends and tabs in every text of a record come back as they were."""
    await persister.save("p\nq", "a\r\nb", 1, "x\n", State({"n": 1}), "\tdone\n")
    expect.record(
        await persister.load("p\nq", "a\r\nb"),
        partition_key="p\nq",
        app_id="a\r\nb",
        position="x\n",
        status="\tdone\n",
        state={"n": 1},
    )


@pytest.mark.promise(2)
async def test_spaces_at_the_ends_count(persister: Any) -> None:
    """An application with a space at its end is another one."""
    await persister.save("p", "a", 1, "x", State({}), "completed")
    await persister.save("p", "a ", 1, "x", State({}), "completed")
    await persister.save("p", " a", 1, "x", State({}), "completed")
    await persister.save("p", " ", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), [" ", " a", "a ", "a"])


@pytest.mark.promise(2)
async def test_upper_and_lower_case_differ(persister: Any) -> None:
    """An application in capitals is another one."""
    await persister.save("p", "App", 1, "x", State({}), "completed")
    expect.nothing(await persister.load("p", "app"))


@pytest.mark.promise(2)
async def test_upper_and_lower_case_are_saved_side_by_side(persister: Any) -> None:
    """The same step of an application and of one in capitals are two records."""
    await persister.save("p", "App", 1, "x", State({"of": "App"}), "completed")
    await persister.save("p", "app", 1, "x", State({"of": "app"}), "completed")
    expect.record(await persister.load("p", "App", 1), app_id="App", state={"of": "App"})


@pytest.mark.promise(2)
async def test_accents_are_compared_by_code_point(persister: Any) -> None:
    """Two spellings of one letter with its accent are two applications."""
    await persister.save("p", "\xe9", 1, "x", State({}), "completed")
    await persister.save("p", "e\u0301", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["e\u0301", "\xe9"])


@pytest.mark.promise(2)
async def test_unicode_keys_come_back(persister: Any) -> None:
    """Every script, faces, marks of direction and the ends of a plane are good in a key."""
    await persister.save(
        "\u4e2d\u6587", "\U0001f600", 1, "\u202e\u05d0", State({"n": 1}), "\uffff\U0010ffff"
    )
    expect.record(
        await persister.load("\u4e2d\u6587", "\U0001f600", 1),
        partition_key="\u4e2d\u6587",
        app_id="\U0001f600",
        position="\u202e\u05d0",
        status="\uffff\U0010ffff",
    )


@pytest.mark.promise(2)
async def test_control_characters_are_kept(persister: Any) -> None:
    """Every control character but NUL is good in a key."""
    await persister.save("\x01\x1b\x7f", "\x1f\x85", 1, "\x08", State({"n": 1}), "\u2028")
    expect.record(
        await persister.load("\x01\x1b\x7f", "\x1f\x85"),
        partition_key="\x01\x1b\x7f",
        app_id="\x1f\x85",
        position="\x08",
        status="\u2028",
    )


@pytest.mark.promise(2)
async def test_digits_are_text(persister: Any) -> None:
    """Applications that look like equal numbers are different applications."""
    await persister.save("p", "1", 1, "x", State({}), "completed")
    await persister.save("p", "01", 1, "x", State({}), "completed")
    await persister.save("p", "1.0", 1, "x", State({}), "completed")
    await persister.save("p", "1e0", 1, "x", State({}), "completed")
    await persister.save("p", "-0", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["-0", "1e0", "1.0", "01", "1"])


@pytest.mark.promise(2)
async def test_words_of_other_types_are_text(persister: Any) -> None:
    """Applications named like constants are texts."""
    await persister.save("p", "None", 1, "True", State({"n": 1}), "NaN")
    expect.record(await persister.load("p", "None"), app_id="None", position="True", status="NaN")


@pytest.mark.promise(2)
async def test_empty_application_is_a_name(persister: Any) -> None:
    """The empty text names an application."""
    await persister.save("p", "", 1, "x", State({"n": 1}), "completed")
    expect.record(await persister.load("p", "", 1), app_id="", state={"n": 1})


@pytest.mark.promise(4)
async def test_empty_application_is_listed(persister: Any) -> None:
    """The application with the empty name is listed like any other."""
    await persister.save("p", "", 1, "x", State({}), "completed")
    await persister.save("p", "a", 1, "x", State({}), "completed")
    expect.returns(await persister.list_app_ids("p"), ["a", ""])


@pytest.mark.promise(2)
async def test_empty_position_is_a_position(persister: Any) -> None:
    """The empty text is a position beside others."""
    await persister.save("p", "a", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a", 1, "", State({"n": 2}), "completed")
    expect.record(await persister.load("p", "a"), position="", state={"n": 2})


@pytest.mark.promise(2)
async def test_long_keys_differ_at_their_end(persister: Any) -> None:
    """Long names that differ in the last letter only are two applications."""
    await persister.save(
        "p",
        "0123456789012345678901234567890123456789012345678901234567890123a",
        1,
        "x",
        State({}),
        "completed",
    )
    expect.nothing(
        await persister.load(
            "p", "0123456789012345678901234567890123456789012345678901234567890123b"
        )
    )


@pytest.mark.promise(1)
async def test_application_named_like_an_escape_is_another(persister: Any) -> None:
    """An application is not found under a text that a store may write for it."""
    await persister.save("p", "a:b", 1, "x", State({"n": 1}), "completed")
    expect.nothing(await persister.load("p", "a%3Ab"))


@pytest.mark.promise(1)
async def test_partition_named_like_an_escape_is_another(persister: Any) -> None:
    """A partition is not read under a text that a store may write for it."""
    await persister.save("t:1", "a", 1, "x", State({"n": 1}), "completed")
    expect.returns(await persister.list_app_ids("t%3A1"), [])


@pytest.mark.promise(1)
async def test_both_names_of_an_escape_are_kept(persister: Any) -> None:
    """A text and its escaped form are two applications, with a record each."""
    await persister.save("p", "a%3Ab", 1, "x", State({"n": 1}), "completed")
    await persister.save("p", "a:b", 1, "x", State({"n": 2}), "completed")
    expect.record(await persister.load("p", "a%3Ab", 1), app_id="a%3Ab", state={"n": 1})


@pytest.mark.promise(2)
async def test_latest_of_a_partition_with_a_colon_in_its_application(persister: Any) -> None:
    """The latest of a partition is found when its application's name holds a colon."""
    await persister.save("p", "a:b", 1, "x", State({"n": 1}), "completed")
    expect.record(await persister.load("p", None), app_id="a:b", state={"n": 1})


@pytest.mark.promise(3)
async def test_latest_of_a_partition_with_braces_in_its_application(persister: Any) -> None:
    """Braces in an application's name lead to its record from its partition, too."""
    await persister.save("p}{", "a{b}c", 1, "x", State({"n": 1}), "completed")
    expect.record(await persister.load("p}{", None), app_id="a{b}c", state={"n": 1})
