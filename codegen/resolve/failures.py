"""How the drivers of a module fail: their own rules first, then those that all drivers share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .. import ir
from ..model import ConflictModel, DriverModel, ErrorsModel, RuleModel
from ..nodes import Text, place_of
from ..problems import Code, Report, suggest
from ..resolve.libraries import check_exists
from ..resolve.names import expression, is_builtin_exception, known, sensible

_FILLED = ("connect_timeout", "operation_timeout")


def failures(
    shared: ErrorsModel,
    drivers: Sequence[DriverModel],
    every: Mapping[Text, DriverModel],
    interface: ir.Interface,
    report: Report,
) -> ir.Failures:
    """What the drivers of one module raise, and the error each exception becomes."""
    sources = [*(it.errors for it in drivers if it.errors is not None), shared]
    bases = dict.fromkeys(base for it in sources for base in it.base)
    if not bases:
        help = "write base: [...], the exceptions that all failures of the drivers are"
        message = "no exception of the drivers is translated"
        report.add(Code.SPEC10, message, place_of(shared.base, shared.span), help=help)
    attribute = _attribute(sources, report)
    written = [rule for it in sources for rule in (*it.rules, *_borrowed(it, every, report))]
    conflict = next((it.conflict for it in sources if it.conflict is not None), None)
    if conflict is not None:
        _check_sign(conflict, attribute, report)
    _check_order(written, report)
    for rule in written:
        _check_rule(rule, attribute, interface, report)
    rules = tuple(_rule(rule, report) for rule in written)
    return ir.Failures(
        bases=tuple(expression(base, "the exception", report) for base in bases),
        code_attribute=None if attribute is None else str(attribute),
        rules=rules,
        conflict=None if conflict is None else _conflict(conflict, report),
        errors=tuple(sorted({rule.error for rule in rules})),
    )


def _borrowed(
    model: ErrorsModel, every: Mapping[Text, DriverModel], report: Report
) -> tuple[RuleModel, ...]:
    """The rules of another driver, over the same library; not those for its own exceptions."""
    if model.rules_of is None or not known(model.rules_of, every, "the driver", report):
        return ()
    errors = every[model.rules_of].errors
    found = () if errors is None else errors.rules
    return tuple(rule for rule in found if rule.exception is None)


def check_exceptions(shared: ErrorsModel, drivers: dict[Text, DriverModel], report: Report) -> None:
    """Each exception is one that the modules can see which name it."""
    roots = {name: _roots(it) for name, it in drivers.items()}
    every = sorted({root for it in roots.values() for root in it})
    for name, driver in drivers.items():
        if driver.errors is not None:
            _check_imported(driver.errors, roots[name], report)
    _check_imported(shared, every, report)
    for exception in _exceptions(shared):
        root = exception.partition(".")[0]
        lacking = [repr(str(name)) for name, imported in roots.items() if root not in imported]
        if root in every and lacking:
            drivers_ = "driver" if len(lacking) == 1 else "drivers"
            verb = "does" if len(lacking) == 1 else "do"
            message = f"the {drivers_} {' and '.join(lacking)} {verb} not import {root}"
            help = f"write the rule under the errors of a driver, or add {root} to 'imports'"
            report.add(Code.SPEC01, message, exception.at(0, len(root)), help=help)


def packages(found: ir.Failures) -> set[str]:
    """The modules that hold the exceptions."""
    names = [*found.bases, *(rule.exception for rule in found.rules if rule.exception is not None)]
    if found.conflict is not None and found.conflict.exception is not None:
        names.append(found.conflict.exception)
    return {name.rpartition(".")[0] for name in names if "." in name}


def _roots(driver: DriverModel) -> list[str]:
    imports = [it for it in (driver.requires, *driver.imports) if it is not None]
    return sorted({it.partition(".")[0] for it in imports})


def _exceptions(model: ErrorsModel) -> list[Text]:
    found = [*(rule.exception for rule in model.rules)]
    if model.conflict is not None:
        found.append(model.conflict.exception)
    return [*model.base, *(it for it in found if it is not None)]


def _check_imported(model: ErrorsModel, roots: Iterable[str], report: Report) -> None:
    for name in _exceptions(model):
        root = name.partition(".")[0]
        if root not in roots and not ("." not in name and is_builtin_exception(name)):
            message = f"the exception {str(name)!r} is of no module that a driver imports"
            help = f"{suggest(root, roots, 'imported')}; add another to 'imports' of a driver"
            report.add(Code.SPEC01, message, name.at(0, len(root)), help=help)
        else:
            check_exists(name, report)


def _attribute(sources: list[ErrorsModel], report: Report) -> Text | None:
    """Where the exceptions keep their code: one place for all drivers of a module."""
    found = [it.code_attribute for it in sources if it.code_attribute is not None]
    for other in found[1:]:
        if other != found[0]:
            message = f"the exceptions' code is in {str(found[0])!r} already"
            help = "drivers that share a module name the same attribute"
            report.add(Code.SPEC10, message, other.span, help=help)
    return found[0] if found else None


def _check_order(rules: list[RuleModel], report: Report) -> None:
    """Each rule can be the first one that fits."""
    every: dict[Text | None, RuleModel] = {}
    hidden: dict[Text | None, list[RuleModel]] = {}
    for rule in rules:
        taken = next((it for it in (None, rule.exception) if it in every), rule.exception)
        if taken in every:
            hidden.setdefault(taken, []).append(rule)
        elif not rule.codes and not rule.messages:
            every[rule.exception] = rule
    for exception, behind in hidden.items():
        earlier, rule = every[exception], behind[0]
        line = (earlier.exception or earlier.raises).span.line
        what = "exception" if exception is None else exception
        more = f", nor {_more(len(behind) - 1)} behind it" if len(behind) > 1 else ""
        message = f"this rule never fits{more}: the one in line {line} takes every {what}"
        help = "put it in front of that one, or remove it"
        place = rule.span if rule.exception is None else rule.exception.span
        report.add(Code.SPEC10, message, place, help=help)


def _more(number: int) -> str:
    return "the one" if number == 1 else f"the {number}"


def _check_rule(
    rule: RuleModel, attribute: Text | None, interface: ir.Interface, report: Report
) -> None:
    known(rule.raises, [error.name for error in interface.errors], "the error", report)
    sensible(rule.advice, "the advice", report)
    _check_sign(rule, attribute, report)
    for match in re.finditer(r"\{(\w*)\}", rule.advice):
        if match[1] not in _FILLED:
            place = rule.advice.at(match.start(), len(match[0]))
            help = suggest(match[1], _FILLED)
            report.add(Code.SPEC01, f"nothing fills {match[0]} in an advice", place, help=help)


def _check_sign(sign: RuleModel | ConflictModel, attribute: Text | None, report: Report) -> None:
    """What is looked for can be found."""
    for part in (*sign.codes, *sign.messages):
        sensible(part, "what the rule looks for", report)
    if sign.codes and attribute is None:
        message = "the rule names codes, but no attribute of the exception holds them"
        help = "write code_attribute: ... under errors, like sqlite_errorname or sqlstate"
        report.add(Code.SPEC10, message, sign.codes[0].span, help=help)
    if isinstance(sign, ConflictModel) and not (sign.exception or sign.codes or sign.messages):
        message = "every failure would be a conflict"
        help = "name the codes, messages or exception by which a record that is there shows"
        report.add(Code.SPEC10, message, sign.span, help=help)


def _conflict(sign: ConflictModel, report: Report) -> ir.Sign:
    exception = sign.exception
    return ir.Sign(
        exception=None if exception is None else expression(exception, "the exception", report),
        codes=tuple(map(str, sign.codes)),
        messages=tuple(map(str, sign.messages)),
    )


def _rule(rule: RuleModel, report: Report) -> ir.Rule:
    exception = rule.exception
    return ir.Rule(
        error=str(rule.raises),
        exception=None if exception is None else expression(exception, "the exception", report),
        advice=str(rule.advice),
        codes=tuple(map(str, rule.codes)),
        messages=tuple(map(str, rule.messages)),
        may_have_saved=rule.may_have_saved,
        repeat=rule.repeat,
    )
