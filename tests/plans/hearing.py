"""A SQL persister's session that notes what it is asked, and can be asked by the test as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.bad_input import Run


class Statement(NamedTuple):
    """What a persister sent: the text for its driver, and the values."""

    sql: str
    values: Sequence[Any]


class Session:
    """Stands between a persister and its session, of either colour."""

    def __init__(self, persister: Any, run: Run) -> None:
        self._session = persister._session
        self._run = run
        self.table = str(persister.table_name)
        self.heard: list[Statement] = []
        persister._session = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def operation(self, name: str, key: object = "") -> Operation:
        return Operation(self._session.operation(name, key), self.heard)

    def taken(self) -> list[Statement]:
        """What was heard since this was last asked."""
        heard, self.heard = self.heard, []
        return heard

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query, sent as the persister sends its own."""
        return self._sent("fetch_all", sql, values)

    def do(self, sql: str) -> None:
        self._sent("execute", sql, ())

    def _sent(self, method: str, sql: str, values: Sequence[Any]) -> Any:
        operation = self._session.operation("plan")
        if hasattr(operation, "__enter__"):
            with operation as it:
                return getattr(it, method)(sql, values)

        async def sent() -> Any:
            async with operation as it:
                return await getattr(it, method)(sql, values)

        return self._run(sent())


class Operation:
    """An operation of the session; its statements are noted before they are sent."""

    def __init__(self, operation: Any, heard: list[Statement]) -> None:
        self._operation, self._heard = operation, heard

    def __enter__(self) -> Operation:
        self._operation.__enter__()
        return self

    def __exit__(self, *raised: Any) -> Any:
        return self._operation.__exit__(*raised)

    async def __aenter__(self) -> Operation:
        await self._operation.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> Any:
        return await self._operation.__aexit__(*raised)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._operation, name)
        if name not in ("execute", "fetch_one", "fetch_all"):
            return method

        def noted(sql: str, values: Sequence[Any] = ()) -> Any:
            self._heard.append(Statement(sql, values))
            return method(sql, values)

        return noted
