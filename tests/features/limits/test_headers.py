"""What an answer's headers tell of the limits."""

from __future__ import annotations

import pytest

from support.clocks import NOON_NS, FixedClock
from support.keys import a_key
from trinity_beast.features.keys import FREE_TEMPLATE, KeySlot, terms_of
from trinity_beast.features.limits import Decision, Limiter, rate_limit_headers


def decide(asked: int = 1, now_ns: int = NOON_NS, **changes: object) -> Decision:
    """Ask so many times with a new key, and return the last decision."""
    slot = KeySlot("a" * 64, a_key(**changes))
    limiter = Limiter(FixedClock(now_ns))
    terms = terms_of(slot.key, FREE_TEMPLATE, now_ns, 7)
    return [limiter.check(slot, terms, now_ns) for _ in range(asked)][-1]


def test_an_answer_tells_policies_and_what_is_left() -> None:
    decision = decide(burst_limit=5, current_usage=786)

    # 2026-09-21T14:13:20Z, a month of thirty days.
    assert rate_limit_headers(decision) == {
        "RateLimit-Policy": '"second";q=5;w=1, "month";q=50000;w=2592000',
        "RateLimit": '"second";r=4;t=1, "month";r=49213;t=812800',
    }


def test_a_bucket_deeper_than_a_second_may_hold_more_than_its_rate() -> None:
    headers = rate_limit_headers(decide(rate_limit_qps=2, burst_limit=100))

    assert headers["RateLimit"].startswith('"second";r=99;t=1,')


def test_a_throttled_caller_is_told_when_to_ask_again() -> None:
    decision = decide(6, rate_limit_qps=1, burst_limit=5, minimum_wait_ms=1001)

    assert rate_limit_headers(decision) == {
        "RateLimit-Policy": '"second";q=1;w=1, "month";q=50000;w=2592000',
        "RateLimit": '"second";r=0;t=1, "month";r=49995;t=812800',
        "Retry-After": "2",
    }


def test_a_used_up_month_tells_when_the_next_begins() -> None:
    decision = decide(query_limit=0)

    assert rate_limit_headers(decision) == {
        "RateLimit-Policy": '"second";q=5;w=1, "month";q=0;w=2592000',
        "RateLimit": '"second";r=10;t=0, "month";r=0;t=812800',
        "Retry-After": "812800",
    }


@pytest.mark.parametrize(("wait_ms", "seconds"), [(0, "1"), (1000, "1"), (1200, "2")])
def test_asking_again_takes_whole_seconds(wait_ms: int, seconds: str) -> None:
    decision = decide(2, rate_limit_qps=100, burst_limit=1, minimum_wait_ms=wait_ms)

    assert rate_limit_headers(decision)["Retry-After"] == seconds


def test_parts_of_a_second_are_rounded_up() -> None:
    headers = rate_limit_headers(decide(now_ns=NOON_NS + 1))

    assert headers["RateLimit"].endswith("t=812800")


def test_a_key_without_a_monthly_limit_tells_the_rate_alone() -> None:
    assert rate_limit_headers(decide(query_limit=999_999_999)) == {
        "RateLimit-Policy": '"second";q=5;w=1',
        "RateLimit": '"second";r=9;t=1',
    }


def test_a_key_without_a_rate_tells_the_month_alone() -> None:
    assert rate_limit_headers(decide(tier="partner", rate_limit_qps=0)) == {
        "RateLimit-Policy": '"month";q=50000;w=2592000',
        "RateLimit": '"month";r=49999;t=812800',
    }


def test_a_key_without_limits_tells_nothing() -> None:
    limitless = decide(tier="partner", rate_limit_qps=0, query_limit=999_999_999)

    assert rate_limit_headers(limitless) == {}


def test_a_rate_of_zero_asks_to_come_back_in_an_hour() -> None:
    assert rate_limit_headers(decide(rate_limit_qps=0)) == {
        "RateLimit-Policy": '"second";q=0;w=1, "month";q=50000;w=2592000',
        "RateLimit": '"second";r=0;t=3600, "month";r=50000;t=812800',
        "Retry-After": "3600",
    }


def test_the_month_is_as_long_as_it_is() -> None:
    february_ns = NOON_NS + 150 * 86_400 * 1_000_000_000

    headers = rate_limit_headers(decide(now_ns=february_ns))

    assert headers["RateLimit-Policy"].endswith('"month";q=50000;w=2419200')
