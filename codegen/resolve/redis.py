"""A Redis backend: its key templates, its scripts and which of them answers which case."""

from __future__ import annotations

import re
from collections.abc import Iterable

from codegen import ir
from codegen.model import RedisBackendModel, RedisQueryModel, ScriptModel
from codegen.nodes import Text
from codegen.problems import Code, Report, Span, suggest
from codegen.resolve.names import known, python_name

_PLACEHOLDER = re.compile(r"\{(?P<name>\w+)(?::(?P<form>[^{}]*))?\}")
_TYPES = {
    "namespace": "str",
    "partition_key": "str",
    "app_id": "str",
    "sequence_id": "int",
    "position": "str",
}
_DIGITS = 19  # as many as 2**63 - 1 has
# What an argument of a script may be beside the values of its case.
_DERIVED = {"sequence", "prefix", "limit", "value"}
_QUERIES = ("save.insert", "list_app_ids.newest")


def resolve(model: RedisBackendModel, interface: ir.Interface, report: Report) -> ir.RedisParts:
    slot = _template(Text("slot", model.slot.span), model.slot, "What the keys begin with.", report)
    _check_slot(model.slot, slot, report)
    keys = {
        str(name): _template(name, key.template, str(key.doc), report)
        for name, key in model.keys.items()
    }
    _check_record_key(model, keys, interface, report)
    scripts = {str(name): _script(name, script, report) for name, script in model.scripts.items()}
    resolver = _Queries(model, keys, scripts, report)
    load = tuple(resolver.load(case) for case in interface.operations["load"].cases)
    save = resolver.script_call("save.insert", interface.operations["save"].cases[0].given)
    newest = resolver.key("list_app_ids.newest", "newest_of")
    resolver.refuse_unknown([f"load.{case.name}" for case in interface.operations["load"].cases])
    used = {key.name for key in resolver.used}
    return ir.RedisParts(
        slot=slot,
        keys=tuple(key for key in resolver.used_in_order(keys.values()) if key.name in used),
        scripts=tuple(scripts.values()),
        save=save,
        load=load,
        record=keys.get("record", slot),
        newest=newest,
    )


def _template(name: Text, template: Text, doc: str, report: Report) -> ir.KeyTemplate:
    parts: list[ir.KeyPart] = []
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        if match.start() > end:
            parts.append(ir.KeyPart(text=template[end : match.start()]))
        elif parts:
            report.add(
                Code.KEY04,
                f"nothing separates {match[0]} from the value before it",
                template.at(match.start(), len(match[0])),
                help="put a ':' between them; no value holds one, since values are escaped",
            )
        parts.append(_placeholder(template, match, report))
        end = match.end()
    if end < len(template):
        parts.append(ir.KeyPart(text=template[end:]))
    stray = re.search(r"[{}]", "".join(part.text for part in parts))
    if stray:
        place = template.at(template.find(stray[0]))
        help = "write {name}; braces belong to the slot alone"
        report.add(Code.KEY03, f"a stray {stray[0]!r} in a key template", place, help=help)
    return _function(python_name(name, "the key", report), tuple(parts), doc)


def _function(name: str, parts: tuple[ir.KeyPart, ...], doc: str) -> ir.KeyTemplate:
    values = dict.fromkeys(part.value for part in parts if part.value)
    parameters = tuple(ir.Parameter(value, _TYPES.get(value, "str"), "") for value in values)
    return ir.KeyTemplate(name, parameters, parts, doc)


def _placeholder(template: Text, match: re.Match[str], report: Report) -> ir.KeyPart:
    name, form = match["name"], match["form"]
    place = template.at(match.start(), len(match[0]))
    if name not in _TYPES:
        help = suggest(name, _TYPES)
        report.add(Code.KEY03, f"unknown part {match[0]}", place, help=help)
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
    wanted["moved"] = wanted["record"] | {"position"}
    for name, parts in wanted.items():
        template = next((it for key, it in model.keys.items() if key == name), None)
        if template is None:
            help = f"add '{name}:' under keys, with {', '.join(sorted(parts))}"
            report.add(Code.KEY04, f"there is no key {name!r}", model.span, help=help)
            continue
        missing = parts - set(keys[name].parameter_names)
        if missing:
            report.add(
                Code.KEY04,
                f"the key {name!r} leaves out {', '.join(sorted(missing))}",
                template.template.span,
                help="two records would have the same key; add {" + sorted(missing)[0] + "}",
            )


