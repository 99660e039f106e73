"""What the YAML files say, as written: one dataclass a document, decoded but not yet checked.

The text below a field is shown with its key: in messages, and by editors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .decode import Value
from .nodes import Text
from .problems import Span

ParameterStyle = Literal["qmark", "format", "dollar"]
StepKind = Literal["search", "scan", "sort", "temporary", "write", "part"]

# Stands where a convention has the last word (`codegen/resolve/conventions.py`).
_LEFT_OUT = Text("", Span("", 1, 1))


# --- spec/interface.yaml ------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldModel:
    """a field of the record"""

    type: Text
    """its type, as Python"""
    doc: Text
    """what it holds"""


@dataclass(frozen=True)
class RecordModel:
    """the record"""

    name: Text
    """the name of the class"""
    doc: Text
    """its docstring"""
    fields: dict[Text, FieldModel]
    """what it holds, in order"""
    key: tuple[Text, ...]
    """the fields that name one record"""


@dataclass(frozen=True)
class AttributeModel:
    """an attribute of an error"""

    type: Text
    """its type, as Python"""
    default: Text
    """its default, as Python"""
    doc: Text
    """what it says to who catches the error"""


@dataclass(frozen=True)
class ErrorModel:
    """an error"""

    doc: Text
    """its docstring"""
    also: Text | None = None
    """the builtin exception that it is as well"""
    attributes: dict[Text, AttributeModel] = field(default_factory=dict)
    """what it carries beside its text"""


@dataclass(frozen=True)
class ParameterModel:
    """a parameter"""

    type: Text
    """its type, as Python"""
    doc: Text
    """what it is, for the docstring"""
    default: Text | None = None
    """its default, as Python: a text needs its own quotes"""
    keyword_only: bool = False
    """whether it can be given by name only"""
    variadic: bool = False
    """takes all other keyword arguments"""


@dataclass(frozen=True)
class OwnParameterModel:
    """a parameter of a backend or a driver: what it leaves out is as the interface has it"""

    span: Span
    type: Text | None = None
    """its type, as Python"""
    doc: Text | None = None
    """what it is, for the docstring"""
    default: Text | None = None
    """its default, as Python: a text needs its own quotes"""
    keyword_only: bool = False
    """whether it can be given by name only"""
    variadic: bool = False
    """takes all other keyword arguments"""


@dataclass(frozen=True)
class ReturnsModel:
    """a return value"""

    type: Text
    """its type, as Python"""
    doc: Text | None = None
    """what it is, for the docstring"""


@dataclass(frozen=True)
class CaseModel:
    """a case of an operation"""

    span: Span
    given: tuple[Text, ...]
    """the values that the case's query may bind"""
    answers: tuple[Text, ...] = field(metadata={"one": True})
    """`record`, `count` or the columns it gives"""


@dataclass(frozen=True)
class OperationModel:
    """an operation"""

    doc: Text
    """its docstring"""
    base: Literal["abstract", "optional", "refuses"]
    """what the base class does: nothing, leave it to each class, or refuse"""
    returns: ReturnsModel
    """what it answers"""
    parameters: dict[Text, ParameterModel] = field(default_factory=dict)
    """what it takes, in order"""
    raises: dict[Text, Text] = field(default_factory=dict)
    """which errors, and when"""
    cases: dict[Text, CaseModel] = field(default_factory=dict)
    """the questions that a backend answers for it, each with one query"""


@dataclass(frozen=True)
class BaseModel:
    """a base class"""

    doc: Text
    """its docstring"""
    operations: tuple[Text, ...]
    """what it declares; each operation is in one base class"""


@dataclass(frozen=True)
class InterfaceModel:
    """the interface"""

    span: Span
    interface: Text
    """the name of the package"""
    version: int
    """raised with each change that breaks callers"""
    record: RecordModel
    """what is stored and loaded"""
    errors: dict[Text, ErrorModel]
    """what a caller may have to catch; the first is the base of all"""
    parameters: dict[Text, ParameterModel]
    """parameters that the classes of several stores share"""
    options: dict[Text, ParameterModel]
    """what every constructor takes beyond its own, keyword-only"""
    interfaces: dict[Text, BaseModel]
    """the base classes"""
    operations: dict[Text, OperationModel]
    """what a persister does, and the questions that a store answers for it"""
    members: dict[Text, Text]
    """the docstrings of what every class has beside the operations"""


