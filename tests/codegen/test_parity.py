"""The async classes are the sync ones with `await`: the same methods, signatures and bodies."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

import pytest

from codegen import ir
from codegen.rendering import HEADER, Tree

# An async class gives an object that is awaited or entered; the sync one is ready at once.
OPENING = {"from_values", "from_config"}
DIFFERENT = OPENING | {"is_async"}
NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    # What drivers without a module have, in each colour.
    "AwaitedSession": "Pep249Session",
    "_ASYNC_DRIVER": "_DRIVER",
}


class UnAwait(ast.NodeTransformer):
    """The sync class that an async one would be."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        parts = {name: getattr(node, name) for name in node._fields}
        return self.visit_FunctionDef(ast.FunctionDef(**parts))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = NAMES.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self.generic_visit(ast.With(items=node.items, body=node.body))

    def visit_Await(self, node: ast.Await) -> ast.AST:
        return self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(NAMES.get(node.id, node.id.removeprefix("Async")), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`redis.asyncio.Redis` is `redis.Redis`, `pymongo.AsyncMongoClient` its `MongoClient`."""
        self.generic_visit(node)
        inner = node.value
        if isinstance(inner, ast.Attribute) and inner.attr == "asyncio":
            node.value = inner.value
        node.attr = node.attr.removeprefix("Async")
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Annotations and messages that name an async class."""
        if isinstance(node.value, str):
            return ast.Constant(re.sub(r"\bAsync(?=[A-Z])", "", node.value))
        return node


def un_awaited(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(UnAwait().visit(node)))


class Once(ast.NodeTransformer):
    """A numbered parameter is bound once, and others each time that they stand in the query."""

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        return ast.Tuple(list({ast.unparse(it): it for it in node.elts}.values()), node.ctx)


@dataclass
class Class:
    """A class and its methods, un-awaited."""

    node: ast.ClassDef
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)

    def __post_init__(self) -> None:
        node = ast.parse(un_awaited(self.node)).body[0]
        assert isinstance(node, ast.ClassDef)
        self.methods = {it.name: it for it in node.body if isinstance(it, ast.FunctionDef)}


def classes(tree: Tree, module: str) -> dict[str, Class]:
    body = ast.parse(tree[f"persistry/{module}.py"]).body
    return {it.name: Class(it) for it in body if isinstance(it, ast.ClassDef)}


def parameters(method: ast.FunctionDef) -> dict[str, str]:
    """Each parameter's annotation and default."""
    given = method.args
    positional = [*given.posonlyargs, *given.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(given.defaults))
    defaults = [*missing, *given.defaults, *given.kw_defaults]
    found = zip([*positional, *given.kwonlyargs], defaults, strict=True)
    written = {it.arg: f"{shown(it.annotation)} = {shown(default)}" for it, default in found}
    return written | ({given.kwarg.arg: "**"} if given.kwarg else {})


def shown(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node)


def own(it: ir.PersisterClass) -> set[str]:
    """The methods that come from what only this driver takes."""
    return {handed.name for handed in it.handed_in} | ({it.pool.helper} if it.pool else set())


def signature(method: ast.FunctionDef) -> str:
    decorators = "".join(f"@{ast.unparse(it)} " for it in method.decorator_list)
    return f"{decorators}{method.name}({ast.unparse(method.args)})"


def is_returned_as_opened(method: ast.FunctionDef) -> bool:
    return ast.unparse(method.returns or ast.Constant(None)) == "Opening[Self]"


def twins(resolved: ir.Project) -> list[tuple[ir.PersisterClass, ir.PersisterClass]]:
    """The two that a plain scheme names; those of one library stand in one module."""
    pairs = [sorted(it.chosen, key=lambda one: one.colour.is_async) for it in resolved.backends]
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]


