"""The comparison with Burr's persisters: its page is of these cases, and it judges rightly."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from persistry.conformance.results import SURPLUS
from tests.compared.defects import DEFECTS
from tests.compared.meanings import MEANINGS
from tests.compared.offered import NOT_OFFERED
from tests.compared.page import BROKEN, KEPT, LACKING, MOVING, PAGE, shown
from tests.compared.persisters import ALL, case_of

ROOT = Path(__file__).parents[1]
# Some that are kept, some that are not, some that are not offered; of each kind of form.
CASES = [
    "same_record_again_is_accepted",
    "minus_zero_keeps_its_sign",
    "list_with_limit_one",
    "text_of_513_bytes_is_refused",
    "load_before_initialize_says_what_to_do",
    "record_has_every_field",
    "latest_is_the_highest_sequence",
    "colon_keys_are_saved_side_by_side",
]


def run(*arguments: str, code: int = 0) -> str:
    """What a module prints that is run as a command, in the folder of the project."""
    command = [sys.executable, "-m", *arguments]
    path = {"PYTHONPATH": os.pathsep.join([str(ROOT / "generated"), str(ROOT)])}
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | path, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[str]]:
    return shown(PAGE.read_text("utf-8"))


@pytest.fixture(scope="module")
def cases() -> set[str]:
    listed = run("persistry.conformance", "--list").splitlines()
    return {line.split()[0].rstrip(":") for line in listed if line.startswith("  ")}


def test_the_page_has_the_cases_of_the_matrix(
    recorded: dict[str, list[str]], cases: set[str]
) -> None:
    """If not, a case came or went since: run `make compare-burr`."""
    assert recorded.keys() == cases


def test_each_persister_has_a_mark_for_each_case(recorded: dict[str, list[str]]) -> None:
    assert {len(marks) for marks in recorded.values()} == {len(ALL)}
    assert {mark for marks in recorded.values() for mark in marks} == {KEPT, BROKEN, LACKING, ""}


def test_cases_that_are_named_exist(cases: set[str]) -> None:
    assert NOT_OFFERED.keys() <= cases
    assert {defect.case for defect in DEFECTS} <= cases


def test_what_is_not_offered_is_nowhere_kept_or_broken(recorded: dict[str, list[str]]) -> None:
    marks = {mark for name in NOT_OFFERED for mark in recorded[name]}
    assert marks == {LACKING}


@pytest.mark.timeout(300)
def test_the_command_finds_what_the_page_says(recorded: dict[str, list[str]]) -> None:
    chosen = [part for case in CASES for part in ("--case", case)]
    names = ["sqlite", "aiosqlite", "redis"]
    picked = [part for name in names for part in ("--persister", name)]
    before = PAGE.read_bytes()
    printed = run("tests.compared", *chosen, *picked)
    assert PAGE.read_bytes() == before
    places = [place for place, it in enumerate(ALL) if it.name in names]
    found = shown(f"## Every case\n{printed.partition('### ')[2]}")
    assert found == {case: [recorded[case][place] for place in places] for case in CASES}
    kinds = {mark for marks in found.values() for mark in marks}
    assert kinds == {KEPT, BROKEN, LACKING, ""}


# Where Persistry's persisters for Burr differ from its others: what is plain JSON is not taken
# through the state's own `serialize`, and an enumeration is stored as the value that it is.
DIFFERENT = {
    "set_serde_kwargs_replaces",
    "state_that_fails_does_no_harm",
    "value_is_refused_beside_what_needs_tags",
    "value_of_another_type_is_refused",
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "points"), [("sync", "1 3 6 8"), ("aio", "4 5 7 10")])
def test_the_adapter_costs_no_case(name: str, points: str) -> None:
    """Persistry's own persisters for Burr keep the promise behind it."""
    chosen = [part for point in points.split() for part in ("--point", point)]
    factory = f"tests.compared.control:{name}"
    report = json.loads(run("persistry.conformance", factory, *chosen, "--json", code=1))
    failed = {
        case
        for case, it in report["cases"].items()
        # Limits of Persistry's own, say, are no gap here.
        if it["outcome"] == "failed" and it["message"] != SURPLUS
    }
    assert failed <= DIFFERENT
    assert report["counts"]["passed"] > 100


def test_each_defect_is_shown_by_some_persister() -> None:
    text = PAGE.read_text("utf-8")
    assert [it.text for it in DEFECTS if f"| {it.text} | `{it.case}` |" not in text] == []


def test_errors_that_are_translated_exist() -> None:
    for name, _, _ in MEANINGS:
        module, _, kind = name.rpartition(".")
        found = getattr(importlib.import_module(module), kind)
        assert issubclass(found, Exception)
        # What it is looked for by is its own name, not one that it is imported under.
        assert f"{found.__module__}.{found.__qualname__}" == name


def test_the_table_of_the_other_page_is_this_one() -> None:
    begin, end = "<!-- measured -->\n", "<!-- end of measured -->"
    table = MOVING.read_text("utf-8").partition(begin)[2].partition(end)[0]
    assert table.startswith("| point |")
    assert table in PAGE.read_text("utf-8")


def test_the_name_of_a_case_in_that_of_a_test() -> None:
    test = "persistry/conformance/test_x_sync.py::test_nan_comes_back[a::b-(1)] (setup)"
    assert case_of(test) == "nan_comes_back"