# --- spec/backends/*.yaml -----------------------------------------------------------------------


@dataclass(frozen=True)
class CostsModel:
    """what a plan may cost"""

    scan: Text | None = None
    """why it may read all of a table or an index"""
    sort: Text | None = None
    """why it may sort what it finds"""
    temporary: Text | None = None
    """why it may gather what it finds, in a temporary table or by a hash"""


@dataclass(frozen=True)
class AllowedModel:
    """the plans of queries"""

    allow: dict[Text, CostsModel] = field(default_factory=dict)
    """query: what its recorded plan does beside searching an index, and the reason why it may"""


@dataclass(frozen=True)
class RuleModel:
    """an error rule"""

    span: Span
    raises: Text = field(metadata={"key": "raise"})
    """the error of the interface to raise"""
    advice: Text
    """what the user should do; it ends the error's message"""
    exception: Text | None = None
    """left out, the rule is for every exception of the base"""
    codes: tuple[Text, ...] = ()
    """what `code_attribute` then holds"""
    messages: tuple[Text, ...] = ()
    """any of these is part of the exception's text"""
    may_have_saved: bool = False
    """whether the record may be stored all the same"""
    repeat: bool = False
    """whether trying once more is safe and may help"""


@dataclass(frozen=True)
class ConflictModel:
    """the sign of a conflict"""

    span: Span
    exception: Text | None = None
    """left out, it is every exception of the base"""
    codes: tuple[Text, ...] = ()
    """what `code_attribute` then holds"""
    messages: tuple[Text, ...] = ()
    """any of these is part of the exception's text"""


@dataclass(frozen=True)
class ErrorsModel:
    """the errors"""

    span: Span
    rules: tuple[RuleModel, ...] = ()
    """what a failure is for the caller; the first rule that fits decides"""
    base: tuple[Text, ...] = ()
    """the exceptions that all failures of the driver are; others are not translated"""
    code_attribute: Text | None = None
    """where the exceptions keep their code; of a tuple its first item"""
    rules_of: Text | None = None
    """another driver of the backend, whose rules for every exception hold too"""
    conflict: ConflictModel | None = None
    """where a record that is there makes the insert fail, how that shows"""


@dataclass(frozen=True)
class SharedErrorsModel(ErrorsModel):
    """the errors"""

    like: Text | None = None
    """another backend of the family, whose rules are tried behind these; its rest holds as well"""


@dataclass(frozen=True)
class UrlModel:
    """the URLs of a backend"""

    schemes: dict[Text, dict[Text, Text]]
    """how URLs begin, and what each sets: parameter to value"""
    example: Text = _LEFT_OUT
    """a URL as users write it; by `network`, scheme://user:password@localhost/database"""
    parts: dict[Text, Text] = field(default_factory=dict)
    """host, port, path, ...: the parameter that each part fills; by `network`, the usual"""
    defaults: dict[Text, Text] = field(default_factory=dict)
    """what a part is worth where a URL lacks it; by `network`, the host is localhost"""
    rest: Text | None = None
    """the dict parameter for all else in a URL's query; by `network`, connect_kwargs"""
    whole: Text | None = None
    """the parameter that takes the URL as it is written"""


@dataclass(frozen=True)
class PoolModel:
    """a pool of connections to hand in"""

    helper: Text
    """the name of the method"""
    doc: Text
    """its docstring"""
    opened_with: tuple[Text, ...]
    """its parameters, in order"""


@dataclass(frozen=True)
class ConnectModel:
    """how a driver connects"""

    span: Span
    arguments: dict[Text, Text] = field(default_factory=dict)
    """our parameter: the driver's keyword; by `network`, db_name is database, user user, ..."""
    call: Text | None = None
    """the function; left out, the library's `connect`"""
    fixed: dict[Text, Value] = field(default_factory=dict)
    """the driver's keyword: what it is given always"""
    timeouts: dict[Text, Text] = field(default_factory=dict)
    """the driver's keyword: our limit, in whole seconds"""
    cancel: Text | None = None
    """the connection's method that ends its statement from another thread"""


