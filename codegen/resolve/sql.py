"""A SQL backend: its queries checked against the cases and compiled for each driver."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .. import ir, sql_text
from ..model import DriverModel, SqlBackendModel, StepOfCreationModel
from ..nodes import Text, place_of
from ..problems import Code, Report, closest, suggest
from ..resolve import layouts
from ..resolve.connecting import check_begin
from ..resolve.generations import check_steps
from ..resolve.names import in_range, known, python_name, sensible

IS_INITIALIZED = "is_initialized"
INSERT = "save.insert"
# Of which generation the table is: the columns that it answers, the first always.
OPENING = "opening"
# Stands for the number of the generation, where that is written down.
NUMBER = "{generation}"
# Stands in the query OPENING for the columns: rows of a name and the first word of its type.
COLUMNS = "{columns}"
COLUMN_COUNT = "{column_count}"
_OPENING_ANSWERS = ("generation", "difference", "layout", layouts.LARGEST)
OF_EVERY_TABLE = {
    OPENING: "it selects the generation that the table is of, and answers nothing without a table;"
    " the family's needs the words 'schema' and 'mark'",
    IS_INITIALIZED: "it fails, or answers nothing, where a table is missing",
}
TABLE = "table"
_SUFFIX = re.compile(r"[A-Za-z0-9_]*")
_UNUSED_HELP = "without it the answer could be another tenant's, application's or step's"
_LIMIT_HELP = "without it everything is answered, however long the list is"
_TAKEN = {
    NUMBER: "is the number of the generation",
    COLUMNS: "stands for the columns and their types",
    COLUMN_COUNT: "stands for the number of columns",
}
# The functions of the runtime that quote.
_IDENTIFIERS = {"double_quotes": "quoted", "backticks": "backticked"}
_LITERALS = {
    "plain": "literal",
    "escape_string": "escape_literal",
    "doubled": "backslashed_literal",
}
# The functions of the runtime that read a text; None is the one that they take by themselves.
_READ = {"text": None, "bytes": "read_utf8"}


def check(model: SqlBackendModel, interface: ir.Interface, report: Report) -> None:
    """Everything that does not depend on a driver."""
    cases = {name: case for operation, case, name in _cases(interface)}
    every = {value for case in cases.values() for value in case.given}
    stored = model.stored
    _check_names(model, report)
    connection = (*model.connection.on_open, *model.connection.on_initialize)
    if model.connection.suits is not None:
        connection = (*connection, model.connection.suits.query)
        sensible(model.connection.suits.advice, "the advice", report)
    if stored.statement_bytes is not None:
        connection = (*connection, stored.statement_bytes)
    recording = _texts(model.record_generation)
    for text in (*_creating(model), *_derived(model), *recording, *connection):
        sensible(text, "the statement", report)
    for text in [*_creating(model), *_derived(model), *recording]:
        _check_text(text, model, report, () if text not in recording else (NUMBER[1:-1],))
        _check_binds("a statement that creates or rebuilds", text, (), every, report)
    check_steps(stored.generation, stored.migrations, stored.span, report)
    if not any(NUMBER in it for it in recording):
        message = f"record_generation writes {NUMBER} nowhere"
        help = "write it where the number is to stand; a newer version could not be told otherwise"
        place = place_of(model.record_generation, model.span)
        report.add(Code.SQL07, message, place, help=help)
    check_begin(model.begin, report)
    around = model.quoting.texts
    if around is not None and around.count("{value}") != 1:
        message = f"{str(around)!r} holds no single {{value}}"
        help = "write what stands around a text's parameter, like CONVERT({value} USING utf8mb4)"
        report.add(Code.SPEC09, message, around.span, help=help)
    for text in connection:
        # A statement on a new connection may name a value in braces: `connecting` looks at those.
        refused = ("bind",) if text in model.connection.on_open else ("bind", "splice")
        for part in sql_text.parts(text):
            if part.kind in refused:
                place = text.at(part.offset, len(part.text) + (1 if part.kind == "bind" else 2))
                message = "a statement for a connection knows no table and no values"
                help = "write it out; what belongs to the table is made under 'create'"
                report.add(Code.SQL02, message, place, help=help)

    def check_query(name: Text, sql: Text) -> bool:
        """A query of a case, as far as it can be judged by itself; whether its values are given."""
        case = cases[name]
        _check_answers(name, sql, case, report)
        if name == INSERT:
            _check_insert(sql, model, interface, report)
        return _check_binds(repr(str(name)), sql, case.given, every, report)

    for name, sql in model.queries.items():
        also = () if name in cases else (COLUMNS[1:-1], COLUMN_COUNT[1:-1])
        _check_text(sql, model, report, also)
        if not sql.strip():
            message = f"the query {str(name)!r} is empty"
            report.add(Code.SPEC02, message, sql.span, help="write a statement behind '|'")
        elif name in OF_EVERY_TABLE:
            _check_binds(repr(str(name)), sql, (), every, report)
            if name == OPENING:
                _check_opening(sql, model, report)
        elif name in cases:
            if check_query(name, sql):
                _check_unused(name, sql, cases[name], report)
        else:
            message = f"the query {str(name)!r} answers no case"
            help = suggest(name, [*OF_EVERY_TABLE, *cases])
            report.add(Code.SPEC01, message, name.span, help=help)
    for layout in model.layouts.values():
        for sql in layout.queries.values():
            _check_text(sql, model, report)
    layouts.check(model, cases, check_query, report)
    _check_columns(model, interface, report)
    misspelt = {closest(name, cases) for name in model.queries if name not in cases}
    misspelt |= {closest(name, OF_EVERY_TABLE) for name in model.queries if name not in cases}
    for case_name in (*OF_EVERY_TABLE, *cases):
        if case_name not in model.queries and case_name not in misspelt:
            asked = _asked(cases[case_name]) if case_name in cases else OF_EVERY_TABLE[case_name]
            report.add(
                Code.SPEC02,
                f"no query answers the case {case_name!r}",
                place_of(model.queries, model.span),
                help=f"add '{case_name}: ...' under queries; {asked}",
            )


def _asked(case: ir.Case) -> str:
    given = f"it is given {', '.join(case.given)}"
    return given if case.answers == ("count",) else f"{given} and selects {', '.join(case.answers)}"


def format_of(model: SqlBackendModel) -> ir.SqlFormat:
    """The table, and the statements that find it and make it: the same for every driver."""

    def raw(texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(_ended(sql_text.spliced(_numbered(text, model))) for text in texts)

    def creation(step: Text | StepOfCreationModel) -> ir.Creation:
        text, where = (step, "") if isinstance(step, Text) else (step.run, step.where)
        return ir.Creation(*raw((text, where)))

    derived = model.derived
    stored = model.stored
    opening, is_initialized = raw(_query(model, name) for name in (OPENING, IS_INITIALIZED))
    table = Text(_create_table(model), stored.span)
    return ir.SqlFormat(
        names=tuple(
            ir.TableName(
                str(name),
                str(it.suffix),
                it.schema,
                it.written != "identifier",
                it.written == "name",
                it.written == "schema",
            )
            for name, it in model.names.items()
        ),
        identifier_bytes=stored.identifier_bytes and int(stored.identifier_bytes),
        quoted=_IDENTIFIERS[model.quoting.identifiers],
        literal=_LITERALS[model.quoting.backslashes],
        begin=str(model.begin),
        generation=stored.generation,
        opening=opening,
        is_initialized=is_initialized,
        lock=tuple(map(creation, model.lock)),
        table=creation(table),
        create=tuple(map(creation, model.create)),
        record=tuple(map(creation, model.record_generation)),
        changes=tuple(
            ir.Change(it.to, " ".join(it.doc.split()), tuple(map(creation, it.run)))
            for it in stored.migrations
        ),
        stale=None if derived is None else raw((derived.stale,))[0],
        rebuild=() if derived is None else raw(derived.rebuild),
        widen=None
        if model.widen is None
        else ir.Widen(str(model.widen.doc), tuple(map(creation, (*model.lock, *model.widen.run)))),
        on_initialize=tuple(map(str, model.connection.on_initialize)),
    )


def parts(
    model: SqlBackendModel, form: ir.SqlFormat, driver: DriverModel, interface: ir.Interface
) -> ir.SqlParts:
    """The queries of the operations, as this driver gets them."""
    style = driver.parameter_style or "qmark"
    around = model.quoting.texts or "{value}"
    texts = {field.name: around for field in interface.fields if field.type != "int"}

    def compiled(name: str, sql: str) -> ir.Statement:
        text, binds = sql_text.compiled(sql, style, texts)
        return ir.Statement(name, _ended(text), binds)

    def statement(name: str) -> ir.Statement:
        return compiled(name, _query(model, name))

    longest = model.stored.statement_bytes
    return ir.SqlParts(
        format=form,
        doubles_percent=style == "format",
        on_open=tuple(map(str, model.connection.on_open)),
        statement_bytes=None if longest is None else _ended(sql_text.spliced(longest)),
        insert=statement(INSERT),
        conflicting=statement("save.conflicting"),
        load=tuple(
            ir.CaseStatement(case, statement(f"load.{case.name}"))
            for case in interface.operations["load"].cases
        ),
        lists=tuple(
            ir.ListingStatement(it, statement(f"{it.operation.name}.{it.case.name}"))
            for it in interface.listings
        ),
        no_limit=str(model.no_limit),
        reads=_READ[model.stored.texts],
        create_helper=str(driver.create_helper),
        layouts=tuple(
            ir.SqlLayout(
                str(name), tuple(compiled(str(it), sql) for it, sql in layout.queries.items())
            )
            for name, layout in model.layouts.items()
            if layout.queries
        ),
    )


def _numbered(text: str, model: SqlBackendModel) -> str:
    text = text.replace(NUMBER, str(model.stored.generation))
    text = text.replace(COLUMN_COUNT, str(len(model.stored.columns)))
    return text.replace(COLUMNS, _columns(model))


def _columns(model: SqlBackendModel) -> str:
    """As literals, in small letters: what catalogues call a type, BIGINT of BIGINT UNSIGNED."""
    types = {name: re.match(r"\w*", type_) for name, type_ in model.stored.columns.items()}
    return ", ".join(f"('{name}', '{it[0].lower()}')" for name, it in types.items() if it)


def _ended(text: str) -> str:
    """A text of several lines ends its last one, so that its closing quotes stand alone."""
    return f"{text}\n" if "\n" in text else text


def _query(model: SqlBackendModel, name: str) -> Text:
    return next(sql for known, sql in model.queries.items() if known == name)


def _create_table(model: SqlBackendModel) -> str:
    columns = [f"  {name} {type_}," for name, type_ in model.stored.columns.items()]
    kind = "UNIQUE" if model.stored.unique else "PRIMARY KEY"
    stored = model.stored
    keys = [f"  {kind} ({', '.join(stored.unique or stored.primary_key)})"]
    keys += [f"  INDEX {name} ({', '.join(parts)})" for name, parts in stored.indexes.items()]
    end = ")" if stored.options is None else f") {stored.options}"
    lines = ["CREATE TABLE IF NOT EXISTS {table} (", *columns, ",\n".join(keys) + end, ""]
    return "\n".join(lines)


def _cases(interface: ir.Interface) -> list[tuple[ir.Operation, ir.Case, str]]:
    return [
        (operation, case, f"{operation.name}.{case.name}")
        for operation in interface.operations.values()
        for case in operation.cases
    ]


def _creating(model: SqlBackendModel) -> list[Text]:
    migrating = [text for it in model.stored.migrations for text in _texts(it.run)]
    widening = () if model.widen is None else model.widen.run
    return [*model.lock, *migrating, *_texts((*model.create, *widening))]


def statements(model: SqlBackendModel) -> list[Text]:
    """All that may name what belongs to the table."""
    layouts_ = [text for it in model.layouts.values() for text in it.queries.values()]
    recording = _texts(model.record_generation)
    return [*_creating(model), *_derived(model), *recording, *model.queries.values(), *layouts_]


def _texts(steps: Iterable[Text | StepOfCreationModel]) -> list[Text]:
    """The statements of the steps, and the queries that say whether they are wanted."""
    pairs = [(it,) if isinstance(it, Text) else (it.where, it.run) for it in steps]
    return [text for pair in pairs for text in pair]


def _derived(model: SqlBackendModel) -> list[Text]:
    return [] if model.derived is None else [model.derived.stale, *model.derived.rebuild]


def _check_names(model: SqlBackendModel, report: Report) -> None:
    """The identifiers made from the table's name differ, and can be made."""
    found: dict[tuple[str, bool, str], Text] = {}
    for name, it in model.names.items():
        python_name(name, "the name", report)
        if not _SUFFIX.fullmatch(it.suffix):
            message = f"the suffix {str(it.suffix)!r} is no part of a plain identifier"
            help = "use letters, digits and underscores"
            report.add(Code.SPEC04, message, it.suffix.span, help=help)
        other = found.setdefault((str(it.suffix), it.schema, it.written), name)
        if other is not name:
            message = f"{{{name}}} is the same identifier as {{{other}}}"
            report.add(Code.SPEC04, message, it.suffix.span, help="give it another suffix")
        for taken, what in _TAKEN.items():
            if f"{{{name}}}" == taken:
                message = f"{taken} {what}"
                report.add(Code.SPEC04, message, name.span, help="give it another name")
    if not re.fullmatch(r"-?\d+|None", model.no_limit):
        message = f"{str(model.no_limit)!r} cannot be bound for the limit"
        help = "write the number or None that means no limit to the store"
        report.add(Code.SPEC09, message, model.no_limit.span, help=help)


