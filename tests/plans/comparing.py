"""What is recorded, and what is said where it is not what the store does now."""

from __future__ import annotations

import difflib
from pathlib import Path

from codegen import plans
from codegen.decode import decode
from codegen.model import PlansModel
from codegen.problems import Report
from codegen.source import load

from .recording import Recorded


def recorded(root: Path, backend: str, layout: str = "") -> Recorded | None:
    """What stands in the file, if there is one."""
    path, report = plans.file_of(backend, layout), Report()
    if not (root / path).exists():
        return None
    node, _ = load(root, path, report)
    model = decode(node, PlansModel, report) if node is not None else None
    report.raise_if_any()
    assert model is not None
    return Recorded(str(model.recorded_with), plans.read(model))


def difference(backend: str, before: Recorded | None, now: Recorded, layout: str = "") -> str:
    """The lines in which plans differ, and what to do; empty if none does."""
    path = plans.file_of(backend, layout)
    if before is None:
        return f"{path} is missing; run `{plans.COMMAND}`, review the file and commit it"
    if before.plans == now.plans:
        return ""
    texts = [plans.written(backend, "", it.plans).splitlines() for it in (before, now)]
    names = (f"{path}, with {before.server}", f"now, with {now.server}")
    lines = difflib.unified_diff(*texts, *names, lineterm="", n=6)
    return "\n".join(
        [
            f"queries of spec/backends/{backend}.yaml are answered in another way than recorded:",
            *lines,
            f"if that is meant, run `{plans.COMMAND}`, review the difference and commit it",
        ]
    )
