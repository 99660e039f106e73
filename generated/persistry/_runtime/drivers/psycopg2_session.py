"""PostgreSQL through psycopg2: what the general session has to know of this driver."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import make_dsn

from ..limits import Limits
from .pep249_driver import Driver
from .pep249_facts import Values
from .pep249_session import Pep249Session

__all__ = ["Psycopg2Session"]

_ENCODING = "UTF8"
_ELSEWHERE = {
    "async": "there is an asynchronous persister",
    "async_": "there is an asynchronous persister",
}
_FACTORIES = ("connection_factory", "cursor_factory")
_OPEN = frozenset((extensions.TRANSACTION_STATUS_INTRANS, extensions.TRANSACTION_STATUS_INERROR))


class Psycopg2Driver(Driver):
    """psycopg2 and libpq."""

    bears_interrupts = True

    def check_connection(self, connection: Any) -> None:
        super().check_connection(connection)
        if connection.async_:
            raise ValueError("connection must not be one made with async_=True")

    def check_values(self, **values: Any) -> Values:
        checked = super().check_values(**values)
        for name in _ELSEWHERE.keys() & checked.connect_kwargs.keys():
            raise ValueError(f"connect_kwargs: {name} cannot be given here; {_ELSEWHERE[name]}")
        given = checked.arguments(Limits(1, 1))
        try:
            make_dsn(**{name: value for name, value in given.items() if name not in _FACTORIES})
        except (psycopg2.Error, TypeError) as exc:
            # It names the parameter, never a value.
            raise ValueError(f"connect_kwargs: {str(exc).strip()}") from None
        return checked

    def commits_itself(self, connection: Any) -> bool:
        return True

    def is_prepared(self, connection: Any) -> bool:
        return (
            bool(connection.autocommit)
            and connection.encoding == _ENCODING
            and _reads_dates(_date_style(connection))
        )

    def prepare(self, connection: Any) -> object:
        before = connection.autocommit, connection.encoding, _date_style(connection)
        connection.autocommit = True
        if connection.encoding != _ENCODING:
            connection.set_client_encoding(_ENCODING)
        if not _reads_dates(before[2]):
            self._set_date_style(connection, "ISO")
        return before

    def restore(self, connection: Any, before: tuple[bool, str, str]) -> None:
        autocommit, encoding, date_style = before
        if not _reads_dates(date_style):
            self._set_date_style(connection, date_style)
        if encoding != _ENCODING:
            connection.set_client_encoding(encoding)
        connection.autocommit = autocommit

    def _set_date_style(self, connection: Any, style: str) -> None:
        with self.cursor(connection) as cursor:
            cursor.execute("SET DateStyle = %s", (style,))

    def describe(self, connection: Any) -> str:
        try:
            known = connection.get_dsn_parameters()
        except psycopg2.Error:
            return "a closed connection"
        return f"{known.get('host', '')}:{known.get('port', '')}/{known.get('dbname', '')}"

    def cursor(self, connection: Any) -> Any:
        return connection.cursor(cursor_factory=extensions.cursor)

    def in_transaction(self, connection: Any) -> bool:
        return not connection.closed and connection.get_transaction_status() in _OPEN

    def end_transaction(self, connection: Any, *, commit: bool) -> None:
        if connection.status == extensions.STATUS_BEGIN:  # one that psycopg2 began
            (connection.commit if commit else connection.rollback)()
            return
        with self.cursor(connection) as cursor:
            cursor.execute("COMMIT" if commit else "ROLLBACK")

    def canceller(self, connection: Any) -> Callable[[], object] | None:
        libpq = _libpq()
        return _Canceller(libpq, connection.pgconn_ptr) if libpq else None


def _date_style(connection: Any) -> str:
    """As the server has told it; a session may have changed it since it was opened."""
    return connection.get_parameter_status("DateStyle") or ""


def _reads_dates(style: str) -> bool:
    """Whether psycopg2 reads times that are written like that."""
    return style.startswith("ISO")


class Psycopg2Session(Pep249Session):
    """A persister's access to PostgreSQL; any number of threads may share it."""

    kind: ClassVar[type[Driver]] = Psycopg2Driver


class _Canceller:
    """libpq's own request to cancel a connection's statement.

    psycopg2's `cancel()` waits for the server with all other threads stopped, for ever if the
    server does not answer; `ctypes` lets them go on.
    """

    def __init__(self, libpq: ctypes.CDLL, pgconn: int) -> None:
        self._libpq = libpq
        self._cancel = libpq.PQgetCancel(pgconn)
        weakref.finalize(self, libpq.PQfreeCancel, self._cancel).atexit = False

    def __call__(self) -> object:
        message = ctypes.create_string_buffer(256)
        return self._cancel and self._libpq.PQcancel(self._cancel, message, len(message))


@functools.cache
def _libpq() -> ctypes.CDLL | None:
    """The libpq that psycopg2 itself is linked to; None where its functions are out of reach."""
    with contextlib.suppress(OSError, AttributeError):
        libpq = ctypes.CDLL(psycopg2._psycopg.__file__)
        libpq.PQgetCancel.argtypes = [ctypes.c_void_p]
        libpq.PQgetCancel.restype = ctypes.c_void_p
        libpq.PQcancel.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
        libpq.PQcancel.restype = ctypes.c_int
        libpq.PQfreeCancel.argtypes = [ctypes.c_void_p]
        libpq.PQfreeCancel.restype = None
        return libpq
    return None
