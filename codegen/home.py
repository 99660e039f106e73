"""Where the generator stands: in a checkout, or installed with what it reads beside it."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
INSTALLED = (_HERE / "spec").is_dir()
# Has the folders spec/ and templates/.
HOME = _HERE if INSTALLED else _HERE.parent
COMMAND = "persistry-codegen" if INSTALLED else "python -m codegen"
