"""Which prices of other sources may be served."""

from __future__ import annotations

import pytest

from support.clocks import NOON_NS
from trinity_beast.features.board import Quote
from trinity_beast.features.sources import Found, Wanted
from trinity_beast.features.sources.model import fits, is_young, quote_of, why_not
from trinity_beast.kernel.time import NS_PER_S


def quote(price: str = "100", *, traded_ago_s: float = 0, ago_s: float = 0) -> Quote:
    return quote_of(
        "BTC",
        price,
        "gemini-rest",
        traded_at_ns=NOON_NS - round((traded_ago_s + ago_s) * NS_PER_S),
        received_at_ns=NOON_NS - round(ago_s * NS_PER_S),
    )


@pytest.mark.parametrize(
    ("ago_s", "young"),
    [(0, True), (9, True), (9.001, False), (-5, True), (-5.001, False)],
)
def test_young_is_within_the_caches_time_and_not_in_the_future(
    ago_s: float,
    young: bool,  # noqa: FBT001 - what the table says
) -> None:
    assert is_young(quote(ago_s=ago_s), NOON_NS, 9) is young


def test_history_that_arrives_now_is_not_young() -> None:
    assert not is_young(quote(traded_ago_s=60), NOON_NS, 9)


@pytest.mark.parametrize(
    ("max_age_ms", "served"),
    [(None, True), (1_000, True), (999, False)],
)
def test_a_caller_may_want_it_younger(
    max_age_ms: int | None,
    served: bool,  # noqa: FBT001 - what the table says
) -> None:
    found = Found(quote(), age_ns=NS_PER_S, cached=True, latency_ms=0)

    assert fits(found, Wanted("BTC", max_age_ms)) is served


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (quote(), None),
        (quote(traded_ago_s=900), None),
        (quote(traded_ago_s=901), "its last trade is too long ago"),
        (quote(traded_ago_s=-6), "its last trade is in the future"),
        (quote("20.01"), None),
        (quote("19.99"), "it is too far from 100"),
        (quote("500.1"), "it is too far from 100"),
    ],
)
def test_a_dead_market_and_another_coin_are_not_believed(
    told: Quote,
    why: str | None,
) -> None:
    assert why_not(told, quote("100", ago_s=60)) == why


def test_what_was_known_yesterday_says_nothing() -> None:
    assert why_not(quote("1"), quote("100", ago_s=25 * 3600)) is None


def test_nothing_known_says_nothing() -> None:
    assert why_not(quote("1"), None) is None
