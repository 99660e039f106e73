"""What PostgreSQL says of a query."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .hearing import Session, Statement
from .steps import Plan, UnknownStep

# They handle what others have found, and gather none of it.
_PASSING = {
    *("Limit", "Result", "Unique", "Append", "Merge Append", "Recursive Union", "Nested Loop"),
    *("CTE Scan", "WorkTable Scan", "Subquery Scan", "Bitmap Heap Scan", "ProjectSet"),
    *("Merge Join", "Gather Merge"),
}
_GATHERING = {"Hash", "Materialize", "Memoize", "Gather", "SetOp"}
_COMPARISON = re.compile(r"(\w+)\"?(?:\)?::\w+)? (=|<=|>=|<|>) ")


def version(session: Session) -> str:
    ((text,),) = session.ask("SHOW server_version")
    return f"PostgreSQL {text.split()[0]}"


def settle(session: Session) -> None:
    """As autovacuum leaves a table: its statistics are known, and its pages are as seen by all."""
    session.do(f'VACUUM (ANALYZE) "{session.table}"')


def explained(session: Session, statement: Statement) -> dict[str, Plan]:
    """With the values known, as each driver sends them; and prepared for whatever values come."""
    sql, values = statement
    # Without being run, a plan lacks what stands inside the answer of a recursive step.
    run = "" if sql.lstrip().upper().startswith("INSERT") else "ANALYZE, TIMING OFF, SUMMARY OFF, "
    explain = f"EXPLAIN ({run}COSTS OFF, FORMAT JSON)"
    known = session.ask(f"{explain} {sql}", values)
    numbers = iter(range(1, len(values) + 1))
    session.do(f"PREPARE question AS {re.sub('%s', lambda _: f'${next(numbers)}', sql)}")
    session.do("SET plan_cache_mode = force_generic_plan")
    try:
        prepared = session.ask(f"{explain} EXECUTE question({_literals(values)})")
    finally:
        session.do("RESET plan_cache_mode")
        session.do("DEALLOCATE question")
    return {"values known": plan_of(known[0][0]), "prepared": plan_of(prepared[0][0])}


def _literals(values: Sequence[Any]) -> str:
    return ", ".join("NULL" if it is None else f"'{it}'" for it in values)


def plan_of(answer: Any) -> Plan:
    """The plan of a JSON document, which some drivers have read already."""
    document = json.loads(answer) if isinstance(answer, str) else answer
    plan = Plan()
    _walk(document[0]["Plan"], plan, limited=False)
    return plan


def _walk(node: dict[str, Any], plan: Plan, *, limited: bool) -> None:
    if "Subplan Name" in node:
        name = re.sub(r" [\d$].*", "", node["Subplan Name"])
        plan, limited = plan.part(name), False
    kind = node["Node Type"]
    for child in node.get("Plans", ()):
        if kind == "Bitmap Heap Scan":  # another way to read the same entries, in no order
            child["Relation Name"] = node["Relation Name"]
        _walk(child, plan, limited=kind == "Limit" or (limited and kind == "Result"))
    if kind == "Seq Scan":
        plan.scan(node["Relation Name"])
    elif kind in ("Index Scan", "Index Only Scan", "Bitmap Index Scan", "Tid Scan"):
        _read(node, plan, limited)
    elif kind in ("Sort", "Incremental Sort"):
        presorted = ", ".join(node.get("Presorted Key", ()))
        keys = ", ".join(node["Sort Key"])
        plan.sort(f"{keys}; in order of {presorted} before" if presorted else keys)
    elif kind == "ModifyTable":
        arbiters = ", ".join(node.get("Conflict Arbiter Indexes", ()))
        plan.write(node["Relation Name"] + (f", unless {arbiters} has its key" if arbiters else ""))
    elif kind in _GATHERING or (kind == "Aggregate" and node["Strategy"] in ("Hashed", "Mixed")):
        plan.temporary(kind.lower())
    elif kind not in _PASSING and kind != "Aggregate":
        raise UnknownStep(__name__, node)


def _read(node: dict[str, Any], plan: Plan, limited: bool) -> None:
    what, index = node["Relation Name"], node.get("Index Name", "its place")
    more = ["index only"] if node["Node Type"] == "Index Only Scan" else []
    condition = node.get("Index Cond", node.get("TID Cond", ""))
    if not condition and (not limited or "Filter" in node):
        # With a limit and a filter too: nobody knows how far the first one that fits is.
        plan.scan(what, index)
        return
    if not condition:
        more.append("as far as the limit")
    if "Filter" in node:
        more.append(f"filtered by {_columns(node['Filter'])}")
    plan.search(what, index, _columns(condition), ", ".join(more))


def _columns(condition: str) -> str:
    found = [f"{column} {how}".removesuffix(" =") for column, how in _COMPARISON.findall(condition)]
    return ", ".join(found) or condition
