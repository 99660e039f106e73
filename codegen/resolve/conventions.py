"""What a driver without a module need not say: most of them are opened, and used, alike."""

from __future__ import annotations

from dataclasses import replace

from ..model import DriverModel, SqlBackendModel, UrlModel
from ..nodes import Text
from .libraries import is_of_python

# The parts of a server's URL, and the parameters that they are for.
_PARTS = {"host": "host", "port": "port", "path": "db_name"}
_LOGIN = {"username": "user", "password": "password"}


def conventional(model: SqlBackendModel) -> SqlBackendModel:
    """The backend with what it, or a driver of it, left out."""
    drivers = {name: _completed(driver) for name, driver in model.drivers.items()}
    connects = [it.connect.arguments for it in drivers.values() if it.connect is not None]
    needed = {*_PARTS.values(), *_LOGIN.values()}
    to_a_server = bool(connects) and all(needed <= set(it) for it in connects)
    url = model.url
    if to_a_server and not url.parts and url.whole is None:
        model = replace(model, url=_to_a_server(url))
    return replace(model, drivers=drivers)


def _to_a_server(url: UrlModel) -> UrlModel:
    """Where the server is and who comes; all else that the URL says is for the driver."""

    def text(value: str) -> Text:
        return Text(value, url.example.span)

    parts = {text(part): text(name) for part, name in (_PARTS | _LOGIN).items()}
    return replace(url, parts=parts, rest=url.rest or text("connect_kwargs"))


def _completed(driver: DriverModel) -> DriverModel:
    """A connection may be handed in; else one is opened with what `connect.arguments` lists."""
    connect = driver.connect
    if connect is None:
        return driver

    def texts(*values: str) -> tuple[Text, ...]:
        return tuple(Text(value, driver.span) for value in values)

    arguments = tuple(connect.arguments)
    more = texts("connect_kwargs", "max_connections")
    passed = (*arguments, *texts("table_name", "*", "serde_kwargs"), *more)
    return replace(
        driver,
        extra=driver.extra or _extra(driver),
        create_helper=driver.create_helper or texts("create_table")[0],
        constructor=driver.constructor or texts("connection", "table_name", "serde_kwargs"),
        from_values=driver.from_values or passed,
        handed_in=driver.handed_in or texts("connection"),
        opened_with=driver.opened_with or (*arguments, *more),
    )


def _extra(driver: DriverModel) -> Text | None:
    """Called like the library; what comes with Python needs none."""
    return None if driver.requires is None or is_of_python(driver.requires) else driver.requires
