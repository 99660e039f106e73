"""The plan of each query is the recorded one, on every SQL store and MongoDB, and costs no more.

`make plans` records them: it is this module with `UPDATE_PLANS=1`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pymongo
import pytest

from codegen import plans
from codegen.model import MongoBackendModel, SqlBackendModel
from codegen.pipeline import Run as Generator
from persistry.conformance.columns import COLUMNS
from persistry.conformance.support.column import Column
from persistry.errors import PersisterError
from tests.bad_input import Run, runner
from tests.plans import (
    Recorded,
    Spoiled,
    difference,
    folded,
    mariadb,
    mongodb,
    planner_of,
    postgresql,
    record,
    recorded,
    sqlite,
)
from tests.plans.steps import UnknownStep
from tests.stores.mongodb import MongoPlace

ROOT = Path(__file__).parents[1]
MakeStore = Callable[[Column], AbstractContextManager[Any]]
GENERATOR = Generator(ROOT)
PROJECT = GENERATOR.project()
MODELS = {str(it.backend): it for it in GENERATOR.models if hasattr(it, "plans")}
PLANNED = [it for it in COLUMNS if it.backend in MODELS]
# The column that plans are recorded with: of each backend, and of each layout of its table.
FIRST = {(it.backend, it.layout): it for it in reversed(PLANNED)}

run = pytest.fixture(runner)


def now(
    column: Column, make_store: MakeStore, run: Run, spoiled: Spoiled | None = None
) -> Recorded:
    assert PROJECT is not None, GENERATOR.problems()
    with make_store(column) as store:
        family = str(MODELS[column.backend].family)
        return record(store, PROJECT.interface, family, run, spoiled or Spoiled())


def costs(backend: str, found: Recorded) -> str:
    """What no reason allows, a line each, and what to do."""
    reasons = plans.allowed(MODELS[backend])
    said = [
        plans.refused(query, step, backend) for query, step in plans.costly(found.plans, reasons)
    ]
    return "\n".join(f"{message}\n  help: {help}" for message, help in said)


@pytest.mark.parametrize("column", PLANNED, ids=lambda it: it.name)
def test_queries_are_answered_as_recorded(column: Column, make_store: MakeStore, run: Run) -> None:
    """By every driver: what it sends may be planned in another way, and is not."""
    found = now(column, make_store, run)
    layout = column.layout
    if os.environ.get("UPDATE_PLANS") == "1" and column == FIRST[column.backend, layout]:
        file = ROOT / plans.file_of(column.backend, layout)
        file.parent.mkdir(exist_ok=True)
        file.write_text(plans.written(column.backend, found.server, found.plans), encoding="utf-8")
    for problem in (
        difference(column.backend, recorded(ROOT, column.backend, layout), found, layout),
        costs(column.backend, found),
    ):
        if problem:
            pytest.fail(problem, pytrace=False)


def test_what_is_recorded_is_what_the_spec_has_and_allows() -> None:
    generator = Generator(ROOT)
    generator.project()
    generator.check_plans()
    assert generator.problems() == ""


def test_every_backend_with_a_planner_is_asked() -> None:
    asked = {backend for backend, layout in FIRST if not layout}
    assert {"mariadb", "mongodb", "postgresql", "sqlcipher", "sqlite"} <= asked == set(MODELS)
    assert all(isinstance(it, SqlBackendModel | MongoBackendModel) for it in MODELS.values())


# What a change of the spec may do to a plan is noticed, and said


def drop(index: str) -> Spoiled:
    """An index is gone: from a collection, or from a table."""

    def dropped(where: Any) -> None:
        if hasattr(where, "drop_index"):
            where.drop_index(index)
        else:
            where.do(f"DROP INDEX {index.format(table=where.table)}")

    return Spoiled(store=dropped)


def put(old: str, new: str) -> Spoiled:
    """A statement has another text."""
    return Spoiled(statement=lambda sql: sql.replace(old, new))


class Case(NamedTuple):
    """What is spoiled, which query shows it, by which line of the difference, and what it costs."""

    backend: str
    spoiled: Spoiled
    query: str
    line: str
    cost: str


NEWEST = "ORDER BY last_write DESC LIMIT ?"
OF_PARTITION = "write_number = (SELECT max(write_number) FROM"
SPOILED = {
    "no index in SQLite": Case(
        *("sqlite", drop("{table}_heads_order"), "load.latest_of_partition"),
        *("+    - search: table_heads by PRIMARY KEY (partition_key)", "sort"),
    ),
    "another order in SQLite": Case(
        *(
            "sqlite",
            put(NEWEST, NEWEST.replace("last_write", "app_id || ''")),
            "list_app_ids.newest",
        ),
        *("+    - sort: ORDER BY", "sort"),
    ),
    "an expression in SQLCipher": Case(
        *(
            "sqlcipher",
            put(NEWEST, NEWEST.replace("last_write", "app_id || ''")),
        ),
        *("list_app_ids.newest", "+    - sort: ORDER BY", "sort"),
    ),
    "no index in PostgreSQL": Case(
        *("postgresql", drop("{table}_order"), "load.latest_of_partition"),
        *("+    - sort: write_number DESC, created_at DESC", "sort"),
    ),
    "an expression in PostgreSQL": Case(
        *("postgresql", put("partition_key = ", "partition_key || '' = ")),
        *("load.latest_of_partition", "+    - scan: table", "scan"),
    ),
    "no index in MariaDB": Case(
        *("mariadb", drop("ps_apps ON {table}"), "list_app_ids.newest"),
        *("-    - search: table by ps_apps (partition_key, app_id), one of each group", ""),
    ),
    "an expression in MariaDB": Case(
        *("mariadb", put(OF_PARTITION, "-write_number IN (SELECT -write_number FROM")),
        *("load.latest_of_partition", "+    - scan: table", "scan"),
    ),
    "no index in MongoDB": Case(
        *("mongodb", drop("ps_order"), "load.latest_of_partition"),
        *("+    - sort: write_number DESC", "sort"),
    ),
}


@pytest.mark.parametrize("case", SPOILED.values(), ids=SPOILED)
def test_another_plan_is_noticed(case: Case, make_store: MakeStore, run: Run) -> None:
    found = now(FIRST[case.backend, ""], make_store, run, case.spoiled)
    said = difference(case.backend, recorded(ROOT, case.backend), found)
    assert f"spec/plans/{case.backend}.yaml" in said and "run `make plans`" in said
    assert re.search(rf"\n.  {case.query}:(\n.   .*)*\n{re.escape(case.line)}", said), said
    refused = costs(case.backend, found)
    if case.cost:
        assert f"{case.query!r} {case.cost}s: " in refused
        assert (
            f'in spec/backends/{case.backend}.yaml: allow: {{{case.query}: {{{case.cost}: "..."}}}}'
            in refused
        )


def test_a_backend_without_plans_is_told_what_to_run() -> None:
    said = difference("no_backend", recorded(ROOT, "no_backend"), Recorded("1.0", {}))
    assert (
        said
        == "spec/plans/no_backend.yaml is missing; run `make plans`, review the file and commit it"
    )


def test_of_situations_only_what_matters_is_told() -> None:
    search, scan = [("search", "table by its_key")], [("scan", "table")]
    found = {(place, limit): search for place in ("here", "there") for limit in ("few", "all")}
    assert folded(found) == {"always": search}
    found |= {("here", "all"): scan, ("there", "all"): scan}
    assert folded(found) == {"few": search, "all": scan}
    found |= {("there", "all"): search}
    assert list(folded(found)) == ["here, few", "here, all", "there, few", "there, all"]


def test_a_step_that_nobody_taught_us_is_no_step_that_costs_nothing() -> None:
    with pytest.raises(UnknownStep, match=r"tests/plans/sqlite\.py .* 'TELEPORT t'"):
        sqlite.plan_of([(1, 0, "TELEPORT t")])
    with pytest.raises(UnknownStep, match="postgresql"):
        postgresql.plan_of([{"Plan": {"Node Type": "Teleport"}}])
    with pytest.raises(UnknownStep, match="mariadb"):
        mariadb.plan_of({"query_block": {"teleported": {"table": {}}}})
    with pytest.raises(UnknownStep, match="mongodb"):
        mongodb.plan_of({"queryPlanner": {"winningPlan": {"stage": "TELEPORT"}}})


@pytest.mark.parametrize("filtered", [False, True])
def test_the_first_by_an_index_is_found_unless_it_has_to_be_looked_for(filtered: bool) -> None:
    """What a limit ends is no scan; with a filter, the limit may come after all of the table."""
    kind = "scan" if filtered else "search"
    index = {"Relation Name": "t", "Index Name": "t_order"}
    read = {"Node Type": "Index Scan", **index, **({"Filter": "(p = 'x')"} if filtered else {})}
    plan = postgresql.plan_of([{"Plan": {"Node Type": "Limit", "Plans": [read]}}])
    assert [it for it, _ in plan.lines()] == [kind]
    entries = {
        "stage": "IXSCAN",
        "indexName": "t_order",
        "indexBounds": {"n": ["[MinKey, MaxKey]"]},
    }
    fetch = {"stage": "FETCH", "inputStage": entries, **({"filter": {}} if filtered else {})}
    winner = {"stage": "LIMIT", "inputStage": fetch}
    (step,) = mongodb.plan_of({"queryPlanner": {"winningPlan": winner}}).lines()
    assert step[0] == kind


def test_all_of_a_collection_is_a_scan() -> None:
    winner = {"stage": "LIMIT", "inputStage": {"stage": "COLLSCAN"}}
    (step,) = mongodb.plan_of({"queryPlanner": {"winningPlan": winner}}).lines()
    assert step == ("scan", "table")


@pytest.mark.parametrize("hint", ["by_n", "by_m"])
def test_all_that_mongodb_is_told_is_explained(mongodb_place: MongoPlace, hint: str) -> None:
    """A hint to take an index, too: a plan without it would be another one."""
    commands = mongodb.Commands()
    options: Any = {"event_listeners": [commands], "timeoutMS": 5000}
    with pymongo.MongoClient(mongodb_place.url, **options) as client:
        database = client["persistry_test_explained"]
        for name in ("n", "m"):
            database.hinted.create_index(name, name=f"by_{name}")
        commands.heard.clear()
        assert list(database.hinted.find({"n": 1, "m": 1}, hint=hint)) == []
        (command,) = commands.heard
        answer = database.command("explain", mongodb.explained(command))
        client.drop_database(database.name)
    (step,) = mongodb.plan_of(answer).lines()
    assert step == ("search", f"table by {hint} ({hint[-1]})")


def test_a_planner_that_nobody_knows() -> None:
    class Session:
        def ask(self, sql: str) -> Any:
            raise PersisterError("no such function")

    with pytest.raises(LookupError, match="there are sqlite, postgresql, mariadb"):
        planner_of(Session())  # type: ignore[arg-type]
