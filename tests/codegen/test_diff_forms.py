"""What says the same in each language, and what does not."""

from __future__ import annotations

import pytest

from codegen.diff.forms import Form, lua, prose, python, sql


def said(form: Form, text: str) -> list[str]:
    return [word for word, _ in form(text)]


SAME: list[tuple[Form, str, str]] = [
    (sql, "SELECT a FROM {t} WHERE b = :b", "SELECT a\nFROM {t}\n  WHERE b=:b"),
    (sql, "SELECT max(a, b) -- the larger\nFROM t", "SELECT max( a,b ) /* or the\nother */ FROM t"),
    (sql, "SELECT a :: bigint, b || ''", "SELECT a::bigint,b||''"),
    (sql, "SELECT -1, a - 1, b >= -1", "SELECT - 1,a-1,b>=-1"),
    (sql, "SELECT x->>'a' -> 'b'", "SELECT x ->> 'a'->'b'"),
    (lua, "local a = b .. 'c' -- d", "local  a=b..'c'\n"),
    (lua, "--[[ all\nof it ]] return {a, b}", "return { a,b }"),
    (python, "str | None", "str|None"),
    (python, "dict[str, Any]", "dict[ str,Any ]"),
    (python, "'a'", '"a"'),
    (prose, "One step,\nas it was.\n\nMore.\n", "One step, as\n  it was.\n\n\nMore."),
]
OTHER: list[tuple[Form, str, str]] = [
    (sql, "SELECT 'a  b'", "SELECT 'a b'"),
    (sql, "SELECT '-- a'", "SELECT '-- b'"),
    (sql, "SELECT 'it''s'", "SELECT 'it' 's'"),
    (sql, 'SELECT "a  b"', 'SELECT "a b"'),
    (sql, "SELECT E'a'", "SELECT E 'a'"),
    (sql, "SELECT $$ a  b $$", "SELECT $$ a b $$"),
    (sql, "SELECT /*+ INDEX(t a) */ a FROM t", "SELECT a FROM t"),
    (sql, "SELECT /*!40001 SQL_NO_CACHE */ a", "SELECT a"),
    (sql, "ORDER BY a DESC", "ORDER BY a"),
    (sql, "SELECT a b", "SELECT ab"),
    (sql, "SELECT {a}", "SELECT {b}"),
    (sql, "SELECT 1.5", "SELECT 1 .5"),
    (lua, "return '-- a'", "return '-- b'"),
    (lua, "return [[a  b]]", "return [[a b]]"),
    (lua, "a = b == c", "a = b = c"),
    (python, "int", "float"),
    (python, "'a  b'", "'a b'"),
    (prose, "One.\n\nTwo.", "One. Two."),
]


@pytest.mark.parametrize(("form", "one", "other"), SAME)
def test_says_the_same(form: Form, one: str, other: str) -> None:
    assert said(form, one) == said(form, other)


@pytest.mark.parametrize(("form", "one", "other"), OTHER)
def test_says_something_else(form: Form, one: str, other: str) -> None:
    assert said(form, one) != said(form, other)


@pytest.mark.parametrize(("form", "one", "other"), SAME)
def test_each_word_stands_where_it_is_said_to(form: Form, one: str, other: str) -> None:
    for text in (one, other):
        for word, offset in form(text):
            assert form is python or word == "\n" or text.startswith(word, offset)
