"""What the templates print: the resolved spec in typed parts. None is named after a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Colour:
    """The words in which a sync and an async class differ."""

    name: Literal["sync", "async"]
    define: str
    await_: str
    with_: str
    enter: str
    leave: str
    prefix: str
    keep: str
    """What stands in front of a new object: given back at once, or opened first."""
    is_async: bool


COLOURS: dict[str, Colour] = {
    "sync": Colour(
        name="sync",
        define="def",
        await_="",
        with_="with",
        enter="__enter__",
        leave="__exit__",
        prefix="",
        keep="return",
        is_async=False,
    ),
    "async": Colour(
        name="async",
        define="async def",
        await_="await ",
        with_="async with",
        enter="__aenter__",
        leave="__aexit__",
        prefix="Async",
        keep="persister =",
        is_async=True,
    ),
}


# --- the interface: what is promised --------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str
    doc: str
    default: str | None = None
    keyword_only: bool = False
    variadic: bool = False


@dataclass(frozen=True)
class Raise:
    error: str
    when: str


@dataclass(frozen=True)
class Case:
    """One kind of question of an operation: which values it is given, what it answers."""

    name: str
    given: tuple[str, ...]
    answers: tuple[str, ...]
    decided_by: str | None
    """The optional parameter that chooses this case when it is not None."""


@dataclass(frozen=True)
class Operation:
    name: str
    doc: str
    parameters: tuple[Parameter, ...]
    returns: str
    returns_doc: str
    raises: tuple[Raise, ...]
    cases: tuple[Case, ...]
    is_abstract: bool = False
    refusal: str = ""
    """What the base class, which cannot answer, says of a class that does not either."""
    may_lack: bool = False
    """A persister need not have it."""


# What an operation returns that lists names; every family has a body for such a one.
NAMES = "list[str]"


@dataclass(frozen=True)
class Listing:
    """An operation that lists names, and the class of the runtime that checks its arguments."""

    operation: Operation
    wanted: str

    @property
    def case(self) -> Case:
        return self.operation.cases[0]


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    doc: str


@dataclass(frozen=True)
class Attribute:
    name: str
    type: str
    default: str
    doc: str


@dataclass(frozen=True)
class Error:
    name: str
    bases: tuple[str, ...]
    doc: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True)
class Base:
    name: str
    doc: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True)
class Interface:
    source: str
    record_name: str
    record_doc: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    errors: tuple[Error, ...]
    options: tuple[Parameter, ...]
    bases: tuple[Base, ...]
    operations: dict[str, Operation]
    listings: tuple[Listing, ...]
    members: dict[str, str]

    @property
    def may_lack(self) -> tuple[str, ...]:
        return tuple(name for name, it in self.operations.items() if it.may_lack)


# --- failures -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rule:
    """How one failure of a driver shows, and what it is for a caller."""

    error: str
    exception: str | None
    """None: every exception of the bases."""
    advice: str
    codes: tuple[str, ...]
    messages: tuple[str, ...]
    may_have_saved: bool
    repeat: bool


@dataclass(frozen=True)
class Sign:
    """How a driver shows that the record is there already, where its insert then fails."""

    exception: str | None
    """None: every exception of the bases."""
    codes: tuple[str, ...]
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Failures:
    bases: tuple[str, ...]
    code_attribute: str | None
    rules: tuple[Rule, ...]
    conflict: Sign | None
    errors: tuple[str, ...]

    @property
    def has_general_rules(self) -> bool:
        of_conflict = self.conflict is not None and self.conflict.exception is None
        return of_conflict or any(rule.exception is None for rule in self.rules)


# --- the family sql -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """One SQL text for one driver: compiled to its parameter style, its values in order."""

    name: str
    text: str
    binds: tuple[str, ...]

    @property
    def constant(self) -> str:
        return f"_{self.name.replace('.', '_').upper()}"


@dataclass(frozen=True)
class CaseStatement:
    case: Case
    statement: Statement


@dataclass(frozen=True)
class ListingStatement:
    listing: Listing
    statement: Statement


@dataclass(frozen=True)
class TableName:
    """An identifier made from the table's name, or a text that holds one, or the bare name."""

    name: str
    suffix: str
    schema: bool
    is_text: bool
    is_bare: bool
    is_schema: bool


