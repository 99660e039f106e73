"""The parameters that a backend or a driver names, completed by those that all may share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..model import OwnParameterModel, ParameterModel
from ..nodes import Text
from ..problems import Code, Report

Declared = dict[Text, ParameterModel]


def completed(
    shared: Mapping[Text, ParameterModel], own: Mapping[Text, OwnParameterModel], report: Report
) -> Declared:
    """Both; what one of its own leaves out is as the shared one of its name has it."""
    found = dict(shared)
    for name, it in own.items():
        base = found.pop(name, None)
        if base is not None:
            said = {key: value for key, value in vars(it).items() if value}
            said.pop("span")
            found[name] = replace(base, **said)
            continue
        for key in ("type", "doc"):
            if getattr(it, key) is None:
                message = f"missing key {key!r} in the parameter {str(name)!r}"
                help = f"add '{key}: ...'; only what spec/interface.yaml has may leave it out"
                report.add(Code.SCH02, message, it.span, help=help)
        type_, doc = it.type or Text("Any", it.span), it.doc or Text("", it.span)
        found[name] = ParameterModel(type_, doc, it.default, it.keyword_only, it.variadic)
    return found
