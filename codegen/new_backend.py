"""`new-backend NAME --like OTHER`: a backend file to begin with, whose TODOs say what is missing.

What another store of its family says is taken over as it is written, with its comments: statements,
keys, queries. What nobody can know but the author is a TODO, and nothing is generated meanwhile.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import jinja2

from . import outside
from .editor import OWN, modeline
from .layers import LIKE
from .nodes import MappingNode, Node, ScalarNode
from .problems import Report, render, suggest
from .resolve.sql import OPENING
from .source import load

FOLDER = "spec/backends"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# What is written anew, or in another place; all else is taken over as it is.
_OWN = (
    *("backend", "family", "title", "doc", "not_initialized", "stored", "errors", "url", "traits"),
    *("parameters", "connect", "parameter_style", "drivers", "gaps"),
    # A new store has neither an earlier format nor tables that another library made.
    *("layouts", "widen"),
)
_OWN_OF_STORED = ("generation", "doc", "state_bytes", "migrations")
_OPENING = (
    f"  {OPENING}: TODO the query that selects, as generation, what record_generation has written"
    " down, or 1 where that is missing; and as difference how the table is unlike persistry's"
    " (lacks the column ..., has another key ...), or NULL; without a table it answers no row"
)
_OWN_OF_DRIVER = ("class", "module", "aliases", "renamed")
# Keywords that nearly every driver calls the same.
_SAME = ("user", "password", "host", "port")
# What the general session does by itself with a value that a connection is opened with.
_NO_ARGUMENT = ("connect_kwargs", "max_connections")
_ARGUMENTS = ("connect", "arguments")
# What a driver need not say.
EXTRA = "Its extra in pyproject.toml has the same name; write `extra` if it has another."
EXTRA_OUTSIDE = "Write `extra` if pip installs it by another name; who lacks it is told."
NEXT = """\
next:
  1. Write what each TODO asks for; `make generate` lists them, `make explain CODE=...` tells more.
  2. pyproject.toml: each driver's extra under [project.optional-dependencies], and the driver in
     the group dev; then `make generate`, which installs it.
  3. tests/stores/{name}.py: where a test stores, as tests/stores/{like}.py says it; where that
     needs a server, tests/servers/{name}.py.
  4. `make test ARGS="--column ..."` with the name of the class, until nothing fails.
