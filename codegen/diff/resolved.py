"""A spec as it is compared: what each class ends up with, wherever in the files that is said.

A class's parameters are those that its lists name, completed by what the backend and the interface
say of them; what stands there and nobody uses is kept apart, as `unused`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..layers import LIKE, OF_DRIVERS
from ..model import (
    BackendModel,
    DriverModel,
    ErrorsModel,
    InterfaceModel,
    OwnParameterModel,
    ParameterModel,
    SqlBackendModel,
)
from ..nodes import Node, Text
from ..pipeline import Written
from ..problems import Report, Span
from ..resolve.needs import STAR
from ..resolve.parameters import Declared, completed
from ..words import KEY
from .scenarios import scenarios
from .tree import Fields, Items, Leaf, Named, Tree, grow

Parameters = Mapping[Text, ParameterModel | OwnParameterModel]


@dataclass(frozen=True)
class Resolved:
    root: Fields
    homes: dict[Span, str]
    """Where the parts of shared parameters are written: the path of their declaration."""


def resolved(before: Written, after: Written) -> tuple[Resolved, Resolved]:
    """Both specs. What one of them uses is used: that is seen in the classes that have it."""
    sides = _Side(before), _Side(after)
    used = sides[0].used | sides[1].used
    return sides[0].resolved(used), sides[1].resolved(used)


class _Side:
    def __init__(self, written: Written) -> None:
        self._written = written
        self._backends = {str(it.backend): _Backend(it, written) for it in written.backends}
        self._homes = dict(_homes("interface.parameters", written.interface.parameters))
        for it in self._backends.values():
            self._homes |= it.homes

    @property
    def used(self) -> set[str]:
        """The parts of declared parameters that some class has."""
        spans = {span for it in self._backends.values() for span in it.spans}
        return {path for span, path in self._homes.items() if span in spans}

    def resolved(self, used: set[str]) -> Resolved:
        nowhere = Span("spec", 1, 1)
        written = self._written
        cases = dict(scenarios(written.scenarios, written.nodes))
        backends = {name: it.tree(used) for name, it in self._backends.items()}
        root: dict[str, Tree] = {
            "interface": _interface(written.interface, written.nodes, used),
            "scenarios": Named(cases, nowhere),
            "backends": Named({**backends}, nowhere),
        }
        return Resolved(Fields(root, nowhere), self._homes)


def _interface(model: InterfaceModel, nodes: Mapping[str, Node], used: set[str]) -> Fields:
    grown = grow(model, nodes[model.span.path], model.span)
    assert isinstance(grown, Fields)
    children = {**grown.children}
    declared = children.pop("parameters")
    children["unused"] = _unused(declared, "interface.parameters", used)
    root = next(iter(model.errors), None)
    if root is not None:
        children["root_error"] = Leaf(root, root.span)
    return replace(grown, children=children, unread=grown.unread | _unread(declared))


class _Backend:
    """One backend file."""

    def __init__(self, model: BackendModel, written: Written) -> None:
        self._model = model
        self._path = f"backends.{model.backend}"
        self._node = written.nodes[model.span.path]
        own: Parameters = getattr(model, "parameters", {})
        self._own = own
        self._shared = completed(written.interface.parameters, _as_own(own), Report())
        self._drivers = {name: _Driver(it, self._shared) for name, it in model.drivers.items()}

    @property
    def spans(self) -> set[Span]:
        """Where the parts of its classes' parameters stand."""
        return {span for it in self._drivers.values() for span in it.spans}

    @property
    def homes(self) -> dict[Span, str]:
        found = dict(_homes(f"{self._path}.parameters", self._own))
        for name, driver in self._model.drivers.items():
            found |= dict(_homes(f"{self._path}.drivers.{name}.parameters", driver.parameters))
        return found

    def tree(self, used: set[str]) -> Fields:
        model = self._model
        grown = grow(model, self._node, model.span)
        assert isinstance(grown, Fields)
        children = {**grown.children}
        del children["backend"]  # it is what the path says
        for name in (LIKE, KEY, *OF_DRIVERS):  # what they lead to is compared
            children.pop(name, None)
        errors = children.get("errors")
        if isinstance(errors, Fields):
            said = {key: it for key, it in errors.children.items() if key != "like"}
            children["errors"] = replace(errors, children=said)
        drivers = children["drivers"]
        assert isinstance(drivers, Named)
        children["drivers"] = Named(
            {
                str(name): driver.tree(
                    drivers.children[str(name)], f"{self._path}.drivers.{name}", used
                )
                for name, driver in self._drivers.items()
            },
            drivers.span,
            drivers.unread,
        )
        declared = children.pop("parameters", Named({}, grown.span))
        children["unused"] = _unused(declared, f"{self._path}.parameters", used)
        chosen: dict[str, Tree] = {}
        for name, it in model.drivers.items():
            chosen.setdefault(str(it.colour), Leaf(name, name.span))
        children["chosen"] = Named(chosen, drivers.span)
        if isinstance(model, SqlBackendModel):
            _with_steps(children)
        stored = children.get("stored")
        if isinstance(stored, Fields) and "migrations" in stored.children:
            children["stored"] = _with_migrations(stored, isinstance(model, SqlBackendModel))
        if "keys" in children:
            children["keys"] = _keys(children["keys"])
        return replace(grown, children=children, unread=grown.unread | _unread(declared))


