"""What PEP 249 says of every driver, and the field's conventions for what it leaves open."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..limits import Limits
from .pep249_facts import Facts, Values
from .pep249_file import File


class Driver:
    """One driver; whatever is not known of it is done in the way that is right for all.

    Where it can, a connection is used in autocommit mode: a statement is a transaction and one
    round trip. Where it cannot, each statement is committed.
    """

    bears_interrupts = False
    """Whether a call that an exception of a signal handler has ended leaves its connection whole.
    (Such a handler runs in the main thread, between any two steps of a driver that is Python.)"""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @property
    def is_in_process(self) -> bool:
        """Whether the database runs inside of this process: there is no host to connect to."""
        return "host" not in self.facts.arguments

    def check_connection(self, connection: Any) -> None:
        """A `TypeError` or `ValueError` for what cannot be handed in."""
        self.facts.check_connection(connection)

    def check_values(self, **values: Any) -> Values:
        """The values to connect with, or an error that names what is wrong."""
        return Values.checked(self.facts, **values)

    def connect(self, values: Values, limits: Limits) -> Any:
        """A new connection, with the driver's own defaults."""
        connection = self.facts.connect(**values.arguments(limits))
        try:
            for statement in values.on_open(limits):
                cursor = connection.cursor()
                cursor.execute(statement)
                cursor.close()
        except BaseException:
            with contextlib.suppress(Exception):
                connection.close()
            raise
        return connection

    def file_of(self, values: Values) -> File | None:
        """The file of a database in this process; None if it has none, or only the driver knows."""
        return File.at(values.place) if self.is_in_process else None

    def commits_itself(self, connection: Any) -> bool:
        """Whether a connection that is ours commits each statement outside of a transaction."""
        return autocommit_of(connection) is not None

    def is_prepared(self, connection: Any) -> bool:
        """Whether the connection is as `prepare` makes it."""
        return autocommit_of(connection) is not False

    def prepare(self, connection: Any) -> object:
        """Make a connection outside a transaction ours; what `restore` needs is returned."""
        before = autocommit_of(connection)
        if before is False:
            return _set_autocommit(connection, True)
        return None

    def restore(self, connection: Any, before: Any) -> None:
        """Give a connection back as `prepare` found it."""
        _set_autocommit(connection, before)

    def describe(self, connection: Any) -> str:
        """Where a connection leads to: never a password."""
        return "the connection that was handed in"

    def cursor(self, connection: Any) -> Any:
        return connection.cursor()

    def rows(self, cursor: Any) -> list[tuple[Any, ...]]:
        """All rows, as tuples; a connection that was handed in may have others."""
        return [row if type(row) is tuple else as_tuple(row) for row in cursor.fetchall()]

    def is_broken(self, connection: Any) -> bool:
        """Whether the connection is known to be closed or lost."""
        closed, is_open = getattr(connection, "closed", False), getattr(connection, "open", True)
        return bool(not callable(closed) and closed) or not is_open

    def in_transaction(self, connection: Any) -> bool | None:
        """Whether a transaction is open, perhaps a failed one; None if the driver does not say."""
        state = getattr(connection, "in_transaction", None)
        return state if isinstance(state, bool) else None

    def end_transaction(self, connection: Any, *, commit: bool) -> None:
        """End the transaction that is, or may be, open; one that has failed is rolled back."""
        if self.in_transaction(connection) and autocommit_of(connection):
            # The driver did not begin it, so its own methods may see nothing to do.
            cursor = self.cursor(connection)
            cursor.execute("COMMIT" if commit else "ROLLBACK")
            cursor.close()
        else:
            (connection.commit if commit else connection.rollback)()

    def socket_of(self, connection: Any) -> int | None:
        """The descriptor of the connection's socket, if the driver tells it."""
        fileno = getattr(connection, "fileno", None)
        return fileno() if callable(fileno) else None

    def canceller(self, connection: Any) -> Callable[[], object] | None:
        """What has the connection's statement given up, from another thread.

        It may wait long for a server that does not answer, but other threads go on meanwhile.
        """
        return getattr(connection, self.facts.cancel) if self.facts.cancel else None


def arguments_of(sql: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of `execute`: without values none are given, not even an empty tuple, since
    with one some drivers look for parameters in the text, and others do not."""
    return (sql, parameters) if parameters else (sql,)


def as_tuple(row: Any) -> tuple[Any, ...]:
    if isinstance(row, Mapping):
        return tuple(row.values())
    if isinstance(row, Sequence) and not isinstance(row, (str, bytes)):
        return tuple(row)
    raise TypeError(
        f"the connection that was handed in makes each row a {type(row).__name__};"
        " hand in one whose rows are tuples, lists or mappings"
    )


def autocommit_of(connection: Any) -> bool | None:
    """Whether each statement is a transaction; None if the driver cannot be told to do so.

    Drivers have an attribute for it, or a method that sets it and one that tells it.
    """
    mode = getattr(connection, "autocommit", None)
    if callable(mode):
        tell = getattr(connection, "get_autocommit", None)
        return bool(tell()) if callable(tell) else False
    return None if mode is None else mode is True  # a driver may have other modes beside the two


def _set_autocommit(connection: Any, mode: Any) -> Any:
    """Set it, and tell how it was."""
    known = connection.autocommit
    if callable(known):
        known(mode)
        return not mode
    connection.autocommit = mode
    return known
