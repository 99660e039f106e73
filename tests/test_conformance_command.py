"""`python -m persistry.conformance`: what it finds out, what it says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from persistry.conformance.support.promise import POINTS
from tests.warm import run_module

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "persistry.conformance"]
Done = subprocess.CompletedProcess[str]

FACTORIES = """
import asyncio, contextlib
import persistry

def plain(): return persistry.InMemoryPersister()
def undeclared(): return plain()
undeclared.gaps = {}
async def coroutine(directory): return await opening(directory)
def opening(directory): return persistry.AsyncSQLitePersister.from_values(str(directory / "s.db"))

@contextlib.contextmanager
def block(directory):
    with persistry.SQLitePersister.from_values(str(directory / "s.db")) as persister:
        yield persister
    open("removed", "w").close()

@contextlib.asynccontextmanager
async def async_block(directory):
    async with opening(directory) as persister:
        yield persister

class Store:
    def __init__(self, directory): self.path = str(directory / "s.db")
    def open(self, **options): return persistry.SQLitePersister.from_values(self.path, **options)
    def connect(self):
        import sqlite3
        return sqlite3.connect(self.path, check_same_thread=False)
    def over(self, connection, **options):
        return persistry.SQLitePersister(self.path, connection=connection, **options)
    def is_usable(self, connection): return connection.execute("SELECT 1").fetchone() == (1,)
    def disconnect(self, connection): connection.close()

Store.traits = {"durable", "initialize", "connection"}

class Foreign:
    "What has the operations and nothing else."
    def __init__(self, persister): self.persister = persister
    def initialize(self): self.persister.initialize()
    def save(self, *args, **kwargs): self.persister.save(*args, **kwargs)
    def load(self, *args, **kwargs): return self.persister.load(*args, **kwargs)
    def list_app_ids(self, *args, **kwargs): return self.persister.list_app_ids(*args, **kwargs)

def foreign(): return Foreign(plain())

class Half(Foreign):
    async def load(self, *args): pass

def half(): return Half(plain())
def nothing(): return None
def a_dict(): return {}
def a_class(): return persistry.InMemoryPersister
def failing(): raise OSError("the disk is full")
def leaving(): raise SystemExit(3)
def greedy(first, second): pass
def sleeping():
    import time
    time.sleep(100)

number = 3

