"""What MariaDB says of a query."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .hearing import Session, Statement
from .steps import Plan, UnknownStep

# What is told of a step; all other dicts and lists are steps.
_TOLD = {"possible_keys", "used_key_parts", "ref", "partitions"}
_PASSING = {
    "query_block",
    "nested_loop",
    "query_specifications",
    "recursive_union",
    "read_sorted_file",
}
_PARTS = {"subqueries": "subquery", "materialized": "derived table"}
_SEARCHES = ("const", "eq_ref", "ref", "ref_or_null", "range", "index_merge")


def version(session: Session) -> str:
    ((text,),) = session.ask("SELECT @@version")
    if "MariaDB" not in text:
        pytest.skip(f"the plans are MariaDB's; this is MySQL {text}, whose planner is another one")
    return f"MariaDB {text.partition('-')[0]}"


def settle(session: Session) -> None:
    """As the server does it by itself, after a tenth of the rows has changed."""
    session.ask(f"ANALYZE TABLE `{session.table}`")


def explained(session: Session, statement: Statement) -> dict[str, Plan]:
    ((document,),) = session.ask(f"EXPLAIN FORMAT=JSON {statement.sql}", statement.values)
    return {"": plan_of(json.loads(document))}


def plan_of(document: dict[str, Any]) -> Plan:
    plan = Plan()
    _walk(document, plan)
    return plan


def _walk(node: Any, plan: Plan) -> None:
    for name, value in node.items():
        if not isinstance(value, dict | list) or name in _TOLD:
            continue
        inside = plan.part(_PARTS[name]) if name in _PARTS else plan
        for it in value if isinstance(value, list) else [value]:
            _walk(it, inside)
        if name == "table":
            _read(value, plan)
        elif name == "filesort":
            plan.sort(value["sort_key"])
        elif name in ("temporary_table", "union_result"):
            plan.temporary(name.replace("_", " "))
        elif name not in (*_PASSING, *_PARTS):
            raise UnknownStep(__name__, {name: value})


def _read(table: dict[str, Any], plan: Plan) -> None:
    how, name = table.get("access_type"), table.get("table_name", "")
    if "message" in table:  # it was answered while planning: by an index's end, or for lack of rows
        plan.search("an index", "its end" if "optimized" in table["message"] else "no row")
    elif how == "ALL":
        plan.scan(name)
    elif how == "index":
        plan.scan(name, table["key"])
    elif how in _SEARCHES:
        more = ["range"] if how == "range" else []
        more += ["index only"] if table.get("using_index") else []
        if table.get("using_index_for_group_by"):
            more = ["one of each group"]
        plan.search(name, table["key"], ", ".join(table["used_key_parts"]), ", ".join(more))
    elif how is None:
        plan.write(name)
    else:
        raise UnknownStep(__name__, table)
