"""Scenarios -> the Python calls that the matrix prints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from .. import ir
from ..decode import Value
from ..model import ExpectModel, ScenarioModel, ScenariosModel, StepModel
from ..nodes import Text, place_of
from ..problems import Code, Report, Span, suggest
from ..resolve.backend import TRAITS
from ..resolve.names import in_range, known, python_name, sensible
from ..schema import keys_of

_OUTCOMES = ("record", "state", "returns", "nothing", "done", "raises")
PROMISES = 12


def themes(
    models: dict[str, ScenariosModel],
    interface: ir.Interface,
    report: Report,
    taken: frozenset[str] = frozenset(),
) -> tuple[ir.Theme, ...]:
    """The scenarios of each file: path -> what it says; none has a name that is taken."""
    resolver = _Resolver(interface, report, taken)
    return tuple(resolver.theme(path, model) for path, model in models.items())


class _Resolver:
    def __init__(self, interface: ir.Interface, report: Report, taken: frozenset[str]) -> None:
        self._interface = interface
        self._taken = taken
        self._report = report
        self._operations = tuple(interface.operations)
        self._found: dict[str, Text] = {}
        bases = (base for error in interface.errors for base in error.bases)
        self._errors = list(dict.fromkeys([*(it.name for it in interface.errors), *bases]))

    def theme(self, path: str, model: ScenariosModel) -> ir.Theme:
        resolved = tuple(self.scenario(name, it) for name, it in model.scenarios.items())
        named = {step.raises for it in resolved for step in it.steps}
        named |= {it.expect.error for it in resolved}
        name = Path(path).stem
        python_name(Text(name, Span(path, 1, 1)), "the file", self._report)
        if not model.scenarios:
            help = "write one, or delete the file"
            place = place_of(model.scenarios, Span(path, 1, 1))
            self._report.add(Code.SPEC09, "the file has no scenario", place, help=help)
        return ir.Theme(
            name=name,
            title=name.replace("_", " ").capitalize(),
            source=path,
            errors=tuple(it.name for it in self._interface.errors if it.name in named),
            scenarios=resolved,
        )

    def scenario(self, name: Text, model: ScenarioModel) -> ir.Scenario:
        if name in self._found:
            self._report.add(
                Code.SCN03,
                f"there is a scenario {str(name)!r} already, at {self._found[name].span}",
                name.span,
                help="rename one of them",
            )
        elif name in self._taken:
            message = f"persistry has a case {str(name)!r} already"
            self._report.add(Code.SCN03, message, name.span, help="give it another name")
        self._found[str(name)] = name
        in_range(model.promise, "the promise", name.span, self._report, most=PROMISES)
        sensible(model.doc, "the doc", self._report)
        for trait in model.needs:
            known(trait, TRAITS, "the trait", self._report)
        called = [name for step in model.steps for name in step.calls] + [*model.expect.calls]
        optional = [it for it in self._interface.may_lack if it in called]
        return ir.Scenario(
            name=python_name(name, "the scenario", self._report),
            promise=model.promise,
            doc=str(model.doc),
            needs=tuple(map(str, (*model.needs, *optional))),
            uninitialized=model.uninitialized,
            steps=tuple(self._step(step) for step in model.steps),
            expect=self._expectation(model.expect),
        )

    def _step(self, model: StepModel) -> ir.Step:
        _, call = self._call(model, "a step", str(model.raises or ""))
        if model.raises is not None:
            known(model.raises, self._errors, "the error", self._report)
        return ir.Step(call, None if model.raises is None else str(model.raises))

    def _expectation(self, model: ExpectModel) -> ir.Expectation:
        error = "" if model.raises is None else str(model.raises.error)
        operation, call = self._call(model, "an expectation", error)
        outcomes = [it for it in _OUTCOMES if getattr(model, it) not in (None, False)]
        fitting = self._fitting(operation)
        if len(outcomes) != 1:
            self._not_one(model.span, "what is expected", outcomes, fitting)
            outcomes = ["done"]
        elif outcomes[0] not in fitting:
            place = place_of(getattr(model, outcomes[0]), model.span)
            message = f"{operation} cannot be expected to give {outcomes[0]!r}"
            help = f"write one of: {', '.join(fitting)}"
            self._report.add(Code.SCN02, message, place, help=help)
        template = f"conformance/_expect_{outcomes[0]}.py.jinja"
        if model.raises is not None:
            known(model.raises.error, self._errors, "the error", self._report)
            mentions = tuple(literal(str(it)) for it in model.raises.mentions)
            return ir.Expectation(template, call, operation, error=error, mentions=mentions)
        value = ""
        if model.record is not None:
            fields = [it.name for it in self._interface.fields]
            if not model.record:
                place = place_of(model.record, model.span)
                help = f"write some of {', '.join(fields)}"
                message = "a record of which nothing is expected"
                self._report.add(Code.SCN02, message, place, help=help)
            for name in model.record:
                known(name, fields, "the field", self._report)
            value = ", ".join(f"{name}={literal(it.value)}" for name, it in model.record.items())
        elif outcomes[0] in ("state", "returns"):
            value = literal(getattr(model, outcomes[0]).value)
        return ir.Expectation(template, call, operation, value=value)

    def _fitting(self, operation: str) -> tuple[str, ...]:
        """What can be expected of an operation, by what it answers."""
        if not operation:
            return _OUTCOMES
        returns = self._interface.operations[operation].returns
        if returns == "None":
            return ("done", "raises")
        if self._interface.record_name in returns:
            return ("record", "state", "nothing", "raises")
        return ("returns", "raises")

    def _call(self, model: StepModel | ExpectModel, what: str, error: str) -> tuple[str, str]:
        keys = [
            *self._operations,
            *keys_of(StepModel if isinstance(model, StepModel) else ExpectModel),
        ]
        before = len(self._report.problems)
        for it in model.calls:
            known(it, keys, f"in {what}, the operation", self._report)
        if len(self._report.problems) > before:
            return "", ""
        if len(model.calls) != 1:
            written = list(map(str, model.calls))
            self._not_one(model.span, f"the operation of {what}", written, self._operations)
            return "", ""
        name, arguments = next(iter(model.calls.items()))
        self._check_arguments(str(name), arguments, error, place_of(arguments, model.span))
        return str(name), f"persister.{name}({self._arguments(str(name), arguments)})"

    def _check_arguments(
        self, operation: str, written: dict[Text, Value], error: str, place: Span
    ) -> None:
        """They fit the signature, unless a TypeError is what is expected."""
        parameters = self._interface.operations[operation].parameters
        names = [it.name for it in parameters]
        for name, value in written.items():
            python_name(name, "the argument", self._report)
            if name not in names and error != "TypeError":
                message = f"{operation} has no parameter {str(name)!r}"
                help = f"{suggest(name, names)}; only where a TypeError is expected may it stand"
                self._report.add(Code.SCN01, message, name.span, help=help)
            if name == "state" and not isinstance(value.value, dict) and not error:
                help = "write {key: value, ...}"
                self._report.add(Code.SCN01, "the state is no mapping", value.span, help=help)
        missing = [it.name for it in parameters if it.default is None and it.name not in written]
        if missing and error != "TypeError" and written.keys() <= set(names):
            message = f"{operation} is not given {' and '.join(missing)}"
            help = f"add {missing[0]}: ..., if it is null then with that word"
            self._report.add(Code.SCN01, message, place, help=help)

    def _arguments(self, operation: str, written: dict[Text, Value]) -> str:
        """Positional as long as nothing is left out, as applications call; keywords afterwards."""
        parameters = self._interface.operations[operation].parameters
        values = {str(name): self._argument(name, it.value) for name, it in written.items()}
        printed = []
        for parameter in parameters:
            if parameter.name not in values or parameter.keyword_only:
                break
            printed.append(values.pop(parameter.name))
        return ", ".join([*printed, *(f"{name}={text}" for name, text in values.items())])

    def _argument(self, name: str, value: Any) -> str:
        return f"State({literal(value)})" if name == "state" else literal(value)

    def _not_one(self, place: Span, what: str, found: list[str], known_: tuple[str, ...]) -> None:
        said = f"{len(found)}: {' and '.join(found)}" if found else "none"
        self._report.add(
            Code.SCN02,
            f"{what} is exactly one, and here is {said}",
            place,
            help=f"write one of: {', '.join(known_)}",
        )


def literal(value: Any) -> str:
    """A literal of a scenario as Python."""
    if isinstance(value, float):
        if math.isnan(value):
            return 'float("nan")'
        return repr(value) if math.isfinite(value) else f'float("{value}")'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, set | frozenset):
        members = ", ".join(sorted(map(literal, value)))  # in the same order every time
        display = f"{{{members}}}" if value else ""
        return display if value and isinstance(value, set) else f"{type(value).__name__}({display})"
    if isinstance(value, str):
        # ASCII, so that lone surrogates and controls can stand in a source file.
        return ascii(value)
    return repr(value)
