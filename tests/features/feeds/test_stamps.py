from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.stamps import EARLIEST_NS, LATEST_NS, compile_stamp
from trinity_beast.kernel.time import NS_PER_S, from_datetime

AT_NS = 1_790_000_200 * NS_PER_S
"""2026-09-21T14:16:40Z."""


@pytest.mark.parametrize(
    ("text", "offset_ns"),
    [
        ("2026-09-21T14:16:40Z", 0),
        ("2026-09-21t14:16:40z", 0),
        ("2026-09-21 14:16:40Z", 0),
        ("2026-09-21T14:16:40.1Z", 100_000_000),
        ("2026-09-21T14:16:40.000001Z", 1_000),
        ("2026-09-21T14:16:40.123456789Z", 123_456_789),
        ("2026-09-21T14:16:40.1234567899Z", 123_456_789),
        ("2026-09-21T16:16:40.123456789+02:00", 123_456_789),
        ("2026-09-21T16:16:40+0200", 0),
        ("2026-09-21T08:46:40-05:30", 0),
        ("2026-09-21T14:16:60Z", 20 * NS_PER_S),
    ],
)
def test_rfc_3339_is_read_to_the_nanosecond(text: str, offset_ns: int) -> None:
    assert compile_stamp("x", "rfc3339")(text) == AT_NS + offset_ns


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "2026-09-21",
        "2026-09-21T14:16:40",
        "2026-13-21T14:16:40Z",
        "2026-09-21T14:16:40+99:00",
        "2026-09-21T14:16:40.Z",
        "2009-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59Z",
        1_790_000_200,
        None,
        True,
        {},
        [],
    ],
)
def test_what_is_no_rfc_3339_is_no_time(value: object) -> None:
    assert compile_stamp("x", "rfc3339")(value) is None


@pytest.mark.parametrize(
    ("stamp_format", "value", "expected_ns"),
    [
        ("unix_ms", 1_790_000_200_123, AT_NS + 123_000_000),
        ("unix_ms", "1790000200123", AT_NS + 123_000_000),
        ("unix_ms", "1790000200000.000001", AT_NS + 1),
        ("unix_ms_string", "1619093543708.2642", 1_619_093_543_708_264_200),
        ("unix_ms_string", "1788336082402.208000", 1_788_336_082_402_208_000),
        ("unix_ms_string", 1_788_336_082_402, 1_788_336_082_402_000_000),
        ("unix_ms_string", "1790000200000.0000019", AT_NS + 1),
        ("unix_ms", "1.7900002E12", AT_NS),
        ("unix_ms", "17900002e+5", AT_NS),
        ("unix_ns", 1_790_732_616_897_030_071, 1_790_732_616_897_030_071),
        ("unix_ns", "1790732616897030071", 1_790_732_616_897_030_071),
        ("unix_ns", "1790732616897030071.9", 1_790_732_616_897_030_071),
        ("unix_ms", "2026-09-21T14:16:40Z", AT_NS),
        ("unix_ns", "2026-09-21T14:16:40Z", AT_NS),
        ("unix_ms_string", "2026-09-21T14:16:40Z", AT_NS),
        (None, "2026-09-21T14:16:40Z", AT_NS),
    ],
)
def test_numbers_are_read_exactly_whatever_json_type_they_have(
    stamp_format: str | None,
    value: object,
    expected_ns: int,
) -> None:
    assert compile_stamp("x", stamp_format)(value) == expected_ns


@pytest.mark.parametrize(
    "value",
    [
        0,
        -5,
        "0",
        "-5",
        1_790_000_200,
        "1790000200",
        10**30,
        "9" * 20,
        "9" * 5000,
        "1e99",
        "1e-9",
        "NaN",
        "",
        True,
        None,
        [],
    ],
)
def test_a_wrong_unit_or_nonsense_is_no_time(value: object) -> None:
    assert compile_stamp("x", "unix_ms")(value) is None


def test_the_bounds_of_time_are_2010_and_what_64_bits_hold() -> None:
    read = compile_stamp("x", "unix_ns")

    assert [read(EARLIEST_NS - 1), read(EARLIEST_NS)] == [None, EARLIEST_NS]
    assert [read(LATEST_NS), read(LATEST_NS + 1)] == [LATEST_NS, None]


@given(
    st.datetimes(datetime(2010, 1, 2), datetime(2200, 1, 1)),  # noqa: DTZ001 - the zone is drawn apart
    st.integers(-14 * 60, 14 * 60),
    st.integers(0, 10**9 - 1),
)
def test_every_instant_survives_being_written_in_any_zone(
    moment: datetime,
    offset_minutes: int,
    nanoseconds: int,
) -> None:
    instant = moment.replace(microsecond=0, tzinfo=UTC)
    zone = timezone(timedelta(minutes=offset_minutes))
    text = instant.astimezone(zone).isoformat()
    written = f"{text[:19]}.{nanoseconds:09d}{text[19:]}"

    found = compile_stamp("x", "rfc3339")(written)

    assert found == from_datetime(instant) + nanoseconds


def test_an_unknown_format_is_refused_by_name() -> None:
    with pytest.raises(FeedRowInvalid, match=r"timestamp_format is none of .*'unix_s'"):
        compile_stamp("acme", "unix_s")
