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
    if plain is None:
        return
    taken, wanted = _bound(sql), [it.text for it in _bound(plain)]
    wrong = next((it for it, name in zip(taken, wanted, strict=False) if it.text != name), None)
    wrong = wrong or next(iter(taken[len(wanted) :]), None)
    if wrong is None and len(taken) == len(wanted):
        return
    place = sql.span if wrong is None else sql.at(wrong.offset, len(wrong.text) + 1)
    report.add(
        Code.LAY01,
        f"{str(query)!r} takes other values in this layout, or in another order",
        place,
        help=f"the class sends {', '.join(wanted)}: bind each of them once and in this order, as in"
        " FROM (SELECT :name AS name, ...)",
    )


def _bound(sql: str) -> list[sql_text.Part]:
    return [it for it in sql_text.parts(sql) if it.kind == "bind"]


def _check_chosen(name: Text, model: SqlBackendModel, report: Report) -> None:
    opening = next((sql for query, sql in model.queries.items() if query == OPENING), None)
    if opening is not None and f"'{name}'" not in opening:
        report.add(
            Code.LAY02,
            f"nothing chooses the layout {str(name)!r}",
            name.span,
            help=f"have the query {OPENING!r} answer '{name}' AS layout where the table is one",
        )
