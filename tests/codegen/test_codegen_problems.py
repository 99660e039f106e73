"""Problems are shown together, by place, each under its line."""

from __future__ import annotations

import pytest

from codegen.problems import Code, Report, Span, SpecError, closest, render, suggest


def report_of(*places: tuple[str, int, int, int]) -> Report:
    report = Report()
    for path, line, column, length in places:
        report.add(Code.SCH01, "unknown key", Span(path, line, column, length), help="write it")
    return report


def shown(source: str, line: int, column: int, length: int = 1) -> list[str]:
    text = render(report_of(("a.yaml", line, column, length)), {"a.yaml": source})
    return [row for row in text.splitlines() if " | " in row]


def test_a_problem_shows_place_line_caret_notes_and_help() -> None:
    report = Report()
    report.add(
        Code.SCH01,
        "unknown key 'querys' in a backend",
        Span("spec/backends/mysql.yaml", 2, 1, 6),
        help="did you mean 'queries'?\n  known here: queries",
        notes=["first note", "second note"],
    )
    assert render(report, {"spec/backends/mysql.yaml": "backend: mysql\nquerys:\n"}) == (
        "spec/backends/mysql.yaml:2:1: SCH01 unknown key 'querys' in a backend\n"
        "    2 | querys:\n"
        "      | ^^^^^^\n"
        "  note: first note\n"
        "  note: second note\n"
        "  help: did you mean 'queries'?\n"
        "          known here: queries\n"
        "\n"
        "1 problem; nothing was written\n"
        "to learn more: python -m codegen explain SCH01\n"
    )


def test_an_empty_report_is_false_and_renders_to_nothing() -> None:
    report = Report()
    assert not report
    assert render(report, {}) == ""
    report.raise_if_any()


def test_problems_are_sorted_by_place_and_each_is_there_once() -> None:
    report = report_of(("b", 1, 1, 1), ("a", 10, 1, 1), ("a", 9, 2, 1), ("a", 9, 1, 1))
    report.add(Code.YAML01, "nowhere", None, help="h")
    report.add(Code.SCH01, "unknown key", Span("b", 1, 1), help="write it")
    places = [str(problem.span) for problem in report.problems]
    assert places == ["None", "a:9:1", "a:9:2", "a:10:1", "b:1:1"]


def test_raising_carries_the_report() -> None:
    report = report_of(("a", 1, 2, 1))
    with pytest.raises(SpecError, match=r"^a:1:2: SCH01 unknown key$") as caught:
        report.raise_if_any()
    assert caught.value.report is report


def test_at_most_twenty_are_shown_and_all_are_counted() -> None:
    report = report_of(*(("a", line, 1, 1) for line in range(1, 24)))
    text = render(report, {})
    assert "a:20:1" in text
    assert "a:21:1" not in text
    assert text.partition("\n... and ")[2] == (
        "3 more problems\n\n23 problems; nothing was written\n"
        "to learn more: python -m codegen explain SCH01\n"
    )


def test_without_a_place_or_a_source_only_the_words_are_shown() -> None:
    report = report_of(("gone", 3, 1, 1))
    report.add(Code.YAML04, "no spec", None, help="make one")
    assert render(report, {}).startswith(
        "YAML04 no spec\n  help: make one\n\ngone:3:1: SCH01 unknown key\n  help: write it\n"
    )


@pytest.mark.parametrize(
    ("line", "column", "length", "expected"),
    [
        ("key: x", 6, 1, ["    1 | key: x", "      |      ^"]),
        ("key: x", 6, 99, ["    1 | key: x", "      |      ^"]),  # never beyond the line
        ("key:", 5, 1, ["    1 | key:", "      |     ^"]),  # something is missing at the end
        ("a\tb", 3, 1, ["    1 | a\tb", "      |  \t^"]),
        ("日本: x", 5, 1, ["    1 | 日本: x", "      |       ^"]),
        ("日本: x", 1, 2, ["    1 | 日本: x", "      | ^^^^"]),
        ("e\u0301: x", 5, 1, ["    1 | e\u0301: x", "      |    ^"]),
        ("a\x1b[1m", 2, 1, ["    1 | a\ufffd[1m", "      |  ^"]),
        ("a\u200bb", 2, 1, ["    1 | a\ufffdb", "      |  ^"]),
    ],
)
def test_the_caret_stands_below_its_column(
    line: str, column: int, length: int, expected: list[str]
) -> None:
    assert shown(line, 1, column, length) == expected


def test_a_long_line_is_cut_around_its_caret() -> None:
    row, caret = shown("x" * 500 + "here" + "y" * 500, 1, 501, 4)
    assert len(row) < 130
    assert row[caret.index("^") :].startswith("here")
    assert shown("x" * 500 + "end", 1, 501, 3)[0].endswith("xxend")


def test_every_code_has_a_title_of_its_own() -> None:
    titles = [code.title for code in Code]
    assert all(titles)
    assert len(set(titles)) == len(Code.__members__)


def test_suggestions() -> None:
    assert suggest("querys", ["queries", "backend"]) == (
        "did you mean 'queries'?  known here: backend, queries"
    )
    assert suggest("zzz", ["b", "a"]) == "known here: a, b"
    assert suggest("x", [], "allowed here") == "allowed here: nothing"
    assert closest("QUERIES", ["queries"]) == "queries"
    assert closest("zzz", ["queries"]) is None
