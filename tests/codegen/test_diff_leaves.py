"""No leaf of a spec file can change unseen, and what says the same is no change.

Every value of every file is written otherwise or removed, or one is added, and the spec is
compared with itself as it was. One that cannot be decoded any more is refused, which is seen too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from codegen.decode import Value, _Decoder, decode
from codegen.diff import resolved, scenarios, tree
from codegen.diff.between import changed
from codegen.model import BackendModel, ScenarioModel, ScenariosModel
from codegen.nodes import ListNode, MappingNode, Node, ScalarNode, Text
from codegen.pipeline import Written
from codegen.problems import Code, Report, Span
from codegen.resolve.parameters import Declared, completed
from tests.codegen.specs import Texts, around, decoded, laid, read, texts_of, written

ROOT = Path(__file__).parents[2]
FILES = sorted(texts_of(ROOT))
FAMILIES = [it for it in FILES if "families" in it]
SCENARIOS = [it for it in FILES if "conformance" in it]
# Words of which another one is as good.
OTHERS = (
    {"sync": "async", "client": "server", "abstract": "optional", "refuses": "optional"}
    | {"optional": "abstract", "never": "error", "error": "never", "identifier": "text"}
    | {"text": "name", "name": "text", "qmark": "format", "format": "qmark", "dollar": "qmark"}
    | {"true": "false", "false": "true", "double_quotes": "backticks", "schema": "name"}
    | {"backticks": "double_quotes", "escape_string": "plain", "doubled": "plain"}
)


def known(function: Callable[..., Any], key: Callable[..., Any]) -> Callable[..., Any]:
    """The function, asked once for the same things: of a file nearly all stays as it was."""
    found: dict[Any, Any] = {}

    def asked(*given: Any) -> Any:
        name = key(*given)
        if name not in found:
            found[name] = given, function(*given)  # with the things, so that their ids stay theirs
        return found[name][1]

    return asked


@pytest.fixture(autouse=True)
def known_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a decoded file, only what stands around the changed value is decoded anew."""
    decode = _Decoder.decode

    def by_node(self: _Decoder, node: Node, hint: Any, place: Any) -> Any:
        key = id(node), id(hint)
        if key not in parts:
            before = len(self._report.problems)
            value = decode(self, node, hint, place)
            if len(self._report.problems) > before:
                return value  # its problems are told each time
            parts[key] = node, hint, value
        return parts[key][2]

    parts: dict[Any, Any] = {}
    monkeypatch.setattr(_Decoder, "decode", by_node)
    grow = known(tree.grow, lambda value, node, span: (id(value), id(node), span))
    for module in (tree, resolved, scenarios):
        monkeypatch.setattr(module, "grow", grow)
    scenario = known(scenarios.scenario, lambda name, model, path, node: (id(model), path))
    monkeypatch.setattr(scenarios, "scenario", scenario)
    once = {
        "completed": lambda shared, own, report: (ids(shared), ids(own)),
        "_Driver": lambda model, shared: (id(model), ids(shared)),
        "_Backend": lambda model, spec: (id(model), ids(spec.interface.parameters)),
        "_Side": id,
        "_interface": lambda model, nodes, used: (id(model), frozenset(used)),
    }
    sides = known(resolved._Side.resolved, lambda side, used: (id(side), frozenset(used)))
    monkeypatch.setattr(resolved._Side, "resolved", sides)
    for name, key in once.items():
        monkeypatch.setattr(resolved, name, known(getattr(resolved, name), key))


def ids(parameters: Any) -> tuple[int, ...]:
    return tuple(map(id, parameters.values()))


def variants(node: Node) -> Iterator[tuple[str, Node]]:
    """The node with one value in it changed, removed or added; and what was done."""
    if isinstance(node, ScalarNode):
        for text in other_texts(node):
            value = replace(node, text=Text(text, node.text.span))
            yield f"{node.text.span} {str(node.text)!r} written as {text!r}", value
        return
    children = node.pairs if isinstance(node, MappingNode) else node.items
    for number, child in enumerate(children):
        key, inner = child if isinstance(child, tuple) else (None, child)
        span = inner.span if key is None else key.span
        for done, other in variants(inner):
            yield done, with_children(node, children, number, [(key, other)])
        yield f"{span} removed", with_children(node, children, number, [])
        if number + 1 < len(children):
            continue
        more = (None if key is None else Text(f"{key}_more", key.span)), next_of(inner)
        yield f"{span} once more", with_children(node, children, number, [(key, inner), more])


