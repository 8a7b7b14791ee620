"""The limiter: who goes through, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from support.clocks import NOON_NS, FixedClock
from support.keys import a_key
from trinity_beast.features.keys import (
    FREE_TEMPLATE,
    ApiKey,
    KeySlot,
    Terms,
    terms_of,
)
from trinity_beast.features.limits import (
    NANOTOKENS,
    NEVER_NS,
    Decision,
    Limiter,
    LocalGrants,
    Month,
    MonthCount,
    TokenBucket,
    Tokens,
)
from trinity_beast.kernel.time import NS_PER_S, month_start_ns

OCTOBER_NS = month_start_ns(202610)
LEFT_MS = (OCTOBER_NS - NOON_NS) // 1_000_000


class Caller:
    """One key, asking."""

    def __init__(self, clock: FixedClock, **changes: object) -> None:
        self.clock = clock
        self.limiter = Limiter(clock)
        self.slot = KeySlot("a" * 64, a_key(**changes))
        self.terms = self.terms_now()

    def terms_now(self) -> Terms:
        return terms_of(self.slot.key, FREE_TEMPLATE, self.clock.now_ns(), 7)

    def ask(self, tokens: int = 1) -> Decision:
        now_ns = self.clock.now_ns()
        return self.limiter.check(self.slot, self.terms, now_ns, tokens)

    def get(self) -> str | None:
        """Ask, be answered, and return the code of a refusal."""
        decision = self.ask()
        self.limiter.answered(decision, success=True)
        return decision.code

    def renew(self, *, lowered: bool = False, **changes: object) -> None:
        """Let the row be read again."""
        self.slot.renew(a_key(**changes), lowered=lowered)
        self.terms = self.terms_now()


def said(decision: Decision) -> dict[str, object]:
    return {
        "code": decision.code,
        "retry_after_ms": decision.retry_after_ms,
        "tokens_left": decision.tokens_left,
        "next_token_ns": decision.next_token_ns,
        "month_remaining": decision.month_remaining,
    }


def test_a_decision_says_what_is_left(clock: FixedClock) -> None:
    caller = Caller(clock, current_usage=787)

    decision = caller.ask()

    assert decision.granted
    assert said(decision) == {
        "code": None,
        "retry_after_ms": 0,
        "tokens_left": 9,
        "next_token_ns": NS_PER_S // 5,
        "month_remaining": 49_212,
    }
    assert decision.terms is caller.terms
    assert (decision.now_ns, decision.month_number) == (NOON_NS, 202609)
    assert decision.starts_at_ns == month_start_ns(202609)
    assert decision.resets_at_ns == OCTOBER_NS


def test_an_empty_bucket_refuses_until_the_next_token(clock: FixedClock) -> None:
    caller = Caller(clock, minimum_wait_ms=0, rate_limit_qps=3, burst_limit=1)
    caller.get()

    refused = caller.ask()

    assert not refused.granted
    assert said(refused) == {
        "code": "rate_limited",
        "retry_after_ms": 334,
        "tokens_left": 0,
        "next_token_ns": 333_333_334,
        "month_remaining": 49_999,
    }
    clock.advance(0.333)
    assert caller.get() == "rate_limited"
    clock.advance(0.001)
    assert caller.get() is None


def test_a_throttled_caller_waits_at_least_the_minimum(clock: FixedClock) -> None:
    caller = Caller(clock, minimum_wait_ms=900, burst_limit=1)
    caller.get()

    assert caller.ask().retry_after_ms == 900


def test_a_used_up_month_refuses_until_its_end(clock: FixedClock) -> None:
    caller = Caller(clock, query_limit=2)
    assert [caller.get() for _ in range(3)] == [None, None, "quota_exceeded"]

    refused = caller.ask()

    assert said(refused) == {
        "code": "quota_exceeded",
        "retry_after_ms": LEFT_MS,
        "tokens_left": 8,
        "next_token_ns": NS_PER_S // 5,
        "month_remaining": 0,
    }
    clock.advance((OCTOBER_NS - NOON_NS) / NS_PER_S)
    assert caller.get() is None


def test_a_refusal_costs_neither_tokens_nor_month(clock: FixedClock) -> None:
    throttled = Caller(clock, burst_limit=1)
    spent = Caller(clock, query_limit=0)
    throttled.get()

    for caller in (throttled, spent):
        for _ in range(3):
            caller.limiter.answered(caller.ask(), success=True)

    assert throttled.ask().month_remaining == 49_999
    assert spent.ask().level == 10 * NANOTOKENS


def test_only_success_counts_for_the_month(clock: FixedClock) -> None:
    caller = Caller(clock, burst_limit=50)
    for success in (True, False, False, True):
        caller.limiter.answered(caller.ask(), success=success)

    assert caller.ask().month_remaining == 49_997


def test_requests_in_flight_never_over_admit_the_month(clock: FixedClock) -> None:
    caller = Caller(clock, query_limit=3, burst_limit=50)

    flying = [caller.ask() for _ in range(5)]

    assert [decision.granted for decision in flying] == [True] * 3 + [False] * 2
    caller.limiter.answered(flying[1], success=False)
    assert caller.get() is None
    assert caller.get() == "quota_exceeded"


def test_an_answer_after_the_end_of_the_month_counts_for_the_old_one(
    clock: FixedClock,
) -> None:
    caller = Caller(clock, query_limit=3)
    old = caller.ask()
    clock.advance((OCTOBER_NS - NOON_NS) / NS_PER_S)
    new = caller.ask()

    caller.limiter.answered(old, success=False)

    assert (old.month_number, new.month_number) == (202609, 202610)
    assert caller.ask().month_remaining == 1


def test_a_request_may_cost_several_tokens(clock: FixedClock) -> None:
    caller = Caller(clock)

    assert caller.ask(tokens=4).tokens_left == 6
    assert caller.ask(tokens=7).code == "rate_limited"
    assert caller.ask(tokens=6).month_remaining == 49_998


def test_a_jumping_wall_clock_fills_no_bucket(clock: FixedClock) -> None:
    caller = Caller(clock, burst_limit=1)
    caller.get()

    for jump_ns in (NS_PER_S, 3600 * NS_PER_S, -7200 * NS_PER_S):
        clock.wall_ns += jump_ns
        assert caller.get() == "rate_limited"


def test_a_partner_has_no_limits(clock: FixedClock) -> None:
    caller = Caller(
        clock,
        tier="partner",
        rate_limit_qps=0,
        burst_limit=0,
        query_limit=999_999_999,
    )

    decisions = [caller.ask() for _ in range(1000)]

    assert all(decision.granted for decision in decisions)
    assert said(decisions[-1]) == {
        "code": None,
        "retry_after_ms": 0,
        "tokens_left": None,
        "next_token_ns": 0,
        "month_remaining": None,
    }


def test_a_rate_of_zero_lets_nobody_through(clock: FixedClock) -> None:
    caller = Caller(clock, rate_limit_qps=0, burst_limit=0)

    assert said(caller.ask()) == {
        "code": "rate_limited",
        "retry_after_ms": NEVER_NS // 1_000_000,
        "tokens_left": 0,
        "next_token_ns": NEVER_NS,
        "month_remaining": 50_000,
    }


def test_a_full_bucket_expects_no_token(clock: FixedClock) -> None:
    caller = Caller(clock, query_limit=0)

    assert caller.ask().next_token_ns == 0


# Changes


def test_a_new_tier_changes_the_limits_of_the_next_request(clock: FixedClock) -> None:
    caller = Caller(clock, query_limit=2)
    caller.get()
    caller.get()

    caller.renew(tier="enterprise", rate_limit_qps=10, burst_limit=20, query_limit=5)
    decision = caller.ask()

    # Eight of ten tokens were left, so sixteen of twenty are.
    assert said(decision) == {
        "code": None,
        "retry_after_ms": 0,
        "tokens_left": 15,
        "next_token_ns": NS_PER_S // 10,
        "month_remaining": 2,
    }


def test_terms_may_change_though_the_row_does_not(clock: FixedClock) -> None:
    late = {"subscription_status": "past_due", "payment_failed_at_ns": NOON_NS}
    caller = Caller(clock, current_usage=900, **late)
    assert caller.ask().month_remaining == 49_099

    clock.advance(7 * 86_400)
    caller.terms = caller.terms_now()

    assert (caller.terms.tier, caller.ask().month_remaining) == ("free", 98)


def test_a_row_counts_though_terms_stay_the_same(clock: FixedClock) -> None:
    """Terms may be asked for before an await, and the check come after it."""
    caller = Caller(clock)
    caller.get()

    caller.slot.renew(a_key(current_usage=20), lowered=False)

    assert caller.ask().month_remaining == 49_979


def test_limits_may_be_lifted_and_set_again(clock: FixedClock) -> None:
    caller = Caller(clock, burst_limit=1)
    caller.get()

    caller.renew(tier="partner", rate_limit_qps=0)
    assert [caller.get() for _ in range(9)] == [None] * 9
    caller.renew(burst_limit=1)
    assert [caller.get(), caller.get()] == [None, "rate_limited"]


def test_the_row_says_what_was_used_before_this_process(clock: FixedClock) -> None:
    this_month = Caller(clock, current_usage=100, last_used_ns=NOON_NS)
    last_month = Caller(
        clock, current_usage=100, last_used_ns=NOON_NS - 30 * 86_400 * NS_PER_S
    )

    assert this_month.ask().month_remaining == 49_899
    assert last_month.ask().month_remaining == 49_999


def test_a_row_that_lags_behind_lowers_nothing(clock: FixedClock) -> None:
    caller = Caller(clock)
    for _ in range(3):
        caller.get()

    caller.renew(current_usage=2)
    assert caller.ask().month_remaining == 49_996
    caller.renew(current_usage=2, name="Ann")
    assert caller.ask().month_remaining == 49_995


def test_a_row_that_knows_of_more_raises_the_count(clock: FixedClock) -> None:
    caller = Caller(clock)
    caller.get()

    caller.renew(current_usage=1000)

    assert caller.ask().month_remaining == 48_999


def test_usage_that_somebody_set_back_counts(clock: FixedClock) -> None:
    caller = Caller(clock, query_limit=5, current_usage=5)
    assert caller.get() == "quota_exceeded"

    caller.renew(query_limit=5, current_usage=3, lowered=True)
    assert [caller.get() for _ in range(3)] == [None, None, "quota_exceeded"]
    caller.renew(query_limit=5, current_usage=3)
    assert caller.get() == "quota_exceeded"


def test_two_keys_share_nothing(clock: FixedClock) -> None:
    limiter = Limiter(clock)
    slots = [KeySlot(letter * 64, a_key(burst_limit=1)) for letter in "ab"]
    terms = terms_of(slots[0].key, FREE_TEMPLATE, NOON_NS, 7)

    decisions = [limiter.check(slot, terms, NOON_NS) for slot in (*slots, *slots)]

    assert [d.granted for d in decisions] == [True, True, False, False]


# Grants


class Halves(LocalGrants):
    """Gives this process half of everything."""

    def tokens(self, key: ApiKey, qps: int, burst: int, now_ns: int) -> Tokens:
        return TokenBucket(qps // 2, burst // 2, now_ns)

    def month(self, key: ApiKey, limit: int | None, now_ns: int) -> Month:
        return MonthCount(now_ns, 0, None if limit is None else limit // 2)


def test_tokens_and_months_come_from_wherever_they_are_granted(
    clock: FixedClock,
) -> None:
    caller = Caller(clock, burst_limit=4, query_limit=100)
    caller.limiter = Limiter(clock, Halves())

    decisions = [caller.ask() for _ in range(3)]

    assert [d.granted for d in decisions] == [True, True, False]
    assert decisions[0].month_remaining == 49


@given(
    st.lists(
        st.tuples(
            st.integers(0, NS_PER_S),
            st.sampled_from(["answered", "failed", "still flying"]),
        ),
        max_size=60,
    ),
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(0, 30),
)
def test_limits_hold_whatever_is_asked_and_when(
    asked: list[tuple[int, str]],
    qps: int,
    burst: int,
    month: int,
) -> None:
    clock = FixedClock()
    caller = Caller(
        clock,
        rate_limit_qps=qps,
        burst_limit=burst,
        query_limit=month,
    )
    kept = taken = 0

    for step_ns, end in asked:
        clock.advance(step_ns / NS_PER_S)
        decision = caller.ask()
        taken += decision.granted
        if end != "still flying":
            caller.limiter.answered(decision, success=end == "answered")
        kept += decision.granted and end != "failed"
        assert kept <= month
        assert decision.month_remaining is not None
        assert decision.month_remaining >= 0

    passed_ns = clock.monotonic_ns() - NS_PER_S
    assert taken <= burst + qps * passed_ns // NS_PER_S


@pytest.mark.parametrize("code", ["rate_limited", "quota_exceeded"])
def test_settling_a_refusal_gives_nothing_back(clock: FixedClock, code: str) -> None:
    limits = {"rate_limited": {"burst_limit": 1}, "quota_exceeded": {"query_limit": 1}}
    caller = Caller(clock, **limits[code])
    caller.ask()

    refused = caller.ask()
    caller.limiter.answered(refused, success=False)

    assert refused.code == code
    assert caller.ask().code == code