@dataclass(frozen=True)
class DriverModel:
    """a driver"""

    span: Span
    colour: Literal["sync", "async"]
    """whether its calls block or are awaited"""
    class_name: Text = field(default=_LEFT_OUT, metadata={"key": "class"})
    """the name of the class to emit; left out, the title's, as MyStorePersister (or with Async)"""
    module: Text = _LEFT_OUT
    """the module of the package to emit; left out, `b_` and the library's name"""
    requires: Text | None = None
    """the library, as Python's import statement names it; by `connect`, the name of this driver"""
    extra: Text | None = None
    """the extra that installs it; by `connect`, named like the library; Python's own needs none"""
    imports: tuple[Text, ...] = ()
    """more modules that the types or the error rules name"""
    session: Text | None = None
    """left out, the general one of the family and colour"""
    connect: ConnectModel | None = None
    """how it connects, where the general session does; it says what may be left out below"""
    parameter_style: ParameterStyle | None = None
    """how it marks the place of a value: ?, %s or $1"""
    create_helper: Text | None = None
    """the established name of the method that creates the table; by `connect`, create_table"""
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    """of this driver's class only; by `connect`, connection is the library's Connection"""
    constructor: tuple[Text, ...] = ()
    """the parameters of the class, in order; behind "*" keyword-only; by `connect`, the usual"""
    from_values: tuple[Text, ...] = ()
    """those of from_values, in order; behind "*" keyword-only; by `connect`, its and the usual"""
    handed_in: tuple[Text, ...] = field(default=(), metadata={"one": True})
    """of several, a caller gives exactly one; by `connect`, connection"""
    opened_with: tuple[Text, ...] = ()
    """those of from_values that its connection needs; by `connect`, its and the usual"""
    pool: PoolModel | None = None
    """a method that opens a pool to hand in"""
    errors: ErrorsModel | None = None
    """how only this driver shows a failure; its rules are tried first"""
    aliases: tuple[Text, ...] = ()
    """other modules where users look for the class"""
    renamed: dict[Text, Text] = field(default_factory=dict)
    """names that users may try to import, and what to use instead"""


@dataclass(frozen=True)
class NameModel:
    """a name made from the table's"""

    suffix: Text
    """what is added to the table's name"""
    schema: bool = True
    """whether the schema stands in front, where the user gave one"""
    written: Literal["identifier", "text", "name", "schema"] = field(
        default="identifier", metadata={"key": "as"}
    )
    """an identifier; or a text that holds one, the bare name, or the schema's (NULL without one)"""


@dataclass(frozen=True)
class StepOfCreationModel:
    """a statement that is run only where a query says so"""

    where: Text
    """a query that answers a row whose first value is true where it is wanted"""
    run: Text
    """the statement"""


@dataclass(frozen=True)
class MigrationModel:
    """a migration"""

    span: Span
    to: int
    """the generation that it leads to, from the one before"""
    doc: Text
    """what changes for who has data there, and what does not; users read it before they agree"""
    run: tuple[Text | StepOfCreationModel, ...] = field(metadata={"one": True})
    """statements, run in front of those of `create`, with them or not at all; safe to run again"""


@dataclass(frozen=True)
class DerivedModel:
    """derived data"""

    stale: Text
    """a query that answers 1 where the derived data is out of date"""
    rebuild: tuple[Text, ...]
    """statements that make it anew from the records"""


@dataclass(frozen=True)
class SuitsModel:
    """what a connection that is handed in must be like"""

    query: Text
    """answers a row whose first value is true where it suits; asked once, before anything else"""
    advice: Text
    """for the message where it does not: how to open one that does"""


@dataclass(frozen=True)
class ConnectionModel:
    """statements for a connection"""

    on_open: tuple[Text, ...] = ()
    """run on each connection that persistry opens; {name} is a value of `opened_with`, as a text"""
    on_initialize: tuple[Text, ...] = ()
    """run by initialize(), on a connection that persistry opened"""
    suits: SuitsModel | None = None
    """for the general session: not all that a driver can open is fit for every text"""


