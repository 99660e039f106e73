"""Somebody's factory: found by its name, looked at once, and called for every test."""

from __future__ import annotations

import asyncio
import difflib
import importlib
import inspect
import operator
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..persistence import AsyncBaseStatePersister, BaseStatePersister
from .columns import OPTIONAL
from .support.column import Colour, Column

CONTRACT = """\
The factory is called for every test and gives a persister on fresh, empty storage:

  def make_persister(directory):                    # or without an argument
      return MyPersister(directory / "steps.db")

directory is a pathlib.Path that belongs to one test; the same directory must give the same storage,
since many cases open several persisters on it, some of them in another process. A factory without
an argument serves as well; what needs a second persister is then not run. With **options it gets
the persister's options, such as max_state_bytes. Asynchronous: the factory may be a coroutine
function, or give what is awaited or entered with `async with` to get the persister.
The matrix itself calls initialize() and cleanup().
"""
NEEDED = ("initialize", "save", "load", "list_app_ids")
TRAITS = {
    "durable": "data that outlives its process",
    "initialize": "a store that says no to is_initialized() before initialize()",
    "connection": "a connection that can be handed in",
    "table": "a table that is named by table_name=",
    "network": "a server that can be killed, and reached through a proxy",
} | {name: f"{name}(), which a persister may lack" for name in OPTIONAL}


class CannotRun(Exception):
    """Why nothing can be run, in one line; the exception behind it is the cause."""


