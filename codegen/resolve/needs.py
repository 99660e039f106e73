"""What the templates and the runtime need of a spec, and which names are free: checked by name."""

from __future__ import annotations

import ast
import builtins
import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from .. import ir
from ..model import (
    BackendModel,
    DriverModel,
    InterfaceModel,
    OperationModel,
    ParameterModel,
    UrlModel,
)
from ..nodes import Text, place_of
from ..problems import Code, Report, Span, closest, suggest
from ..resolve.names import is_builtin_exception, known, python_name

FIELDS = ("partition_key", "app_id", "sequence_id", "position", "state", "created_at", "status")
# The operations that the classes have bodies for: what each takes, and what it asks the store. Any
# other that returns a list of names has the body that all lists have.
OPERATIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "initialize": ((), ()),
    "is_initialized": ((), ()),
    "pending_migrations": ((), ()),
    "save": (
        ("partition_key", "app_id", "sequence_id", "position", "state", "status"),
        ("insert", "conflicting"),
    ),
    "load": (
        ("partition_key", "app_id", "sequence_id"),
        ("at_sequence", "latest", "latest_of_partition"),
    ),
    "list_app_ids": (("partition_key", "limit"), ("newest",)),
}
# The one of them that is a list, whatever it says that it returns.
LIST = "list_app_ids"
MEMBERS = (
    "from_values",
    "from_config",
    "is_async",
    "set_serde_kwargs",
    "copy",
    "cleanup",
    "close",
)
OPTIONS = ("connect_timeout", "operation_timeout", "max_state_bytes")
# In a list of parameters: what follows is keyword-only.
STAR = "*"
URL_PARTS = ("host", "port", "username", "password", "path")
# Modules of the package that no driver may take.
_MODULES = {"__init__", "_runtime", "conformance", "connecting", "errors", "persistence"}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def check_interface(model: InterfaceModel, report: Report) -> None:
    """The parts that the templates print by name are there, and no others."""
    _same(model.record.fields, FIELDS, "field", "of the record", model.span, report)
    lists = lists_of_names(model)
    others = [it for it in model.operations if it in OPERATIONS or it not in lists]
    _same(
        others,
        OPERATIONS,
        "operation",
        "of the interface",
        place_of(model.operations, model.span),
        report,
    )
    _same(model.members, MEMBERS, "member", "of every class", model.span, report)
    _same(model.options, OPTIONS, "option", "of every constructor", model.span, report)
    bases = [it for base in model.interfaces.values() for it in base.operations]
    misspelt = {closest(it, model.operations) for it in bases if it not in model.operations}
    for name, operation in model.operations.items():
        if name in OPERATIONS:
            parameters, cases = OPERATIONS[name]
            _same(operation.parameters, parameters, "parameter", f"of {name}", name.span, report)
            _same(operation.cases, cases, "case", f"of {name}", name.span, report)
            returned = operation.returns.type
            if name == LIST and returned != ir.NAMES:
                message = f"{name} returns {str(returned)!r}; the templates know lists of names"
                help = f'write type: "{ir.NAMES}"'
                report.add(Code.SPEC07, message, returned.span, help=help)
        elif name in lists:
            _check_list(name, operation, report)
        else:
            continue
        fit(tuple(operation.parameters), operation.parameters, report)
        homes = [it for it in bases if it == name]
        if len(homes) != 1 and name not in misspelt:
            message = f"the operation {str(name)!r} is in {len(homes)} interfaces, not in one"
            place = homes[1].span if homes else name.span
            help = f"list it in one of: {', '.join(model.interfaces) or 'none is declared'}"
            report.add(Code.SPEC07, message, place, help=help)
    if not model.errors:
        help = "declare at least the error that all others are, PersisterError"
        place = place_of(model.errors, model.span)
        report.add(Code.SPEC07, "there is no error", place, help=help)
    for name, error in model.errors.items():
        if hasattr(builtins, name):
            help = "give it another name; say `also: ...` for the builtin that it is as well"
            message = f"the error {str(name)!r} is taken by a builtin of Python"
            report.add(Code.SPEC04, message, name.span, help=help)
        if error.also is not None and not is_builtin_exception(error.also):
            names = [it for it in dir(builtins) if is_builtin_exception(it)]
            near = suggest(error.also, names).partition("  ")[0]
            help = near if near.startswith("did") else "name a builtin exception, like ValueError"
            message = f"{str(error.also)!r} is no builtin exception"
            report.add(Code.SPEC01, message, error.also.span, help=help)


