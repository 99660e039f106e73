"""One printer for each typed part that becomes Python source; templates call them as filters."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Iterable

from . import ir

WIDTH = 92


def signature(parameters: Iterable[ir.Parameter]) -> str:
    """The parameters of a definition, after self or cls; a star before the keyword-only ones, and
    at the end the one that takes all others."""
    printed, starred = [], False
    for it in sorted(parameters, key=lambda it: it.variadic):
        if it.variadic:
            printed.append(f"**{it.name}: {it.type}")
            continue
        if it.keyword_only and not starred:
            printed.append("*")
            starred = True
        default = "" if it.default is None else f" = {it.default}"
        printed.append(f"{it.name}: {it.type}{default}")
    return ", ".join(printed)


def arguments(parameters: Iterable[ir.Parameter | str]) -> str:
    """Keyword arguments that pass each parameter on under its own name."""
    names = [it if isinstance(it, str) else it.name for it in parameters]
    return ", ".join(f"{name}={name}" for name in names)


def attributes(names: Iterable[str], owner: str) -> str:
    """A tuple of an object's attributes: the values of a query, in its order."""
    values = [f"{owner}.{name}" for name in names]
    return f"({values[0]},)" if len(values) == 1 else f"({', '.join(values)})"


def string_tuple(texts: Iterable[str]) -> str:
    values = [string(text) for text in texts]
    return f"({values[0]},)" if len(values) == 1 else f"({', '.join(values)})"


@functools.cache
def string(text: str) -> str:
    """The literal of exactly this text; several lines stand in triple quotes, as they are read."""
    escaped = "".join(char if char == "\n" else _escaped(char) for char in text)
    if "\n" not in text:
        return '"' + escaped.replace('"', '\\"') + '"'
    return f'"""\\\n{_QUOTE.sub(_ESCAPED_QUOTE, escaped)}"""'


# A quote that would end a text in triple quotes, or melt into the closing ones.
_QUOTE = re.compile(r'"(?=""|\Z)')
_ESCAPED_QUOTE = r"\\" + '"'


def _escaped(char: str) -> str:
    """A character as it can stand in a literal; what cannot be seen is written as an escape."""
    if char == "\\":
        return "\\\\"
    return char if char.isprintable() else ascii(char)[1:-1]


def key_text(template: ir.KeyTemplate) -> str:
    """The f-string of a key: its text, and its values escaped so that they cannot end it."""
    return "".join(_key_part(part) for part in template.parts)


def key_in_slot(template: ir.KeyTemplate) -> str:
    """The f-string of a key behind what all keys of its partition begin with."""
    return ":".join(["{slot}", *filter(None, [key_text(template)])])


def _key_part(part: ir.KeyPart) -> str:
    match part.form:
        case "literal":
            return part.text.replace("{", "{{").replace("}", "}}")
        case "plain":
            return f"{{{part.value}}}"
        case "prefix":
            return f"{{prefixed({part.value})}}"
        case "segment":
            return f"{{segment({part.value})}}"
        case "number":
            return f"{{{part.value}:0{part.width}}}"
        case "digest":
            return f"{{digest({part.value})}}"


def key_glob(template: ir.KeyTemplate) -> str:
    """The server's pattern of a key behind its slot."""
    return "".join("*" if part.value else part.text for part in template.parts)


def key_form(template: ir.KeyTemplate) -> str:
    """The expression of exactly such keys, with their values as groups."""
    found: set[str] = set()
    return "".join(_key_form(part, found) for part in template.parts)


def _key_form(part: ir.KeyPart, found: set[str]) -> str:
    if not part.value:
        return re.escape(part.text)
    if part.value in found:
        return f"(?P={part.value})"
    found.add(part.value)
    forms = {"number": rf"[0-9]{{{part.width}}}", "digest": "[0-9a-f]{40}"}
    return f"(?P<{part.value}>{forms.get(part.form, '[^:{}]*')})"


def key_names(template: ir.KeyTemplate) -> str:
    """A key behind its slot, with the names of its values; they stand there as they are stored."""
    return "".join(f"{{{part.value}}}" if part.value else part.text for part in template.parts)


def key_call(template: ir.KeyTemplate, owner: str) -> str:
    """A call of the function that makes a key, with the values of an object."""
    values = [f"{owner}.{name}" for name in template.parameter_names]
    return f"{template.function}({', '.join(['slot', *values])})"


def script_arguments(call: ir.ScriptCall, owner: str) -> str:
    values = [f"{owner}.{name}" for name in call.attributes]
    if call.prefix is not None:
        values.append(key_call(call.prefix, owner))
    if call.limited:
        values.append("LARGE")
    return f"({values[0]},)" if len(values) == 1 else f"({', '.join(values)})"


