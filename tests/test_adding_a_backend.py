"""docs/adding-a-backend.md, followed word by word in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codegen.test_adding_an_operation import Change
from tests.test_docs import stable
from tests.test_what_a_backend_takes import of_yaml

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adding-a-backend.md").read_text(encoding="utf-8")
BACKEND = "spec/backends/pysqlite3.yaml"
# What of the project has to be there; `.venv` is put beside it.
NEEDED = ("Makefile", "codegen", "conftest.py", "generated", "pyproject.toml", "spec", "templates")
# `make` says it where it installs; this environment has all that the page asks for.
INSTALLING = "installing what is needed into .venv (once)\n"


class Copy:
    """The project in another folder, with this environment as its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in (*NEEDED, "tests"):
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, folder)
        (folder / ".venv").mkdir()
        for path in Path(sys.prefix).iterdir():
            if path.name in ("bin", "lib", "lib64", "pyvenv.cfg"):
                (folder / ".venv" / path.name).symlink_to(path)

    def run(self, *command: str) -> str:
        """What a command prints; where `make` failed, without its own line."""
        (self.folder / ".venv" / ".ready").touch()  # it has all: nothing is to be installed
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(self.folder / "generated"), str(self.folder)]),
            "PYTHONUNBUFFERED": "1",  # stdout and stderr in their order
            "PERSISTRY_TEST_MARIADB_SERVER": "none",  # it is neither needed nor to be installed
        }
        # Here bytecode may lie beside the sources, as that of what is installed does.
        for name in [it for it in environment if it.startswith(("PYTEST_", "MAKE", "PYTHONPYC"))]:
            del environment[name]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return re.sub(r"^make: \*\*\*.*\n", "", done.stdout, flags=re.MULTILINE).rstrip() + "\n"

    def shell(self, line: str) -> str:
        # More processes than this one would each collect all cases.
        line = re.sub(r'(ARGS="[^"]*)"', r'\1 --numprocesses 0"', line)
        return self.run("/bin/sh", "-c", line)

    def change(self, path: str, text: str) -> None:
        file = self.folder / path
        file.write_text(text, encoding="utf-8")

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")

    def put_sections(self, block: str) -> None:
        """Each section of the backend file that stands in the block takes the place of the old."""
        text = self.text(BACKEND)
        for section in re.findall(r"^\w.*\n(?:^[ \n].*\n?)*", block, re.MULTILINE):
            name = section.partition(":")[0]
            old = re.findall(rf"^{name}:.*\n(?:(?:[ ].*)?\n)*", text, re.MULTILINE)
            assert len(old) == 1, name
            text = text.replace(old[0], section.rstrip() + "\n\n")
        self.change(BACKEND, text)

    def follow(self, language: str, block: str) -> None:
        if language == "yaml":
            self.put_sections(block)
        elif language == "diff":
            change = Change.of(block)
            self.change(change.path, change.made(self.text(change.path)))
        elif language == "python" and (named := re.match(r"# (\S+\.py)\n", block)):
            self.change(named[1], block.removeprefix(named[0]))
        elif language == "python":
            promised = re.findall(r"print\(.*\)\s+# (.*)$", block, re.MULTILINE)
            assert promised
            assert self.run(sys.executable, "-c", block).splitlines() == promised
        else:
            assert language == "sh"
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                is_shown(self.shell(command), shown.replace(INSTALLING, ""), command)


def is_shown(printed: str, shown: str, command: str) -> None:
    """The page shows what is printed; lines of dots stand for any lines, N for any number."""
    lines = [r"(?:.*\n)*" if it == "..." else re.escape(it) + "\n" for it in stable(shown)]
    found = "".join(f"{it}\n" for it in stable(printed))
    assert re.fullmatch("".join(lines), found), f"$ {command}\n{printed}"


def blocks() -> list[tuple[str, str]]:
    """The page's blocks in their order: language and text."""
    return re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(400)  # it runs a column of the matrix
def test_the_page_is_followed(tmp_path: Path) -> None:
    pytest.importorskip("pysqlite3", reason="pysqlite3-binary has no wheel for this machine")
    copy = Copy(tmp_path)
    for language, block in blocks():
        copy.follow(language, block)
    lines = copy.text(BACKEND).splitlines()
    assert f"| pysqlite3 | {of_yaml(lines)} | {len(lines)} |" in PAGE


def test_the_files_that_are_named_exist() -> None:
    named = re.findall(r"`([\w.-]+/[\w./-]*[\w-]\.\w+)`", PAGE)
    assert len(named) > 5
    there = [it for it in named if "pysqlite3" not in it and not it.startswith("tests/stores/NAME")]
    assert [it for it in there if not (ROOT / it).exists()] == []
