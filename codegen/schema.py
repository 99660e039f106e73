"""What a spec's dataclasses say of themselves: their keys, their words in messages, their docs."""

from __future__ import annotations

import ast
import dataclasses
import functools
import itertools
import sys
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from .problems import Span


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """A key of a mapping, and the field of the dataclass that it fills.

    Its doc is the text below the field. A field says more in its metadata: `key`, if a trailing
    underscore is not enough to get from the YAML key to a Python name (`raise_` is `raise`);
    `one: True`, if a list of one item may be written without its brackets; `others: True`, if the
    field takes all keys that the dataclass does not name.
    """

    name: str
    field: str
    type: Any
    default: bool
    doc: str
    one: bool

    @property
    def required(self) -> bool:
        return not self.default and not is_optional(self.type)


@functools.cache
def keys_of(cls: type) -> dict[str, Key]:
    hints = get_type_hints(cls)
    keys = {}
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        if hint is not Span and field.init and not field.metadata.get("others"):
            key = _key(cls, field, hint)
            keys[key.name] = key
    return keys


def _doc_of(cls: type, field: str) -> str:
    docs = (_docs_in(base.__module__).get((base.__name__, field)) for base in cls.__mro__)
    return next(filter(None, docs), "")


@functools.cache
def _docs_in(module: str) -> dict[tuple[str, str], str]:
    """The texts below the fields of a module's classes: Python itself does not keep them."""
    found = {}
    source = getattr(sys.modules.get(module), "__file__", None)
    if source is None:
        return {}
    for cls in ast.walk(ast.parse(Path(source).read_text(encoding="utf-8"))):
        if isinstance(cls, ast.ClassDef):
            for field, below in itertools.pairwise(cls.body):
                match field, below:
                    case (
                        ast.AnnAssign(target=ast.Name(name)),
                        ast.Expr(ast.Constant(str(text))),
                    ):
                        found[cls.name, name] = text
    return found


@functools.cache
def others_of(cls: type) -> Key | None:
    """The field that takes all other keys, in a dict whose values have one type."""
    others = (it for it in dataclasses.fields(cls) if it.metadata.get("others"))
    return next((_key(cls, it, get_type_hints(cls)[it.name]) for it in others), None)


def _key(cls: type, field: dataclasses.Field[Any], hint: Any) -> Key:
    default = (
        field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    )
    return Key(
        name=field.metadata.get("key", field.name.rstrip("_")),
        field=field.name,
        type=hint,
        default=default,
        doc=_doc_of(cls, field.name),
        one=field.metadata.get("one", False),
    )


@functools.cache
def span_field(cls: type) -> str | None:
    """The field that takes the place of the mapping; it is no key."""
    return next((name for name, hint in get_type_hints(cls).items() if hint is Span), None)


@functools.cache
def words_for(cls: type) -> str:
    """What messages call a mapping of this type: `what`, or how its docstring begins."""
    what = getattr(cls, "what", None)
    if isinstance(what, str) and "what" not in {field.name for field in dataclasses.fields(cls)}:
        return what
    doc = cls.__doc__ or ""
    if not doc or doc.startswith(f"{cls.__name__}("):  # the docstring that dataclass makes
        return f"a {cls.__name__.lower()}"
    beginning = doc.strip().split("\n")[0]
    for end in ".:;,":
        beginning = beginning.split(end)[0]
    return beginning[:1].lower() + beginning[1:]


@functools.cache
def is_optional(hint: Any) -> bool:
    return type(None) in alternatives(hint)


@functools.cache
def alternatives(hint: Any) -> tuple[Any, ...]:
    """The members of a union; the type itself if it is none."""
    return get_args(hint) if get_origin(hint) in {types.UnionType, Union} else (hint,)
