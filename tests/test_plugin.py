"""The matrix plugin, run by pytest inside pytest on small made-up columns."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import contextlib
import pytest
from persistry.conformance.support.column import Column
from persistry.conformance.support.plugin import Dispensable

pytest_plugins = ["persistry.conformance.support.plugin"]

COLUMNS = [
    Column("One", "sync", "file", frozenset({"durable"}), GAPS),
    Column("Two", "sync", "server", frozenset({"durable", "network"})),
    Column("AsyncTwo", "async", "server", frozenset({"durable", "network"})),
]
MISSING = {}

def pytest_persistry_columns(config):
    return COLUMNS

def pytest_persistry_prepare(config, column):
    return MISSING.get(column.backend) or None

@pytest.fixture
def make_store():
    return STORE
"""

CASES = """
import pytest

COLOUR = "sync"

@pytest.mark.promise(1, 5)
def test_plain(store):
    assert store.name in ("One", "Two")

@pytest.mark.promise(5)
@pytest.mark.needs("network")
def test_networked(store):
    assert store.name == "Two"

@pytest.mark.needs("network", "moon")
def test_impossible(store):
    assert False

@pytest.mark.promise(6)
def test_large(store):
    assert store.name != "One"
"""

GAP = '{"large": "the file is small"}'


NO_SERVER = "no moon: looked for it in the sky; install one: pip install moon"


