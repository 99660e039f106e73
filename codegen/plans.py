"""Recorded plans, `spec/plans/*.yaml`: how a store answers each query, and what of it may cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

import yaml

from .model import CostsModel, MongoBackendModel, PlansModel, SqlBackendModel
from .nodes import Text, place_of
from .problems import Code, Report, Span, suggest

FOLDER = "spec/plans"
COMMAND = "make plans"
# The situation of a query that has the same plan in all.
ALWAYS = "always"
COSTS = tuple(it.name for it in fields(CostsModel))

# What it does, and with what: ("search", "table by its_index (a_column)").
Step = tuple[str, str]
# query: situation: steps
Plans = Mapping[str, Mapping[str, Sequence[Step]]]
Planned = SqlBackendModel | MongoBackendModel

_DOES = {"scan": "scans", "sort": "sorts", "temporary": "gathers rows"}
_HEADER = """\
# How {server} answers the queries of spec/backends/{backend}.yaml.
# Recorded by `{command}`, compared by tests/test_plans.py: change the queries, not this file.
"""


def file_of(backend: str, layout: str = "") -> str:
    """Where the plans stand; each layout that the backend knows has its own."""
    return f"{FOLDER}/{backend}.{layout}.yaml" if layout else f"{FOLDER}/{backend}.yaml"


def written(backend: str, server: str, plans: Plans) -> str:
    """The text of a backend's file: a line for each step."""
    data = {
        "backend": backend,
        "recorded_with": server,
        "plans": {
            query: {
                situation: [{kind: text} for kind, text in steps]
                for situation, steps in situations.items()
            }
            for query, situations in plans.items()
        },
    }
    text = yaml.safe_dump(data, sort_keys=False, width=10_000, allow_unicode=True)
    return _HEADER.format(server=server, backend=backend, command=COMMAND) + text


def read(model: PlansModel) -> dict[str, dict[str, list[Step]]]:
    """The plans of a file, as they were recorded."""
    return {
        str(query): {
            str(situation): [(str(kind), str(text)) for it in steps for kind, text in it.items()]
            for situation, steps in situations.items()
        }
        for query, situations in model.plans.items()
    }


def allowed(model: Planned) -> dict[tuple[str, str], Text]:
    """The costs that a backend allows: by query and kind, the reason."""
    return {
        (str(query), kind): reason
        for query, reasons in model.plans.allow.items()
        for kind in COSTS
        if (reason := getattr(reasons, kind)) is not None
    }


def refused(query: str, step: Step, backend: str) -> tuple[str, str]:
    """What is said of a step that costs and is not allowed, and what to do."""
    kind, text = step
    return (
        f"{query!r} {_DOES[kind]}: {text}",
        f"have an index answer it, or say why it may under 'plans' in spec/backends/{backend}.yaml:"
        f' allow: {{{query}: {{{kind}: "..."}}}}',
    )


def costly(plans: Plans, reasons: Mapping[tuple[str, str], str]) -> Iterator[tuple[str, Step]]:
    """The steps that cost and that no reason allows, each query's once."""
    for query, situations in plans.items():
        steps = dict.fromkeys(step for it in situations.values() for step in it)
        for step in steps:
            if step[0] in COSTS and (query, step[0]) not in reasons:
                yield query, step


def check(
    models: Sequence[Planned], recorded: Mapping[str, PlansModel | None], report: Report
) -> None:
    """Every query has a recorded plan, and costs what its backend allows; nothing else is there."""
    places = {
        file_of(str(it.backend), layout): it
        for it in models
        for layout in ("", *map(str, it.layouts))
    }
    for path in recorded:
        if path not in places:
            message = "plans of no backend with queries, and of no layout of one"
            help = f"{suggest(path, places)}; rename it, or delete it"
            report.add(Code.PLAN01, message, Span(path, 1, 1), help=help)
    for path, model in places.items():
        if path not in recorded:
            name = path.removeprefix(f"{FOLDER}/").removesuffix(".yaml")
            message = f"the plans of {name!r} are not recorded"
            report.add(Code.PLAN01, message, Span(path, 1, 1), help=f"run `{COMMAND}`")
        elif (found := recorded[path]) is not None:
            _check_queries(model, found, report)
            _check_costs(model, found, report)
    for model in models:
        of_it = [it for path, it in recorded.items() if it and places.get(path) is model]
        _refuse_unneeded(model, list(map(read, of_it)), report)


def _is_planned(query: str) -> bool:
    """What answers no case is asked for once, when a persister is opened."""
    return "." in query


def _check_queries(model: Planned, found: PlansModel, report: Report) -> None:
    queries = [it for it in model.queries if _is_planned(it)]
    for query in queries:
        if query not in found.plans:
            message = f"there is no plan of {str(query)!r}"
            place = place_of(found.plans, found.span)
            report.add(Code.PLAN01, message, place, help=f"run `{COMMAND}`")
    for query in found.plans:
        if query not in queries:
            message = f"{model.span.path} has no query {str(query)!r}"
            report.add(Code.PLAN01, message, query.span, help=f"run `{COMMAND}`")


def _check_costs(model: Planned, found: PlansModel, report: Report) -> None:
    places = {
        (str(query), (str(kind), str(text))): text.span
        for query, situations in found.plans.items()
        for steps in situations.values()
        for it in steps
        for kind, text in it.items()
    }
    for query, step in costly(read(found), allowed(model)):
        message, help = refused(query, step, str(model.backend))
        report.add(Code.PLAN02, message, places[query, step], help=help)


def _refuse_unneeded(model: Planned, recorded: Sequence[Plans], report: Report) -> None:
    needed = {(query, kind) for plans in recorded for query, (kind, _) in costly(plans, {})}
    planned = {query for plans in recorded for query in plans}
    for (query, kind), reason in allowed(model).items():
        is_known = query in planned or not _is_planned(query)
        if is_known and (query, kind) not in needed:
            message = f"no recorded plan of {query!r} needs the {kind!r} that is allowed"
            report.add(Code.PLAN03, message, reason.span, help="remove it")
