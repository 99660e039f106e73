"""spec/interface.yaml -> the operations, the record and the errors that every class shares."""

from __future__ import annotations

from .. import ir
from ..model import CaseModel, InterfaceModel, OperationModel
from ..nodes import Text, place_of
from ..problems import Code, Report
from ..resolve.names import expression, in_range, known, parameter, python_name
from ..resolve.needs import check_interface, lists_of_names

# What the runtime adds to a save's arguments before a query binds them.
ADDED = ("created_at", "codec")
# The parameters of an operation that lists names, and the class of the runtime that checks them.
_WANTED = {
    ("partition_key", "limit"): "WantedApps",
    ("limit",): "WantedPartitions",
}
# What a case answers when it answers a whole record, in this order.
RECORD_COLUMNS = (
    "app_id",
    "sequence_id",
    "position",
    "status",
    "state",
    "created_at",
    "codec",
)

# What a case may answer of a record.
COLUMNS = ("partition_key", *RECORD_COLUMNS)


def interface(model: InterfaceModel, report: Report) -> ir.Interface:
    check_interface(model, report)
    in_range(model.version, "the version", model.span, report)
    errors = tuple(
        ir.Error(
            name=python_name(name, "the error", report),
            bases=_bases(name, error.also, model),
            doc=str(error.doc),
            attributes=tuple(
                ir.Attribute(
                    str(attribute),
                    expression(it.type, "the type", report),
                    expression(it.default, "the default", report),
                    str(it.doc),
                )
                for attribute, it in error.attributes.items()
            ),
        )
        for name, error in model.errors.items()
    )
    if not model.record.key:
        place = place_of(model.record.key, model.record.name.span)
        report.add(Code.SPEC05, "the key has no parts", place, help="name the fields of the key")
    for part in model.record.key:
        if part not in model.record.fields:
            help = f"the record's fields: {', '.join(model.record.fields)}"
            report.add(
                Code.SPEC05,
                f"the key names {str(part)!r}, which the record does not have",
                part.span,
                help=help,
            )
    operations = {
        str(name): operation(name, it, model, report) for name, it in model.operations.items()
    }
    return ir.Interface(
        source=model.span.path,
        record_name=python_name(model.record.name, "the record", report),
        record_doc=str(model.record.doc),
        fields=tuple(
            ir.Field(
                python_name(name, "the field", report),
                expression(it.type, "the type", report),
                str(it.doc),
            )
            for name, it in model.record.fields.items()
        ),
        key=tuple(map(str, model.record.key)),
        errors=errors,
        options=tuple(
            ir.Parameter(**{**vars(parameter(name, it, report)), "keyword_only": True})
            for name, it in model.options.items()
        ),
        bases=tuple(
            ir.Base(
                python_name(name, "the base class", report),
                str(it.doc),
                tuple(
                    operations[it_name]
                    for it_name in it.operations
                    if known(it_name, model.operations, "the operation", report)
                ),
            )
            for name, it in model.interfaces.items()
        ),
        operations=operations,
        listings=tuple(
            ir.Listing(operations[str(name)], _wanted(name, model.operations[name], report))
            for name in lists_of_names(model)
        ),
        members={str(name): str(doc) for name, doc in model.members.items()},
    )


def _bases(name: Text, also: Text | None, model: InterfaceModel) -> tuple[str, ...]:
    root = next(iter(model.errors), "")
    if name == root:
        return ("Exception",)
    return (str(root),) if also is None else (str(root), str(also))


def operation(
    name: Text, model: OperationModel, interface: InterfaceModel, report: Report
) -> ir.Operation:
    builtin = ("TypeError", "ValueError")
    for error in model.raises:
        known(error, (*interface.errors, *builtin), "the error", report)
    parameters = tuple(parameter(name, it, report) for name, it in model.parameters.items())
    returns = model.returns
    may_lack = model.base == "optional" and returns.type != "None"
    return ir.Operation(
        name=python_name(name, "the operation", report),
        doc=str(model.doc),
        parameters=parameters,
        returns=expression(returns.type, "the type", report),
        returns_doc="" if returns.doc is None else str(returns.doc),
        raises=tuple(ir.Raise(str(error), str(when)) for error, when in model.raises.items()),
        cases=_cases(model, parameters, report),
        is_abstract=model.base == "abstract",
        refusal="must implement" if model.base == "refuses" else "does not offer" * may_lack,
        may_lack=may_lack,
    )


def _wanted(name: Text, model: OperationModel, report: Report) -> str:
    """What checks the arguments of an operation that lists names."""
    parameters = tuple(map(str, model.parameters))
    if parameters in _WANTED:
        return _WANTED[parameters]
    known_ = " or ".join(f"({', '.join(it)})" for it in _WANTED)
    help = f"give it {known_}, or write a class there and name it in codegen/resolve/interface.py"
    given = ", ".join(parameters)
    message = f"no class of _runtime/arguments.py checks a list's parameters ({given})"
    report.add(Code.SPEC07, message, place_of(model.parameters, name), help=help)
    return ""


def _cases(
    model: OperationModel, parameters: tuple[ir.Parameter, ...], report: Report
) -> tuple[ir.Case, ...]:
    """The cases, the most closely given first: the order in which a class tries them."""
    optional = [it.name for it in parameters if "None" in it.type and it.name != "partition_key"]
    for case in model.cases.values():
        for value in case.given:
            known(value, (*model.parameters, *ADDED), "the value", report)
        if case.answers not in (("record",), ("count",)):
            for column in case.answers:
                known(column, COLUMNS, "the column", report)
    cases = sorted(model.cases.items(), key=lambda item: -len(item[1].given))
    return tuple(
        ir.Case(
            name=str(name),
            given=tuple(map(str, case.given)),
            answers=_answers(case),
            decided_by=next((it for it in reversed(optional) if it in case.given), None),
        )
        for name, case in cases
    )


def _answers(case: CaseModel) -> tuple[str, ...]:
    return RECORD_COLUMNS if case.answers == ("record",) else tuple(map(str, case.answers))
