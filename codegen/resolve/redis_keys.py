"""The keys of a Redis backend: their templates, and whether two records can meet under one key."""

from __future__ import annotations

import re
from dataclasses import replace

from .. import ir
from ..model import RedisBackendModel
from ..nodes import Text, place_of
from ..problems import Code, Report, Span, suggest
from ..resolve.names import python_name

_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)(?::(?P<form>[^{}]*))?\}")
TYPES = {
    "namespace": "str",
    "partition_key": "str",
    "app_id": "str",
    "sequence_id": "int",
    "position": "str",
}
_DIGITS = 19  # as many as 2**63 - 1 has
# What the slot, and what the keys behind it, are made of.
_SLOT = ("namespace", "partition_key")
_KEY = ("app_id", "sequence_id", "position")


def resolve(
    model: RedisBackendModel, interface: ir.Interface, report: Report
) -> tuple[ir.KeyTemplate, dict[str, ir.KeyTemplate]]:
    """What all keys of a partition begin with, and each kind of key."""
    before = len(report.problems)
    ours = model.stored.made_by is None
    name, doc = Text("slot", model.slot.span), "What the keys begin with."
    slot = _template(name, model.slot, _SLOT, doc, ours, report)
    keys = {
        str(name): _template(name, key.template, _KEY, str(key.doc), ours, report)
        for name, key in model.keys.items()
    }
    if len(report.problems) == before:  # a part that is misspelt is not left out as well
        _check_slot(model.slot, slot, report)
        _check_record_key(model, keys, interface, report)
    if len(report.problems) == before and ours:
        _check_meeting(model, keys, report)
    if ours:  # in braces, by which Redis Cluster hashes
        slot = replace(slot, parts=(ir.KeyPart("{"), *slot.parts, ir.KeyPart("}")))
    return slot, keys


def of_a_slot(name: Text, template: Text, report: Report) -> ir.KeyTemplate:
    """A key of ours that stands beside those of a backend: one of another generation."""
    return _template(name, template, _KEY, "", True, report)


def _template(
    name: Text, template: Text, values: tuple[str, ...], doc: str, ours: bool, report: Report
) -> ir.KeyTemplate:
    if not template and ours:
        help = "write the name of the key; two keys may not have the same"
        report.add(Code.KEY03, "the key template is empty", template.span, help=help)
    parts: list[ir.KeyPart] = []
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        between = template[end : match.start()]
        if between:
            parts.append(ir.KeyPart(text=between))
        if end and ":" not in between and ours:
            report.add(
                Code.KEY04,
                f"no ':' separates {match[0]} from the value before it",
                template.at(match.start(), len(match[0])),
                help="put a ':' between them; no value holds one, since values are escaped",
            )
        parts.append(_placeholder(template, match, values, ours, report))
        end = match.end()
    if end < len(template):
        parts.append(ir.KeyPart(text=template[end:]))
    blank = _PLACEHOLDER.sub(lambda match: "_" * len(match[0]), template)
    stray = re.search(r"[^A-Za-z0-9_:.-]", blank)
    if stray:
        place = template.at(stray.start())
        help = "write {name} for a value; beside them letters, digits, '_', '.', '-' and ':'"
        report.add(Code.KEY03, f"a stray {stray[0]!r} in a key template", place, help=help)
    return function(python_name(name, "the key", report), tuple(parts), doc)


def function(name: str, parts: tuple[ir.KeyPart, ...], doc: str) -> ir.KeyTemplate:
    values = dict.fromkeys(part.value for part in parts if part.value)
    parameters = tuple(ir.Parameter(value, TYPES.get(value, "str"), "") for value in values)
    return ir.KeyTemplate(name, parameters, parts, doc)


