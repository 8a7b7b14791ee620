"""What a key is allowed, by its row and the instant."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from support.clocks import NOON_NS
from support.keys import a_key
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    Terms,
    terms_of,
    used_this_month,
)
from trinity_beast.kernel.time import NS_PER_S

DAY_NS = 86_400 * NS_PER_S
OWN = Terms(tier="pro", qps=5, burst=10, minimum_wait_ms=200, month_limit=50_000)


def free(lowered: str, from_ns: int = 0) -> Terms:
    return Terms(
        tier="free",
        qps=1,
        burst=5,
        minimum_wait_ms=1000,
        month_limit=1000,
        lowered=lowered,  # pyright: ignore[reportArgumentType] - one of its literals
        from_ns=from_ns,
    )


def terms(**changes: object) -> Terms:
    return terms_of(a_key(**changes), FREE_TEMPLATE, NOON_NS, grace_days=7)


def terms_at(now_ns: int, key: ApiKey) -> Terms:
    return terms_of(key, FREE_TEMPLATE, now_ns, grace_days=7)


def test_a_paid_key_has_its_own_terms_for_ever() -> None:
    assert terms() == OWN


@pytest.mark.parametrize("status", ["trialing", "", "ACTIVE"])
def test_a_status_that_means_nothing_is_taken_as_active(status: str) -> None:
    assert terms(subscription_status=status) == OWN


def test_a_late_payer_keeps_the_own_terms_until_the_grace_is_over() -> None:
    failed_ns = NOON_NS - DAY_NS
    end_ns = failed_ns + 7 * DAY_NS
    late = a_key(subscription_status="past_due", payment_failed_at_ns=failed_ns)

    before, after = terms_at(end_ns - 1, late), terms_at(end_ns, late)

    assert before == Terms(
        tier="pro",
        qps=5,
        burst=10,
        minimum_wait_ms=200,
        month_limit=50_000,
        grace_until_ns=end_ns,
        until_ns=end_ns,
    )
    assert after == free("past_due", end_ns)


def test_the_grace_is_as_long_as_the_parameter_says() -> None:
    failed_ns = NOON_NS - 2 * DAY_NS
    late = a_key(subscription_status="past_due", payment_failed_at_ns=failed_ns)

    tiers = [terms_of(late, FREE_TEMPLATE, NOON_NS, days).tier for days in (3, 2, 0)]

    assert tiers == ["pro", "free", "free"]


def test_nobody_is_cut_off_for_a_date_that_was_not_written_down() -> None:
    assert terms(subscription_status="past_due") == OWN


def test_who_canceled_keeps_what_was_paid_for() -> None:
    end_ns = NOON_NS + DAY_NS
    gone = a_key(subscription_status="canceled", tier_effective_at_ns=end_ns)

    before, after = terms_at(end_ns - 1, gone), terms_at(end_ns, gone)

    assert (before.tier, before.until_ns, before.grace_until_ns) == (
        "pro",
        end_ns,
        None,
    )
    assert after == free("canceled", end_ns)


def test_who_canceled_without_a_date_is_free_at_once() -> None:
    assert terms(subscription_status="canceled") == free("canceled")


def test_a_tier_that_does_not_exist_is_served_as_free() -> None:
    assert terms(tier="gold", tier_known=False) == free("unknown_tier")


@pytest.mark.parametrize("tier", ["partner", "webhook_partner"])
@pytest.mark.parametrize("status", ["active", "past_due", "canceled"])
def test_zeros_of_a_partner_mean_no_limit(tier: str, status: str) -> None:
    partner = terms(
        tier=tier,
        rate_limit_qps=0,
        burst_limit=0,
        query_limit=999_999_999,
        minimum_wait_ms=0,
        subscription_status=status,
        payment_failed_at_ns=1,
    )

    assert partner == Terms(
        tier=tier,
        qps=None,
        burst=None,
        minimum_wait_ms=0,
        month_limit=None,
    )


@pytest.mark.parametrize(("qps", "burst"), [(0, 0), (0, 9), (9, 0), (-1, 9), (9, -1)])
def test_zeros_of_anybody_else_mean_nothing_at_all(qps: int, burst: int) -> None:
    none = terms(rate_limit_qps=qps, burst_limit=burst, query_limit=0)

    assert (none.qps, none.burst, none.month_limit) == (0, 0, 0)


def test_a_partner_may_have_limits_too() -> None:
    limited = terms(tier="partner", rate_limit_qps=3, burst_limit=4, query_limit=5)

    assert (limited.qps, limited.burst, limited.month_limit) == (3, 4, 5)
    assert terms(tier="partner", rate_limit_qps=3, burst_limit=0).qps is None
    assert terms(tier="partner", query_limit=0).month_limit is None


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [(-5, 0), (0, 0), (1, 1), (999_999_998, 999_999_998), (999_999_999, None)],
)
def test_only_a_billion_less_one_is_no_monthly_limit(
    limit: int,
    allowed: int | None,
) -> None:
    assert terms(query_limit=limit).month_limit == allowed


@given(
    st.sampled_from(["active", "past_due", "canceled"]),
    st.none() | st.integers(-40, 40),
    st.none() | st.integers(-40, 40),
    st.integers(-40, 40),
    st.integers(-40, 40),
)
def test_terms_hold_for_as_long_as_they_say(
    status: str,
    failed: int | None,
    effective: int | None,
    then: int,
    later: int,
) -> None:
    """Terms worked out at one instant are those of every instant they claim."""
    key = a_key(
        subscription_status=status,
        payment_failed_at_ns=None if failed is None else failed * DAY_NS,
        tier_effective_at_ns=None if effective is None else effective * DAY_NS,
    )
    known = terms_at(then * DAY_NS, key)

    if known.from_ns <= later * DAY_NS < known.until_ns:
        assert terms_at(later * DAY_NS, key) == known


@pytest.mark.parametrize(
    ("last_used_ns", "used"),
    [
        (None, 42),
        (NOON_NS, 42),
        (NOON_NS - 20 * DAY_NS, 42),
        (NOON_NS - 21 * DAY_NS, 0),
        (NOON_NS - 400 * DAY_NS, 0),
        (NOON_NS + 20 * DAY_NS, 42),
    ],
)
def test_usage_of_an_earlier_month_does_not_count(
    last_used_ns: int | None,
    used: int,
) -> None:
    key = a_key(current_usage=42, last_used_ns=last_used_ns)

    assert used_this_month(key, NOON_NS) == used


def test_usage_below_zero_is_none() -> None:
    assert used_this_month(a_key(current_usage=-3), NOON_NS) == 0
