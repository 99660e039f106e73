"""JSON Schemas of the spec's documents: what an editor completes, explains and marks as wrong.

They are made of the dataclasses that `decode` reads, and of the names that the interface declares.
A file of the spec says in its first line which one is its own (`modeline`).
"""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Literal, get_args, get_origin

import orjson

from . import ir, model, words
from .decode import Value
from .layers import ITS_OWN, LIKE
from .nodes import Text
from .rendering import Tree
from .resolve import redis
from .resolve.backend import TRAITS
from .resolve.interface import ADDED, COLUMNS
from .resolve.needs import FIELDS, OPERATIONS, STAR, URL_PARTS
from .resolve.sql import OF_EVERY_TABLE, TABLE
from .schema import alternatives, is_optional, keys_of, others_of, words_for

FOLDER = "schema"
# Beside somebody's own backend files, where FOLDER is.
OWN = ".persistry"
SOURCE = "codegen/model.py"
DOCUMENTS: dict[str, type] = {
    "interface": model.InterfaceModel,
    "sql": model.SqlBackendModel,
    "redis": model.RedisBackendModel,
    "mongo": model.MongoBackendModel,
    "runtime": model.RuntimeBackendModel,
    "conformance": model.ScenariosModel,
}
_MODELINE = "# yaml-language-server: $schema="
Schema = dict[str, Any]


def schemas(project: ir.Project, command: str = "make generate") -> Tree:
    """A schema for each kind of document; of the backends, one for each family."""
    printer = _Printer(_known(project.interface) | _parameters(project), command)
    said = {it.name: it for it in project.families}
    printed = {}
    for name, cls in DOCUMENTS.items():
        schema = printed[name] = printer.document(name, cls)
        if LIKE in schema["properties"]:
            family = said.get(name, ir.Family(name, (), ()))
            other = copy.deepcopy(schema)
            needed = _layered(schema, {*family.wordless})
            if family.keys != family.wordless:
                worded = _layered(other, {*family.keys})
                needed = {"if": {"required": [words.KEY]}, "then": worded, "else": needed}
            if name in said:
                printed[f"{name}_family"] = _of_all(schema)
            _with_nulls(schema, (), {*family.keys})
            schema |= {"if": {"required": [LIKE]}, "else": needed}
    return {
        f"{FOLDER}/{name}.json": orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode() + "\n"
        for name, schema in printed.items()
    }


def modeline(path: str, document: str, generated: str = "generated") -> str:
    """The line for the top of a spec file; the paths are relative to one and the same folder."""
    schema = PurePosixPath(generated, FOLDER, f"{document}.json")
    return _MODELINE + PurePosixPath(os.path.relpath(schema, PurePosixPath(path).parent)).as_posix()


@dataclasses.dataclass(frozen=True)
class _Names:
    """What may stand at a place: values (of each item of a list), or keys with their docs.

    Open: these are offered, and others may stand there as well.
    """

    values: tuple[str, ...] = ()
    keys: Mapping[str, str] = dataclasses.field(default_factory=dict)
    required: tuple[str, ...] = ()
    open: bool = False


