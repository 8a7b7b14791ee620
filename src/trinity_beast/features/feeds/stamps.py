"""Trade times: four formats, read to the nanosecond and never through a float.

A column's format says what to expect, and venues change their minds: a number where
text was, a fraction where none was, RFC 3339 where milliseconds were.  So each reader
takes text and whole numbers alike (fractions arrive here as text), and all take
RFC 3339.  Text without a zone is not RFC 3339 and is refused: it may be local time.

Source: RFC 3339; `timestamp_format` of the data dictionary, 5.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S, from_datetime

EARLIEST_NS: Final = from_datetime(datetime(2010, 1, 1, tzinfo=UTC))
"""Nothing was traded before; earlier stamps are in a wrong unit, or nonsense."""

LATEST_NS: Final = 2**63 - 1
"""The board stores 64 bits: until the year 2262."""

StampReader = Callable[[object], int | None]

_RFC3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:)([0-9]{2})"
    r"(?:\.([0-9]{1,30}))?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))",
)
_PLAIN: Final = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,30}))?")
_SCIENTIFIC: Final = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,30})?[eE]\+?[0-9]{1,2}")
_SCALES_NS: Final = {"unix_ms": NS_PER_MS, "unix_ms_string": NS_PER_MS, "unix_ns": 1}
_FRACTION_DIGITS: Final = {NS_PER_MS: 6, 1: 0}
_LEAP_SECOND: Final = "60"


def compile_stamp(exchange: str, stamp_format: str | None) -> StampReader:
    """Return a function that reads a trade time as nanoseconds since the epoch, UTC.

    It answers None for what is no time at all, or lies before 2010.

    Raises:
        FeedRowInvalid: There is no such format.
    """
    if stamp_format is None or stamp_format == "rfc3339":
        return _read_rfc3339
    scale_ns = _SCALES_NS.get(stamp_format)
    if scale_ns is None:
        reason = (
            f"is none of rfc3339, unix_ms, unix_ns, unix_ms_string: {stamp_format!r}"
        )
        raise FeedRowInvalid(exchange, "timestamp_format", reason)
    return _unix_reader(scale_ns)


def _read_rfc3339(value: object) -> int | None:
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    leap = second == _LEAP_SECOND
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}{'59' if leap else second}")
        moment = moment.replace(tzinfo=_zone(sign, hours, minutes))
        at_ns = from_datetime(moment) + leap * NS_PER_S
    except (ValueError, OverflowError):
        return None
    return _sane(at_ns + int(fraction[:9].ljust(9, "0")) if fraction else at_ns)


def _zone(sign: str | None, hours: str, minutes: str) -> timezone:
    if sign is None:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(offset if sign == "+" else -offset)


def _unix_reader(scale_ns: int) -> StampReader:
    digits = _FRACTION_DIGITS[scale_ns]

    def read(value: object) -> int | None:
        if type(value) is int:
            return _sane(value * scale_ns)
        if not isinstance(value, str):
            return None
        match = _PLAIN.fullmatch(value)
        if match is None:
            return _read_unusual(value, scale_ns)
        whole, fraction = match.groups()
        at_ns = int(whole) * scale_ns
        if fraction and digits:
            at_ns += int(fraction[:digits].ljust(digits, "0"))
        return _sane(at_ns)

    return read


def _read_unusual(text: str, scale_ns: int) -> int | None:
    if _SCIENTIFIC.fullmatch(text):
        return _sane(int(Decimal(text).scaleb(len(str(scale_ns)) - 1)))
    return _read_rfc3339(text)


def _sane(at_ns: int) -> int | None:
    return at_ns if EARLIEST_NS <= at_ns <= LATEST_NS else None