def lists_of_names(model: InterfaceModel) -> list[Text]:
    """The operations that have the body of a list."""
    operations = model.operations.items()
    return [it for it, one in operations if one.returns.type == ir.NAMES or it == LIST]


def _check_list(name: Text, operation: OperationModel, report: Report) -> None:
    """An operation that lists names asks one question, and each name is one column."""
    given = ", ".join(operation.parameters)
    help = f"write cases: {{<its order>: {{given: [{given}], answers: <column>}}}}"
    cases = list(operation.cases.values())
    if len(cases) != 1:
        message = f"a list has one case, and {name} has {len(cases)}"
        report.add(Code.SPEC07, message, place_of(operation.cases, name), help=help)
    elif len(cases[0].answers) != 1 or list(cases[0].given) != list(operation.parameters):
        message = f"the case of {name} is not given all that the list is, or answers no one column"
        report.add(Code.SPEC07, message, cases[0].span, help=help)


def _same(
    found: Iterable[Text], wanted: Iterable[str], what: str, whose: str, place: Span, report: Report
) -> None:
    """One mistake, one message: a misspelt name is not missing as well."""
    names, wanted = list(found), list(wanted)
    missing = [it for it in wanted if it not in names]
    for name in names:
        if name in wanted:
            continue
        meant = missing[0] if len(missing) == 1 else closest(name, missing)
        help = suggest(name, wanted)
        if meant is not None:
            missing.remove(meant)
            help = f"{meant!r} is missing; write that, or add it"
        message = f"the templates know no {what} {str(name)!r} {whose}"
        report.add(Code.SPEC07, message, name.span, help=help)
    for it in missing:
        help = f"add '{it}: ...'; the templates use it by its name"
        message = f"the {what} {it!r} {whose} is missing"
        report.add(Code.SPEC07, message, place_of(found, place), help=help)


def fit(names: tuple[Text, ...], declared: Mapping[Text, ParameterModel], report: Report) -> None:
    """The parameters can stand in a signature in this order."""
    seen: set[str] = set()
    optional: Text | None = None
    gathering: Text | None = None
    for name in names:
        model = next((it for key, it in declared.items() if key == name), None)
        if name in seen:
            message = f"the parameter {str(name)!r} stands here twice"
            report.add(Code.SPEC08, message, name.span, help="remove one of them")
        elif model is not None and model.variadic:
            if gathering is not None:
                message = f"{str(gathering)!r} takes all other keyword arguments already"
                report.add(Code.SPEC08, message, name.span, help="remove one of them")
            gathering = name
        elif model is not None and not model.keyword_only and STAR not in seen:
            if model.default is not None:
                optional = name
            elif optional is not None:
                message = f"{str(name)!r} has no default, but {str(optional)!r} before it has one"
                help = "give it a default, or put it in front of those that have one"
                report.add(Code.SPEC08, message, name.span, help=help)
        seen.add(name)


def check_driver(
    model: DriverModel,
    declared: Mapping[Text, ParameterModel],
    family_needs: tuple[str, ...],
    report: Report,
) -> None:
    """The constructor, `from_values` and what they pass on to each other belong together."""
    gathering = {name for name, it in declared.items() if it.variadic}
    constructor = set(model.constructor) - {STAR} - gathering
    from_values = [it for it in model.from_values if it != STAR]
    handed_in, opened_with = model.handed_in, model.opened_with

    def wrong(message: str, place: Span, help: str) -> None:
        report.add(Code.SPEC08, message, place, help=help)

    fit(model.constructor, declared, report)
    fit(model.from_values, declared, report)
    for need in family_needs:
        if need not in constructor:
            place = place_of(model.constructor, model.span)
            wrong(f"the constructor lacks {need!r}", place, f"add {need} to it")
    for name in handed_in:
        parameter = next((it for key, it in declared.items() if key == name), None)
        if name not in constructor:
            message = f"what is handed in, {str(name)!r}, is no parameter of the constructor"
            wrong(message, name.span, f"add {name} to the constructor")
        elif len(handed_in) > 1 and parameter is not None and parameter.default != "None":
            message = f"one of several is handed in, but {str(name)!r} cannot be left out"
            wrong(message, name.span, f"give {name} the default None")
    if not opened_with:
        place = place_of(opened_with, model.span)
        message = "the driver says no parameter that its connection is opened with"
        wrong(message, place, f"write opened_with: [...], with some of {', '.join(from_values)}")
    for name in opened_with:
        if name not in from_values:
            message = f"the connection is opened with {str(name)!r}, which from_values lacks"
            wrong(message, name.span, f"add {name} to from_values")
    opens = {it for it in opened_with if it in constructor}
    for name in from_values:
        if name not in constructor and (opens or name not in opened_with):
            message = f"from_values takes {str(name)!r}, which the constructor does not"
            help = f"add {name} to the constructor, or to opened_with if the connection needs it"
            wrong(message, name.span, help)
    for name in model.constructor:
        parameter = next((it for key, it in declared.items() if key == name), None)
        kept = name in from_values or name in handed_in
        if name in gathering:
            message = f"the constructor cannot take all other keyword arguments as {str(name)!r}"
            wrong(message, name.span, f"name {name} in from_values and opened_with only")
        elif parameter is not None and parameter.default is None and not kept:
            message = f"the constructor needs {str(name)!r}, which from_values does not take"
            wrong(message, name.span, f"add {name} to from_values, or give it a default")


