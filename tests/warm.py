"""Python processes that need not import what is slow to import: forked from one that has it.

It has libraries only. What is tested is imported in each process anew, as a fresh interpreter does.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import IO, Self

# What runs of pytest import, and the drivers.
LIBRARIES = [
    *("pytest", "pytest_asyncio.plugin", "pytest_timeout", "orjson", "rich.console", "rich.table"),
    *("aiosqlite", "redis.asyncio", "psycopg2.extras", "asyncpg", "pymongo", "sqlcipher3"),
    *("psycopg", "psycopg_binary", "pymysql", "aiomysql", "cryptography.x509", "trustme"),
    *(
        "hypothesis.stateful",
        "psutil",
        "yaml",
        "tarfile",
        "tomllib",
        "unittest.mock",
        "xml.etree.ElementTree",
        "zoneinfo",
    ),
]
# The longest that a module may run.
SECONDS = 390


def warm() -> ForkServerContext:
    """Starts processes that have the libraries."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def run_module(
    module: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `python -m` does with a module, in this folder."""
    with tempfile.TemporaryDirectory() as place:
        said = [Path(place, name) for name in ("stdout", "stderr")]
        given = (module, list(arguments), folder, dict(environment), said)
        process = warm().Process(target=_as_main, args=given)
        process.start()
        process.join(SECONDS)
        process.kill()
        process.join()
        assert process.exitcode is not None
        texts = [it.read_text(encoding="utf-8") for it in said]
    command = ["python", "-m", module, *arguments]
    return subprocess.CompletedProcess(command, process.exitcode, *texts)


class Started:
    """A process that runs a module, with what a `subprocess.Popen` with pipes has."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        context = warm()
        pipes = [context.Pipe(duplex=False) for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        ours = [pipes[0][1], pipes[1][0], pipes[2][0]]
        given = (module, list(arguments), dict(environment), theirs)
        self._process = context.Process(target=_with_pipes, args=given)
        self._process.start()
        for it in theirs:
            it.close()
        self.stdin: IO[bytes] = os.fdopen(os.dup(ours[0].fileno()), "wb")
        self.stdout, self.stderr = (os.fdopen(os.dup(it.fileno()), "rb") for it in ours[1:])
        for it in ours:
            it.close()

    def kill(self) -> None:
        if self._process.is_alive():
            self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None, "it still runs"
        return self._process.exitcode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for it in (self.stdin, self.stdout, self.stderr):
            it.close()
        self.wait()
        self._process.close()


def _with_pipes(
    module: str, arguments: list[str], environment: dict[str, str], pipes: list[Connection]
) -> None:
    """In the process: its standard streams are the pipes."""
    for stream, pipe in enumerate(pipes):
        os.dup2(pipe.fileno(), stream)
        pipe.close()
    sys.stdin = os.fdopen(0, closefd=False)
    _as_main(module, arguments, Path.cwd(), environment, [])


def _as_main(
    module: str, arguments: list[str], folder: Path, environment: dict[str, str], said: list[Path]
) -> None:
    """In the process: the module is run as an interpreter of its own would run it."""
    gc.freeze()  # what it was forked with is not looked through again and again
    for stream, path in enumerate(said, 1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    places = environment.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [str(folder), *places, *(it for it in sys.path if it not in places)]
    sys.pycache_prefix = environment.get("PYTHONPYCACHEPREFIX")
    sys.dont_write_bytecode = bool(environment.get("PYTHONDONTWRITEBYTECODE"))
    sys.argv = [module, *arguments]
    code: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    atexit._run_exitfuncs()
    if isinstance(code, str):
        print(code, file=sys.stderr)
        code = 1
    sys.exit(code or 0)
