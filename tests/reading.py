"""Generating again and again in one process, from files of which few change."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from codegen import pipeline, source
from codegen.nodes import Node
from codegen.problems import Report


@contextmanager
def read_once() -> Iterator[None]:
    """In the block, files that did not change are parsed and decoded once for all runs."""
    parse, decode = source.parse, pipeline.decode
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

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "parse", parse_once)
        patch.setattr(pipeline, "decode", decode_once)
        yield
