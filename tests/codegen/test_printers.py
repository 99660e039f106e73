"""The printers: whatever a text holds, the Python that is printed of it says the same."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codegen import ir, printers

# Characters that have broken a printer somewhere: quotes, escapes, line ends, what is invisible.
ODD = st.text(alphabet="\"'\\\n\r\t {}%#\x00\x0b\x0c\x1b\x85\u2028\ud800ab\N{SNOWMAN}", max_size=30)


def parameter(
    name: str, type: str = "str", default: str | None = None, **more: bool
) -> ir.Parameter:
    return ir.Parameter(name, type, f"About {name}.", default, **more)


# Literals


@given(st.one_of(st.text(), ODD))
@example('a\n"""')
@example('\n""')
@example('a\n\\"')
@example('a\n""""""')
@example("a\n\\")
@example("a\nb\n")
@example("\r\n\r")
@example("")
def test_a_string_says_what_the_text_says(text: str) -> None:
    printed = printers.string(text)
    assert ast.literal_eval(printed) == text
    # As part of a module, whatever else stands in it.
    assert ast.literal_eval(ast.parse(f"x = f({printed},\n)").body[0].value.args[0]) == text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain", '"plain"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("it's", '"it\'s"'),
        ("a\\b", '"a\\\\b"'),
        ("SELECT 1\nFROM t\n", '"""\\\nSELECT 1\nFROM t\n"""'),
        ("no end\nof line", '"""\\\nno end\nof line"""'),
        ('ends in "quotes"\n"', '"""\\\nends in "quotes"\n\\""""'),
        ("tab\tand\x1besc", '"tab\\tand\\x1besc"'),
        ("é \N{SNOWMAN}", '"é \N{SNOWMAN}"'),
        ("\u2028\ud800", '"\\u2028\\ud800"'),
    ],
)
def test_a_string_reads_as_it_is(text: str, printed: str) -> None:
    assert printers.string(text) == printed


@given(st.lists(ODD, max_size=4))
def test_a_tuple_of_strings_is_a_tuple(texts: list[str]) -> None:
    assert ast.literal_eval(printers.string_tuple(texts)) == tuple(texts)


# Docstrings and comments


@given(st.one_of(st.text(), ODD), st.sampled_from([0, 4, 8]))
@example('ends with a "quote"', 4)
@example('"""', 4)
@example("a backslash \\", 4)
@example('both \\ and "', 4)
@example("\\", 0)
@example("a first line\n\n    and one that stays: \\d", 8)
def test_a_docstring_can_hold_any_text(text: str, indent: int) -> None:
    printed = " " * indent + printers.plain_docstring(text, indent)
    function = ast.parse(textwrap.indent(f"def f():\n{textwrap.indent(printed, '    ')}", ""))
    doc = ast.get_docstring(function.body[0])  # type: ignore[arg-type]
    assert words(doc or "") == words(text)


def words(text: str) -> list[str]:
    """Wrapping moves white space only; what cannot be seen is shown as an escape."""
    shown = "".join(it if it.isprintable() or it.isspace() else ascii(it)[1:-1] for it in text)
    return [word.replace("\\\\", "\\") for word in shown.split()]


@given(st.one_of(st.text(), ODD))
def test_a_comment_holds_any_text_and_ends_with_it(text: str) -> None:
    assert ast.parse(f"{printers.comment(text)}\nx = 1").body[0].lineno >= 1
    assert len(ast.parse(f"{printers.comment(text)}\nx = 1").body) == 1


def test_a_backslash_makes_a_docstring_raw() -> None:
    assert printers.plain_docstring(r"Matches \d.") == r'r"""Matches \d."""'
    assert printers.plain_docstring('Says "no".') == '"""Says "no"."""'
    assert printers.plain_docstring('Says "no"') == '"""Says "no\\""""'