@dataclass(frozen=True)
class QuotingModel:
    """how SQL is quoted"""

    identifiers: Literal["double_quotes", "backticks"] = "double_quotes"
    """what stands around an identifier"""
    backslashes: Literal["plain", "escape_string", "doubled"] = "plain"
    """in a text literal: no escapes; escapes where the literal is an E'...'; always escapes"""
    texts: Text | None = None
    """what is written around {value}, where a parameter is a text"""


@dataclass(frozen=True)
class SqlStoredModel:
    """a stored format"""

    span: Span
    generation: int
    """raised when what is stored changes its shape; a migration leads there from the last one"""
    doc: Text
    """what is stored, for who reads the database by hand"""
    columns: dict[Text, Text]
    """each column and its SQL type; {columns} in `opening`: rows of a name, a type's first word"""
    created_at: Literal["client", "server"]
    """whose clock says when it was saved"""
    state_bytes: int
    """the largest encoded state that the store takes; more is refused before it is sent"""
    unique: tuple[Text, ...] = ()
    """the key of the record; or write primary_key, and null here where the family has one"""
    primary_key: tuple[Text, ...] = ()
    """the key of the record; or write unique"""
    indexes: dict[Text, tuple[Text, ...]] = field(default_factory=dict)
    """made with the table, where the store can: its columns"""
    options: Text | None = None
    """what follows the columns and keys in CREATE TABLE; {generation} is its number"""
    texts: Literal["text", "bytes"] = "text"
    """what their columns hold: texts; or the bytes of their UTF-8, where no collation has a say"""
    statement_bytes: Text | None = None
    """asks the server for its longest statement, before a large state is saved"""
    identifier_bytes: int | None = None
    """the longest identifier that the store does not cut"""
    migrations: tuple[MigrationModel, ...] = ()
    """from each generation to the next, in order; one to 1 adopts the tables of another library"""


@dataclass(frozen=True)
class KeyModel:
    """a key"""

    template: Text
    """text and {value} parts; numbers with their width, {sequence_id:019}"""
    doc: Text
    """what is stored under it"""


@dataclass(frozen=True)
class ScriptModel:
    """a script"""

    span: Span
    keys: tuple[Text, ...]
    """the keys it is given, locals of these names"""
    arguments: tuple[Text, ...]
    """the values it is given, locals of these names, in the order they are sent"""
    doc: Text
    """what it does and answers"""
    text: Text
    """the script"""
    optional_keys: tuple[Text, ...] = ()
    """keys that not every call gives"""


@dataclass(frozen=True)
class RedisQueryModel:
    """a query"""

    span: Span
    script: Text | None = None
    """the script that answers it"""
    get: Text | None = None
    """the key that is read"""
    newest_of: Text | None = None
    """the sorted set whose members are named, highest first"""
    registered_in: Text | None = None
    """the sorted set, in one slot, that names the partitions"""
    having: Text | None = None
    """the key that a partition has as long as it has a record"""
    registers_in: Text | None = None
    """of a save: the sorted set that names its partition before the first record"""
    scanned_for: Text | None = None
    """the sorted set, one for a partition, that is looked for among all keys"""


@dataclass(frozen=True)
class KeyStepModel:
    """a step of a migration"""

    span: Span
    each: Text
    """the keys that it is for: their template, as the generation before has it"""
    text: Text
    """Lua, run for each of them until it returns 0; `key` is the one that was found"""
    keys: dict[Text, Text] = field(default_factory=dict)
    """the other keys it is given, locals of these names: their templates, in the same slot"""
    arguments: tuple[Text, ...] = ()
    """the values it is given of the key that was found, locals of these names"""


@dataclass(frozen=True)
class RedisMigrationModel:
    """a migration"""

    span: Span
    to: int
    """the generation that it leads to, from the one before"""
    doc: Text
    """what changes for who has data there, and what does not; users read it before they agree"""
    run: tuple[KeyStepModel, ...]
    """what carries over which keys, in this order; again and again, until nothing is left"""


