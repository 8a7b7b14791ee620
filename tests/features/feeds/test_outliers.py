from __future__ import annotations

from trinity_beast.features.feeds.outliers import OutlierGuard
from trinity_beast.kernel.time import NS_PER_S


def ask(guard: OutlierGuard, *prices: str, at_s: int = 0) -> list[bool]:
    return [guard.accepts("BTC", price, at_s * NS_PER_S) for price in prices]


def test_the_first_price_of_an_asset_is_believed() -> None:
    assert ask(OutlierGuard(), "65051100.0") == [True]


def test_a_price_of_another_scale_is_held_back_and_the_old_level_goes_on() -> None:
    guard = OutlierGuard()

    assert ask(guard, "65051.1", "65051100.0", "65050", "65.0511", "65052") == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_a_hundredfold_is_the_most_that_is_believed() -> None:
    assert ask(OutlierGuard(), "1", "100", "1") == [True, True, True]
    assert ask(OutlierGuard(), "1", "100.1") == [True, False]
    assert ask(OutlierGuard(), "100.1", "1") == [True, False]


def test_a_second_price_near_the_first_doubtful_one_makes_the_level_real() -> None:
    assert ask(OutlierGuard(), "1", "1000", "1900", "1500") == [True, False, True, True]
    assert ask(OutlierGuard(), "1", "1000", "500.0") == [True, False, True]


def test_two_doubtful_prices_that_disagree_confirm_nothing() -> None:
    assert ask(OutlierGuard(), "1", "1000", "2100", "1000") == [
        True,
        False,
        False,
        False,
    ]


def test_a_return_to_the_old_level_clears_the_doubt() -> None:
    assert ask(OutlierGuard(), "1", "1000", "1", "1000") == [True, False, True, False]


def test_after_a_minute_without_a_trade_any_price_is_believed() -> None:
    guard = OutlierGuard()
    ask(guard, "1", at_s=0)

    assert ask(guard, "1000", at_s=60) == [False]
    assert ask(guard, "0.001", at_s=61) == [True]


def test_history_of_another_age_says_nothing_about_a_price() -> None:
    guard = OutlierGuard()
    ask(guard, "57786.82", at_s=1_000_000)

    assert ask(guard, "400.23", at_s=0) == [True]
    assert ask(guard, "400.23", at_s=1_000_001) == [False]


def test_assets_do_not_know_of_each_other() -> None:
    guard = OutlierGuard()
    guard.accepts("BTC", "65000", 0)
    guard.accepts("SHIB", "0.00001", 0)

    assert guard.accepts("SHIB", "0.00002", 0)


def test_assets_that_are_gone_are_forgotten() -> None:
    guard = OutlierGuard()
    ask(guard, "1", "1000")

    guard.keep({"ETH"})

    assert ask(guard, "1000") == [True]