def test_a_docstring_has_a_section_for_what_there_is() -> None:
    operation = ir.Operation(
        name="load",
        doc="Load a step.\n\nA second paragraph.",
        parameters=(parameter("app_id"),),
        returns="str",
        returns_doc="The record.",
        raises=(ir.Raise("ValueError", "It is empty."),),
        cases=(),
    )
    printed = printers.docstring(operation)
    assert (
        printed
        == textwrap.indent(
            '"""Load a step.\n\nA second paragraph.\n\nArgs:\n    app_id: About app_id.\n\n'
            'Returns:\n    The record.\n\nRaises:\n    ValueError: It is empty.\n"""',
            " " * 8,
        ).strip()
    )
    bare = ir.Operation("close", "Close it.", (), "None", "", (), ())
    assert printers.docstring(bare) == '"""Close it."""'


def test_long_lines_are_wrapped_and_indented_ones_are_kept() -> None:
    doc = (
        "word " * 40
        + "\n\nRaises:\n    ValueError: it is kept as it stands, however long the line may be"
    )
    printed = printers.plain_docstring(doc, 4).splitlines()
    assert max(map(len, printed[:4])) <= 92
    assert "    ValueError: it is kept as it stands" in "\n".join(printed)


# Signatures, calls and keys


def test_a_signature_has_one_star() -> None:
    parameters = (
        parameter("a"),
        parameter("b", "int | None", "None"),
        parameter("c", keyword_only=True),
        parameter("d", default="1", keyword_only=True),
    )
    printed = printers.signature(parameters)
    assert printed == "a: str, b: int | None = None, *, c: str, d: str = 1"
    ast.parse(f"def f({printed}): ...")
    others = parameter("others", "Any", variadic=True)
    printed = printers.signature((parameters[0], others, parameters[2]))
    assert printed == "a: str, *, c: str, **others: Any"
    ast.parse(f"def f({printed}): ...")
    assert printers.signature(()) == ""
    assert printers.arguments([parameters[0], "b"]) == "a=a, b=b"


@pytest.mark.parametrize(
    ("names", "printed"), [(("a",), "(x.a,)"), (("a", "b"), "(x.a, x.b)"), ((), "()")]
)
def test_attributes_are_always_a_tuple(names: tuple[str, ...], printed: str) -> None:
    assert printers.attributes(names, "x") == printed


def test_a_branch_for_each_case_and_none_for_the_last() -> None:
    decided = ir.Case("at", ("a",), ("b",), decided_by="sequence_id")
    assert printers.branch(decided, first=True) == "if sequence_id is not None"
    assert printers.branch(decided, first=False) == "elif sequence_id is not None"
    assert printers.branch(ir.Case("last", (), (), None), first=False) == "else"


def test_a_key_is_an_f_string_of_its_parts() -> None:
    parts = (
        ir.KeyPart(text="r:"),
        ir.KeyPart(value="app_id", form="segment"),
        ir.KeyPart(text=":"),
        ir.KeyPart(value="sequence_id", form="number", width=19),
        ir.KeyPart(text=":"),
        ir.KeyPart(value="position", form="digest"),
    )
    names = ("app_id", "sequence_id", "position")
    key = ir.KeyTemplate("moved", tuple(map(parameter, names)), parts, "doc")
    assert printers.key_text(key) == "r:{segment(app_id)}:{sequence_id:019}:{digest(position)}"
    call = "_moved_key(slot, record.app_id, record.sequence_id, record.position)"
    assert printers.key_call(key, "record") == call


def test_arguments_of_a_script_end_with_what_is_made_from_others() -> None:
    script = ir.Script("_LATEST", "latest", "doc", "return 1")
    prefix = ir.KeyTemplate("latest_prefix", (parameter("app_id"),), (), "doc")
    call = ir.ScriptCall(script, (), (), ("app_id",), prefix, limited=True)
    expected = "(wanted.app_id, _latest_prefix_key(slot, wanted.app_id), LARGE)"
    assert printers.script_arguments(call, "wanted") == expected
    one = ir.ScriptCall(script, (), (), ("app_id",), None, limited=False)
    assert printers.script_arguments(one, "wanted") == "(wanted.app_id,)"
