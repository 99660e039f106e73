"""The spec of a commit, read from git's objects: nothing is checked out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# All that the generator looks at while it resolves a spec.
READ = ("spec", "templates/runtime", "pyproject.toml")


class NoBase(Exception):
    """There is nothing to compare with; the text says why, and what to do."""


@contextmanager
def base_of(root: Path, name: str) -> Iterator[tuple[str, Path]]:
    """The commit of this name, and a folder with what the generator reads of it."""
    commit = _commit(root, name)
    listed = _git(root, "ls-tree", "-r", "-z", commit, "--", *READ)
    entries = [entry.partition("\t") for entry in listed.decode().split("\0") if entry]
    blobs = {path: about.split()[2] for about, _, path in entries if about.split()[1] == "blob"}
    if not any(path.startswith("spec/") for path in blobs):
        raise NoBase(f"{name} ({commit[:7]}) has no folder 'spec'; give a commit that has one")
    with TemporaryDirectory() as folder:
        for path, content in zip(blobs, _contents(root, list(blobs.values())), strict=True):
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        yield commit, Path(folder)


def _commit(root: Path, name: str) -> str:
    _git(root, "rev-parse", "--git-dir")
    try:
        found = _git(root, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}")
    except NoBase:
        shallow = _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
        help = "fetch it (this clone is shallow: git fetch --unshallow), or give another"
        if not shallow:
            help = "fetch it, or give another commit, branch or tag"
        raise NoBase(f"git knows no commit {name!r} here; {help}") from None
    return found.decode().strip()


def _contents(root: Path, blobs: Sequence[str]) -> Iterator[bytes]:
    answered = _git(root, "cat-file", "--batch", given="".join(f"{it}\n" for it in blobs).encode())
    start = 0
    for _ in blobs:
        end = answered.index(b"\n", start)
        size = int(answered[start:end].split()[2])
        yield answered[end + 1 : end + 1 + size]
        start = end + 1 + size + 1


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], input=given, capture_output=True, check=False
        )
    except OSError as error:
        raise NoBase(f"git cannot be run ({error.strerror}); install it") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        if any("not a git repository" in line for line in said):
            raise NoBase(f"{root} is in no git checkout; `diff` compares with a commit of it")
        raise NoBase(f"git {arguments[0]} has failed: {said[0] if said else 'without a word'}")
    return done.stdout