def find(name: str) -> Any:
    """What `module:attribute` names."""
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise CannotRun(
            f"{name!r} names no factory: write module:attribute, such as my_package.factories:make"
        )
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise CannotRun(f"{module_name} cannot be imported: {_told(error)}") from error
    try:
        return operator.attrgetter(attribute)(module)
    except AttributeError as error:
        near = difflib.get_close_matches(attribute, dir(module), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise CannotRun(f"{module_name} has no attribute {attribute!r}{hint}") from error


def _told(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@dataclass
class Factory:
    """A factory and how it is called."""

    name: str
    call: Callable[..., Any]
    takes: str | None
    """The parameter for the directory, if there is one."""
    options: frozenset[str]
    any_option: bool
    gives_store: bool = False
    """Whether it gives a `Store`, which makes persisters; found out by `column()`."""
    declares_gaps: bool = False
    """Whether it says itself what its persister cannot keep; so does a generated class."""
    cases: Path | None = None
    """The folder with cases of the persister's own, if it is a generated one; found out as well."""

    @classmethod
    def named(cls, name: str) -> Factory:
        """The factory that `module:attribute` names."""
        call = find(name)
        if not callable(call):
            kind = type(call).__name__
            raise CannotRun(f"{name} is no function that makes a persister, but of type {kind}")
        try:
            parameters = inspect.signature(call).parameters.values()
        except (TypeError, ValueError) as error:
            raise CannotRun(f"{name} cannot be asked for its parameters: {error}") from error
        by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        needed = [p.name for p in parameters if p.default is p.empty and p.kind not in variadic]
        places = [p.name for p in parameters if p.kind in by_place]
        if len(needed) > 1 or (needed and needed[0] not in places):
            raise CannotRun(
                f"{name} needs the arguments {', '.join(needed)}; a factory takes one, the"
                " directory for its data, or none"
            )
        takes = needed[0] if needed else "directory" if "directory" in places[:1] else None
        options = {p.name for p in parameters if p.kind not in variadic} - {takes}
        any_option = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
        return cls(name, call, takes, frozenset(options), any_option)

    def make(self, directory: Path, options: dict[str, Any]) -> Any:
        """What the factory gives for this directory: a persister, or what leads to one."""
        return self.call(*[directory] if self.takes else [], **options)

    def refused(self, options: Iterable[str]) -> list[str]:
        """Which of these options the factory does not take."""
        return [] if self.any_option else sorted({*options} - self.options)

    def column(self, traits: Iterable[str] | None = None) -> Column:
        """What the matrix has to know of the persister, found out by making one."""
        declared: Any = getattr(self.call, "traits", None) if traits is None else traits
        store: Any = None
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            directory = Path(stack.enter_context(folder))
            try:
                made = self.make(directory, {})
                self.gives_store = hasattr(made, "open") and not hasattr(made, "save")
                if self.gives_store:
                    store = stack.enter_context(made) if hasattr(made, "__enter__") else made
                    made = store.open()
                kind, colour, says, offered = asyncio.run(self._looked_at(made))
            except CannotRun:
                raise
            except (Exception, SystemExit) as error:
                raise CannotRun(f"{self.name} raised {_told(error)}") from error
        generated = self._generated(kind)
        if generated is not None:
            found = {it for it in generated.traits if self._can_show(it, store)}
        else:
            found = offered | ({"durable"} if self.takes else set())
            found |= {"initialize"} if says is False else set()
        chosen = frozenset(found if declared is None else declared)
        if unknown := sorted(chosen - TRAITS.keys()):
            raise CannotRun(
                f"no trait is called {', '.join(unknown)}; there are {', '.join(TRAITS)}"
            )
        own = {} if generated is None else dict(generated.gaps)
        self.declares_gaps = hasattr(self.call, "gaps")
        gaps = self.call.gaps if self.declares_gaps else own  # type: ignore[attr-defined]
        if not isinstance(gaps, Mapping) or not all(isinstance(it, str) for it in gaps.values()):
            raise CannotRun(f"{self.name}.gaps must be a dict: the name of a case -> the reason")
        return Column(kind.__name__, colour, self.name, chosen, gaps)

    def _generated(self, kind: type) -> Column | None:
        """The column of a generated class, which stands in its package, with cases of its own."""
        package = f"{kind.__module__.rpartition('.')[0]}.conformance"
        if package.startswith("."):  # a module of no package, so not a generated one
            return None
        try:
            module = importlib.import_module(f"{package}.columns")
            columns: dict[str, Column] = {it.name: it for it in module.COLUMNS}
        except (ImportError, AttributeError):
            return None
        # A class that is reached through its module only has the module in its column's name.
        reached = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
        found = columns.get(reached) or columns.get(kind.__name__)
        if found is not None and package != __package__ and module.__file__ is not None:
            self.cases = Path(module.__file__).parent
        return found

    def _can_show(self, trait: str, store: Any) -> bool:
        """Whether what the factory gives is enough for the cases of a trait."""
        return {
            "durable": self.takes is not None,
            "connection": hasattr(store, "connect"),
            "table": self.gives_store or not self.refused(["table_name"]),
            "network": hasattr(store, "server"),
        }.get(trait, True)

    async def _looked_at(self, made: Any) -> tuple[type, Colour, Any, set[str]]:
        """A persister's class, its colour, whether it says it is initialised, and which of the
        operations it has that it may lack."""
        async with AsyncExitStack() as stack:
            if inspect.isawaitable(made):
                persister = await made
            elif hasattr(made, "__aenter__") and not hasattr(made, "save"):
                persister = await stack.enter_async_context(made)
            elif hasattr(made, "__enter__") and not hasattr(made, "save"):
                persister = stack.enter_context(made)
            else:
                persister = made
            kind, colour = type(persister), self._colour_of(persister)
            says, offered = None, {it for it in OPTIONAL if _offers(persister, it)}
            with suppress(Exception):  # what fails here fails a case, too
                says = persister.is_initialized()
                says = await says if inspect.isawaitable(says) else says
            with suppress(Exception):
                closed = persister.cleanup()
                await closed if inspect.isawaitable(closed) else None
            return kind, colour, says, offered

    def _colour_of(self, persister: Any) -> Colour:
        """The colour of a persister, if it is a persister at all."""
        if isinstance(persister, type):
            raise CannotRun(f"{self.name} gives the class {persister.__name__}, not an object")
        name = type(persister).__name__
        missing = [f"{it}()" for it in NEEDED if not callable(getattr(persister, it, None))]
        if missing:
            raise CannotRun(
                f"{self.name} gives {'None' if persister is None else f'a {name}'}, which is no"
                f" persister: it has no {', no '.join(missing)}"
            )
        coroutines = [it for it in NEEDED if inspect.iscoroutinefunction(getattr(persister, it))]
        if not inspect.iscoroutinefunction(getattr(persister, "is_async", None)):
            with suppress(Exception):
                if isinstance(said := persister.is_async(), bool):
                    return "async" if said else "sync"
        if coroutines and len(coroutines) < len(NEEDED):
            plain = [it for it in NEEDED if it not in coroutines]
            raise CannotRun(
                f"{name} is neither sync nor async: {' and '.join(coroutines)} are coroutines,"
                f" {' and '.join(plain)} are not, and no plain is_async() says which it is"
            )
        return "async" if coroutines else "sync"


def _offers(persister: Any, operation: str) -> bool:
    """Whether it has the operation; the method of a base only says that it has not."""
    method = getattr(persister, operation, None)
    bases = (BaseStatePersister, AsyncBaseStatePersister)
    refusing = [getattr(base, operation) for base in bases]
    return callable(method) and getattr(method, "__func__", method) not in refusing
