"""Names of tables, whatever they hold: quoted, as texts, and never cut."""

from __future__ import annotations

import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistry._runtime.identifiers import (
    backslashed_literal,
    backticked,
    doubled,
    escape_literal,
    literal,
    quoted,
    split_table_name,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(TEXTS)
def test_a_quoted_name_is_one_identifier(name: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        cursor = connection.execute(f"SELECT 1 AS {quoted('', name)}")
        assert cursor.description[0][0] == name


@given(TEXTS)
def test_a_name_in_backticks_is_one_identifier(name: str) -> None:
    written = backticked("", name)
    assert re.fullmatch(r"`(?:[^`]|``)+`", written, re.DOTALL)
    assert written[1:-1].replace("``", "`") == name
    assert backticked(name, "t") == f"{written}.`t`"


@given(TEXTS)
def test_a_literal_is_one_text(text: str) -> None:
    """Read with the escapes of backslashes or without them, whatever the store has."""
    escapes = escape_literal(text)
    assert escapes.startswith("E") == ("\\" in text)
    for written, escaped in (
        (literal(text), False),
        (backslashed_literal(text), True),
        (escapes.removeprefix("E"), escapes.startswith("E")),
    ):
        inside = r"[^'\\]|''|\\\\" if escaped else r"[^']|''"
        assert re.fullmatch(f"'(?:{inside})*'", written, re.DOTALL)
        found = written[1:-1].replace("''", "'")
        assert (found.replace("\\\\", "\\") if escaped else found) == text


@given(TEXTS, TEXTS)
def test_percent_signs_are_doubled_for_those_who_interpolate(one: str, other: str) -> None:
    names = doubled({"one": one, "other": other})
    assert {name: text % () for name, text in names.items()} == {"one": one, "other": other}


def test_schema_and_table() -> None:
    assert split_table_name("t") == ("", "t")
    assert split_table_name("a schema.T") == ("a schema", "T")
    for wrong in ("", ".t", "s.", "a.b.c"):
        with pytest.raises(ValueError, match=r"'table' or 'schema\.table'"):
            split_table_name(wrong)


@pytest.mark.parametrize("letter", ["x", "ü", "\N{SNOWMAN}"])
def test_no_name_is_long_enough_to_be_cut(letter: str) -> None:
    size = len(letter.encode())
    fits = letter * (57 // size)
    limits = {"most_bytes": 63, "longest_suffix": "_order"}
    assert split_table_name(f"{'s' * 63}.{fits}", **limits) == ("s" * 63, fits)  # type: ignore[arg-type]
    for name in (fits + "x" * 3, f"{'s' * 64}.t"):
        with pytest.raises(ValueError, match=r"^table_name: .* bytes of UTF-8"):
            split_table_name(name, **limits)  # type: ignore[arg-type]
    assert split_table_name(letter * 100)[1] == letter * 100  # where no store cuts
