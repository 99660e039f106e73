"""The example application, run as its readers run it: a real text, processes that are killed."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

import persistry
from persistry import State

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "licence_review"
LICENSE = ROOT / "LICENSE"
STEPS = [
    "plan",
    *["read_section"] * 10,
    "check_terms",
    "check_refs",
    "find_endings",
    "summarise",
    "write_report",
]

# The agent's command line, made to stop in the middle of one step: its work done, nothing saved.
STOPPING = """
import signal, sys, time
# A shell's background job, and all it starts, ignores Ctrl-C unless told otherwise.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
import agent
act, steps = agent.act, iter(range(100))
def act_and_stop(state, pace):
    after = act(state, pace)
    if next(steps) == int(sys.argv[2]):
        print("in the middle", flush=True)
        time.sleep(60)
    return after
agent.act = act_and_stop
sys.exit(agent.main(sys.argv[3:]))
"""

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the agent as it finds itself when started: with its own folder on the path."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    return importlib.import_module("agent")


@pytest.fixture(params=["sqlite", "memory"])
def persister(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    file = quote(str(tmp_path / "review.db"))
    with persistry.connect(
        f"sqlite:///{file}" if request.param == "sqlite" else "memory://"
    ) as opened:
        opened.initialize()
        yield opened


def environment() -> dict[str, str]:
    """Let a child process import the same persistry as this one, installed or not."""
    package = Path(persistry.__file__).resolve().parents[1]
    paths = [str(package), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUTF8": "1"}


def start(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def finish(*arguments: str | Path, cwd: Path) -> tuple[int, str, str]:
    with start(*arguments, cwd=cwd) as process:
        try:
            out, err = process.communicate(timeout=50)
        finally:
            process.kill()
    return process.returncode, out, err


def review(agent: ModuleType, persister: Any) -> State:
    """Run the agent in this process, without a word."""
    text = LICENSE.read_text(encoding="utf-8")
    state = agent.run(
        persister, "LICENSE", "a run", agent.begin("LICENSE", text), tell=lambda line: None
    )
    assert isinstance(state, State)
    return state


def uninterrupted(agent: ModuleType) -> State:
    with persistry.connect("memory://") as memory:
        memory.initialize()
        return review(agent, memory)


def stored(persister: Any, run_id: str = "a run") -> list[Any]:
    count = persister.load("LICENSE", run_id)["sequence_id"] + 1
    return [persister.load("LICENSE", run_id, sequence_id) for sequence_id in range(count)]


def test_the_licence_is_the_verbatim_text() -> None:
    digest = hashlib.sha256(LICENSE.read_bytes()).hexdigest()
    # Of the text that the Apache Software Foundation publishes.
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_an_uninterrupted_run_stores_every_step(agent: ModuleType, persister: Any) -> None:
    state = review(agent, persister)

    records = stored(persister)
    assert [record["position"] for record in records] == STEPS
    assert {record["status"] for record in records} == {"completed"}
    assert dict(records[-1]["state"]) == dict(state) == dict(uninterrupted(agent))


def test_the_review_says_what_is_in_the_text(agent: ModuleType) -> None:
    state = uninterrupted(agent)

    assert {*state["terms"]} == {
        *("License", "Licensor", "Legal Entity", "control", "You", "Source", "Object", "Work"),
        *("Derivative Works", "Contribution", "submitted", "Contributor"),
    }
    assert state["undefined"] == {"NOTICE": 6}
    assert state["small"] == {"you": [136], "your": [175]}
    assert (state["references"], state["dangling"]) == (["1", "9"], [])
    (ending,) = state["endings"]
    assert ending["when"].startswith("You institute patent litigation against any entity")
    assert ending["then"].startswith("any patent licenses granted to You")
    duties = [each["sentence"] for each in state["findings"] if each["kind"] == "duty"]
    assert (
        "You must give any other recipients of the Work or Derivative Works a copy of this License"
        in duties
    )
    assert max(map(len, state["report"].splitlines())) <= 80


def test_every_found_sentence_stands_where_it_says(agent: ModuleType) -> None:
    lines = LICENSE.read_text(encoding="utf-8").splitlines()
    for finding in uninterrupted(agent)["findings"]:
        words = finding["sentence"].split()[:2]
        assert " ".join(words) in " ".join(lines[finding["line"] - 1].split())


def test_a_failed_step_is_stored_with_the_state_before_it_and_done_again(
    agent: ModuleType, persister: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(state: State, subject: str) -> State:
        state.update(undefined={"half": "done"})
        raise OSError("no dictionary")

    with monkeypatch.context() as patch:
        patch.setitem(agent.ACTIONS, "check_terms", broken)
        for _ in range(2):
            with pytest.raises(OSError, match="no dictionary"):
                review(agent, persister)
    *_, good, failed, failed_again = stored(persister)
    assert (failed["position"], failed["status"]) == ("check_terms", "failed")
    assert (failed_again["position"], failed_again["status"]) == ("check_terms", "failed")
    assert dict(failed["state"]) == dict(failed_again["state"]) == dict(good["state"])

    state = review(agent, persister)

    tries = [record["status"] for record in stored(persister) if record["position"] == STEPS[11]]
    assert tries == ["failed", "failed", "completed"]
    assert dict(state) == dict(uninterrupted(agent))


@pytest.mark.parametrize(
    ("step", "how", "status"),
    [
        (0, signal.SIGKILL, -signal.SIGKILL),
        (5, signal.SIGKILL, -signal.SIGKILL),
        (10, signal.SIGKILL, -signal.SIGKILL),
        (15, signal.SIGKILL, -signal.SIGKILL),
        (3, signal.SIGTERM, -signal.SIGTERM),
        (12, signal.SIGINT, 130),
    ],
)
def test_wherever_it_is_killed_it_ends_in_the_same_state(
    agent: ModuleType, tmp_path: Path, step: int, how: signal.Signals, status: int
) -> None:
    options = ("--store", "sqlite:///review.db", "--run", "a run", str(LICENSE))
    with start("-c", STOPPING, EXAMPLE, str(step), *options, cwd=tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "in the middle\n":
                process.send_signal(how)
    assert process.returncode == status

    with persistry.SQLitePersister(str(tmp_path / "review.db")) as opened:
        before = opened.load("LICENSE", "a run")
        assert step == (0 if before is None else before["sequence_id"] + 1)
        code, out, err = finish(EXAMPLE / "agent.py", *options, cwd=tmp_path)
        assert (code, err) == (0, "")
        began = [int(number) for number in re.findall(r"^step +(\d+)  began", out, re.MULTILINE)]
        assert began == [*range(step, 16)]
        records = stored(opened)
    assert [record["position"] for record in records] == STEPS
    assert dict(records[-1]["state"]) == dict(uninterrupted(agent))


def test_a_finished_run_only_shows_its_report_again(tmp_path: Path) -> None:
    script = EXAMPLE / "agent.py"
    assert finish(script, cwd=tmp_path)[0] == 0
    code, out, _ = finish(script, cwd=tmp_path)
    assert code == 0
    assert "began" not in out
    assert "Review of LICENSE" in out


def test_what_cannot_be_run_is_said_in_one_sentence(tmp_path: Path) -> None:
    script = EXAMPLE / "agent.py"
    empty = tmp_path / "empty.txt"
    empty.write_text("\n", encoding="utf-8")
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("nowhere.txt",), 2, "cannot read nowhere.txt"),
        (("--store", "nosuch://store", str(LICENSE)), 2, "--store"),
        ((str(empty),), 1, "there is no text in empty.txt"),
    ]
    for arguments, status, words in cases:
        code, _, err = finish(script, *arguments, cwd=tmp_path)
        assert code == status, err
        assert words in err
        assert "Traceback" not in err


def test_the_demo(tmp_path: Path) -> None:
    code, out, err = finish(EXAMPLE / "demo.py", "--keep", "100%25 kept #1", cwd=tmp_path)

    assert (code, err) == (0, "")
    resumed = re.search(r"resumed at step (\d+), \w+", out)
    assert resumed is not None
    # A machine that is very busy may kill it a step later.
    at = int(resumed[1])
    assert 7 <= at < 16
    rows = re.findall(r"^ *(\d+) +(\w+) +completed .* (1st|2nd) +\d+ *$", out, re.MULTILINE)
    assert [(int(step), action) for step, action, _ in rows] == [*enumerate(STEPS)]
    assert [run for *_, run in rows] == ["1st"] * at + ["2nd"] * (16 - at)
    assert out.count("     yes  ") == 6
    assert "\nWhat you may do\n" in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 100
    assert (tmp_path / "100%25 kept #1" / "review.db").stat().st_size > 0


@pytest.mark.parametrize(
    ("right", "wrong", "reason"),
    [
        ("if record is not None:", "if False:", "no stored step was done again"),
        ('record["sequence_id"] + 1', 'record["sequence_id"] + 2', "missing in the store"),
        ('= record["state"],', '= act(record["state"]),', "states equal those"),
    ],
    ids=["never resumes", "leaves a gap", "does a step unseen"],
)
def test_the_demo_fails_with_an_agent_that_does_not_resume_rightly(
    tmp_path: Path, right: str, wrong: str, reason: str
) -> None:
    folder = tmp_path / "example"
    ignore: Callable[..., set[str]] = shutil.ignore_patterns("__pycache__")
    shutil.copytree(EXAMPLE, folder, ignore=ignore)
    source = (folder / "agent.py").read_text(encoding="utf-8")
    assert source.count(right) == 1
    (folder / "agent.py").write_text(source.replace(right, wrong), encoding="utf-8")

    code, _, err = finish(folder / "demo.py", "--pace", "0.04", str(LICENSE), cwd=tmp_path)

    assert code == 1
    assert "The demo failed: " in err
    assert reason in err
    assert "Traceback" not in err
