"""One SQL text for every parameter style: what is bound, what is spliced, what is left alone."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen import sql_text

STYLES = ("qmark", "format", "dollar")


def kinds(sql: str) -> list[tuple[str, str]]:
    return [(part.kind, part.text) for part in sql_text.parts(sql) if part.kind != "text"]


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("a = :a", [("bind", "a")]),
        ("(:a,:b)", [("bind", "a"), ("bind", "b")]),
        ("FROM {table}", [("splice", "table")]),
        (":a::jsonb", [("bind", "a")]),
        ("x::text", []),
        ("':a' {t}", [("splice", "t")]),
        ("'it''s :a'", []),
        ("'' || :a || ''", [("bind", "a")]),
        ('"column :a" = :b', [("bind", "b")]),
        ('"a "" :b"', []),
        ("-- :a {b} ? it's\n:c", [("bind", "c")]),
        ("/* :a ' */ :b /* \n */", [("bind", "b")]),
        ("a = ?", [("foreign", "?")]),
        ("a = $1", [("foreign", "$1")]),
        ("a = %s OR b = %(b)s", [("foreign", "%s"), ("foreign", "%(b)s")]),
        ("a LIKE '50%' AND b % 2", []),
        ("a = 'open :b", [("open", "'"), ("bind", "b")]),
        ('a = "open', [("open", '"')]),
        ("a /* open", [("open", "/*")]),
        ("{table", [("brace", "{")]),
        ("table}", [("brace", "}")]),
        ("{}", [("splice", "")]),
        ("'{\"a\": 1}'", []),
        ("a - -1 / 2 * 3", []),
        ("12:30", []),
    ],
)
def test_parts(sql: str, found: list[tuple[str, str]]) -> None:
    assert kinds(sql) == found


@pytest.mark.parametrize(
    ("style", "text", "values"),
    [
        ("qmark", "a = ? AND b = ? OR a = ?", ("a", "b", "a")),
        ("format", "a = %s AND b = %s OR a = %s", ("a", "b", "a")),
        ("dollar", "a = $1 AND b = $2 OR a = $1", ("a", "b")),
    ],
)
def test_a_name_used_twice(style: str, text: str, values: tuple[str, ...]) -> None:
    assert sql_text.compiled("a = :a AND b = :b OR a = :a", style) == (text, values)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("qmark", "x LIKE '5%' AND y = ?::jsonb"),
        ("format", "x LIKE '5%%' AND y = %s::jsonb"),
        ("dollar", "x LIKE '5%' AND y = $1::jsonb"),
    ],
)
def test_a_percent_sign_is_doubled_where_it_would_mark_a_value(style: str, text: str) -> None:
    assert sql_text.compiled("x LIKE '5%' AND y = :y::jsonb", style) == (text, ("y",))


def test_a_text_without_values_is_that_of_every_driver() -> None:
    text = sql_text.spliced(" COMMENT ON {table} IS '5 % of {table}, ''%s'' and ?'; -- %s {\n")
    assert text.format_map({"table": '"t%"'}) == (
        "COMMENT ON \"t%\" IS '5 % of {table}, ''%s'' and ?'; -- %s {"
    )


@pytest.mark.parametrize("style", STYLES)
def test_braces_of_the_text_outlive_the_splicing(style: str) -> None:
    text, values = sql_text.compiled("SELECT '{\"a\": {table}}' FROM {table}", style)
    assert text.format_map({"table": '"t"'}) == 'SELECT \'{"a": {table}}\' FROM "t"'
    assert values == ()


@given(
    st.lists(
        st.sampled_from(
            ["'it''s :x {t}'", '"a"":b"', "-- ? %s\n", "/* ' */", "{t}", "5 % 2", ":a", ":b"]
        ),
        max_size=12,
    ),
    st.sampled_from(STYLES),
)  # fmt: skip
def test_only_binds_and_splices_are_replaced(pieces: list[str], style: str) -> None:
    sql = " ".join(["SELECT", *pieces]).strip()
    text, values = sql_text.compiled(sql, style)
    spliced = text.format_map({"t": "{t}"})
    if style == "format":
        spliced = spliced % tuple(f":{name}" for name in values)
    elif style == "dollar":
        for number, name in enumerate(values, start=1):
            spliced = spliced.replace(f"${number}", f":{name}")
    else:
        parts = sql_text.parts(spliced)
        names = iter(values)
        spliced = "".join(
            f":{next(names)}" if part.kind == "foreign" else
            f"{{{part.text}}}" if part.kind == "splice" else part.text
            for part in parts
        )  # fmt: skip
    assert spliced == sql


def test_a_compiled_text_is_what_sqlite_understands() -> None:
    sql = "SELECT ':a' || :a || ';' /* :b */ || :b -- :c\n || :a FROM {table} WHERE '{x}' <> '%'"
    text, values = sql_text.compiled(sql, "qmark")
    with sqlite3.connect(":memory:") as connection:
        connection.execute('CREATE TABLE "my table" AS SELECT 1')
        bound = [{"a": "A", "b": "B"}[name] for name in values]
        rows = connection.execute(text.format_map({"table": '"my table"'}), bound).fetchall()
    connection.close()
    assert rows == [(":aA;BA",)]


def test_what_hides_in_quotes_is_found_with_its_place() -> None:
    sql = "a = ':a' AND \"{t}\" -- ':b'"
    assert [(it.text, it.offset) for it in sql_text.hidden(sql)] == [(":a", 5), ("{t}", 14)]


@pytest.mark.parametrize(
    ("sql", "columns", "written"),
    [
        ("SELECT a, t.b, c || '' FROM x", ("a", "b", "c"), "a, t.b, c || ''"),
        ("  select a\n , b\nfrom x", ("a", "b"), "a\n , b"),
        ("SELECT * FROM x", ("*",), "*"),
        ("DELETE FROM x", (), "DELETE FROM x"),
    ],
)
def test_selected_columns(sql: str, columns: tuple[str, ...], written: str) -> None:
    found, where = sql_text.selected(sql)
    assert (found, where.text) == (columns, written)
    assert sql[where.offset :].startswith(written)


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT coalesce(a, b::text) AS state, c FROM t", ("state", "c")),
        ("SELECT coalesce(a, b), c as d FROM t", ("coalesce", "d")),
        ("SELECT DISTINCT a FROM t", ("a",)),
        ("SELECT DISTINCT ON (a, b) c, d FROM t", ("c", "d")),
        ("SELECT distinct_of, a FROM t", ("distinct_of", "a")),
        ("SELECT t.a AS b, (SELECT c FROM d) AS e FROM t", ("b", "e")),
        ("SELECT ',' || a AS b, \"FROM, x\", c FROM t", ("b", '"FROM, x"', "c")),
        ("WITH w AS (SELECT a, b FROM t), v AS (SELECT 1) SELECT c FROM w", ("c",)),
        (
            "WITH RECURSIVE w AS (SELECT a FROM t UNION SELECT b FROM w) SELECT a, b FROM w",
            ("a", "b"),
        ),
        ("SELECT a FROM t UNION SELECT b FROM u", ("a",)),
        ("SELECT extract(epoch FROM a) AS b FROM t", ("b",)),
        ("WITH w AS (SELECT a FROM t)", ()),
        ("SELECT a", ()),
    ],
)
def test_columns_of_longer_queries(sql: str, columns: tuple[str, ...]) -> None:
    assert sql_text.selected(sql)[0] == columns


def test_inserted_columns_and_values() -> None:
    sql = "INSERT INTO {t} (a, b,\n c) VALUES (:a, :b::jsonb, now()) ON CONFLICT (a) DO NOTHING"
    columns, values = sql_text.inserted(sql)
    assert [it.text for it in columns] == ["a", "b", "c"]
    assert [it.text for it in values] == ["a", "b", ""]
    assert [sql[it.offset] for it in (*columns, *values)] == ["a", "b", "c", ":", ":", "n"]
    assert sql_text.inserted("INSERT INTO t (a) SELECT 1")[1] == ()
    assert sql_text.inserted("UPDATE t SET a = 1") == ((), ())


def test_remarks_may_stand_in_front_of_a_statement() -> None:
    for remark in ("-- as (it) is\n  ", "/* SELECT x\n (b) */ ", " -- one\n-- two\n/* three */\n"):
        assert sql_text.selected(f"{remark}SELECT a, b AS c FROM t")[0] == ("a", "c")
        columns, values = sql_text.inserted(f"{remark}INSERT INTO t (a, b) VALUES (:a, :b)")
        assert [it.text for it in (*columns, *values)] == ["a", "b", "a", "b"]
