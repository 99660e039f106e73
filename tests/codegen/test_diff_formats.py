"""What a pull request is shown of a change of several backends, in each format.

`tests/golden/review/` has one change in every format. After a change of the words, run
`UPDATE_GOLDENS=1 pytest tests/codegen/test_diff_formats.py` and review the difference.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest

from codegen import ir
from codegen.__main__ import main
from codegen.diff import github, html, markdown
from codegen.diff.change import Change, Diff, Gate
from codegen.diff.effects import Effects, File, Record, Statement
from codegen.problems import Span
from tests.codegen.test_diff_command import change, commit, git

ROOT = Path(__file__).parents[2]
GOLDENS = ROOT / "tests" / "golden" / "review"
FORMATS = {"markdown": "md", "github": "txt", "json": "json", "html": "html"}

HOSTILE = "</style><script>alert(1)</script> `a` ````b | c &amp; ::error file=x::d ##[error]e %0A"
# One change of many kinds.
CHANGES = {
    "spec/interface.yaml": [
        ("How many at the most; `None` for all.", f"At most so many. {HOSTILE}"),
    ],
    "spec/conformance/listing.yaml": [
        ("    doc: A store without a record lists nothing.\n", f'    doc: "{HOSTILE}"\n'),
        ("      returns: [a, c, b]\n", "      returns: [a, b, c]\n"),
    ],
    "spec/backends/mongodb.yaml": [
        (
            "    keys: {partition: 1, write_number: -1, app_id: 1}\n",
            "    keys: {partition: 1, write_number: -1, app_id: 1, position: 1}\n",
        ),
    ],
    "spec/backends/postgresql.yaml": [
        (
            "    ORDER BY t.sequence_id DESC, write_number DESC, created_at DESC LIMIT 1\n",
            "    ORDER BY t.sequence_id DESC, created_at DESC, write_number DESC LIMIT 1\n",
        ),
    ],
    "spec/backends/redis.yaml": [
        ("    template: h\n", "    template: heads\n"),
        ("if not head then return {app_id} end", "if not head then return nil end"),
    ],
    "spec/backends/sqlite.yaml": [
        ("    codec: INTEGER\n", "    codec: INTEGER\n    note: TEXT\n"),
        ("    aliases: [persistence]\n", ""),
    ],
    "spec/locks/mariadb.lock.yaml": [("generation: 1\n", "generation: 2\n")],
    "spec/plans/postgresql.yaml": [
        (
            "    - sort: sequence_id DESC, write_number DESC, created_at DESC; in order of",
            "    - sort: sequence_id DESC, created_at DESC, write_number DESC; in order of",
        ),
    ],
}


@pytest.fixture(scope="module")
def reviewed(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose working tree has changed."""
    project = tmp_path_factory.mktemp("reviewed") / "project"
    shutil.copytree(original, project)
    git(project, "init", "--quiet", "--initial-branch", "main")
    commit(project)
    for path, changes in CHANGES.items():
        change(project, path, *changes)
    return project


@pytest.fixture(scope="module")
def shown(reviewed: Path) -> dict[str, str]:
    """The change in each format."""
    found = {}
    for it in FORMATS:
        with redirect_stdout(StringIO()) as out:
            assert main(["--root", str(reviewed), "diff", "main", "--format", it]) == 1
        found[it] = out.getvalue()
    return found


def stable(text: str, commit_: str) -> str:
    """Without what another line elsewhere in the spec changes."""
    text = text.replace(commit_, "0" * 40).replace(commit_[:7], "0000000")
    text = re.sub(r"(spec/[\w/.]+\.yaml):\d+:\d+", r"\1:*:*", text)
    text = re.sub(r"(file=[^,:]+),line=\d+,col=\d+", r"\1,line=*,col=*", text)
    text = re.sub(r"\(line \d+ in", "(line * in", text)
    text = re.sub(r'"(line|column)": \d+', r'"\1": 0', text)
    return re.sub(r"(\.\.\. |>)\d+ (equal )?lines( \.\.\.|</span>)", r"\1* \2lines\3", text)


