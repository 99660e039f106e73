"""Guards against slow decay: names of stores in shapes, code in YAML, parts that nothing uses."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from codegen import ir
from codegen.nodes import ListNode, MappingNode, Node
from codegen.printers import FILTERS
from codegen.problems import Report
from codegen.rendering import MOST_LINES, Tree, source_of
from codegen.rendering import original as copy_of
from codegen.source import load

ROOT = Path(__file__).parents[2]
IR_TYPES = [
    it for _, it in inspect.getmembers(ir, dataclasses.is_dataclass) if it.__module__ == ir.__name__
]


@pytest.fixture(scope="session")
def templates(original: Path) -> dict[str, str]:
    folder = original / "templates"
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*.jinja"))
    }


@pytest.fixture(scope="session")
def names(resolved: ir.Project) -> set[str]:
    """What no shape may know: stores, driver libraries, their classes. Families may be known."""
    found = set()
    for backend in resolved.backends:
        found.add(backend.name)
        for it in backend.classes:
            found |= {it.name, it.module, it.session, *(it.library or "").split(".")}
    return found - {it.family for it in resolved.backends} - {"", "asyncio"}


# Shapes know no store


def test_no_template_names_a_store_or_a_driver(templates: dict[str, str], names: set[str]) -> None:
    words = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b", re.IGNORECASE)
    # "in memory" is English, and where an example of an import is needed, there must be one.
    found = {
        (name, match[0])
        for name, text in templates.items()
        for match in words.finditer(text)
        if match[0].lower() != "memory"
    }
    assert found <= {("package/connecting.py.jinja", "sqlite")}, found


def test_no_part_of_the_ir_is_named_after_a_store_or_a_driver(names: set[str]) -> None:
    words = {it.lower() for it in names}
    for cls in IR_TYPES:
        for it in dataclasses.fields(cls):
            assert not words & set(it.name.split("_")), f"{cls.__name__}.{it.name}"
        assert cls.__name__.lower() not in words


@pytest.mark.parametrize("deep", ["package", "sql", "redis", "mongo", "conformance"])
def test_templates_are_short(deep: str, templates: dict[str, str]) -> None:
    for name, text in templates.items():
        if name.startswith(f"{deep}/"):
            assert len(text.splitlines()) <= MOST_LINES, name


# YAML is data


def keys_and_texts(node: Node) -> tuple[list[str], list[str]]:
    if isinstance(node, MappingNode):
        keys, texts = [str(key) for key, _ in node.pairs], []
        children = [child for _, child in node.pairs]
    elif isinstance(node, ListNode):
        keys, texts, children = [], [], list(node.items)
    else:
        return [], [str(node.text)]
    for child in children:
        more_keys, more_texts = keys_and_texts(child)
        keys += more_keys
        texts += more_texts
    return keys, texts


def test_the_spec_decides_nothing(original: Path) -> None:
    """No condition, loop or include among its keys, and no template language in its texts."""
    words = {"if", "unless", "when", "case", "else", "for", "each", "include", "import", "extends"}
    for path in [*(original / "spec" / "backends").iterdir(), original / "spec" / "interface.yaml"]:
        report = Report()
        node, _ = load(original, path.relative_to(original).as_posix(), report)
        assert node is not None, report.problems
        keys, texts = keys_and_texts(node)
        assert not words & set(keys), path.name
        assert not [it for it in texts if re.search(r"\{\{|\{%|\$\{|<%", it)], path.name


# The generator has another name where it is installed


def test_the_generator_imports_itself_by_dots() -> None:
    for path in sorted((ROOT / "codegen").rglob("*.py")):
        found = re.findall(r"^ *(?:from|import) codegen\b.*", path.read_text(), re.MULTILINE)
        assert found == [], path.name


# Nothing is there for nothing


def test_every_filter_is_used(templates: dict[str, str]) -> None:
    used = {name for text in templates.values() for name in re.findall(r"\|\s*(\w+)", text)}
    assert FILTERS.keys() - used == set()


def test_every_part_of_the_ir_is_used(templates: dict[str, str]) -> None:
    """In a template, in the generator, or in another part."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "codegen").rglob("*.py")]
    used = set(re.findall(r"\.(\w+)", "\n".join([*templates.values(), *sources])))
    # Jinja's own way to an attribute
    used |= set(re.findall(r'attribute="(\w+)"', "\n".join(templates.values())))
    unused = {
        f"{cls.__name__}.{it.name}"
        for cls in IR_TYPES
        for it in dataclasses.fields(cls)
        if it.name not in used
    }
    assert unused == set()


def test_every_error_is_raised(resolved: ir.Project, original: Path) -> None:
    """By the runtime, or by a rule for what a driver raises."""
    raised = {rule for it in resolved.backends for m in it.modules for rule in m.failures.errors}
    for path in (original / "templates" / "runtime").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                raised.add(ast.unparse(node.func).rpartition(".")[2])
    assert {it.name for it in resolved.interface.errors} - raised == set()


def test_every_template_is_printed(templates: dict[str, str], tree: Tree) -> None:
    """By a module of the generator, as part of another template, or for an expectation."""
    sources = "\n".join(
        [path.read_text(encoding="utf-8") for path in (ROOT / "codegen").rglob("*.py")]
        + list(templates.values())
    )
    by_folder = ("conformance/behaviours", "conformance/helpers", "conformance/_expect_")
    families = {f"{it}/module.py.jinja" for it in ("sql", "redis", "mongo")}
    for name in templates.keys() - families:
        assert name.startswith(by_folder) or f'"{name}"' in sources, name


def test_extras_are_declared(resolved: ir.Project) -> None:
    """What an ImportError tells users to install can be installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    for it in (it for backend in resolved.backends for it in backend.classes):
        if it.extra is not None:
            assert it.library is not None
            packages = {re.split(r"\W", need)[0] for need in extras[it.extra]}
            assert it.library.partition(".")[0] in packages, it.name


# What is copied stays as it is


def test_the_runtime_is_copied_byte_for_byte(tree: Tree, original: Path) -> None:
    copied = {name: text for name, text in tree.items() if not source_of(text)}
    copied.pop("persistry/py.typed")
    sources = set()
    for name, text in copied.items():
        source = original / copy_of(name)
        assert text.encode() == source.read_bytes()
        sources.add(source)
    every = {*(original / "templates").rglob("*.py")}
    assert sources == every
