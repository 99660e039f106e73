"""Of each part of a spec: in which language its text is, and whether its order means something."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .forms import Form, Word, exact, lua, prose, python, sql
from .tree import Fields, Items, Leaf, Named, Tree

Path = tuple[str, ...]

_CLASS = "backends.*.drivers.*"
_SIGNATURES = (
    "interface.operations.*.parameters",
    f"{_CLASS}.constructor",
    f"{_CLASS}.from_values",
    f"{_CLASS}.pool.opened_with",
)
# What stands in several places.
PLACES = {
    "signature": _SIGNATURES,
    "parameter": (*(f"{it}.*" for it in _SIGNATURES), "interface.options.*"),
    "unused": ("interface.unused.*", "backends.*.unused.*", f"{_CLASS}.unused.*"),
    "errors": ("backends.*.errors", f"{_CLASS}.errors"),
    "queries": ("backends.*.queries", "backends.*.layouts.*.queries"),
    "gaps": ("backends.*.gaps", "backends.*.layouts.*.gaps"),
    "migration": ("backends.*.stored.migrations.*",),
    "steps": (
        "backends.*.create",
        "backends.*.record_generation",
        "backends.*.stored.migrations.*.run",
        "backends.*.widen.run",
    ),
}
_PARAMETERS = (*PLACES["parameter"], *PLACES["unused"])


def _below(paths: Iterable[str], *keys: str) -> tuple[str, ...]:
    return tuple(f"{path}.{key}" for path in paths for key in keys)


_FORMS: dict[Form, tuple[str, ...]] = {
    prose: (
        *_below(_PARAMETERS, "doc"),
        "interface.record.doc",
        "interface.record.fields.*.doc",
        "interface.errors.*.doc",
        "interface.errors.*.attributes.*.doc",
        "interface.interfaces.*.doc",
        "interface.operations.*.doc",
        "interface.operations.*.returns.doc",
        "interface.operations.*.raises.*",
        "interface.members.*",
        "backends.*.doc",
        "backends.*.stored.doc",
        "backends.*.keys.*.doc",
        "backends.*.scripts.*.doc",
        *_below(PLACES["gaps"], "*"),
        "backends.*.stored.migrations.*.doc",
        "backends.*.layouts.*.doc",
        "backends.*.widen.doc",
        "backends.*.connection.suits.advice",
        *_below(PLACES["errors"], "rules.*.advice"),
        f"{_CLASS}.pool.doc",
        f"{_CLASS}.renamed.*",
        "scenarios.*.doc",
    ),
    python: (
        *_below(_PARAMETERS, "type", "default"),
        "interface.record.fields.*.type",
        "interface.errors.*.attributes.*.type",
        "interface.errors.*.attributes.*.default",
        "interface.operations.*.returns.type",
    ),
    sql: (
        "backends.*.queries.*",
        "backends.*.begin",
        "backends.*.lock.*",
        "backends.*.layouts.*.queries.*",
        *_below(PLACES["steps"], "*.run", "*.where"),
        "backends.*.derived.stale",
        "backends.*.derived.rebuild.*",
        "backends.*.connection.on_open.*",
        "backends.*.connection.on_initialize.*",
        "backends.*.connection.suits.query",
        "backends.*.quoting.texts",
        "backends.*.stored.columns.*",
        "backends.*.stored.options",
        "backends.*.stored.statement_bytes",
    ),
    lua: ("backends.*.scripts.*.text", *_below(PLACES["migration"], "run.*.text")),
}
PLACES["texts"] = _FORMS[prose]
# Of all other lists the order means something.
_SETS = (
    "interface.record.key",
    "interface.interfaces.*.operations",
    "interface.operations.*.cases.*.given",
    "backends.*.traits",
    "backends.*.scripts.*.keys",
    "backends.*.scripts.*.optional_keys",
    f"{_CLASS}.imports",
    f"{_CLASS}.aliases",
    *_below(PLACES["errors"], "base", "rules.*.codes", "rules.*.messages", "conflict.codes"),
    *_below(PLACES["errors"], "conflict.messages"),
    "scenarios.*.needs",
)
# Of all other mappings it means nothing.
_ORDERED = (
    *_SIGNATURES,
    "backends.*.stored.columns",
    "backends.*.indexes.*.keys",
    "backends.*.queries.*.sort",
    "backends.*.queries.*.or_foreign.sort",
)


def matches(pattern: str, path: Path) -> bool:
    """Whether a path is one that the pattern means; a star stands for any one name, two of them at
    the end for whatever is there."""
    parts = _parts(pattern)
    if parts[-1] == "**":
        parts = parts[:-1]
        path = path[: len(parts)]
    return len(parts) == len(path) and all(
        it in ("*", name) for it, name in zip(parts, path, strict=True)
    )


@functools.cache
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("."))


@functools.cache
def is_set(path: Path) -> bool:
    return any(matches(it, path) for it in _SETS)


@functools.cache
def is_ordered(path: Path) -> bool:
    return any(matches(it, path) for it in _ORDERED)


def in_order(path: Path, mapping: Named) -> list[str]:
    """The names whose order means something: in a signature, not those given by name alone."""
    if not any(matches(it, path) for it in _SIGNATURES):
        return list(mapping.children)
    return [name for name, it in mapping.children.items() if not is_by_name(it)]


def is_by_name(parameter: Tree | None) -> bool:
    """Whether a parameter has no position: it is keyword-only, or takes all other keywords."""
    if not isinstance(parameter, Fields):
        return False
    leaves = (parameter.children.get(it) for it in ("keyword_only", "variadic"))
    return any(isinstance(it, Leaf) and it.value is True for it in leaves)


_NOTHING: Mapping[str, str] = MappingProxyType({})


def canonical(path: Path, it: Tree, renamed: Mapping[str, str] = _NOTHING) -> object:
    """The same for what says the same; it can be a key. `renamed`: words that are others now."""
    if isinstance(it, Leaf):
        value = it.compared
        # True is 1 for Python, and no number of ours.
        return _said(path, value, renamed) if isinstance(value, str) else repr(value)
    if isinstance(it, Items):
        parts = [canonical((*path, "*"), part, renamed) for part in it.items]
        return tuple(sorted(parts, key=repr) if is_set(path) else parts)
    named = [
        (name, canonical((*path, name), child, renamed)) for name, child in it.children.items()
    ]
    unread = [(name, None if leaf is None else leaf.value) for name, leaf in it.unread.items()]
    return (*(named if is_ordered(path) else sorted(named, key=lambda part: part[0])), *unread)


def first_changed(path: Path, before: str, after: str, renamed: Mapping[str, str]) -> Word:
    """The first word of a text that is another now, and where it stands."""
    was, now = _said(path, before, renamed), _form(path)(after)
    changed = (it for number, it in enumerate(now) if was[number : number + 1] != (it[0],))
    return next(changed, now[-1] if now else (after, 0))


def _said(path: Path, text: str, renamed: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(renamed.get(word, word) for word, _ in _form(path)(text))


@functools.cache
def _form(path: Path) -> Form:
    for form, patterns in _FORMS.items():
        if any(matches(it, path) for it in patterns):
            return form
    return exact
