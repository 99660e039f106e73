"""A MongoDB backend: its indexes, its queries, and whether every query has an index to go by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .. import ir
from ..model import IndexModel, MongoBackendModel, MongoQueryModel
from ..nodes import Text, place_of
from ..problems import Code, Report, Span, closest, suggest
from ..resolve.generations import check_steps
from ..resolve.names import known, python_name, sensible

# What the runtime makes of a given value, or has of its own: name -> the value, what makes it.
_MADE = {
    "partition_or_null": ("partition_key", "or_null"),
    "partitions": ("partition_key", "either"),
    "created_at_iso": ("created_at", "iso"),
    "server_order": ("", "SERVER_ORDER"),
    "key_digest": ("key_digest", ""),
}
_INSERT, _CONFLICTING = "save.insert", "save.conflicting"
# What a query says of a list, which is also the session's method that answers it.
_LISTS = {"newest_of": "newest", "distinct": "distinct"}
_VERBS = ("insert", "find")
_UNUSED_HELP = "without it the answer could be another tenant's, application's or step's"
_NOTHING = ir.Find("", (), (), ())


def resolve(model: MongoBackendModel, interface: ir.Interface, report: Report) -> ir.MongoParts:
    return _Resolver(model, interface, report).parts()


class _Resolver:
    def __init__(self, model: MongoBackendModel, interface: ir.Interface, report: Report) -> None:
        self._model, self._interface, self._report = model, interface, report
        self._cases = {
            f"{operation.name}.{case.name}": case
            for operation in interface.operations.values()
            for case in operation.cases
        }
        self._given = {value for case in self._cases.values() for value in case.given}
        self._used: set[Text] = set()
        self._misspelt: set[str | None] = set()
        self._sound = True
        """Only then is it worth saying which index serves which query."""

    def parts(self) -> ir.MongoParts:
        before = len(self._report.problems)
        self._check_format()
        self._check_layouts()
        indexes = tuple(self._index(name, it) for name, it in self._model.indexes.items())
        self._sound = len(self._report.problems) == before
        self._refuse_unknown()
        insert = self._insert()
        conflicting = self._find(_CONFLICTING)
        load = tuple(
            ir.FindCase(case, self._find(f"load.{case.name}"))
            for case in self._interface.operations["load"].cases
        )
        lists = tuple(self._list(it) for it in self._interface.listings)
        migrations = self._migrations()
        if len(self._report.problems) == before:
            self._refuse_unused()
        if len(self._report.problems) == before:
            self._refuse_unmade()
        return ir.MongoParts(
            generation=self._model.stored.generation,
            indexes=indexes,
            migrations=migrations,
            insert=insert,
            conflicting=conflicting,
            load=load,
            lists=lists,
        )

    def _check_layouts(self) -> None:
        for name, layout in self._model.layouts.items():
            python_name(name, "the layout", self._report)
            sensible(layout.doc, "the doc", self._report)

    def _check_format(self) -> None:
        stored = self._model.stored
        if tuple(stored.unique) != self._interface.key:
            self._report.add(
                Code.KEY01,
                f"the unique key [{', '.join(stored.unique)}] differs from the record's key",
                place_of(stored.unique, stored.span),
                help=f"write unique: [{', '.join(self._interface.key)}], as "
                f"{self._interface.source} says; with fewer parts one record would take another's "
                "place",
            )
        for field in (*(it.name for it in self._interface.fields), "codec"):
            if field not in stored.fields:
                self._report.add(
                    Code.DOC01,
                    f"the documents have no field for {field!r}, which the record declares",
                    place_of(stored.fields, stored.span),
                    help=f"add '{field}: <BSON type>' under stored.fields",
                )
        if not any(it.unique for it in self._model.indexes.values()):
            message = f"no unique index is on [{', '.join(stored.unique)}]"
            help = "add one under indexes with 'unique: true'; without it two writers both win"
            place = place_of(self._model.indexes, self._model.span)
            self._report.add(Code.KEY01, message, place, help=help)

    def _migrations(self) -> tuple[ir.IndexMigration, ...]:
        stored, indexes = self._model.stored, self._model.indexes
        check_steps(stored.generation, stored.migrations, stored.span, self._report)
        made: set[Text] = set()
        for migration in stored.migrations:
            for name in migration.run:
                if known(name, indexes, "the index", self._report) and name in made:
                    message = f"the index {str(name)!r} is made by two migrations"
                    help = "leave it to the first one"
                    self._report.add(Code.DOC06, message, name.span, help=help)
                made.add(name)
        return tuple(
            ir.IndexMigration(it.to, " ".join(it.doc.split()), tuple(map(str, it.run)))
            for it in stored.migrations
        )

    def _refuse_unmade(self) -> None:
        made = {name for migration in self._model.stored.migrations for name in migration.run}
        for name in self._model.indexes:
            if name not in made:
                message = f"no migration makes the index {str(name)!r}"
                help = "raise stored.generation, and write it under run of the migration to that"
                self._report.add(Code.DOC06, message, name.span, help=help)

    def _index(self, name: Text, model: IndexModel) -> ir.Index:
        python_name(name, "the index", self._report)
        self._directions(model.keys)
        self._fields([*model.keys, *([model.without] if model.without is not None else [])])
        whole = set(model.keys) == set(self._interface.key) and model.without is None
        if model.unique and not whole:
            message = f"the unique index {str(name)!r} is not on the key of all records"
            help = f"its keys are [{', '.join(self._interface.key)}], or it is not unique"
            self._report.add(Code.KEY01, message, place_of(model.keys, model.span), help=help)
        return ir.Index(
            name=str(name),
            keys=_pairs(model.keys),
            unique=model.unique,
            without=None if model.without is None else str(model.without),
        )

    def _refuse_unknown(self) -> None:
        for name in self._model.queries:
            if name not in self._cases:
                self._misspelt.add(closest(name, self._cases))
                message = f"the query {str(name)!r} answers no case"
                help = suggest(name, self._cases)
                self._report.add(Code.SPEC01, message, name.span, help=help)

    def _query(self, name: str, verb: str) -> tuple[Text, MongoQueryModel] | None:
        """The query of a case, if it says the verb that can answer it."""
        found = next((it for it in self._model.queries.items() if it[0] == name), None)
        help = f"{{{verb}: ...}}; it is given {', '.join(self._cases[name].given)}"
        if found is None:
            if name not in self._misspelt:
                place = place_of(self._model.queries, self._model.span)
                message = f"no query answers the case {name!r}"
                self._report.add(
                    Code.SPEC02, message, place, help=f"add '{name}: ...' under queries, as {help}"
                )
            return None
        written = [it for it in _VERBS if getattr(found[1], it) is not None]
        if written == [verb]:
            return found
        message = f"the query {name!r} says {' and '.join(written) or 'nothing'}, not {verb!r}"
        self._report.add(Code.SPEC02, message, found[1].span, help=f"write {help}")
        return None

    def _insert(self) -> tuple[ir.Term, ...]:
        found = self._query(_INSERT, "insert")
        if found is None:
            return ()
        name, query = found
        written = query.insert or {}
        before = len(self._report.problems)
        terms = self._terms(str(name), dict(written))
        for field in self._model.stored.fields:
            if field not in written:
                message = f"{str(name)!r} does not write the field {str(field)!r}"
                help = f"add '{field}: :...' to it, or remove the field under stored.fields"
                self._report.add(Code.DOC01, message, place_of(written, query.span), help=help)
        if len(self._report.problems) == before:
            self._check_all_used(name, terms, ())
        return terms

    def _find(self, case: str) -> ir.Find:
        found = self._query(case, "find")
        if found is None:
            return _NOTHING
        name, query = found
        before = len(self._report.problems)
        self._directions(query.sort)
        self._fields(query.sort)
        filter = self._terms(case, query.find or {})
        foreign: tuple[ir.Term, ...] = ()
        if query.or_foreign is not None:
            self._directions(query.or_foreign.sort)
            self._fields(query.or_foreign.sort)
            foreign = self._terms(case, query.or_foreign.find)
        more = [query.limit] if query.limit is not None else []
        limit = tuple(self._value(case, it)[0] for it in more)
        listed = [it for it in (query.newest_of, query.distinct) if it is not None]
        self._fields(listed)
        if len(self._report.problems) == before:
            self._check_all_used(name, filter, limit)
            self._check_grouping(name, query)
        if self._sound and len(self._report.problems) == before:
            self._check_served(name, query)
            self._check_foreign(name, query)
        return ir.Find(
            constant=f"_{case.replace('.', '_').upper()}",
            filter=filter,
            sort=_pairs(query.sort),
            fields=tuple(map(str, listed)) or self._cases[case].answers,
            foreign_filter=foreign,
            foreign_sort=() if query.or_foreign is None else _pairs(query.or_foreign.sort),
        )

    def _list(self, listing: ir.Listing) -> ir.MongoListing:
        name = f"{listing.operation.name}.{listing.case.name}"
        query = next((it for key, it in self._model.queries.items() if key == name), None)
        method = next((it for verb, it in _LISTS.items() if query and getattr(query, verb)), "")
        return ir.MongoListing(listing, method, self._find(name))

    def _terms(self, case: str, written: Mapping[Text, Text | None]) -> tuple[ir.Term, ...]:
        self._fields(written)
        terms = []
        for field, text in written.items():
            value, made_by = ("", "") if text is None else self._value(case, text)
            terms.append(ir.Term(str(field), value, made_by))
        return tuple(terms)

    def _value(self, case: str, text: Text) -> tuple[str, str]:
        """A given value, or what makes one of it."""
        given = self._cases[case].given
        of_record = ("key_digest",) if case == _INSERT else ()
        made = {name: it for name, it in _MADE.items() if it[0] in (*given, *of_record, "")}
        if not text.startswith(":"):
            message = f"{str(text)!r} is no value that a query can have"
            help = "write :name for a value that the case is given; null is the only constant"
            self._report.add(Code.DOC02, message, text.span, help=help)
            return "", ""
        name = str(text)[1:]
        if name in given:
            return name, ""
        if name in made:
            return made[name]
        if name in self._given or name in _MADE:
            message = f"{text} is not given in the case {case!r}"
            help = f"given here: {', '.join(given)}"
        else:
            message = f"unknown parameter {text}"
            help = suggest(Text(name, text.span), [*given, *made], "given here")
        self._report.add(Code.DOC02, message, text.span, help=help)
        return "", ""

    def _check_all_used(
        self, name: Text, terms: tuple[ir.Term, ...], more: tuple[str, ...]
    ) -> None:
        used = {*more, *(it.value for it in terms)}
        for value in self._cases[str(name)].given:
            if value not in used:
                message = f"{str(name)!r} does not use :{value}"
                help = _UNUSED_HELP
                if value == "limit":
                    help = "write limit: :limit; without it everything is answered"
                self._report.add(Code.DOC04, message, name.span, help=help)

    def _check_grouping(self, name: Text, query: MongoQueryModel) -> None:
        """A list needs to know what it lists, and the others answer one document."""
        names = (f"{it.operation.name}.{it.case.name}" for it in self._interface.listings)
        lists = str(name) in names
        said = [it for it in _LISTS if getattr(query, it) is not None]
        if len(said) != lists:
            verbs = " or ".join(map(repr, said or _LISTS))
            message = f"the query {str(name)!r} {'needs one of' if lists else 'cannot say'} {verbs}"
            help = "a list says which field of the documents it lists; no other query does"
            self._report.add(Code.SPEC02, message, query.span, help=help)
        elif lists:
            field: Text = getattr(query, said[0])
            if (str(field),) != self._cases[name].answers:
                message = f"the query {str(name)!r} answers {field}"
                help = f"the case needs {said[0]}: {', '.join(self._cases[name].answers)}"
                self._report.add(Code.SPEC02, message, field.span, help=help)
        needs_both = query.newest_of is not None
        if lists and not (query.sort and bool(query.or_foreign) == needs_both):
            message = f"the query {str(name)!r} lacks its order, or 'or_foreign'"
            help = "write sort: {...}, and or_foreign: {find: ..., sort: ...}"
            if not needs_both:
                message = f"the query {str(name)!r} lacks its order, or has 'or_foreign'"
                help = "write sort: {...}; values that are distinct are those of all documents"
            self._report.add(Code.SPEC02, message, query.span, help=help)

    def _check_served(self, name: Text, query: MongoQueryModel) -> None:
        """An index begins with the filter's fields and goes on with the order."""
        filter, sort = list(query.find or {}), _pairs(query.sort)
        place = place_of(query.find or {}, query.span)
        if query.distinct is not None and sort != ((str(query.distinct), 1),):
            message = f"the query {str(name)!r} lists the values of a field in another order"
            help = f"write sort: {{{query.distinct}: 1}}"
            self._report.add(Code.SPEC02, message, place_of(query.sort, query.span), help=help)
        if query.newest_of is None:
            self._serve(name, filter, sort, place)
            return
        group = (str(query.newest_of), 1)
        self._serve(name, filter, (*sort, group), place)
        self._serve(name, filter, (group, *sort), place)

    def _check_foreign(self, name: Text, query: MongoQueryModel) -> None:
        foreign = query.or_foreign
        if foreign is None:
            return
        constants = [field for field, value in foreign.find.items() if value is None]
        if [*map(str, constants)] != [*map(str, query.sort)]:
            message = f"{str(name)!r} does not tell the other library's documents apart"
            help = f"write {', '.join(query.sort) or '<field>'}: null in its find"
            self._report.add(Code.DOC03, message, place_of(foreign.find, foreign.span), help=help)
            return
        fields = [field for field in foreign.find if field not in constants]
        place = place_of(foreign.find, foreign.span)
        self._serve(name, fields, _pairs(foreign.sort), place, str(constants[0]))

    def _serve(
        self,
        name: Text,
        filter: list[Text],
        sort: tuple[tuple[str, int], ...],
        place: Span,
        without: str | None = None,
    ) -> None:
        for index_name, index in self._model.indexes.items():
            keys = _pairs(index.keys)
            lacks = None if index.without is None else str(index.without)
            first, then = keys[: len(filter)], keys[len(filter) : len(filter) + len(sort)]
            begins = {it for it, _ in first} == set(map(str, filter)) and lacks == without
            if begins and then in (sort, tuple((it, -way) for it, way in sort)):
                self._used.add(index_name)
                return
        wanted = ", ".join([*(f"{it}: 1" for it in filter), *(f"{it}: {way}" for it, way in sort)])
        rest = f", without: {without}" if without else ""
        message = f"no index serves {str(name)!r}: it would read every document"
        help = f"add an index with keys: {{{wanted}}}{rest}"
        self._report.add(Code.DOC03, message, place, help=help)

    def _refuse_unused(self) -> None:
        for name, index in self._model.indexes.items():
            if name not in self._used and not index.unique:
                message = f"no query needs the index {str(name)!r}"
                help = "remove it: every save has to write it"
                self._report.add(Code.DOC05, message, name.span, help=help)

    def _fields(self, names: Iterable[Text]) -> None:
        for name in names:
            known(name, self._model.stored.fields, "the field", self._report)

    def _directions(self, keys: Mapping[Text, int]) -> None:
        for name, way in keys.items():
            if way not in (1, -1):
                message = f"the direction of {str(name)!r} cannot be {way}"
                help = "write 1 for upwards or -1 for downwards"
                self._report.add(Code.SPEC09, message, place_of(way, name.span), help=help)


def _pairs(keys: Mapping[Text, int]) -> tuple[tuple[str, int], ...]:
    return tuple((str(name), int(way)) for name, way in keys.items())