def _check_columns(model: SqlBackendModel, interface: ir.Interface, report: Report) -> None:
    stored = model.stored
    primary = bool(stored.primary_key and not stored.unique)
    key, word = (stored.primary_key, "primary_key") if primary else (stored.unique, "unique")
    if stored.unique and stored.primary_key:
        message = "the table has two keys, unique and primary_key"
        help = "write one of them: it is the key that a second save meets"
        report.add(Code.KEY01, message, place_of(stored.primary_key, stored.span), help=help)
    if tuple(key) != interface.key:
        report.add(
            Code.KEY01,
            f"the unique key [{', '.join(key)}] differs from the record's key",
            place_of(key, stored.span),
            help=f"write {word}: [{', '.join(interface.key)}], as {interface.source} says; with "
            "fewer parts one record would take another's place",
        )
    if stored.identifier_bytes is not None:
        in_range(stored.identifier_bytes, "the length of an identifier", stored.span, report)
    for parts in stored.indexes.values():
        for part in parts:
            known(part, stored.columns, "the column", report)
    for field in interface.fields:
        if field.name not in stored.columns:
            report.add(
                Code.SQL03,
                f"the table has no column for {field.name!r}, which the record declares",
                place_of(stored.columns, stored.span),
                help=f"add '{field.name}: <SQL type>' under stored.columns",
            )


