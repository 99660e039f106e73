"""`python -m codegen generate | check | diff | lock | show | ...`, or in an installation
`persistry-codegen`."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import textwrap
from pathlib import Path
from typing import Any

from . import editor, locking, outside, writing
from .diff.command import FORMATS, diff
from .diff.reference import reference
from .explain import explained
from .home import COMMAND, HOME, INSTALLED
from .new_backend import NEXT, NEXT_OUTSIDE, Refused, begin, todos_in
from .pipeline import Run
from .problems import Code, Report, Span, render, suggest
from .rendering import Tree, original, source_of

VERBS = {"missing": "made", "changed": "changed", "orphan": "removed"}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="From the spec to the persisters and their tests.",
    )
    # Installed, there is no project: only the user's own folders.
    help = argparse.SUPPRESS if INSTALLED else "the project (default: this folder)"
    parser.add_argument("--root", type=Path, default=HOME if INSTALLED else Path.cwd(), help=help)
    commands = parser.add_subparsers(dest="command", required=True)
    generate = commands.add_parser("generate", help="make what the spec and the templates say")
    check = commands.add_parser("check", help="fail if that is anything else; write nothing")
    show = commands.add_parser("show", help="print a backend as the templates get it")
    show.add_argument("backend")
    lock = commands.add_parser("lock", help="record what is stored, when a release is made")
    lock.add_argument("--check", action="store_true", help="fail if that is not recorded")
    explain = commands.add_parser("explain", help="what a problem means, and how to mend it")
    explain.add_argument("code", nargs="*", help="such as SQL01; without one, all are listed")
    new = commands.add_parser("new-backend", help="write a backend file to begin with")
    new.add_argument("name")
    new.add_argument("--like", default="sqlite", help="the backend to take over from")
    if not INSTALLED:  # a package has no history to compare with
        _add_diff(commands)
    for command in (generate, check, show, lock, new):
        command.add_argument(
            "--spec", type=Path, metavar="DIR", help="the folder with backend files of your own"
        )
    for command in (generate, check):
        command.add_argument(
            "--out", type=Path, metavar="PACKAGE", help="your package that is made from them"
        )
    options = parser.parse_args(arguments)
    if options.command == "explain":
        return _explain(options.code)
    if options.command == "diff":
        return _diff(options, parser)
    if options.command == "new-backend":
        return _new_backend(options, parser)
    run = _run(options, parser)
    if options.command == "show":
        return _show(run, options.backend)
    if options.command == "lock":
        return _lock(run, options.check)
    tree = run.tree()
    if run.report:
        return _failed(run.problems())
    try:
        place, tree = _place(run, tree, options)
        return _generate(tree, place) if options.command == "generate" else _check(run, tree, place)
    except (outside.Refused, OSError) as error:
        parser.error(str(error))


def _add_diff(commands: Any) -> None:
    help = "what a change of the spec does to callers, stored data, answers and cost"
    command = commands.add_parser("diff", help=help)
    command.add_argument("base", nargs="?", help="a commit, branch or tag, such as origin/main")
    command.add_argument("--format", choices=FORMATS, default="text")
    command.add_argument("--rules", action="store_true", help="list the rules and end")


def _diff(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if options.rules:
        print(reference(), end="")
        return 0
    if options.base is None:
        parser.error("give the base to compare with, such as origin/main")
    return diff(_project(options, parser), options.base, options.format)


def _explain(names: list[str]) -> int:
    try:
        print(explained(names), end="")
    except ValueError as error:
        return _failed(f"{error}\n")
    return 0


def _new_backend(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if INSTALLED and options.spec is None:
        parser.error("give --spec, the folder for your backend files")
    own = None if options.spec is None else options.spec.resolve()
    root = _project(options, parser) if own is None else HOME
    try:
        path, text, family = begin(root, options.name, options.like, own)
    except Refused as refused:
        return _failed(f"{refused}\n")
    base, made = root, {path: text}
    if own is not None:
        base = own.parent
        made |= _schema(f"{own.name}/{editor.OWN}", family)
    for name, content in made.items():
        file = base / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    print(f"made {path}, with {todos_in(text)} TODOs\n")
    words = {"name": options.name, "like": options.like, "spec": options.spec}
    print((NEXT if own is None else NEXT_OUTSIDE).format(**words))
    return 0


def _schema(folder: str, family: str) -> Tree:
    """What the first line of a backend file of one's own leads editors to."""
    project = Run(HOME).project()
    if project is None:  # somebody is at work on the spec itself
        return {}
    name = f"{editor.FOLDER}/{family}.json"
    return {f"{folder}/{name}": editor.schemas(project, f"{COMMAND} new-backend")[name]}


