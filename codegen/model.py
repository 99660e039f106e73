"""What the YAML files say, as written: one dataclass a document, decoded but not yet checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .decode import Value
from .nodes import Text
from .problems import Span

Verb = Literal["save", "load", "list_app_ids", "is_initialized", "initialize"]
ParameterStyle = Literal["qmark", "format", "dollar"]


_BEGIN = Text("BEGIN", Span("", 1, 1))


def _doc(text: str) -> dict[str, str]:
    return {"doc": text}


# --- spec/interface.yaml ------------------------------------------------------------------------


@dataclass(frozen=True)
class FieldModel:
    """a field of the record"""

    type: Text
    doc: Text


@dataclass(frozen=True)
class RecordModel:
    """the record"""

    name: Text
    doc: Text
    fields: dict[Text, FieldModel]
    key: tuple[Text, ...]


@dataclass(frozen=True)
class AttributeModel:
    """an attribute of an error"""

    type: Text
    default: Text
    doc: Text


@dataclass(frozen=True)
class ErrorModel:
    """an error"""

    doc: Text
    also: Text | None = None
    attributes: dict[Text, AttributeModel] = field(default_factory=dict)


@dataclass(frozen=True)
class ParameterModel:
    """a parameter"""

    type: Text
    doc: Text
    default: Text | None = None
    keyword_only: bool = False
    variadic: bool = field(default=False, metadata=_doc("takes all other keyword arguments"))


@dataclass(frozen=True)
class OwnParameterModel:
    """a parameter of a backend or a driver: what it leaves out is as the interface has it"""

    span: Span
    type: Text | None = None
    doc: Text | None = None
    default: Text | None = None
    keyword_only: bool = False
    variadic: bool = field(default=False, metadata=_doc("takes all other keyword arguments"))


@dataclass(frozen=True)
class ReturnsModel:
    """a return value"""

    type: Text
    doc: Text | None = None


@dataclass(frozen=True)
class CaseModel:
    """a case of an operation"""

    span: Span
    given: tuple[Text, ...] = field(metadata=_doc("the values that the case's query may bind"))
    answers: tuple[Text, ...] = field(
        metadata=_doc("`record`, `count` or the columns it gives") | {"one": True}
    )


@dataclass(frozen=True)
class OperationModel:
    """an operation"""

    doc: Text
    base: Literal["abstract", "optional", "refuses"]
    returns: ReturnsModel
    parameters: dict[Text, ParameterModel] = field(default_factory=dict)
    raises: dict[Text, Text] = field(default_factory=dict)
    cases: dict[Text, CaseModel] = field(default_factory=dict)


@dataclass(frozen=True)
class BaseModel:
    """a base class"""

    doc: Text
    operations: tuple[Text, ...]


@dataclass(frozen=True)
class InterfaceModel:
    """the interface"""

    span: Span
    interface: Text
    version: int
    record: RecordModel
    errors: dict[Text, ErrorModel]
    parameters: dict[Text, ParameterModel]
    options: dict[Text, ParameterModel]
    interfaces: dict[Text, BaseModel]
    operations: dict[Text, OperationModel]
    members: dict[Text, Text]


# --- spec/backends/*.yaml -----------------------------------------------------------------------


@dataclass(frozen=True)
class RuleModel:
    """an error rule"""

    span: Span
    raises: Text = field(metadata={"key": "raise", "doc": "the error of the interface to raise"})
    advice: Text
    exception: Text | None = field(
        default=None, metadata=_doc("left out, the rule is for every exception of the base")
    )
    codes: tuple[Text, ...] = ()
    messages: tuple[Text, ...] = ()
    may_have_saved: bool = False
    repeat: bool = False


@dataclass(frozen=True)
class ConflictModel:
    """the sign of a conflict"""

    span: Span
    exception: Text | None = None
    codes: tuple[Text, ...] = ()
    messages: tuple[Text, ...] = ()


@dataclass(frozen=True)
class ErrorsModel:
    """the errors"""

    span: Span
    rules: tuple[RuleModel, ...] = ()
    base: tuple[Text, ...] = ()
    code_attribute: Text | None = None
    conflict: ConflictModel | None = field(
        default=None,
        metadata=_doc("where a record that is there makes the insert fail, how that shows"),
    )


@dataclass(frozen=True)
class UrlModel:
    """the URLs of a backend"""

    schemes: dict[Text, dict[Text, Text]]
    example: Text
    parts: dict[Text, Text] = field(default_factory=dict)
    defaults: dict[Text, Text] = field(default_factory=dict)
    rest: Text | None = field(
        default=None,
        metadata=_doc("the dict parameter for what a URL's query says beyond all others"),
    )
    whole: Text | None = field(
        default=None, metadata=_doc("the parameter that takes the URL as it is written")
    )


@dataclass(frozen=True)
class PoolModel:
    """a pool of connections to hand in"""

    helper: Text
    doc: Text
    opened_with: tuple[Text, ...]


@dataclass(frozen=True)
class ConnectModel:
    """how a driver connects"""

    span: Span
    arguments: dict[Text, Text] = field(metadata=_doc("our parameter: the driver's keyword for it"))
    call: Text | None = field(
        default=None, metadata=_doc("the function; left out, the library's `connect`")
    )
    fixed: dict[Text, Value] = field(
        default_factory=dict, metadata=_doc("the driver's keyword: what it is given always")
    )
    timeouts: dict[Text, Text] = field(
        default_factory=dict, metadata=_doc("the driver's keyword: our limit, in whole seconds")
    )
    cancel: Text | None = field(
        default=None,
        metadata=_doc("the connection's method that ends its statement from another thread"),
    )


@dataclass(frozen=True)
class DriverModel:
    """a driver"""

    span: Span
    colour: Literal["sync", "async"]
    class_name: Text = field(metadata={"key": "class", "doc": "the name of the class to emit"})
    module: Text
    requires: Text | None = None
    extra: Text | None = None
    imports: tuple[Text, ...] = ()
    session: Text | None = field(
        default=None, metadata=_doc("left out, the general one of the family and colour")
    )
    connect: ConnectModel | None = None
    parameter_style: ParameterStyle | None = None
    create_helper: Text | None = None
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    constructor: tuple[Text, ...] = ()
    from_values: tuple[Text, ...] = ()
    handed_in: tuple[Text, ...] = field(
        default=(), metadata=_doc("of several, a caller gives exactly one") | {"one": True}
    )
    opened_with: tuple[Text, ...] = ()
    pool: PoolModel | None = None
    errors: ErrorsModel | None = None
    aliases: tuple[Text, ...] = ()
    renamed: dict[Text, Text] = field(
        default_factory=dict,
        metadata=_doc("names that users may try to import, and what to use instead"),
    )


@dataclass(frozen=True)
class NameModel:
    """a name made from the table's"""

    suffix: Text
    schema: bool = True
    written: Literal["identifier", "text", "name"] = field(
        default="identifier",
        metadata={
            "key": "as",
            "doc": "an identifier; a text that holds one; or a text that holds the bare name",
        },
    )


