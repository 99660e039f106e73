"""A backend file -> its modules and classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import ir, plans
from ..model import (
    BackendModel,
    DriverModel,
    InterfaceModel,
    MongoBackendModel,
    OwnParameterModel,
    RedisBackendModel,
    RuntimeBackendModel,
    SqlBackendModel,
)
from ..nodes import Text, place_of
from ..problems import Code, Report
from ..resolve import mongo, redis, sql
from ..resolve.connecting import check as check_connecting
from ..resolve.connecting import connecting, session_of
from ..resolve.failures import check_exceptions, failures, packages
from ..resolve.names import (
    dotted_name,
    in_range,
    known,
    parameter,
    python_name,
    sensible,
)
from ..resolve.needs import STAR, check_colours, check_driver, check_modules, check_url
from ..resolve.parameters import Declared, completed

Models = SqlBackendModel | RedisBackendModel | MongoBackendModel | RuntimeBackendModel
TRAITS = ("network", "durable", "initialize", "connection", "table")
# What the templates of a family use of each constructor.
_PARAMETERS = {
    "sql": ("table_name", "serde_kwargs"),
    "redis": ("namespace", "serde_kwargs"),
    "mongo": ("db_name", "collection_name", "serde_kwargs"),
}


def backend(
    model: Models, interface: ir.Interface, written: InterfaceModel, report: Report
) -> ir.Backend:
    python_name(model.backend, "the backend", report)
    sensible(model.title, "the title", report)
    sensible(model.doc, "the doc", report)
    for trait in model.traits:
        known(trait, TRAITS, "the trait", report)
    if ("initialize" in model.traits) != (model.not_initialized == "error"):
        says = "has" if "initialize" in model.traits else "has not"
        message = f"a store that {says} the trait 'initialize' cannot say {model.not_initialized!r}"
        help = "the trait stands for a store whose users must call initialize(): error"
        report.add(Code.SPEC09, message, place_of(model.traits, model.span), help=help)
    check_colours(model, report)
    emitted = not isinstance(model, RuntimeBackendModel)
    if isinstance(model, SqlBackendModel):
        sql.check(model, interface, report)
    shared_parts: Any = None
    if isinstance(model, SqlBackendModel | MongoBackendModel):
        _check_allowed(model, report)
    if isinstance(model, RedisBackendModel):
        shared_parts = redis.resolve(model, interface, report)
    elif isinstance(model, MongoBackendModel):
        shared_parts = mongo.resolve(model, interface, report)
    declared = completed(written.parameters, _own(model), report)
    form = sql.format_of(model) if isinstance(model, SqlBackendModel) and not report else None
    classes = []
    colours: set[str] = set()
    for name, driver in model.drivers.items():
        parts: Any = shared_parts
        if emitted and not _is_complete(name, driver, model, report):
            continue
        if isinstance(model, SqlBackendModel) and form and not report:
            parts = sql.parts(model, form, driver, interface)
        it = _class(model, driver, interface, declared, parts, report)
        classes.append(replace(it, is_chosen=driver.colour not in colours))
        colours.add(driver.colour)
    return ir.Backend(
        name=str(model.backend),
        source=model.span.path,
        family=model.family,
        title=str(model.title),
        doc=str(model.doc),
        traits=tuple(map(str, model.traits)),
        gaps=_gaps(model.gaps),
        layouts=tuple(
            ir.Layout(str(name), _gaps(model.gaps | layout.gaps))
            for name, layout in model.layouts.items()
        )
        if isinstance(model, SqlBackendModel | MongoBackendModel)
        else (),
        urls=_urls(model, declared, report),
        modules=_modules(model, tuple(classes), interface, report),
        classes=tuple(classes),
    )


def _check_allowed(model: SqlBackendModel | MongoBackendModel, report: Report) -> None:
    """What plans may cost is said of queries that there are, each with a reason."""
    for query in model.plans.allow:
        known(query, model.queries, "the query", report)
    for (name, cost), reason in plans.allowed(model).items():
        sensible(reason, f"the reason for the {cost} of {name!r}", report)


def _gaps(gaps: dict[Text, Text]) -> tuple[ir.Gap, ...]:
    return tuple(ir.Gap(str(case), str(reason)) for case, reason in gaps.items())


def _is_complete(name: Text, driver: DriverModel, model: BackendModel, report: Report) -> bool:
    needed = ["requires", "handed_in"]
    if isinstance(model, SqlBackendModel):
        needed += ["parameter_style", "create_helper"]
    missing = [key for key in needed if not getattr(driver, key)]
    if driver.session is None and not isinstance(model, SqlBackendModel):
        missing.append("session")
    elif driver.session is None and driver.connect is None:
        message = f"the driver {str(name)!r} says neither 'connect' nor 'session'"
        help = "write 'connect:', how its library connects; or 'session: ...', a module of its own"
        report.add(Code.SPEC06, message, driver.span, help=help)
        return False
    for key in missing:
        report.add(
            Code.SPEC06,
            f"the driver {str(name)!r} says no {key!r}",
            driver.span,
            help=f"add '{key}: ...'; every class of the family {model.family!r} needs it",
        )
    return not missing


def _own(model: Models) -> dict[Text, OwnParameterModel]:
    return {} if isinstance(model, RuntimeBackendModel) else model.parameters


def _class(
    model: Models,
    driver: DriverModel,
    interface: ir.Interface,
    shared: Declared,
    parts: Any,
    report: Report,
) -> ir.PersisterClass:
    declared = completed(shared, driver.parameters, report)
    before = len(report.problems)

    def listed(names: tuple[Text, ...]) -> tuple[ir.Parameter, ...]:
        """The parameters of these names, as they are declared; keyword-only behind a star."""
        found: list[ir.Parameter] = []
        starred = False
        for name in names:
            if name == STAR:
                starred = True
            elif known(name, declared, "the parameter", report):
                it = parameter(name, declared[name], report)
                found.append(replace(it, keyword_only=it.keyword_only or starred))
        return tuple(found)

    constructor, from_values = listed(driver.constructor), listed(driver.from_values)
    taken = {it.name for it in constructor}
    handed_in = listed(driver.handed_in)
    pool = driver.pool
    opened_with = tuple(it.name for it in listed(driver.opened_with))
    if not isinstance(model, RuntimeBackendModel) and len(report.problems) == before:
        check_driver(driver, declared, _PARAMETERS[model.family], report)
    for imported in (driver.requires, *driver.imports):
        if imported is not None:
            dotted_name(imported, report)
    if isinstance(model, SqlBackendModel):
        check_connecting(driver, model, report)
    elif driver.connect is not None:
        message = f"a driver of the family {model.family!r} cannot be told how to connect"
        help = "remove 'connect'; its session knows"
        report.add(Code.SPEC11, message, driver.connect.span, help=help)
    general = isinstance(model, SqlBackendModel)
    session = session_of(driver) if general else driver.session or Text("", driver.span)
    module, _, session_class = session.rpartition(".")
    if handed_in and not set(opened_with) & taken:
        # from_values passes what it opened through the constructor's own parameter.
        bare = handed_in[0].type.removesuffix(" | None")
        none = handed_in[0].type.removeprefix(bare)
        widened = replace(handed_in[0], type=f"{bare} | {session_class}{none}")
        constructor = tuple(widened if it.name == widened.name else it for it in constructor)
    return ir.PersisterClass(
        name=python_name(driver.class_name, "the class", report),
        is_chosen=True,
        colour=ir.COLOURS[driver.colour],
        module=python_name(driver.module, "the module", report),
        library=None if driver.requires is None else str(driver.requires),
        extra=None if driver.extra is None else str(driver.extra),
        doc=str(model.doc),
        session=session_class,
        session_module=module,
        connect=connecting(driver, handed_in[0].type, model)
        if isinstance(model, SqlBackendModel) and driver.connect and handed_in
        else None,
        constructor=constructor,
        from_values=from_values,
        options=interface.options,
        handed_in=handed_in,
        opened_with=opened_with,
        pool=None
        if pool is None
        else ir.Pool(
            python_name(pool.helper, "the method", report),
            str(pool.doc),
            listed(pool.opened_with),
        ),
        opens_in_constructor=bool(set(opened_with) & taken),
        runs_on_open=isinstance(model, SqlBackendModel)
        and bool(model.connection.on_open)
        and driver.connect is None,
        kept=tuple(it.name for it in from_values if it.name not in opened_with),
        aliases=tuple(map(str, driver.aliases)),
        parts=parts,
    )


def _modules(
    model: Models,
    classes: tuple[ir.PersisterClass, ...],
    interface: ir.Interface,
    report: Report,
) -> tuple[ir.Module, ...]:
    if isinstance(model, RuntimeBackendModel):
        return ()
    in_range(model.stored.generation, "the generation", model.span, report)
    in_range(model.stored.state_bytes, "the number of bytes", model.span, report)
    check_exceptions(model.errors, model.drivers, report)
    check_modules(model.drivers, report)
    modules = []
    for name in dict.fromkeys(it.module for it in classes):
        members = tuple(it for it in classes if it.module == name)
        written = [it for it in model.drivers.values() if it.module == name]
        raised = failures(model.errors, written, model.drivers, interface, report)
        imports = {
            *(str(it.requires) for it in written),
            *(str(other) for it in written for other in it.imports),
            *packages(raised),
        }
        modules.append(
            ir.Module(
                name=name,
                source=model.span.path,
                title=str(model.title),
                imports=tuple(sorted(imports)),
                failures=raised,
                state_bytes=model.stored.state_bytes,
                renamed=tuple(
                    (str(old), str(use)) for it in written for old, use in it.renamed.items()
                ),
                classes=members,
            )
        )
    return tuple(modules)


def _urls(model: Models, declared: Declared, report: Report) -> tuple[ir.Url, ...]:
    url = model.url
    taken = {name for driver in model.drivers.values() for name in driver.from_values}
    check_url(url, {name: it for name, it in declared.items() if name in taken}, report)
    return tuple(
        ir.Url(
            scheme=str(scheme),
            presets=tuple((str(key), str(value)) for key, value in presets.items()),
            parts=tuple((str(key), str(value)) for key, value in url.parts.items()),
            defaults=tuple((str(key), str(value)) for key, value in url.defaults.items()),
            rest=None if url.rest is None else str(url.rest),
            example=f"{scheme}:{url.example.partition(':')[2]}",
            whole=None if url.whole is None else str(url.whole),
        )
        for scheme, presets in url.schemes.items()
    )
