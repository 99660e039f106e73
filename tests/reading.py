"""Generating again and again in one process, from files of which few change."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
import pytest

from codegen import pipeline, rendering, source
from codegen.nodes import Node
from codegen.problems import Report


@contextmanager
def read_once() -> Iterator[None]:
    """In the block, files that did not change are parsed, decoded, checked and compiled once."""
    parse, decode = source.parse, pipeline.decode
    lint, compile_ = rendering._lint, jinja2.Environment.compile
    decoded: dict[tuple[int, type], tuple[Node, Any]] = {}

    @functools.cache
    def good(text: str, path: str) -> Node | None:
        report = Report()
        node = parse(text, path, report)
        return None if report else node

    def parse_once(text: str, path: str, report: Report) -> Node | None:
        return good(text, path) or parse(text, path, report)

    def decode_once(node: Node, type_: type, report: Report) -> Any:
        found = decoded.get((id(node), type_))
        if found is None:
            found = node, decode(node, type_, report)
            if not report:  # the node is kept with it, so that no other one gets its id
                decoded[id(node), type_] = found
        return found[1]

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

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "_lint", lint_once)
        patch.setattr(jinja2.Environment, "compile", compile_once)
        patch.setattr(source, "parse", parse_once)
        patch.setattr(pipeline, "decode", decode_once)
        yield