def _script(name: Text, model: ScriptModel, report: Report) -> ir.Script:
    """The script with its keys and arguments as locals, so that it needs no KEYS[3]."""
    keys = [*model.keys, *model.optional_keys]
    for variable in [*keys, *model.arguments]:
        if not re.search(rf"\b{re.escape(variable)}\b", model.text):
            report.add(
                Code.LUA01,
                f"{str(variable)!r} is declared but the script never uses it",
                variable.span,
                help="remove it here, or use it in the text",
            )
    for match in re.finditer(r"\b(KEYS|ARGV)\b", model.text):
        report.add(
            Code.LUA02,
            f"{match[0]} is used by number",
            model.text.at(match.start(), len(match[0])),
            help="name it under keys or arguments above; it is then a local of the script",
        )
    lines = [_locals(keys, "KEYS"), _locals(model.arguments, "ARGV"), str(model.text).rstrip()]
    constant = f"_{python_name(name, 'the script', report).upper()}"
    return ir.Script(constant, str(name), str(model.doc), "\n".join(filter(None, lines)))


def _locals(names: Iterable[str], table: str) -> str:
    names = list(names)
    values = ", ".join(f"{table}[{number}]" for number in range(1, len(names) + 1))
    return f"local {', '.join(names)} = {values}" if names else ""


class _Queries:
    """Which key or script answers which case."""

    def __init__(
        self,
        model: RedisBackendModel,
        keys: dict[str, ir.KeyTemplate],
        scripts: dict[str, ir.Script],
        report: Report,
    ) -> None:
        self._model, self._keys, self._scripts, self._report = model, keys, scripts, report
        self.used: set[ir.KeyTemplate] = set()

    def used_in_order(self, keys: Iterable[ir.KeyTemplate]) -> list[ir.KeyTemplate]:
        return [*keys, *sorted(self.used - set(keys), key=lambda key: key.name)]

    def refuse_unknown(self, load: list[str]) -> None:
        cases = [*_QUERIES, *load]
        for name in self._model.queries:
            if name not in cases:
                message = f"the query {str(name)!r} answers no case"
                self._report.add(Code.SPEC01, message, name.span, help=suggest(name, cases))

    def load(self, case: ir.Case) -> ir.RedisLoad:
        name = f"load.{case.name}"
        query = self._query(name)
        if query is not None and query.script is not None:
            return ir.RedisLoad(case, self.script_call(name, case.given), None)
        return ir.RedisLoad(case, None, self.key(name, "get"))

    def key(self, name: str, verb: str) -> ir.KeyTemplate:
        query = self._query(name)
        written: Text | None = None if query is None else getattr(query, verb)
        if query is None:
            return self._none()
        if written is None:
            self._report.add(
                Code.SPEC02,
                f"the query {name!r} has no '{verb}'",
                query.span,
                help=f"write {{{verb}: <one of the keys>}}",
            )
            return self._none()
        return self._declared(written)

    def script_call(self, name: str, given: tuple[str, ...]) -> ir.ScriptCall:
        query = self._query(name)
        nothing = ir.ScriptCall(ir.Script("", "", "", ""), (), (), (), None, False)
        if query is None or query.script is None:
            if query is not None:
                help = "write {script: <one of the scripts>}"
                self._report.add(
                    Code.SPEC02, f"the query {name!r} has no 'script'", query.span, help=help
                )
            return nothing
        if not known(query.script, self._model.scripts, "the script", self._report):
            return nothing
        model = next(it for key, it in self._model.scripts.items() if key == query.script)
        for argument in model.arguments:
            if argument not in (*given, *_DERIVED):
                help = (
                    f"given here: {', '.join(given)}; made from them: {', '.join(sorted(_DERIVED))}"
                )
                message = f"the argument {str(argument)!r} is not given in the case {name!r}"
                self._report.add(Code.LUA03, message, argument.span, help=help)
        return ir.ScriptCall(
            script=self._scripts[str(query.script)],
            keys=tuple(self._declared(key) for key in model.keys),
            optional_keys=tuple(self._declared(key) for key in model.optional_keys),
            attributes=tuple(
                str(it) for it in model.arguments if it not in {"prefix", "limit", "value"}
            ),
            prefix=self._prefix(str(query.script), given) if "prefix" in model.arguments else None,
            limited="limit" in model.arguments,
        )

    def _prefix(self, script: str, given: tuple[str, ...]) -> ir.KeyTemplate:
        """The record's key up to the first part that only the script knows."""
        parts: list[ir.KeyPart] = []
        for part in self._keys["record"].parts if "record" in self._keys else ():
            if part.value and part.value not in given:
                break
            parts.append(part)
        doc = "How the keys of the records begin that the script chooses from."
        template = _function(f"{script}_prefix", tuple(parts), doc)
        self.used.add(template)
        return template

    def _declared(self, name: Text) -> ir.KeyTemplate:
        if not known(name, self._keys, "the key", self._report):
            return self._none()
        template = self._keys[str(name)]
        self.used.add(template)
        return template

    def _none(self) -> ir.KeyTemplate:
        return ir.KeyTemplate("", (), (), "")

    def _query(self, name: str) -> RedisQueryModel | None:
        query = next((it for key, it in self._model.queries.items() if key == name), None)
        if query is None:
            place: Span = self._model.span
            help = f"add '{name}: ...' under queries"
            self._report.add(Code.SPEC02, f"no query answers the case {name!r}", place, help=help)
        return query