class Project:
    """A directory with cases, and pytest runs in it."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pytester = pytester
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # faster, and the same anywhere
        others = CASES.replace('"sync"', '"async"').replace('"Two"', '"AsyncTwo"')
        pytester.makepyfile(test_sync=CASES, test_async=others, test_other="def test_it(): pass")

    def run(
        self,
        *args: str,
        gaps: str = GAP,
        missing: str = "",
        dispensable: bool = False,
        apart: bool = False,
        store: str = "contextlib.nullcontext",
    ) -> pytest.RunResult:
        conftest = CONFTEST.replace("GAPS", gaps).replace("STORE", store)
        line = f"Dispensable({missing!r})" if dispensable else repr(missing)
        conftest = conftest.replace("MISSING = {}", f"MISSING = {{'server': {line}}}")
        self.pytester.makeconftest(conftest)
        run = self.pytester.runpytest_subprocess if apart else self.pytester.runpytest_inprocess
        return run(*args)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)


def lines(result: pytest.RunResult) -> list[str]:
    """The lines of the output, each with single spaces."""
    return [" ".join(line.split()) for line in (*result.outlines, *result.errlines)]


def errors(result: pytest.RunResult) -> list[str]:
    return [line for line in lines(result) if line.startswith("ERROR")]


def has_lines(result: pytest.RunResult, *expected: str) -> None:
    found = lines(result)
    for line in expected:
        assert line in found


WHOLE_MATRIX = (
    "persister backend colour passed gaps failed not run",
    "One file sync 1 1 0 0",
    "Two server sync 3 0 0 0",
    "AsyncTwo server async 3 0 0 0",
    "total 7 1 0 0",
    "points of the promise:",
    "1 Key: 3 passed",
    "5 Saving is atomic and safe to repeat: 5 passed",
    "6 What is loaded is what was saved: 2 passed, 1 gap",
    "gap: One large: the file is small",
)


def test_every_case_runs_for_the_columns_that_it_applies_to(project: Project) -> None:
    result = project.run("-v")
    result.assert_outcomes(passed=8, xfailed=1)  # with one that is not in the matrix
    has_lines(result, *WHOLE_MATRIX)
    result.stdout.fnmatch_lines(
        ["test_sync.py::test_plain[[]One[]] PASSED*", "test_sync.py::test_plain[[]Two[]] PASSED*"]
    )
    result.stdout.no_fnmatch_line("*test_impossible*")
    result.stdout.no_fnmatch_line("*test_networked[[]One[]]*")


def test_a_gap_that_passes_fails(project: Project) -> None:
    result = project.run(gaps='{"plain": "long since mended", "large": "the file is small"}')
    result.assert_outcomes(passed=7, xfailed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    has_lines(result, "One file sync 0 1 1 0", "[XPASS(strict)] long since mended")


def test_a_gap_does_not_excuse_a_store_that_cannot_be_had(project: Project) -> None:
    result = project.run("test_sync.py", store="lambda column: 1 / 0")
    result.assert_outcomes(errors=5)
    has_lines(result, "One file sync 0 0 2 0")


def test_a_failure_without_a_gap_fails(project: Project) -> None:
    result = project.run(gaps="{}")
    result.assert_outcomes(passed=8, failed=1)
    has_lines(result, "One file sync 1 0 1 0")


@pytest.mark.parametrize("args", [(), ("test_sync.py",), ("-k", "plain"), ("--column", "One")])
def test_a_gap_for_a_case_that_does_not_exist(project: Project, args: tuple[str, ...]) -> None:
    result = project.run(*args, gaps='{"lrage": "a slip of the pen"}')
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert errors(result) == ["ERROR: One declares a gap for the case lrage, which does not exist"]


def test_a_gap_for_a_case_that_does_not_apply(project: Project) -> None:
    result = project.run(gaps='{"networked": "it has no server"}')
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert errors(result) == [
        "ERROR: One declares a gap for the case networked, which does not apply to it"
    ]


def test_a_gap_may_name_a_case_in_a_file_that_was_not_asked_for(project: Project) -> None:
    project.pytester.makepyfile(test_more="COLOUR = 'sync'\ndef test_more(store): assert 0")
    gaps = '{"more": "never enough", "large": "the file is small"}'
    result = project.run("test_sync.py", gaps=gaps)
    result.assert_outcomes(passed=4, xfailed=1)
    one_test = project.run("test_sync.py::test_plain", gaps=gaps)
    one_test.assert_outcomes(passed=2)


def test_a_missing_server_ends_the_run_with_one_line(project: Project) -> None:
    result = project.run(missing=NO_SERVER)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert errors(result) == [f"ERROR: {NO_SERVER}"]
    result.assert_outcomes()
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*persister matrix*")


def test_skip_missing_says_what_was_not_run(project: Project) -> None:
    result = project.run("--skip-missing", missing=NO_SERVER)
    result.assert_outcomes(passed=2, xfailed=1, skipped=6)
    assert result.ret == pytest.ExitCode.OK
    has_lines(
        result,
        "One file sync 1 1 0 0",
        "Two server sync 0 0 0 3",
        "AsyncTwo server async 0 0 0 3",
        f"not run, for lack of a server: AsyncTwo, Two: {NO_SERVER}",
    )


@pytest.mark.parametrize("xdist", [False, True])
def test_what_is_dispensable_is_said_and_fails_nothing(project: Project, xdist: bool) -> None:
    if xdist:
        pytest.importorskip("xdist")
    options = ("-p", "xdist", "-n", "2") if xdist else ()
    result = project.run(*options, apart=xdist, missing=NO_SERVER, dispensable=True)
    result.assert_outcomes(passed=2, xfailed=1, skipped=6)
    assert result.ret == pytest.ExitCode.OK
    has_lines(
        result,
        "Two server sync 0 0 0 3",
        f"not run, for lack of a server: AsyncTwo, Two: {NO_SERVER}",
    )
    assert not errors(result)


def test_a_server_is_missed_only_by_the_tests_that_are_run(project: Project) -> None:
    result = project.run("--column", "One", missing=NO_SERVER)
    result.assert_outcomes(passed=2, xfailed=1)
    listed = project.run("--collect-only", missing=NO_SERVER)
    assert listed.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*Two*")


def test_column_may_be_repeated(project: Project) -> None:
    result = project.run("--column", "One", "--column", "AsyncTwo")
    result.assert_outcomes(passed=5, xfailed=1)
    has_lines(result, "total 4 1 0 0")


def test_an_unknown_column_is_one_line(project: Project) -> None:
    result = project.run("--column", "Tow")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert errors(result) == [
        "ERROR: --column: no persister is called Tow; there are One, Two, AsyncTwo"
    ]


def test_k_and_x_leave_the_rest_not_run(project: Project) -> None:
    result = project.run("-k", "plain")
    result.assert_outcomes(passed=3, deselected=6)
    has_lines(result, "One file sync 1 0 0 1", "Two server sync 1 0 0 2")
    result = project.run("-x", "test_sync.py", gaps='{"plain": "", "large": ""}')
    result.assert_outcomes(failed=1)
    has_lines(result, "One file sync 0 0 1 1", "Two server sync 0 0 0 3")


def test_a_store_that_cannot_be_made_fails_its_case(project: Project) -> None:
    project.pytester.makepyfile(
        test_broken="""
        import pytest

        COLOUR = "sync"

        @pytest.fixture
        def make_store():
            raise OSError("the disk is full")

        def test_it(store):
            pass
        """
    )
    result = project.run("test_broken.py", "--column", "Two")
    result.assert_outcomes(errors=1)
    has_lines(result, "Two server sync 0 0 1 0")


def test_other_suites_are_left_alone(pytester: pytest.Pytester) -> None:
    """A fixture called `store` is nobody's business without COLOUR; no columns are looked for."""
    pytester.makepyfile(
        """
        import pytest
        pytest_plugins = ["persistry.conformance.support.plugin"]

        @pytest.fixture(params=[1, 2])
        def store(request):
            return request.param

        def test_it(store):
            assert store
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*persister matrix*")


def test_assertions_in_the_helpers_are_explained(project: Project) -> None:
    """The shipped modules beside the plugin are rewritten by pytest, as test modules are."""
    project.pytester.makepyfile(
        test_helper="""
        from persistry.conformance.support import proxy

        def test_it():
            assert type(proxy.__spec__.loader).__name__ == "AssertionRewritingHook"
        """
    )
    project.run("test_helper.py", apart=True).assert_outcomes(passed=1)


def test_with_xdist(project: Project) -> None:
    pytest.importorskip("xdist")
    result = project.run("-p", "xdist", "-n", "2", apart=True)
    result.assert_outcomes(passed=8, xfailed=1)
    has_lines(result, *WHOLE_MATRIX)


def test_with_xdist_a_missing_server_fails_the_run_at_its_end(project: Project) -> None:
    pytest.importorskip("xdist")
    result = project.run("-p", "xdist", "-n", "2", apart=True, missing=NO_SERVER)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2, xfailed=1, skipped=6)
    assert errors(result) == [f"ERROR: {NO_SERVER}"]