def check_colours(model: BackendModel, report: Report) -> None:
    """A URL names one class in each colour: the first driver's, or that of a library."""
    if not model.drivers:
        place = place_of(model.drivers, model.span)
        help = "add one, with 'colour: sync' or 'colour: async'"
        message = f"the backend {str(model.backend)!r} has no driver"
        report.add(Code.SPEC06, message, place, help=help)
    first: dict[tuple[str, str], Text] = {}
    for name, driver in model.drivers.items():
        library = (driver.requires or name).partition(".")[0]
        other = first.setdefault((driver.colour, library), name)
        if other is not name:
            message = f"{library} has a {driver.colour} driver here already, {str(other)!r}"
            help = "a URL names a colour and a library; make it a backend of its own"
            report.add(Code.SPEC06, message, name.span, help=help)


def check_modules(drivers: Mapping[Text, DriverModel], report: Report) -> None:
    """The classes of a module share its statements."""
    styles: dict[str, DriverModel] = {}
    for driver in drivers.values():
        first = styles.setdefault(str(driver.module), driver)
        if first.parameter_style != driver.parameter_style:
            message = f"the module {str(driver.module)!r} has statements in another style already"
            help = f"write parameter_style: {first.parameter_style}, or give it its own module"
            place = place_of(driver.parameter_style, driver.span)
            report.add(Code.SPEC06, message, place, help=help)


def check_url(model: UrlModel, targets: Mapping[Text, ParameterModel], report: Report) -> None:
    if not model.schemes:
        help = "write {name: {}}, for URLs that begin with name://"
        place = place_of(model.schemes, model.example)
        report.add(Code.SPEC06, "the backend has no URL scheme", place, help=help)
    for scheme in model.schemes:
        if not _SCHEME.fullmatch(scheme):
            message = f"no URL can begin with {str(scheme)!r}"
            help = "use small letters, digits, '+', '-' and '.', a letter first"
            report.add(Code.SPEC04, message, scheme.span, help=help)
    for part in (*model.parts, *model.defaults):
        known(part, URL_PARTS, "the part of a URL", report)
    presets = [key for it in model.schemes.values() for key in it]
    rest = () if model.rest is None else (model.rest,)
    whole = () if model.whole is None else (model.whole,)
    for target in (*whole, *model.parts.values(), *presets, *rest):
        name = Text(target.partition(".")[0], target.at(0, len(target.partition(".")[0])))
        known(name, targets, "the parameter", report)
    written, separator, _ = model.example.partition("://")
    if model.schemes and not model.example:
        place = next(iter(model.schemes)).span
        help = "write example: ..., as users write it; it stands in messages and in the documents"
        report.add(Code.SPEC06, "the URLs have no example", place, help=help)
    elif model.schemes and (not separator or written not in model.schemes):
        message = f"the example begins with none of the schemes {', '.join(model.schemes)}"
        help = f"write {next(iter(model.schemes))}://..."
        report.add(Code.SPEC09, message, model.example.span, help=help)
    elif model.whole is None:
        for extra in sorted(_parts_of(model.example) - {str(it) for it in model.parts}):
            message = f"the example has a {extra}, which no parameter is for"
            help = f"leave it out, or write under parts: {{{extra}: ...}}"
            report.add(Code.SPEC09, message, model.example.span, help=help)


def _parts_of(url: str) -> set[str]:
    """The parts that a URL has."""
    found = urlsplit(url)
    parts = {
        "username": found.username,
        "password": found.password,
        "host": found.hostname,
        "port": re.search(r":\d+$", found.netloc),
        "path": found.path.strip("/"),
    }
    return {name for name, value in parts.items() if value}