def with_children(
    node: Any, children: Any, number: int, new: list[tuple[Text | None, Node]]
) -> Any:
    found = [it if it[0] is not None else it[1] for it in new]
    items = (*children[:number], *found, *children[number + 1 :])
    return replace(node, **({"pairs" if isinstance(node, MappingNode) else "items": items}))


def other_texts(node: ScalarNode) -> tuple[str, ...]:
    text = str(node.text)
    if not node.quoted and text.removeprefix("-").isdecimal():
        return (str(int(text) + 1),)
    return (OTHERS[text], f"{text}x") if text in OTHERS else (f"{text}x",)


def next_of(node: Node) -> Node:
    """Another one, at a place of its own; of a single value, so that a list has it not twice."""
    if isinstance(node, ScalarNode):
        return replace(node, text=Text(other_texts(node)[-1], elsewhere(node.span)))
    return moved(node)


def moved(node: Node) -> Node:
    if isinstance(node, ScalarNode):
        return replace(node, text=Text(str(node.text), elsewhere(node.span)))
    if isinstance(node, ListNode):
        return replace(node, items=tuple(map(moved, node.items)), span=elsewhere(node.span))
    pairs = ((Text(str(key), elsewhere(key.span)), moved(child)) for key, child in node.pairs)
    return replace(node, pairs=tuple(pairs), span=elsewhere(node.span))


def elsewhere(span: Span) -> Span:
    return replace(span, line=span.line + 100_000)


def needed(path: str, texts: Texts) -> Texts:
    """What a file's meaning depends on: parameters of the interface are those of all classes."""
    if path == "spec/interface.yaml":
        return {name: it for name, it in texts.items() if "conformance" not in name}
    return around(path, texts) | {it: texts[it] for it in (path, "spec/interface.yaml")}


def with_file(spec: Written, path: str, node: Node, model: Any) -> Written:
    nodes = {**spec.nodes, path: node}
    if path == "spec/interface.yaml":
        return replace(spec, interface=model, nodes=nodes)
    if path.startswith("spec/conformance/"):
        return replace(spec, scenarios={**spec.scenarios, path: model}, nodes=nodes)
    nodes[path] = laid(node, Report(), raw(spec)) or node
    backends = tuple(model if it.span.path == path else it for it in spec.backends)
    return replace(spec, backends=backends, nodes=nodes)


def raw(spec: Written) -> dict[str, Node]:
    """The files of a spec, as they are written."""
    texts = texts_of(ROOT)
    return {path: read(path, texts[path]) for path in spec.nodes}


def check(model: BackendModel, shared: Declared, report: Report) -> None:
    """What the next stage refuses: half a parameter, two migrations to one generation."""
    steps = [it.to for it in getattr(getattr(model, "stored", None), "migrations", ())]
    if len(set(steps)) < len(steps):
        report.add(Code.SPEC09, "twice", model.span, help="write one")
    declared = completed(shared, getattr(model, "parameters", {}), report)
    for driver in model.drivers.values():
        completed(declared, driver.parameters, report)


def said(value: Any) -> Any:
    """What a model says, wherever it stands."""
    if isinstance(value, Value):
        return repr(value.value)
    if is_dataclass(value):
        return {it.name: said(getattr(value, it.name)) for it in fields(value) if it.name != "span"}
    if isinstance(value, dict):
        return {key: said(it) for key, it in value.items()}
    return tuple(map(said, value)) if isinstance(value, tuple) else value


@pytest.mark.parametrize("path", [it for it in FILES if it not in (*SCENARIOS, *FAMILIES)])
def test_every_leaf_counts(path: str, texts: Texts) -> None:
    spec = written(needed(path, texts))
    files = raw(spec)
    root = files[path]
    before = decoded(path, root, Report(), files)
    spec = with_file(spec, path, root, before)
    seen = 0
    for done, node in variants(root):
        report = Report()
        model = decoded(path, node, report, files)
        if isinstance(model, BackendModel):
            check(model, spec.interface.parameters, report)
        if report:
            continue
        if changed(spec, with_file(spec, path, node, model)):
            seen += 1
        else:  # a default that is written down, or is not any more, says nothing new
            assert said(model) == said(before), done
    assert seen > 20