def gaps(): return plain()
gaps.gaps = {"pickle_gives_a_working_persister": "memory", "nan_comes_back": "long since mended"}
def unknown_gap(): return plain()
unknown_gap.gaps = {"nan_come_back": "a slip of the pen"}
def list_of_gaps(): return plain()
list_of_gaps.gaps = ["nan_comes_back"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the command is called: a project whose own test configuration would break it."""
    (tmp_path / "factories.py").write_text(FACTORIES)
    (tmp_path / "syntax.py").write_text("def make(:\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('conftest.py was read')\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> Done:
    """Run the command, with the factories of this suite beside those of the folder."""
    path = os.pathsep.join([str(ROOT / "generated"), str(ROOT)])
    more = {"PYTHONPATH": path, "PYTEST_ADDOPTS": "--no-such-option", "FORCE_COLOR": ""}
    return run_module("persistry.conformance", arguments, folder, os.environ | more)


def outcome(folder: Path, *arguments: str) -> dict[str, Any]:
    """The report in JSON of a run that could be made."""
    done = run(folder, *arguments, "--json")
    assert done.stderr == ""
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == {"passed": 0, "failed": 1}[report["outcome"]]
    return report


def failed(report: dict[str, Any]) -> set[str]:
    return {name for name, case in report["cases"].items() if case["outcome"] == "failed"}


@pytest.mark.timeout(400)  # every case there is
def test_a_persister_that_keeps_the_promise(folder: Path) -> None:
    done = run(folder, "tests.broken_persisters:sqlite", "--json", "report.json")
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    report = json.loads((folder / "report.json").read_text())
    counts = report["counts"]
    assert counts["failed"] == counts["gap"] == 0
    assert counts["passed"] > 300
    first, last = done.stdout.splitlines()[0], done.stdout.splitlines()[-1]
    assert first == (
        "SQLitePersister (sync; durable, initialize, list_partition_keys, "
        "pending_migrations, table),"
        " made by tests.broken_persisters:sqlite"
    )
    said = f"{counts['passed']} passed, 0 failed, {counts['not run']} not run in"
    assert last.startswith(f"SQLitePersister: {said}")
    # What the factory cannot offer, and nothing else.
    reasons = {it["message"] for it in report["cases"].values() if it["outcome"] == "not run"}
    assert {reason.partition(" (trait ")[2].rstrip(")") for reason in reasons} == {
        "connection",
        "network",
    }
    for point, name in POINTS.items():
        assert f" {point}  {name} " in done.stdout


def test_an_asynchronous_one(folder: Path) -> None:
    report = outcome(folder, "tests.broken_persisters:aiosqlite", "--point", "3", "--point", "9")
    assert report["outcome"] == "passed"
    assert report["persister"]["colour"] == "async"
    assert "cancelled_saves_leave_their_neighbours" in report["cases"]


# Factory -> the cases that are run (texts in their names) and those of them that fail.
BROKEN = {
    "key": (
        ["partition_none_is_the_empty_text", "partition_named_none", "wildcards"],
        {"partition_none_is_the_empty_text", "partition_named_none_is_another"},
    ),
    "arguments": (["sequence"], {"save_refuses_a_negative_sequence"}),
    "latest": (["latest_may", "latest_compares"], {"latest_may_have_failed"}),
    "listing": (["list_is_most", "list_sees_only"], {"list_is_most_recently_saved_first"}),
    "conflicts": (
        ["other_state_is_refused", "same_record_again_is_accepted"],
        {"other_state_is_refused"},
    ),
    "values": (["minus_zero_keeps", "floats_are_exact"], {"minus_zero_keeps_its_sign"}),
    "shape": (["created_at_is_the", "record_has"], {"created_at_is_the_time_of_the_save"}),
    "errors": (
        ["save_before_initialize", "load_before_initialize"],
        {"save_before_initialize_says_what_to_do"},
    ),
    "sharing": (["saving_works_after_a_c", "identical"], {"saving_works_after_a_conflict"}),
    "closing": (["closed_persister_says_so", "twice_is"], {"closed_persister_says_so"}),
    "hanging": (
        ["values_come_back_from", "values_come_back_at"],
        {"values_come_back_from_a_partition"},
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_persister_fails_the_case_for_it(folder: Path, name: str) -> None:
    texts, expected = BROKEN[name]
    chosen = [it for text in texts for it in ("--case", text)]
    report = outcome(folder, f"tests.broken_persisters:{name}", *chosen, "--limit", "2")
    assert expected <= failed(report)
    others = failed(report) - expected
    assert all(any(other.startswith(it) for it in expected) for other in others), others
    assert report["counts"]["passed"] > 0
    for case in failed(report):
        assert report["cases"][case]["message"]
        assert report["cases"][case]["doc"].endswith(".")


def test_the_report_says_what_was_expected_and_what_came(folder: Path) -> None:
    done = run(folder, "tests.broken_persisters:errors", "-k", "save_before_initialize_says")
    assert done.returncode == 1
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[lines.index("FAILED save_before_initialize_says_what_to_do") :][:8] == [
        "FAILED save_before_initialize_says_what_to_do",
        "point 8 One error taxonomy",
        "promise A save to a store that was never initialised says what to call.",
        'in persister.save("p", "a", 1, "x", State({}), "completed")',
        "expected NotInitializedError that mentions 'initialize()'",
        "came KeyError: 'steps'",
        "",
        lines[-1],
    ]
    assert lines[-1].startswith("SaysTooLittle: 0 passed, 1 failed in ")
    assert "Traceback" not in done.stdout
    assert "broken_persisters.py" not in done.stdout
    verbose = run(folder, "tests.broken_persisters:errors", "-k", "save_before_initialize_s", "-v")
    assert "broken_persisters.py" in verbose.stdout
    quiet = run(folder, "tests.broken_persisters:errors", "-k", "save_before_initialize_s", "-q")
    assert quiet.stdout.count("\n") == 1


def test_a_persister_that_hangs_is_told(folder: Path) -> None:
    started = time.monotonic()
    done = run(
        folder, "tests.broken_persisters:hanging", "-k", "values_come_back_from", "--limit", "1"
    )
    assert "came     did not answer within 1 s" in done.stdout
    assert done.returncode == 1
    assert time.monotonic() - started < 30  # the thread that sleeps keeps nobody


# What waits in C code, where no signal handler of Python's is called before it returns.
WAITING = """
import socket
import psycopg2

class Waits:
    def __init__(self): self.server = socket.create_server(("127.0.0.1", 0))
    def initialize(self): psycopg2.connect(host="127.0.0.1", port=self.server.getsockname()[1])
    def save(self, *args): pass
    def load(self, *args): pass
    def list_app_ids(self, *args): return []
"""


def test_a_persister_that_hangs_in_c_code_is_told(folder: Path) -> None:
    (folder / "waiting.py").write_text(WAITING)
    started = time.monotonic()
    report = outcome(folder, "waiting:Waits", "-k", "nan_comes", "-k", "many_calls", "--limit", "1")
    assert failed(report) == {"nan_comes_back", "many_calls_initialize_one_persister"}
    messages = [case["message"] for case in report["cases"].values()]
    assert messages == ["did not answer within 1 s"] * 2
    assert time.monotonic() - started < 60


# What our own classes have and others may lack; a declared set of traits says it or not.
OFFERED = ["list_partition_keys", "pending_migrations"]


@pytest.mark.parametrize(
    ("name", "colour", "traits"),
    [
        ("plain", "sync", OFFERED),
        ("coroutine", "async", ["durable", "initialize", *OFFERED]),
        ("opening", "async", ["durable", "initialize", *OFFERED]),
        ("block", "sync", ["durable", "initialize", *OFFERED]),
        ("async_block", "async", ["durable", "initialize", *OFFERED]),
        ("Store", "sync", ["connection", "durable", "initialize"]),
        ("foreign", "sync", []),
    ],
)
def test_every_kind_of_factory(folder: Path, name: str, colour: str, traits: list[str]) -> None:
    chosen = ["-k", "another_process", "-k", "nan_comes", "-k", "order_is_one"]
    report = outcome(folder, f"factories:{name}", *chosen, "-k", "connection_commits")
    assert report["persister"]["colour"] == colour
    assert report["persister"]["traits"] == traits
    assert report["outcome"] == "passed"
    outcomes = {name: case["outcome"] for name, case in report["cases"].items()}
    lasting = "passed" if "durable" in traits else "not run"
    assert outcomes == {
        "nan_comes_back": "passed",
        "order_is_one_for_all_persisters": lasting,
        "another_process_sees_what_was_saved": lasting,
        "handed_in_connection_commits": "passed" if "connection" in traits else "not run",
    }
    assert (folder / "removed").exists() == (name == "block")


def test_what_a_persister_lacks_fails_its_cases_only(folder: Path) -> None:
    report = outcome(folder, "factories:foreign", "-k", "copy_shares_the", "-k", "infinities_come")
    assert failed(report) == {"copy_shares_the_data"}
    message = report["cases"]["copy_shares_the_data"]["message"]
    assert message == "AttributeError: 'Foreign' object has no attribute 'copy'"


def test_traits_may_be_declared(folder: Path) -> None:
    report = outcome(
        folder, "factories:opening", "--trait", "initialize", "-k", "fresh", "-k", "killed"
    )
    assert report["persister"]["traits"] == ["initialize"]
    assert report["cases"]["fresh_store_is_not_initialized"]["outcome"] == "passed"
    assert report["cases"]["killed_process_loses_nothing"]["outcome"] == "not run"


def test_gaps_are_shown_and_told_when_they_pass(folder: Path) -> None:
    report = outcome(folder, "factories:gaps", "-k", "nan_comes_back", "-k", "pickle_gives")
    assert report["counts"] == {"passed": 0, "failed": 1, "gap": 1, "not run": 0}
    assert report["cases"]["pickle_gives_a_working_persister"]["message"] == "memory"
    told = report["cases"]["nan_comes_back"]["message"]
    assert told == "it passes: take it out of the declared gaps"
    done = run(folder, "factories:gaps", "-k", "pickle_gives")
    assert done.returncode == 0
    assert "Declared gaps\n  1 case: memory\n    pickle_gives_a_working_persister" in done.stdout


def test_classes_of_ours_bring_their_gaps(folder: Path) -> None:
    report = outcome(folder, "persistry:InMemoryPersister", "-k", "pickle_gives")
    assert report["counts"] == {"passed": 0, "failed": 0, "gap": 1, "not run": 0}


WRONG = {
    "": "which persister? give what makes it, as module:attribute",
    "--json factories:plain": "did you mean factories:plain --json?",
    "factories": "'factories' names no factory: write module:attribute",
    "no_such_module:make": "no_such_module cannot be imported: ModuleNotFoundError",
    "syntax:make": "syntax cannot be imported: SyntaxError",
    "factories:plaint": "factories has no attribute 'plaint'; did you mean plain?",
    "factories:number": "factories:number is no function that makes a persister, but of type int",
    "factories:greedy": "factories:greedy needs the arguments first, second; a factory takes one",
    "factories:nothing": "factories:nothing gives None, which is no persister",
    "factories:a_dict": "factories:a_dict gives a dict, which is no persister: it has no",
    "factories:a_class": "factories:a_class gives the class InMemoryPersister, not an object",
    "factories:failing": "factories:failing raised OSError: the disk is full",
    "factories:leaving": "factories:leaving raised SystemExit: 3",
    "factories:half": "Half is neither sync nor async: load are coroutines",
    "factories:sleeping --limit 1": "factories:sleeping did not answer within 1 s",
    "factories:unknown_gap": "declares a gap for the case nan_come_back, which does not exist",
    "factories:list_of_gaps": "factories:list_of_gaps.gaps must be a dict",
    "factories:plain -k nan_come_bock": "'nan_come_bock' in its name; did you mean nan_comes_back?",
    "factories:plain -k nan_comes_back --point 1": "no case is chosen",
    "factories:plain --trait large": "no trait is called large; there are durable",
    "factories:plain --limit 0": "--limit must be above 0",
    "factories:plain --json no/such/folder": "--json: [Errno 2] No such file or directory",
}


@pytest.mark.parametrize("arguments", WRONG, ids=lambda it: it or "nothing")
def test_wrong_use_is_one_line(folder: Path, arguments: str) -> None:
    done = run(folder, *arguments.split())
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("persistry.conformance: ")
    assert WRONG[arguments] in line


def test_wrong_use_with_a_traceback_on_request(folder: Path) -> None:
    done = run(folder, "factories:failing", "-v")
    assert done.returncode == 2
    assert 'raise OSError("the disk is full")' in done.stderr


def test_nothing_that_could_be_run_is_no_success(folder: Path) -> None:
    done = run(folder, "factories:plain", "-k", "another_process")
    assert done.returncode == 2
    assert "0 passed, 0 failed, 1 not run" in done.stdout


def test_ctrl_c_ends_with_what_is_there(folder: Path) -> None:
    path = os.pathsep.join([str(ROOT / "generated"), str(ROOT)])
    with subprocess.Popen(
        [*COMMAND, "tests.broken_persisters:hanging", "-k", "values_come_back", "--json", "r.json"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What is begun in a shell's background has it ignored, and so have its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        while not (folder / "hanging").exists():  # in the second case
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in err
    assert "NeverAnswers: stopped: 1 passed, 0 failed, 1 not run in " in out
    assert json.loads((folder / "r.json").read_text())["outcome"] == "stopped"


def test_list_names_every_case_once(folder: Path) -> None:
    done = run(folder, "--list")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    cases = [line.split()[0].rstrip(":") for line in lines if line.startswith("  ")]
    assert len(cases) == len(set(cases)) > 300
    assert [line for line in lines if line[0] != " "] == [
        f"{point} {name}" for point, name in POINTS.items()
    ]
    some = run(folder, "--list", "--point", "4", "-k", "limit_one").stdout
    doc = "A limit of one gives the application saved last."
    assert some == f"4 Lists\n  list_with_limit_one: {doc}\n"


def test_the_json_has_what_the_page_says(folder: Path) -> None:
    chosen = ["-k", "pickle_gives", "-k", "512_bytes_are_taken", "-k", "another_process"]
    report = outcome(folder, "factories:undeclared", *chosen)
    page = (ROOT / "docs" / "your-own-persister.md").read_text()
    for key in report:
        assert f"| `{key}` |" in page
    assert set(report["versions"]) == {"persistry", "python", "pytest"}
    assert [point["point"] for point in report["points"]] == list(POINTS)
    assert report["points"][9]["cases"] == [
        "another_process_sees_what_was_saved",
        "pickle_gives_a_working_persister",
    ]
    long = report["cases"]["texts_of_512_bytes_are_taken"]
    assert long["tests"] > 1
    assert long.pop("seconds") > 0
    assert long == {
        "doc": "512 bytes of UTF-8 fit into every text at once, and come back in a record and "
        "a list.",
        "points": [2],
        "outcome": "passed",
        "tests": long["tests"],
        "failed": [],
        "statement": None,
        "expected": None,
        "message": None,
    }
    pickled = report["cases"]["pickle_gives_a_working_persister"]
    assert pickled["outcome"] == "failed"
    assert pickled["failed"] == [""]
    assert "pickle.dumps(persister)" in pickled["statement"]
    elsewhere = report["cases"]["another_process_sees_what_was_saved"]
    assert elsewhere["message"] == "needs data that outlives its process (trait durable)"


def test_the_points_have_one_name() -> None:
    """The short names are how the points begin in the promise itself."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    for point, name in POINTS.items():
        assert f"\n{point}. **{name}" in page.replace("**`", "**")
