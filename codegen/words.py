"""The words of a store in what its family says for all of them: `{text}`, `{mark}`.

A file that has words has all that it needs. One that has none takes over nothing that needs some.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .decode import decode
from .model import WordsModel
from .nodes import ListNode, MappingNode, Node, ScalarNode, Text, Woven, is_null
from .problems import Code, Report
from .schema import keys_of

KEY = "words"
_KNOWN = keys_of(WordsModel)
_WORD = re.compile(rf"\{{({'|'.join(_KNOWN)})\}}")


def said(node: Node, words: Node | None, shared: str, report: Report) -> Node | None:
    """A backend in whose texts from the folder `shared` its words stand; None if one is missing."""
    filling = _Filling(_texts(words), shared)
    filled = filling.of(node)
    if words is None or not filling.missing:
        return filled
    before = len(report.problems)
    decode(words, WordsModel, report)
    if len(report.problems) == before:  # none is misspelt
        for name, text in filling.missing.items():
            message = f"no word {name!r}, which {text.span.path} takes"
            help = f"add '{name}: ...', {_KNOWN[name].doc}; or say here what stands there"
            report.add(Code.SCH02, message, words.span, help=help)
    return None


def without(node: Node) -> Node | None:
    """What a family says for files that have no words."""
    return _Filling({}, "").of(node)


class _Filling:
    def __init__(self, words: Mapping[str, Text], shared: str) -> None:
        self._words = words
        self._shared = shared
        self.missing: dict[str, Text] = {}
        """The words that were not there, and what takes each first."""

    def of(self, node: Node) -> Node | None:
        """None of what takes a word that is missing, and of what holds nothing else."""
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if isinstance(node, ListNode):
            whole = [it for it in node.items if not self._is_short(it)]  # half a step is none
            items = [it for it in map(self.of, whole) if it is not None]
            if _are_same(items, node.items):
                return node
            return replace(node, items=tuple(items)) if items else None
        found = [(key, self.of(child)) for key, child in node.pairs]
        pairs = [(key, child) for key, child in found if child is not None]
        if _are_same([child for _, child in pairs], [child for _, child in node.pairs]):
            return node
        return replace(node, pairs=tuple(pairs)) if pairs else None

    def _is_short(self, node: Node) -> bool:
        if isinstance(node, ScalarNode):
            return self._scalar(node) is None
        children = node.items if isinstance(node, ListNode) else [it for _, it in node.pairs]
        short = [self._is_short(it) for it in children]  # all are looked at: each may miss one
        return any(short)

    def _scalar(self, node: ScalarNode) -> ScalarNode | None:
        text, end, pieces = node.text, 0, []
        taken = [*_WORD.finditer(text)] if text.span.path.startswith(self._shared) else []
        for match in taken:
            word = self._words.get(match[1])
            if word is None:
                self.missing.setdefault(match[1], text)
                continue
            pieces += [(text, end, match.start()), (word, 0, len(word))]
            end = match.end()
        if len(pieces) < 2 * len(taken):
            return None
        if not pieces:
            return node
        pieces = [it for it in (*pieces, (text, end, len(text))) if it[1] < it[2]]
        whole = pieces[0][0] if len(pieces) == 1 else Woven(node.span, pieces)
        return replace(node, text=whole)


def _are_same(one: Sequence[Node], other: Sequence[Node]) -> bool:
    return len(one) == len(other) and all(map(_is, one, other))


def _is(one: Node, other: Node) -> bool:
    return one is other


def _texts(words: Node | None) -> dict[str, Text]:
    pairs = words.pairs if isinstance(words, MappingNode) else ()
    scalars = ((key, it) for key, it in pairs if isinstance(it, ScalarNode) and not is_null(it))
    return {str(key): it.text for key, it in scalars}
