"""The cases that ask for what Burr's interface does not have, beside those that end by themselves.

Most end by themselves: a call with `limit=` or `max_state_bytes=`, and operations that a persister
may lack. These here are about names and limits of our own, which Burr never set.
"""

_NAMES = "about the names and parameters of Persistry's own interface"
_TYPES = "about register_type(), which is Persistry's; Burr has functions of its own"
_LIMITS = "about a limit that Persistry sets so that all its stores have the same"

NOT_OFFERED = {
    "signature": _NAMES,
    "persister_is_one_of_the_base": _NAMES,
    "options_are_keyword_only": _NAMES,
    "from_config_names_an_unknown_key": "Burr refuses the key, too, but by a TypeError",
    "values_of_registered_types_come_back": _TYPES,
    "values_of_registered_types_are_compared": _TYPES,
    "functions_that_fail": _TYPES,
    "type_that_is_not_registered_here": _TYPES,
    "text_of_513_bytes_is_refused": _LIMITS,
    "save_refuses_nul_in_a_partition": _LIMITS,
    "save_refuses_nul_in_an_application": _LIMITS,
    "save_refuses_nul_in_a_position": _LIMITS,
    "save_refuses_nul_in_a_status": _LIMITS,
    "save_refuses_a_lone_surrogate_in_a_partition": _LIMITS,
    "save_refuses_a_lone_surrogate_in_an_application": _LIMITS,
    "save_refuses_a_lone_surrogate_in_a_position": _LIMITS,
    "save_refuses_a_lone_surrogate_in_a_status": _LIMITS,
    "save_refuses_a_negative_sequence": _LIMITS,
    "load_refuses_a_negative_sequence": _LIMITS,
    "refused_saves_leave_nothing_behind": _LIMITS,
    "saving_works_after_refused_arguments": _LIMITS,
}
