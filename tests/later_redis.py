"""Later versions of the Redis backend, as packages beside persistry: generations 2 and 3."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from codegen.__main__ import main
from tests.codegen.test_adding_an_operation import Change

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "spec" / "backends" / "redis.yaml"
# Names that persistry has not taken.
_RENAMED = (
    ("backend: redis", "backend: later"),
    ("class: Redis", "class: LaterRedis"),
    ("class: AsyncRedis", "class: AsyncLaterRedis"),
    ("renamed:\n      RedisPersister: use Redis", "renamed:\n      RedisPersister: use LaterRedis"),
    ("module: b_redis", "module: b_later"),
    ("    redis: {}\n    rediss: {redis_client_kwargs.ssl: true}\n", "    later: {}\n"),
    ("example: redis://", "example: later://"),
)
# The hash of heads has another name and a letter more behind each head; a new hash for each
# application has the position saved last at each sequence.
_SECOND = (
    ("generation: 1\n", "generation: 2\n"),
    ("    template: h\n", "    template: heads\n"),
    (
        "  partitions:\n    template: p\n",
        "  positions:\n"
        '    template: "s:{app_id}"\n'
        '    doc: "Hash: sequence id -> the position saved last at it."\n'
        "  partitions:\n    template: p\n",
    ),
    ("[record, moved, newest, heads]\n", "[record, moved, newest, heads, positions]\n"),
    ("#head == 38", "#head == 39"),
    ("string.match(head, '^%d+$')", "string.match(head, '^%d+%l$')"),
    ("string.sub(head, 20) <= last", "string.sub(head, 20, 38) <= last"),
    (
        "highest .. sequence)\n",
        "highest .. sequence .. 'n')\n      redis.call('HSET', positions, sequence, position)\n",
    ),
    ("':' .. string.sub(head, 20)", "':' .. string.sub(head, 20, 38)"),
    ("{app_id, string.sub(head, 20)}", "{app_id, string.sub(head, 20, 38)}"),
    ("{app_id, string.sub(head, 20), ", "{app_id, string.sub(head, 20, 38), "),
)
TO_2 = """\
  migrations:
    - to: 2
      doc: |
        The heads have another name and a letter more; the positions of each application are listed.
        No record is changed.
      run:
        - each: h
          keys: {heads: heads, left: h1}
          text: |
            -- A program of generation 1 that is still open fails at what is left in this key.
            if redis.call('TYPE', key).ok == 'hash' then
              redis.call('RENAME', key, left)
              redis.call('SET', key, 'heads')
            end
            local some = redis.call('HSCAN', left, 0, 'COUNT', 100)[2]
            for n = 1, #some, 2 do
              redis.call('HSET', heads, some[n], some[n + 1] .. 'o')
              redis.call('HDEL', left, some[n])
            end
            return #some > 0 and 1 or 0
        - each: "r:{app_id}:{sequence_id:019}"
          keys: {positions: "s:{app_id}"}
          arguments: [sequence_id]
          text: |
            local line = string.match(redis.call('GETRANGE', key, 28, 8191), '^[^\\n]*')
            return redis.call('HSETNX', positions, sequence_id, cjson.decode(line)[1])
"""
TO_3 = """\
    - to: 3
      doc: The applications have another name.
      run:
        - each: a
          keys: {apps: apps}
          text: |
            if redis.call('TYPE', key).ok ~= 'zset' then return 0 end
            redis.call('RENAME', key, apps)
            redis.call('SET', key, 'apps')
            return 1
"""
_THIRD = (
    ("generation: 2\n", "generation: 3\n"),
    ("    template: a\n", "    template: apps\n"),
)


def _edited(text: str, edits: tuple[tuple[str, str], ...]) -> str:
    for old, new in edits:
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    return text


def first() -> str:
    """The backend file of today, under other names."""
    return _edited(SPEC.read_text(encoding="utf-8"), _RENAMED)


def second() -> str:
    return _edited(first(), _SECOND).replace("  marked_in:", f"{TO_2}  marked_in:", 1)


def third() -> str:
    return _edited(second(), _THIRD).replace("  marked_in:", f"{TO_3}  marked_in:", 1)


def as_on_the_page() -> str:
    """With the migration that docs/reviewing-spec-changes.md writes."""
    page = (ROOT / "docs" / "reviewing-spec-changes.md").read_text(encoding="utf-8")
    section = page.split("\n## Rename a key template\n")[1].split("\n## ")[0]
    text = first()
    for block in re.findall(r"^```diff\n(.*?)^```", section, re.MULTILINE | re.DOTALL):
        text = Change.of(block).made(text)
    return text


@contextmanager
def made(folder: Path) -> Iterator[dict[Any, Any]]:
    """The packages, by their generation; each is held to the lock of the one before it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        (folder / "own").mkdir()
        packages: dict[Any, Any] = {}
        versions = {1: first(), "page": as_on_the_page(), 2: second(), 3: third()}
        for name, text in versions.items():
            (folder / "own" / "later.yaml").write_text(text, encoding="utf-8")
            package = f"generation_{name}_of_redis"
            assert main(["generate", "--spec", "own", "--out", package]) == 0
            if name != "page":
                assert main(["lock", "--spec", "own"]) == 0
            if name != 1:
                packages[name] = importlib.import_module(package)
        try:
            yield packages
        finally:
            for name in [it for it in sys.modules if it.split(".")[0].endswith("_of_redis")]:
                del sys.modules[name]