def _project(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Path:
    if not (options.root / "spec").is_dir():
        parser.error(f"there is no folder 'spec' in {options.root}; give --root")
    root: Path = options.root.resolve()
    return root


def _run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Run:
    """The run over the project, or over backend files of one's own."""
    spec, out = options.spec, getattr(options, "out", None)
    one_only = (spec is None) != (out is None)
    if options.command == "lock":
        if INSTALLED and spec is None:
            parser.error("give --spec, the folder of your backend files")
    elif options.command != "show" and (one_only or (INSTALLED and spec is None)):
        parser.error("give --spec, the folder of your backend files, and --out, your package")
    if spec is None:
        return Run(_project(options, parser))
    if not spec.is_dir():
        parser.error(f"there is no folder {spec}; --spec is the one with your backend files")
    return Run(HOME, spec.resolve(), "" if out is None else out.resolve().name)


def _place(run: Run, tree: Tree, options: argparse.Namespace) -> tuple[writing.Place, Tree]:
    if run.own is None:
        return writing.generated(run.root), tree
    command = f"{outside.COMMAND} --spec {options.spec} --out {options.out}"
    place, wanted = outside.place(run.own, options.out.resolve(), tree, command)
    for name in sorted(tree.keys() - wanted.keys()):
        print(f"{'kept':8} {name}, which you wrote; import from the modules beside it")
    return place, wanted


def _generate(tree: Tree, place: writing.Place) -> int:
    done = writing.write(tree, place)
    for difference in done:
        print(f"{VERBS[difference.verdict]:8} {place.shown}{difference.path}")
    print(f"{len(tree)} files, {len(done)} of them changed")
    return 0


def _check(run: Run, tree: Tree, place: writing.Place) -> int:
    report = Report()
    for path, verdict in map(dataclasses.astuple, writing.differences(tree, place)):
        span = Span(f"{place.shown}{path}", 1, 1)
        if verdict == "missing":
            report.add(Code.GEN01, "is missing", span, help=f"run `{place.command}`")
        elif verdict == "orphan":
            help = f"delete it, or move it out: {place.rule}"
            report.add(Code.GEN03, "is generated by nothing", span, help=help)
        else:
            line, count = writing.changed_lines(tree, place, path)
            lines = "1 line differs" if count == 1 else f"{count} lines differ"
            made = source_of(tree[path])
            if made:
                help = f"change {made} or a template" if place.shown else f"change {made}"
            else:
                help = f"change its original {original(path)}"
            help += f", then `{place.command}`; a change here is lost"
            span = dataclasses.replace(span, line=line)
            report.add(Code.GEN02, f"is out of date: {lines}", span, help=help)
    run.check_plans()
    if report or run.report:
        return _failed(render(report, {}) + run.problems())
    print(f"{len(tree)} files are what the spec says")
    return 0


def _lock(run: Run, checks: bool) -> int:
    found = None if run.project() is None else run.locks()
    if found is None:
        return _failed(run.problems())
    late = [it for it in found if not it.is_current]
    for lock in late:
        print(f"{lock.verdict if checks else VERBS[lock.verdict]:8} {lock.path}, {lock.step}")
        for difference in lock.differences:
            print(f"{'':9}{difference.fact.title}")
            for note in locking.described(difference):
                print(textwrap.indent(note, " " * 11))
        if not checks:
            writing.put(run.base / lock.path, lock.text)
    count = "1 lock" if len(found) == 1 else f"{len(found)} locks"
    print(f"{count}, {len(late)} {'not current' if checks else 'changed'}")
    return int(checks and bool(late))


def _show(run: Run, name: str) -> int:
    project = run.project()
    if project is None:
        return _failed(run.problems())
    names = [it.name for it in project.backends]
    for backend in project.backends:
        if backend.name == name:
            _dump(backend.name, backend, "", {})
            for lock in run.locks() or ():
                if lock.now.backend == name:
                    print(f"lock: {lock.state}")
            return 0
    return _failed(f"there is no backend {name!r}; {suggest(name, names)}\n")


def _dump(label: str, value: Any, place: str, seen: dict[Any, str]) -> None:
    """Stable text, a line each: what is empty is left out, what is equal is shown once."""
    indent = "  " * place.count("/")
    here = f"{place}{label}"
    if dataclasses.is_dataclass(value):
        kind = type(value).__name__
        first = seen.setdefault(value, here)
        if first != here and len(dataclasses.fields(value)) > 2:
            print(f"{indent}{label}: {kind}, the same as {first}")
            return
        print(f"{indent}{label}: {kind}")
        for field in dataclasses.fields(value):
            _dump(field.name, getattr(value, field.name), f"{here}/", seen)
    elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        for number, item in enumerate(value):
            _dump(f"{label}[{number}]", item, place, seen)
    elif isinstance(value, str) and "\n" in value:
        print(f"{indent}{label}: |")
        for line in value.strip().splitlines():
            print(f"{indent}  {line}".rstrip())
    elif value not in ((), "", None, False):
        print(f"{indent}{label}: {value if isinstance(value, str) else repr(value)}")


def _failed(text: str) -> int:
    sys.stderr.write(text)
    return 1


if __name__ == "__main__":
    sys.exit(main())
