"""Generating again and again in one process, from files of which few change."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
import pytest

from codegen import locking, pipeline, rendering, source
from codegen.layers import Layers
from codegen.nodes import Node
from codegen.problems import Report
from codegen.rendering import Tree


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called once for the same things, unless it finds a fault in them."""
    known: dict[tuple[Any, ...], tuple[list[Any], Any]] = {}

    def called(*given: Any) -> Any:
        things = [it for it in given if not isinstance(it, Report)]
        (report,) = [it for it in given if isinstance(it, Report)] or [Report()]
        key = tuple(map(_identity, things))
        if key in known:
            return known[key][1]
        result = function(*given)
        if not report.problems:  # kept with the things, so that no others get their ids
            known[key] = things, result
        return result

    return called


def _identity(thing: Any) -> Any:
    if isinstance(thing, dict):
        return tuple((key, id(value)) for key, value in thing.items())
    return thing if isinstance(thing, frozenset) else id(thing)


def complete_once() -> Callable[[Layers, Node, Report], Node | None]:
    """`Layers.complete`, called once for the same file over the same other ones: what is made of
    it is known again by being the same node."""
    complete = Layers.complete
    # Each file with its families, with the other backends that were asked for, and as completed.
    known: dict[int, list[tuple[Node, dict[str, Node], dict[str, Node | None], Node]]] = {}

    def called(layers: Layers, node: Node, report: Report) -> Node | None:
        families = dict(layers._families)
        for _, others, used, result in known.get(id(node), []):
            if _identity(others) == _identity(families) and all(
                name in layers._backends and layers._find(name) is it for name, it in used.items()
            ):
                return result
        asked: dict[str, Node | None] = {}
        find = layers._find
        layers._find = lambda name: asked.setdefault(name, find(name))
        try:
            result = complete(layers, node, report)
        finally:
            layers._find = find
        if result is not None and not report.problems:
            known.setdefault(id(node), []).append((node, families, asked, result))
        return result

    return called


@contextmanager
def read_once() -> Iterator[None]:
    """In the block, files that did not change are parsed, resolved, checked and compiled once, and
    a tree that is made again is formatted once."""
    parse, lint, compile_ = source.parse, rendering._lint, jinja2.Environment.compile
    style = pipeline.style

    @functools.cache
    def good(text: str, path: str) -> Node | None:
        report = Report()
        node = parse(text, path, report)
        return None if report else node

    def parse_once(text: str, path: str, report: Report) -> Node | None:
        return good(text, path) or parse(text, path, report)

    without_fault: set[tuple[Path, bytes]] = set()
    compiled: dict[tuple[str, str | None], CodeType] = {}

    def lint_once(path: Path, templates: Path, report: Report) -> None:
        key = path.relative_to(templates), path.read_bytes()
        if key not in without_fault:
            before = len(report.problems)
            lint(path, templates, report)
            if len(report.problems) == before:
                without_fault.add(key)

    def compile_once(self: Any, source: str, name: str | None, filename: str) -> CodeType:
        if (source, name) not in compiled:
            compiled[source, name] = compile_(self, source, name, filename)
        return compiled[source, name].replace(co_filename=filename)

    formatted: dict[Any, Tree] = {}

    def style_once(tree: Tree, root: Path, *more: Any) -> Tree:
        pinned = root / "pyproject.toml"
        key = frozenset(tree.items()), pinned.read_bytes() if pinned.is_file() else None
        if key not in formatted:
            found = style(tree, root, *more)
            if not found:  # it has a fault, which is to be told
                return found
            formatted[key] = found
        return dict(formatted[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "style", style_once)
        patch.setattr(rendering, "_lint", lint_once)
        patch.setattr(jinja2.Environment, "compile", compile_once)
        patch.setattr(source, "parse", parse_once)
        patch.setattr(Layers, "complete", complete_once())
        patch.setattr(locking, "stored", once(locking.stored))
        patch.setattr(locking, "render", functools.cache(locking.render))
        for name in ("decode", "conventional", "interface", "backend", "themes"):
            patch.setattr(pipeline, name, once(getattr(pipeline, name)))
        yield