def _check_insert(
    insert: Text, model: SqlBackendModel, interface: ir.Interface, report: Report
) -> None:
    """Each field is written, and gets its own value."""
    stored = model.stored
    written, values = sql_text.inserted(insert)
    names = [it.text for it in written]
    filled_by_server = {"created_at"} if stored.created_at == "server" else set()
    for column in [field.name for field in interface.fields] + ["codec"]:
        if column not in names and column not in filled_by_server:
            place = insert.at(written[0].offset, len(written[0].text)) if written else insert.span
            report.add(
                Code.SQL03,
                f"save.insert does not write the column {column!r}",
                place,
                help=f"add {column} to the columns and :{column} to the values",
            )
    if values and len(values) != len(written):
        message = f"save.insert has {len(written)} columns, but {len(values)} values"
        place = insert.at(values[0].offset, len(values[0].text) + 1)
        help = "write a value for each column, in the same order"
        report.add(Code.SQL03, message, place, help=help)
    for column_part, value in zip(written, values, strict=False):
        if value.text in names and value.text != column_part.text and len(values) == len(written):
            message = f"the column {column_part.text!r} gets the value of {value.text!r}"
            place = insert.at(value.offset, len(value.text) + 1)
            help = f"write :{column_part.text} here; columns and values have the same order"
            report.add(Code.SQL03, message, place, help=help)
            break


