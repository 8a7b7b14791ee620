from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from trinity_beast.kernel import time

LEAP_DAY_NS = 1_709_251_199_123_456_789


def test_an_instant_is_written_with_milliseconds_and_never_rounded_up() -> None:
    assert time.rfc3339_ms(LEAP_DAY_NS + 876_543_210) == "2024-02-29T23:59:59.999Z"
    assert time.rfc3339_ms(0) == "1970-01-01T00:00:00.000Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_datetime_survives_the_way_to_an_instant_and_back(moment: datetime) -> None:
    assert time.to_datetime(time.from_datetime(moment)) == moment


@pytest.mark.parametrize(
    ("at", "month", "after"),
    [
        (datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), 202402, 202403),
        (datetime(2026, 12, 31, tzinfo=UTC), 202612, 202701),
        (datetime(2026, 1, 1, tzinfo=UTC), 202601, 202602),
    ],
)
def test_months_are_calendar_months_in_utc(
    at: datetime,
    month: int,
    after: int,
) -> None:
    at_ns = time.from_datetime(at)

    assert time.month_of(at_ns) == month
    assert time.next_month(month) == after
    assert time.month_end_ns(at_ns) == time.month_start_ns(after)
    assert time.month_of(time.month_end_ns(at_ns) - 1) == month
