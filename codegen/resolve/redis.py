"""A Redis backend: its key templates, its scripts and which of them answers which case."""

from __future__ import annotations

from collections.abc import Iterable

from .. import ir
from ..model import RedisBackendModel, RedisQueryModel, RedisStoredModel, ScriptModel
from ..nodes import Text, place_of
from ..problems import Code, Report, closest, suggest
from ..resolve import lua, redis_keys, redis_migrations
from ..resolve.names import in_range, known, sensible

# What an argument of a script may be beside the values of its case.
_LAST = ("prefix", "limit", "registered", "value")
_DERIVED = {"sequence", "created_at_iso", *_LAST}
_SAVE = "save.insert"
_VERBS = ("script", "get", "newest_of", "registered_in", "scanned_for")
# How a list is answered, by whether it is one partition's: the verbs, each with its template.
_LISTS = {
    True: {"newest_of": "redis/_newest.py.jinja", "script": "redis/_by_time.py.jinja"},
    False: {
        "registered_in": "redis/_partitions.py.jinja",
        "scanned_for": "redis/_scanned.py.jinja",
    },
}
# The module of the runtime for each way to store a record.
_PACKINGS = {"packed_1": "packed", "hash_1": "hashed"}


def asked(interface: ir.Interface) -> list[str]:
    """The cases that a query answers; the script of a save answers what it met by itself."""
    load = [f"load.{case.name}" for case in interface.operations["load"].cases]
    lists = [f"{it.operation.name}.{it.case.name}" for it in interface.listings]
    return [_SAVE, *load, *lists]


def resolve(model: RedisBackendModel, interface: ir.Interface, report: Report) -> ir.RedisParts:
    _check_stored(model.stored, report)
    slot, keys = redis_keys.resolve(model, interface, report)
    before = len(report.problems)
    scripts = {str(name): _script(name, it, report) for name, it in model.scripts.items()}
    resolver = _Queries(model, keys, scripts, report)
    resolver.checks_scripts = len(report.problems) == before
    mark = resolver.mark()
    resolver.refuse_unknown(interface)
    load = tuple(resolver.load(case) for case in interface.operations["load"].cases)
    save = resolver.script_call(_SAVE, interface.operations["save"].cases[0].given)
    lists = tuple(resolver.list(it) for it in interface.listings)
    register = resolver.register()
    migrations = redis_migrations.resolve(model, report)
    if len(report.problems) == before:
        resolver.refuse_unused()
    used = {key.name for key in resolver.used}
    return ir.RedisParts(
        generation=model.stored.generation,
        mark=mark,
        migrations=migrations,
        packing=_PACKINGS[model.stored.record],
        largest_sequence_id=model.stored.largest_sequence_id,
        is_shared=model.stored.made_by is not None,
        slot=slot,
        keys=tuple(key for key in resolver.used_in_order(keys.values()) if key.name in used),
        scripts=tuple(scripts.values()),
        save=save,
        load=load,
        lists=lists,
        record=keys.get("record", slot),
        register=register,
        scanned=resolver.scanned,
    )


def _check_stored(model: RedisStoredModel, report: Report) -> None:
    """What another library made has no key of ours, and a record that says whose it is."""
    if model.largest_sequence_id is not None:
        in_range(model.largest_sequence_id, "the largest sequence id", model.span, report)
    if model.made_by is None:
        if model.marked_in is None:
            help = "add 'marked_in: ...', the key that holds the generation"
            report.add(Code.SCH02, "the stored format lacks 'marked_in'", model.span, help=help)
        return
    sensible(model.made_by, "the library", report)
    if model.marked_in is not None:
        message = "a layout of another library has no key that holds a generation of ours"
        report.add(Code.SPEC09, message, model.marked_in.span, help="remove it, or made_by")
    if _PACKINGS[model.record] != "hashed":
        message = "two records may have one key in this layout, and this record names no key"
        help = "write record: hash_1; its fields say whose it is"
        report.add(Code.KEY04, message, place_of(model.record, model.span), help=help)


def _script(name: Text, model: ScriptModel, report: Report) -> ir.Script:
    keys = [*model.keys, *model.optional_keys]
    return lua.script(name, keys, model.arguments, model.doc, model.text, report)


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
        self.scanned: ir.KeyTemplate | None = None

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
        verbs = _LISTS[of_one]
        template = next(iter(verbs.values()))
        key = ir.KeyTemplate("", (), (), "")
        if not of_one and listing.case.answers != ("partition_key",):
            self._refuse_list(name, listing)
            return ir.RedisListing(listing, template, key)
        query = self._query(name, *verbs)
        if query is not None and query.newest_of is not None:
            key = self._declared(query.newest_of, given)
        elif query is not None and query.script is not None:
            call = self.script_call(name, given, "script", *verbs)
            return ir.RedisListing(listing, verbs["script"], key, call)
        elif query is not None and query.registered_in is not None:
            key = self._declared(query.registered_in, given)
            self._check_register(name, query, key)
        elif query is not None and query.scanned_for is not None:
            template = verbs["scanned_for"]
            key = self.scanned = self._declared(query.scanned_for, ("partition_key",))
        return ir.RedisListing(listing, template, key)

    def mark(self) -> ir.KeyTemplate | None:
        """The key that holds the generation: one for a namespace, so it is made of no value."""
        name = self._model.stored.marked_in
        if name is None:
            return None
        found = self._declared(name, tuple(redis_keys.TYPES))
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

    def script_call(self, name: str, given: tuple[str, ...], *verbs: str) -> ir.ScriptCall:
        query = self._query(name, *(verbs or ("script",)))
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
        template = redis_keys.function(f"{script}_prefix", tuple(parts), doc)
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
            if value in redis_keys.TYPES and value not in given:
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