def _check_text(
    sql: Text, model: SqlBackendModel, report: Report, also: tuple[str, ...] = ()
) -> None:
    """The text can be cut into what is bound, what is spliced and what stays as it is."""
    for part in sql_text.parts(sql):
        # Without {table} nothing goes; that is said once.
        if part.kind == "splice" and part.text not in (*model.names, *also, TABLE):
            place = sql.at(part.offset, len(part.text) + 2)
            help = suggest(part.text, model.names)
            report.add(Code.SQL06, f"unknown name {{{part.text}}}", place, help=help)
        elif part.kind == "foreign":
            report.add(
                Code.SQL04,
                f"{part.text} is not how a value is written here",
                sql.at(part.offset, len(part.text)),
                help="write :name; each driver's own style is chosen when generating",
            )
        elif part.kind == "open":
            place = sql.at(part.offset, len(part.text))
            report.add(Code.SQL08, f"nothing closes this {part.text}", place, help="close it")
        elif part.kind == "brace":
            help = "write {name} for an identifier; a brace of the text stands in quotes"
            report.add(Code.SQL06, f"a stray {part.text!r}", sql.at(part.offset), help=help)
    for part in sql_text.hidden(sql):
        if part.text.strip("{}") in model.names and part.text != NUMBER:
            message = f"{part.text} stands inside quotes, where nothing replaces it"
            help = "remove the quotes: identifiers are quoted when they are spliced"
            report.add(Code.SQL08, message, sql.at(part.offset, len(part.text)), help=help)


