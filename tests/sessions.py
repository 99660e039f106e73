"""What the tests of the sessions share: the failures as the spec has them."""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
from pathlib import Path
from typing import Any

import yaml

from persistry import errors
from persistry._runtime.failures import Failures, Rule

SPECS = Path(__file__).parent.parent / "spec" / "backends"


@functools.cache
def failures_of(backend: str) -> Failures:
    spec = yaml.safe_load((SPECS / f"{backend}.yaml").read_text(encoding="utf-8"))["errors"]
    rules = tuple(
        Rule(
            error=getattr(errors, rule["raise"]),
            exception=_named(rule["exception"]),
            advice=rule["advice"],
            codes=tuple(rule.get("codes", ())),
            messages=tuple(rule.get("messages", ())),
            may_have_saved=rule.get("may_have_saved", False),
            repeat=rule.get("repeat", False),
        )
        for rule in spec["rules"]
    )
    base = tuple(_named(name) for name in spec["base"])
    return Failures(backend, base, rules, spec.get("code_attribute", ""))


def _named(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module or "builtins"), attribute)


def give_back_the_log() -> None:
    """An interrupt inside `logging` leaves its lock taken, and the next tests' threads waiting."""
    with contextlib.suppress(RuntimeError):  # when this thread has it no more
        while True:
            logging._lock.release()  # type: ignore[attr-defined]
