"""What SQLite says of a query, and what has SQLite inside."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from .hearing import Session, Statement
from .steps import Plan, UnknownStep

_READ = re.compile(
    r"(?P<how>SEARCH|SCAN) (?P<what>\S+)"
    r"(?: USING (?P<own>AUTOMATIC )?(?:PARTIAL )?(?P<covering>COVERING )?INDEX(?: (?P<index>\w+))?"
    r"| USING (?P<number>(?:INTEGER )?PRIMARY KEY))?(?: \((?P<columns>.*)\))?"
)
_SORT = re.compile(r"USE TEMP B-TREE FOR (.*ORDER BY)")
_GATHER = re.compile(r"USE TEMP B-TREE FOR (.*)|(BLOOM FILTER ON .*)")
_PART = re.compile(
    r"(?:CORRELATED )?(?:SCALAR|LIST) SUBQUERY|CO-ROUTINE|MATERIALIZE|SETUP|RECURSIVE STEP"
    r"|COMPOUND QUERY|LEFT-MOST SUBQUERY|UNION|MULTI-INDEX OR"
)
_NOTHING = re.compile(r"SCAN \d*-?(CONSTANT )?ROWS?$|INDEX \d+$")


def version(session: Session) -> str:
    ((number,),) = session.ask("SELECT sqlite_version()")
    cipher = session.ask("PRAGMA cipher_version")
    return f"SQLCipher {cipher[0][0]}, SQLite {number}" if cipher else f"SQLite {number}"


def settle(session: Session) -> None:
    """Nobody runs ANALYZE on a file of an application: SQLite plans without statistics."""


def explained(session: Session, statement: Statement) -> dict[str, Plan]:
    rows = session.ask(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)
    return {"": plan_of((number, parent, text) for number, parent, _, text in rows)}


def plan_of(rows: Iterable[tuple[int, int, str]]) -> Plan:
    """The rows are a tree: each has a number, and that of the row it stands below."""
    below: dict[int, list[tuple[int, str]]] = defaultdict(list)
    named = set()
    for number, parent, text in rows:
        below[parent].append((number, text))
        named |= {*re.findall(r"^(?:CO-ROUTINE|MATERIALIZE) (\w+)", text)}
    plan = Plan()

    def walk(number: int, plan: Plan) -> None:
        for child, text in below[number]:
            inside = plan
            if _PART.match(text):
                inside = plan.part(re.sub(r" \d+$", "", text).lower())
            elif not _NOTHING.match(text):
                _read(text, plan, named)
            walk(child, inside)

    walk(0, plan)
    return plan


def _read(text: str, plan: Plan, named: set[str]) -> None:
    if found := _SORT.fullmatch(text):
        plan.sort(found[1])
    elif found := _GATHER.fullmatch(text):
        plan.temporary(found[1] or found[2])
    elif not (found := _READ.fullmatch(text)):
        raise UnknownStep(__name__, text)
    elif found["own"]:
        plan.temporary(f"an index on {found['what']}, for this query alone")
    elif found["how"] == "SEARCH":
        columns = re.sub(r" AND ", ", ", found["columns"] or "").replace("=?", "")
        columns = re.sub(r"([<>]=?)\?", r" \1", columns)
        more = "index only" if found["covering"] else ""
        plan.search(found["what"], found["index"] or found["number"], columns, more)
    elif found["what"] not in named:  # what a query inside it answers is no table
        plan.scan(found["what"], found["index"] or "")