def pairs(items: Iterable[tuple[str, int]]) -> str:
    """A tuple of names with a number each: the keys of an index, the order of a query."""
    values = [f"({string(name)}, {number})" for name, number in items]
    return f"({values[0]},)" if len(values) == 1 else f"({', '.join(values)})"


def terms(items: Iterable[ir.Term], owner: str) -> str:
    """A dict of fields, with the values of an object."""
    return "{" + ", ".join(f"{string(it.field)}: {_term(it, owner)}" for it in items) + "}"


def _term(term: ir.Term, owner: str) -> str:
    value = f"{owner}.{term.value}" if term.value else ""
    if term.made_by:
        return f"{term.made_by}({value})" if value else term.made_by
    return value or "None"


def docstring(operation: ir.Operation, indent: int = 8) -> str:
    """The docstring of an operation: what it does, what it takes, gives and raises."""
    sections = [_wrapped(operation.doc.strip(), indent)]
    if operation.parameters:
        sections.append(_arguments_section(operation.parameters, indent))
    if operation.returns_doc:
        sections.append(_section("Returns", [("", operation.returns_doc)], indent))
    if operation.raises:
        sections.append(
            _section("Raises", [(it.error, it.when) for it in operation.raises], indent)
        )
    return _quoted("\n\n".join(sections), indent)


def docstring_with(doc: str, parameters: Iterable[ir.Parameter], indent: int = 8) -> str:
    """A text, and what each parameter is."""
    sections = [_wrapped(doc.strip(), indent), _arguments_section(parameters, indent)]
    return _quoted("\n\n".join(sections), indent)


def plain_docstring(doc: str, indent: int = 8) -> str:
    return _quoted(_wrapped(doc.strip(), indent), indent)


@functools.cache  # the same texts stand in many modules
def _quoted(text: str, indent: int) -> str:
    raw = "r" if "\\" in text else ""
    text = "".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text)
    if _QUOTE.search(text) or (raw and text.endswith("\\")):  # nothing can be escaped in raw text
        text, raw = _QUOTE.sub(_ESCAPED_QUOTE, text.replace("\\", "\\\\")), ""
    closing = '"""' if "\n" not in text else '\n"""'
    return textwrap.indent(f'{raw}"""{text}{closing}', " " * indent).strip()


def _arguments_section(parameters: Iterable[ir.Parameter], indent: int) -> str:
    """In the order of the signature."""
    ordered = sorted(parameters, key=lambda it: it.variadic)
    return _section("Args", [("**" * it.variadic + it.name, it.doc) for it in ordered], indent)


def _section(title: str, entries: list[tuple[str, str]], indent: int) -> str:
    lines = [f"{title}:"]
    for name, doc in entries:
        text = f"{name}: {' '.join(doc.split())}" if name else " ".join(doc.split())
        lines += _lines(text, WIDTH - indent, first="    ", others="        ")
    return "\n".join(lines)


@functools.cache
def _lines(text: str, width: int, first: str = "", others: str = "") -> tuple[str, ...]:
    """Wrapped between words only: an address or a word with a hyphen stays in one piece."""
    found = textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return tuple(found)


def _wrapped(doc: str, indent: int) -> str:
    """Paragraphs newly wrapped; what is indented (a Raises section) stays as it is."""
    paragraphs = []
    for paragraph in doc.split("\n\n"):
        if "\n    " in paragraph or paragraph.startswith("    "):
            paragraphs.append(paragraph)
        else:
            words = " ".join(paragraph.split())
            paragraphs.append("\n".join(_lines(words, WIDTH - indent)))
    return "\n\n".join(paragraphs)


def branch(case: ir.Case, first: bool) -> str:
    """The condition under which a case is meant; the last case has none."""
    if case.decided_by is None:
        return "else"
    return f"{'if' if first else 'elif'} {case.decided_by} is not None"


def comment(text: str) -> str:
    words = " ".join(text.split())
    words = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in words)
    return "\n".join(_lines(words, WIDTH, first="# ", others="# "))


FILTERS = {
    "arguments": arguments,
    "attributes": attributes,
    "branch": branch,
    "comment": comment,
    "docstring": docstring,
    "docstring_with": docstring_with,
    "key_call": key_call,
    "key_form": key_form,
    "key_glob": key_glob,
    "key_in_slot": key_in_slot,
    "key_names": key_names,
    "key_text": key_text,
    "pairs": pairs,
    "plain_docstring": plain_docstring,
    "script_arguments": script_arguments,
    "signature": signature,
    "string": string,
    "string_tuple": string_tuple,
    "terms": terms,
}
