"""The pages are true: their Python runs, their commands exist, the first screen is one screen."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import persistry

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(match[1], id=f"{page.name}:{page.read_text()[: match.start()].count(chr(10)) + 1}")
    for page in PAGES
    for match in re.finditer(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_python_runs_and_prints_what_its_comments_say(block: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    promised = re.findall(r"print\(.*\)\s+# (.*)$", block, re.MULTILINE)
    assert done.stdout.splitlines() == promised


def test_commands_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", page.read_text(), re.MULTILINE)
        assert {first or second for first, second in named} <= targets, page.name


def test_readme_is_one_screen_and_names_every_class() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 66
    classes = [name for name in dir(persistry) if name.endswith("Persister") and "Base" not in name]
    classes += ["RedisBasePersister", "AsyncRedisBasePersister"]
    classes += ["MongoDBBasePersister", "AsyncMongoDBBasePersister"]
    assert [name for name in classes if f"`{name}`" not in text] == []


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
