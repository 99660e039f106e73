"""The matrix bites: one thing is broken at a time, and a case of the matrix notices each.

A mutant is put into a copy of the project, the generator makes the package of it, and the cases
that are to notice run there, on the same servers. What it proves is in the control: the same cases
pass on a copy in which nothing was changed.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from codegen.pipeline import Run
from codegen.rendering import Tree
from codegen.writing import FOLDER
from persistry.conformance.columns import COLUMNS
from persistry.errors import StateConflictError
from tests.mutants.rows import ROW, Mutant, mutants, where_is
from tests.mutants.running import Outcome, run
from tests.reading import read_once
from tests.stores import served_by
from tests.stores.served import Place

ROOT = Path(__file__).parents[2]
CONFORMANCE = Path(FOLDER, "persistry", "conformance")
MUTANTS = mutants()
# What runs of the matrix use of `tests/` is only what it stands on.
NOT_USED = ["test_*", "__pycache__", "*.yaml", "errors", "golden"]
Environment = Callable[[str], dict[str, str]]
TIMES = itertools.count(1)
STORES = sorted({(it.store, it.layout) for it in MUTANTS})


@pytest.fixture(scope="module", autouse=True)
def reading() -> Iterator[None]:
    """A mutant changes one file of many."""
    with read_once():
        yield


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What generating and running the matrix takes, as it is when the tests begin."""
    folder = tmp_path_factory.mktemp("mutants") / "original"
    for name in ("spec", "templates", FOLDER):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=shutil.ignore_patterns(*NOT_USED))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    # A lock would refuse what is stored otherwise before any case could tell it.
    shutil.rmtree(folder / "spec" / "locks")
    return folder


@pytest.fixture
def project(original: Path) -> Path:
    """A copy to spoil. It is made of links: write with `put` only.

    In the same place each time, so that the bytecode of what did not change can be used again.
    """
    project = original.with_name("project")
    if project.exists():
        shutil.rmtree(project)
    return Path(shutil.copytree(original, project, copy_function=os.link))


@pytest.fixture(scope="module")
def tree(original: Path) -> Tree:
    """What the generator makes before a mutant is put in; not formatted, which changes nothing."""
    generator = Run(original)
    made = generator.tree(formatted=False)
    assert generator.problems() == ""
    return made


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> Environment:
    """How the runs are told of this run's servers, so that they start none."""

    def told(store: str) -> dict[str, str]:
        if not any(served_by(it) for it in COLUMNS if it.backend == store):
            return {}
        place: Place = request.getfixturevalue(f"{store}_place")
        return {place.variable: place.url}

    return told


def put(file: Path, text: str) -> None:
    """Write a file anew, so that what it was linked to stays as it is.

    No two have the same time: Python knows by it and by the size whether bytecode fits.
    """
    file.unlink()
    file.write_text(text, encoding="utf-8")
    time = next(TIMES)
    os.utime(file, (time, time))


def columns_of(
    store: str, colours: tuple[str, ...] = ("sync", "async"), layout: str = ""
) -> list[str]:
    of_the_store = (it for it in COLUMNS if it.backend == store and it.layout == layout)
    return [it.name for it in of_the_store if it.colour in colours]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda it: f"{it.store}-{it.name}")
def test_mutant_is_caught(
    mutant: Mutant,
    project: Path,
    tree: Tree,
    environment: Environment,
    record_property: Callable[[str, object], None],
) -> None:
    """The case fails with the mutant in every column, by its own assertions."""
    by = f"the generator: {mutant.refused}" if mutant.refused else mutant.case
    record_property(ROW, (mutant.store, mutant.name, mutant.breaks, by))
    try_out(mutant, project, tree, environment)


def try_out(mutant: Mutant, project: Path, tree: Tree, environment: Environment) -> None:
    """Put the mutant into the project, and fail unless it is caught as its row says."""
    text = (project / mutant.file).read_text(encoding="utf-8")
    put(project / mutant.file, mutant.apply(text))
    generator = Run(project)
    made = generator.tree(formatted=False)
    if mutant.refused:
        codes = [it.code.name for it in generator.report.problems]
        assert mutant.refused in codes, f"not refused:\n{mutant.diff(text)}"
        return
    assert generator.problems() == ""
    changed = [name for name in made if made[name] != tree[name]]
    assert changed, f"the generated package is the same:\n{mutant.diff(text)}"
    for name in changed:
        put(project / FOLDER / name, made[name])
    tests = [where_is(project / CONFORMANCE, mutant.case, it) for it in mutant.colours]
    columns = columns_of(mutant.store, mutant.colours, mutant.layout)
    outcomes = run(project, tests, columns, environment(mutant.store))
    noticed = {it.column for it in outcomes if it.caught}
    amiss = [str(it) for it in outcomes if not (it.passed or it.caught)]
    said = "\n".join(map(str, outcomes))
    assert not amiss, f"not by what {mutant.case} asserts, but:\n{said}\n{mutant.diff(text)}"
    missed = sorted(set(columns) - noticed)
    assert not missed, (
        f"{mutant.case} does not notice on {', '.join(missed)} that {mutant.breaks}\n{said}\n"
        f"{mutant.diff(text)}\nWrite a case of the matrix that notices, or name another one."
    )


@pytest.mark.parametrize(("store", "layout"), STORES)
def test_cases_pass_without_a_mutant(
    store: str, layout: str, project: Path, environment: Environment
) -> None:
    """So it is the mutant that they notice, and not the copy."""
    find = functools.partial(where_is, project / CONFORMANCE)
    rows = [it for it in MUTANTS if (it.store, it.layout) == (store, layout) and it.case]
    tests = sorted({find(it.case, colour) for it in rows for colour in it.colours})
    outcomes = run(project, tests, columns_of(store, layout=layout), environment(store))
    assert [str(it) for it in outcomes if not it.passed] == []
    assert len(outcomes) >= len(tests)


@pytest.mark.parametrize(
    ("put", "told"),
    [
        ("LARGE = '65535'", "Write a case of the matrix that notices"),
        ("LARGE = no_such_name", "not by what list_of_an_empty_store_is_empty asserts"),
    ],
)
def test_what_is_no_catch(
    put: str, told: str, project: Path, tree: Tree, environment: Environment
) -> None:
    """A change that harms nobody is told, and so is one with which the class cannot be had."""
    file = "templates/runtime/_runtime/packed.py"
    case = "list_of_an_empty_store_is_empty"
    mutant = Mutant("redis", "none", "something", file, 'LARGE = "65536"', put, case)
    with pytest.raises(AssertionError, match=told):
        try_out(mutant, project, tree, environment)


@pytest.mark.parametrize(
    ("stage", "error", "says", "caught"),
    [
        ("call", AssertionError, "", True),
        ("call", StateConflictError, "", True),
        ("setup", AssertionError, "", False),
        ("call", NameError, "", False),
        ("call", pytest.fail.Exception, "DID NOT RAISE", True),
        ("call", pytest.fail.Exception, "Timeout >30.0s", False),
    ],
)
def test_only_the_case_itself_catches(
    stage: str, error: type[BaseException], says: str, caught: bool
) -> None:
    errors = tuple(kind.__name__ for kind in error.__mro__)
    assert Outcome("any", stage, errors, says).caught is caught