@pytest.mark.parametrize("path", FAMILIES)
def test_every_leaf_of_a_family_counts(path: str, texts: Texts) -> None:
    """Each of them is taken over by a backend, which is then another one."""
    spec = written({name: it for name, it in texts.items() if "conformance" not in name})
    files = raw(spec)
    seen = 0
    for done, node in variants(files[path]):
        report = Report()
        now = {**files, path: node}
        names = [it for it in files if it.startswith("spec/backends/")]
        models = [decoded(it, files[it], report, now) for it in names]
        if report:
            continue
        nodes = now | {it: laid(files[it], Report(), now) or files[it] for it in names}
        assert changed(spec, replace(spec, backends=tuple(models), nodes=nodes)), done
        seen += 1
    assert seen > 10


@pytest.mark.parametrize("path", SCENARIOS)
def test_every_leaf_of_a_scenario_counts(path: str, texts: Texts) -> None:
    """None means anything to another, so one leaf of each is changed at a time."""
    spec = written(needed(path, texts))
    before = spec.scenarios[path].scenarios
    ((key, nodes),) = cast(MappingNode, spec.nodes[path]).pairs
    assert isinstance(nodes, MappingNode)

    def others(changes: dict[Text, tuple[str, Node, ScenarioModel]]) -> set[str]:
        """The scenarios that something is said of."""
        pairs = ((name, changes[name][1]) for name, _ in nodes.pairs if name in changes)
        root = MappingNode(((key, replace(nodes, pairs=tuple(pairs))),), nodes.span)
        model = ScenariosModel({name: it for name, (_, _, it) in changes.items()})
        return {it.path.split(".")[1] for it in changed(spec, with_file(spec, path, root, model))}

    assert others({}) == set(before)
    same = {name: ("", node, before[name]) for name, node in nodes.pairs}
    assert others(same) == set()
    seen = 0
    for round in zip_longest(*(variants(it) for _, it in nodes.pairs)):
        changes = {}
        for (name, _), variant in zip(nodes.pairs, round, strict=True):
            done, node = variant or ("", None)
            model = None if node is None else decode(node, ScenarioModel, Report())
            if node is not None and model is not None:
                changes[name] = done, node, model
        told = others(same | changes)
        for name, (done, _, model) in changes.items():
            seen += name in told
            assert name in told or said(model) == said(before[name]), done
    assert seen > 20


# What says the same


def reversed_(node: Node, path: tuple[str, ...] = ()) -> Node:
    """The node with every mapping turned round whose order means nothing."""
    if isinstance(node, ScalarNode) or node.tag:
        return node
    if isinstance(node, ListNode):
        return replace(node, items=tuple(reversed_(it, (*path, "*")) for it in node.items))
    pairs = [(key, reversed_(child, (*path, str(key)))) for key, child in node.pairs]
    return replace(node, pairs=tuple(pairs if means_something(path) else pairs[::-1]))


def means_something(path: tuple[str, ...]) -> bool:
    """Parameters, and arguments, of which they are made; columns, the keys of an index, a sort; the
    first error and the first drivers; the keys of a state."""
    ordered = ("parameters", "arguments", "columns", "keys", "sort", "errors", "drivers", "state")
    return path[-1:] in {(it,) for it in ordered} or "state" in path or "returns" in path


@pytest.mark.parametrize("path", [it for it in FILES if it not in FAMILIES])
def test_the_order_of_names_is_no_change(path: str, texts: Texts) -> None:
    spec = written(needed(path, texts))
    root = raw(spec)[path]
    turned = reversed_(root)
    assert turned != root
    model = decoded(path, turned, Report(), raw(spec))
    assert changed(spec, with_file(spec, path, turned, model)) == []


@pytest.mark.parametrize("path", FILES)
def test_how_it_is_written_is_no_change(path: str, texts: Texts) -> None:
    """Without comments, on other lines, indented and wrapped otherwise, in other quotes."""
    node = yaml.compose(texts[path])
    for it in every(node):
        if isinstance(it, yaml.ScalarNode):
            it.style = '"' if it.style else None
        elif it.tag.startswith("tag:"):
            it.flow_style = False
    text = yaml.serialize(node, indent=7, width=60, allow_unicode=True)
    assert text != texts[path]
    before, after = (written(needed(path, it)) for it in (texts, {**texts, path: text}))
    assert changed(before, after) == []


def every(node: Any) -> Iterator[Any]:
    yield node
    for it in node.value if isinstance(node, yaml.CollectionNode) else ():
        for child in it if isinstance(it, tuple) else (it,):
            yield from every(child)