@dataclass(frozen=True)
class StepOfCreationModel:
    """a statement that is run only where a query says so"""

    where: Text
    run: Text


@dataclass(frozen=True)
class DerivedModel:
    """derived data"""

    stale: Text
    rebuild: tuple[Text, ...]


@dataclass(frozen=True)
class ConnectionModel:
    """statements for a connection"""

    on_open: tuple[Text, ...] = ()
    on_initialize: tuple[Text, ...] = ()


@dataclass(frozen=True)
class QuotingModel:
    """how SQL is quoted"""

    identifiers: Literal["double_quotes", "backticks"] = "double_quotes"
    backslashes: Literal["plain", "escape_string", "doubled"] = field(
        default="plain",
        metadata=_doc(
            "in a text literal: no escapes; escapes where the literal is an E'...'; always escapes"
        ),
    )


@dataclass(frozen=True)
class SqlStoredModel:
    """a stored format"""

    span: Span
    generation: int
    doc: Text
    columns: dict[Text, Text]
    created_at: Literal["client", "server"]
    state_bytes: int
    unique: tuple[Text, ...] = ()
    primary_key: tuple[Text, ...] = ()
    identifier_bytes: int | None = field(
        default=None, metadata=_doc("the longest identifier that the store does not cut")
    )


@dataclass(frozen=True)
class KeyModel:
    """a key"""

    template: Text
    doc: Text


@dataclass(frozen=True)
class ScriptModel:
    """a script"""

    span: Span
    keys: tuple[Text, ...]
    arguments: tuple[Text, ...]
    doc: Text
    text: Text
    optional_keys: tuple[Text, ...] = ()


@dataclass(frozen=True)
class RedisQueryModel:
    """a query"""

    span: Span
    script: Text | None = None
    get: Text | None = None
    newest_of: Text | None = None


@dataclass(frozen=True)
class RedisStoredModel:
    """a stored format"""

    generation: int
    doc: Text
    record: Literal["packed_1"]
    created_at: Literal["client"]
    state_bytes: int


