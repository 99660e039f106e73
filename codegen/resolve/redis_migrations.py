"""The migrations of a Redis backend: which keys of the generation before each step takes up."""

from __future__ import annotations

from .. import ir
from ..model import KeyStepModel, RedisBackendModel
from ..nodes import Text, place_of
from ..problems import Code, Report
from ..resolve import lua, redis_keys
from ..resolve.generations import KEEP, check_steps, migrates

# The local of every script that is the key which was found.
FOUND = "key"
# The forms of a key's parts that a value can be read from.
_READABLE = ("segment", "number")


def resolve(model: RedisBackendModel, report: Report) -> tuple[ir.KeyMigration, ...]:
    stored = model.stored
    if not migrates(stored):
        if stored.generation > 1:
            message = f"nothing brings keys that are stored to generation {stored.generation}"
            place = place_of(stored.generation, stored.span)
            report.add(Code.SPEC09, message, place, help=f"write 1 and {KEEP}")
        elif stored.migrations:
            message = "nothing carries over the keys of another library"
            place = place_of(stored.migrations, stored.span)
            report.add(Code.SPEC09, message, place, help=f"remove it and {KEEP}")
        return ()
    check_steps(stored.generation, stored.migrations, stored.span, report, first=2)
    if stored.migrations and not any(it.registers_in for it in model.queries.values()):
        message = "no save writes the generation down, so nobody would know what was carried over"
        help = "let the save name its partition: {script: ..., registers_in: ...}"
        report.add(Code.SPEC09, message, place_of(stored.migrations, stored.span), help=help)
    found = []
    for it in stored.migrations:
        if not it.run:
            message = f"the migration to {it.to} does nothing"
            help = "write what it carries over: run: [{each: <old key template>, text: <Lua>}]"
            report.add(Code.SPEC09, message, place_of(it.run, it.span), help=help)
        steps = enumerate(it.run, start=1)
        doc = " ".join(it.doc.split())
        names = tuple(_step(f"to_{it.to}_{n}", step, model, report) for n, step in steps)
        found.append(ir.KeyMigration(it.to, doc, names))
    return tuple(found)


def _step(name: str, step: KeyStepModel, model: RedisBackendModel, report: Report) -> ir.KeyStep:
    each = redis_keys.of_a_slot(Text(FOUND, step.each.span), step.each, report)
    keys = tuple(redis_keys.of_a_slot(name, it, report) for name, it in step.keys.items())
    _refuse_mark([step.each, *step.keys.values()], model, report)
    for (key, template), made in zip(step.keys.items(), keys, strict=True):
        lacking = [it.value for it in made.parts if it.value and it not in each.parts]
        if lacking:
            message = f"the key {str(key)!r} is made of {lacking[0]}, which 'each' does not have so"
            help = "a key is made of the parts of the one that was found, in their forms"
            report.add(Code.KEY05, message, template.span, help=help)
    readable = [it.value for it in each.parts if it.value and it.form in _READABLE]
    given = ("partition_key", *readable)
    for argument in step.arguments:
        if argument not in given:
            message = f"the argument {str(argument)!r} is no value of the key that is found"
            help = f"given here: {', '.join(given)}"
            report.add(Code.LUA03, message, argument.span, help=help)
    if not lua.answers(step.text):
        message = "the script does not say whether it has carried something over"
        help = "let it return 1 if it has, and 0 where nothing is left; it is run until then"
        report.add(Code.SPEC09, message, step.text.span, help=help)
    doc = Text(f"For each {step.each}.", step.each.span)
    title = Text(name, step.span)
    own = list(step.keys)
    script = lua.script(title, own, step.arguments, doc, step.text, report, given=(FOUND,))
    return ir.KeyStep(script, each, keys, tuple(map(str, step.arguments)))


def _refuse_mark(templates: list[Text], model: RedisBackendModel, report: Report) -> None:
    """What stands in the key of the generation is not a migration's business."""
    mark = next((it for name, it in model.keys.items() if name == model.stored.marked_in), None)
    for it in templates:
        if mark is not None and it == mark.template:
            message = f"{str(it)!r} is the key that holds the generation"
            help = "name another; initialize() itself raises the generation, behind the last step"
            report.add(Code.SPEC09, message, it.span, help=help)
