"""The command `persistry-codegen`: persisters for a store of your own, from one YAML file.

`pip install 'persistry[codegen]'` brings what it needs; nothing else in the package imports it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

NEEDED = ("jinja2", "yaml", "ruff")


def main() -> int:
    """The command; its exit code."""
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        names = ", ".join(missing)
        told = f"not installed: {names}; run pip install 'persistry[codegen]'"
        print(f"persistry-codegen: {told}", file=sys.stderr)
        return 2
    # It is installed beside this module; in a checkout it stands at the top.
    generator = "codegen" if find_spec("._codegen", __package__) is None else "._codegen"
    code: int = import_module(f"{generator}.__main__", __package__).main()
    return code


if __name__ == "__main__":
    sys.exit(main())
