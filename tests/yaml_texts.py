"""YAML as the tests read it: by the parser in C, where PyYAML has one, ten times as fast.

Modules read some when they are imported, which each process of a run does, and each that a test
starts.
"""

from __future__ import annotations

from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    return yaml.load(text, _LOADER)
