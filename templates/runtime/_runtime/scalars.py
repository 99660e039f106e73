"""Values that JSON has no form for and that hold no others: how each is written, and read again.

===========  ===================================================================================
name         payload
===========  ===================================================================================
"int"        "-0x1f...", in hexadecimal: an integer of more digits than Python converts
"str"        base64 of UTF-8, surrogates encoded one by one ("surrogatepass"): a string with a
             high and a low surrogate side by side, which a JSON reader would join
"bytes"      base64
"datetime"   ISO 8601, with the offset if there is one; or [that, more] with what it cannot say:
             "zone" (the key of a ZoneInfo), "name" (of a timezone that has one), "fold" (if 1)
"time"       the same
"date"       ISO 8601
"timedelta"  [days, seconds, microseconds]
"decimal"    the number as Python writes it, every digit of it
"uuid"       32 digits and four hyphens
===========  ===================================================================================

This is part of the stored format: names may be added, none may change. A time in a ZoneInfo is
read as the time on that zone's clocks; its offset is written for whoever looks into the store.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Scalar(NamedTuple):
    """How the values of one type are stored."""

    name: str
    write: Callable[[Any], Any]
    """The payload, plain JSON; raises ValueError for a value that would not come back exactly."""
    read: Callable[[Any], Any]
    """The value; raises ValueError, TypeError or ArithmeticError for a malformed payload."""


def _text(payload: Any) -> str:
    if type(payload) is not str:
        raise ValueError("a text was expected")
    return payload


# ------------------------------------------------------------------- what a JSON text cannot carry


def _write_int(value: int) -> str:
    return f"{value:#x}"


def _read_int(payload: Any) -> int:
    if not re.fullmatch("-?0x[0-9a-f]+", _text(payload)):
        raise ValueError("a hexadecimal number was expected")
    return int(payload, 16)


def _write_str(value: str) -> str:
    return _write_bytes(value.encode("utf-8", "surrogatepass"))


def _read_str(payload: Any) -> str:
    return _read_bytes(payload).decode("utf-8", "surrogatepass")


# -------------------------------------------------------------------------------- bytes and numbers


def _write_bytes(value: bytes) -> str:
    return b64encode(value).decode("ascii")


def _read_bytes(payload: Any) -> bytes:
    return b64decode(_text(payload), validate=True)


_decimal = re.compile(
    r"-?([0-9]+(\.[0-9]+)?(E[+-][0-9]+)?|Infinity|s?NaN[0-9]*)", re.IGNORECASE
).fullmatch


def _read_decimal(payload: Any) -> Decimal:
    if not _decimal(_text(payload)):
        raise ValueError("a decimal number was expected")
    return Decimal(payload)


def _read_uuid(payload: Any) -> UUID:
    value = UUID(_text(payload))
    if str(value) != payload:
        raise ValueError("32 hexadecimal digits and four hyphens were expected")
    return value


# --------------------------------------------------------------------------------- dates and times


def _write_moment(value: datetime | time) -> Any:
    more: dict[str, Any] = {}
    zone = value.tzinfo
    if type(zone) is ZoneInfo:
        more["zone"] = _key_of(zone)
    elif type(zone) is timezone:
        name = zone.tzname(None)
        if name != timezone(zone.utcoffset(None)).tzname(None):
            name.encode()  # no store could tell surrogates apart here
            more["name"] = name
    elif zone is not None:
        kind = type(zone)
        raise ValueError(
            f"its tzinfo is of type {kind.__module__}.{kind.__qualname__}: use a datetime.timezone "
            "or a zoneinfo.ZoneInfo, for example with .astimezone(datetime.UTC)"
        )
    if value.fold:
        more["fold"] = 1
    return [value.isoformat(), more] if more else value.isoformat()


def _key_of(zone: ZoneInfo) -> str:
    try:
        return ZoneInfo(zone.key).key
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError):  # made from a file
        raise ValueError(
            f"its time zone {zone!r} cannot be found again by its key: use ZoneInfo(key) with a "
            "key of the time zone database, or a datetime.timezone"
        ) from None


def _read_datetime(payload: Any) -> datetime:
    text, more = _moment(payload)
    value = datetime.fromisoformat(text)
    return value.replace(tzinfo=_zone(text, value, more), fold=_fold(more))


def _read_time(payload: Any) -> time:
    text, more = _moment(payload)
    value = time.fromisoformat(text)
    return value.replace(tzinfo=_zone(text, value, more), fold=_fold(more))


def _moment(payload: Any) -> tuple[str, dict[str, Any]]:
    match payload:
        case str(text):
            return text, {}
        case [str(text), dict(more)] if more and more.keys() <= {"zone", "name", "fold"}:
            return text, more
        case _:
            raise ValueError("a text in ISO 8601 was expected, or one with zone, name or fold")


# An offset with a fraction of a second, which Python writes, and takes for UTC if it is under one.
_fine_offset = re.compile(r"([+-])(\d\d):(\d\d):(\d\d)\.(\d{6})$", re.ASCII).search


def _zone(text: str, value: datetime | time, more: dict[str, Any]) -> tzinfo | None:
    if "zone" in more:
        try:
            return ZoneInfo(_text(more["zone"]))
        except ZoneInfoNotFoundError as error:
            raise ValueError(
                f"this machine does not know the time zone {more['zone']!r}: install its time "
                "zone database, or the package tzdata"
            ) from error
    offset = value.utcoffset()
    fine = _fine_offset(text)
    if fine:
        sign, *parts = fine.groups()
        hours, minutes, seconds, microseconds = map(int, parts)
        offset = timedelta(0, seconds, microseconds, minutes=minutes, hours=hours)
        offset = -offset if sign == "-" else offset
    if offset is None:
        if "name" in more:
            raise ValueError("a name without an offset")
        return None
    return timezone(offset, _text(more["name"])) if "name" in more else timezone(offset)


def _fold(more: dict[str, Any]) -> int:
    fold = more.get("fold", 0)
    if type(fold) is not int:
        raise ValueError("fold is 1 or is left out")
    return fold


def _read_date(payload: Any) -> date:
    return date.fromisoformat(_text(payload))


def _write_timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _read_timedelta(payload: Any) -> timedelta:
    match payload:
        case [int(days), int(seconds), int(microseconds)]:
            return timedelta(days, seconds, microseconds)
        case _:
            raise ValueError("[days, seconds, microseconds] was expected")


BIG_INT = Scalar("int", _write_int, _read_int)
SPLIT_STR = Scalar("str", _write_str, _read_str)

# The types whose every value is written as a tag. Subclasses are other types.
SCALARS: dict[type, Scalar] = {
    bytes: Scalar("bytes", _write_bytes, _read_bytes),
    datetime: Scalar("datetime", _write_moment, _read_datetime),
    date: Scalar("date", date.isoformat, _read_date),
    time: Scalar("time", _write_moment, _read_time),
    timedelta: Scalar("timedelta", _write_timedelta, _read_timedelta),
    Decimal: Scalar("decimal", str, _read_decimal),
    UUID: Scalar("uuid", str, _read_uuid),
}
