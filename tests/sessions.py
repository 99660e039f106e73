"""What the tests of the sessions share: the failures as the spec has them."""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
from pathlib import Path
from typing import Any

from persistry import errors
from persistry._runtime.failures import Failures, Rule
from tests.yaml_texts import read_yaml

SPECS = Path(__file__).parent.parent / "spec" / "backends"


@functools.cache
def failures_of(backend: str, driver: str = "") -> Failures:
    """What the spec says of a driver: its own rules, then those that all drivers share."""
    spec = read_yaml((SPECS / f"{backend}.yaml").read_text(encoding="utf-8"))
    own = spec["drivers"][driver].get("errors", {}) if driver else {}
    both = [own, spec["errors"]]
    base = tuple(_named(name) for it in both for name in it.get("base", ()))
    rules = tuple(_rule(rule, base) for it in both for rule in it.get("rules", ()))
    attribute = next((it["code_attribute"] for it in both if "code_attribute" in it), "")
    return Failures(backend, base, rules, attribute)


def _rule(rule: dict[str, Any], base: tuple[type[BaseException], ...]) -> Rule:
    return Rule(
        error=getattr(errors, rule["raise"]),
        exception=_named(rule["exception"]) if "exception" in rule else base,
        advice=rule["advice"],
        codes=tuple(rule.get("codes", ())),
        messages=tuple(rule.get("messages", ())),
        may_have_saved=rule.get("may_have_saved", False),
        repeat=rule.get("repeat", False),
    )


def _named(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module or "builtins"), attribute)


def give_back_the_log() -> None:
    """An interrupt inside `logging` leaves its lock taken, and the next tests' threads waiting."""
    with contextlib.suppress(RuntimeError):  # when this thread has it no more
        while True:
            logging._lock.release()  # type: ignore[attr-defined]