@dataclass(frozen=True)
class RedisStoredModel:
    """a stored format"""

    span: Span
    generation: int
    """raised when what is stored changes its shape; a migration leads there from the last one"""
    doc: Text
    """what is stored, for who reads the database by hand"""
    record: Literal["packed_1", "hash_1"]
    """how a record is stored: packed into one value; or as a hash, a field for each of its parts"""
    created_at: Literal["client"]
    """whose clock says when it was saved"""
    state_bytes: int
    """the largest encoded state that the store takes; more is refused before it is sent"""
    marked_in: Text | None = None
    """the key, one for a namespace, that holds the generation"""
    made_by: Text | None = None
    """another library, whose layout it is: values stand in its keys as they are, unescaped"""
    largest_sequence_id: int | None = None
    """the last one that the layout has room for; a save beyond it is refused before it is sent"""
    migrations: tuple[RedisMigrationModel, ...] = ()
    """from each generation to the next, in order; none where another library made the layout"""


@dataclass(frozen=True)
class MongoMigrationModel:
    """a migration"""

    span: Span
    to: int
    """the generation that it leads to"""
    doc: Text
    """what it changes and what it leaves as it is"""
    run: tuple[Text, ...]
    """the indexes that it makes"""


@dataclass(frozen=True)
class MongoStoredModel:
    """a stored format"""

    span: Span
    generation: int
    """raised when what is stored changes its shape"""
    migrations: tuple[MongoMigrationModel, ...]
    """what brings an older collection to each generation, in order; each index is made by one"""
    doc: Text
    """what is stored, for who reads the database by hand"""
    fields: dict[Text, Text]
    """each field and its type"""
    unique: tuple[Text, ...]
    """the key of the record"""
    created_at: Literal["client"]
    """whose clock says when it was saved"""
    state_bytes: int
    """the largest encoded state that the store takes; more is refused before it is sent"""


@dataclass(frozen=True)
class IndexModel:
    """an index"""

    span: Span
    keys: dict[Text, int]
    """field to 1 or -1, in order"""
    unique: bool = False
    """whether no two documents may have the same values"""
    without: Text | None = None
    """the field that the documents in the index lack"""


@dataclass(frozen=True)
class FindModel:
    """a query for documents of another library"""

    span: Span
    find: dict[Text, Text | None]
    """the filter: field to `:name`, or null where the field must be missing"""
    sort: dict[Text, int]
    """field to 1 or -1, in order"""


@dataclass(frozen=True)
class MongoQueryModel:
    """a query"""

    span: Span
    insert: dict[Text, Text] | None = None
    """the document: field to `:name`"""
    find: dict[Text, Text | None] | None = None
    """the filter: field to `:name`, or null where the field must be missing"""
    sort: dict[Text, int] = field(default_factory=dict)
    """field to 1 or -1, in order"""
    newest_of: Text | None = None
    """the field of which each value is named once, newest first"""
    distinct: Text | None = None
    """the field of which each value is named once, in order"""
    limit: Text | None = None
    """the value that limits the answer"""
    or_foreign: FindModel | None = None
    """how to find what another library stored"""


@dataclass(frozen=True)
class BackendModel:
    """a backend"""

    span: Span
    backend: Text
    """the name of the store, as in this file's name"""
    family: Literal["sql", "redis", "mongo", "runtime"]
    """which templates make its classes, and so which keys this file has"""
    title: Text
    """what people call the store; it stands in docstrings and messages"""
    doc: Text
    """the docstring of its classes: what it is for, how durable a save is"""
    not_initialized: Literal["error", "never"]
    """`error` where users call initialize() before the first save, `never` where they need not"""
    url: UrlModel
    """how `connect()` finds it"""
    traits: tuple[Text, ...]
    """what can be asked of it; the cases of the promise that need others are not run"""
    drivers: dict[Text, DriverModel]
    """the libraries that speak to it, by name; a plain URL means the first of each colour"""
    like: Text | None = field(default=None, kw_only=True)
    """another backend, which says what is left out here, but for title, doc, url and drivers"""


@dataclass(frozen=True)
class RuntimeBackendModel(BackendModel):
    """a backend"""

    gaps: dict[Text, Text] = field(default_factory=dict)
    """cases of the promise that the store cannot keep, and why"""


