"""Which keys a backend file has: its family decides, and the file says which family it is of."""

from __future__ import annotations

from ..model import (
    FamilyModel,
    MongoBackendModel,
    RedisBackendModel,
    RuntimeBackendModel,
    SqlBackendModel,
)
from ..nodes import MappingNode, Node
from ..problems import Code, Report
from ..schema import keys_of
from .backend import Models

FAMILIES: dict[str, type[Models]] = {
    "sql": SqlBackendModel,
    "redis": RedisBackendModel,
    "mongo": MongoBackendModel,
    "runtime": RuntimeBackendModel,
}
# So many keys are no slip of the pen.
_FOREIGN_AT_LEAST = 3


def is_of_another(node: Node, written: FamilyModel, report: Report) -> bool:
    """Whether its keys are another family's: one problem, and not one for each key."""
    if not isinstance(node, MappingNode):
        return False
    names = {str(key): value for key, value in node.pairs}
    models: dict[str, type] = {**FAMILIES}
    foreign = {it: names.keys() - keys_of(model).keys() for it, model in models.items()}
    meant = min(foreign, key=lambda it: len(foreign[it]))
    there, here = foreign[meant], foreign[written.family]
    if len(here) - len(there) < _FOREIGN_AT_LEAST:
        return False
    listed = ", ".join(it for it in names if it in here)
    report.add(
        Code.SCH04,
        f"the keys of this file are those of the family {meant!r}, not of {written.family!r}",
        names["family"].span,
        help=f"write family: {meant}; or write the file anew, {written.family!r} has no {listed}",
    )
    return True