@pytest.mark.parametrize("format", FORMATS)
def test_a_change_of_many_kinds(format: str, shown: dict[str, str], reviewed: Path) -> None:
    found = stable(shown[format], git(reviewed, "rev-parse", "HEAD"))
    golden = GOLDENS / f"review.{FORMATS[format]}"
    if os.environ.get("UPDATE_GOLDENS") == "1":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


def test_no_golden_is_left_over() -> None:
    assert {it.name for it in GOLDENS.iterdir()} == {f"review.{it}" for it in FORMATS.values()}


def test_the_same_change_is_shown_the_same(shown: dict[str, str], reviewed: Path) -> None:
    """In another process, whose sets have another order."""
    command = [sys.executable, "-m", "codegen", "--root", str(reviewed), "diff", "main"]
    done = subprocess.run(
        [*command, "--format", "html"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode("utf-8") == shown["html"]


def test_each_driver_has_its_own_text(shown: dict[str, str]) -> None:
    page = shown["markdown"]
    assert "<code>load_latest</code> of postgresql: b_psycopg2, b_psycopg</summary>" in page
    assert "  WHERE partition_key = %s AND app_id = %s\n" in page
    assert "<code>load_latest</code> of postgresql: b_asyncpg</summary>" in page
    assert "  WHERE partition_key = $1 AND app_id = $2\n" in page
    assert "<code>latest_of_partition</code> of redis: b_redis</summary>" in page


def test_what_is_rendered_for_it_is_written_nowhere(shown: dict[str, str], reviewed: Path) -> None:
    changed = git(reviewed, "status", "--short", "--untracked-files=all").splitlines()
    assert {it.split()[-1] for it in changed} == {*CHANGES}


# Texts that would be something else


class Page(HTMLParser):
    """What a browser makes of a page: its tags, their balance, and where its links lead."""

    EMPTY = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name == "src" or name.startswith("on"):
                self.loaded.append(f"{tag} {name}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_is_whole_and_needs_nothing_else(shown: dict[str, str]) -> None:
    page = Page(shown["html"])
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "form"} & set(page.tags)
    assert page.loaded == []
    assert len(page.ids) == len(set(page.ids))
    assert {it.removeprefix("#") for it in page.links} <= set(page.ids)
    assert all(it.startswith("#") for it in page.links)
    (style,) = re.findall(r"<style>(.*?)</style>", shown["html"], re.DOTALL)
    assert "@import" not in style
    assert "url(" not in style


def test_a_page_shows_a_hostile_text_as_text(shown: dict[str, str]) -> None:
    assert HOSTILE in Page(shown["html"]).text.replace("\n", " ")


def test_markdown_keeps_a_hostile_text_in_its_fence(shown: dict[str, str]) -> None:
    """The text has four backticks, so that five fence it."""
    fenced = re.findall(r"^(`{3,})\w+\n(.*?)^\1$", shown["markdown"], re.MULTILINE | re.DOTALL)
    assert "`````" in [quote for quote, text in fenced if HOSTILE in text]
    rest = outside_code(shown["markdown"])
    assert "alert" not in rest
    assert set(re.findall(r"</?(\w+)", rest)) == {"details", "summary", "code"}


def test_a_line_of_annotations_is_one_command(shown: dict[str, str]) -> None:
    lines = shown["github"].splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"::(error|warning|notice) [^:]+::.+", line), line
        assert re.findall(r"%(?!25|0A|0D|3A|2C)", line) == []


def hostile(number: int, impact: str = "migration") -> Change:
    text = f"{number} {HOSTILE}\r\n::error::no"
    place = Span(f"spec/a,b:c%{number}.yaml", 1, 1)
    return Change(f"r{number}", impact, "changed", text, place, False, text, text, text, text)  # type: ignore[arg-type]


def of(project: ir.Project, *changes: Change, met: bool = False) -> Diff:
    gates = [Gate("migration", None, len(changes), met, HOSTILE, "" if met else HOSTILE)]
    return Diff(HOSTILE, "0" * 40, project, project, changes, tuple(gates))


NOTHING = Effects((), (), (), (), (), "")


def test_every_part_of_an_annotation_is_escaped(resolved: ir.Project) -> None:
    (line,) = github.render(of(resolved, hostile(1))).splitlines()
    place = "file=spec/a%2Cb%3Ac%251.yaml,line=1,col=1,title=migration%3A r1"
    assert line.startswith(f"::error {place}::1 ")
    assert "%0D%0A::error::no has changed" in line


def test_of_each_kind_as_many_annotations_as_are_shown(resolved: ir.Project) -> None:
    ten = github.render(of(resolved, *map(hostile, range(10)))).splitlines()
    assert len(ten) == 10
    assert all("file=" in it for it in ten)
    safe = [hostile(number, "safe") for number in range(3)]
    more = github.render(of(resolved, *map(hostile, range(25)), *safe)).splitlines()
    assert [it.partition(" ")[0] for it in more] == ["::error"] * 10 + ["::notice"] * 3
    assert more[9].startswith("::error title=16 more changes::16 migration: shown in the summary")
    met = github.render(of(resolved, hostile(1), met=True))
    assert met.startswith("::warning file=")


def test_what_is_gone_has_no_line_in_the_new_file(resolved: ir.Project) -> None:
    gone = replace(hostile(1), in_base=True, after=None)
    line = github.render(of(resolved, gone))
    assert line.startswith("::error file=spec/a%2Cb%3Ac%251.yaml,title=")
    assert "(line 1 in " in line


def test_a_summary_stays_below_its_limit_and_says_what_is_left_out(resolved: ir.Project) -> None:
    long = "\n".join(f"{number} {'x' * 1000}" for number in range(1000))
    changes = [replace(hostile(number), before=None, after=long) for number in range(50)]
    found = markdown.render(of(resolved, *changes), NOTHING)
    assert 900_000 < len(found.encode()) <= 1_000_000
    assert len(re.findall(r"^`{3,}", found, re.MULTILINE)) % 2 == 0
    assert re.search(r"\*\*\d+ parts more would be too long for this summary:\*\*.*\n$", found)
    assert found.startswith("## ❌ Spec review: 1 of 1 gates not met\n")
    assert "... 800 lines more" in found


def test_whatever_the_names_are_the_page_is_whole(resolved: ir.Project) -> None:
    effects = Effects(
        (),
        (File(HOSTILE, "a\n", "", 0, 1), File(f"{HOSTILE}2", "", "b\n" * 9000, 9000, 0)),
        (Statement("sqlite", HOSTILE, (HOSTILE,), HOSTILE, None),),
        (Record(HOSTILE, HOSTILE, None, HOSTILE),),
        (),
        HOSTILE,
    )
    diff = of(resolved, hostile(1), hostile(2, "safe"))
    page = Page(html.render(diff, effects))
    assert page.open == []
    assert "script" not in page.tags
    assert "script" not in re.findall(r"<(\w+)", outside_code(markdown.render(diff, effects)))


def outside_code(text: str) -> str:
    """Markdown without what stands between fences or backticks."""
    text = re.sub(r"^(`{3,})\w+\n(.*?)^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", "", text)


def test_a_spec_that_cannot_be_rendered_is_reviewed_all_the_same(
    original: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    shutil.copytree(original, project)
    git(project, "init", "--quiet")
    commit(project)
    change(project, "spec/backends/sqlite.yaml", ("title: SQLite\n", "title: SQLite 3\n"))
    template = project / "templates" / "sql" / "module.py.jinja"
    template.write_text(f"{{{{ nothing }}}}\n{template.read_text('utf-8')}", encoding="utf-8")
    for format in ("markdown", "html"):
        assert main(["--root", str(project), "diff", "HEAD", "--format", format]) == 0
        out = capsys.readouterr().out
        assert "title-changed" in out
        assert "They cannot be compared:" in out
        assert "templates/sql/module.py.jinja:1:1: TPL03" in out