class _Driver:
    """One driver, and the parameters of its class."""

    def __init__(self, model: DriverModel, shared: Declared) -> None:
        self._model = model
        declared = completed(shared, model.parameters, Report())
        pool = () if model.pool is None else model.pool.opened_with
        self._lists = {
            "constructor": self._signature(model.constructor, declared),
            "from_values": self._signature(model.from_values, declared),
            "opened_with": self._signature(pool, declared),
        }
        handed_in = self._signature(model.handed_in, declared)
        self.spans = {
            leaf.span
            for it in (*self._lists.values(), handed_in)
            for parameter in it.children.values()
            if isinstance(parameter, Fields)
            for leaf in parameter.children.values()
        }

    def _signature(self, names: Iterable[Text], declared: Declared) -> Named:
        """The parameters of a list, as a signature has them; keyword-only behind a star."""
        found: dict[str, Tree] = {}
        starred, span = False, self._model.span
        for name in names:
            starred = starred or name == STAR
            if name in declared:
                it = declared[name]
                grown = grow(it, None, name.span)
                assert isinstance(grown, Fields)
                only = Leaf(it.keyword_only or starred, name.span)
                found[str(name)] = Fields({**grown.children, "keyword_only": only}, name.span)
            elif name != STAR:  # a mistake that somebody else tells of
                found[str(name)] = Fields({}, name.span)
        return Named(found, span)

    def tree(self, grown: Tree, path: str, used: set[str]) -> Fields:
        assert isinstance(grown, Fields)
        model, children = self._model, {**grown.children}
        for name in ("constructor", "from_values"):
            children[name] = replace(self._lists[name], span=children[name].span)
        pool = children.get("pool")
        if isinstance(pool, Fields):
            opened = {"opened_with": self._lists["opened_with"]}
            children["pool"] = replace(pool, children={**pool.children, **opened})
        if "errors" not in children:
            nothing = grow(ErrorsModel(model.span), None, model.span)
            assert nothing is not None
            children["errors"] = nothing
        declared = children.pop("parameters")
        children["unused"] = _unused(declared, f"{path}.parameters", used)
        return replace(grown, children=children, unread=grown.unread | _unread(declared))


def _as_own(parameters: Parameters) -> dict[Text, OwnParameterModel]:
    return {name: it for name, it in parameters.items() if isinstance(it, OwnParameterModel)}


def _homes(path: str, parameters: Parameters) -> Iterator[tuple[Span, str]]:
    for name, it in parameters.items():
        for key in ("type", "doc", "default"):
            text = getattr(it, key)
            if text is not None:
                yield text.span, f"{path}.{name}.{key}"


def _unused(declared: Tree, path: str, used: set[str]) -> Named:
    """Of parameters that are declared what no class has."""
    assert isinstance(declared, Named)
    found: dict[str, Tree] = {}
    for name, it in declared.children.items():
        assert isinstance(it, Fields)
        said = [key for key in it.children if key not in _SWITCHES]
        left = {key: it.children[key] for key in said if f"{path}.{name}.{key}" not in used}
        if left or not said:
            found[name] = Fields(left, it.span)
    return Named(found, declared.span)


def _unread(declared: Tree) -> dict[str, Leaf | None]:
    """What only another generator can read of parameters; all else of them is in the classes."""
    assert isinstance(declared, Named)
    return {
        f"parameters.{name}.{key}": said
        for name, it in declared.children.items()
        if isinstance(it, Fields)
        for key, said in it.unread.items()
        if said is not None
    }


_SWITCHES = ("keyword_only", "variadic")


def _with_steps(children: dict[str, Tree]) -> None:
    """Of a backend."""
    for name in ("create", "record_generation"):
        children[name] = _steps(children[name])
    widen = children.get("widen")
    if isinstance(widen, Fields):
        steps = _steps(widen.children["run"])
        children["widen"] = replace(widen, children={**widen.children, "run": steps})


def _steps(listed: Tree) -> Items:
    """A statement that is always run is a step without a condition."""
    assert isinstance(listed, Items)
    items = (Fields({"run": it}, it.span) if isinstance(it, Leaf) else it for it in listed.items)
    return Items(tuple(items), listed.span)


def _with_migrations(stored: Fields, of_steps: bool) -> Fields:
    """By the generation that each leads to."""
    listed = stored.children["migrations"]
    assert isinstance(listed, Items)
    found: dict[str, Tree] = {}
    for it in listed.items:
        assert isinstance(it, Fields)
        parts = dict(it.children)
        to = parts.pop("to")
        assert isinstance(to, Leaf)
        if of_steps:
            parts["run"] = _steps(parts["run"])
        found[str(to.value)] = replace(it, children=parts)
    migrations = Named(found, listed.span)
    return replace(stored, children={**stored.children, "migrations": migrations})


def _keys(keys: Tree) -> Named:
    """With their names as a part, so that another name is seen where the key is the same."""
    assert isinstance(keys, Named)
    found: dict[str, Tree] = {}
    for name, it in keys.children.items():
        assert isinstance(it, Fields)
        found[name] = replace(it, children={**it.children, "name": Leaf(name, it.span)})
    return replace(keys, children=found)