@dataclass(frozen=True)
class Creation:
    """A statement that creates, and the query that says whether it is wanted."""

    text: str
    where: str


@dataclass(frozen=True)
class Change:
    """The way from one generation of the stored format to the next."""

    to: int
    doc: str
    steps: tuple[Creation, ...]


@dataclass(frozen=True)
class SqlLayout:
    """Tables in which some statements are others."""

    name: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True)
class Widen:
    """How a table gets room for every sequence id."""

    doc: str
    steps: tuple[Creation, ...]


@dataclass(frozen=True)
class SqlFormat:
    """What a backend's tables are, and how they are made: no statement in it has values, so that
    one text is that of all drivers."""

    names: tuple[TableName, ...]
    identifier_bytes: int | None
    quoted: str
    """The function that quotes an identifier."""
    literal: str
    """The function that makes a text a literal."""
    begin: str
    generation: int
    opening: str
    """The query that says which generation a table is of."""
    is_initialized: str
    lock: tuple[Creation, ...]
    table: Creation
    """What makes it."""
    create: tuple[Creation, ...]
    """What makes all that belongs to it."""
    record: tuple[Creation, ...]
    changes: tuple[Change, ...]
    stale: str | None
    rebuild: tuple[str, ...]
    widen: Widen | None
    on_initialize: tuple[str, ...]

    @property
    def longest_suffix(self) -> str:
        return max((name.suffix for name in self.names), key=len)