@dataclass(frozen=True)
class LayoutModel:
    """a layout"""

    span: Span
    doc: Text
    """who makes such tables, and what is kept otherwise in them"""
    queries: dict[Text, Text] = field(default_factory=dict)
    """the queries that are others there: the same values in the same order, the same answers"""
    gaps: dict[Text, Text] = field(default_factory=dict)
    """cases of the promise that it cannot keep, and why"""


@dataclass(frozen=True)
class WidenModel:
    """how a table gets room for every sequence id"""

    doc: Text
    """the docstring of the method `widen`"""
    run: tuple[Text | StepOfCreationModel, ...]
    """run in one transaction; run again, it changes nothing"""


@dataclass(frozen=True)
class WordsModel:
    """the words of a store"""

    text: Text | None = None
    """the type of a key's texts: 512 bytes of UTF-8, of which 'a' and 'A' are two"""
    state: Text | None = None
    """the type of the state's text, which may be long"""
    codec: Text | None = None
    """the type of a small number"""
    order: Text | None = None
    """the type of `write_number`, and what makes the store count it up with each insert"""
    time: Text | None = None
    """the type of `created_at`, NOT NULL, and what makes the store write the time there, in UTC"""
    schema: Text | None = None
    """the schema of a name that has none, such as `CURRENT_SCHEMA`"""
    mark: Text | None = None
    """of a table's row in information_schema.tables, the text that `write_mark` has written"""
    write_mark: Text | None = None
    """writes 'persistry generation {generation}' where `mark` is read"""


@dataclass(frozen=True)
class SqlBackendModel(BackendModel):
    """a backend"""

    stored: SqlStoredModel
    """what the table looks like, and stays like"""
    queries: dict[Text, Text]
    """one for each case of the interface, `opening` and `is_initialized`; :name binds a value"""
    no_limit: Text
    """what to bind for the limit when all are wanted"""
    record_generation: tuple[Text | StepOfCreationModel, ...] = field(metadata={"one": True})
    """run behind `create`: writes {generation} down beside the records, for the query `opening`"""
    begin: Text
    """begins a transaction; {milliseconds} is the time that it may take"""
    errors: SharedErrorsModel
    """how failures show, whatever the driver"""
    connect: ConnectModel | None = None
    """how each driver without a `session` connects, for what it does not say itself"""
    parameter_style: ParameterStyle | None = None
    """how each of those marks the place of a value: ?, %s or $1"""
    words: WordsModel = WordsModel()
    """what stands for {text}, {mark} and others in what the family says; all that are needed"""
    names: dict[Text, NameModel] = field(default_factory=dict)
    """{name} in a statement; those of {table}, {table_name} and {schema_name} may be left out"""
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    """parameters of its classes; what is left out is as the interface has it"""
    connection: ConnectionModel = ConnectionModel()
    """statements for the connections that persistry opens"""
    quoting: QuotingModel = QuotingModel()
    """how its SQL writes identifiers and texts"""
    create: tuple[Text | StepOfCreationModel, ...] = ()
    """run behind CREATE TABLE, in its transaction where the store has that"""
    derived: DerivedModel | None = None
    """data that only repeats what the records say"""
    lock: tuple[Text, ...] = field(default=(), metadata={"one": True})
    """run first of what creates, so that one process creates"""
    plans: AllowedModel = AllowedModel()
    """what the recorded plans of its queries (spec/plans) may cost"""
    layouts: dict[Text, LayoutModel] = field(default_factory=dict)
    """tables that were made otherwise, by the name `opening` answers; each is a matrix column"""
    widen: WidenModel | None = None
    """where `opening` answers a largest sequence id: how to lift that limit"""
    gaps: dict[Text, Text] = field(default_factory=dict)
    """cases of the promise that the store cannot keep, and why"""


