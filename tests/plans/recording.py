"""The plans of a column's queries, as they are written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from codegen import ir
from codegen.plans import ALWAYS, Plans, Step
from persistry.errors import PersisterError
from tests.bad_input import Calls, Run

from . import mariadb, mongodb, postgresql, questions, seeding, sqlite
from .hearing import Session, Statement
from .steps import Plan

# Each knows what one planner says. Which one a store has, it is asked.
PLANNERS = (sqlite, postgresql, mariadb)
Found = dict[str, dict[tuple[str, ...], list[Step]]]


@dataclass(frozen=True)
class Recorded:
    server: str
    plans: Plans


@dataclass(frozen=True)
class Spoiled:
    """What a test does to see that it shows in the plans."""

    store: Callable[[Any], object] = lambda store: None
    """To the SQL session, or the collection, when it is filled."""
    statement: Callable[[str], str] = lambda sql: sql
    """To each SQL statement before it is explained."""


AS_IT_IS = Spoiled()


def record(
    store: Any, interface: ir.Interface, family: str, run: Run, spoiled: Spoiled = AS_IT_IS
) -> Recorded:
    """Fill the store, and ask it for the plan of each query."""
    recorded = {"sql": _of_sql, "mongo": _of_mongo}[family]
    server, found = recorded(store, interface, run, spoiled)
    plans = {case: folded(situations) for case, situations in found.items()}
    return Recorded(server, plans)


def folded(found: Mapping[tuple[str, ...], list[Step]]) -> dict[str, list[Step]]:
    """The situations without the words on which no plan depends."""
    situations = dict(found)
    for place in reversed(range(len(next(iter(situations))))):
        fewer: dict[tuple[str, ...], list[Step]] = {}
        for words, steps in situations.items():
            if fewer.setdefault((*words[:place], *words[place + 1 :]), steps) != steps:
                break
        else:
            situations = fewer
    return {", ".join(words) or ALWAYS: steps for words, steps in situations.items()}


def _of_sql(store: Any, interface: ir.Interface, run: Run, spoiled: Spoiled) -> tuple[str, Found]:
    persister = Calls(run(store.open()), run)
    try:
        persister.initialize()
        session = Session(persister.persister, run)
        planner, server = planner_of(session)
        seeding.seed(persister, session)
        planner.settle(session)
        spoiled.store(session)
        found: Found = {}
        for question in questions.questions(interface, questions.PARTITIONS):
            session.taken()
            question.ask(persister)
            heard = session.taken()
            if len(heard) != len(question.cases):
                raise ValueError(f"one statement each for {question.cases}, not {heard}")
            for case, (sql, values) in zip(question.cases, heard, strict=True):
                statement = Statement(spoiled.statement(sql), values)
                for how, plan in planner.explained(session, statement).items():
                    situation = (*question.situation, *([how] if how else []))
                    found.setdefault(case, {})[situation] = _lines(plan, session.table)
        return server, found
    finally:
        persister.cleanup()


def planner_of(session: Session) -> tuple[ModuleType, str]:
    """The module whose question for the version the store answers, and the answer."""
    for planner in PLANNERS:
        try:
            return planner, planner.version(session)
        except PersisterError:
            continue
    known = ", ".join(it.__name__.rpartition(".")[2] for it in PLANNERS)
    raise LookupError(f"no module of tests/plans/ knows this store's planner; there are {known}")


def _of_mongo(store: Any, interface: ir.Interface, run: Run, spoiled: Spoiled) -> tuple[str, Found]:
    collection = mongodb.Collection(store, run)
    try:
        collection.seed()
        spoiled.store(collection.collection)
        found: Found = {}
        partitions = questions.PARTITIONS | mongodb.CONTINUED
        for question in questions.questions(interface, partitions):
            for case, plan in collection.asked(question).items():
                found.setdefault(case, {})[question.situation] = _lines(plan, store.name)
        return collection.server, found
    finally:
        collection.close()


def _lines(plan: Plan, table: str) -> list[Step]:
    return [(kind, text.replace(table, "table")) for kind, text in plan.lines()]
