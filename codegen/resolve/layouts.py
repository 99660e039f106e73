"""Tables of another layout: their queries take and answer what the plain ones do."""

from __future__ import annotations

from collections.abc import Callable

from .. import ir, sql_text
from ..model import SqlBackendModel
from ..nodes import Text
from ..problems import Code, Report, suggest
from ..resolve.names import python_name, sensible

OPENING = "opening"
LARGEST = "largest_sequence_id"
Check = Callable[[Text, Text], object]


def check(
    model: SqlBackendModel, cases: dict[str, ir.Case], check_query: Check, report: Report
) -> None:
    """`check_query` looks at a query of a case by itself, as if it were no layout's."""
    for name, layout in model.layouts.items():
        python_name(name, "the layout", report)
        sensible(layout.doc, "the doc", report)
        for query, sql in layout.queries.items():
            if query not in cases:
                message = f"the query {str(query)!r} of the layout {str(name)!r} answers no case"
                report.add(Code.SPEC01, message, query.span, help=suggest(query, cases))
            elif not sql.strip():
                message = f"the query {str(query)!r} is empty"
                report.add(Code.SPEC02, message, sql.span, help="write a statement behind '|'")
            else:
                check_query(query, sql)
                _check_values(query, sql, model, report)
        _check_chosen(name, model, report)


def _check_values(query: Text, sql: Text, model: SqlBackendModel, report: Report) -> None:
    """The values are sent to whichever of the two statements the table has."""
    plain = next((it for known, it in model.queries.items() if known == query), None)
    taken, wanted = _bound(sql), [] if plain is None else _bound(plain)
    if plain is None or taken == wanted:
        return
    place = sql.at(len(sql) - len(sql.lstrip()), len(sql.split()[0]))
    report.add(
        Code.LAY01,
        f"{str(query)!r} takes {', '.join(taken) or 'nothing'} in this layout",
        place,
        help=f"the class sends {', '.join(wanted)}, in this order: bind each of them once, as in "
        "FROM (SELECT :name AS name, ...)",
    )


def _bound(sql: str) -> list[str]:
    return [it.text for it in sql_text.parts(sql) if it.kind == "bind"]


def _check_chosen(name: Text, model: SqlBackendModel, report: Report) -> None:
    opening = next((sql for query, sql in model.queries.items() if query == OPENING), None)
    if opening is not None and f"'{name}'" not in opening:
        report.add(
            Code.LAY02,
            f"nothing chooses the layout {str(name)!r}",
            name.span,
            help=f"have the query {OPENING!r} answer '{name}' AS layout where the table is one",
        )
