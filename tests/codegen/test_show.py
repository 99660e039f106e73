"""`codegen show`: the resolved spec as stable text. A golden shows what a change of the spec means.

After a change, run `UPDATE_GOLDENS=1 pytest tests/codegen/test_show.py` and review the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codegen.__main__ import main

GOLDEN = Path(__file__).parents[1] / "golden"
BACKENDS = Path(__file__).parents[2] / "spec" / "backends"


@pytest.mark.parametrize("backend", sorted(it.stem for it in BACKENDS.glob("*.yaml")))
def test_a_backend_is_shown_as_it_is_printed(
    backend: str, original: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--root", str(original), "show", backend]) == 0
    found = capsys.readouterr().out
    golden = GOLDEN / f"show_{backend}.txt"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


def test_every_backend_has_a_golden(original: Path) -> None:
    backends = {path.stem for path in (original / "spec" / "backends").glob("*.yaml")}
    assert {path.stem.removeprefix("show_") for path in GOLDEN.glob("show_*.txt")} == backends


def test_an_unknown_backend_is_refused(original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--root", str(original), "show", "sqlit"]) == 1
    assert capsys.readouterr().err.startswith(
        "there is no backend 'sqlit'; did you mean 'sqlite'?  known here: mariadb, "
    )
