"""Scenarios as they are compared: what is called, and what is expected, each as one text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..model import ExpectModel, ScenarioModel, ScenariosModel, StepModel
from ..nodes import MappingNode, Node, Text
from ..value import Value
from .tree import Fields, Leaf, Tree, grow, is_read, literal, shown


def scenarios(
    files: Mapping[str, ScenariosModel], nodes: Mapping[str, Node]
) -> Iterator[tuple[str, Tree]]:
    for path, file in files.items():
        for name, model in file.scenarios.items():
            yield str(name), scenario(name, model, path, nodes[path])


def scenario(name: Text, model: ScenarioModel, path: str, file: Node) -> Fields:
    grown = grow(model, _behind(file, "scenarios", name), name.span)
    assert isinstance(grown, Fields)
    steps = model.steps
    written, compared = ("\n".join(_step(it, way) for it in steps) for way in (False, True))
    place = steps[0].span if steps else name.span
    expect, wanted = model.expect, (_expected(model.expect, it) for it in (False, True))
    parts = grown.children
    unread = [(it, parts[it]) for it in ("steps", "expect") if not is_read(parts[it])]
    children: dict[str, Tree] = {
        **grown.children,
        "name": Leaf(name, name.span),
        "file": Leaf(path, name.span),
        "steps": Leaf(written, place, compared),
        "expect": Leaf(next(wanted), expect.span, next(wanted)),
    }
    whole = {it: Leaf(shown(part), part.span) for it, part in unread}
    return Fields(children, name.span, {**grown.unread, **whole})


def _behind(node: Node | None, *keys: str) -> Node | None:
    for key in keys:
        pairs = node.pairs if isinstance(node, MappingNode) else ()
        node = next((child for name, child in pairs if name == key), None)
    return node


def _step(step: StepModel, in_order: bool) -> str:
    raises = "" if step.raises is None else f" raises {step.raises}"
    return f"{_calls(step.calls, in_order)}{raises}"


def _expected(expect: ExpectModel, in_order: bool) -> str:
    outcomes = {"nothing": expect.nothing, "done": expect.done}
    words = [name for name, is_so in outcomes.items() if is_so]
    for name in ("state", "returns"):
        value: Value | None = getattr(expect, name)
        if value is not None:
            words.append(f"{name} {literal(value.value)}")
    if expect.record is not None:
        words.append(f"record {_arguments(expect.record, in_order)}")
    if expect.raises is not None:
        mentions = ", ".join(map(repr, expect.raises.mentions))
        words.append(f"raises {expect.raises.error} that mentions {mentions or 'nothing'}")
    return " ".join([_calls(expect.calls, in_order), *words])


def _calls(calls: Mapping[Text, Mapping[Text, Value]], in_order: bool) -> str:
    return " ".join(f"{name}{_arguments(it, in_order)}" for name, it in calls.items())


def _arguments(values: Mapping[Text, Value], in_order: bool) -> str:
    """As a call has them. Their order means nothing; that of the keys in a state does."""
    items = sorted(values.items()) if in_order else values.items()
    return f"({', '.join(f'{name}={literal(it.value)}' for name, it in items)})"
