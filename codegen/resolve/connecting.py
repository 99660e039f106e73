"""A driver that needs no module of its own: how it connects, checked against its parameters."""

from __future__ import annotations

from .. import ir, sql_text
from ..model import ConnectModel, DriverModel, SqlBackendModel
from ..nodes import Text, place_of
from ..problems import Code, Report, suggest
from ..resolve.names import dotted_name, known, python_name, sensible

LIMITS = ("connect_timeout", "operation_timeout")
# The session of a driver without a module, and what it does with these by itself.
GENERAL = {
    "sync": "drivers.pep249_session.Pep249Session",
    "async": "drivers.awaited_session.AwaitedSession",
}
# In a statement: how long it may take, or wait.
MILLISECONDS = "milliseconds"
_TAKEN = ("connect_kwargs", "max_connections")


def session_of(driver: DriverModel) -> Text:
    """The session that stands with the driver, or the general one of its colour."""
    if driver.session is not None:
        return driver.session
    return Text(GENERAL[driver.colour], driver.span)


def connecting(driver: DriverModel, connection_type: str, model: SqlBackendModel) -> ir.Connect:
    """What the general session is given. `check` has found nothing wrong."""
    connect = driver.connect
    assert connect is not None
    suits = model.connection.suits
    return ir.Connect(
        constant="_ASYNC_DRIVER" if driver.colour == "async" else "_DRIVER",
        call=str(connect.call or f"{driver.requires}.connect"),
        connection_type=connection_type.removesuffix(" | None").partition("[")[0],
        arguments=_texts(connect.arguments),
        fixed=tuple((str(name), repr(it.value)) for name, it in connect.fixed.items()),
        timeouts=_texts(connect.timeouts),
        cancel=None if connect.cancel is None else str(connect.cancel),
        on_open=tuple(sql_text.compiled(it, "qmark")[0] for it in model.connection.on_open),
        suits=None if suits is None else str(suits.query),
        advice=None if suits is None else str(suits.advice),
    )


def _texts(pairs: dict[Text, Text]) -> tuple[tuple[str, str], ...]:
    return tuple((str(key), str(value)) for key, value in pairs.items())


def check(driver: DriverModel, model: SqlBackendModel, report: Report) -> None:
    """Each parameter that a connection is opened with has one place where it goes, and no other."""
    _check_spliced(driver, model, report)
    connect = driver.connect
    if connect is None:
        return
    given = [it for it in driver.opened_with if it not in _TAKEN]
    for it, keyword in connect.arguments.items():
        if it in given:
            python_name(keyword, "the driver's keyword", report)
            continue
        help = f"{suggest(it, given)}; or add {it} to opened_with"
        message = f"the connection is not opened with {str(it)!r}"
        report.add(Code.SPEC11, message, it.span, help=help)
    spliced = {part.text for text in model.connection.on_open for part in _splices(text)}
    misspelt = [it for it in connect.arguments if it not in given]
    for it in given if not misspelt else ():
        if it not in connect.arguments and it not in spliced:
            place = place_of(connect.arguments, connect.span)
            message = f"nothing is done with {str(it)!r}, which the connection is opened with"
            help = f"write {it}: and the driver's keyword for it under connect.arguments"
            report.add(Code.SPEC11, message, place, help=help)
    for keyword, limit in connect.timeouts.items():
        python_name(keyword, "the driver's keyword", report)
        known(limit, LIMITS, "the time limit", report)
    _check_fixed(connect, report)
    _check_once(connect, report)
    if connect.call is not None:
        dotted_name(connect.call, report)
        if driver.requires is not None and not connect.call.startswith(f"{driver.requires}."):
            roots = [str(it) for it in (driver.requires, *driver.imports)]
            if connect.call.rpartition(".")[0] not in roots:
                message = f"{str(connect.call)!r} is of no module that the driver imports"
                help = f"it begins with one of {', '.join(roots)}; add another to 'imports'"
                report.add(Code.SPEC01, message, connect.call.span, help=help)


def _check_fixed(connect: ConnectModel, report: Report) -> None:
    for keyword, it in connect.fixed.items():
        python_name(keyword, "the driver's keyword", report)
        if not isinstance(it.value, (str, int, float, bool, type(None))):
            message = f"{str(keyword)!r} cannot be given always as {it.value!r}"
            help = "write a text, a number, true, false or null; what else it needs is a module"
            report.add(Code.SPEC11, message, it.span, help=help)


def _check_once(connect: ConnectModel, report: Report) -> None:
    seen: set[str] = set()
    for keyword in (*connect.arguments.values(), *connect.fixed, *connect.timeouts):
        if keyword in seen:
            message = f"the driver is given {str(keyword)!r} twice"
            help = "remove one of them; each keyword has one value"
            report.add(Code.SPEC11, message, keyword.span, help=help)
        seen.add(str(keyword))


def _check_spliced(driver: DriverModel, model: SqlBackendModel, report: Report) -> None:
    """What a statement on a new connection names in braces is a value that it is opened with."""
    for text in model.connection.on_open:
        for part in _splices(text):
            place = text.at(part.offset, len(part.text) + 2)
            if driver.connect is None:
                message = f"nothing fills {{{part.text}}} for a driver without 'connect'"
                help = "write 'connect:' for the driver, or write the statement out"
                report.add(Code.SQL06, message, place, help=help)
            elif part.text not in (*driver.opened_with, MILLISECONDS):
                message = f"unknown name {{{part.text}}}"
                names = (*driver.opened_with, MILLISECONDS)
                help = suggest(part.text, names, "what the connection is opened with")
                report.add(Code.SQL06, message, place, help=help)


def check_begin(begin: Text, report: Report) -> None:
    sensible(begin, "what begins a transaction", report)
    for part in sql_text.parts(begin):
        if part.kind in ("bind", "splice") and part.text != MILLISECONDS:
            length = len(part.text) + (1 if part.kind == "bind" else 2)
            message = f"nothing fills {begin[part.offset : part.offset + length]!r}"
            help = "only {milliseconds} can be written here, the time that is left"
            report.add(Code.SQL06, message, begin.at(part.offset, length), help=help)


def _splices(text: Text) -> list[sql_text.Part]:
    return [part for part in sql_text.parts(text) if part.kind == "splice"]
