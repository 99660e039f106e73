"""How a driver's exception is judged and told, the limits, and what `from_values` gives back."""

from __future__ import annotations

import asyncio
import copy
import pickle
import sqlite3
import warnings
from typing import Any

import pytest

from persistry import errors
from persistry._runtime.awaitable import Opening
from persistry._runtime.failures import Failures, Rule
from persistry._runtime.limits import Deadline, Limits

LIMITS = Limits(2, 1.5)


class DriverError(Exception):
    code = ""


class Refused(DriverError):
    pass


def failing(text: str = "", code: str = "", kind: type[DriverError] = DriverError) -> DriverError:
    exc = kind(text)
    exc.code = code
    return exc


LOST = Rule(errors.PersisterUnavailableError, Refused, "lost", may_have_saved=True)
BUSY = Rule(
    errors.PersisterUnavailableError,
    DriverError,
    "busy for {operation_timeout} s, {connect_timeout} s",
    codes=("BUSY",),
    messages=("is busy", "Busy"),
)
ACCESS = Rule(errors.PersisterAccessError, DriverError, "no right", codes=("PERM", "AUTH"))
FAILURES = Failures("Store", (DriverError, OSError), (LOST, BUSY, ACCESS), "code")


def told(exc: BaseException, operation: str = "save", **more: Any) -> errors.PersisterError:
    return FAILURES.translate(exc, operation=operation, key=("p", "a"), limits=LIMITS, **more)


@pytest.mark.parametrize(
    ("exc", "rule"),
    [
        (failing(kind=Refused), LOST),
        (failing(code="BUSY"), BUSY),
        (failing(code="BUSY_SNAPSHOT"), BUSY),
        (failing(code="BUSYBODY"), None),
        (failing(code="busy"), None),
        (failing("it is busy now"), BUSY),
        (failing("busy"), None),
        (failing(code="AUTH"), ACCESS),
        (failing("AUTH"), None),
        (OSError("is busy"), None),
        (ValueError("is busy"), None),
    ],
)
def test_the_first_rule_that_fits(exc: BaseException, rule: Rule | None) -> None:
    assert FAILURES.rule_for(exc) is rule


def test_messages() -> None:
    assert str(told(failing("is busy\nand more"))) == (
        "save of ('p', 'a'): busy for 1.5 s, 2 s  (DriverError: is busy)"
    )
    assert type(told(failing("strange"))) is errors.PersisterError
    assert "Store" in str(told(failing("strange")))
    assert len(str(told(failing("x" * 10_000)))) < 300
    assert str(told(failing(""))).endswith("(DriverError: no details)")
    without_key = FAILURES.translate(failing("is busy"), operation="open", key="", limits=LIMITS)
    assert str(without_key).startswith("open: busy")


@pytest.mark.parametrize(
    "text",
    [
        "ERR unknown command 'AUTH', with args beginning with: 'secret' ",
        "cannot reach redis://user:sec/secret@host:1/0",
        "Command # 1 (SET k secret\nsecret) of pipeline caused error: OOM",
    ],
)
def test_no_secrets(text: str) -> None:
    assert "secret" not in str(told(failing(text)))


def test_may_have_saved_is_for_saves() -> None:
    lost, busy = failing(kind=Refused), failing(code="BUSY")
    assert told(lost).may_have_saved is True  # type: ignore[attr-defined]
    assert told(lost, "load").may_have_saved is False  # type: ignore[attr-defined]
    assert told(busy).may_have_saved is False  # type: ignore[attr-defined]
    assert told(busy, sent_before=True).may_have_saved is True  # type: ignore[attr-defined]
    assert told(busy, "load", sent_before=True).may_have_saved is False  # type: ignore[attr-defined]


def test_our_own_errors_are_not_the_drivers() -> None:
    assert FAILURES.covers(OSError())
    assert not FAILURES.covers(errors.PersisterUnavailableError("x"))
    assert not FAILURES.covers(ValueError())
    assert not FAILURES.covers(None)


def test_failures_can_be_pickled() -> None:
    failures = Failures("SQLite", (sqlite3.Error,), (), "code")
    for other in (pickle.loads(pickle.dumps(failures)), copy.deepcopy(failures)):
        assert vars(other) == vars(failures)


def test_limits() -> None:
    assert Limits.checked(1, 2.5) == Limits(1.0, 2.5)
    for wrong in (True, "1", None):
        with pytest.raises(TypeError, match="connect_timeout"):
            Limits.checked(wrong, 1)  # type: ignore[arg-type]
    for number in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="operation_timeout"):
            Limits.checked(1, number)
    assert 0 < Deadline(10).remaining() <= 10
    assert Deadline(0).remaining() <= 0


class Persister:
    cleaned = 0

    async def cleanup(self) -> None:
        self.cleaned += 1


def test_opening_awaited_or_entered_once() -> None:
    async def open_() -> Persister:
        await asyncio.sleep(0)
        return Persister()

    async def main() -> None:
        awaited = Opening(open_)
        assert (await awaited).cleaned == 0
        entered = Opening(open_)
        async with entered as persister:
            assert persister.cleaned == 0
        assert persister.cleaned == 1
        for used in (awaited, entered):
            with pytest.raises(RuntimeError, match="from_values"):
                await used
            with pytest.raises(RuntimeError, match="from_values"):
                async with used:
                    pass

    asyncio.run(main())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Opening(open_)