@dataclass(frozen=True)
class SqlParts:
    format: SqlFormat
    doubles_percent: bool
    """Beside values, the driver reads a percent sign as the beginning of a parameter."""
    on_open: tuple[str, ...]
    statement_bytes: str | None
    insert: Statement
    conflicting: Statement
    load: tuple[CaseStatement, ...]
    lists: tuple[ListingStatement, ...]
    no_limit: str
    reads: str | None
    """The function that reads a stored text; none where it is read as a text already."""
    create_helper: str
    layouts: tuple[SqlLayout, ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        load = (it.statement for it in self.load)
        lists = (it.statement for it in self.lists)
        return (self.insert, self.conflicting, *load, *lists)


# --- the family redis -----------------------------------------------------------------------------


@dataclass(frozen=True)
class KeyPart:
    """A piece of a key: text as it is, or a value and how it is written."""

    text: str = ""
    value: str = ""
    form: Literal["literal", "segment", "number", "digest", "plain", "prefix"] = "literal"
    width: int = 0


@dataclass(frozen=True)
class KeyTemplate:
    """One kind of key, and the function of the module that makes it."""

    name: str
    parameters: tuple[Parameter, ...]
    parts: tuple[KeyPart, ...]
    doc: str

    @property
    def function(self) -> str:
        return f"_{self.name}_key"

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(parameter.name for parameter in self.parameters)


@dataclass(frozen=True)
class Script:
    constant: str
    name: str
    doc: str
    text: str


@dataclass(frozen=True)
class ScriptCall:
    script: Script
    keys: tuple[KeyTemplate, ...]
    optional_keys: tuple[KeyTemplate, ...]
    attributes: tuple[str, ...]
    """The values of the operation's own object that the script gets as arguments, in order."""
    prefix: KeyTemplate | None
    limited: bool
    """The script leaves out a record over the limit of what passes through Lua well."""


@dataclass(frozen=True)
class RedisLoad:
    case: Case
    call: ScriptCall | None
    get: KeyTemplate | None


@dataclass(frozen=True)
class Register:
    """A sorted set that names the partitions, and the key that one with a record has."""

    named_in: KeyTemplate
    having: KeyTemplate


@dataclass(frozen=True)
class RedisListing:
    """How a list is answered; its template knows one of the ways."""

    listing: Listing
    template: str
    key: KeyTemplate
    call: ScriptCall | None = None


@dataclass(frozen=True)
class KeyStep:
    """A script, the keys that it is run for, and what it is given beside each."""

    script: Script
    each: KeyTemplate
    keys: tuple[KeyTemplate, ...]
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class KeyMigration:
    """What carries the keys of one generation over to the next."""

    generation: int
    doc: str
    steps: tuple[KeyStep, ...]


@dataclass(frozen=True)
class RedisParts:
    generation: int
    mark: KeyTemplate | None
    """The key of a namespace that holds the generation."""
    migrations: tuple[KeyMigration, ...]
    packing: str
    """The module of the runtime that makes a value of a record, and finds it again."""
    largest_sequence_id: int | None
    is_shared: bool
    """Whether another library goes on with what is stored."""
    slot: KeyTemplate
    keys: tuple[KeyTemplate, ...]
    scripts: tuple[Script, ...]
    save: ScriptCall
    load: tuple[RedisLoad, ...]
    lists: tuple[RedisListing, ...]
    record: KeyTemplate
    register: Register | None
    scanned: KeyTemplate | None
    """A partition's sorted set, where nothing names the partitions."""

    @property
    def fetches_large(self) -> bool:
        """Whether a script may answer without the value, which is then fetched by its key."""
        return any(it.call is not None and it.call.limited for it in self.load)


# --- the family mongo -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Term:
    """A field and its value: a parameter's, one made from it, a constant of the runtime, null."""

    field: str
    value: str = ""
    made_by: str = ""


@dataclass(frozen=True)
class Index:
    name: str
    keys: tuple[tuple[str, int], ...]
    unique: bool
    without: str | None


@dataclass(frozen=True)
class IndexMigration:
    """The indexes that lead to a generation."""

    generation: int
    doc: str
    indexes: tuple[str, ...]


@dataclass(frozen=True)
class Find:
    """A query: which documents, in which order, and which fields of them are answered."""

    constant: str
    filter: tuple[Term, ...]
    sort: tuple[tuple[str, int], ...]
    fields: tuple[str, ...]
    foreign_filter: tuple[Term, ...] = ()
    foreign_sort: tuple[tuple[str, int], ...] = ()
    """Where another library's documents are asked for as well."""


@dataclass(frozen=True)
class FindCase:
    case: Case
    find: Find


@dataclass(frozen=True)
class MongoListing:
    """How a list is answered: the name of the session's method, and its query."""

    listing: Listing
    method: str
    find: Find


@dataclass(frozen=True)
class MongoParts:
    generation: int
    indexes: tuple[Index, ...]
    migrations: tuple[IndexMigration, ...]
    insert: tuple[Term, ...]
    conflicting: Find
    load: tuple[FindCase, ...]
    lists: tuple[MongoListing, ...]

    @property
    def finds(self) -> tuple[Find, ...]:
        load, lists = (it.find for it in self.load), (it.find for it in self.lists)
        return (self.conflicting, *load, *lists)


# --- what every store has -------------------------------------------------------------------------


@dataclass(frozen=True)
class Gap:
    case: str
    reason: str


@dataclass(frozen=True)
class Layout:
    """Another form of what is stored: a column of the matrix for each class that is chosen."""

    name: str
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Pool:
    """The method that opens a pool of connections to hand in."""

    helper: str
    doc: str
    opened_with: tuple[Parameter, ...]


@dataclass(frozen=True)
class Connect:
    """What a session is told of its driver: how it connects, and in whose words."""

    constant: str
    call: str
    connection_type: str
    arguments: tuple[tuple[str, str], ...]
    """A parameter of ours, and the driver's keyword for it."""
    fixed: tuple[tuple[str, str], ...]
    timeouts: tuple[tuple[str, str], ...]
    cancel: str | None
    on_open: tuple[str, ...]
    suits: str | None
    """A query that says whether a connection that is handed in can be used."""
    advice: str | None


@dataclass(frozen=True)
class PersisterClass:
    """One class to emit, or one that stands in the runtime."""

    name: str
    is_chosen: bool
    """The one of its name and colour that is meant where nobody says which driver."""
    colour: Colour
    module: str
    library: str | None
    extra: str | None
    doc: str
    session: str
    session_module: str
    connect: Connect | None
    constructor: tuple[Parameter, ...]
    from_values: tuple[Parameter, ...]
    options: tuple[Parameter, ...]
    handed_in: tuple[Parameter, ...]
    """Of several, a caller gives exactly one."""
    opened_with: tuple[str, ...]
    pool: Pool | None
    opens_in_constructor: bool
    runs_on_open: bool
    """The session gets statements to run on each connection that it opens."""
    kept: tuple[str, ...]
    """What `from_values` hands on to the constructor as it is."""
    aliases: tuple[str, ...]
    parts: Any
    """What its family's templates print: SqlParts, RedisParts or MongoParts."""

    @property
    def reached(self) -> str:
        """Where it stands in the package: at the top, or in its module."""
        return self.name if self.is_chosen else f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Absent:
    """A class of a colour that its store has no driver for."""

    name: str
    colour: Colour
    instead: PersisterClass


@dataclass(frozen=True)
class Url:
    scheme: str
    presets: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, str], ...]
    defaults: tuple[tuple[str, str], ...]
    rest: str | None
    example: str
    whole: str | None = None
    """The parameter that takes the URL as it is written."""


