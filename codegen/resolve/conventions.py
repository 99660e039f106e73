"""What a backend file need not say: most drivers are called, opened and used alike."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal, TypeVar

from .. import sql_text
from ..layers import FOLDER as FAMILIES
from ..model import (
    AllowedModel,
    BackendModel,
    CostsModel,
    DriverModel,
    NameModel,
    OwnParameterModel,
    SqlBackendModel,
    UrlModel,
)
from ..nodes import Section, Text
from ..plans import COSTS
from .libraries import is_of_python
from .sql import TABLE, statements

Model = TypeVar("Model", bound=BackendModel)

# The trait of a store that is reached over a network.
_NETWORK = "network"
# The parts of a server's URL, and the parameters that they are for.
_PARTS = {"host": "host", "port": "port", "path": "db_name"}
_LOGIN = {"username": "user", "password": "password"}
# Our parameters for a server, and what most libraries call them.
_KEYWORDS = {"db_name": "database", **{it: it for it in ("user", "password", "host", "port")}}
# The names that need no declaration: the table, and as texts its bare name and its schema.
_NAMES: dict[str, Literal["identifier", "name", "schema"]] = {
    TABLE: "identifier",
    "table_name": "name",
    "schema_name": "schema",
}


def conventional(model: Model) -> Model:
    """The backend with what it, or a driver of it, left out."""
    is_server = _NETWORK in model.traits
    drivers = {it: _called(it, driver, model.title) for it, driver in model.drivers.items()}
    drivers = _as(model.drivers, drivers)
    model = replace(model, drivers=drivers)
    if not isinstance(model, SqlBackendModel):
        return model
    completed = {name: _completed(driver, is_server) for name, driver in drivers.items()}
    drivers = _as(drivers, completed)
    url = _to_a_server(model.url, model.backend) if is_server else model.url
    return replace(model, drivers=drivers, names=_names(model), url=url, plans=_plans(model))


def _as(written: dict[Text, Any], completed: dict[Text, Any]) -> dict[Text, Any]:
    """A mapping that knows the place of the one that it completes."""
    return Section(completed, written.span) if isinstance(written, Section) else completed


def _names(model: SqlBackendModel) -> dict[Text, NameModel]:
    parts = [part for text in statements(model) for part in sql_text.parts(text)]
    used = {TABLE, *(part.text for part in parts if part.kind == "splice")}
    nothing = Text("", model.span)
    left_out = {
        Text(name, model.span): NameModel(nothing, written=written)
        for name, written in _NAMES.items()
        if name in used and name not in model.names
    }
    return _as(model.names, left_out | model.names)


def _plans(model: SqlBackendModel) -> AllowedModel:
    """What a family's query may cost, the same query of a backend may not."""
    texts = {str(name): sql.span.path for name, sql in model.queries.items()}

    def is_meant(reason: Text | None, query: Text) -> bool:
        if reason is None or not reason.span.path.startswith(FAMILIES):
            return reason is not None
        return texts.get(query, reason.span.path) == reason.span.path

    found: dict[Text, CostsModel] = {}
    for query, costs in model.plans.allow.items():
        meant = {it: getattr(costs, it) for it in COSTS if is_meant(getattr(costs, it), query)}
        if meant:
            found[query] = CostsModel(**meant)
    return AllowedModel(_as(model.plans.allow, found))


def _to_a_server(url: UrlModel, name: Text) -> UrlModel:
    """Where the server is and who comes; all else that the URL says is for the driver."""
    scheme = name if name in url.schemes else next(iter(url.schemes), name)

    def text(value: str) -> Text:
        return Text(value, scheme.span)

    defaults = url.defaults
    if not url.parts and url.whole is None:
        parts = {text(part): text(name) for part, name in (_PARTS | _LOGIN).items()}
        defaults = {text("host"): text("localhost"), **defaults}
        url = replace(url, parts=parts, defaults=defaults, rest=url.rest or text("connect_kwargs"))
    port = next((f":{it}" for part, it in defaults.items() if part == "port"), "")
    return replace(
        url, example=url.example or text(f"{scheme}://user:password@localhost{port}/database")
    )


def _called(name: Text, driver: DriverModel, title: str) -> DriverModel:
    """A driver has the name of its library, and its module too; its class that of the store."""
    requires = driver.requires
    if requires is None and driver.connect is not None:
        requires = name
    library = (requires or name).partition(".")[0]
    colour = "Async" if driver.colour == "async" else ""
    class_name = colour + re.sub(r"\W", "", title) + "Persister"
    return replace(
        driver,
        requires=requires,
        module=driver.module or Text(f"b_{library}", name.span),
        class_name=driver.class_name or Text(class_name, name.span),
    )


def _completed(driver: DriverModel, is_server: bool) -> DriverModel:
    """A connection may be handed in; else one is opened with what `connect.arguments` lists."""
    connect = driver.connect
    if connect is None:
        return driver

    def texts(*values: str) -> tuple[Text, ...]:
        return tuple(Text(value, driver.span) for value in values)

    usual = dict(zip(texts(*_KEYWORDS), texts(*_KEYWORDS.values()), strict=True))
    arguments = {**(usual if is_server else {}), **connect.arguments}
    more = texts("connect_kwargs", "max_connections")
    passed = (*arguments, *texts("table_name", "*", "serde_kwargs"), *more)
    return replace(
        driver,
        connect=replace(connect, arguments=_as(connect.arguments, arguments)),
        extra=driver.extra or _extra(driver),
        create_helper=driver.create_helper or texts("create_table")[0],
        parameters=driver.parameters if driver.handed_in else _with_connection(driver),
        constructor=driver.constructor or texts("connection", "table_name", "serde_kwargs"),
        from_values=driver.from_values or passed,
        handed_in=driver.handed_in or texts("connection"),
        opened_with=driver.opened_with or (*arguments, *more),
    )


def _with_connection(driver: DriverModel) -> dict[Text, OwnParameterModel]:
    """What is handed in is the library's Connection, of whatever it is said."""
    name = Text("connection", driver.span)
    said = driver.parameters.get(name, OwnParameterModel(driver.span))
    usual = replace(said, type=said.type or Text(f"{driver.requires}.Connection", driver.span))
    return {**driver.parameters, name: usual}


def _extra(driver: DriverModel) -> Text | None:
    """Called like the library; what comes with Python needs none."""
    return None if driver.requires is None or is_of_python(driver.requires) else driver.requires
