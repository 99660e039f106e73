"""Holds the persisters of Burr to the promise: `python -m tests.compared`, `make compare-burr`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from tests.servers.memory import keep_temporary_files
from tests.stores.served import ServedStore

from .page import MOVING, PAGE, by_cases, by_defects, by_points, ended, measured, page
from .persisters import ALL, Compared
from .running import Held, RunFailed, hold
from .versions import versions

# Most of the time a case waits, for a server or for its time limit.
AT_ONCE = 2 * (os.cpu_count() or 1)


@contextmanager
def servers(persisters: Iterable[Compared]) -> Iterator[None]:
    """Start the servers that these persisters need, for this process and those that it starts."""
    places = [it.store.place_type for it in persisters if issubclass(it.store, ServedStore)]
    with ExitStack() as stack:
        for kind in dict.fromkeys(places):
            place = kind.on(stack.enter_context(kind.server()))
            os.environ[kind.variable] = place.url
            stack.callback(os.environ.pop, kind.variable)
        yield


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser("python -m tests.compared", description=__doc__)
    names = [it.name for it in ALL]
    help_ = f"only these persisters, and the page stays as it is: {', '.join(names)}"
    made.add_argument("--persister", action="append", choices=names, metavar="NAME", help=help_)
    help_ = "only cases with TEXT in their name, and the page stays as it is"
    made.add_argument("-k", "--case", action="append", default=[], metavar="TEXT", help=help_)
    help_ = "time limit for each case (default: 20)"
    made.add_argument("--limit", type=float, default=20.0, metavar="SECONDS", help=help_)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code is 0 whatever Burr's persisters keep."""
    options = parser().parse_args(arguments)
    chosen = [it for it in ALL if it.name in (options.persister or [it.name])]
    cases = [part for text in options.case for part in ("--case", text)]
    keep_temporary_files()

    def held(persister: Compared) -> Held:
        found = hold(persister, cases, options.limit)
        print(f"{persister.title}: {len(found.cases)} cases", file=sys.stderr)
        return found

    with servers(chosen), ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            # Those on servers take longest, the last of all: they wait for their time limits.
            results = list(pool.map(held, reversed(chosen)))[::-1]
        except RunFailed as error:
            print(f"tests.compared: {error}", file=sys.stderr)
            return 2
        part = bool(cases or options.persister)
        said = [] if part else list(versions())
    for lines in (by_points(results), by_defects(results), ended(results)):
        print("\n".join(lines), end="\n\n")
    if part:
        print("\n".join(by_cases(results)))
        return 0
    PAGE.write_text(page(results, said, options.limit), encoding="utf-8")
    MOVING.write_text(measured(MOVING.read_text("utf-8"), results), encoding="utf-8")
    print(f"written: {PAGE}, and the table of {MOVING}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
