"""What the generated modules use of the runtime: those in other people's packages use it, too.

The golden has the name of the runtime's generation. When this test fails, look at what changed: if
modules that a released persistry-codegen has made would no longer work, rename the generation to
the next number, in templates/runtime/_runtime/__init__.py. Then run
`UPDATE_GOLDENS=1 pytest tests/codegen/test_generation.py`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codegen import ir
from codegen.rendering import Tree
from persistry import _runtime

GOLDEN = Path(__file__).parents[1] / "golden" / "runtime.txt"


def imported(text: str) -> Iterator[tuple[str, str]]:
    """Module and name of each import from the package, wherever it stands in the text; the formats
    are made together with what imports them."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level and "_formats" not in f"{node.module}":
            for it in node.names:
                yield f"persistry.{node.module}".removesuffix(".None"), it.name


def described(name: str, thing: Any) -> list[str]:
    """How it is called; of a class, how its methods are."""
    if not inspect.isclass(thing):
        return [f"{name}{signature(thing)}" if callable(thing) else name]
    lines = [f"{name}{signature(thing)}"]
    for method, it in inspect.getmembers(thing):
        own = callable(it) and str(getattr(it, "__module__", "")).startswith("persistry.")
        if own and not method.startswith("_"):
            lines.append(f"{name}.{method}{signature(it)}")
    return lines


def signature(thing: Any) -> str:
    try:
        return re.sub(r" at 0x\w+", "", str(inspect.signature(thing)))
    except ValueError:
        return ""


def test_the_runtime_is_the_one_that_its_generation_names(resolved: ir.Project, tree: Tree) -> None:
    modules = [f"persistry/{it.name}.py" for one in resolved.backends for it in one.modules]
    formats = [it for it in tree if it.startswith("persistry/_formats/")]
    made = (*modules, *formats, "persistry/connecting.py")
    used = {it for name in made for it in imported(tree[name])}
    # Their own sessions, and what a package's first file uses.
    used.add(("persistry._runtime.lazy", "load_class"))
    (generation,) = (it for it in vars(_runtime) if it.startswith("generation_"))
    lines = [generation]
    for module, name in sorted(used):
        thing = getattr(importlib.import_module(module), name)
        lines += described(f"{module}.{name}", thing) if not inspect.ismodule(thing) else []
    found = "\n".join(lines) + "\n"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        GOLDEN.write_text(found, encoding="utf-8")
    assert found == GOLDEN.read_text(encoding="utf-8"), __doc__