def _known(interface: ir.Interface) -> dict[tuple[type, str], _Names]:
    """The names that only the interface knows, by the mapping and the key they belong to."""
    fields = {it.name: it.doc for it in interface.fields}
    errors = {it.name: it.doc for it in interface.errors}
    raised = tuple(dict.fromkeys([*errors, *(b for it in interface.errors for b in it.bases)]))
    operations = {it.name: it.doc for it in interface.operations.values()}
    options = {it.name: it.doc for it in interface.options}
    arguments = {
        name: {it.name: it.doc for it in operation.parameters}
        for name, operation in interface.operations.items()
    }
    cases = {
        f"{operation.name}.{case.name}": f"given: {', '.join(case.given)}; "
        f"answers: {', '.join(case.answers)}"
        for operation in interface.operations.values()
        for case in operation.cases
    }
    asked = {it: cases[it] for it in redis.asked(interface)}
    given = tuple(dict.fromkeys([*(it for names in arguments.values() for it in names), *ADDED]))
    statements = OF_EVERY_TABLE | cases
    known: dict[tuple[type, str], _Names] = {
        (model.BackendModel, "traits"): _Names(TRAITS),
        (model.ScenarioModel, "needs"): _Names(TRAITS),
        (model.RuleModel, "raise"): _Names(tuple(errors)),
        (model.StepModel, "raises"): _Names(raised),
        (model.RaisesModel, "error"): _Names(raised),
        (model.OperationModel, "raises"): _closed(errors | _BUILTIN),
        (model.RecordModel, "key"): _Names(FIELDS),
        (model.SqlStoredModel, "unique"): _Names(interface.key),
        (model.SqlStoredModel, "primary_key"): _Names(interface.key),
        (model.MongoStoredModel, "unique"): _Names(interface.key),
        (model.CaseModel, "given"): _Names(given),
        (model.CaseModel, "answers"): _Names(("record", "count", *COLUMNS)),
        (model.BaseModel, "operations"): _Names(tuple(operations), open=True),
        (model.RecordModel, "fields"): _closed(fields, required=True),
        (model.InterfaceModel, "operations"): _Names(
            keys=operations, required=tuple(OPERATIONS), open=True
        ),
        (model.InterfaceModel, "members"): _closed(interface.members, required=True),
        (model.InterfaceModel, "options"): _closed(options, required=True),
        (model.UrlModel, "parts"): _closed(_URL),
        (model.UrlModel, "defaults"): _closed(_URL),
        (model.SqlBackendModel, "queries"): _closed(statements, required=True),
        (model.LayoutModel, "queries"): _closed(cases),
        (model.RedisBackendModel, "queries"): _closed(asked, required=True),
        (model.MongoBackendModel, "queries"): _closed(cases, required=True),
        (model.SqlBackendModel, "names"): _Names(
            keys={TABLE: "the table of the records"}, open=True
        ),
        (model.SqlStoredModel, "columns"): _Names(keys=fields, required=tuple(fields), open=True),
        (model.MongoStoredModel, "fields"): _Names(keys=fields, required=tuple(fields), open=True),
        (model.ExpectModel, "record"): _closed(fields),
    }
    for it in (model.StepModel, model.ExpectModel):
        known[it, "calls"] = _closed(operations)
    for operation, parameters in arguments.items():
        # A wrong one may stand where a TypeError is expected.
        for it in (model.StepModel, model.ExpectModel):
            known[it, operation] = _Names(keys=parameters, open=True)
    return known


def _parameters(project: ir.Project) -> dict[tuple[type, str], _Names]:
    """Those that some class has are offered wherever one is named or declared."""
    classes = [it for backend in project.backends for it in backend.classes]
    found = {it.name: it.doc for one in classes for it in (*one.constructor, *one.from_values)}
    lists = (
        (model.DriverModel, "constructor"),
        (model.DriverModel, "from_values"),
        (model.DriverModel, "opened_with"),
        (model.PoolModel, "opened_with"),
    )
    return dict.fromkeys(lists, _Names((*sorted(found), STAR), open=True))


def _closed(keys: Mapping[str, str], required: bool = False) -> _Names:
    return _Names(keys=keys, required=tuple(keys) if required else ())


_BUILTIN = {"TypeError": "An argument is wrong.", "ValueError": "An argument is wrong."}
_URL = {part: f"the {part} of a URL" for part in URL_PARTS}


