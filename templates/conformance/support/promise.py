"""The points of the promise by their short names; docs/architecture.md has them in full."""

from __future__ import annotations

POINTS = {
    1: "Key",
    2: "Arguments are checked before any I/O",
    3: "Latest",
    4: "Lists",
    5: "Saving is atomic and safe to repeat",
    6: "What is loaded is what was saved",
    7: "One record shape",
    8: "One error taxonomy",
    9: "Any number of threads or tasks",
    10: "Who opens, closes",
    11: "Existing data stays usable",
    12: "No call waits for ever",
}