def test_classes_of_one_module_differ_in_await_only(tree: Tree) -> None:
    """Bodies, docs and all, wherever both colours stand in one generated module."""
    compared = []
    for path, text in tree.items():
        if not text.startswith(HEADER) or "/conformance/" in path:
            continue
        found = classes(tree, path.removeprefix("persistry/").removesuffix(".py"))
        for name, twin in found.items():
            sync = found.get(name.removeprefix("Async"))
            if sync is None or sync is twin:
                continue
            compared.append(name)
            assert sync.methods.keys() == twin.methods.keys(), name
            for method in sync.methods.keys() - DIFFERENT:
                expected = ast.unparse(sync.methods[method])
                assert ast.unparse(twin.methods[method]) == expected, f"{name}.{method}"
    assert {"AsyncBaseStateLoader", "AsyncRedisBasePersister"} <= set(compared)


def test_generated_bodies_are_the_same_over_two_libraries(tree: Tree, resolved: ir.Project) -> None:
    """Where the constructors differ by tradition, everything behind them does not."""
    for sync, twin in twins(resolved):
        if not sync.session:
            continue
        one = classes(tree, sync.module)[sync.name].methods
        other = classes(tree, twin.module)[twin.name].methods
        for name in one.keys() - DIFFERENT - {"__init__"}:
            expected = ast.unparse(Once().visit(one[name]))
            assert ast.unparse(Once().visit(other[name])) == expected, f"{twin.name}.{name}"


def test_both_colours_have_the_same_methods(tree: Tree, resolved: ir.Project) -> None:
    for sync, twin in twins(resolved):
        one = classes(tree, sync.module)[sync.name].methods
        other = classes(tree, twin.module)[twin.name].methods
        particular = own(sync) ^ own(twin)
        public = [{it for it in found if not private(it)} - particular for found in (one, other)]
        assert public[0] == public[1]
        for name in one.keys() & other.keys() - {"__init__", "from_values"}:
            assert signature(one[name]) == signature(other[name]), f"{twin.name}.{name}"
        here, there = parameters(one["from_values"]), parameters(other["from_values"])
        shared = [(name, text) for name, text in here.items() if name in there]
        assert shared == [(name, text) for name, text in there.items() if name in here]
        # What opens a connection may be the driver's own; all else is everybody's.
        assert here.keys() - there.keys() <= set(sync.opened_with), sync.name
        assert there.keys() - here.keys() <= set(twin.opened_with), twin.name
        for name in OPENING:
            assert is_returned_as_opened(other[name])
            assert not is_returned_as_opened(one[name])


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_every_class_has_the_operations_of_the_interface(tree: Tree, resolved: ir.Project) -> None:
    """Their names, parameters, order, types and defaults; then any keyword, to refuse by name."""
    for backend in resolved.backends:
        for it in backend.classes:
            methods = classes(tree, it.module)[it.name].methods
            for operation in resolved.interface.operations.values():
                printed = signature(methods[operation.name])
                assert printed == wanted(operation), f"{it.name}.{operation.name}"


def wanted(operation: ir.Operation) -> str:
    parts = ["self"]
    for it in operation.parameters:
        if it.keyword_only and "*" not in parts:
            parts.append("*")
        parts.append(f"{it.name}: {it.type}" + ("" if it.default is None else f"={it.default}"))
    if operation.parameters:
        parts.append("**kwargs: Any")
    return f"{operation.name}({', '.join(parts)})"


@pytest.mark.parametrize(
    ("written", "sync"),
    [
        ("async def f(self): return await self.g(await h())", "def f(self): return self.g(h())"),
        ("async def __aenter__(self): pass", "def __enter__(self): pass"),
        ("async def f(x):\n async with x as y: await y", "def f(x):\n with x as y: y"),
        ("f(AsyncA, 'AsyncB, Asynchronous')", "f(A, 'B, Asynchronous')"),
        ("def f(x: redis.asyncio.Redis): pass", "def f(x: redis.Redis): pass"),
    ],
)  # fmt: skip
def test_un_awaiting(written: str, sync: str) -> None:
    """The comparison itself sees what it should see."""
    assert un_awaited(ast.parse(written)) == ast.unparse(ast.parse(sync))