def check_vendored(
    models: Iterable[BackendModel], interface: ir.Interface, runtime: Path, report: Report
) -> None:
    """The classes that the spec names and does not generate are in templates/runtime/; those that
    are persisters themselves have every operation."""
    for model in models:
        for driver in model.drivers.values():
            if model.family == "runtime":
                home, wanted = (runtime, runtime), tuple(interface.operations)
                _check_class(driver.class_name, driver.module, *home, report, wanted)
            elif driver.session is not None:
                module, _, name = driver.session.rpartition(".")
                place = driver.session.at(len(driver.session) - len(name), len(name))
                where = Text(module, driver.session.at(0, len(module)))
                _check_class(Text(name, place), where, runtime / "_runtime", runtime, report)


def _check_class(
    name: Text,
    module: Text,
    folder: Path,
    runtime: Path,
    report: Report,
    operations: tuple[str, ...] = (),
) -> None:
    path = folder / f"{module.replace('.', '/')}.py"
    home = path.relative_to(runtime).as_posix()
    if not path.is_file():
        beside = [it.stem for it in path.parent.glob("[!_]*.py")] if path.parent.is_dir() else []
        help = suggest(module.rpartition(".")[2], beside)
        message = f"there is no templates/runtime/{home}"
        report.add(Code.SPEC01, message, module.span, help=help)
        return
    tree = _parsed(path.read_bytes())
    if tree is None:
        return  # said where the file is copied
    classes = {it.name: it for it in tree.body if isinstance(it, ast.ClassDef)}
    imports = [it for it in tree.body if isinstance(it, ast.ImportFrom)]
    if name not in (*classes, *(it.asname or it.name for line in imports for it in line.names)):
        message = f"templates/runtime/{home} has no class {str(name)!r}"
        report.add(Code.SPEC01, message, name.span, help=suggest(name, classes, "its classes"))
        return
    methods = _methods(classes.get(str(name)), classes)
    for operation in operations:
        if operation not in methods:
            message = f"the class {str(name)!r} has no method {operation!r}"
            help = f"write it in templates/runtime/{home}; no template emits it there"
            report.add(Code.SPEC02, message, name.span, help=help)


@functools.cache
def _parsed(source: bytes) -> ast.Module | None:
    """A module of the runtime, parsed once: several backends may share it."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _methods(cls: ast.ClassDef | None, classes: Mapping[str, ast.ClassDef]) -> set[str]:
    """The methods of a class, with those of its bases in the same module."""
    if cls is None:
        return set()
    own = {it.name for it in cls.body if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef)}
    bases = [classes.get(it.id) for it in cls.bases if isinstance(it, ast.Name)]
    return own.union(*(_methods(it, classes) for it in bases))


def check_taken(
    models: Iterable[BackendModel], interface: ir.Interface, runtime: Path, report: Report
) -> None:
    """No two things have the same name, and none the name of what every package has."""
    taken: dict[tuple[str, str], str] = {}
    for colour in ir.COLOURS.values():
        bases = [it.name for it in interface.bases]
        for base in (*bases, "BaseStatePersister"):
            taken["class", f"{colour.prefix}{base}"] = interface.source
    for name in ("State", interface.record_name, *(it.name for it in interface.errors)):
        taken["class", name] = interface.source
    modules: dict[str, str] = dict.fromkeys(_MODULES, "the package itself")
    modules |= {it.stem: "the package itself" for it in runtime.glob("*.py")}

    def take(what: str, name: Text) -> None:
        home = taken.setdefault((what, str(name)), str(name.span))
        if home != str(name.span):
            message = f"the {what} {str(name)!r} is taken by {home}"
            report.add(Code.SPEC04, message, name.span, help="give it another name")

    def take_module(name: Text, what: str, owner: str) -> None:
        home = modules.setdefault(str(name), owner)
        if home != owner:
            message = f"the {what} {str(name)!r} is taken by {home}"
            help = "give it another name; only drivers of one library share a module"
            report.add(Code.SPEC04, message, name.span, help=help)

    for model in models:
        take("backend", model.backend)
        for scheme in model.url.schemes:
            take("scheme", scheme)
        colours: set[str] = set()
        for driver_name, driver in model.drivers.items():
            if driver.colour not in colours:  # the others' stand in their modules only
                take("class", driver.class_name)
            colours.add(driver.colour)
            if model.family != "runtime":
                library = (driver.requires or driver_name).partition(".")[0]
                take_module(driver.module, "module", f"{library} in {model.span.path}")
            for alias in driver.aliases:
                if alias != "persistence":
                    python_name(alias, "the alias", report)
                    take_module(alias, "alias", f"the alias of {driver.module}")