def _check_binds(
    name: str, sql: Text, given: tuple[str, ...], every: set[str], report: Report
) -> bool:
    """Whether each parameter is given; only then is it worth saying which are not used."""
    good = True
    for part in sql_text.parts(sql):
        if part.kind in ("foreign", "open"):
            good = False
        if part.kind != "bind" or part.text in given:
            continue
        good = False
        place = sql.at(part.offset, len(part.text) + 1)
        help = suggest(part.text, given, "given here")
        if part.text in every:
            message = f":{part.text} is not given in {name}"
            help = f"given here: {', '.join(given) or 'nothing'}"
            report.add(Code.SQL02, message, place, help=help)
        else:
            report.add(Code.SQL01, f"unknown parameter :{part.text}", place, help=help)
    for part in sql_text.hidden(sql):
        if part.text[1:] in given:
            good = False
            message = f"{part.text} stands inside quotes, where nothing is bound"
            place = sql.at(part.offset, len(part.text))
            help = "remove the quotes: a bound value needs none"
            report.add(Code.SQL08, message, place, help=help)
    return good


def _check_unused(name: Text, sql: Text, case: ir.Case, report: Report) -> None:
    used = {part.text for part in sql_text.parts(sql) if part.kind == "bind"}
    columns = {part.text for part in sql_text.inserted(sql)[0]}
    for value in case.given:
        # A column that is not written at all is told as such. Who writes created_at is the
        # store's choice; everything else decides the answer.
        told = bool(columns) and value not in columns
        if value not in used and value != "created_at" and not told:
            report.add(
                Code.SQL07,
                f"{str(name)!r} does not use :{value}",
                name.span,
                help=_LIMIT_HELP if value == "limit" else _UNUSED_HELP,
            )


def _check_answers(name: Text, sql: Text, case: ir.Case, report: Report) -> None:
    if case.answers == ("count",):
        return
    found, where = sql_text.selected(sql)
    if found != case.answers:
        report.add(
            Code.SQL05,
            f"{str(name)!r} answers {', '.join(found) or 'nothing'}",
            sql.at(where.offset, max(1, len(where.text))) if sql else sql.span,
            help=f"the case needs SELECT {', '.join(case.answers)}, in this order",
        )


def _check_opening(sql: Text, model: SqlBackendModel, report: Report) -> None:
    found, where = sql_text.selected(sql)
    wrong = f"{OPENING!r} answers {', '.join(found) or 'nothing'}"
    place = sql.at(where.offset, max(1, len(where.text))) if sql else sql.span
    first, *others = _OPENING_ANSWERS
    help = f"select {first}, and behind it, if the store needs it, {', '.join(others)}"
    if found == _OPENING_ANSWERS[: max(1, len(found))]:
        if (layouts.LARGEST in found) == (model.widen is not None):
            return
        wrong = f"{OPENING!r} answers {layouts.LARGEST}, but nothing lifts that limit"
        help = "add 'widen:' with its doc and what to run; or leave the column out"
        if model.widen is not None:
            wrong = f"{OPENING!r} does not answer {layouts.LARGEST}, which 'widen' lifts"
            help = f"select {', '.join(_OPENING_ANSWERS)}; or remove 'widen'"
    report.add(Code.SQL05, wrong, place, help=help)