@dataclass(frozen=True)
class MongoStoredModel:
    """a stored format"""

    span: Span
    generation: int
    doc: Text
    fields: dict[Text, Text]
    unique: tuple[Text, ...]
    created_at: Literal["client"]
    state_bytes: int


@dataclass(frozen=True)
class IndexModel:
    """an index"""

    span: Span
    keys: dict[Text, int]
    unique: bool = False
    without: Text | None = field(
        default=None, metadata=_doc("the field that the documents in the index lack")
    )


@dataclass(frozen=True)
class FindModel:
    """a query for documents of another library"""

    span: Span
    find: dict[Text, Text | None]
    sort: dict[Text, int]


@dataclass(frozen=True)
class MongoQueryModel:
    """a query"""

    span: Span
    insert: dict[Text, Text] | None = None
    find: dict[Text, Text | None] | None = None
    sort: dict[Text, int] = field(default_factory=dict)
    newest_of: Text | None = None
    limit: Text | None = None
    or_foreign: FindModel | None = None


@dataclass(frozen=True)
class BackendModel:
    """a backend"""

    span: Span
    backend: Text
    family: Literal["sql", "redis", "mongo", "runtime"]
    title: Text
    doc: Text
    not_initialized: Literal["error", "never"]
    url: UrlModel
    traits: tuple[Text, ...]
    drivers: dict[Text, DriverModel]


@dataclass(frozen=True)
class RuntimeBackendModel(BackendModel):
    """a backend"""

    gaps: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class SqlBackendModel(BackendModel):
    """a backend"""

    stored: SqlStoredModel
    names: dict[Text, NameModel]
    create: tuple[Text | StepOfCreationModel, ...]
    queries: dict[Text, Text]
    no_limit: Text = field(metadata=_doc("what to bind for the limit when all are wanted"))
    errors: ErrorsModel
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    connection: ConnectionModel = ConnectionModel()
    quoting: QuotingModel = QuotingModel()
    begin: Text = field(
        default=_BEGIN,
        metadata=_doc("begins a transaction; {milliseconds} is the time that it may take"),
    )
    derived: DerivedModel | None = None
    lock: tuple[Text, ...] = field(
        default=(),
        metadata=_doc("run first of what creates, so that one process creates") | {"one": True},
    )
    gaps: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class RedisBackendModel(BackendModel):
    """a backend"""

    stored: RedisStoredModel
    slot: Text
    keys: dict[Text, KeyModel]
    scripts: dict[Text, ScriptModel]
    queries: dict[Text, RedisQueryModel]
    errors: ErrorsModel
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    gaps: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class MongoBackendModel(BackendModel):
    """a backend"""

    stored: MongoStoredModel
    indexes: dict[Text, IndexModel]
    queries: dict[Text, MongoQueryModel]
    errors: ErrorsModel
    parameters: dict[Text, OwnParameterModel] = field(default_factory=dict)
    gaps: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True)
class FamilyModel:
    """the first look at a backend file: which family it belongs to"""

    family: Literal["sql", "redis", "mongo", "runtime"]


# --- spec/conformance/*.yaml --------------------------------------------------------------------


@dataclass(frozen=True)
class StepModel:
    """a step"""

    span: Span
    save: dict[Text, Value] | None = None
    load: dict[Text, Value] | None = None
    list_app_ids: dict[Text, Value] | None = None
    initialize: dict[Text, Value] | None = None
    is_initialized: dict[Text, Value] | None = None
    raises: Text | None = None


@dataclass(frozen=True)
class RaisesModel:
    """an expected error"""

    error: Text
    mentions: tuple[Text, ...] = ()


@dataclass(frozen=True)
class ExpectModel:
    """an expectation"""

    span: Span
    save: dict[Text, Value] | None = None
    load: dict[Text, Value] | None = None
    list_app_ids: dict[Text, Value] | None = None
    is_initialized: dict[Text, Value] | None = None
    initialize: dict[Text, Value] | None = None
    record: dict[Text, Value] | None = None
    state: Value | None = None
    returns: Value | None = None
    nothing: bool = False
    done: bool = False
    raises: RaisesModel | None = None


@dataclass(frozen=True)
class ScenarioModel:
    """a scenario"""

    promise: int
    doc: Text
    expect: ExpectModel
    steps: tuple[StepModel, ...] = ()
    needs: tuple[Text, ...] = ()
    uninitialized: bool = False


@dataclass(frozen=True)
class ScenariosModel:
    """a file of scenarios"""

    scenarios: dict[Text, ScenarioModel]
