"""What goes wrong, one line each, with the case that shows it.

The command asks the results which persisters it goes wrong with; nobody says so here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Defect:
    """Something that goes wrong."""

    text: str
    case: str
    """A case that fails for this reason first."""
    because: str
    """What its message then says, as a regular expression: it may fail for another reason, too."""

    def shows(self, case: dict[str, Any]) -> bool:
        """Whether this case of a report shows it."""
        said = case["message"] or ""
        return case["outcome"] == "failed" and re.search(self.because, said) is not None


DEFECTS = [
    Defect(
        "An application without a partition cannot save.",
        "partition_none_is_the_empty_text",
        "not-null|DataError",
    ),
    Defect(
        'Without a partition and in the partition "" are two places.',
        "partition_none_is_the_empty_text",
        "nothing|no record",
    ),
    Defect(
        "Two applications whose names hold a colon share a key.",
        "colon_keys_are_saved_side_by_side",
        "Conflict",
    ),
    Defect(
        "Another position at the same sequence is refused.",
        "positions_make_two_records",
        "Conflict",
    ),
    Defect(
        "A key that is no text, be it a number or a condition of the store's, is not refused.",
        "load_takes_only_text_as_partition",
        "no error",
    ),
    Defect("A table's name is run as SQL.", "table_name_is_only_a_name", "syntax|other_pkey"),
    Defect("A keyword that is misspelt is ignored.", "load_refuses_an_unknown_keyword", "no error"),
    Defect(
        "A sequence_id that 32 bits, or a float, cannot hold is refused or not found.",
        "latest_is_exact_above_2_53",
        "range|sequence_id is",
    ),
    Defect(
        "The latest of an application is the one saved last, not the highest.",
        "latest_is_the_highest_sequence",
        "sequence_id is",
    ),
    Defect(
        "The latest of a partition cannot be asked for.",
        "latest_of_a_partition_may_have_failed",
        "no record|DataError|NoneType",
    ),
    Defect(
        "The latest of a partition is wrong within the same second.",
        "latest_of_a_partition_may_have_failed",
        "not 'b'",
    ),
    Defect(
        "Which of two positions is the latest goes by their names.",
        "latest_of_two_positions_is_not_by_name",
        "position is",
    ),
    Defect(
        "A list is not in the order of saving.",
        "list_is_most_recently_saved_first",
        r"\[\d\]",
    ),
    Defect(
        "A list names an application once for each of its steps.",
        "list_names_each_application_once",
        "'a', 'a'",
    ),
    Defect(
        "The same step saved again is refused, so a save whose answer was lost cannot be repeated.",
        "same_record_again_is_accepted",
        "Conflict",
    ),
    Defect(
        "Of several writers that race for one key, more than one succeeds.",
        "one_of_racing_persisters_wins",
        "Right contains",
    ),
    Defect(
        "After a refused save others wait for a lock, or the persister is of no use.",
        "conflicts_cost_no_connection_and_no_lock",
        "locked|InFailed",
    ),
    Defect(
        "Several that call initialize() at once get errors.", "many_persisters_initialize", "Error"
    ),
    Defect("Tuples, sets, dates and the like come back as text.", "tuples_come_back", "is a str"),
    Defect(
        "A state's keys come back in another order, 1e22 as an integer, -0.0 as 0.0.",
        "keys_stay_in_order",
        "has the keys",
    ),
    Defect("A state with NaN or an infinity is refused.", "nan_comes_back", "json"),
    Defect("A text with NUL is refused.", "nul_comes_back", "Unicode"),
    Defect(
        "An object in the state with the key `__burr_serde__` is saved and can never be loaded.",
        "marks_of_others_beside_values",
        "deserialize",
    ),
    Defect(
        "created_at is no time in UTC with microseconds.",
        "created_at_is_the_time_of_the_save",
        "fullmatch",
    ),
    Defect("created_at is a datetime, not a text.", "record_has_every_field", "created_at"),
    Defect(
        "Without initialize() the error is the driver's, and does not say what to do.",
        "load_before_initialize_says_what_to_do",
        "not mentioned",
    ),
    Defect(
        "A persister that several threads or tasks share fails or loses saves.",
        "many_share_one_persister",
        "Error",
    ),
    Defect(
        "Copies cannot be used at once, as parallel sub-applications do.",
        "copies_work_at_once",
        "Error",
    ),
    Defect(
        "A cancelled save keeps a lock that everybody waits for.",
        "cancelled_save_holds_no_lock",
        "locked|did not answer",
    ),
    Defect(
        "A server that was restarted, or a connection that was cut, is not found again.",
        "idle_connection_that_was_cut",
        "Unavailable|Closed",
    ),
    Defect(
        "A server that does not answer is waited for longer than a case may take here.",
        "unanswered_save_ends",
        "did not answer",
    ),
    Defect(
        "A connection that was handed in is closed when the persister is thrown away.",
        "handed_in_connection_survives_collection",
        "False",
    ),
    Defect("cleanup() always fails.", "cleanup_by_many_is_fine", "AttributeError"),
    Defect(
        "An unclosed persister keeps its process running.",
        "unclosed_persister_lets_its_process_end",
        "did not answer",
    ),
    Defect("A persister cannot be pickled.", "pickle_outlives_its_original", "pickle|__reduce__"),
    Defect(
        "A pickle made after cleanup() has forgotten where the server is.",
        "pickle_outlives_its_original",
        "OperationalError",
    ),
]
