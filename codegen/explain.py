"""`explain CODE`: what a problem means, why it matters, how to mend it; a page each in `pages/`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .problems import Code, suggest

PAGES = Path(__file__).parent / "pages"


def page(code: Code) -> str:
    text = (PAGES / f"{code.name}.md").read_text(encoding="utf-8")
    return f"# {code.name}: {code.title}\n\n{text}"


def explained(names: Sequence[str]) -> str:
    """The pages of these codes, or a line for each code there is; ValueError for an unknown one."""
    if not names:
        return "".join(f"{code.name:7} {code.title}\n" for code in Code)
    codes = []
    for name in names:
        if name.upper() not in Code.__members__:
            raise ValueError(f"there is no code {name!r}; {suggest(name, Code.__members__)}")
        codes.append(Code[name.upper()])
    return "\n".join(map(page, codes))
