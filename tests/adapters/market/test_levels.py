from __future__ import annotations

from support.venues import catalogue
from trinity_beast.adapters.market.levels import LEVELS, MAJORS, level_of
from trinity_beast.adapters.market.rates import MANNERS


def test_every_asset_of_the_catalogue_has_a_level() -> None:
    assets = {asset for symbols in catalogue().values() for asset in symbols}

    assert assets == set(LEVELS)


def test_levels_are_of_the_right_order_of_magnitude() -> None:
    assert 20_000 < level_of("BTC").usd < 200_000
    assert 1e-6 < level_of("SHIB").usd < 1e-4
    assert set(MAJORS) <= set(LEVELS)


def test_an_unknown_asset_has_a_level_that_lasts() -> None:
    assert level_of("NOVEL") == level_of("NOVEL")
    assert level_of("NOVEL").usd != level_of("OTHER").usd


def test_the_catalogue_s_markets_make_about_130_trades_a_second() -> None:
    rates = {
        exchange: sum(level_of(a).trades_per_s for a in assets)
        * MANNERS[exchange].activity
        for exchange, assets in catalogue().items()
    }

    assert 120 < sum(rates.values()) < 140
    assert min(rates, key=lambda exchange: rates[exchange]) == "gemini"
