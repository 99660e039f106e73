"""Two texts beside each other: nothing is lost, and what differs is marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codegen.diff.beside import Row, Words, marked, rows

LINES = st.lists(st.sampled_from(["", "a", "b", "a b", "a  b,", "b c d"]), max_size=12)
LONG = [f"line {number}" for number in range(100)]


def text(words: Words | None) -> str:
    return "".join(part for part, _ in words or ())


@given(LINES.map("\n".join), LINES.map("\n".join))
def test_every_line_is_there_once_and_in_its_order(before: str, after: str) -> None:
    found = rows(before, after)
    assert "\n".join(text(it.before) for it in found if it.before is not None) == before
    assert "\n".join(text(it.after) for it in found if it.after is not None) == after
    assert any(it.differs for it in found) == (before != after)
    assert all(text(it.before) == text(it.after) for it in found if not it.differs)


@given(LINES.map("\n".join), LINES.map("\n".join))
def test_marked_lines_are_both_texts(before: str, after: str) -> None:
    found = marked(before, after)
    one = [it[2:] for it in found if it[:1] in ("-", " ", "")]
    other = [it[2:] for it in found if it[:1] in ("+", " ", "")]
    assert one == [line.rstrip() for line in before.split("\n")]
    assert other == [line.rstrip() for line in after.split("\n")]


def test_in_a_line_that_has_changed_the_words_are_marked() -> None:
    (row,) = rows("ORDER BY a DESC, b", "ORDER BY a, b")
    assert row.before == (("ORDER BY a", False), (" DESC", True), (", b", False))
    assert row.after == (("ORDER BY a", False), (", b", False))


def test_lines_that_have_little_in_common_are_not_marked_word_by_word() -> None:
    assert rows("alpha beta", "x = 1;") == [
        Row((("alpha beta", False),), (("x = 1;", False),), True)
    ]


def test_what_is_new_or_gone_has_nothing_beside_it() -> None:
    assert rows(None, "a") == [Row(None, (("a", False),), True)]
    assert rows("a", None) == [Row((("a", False),), None, True)]
    assert rows("", "") == [Row((("", False),), (("", False),), False)]


def test_of_a_long_text_what_differs_is_shown_and_what_is_around_it() -> None:
    changed = [*LONG[:50], "changed", *LONG[51:]]
    found = rows("\n".join(LONG), "\n".join(changed))
    assert [it.skipped for it in found if it.skipped] == [47, 46]
    assert [text(it.after) for it in found if not it.skipped] == changed[47:54]
    lines = marked("\n".join(LONG), "\n".join(changed))
    assert lines[0] == "... 47 lines ..."
    assert lines[4:6] == ["- line 50", "+ changed"]


def test_all_that_is_gone_comes_before_what_has_come_for_it() -> None:
    assert marked("a\nb\nc", "a\nx\ny\nc") == ["  a", "- b", "+ x", "+ y", "  c"]
