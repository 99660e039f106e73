"""Nodes know where they stand, to the character; what is not plain YAML is refused in words."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen import source
from codegen.problems import Code, Report, Span
from codegen.source import ListNode, MappingNode, Node, ScalarNode, Text, load, parse


def parsed(text: str) -> MappingNode:
    report = Report()
    node = parse(text, "a.yaml", report)
    assert report.problems == []
    assert isinstance(node, MappingNode)
    return node


def scalar(text: str, key: str = "a") -> Text:
    node = dict(parsed(text).pairs)[Text(key, Span("", 0, 0))]
    assert isinstance(node, ScalarNode)
    return node.text


def refused(text: str) -> tuple[str, str, str]:
    """Place with code, message and help of the only problem."""
    report = Report()
    parse(text, "a.yaml", report)
    (problem,) = report.problems
    assert problem.span is not None
    place = f"{problem.span.line}:{problem.span.column} {problem.code.name}"
    return place, problem.message, problem.help


def places(text: Text, source: str) -> None:
    """Each character of the text stands in the source where `at` says."""
    lines = source.split("\n")
    for offset, char in enumerate(text):
        span = text.at(offset)
        line = lines[span.line - 1]
        assert line[span.column - 1 : span.column] == ("" if char == "\n" else char), offset


EXACT = [
    "a: plain text # comment\n",
    "a: 'quoted'\n",
    "a: 'it''s ''it'''\n",
    'a: "double it\'s"\n',
    "x: 1\na: |\n  first\n    deeper\n\n  last  \n",
    "a: |\n\n\n  after blank lines\n   \n      \n  more\n",
    "a: |2\n    starts with spaces\n  less\n",
    "a: |-\n  stripped\n\n\nb: 1\n",
    "a: |+\n  kept\n\n\n",
    "a: |  # comment\n  text\n# comment\nb: 1\n",
    "a: |\n  no line feed at the end",
    "a: |\n  tab\there, wide 日本, and 𝄞 after\n",
    "日本: x\na: 日本 𝄞 end\n",
    "{b: 1, a: flow text}\n",
    "a: |\n\n",
]


@pytest.mark.parametrize("source", EXACT)
def test_every_character_of_a_text_has_its_place(source: str) -> None:
    places(scalar(source), source)


@given(st.lists(st.text("ab '|:#{}é日", max_size=6), min_size=1), st.integers(1, 9))
def test_every_character_of_a_block_has_its_place(rows: list[str], indent: int) -> None:
    block = "\n".join(" " * indent + row if row else "" for row in rows)
    source = f"x:\n - 1\na: |{indent}+\n{block}\n"
    text = scalar(source)
    assert text.split("\n")[: len(rows)] == rows
    places(text, source)


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("a: >\n  folded\n  text\n", Span("a.yaml", 1, 4)),
        ('a: "with \\n escape"\n', Span("a.yaml", 1, 4, 16)),
        ("a: plain\n  over lines\n", Span("a.yaml", 1, 4)),
        ("a: 'quoted\n  over lines'\n", Span("a.yaml", 1, 4)),
    ],
)
def test_a_text_that_is_rewritten_has_only_a_beginning(source: str, place: Span) -> None:
    text = scalar(source)
    assert text.at(7) == text.span == place


def test_a_place_inside_a_text_has_a_length_that_ends_with_the_row() -> None:
    text = scalar("a: |\n  SELECT :one\n  FROM :two\n")
    assert text.at(text.index(":one"), 4) == Span("a.yaml", 2, 10, 4)
    assert text.at(text.index(":two"), 99) == Span("a.yaml", 3, 8, 4)
    assert text.at(len(text)) == Span("a.yaml", 4, 1)
    quoted = scalar("a: 'x ''y'' z'\n")
    assert quoted.at(2, 3) == Span("a.yaml", 1, 7, 5)
    assert quoted.at(6) == Span("a.yaml", 1, 13)


def test_a_text_is_a_str_and_survives_copying() -> None:
    text = scalar("a: |\n  some\n  text\n")
    assert text == "some\ntext\n"
    for twin in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert isinstance(twin, Text)
        assert (twin, twin.span, twin.at(6)) == (text, text.span, text.at(6))


def test_nodes_keep_order_and_place() -> None:
    node = parsed("b: [1, x]\na:\n  - k: v\n  - |\n    t\nc: {d: }\n")
    assert [str(key) for key, _ in node.pairs] == ["b", "a", "c"]
    flow, block, mapping = (child for _, child in node.pairs)
    assert isinstance(flow, ListNode)
    assert isinstance(block, ListNode)
    assert isinstance(mapping, MappingNode)
    assert (flow.span, flow.flow) == (Span("a.yaml", 1, 4, 6), True)
    assert (block.span, block.flow) == (Span("a.yaml", 3, 3), False)
    assert (mapping.span, mapping.flow) == (Span("a.yaml", 6, 4, 5), True)
    assert block.items[0].span == Span("a.yaml", 3, 5)
    assert node.span == Span("a.yaml", 1, 1)


def test_scalars_stay_text() -> None:
    source = "a: [no, 1.10, 0o7, 2001-01-01, null, ~, '', , \"x\"]\n".replace(", ,", ",")
    (_, node), *_ = parsed(source).pairs
    assert isinstance(node, ListNode)
    texts: list[tuple[str, bool]] = []
    for item in node.items:
        assert isinstance(item, ScalarNode)
        texts.append((str(item.text), item.quoted))
    plain = [(word, False) for word in ("no", "1.10", "0o7", "2001-01-01", "null", "~")]
    assert texts == [*plain, ("", True), ("x", True)]


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("a: &x 1\n", "1:4", "an anchor, '&x', is not used in specs"),
        ("a: *x\n", "1:4", "an alias, '*x', is not used in specs"),
        ("a: !Foo b\n", "1:4", "a tag, '!Foo', is not used in specs"),
        ("a: !<foo> b\n", "1:4", "a tag, 'foo', is not used in specs"),
        ("!foo a: b\n", "1:1", "a key must be a plain word"),
        ("a: !!str 1\n", "1:4", "a tag, '!!str', is not used in specs"),
        ("a: !\n", "1:4", "a tag, '!', is not used in specs"),
        ("a:\n  <<: {b: 1}\n", "2:3", "a merge key, '<<', is not used in specs"),
        ("? [a, b]\n: c\n", "1:3", "a key must be a plain word"),
    ],
)
def test_what_specs_do_not_use(source: str, place: str, message: str) -> None:
    assert refused(source)[:2] == (f"{place} YAML02", message)


def test_all_of_them_are_reported_together_and_leave_no_node() -> None:
    report = Report()
    assert parse("a: &x 1\nb: *x\nc: !!t {<<: 1}\nd: *x\n", "a.yaml", report) is None
    assert [problem.code for problem in report.problems] == [Code.YAML02] * 5


def test_our_own_tags_stay_with_their_nodes() -> None:
    node = parsed("a: !one x\nb: !two [1, !three '2']\nc: !four {d: 1}\ne: [1]\n")
    one, two, four, none = (child for _, child in node.pairs)
    assert isinstance(one, ScalarNode)
    assert (one.tag, one.text, one.quoted, one.span) == ("one", "x", False, Span("a.yaml", 1, 4, 6))
    assert isinstance(two, ListNode)
    assert [it.tag for it in (two, *two.items)] == ["two", "", "three"]
    assert isinstance(two.items[1], ScalarNode)
    assert two.items[1].quoted
    assert (four.tag, none.tag) == ("four", "")


def test_a_quoted_merge_key_is_a_key() -> None:
    assert scalar("'<<': 1\n", "<<") == "1"


def test_a_duplicate_key_names_the_first_and_leaves_its_node() -> None:
    report = Report()
    node = parse("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n", "a.yaml", report)
    assert [(str(problem.span), problem.message) for problem in report.problems] == [
        ("a.yaml:4:3", "duplicate key 'c', first at line 3"),
        ("a.yaml:5:1", "duplicate key 'a', first at line 1"),
    ]
    assert isinstance(node, MappingNode)
    first: Node = node.pairs[0][1]
    assert isinstance(first, ScalarNode)
    assert first.text == "1"


@pytest.mark.parametrize(
    ("raw", "place", "message"),
    [
        (b"", "1:1", "the file is empty"),
        (b"# only a comment\n", "1:1", "the file is empty"),
        (b"a: 1\n---\nb: 1\n", "2:1", "a second document begins here"),
        ("é: 1\r\nb: é".encode() + b"\xff\n", "2:5", "the file is not UTF-8"),
        (None, "1:1", "the file cannot be read: No such file or directory"),
    ],
)
def test_files_that_are_no_document(
    tmp_path: Path, raw: bytes | None, place: str, message: str
) -> None:
    if raw is not None:
        (tmp_path / "a.yaml").write_bytes(raw)
    report = Report()
    node, _ = load(tmp_path, "a.yaml", report)
    (problem,) = report.problems
    assert node is None
    assert (problem.code, str(problem.span)) == (Code.YAML04, f"a.yaml:{place}")
    assert problem.message == message


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: |\r\n  x\r\n  y\r\n")
    report = Report()
    node, text = load(tmp_path, "a.yaml", report)
    assert not report
    assert text == "a: |\n  x\n  y\n"
    assert isinstance(node, MappingNode)
    places(scalar(text), text)


ROOT = Path(__file__).parents[2]
SPECS = sorted(it.relative_to(ROOT).as_posix() for it in (ROOT / "spec").rglob("*.yaml"))
ODD = ["a: [b?]", "a: {b: c?d}", "a: |#\n  b", "a: >-2#\n  b", "a:\tb", "a: b\t", '{a: "?"}']
ODD += ["a: &b c", "a: *b", "a: !!str b", "a: !own b", "a: b: c", "a: [b", "a: 'b\n  c'", ""]
ODD += [
    'a: "\u2603 \\u2603"',
    "\u2603: \u2603 # \u2603\nb: [\u2603, c]",
    "a: >\n  b\n  c\n",
    "a: |\n",
]


def shown(node: Node | None) -> object:
    """Everything of a node that compares, and where it stands."""
    match node:
        case ScalarNode():
            return shown_text(node.text), node.quoted, node.tag
        case ListNode():
            return [shown(it) for it in node.items], node.span, node.flow, node.tag
        case MappingNode():
            pairs = [(shown_text(key), shown(value)) for key, value in node.pairs]
            return pairs, node.span, node.flow, node.tag
    return None


def shown_text(text: Text) -> object:
    return text.__getnewargs__()


@pytest.mark.parametrize("text", [*SPECS, *ODD])
def test_both_parsers_find_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / text).read_text(encoding="utf-8") if text in SPECS else text
    found = []
    for parser in (source._CLoader, None):
        monkeypatch.setattr(source, "_CLoader", parser)
        report = Report()
        node = parse(text, "a.yaml", report)
        found.append((shown(node), report.problems))
    assert found[0] == found[1]
