from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from support.clocks import NOON_NS
from support.venues import EXCHANGES, symbol
from trinity_beast.adapters.market.dice import dice
from trinity_beast.adapters.market.levels import LEVELS, level_of
from trinity_beast.adapters.market.rates import MANNERS
from trinity_beast.adapters.market.tape import KEPT_TRADES, Tape, Trade, TradingFloor
from trinity_beast.adapters.market.walk import Walk
from trinity_beast.kernel.price_text import parse_price_text
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

TICK_NS = 20 * NS_PER_MS


def tape(exchange: str = "bybit", asset: str = "BTC", *, seed: int = 1) -> Tape:
    level = level_of(asset)
    return Tape(
        symbol(exchange, asset),
        Walk(level.usd, level.volatility, dice(seed, "walk", asset)),
        level.trades_per_s,
        manners=MANNERS[exchange],
        chance=dice(seed, "tape", asset),
    )


def trades_of(floor: TradingFloor, seconds: int) -> list[list[Trade]]:
    return [
        trades
        for elapsed_ns in range(0, seconds * NS_PER_S, TICK_NS)
        for trades in floor.due(elapsed_ns, NOON_NS + elapsed_ns)
    ]


def test_a_seed_trades_the_same_again() -> None:
    first, second, other = tape(), tape(), tape(seed=2)

    orders = [trades_of(TradingFloor([one]), 10) for one in (first, second, other)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


def test_majors_trade_several_times_a_second_and_thin_assets_every_few() -> None:
    floor = TradingFloor([tape("okx", "BTC"), tape("okx", "RPL")])

    counts = Counter(
        trade.symbol for trades in trades_of(floor, 300) for trade in trades
    )
    assert 300 * 6 < counts["BTC-USDT"] < 300 * 11
    assert 300 * 0.2 < counts["RPL-USDT"] < 300 * 0.7


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_trades_of_a_symbol_never_go_back_in_time(exchange: str) -> None:
    floor = TradingFloor([tape(exchange)])
    trades = [trade for order in trades_of(floor, 60) for trade in order]

    assert all(a.traded_at_ns <= b.traded_at_ns for a, b in pairwise(trades))
    assert all(a.trade_id + 1 == b.trade_id for a, b in pairwise(trades))
    assert all(parse_price_text(trade.price) == trade.price for trade in trades)
    assert all(parse_price_text(trade.quantity) for trade in trades)
    assert {trade.side for trade in trades} == {"buy", "sell"}


def test_trades_are_made_a_little_before_they_are_sent_or_after_by_their_clock() -> (
    None
):
    delays_ms = {
        exchange: [
            (NOON_NS - tape.fill(0, NOON_NS)[0].traded_at_ns) / NS_PER_MS
            for tape in (tape(exchange, asset) for asset in LEVELS)
        ]
        for exchange in ("coinbase", "bybit")
    }

    assert -60 < min(delays_ms["coinbase"]) < 0 < max(delays_ms["coinbase"]) < 60
    assert 80 < min(delays_ms["bybit"]) <= max(delays_ms["bybit"]) < 140


def test_an_order_may_take_several_fills_at_once() -> None:
    orders = trades_of(TradingFloor([tape("bybit")]), 60)

    sweeps = [order for order in orders if len(order) > 1]
    assert 0.1 < len(sweeps) / len(orders) < 0.5
    assert all(len({trade.traded_at_ns for trade in order}) == 1 for order in sweeps)
    assert all(len({trade.side for trade in order}) == 1 for order in sweeps)


def test_what_was_traded_before_is_older_and_in_order() -> None:
    past = tape("kraken", "GNO")
    past.remember(NOON_NS)

    times = [trade.traded_at_ns for trade in past.history]
    assert len(times) == KEPT_TRADES
    assert times == sorted(times)
    assert NOON_NS - times[0] > 60 * NS_PER_S
    assert times[-1] < NOON_NS


def test_after_a_pause_only_the_last_second_is_made_up() -> None:
    floor = TradingFloor([tape("bybit", "BTC")])
    list(floor.due(0, NOON_NS))

    orders = list(floor.due(3_600 * NS_PER_S, NOON_NS + 3_600 * NS_PER_S))
    assert 0 < len(orders) < 40


def test_a_floor_without_tapes_never_trades() -> None:
    floor = TradingFloor([])

    assert floor.due_ns is None
    assert list(floor.due(NS_PER_S, NOON_NS)) == []


def test_a_thin_market_trades_within_three_seconds_of_the_first_question() -> None:
    late = [tape("gemini", "YFI", seed=seed) for seed in range(20)]
    for thin in late:
        floor = TradingFloor([thin])
        floor.hasten("yfiusd", 5 * NS_PER_S)
        assert list(floor.due(8 * NS_PER_S, NOON_NS)) != []

    assert max(thin.due_ns for thin in late) > 20 * NS_PER_S


def test_a_market_that_has_traded_is_not_hastened() -> None:
    thin = tape("gemini", "YFI")
    thin.fill(0, NOON_NS)
    due_ns = thin.due_ns
    thin.hasten(0)

    assert thin.due_ns == due_ns
