"""Instants are integers: nanoseconds since the Unix epoch, UTC.

``datetime`` stops at microseconds and exchanges do not, so the price path never makes
one; the database's edge converts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NS_PER_US = 1_000
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MONTH_OF_NEXT_YEAR = 13


def to_datetime(at_ns: int) -> datetime:
    """Return the aware datetime of an instant, cut to whole microseconds."""
    return _EPOCH + timedelta(microseconds=at_ns // NS_PER_US)


def from_datetime(moment: datetime) -> int:
    """Return the instant of an aware datetime, in nanoseconds, exactly."""
    delta = moment - _EPOCH
    microseconds = (delta.days * 86_400 + delta.seconds) * 1_000_000
    return (microseconds + delta.microseconds) * NS_PER_US


def rfc3339_ms(at_ns: int) -> str:
    """Return an instant as ``2026-09-21T14:16:40.123Z``.  Source: RFC 3339."""
    moment = to_datetime(at_ns)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def month_of(at_ns: int) -> int:
    """Return the UTC month of an instant as ``year * 100 + month``."""
    moment = to_datetime(at_ns)
    return moment.year * 100 + moment.month


def month_start_ns(month: int) -> int:
    """Return the first instant of a month given as ``year * 100 + month``."""
    return from_datetime(datetime(month // 100, month % 100, 1, tzinfo=UTC))


def next_month(month: int) -> int:
    """Return the month after ``year * 100 + month``."""
    following = month + 1
    if following % 100 == _FIRST_MONTH_OF_NEXT_YEAR:
        return (month // 100 + 1) * 100 + 1
    return following


def month_end_ns(at_ns: int) -> int:
    """Return the first instant of the month after the one of ``at_ns``."""
    return month_start_ns(next_month(month_of(at_ns)))