docs/adding-a-backend.md goes through all of it, with the messages that one meets on the way."""
NEXT_OUTSIDE = """\
next:
  1. Write what each TODO asks for; `persistry-codegen explain CODE` tells more of what is listed by
     `persistry-codegen generate --spec {spec} --out YOUR_PACKAGE`.
  2. Write a factory, and hold the class to the promise: python -m persistry.conformance."""


class Refused(Exception):
    """Why there is no such file to begin with."""


def begin(root: Path, name: str, like: str, own: Path | None = None) -> tuple[str, str, str]:
    """The path, the text and the family of the new file; Refused if it cannot be.

    With `own`, a folder outside of the project, the path begins with the name of that.
    """
    others = _all(root, FOLDER)
    if like not in others:
        raise Refused(f"there is no backend {like!r} to begin with; {suggest(like, others)}")
    if library := others[like].text("stored", "made_by"):
        raise Refused(
            f"{like!r} is the layout of {library}, which has made no data for a new store; begin"
            " with a backend whose layout is persistry's own"
        )
    folder = FOLDER if own is None else own.name
    _check_name(name, folder, others if own is None else _all(own.parent, folder))
    path = f"{folder}/{name}.yaml"
    interface = _read(root, "spec/interface.yaml")
    shared = [*interface.names("parameters"), *others[like].names("parameters"), "*"]
    family = others[like].text("family")
    top = (modeline(path, family), "python -m codegen generate", EXTRA)
    if own is not None:
        top = (modeline(path, family, f"{folder}/{OWN}"), outside.COMMAND, EXTRA_OUTSIDE)
    return path, _text(top, name, others[like], shared, root / "templates"), family


def _all(base: Path, folder: str) -> dict[str, Written]:
    there = sorted(path.stem for path in (base / folder).glob("*.yaml"))
    return {it: _read(base, f"{folder}/{it}.yaml") for it in there}


@dataclass(frozen=True)
class Written:
    """A backend file as it is written: the lines of a part, and what is asked of its values."""

    name: str
    root: MappingNode
    lines: list[str]

    def parts(self, *path: str) -> dict[str, str]:
        """Key -> its lines, with the comments above it; of the mapping at this path."""
        node = self.at(*path)
        if not isinstance(node, MappingNode) or node.flow or not node.pairs:
            return {}
        starts = [self._with_comments(key.span.line - 1) for key, _ in node.pairs]
        ends = [*starts[1:], self._end(starts[-1], node.pairs[0][0].span.column - 1)]
        return {
            str(key): "\n".join(self.lines[start:end]).strip("\n")
            for (key, _), start, end in zip(node.pairs, starts, ends, strict=True)
        }

    def at(self, *path: str) -> Node | None:
        node: Node | None = self.root
        for step in path:
            pairs = node.pairs if isinstance(node, MappingNode) else ()
            node = next((value for key, value in pairs if key == step), None)
        return node

    def text(self, *path: str) -> str:
        node = self.at(*path)
        return str(node.text) if isinstance(node, ScalarNode) else ""

    def names(self, *path: str) -> list[str]:
        """The keys of a mapping, or the items of a list."""
        node = self.at(*path)
        if isinstance(node, MappingNode):
            return [str(key) for key, _ in node.pairs]
        items = getattr(node, "items", ())
        return [str(it.text) for it in items if isinstance(it, ScalarNode)]

    def _with_comments(self, line: int) -> int:
        indent = len(self.lines[line]) - len(self.lines[line].lstrip())
        while line and self.lines[line - 1].startswith(" " * indent + "#"):
            line -= 1
        return line

    def _end(self, start: int, indent: int) -> int:
        """The last part of a mapping ends where something stands further left."""
        line = start
        while line < len(self.lines):
            text = self.lines[line]
            if line > start and text.strip() and len(text) - len(text.lstrip()) < indent:
                break
            line += 1
        return line


def _read(root: Path, path: str) -> Written:
    report = Report()
    node, text = load(root, path, report)
    if report or not isinstance(node, MappingNode):
        raise Refused(render(report, {path: text}) or f"{path} is no mapping")
    return Written(Path(path).stem, node, text.split("\n"))


def _check_name(name: str, folder: str, others: dict[str, Written]) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise Refused(
            f"a backend cannot be called {name!r}: use small letters, digits and underscores, a "
            "letter first"
        )
    for it in others.values():
        path = f"{folder}/{it.name}.yaml"
        if name == it.name:
            raise Refused(f"{path} is there already; choose another name, or delete it first")
        if name == it.text("backend") or name in it.names("url", "schemes"):
            raise Refused(f"the name {name!r} is taken by {path}; choose another one")


def _text(
    top: tuple[str, str, str], name: str, like: Written, shared: list[str], templates: Path
) -> str:
    family = like.text("family")
    first = _plainest(like)
    opened_with = [it for it in like.names("drivers", first, "opened_with") if it in shared]
    spliced = like.parts().get("connection", "")
    asked = [*opened_with, *([] if opened_with else like.names("drivers", first, *_ARGUMENTS))]
    arguments = {
        it: it in _SAME for it in asked if it not in _NO_ARGUMENT and f"{{{it}}}" not in spliced
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    defaults = {it: like.text("url", "defaults", it) for it in like.names("url", "defaults")}
    if defaults.get("port"):
        defaults["port"] = ""
    text = environment.get_template("new_backend/file.yaml.jinja").render(
        modeline=top[0],
        command=top[1],
        installed=top[2],
        name=name,
        like=like.name,
        family=family,
        is_short=family == "sql",
        # What that one says of the statements holds for the new store as well, and of its failures.
        is_like=bool(like.text(LIKE)),
        parts=defaultdict(str, like.parts()),
        taken_over=[
            _of_a_new_store(it, like) for key, it in like.parts().items() if key not in _OWN
        ],
        # Where they are not a table's, a migration makes them.
        indexes=like.names("indexes"),
        url=[it for key, it in like.parts("url").items() if key in ("parts", "rest", "whole")],
        defaults=defaults,
        example=like.text("url", "example").partition(":")[2],
        stored=[it for key, it in like.parts("stored").items() if key not in _OWN_OF_STORED],
        colours=list(
            dict.fromkeys(like.text("drivers", it, "colour") for it in like.names("drivers"))
        ),
        from_values=[it for it in like.names("drivers", first, "from_values") if it in shared],
        opened_with=opened_with,
        # Otherwise a convention says them.
        is_unusual=bool(opened_with) and opened_with != [*arguments, *_NO_ARGUMENT],
        arguments=arguments,
        conflicts=like.at("errors", "conflict") is not None,
        drivers={
            it: [
                part for key, part in like.parts("drivers", it).items() if key not in _OWN_OF_DRIVER
            ]
            for it in like.names("drivers")
        },
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _of_a_new_store(part: str, like: Written) -> str:
    """A part without a query that looks for the tables of others, which are of generation 0."""
    if like.at("stored", "migrations") and like.text("queries", OPENING):
        part = part.replace(like.parts("queries")[OPENING], _OPENING)
    return part


def _plainest(like: Written) -> str:
    """The driver that says most of what every driver says: one without a module of its own."""
    drivers = like.names("drivers")
    plain = [it for it in drivers if not like.text("drivers", it, "session")]
    return next(iter(plain or drivers), "")


def todos_in(text: str) -> int:
    """How many are left to write; those in comments are no part of the file."""
    return len(re.findall(r"^[^#\n]*\bTODO ", text, re.MULTILINE))