def _placeholder(
    template: Text, match: re.Match[str], values: tuple[str, ...], ours: bool, report: Report
) -> ir.KeyPart:
    name, form = match["name"], match["form"]
    place = template.at(match.start(), len(match[0]))
    if name not in values:
        help = suggest(name, values)
        report.add(Code.KEY03, f"unknown part {match[0]}", place, help=help)
    elif not ours:
        return _as_it_is(name, match, place, report)
    elif name == "sequence_id":
        if form != f"0{_DIGITS}":
            report.add(
                Code.KEY02,
                f"{match[0]} is not {_DIGITS} digits wide; as text, 10 would come before 9",
                place,
                help=f"write {{sequence_id:0{_DIGITS}}}",
            )
        return ir.KeyPart(value=name, form="number", width=_DIGITS)
    elif form == "sha1":
        return ir.KeyPart(value=name, form="digest")
    elif form is not None:
        help = "a text takes no form, or :sha1"
        report.add(Code.KEY03, f"unknown form in {match[0]}", place, help=help)
    return ir.KeyPart(value=name, form="segment")


def _as_it_is(name: str, match: re.Match[str], place: Span, report: Report) -> ir.KeyPart:
    """A value in the key of another library, which escapes none and sorts no numbers."""
    if match["form"] not in (None, "prefix"):
        help = "a value takes no form here; or :prefix, with a ':' behind it unless it is empty"
        report.add(Code.KEY03, f"unknown form in {match[0]}", place, help=help)
    return ir.KeyPart(value=name, form="prefix" if match["form"] else "plain")


def _check_slot(template: Text, slot: ir.KeyTemplate, report: Report) -> None:
    missing = {"namespace", "partition_key"} - set(slot.parameter_names)
    if missing:
        report.add(
            Code.KEY04,
            f"the slot leaves out {', '.join(sorted(missing))}",
            template.span,
            help='write "{namespace}:{partition_key}"; otherwise two tenants share their keys',
        )


def _check_record_key(
    model: RedisBackendModel,
    keys: dict[str, ir.KeyTemplate],
    interface: ir.Interface,
    report: Report,
) -> None:
    """The key of a record, or of one moved aside, must tell all parts of the record's key apart."""
    wanted = {"record": set(interface.key) - {"partition_key", "position"}}
    if model.stored.made_by is None:
        wanted["moved"] = wanted["record"] | {"position"}
    for name, parts in wanted.items():
        template = next((it for key, it in model.keys.items() if key == name), None)
        if template is None:
            help = f"add '{name}:' under keys, with {', '.join(sorted(parts))}"
            place = place_of(model.keys, model.span)
            report.add(Code.KEY04, f"there is no key {name!r}", place, help=help)
            continue
        missing = parts - set(keys[name].parameter_names)
        if missing:
            report.add(
                Code.KEY04,
                f"the key {name!r} leaves out {', '.join(sorted(missing))}",
                template.template.span,
                help="two records would have the same key; add {" + sorted(missing)[0] + "}",
            )


def _check_meeting(
    model: RedisBackendModel, keys: dict[str, ir.KeyTemplate], report: Report
) -> None:
    """No value can make a key of one kind a key of another."""
    shapes: dict[str, list[str]] = {}
    for name, key in model.keys.items():
        shape = [_shape(it, keys[str(name)]) for it in key.template.split(":")]
        for other, known_shape in shapes.items():
            if len(shape) == len(known_shape) and all(map(_can_be_equal, shape, known_shape)):
                message = f"a key {str(name)!r} can be the same as a key {other!r}"
                help = "begin or end one of them with a word of its own"
                report.add(Code.KEY04, message, key.template.span, help=help)
        shapes[str(name)] = shape


def _shape(piece: str, key: ir.KeyTemplate) -> str:
    """A piece between two ':', with a sign for what each value can be."""
    for part in key.parts:
        if part.value:
            piece = re.sub(rf"\{{{part.value}(:[^{{}}]*)?\}}", f"<{part.form}>", piece)
    return piece


def _can_be_equal(one: str, other: str) -> bool:
    if one == other or "<segment>" in (one, other):
        return True
    for text, sign in ((one, other), (other, one)):
        if sign in _SIGNS and "<" not in text:
            return re.fullmatch(_SIGNS[sign], text) is not None
    return "<" in one and "<" in other and {one, other} != set(_SIGNS)


_SIGNS = {"<number>": rf"\d{{{_DIGITS}}}", "<digest>": "[0-9a-f]{40}"}
