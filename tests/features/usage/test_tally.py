from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, strategies as st

from support.clocks import NOON_NS
from support.usage import KEY_ID, usage_record
from trinity_beast.features.usage.tally import (
    HourTally,
    KeyTally,
    MonthTally,
    Tally,
)
from trinity_beast.kernel.time import NS_PER_S, month_of, month_start_ns, to_datetime

HOUR_NS = 3_600 * NS_PER_S
AUGUST_NS = month_start_ns(202608) + 5 * HOUR_NS
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
OTHER_KEY = "00000000-1111-4222-8333-abcdefabcdef"


def test_nothing_adds_nothing() -> None:
    tally = Tally([])

    assert (tally.by_hour(), tally.by_month(), tally.by_key(NOON_NS)) == ([], [], [])


def test_calls_are_summed_by_hour_key_source_status_and_cached() -> None:
    hour = datetime(2026, 9, 21, 14, tzinfo=UTC)
    tally = Tally(
        [
            usage_record(0, duration_ms=3),
            usage_record(1, duration_ms=4),
            usage_record(2, status="error", source=None, cached=None, duration_ms=5),
            usage_record(3, cached=False, at_ns=NOON_NS + HOUR_NS),
            usage_record(4, key_id=OTHER_KEY, duration_ms=0),
        ],
    )

    assert tally.by_hour() == [
        HourTally(
            hour,
            OTHER_KEY,
            "coinbase-ws",
            "success",
            cached=True,
            calls=1,
            duration_ms_sum=0,
        ),
        HourTally(hour, KEY_ID, "", "error", cached=False, calls=1, duration_ms_sum=5),
        HourTally(
            hour,
            KEY_ID,
            "coinbase-ws",
            "success",
            cached=True,
            calls=2,
            duration_ms_sum=7,
        ),
        HourTally(
            hour.replace(hour=15),
            KEY_ID,
            "coinbase-ws",
            "success",
            cached=False,
            calls=1,
            duration_ms_sum=3,
        ),
    ]


def test_the_month_is_that_of_the_request() -> None:
    last_ns = month_start_ns(202610) - 1
    records = [
        usage_record(0, at_ns=last_ns),
        usage_record(1, at_ns=last_ns + 1),
        usage_record(2, at_ns=last_ns + 1, status="rate_limited"),
    ]

    assert Tally(records).by_month() == [
        MonthTally(KEY_ID, 202609, 1, 0, last_ns, last_ns),
        MonthTally(KEY_ID, 202610, 1, 1, last_ns + 1, last_ns + 1),
    ]


def test_a_key_counts_its_newest_month_only() -> None:
    records = [
        usage_record(0, at_ns=AUGUST_NS),
        usage_record(1, at_ns=AUGUST_NS + 1_000, status="error"),
        usage_record(2, at_ns=NOON_NS, status="rate_limited"),
    ]

    assert Tally(records).by_key(NOON_NS) == [
        KeyTally(
            key_id=UUID(KEY_ID),
            month_start=SEPTEMBER,
            month_end=OCTOBER,
            answered=0,
            last_used=to_datetime(NOON_NS),
            last_success=to_datetime(AUGUST_NS),
        ),
    ]


def test_a_key_without_success_has_no_last_success() -> None:
    (key,) = Tally([usage_record(status="error")]).by_key(NOON_NS)

    assert (key.answered, key.last_success) == (0, None)


def test_what_is_no_key_of_ours_has_no_counters() -> None:
    texts = ["", "anonymous", KEY_ID.upper(), "{" + KEY_ID + "}", "?" * 36]

    tally = Tally(usage_record(n, key_id=text) for n, text in enumerate(texts))

    assert tally.by_key(NOON_NS) == []
    assert sorted(row.key_id for row in tally.by_month()) == sorted(texts)


def test_a_clock_that_runs_ahead_moves_no_key_beyond_tomorrow() -> None:
    day_ns = 24 * HOUR_NS
    records = [usage_record(0), usage_record(1, at_ns=NOON_NS + 5 * day_ns)]

    (key,) = Tally(records).by_key(NOON_NS)

    tomorrow = to_datetime(NOON_NS + day_ns)
    assert (key.answered, key.last_used, key.last_success) == (2, tomorrow, tomorrow)


def test_months_that_are_far_ahead_do_not_count_for_the_key() -> None:
    records = [usage_record(0), usage_record(1, at_ns=month_start_ns(209901))]

    tally = Tally(records)

    assert [row.month for row in tally.by_month()] == [202609, 209901]
    assert [(key.answered, key.month_start) for key in tally.by_key(NOON_NS)] == [
        (1, SEPTEMBER),
    ]


def test_the_first_hours_of_the_next_month_count() -> None:
    records = [usage_record(0, at_ns=month_start_ns(202610) + HOUR_NS)]

    (key,) = Tally(records).by_key(month_start_ns(202610) - HOUR_NS)

    assert (key.month_start, key.month_end, key.answered) == (OCTOBER, NOVEMBER, 1)


@given(
    calls=st.lists(
        st.tuples(
            st.integers(0, 80 * 24).map(lambda hours: AUGUST_NS + hours * HOUR_NS),
            st.sampled_from([KEY_ID, OTHER_KEY, "nobody"]),
            st.sampled_from(["success", "error", "rate_limited"]),
            st.integers(0, 50),
        ),
    ),
)
def test_all_sums_agree_with_the_records(
    calls: list[tuple[int, str, str, int]],
) -> None:
    tally = Tally(
        usage_record(n, at_ns=at_ns, key_id=key_id, status=status, duration_ms=ms)
        for n, (at_ns, key_id, status, ms) in enumerate(calls)
    )

    hours, months = tally.by_hour(), tally.by_month()

    assert sum(row.calls for row in hours) == len(calls)
    assert sum(row.duration_ms_sum for row in hours) == sum(call[3] for call in calls)
    places = [(row.key_id, row.month) for row in months]
    assert places == sorted({(call[1], month_of(call[0])) for call in calls})
    for row in months:
        here = [c for c in calls if (c[1], month_of(c[0])) == (row.key_id, row.month)]
        good = [call for call in here if call[2] == "success"]
        assert asdict(row) == {
            "key_id": row.key_id,
            "month": row.month,
            "answered": len(good),
            "refused": len(here) - len(good),
            "used_ns": max(call[0] for call in here),
            "success_ns": max((call[0] for call in good), default=0),
        }