class _Printer:
    def __init__(self, known: dict[tuple[type, str], _Names], command: str) -> None:
        self._known = known
        self._command = command

    def document(self, name: str, cls: type) -> Schema:
        printed = self._mapping(cls)
        if "family" in printed["properties"]:
            printed["properties"]["family"]["enum"] = [name]
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$comment": f"Code generated from {SOURCE} by `{self._command}`. DO NOT EDIT.",
            **printed,
            "definitions": {"text": _TEXT},
        }

    def _mapping(self, cls: type) -> Schema:
        keys = keys_of(cls)
        properties = {}
        for key in keys.values():
            printed = self._of(key.type)
            for names in filter(None, (self._known.get((it, key.name)) for it in cls.__mro__)):
                printed = _limited(printed, names)
            if key.one:
                printed = {"anyOf": [printed["items"], printed]}
            properties[key.name] = {"description": key.doc, **printed} if key.doc else printed
        others = others_of(cls)
        if others is not None:
            value = self._of(get_args(others.type)[1])
            for name in self._known[cls, others.field].keys:
                limited = _limited(value, self._known[cls, name])
                properties[name] = {"description": others.doc, **limited}
        return {
            "description": words_for(cls),
            "type": "object",
            "properties": properties,
            "required": [key.name for key in keys.values() if key.required],
            "additionalProperties": False,
        }

    def _of(self, hint: Any) -> Schema:
        members = [it for it in alternatives(hint) if it is not type(None)]
        if Value in members:
            return {}
        printed = [self._one(it) for it in members]
        if is_optional(hint):
            printed.append({"type": "null"})
        return printed[0] if len(printed) == 1 else {"anyOf": printed}

    def _one(self, hint: Any) -> Schema:
        if hint in (Text, str):
            return {"$ref": "#/definitions/text"}
        if hint in (bool, int):
            return {"type": "boolean" if hint is bool else "integer"}
        if dataclasses.is_dataclass(hint):
            return self._mapping(hint)  # type: ignore[arg-type]
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is tuple:
            return {"type": "array", "items": self._of(arguments[0])}
        if origin is dict:
            printed = {"type": "object", "additionalProperties": self._of(arguments[1])}
            if get_origin(arguments[0]) is Literal:
                return _limited(printed, _closed(dict.fromkeys(get_args(arguments[0]), "")))
            return printed
        raise TypeError(f"no field of a spec can be of the type {hint}")


def _layered(schema: Schema, said: set[tuple[str, ...]]) -> Schema:
    """What a backend must say that is like no other and whose family says so much; and nothing of
    that is required by the schema any more."""
    needed = _taken_out(schema, (), said)
    schema["required"] = [it for it in needed["required"] if it in ITS_OWN]
    return needed | {"required": [it for it in needed["required"] if it not in ITS_OWN]}


def _taken_out(schema: Schema, path: tuple[str, ...], said: set[tuple[str, ...]]) -> Schema:
    """The keys that are required there and below. One whose family says only a part is one, too."""
    required = schema.pop("required", ())
    inside = {
        key: _taken_out(child, (*path, key), said)
        for key, child in schema.get("properties", {}).items()
        if (*path, key) not in _WHOLE
    }
    found = {
        "required": [it for it in required if (*path, it) not in said or inside.get(it)],
        "properties": {key: it for key, it in inside.items() if it},
    }
    return {key: it for key, it in found.items() if it}


def _with_nulls(schema: Schema, path: tuple[str, ...], said: set[tuple[str, ...]]) -> None:
    """Where a family says a mapping or a list, null leaves that out."""
    for key, child in schema.get("properties", {}).items():
        if (*path, key) in said:
            _with_nulls(child, (*path, key), said)
            if child.get("type") in ("array", "object"):
                child["type"] = [child["type"], "null"]


def _of_all(schema: Schema) -> Schema:
    """What a family says for its backends: nothing that is a backend's own."""
    properties = {key: it for key, it in schema["properties"].items() if key not in _NOT_OF_ALL}
    return {key: it for key, it in schema.items() if key != "required"} | {
        "description": "what a family says for its backends",
        "properties": properties,
    }


# What is no other backend's is written as a whole, and no family says it.
_WHOLE = {(it,) for it in ITS_OWN}
_NOT_OF_ALL = (*ITS_OWN, LIKE, words.KEY)


# A plain scalar is a text, whatever YAML would make of it.
_TEXT: Schema = {
    "type": ["string", "number", "boolean"],
    "pattern": r"^(?!TODO\b)",
    "patternErrorMessage": "This is still to be written.",
}


def _limited(printed: Schema, names: _Names) -> Schema:
    """The schema of a key with the names that may stand there."""
    if "anyOf" in printed:
        return {"anyOf": [_limited(it, names) for it in printed["anyOf"]]}
    if printed.get("type") == "null":
        return printed
    if names.values:
        if printed.get("type") == "array":
            return printed | {"items": _limited(printed["items"], names)}
        offered = {"enum": list(names.values)}
        return {"anyOf": [offered, printed]} if names.open else offered
    value = printed["additionalProperties"]
    keys = {
        name: {"description": doc, **value} if doc else value for name, doc in names.keys.items()
    }
    others = value if names.open else False
    limited = {"type": "object", "properties": keys, "additionalProperties": others}
    return limited | {"required": list(names.required)} if names.required else limited
