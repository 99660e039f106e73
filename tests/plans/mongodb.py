"""What MongoDB says of a query."""

from __future__ import annotations

import json
from typing import Any

from pymongo.monitoring import CommandListener, CommandStartedEvent

from tests.bad_input import Calls, Run

from . import seeding
from .questions import Question
from .steps import Plan, UnknownStep

# A partition that another library began, whose documents have no number of ours.
CONTINUED = {"partition of two libraries": "continued"}
# What of a command has no say in its plan, and stands beside `explain` instead of in it.
_BESIDE = ("$db", "$clusterTime", "$readPreference", "lsid", "maxTimeMS")
_PASSING = {
    *("LIMIT", "FETCH", "PROJECTION_SIMPLE", "PROJECTION_COVERED", "PROJECTION_DEFAULT"),
    *("SORT_MERGE", "EOF", "OR", "MERGE"),
}
_PASSING_STAGES = {"$groupByDistinctScan", "$limit", "$project", "$match"}
_EVERYTHING = ("[MinKey, MaxKey]", "[MaxKey, MinKey]")


class Commands(CommandListener):
    """The commands that a persister sends, as the server gets them."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.heard.append(dict(event.command))

    def succeeded(self, event: Any) -> None: ...
    def failed(self, event: Any) -> None: ...


class Collection:
    """A persister's collection, and the plans of what the persister asks of it."""

    def __init__(self, store: Any, run: Run) -> None:
        self._commands, self._run = Commands(), run
        options = {"mongo_client_kwargs": {"event_listeners": [self._commands]}}
        self._persister = Calls(run(store.open(**options)), run)
        client = store.place.client
        self.collection = client[store.names["db_name"]][store.names["collection_name"]]
        self.server = f"MongoDB {client.server_info()['version']}"

    def close(self) -> None:
        self._persister.cleanup()

    def seed(self) -> None:
        """The first step of each application is saved, the rest are copies of what was sent."""
        self._persister.initialize()
        for partition, app_id in seeding.applications():
            seeding.save(self._persister, partition, app_id, 0)
        sent = [it["documents"][0] for it in self._taken("insert")]
        self.collection.insert_many(
            {**it, "_id": f"{number}, {step}", "sequence_id": step}
            for step in range(1, seeding.STEPS)
            for number, it in enumerate(sent)
        )
        (partition,) = CONTINUED.values()
        ours = ("_id", "partition", "write_number", "codec")
        of_older = {key: it for key, it in sent[0].items() if key not in ours}
        self.collection.insert_many(
            {**of_older, "partition_key": partition, "app_id": f"old-{app}", "sequence_id": step}
            for step in range(seeding.STEPS)
            for app in range(seeding.APPLICATIONS)
        )
        # And goes on: these are newer than all of the other library's.
        for app in range(seeding.APPLICATIONS):
            seeding.save(self._persister, partition, f"app-{app}", seeding.STEPS - 1)

    def asked(self, question: Question) -> dict[str, Plan]:
        """The plan of each case: of all the commands that are sent to answer it."""
        self._commands.heard.clear()
        question.ask(self._persister)
        plans = {case: Plan() for case in question.cases}
        (last,) = question.cases[-1:]  # an insert is not explained, and has no plan
        for number, command in enumerate(self._taken("find", "aggregate")):
            explain = ("explain", explained(command))
            answer = self.collection.database.command(*explain, verbosity="queryPlanner")
            if number:
                plans[last].parts.append(("the next round trip", plan_of(answer)))
            else:
                plans[last] = plan_of(answer)
        return plans

    def _taken(self, *names: str) -> list[dict[str, Any]]:
        heard, self._commands.heard = self._commands.heard, []
        return [it for it in heard if next(iter(it)) in names]


def explained(command: dict[str, Any]) -> dict[str, Any]:
    """All that may change the plan; a server refuses to explain what it does not know."""
    return {key: it for key, it in command.items() if key not in _BESIDE}


def plan_of(answer: dict[str, Any]) -> Plan:
    plan = Plan()
    _walk_answer(answer, plan)
    return plan


def _walk_answer(answer: dict[str, Any], plan: Plan) -> None:
    if "stages" in answer:
        _walk_stages(answer["stages"], plan)
    else:
        winner = answer["queryPlanner"]["winningPlan"]
        _walk(winner.get("queryPlan", winner), plan, fetched=False, limited=False)


def _walk_stages(stages: list[dict[str, Any]], plan: Plan) -> None:
    for stage in stages:
        ((name, it),) = [pair for pair in stage.items() if pair[0].startswith("$")]
        if name == "$cursor":
            _walk_answer(it, plan)
        elif name == "$sort":
            plan.sort(_keys(it["sortKey"]))
        elif name == "$group":
            plan.temporary(f"group by {json.dumps(it['_id'])}")
        elif name == "$unionWith":
            _walk_stages(it["pipeline"], plan.part("union with"))
        elif name not in _PASSING_STAGES:
            raise UnknownStep(__name__, stage)


def _walk(node: dict[str, Any], plan: Plan, *, fetched: bool, limited: bool) -> None:
    stage = node["stage"]
    fetched = fetched or stage == "FETCH"
    # With a filter as well, nobody knows how far the first one that fits is.
    passes_on = stage.startswith(("PROJECTION", "FETCH")) and "filter" not in node
    ends = stage == "LIMIT" or (limited and passes_on)
    for child in (node.get("inputStage"), *node.get("inputStages", ())):
        if child is not None:
            _walk(child, plan, fetched=fetched, limited=ends)
    if stage == "COLLSCAN":
        plan.scan("table")
    elif stage in ("IXSCAN", "DISTINCT_SCAN"):
        _read(node, plan, fetched=fetched, limited=limited)
    elif stage == "SORT":
        plan.sort(_keys(node["sortPattern"]))
    elif stage == "GROUP":
        plan.temporary("group")
    elif stage not in _PASSING:
        raise UnknownStep(__name__, node)


def _read(node: dict[str, Any], plan: Plan, *, fetched: bool, limited: bool) -> None:
    bounds = node["indexBounds"].items()
    columns = ", ".join(it for it, values in bounds if values[0] not in _EVERYTHING)
    if node["stage"] == "DISTINCT_SCAN":
        plan.search("table", node["indexName"], columns, "one of each")
    elif columns or (limited and "filter" not in node):
        plan.search("table", node["indexName"], columns, "" if fetched else "index only")
    else:
        plan.scan("table", node["indexName"])


def _keys(keys: dict[str, int]) -> str:
    return ", ".join(f"{name}{' DESC' if way < 0 else ''}" for name, way in keys.items())
