"""The last decisions on a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.keys import a_key
from trinity_beast.features.keys import FREE_TEMPLATE, KeySlot, terms_of
from trinity_beast.features.limits import KEPT, Decision, History, Limiter, Noted

if TYPE_CHECKING:
    from support.clocks import FixedClock


def decided(limiter: Limiter, clock: FixedClock, slot: KeySlot) -> Decision:
    terms = terms_of(slot.key, FREE_TEMPLATE, clock.now_ns(), 7)
    slot.terms = slot.terms or terms
    return limiter.check(slot, slot.terms, clock.now_ns())


def history_of(decision: Decision) -> list[Noted]:
    assert decision.history is not None
    return list(decision.history.newest_first())


def test_a_key_that_was_never_asked_with_has_none() -> None:
    assert list(History().newest_first()) == []


def test_each_decision_is_kept_with_the_state_after_it(clock: FixedClock) -> None:
    limiter = Limiter(clock)
    slot = KeySlot("a" * 64, a_key(burst_limit=1, query_limit=3))
    started_ns = clock.now_ns()

    limiter.answered(decided(limiter, clock, slot), success=True, endpoint="/price")
    clock.advance(0.1)
    refused = decided(limiter, clock, slot)
    limiter.answered(refused, success=False, endpoint="/prices")

    assert history_of(refused) == [
        Noted(started_ns + 100_000_000, "/prices", "rate_limited", 0, 2, 200),
        Noted(started_ns, "/price", None, 0, 2, 0),
    ]


def test_what_is_not_limited_says_so(clock: FixedClock) -> None:
    limiter = Limiter(clock)
    free = {"rate_limit_qps": 0, "burst_limit": 0, "query_limit": 999_999_999}
    slot = KeySlot("a" * 64, a_key(tier="partner", **free))

    decision = decided(limiter, clock, slot)
    limiter.answered(decision, success=True)

    assert history_of(decision) == [Noted(clock.now_ns(), "", None, None, None, 0)]


def test_a_used_up_month_is_kept_too(clock: FixedClock) -> None:
    limiter = Limiter(clock)
    slot = KeySlot("a" * 64, a_key(query_limit=0))

    decision = decided(limiter, clock, slot)
    limiter.answered(decision, success=False)

    [noted] = history_of(decision)
    assert (noted.code, noted.month_remaining) == ("quota_exceeded", 0)
    assert noted.retry_after_ms == decision.retry_after_ms


def test_only_the_last_hundred_are_kept_newest_first(clock: FixedClock) -> None:
    limiter = Limiter(clock)
    slot = KeySlot("a" * 64, a_key(query_limit=1_000_000))
    counts: list[int] = []
    kept: list[str] = []

    for number in range(2 * KEPT + 7):
        clock.advance(1)
        decision = decided(limiter, clock, slot)
        limiter.answered(decision, success=True, endpoint=str(number))
        kept = [noted.endpoint for noted in history_of(decision)]
        counts.append(len(kept))

    assert counts == [min(number, KEPT) for number in range(1, 2 * KEPT + 8)]
    assert kept == [str(number) for number in range(2 * KEPT + 6, KEPT + 6, -1)]


def test_a_decision_that_was_overruled_is_kept_as_it_turned_out(
    clock: FixedClock,
) -> None:
    limiter = Limiter(clock)
    decision = decided(limiter, clock, KeySlot("a" * 64, a_key()))

    limiter.note(decision, "/account/key")

    assert [noted.endpoint for noted in history_of(decision)] == ["/account/key"]


def test_requests_of_one_instant_are_kept_as_one(clock: FixedClock) -> None:
    limiter, slot = Limiter(clock), KeySlot("a" * 64, a_key())
    terms = terms_of(slot.key, FREE_TEMPLATE, clock.now_ns(), 7)
    decision = [limiter.check(slot, terms, clock.now_ns()) for _ in range(3)][-1]
    history = History()

    history.note(decision, "udp", 3)
    told = list(history.newest_first())

    assert [(n.tokens_left, n.month_remaining) for n in told] == [
        (7, 49_997),
        (8, 49_998),
        (9, 49_999),
    ]
    for _ in range(4):
        history.note(decision, "udp", 64)
    assert len(list(history.newest_first())) == KEPT
