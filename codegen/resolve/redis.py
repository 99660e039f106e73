"""A Redis backend: its key templates, its scripts and which of them answers which case."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .. import ir
from ..model import RedisBackendModel, RedisQueryModel, ScriptModel
from ..nodes import Text, place_of
from ..problems import Code, Report, closest, suggest
from ..resolve.generations import KEEP
from ..resolve.names import known, python_name

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
_LAST = ("prefix", "limit", "registered", "value")
_DERIVED = {"sequence", *_LAST}
_SAVE = "save.insert"
_VERBS = ("script", "get", "newest_of", "registered_in")
# How a list is answered, by whether it is one partition's.
_LISTS = {
    True: ("newest_of", "redis/_newest.py.jinja"),
    False: ("registered_in", "redis/_partitions.py.jinja"),
}
# What the slot, and what the keys behind it, are made of.
_SLOT = ("namespace", "partition_key")
_KEY = ("app_id", "sequence_id", "position")
_LUA_WORD = re.compile(
    "and|break|do|else|elseif|end|false|for|function|goto|if|in|local|nil|not|or|repeat|return|"
    "then|true|until|while"
)


def asked(interface: ir.Interface) -> list[str]:
    """The cases that a query answers; the script of a save answers what it met by itself."""
    load = [f"load.{case.name}" for case in interface.operations["load"].cases]
    lists = [f"{it.operation.name}.{it.case.name}" for it in interface.listings]
    return [_SAVE, *load, *lists]


def resolve(model: RedisBackendModel, interface: ir.Interface, report: Report) -> ir.RedisParts:
    if model.stored.generation > 1:
        message = f"nothing brings keys that are stored to generation {model.stored.generation}"
        help = f"write 1 and {KEEP}"
        place = place_of(model.stored.generation, model.stored.span)
        report.add(Code.SPEC09, message, place, help=help)
    before = len(report.problems)
    slot = _template(
        Text("slot", model.slot.span), model.slot, _SLOT, "What the keys begin with.", report
    )
    keys = {
        str(name): _template(name, key.template, _KEY, str(key.doc), report)
        for name, key in model.keys.items()
    }
    if len(report.problems) == before:  # a part that is misspelt is not left out as well
        _check_slot(model.slot, slot, report)
        _check_record_key(model, keys, interface, report)
    if len(report.problems) == before:
        _check_meeting(model, keys, report)
    before = len(report.problems)
    scripts = {str(name): _script(name, script, report) for name, script in model.scripts.items()}
    resolver = _Queries(model, keys, scripts, report)
    resolver.checks_scripts = len(report.problems) == before
    mark = resolver.mark()
    resolver.refuse_unknown(interface)
    load = tuple(resolver.load(case) for case in interface.operations["load"].cases)
    save = resolver.script_call(_SAVE, interface.operations["save"].cases[0].given)
    lists = tuple(resolver.list(it) for it in interface.listings)
    register = resolver.register()
    if len(report.problems) == before:
        resolver.refuse_unused()
    used = {key.name for key in resolver.used}
    return ir.RedisParts(
        generation=model.stored.generation,
        mark=mark,
        slot=slot,
        keys=tuple(key for key in resolver.used_in_order(keys.values()) if key.name in used),
        scripts=tuple(scripts.values()),
        save=save,
        load=load,
        lists=lists,
        record=keys.get("record", slot),
        register=register,
    )


def _template(
    name: Text, template: Text, values: tuple[str, ...], doc: str, report: Report
) -> ir.KeyTemplate:
    if not template:
        help = "write the name of the key; two keys may not have the same"
        report.add(Code.KEY03, "the key template is empty", template.span, help=help)
    parts: list[ir.KeyPart] = []
    end = 0
    for match in _PLACEHOLDER.finditer(template):
        between = template[end : match.start()]
        if between:
            parts.append(ir.KeyPart(text=between))
        if end and ":" not in between:
            report.add(
                Code.KEY04,
                f"no ':' separates {match[0]} from the value before it",
                template.at(match.start(), len(match[0])),
                help="put a ':' between them; no value holds one, since values are escaped",
            )
        parts.append(_placeholder(template, match, values, report))
        end = match.end()
    if end < len(template):
        parts.append(ir.KeyPart(text=template[end:]))
    blank = _PLACEHOLDER.sub(lambda match: "_" * len(match[0]), template)
    stray = re.search(r"[^A-Za-z0-9_:.-]", blank)
    if stray:
        place = template.at(stray.start())
        help = "write {name} for a value; beside them letters, digits, '_', '.', '-' and ':'"
        report.add(Code.KEY03, f"a stray {stray[0]!r} in a key template", place, help=help)
    return _function(python_name(name, "the key", report), tuple(parts), doc)


def _function(name: str, parts: tuple[ir.KeyPart, ...], doc: str) -> ir.KeyTemplate:
    values = dict.fromkeys(part.value for part in parts if part.value)
    parameters = tuple(ir.Parameter(value, _TYPES.get(value, "str"), "") for value in values)
    return ir.KeyTemplate(name, parameters, parts, doc)


def _placeholder(
    template: Text, match: re.Match[str], values: tuple[str, ...], report: Report
) -> ir.KeyPart:
    name, form = match["name"], match["form"]
    place = template.at(match.start(), len(match[0]))
    if name not in values:
        help = suggest(name, values)
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


def _script(name: Text, model: ScriptModel, report: Report) -> ir.Script:
    """The script with its keys and arguments as locals, so that it needs no KEYS[3]."""
    keys = [*model.keys, *model.optional_keys]
    code = re.sub(r"--[^\n]*", "", model.text)
    by_number = re.search(r"\b(KEYS|ARGV)\b", model.text)
    seen: set[str] = set()
    for variable in [*keys, *model.arguments]:
        if variable in seen:
            message = f"the script has {str(variable)!r} already; the second would hide the first"
            report.add(Code.SPEC04, message, variable.span, help="rename one of them")
        elif _LUA_WORD.fullmatch(variable) or not variable.isidentifier():
            message = f"{str(variable)!r} is no name in Lua"
            help = "use letters, digits and underscores, and no word of Lua's own"
            report.add(Code.SPEC04, message, variable.span, help=help)
        elif not by_number and not re.search(rf"\b{variable}\b", code):
            report.add(
                Code.LUA01,
                f"{str(variable)!r} is declared but the script never uses it",
                variable.span,
                help="remove it here, or use it in the text",
            )
        seen.add(variable)
    for match in re.finditer(r"\b(KEYS|ARGV)\b", model.text):
        report.add(
            Code.LUA02,
            f"{match[0]} is used by number",
            model.text.at(match.start(), len(match[0])),
            help="name it under keys or arguments above; it is then a local of the script",
        )
    lines = [_locals(keys, "KEYS"), _locals(model.arguments, "ARGV"), str(model.text).rstrip()]
    constant = f"_{python_name(name, 'the script', report).upper()}"
    return ir.Script(constant, str(name), str(model.doc), "\n".join([*filter(None, lines), ""]))


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
        self.checks_scripts = True
        """Not for arguments that are wrong in themselves."""
        self._misspelt: set[str | None] = set()
        self._register: ir.Register | None = None

    def used_in_order(self, keys: Iterable[ir.KeyTemplate]) -> list[ir.KeyTemplate]:
        return [*keys, *sorted(self.used - set(keys), key=lambda key: key.name)]

    def refuse_unknown(self, interface: ir.Interface) -> None:
        cases = asked(interface)
        for name in self._model.queries:
            if name not in cases:
                self._misspelt.add(closest(name, cases))
                message = f"the query {str(name)!r} answers no case"
                self._report.add(Code.SPEC01, message, name.span, help=suggest(name, cases))

    def refuse_unused(self) -> None:
        scripts = {query.script for query in self._model.queries.values()}
        for name in self._model.scripts:
            if name not in scripts:
                message = f"no query uses the script {str(name)!r}"
                help = "remove it, or name it in a query"
                self._report.add(Code.LUA01, message, name.span, help=help)

    def load(self, case: ir.Case) -> ir.RedisLoad:
        name = f"load.{case.name}"
        query = self._query(name, "script", "get")
        if query is not None and query.script is not None:
            return ir.RedisLoad(case, self.script_call(name, case.given), None)
        if query is not None and query.get is not None:
            return ir.RedisLoad(case, None, self._declared(query.get, case.given))
        return ir.RedisLoad(case, None, None)

    def list(self, listing: ir.Listing) -> ir.RedisListing:
        name, given = f"{listing.operation.name}.{listing.case.name}", listing.case.given
        of_one = "partition_key" in given
        verb, template = _LISTS[of_one]
        key = ir.KeyTemplate("", (), (), "")
        if not of_one and listing.case.answers != ("partition_key",):
            self._refuse_list(name, listing)
            return ir.RedisListing(listing, template, key)
        query = self._query(name, verb)
        if query is not None and query.newest_of is not None:
            key = self._declared(query.newest_of, given)
        elif query is not None and query.registered_in is not None:
            key = self._declared(query.registered_in, given)
            self._check_register(name, query, key)
        return ir.RedisListing(listing, template, key)

    def mark(self) -> ir.KeyTemplate:
        """The key that holds the generation: one for a namespace, so it is made of no value."""
        name = self._model.stored.marked_in
        found = self._declared(name, tuple(_TYPES))
        if found.parameters:
            message = f"the key {str(name)!r} is made of {found.parameters[0].name}"
            help = "name a key without values: one holds the generation of a whole namespace"
            self._report.add(Code.KEY05, message, name.span, help=help)
        return found

    def _refuse_list(self, name: str, listing: ir.Listing) -> None:
        message = f"nothing can answer {name!r}: of all partitions only their names are listed"
        help = (
            "give it a partition_key, or write a way in codegen/resolve/redis.py and its template"
        )
        self._report.add(
            Code.SPEC02, message, place_of(self._model.queries, self._model.span), help=help
        )

    def _check_register(self, name: str, query: RedisQueryModel, key: ir.KeyTemplate) -> None:
        """What names the partitions is filled by every save, and says when one is empty."""
        if query.having is None:
            message = f"the query {name!r} does not say which partitions have a record"
            help = "add 'having: ...', the key that one has as long as it has a record"
            self._report.add(Code.SPEC02, message, query.span, help=help)
        having = key if query.having is None else self._declared(query.having, ("partition_key",))
        self._register = ir.Register(key, having)

    def register(self) -> ir.Register | None:
        """The set that names the partitions, if there is one; the save then fills it."""
        save = next((it for name, it in self._model.queries.items() if name == _SAVE), None)
        if save is None:
            return self._register
        said = "" if save.registers_in is None else str(save.registers_in)
        wanted = "" if self._register is None else self._register.named_in.name
        script = next((it for key, it in self._model.scripts.items() if key == save.script), None)
        if said != wanted:
            message = (
                f"the save names its partition in {said or 'no set'}, not in {wanted or 'one'}"
            )
            help = f"write {{script: ..., registers_in: {wanted}}}" if wanted else "remove it"
            place = place_of(save.registers_in, save.span)
            self._report.add(Code.SPEC02, message, place, help=help)
        elif script is not None and bool(said) != ("registered" in script.arguments):
            message = f"the script {str(save.script)!r} is not told whether its partition is named"
            help = "give it the argument 'registered' where the save says registers_in, only there"
            place = place_of(script.arguments, script.span)
            self._report.add(Code.LUA03, message, place, help=help)
        return self._register

    def script_call(self, name: str, given: tuple[str, ...]) -> ir.ScriptCall:
        query = self._query(name, "script")
        nothing = ir.ScriptCall(ir.Script("", "", "", ""), (), (), (), None, False)
        if query is None or query.script is None:
            return nothing
        if not known(query.script, self._model.scripts, "the script", self._report):
            return nothing
        model = next(it for key, it in self._model.scripts.items() if key == query.script)
        unknown = [it for it in model.arguments if it not in (*given, *_DERIVED)]
        if self.checks_scripts:
            for argument in unknown:
                help = (
                    f"given here: {', '.join(given)}; made from them: {', '.join(sorted(_DERIVED))}"
                )
                message = f"the argument {str(argument)!r} is not given in the case {name!r}"
                self._report.add(Code.LUA03, message, argument.span, help=help)
        if self.checks_scripts and not unknown:
            self._check_order(model)
        return ir.ScriptCall(
            script=self._scripts[str(query.script)],
            keys=tuple(self._declared(key, given) for key in model.keys),
            optional_keys=tuple(self._declared(key, given) for key in model.optional_keys),
            attributes=tuple(str(it) for it in model.arguments if it not in _LAST),
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

    def _check_order(self, model: ScriptModel) -> None:
        """What is not the operation's own is sent behind it: prefix, limit, registered, value."""
        last = [it for it in _LAST if it in model.arguments]
        wanted = [it for it in model.arguments if it not in last] + last
        moved = next(
            (it for it, right in zip(model.arguments, wanted, strict=True) if it != right), None
        )
        if moved is not None:
            message = f"the argument {str(moved)!r} is sent in another place"
            help = f"write arguments: [{', '.join(wanted)}]"
            self._report.add(Code.LUA04, message, moved.span, help=help)

    def _declared(self, name: Text, given: tuple[str, ...]) -> ir.KeyTemplate:
        if not known(name, self._keys, "the key", self._report):
            return ir.KeyTemplate("", (), (), "")
        template = self._keys[str(name)]
        for value in template.parameter_names:
            if value in _TYPES and value not in given:
                message = f"the key {str(name)!r} is made of {value}, which this case is not given"
                help = f"given here: {', '.join(given)}; let a script choose the record"
                self._report.add(Code.KEY05, message, name.span, help=help)
        self.used.add(template)
        return template

    def _query(self, name: str, *verbs: str) -> RedisQueryModel | None:
        """The query of a case, if it says one of the verbs that can answer it."""
        queries = self._model.queries
        query = next((it for key, it in queries.items() if key == name), None)
        help = " or ".join(f"{{{verb}: ...}}" for verb in verbs)
        if query is None and name not in self._misspelt:
            place = place_of(queries, self._model.span)
            message = f"no query answers the case {name!r}"
            help = f"add '{name}: ...' under queries, as {help}"
            self._report.add(Code.SPEC02, message, place, help=help)
        if query is None:
            return None
        written = [it for it in _VERBS if getattr(query, it) is not None]
        if len(written) == 1 and written[0] in verbs:
            return query
        found = " and ".join(written) or "nothing"
        message = f"the query {name!r} names {found}, not one way to answer it"
        self._report.add(Code.SPEC02, message, query.span, help=f"write {help}")
        return None
