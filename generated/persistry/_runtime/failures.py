"""A driver's exceptions become persistry's, with the key and what to do in the message."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass

from ..errors import (
    PersisterAccessError,
    PersisterClosedError,
    PersisterError,
    PersisterUnavailableError,
)
from .limits import Limits

_SHOWN = 200

# A server repeats an unknown command with its arguments, and the command may be AUTH; redis-py
# puts the beginning of a failed command, that is of a state, in front of the server's words; a URL
# may hold a password.
_ARGUMENTS = re.compile(r",? with args beginning with.*")
_COMMAND = re.compile(r"^Command # .* of pipeline caused error: ", re.DOTALL)
_LOGIN = re.compile(r"(?<=://)\S*@")


@dataclass(frozen=True)
class Sign:
    """How something shows in what a driver raises.

    It fits an exception of that class; where codes or messages are given, one of them must be the
    exception's code (or the beginning of it, up to a ``_``), or a part of its text.
    """

    exception: type[BaseException] | tuple[type[BaseException], ...]
    codes: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    def fits(self, exc: BaseException, code: str) -> bool:
        if not isinstance(exc, self.exception):
            return False
        if not self.codes and not self.messages:
            return True
        if any(code == known or code.startswith(f"{known}_") for known in self.codes):
            return True
        text = str(exc) if self.messages else ""
        return any(part in text for part in self.messages)


@dataclass(frozen=True)
class Rule:
    """One way a driver fails, and what it means."""

    error: type[PersisterError]
    exception: type[BaseException] | tuple[type[BaseException], ...]
    advice: str
    codes: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    may_have_saved: bool = False
    repeat: bool = False

    def fits(self, exc: BaseException, code: str) -> bool:
        return Sign(self.exception, self.codes, self.messages).fits(exc, code)


class Failures:
    """What a store's driver raises, and the error each exception becomes."""

    def __init__(
        self,
        store: str,
        base: tuple[type[BaseException], ...],
        rules: tuple[Rule, ...],
        code_attribute: str = "",
        conflict: Sign | None = None,
    ) -> None:
        self.store = store
        self.base = base
        self.rules = rules
        self.code_attribute = code_attribute
        self.conflict = conflict
        self.place = ""

    def at(self, place: str) -> Failures:
        """The same for one place, a file or a server, which the messages then name."""
        failures = copy.copy(self)
        failures.place = place
        return failures

    def covers(self, exc: BaseException | None) -> bool:
        """Whether the driver raised it. (Some errors of ours are an OSError, as a driver's are.)"""
        return isinstance(exc, self.base) and not isinstance(exc, PersisterError)

    def rule_for(self, exc: BaseException) -> Rule | None:
        """The first rule that fits, if any."""
        code = self._code_of(exc)
        return next((rule for rule in self.rules if rule.fits(exc, code)), None)

    def is_conflict(self, exc: BaseException) -> bool:
        """Whether an insert has failed because its record is there already."""
        return self.conflict is not None and self.conflict.fits(exc, self._code_of(exc))

    def stands_in_the_way(self, exc: BaseException) -> bool:
        """Whether the store is there and works, but is in use or may not be changed."""
        rule = self.rule_for(exc)
        if rule is None or rule.may_have_saved:
            return False
        return issubclass(rule.error, (PersisterAccessError, PersisterUnavailableError))

    def _code_of(self, exc: BaseException) -> str:
        """Of several values, as in `args`, the first one is the code."""
        code = getattr(exc, self.code_attribute, "") if self.code_attribute else ""
        if isinstance(code, tuple):
            code = code[0] if code else ""
        return str(code)

    def translate(
        self,
        exc: BaseException,
        *,
        operation: str,
        key: object,
        limits: Limits,
        sent_before: bool = False,
    ) -> PersisterError:
        """The error to raise from a driver's exception (one that `covers` accepts).

        `sent_before` says that an earlier attempt of the same operation may have reached the store.
        """
        rule = self.rule_for(exc)
        if isinstance(exc, UnicodeEncodeError):
            # It stays as the cause, but without the text, which may be a password.
            exc.object = ""
            exc.args = (exc.encoding, "", exc.start, exc.end, exc.reason)
        error = rule.error if rule else PersisterError
        advice = rule.advice if rule else f"{self.store} refused it"
        message = (
            f"{about(operation, key)}: {_filled(advice, limits)}"
            f"  ({type(exc).__name__}: {_told(exc)}{at(self.place)})"
        )
        if issubclass(error, PersisterUnavailableError):
            sent = sent_before or (rule is not None and rule.may_have_saved)
            return error(message, may_have_saved=sent and operation == "save")
        return error(message)

    def late(
        self,
        operation: str,
        key: object,
        limits: Limits,
        *,
        doing: str,
        sent: bool,
        limit: str = "operation_timeout",
    ) -> PersisterUnavailableError:
        """The error for an operation that we ended because its time was over."""
        return PersisterUnavailableError(
            f"{about(operation, key)}: "
            + _filled(f"{doing} within {limit} ({{{limit}}} s)", limits)
            + at(self.place),
            may_have_saved=sent and operation == "save",
        )

    def closed(self, operation: str, key: object) -> PersisterClosedError:
        """The error for an operation after `cleanup()`."""
        return PersisterClosedError(
            f"{about(operation, key)}: this persister was closed by cleanup(); build another one"
        )


def about(operation: str, key: object) -> str:
    """How every message begins."""
    shown = str(key)
    return f"{operation} of {shown}" if shown else operation


def at(place: str) -> str:
    """How every message ends that knows where it was: with the file or the server."""
    return f"; at {place}" if place else ""


def _filled(advice: str, limits: Limits) -> str:
    return advice.replace("{connect_timeout}", f"{limits.connect:g}").replace(
        "{operation_timeout}", f"{limits.operation:g}"
    )


def _told(exc: BaseException) -> str:
    """What the driver says: the first line, not too long, without secrets."""
    if isinstance(exc, UnicodeEncodeError):  # it shows a letter, which may be of a password
        return f"{exc.encoding}: {exc.reason}"
    lines = _COMMAND.sub("", str(exc)).strip().splitlines()
    text = _LOGIN.sub("***@", _ARGUMENTS.sub("", lines[0])) if lines else "no details"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