@dataclass(frozen=True)
class Module:
    """One module of the package: the classes of a backend that share a driver library."""

    name: str
    source: str
    title: str
    imports: tuple[str, ...]
    failures: Failures
    state_bytes: int
    renamed: tuple[tuple[str, str], ...]
    """Names that users of older libraries try to import, and what to use instead."""
    classes: tuple[PersisterClass, ...]

    @property
    def parts(self) -> Any:
        return self.classes[0].parts


@dataclass(frozen=True)
class Backend:
    name: str
    source: str
    family: str
    title: str
    doc: str
    traits: tuple[str, ...]
    gaps: tuple[Gap, ...]
    layouts: tuple[Layout, ...]
    urls: tuple[Url, ...]
    modules: tuple[Module, ...]
    classes: tuple[PersisterClass, ...]

    @property
    def chosen(self) -> tuple[PersisterClass, ...]:
        """The class of each colour that a plain scheme names."""
        return tuple(it for it in self.classes if it.is_chosen)

    @property
    def libraries(self) -> dict[str, tuple[PersisterClass, ...]]:
        """The classes by library, where a URL has to say whose is meant: `scheme+library://`."""
        if len(self.chosen) == len(self.classes):
            return {}
        names = dict.fromkeys((it.library or "").partition(".")[0] for it in self.classes)
        return {
            name: tuple(it for it in self.classes if (it.library or "").partition(".")[0] == name)
            for name in names
        }

    @property
    def absent(self) -> tuple[Absent, ...]:
        """The classes that people may look for where the drivers have one colour."""
        colours = {it.colour.name for it in self.classes}
        return tuple(
            Absent(f"{other.prefix}{it.name.removeprefix(it.colour.prefix)}", other, it)
            for other in COLOURS.values()
            if other.name not in colours
            for it in self.chosen
        )


# --- scenarios ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    call: str
    raises: str | None = None


@dataclass(frozen=True)
class Expectation:
    template: str
    call: str
    operation: str
    value: str = ""
    error: str = ""
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    name: str
    promise: int
    doc: str
    needs: tuple[str, ...]
    uninitialized: bool
    steps: tuple[Step, ...]
    expect: Expectation


@dataclass(frozen=True)
class Theme:
    """The scenarios of one file, and the errors that they name."""

    name: str
    title: str
    source: str
    errors: tuple[str, ...]
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True)
class Family:
    """What a family says for its backends, which need not."""

    name: str
    keys: tuple[tuple[str, ...], ...]
    """Each with those that it stands in."""
    wordless: tuple[tuple[str, ...], ...]
    """Those of them that take no word of a store's."""


@dataclass(frozen=True)
class Project:
    """Everything that is printed, from one spec."""

    interface: Interface
    backends: tuple[Backend, ...]
    themes: tuple[Theme, ...]
    families: tuple[Family, ...]
