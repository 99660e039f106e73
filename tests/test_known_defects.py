"""What hand-written persisters are known to get wrong: each has cases in the matrix.

The matrix runs them on every persister; here is only said which they are, so that none is lost.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONFORMANCE = ROOT / "generated" / "persistry" / "conformance"

# What goes wrong -> the cases that notice.
DEFECTS = {
    "a save without a partition": "partition_none_is_the_empty_text",
    "None and the empty text as partition": "one_key_under_both_names_is_one_record "
    "list_without_a_partition_has_both_names partition_named_none_is_another",
    "a load without an application": "latest_of_a_partition_is_saved_last "
    "rapid_saves_are_listed_in_order",
    "a sequence without an application": "sequence_without_application_is_refused",
    "a record saved twice": "same_record_again_is_accepted other_state_is_refused",
    "after a conflict": "conflicts_cost_no_connection_and_no_lock saving_works_after_a_conflict "
    "handed_in_connection_holds_no_lock",
    "two positions at a sequence": "positions_make_two_records "
    "sequence_with_two_positions_is_not_by_name latest_of_two_positions_is_not_by_name",
    "an older sequence saved last": "latest_is_the_highest_sequence",
    "lists": "list_names_each_application_once list_is_most_recently_saved_first "
    "list_is_not_by_sequence",
    "a failed step": "latest_may_have_failed",
    "created_at": "created_at_is_the_time_of_the_save created_at_is_not_that_of_a_load "
    "created_at_knows_no_time_zone",
    "keys that run into each other": "colon_does_not_join_partition_and_application "
    "partition_named_like_a_record_is_a_partition",
    "operators as keys": "load_takes_only_text_as_partition save_takes_only_text_as_application",
    "long keys": "texts_of_512_bytes_are_taken text_of_513_bytes_is_refused",
    "NUL and surrogates in keys": "save_refuses_nul_in_an_application load_does_not_find_nul "
    "save_refuses_a_lone_surrogate_in_an_application",
    "large sequences": "latest_is_exact_above_2_53 sequence_above_2_53_is_exact "
    "save_takes_the_highest_sequence save_refuses_a_sequence_of_2_63",
    "a number as partition": "save_takes_only_text_as_partition",
    "NaN and infinities": "nan_comes_back infinities_come_back nan_equals_itself",
    "NUL and surrogates in a state": "nul_comes_back lone_surrogates_come_back",
    "numbers and the order of keys": "floats_are_exact minus_zero_keeps_its_sign "
    "keys_stay_in_order huge_integers_are_exact",
    "a state of 17 MB": "huge_state_comes_back_or_is_refused",
    "a store that is not initialised": "load_before_initialize_says_what_to_do "
    "missing_initialize_locks_nobody_out first_load_works_or_says_what_to_do "
    "initialized_store_says_so",
    "cleanup and blocks": "block_closes cleanup_twice_is_fine "
    "unclosed_persister_lets_its_process_end",
    "a connection that was handed in": "handed_in_connection_survives_collection "
    "handed_in_connection_survives_cleanup",
    "one persister for many": "many_share_one_persister many_share_a_handed_in_connection",
    "parallel sub-applications": "copies_work_at_once copies_take_turns_on_a_handed_in_connection",
    "racing writers": "one_of_racing_writers_wins one_of_racing_persisters_wins "
    "one_of_racing_processes_wins",
    "a crash or a cancellation in a save": "killed_process_leaves_loads_that_agree "
    "killed_process_leaves_no_lock cancelled_save_is_stored_or_not cancelled_save_holds_no_lock",
    "a server that drops its connections": "next_call_works_after_a_restart "
    "idle_connection_that_was_cut",
    "pickles": "pickle_gives_a_working_persister pickle_keeps_the_options "
    "handed_in_connection_is_not_pickled",
    "table names": "table_name_is_only_a_name table_names_keep_their_capitals",
}
# No answer shows which index gave it: each store is asked for its plans, and what they read.
PLANS = {
    "test_plans": "test_queries_are_answered_as_recorded",
    "test_sqlcipher_format": "test_no_question_reads_more_for_more_records",
    "test_mariadb_format": "test_loads_read_a_handful_of_rows",
    "test_postgresql_format": "test_an_index_stands_behind_every_question",
    "test_mongodb_format": "test_every_question_is_answered_from_an_index",
}


def cases(colour: str) -> set[str]:
    text = "".join(path.read_text() for path in CONFORMANCE.glob(f"test_*_{colour}.py"))
    return set(re.findall(r"^(?:async )?def test_(\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_every_known_defect_has_its_cases(colour: str) -> None:
    named = {case for row in DEFECTS.values() for case in row.split()}
    only_async = {case for case in named if case.startswith("cancelled_")}
    assert named - cases(colour) == (only_async if colour == "sync" else set())


@pytest.mark.parametrize("module", PLANS)
def test_stores_are_asked_for_their_plans(module: str) -> None:
    assert hasattr(importlib.import_module(f"tests.{module}"), PLANS[module])
