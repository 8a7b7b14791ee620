from __future__ import annotations

from hypothesis import given, strategies as st

from trinity_beast.adapters.market.dice import dice
from trinity_beast.adapters.market.levels import LEVELS
from trinity_beast.adapters.market.walk import (
    STEP_NS,
    Walk,
    decimals_of,
    price_text,
)
from trinity_beast.kernel.price_text import parse_price_text

DAY_NS = 86_400 * 1_000_000_000


def walk(seed: int = 1, *, volatility: float = 0.5) -> Walk:
    return Walk(65_000.0, volatility, dice(seed, "walk", "BTC"))


def test_a_seed_walks_the_same_way_again() -> None:
    first, second = walk(), walk()

    assert [first.usd_at(step * STEP_NS) for step in range(50)] == [
        second.usd_at(step * STEP_NS) for step in range(50)
    ]


def test_another_seed_walks_another_way() -> None:
    assert walk(1).usd_at(STEP_NS) != walk(2).usd_at(STEP_NS)


def test_the_price_does_not_depend_on_who_asked_before() -> None:
    asked_often, asked_once = walk(), walk()
    for elapsed_ns in range(0, 100 * STEP_NS, STEP_NS // 3):
        asked_often.usd_at(elapsed_ns)

    assert asked_often.usd_at(100 * STEP_NS) == asked_once.usd_at(100 * STEP_NS)


def test_the_price_stands_still_within_a_step_and_never_walks_back() -> None:
    path = walk()
    later = path.usd_at(10 * STEP_NS)

    assert path.usd_at(10 * STEP_NS + STEP_NS - 1) == later
    assert path.usd_at(0) == later


def test_the_price_starts_at_its_level_moves_and_stays_believable_for_a_day() -> None:
    path = walk()
    prices = [path.usd_at(hour * DAY_NS // 24) for hour in range(25)]

    assert prices[0] == 65_000.0
    assert len(set(prices)) == 25
    assert all(55_000 < price < 75_000 for price in prices)


def test_five_digits_count_and_dear_assets_keep_the_venue_s_decimals() -> None:
    quoted = {level: decimals_of(level, 2) for level in (65_000.0, 77.0, 1.04, 4.7e-6)}

    assert quoted == {65_000.0: 2, 77.0: 3, 1.04: 4, 4.7e-6: 10}


def test_zeros_at_the_end_are_kept_or_trimmed_as_the_venue_does() -> None:
    written = [
        price_text(2688.3, 2, trims=False),
        price_text(2688.3, 2, trims=True),
        price_text(77_474.0, 1, trims=True),
        price_text(77_470.0, 0, trims=True),
        price_text(4.7e-6, 10, trims=False),
    ]

    assert written == ["2688.30", "2688.3", "77474", "77470", "0.0000047000"]


@given(
    asset=st.sampled_from(sorted(LEVELS)),
    factor=st.floats(1e-6, 1e3),
    fewest=st.integers(0, 5),
    trims=st.booleans(),
)
def test_every_price_is_a_price(
    asset: str,
    factor: float,
    fewest: int,
    *,
    trims: bool,
) -> None:
    level = LEVELS[asset].usd
    text = price_text(level * factor, decimals_of(level, fewest), trims=trims)

    assert parse_price_text(text) == text