@dataclass(frozen=True)
class RedisBackendModel(BackendModel):
    """a backend"""

    stored: RedisStoredModel
    """what a record looks like, and stays like"""
    slot: Text
    """what Redis Cluster hashes; it stands in front of every key. Not hashed in another's layout"""
    keys: dict[Text, KeyModel]
    """the keys of a slot, by the name that scripts know them by"""
    scripts: dict[Text, ScriptModel]
    """Lua, run by the server in one piece"""
    queries: dict[Text, RedisQueryModel]
    """one for each case of the interface"""
    errors: SharedErrorsModel
    """how failures show, whatever the driver"""
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    """parameters of its classes; what is left out is as the interface has it"""
    gaps: dict[Text, Text] = field(default_factory=dict)
    """cases of the promise that the store cannot keep, and why"""


@dataclass(frozen=True)
class MongoLayoutModel:
    """a layout"""

    doc: Text
    """who makes such collections, and what is kept otherwise in them"""
    gaps: dict[Text, Text] = field(default_factory=dict)
    """cases of the promise that it cannot keep, and why"""


@dataclass(frozen=True)
class MongoBackendModel(BackendModel):
    """a backend"""

    stored: MongoStoredModel
    """what a document looks like, and stays like"""
    indexes: dict[Text, IndexModel]
    """what is created, by name; each query needs one"""
    queries: dict[Text, MongoQueryModel]
    """one for each case of the interface"""
    errors: SharedErrorsModel
    """how failures show, whatever the driver"""
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    """parameters of its classes; what is left out is as the interface has it"""
    plans: AllowedModel = AllowedModel()
    """what the recorded plans of its queries (spec/plans) may cost"""
    layouts: dict[Text, MongoLayoutModel] = field(default_factory=dict)
    """other forms of what is stored, by name; each is a column of the matrix"""
    gaps: dict[Text, Text] = field(default_factory=dict)
    """cases of the promise that the store cannot keep, and why"""


@dataclass(frozen=True)
class FamilyModel:
    """the first look at a backend file: which family it belongs to"""

    family: Literal["sql", "redis", "mongo", "runtime"]
    """which templates make its classes, and so which keys this file has"""


# --- spec/plans/*.yaml --------------------------------------------------------------------------


@dataclass(frozen=True)
class PlansModel:
    """recorded plans"""

    span: Span
    backend: Text
    """whose queries they are"""
    recorded_with: Text
    """the server, or the library, whose planner made them"""
    plans: dict[Text, dict[Text, tuple[dict[StepKind, Text], ...]]]
    """query: situation: the steps of its plan, what is found first before what is done with it"""


# --- spec/conformance/*.yaml --------------------------------------------------------------------


@dataclass(frozen=True)
class StepModel:
    """a step"""

    span: Span
    calls: dict[Text, dict[Text, Value]] = field(default_factory=dict, metadata={"others": True})
    """the arguments of the call; the key is the operation"""
    raises: Text | None = None
    """the error with which the step fails"""


@dataclass(frozen=True)
class RaisesModel:
    """an expected error"""

    error: Text
    """its class"""
    mentions: tuple[Text, ...] = ()
    """what its text holds"""


@dataclass(frozen=True)
class ExpectModel:
    """an expectation"""

    span: Span
    calls: dict[Text, dict[Text, Value]] = field(default_factory=dict, metadata={"others": True})
    """the arguments of the call; the key is the operation"""
    record: dict[Text, Value] | None = None
    """the fields that the loaded record has"""
    state: Value | None = None
    """exactly the state that is loaded"""
    returns: Value | None = None
    """what the call answers"""
    nothing: bool = False
    """load finds nothing"""
    done: bool = False
    """the call succeeds"""
    raises: RaisesModel | None = None
    """the call fails"""


@dataclass(frozen=True)
class ScenarioModel:
    """a scenario"""

    promise: int
    """the point of the promise that it shows, 1 to 12"""
    doc: Text
    """what it shows, in a sentence"""
    expect: ExpectModel
    """one operation and its outcome"""
    steps: tuple[StepModel, ...] = ()
    """what happens before, in order"""
    needs: tuple[Text, ...] = ()
    """the traits that a store must have"""
    uninitialized: bool = False
    """whether nobody has called initialize()"""


@dataclass(frozen=True)
class ScenariosModel:
    """a file of scenarios"""

    scenarios: dict[Text, ScenarioModel]
    """each is a test, for every store and both colours"""
